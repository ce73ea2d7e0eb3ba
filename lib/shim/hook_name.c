// SPDX-License-Identifier: MIT
/* Making and removing one name: folders, nodes, links by text, sockets, temporary
 * files, and what takes a name away. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/un.h>

#include "base/sys.h"
#include "shim/hooks.h"
#include "shim/file.h"

#define AF_LOCAL_FAMILY 1u /* AF_UNIX */
#define TEMPORARY       0600u

/* `call` with change, unless it is refused; the result of a function that returns -1. */
#define JUDGED(next, change, call)                                                                 \
    do {                                                                                           \
        int r_ = (next) ? 0 : -ENOSYS;                                                             \
        if (r_ == 0 && eg_file_cares(EG_FILE_CHANGES)) r_ = eg_change_judge(change);               \
        return r_ ? (int)eg_shim_result(r_) : (int)eg_change_result(change, call);                 \
    } while (0)

#define NEXT(type, function) ((type *)eg_next(EG_NEXT_##function))

/* ---- folders and nodes ---- */

typedef int mkdir_function(const char *, uint32_t);
typedef int mkdirat_function(int, const char *, uint32_t);
typedef int mknod_function(const char *, uint32_t, uint64_t);
typedef int mknodat_function(int, const char *, uint32_t, uint64_t);
typedef int xmknod_function(int, const char *, uint32_t, uint64_t *);
typedef int xmknodat_function(int, int, const char *, uint32_t, uint64_t *);

static struct eg_change making(const char *call, enum eg_write_op op, int dirfd, const char *path,
                               uint32_t mode)
{
    return (struct eg_change){ .call = call, .op = op, .dirfd = dirfd, .path = path, .mode = mode };
}

/* Type 0 means a regular file (mknod(2)). */
static uint32_t node_mode(uint32_t mode)
{
    return mode & S_IFMT ? mode : mode | S_IFREG;
}

int mkdir(const char *path, uint32_t mode)
{
    mkdir_function *next = NEXT(mkdir_function, mkdir);
    struct eg_change change = making("mkdir", EG_WRITE_MKDIR, AT_FDCWD, path, mode);
    JUDGED(next, &change, next(path, mode));
}

int mkdirat(int dirfd, const char *path, uint32_t mode)
{
    mkdirat_function *next = NEXT(mkdirat_function, mkdirat);
    struct eg_change change = making("mkdirat", EG_WRITE_MKDIR, dirfd, path, mode);
    JUDGED(next, &change, next(dirfd, path, mode));
}

int mknod(const char *path, uint32_t mode, uint64_t device)
{
    mknod_function *next = NEXT(mknod_function, mknod);
    struct eg_change change = making("mknod", EG_WRITE_MKNOD, AT_FDCWD, path, node_mode(mode));
    JUDGED(next, &change, next(path, change.mode, device));
}

int mknodat(int dirfd, const char *path, uint32_t mode, uint64_t device)
{
    mknodat_function *next = NEXT(mknodat_function, mknodat);
    struct eg_change change = making("mknodat", EG_WRITE_MKNOD, dirfd, path, node_mode(mode));
    JUDGED(next, &change, next(dirfd, path, change.mode, device));
}

int __xmknod(int version, const char *path, uint32_t mode, uint64_t *device)
{
    xmknod_function *next = NEXT(xmknod_function, __xmknod);
    struct eg_change change = making("__xmknod", EG_WRITE_MKNOD, AT_FDCWD, path, node_mode(mode));
    JUDGED(next, &change, next(version, path, change.mode, device));
}

int __xmknodat(int version, int dirfd, const char *path, uint32_t mode, uint64_t *device)
{
    xmknodat_function *next = NEXT(xmknodat_function, __xmknodat);
    struct eg_change change = making("__xmknodat", EG_WRITE_MKNOD, dirfd, path, node_mode(mode));
    JUDGED(next, &change, next(version, dirfd, path, change.mode, device));
}

int mkfifo(const char *path, uint32_t mode)
{
    mkdir_function *next = NEXT(mkdir_function, mkfifo);
    struct eg_change change =
        making("mkfifo", EG_WRITE_MKNOD, AT_FDCWD, path, S_IFIFO | (mode & EG_MODE_BITS));
    JUDGED(next, &change, next(path, mode));
}

int mkfifoat(int dirfd, const char *path, uint32_t mode)
{
    mkdirat_function *next = NEXT(mkdirat_function, mkfifoat);
    struct eg_change change =
        making("mkfifoat", EG_WRITE_MKNOD, dirfd, path, S_IFIFO | (mode & EG_MODE_BITS));
    JUDGED(next, &change, next(dirfd, path, mode));
}

/* ---- links by text ---- */

typedef int symlink_function(const char *, const char *);
typedef int symlinkat_function(const char *, int, const char *);

