// SPDX-License-Identifier: MIT
/* open(2) and its other names.
 *
 * What no rule is about goes on to libc after one look at the flags, and for
 * reading where scripts are kept from readers, one at the name: no system call is
 * added.  Where contents are judged, one is, after an open for reading, since a name
 * does not show where it leads.  libc's own function is called, not the kernel, since
 * it is a cancellation point. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "base/sys.h"
#include "shim/hooks.h"
#include "shim/file.h"

typedef int open_function(const char *path, int flags, uint32_t mode);
typedef int openat_function(int dirfd, const char *path, int flags, uint32_t mode);
typedef int creat_function(const char *path, uint32_t mode);

#define CHANGING (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/* Must it be judged? */
static inline bool matters(const char *path, int flags)
{
    if (flags & CHANGING) return eg_file_cares(EG_FILE_CHANGES | EG_FILE_READS);
    return eg_file_cares(EG_FILE_READS) && eg_open_reads_script(path);
}

static int done(const struct eg_opening *opening, int r)
{
    if (r == -1 && eg_file_cares(EG_FILE_AFTER)) eg_open_explain(opening, *__errno_location());
    return r;
}

/* Whichever of libc's functions the caller named. */
static __attribute__((noinline)) int judge_open(enum eg_next which, struct eg_opening *opening,
                                                bool at)
{
    eg_function next = eg_next(which);
    int r = next ? eg_open_judge(opening) : -ENOSYS;
    if (r) return (int)eg_shim_result(r);
    if (at)
        r = ((openat_function *)next)(opening->dirfd, opening->path, opening->flags, opening->mode);
    else
        r = ((open_function *)next)(opening->path, opening->flags, opening->mode);
    return eg_opened(opening->call, opening->flags, done(opening, r));
}

/* The mode is a variable argument of libc's prototype; a caller that gives none
 * leaves whatever is in the register, and nobody looks at it. */
#define OPEN(function)                                                                             \
    int function(const char *path, int flags, uint32_t mode)                                       \
    {                                                                                              \
        open_function *next = (open_function *)eg_next(EG_NEXT_##function);                        \
        if (__builtin_expect(next && !matters(path, flags), 1))                                    \
            return eg_opened(#function, flags, next(path, flags, mode));                           \
        struct eg_opening opening = {                                                              \
            .call = #function, .dirfd = AT_FDCWD, .path = path, .flags = flags, .mode = mode       \
        };                                                                                         \
        return judge_open(EG_NEXT_##function, &opening, false);                                    \
    }

#define OPENAT(function)                                                                           \
    int function(int dirfd, const char *path, int flags, uint32_t mode)                            \
    {                                                                                              \
        openat_function *next = (openat_function *)eg_next(EG_NEXT_##function);                    \
        if (__builtin_expect(next && !matters(path, flags), 1))                                    \
            return eg_opened(#function, flags, next(dirfd, path, flags, mode));                    \
        struct eg_opening opening = {                                                              \
            .call = #function, .dirfd = dirfd, .path = path, .flags = flags, .mode = mode          \
        };                                                                                         \
        return judge_open(EG_NEXT_##function, &opening, true);                                     \
    }

#define CREAT(function)                                                                            \
    int function(const char *path, uint32_t mode)                                                  \
    {                                                                                              \
        creat_function *next = (creat_function *)eg_next(EG_NEXT_##function);                      \
        struct eg_opening opening = { .call = #function,                                           \
                                      .dirfd = AT_FDCWD,                                           \
                                      .path = path,                                                \
                                      .flags = O_CREAT | O_WRONLY | O_TRUNC,                       \
                                      .mode = mode };                                              \
        int r = next ? 0 : -ENOSYS;                                                                \
        if (r == 0 && eg_file_cares(EG_FILE_CHANGES)) r = eg_open_judge(&opening);                 \
        return r ? (int)eg_shim_result(r) : done(&opening, next(path, opening.mode));              \
    }

OPEN(open)
OPEN(open64)
OPEN(__open)
OPEN(__open64)
OPEN(__open_2)
OPEN(__open64_2)
OPENAT(openat)
OPENAT(openat64)
OPENAT(__openat_2)
OPENAT(__openat64_2)
CREAT(creat)
CREAT(creat64)

/* ---- for a child that posix_spawn will start ---- */

/* Judged where the caller stands; with a chdir among the actions a relative name
 * means another place, where only the domain holds. */
int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags,
                                     uint32_t mode)
{
    typedef int addopen_function(void *, int, const char *, int, uint32_t);
    addopen_function *next = (addopen_function *)eg_next(EG_NEXT_posix_spawn_file_actions_addopen);
    struct eg_opening opening = { .call = "posix_spawn_file_actions_addopen",
                                  .dirfd = AT_FDCWD,
                                  .path = path,
                                  .flags = flags,
                                  .mode = mode };
    int r = next ? 0 : -ENOSYS;
    /* the kernel's own answers come when the child opens it */
    if (r == 0 && matters(path, flags)) r = eg_open_judge(&opening);
    if (next && r != -EACCES) r = 0;
    return r || !next ? -r : next(actions, fd, path, flags, opening.mode);
}
