// SPDX-License-Identifier: MIT
/* Purpose: find the upload trees and keep every folder of them marked.
 *
 * A mark on a folder covers what lies in it, not what lies deeper.  The folders
 * above a tree are marked as well, for what appears in them: a tree that is
 * removed and made again, a new virtual host that a glob names.  A folder is
 * marked before it is read, so that what appears meanwhile is an event. */
#include "upload/watch_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "upload/watch_opener.h"

#define ABOVE_MASK  (FAN_CREATE | FAN_MOVED_TO | FAN_ONDIR)
#define INSIDE_MASK (ABOVE_MASK | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_EVENT_ON_CHILD)
#define OPENS_MASK  (FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM)

enum { DEPTH_MAX = PATH_MAX / 2 };

/* A walk: the path grows and shrinks as it goes down and up. */
struct walk {
    struct eg_watch *watch;
    enum eg_watch_read contents;
    const char *call;
    pid_t pid;
    unsigned depth;
    size_t n; /* length of path; the root folder is the empty path */
    char path[PATH_MAX + NAME_MAX + 2];
};

static const char *path_of(const struct walk *walk)
{
    return walk->n ? walk->path : "/";
}

static struct eg_str view_of(const struct walk *walk)
{
    return eg_str(path_of(walk));
}

/* --- file systems --- */

/* Local file systems that set ctime at the first store through a mapping. */
static bool keeps_ctime(long type)
{
    switch (type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC: return true;
    default: return false;
    }
}

bool eg_watch_find_mount(struct eg_watch *watch, uint64_t fsid, uint64_t dev, char path[PATH_MAX],
                         struct eg_watch_mount *ret)
{
    bool found = false;
    pthread_mutex_lock(&watch->mounts_lock);
    for (const struct eg_watch_mount *m = watch->mounts; m && !found; m = m->next) {
        if ((fsid && m->fsid != fsid) || (dev && m->dev != dev)) continue;
        found = true;
        *ret = *m;
        if (path) snprintf(path, PATH_MAX, "%s", m->path);
    }
    pthread_mutex_unlock(&watch->mounts_lock);
    return found;
}

int eg_watch_open_mount(const struct eg_watch_mount *mount, char path[PATH_MAX])
{
    /* the folder may be gone by now: one above it, of the same file system, does */
    for (;;) {
        struct stat st;
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == mount->dev) return fd;
        if (fd >= 0) close(fd);
        char *slash = strrchr(path, '/');
        if (!slash || path[1] == '\0') return -ENODEV;
        slash[slash == path] = '\0';
    }
}

/* The newest path comes first: an older one may have been unmounted. */
static void note_mount(struct walk *walk, int fd, const struct statfs *fs, dev_t dev)
{
    struct eg_watch *watch = walk->watch;
    uint64_t fsid;
    memcpy(&fsid, &fs->f_fsid, sizeof fsid);
    pthread_mutex_lock(&watch->mounts_lock);
    struct eg_watch_mount **link = &watch->mounts;
    while (*link && ((*link)->dev != dev || (*link)->fsid != fsid)) link = &(*link)->next;
    struct eg_watch_mount *mount = *link;
    bool is_new = !mount;
    struct stat st;
    if (mount && (stat(mount->path, &st) < 0 || st.st_dev != dev)) {
        *link = mount->next;
        free(mount);
        mount = NULL;
    }
    if (!mount && (mount = calloc(1, sizeof *mount + walk->n + 2))) {
        mount->fsid = fsid;
        mount->dev = dev;
        mount->remembers = keeps_ctime(fs->f_type);
        memcpy(mount->path, path_of(walk), walk->n ? walk->n + 1 : 2);
        mount->next = watch->mounts;
        watch->mounts = mount;
    }
    pthread_mutex_unlock(&watch->mounts_lock);
    if (is_new && watch->whole >= 0 &&
        fanotify_mark(watch->whole, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, OPENS_MASK, fd, ".") < 0)
        eg_watch_say("opens of the file system of %s are judged in marked folders only: %s",
                     path_of(walk), strerror(errno));
}

