// SPDX-License-Identifier: MIT
/* Tries of the hooks on files.  words[0]: the path to make or change; words[1]: the
 * old name, the link's text, the mode (octal) or the content, as the call wants it.
 * Each prints RAN when its call succeeded. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hooks.h"

static int result(long r)
{
    if (r == -1) return failed(errno);
    return puts("RAN") < 0;
}

/* ---- opening ---- */

#define NEW (O_CREAT | O_WRONLY | O_EXCL)
#define TRY(name, ...)                                                                             \
    int try_##name(void)                                                                           \
    {                                                                                              \
        return result(__VA_ARGS__);                                                                \
    }

TRY(open, open(words[0], NEW, 0644))
TRY(openat, openat(AT_FDCWD, words[0], NEW, 0644))
TRY(creat, creat(words[0], 0644))

static int open_by_name(const char *name)
{
    int (*f)(const char *, int, ...) = find(name);
    return f(words[0], NEW, 0644);
}
TRY(open64, open_by_name("open64"))
TRY(__open, open_by_name("__open"))
TRY(__open64, open_by_name("__open64"))

static int creat_by_name(const char *name)
{
    int (*f)(const char *, mode_t) = find(name);
    return f(words[0], 0644);
}
TRY(creat64, creat_by_name("creat64"))

static int openat_by_name(const char *name)
{
    int (*f)(int, const char *, int, ...) = find(name);
    return f(AT_FDCWD, words[0], NEW, 0644);
}
TRY(openat64, openat_by_name("openat64"))

/* These never create. */
static int open_2_by_name(const char *name)
{
    int (*f)(const char *, int) = find(name);
    return f(words[0], O_WRONLY);
}
TRY(__open_2, open_2_by_name("__open_2"))
TRY(__open64_2, open_2_by_name("__open64_2"))

static int openat_2_by_name(const char *name)
{
    int (*f)(int, const char *, int) = find(name);
    return f(AT_FDCWD, words[0], O_WRONLY);
}
TRY(__openat_2, openat_2_by_name("__openat_2"))
TRY(__openat64_2, openat_2_by_name("__openat64_2"))

int try_posix_spawn_file_actions_addopen(void)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    int r = posix_spawn_file_actions_addopen(&actions, 1, words[0], NEW, 0644);
    return r ? failed(r) : puts("RAN") < 0;
}

/* ---- streams ---- */

static int stream(FILE *file)
{
    return result(file ? 0 : -1);
}
int try_fopen(void)
{
    return stream(fopen(words[0], "w"));
}
static int fopen_by_name(const char *name)
{
    FILE *(*f)(const char *, const char *) = find(name);
    return stream(f(words[0], "w"));
}
int try_fopen64(void)
{
    return fopen_by_name("fopen64");
}
int try__IO_fopen(void)
{
    return fopen_by_name("_IO_fopen");
}
int try_freopen(void)
{
    return stream(freopen(words[0], "w", stdin));
}
int try_freopen64(void)
{
    FILE *(*f)(const char *, const char *, FILE *) = find("freopen64");
    return stream(f(words[0], "w", stdin));
}

/* ---- closing ---- */

static int written(void)
{
    int fd = open(words[0], O_CREAT | O_WRONLY, 0644);
    if (fd < 0 || write(fd, words[1], strlen(words[1])) < 0) exit(3);
    return fd;
}
int try_close(void)
{
    return result(close(written()));
}
int try___close(void)
{
    int (*f)(int) = find("__close");
    return result(f(written()));
}
static FILE *filled(void)
{
    FILE *file = fopen(words[0], "w");
    if (!file || fputs(words[1], file) < 0) exit(3);
    return file;
}
int try_fclose(void)
{
    return result(fclose(filled()));
}
int try__IO_fclose(void)
{
    int (*f)(FILE *) = find("_IO_fclose");
    return result(f(filled()));
}

/* ---- folders and nodes ---- */

TRY(mkdir, mkdir(words[0], 0755))
TRY(mkdirat, mkdirat(AT_FDCWD, words[0], 0755))
TRY(mknod, mknod(words[0], S_IFREG | 0644, 0))
TRY(mknodat, mknodat(AT_FDCWD, words[0], S_IFREG | 0644, 0))
TRY(mkfifo, mkfifo(words[0], 0644))
TRY(mkfifoat, mkfifoat(AT_FDCWD, words[0], 0644))

