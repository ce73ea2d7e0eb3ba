// SPDX-License-Identifier: MIT
/* A hit leaves its tree: locked, moved or copied, described.  Everything is done
 * to the descriptor of the very file that was judged; its name is only taken away
 * while it is that file's. */
#include "upload/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/sha256.h"

enum { PIECE = 64 * 1024, NO_REPLACE = 1 /* RENAME_NOREPLACE, which musl does not name */ };

/* --- The folder --- */

/* Every folder above: nobody else may put another one in its place. */
static bool is_safe_above(const char *path)
{
    char above[PATH_MAX];
    for (size_t i = 0; path[i]; i++) {
        struct stat st;
        if (path[i] != '/') continue;
        memcpy(above, path, i + 1);
        above[i + (i == 0)] = '\0';
        if (lstat(above, &st) < 0 || !S_ISDIR(st.st_mode)) return false;
        if (st.st_uid != 0 && st.st_uid != geteuid()) return false;
        if (st.st_mode & 022 && !(st.st_mode & S_ISVTX)) return false;
    }
    return true;
}

int eg_quarantine_open(const char *folder)
{
    char above[PATH_MAX], top[PATH_MAX], real[PATH_MAX];
    const char *slash = strrchr(folder, '/');
    struct stat st;
    if (folder[0] != '/' || !slash[1] || strlen(folder) >= PATH_MAX) return -EINVAL;
    memcpy(above, folder, (size_t)(slash - folder) + 1);
    above[slash - folder + 1] = '\0';
    if (!realpath(above, top)) return -errno;
    int n = snprintf(real, sizeof real, "%s/%s", top[1] ? top : "", slash + 1);
    if (n < 0 || (size_t)n >= sizeof real) return -ENAMETOOLONG;
    if (!is_safe_above(real)) return -EPERM;
    if (mkdir(real, 0700) < 0 && errno != EEXIST) return -errno;
    int fd = open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & 077)) return fd;
    close(fd);
    return -EPERM;
}

/* --- The file --- */

static void magic_link(int fd, char ret[64])
{
    snprintf(ret, 64, "/proc/self/fd/%d", fd);
}

/* Owner and modes by descriptor; O_PATH takes neither fchown nor fchmod. */
static int set_modes(int fd, uid_t uid, gid_t gid, mode_t mode)
{
    char path[64];
    magic_link(fd, path);
    /* the owner first: chown takes set-id bits off, and the former owner could
     * change the mode again */
    if (geteuid() == 0 && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0) return -errno;
    return chmod(path, mode) < 0 ? -errno : 0;
}

void eg_quarantine_unlock(int fd)
{
    unsigned flags = 0;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0) return;
    if (!(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL))) return;
    flags &= ~(unsigned)(FS_IMMUTABLE_FL | FS_APPEND_FL);
    ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* Hash what the file holds; to >= 0: and copy it there. */
static int digest_file(int from, int to, struct eg_quarantined *ret)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[32];
    struct eg_sha256 sha;
    off_t at = 0;
    char *piece = malloc(PIECE);
    if (!piece) return -ENOMEM;
    eg_sha256_init(&sha);
    int r = 0;
    for (;;) {
        ssize_t n = pread(from, piece, PIECE, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) r = -errno;
        if (n <= 0) break;
        eg_sha256_feed(&sha, piece, (size_t)n);
        for (ssize_t done = 0; to >= 0 && done < n;) {
            ssize_t written = write(to, piece + done, (size_t)(n - done));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) {
                r = -errno;
                break;
            }
            done += written;
        }
        if (r) break;
        at += n;
    }
    free(piece);
    if (r) return r;
    eg_sha256_done(&sha, digest);
    for (size_t i = 0; i < 32; i++) {
        ret->digest[2 * i] = hex[digest[i] >> 4];
        ret->digest[2 * i + 1] = hex[digest[i] & 15];
    }
    ret->digest[64] = '\0';
    ret->size = (uint64_t)at;
    return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool names_file(int folder, const char *name, const struct stat *file)
{
    struct stat st;
    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_same(&st, file);
}

/* Never onto a file that is there; the new name is unique by itself where the
 * file system cannot promise that. */
