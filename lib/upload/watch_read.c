// SPDX-License-Identifier: MIT
/* Purpose: read a file's content once, and know when it need not be read again.
 *
 * A read lease (fcntl(2), F_SETLEASE) is granted only while nobody has the file
 * open for writing, and a writable mapping counts as open.  So: nobody wrote
 * while we read, and nobody writes now; in between, whoever wrote had to open
 * the file first, and his first store through a mapping, as any write, set ctime,
 * which nobody can set back. */
#include "upload/watch_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "content/content.h"

enum {
    PIECE = 128 * 1024,
    HOLE = 8192,           /* a longer hole is fed as this many zeros: nothing spans it */
    SETTLED_NS = 20000000, /* clocks of files tick every 1 to 10 ms before kernel 6.13 */
};

static bool feed_zeros(struct eg_content_state *state)
{
    static const char zeros[HOLE];
    return eg_content_feed(state, zeros, sizeof zeros);
}

int eg_watch_read(int fd, uint32_t contents, const atomic_bool *stop, uint32_t *ret_hits)
{
    static _Thread_local char piece[PIECE];
    struct eg_content_state state;
    off_t at = 0;
    eg_content_begin(&state, contents);
    for (;;) {
        if (stop && atomic_load(stop)) return -ECANCELED;
        ssize_t n = pread(fd, piece, sizeof piece, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0 || !eg_content_feed(&state, piece, (size_t)n)) break;
        at += n;
        if (n < PIECE || piece[PIECE - 1]) continue;
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break; /* nothing but a hole up to the end */
        if (data < at + HOLE) continue;
        if (!feed_zeros(&state)) break;
        at = data;
    }
    eg_content_end(&state, ret_hits);
    return 0;
}

bool eg_watch_is_written(int fd)
{
    if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0) return true;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
}

static struct eg_watch_known *slot(struct eg_watch *watch, uint64_t dev, uint64_t ino)
{
    uint64_t hash = (ino ^ dev * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    return &watch->known[(hash >> 32) % EG_WATCH_KNOWN];
}

static struct eg_watch_known describe(const struct stat *st, uint32_t contents)
{
    return (struct eg_watch_known){
        .dev = st->st_dev,
        .ino = st->st_ino,
        .size = (uint64_t)st->st_size,
        .ctime_s = st->st_ctim.tv_sec,
        .ctime_ns = (uint32_t)st->st_ctim.tv_nsec,
        .mtime_s = st->st_mtim.tv_sec,
        .mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
        .contents = contents,
    };
}

static bool same(const struct eg_watch_known *a, const struct eg_watch_known *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->ctime_s == b->ctime_s &&
           a->ctime_ns == b->ctime_ns && a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns;
}

bool eg_watch_is_known(struct eg_watch *watch, int fd, const struct stat *st, uint32_t contents)
{
    struct eg_watch_known now = describe(st, contents);
    pthread_mutex_lock(&watch->known_lock);
    const struct eg_watch_known *known = slot(watch, now.dev, now.ino);
    bool found = known->contents && same(known, &now) && !(contents & ~known->contents);
    pthread_mutex_unlock(&watch->known_lock);
    if (!found || eg_watch_is_written(fd)) return false;
    /* looked at again: it may have been written after st, up to the lease */
    struct stat after;
    if (fstat(fd, &after) < 0) return false;
    struct eg_watch_known then = describe(&after, contents);
    return same(&now, &then);
}

/* A change that follows within one tick of the file system's clock would show
 * the same ctime. */
static bool is_settled(const struct stat *st)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age = (now.tv_sec - st->st_ctim.tv_sec) * INT64_C(1000000000) +
                  (now.tv_nsec - st->st_ctim.tv_nsec);
    return age > SETTLED_NS;
}

bool eg_watch_look(struct eg_watch *watch, int fd, struct stat *ret)
{
    struct eg_watch_mount mount;
    if (fstat(fd, ret) < 0) *ret = (struct stat){ 0 };
    return eg_watch_find_mount(watch, 0, ret->st_dev, NULL, &mount) && mount.remembers &&
           is_settled(ret) && !eg_watch_is_written(fd);
}

void eg_watch_remember(struct eg_watch *watch, int fd, const struct stat *before, uint32_t contents)
{
    struct stat after;
    if (eg_watch_is_written(fd) || fstat(fd, &after) < 0) return;
    struct eg_watch_known a = describe(before, contents);
    struct eg_watch_known b = describe(&after, contents);
    if (!same(&a, &b)) return;
    pthread_mutex_lock(&watch->known_lock);
    *slot(watch, a.dev, a.ino) = a;
    pthread_mutex_unlock(&watch->known_lock);
}
