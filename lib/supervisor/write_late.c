// SPDX-License-Identifier: MIT
/* Purpose: what a write rule names and the domain does not know.
 *
 * Landlock's rules are about inodes, so the domain holds what was there when it was
 * made.  A log file that was rotated away and made again, a folder that was removed
 * and came back, a new virtual host that a pattern matches: the rules allow them,
 * and the kernel would refuse them until a restart.  Those the supervisor does in
 * the worker's place, as it does in upload trees: on descriptors that are held, as
 * the caller, judged by what they are.
 *
 * A mistake here is harmless: what is taken for known is refused by the kernel, what
 * is taken for late is judged and done all the same. */
#include "supervisor/write_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guard/guard.h"

#ifndef AT_STATX_DONT_SYNC
#define AT_STATX_DONT_SYNC 0x4000
#endif
#ifndef __O_TMPFILE
#define __O_TMPFILE 020000000
#endif

#define DEPTH_MAX 128u

/* --- What the domain holds ------------------------------------------------------ */

static bool identify(int fd, const char *path, struct eg_granted *ret)
{
    struct statx stx;
    int flags = AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC | (*path ? 0 : AT_EMPTY_PATH);
    if (syscall(SYS_statx, fd, path, flags, STATX_INO, &stx) < 0) return false;
    ret->dev = (uint64_t)stx.stx_dev_major << 32 | stx.stx_dev_minor;
    ret->ino = stx.stx_ino;
    return true;
}

static int order(const void *a, const void *b)
{
    const struct eg_granted *x = a, *y = b;
    if (x->dev != y->dev) return x->dev < y->dev ? -1 : 1;
    return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int note(void *context, int fd)
{
    struct eg_writes *writes = context;
    struct eg_granted place, *more;
    if (!identify(fd, "", &place)) return 0;
    size_t n = writes->granted_count;
    /* by doubling, from one on */
    if ((n & (n - 1)) == 0) {
        more = reallocarray(writes->granted, n ? 2 * n : 1, sizeof *more);
        if (!more) return -ENOMEM;
        writes->granted = more;
    }
    writes->granted[writes->granted_count++] = place;
    return 0;
}

int eg_late_learn(struct eg_writes *writes)
{
    const struct eg_tree *tree = writes->tree;
    struct eg_guard_error error = { 0 };
    const struct eg_guard_plan plan = {
        .blob = tree->blob,
        .stage = EG_STAGE_LAUNCH,
        .supervised = true,
        .listener_fd = -1,
    };
    bool holds = !(tree->blob->flags & (EG_BLOB_LOG_MODE | EG_BLOB_WRITE_FREE));
    if (!holds || !eg_blob_count(tree->blob, EG_SECTION_WRITE_TREES)) return 0;
    int r = eg_guard_each_writable(&plan, note, writes, &error);
    if (r < 0) return r;
    writes->has_domain = true;
    if (writes->granted)
        qsort(writes->granted, writes->granted_count, sizeof *writes->granted, order);
    return 0;
}

static bool is_granted(const struct eg_writes *writes, const struct eg_granted *place)
{
    return writes->granted &&
           bsearch(place, writes->granted, writes->granted_count, sizeof *place, order) != NULL;
}

/* This folder, or one above it?  True also where that cannot be told. */
static bool is_folder_granted(const struct eg_writes *writes, int folder)
{
    char up[3 * DEPTH_MAX + 1] = "";
    struct eg_granted here, above;
    if (!identify(folder, "", &here)) return true;
    for (size_t depth = 0; depth < DEPTH_MAX; depth++, here = above) {
        if (is_granted(writes, &here)) return true;
        memcpy(up + 3 * depth, "../", 4);
        if (!identify(folder, up, &above)) return true;
        if (order(&here, &above) == 0) return false; /* the root */
    }
    return true;
}

static bool is_object_granted(const struct eg_writes *writes, const struct eg_place *at)
{
    const struct eg_granted place = { (uint64_t)major(at->st.st_dev) << 32 | minor(at->st.st_dev),
                                      at->st.st_ino };
    if (is_granted(writes, &place)) return true;
    return at->folder < 0 || is_folder_granted(writes, at->folder);
}

/* --- The call --------------------------------------------------------------------- */

/* One of the policy's own write rules holds it; a device, which every policy grants,
 * is the kernel's. */
static bool is_named(const struct eg_job *job, const struct eg_place *at)
{
    uint32_t tree;
    return eg_job_may_write(job, at, &tree) && tree != EG_NONE;
}

/* What lies there holds a file of the guard's own, or is to: it stays where it is. */
static bool is_above_guard(const struct eg_job *job, const struct eg_place *at)
{
    const struct eg_blob *blob = job->writes->tree->blob;
    const uint32_t *files = eg_blob_section(blob, EG_SECTION_GUARD_FILES);
    size_t n = strlen(at->path);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_GUARD_FILES); i++) {
        const char *file = eg_blob_cstr(blob, files[i]);
        if (strncmp(file, at->path, n) == 0 && (file[n] == '/' || !file[n])) return true;
    }
    return false;
}