/* --- marks --- */

static void mark_above(const struct walk *walk, int fd)
{
    if (fanotify_mark(walk->watch->names, FAN_MARK_ADD, ABOVE_MASK, fd, ".") < 0)
        eg_watch_say("%s is not watched for new trees: %s", path_of(walk), strerror(errno));
}

/* False: it cannot be watched. */
static bool mark_inside(struct walk *walk, int fd)
{
    struct statfs fs;
    struct stat st;
    if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0) return false;
    if (fs.f_type == FUSE_SUPER_MAGIC) {
        eg_watch_say("%s is not watched: its files are what a program says (FUSE)", path_of(walk));
        return false;
    }
    note_mount(walk, fd, &fs, st.st_dev);
    if (fanotify_mark(walk->watch->names, FAN_MARK_ADD, INSIDE_MASK, fd, ".") < 0 ||
        fanotify_mark(walk->watch->opens, FAN_MARK_ADD, OPENS_MASK | FAN_EVENT_ON_CHILD, fd, ".") <
            0) {
        if (errno != ENOENT) /* removed meanwhile */
            eg_watch_say("%s is not watched: %s", path_of(walk), strerror(errno));
        return false;
    }
    return true;
}

static bool is_safe_from_others(const struct stat *st)
{
    return st->st_uid == 0 && !(st->st_mode & 022);
}

void eg_watch_leave(struct eg_watch *watch, int group, const char *path, const struct stat *file)
{
    char folder[PATH_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/');
    size_t n = slash && slash != path ? (size_t)(slash - path) : 1;
    memcpy(folder, path, n);
    folder[n] = '\0';
    if (eg_watch_is_inside(watch, eg_str(folder))) return;
    if (group == watch->opens) {
        fanotify_mark(group, FAN_MARK_REMOVE, OPENS_MASK | FAN_EVENT_ON_CHILD, AT_FDCWD, folder);
        return;
    }
    /* A folder that only root can move into a tree need not be asked about again. */
    if (stat(folder, &st) < 0 || st.st_dev != file->st_dev || !is_safe_from_others(&st)) return;
    fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_IGNORE_SURV | FAN_MARK_EVICTABLE,
                  OPENS_MASK | FAN_EVENT_ON_CHILD | FAN_ONDIR, AT_FDCWD, folder);
}

/* --- down into folders --- */

/* Enter `name`; the length to go back to, or 0 when the path would be too long. */
static bool enter(struct walk *walk, const char *name, size_t *ret_before)
{
    size_t m = strlen(name);
    *ret_before = walk->n;
    if (walk->n + 1 + m >= PATH_MAX) return false;
    walk->path[walk->n] = '/';
    memcpy(walk->path + walk->n + 1, name, m + 1);
    walk->n += 1 + m;
    walk->depth++;
    return true;
}

static void leave(struct walk *walk, size_t before)
{
    walk->n = before;
    walk->path[before] = '\0';
    walk->depth--;
}

static DIR *list(int fd)
{
    int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = readable < 0 ? NULL : fdopendir(readable);
    if (!folder && readable >= 0) close(readable);
    return folder;
}

static const char *next_name(DIR *folder)
{
    const struct dirent *row;
    do {
        row = readdir(folder);
    } while (row && (strcmp(row->d_name, ".") == 0 || strcmp(row->d_name, "..") == 0));
    return row ? row->d_name : NULL;
}

static bool is_beneath(struct eg_str path, struct eg_str folder)
{
    return eg_str_starts(path, folder) && (path.n == folder.n || path.p[folder.n] == '/');
}

bool eg_watch_is_quarantine(const struct eg_watch *watch, struct eg_str path)
{
    for (size_t i = 0; i < watch->blob_count; i++) {
        const struct eg_blob *blob = watch->blobs[i];
        const struct eg_blob_upload *rows = eg_blob_section(blob, EG_SECTION_UPLOADS);
        for (uint32_t k = 0; k < eg_blob_count(blob, EG_SECTION_UPLOADS); k++)
            if (rows[k].quarantine && is_beneath(path, eg_blob_str(blob, rows[k].quarantine)))
                return true;
    }
    return false;
}

