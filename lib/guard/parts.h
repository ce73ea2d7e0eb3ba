// SPDX-License-Identifier: MIT
/* What the steps of an installation share and nobody else needs. */
#ifndef EG_GUARD_PARTS_H
#define EG_GUARD_PARTS_H

#include "guard/guard.h"
#include "guard/kernel.h"

#define EG_GUARD_PATH_MAX 4096u

/* Fill in where a step failed and pass its error on. */
static inline int eg_guard_fail(struct eg_guard_error *error, enum eg_layer layer, const char *what,
                                long result)
{
    error->layer = layer;
    error->what = what;
    error->error = (int)-result;
    return (int)result;
}

/* The steps, each 0 or -errno with *error filled. */
int eg_guard_set_no_new_privs(struct eg_guard_error *error);
int eg_guard_check_privilege(struct eg_guard_error *error); /* to do without it */
int eg_guard_limit_capabilities(const struct eg_blob *blob, struct eg_guard_error *error);
int eg_guard_enter_domain(struct eg_guard_plan *plan, struct eg_guard_error *error);
int eg_guard_load_filter(struct eg_guard_plan *plan, struct eg_guard_error *error);

/* ---- a ruleset that is being built (ruleset.c) ---- */

struct eg_ruleset {
    int fd;
    uint64_t handled;             /* rights this kernel knows and the ruleset is about */
    struct eg_guard_error *error; /* layer is the domain's */
    eg_guard_visit visit;         /* not NULL: no ruleset, told instead */
    void *context;
};

/* Rights that rules for anything but folders may hold, and those that make
 * device nodes (ruleset.c). */
extern const uint64_t eg_ruleset_file_rights;
extern const uint64_t eg_ruleset_device_rights;
extern const uint64_t eg_ruleset_all_rights;

/* Create one: its descriptor in ret->fd, to be closed.  What this ABI does not
 * know is left out of the rights and scopes. */
int eg_ruleset_create(int abi, uint64_t rights, uint64_t scopes, struct eg_guard_error *error,
                      struct eg_ruleset *ret);

/* Grant rights on what fd (O_PATH) names.  What the ruleset is not about is left
 * out, and for anything but folders what only folders can have. */
int eg_ruleset_grant(const struct eg_ruleset *ruleset, int fd, uint64_t rights);

/* The same for a path, opened relative to dirfd without following a last
 * symlink; what is not there or out of reach is passed over. */
int eg_ruleset_grant_at(const struct eg_ruleset *ruleset, int dirfd, const char *path,
                        uint64_t rights);

/* Is this the error of one place (not there, out of reach, not a place at all),
 * and not of this process or the kernel?  Granting less is always safe. */
bool eg_ruleset_passes_over(long error);

/* ---- what may be written ---- */

/* Is there something that step one lets run and step two does not?  Not where the
 * worker's own program is one of the exec set: then step one is all. */
bool eg_guard_has_step_two(const struct eg_guard_plan *plan);

/* Grant the blob's write set (write_set.c).  Where a step two follows, with the sentinel
 * of eg_guard_is_narrow; supervised without the upload trees. */
int eg_guard_grant_writes(const struct eg_ruleset *ruleset, const struct eg_guard_plan *plan);

/* Grant EXECUTE in the blob's `build` trees, and nothing else. */
int eg_guard_grant_build_trees(const struct eg_ruleset *ruleset, const struct eg_blob *blob);

/* A walk over places that may be written (walk.c). */
struct eg_walk {
    const struct eg_ruleset *ruleset;
    const struct eg_blob *blob;
    uint64_t rights;    /* granted on each place */
    bool spare_uploads; /* a supervisor writes upload trees: nothing is granted there */
    unsigned depth;
    uint32_t reads;               /* of folders so far: tells when `entries` was used again */
    uint32_t harmless[8];         /* guard files that file permissions protect, bit by index */
    char path[EG_GUARD_PATH_MAX]; /* canonical path of where we are, NUL-terminated */
    char entries[4096] __attribute__((aligned(8)));
};

/* Grant what fd (O_PATH) names without what the guard keeps for itself; its
 * canonical path is the first n bytes of tree->path ("" for the root), its type
 * EG_DT_*.  0 or -errno. */
int eg_walk_grant(struct eg_walk *tree, int fd, size_t n, unsigned char type);

/* Grant what a policy's pattern names now (expand.c). */
int eg_walk_expand(struct eg_walk *tree, struct eg_str pattern);

/* One entry of a folder.  name is lost as soon as another folder is read. */
struct eg_walk_entry {
    const char *name;
    size_t length;
    unsigned char type; /* EG_DT_* */
};
typedef int (*eg_walk_visit)(struct eg_walk *tree, int fd, const struct eg_walk_entry *entry,
                             const void *context);

/* Visit every entry of the folder that fd (O_PATH) names, but "." and ".." and
 * symlinks.  visit gets a descriptor of the folder and may read other folders
 * through the same tree.  Returns the first value that is not 0, or 0; folders
 * that cannot be read, and those too deep, are passed over. */
int eg_walk_each(struct eg_walk *tree, int fd, eg_walk_visit visit, const void *context);

/* Append "/name" to tree->path (n bytes so far).  The new length, or 0 when it
 * does not fit. */
size_t eg_walk_enter(struct eg_walk *tree, size_t n, const char *name, size_t name_length);

#define EG_DT_UNKNOWN 0
#define EG_DT_DIR     4
#define EG_DT_LNK     10

#endif
