// SPDX-License-Identifier: MIT
/* Names and descriptors to files: what exactly would run.
 *
 * The descriptor is opened first (O_PATH) and then asked for both its identity
 * and its name, so that the two always speak of the same file, however the
 * path is changed meanwhile. */
#include "resolve/resolve.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "base/buf.h"
#include "base/sys.h"

static void identity_of(const struct statx *st, struct eg_identity *ret)
{
    *ret = (struct eg_identity){
        .dev = (uint64_t)st->stx_dev_major << 32 | st->stx_dev_minor,
        .ino = st->stx_ino,
        .size = st->stx_size,
        .mtime_s = st->stx_mtime.tv_sec,
        .mtime_ns = st->stx_mtime.tv_nsec,
        .mode = st->stx_mode,
    };
}

static int identity_at(int dirfd, const char *path, int flags, struct eg_identity *ret)
{
    struct statx st;
    long r = eg_sys(__NR_statx, dirfd, path, flags | AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, &st);
    if (r < 0) return (int)r;
    identity_of(&st, ret);
    return 0;
}

int eg_resolve_identity(int fd, struct eg_identity *ret)
{
    return identity_at(fd, "", AT_EMPTY_PATH, ret);
}

/* What the kernel calls the descriptor.  thread-self, not self: a thread may
 * have a descriptor table of its own. */
static struct eg_str name_of(int fd, char buf[EG_PATH_MAX])
{
    char link[48];
    struct eg_buf b = eg_buf_over(link, sizeof(link));
    if (fd == AT_FDCWD) {
        eg_buf_add(&b, "/proc/thread-self/cwd");
    } else {
        eg_buf_add(&b, "/proc/thread-self/fd/");
        eg_buf_i64(&b, fd);
    }
    long n = eg_sys(__NR_readlinkat, AT_FDCWD, eg_buf_cstr(&b), buf, EG_PATH_MAX - 1);
    if (n <= 0 || n >= (long)EG_PATH_MAX - 1) return (struct eg_str){ NULL, 0 };
    buf[n] = '\0';
    return (struct eg_str){ buf, (size_t)n };
}

static int missing(int error, struct eg_target *ret, int *ret_error)
{
    ret->found = false;
    ret->id = (struct eg_identity){ 0 };
    if (ret_error) *ret_error = error;
    return 0;
}

/* Is the kernel's answer about this name, or about our means to look? */
static bool about_the_name(long error)
{
    return error != -EMFILE && error != -ENFILE && error != -ENOMEM && error != -ENOSYS;
}

static bool found_symlink(const struct eg_identity *id)
{
    return (id->mode & S_IFMT) == S_IFLNK;
}

int eg_resolve_file(int dirfd, const char *path, int flags, char pathbuf[EG_PATH_MAX],
                    struct eg_target *ret, int *ret_error)
{
    bool itself = (flags & AT_EMPTY_PATH) && path[0] == '\0';
    int fd = dirfd;
    int error = 0;
    *ret = (struct eg_target){ .path = eg_str(path) };
    if (!itself) {
        int how = O_PATH | O_CLOEXEC;
        if (flags & AT_SYMLINK_NOFOLLOW) how |= O_NOFOLLOW;
        long opened = eg_sys(__NR_openat, dirfd, path, how, 0);
        if (opened < 0 && about_the_name(opened)) return missing((int)opened, ret, ret_error);
        if (opened < 0) {
            /* Out of descriptors: the identity can be had without one, the
             * canonical name cannot, and the spelling stands in for it. */
            error = identity_at(dirfd, path, flags & AT_SYMLINK_NOFOLLOW, &ret->id);
            if (error) return missing(error, ret, ret_error);
            if (found_symlink(&ret->id)) return missing(-ELOOP, ret, ret_error);
            ret->found = true;
            return 0;
        }
        fd = (int)opened;
    }
    error = fd == AT_FDCWD ? identity_at(AT_FDCWD, ".", 0, &ret->id)
                           : eg_resolve_identity(fd, &ret->id);
    if (error == 0 && found_symlink(&ret->id)) error = -ELOOP;
    if (error == 0) {
        struct eg_str name = name_of(fd, pathbuf);
        if (name.n) ret->path = name;
        ret->found = true;
    }
    if (!itself) eg_sys(__NR_close, fd);
    if (error) return missing(error, ret, ret_error);
    if (ret_error) *ret_error = 0;
    return 0;
}

struct eg_str eg_resolve_cwd(char buf[EG_PATH_MAX])
{
    long n = eg_sys(__NR_getcwd, buf, EG_PATH_MAX);
    /* "(unreachable)/..." when the working directory is outside the root. */
    if (n < 2 || buf[0] != '/') return (struct eg_str){ buf, 0 };
    return (struct eg_str){ buf, (size_t)n - 1 };
}

int eg_resolve_self(char pathbuf[EG_PATH_MAX], struct eg_target *ret)
{
    static const char exe[] = "/proc/self/exe";
    *ret = (struct eg_target){ 0 };
    int error = identity_at(AT_FDCWD, exe, 0, &ret->id);
    if (error) return error;
    long n = eg_sys(__NR_readlinkat, AT_FDCWD, exe, pathbuf, EG_PATH_MAX - 1);
    if (n < 0) return (int)n;
    pathbuf[n] = '\0';
    ret->path = (struct eg_str){ pathbuf, (size_t)n };
    ret->found = true;
    return 0;
}
