// SPDX-License-Identifier: MIT
/* What is asked of the decision core: plain data, gathered by resolve/, the
 * shim, the supervisor or `explain`.  The core looks nothing up by itself. */
#ifndef EG_DECIDE_REQUEST_H
#define EG_DECIDE_REQUEST_H

#include "blob/blob.h"

/* A file that would run.  path is canonical (symlinks resolved, as the kernel
 * names it); when the kernel could not name it (no /proc), it is the spelling.
 * found is false when nothing is there: then id is all zero. */
struct eg_target {
    struct eg_str path;
    struct eg_identity id;
    bool found;
};

/* Finds the program a wrapper's inner command names, as the wrapper would (by
 * PATH when the name has no slash).  ret->path may point into memory owned by
 * the lookup, valid until the next call.  0, or -errno when it cannot tell;
 * "there is no such program" is 0 with found false. */
struct eg_script;
struct eg_lookup {
    int (*find)(void *context, struct eg_str name, struct eg_target *ret);
    void *context;
    /* Is this file of a build tree a script, and what does the kernel start for it?
     * ret->count 0: it is none.  -errno: cannot tell.  The words and the path belong to
     * the lookup and last as long as it.  NULL: no target can be a script. */
    int (*script)(void *context, const struct eg_target *target, struct eg_script *ret);
};

/* interpreter: what words[0] names.  words: it, its argument if any, the script. */
struct eg_script {
    struct eg_target interpreter;
    const char *words[3];
    size_t count;
};

/* A request to run a program.  argv holds argc pointers to NUL-terminated
 * strings (argc 0: the caller passed none).  open_ended: further arguments
 * follow that nobody can know (xargs). */
struct eg_exec_request {
    struct eg_target target;
    const char *const *argv;
    size_t argc;
    bool open_ended;
    struct eg_target caller; /* program that asks, for `from` */
    bool user_known;         /* false: a rule `for` somebody does not hold */
    uint32_t user;           /* real user of the process that asks, for `for` */
    struct eg_str cwd; /* absolute; empty when unknown: relative <file GLOB> then never match */
    const struct eg_lookup *lookup; /* NULL: inner commands are refused */
    struct eg_target
        worker; /* the worker's own program, for `worker reexec`; found false: unknown */
};

#endif
