// SPDX-License-Identifier: MIT
/* What the hooks on files share: whether the policy cares, what a name stands for,
 * the judgement before a change and the explanation after the kernel refused one.
 *
 * Layers.  Outside upload trees the domain (Landlock) alone decides what may be
 * written; the shim says why afterwards.  In upload trees, which the domain opens
 * as a whole, names, modes and contents are judged here before the call.  Under a
 * supervisor changes are its business, and only reading is judged here.
 *
 * Nothing here is static data but eg_file_interest, which is written with the same
 * value by whoever comes first. */
#ifndef EG_SHIM_FILE_H
#define EG_SHIM_FILE_H

#include <linux/fcntl.h>

#include "base/sys.h"
#include "decide/write.h"
#include "shim/shim.h"

/* libc's headers are out of bounds; linux/stat.h has no umask-safe names for these. */
#define EG_MODE_EXECUTE 00111u
#define EG_MODE_BITS    07777u

/* ---- does the policy care? ---- */

enum eg_file_interest_bit {
    EG_FILE_READS = 1u << 0,   /* some upload tree keeps its scripts from readers */
    EG_FILE_BEFORE = 1u << 1,  /* changes are judged before they are made */
    EG_FILE_AFTER = 1u << 2,   /* changes that the kernel refused are explained */
    EG_FILE_CLOSE = 1u << 3,   /* contents are judged when a descriptor is closed */
    EG_FILE_ALONE = 1u << 4,   /* no domain stands behind: what is denied is refused here */
    EG_FILE_STOPPED = 1u << 5, /* the guard is not ready: nothing can be judged */
    EG_FILE_UNKNOWN = 1u << 6, /* nobody has asked yet */
    EG_FILE_GLOBS = 1u << 7,   /* READS, and by globs of the policy's own */
    EG_FILE_TOLD = 1u << 8,    /* the supervisor sees each change, and tells what is refused */
    EG_FILE_FRESH = 1u << 9,   /* what changed lately is judged when it is opened for reading */
};
#define EG_FILE_CHANGES (EG_FILE_BEFORE | EG_FILE_AFTER)
#define EG_FILE_ANY     (EG_FILE_CHANGES | EG_FILE_READS | EG_FILE_CLOSE | EG_FILE_FRESH)
extern uint32_t eg_file_interest;

/* The cheap question that every hook asks first. */
static inline bool eg_file_cares(uint32_t bits)
{
    uint32_t all = __atomic_load_n(&eg_file_interest, __ATOMIC_RELAXED);
    return all & (bits | EG_FILE_UNKNOWN);
}

/* The interest once the guard is up: bits, or STOPPED while it is not. */
uint32_t eg_file_ask(void);

/* ---- place.c: what a name stands for ---- */

struct eg_place {
    struct eg_str path; /* as the kernel names the folder, "/", the last component; for what was
                         * followed or has no last component, wholly as the kernel names it.
                         * Without a leading slash: a pipe, a socket.  NUL-terminated */
    uint32_t mode;      /* st_mode of what is there; 0: nothing */
    uint32_t links;     /* st_nlink of it */
    char memory[EG_PATH_MAX];
};

/* Resolve a name.  follow: a symbolic link in the last component counts as what it
 * points to, there or not.  0, or -errno: what the kernel answers to a name whose
 * folder cannot be reached, or our own want of descriptors or memory.  Where /proc is
 * missing names go by their spelling. */
int eg_place_find(int dirfd, const char *path, bool follow, struct eg_place *ret);

/* The same of an open descriptor. */
int eg_place_of(int fd, struct eg_place *ret);

/* ---- judge_write.c ---- */

/* A change that a hook is about to make, or that the kernel has just refused. */
struct eg_change {
    const char *call; /* libc's function */
    enum eg_write_op op;
    bool follow;           /* the last component is followed */
    bool other_follow;     /* that of `other` */
    bool descriptor;       /* dirfd itself is meant; path is not looked at */
    bool other_descriptor; /* LINK: other_dirfd itself is meant */
    bool exchange;         /* RENAME: both names stay (RENAME_EXCHANGE) */
    bool truncates;        /* CREATE: what is there would be opened for writing or truncated */
    int dirfd;
    int other_dirfd;
    const char *path;
    const char *other; /* RENAME, LINK: the old name; SYMLINK: text */
    uint32_t mode;     /* as in struct eg_write_request; judged: without refused bits */
};

