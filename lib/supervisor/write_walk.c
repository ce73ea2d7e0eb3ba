// SPDX-License-Identifier: MIT
/* Purpose: hold what a path of the caller's names: its folder and its last
 * component, both as descriptors.
 *
 * The folder is opened by the kernel in one step (openat2(2)), in the loop from
 * what it has cached alone (RESOLVE_CACHED, 5.12), so that no file system makes
 * the loop wait; a helper does the rest.  What a path meets in /proc is ours
 * there and not the caller's, so it is walked step by step (walk.c).  The last
 * component's links are followed here, since each folder on the way could be an
 * upload tree. */
#include "supervisor/write_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif
#ifndef AT_STATX_DONT_SYNC
#define AT_STATX_DONT_SYNC 0x4000
#endif

#define LINKS_MAX 40 /* as the kernel: path_resolution(7) */

static const char descriptors[] = "/proc/self/fd/";

/* No snprintf: every notified call needs a few of them. */
struct eg_fd_path eg_fd_path(int fd)
{
    struct eg_fd_path path;
    char digits[12];
    size_t n = 0, at = sizeof descriptors - 1;
    unsigned number = (unsigned)fd;
    do digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    memcpy(path.text, descriptors, at);
    while (n) path.text[at++] = digits[--n];
    path.text[at] = '\0';
    return path;
}

/* From the folder that is held open: the way to it is not walked again each time. */
int eg_held_path(const struct eg_writes *writes, int fd, char *ret, size_t size)
{
    struct eg_fd_path held = eg_fd_path(fd);
    ssize_t n = readlinkat(writes->held, held.text + sizeof descriptors - 1, ret, size);
    if (n < 0) return -errno;
    if ((size_t)n >= size) return -ENAMETOOLONG;
    ret[n] = '\0';
    return (int)n;
}

void eg_place_close(struct eg_place *place)
{
    if (place->folder >= 0) close(place->folder);
    if (place->object >= 0) close(place->object);
    place->folder = place->object = -1;
}

bool eg_place_shared(const struct eg_place *place)
{
    return place->found && S_ISREG(place->st.st_mode) && place->st.st_nlink > 1;
}

/* --- File systems ------------------------------------------------------------- */

/* Those whose answers this kernel finds alone.  Not named: slow. */
enum eg_fs_class eg_fs_classify(int fd)
{
    static const unsigned long local[] = {
        EXT4_SUPER_MAGIC,          XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC, TMPFS_MAGIC,
        OVERLAYFS_SUPER_MAGIC,     F2FS_SUPER_MAGIC, RAMFS_MAGIC,       0x2fc12fc1 /* ZFS */,
        0xca451a4e /* bcachefs */, SQUASHFS_MAGIC,   SYSFS_MAGIC,       DEVPTS_SUPER_MAGIC,
    };
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0) return EG_FS_SLOW;
    if (fs.f_type == PROC_SUPER_MAGIC) return EG_FS_PROC;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if ((unsigned long)fs.f_type == local[i]) return EG_FS_LOCAL;
    return EG_FS_SLOW;
}

bool eg_fs_is_backed(int fd)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0) return true;
    return (unsigned long)fs.f_type == OVERLAYFS_SUPER_MAGIC ||
           (unsigned long)fs.f_type == FUSE_SUPER_MAGIC;
}

/* fstatfs(2) itself can wait, so the loop only knows what a helper has seen. */
enum eg_fs_class eg_job_class(struct eg_job *job, int fd)
{
    struct statx stx;
    if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0)
        return EG_FS_SLOW;
    uint64_t dev = (uint64_t)stx.stx_dev_major << 32 | stx.stx_dev_minor;
    if (!job->patient) return eg_writes_class(job->writes, dev);
    enum eg_fs_class class = eg_fs_classify(fd);
    if (job->learned_count < sizeof job->learned / sizeof job->learned[0]) {
        job->learned[job->learned_count].dev = dev;
        job->learned[job->learned_count++].class = class;
    }
    return class;
}

/* --- Folders ------------------------------------------------------------------ */