static void visit(struct walk *walk, int fd);

static void visit_entry(struct walk *walk, int folder, const char *name)
{
    size_t before;
    struct eg_watch_entry entry;
    if (!enter(walk, name, &before)) {
        eg_watch_say("%s holds names that are too long to be opened by path: not read", walk->path);
        return;
    }
    if (eg_watch_entry_open(folder, name, walk->path, &entry) == 0) {
        entry.call = walk->call;
        entry.pid = walk->pid;
        if (eg_watch_judge_entry(walk->watch, &entry, walk->contents) && S_ISDIR(entry.st.st_mode))
            visit(walk, entry.fd);
        close(entry.fd);
    }
    leave(walk, before);
}

/* A folder inside a tree, and what is in it. */
static void visit(struct walk *walk, int fd)
{
    if (walk->depth > DEPTH_MAX || eg_watch_is_quarantine(walk->watch, view_of(walk))) return;
    if (!mark_inside(walk, fd)) return;
    DIR *folder = list(fd);
    if (!folder) return;
    for (const char *name; (name = next_name(folder));) visit_entry(walk, dirfd(folder), name);
    closedir(folder);
}

/* --- from the root to the trees --- */

static bool is_glob(struct eg_str component)
{
    for (size_t i = 0; i < component.n; i++)
        if (strchr("*?[\\", component.p[i])) return true;
    return false;
}

static bool is_deep(struct eg_str component)
{
    for (size_t i = 0; i + 1 < component.n; i++)
        if (component.p[i] == '*' && component.p[i + 1] == '*') return true;
    return false;
}

/* Take the first component off an absolute pattern or path. */
static struct eg_str take_component(struct eg_str *path)
{
    while (path->n && path->p[0] == '/') *path = eg_str_skip(*path, 1);
    size_t n = 0;
    while (n < path->n && path->p[n] != '/') n++;
    struct eg_str component = { path->p, n };
    *path = eg_str_skip(*path, n);
    return component;
}

static void seek(struct walk *walk, int fd, struct eg_str pattern);

static void seek_in(struct walk *walk, int fd, const char *name, struct eg_str pattern)
{
    size_t before;
    struct stat st;
    int at = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (at < 0) return;
    if (fstat(at, &st) == 0 && S_ISDIR(st.st_mode) && enter(walk, name, &before)) {
        seek(walk, at, pattern);
        leave(walk, before);
    } else if (S_ISLNK(st.st_mode)) {
        eg_watch_say("%s/%s is a symbolic link: what lies behind it is watched by its real path",
                     walk->path, name);
    }
    close(at);
}

/* `fd` is a folder that what was taken off the pattern matches: go on with the
 * rest of it. */
static void seek(struct walk *walk, int fd, struct eg_str pattern)
{
    if (eg_watch_is_inside(walk->watch, view_of(walk))) {
        visit(walk, fd);
        return;
    }
    struct eg_str rest = pattern;
    struct eg_str component = take_component(&rest);
    char name[NAME_MAX + 1];
    if (component.n == 0 || walk->depth > DEPTH_MAX) return;
    mark_above(walk, fd);
    if (!is_glob(component)) {
        if (component.n > NAME_MAX) return;
        memcpy(name, component.p, component.n);
        name[component.n] = '\0';
        seek_in(walk, fd, name, rest);
        return;
    }
    DIR *folder = list(fd);
    if (!folder) return;
    /* `**` may stand for any number of folders: is_inside tells where it ends */
    for (const char *entry; (entry = next_name(folder));)
        if (is_deep(component) || eg_glob_match(component, eg_str(entry)))
            seek_in(walk, dirfd(folder), entry, is_deep(component) ? pattern : rest);
    closedir(folder);
}

