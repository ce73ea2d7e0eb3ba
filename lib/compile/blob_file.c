// SPDX-License-Identifier: MIT
/* Compiled policies as files, and whether what they were made from still is as
 * it was. */
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "compile/compile.h"

void eg_blob_free(struct eg_blob *blob)
{
    free(blob);
}

static int write_all(int fd, const void *data, size_t n)
{
    const char *p = data;
    while (n) {
        ssize_t r = write(fd, p, n);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return -errno;
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

/* Readers see the old file or the whole new one, also when two write at once. */
int eg_blob_write(const struct eg_blob *blob, const char *path)
{
    char *temporary = NULL;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) return -ENOMEM;
    int fd = mkostemp(temporary, O_CLOEXEC);
    int r = fd < 0 ? -errno : write_all(fd, blob, blob->size);
    if (r == 0 && fchmod(fd, 0644) < 0) r = -errno;
    if (fd >= 0 && close(fd) < 0 && r == 0) r = -errno;
    if (r == 0 && rename(temporary, path) < 0) r = -errno;
    if (r < 0 && fd >= 0) unlink(temporary);
    free(temporary);
    return r;
}

static int read_all(int fd, void *memory, size_t size, const char **ret_why)
{
    char *p = memory;
    while (size) {
        ssize_t n = read(fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) {
            *ret_why = "it is truncated";
            return -EINVAL;
        }
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

static int read_blob(int fd, struct eg_blob **ret_blob, const char **ret_why)
{
    struct stat st;
    if (fstat(fd, &st) < 0) return -errno;
    if (!S_ISREG(st.st_mode)) {
        *ret_why = "it is not a regular file";
        return -EINVAL;
    }
    if (st.st_size > (off_t)EG_BLOB_MAX) {
        *ret_why = "it is too large";
        return -EFBIG;
    }
    /* A copy, not a mapping: what was verified cannot change afterwards. */
    struct eg_blob *blob = malloc(st.st_size ? (size_t)st.st_size : 1);
    if (!blob) return -ENOMEM;
    const struct eg_blob *verified;
    int r = read_all(fd, blob, (size_t)st.st_size, ret_why);
    if (r == 0) r = eg_blob_verify(blob, (size_t)st.st_size, &verified, ret_why);
    if (r < 0)
        free(blob);
    else
        *ret_blob = blob;
    return r;
}

int eg_blob_read(const char *path, struct eg_blob **ret_blob, const char **ret_why)
{
    *ret_why = "it cannot be read";
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int r = read_blob(fd, ret_blob, ret_why);
    close(fd);
    return r;
}

static bool is_changed(const char *path, const struct eg_blob_dependency *d)
{
    struct statx st;
    if (eg_sys(__NR_statx, AT_FDCWD, path, AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, &st) < 0)
        return d->id.mode != 0;
    return d->id.mode != st.stx_mode || d->id.ino != st.stx_ino ||
           d->id.dev != ((uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor) ||
           d->id.size != st.stx_size || d->id.mtime_s != st.stx_mtime.tv_sec ||
           d->id.mtime_ns != st.stx_mtime.tv_nsec || d->uid != st.stx_uid || d->gid != st.stx_gid;
}

const char *eg_blob_stale(const struct eg_blob *blob)
{
    const struct eg_blob_dependency *dependencies = eg_blob_section(blob, EG_SECTION_DEPENDENCIES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_DEPENDENCIES); i++) {
        const char *path = eg_blob_cstr(blob, dependencies[i].path);
        if (is_changed(path, &dependencies[i])) return path;
    }
    return NULL;
}
