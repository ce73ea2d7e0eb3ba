// SPDX-License-Identifier: MIT
/* Purpose: what a notified call asks for, out of its registers and its caller's
 * memory. */
#include "supervisor/numbers.h"
#include "supervisor/write_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#ifndef __O_TMPFILE
#define __O_TMPFILE 020000000
#endif

/* Which argument holds what; NO: none. */
#define NO (-1)
struct eg_write_call {
    int nr;
    const char *name;
    enum eg_write_act act;
    signed char dir, path;   /* first path */
    signed char dir2, path2; /* second path */
    signed char flags, mode, a, b, c;
    int fixed; /* flags that the call implies */
};

#define CALL(call, act, ...) { SYS_##call, #call, EG_ACT_##act, __VA_ARGS__ },
/* clang-format off */
static const struct eg_write_call calls[] = {
    /*                         dir path dir2 path2 flags mode a b c, fixed */
    CALL(openat, OPEN,          0,  1, NO, NO,  2,  3, NO, NO, NO, 0)
    CALL(mkdirat, MKDIR,        0,  1, NO, NO, NO,  2, NO, NO, NO, 0)
    CALL(mknodat, MKNOD,        0,  1, NO, NO, NO,  2,  3, NO, NO, 0)
    CALL(symlinkat, SYMLINK,    1,  2, NO,  0, NO, NO, NO, NO, NO, 0)
    CALL(linkat, LINK,          0,  1,  2,  3,  4, NO, NO, NO, NO, 0)
    CALL(renameat2, RENAME,     0,  1,  2,  3,  4, NO, NO, NO, NO, 0)
    CALL(unlinkat, REMOVE,      0,  1, NO, NO,  2, NO, NO, NO, NO, 0)
    CALL(truncate, TRUNCATE,   NO,  0, NO, NO, NO, NO,  1, NO, NO, 0)
    CALL(fchmod, MODE,          0, NO, NO, NO, NO,  1, NO, NO, NO, AT_EMPTY_PATH)
    CALL(fchmodat, MODE,        0,  1, NO, NO, NO,  2, NO, NO, NO, 0)
    CALL(fchmodat2, MODE,       0,  1, NO, NO,  3,  2, NO, NO, NO, 0)
    CALL(fchown, OWNER,         0, NO, NO, NO, NO, NO,  1,  2, NO, AT_EMPTY_PATH)
    CALL(fchownat, OWNER,       0,  1, NO, NO,  4, NO,  2,  3, NO, 0)
    CALL(utimensat, TIMES,      0,  1, NO, NO,  3, NO,  2, NO, NO, 0)
    CALL(setxattr, SET_XATTR,  NO,  0, NO, NO, NO, NO,  1,  2,  3, 0)
    CALL(lsetxattr, SET_XATTR, NO,  0, NO, NO, NO, NO,  1,  2,  3, AT_SYMLINK_NOFOLLOW)
    CALL(fsetxattr, SET_XATTR,  0, NO, NO, NO, NO, NO,  1,  2,  3, AT_EMPTY_PATH)
    CALL(setxattrat, SET_XATTR, 0,  1, NO, NO,  2, NO,  3,  4,  5, 0)
    CALL(removexattr, REMOVE_XATTR,  NO,  0, NO, NO, NO, NO,  1, NO, NO, 0)
    CALL(lremovexattr, REMOVE_XATTR, NO,  0, NO, NO, NO, NO,  1, NO, NO, AT_SYMLINK_NOFOLLOW)
    CALL(fremovexattr, REMOVE_XATTR,  0, NO, NO, NO, NO, NO,  1, NO, NO, AT_EMPTY_PATH)
    CALL(removexattrat, REMOVE_XATTR, 0,  1, NO, NO,  2, NO,  3, NO, NO, 0)
    CALL(bind, BIND,           NO, NO, NO, NO, NO, NO,  1,  2, NO, 0)
#ifdef SYS_renameat
    CALL(renameat, RENAME,      0,  1,  2,  3, NO, NO, NO, NO, NO, 0)
#endif
#ifdef SYS_open /* architectures that have the older calls */
    CALL(open, OPEN,           NO,  0, NO, NO,  1,  2, NO, NO, NO, 0)
    CALL(creat, OPEN,          NO,  0, NO, NO, NO,  1, NO, NO, NO, O_CREAT | O_WRONLY | O_TRUNC)
    CALL(mkdir, MKDIR,         NO,  0, NO, NO, NO,  1, NO, NO, NO, 0)
    CALL(mknod, MKNOD,         NO,  0, NO, NO, NO,  1,  2, NO, NO, 0)
    CALL(symlink, SYMLINK,     NO,  1, NO,  0, NO, NO, NO, NO, NO, 0)
    CALL(link, LINK,           NO,  0, NO,  1, NO, NO, NO, NO, NO, 0)
    CALL(rename, RENAME,       NO,  0, NO,  1, NO, NO, NO, NO, NO, 0)
    CALL(unlink, REMOVE,       NO,  0, NO, NO, NO, NO, NO, NO, NO, 0)
    CALL(rmdir, REMOVE,        NO,  0, NO, NO, NO, NO, NO, NO, NO, AT_REMOVEDIR)
    CALL(chmod, MODE,          NO,  0, NO, NO, NO,  1, NO, NO, NO, 0)
    CALL(chown, OWNER,         NO,  0, NO, NO, NO, NO,  1,  2, NO, 0)
    CALL(lchown, OWNER,        NO,  0, NO, NO, NO, NO,  1,  2, NO, AT_SYMLINK_NOFOLLOW)
    CALL(utime, TIMES,         NO,  0, NO, NO, NO, NO,  1, NO, NO, 0)
    CALL(utimes, TIMES,        NO,  0, NO, NO, NO, NO,  1, NO, NO, 0)
    CALL(futimesat, TIMES,      0,  1, NO, NO, NO, NO,  2, NO, NO, 0)
#endif
};
/* clang-format on */