/* Does the path fit the beginning of the pattern?  Then what is left of it. */
static bool fits(struct eg_str pattern, struct eg_str path, struct eg_str *ret_rest)
{
    for (;;) {
        *ret_rest = pattern;
        struct eg_str wanted = take_component(&pattern);
        struct eg_str component = take_component(&path);
        if (component.n == 0) return true;
        if (is_deep(wanted)) return true;
        if (wanted.n == 0 || !eg_glob_match(wanted, component)) return false;
    }
}

static void seek_from(struct walk *walk, int fd)
{
    const struct eg_watch *watch = walk->watch;
    for (size_t i = 0; i < watch->blob_count; i++) {
        const struct eg_blob *blob = watch->blobs[i];
        const struct eg_blob_upload *rows = eg_blob_section(blob, EG_SECTION_UPLOADS);
        for (uint32_t k = 0; k < eg_blob_count(blob, EG_SECTION_UPLOADS); k++) {
            struct eg_str rest;
            if (fits(eg_blob_str(blob, rows[k].root), view_of(walk), &rest)) seek(walk, fd, rest);
        }
    }
}

void eg_watch_walk(struct eg_watch *watch, bool contents, const char *call)
{
    struct walk *walk = calloc(1, sizeof *walk);
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (walk && fd >= 0) {
        walk->watch = watch;
        walk->contents = contents ? EG_WATCH_READ_NOW : EG_WATCH_READ_NOT;
        walk->call = call;
        seek_from(walk, fd);
    } else {
        eg_watch_say("the trees cannot be looked at: %s", strerror(errno));
    }
    if (fd >= 0) close(fd);
    free(walk);
}

void eg_watch_arrive(struct eg_watch *watch, const char *path, const char *call, pid_t pid)
{
    struct walk *walk = calloc(1, sizeof *walk);
    int fd = open(path, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (walk && fd >= 0) {
        walk->watch = watch;
        walk->contents = EG_WATCH_READ_LATER;
        walk->call = call;
        walk->pid = pid;
        walk->n = strlen(path);
        memcpy(walk->path, path, walk->n);
        if (eg_watch_is_inside(watch, eg_str(path)))
            visit(walk, fd);
        else
            seek_from(walk, fd);
    }
    if (fd >= 0) close(fd);
    free(walk);
}

bool eg_watch_concerns(const struct eg_watch *watch, struct eg_str path)
{
    if (eg_watch_is_inside(watch, path)) return true;
    for (size_t i = 0; i < watch->blob_count; i++) {
        const struct eg_blob *blob = watch->blobs[i];
        const struct eg_blob_upload *rows = eg_blob_section(blob, EG_SECTION_UPLOADS);
        struct eg_str rest;
        for (uint32_t k = 0; k < eg_blob_count(blob, EG_SECTION_UPLOADS); k++)
            if (fits(eg_blob_str(blob, rows[k].root), path, &rest)) return true;
    }
    return false;
}

/* --- whole walks, one after the other --- */

void eg_watch_want_walk(struct eg_watch *watch, const char *why)
{
    pthread_mutex_lock(&watch->walk_lock);
    if (!watch->walk_wanted) watch->walk_why = why;
    watch->walk_wanted = true;
    pthread_cond_signal(&watch->walk_work);
    pthread_mutex_unlock(&watch->walk_lock);
}

void *eg_watch_walker(void *context)
{
    struct eg_watch *watch = context;
    eg_watch_enlist(watch, "watch-walker");
    for (;;) {
        pthread_mutex_lock(&watch->walk_lock);
        while (!watch->walk_wanted) pthread_cond_wait(&watch->walk_work, &watch->walk_lock);
        watch->walk_wanted = false;
        const char *why = watch->walk_why;
        pthread_mutex_unlock(&watch->walk_lock);
        if (why) eg_watch_report_self(watch, EG_REASON_RESCAN, why);
        eg_watch_walk(watch, true, "scan");
    }
}
