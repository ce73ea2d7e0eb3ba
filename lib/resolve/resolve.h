// SPDX-License-Identifier: MIT
/* Finds out what a name stands for: the step between a call and a request.
 *
 * Freestanding, with effects (it opens O_PATH and reads links, changes
 * nothing), apart from the pure core.  All buffers are the caller's. */
#ifndef EG_RESOLVE_RESOLVE_H
#define EG_RESOLVE_RESOLVE_H

#include "decide/request.h"

#define EG_PATH_MAX 4096u

/* Resolve `path` (relative to dirfd, AT_FDCWD for the working directory; with
 * an empty path and AT_EMPTY_PATH in flags, dirfd itself; AT_SYMLINK_NOFOLLOW
 * as execveat(2) has it).  ret->path points into pathbuf or at `path`.
 * 0 also when nothing is there (found false, *ret->id zero; *ret_error, if not
 * NULL, is the -errno the kernel gave: -ENOENT, -EACCES, -ENOTDIR, -ELOOP, ...). */
int eg_resolve_file(int dirfd, const char *path, int flags, char pathbuf[EG_PATH_MAX],
                    struct eg_target *ret, int *ret_error);

/* As execvp(3) searches: each element of `search` (":"-separated; an empty
 * element is the working directory) with name appended.  A name with a slash is
 * resolved as it is.  The first regular file with an execute permission for us
 * wins; ret_spelled holds what would be given to execve(2), NUL-terminated.
 * 0 with found true; else found false and what execvp(3) would leave in errno:
 * -EACCES when an unusable file was seen, otherwise the last place's error
 * (-ENOENT, -ENOTDIR, -ENAMETOOLONG, ...). */
int eg_resolve_search(struct eg_str search, struct eg_str name, char ret_spelled[EG_PATH_MAX],
                      char pathbuf[EG_PATH_MAX], struct eg_target *ret);

/* Identity of an open descriptor. */
int eg_resolve_identity(int fd, struct eg_identity *ret);

/* Same file, as far as the kernel can tell. */
static inline bool eg_identity_same_inode(const struct eg_identity *a, const struct eg_identity *b)
{
    return a->mode && b->mode && a->dev == b->dev && a->ino == b->ino;
}

/* Working directory into buf; empty when the kernel cannot name it. */
struct eg_str eg_resolve_cwd(char buf[EG_PATH_MAX]);

/* The program of this process (/proc/self/exe). */
int eg_resolve_self(char pathbuf[EG_PATH_MAX], struct eg_target *ret);

/* First bytes of a script: "#!" line split as the kernel does (execve(2),
 * "Interpreter scripts").  1 when it is a script, 0 when not, -errno.
 * ret_interpreter and ret_argument (may be empty) point into buf. */
int eg_resolve_shebang(int fd, char buf[256], struct eg_str *ret_interpreter,
                       struct eg_str *ret_argument);

/* For a lookup's `script': what the kernel puts in front of the arguments of this file.
 * 0, with ret->count 0 when it is no script; ret->interpreter is left to the caller, who
 * may resolve it into memory->interpreter.  -errno: it cannot be read, or is another by
 * now. */
struct eg_script_memory {
    char script[EG_PATH_MAX];
    char interpreter[EG_PATH_MAX];
    char line[256];
};
int eg_resolve_script(struct eg_script_memory *memory, const struct eg_target *target,
                      struct eg_script *ret);

#endif
