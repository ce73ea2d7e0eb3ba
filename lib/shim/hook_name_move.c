// SPDX-License-Identifier: MIT
/* A name for what is there already: rename and link.  What a file holds is judged
 * before it gets its name: move_uploaded_file() of PHP is a rename. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "shim/hooks.h"
#include "shim/file.h"

typedef int two_function(const char *, const char *);
typedef int two_at_function(int, const char *, int, const char *);
typedef int two_flags_function(int, const char *, int, const char *, uint32_t);

static int judge(eg_function next, struct eg_change *change)
{
    if (!next) return -ENOSYS;
    return eg_file_cares(EG_FILE_CHANGES) ? eg_change_judge(change) : 0;
}

static int rename_judged(const char *call, eg_function next, struct eg_change *change,
                         uint32_t flags)
{
    change->call = call;
    change->op = EG_WRITE_RENAME;
    change->exchange = flags & RENAME_EXCHANGE;
    return judge(next, change);
}

int rename(const char *from, const char *to)
{
    two_function *next = (two_function *)eg_next(EG_NEXT_rename);
    struct eg_change change = {
        .other_dirfd = AT_FDCWD, .other = from, .dirfd = AT_FDCWD, .path = to
    };
    int r = rename_judged("rename", (eg_function)next, &change, 0);
    return r ? (int)eg_shim_result(r) : (int)eg_change_result(&change, next(from, to));
}

int renameat(int from_dirfd, const char *from, int dirfd, const char *to)
{
    two_at_function *next = (two_at_function *)eg_next(EG_NEXT_renameat);
    struct eg_change change = {
        .other_dirfd = from_dirfd, .other = from, .dirfd = dirfd, .path = to
    };
    int r = rename_judged("renameat", (eg_function)next, &change, 0);
    return r ? (int)eg_shim_result(r)
             : (int)eg_change_result(&change, next(from_dirfd, from, dirfd, to));
}

int renameat2(int from_dirfd, const char *from, int dirfd, const char *to, uint32_t flags)
{
    two_flags_function *next = (two_flags_function *)eg_next(EG_NEXT_renameat2);
    struct eg_change change = {
        .other_dirfd = from_dirfd, .other = from, .dirfd = dirfd, .path = to
    };
    int r = rename_judged("renameat2", (eg_function)next, &change, flags);
    return r ? (int)eg_shim_result(r)
             : (int)eg_change_result(&change, next(from_dirfd, from, dirfd, to, flags));
}

int link(const char *from, const char *to)
{
    two_function *next = (two_function *)eg_next(EG_NEXT_link);
    struct eg_change change = { .call = "link",
                                .op = EG_WRITE_LINK,
                                .other_dirfd = AT_FDCWD,
                                .other = from,
                                .dirfd = AT_FDCWD,
                                .path = to };
    int r = judge((eg_function)next, &change);
    return r ? (int)eg_shim_result(r) : (int)eg_change_result(&change, next(from, to));
}

int linkat(int from_dirfd, const char *from, int dirfd, const char *to, uint32_t flags)
{
    two_flags_function *next = (two_flags_function *)eg_next(EG_NEXT_linkat);
    struct eg_change change = { .call = "linkat",
                                .op = EG_WRITE_LINK,
                                .other_dirfd = from_dirfd,
                                .other = from,
                                .other_follow = flags & AT_SYMLINK_FOLLOW,
                                .dirfd = dirfd,
                                .path = to };
    change.other_descriptor = (flags & AT_EMPTY_PATH) && from && !from[0];
    int r = judge((eg_function)next, &change);
    return r ? (int)eg_shim_result(r)
             : (int)eg_change_result(&change, next(from_dirfd, from, dirfd, to, flags));
}