static uint64_t argument(const struct seccomp_data *data, int index)
{
    return index == NO ? 0 : data->args[index];
}

bool eg_write_read_registers(const struct seccomp_data *data, struct eg_write_args *ret)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const struct eg_write_call *call = &calls[i];
        if (call->nr != data->nr) continue;
        *ret = (struct eg_write_args){
            .call = call,
            .act = call->act,
            .dirfd = { call->dir == NO ? AT_FDCWD : (int)argument(data, call->dir),
                       call->dir2 == NO ? AT_FDCWD : (int)argument(data, call->dir2) },
            .path = { argument(data, call->path), argument(data, call->path2) },
            .a = argument(data, call->a),
            .b = argument(data, call->b),
            .c = argument(data, call->c),
            .flags = (int)argument(data, call->flags) | call->fixed,
            .mode = (mode_t)argument(data, call->mode) & (S_IFMT | 07777),
        };
        return true;
    }
    return false;
}

const char *eg_write_call_name(const struct eg_write_call *call)
{
    return call->name;
}

/* --- Paths -------------------------------------------------------------------- */

bool eg_job_uses_path(const struct eg_job *job, int which)
{
    const struct eg_write_call *call = job->args.call;
    if (which == 0) return call->path != NO || call->dir != NO;
    return call->path2 != NO && call->act != EG_ACT_SYMLINK;
}

static int read_paths(struct eg_job *job)
{
    const struct eg_write_call *call = job->args.call;
    pid_t tid = (pid_t)job->notif.pid;
    job->spelled[0][0] = job->spelled[1][0] = '\0';
    /* utimensat, fchownat and others: no path means the descriptor itself */
    bool optional = call->act >= EG_ACT_MODE && call->dir != NO;
    if (call->path != NO && !job->args.path[0] && optional &&
        (call->act == EG_ACT_TIMES || job->args.flags & AT_EMPTY_PATH))
        job->args.flags |= AT_EMPTY_PATH;
    else if (call->path != NO) {
        int error = eg_remote_path(tid, job->args.path[0], job->spelled[0]);
        if (error) return error;
    }
    return call->path2 != NO ? eg_remote_path(tid, job->args.path[1], job->spelled[1]) : 0;
}

/* bind(2): the path lies in the address.  1: another family, or no path. */
static int read_address(struct eg_job *job)
{
    struct sockaddr_un address = { 0 };
    size_t n = job->args.b < sizeof address ? (size_t)job->args.b : sizeof address;
    struct iovec local = { &address, n }, remote = { (void *)(uintptr_t)job->args.a, n };
    if (n <= offsetof(struct sockaddr_un, sun_path)) return 1;
    if (process_vm_readv((pid_t)job->notif.pid, &local, 1, &remote, 1, 0) != (ssize_t)n) return 1;
    if (address.sun_family != AF_UNIX || !address.sun_path[0]) return 1;
    n -= offsetof(struct sockaddr_un, sun_path);
    memcpy(job->spelled[0], address.sun_path, n);
    job->spelled[0][n] = '\0';
    return 0;
}

int eg_job_read_paths(struct eg_job *job)
{
    return job->args.act == EG_ACT_BIND ? read_address(job) : read_paths(job);
}

static unsigned find_flags(const struct eg_job *job, int which)
{
    int flags = job->args.flags;
    unsigned empty = flags & AT_EMPTY_PATH ? EG_FIND_EMPTY : 0;
    switch (job->args.act) {
    case EG_ACT_OPEN:
        if ((flags & __O_TMPFILE) == __O_TMPFILE) return EG_FIND_FOLLOW;
        return EG_FIND_LOOK |
               (flags & O_NOFOLLOW || (flags & O_CREAT && flags & O_EXCL) ? 0u : EG_FIND_FOLLOW);
    case EG_ACT_LINK: return which ? 0 : (flags & AT_SYMLINK_FOLLOW ? EG_FIND_FOLLOW : 0u) | empty;
    case EG_ACT_TRUNCATE: return EG_FIND_FOLLOW;
    case EG_ACT_MODE:
    case EG_ACT_OWNER:
    case EG_ACT_TIMES:
    case EG_ACT_SET_XATTR:
    case EG_ACT_REMOVE_XATTR: return (flags & AT_SYMLINK_NOFOLLOW ? 0 : EG_FIND_FOLLOW) | empty;
    case EG_ACT_MKDIR:
    case EG_ACT_MKNOD:
    case EG_ACT_SYMLINK:
    case EG_ACT_REMOVE: return EG_FIND_LOOK;
    case EG_ACT_RENAME:
    case EG_ACT_BIND: break;
    }
    return 0;
}

/* The last link of a path with a slash behind it is followed, but where a name is
 * made or removed: there it is an error, or the link itself. */
static bool names_folder(const struct eg_job *job, int which)
{
    enum eg_write_act act = job->args.act;
    return act == EG_ACT_MKDIR || act == EG_ACT_MKNOD || act == EG_ACT_SYMLINK ||
           act == EG_ACT_RENAME || act == EG_ACT_REMOVE || (act == EG_ACT_LINK && which == 1);
}

unsigned eg_job_find_flags(const struct eg_job *job, int which)
{
    return find_flags(job, which) | (names_folder(job, which) ? EG_FIND_LAST : 0u);
}
