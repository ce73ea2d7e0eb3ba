// SPDX-License-Identifier: MIT
/* Looks at another process: its memory, its files, its view of paths.
 *
 * Reads only, bounded, never blocks (it opens nothing but O_PATH and /proc).
 * Whatever is read counts only if the notification is still valid afterwards. */
#ifndef EG_SUPERVISOR_REMOTE_H
#define EG_SUPERVISOR_REMOTE_H

#include "decide/request.h"
#include "resolve/resolve.h"
#include "supervisor/images.h"

#include <sys/types.h>

/* The kernel's own limits on one exec are far below (execve(2), "Limits on size
 * of arguments and environment"); a list over these is refused. */
#define EG_VECTOR_BYTES_MAX (8u << 20)
#define EG_VECTOR_COUNT_MAX 1048576u

/* An argv or envp copied from another process: count strings, one after the
 * other, each with its NUL, in bytes[0..size); items[i] points at each, and
 * items[count] is NULL.  Grown by eg_remote_vector, reused, freed by the owner. */
struct eg_vector {
    char *bytes;
    size_t size, capacity;
    const char **items;
    size_t count, item_capacity;
    /* room for reading, kept from one exec to the next */
    uint64_t *pointers;
    char *span;
    size_t pointer_capacity, span_capacity;
};
void eg_vector_free(struct eg_vector *vector);

/* Copy a NULL-terminated array of strings at `address` in thread tid (0: an
 * empty list, as the kernel reads a NULL argv).  0; -EFAULT unreadable; -E2BIG;
 * -ENOMEM; -EPERM (no ptrace access). */
int eg_remote_vector(pid_t tid, uint64_t address, struct eg_vector *ret);

/* Split a /proc/PID/cmdline or environ file as the kernel keeps it. */
int eg_remote_proc_vector(pid_t tid, const char *file, struct eg_vector *ret);

/* Copy a local NULL-terminated array.  0 or -errno. */
int eg_vector_copy(struct eg_vector *ret, const char *const *strings);

/* Digest of the strings from number `skip` on, each with its NUL. */
void eg_vector_digest(const struct eg_vector *vector, size_t skip,
                      unsigned char ret[EG_DIGEST_SIZE]);

/* Copy a NUL-terminated path at address.  0, -EFAULT, -ENAMETOOLONG, -EPERM. */
int eg_remote_path(pid_t tid, uint64_t address, char ret[EG_PATH_MAX]);

/* Thread group of a thread, or -errno. */
pid_t eg_remote_tgid(pid_t tid);

/* The process of a thread.  0 or -errno. */
int eg_remote_process(pid_t tid, struct eg_process *ret);

/* What `path` names for that thread: in its root, its working directory (or its
 * descriptor dirfd), its mount namespace; /proc/self is the thread's own.
 * flags: AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW.  Like eg_resolve_file otherwise. */
int eg_remote_resolve(pid_t tid, pid_t tgid, int dirfd, const char *path, int flags,
                      char pathbuf[EG_PATH_MAX], struct eg_target *ret, int *ret_error);

/* Open `path` step by step (O_PATH), from `start` or, where it is absolute, from
 * `root`, both held, as that thread's links and /proc/self have it.  flags:
 * AT_SYMLINK_NOFOLLOW.  A descriptor or -errno. */
int eg_remote_walk(pid_t tid, pid_t tgid, int root, int start, const char *path, int flags);

/* Will that path name the same file when somebody looks again, whatever the
 * caller's user does to it?  Yes where it holds no `..` and no link but root's own.
 * For scripts: their interpreter opens the path once more, after every check. */
bool eg_remote_is_fixed(pid_t tid, pid_t tgid, int dirfd, const char *path);

/* The running program of a thread (/proc/TID/exe); found false: unknown. */
int eg_remote_exe(pid_t tid, char pathbuf[EG_PATH_MAX], struct eg_target *ret);

/* Working directory as that process names it; empty when unknown. */
struct eg_str eg_remote_cwd(pid_t tid, char buf[EG_PATH_MAX]);

/* Parent and real user of a thread, from /proc/TID/status; zero when gone. */
void eg_remote_who(pid_t tid, pid_t *ret_ppid, uid_t *ret_uid);

/* Real user of a thread; false: it is gone or cannot be looked at. */
bool eg_remote_user(pid_t tid, uint32_t *ret_uid);

#endif