static int open_kernel(int base, const char *text, bool in_root, bool cached)
{
    struct open_how how = {
        .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
        .resolve = (in_root ? RESOLVE_IN_ROOT : 0u) | RESOLVE_NO_MAGICLINKS |
                   (cached ? RESOLVE_CACHED : 0u),
    };
    long fd = syscall(SYS_openat2, base, text, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

/* 0 with *ret_fd, EG_JOB_LATER, or -errno. */
static int open_folder(struct eg_job *job, int base, const char *text, int *ret_fd,
                       enum eg_fs_class *ret_class)
{
    bool absolute = text[0] == '/';
    /* where the caller's root is ours, the kernel's own walk from ours is the caller's */
    bool in_root = absolute && !job->own_root;
    int fd = absolute || job->own_root
                 ? open_kernel(in_root ? job->root : base, text, in_root, !job->patient)
                 : -ELOOP;
    if (fd < 0 && !job->patient) {
        /* the kernel would have to look further than its cache, or there is no such
         * flag; a missing folder may be one below /proc/self */
        bool final = fd == -EACCES || fd == -ENOTDIR || fd == -ENAMETOOLONG;
        return final ? fd : EG_JOB_LATER;
    }
    enum eg_fs_class class = EG_FS_UNKNOWN;
    if (fd >= 0) class = eg_job_class(job, fd);
    if (!job->patient && class != EG_FS_LOCAL) {
        close(fd);
        return EG_JOB_LATER;
    }
    if (job->patient && (class == EG_FS_PROC || fd == -ELOOP || fd == -ENOENT || fd == -EXDEV)) {
        if (fd >= 0) close(fd);
        pid_t tid = (pid_t)job->notif.pid, tgid = eg_remote_tgid(tid);
        fd = eg_remote_walk(tid, tgid > 0 ? tgid : tid, job->root, base, text, 0);
        if (fd >= 0) class = eg_job_class(job, fd);
        struct stat st;
        if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))) {
            close(fd);
            return -ENOTDIR;
        }
    }
    if (fd < 0) return fd;
    *ret_fd = fd;
    *ret_class = class;
    return 0;
}

/* --- Names -------------------------------------------------------------------- */

/* What fs.protected_symlinks asks of a link's owner: proc(5), and the kernel's
 * may_follow_link. */
static bool may_follow(const struct eg_job *job, int folder, const struct stat *link)
{
    struct stat st;
    if (!job->writes->protected_symlinks) return true;
    if (job->is_caller && link->st_uid == job->caller.user) return true;
    if (fstat(folder, &st) < 0) return false;
    return (st.st_mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH) || st.st_uid == link->st_uid;
}

/* Only an object, and no name that could be made or removed. */
static int take_object(struct eg_job *job, int fd, struct eg_place *ret)
{
    ret->object = fd;
    ret->name[0] = '\0';
    if (fstat(fd, &ret->st) < 0) return -errno;
    ret->found = true;
    int n = eg_held_path(job->writes, fd, ret->path, sizeof ret->path);
    if (n < 0) return n;
    if (!job->patient && eg_job_class(job, fd) != EG_FS_LOCAL) return EG_JOB_LATER;
    return 0;
}