/* A name that is made or removed there. */
static bool is_entry_late(const struct eg_job *job, const struct eg_place *at)
{
    return at->path[0] == '/' && at->name[0] && !is_folder_granted(job->writes, at->folder) &&
           is_named(job, at) && !is_above_guard(job, at);
}

/* A file without a name (O_TMPFILE) that is made there. */
static bool is_nameless_late(const struct eg_job *job, const struct eg_place *folder)
{
    struct eg_place inside = { .folder = -1 };
    size_t n = strlen(folder->path);
    if (!folder->found || !S_ISDIR(folder->st.st_mode) || n + 2 > EG_PATH_MAX) return false;
    memcpy(inside.path, folder->path, n);
    memcpy(inside.path + n, "/", 2);
    return is_named(job, &inside) && !is_folder_granted(job->writes, folder->object);
}

/* It has no folder that could be asked for, so it is linked here wherever it lies. */
static bool is_nameless(const struct eg_place *at)
{
    return !at->name[0] && S_ISREG(at->st.st_mode) && at->st.st_nlink == 0;
}

/* Both ends of a link or a rename: the one that the domain knows too must be a place
 * that may be written, since Landlock would ask for it. */
static bool are_both_late(const struct eg_job *job)
{
    const struct eg_place *from = &job->places[0], *to = &job->places[1];
    bool links = job->args.act == EG_ACT_LINK && is_nameless(from);
    if (!from->found || from->path[0] != '/' || to->path[0] != '/') return false;
    if (!(from->name[0] || links) || !to->name[0]) return false;
    if (!is_named(job, from) || is_above_guard(job, from) || !is_named(job, to) ||
        is_above_guard(job, to))
        return false;
    return links || !is_folder_granted(job->writes, from->folder) ||
           !is_folder_granted(job->writes, to->folder);
}

bool eg_job_is_late(const struct eg_job *job)
{
    const struct eg_place *at = &job->places[0];
    bool exists = at->found;
    mode_t type = job->args.mode & S_IFMT;
    if (!job->writes->has_domain || at->path[0] != '/') return false;
    switch (job->args.act) {
    case EG_ACT_OPEN:
        if ((job->args.flags & __O_TMPFILE) == __O_TMPFILE) return is_nameless_late(job, at);
        if (!exists) return job->args.flags & O_CREAT && is_entry_late(job, at);
        return S_ISREG(at->st.st_mode) && !is_object_granted(job->writes, at) && is_named(job, at);
    case EG_ACT_TRUNCATE:
        return exists && S_ISREG(at->st.st_mode) && !is_object_granted(job->writes, at) &&
               is_named(job, at);
    case EG_ACT_MKNOD:
        /* nobody makes device nodes: guard/write_set.c */
        if (type == S_IFCHR || type == S_IFBLK) return false;
        return !exists && is_entry_late(job, at);
    case EG_ACT_MKDIR:
    case EG_ACT_SYMLINK: return !exists && is_entry_late(job, at);
    case EG_ACT_REMOVE: return exists && is_entry_late(job, at);
    case EG_ACT_LINK: return !job->places[1].found && are_both_late(job);
    case EG_ACT_RENAME: return are_both_late(job);
    case EG_ACT_MODE:
    case EG_ACT_OWNER:
    case EG_ACT_TIMES:
    case EG_ACT_SET_XATTR:
    case EG_ACT_REMOVE_XATTR:
    case EG_ACT_BIND: break; /* no right of Landlock's, or (a socket) its owner's to make */
    }
    return false;
}