int symlink(const char *text, const char *path)
{
    symlink_function *next = NEXT(symlink_function, symlink);
    struct eg_change change = making("symlink", EG_WRITE_SYMLINK, AT_FDCWD, path, 0);
    change.other = text;
    JUDGED(next, &change, next(text, path));
}

int symlinkat(const char *text, int dirfd, const char *path)
{
    symlinkat_function *next = NEXT(symlinkat_function, symlinkat);
    struct eg_change change = making("symlinkat", EG_WRITE_SYMLINK, dirfd, path, 0);
    change.other = text;
    JUDGED(next, &change, next(text, dirfd, path));
}

/* ---- sockets ---- */

int bind(int fd, const void *address, uint32_t size)
{
    typedef int bind_function(int, const void *, uint32_t);
    bind_function *next = NEXT(bind_function, bind);
    const struct sockaddr_un *local = address;
    char path[sizeof(local->sun_path) + 1];
    struct eg_change change = making("bind", EG_WRITE_CREATE, AT_FDCWD, path, S_IFSOCK | 0777);
    size_t head = __builtin_offsetof(struct sockaddr_un, sun_path);
    /* no name (autobind), or one in the abstract name space: no file */
    if (!next || !address || size <= head || size > sizeof(*local) ||
        local->sun_family != AF_LOCAL_FAMILY || !local->sun_path[0] ||
        !eg_file_cares(EG_FILE_CHANGES))
        return next ? next(fd, address, size) : (int)eg_shim_result(-ENOSYS);
    size_t n = eg_strnlen(local->sun_path, size - head);
    __builtin_memcpy(path, local->sun_path, n);
    path[n] = '\0';
    JUDGED(next, &change, next(fd, address, size));
}

/* ---- removing ---- */

typedef int path_function(const char *);
typedef int unlinkat_function(int, const char *, int);

#define REMOVE(function)                                                                           \
    int function(const char *path)                                                                 \
    {                                                                                              \
        path_function *next = NEXT(path_function, function);                                       \
        struct eg_change change = making(#function, EG_WRITE_REMOVE, AT_FDCWD, path, 0);           \
        JUDGED(next, &change, next(path));                                                         \
    }

REMOVE(unlink)
REMOVE(rmdir)
REMOVE(remove)

int unlinkat(int dirfd, const char *path, int flags)
{
    unlinkat_function *next = NEXT(unlinkat_function, unlinkat);
    struct eg_change change = making("unlinkat", EG_WRITE_REMOVE, dirfd, path, 0);
    JUDGED(next, &change, next(dirfd, path, flags));
}

/* ---- temporary files: the six characters that libc chooses are judged as they
 * stand in the template; they hold no dot ---- */

typedef int template_function(char *);
typedef int template_int_function(char *, int);
typedef int template_ints_function(char *, int, int);

static struct eg_change temporary(const char *call, const char *path)
{
    return making(call, EG_WRITE_CREATE, AT_FDCWD, path, S_IFREG | TEMPORARY);
}

#define MKSTEMP(function)                                                                          \
    int function(char *path)                                                                       \
    {                                                                                              \
        template_function *next = NEXT(template_function, function);                               \
        struct eg_change change = temporary(#function, path);                                      \
        JUDGED(next, &change, next(path));                                                         \
    }
#define MKSTEMP_1(function)                                                                        \
    int function(char *path, int number)                                                           \
    {                                                                                              \
        template_int_function *next = NEXT(template_int_function, function);                       \
        struct eg_change change = temporary(#function, path);                                      \
        JUDGED(next, &change, next(path, number));                                                 \
    }
#define MKSTEMP_2(function)                                                                        \
    int function(char *path, int suffix, int flags)                                                \
    {                                                                                              \
        template_ints_function *next = NEXT(template_ints_function, function);                     \
        struct eg_change change = temporary(#function, path);                                      \
        JUDGED(next, &change, next(path, suffix, flags));                                          \
    }

MKSTEMP(mkstemp)
MKSTEMP(mkstemp64)
MKSTEMP_1(mkostemp)
MKSTEMP_1(mkostemp64)
MKSTEMP_1(mkstemps)
MKSTEMP_1(mkstemps64)
MKSTEMP_2(mkostemps)
MKSTEMP_2(mkostemps64)

char *mkdtemp(char *path)
{
    typedef char *mkdtemp_function(char *);
    mkdtemp_function *next = NEXT(mkdtemp_function, mkdtemp);
    struct eg_change change = making("mkdtemp", EG_WRITE_MKDIR, AT_FDCWD, path, 0700);
    int r = next ? 0 : -ENOSYS;
    if (r == 0 && eg_file_cares(EG_FILE_CHANGES)) r = eg_change_judge(&change);
    char *made = r ? NULL : next(path);
    if (r)
        eg_shim_result(r);
    else if (!made)
        eg_change_result(&change, -1);
    return made;
}
