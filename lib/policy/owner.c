// SPDX-License-Identifier: MIT
/* Walks to a policy file and looks at who could change what is met on the way.
 * The kernel's own walk would check nothing, and a check of the path's text
 * would miss the folders that symlinks lead through. */
#include "policy/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYMLINKS_MAX 40 /* as path_resolution(7) */

struct walk {
    uid_t guard_uid;
    int folder;              /* O_PATH descriptor of the folder reached */
    struct stat folder_stat; /* of it */
    char *where;             /* its path, "" for the root */
    char *rest;              /* what is still to be walked */
    int symlinks;
    struct eg_owner_problem *problem;
};

static bool is_trusted(const struct walk *w, uid_t uid)
{
    return uid == 0 || uid == w->guard_uid;
}

/* -EPERM, with the path `where`[/`name`] noted as what is at fault. */
static int refuse(struct walk *w, enum eg_owner_fault fault, uid_t owner, const char *name)
{
    char *path;
    int n = name ? asprintf(&path, "%s/%s", w->where, name)
                 : asprintf(&path, "%s", *w->where ? w->where : "/");
    if (n < 0) return -ENOMEM;
    *w->problem = (struct eg_owner_problem){ .fault = fault, .owner = owner, .path = path };
    return -EPERM;
}

/* POSIX ACLs need no look of their own: the group bits of a file with an ACL are
 * its mask, so an entry that grants writing shows there (acl(5)). */
static int check_writable(struct walk *w, const struct stat *st, const char *name)
{
    if (st->st_mode & S_IWOTH) return refuse(w, EG_OWNER_WORLD_WRITABLE, st->st_uid, name);
    if (st->st_mode & S_IWGRP) return refuse(w, EG_OWNER_GROUP_WRITABLE, st->st_uid, name);
    return 0;
}

/* Can somebody else put another `name` (whose status is `entry`) in the folder
 * that the walk stands in? */
static int check_folder(struct walk *w, const char *name, const struct stat *entry)
{
    const struct stat *st = &w->folder_stat;
    if (!is_trusted(w, st->st_uid)) return refuse(w, EG_OWNER_FOREIGN, st->st_uid, NULL);
    if (!(st->st_mode & (S_IWGRP | S_IWOTH))) return 0;
    if (!(st->st_mode & S_ISVTX)) return check_writable(w, st, NULL);
    /* Sticky: others cannot replace what is not theirs, but could have made it
     * first.  Root's policy needs no such place. */
    if (w->guard_uid == 0) return refuse(w, EG_OWNER_STICKY, st->st_uid, NULL);
    if (!is_trusted(w, entry->st_uid)) return refuse(w, EG_OWNER_FOREIGN, entry->st_uid, name);
    return 0;
}

/* Make the opened folder `fd` the one that the walk stands in; takes fd. */
static int enter(struct walk *w, int fd, char *where)
{
    if (w->folder >= 0) close(w->folder);
    w->folder = fd;
    free(w->where);
    w->where = where;
    if (!where) return -ENOMEM;
    return fstat(fd, &w->folder_stat) < 0 ? -errno : 0;
}

static int enter_root(struct walk *w)
{
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : enter(w, fd, strdup(""));
}

static int enter_parent(struct walk *w)
{
    int fd = openat(w->folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    char *where = strdup(w->where);
    char *slash = where ? strrchr(where, '/') : NULL;
    if (slash) *slash = '\0';
    return enter(w, fd, where);
}

static int enter_child(struct walk *w, int fd, const char *name)
{
    char *where;
    if (asprintf(&where, "%s/%s", w->where, name) < 0) where = NULL;
    return enter(w, fd, where);
}

/* Put a symlink's target in front of what is still to be walked. */
static int follow(struct walk *w, int fd)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
    if (n < 0) return -errno;
    if (++w->symlinks > SYMLINKS_MAX) return -ELOOP;
    target[n] = '\0';
    char *rest;
    if (asprintf(&rest, "%s/%s", target, w->rest) < 0) return -ENOMEM;
    free(w->rest);
    w->rest = rest;
    return target[0] == '/' ? enter_root(w) : 0;
}

/* Cut the next component off `rest`; NULL when none is left. */
static char *next_component(struct walk *w)
{
    char *start = w->rest + strspn(w->rest, "/");
    if (!*start) return NULL;
    size_t n = strcspn(start, "/");
    char *component = strndup(start, n);
    if (component) memmove(w->rest, start + n, strlen(start + n) + 1);
    return component;
}

static int open_file(struct walk *w, const char *name)
{
    /* O_NONBLOCK: a FIFO must not make the guard wait. */
    int fd = openat(w->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct stat st;
    int r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && !is_trusted(w, st.st_uid)) r = refuse(w, EG_OWNER_FOREIGN, st.st_uid, name);
    if (r == 0) r = check_writable(w, &st, name);
    if (r == 0) return fd;
    close(fd);
    return r;
}

/* Walk one component.  0: go on, or, when it was the file, *ret_fd is open. */
static int step(struct walk *w, const char *name, int *ret_fd)
{
    if (strcmp(name, ".") == 0) return 0;
    if (strcmp(name, "..") == 0) return enter_parent(w);
    int fd = openat(w->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct stat st;
    int r = fstat(fd, &st) < 0 ? -errno : check_folder(w, name, &st);
    if (r == 0 && S_ISDIR(st.st_mode)) return enter_child(w, fd, name);
    if (r == 0 && S_ISLNK(st.st_mode)) {
        r = follow(w, fd);
    } else if (r == 0 && w->rest[strspn(w->rest, "/")]) {
        r = -ENOTDIR;
    } else if (r == 0) {
        r = open_file(w, name);
        if (r >= 0) *ret_fd = r;
    }
    close(fd);
    return r < 0 ? r : 0;
}

int eg_owner_open(const char *path, uid_t guard_uid, struct eg_owner_problem *ret_problem)
{
    struct walk w = { .guard_uid = guard_uid, .folder = -1, .problem = ret_problem };
    char *cwd = path[0] == '/' ? strdup("") : getcwd(NULL, 0);
    int r = cwd ? 0 : -errno;
    if (r == 0 && asprintf(&w.rest, "%s/%s", cwd, path) < 0) {
        w.rest = NULL;
        r = -ENOMEM;
    }
    free(cwd);
    if (r == 0) r = enter_root(&w);
    int fd = -1;
    while (r == 0 && fd < 0) {
        char *name = next_component(&w);
        if (!name) {
            r = -EISDIR;
            break;
        }
        r = step(&w, name, &fd);
        free(name);
    }
    if (w.folder >= 0) close(w.folder);
    free(w.where);
    free(w.rest);
    return r < 0 ? r : fd;
}
