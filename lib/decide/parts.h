// SPDX-License-Identifier: MIT
/* What the files of this folder share and nobody else needs. */
#ifndef EG_DECIDE_PARTS_H
#define EG_DECIDE_PARTS_H

#include "base/buf.h"
#include "decide/decide.h"

/* Longest path the kernel takes, with its NUL (PATH_MAX of linux/limits.h). */
#define EG_DECIDE_PATH_MAX 4096u

/* argv[n] as a view; empty when there is none. */
static inline struct eg_str eg_argument(const struct eg_exec_request *request, size_t n)
{
    return n < request->argc ? eg_str(request->argv[n]) : (struct eg_str){ NULL, 0 };
}

/* Does `name` fit "NAME" or "PREFIX*"? */
bool eg_decide_name_fits(struct eg_str pattern, struct eg_str name);

/* What a base name of the set `scripts` is (table/scripts.def); bits, 0: not in it. */
enum eg_script_kind {
    EG_SCRIPT_RUNS = 1u << 0,   /* an extension that somebody runs */
    EG_SCRIPT_STEERS = 1u << 1, /* a server's or language's own configuration */
    EG_SCRIPT_HIDDEN = 1u << 2, /* begins with a dot */
    EG_SCRIPT_TOOL = 1u << 3,   /* settings, keys, logs: matters for files only */
};
unsigned eg_decide_script_kinds(struct eg_str name);

/* Is it RUNS or STEERS?  For ordinary names one pass and no more. */
bool eg_decide_name_may_run(struct eg_str name);

/* Is this the base name of a multi-call binary, which takes the applet's name
 * from argv[1] when it is called by its own name? */
bool eg_decide_name_is_multicall(struct eg_str name);

/* Make `path` absolute (cwd in front of a relative one) without empty and "."
 * components, as text only.  False when a ".." stands in it, when it is relative
 * and cwd is not an absolute path, or when it is longer than the kernel takes. */
bool eg_decide_normalise(struct eg_str path, struct eg_str cwd, struct eg_buf *ret);

/* Does a write rule's pattern hold this path?  As guard/expand.c grants it: what
 * a last component without a glob names, with all beneath it. */
bool eg_decide_tree_holds(struct eg_str pattern, struct eg_str path);

/* Length of the part of path that the pattern of a tree's top names (the path
 * itself or a folder above it, the innermost); 0: none. */
size_t eg_decide_tree_top(struct eg_str pattern, struct eg_str path);

/* As eg_decide_upload_of; *ret_top: length of the part of path that is the tree's
 * own top. */
uint32_t eg_decide_upload_find(const struct eg_blob *blob, struct eg_str path, size_t *ret_top);

/* Whole-text recognisers of the holes. */
bool eg_decide_is_host(struct eg_str s);
bool eg_decide_is_ip(struct eg_str s);
bool eg_decide_is_email(struct eg_str s);

/* Find the command inside a wrapper's arguments. */
enum eg_unwrap { EG_UNWRAP_NONE, EG_UNWRAP_COMMAND, EG_UNWRAP_REFUSED };
struct eg_inner {
    const char *const *argv; /* a slice of the outer argv, or static */
    size_t argc;
    bool open_ended;    /* further arguments follow */
    bool same_process;  /* runs in the wrapper's own process (ld.so) */
    bool exact_name;    /* a name without a slash cannot be looked up in PATH */
    enum eg_reason why; /* REFUSED: WRAPPER_OPTION, LOADER_VARIABLE or INNER */
};

/* NONE: the wrapper runs nothing (`env` alone prints).  `name` is the wrapper's
 * base name, one that eg_name_is_wrapper knows. */
enum eg_unwrap eg_decide_unwrap(const struct eg_blob *blob, struct eg_str name,
                                const struct eg_exec_request *request, struct eg_inner *ret);

#endif
