// SPDX-License-Identifier: MIT
/* Purpose: what a path names for another process.
 *
 * Two things differ between the caller's view and ours: its root and mount
 * namespace, and /proc/self.  openat2(2) below /proc/TID/root settles the first;
 * a path that meets a magic link (/proc/self/fd/3, /proc/self/root/bin/sh) or a
 * caller with another root goes step by step instead. */
#include "supervisor/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/sys.h"

#define LINKS_MAX 40 /* as the kernel: path_resolution(7) */

static int open_under(int dirfd, const char *path, uint64_t resolve, int flags)
{
    struct open_how how = { .flags = (uint64_t)(O_PATH | O_CLOEXEC | flags), .resolve = resolve };
    long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

static int open_link(pid_t tid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)tid, name);
    int fd = openat(AT_FDCWD, path, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static bool same_file(int a, int b)
{
    struct statx x, y;
    unsigned mask = STATX_INO | STATX_MNT_ID;
    return eg_sys(__NR_statx, a, "", AT_EMPTY_PATH, mask, &x) == 0 &&
           eg_sys(__NR_statx, b, "", AT_EMPTY_PATH, mask, &y) == 0 && x.stx_ino == y.stx_ino &&
           x.stx_dev_major == y.stx_dev_major && x.stx_dev_minor == y.stx_dev_minor &&
           x.stx_mnt_id == y.stx_mnt_id;
}

static bool on_proc(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

struct walk {
    pid_t tid, tgid;
    int root; /* the caller's */
    int at;   /* where we are; owned */
    int links;
    bool only_fixed;            /* refuse (-EPERM) links that the caller's user could replace */
    char left[2 * EG_PATH_MAX]; /* what is still to be walked */
};

/* Put text in front of what is left. */
static int prepend(struct walk *w, const char *text)
{
    size_t n = strlen(text), rest = strlen(w->left);
    if (n + 1 + rest + 1 > sizeof w->left) return -ENAMETOOLONG;
    memmove(w->left + n + 1, w->left, rest + 1);
    memcpy(w->left, text, n);
    w->left[n] = '/';
    return 0;
}

static void move_to(struct walk *w, int fd)
{
    close(w->at);
    w->at = fd;
}

static int to_root(struct walk *w)
{
    int fd = fcntl(w->root, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return -errno;
    move_to(w, fd);
    return 0;
}

/* Is this link root's, in a folder where only root makes names? */
static bool is_fixed_link(const struct walk *w, int link)
{
    struct stat at, folder;
    return !on_proc(link) && fstat(link, &at) == 0 && fstat(w->at, &folder) == 0 &&
           at.st_uid == 0 && folder.st_uid == 0 && !(folder.st_mode & (S_IWGRP | S_IWOTH));
}

/* One component that is a symbolic link: an ordinary one is read and walked, a
 * magic one is followed by the kernel. */
static int follow(struct walk *w, int link, const char *name)
{
    if (++w->links > LINKS_MAX) return -ELOOP;
    if (w->only_fixed && !is_fixed_link(w, link)) return -EPERM;
    if (on_proc(link)) {
        bool self = strcmp(name, "self") == 0;
        if (self || strcmp(name, "thread-self") == 0) {
            /* ours would name the supervisor */
            char own[64];
            if (self)
                snprintf(own, sizeof own, "%d", (int)w->tgid);
            else
                snprintf(own, sizeof own, "%d/task/%d", (int)w->tgid, (int)w->tid);
            return prepend(w, own);
        }
        int fd = openat(w->at, name, O_PATH | O_CLOEXEC);
        if (fd < 0) return -errno;
        move_to(w, fd);
        return 0;
    }
    char text[EG_PATH_MAX];
    ssize_t n = readlinkat(link, "", text, sizeof text);
    if (n < 0) return -errno;
    if (n >= (ssize_t)sizeof text) return -ENAMETOOLONG;
    text[n] = '\0';
    int error = prepend(w, text);
    if (!error && text[0] == '/') error = to_root(w);
    return error;
}

static int step(struct walk *w, const char *name, bool last, int flags)
{
    if (strcmp(name, ".") == 0) return 0;
    if (strcmp(name, "..") == 0 && same_file(w->at, w->root)) return 0;
    int fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct stat st;
    if (fstat(fd, &st) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    if (S_ISLNK(st.st_mode) && !(last && (flags & AT_SYMLINK_NOFOLLOW))) {
        int error = follow(w, fd, name);
        close(fd);
        return error;
    }
    move_to(w, fd);
    return 0;
}

static int walk_path(pid_t tid, pid_t tgid, int root, int start, const char *path, int flags,
                     bool only_fixed)
{
    struct walk *w = malloc(sizeof *w);
    if (!w) return -ENOMEM;
    *w = (struct walk){ .tid = tid, .tgid = tgid, .root = root, .only_fixed = only_fixed };
    int error = 0;
    w->at = fcntl(path[0] == '/' ? root : start, F_DUPFD_CLOEXEC, 0);
    if (w->at < 0) error = -errno;
    size_t length = strlen(path);
    if (length >= EG_PATH_MAX) error = error ? error : -ENAMETOOLONG;
    if (!error) memcpy(w->left, path, length + 1);
    while (!error) {
        char *name = w->left + strspn(w->left, "/");
        if (!*name) break;
        size_t n = strcspn(name, "/");
        char component[EG_PATH_MAX];
        if (n >= sizeof component) {
            error = -ENAMETOOLONG;
            break;
        }
        memcpy(component, name, n);
        component[n] = '\0';
        bool last = name[n + strspn(name + n, "/")] == '\0';
        memmove(w->left, name + n, strlen(name + n) + 1);
        error = step(w, component, last, flags);
    }
    int fd = w->at;
    free(w);
    if (error && fd >= 0) close(fd);
    return error ? error : fd;
}

int eg_remote_walk(pid_t tid, pid_t tgid, int root, int start, const char *path, int flags)
{
    return walk_path(tid, tgid, root, start, path, flags, false);
}

static int open_for(pid_t tid, pid_t tgid, int root, int dirfd, const char *path, int flags)
{
    bool at_cwd = dirfd == AT_FDCWD;
    int start = -1;
    if (path[0] != '/') {
        char name[32];
        snprintf(name, sizeof name, "fd/%d", dirfd);
        start = open_link(tid, at_cwd ? "cwd" : name);
        if (start < 0) return start;
        if (!path[0]) return start; /* AT_EMPTY_PATH: the descriptor itself */
    }
    int no_follow = flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;
    int fd;
    if (path[0] == '/') {
        fd = open_under(root, path, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, no_follow);
    } else {
        int own_root = openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC);
        bool same = own_root >= 0 && same_file(own_root, root);
        if (own_root >= 0) close(own_root);
        /* with another root an absolute link below `start` would lead into ours */
        fd = same ? open_under(start, path, RESOLVE_NO_MAGICLINKS, no_follow) : -ELOOP;
    }
    if (fd >= 0 && on_proc(fd)) {
        /* a /proc/self on the way was ours: walk it as the caller */
        close(fd);
        fd = -ELOOP;
    }
    if (fd == -ELOOP || fd == -ENOENT || fd == -EXDEV)
        fd = eg_remote_walk(tid, tgid, root, start, path, flags);
    if (start >= 0) close(start);
    return fd;
}

int eg_remote_resolve(pid_t tid, pid_t tgid, int dirfd, const char *path, int flags,
                      char pathbuf[EG_PATH_MAX], struct eg_target *ret, int *ret_error)
{
    *ret = (struct eg_target){ .path = eg_str(path) };
    *ret_error = 0;
    if (!path[0] && !(flags & AT_EMPTY_PATH)) {
        *ret_error = -ENOENT;
        return 0;
    }
    int root = open_link(tid, "root");
    if (root < 0) return root;
    int fd = open_for(tid, tgid, root, dirfd, path, flags);
    close(root);
    if (fd < 0) {
        *ret_error = fd;
        /* out of descriptors or memory says nothing about the file */
        return fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM ? fd : 0;
    }
    int error = eg_resolve_identity(fd, &ret->id);
    if (!error) {
        char link[32];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, pathbuf, EG_PATH_MAX);
        if (n > 0 && n < (ssize_t)EG_PATH_MAX) ret->path = (struct eg_str){ pathbuf, (size_t)n };
        ret->found = true;
    }
    close(fd);
    return error;
}

/* A folder on the way could be exchanged for a link, and `..` lead elsewhere. */
static bool has_parent_component(const char *path)
{
    for (const char *at = path; (at = strstr(at, "..")); at += 2)
        if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0')) return true;
    return false;
}

bool eg_remote_is_fixed(pid_t tid, pid_t tgid, int dirfd, const char *path)
{
    if (!path[0] || has_parent_component(path)) return false;
    char name[32] = "cwd";
    if (dirfd != AT_FDCWD) snprintf(name, sizeof name, "fd/%d", dirfd);
    int root = open_link(tid, "root");
    int start = path[0] == '/' ? -1 : open_link(tid, name);
    int fd = -1;
    if (root >= 0 && (start >= 0 || path[0] == '/'))
        fd = walk_path(tid, tgid, root, start, path, 0, true);
    if (fd >= 0) close(fd);
    if (start >= 0) close(start);
    if (root >= 0) close(root);
    return fd >= 0;
}
