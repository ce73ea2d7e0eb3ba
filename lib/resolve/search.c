// SPDX-License-Identifier: MIT
/* The PATH search of execvp(3), without executing anything.
 *
 * glibc (posix/execvpe.c) and musl (src/process/execvp.c) agree: an empty
 * element is the working directory, an element too long for the buffer is
 * skipped, a file that may not be executed is remembered as EACCES while the
 * search goes on. */
#include "resolve/resolve.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "base/buf.h"
#include "base/sys.h"

#define X_OK_RESOLVE 1

/* May we execute it, with the identity that execve(2) uses? */
static int may_execute(const char *path)
{
    long r = eg_sys(__NR_faccessat2, AT_FDCWD, path, X_OK_RESOLVE, AT_EACCESS);
    if (r == -ENOSYS || r == -EPERM) r = eg_sys(__NR_faccessat, AT_FDCWD, path, X_OK_RESOLVE);
    return (int)r;
}

/* One place to look.  0, or the errno that execve(2) would give. */
static int look_at(const char *spelled, char pathbuf[EG_PATH_MAX], struct eg_target *ret)
{
    int error = 0;
    int r = eg_resolve_file(AT_FDCWD, spelled, 0, pathbuf, ret, &error);
    if (r) return r;
    if (!ret->found) return error;
    if ((ret->id.mode & S_IFMT) != S_IFREG) return -EACCES;
    return may_execute(spelled);
}

/* Errors after which execvp(3) looks at the next element. */
static bool goes_on(int error)
{
    return error == -EACCES || error == -ENOENT || error == -ENOTDIR || error == -ESTALE ||
           error == -ENODEV || error == -ETIMEDOUT;
}

int eg_resolve_search(struct eg_str search, struct eg_str name, char ret_spelled[EG_PATH_MAX],
                      char pathbuf[EG_PATH_MAX], struct eg_target *ret)
{
    *ret = (struct eg_target){ .path = name };
    if (name.n == 0) return -ENOENT;
    bool plain = eg_str_find(name, '/') == name.n;
    if (!plain && name.n >= EG_PATH_MAX) return -ENAMETOOLONG;
    bool refused = false;
    int error = -ENOENT;
    for (bool last = false; !last;) {
        size_t colon = eg_str_find(search, ':');
        struct eg_str folder = { search.p, colon };
        last = !plain || colon == search.n;
        search = eg_str_skip(search, colon + 1);
        struct eg_buf b = eg_buf_over(ret_spelled, EG_PATH_MAX);
        if (plain && folder.n) {
            eg_buf_str(&b, folder);
            eg_buf_byte(&b, '/');
        }
        eg_buf_str(&b, name);
        if (b.n == EG_PATH_MAX) b.truncated = true;
        eg_buf_cstr(&b);
        if (b.truncated) continue;
        error = look_at(ret_spelled, pathbuf, ret);
        if (error == 0) return 0;
        *ret = (struct eg_target){ .path = name };
        if (!plain || !goes_on(error)) return error;
        refused = refused || error == -EACCES;
    }
    return refused ? -EACCES : error;
}
