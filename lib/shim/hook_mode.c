// SPDX-License-Identifier: MIT
/* Modes of files that are there, by chmod and by an access control list; and
 * truncate(2), which opens for writing without a descriptor. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "base/sys.h"
#include "shim/hooks.h"
#include "shim/file.h"

static int judge(eg_function next, struct eg_change *change)
{
    if (!next) return -ENOSYS;
    return eg_file_cares(EG_FILE_CHANGES) ? eg_change_judge(change) : 0;
}

/* ---- chmod ---- */

typedef int chmod_function(const char *, uint32_t);
typedef int fchmod_function(int, uint32_t);
typedef int fchmodat_function(int, const char *, uint32_t, int);

static struct eg_change setting(const char *call, int dirfd, const char *path, uint32_t mode,
                                bool follow)
{
    return (struct eg_change){ .call = call,
                               .op = EG_WRITE_MODE,
                               .dirfd = dirfd,
                               .path = path,
                               .mode = mode,
                               .follow = follow };
}

int chmod(const char *path, uint32_t mode)
{
    chmod_function *next = (chmod_function *)eg_next(EG_NEXT_chmod);
    struct eg_change change = setting("chmod", AT_FDCWD, path, mode, true);
    int r = judge((eg_function)next, &change);
    return r ? (int)eg_shim_result(r) : (int)eg_change_result(&change, next(path, mode));
}

int lchmod(const char *path, uint32_t mode)
{
    chmod_function *next = (chmod_function *)eg_next(EG_NEXT_lchmod);
    struct eg_change change = setting("lchmod", AT_FDCWD, path, mode, false);
    int r = judge((eg_function)next, &change);
    return r ? (int)eg_shim_result(r) : (int)eg_change_result(&change, next(path, mode));
}

int fchmod(int fd, uint32_t mode)
{
    fchmod_function *next = (fchmod_function *)eg_next(EG_NEXT_fchmod);
    struct eg_change change = setting("fchmod", fd, NULL, mode, false);
    change.descriptor = true;
    int r = judge((eg_function)next, &change);
    return r ? (int)eg_shim_result(r) : (int)eg_change_result(&change, next(fd, mode));
}

int fchmodat(int dirfd, const char *path, uint32_t mode, int flags)
{
    fchmodat_function *next = (fchmodat_function *)eg_next(EG_NEXT_fchmodat);
    struct eg_change change =
        setting("fchmodat", dirfd, path, mode, !(flags & AT_SYMLINK_NOFOLLOW));
    change.descriptor = (flags & AT_EMPTY_PATH) && path && !path[0];
    int r = judge((eg_function)next, &change);
    return r ? (int)eg_shim_result(r)
             : (int)eg_change_result(&change, next(dirfd, path, mode, flags));
}

/* ---- access control lists: setfacl(1) sets this attribute (acl(5)) ---- */

typedef int setxattr_function(const char *, const char *, const void *, size_t, int);
typedef int fsetxattr_function(int, const char *, const void *, size_t, int);

static bool is_access_list(const char *name)
{
    return name && eg_str_equal(eg_str(name), EG_STR("system.posix_acl_access"));
}

/* posix_acl_xattr_header and _entry of the kernel, little-endian everywhere. */
uint32_t eg_mode_of_list(const void *value, size_t size)
{
    const unsigned char *bytes = value;
    for (size_t at = 4; value && at + 8 <= size; at += 8)
        if (bytes[at + 2] & 1) return EG_MODE_EXECUTE;
    return 0;
}

static int judge_list(eg_function next, struct eg_change *change, const char *name,
                      const void *value, size_t size)
{
    if (!next) return -ENOSYS;
    if (!eg_file_cares(EG_FILE_CHANGES) || !is_access_list(name)) return 0;
    change->mode = eg_mode_of_list(value, size);
    return eg_change_judge(change);
}

int setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
    setxattr_function *next = (setxattr_function *)eg_next(EG_NEXT_setxattr);
    struct eg_change change = setting("setxattr", AT_FDCWD, path, 0, true);
    int r = judge_list((eg_function)next, &change, name, value, size);
    return r ? (int)eg_shim_result(r) : next(path, name, value, size, flags);
}

int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
    setxattr_function *next = (setxattr_function *)eg_next(EG_NEXT_lsetxattr);
    struct eg_change change = setting("lsetxattr", AT_FDCWD, path, 0, false);
    int r = judge_list((eg_function)next, &change, name, value, size);
    return r ? (int)eg_shim_result(r) : next(path, name, value, size, flags);
}

int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
    fsetxattr_function *next = (fsetxattr_function *)eg_next(EG_NEXT_fsetxattr);
    struct eg_change change = setting("fsetxattr", fd, NULL, 0, false);
    change.descriptor = true;
    int r = judge_list((eg_function)next, &change, name, value, size);
    return r ? (int)eg_shim_result(r) : next(fd, name, value, size, flags);
}

/* ---- truncate ---- */

#define TRUNCATE(function)                                                                         \
    int function(const char *path, int64_t size)                                                   \
    {                                                                                              \
        typedef int truncate_function(const char *, int64_t);                                      \
        truncate_function *next = (truncate_function *)eg_next(EG_NEXT_##function);                \
        struct eg_change change = { .call = #function,                                             \
                                    .op = EG_WRITE_OPEN,                                           \
                                    .dirfd = AT_FDCWD,                                             \
                                    .path = path,                                                  \
                                    .follow = true };                                              \
        int r = judge((eg_function)next, &change);                                                 \
        return r ? (int)eg_shim_result(r) : (int)eg_change_result(&change, next(path, size));      \
    }

TRUNCATE(truncate)
TRUNCATE(truncate64)
