// SPDX-License-Identifier: MIT
/* The guard's own files on this machine, and what follows from where they are:
 * what a policy is compiled with, and the environment that brings the shim into a
 * worker.  For the command and for libexecguard alike, so that both use the same
 * compiled policies. */
#ifndef EG_COMPILE_FILES_H
#define EG_COMPILE_FILES_H

#include "compile/compile.h"

#include <limits.h>
#include <sys/stat.h>

/* Found beside a file that belongs to execguard (a build folder), in lib/execguard
 * of the same prefix, else where they were to be installed.  Paths that do not fit
 * are empty. */
struct eg_files {
    char command[PATH_MAX]; /* what users start */
    char whole[PATH_MAX];   /* the whole command; the same where there is no front */
    char object[PATH_MAX];  /* the preload object */
    char runner[PATH_MAX];  /* execguard-line beside it */
    struct stat object_stat;
};

/* What the file is beside which the others are looked for. */
enum eg_anchor {
    EG_ANCHOR_FRONT,   /* the front program */
    EG_ANCHOR_WHOLE,   /* the whole command, or the only one */
    EG_ANCHOR_LIBRARY, /* libexecguard.so */
};

/* False, with errno, when the preload object is not there; the paths are set
 * anyway.  anchor: absolute, canonical; empty: unknown. */
bool eg_files_find(const char *anchor, enum eg_anchor what, struct eg_files *ret);

/* What policies are compiled with: none of these files can be written by a worker.
 * The options point into `files' and `ret'. */
struct eg_files_options {
    struct eg_compile_options options;
    const char *guard_files[5];
};
void eg_files_compile_options(const struct eg_files *files, struct eg_files_options *ret);

/* May this file be trusted?  Nobody else may write it, and when root runs the
 * guard, it must be root's.  0, or -errno and *ret_why (static text): what is wrong
 * with it; EACCES: somebody else's. */
int eg_files_check_own(const char *path, const char **ret_why);

/* A copy of envp with LD_PRELOAD beginning with `object' (what else was in it
 * follows) and EXECGUARD_POLICY naming `policy'.  One allocation, the caller
 * frees.  NULL: out of memory. */
char **eg_files_environment(char *const *envp, const char *object, const char *policy);

#endif
