// SPDX-License-Identifier: MIT
/* Purpose: what /proc says of who waits for an opening. */
#include "upload/watch_opener.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t slurp(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t n = read(fd, buf, size - 1);
    close(fd);
    if (n >= 0) buf[n] = '\0';
    return n;
}

static enum eg_watch_intent by_flags(unsigned long flags)
{
    return (flags & O_ACCMODE) == O_RDONLY ? EG_WATCH_INTENT_READ : EG_WATCH_INTENT_WRITE;
}

/* Whoever changes these words while we look is the opener himself. */
static enum eg_watch_intent by_open_how(pid_t thread, unsigned long address)
{
    struct open_how how = { 0 };
    struct iovec here = { &how.flags, sizeof how.flags };
    struct iovec there = { (void *)address, sizeof how.flags }; // NOLINT(performance-no-int-to-ptr)
    if (process_vm_readv(thread, &here, 1, &there, 1, 0) != (ssize_t)sizeof how.flags)
        return EG_WATCH_INTENT_UNKNOWN;
    return by_flags(how.flags);
}

enum eg_watch_intent eg_watch_opener_intent(pid_t thread)
{
    char path[64], text[256];
    unsigned long args[3];
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)thread);
    if (slurp(path, text, sizeof text) <= 0) return EG_WATCH_INTENT_UNKNOWN;
    char *at = text;
    long number = strtol(text, &at, 10);
    if (at == text) return EG_WATCH_INTENT_UNKNOWN; /* "running" */
    for (size_t i = 0; i < 3; i++) args[i] = strtoul(at, &at, 16);
    switch (number) {
#ifdef SYS_open
    case SYS_open: return by_flags(args[1]);
    case SYS_creat: return EG_WATCH_INTENT_WRITE;
#endif
    case SYS_openat: return by_flags(args[2]);
    case SYS_openat2: return by_open_how(thread, args[2]);
    case SYS_execve:
    case SYS_execveat: return EG_WATCH_INTENT_READ;
    default: return EG_WATCH_INTENT_UNKNOWN;
    }
}

static bool is_open_for_writing(int process, const char *name)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/fdinfo/%.20s", process, name);
    if (slurp(path, text, sizeof text) <= 0) return false;
    const char *flags = strstr(text, "flags:");
    return flags && (strtoul(flags + 6, NULL, 8) & O_ACCMODE) != O_RDONLY;
}

bool eg_watch_opener_writes(pid_t thread, dev_t dev, ino_t ino)
{
    char path[64];
    struct stat st;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)thread);
    DIR *folder = opendir(path);
    for (struct dirent *row; folder && !found && (row = readdir(folder));) {
        if (row->d_name[0] == '.') continue;
        if (fstatat(dirfd(folder), row->d_name, &st, 0) < 0) continue;
        found = st.st_dev == dev && st.st_ino == ino && is_open_for_writing(thread, row->d_name);
    }
    if (folder) closedir(folder);
    return found;
}

bool eg_watch_opener_is_ours(const struct eg_watch *watch, pid_t thread)
{
    char path[64], name[32];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)thread);
    if (stat(path, &st) < 0 || st.st_dev != watch->exe_dev || st.st_ino != watch->exe_ino)
        return false;
    snprintf(path, sizeof path, "/proc/%d", (int)thread);
    if (stat(path, &st) < 0 || st.st_uid != 0) return false;
    /* the agent is our program as well, and opens for others */
    snprintf(path, sizeof path, "/proc/%d/comm", (int)thread);
    return slurp(path, name, sizeof name) > 0 &&
           (strncmp(name, "watch-", 6) == 0 || strncmp(name, "scan", 4) == 0);
}

int eg_watch_path_of(int fd, char ret[PATH_MAX])
{
    static const char deleted[] = " (deleted)";
    char link[64];
    struct stat st;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, ret, PATH_MAX - 1);
    if (n < 0) return -errno;
    ret[n] = '\0';
    if (n >= PATH_MAX - 1) return -ENAMETOOLONG;
    size_t length = (size_t)n;
    if (length > sizeof deleted && !strcmp(ret + length - (sizeof deleted - 1), deleted) &&
        fstat(fd, &st) == 0 && st.st_nlink == 0)
        ret[length - (sizeof deleted - 1)] = '\0';
    return 0;
}