/* What bears the name in the held folder: st, and the object where it is to be held. */
static int find_object(unsigned flags, struct eg_place *ret)
{
    if (flags & EG_FIND_LOOK) {
        if (fstatat(ret->folder, ret->name, &ret->st, AT_SYMLINK_NOFOLLOW) < 0)
            return errno == ENOENT ? 0 : -errno;
        ret->found = !S_ISLNK(ret->st.st_mode);
        if (ret->found) return 0;
    }
    ret->object = openat(ret->folder, ret->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (ret->object < 0) return errno == ENOENT ? 0 : -errno;
    if (fstat(ret->object, &ret->st) < 0) return -errno;
    ret->found = true;
    return 0;
}

struct text {
    char bytes[EG_PATH_MAX + 2];
};

enum { FOLLOW_LINK = 2 }; /* beside 0, EG_JOB_LATER and -errno */

/* One round: the folder and what lies there.  FOLLOW_LINK: a link, whose text is
 * in `text` now and is to be walked from its folder. */
static int find_once(struct eg_job *job, struct text *text, int base, unsigned flags,
                     struct eg_place *ret)
{
    char *path = text->bytes;
    size_t n = strlen(path);
    enum eg_fs_class class;
    int fd = -1, error;
    while (n > 1 && path[n - 1] == '/') path[--n] = '\0', ret->slash = true;
    char *last = strrchr(path, '/');
    last = last ? last + 1 : path;
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
        error = open_folder(job, base, path, &fd, &class);
        return error ? error : take_object(job, fd, ret);
    }
    size_t length = strlen(last);
    if (length >= sizeof ret->name) return -ENAMETOOLONG;
    memcpy(ret->name, last, length + 1);
    if (last == path)
        error = open_folder(job, base, ".", &ret->folder, &class);
    else {
        *last = '\0';
        error = open_folder(job, base, path, &ret->folder, &class);
        *last = ret->name[0];
    }
    if (error) return error;
    error = find_object(flags, ret);
    if (error) return error;
    if (ret->object >= 0 && S_ISLNK(ret->st.st_mode) &&
        (flags & EG_FIND_FOLLOW || (ret->slash && !(flags & EG_FIND_LAST)))) {
        if (class == EG_FS_PROC) {
            /* the caller's own /proc/self, or a magic link */
            pid_t tid = (pid_t)job->notif.pid, tgid = eg_remote_tgid(tid);
            fd = eg_remote_walk(tid, tgid > 0 ? tgid : tid, job->root, ret->folder, ret->name, 0);
            eg_place_close(ret);
            return fd < 0 ? fd : take_object(job, fd, ret);
        }
        if (!may_follow(job, ret->folder, &ret->st)) {
            if (job->is_caller) return -EACCES;
            job->find_again = true;
        }
        ssize_t got = readlinkat(ret->object, "", path, EG_PATH_MAX);
        if (got < 0) return -errno;
        if (got == 0) return -ENOENT;
        if (got >= (ssize_t)EG_PATH_MAX) return -ENAMETOOLONG;
        path[got] = '\0';
        if (ret->slash) memcpy(path + got, "/", 2);
        return FOLLOW_LINK;
    }
    int used = eg_held_path(job->writes, ret->folder, ret->path, EG_PATH_MAX);
    if (used < 0) return used;
    if (used == 1 && ret->path[0] == '/') used = 0;
    ret->path[used] = '/';
    memcpy(ret->path + used + 1, ret->name, length + 1);
    return 0;
}

static int find(struct eg_job *job, int which, unsigned flags)
{
    struct eg_place *ret = &job->places[which];
    struct text text;
    int base = job->bases[which], owned = -1, links = 0, error;
    if (flags & EG_FIND_EMPTY && !job->spelled[which][0]) {
        int fd = fcntl(base, F_DUPFD_CLOEXEC, 0);
        return fd < 0 ? -errno : take_object(job, fd, ret);
    }
    if (!job->spelled[which][0]) return -ENOENT;
    memcpy(text.bytes, job->spelled[which], strlen(job->spelled[which]) + 1);
    while ((error = find_once(job, &text, base, flags, ret)) == FOLLOW_LINK) {
        if (++links > LINKS_MAX) {
            error = -ELOOP;
            break;
        }
        if (owned >= 0) close(owned);
        base = owned = ret->folder;
        ret->folder = -1;
        eg_place_close(ret);
        ret->slash = ret->found = false;
    }
    if (owned >= 0) close(owned);
    return error;
}

int eg_job_find(struct eg_job *job, int which, unsigned flags)
{
    struct eg_place *place = &job->places[which];
    *place = (struct eg_place){ .folder = -1, .object = -1, .upload = EG_NONE };
    int error = find(job, which, flags);
    if (error) {
        eg_place_close(place);
        return error;
    }
    if (place->path[0] == '/')
        place->upload = eg_decide_upload_of(job->writes->tree->blob, eg_str(place->path));
    return 0;
}
