// SPDX-License-Identifier: MIT
/* Purpose: what a process keeps over execve(2), taken from it; and who it is. */
#include "supervisor/estate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STATUS_MAX 16384
#define FILES_MAX  65536u

/* A file of /proc/PID, ended by NUL; -errno. */
static int read_text(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t n = read(fd, text, size - 1);
    int error = n < 0 ? -errno : 0;
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return error;
}

/* What follows "NAME:" at the start of a line; NULL: no such line. */
static const char *field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? at + strlen(name) : NULL;
}

static uint64_t number(const char *text, const char *name, int base)
{
    const char *at = field(text, name);
    return at ? strtoull(at, NULL, base) : 0;
}

/* --- Taking ------------------------------------------------------------------- */

/* Is descriptor `number` kept over an exec?  False also when it is closed by now. */
static bool is_kept(int folder, const char *name)
{
    char text[256];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return false;
    text[n] = '\0';
    return field(text, "flags:") && !(number(text, "flags:", 8) & O_CLOEXEC);
}

static int add_file(struct eg_estate *estate, int number)
{
    if (estate->file_count == FILES_MAX) return -EMFILE;
    struct eg_estate_file *more =
        reallocarray(estate->files, estate->file_count + 1, sizeof *estate->files);
    if (!more) return -ENOMEM;
    estate->files = more;
    int fd = (int)syscall(SYS_pidfd_getfd, estate->process, number, 0);
    if (fd < 0) return errno == EBADF ? 0 : -errno;
    estate->files[estate->file_count++] = (struct eg_estate_file){ number, fd };
    return 0;
}

/* Ours must lie above all of theirs, or the one would take the other's number. */
static int lift_files(struct eg_estate *estate)
{
    int top = 2;
    for (size_t i = 0; i < estate->file_count; i++)
        if (estate->files[i].number > top) top = estate->files[i].number;
    for (size_t i = 0; i < estate->file_count; i++) {
        int fd = fcntl(estate->files[i].fd, F_DUPFD_CLOEXEC, top + 1);
        if (fd < 0) return -errno;
        close(estate->files[i].fd);
        estate->files[i].fd = fd;
    }
    return 0;
}

static int take_files(struct eg_estate *estate)
{
    char path[64];
    int error = 0;
    snprintf(path, sizeof path, "/proc/%d/fdinfo", (int)estate->pid);
    DIR *folder = opendir(path);
    if (!folder) return -errno;
    for (const struct dirent *entry; !error && (entry = readdir(folder));) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
        if (is_kept(dirfd(folder), entry->d_name))
            error = add_file(estate, (int)strtol(entry->d_name, NULL, 10));
    }
    closedir(folder);
    return error ? error : lift_files(estate);
}

int eg_estate_take(pid_t pid, struct eg_estate *ret)
{
    char path[64], text[STATUS_MAX];
    *ret = (struct eg_estate){ .pid = pid, .cwd = -1 };
    ret->process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (ret->process < 0) return -errno;
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
    ret->cwd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (ret->cwd < 0) return -errno;
    int error = read_text(pid, "status", text, sizeof text);
    if (error) return error;
    ret->umask = (mode_t)number(text, "\nUmask:", 8);
    ret->blocked = number(text, "\nSigBlk:", 16);
    ret->ignored = number(text, "\nSigIgn:", 16);
    ret->priority = getpriority(PRIO_PROCESS, (id_t)pid);
    for (int i = 0; i < RLIM_NLIMITS; i++)
        if (syscall(SYS_prlimit64, pid, i, NULL, &ret->limits[i]) < 0) return -errno;
    return take_files(ret);
}

void eg_estate_done(struct eg_estate *estate)
{
    for (size_t i = 0; i < estate->file_count; i++) close(estate->files[i].fd);
    free(estate->files);
    if (estate->process > 0) close(estate->process);
    if (estate->cwd > 0) close(estate->cwd);
    *estate = (struct eg_estate){ .process = -1, .cwd = -1 };
}

/* --- Identity ------------------------------------------------------------------- */

static bool has_our_root(pid_t pid)
{
    char path[64];
    struct stat own, theirs;
    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    return stat("/", &own) == 0 && stat(path, &theirs) == 0 && own.st_dev == theirs.st_dev &&
           own.st_ino == theirs.st_ino;
}

bool eg_estate_identity(pid_t pid, unsigned char ret[EG_DIGEST_SIZE])
{
    static const char *const names[] = { "\nUid:",    "\nGid:",    "\nGroups:",
                                         "\nCapInh:", "\nCapPrm:", "\nCapEff:",
                                         "\nCapBnd:", "\nCapAmb:", "\nNoNewPrivs:" };
    char text[STATUS_MAX], lines[STATUS_MAX];
    size_t n = 0;
    if (!has_our_root(pid) || read_text(pid, "status", text, sizeof text)) return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *at = field(text, names[i]);
        size_t length = at ? strcspn(at, "\n") : sizeof lines;
        /* each line stands in `text' once, so they fit but for a lie */
        if (n + length + 1 > sizeof lines) return false;
        memcpy(lines + n, at, length);
        n += length;
        lines[n++] = '\n';
    }
    eg_digest(lines, n, ret);
    return true;
}

uint64_t eg_estate_pending(pid_t pid)
{
    char text[STATUS_MAX];
    if (read_text(pid, "status", text, sizeof text)) return 0;
    return number(text, "\nSigPnd:", 16) | number(text, "\nShdPnd:", 16);
}