int try___xmknod(void)
{
    int (*f)(int, const char *, mode_t, dev_t *) = find("__xmknod");
    dev_t device = 0;
    return result(f(0, words[0], S_IFREG | 0644, &device));
}
int try___xmknodat(void)
{
    int (*f)(int, int, const char *, mode_t, dev_t *) = find("__xmknodat");
    dev_t device = 0;
    return result(f(0, AT_FDCWD, words[0], S_IFREG | 0644, &device));
}

/* ---- temporary files: what follows the last X is the suffix ---- */

static int suffix(void)
{
    return (int)strlen(strrchr(words[0], 'X') + 1);
}
TRY(mkstemp, mkstemp(words[0]))
TRY(mkostemp, mkostemp(words[0], O_CLOEXEC))
TRY(mkstemps, mkstemps(words[0], suffix()))
TRY(mkostemps, mkostemps(words[0], suffix(), O_CLOEXEC))

static int temporary(const char *name, int first, int second)
{
    int (*f)(char *, int, int) = find(name);
    return f(words[0], first, second);
}
TRY(mkstemp64, temporary("mkstemp64", 0, 0))
TRY(mkostemp64, temporary("mkostemp64", O_CLOEXEC, 0))
TRY(mkstemps64, temporary("mkstemps64", suffix(), 0))
TRY(mkostemps64, temporary("mkostemps64", suffix(), O_CLOEXEC))
TRY(mkdtemp, mkdtemp(words[0]) ? 0 : -1)

/* ---- links, moves ---- */

TRY(symlink, symlink(words[1], words[0]))
TRY(symlinkat, symlinkat(words[1], AT_FDCWD, words[0]))
TRY(link, link(words[1], words[0]))
TRY(linkat, linkat(AT_FDCWD, words[1], AT_FDCWD, words[0], 0))
TRY(rename, rename(words[1], words[0]))
TRY(renameat, renameat(AT_FDCWD, words[1], AT_FDCWD, words[0]))

int try_renameat2(void)
{
    int (*f)(int, const char *, int, const char *, unsigned) = find("renameat2");
    return result(f(AT_FDCWD, words[1], AT_FDCWD, words[0], 0));
}
int try_bind(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", words[0]);
    return result(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

/* ---- removing ---- */

TRY(unlink, unlink(words[0]))
TRY(unlinkat, unlinkat(AT_FDCWD, words[0], 0))
TRY(rmdir, rmdir(words[0]))
TRY(remove, remove(words[0]))

/* ---- files that are there ---- */

static mode_t mode(void)
{
    return (mode_t)strtoul(words[1], NULL, 8);
}
TRY(truncate, truncate(words[0], 0))
TRY(chmod, chmod(words[0], mode()))
TRY(lchmod, lchmod(words[0], mode()))
TRY(fchmod, fchmod(open(words[0], O_RDONLY), mode()))
TRY(fchmodat, fchmodat(AT_FDCWD, words[0], mode(), 0))

int try_truncate64(void)
{
    int (*f)(const char *, int64_t) = find("truncate64");
    return result(f(words[0], 0));
}

/* An access control list with these permissions for the owner (acl(5)). */
static const void *list(void)
{
    static unsigned char value[] = { 2,    0, 0, 0,                     /* version */
                                     1,    0, 0, 0, 255, 255, 255, 255, /* owner */
                                     4,    0, 4, 0, 255, 255, 255, 255, /* group */
                                     0x20, 0, 4, 0, 255, 255, 255, 255 /* others */ };
    value[6] = (unsigned char)(mode() >> 6 & 7);
    return value;
}
#define ACL  "system.posix_acl_access"
#define SIZE (4 + 3 * 8)
static int listed(int r)
{
    if (r && errno == EOPNOTSUPP) {
        printf("%s: absent\n", function);
        return 0;
    }
    return result(r);
}
int try_setxattr(void)
{
    return listed(setxattr(words[0], ACL, list(), SIZE, 0));
}
int try_lsetxattr(void)
{
    return listed(lsetxattr(words[0], ACL, list(), SIZE, 0));
}
int try_fsetxattr(void)
{
    return listed(fsetxattr(open(words[0], O_RDONLY), ACL, list(), SIZE, 0));
}
