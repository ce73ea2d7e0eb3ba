// SPDX-License-Identifier: MIT
/* Compiled policies that nobody needs any more are removed from the cache.
 *
 * A blob's modification time is when it was used last, to half a day (eg_cache_use).
 * It goes when it was not used for a month, or when no link leads to it any more
 * for a day, unless a process that lives has it: the shim keeps it mapped, and the
 * programs that a worker starts open it again by its path, which their environment
 * names.  Links that lead nowhere go, and what a compilation left that was ended.
 *
 * Who uses a blob that could go holds the lock while making it young; who prunes
 * holds it alone.  So a blob is never removed between its choice and the start of
 * the worker.  The lock file is ours alone: nobody else can hold us up.  Its
 * modification time is when somebody pruned last. */
#include "compile/cache_prune.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define HOUR     (60 * 60)
#define DAY      (24 * HOUR)
#define UNUSED   (30 * DAY)
#define HEX      "0123456789abcdef"
#define ID_SIZE  32
#define KEY_SIZE 64
#define LOOKS    32 /* through all processes, at a time: compiling must not take long for it */

int eg_cache_lock(const char *folder, bool alone)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/.lock", folder) >= (int)sizeof path) return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    while (flock(fd, alone ? LOCK_EX | LOCK_NB : LOCK_SH) < 0) {
        if (errno == EINTR) continue;
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

bool eg_cache_use(const char *folder, const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0) return false;
    if (time(NULL) - st.st_mtime < DAY / 2) return true;
    int lock = eg_cache_lock(folder, false);
    /* no lock (a read-only folder): nobody prunes there */
    bool there = utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
    if (lock >= 0) close(lock);
    return there;
}

/* --- Who lives ------------------------------------------------------------------ */

/* Does a file of /proc/PID hold this text?  Read in pieces that overlap. */
static bool holds(int process, const char *name, const char *text)
{
    char piece[65536];
    size_t n = strlen(text), kept = 0;
    int fd = openat(process, name, O_RDONLY | O_CLOEXEC);
    bool found = false;
    ssize_t got;
    if (fd < 0) return false;
    while (!found && (got = read(fd, piece + kept, sizeof piece - kept)) > 0) {
        size_t all = kept + (size_t)got;
        found = memmem(piece, all, text, n) != NULL;
        kept = all < n ? all : n - 1;
        memmove(piece, piece + all - kept, kept);
    }
    close(fd);
    return found;
}

/* By what /proc shows us: everything to root, to others their own processes. */
static bool is_alive(const char *name, const struct stat *st)
{
    char mapped[64];
    bool found = false;
    DIR *processes = opendir("/proc");
    if (!processes) return true;
    /* a line of maps: `00:2a 4711 '; some file systems show another device there */
    snprintf(mapped, sizeof mapped, " %ju ", (uintmax_t)st->st_ino);
    for (const struct dirent *entry; !found && (entry = readdir(processes));) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
        int process = openat(dirfd(processes), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (process < 0) continue;
        found = holds(process, "environ", name) || holds(process, "maps", mapped);
        close(process);
    }
    closedir(processes);
    return found;
}

/* --- What goes ------------------------------------------------------------------- */

static bool is_blob(const char *name)
{
    return strspn(name, HEX) == ID_SIZE && strcmp(name + ID_SIZE, ".blob") == 0;
}

static bool is_link(const char *name)
{
    return strspn(name, HEX) == KEY_SIZE && !name[KEY_SIZE];
}

/* Left by a compilation that was ended: "LINK.PID-TIME", "BLOB.new". */
static bool is_left(const char *name)
{
    size_t n = strspn(name, HEX);
    return (n == KEY_SIZE && name[n] == '.') ||
           (n == ID_SIZE && strncmp(name + n, ".blob", 5) == 0 && name[n + 5]);
}

/* Does any link lead to it? */
static bool is_linked(int folder, const char *blob)
{
    char target[64];
    bool found = false;
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = again < 0 ? NULL : fdopendir(again);
    if (!entries) {
        if (again >= 0) close(again);
        return true;
    }
    for (const struct dirent *entry; !found && (entry = readdir(entries));) {
        if (!is_link(entry->d_name)) continue;
        ssize_t n = readlinkat(folder, entry->d_name, target, sizeof target - 1);
        if (n <= 0) continue;
        target[n] = '\0';
        found = strcmp(target, blob) == 0;
    }
    closedir(entries);
    return found;
}

static bool is_unneeded(int folder, const char *name, time_t now, int *looks)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return false;
    time_t age = now - st.st_mtime;
    if (is_left(name)) return age > DAY;
    if (is_link(name)) return faccessat(folder, name, F_OK, 0) < 0 && errno == ENOENT;
    if (!is_blob(name) || !S_ISREG(st.st_mode)) return false;
    if (age < UNUSED && (age < DAY || is_linked(folder, name))) return false;
    return --*looks >= 0 && !is_alive(name, &st);
}

/* Blobs first: their links lead nowhere then. */
static void remove_those(int folder, bool (*of_kind)(const char *), time_t now)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = again < 0 ? NULL : fdopendir(again);
    int looks = LOOKS;
    if (!entries) {
        if (again >= 0) close(again);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(entries));)
        if (of_kind(entry->d_name) && is_unneeded(folder, entry->d_name, now, &looks))
            unlinkat(folder, entry->d_name, 0);
    closedir(entries);
}

void eg_cache_prune(const char *path)
{
    int lock = eg_cache_lock(path, true);
    if (lock < 0) return; /* somebody is at it, or uses something: another time */
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0) {
        time_t now = time(NULL);
        remove_those(folder, is_blob, now);
        remove_those(folder, is_link, now);
        remove_those(folder, is_left, now);
        close(folder);
    }
    futimens(lock, NULL);
    close(lock);
}

void eg_cache_prune_at_times(const char *folder)
{
    char path[PATH_MAX];
    struct stat st;
    if (snprintf(path, sizeof path, "%s/.lock", folder) >= (int)sizeof path) return;
    time_t now = time(NULL);
    bool lately = lstat(path, &st) == 0 && st.st_mtime <= now && now - st.st_mtime < HOUR;
    if (!lately) eg_cache_prune(folder);
}