static int move(int from, const char *name, int to, const char *new_name)
{
    if (syscall(SYS_renameat2, from, name, to, new_name, NO_REPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -errno;
    return renameat(from, name, to, new_name) < 0 ? -errno : 0;
}

/* Move the name, then see whether it was this file's.  What somebody else put
 * there in the meantime goes back. */
static int move_checked(int from, const char *name, int to, const char *new_name,
                        const struct stat *file)
{
    if (!names_file(from, name, file)) return -ESTALE;
    int r = move(from, name, to, new_name);
    if (r) return r == -ENOENT ? -ESTALE : r;
    if (names_file(to, new_name, file)) return 0;
    move(to, new_name, from, name);
    return -ESTALE;
}

/* The name goes, and nothing else that may stand there by then. */
static int remove_checked(int folder, const char *name, const struct stat *file,
                          const struct eg_quarantined *taken)
{
    char aside[NAME_MAX + 1];
    snprintf(aside, sizeof aside, ".execguard-%s", taken->name);
    int r = move_checked(folder, name, folder, aside, file);
    if (r) return r;
    return unlinkat(folder, aside, 0) < 0 ? -errno : 0;
}

static int copy(int quarantine, int parent, const char *name, int from, const struct stat *file,
                struct eg_quarantined *ret)
{
    struct eg_quarantined copied = { .digest = "" };
    int to = openat(quarantine, ret->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
    if (to < 0) return -errno;
    int r = digest_file(from, to, &copied);
    if (close(to) < 0 && !r) r = -errno;
    /* It may have been written to since it was named after its digest. */
    memcpy(ret->digest, copied.digest, sizeof ret->digest);
    ret->size = copied.size;
    if (!r) r = remove_checked(parent, name, file, ret);
    if (r) unlinkat(quarantine, ret->name, 0);
    return r;
}

/* --- The note --- */

static void put_string(FILE *out, const char *key, const char *value)
{
    if (!value || !*value) return;
    fprintf(out, ",\"%s\":\"", key);
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p < 0x20 || *p > 0x7e)
            fprintf(out, "\\u%04x", *p);
        else
            putc(*p, out);
    }
    putc('"', out);
}

static void put_time(FILE *out, const char *key, const struct timespec *t)
{
    char text[32];
    struct tm tm;
    if (!gmtime_r(&t->tv_sec, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
        return;
    fprintf(out, "\"%s\":\"%s.%06ldZ\"", key, text, t->tv_nsec / 1000);
}

/* A line of JSON beside the file.  Without it the file is kept all the same. */
static void write_note(int quarantine, const struct eg_quarantine_note *note,
                       const struct eg_quarantined *taken, const struct stat *st,
                       const struct timespec *now)
{
    char name[EG_QUARANTINE_NAME + 8];
    snprintf(name, sizeof name, "%s.json", taken->name);
    int fd = openat(quarantine, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    if (fd < 0) return;
    FILE *out = fdopen(fd, "w");
    if (!out) {
        close(fd);
        return;
    }
    putc('{', out);
    put_time(out, "time", now);
    put_string(out, "path", note->path);
    put_string(out, "sha256", taken->digest);
    fprintf(out, ",\"size\":%llu,\"uid\":%u,\"gid\":%u,\"mode\":\"%04o\",",
            (unsigned long long)taken->size, (unsigned)st->st_uid, (unsigned)st->st_gid,
            (unsigned)(st->st_mode & 07777));
    put_time(out, "modified", &st->st_mtim);
    put_string(out, "reason", note->reason);
    put_string(out, "kinds", note->kinds);
    put_string(out, "policy", note->policy);
    put_string(out, "request", note->request);
    fputs("}\n", out);
    fclose(out);
}

/* DIGEST-TIME-NANOSECONDS */
static void make_name(const struct timespec *now, struct eg_quarantined *ret)
{
    char text[24] = "";
    struct tm tm;
    if (gmtime_r(&now->tv_sec, &tm)) strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(ret->name, sizeof ret->name, "%s-%s-%09ld", *ret->digest ? ret->digest : "large", text,
             now->tv_nsec);
}

int eg_quarantine_take(int quarantine, int parent, const char *name, int fd,
                       const struct eg_quarantine_note *note, struct eg_quarantined *ret)
{
    struct eg_quarantined taken = { .digest = "" };
    struct timespec now;
    struct stat st;
    char path[64];
    if (fstat(fd, &st) < 0) return -errno;
    if (!S_ISREG(st.st_mode)) return -EINVAL;
    magic_link(fd, path);
    /* somebody's lease (fcntl(2)) is not waited for, nor does the kernel wait for it
     * when it asks a watcher (EPERM then): it is moved unread */
    int from = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (from < 0 && errno != EWOULDBLOCK && errno != EPERM) return -errno;
    bool readable = from >= 0;
    if (readable) eg_quarantine_unlock(from);
    /* What has other names besides must stay as it is under them. */
    bool alone = st.st_nlink == 1;
    int r = alone ? set_modes(fd, 0, 0, 0) : 0;
    bool locked = alone && r == 0;
    clock_gettime(CLOCK_REALTIME, &now);
    bool large = st.st_size > EG_QUARANTINE_DIGEST_MAX || !readable;
    taken.size = (uint64_t)st.st_size;
    if (!r && !large) r = digest_file(from, -1, &taken);
    if (!r) {
        make_name(&now, &taken);
        r = alone ? move_checked(parent, name, quarantine, taken.name, &st) : -EXDEV;
        if (r == -EXDEV && !readable) r = -EWOULDBLOCK;
        if (r == -EXDEV) r = large ? -EFBIG : copy(quarantine, parent, name, from, &st, &taken);
    }
    if (r && locked) set_modes(fd, st.st_uid, st.st_gid, st.st_mode & 07777);
    if (readable) close(from);
    if (r) return r;
    write_note(quarantine, note, &taken, &st, &now);
    *ret = taken;
    return 0;
}