/* May the change be made?  0, or the -errno to fail with; says so in an event.
 * Costs nothing but a look at the interest where nobody cares. */
int eg_change_judge(struct eg_change *change);

/* The change failed: if it was the domain's doing, say so in an event.  error:
 * positive errno. */
void eg_change_explain(const struct eg_change *change, int error);

/* The result of a libc function that returns -1 on failure, explained. */
static inline long eg_change_result(const struct eg_change *change, long r)
{
    if (r == -1 && eg_file_cares(EG_FILE_AFTER)) eg_change_explain(change, *__errno_location());
    return r;
}

/* An open(2) that is about to be made. */
struct eg_opening {
    const char *call;
    bool descriptor; /* dirfd itself is opened again; path is not looked at */
    int dirfd;
    const char *path;
    int flags;
    uint32_t mode; /* judged: without refused bits */
};

/* May it be made?  0, or the -errno to fail with. */
int eg_open_judge(struct eg_opening *opening);

/* As eg_change_explain. */
void eg_open_explain(const struct eg_opening *opening, int error);

/* Could a rule keep this name from readers?  One pass over it. */
bool eg_open_reads_script(const char *path);

/* May this existing name be opened for reading?  0 or -errno. */
int eg_read_judge(const char *call, int dirfd, const char *path);

/* An event about a decision on `path`. */
void eg_change_report(const char *call, const struct eg_write_decision *decision, enum eg_kind kind,
                      struct eg_str path);

/* ---- judge_content.c ---- */

/* What a finished file that is to get, or has, a name of an upload tree holds.
 * fd: any descriptor of it; contents: what must not be in it.  0 with *ret_hits, or
 * -errno when it cannot be read. */
int eg_content_read(int fd, uint32_t contents, uint32_t *ret_hits);

/* The same of a descriptor whose offset nobody else moves: holes are passed over. */
int eg_content_read_fresh(int fd, uint32_t contents, uint32_t *ret_hits);

/* The file that is about to be closed, where it was open for writing and lies in an
 * upload tree.  0; or -EACCES: it held what no file there may hold, and is gone.
 * Asks nothing of a descriptor that is no file. */
int eg_content_closing(const char *call, int fd);

/* Is the descriptor one that eg_content_closing would read?  For streams, which must
 * be flushed before. */
bool eg_content_concerns(int fd);

/* ---- judge_opened.c ---- */

/* The file that was just opened for reading, where it lies in an upload tree and
 * changed so lately that nobody may have judged it.  0; or -EACCES: it holds what no
 * file there may hold, and is not to be handed out.  The descriptor stays open, its
 * offset where it was. */
int eg_opened_judge(const char *call, int fd);

/* Is that worth asking of what open(2) returned for these flags? */
static inline bool eg_opened_matters(int flags, int fd)
{
    int access = flags & O_ACCMODE;
    return fd >= 0 && eg_file_cares(EG_FILE_FRESH) && (access == O_RDONLY || access == O_RDWR) &&
           !(flags & (O_PATH | O_DIRECTORY));
}

/* What open(2) is to return: fd, or -1 with errno when it was refused and closed. */
static inline int eg_opened(const char *call, int flags, int fd)
{
    int r = eg_opened_matters(flags, fd) ? eg_opened_judge(call, fd) : 0;
    if (__builtin_expect(r == 0, 1)) return fd;
    eg_sys(__NR_close, fd);
    return (int)eg_shim_result(r);
}

/* ---- hook_mode.c ---- */

/* The execute bits that an access control list (the attribute
 * system.posix_acl_access) would set. */
uint32_t eg_mode_of_list(const void *value, size_t size);

#endif
