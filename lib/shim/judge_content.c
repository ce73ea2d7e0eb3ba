// SPDX-License-Identifier: MIT
/* What a finished file holds: read as a whole, before it gets a name in an upload
 * tree, and when a descriptor that wrote it is closed.
 *
 * Nobody but this process may have the rights to move what it finds, and a name can
 * be changed between the look and the act.  So what was found at close is emptied
 * through the descriptor itself, whatever it is called by then, and its name is
 * taken away. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include "base/sha256.h"
#include "base/sys.h"
#include "content/content.h"
#include "shim/file.h"

#define PIECE 4096u /* half of it: a multiple of tar's blocks */

/* ---- reading ---- */

/* A descriptor of the same file that reads from its start. */
static int reopen(int fd)
{
    char link[48];
    struct eg_buf b = eg_buf_over(link, sizeof(link));
    eg_buf_add(&b, "/proc/thread-self/fd/");
    eg_buf_i64(&b, fd);
    const char *name = eg_buf_cstr(&b);
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    long r = eg_sys(__NR_openat, AT_FDCWD, name, flags, 0);
    if (r != -EACCES) return (int)r;
    /* Made unreadable: its owner could as well make it readable later. */
    struct statx st;
    if (eg_sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_MODE, &st)) return -EACCES;
    if (eg_sys(__NR_fchmod, fd, (st.stx_mode & EG_MODE_BITS) | S_IRUSR)) return -EACCES;
    r = eg_sys(__NR_openat, AT_FDCWD, name, flags, 0);
    eg_sys(__NR_fchmod, fd, st.stx_mode & EG_MODE_BITS);
    return (int)r;
}

/* O_DIRECT wants memory and lengths that we do not have. */
static bool is_readable(int fd)
{
    long flags = eg_sys(__NR_fcntl, fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY && !(flags & (O_PATH | O_DIRECT));
}

/* A file that is read from offset 0 on, whatever the descriptor's own offset is. */
struct reading {
    int fd;
    bool sparse;  /* holes are looked for; that moves the descriptor's offset */
    long offset;  /* where it was: behind the end, of fopen(3)'s "a+" */
    uint64_t at;  /* the next byte */
    uint64_t end; /* enough, of a file that grows while it is read */
};

/* What the file's size may grow by while it is read. */
#define GROWTH (UINT64_C(64) << 20)

static void begin(struct reading *reading, int fd, bool fresh)
{
    struct statx st;
    *reading = (struct reading){ .fd = fd, .end = UINT64_MAX };
    if (eg_sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_SIZE | STATX_BLOCKS, &st)) return;
    reading->sparse = fresh && st.stx_blocks < st.stx_size / 512;
    reading->end = st.stx_size + GROWTH;
    if (reading->sparse) reading->offset = eg_sys(__NR_lseek, fd, 0, SEEK_CUR);
}

static void end(const struct reading *reading)
{
    if (reading->sparse) eg_sys(__NR_lseek, reading->fd, reading->offset, SEEK_SET);
}

/* The length of a hole here.  It is as long as somebody says. */
static uint64_t hole_at(const struct reading *reading)
{
    long data = eg_sys(__NR_lseek, reading->fd, reading->at, SEEK_DATA);
    if (data == -ENXIO) data = eg_sys(__NR_lseek, reading->fd, 0, SEEK_END);
    return data > 0 && (uint64_t)data > reading->at ? (uint64_t)data - reading->at : 0;
}

static long read_piece(struct reading *reading, char piece[PIECE])
{
    uint64_t hole = reading->sparse ? hole_at(reading) : 0;
    if (hole > PIECE) {
        /* some of its zeros are as good as all; where the next byte lies in its block
         * stays the same */
        __builtin_memset(piece, 0, PIECE);
        reading->at += hole;
        return (long)(PIECE / 2 + hole % (PIECE / 2));
    }
    long n = -EINTR;
    while (n == -EINTR) n = eg_sys(__NR_pread64, reading->fd, piece, PIECE, reading->at);
    if (n > 0) reading->at += (uint64_t)n;
    return n;
}

static __attribute__((noinline)) int scan(int fd, bool fresh, uint32_t contents, uint32_t *ret_hits)
{
    struct eg_content_state state;
    struct reading reading;
    char piece[PIECE];
    long n = 1;
    begin(&reading, fd, fresh);
    eg_content_begin(&state, contents);
    while (n > 0 && reading.at < reading.end) {
        n = read_piece(&reading, piece);
        if (n > 0 && !eg_content_feed(&state, piece, (size_t)n)) break;
    }
    end(&reading);
    if (n < 0) return (int)n;
    eg_content_end(&state, ret_hits);
    return 0;
}

int eg_content_read(int fd, uint32_t contents, uint32_t *ret_hits)
{
    if (is_readable(fd)) return scan(fd, false, contents, ret_hits);
    int again = reopen(fd);
    if (again < 0) return again;
    int r = scan(again, true, contents, ret_hits);
    eg_sys(__NR_close, again);
    return r;
}

int eg_content_read_fresh(int fd, uint32_t contents, uint32_t *ret_hits)
{
    int r = scan(fd, true, contents, ret_hits);
    return r == -EINVAL ? eg_content_read(fd, contents, ret_hits) : r;
}

/* ---- closing ---- */

/* Take the name away where it is still this file's. */
static void remove_name(int fd, const struct eg_place *place)
{
    struct statx named;
    struct statx open;
    if (eg_sys(__NR_statx, AT_FDCWD, place->path.p, AT_SYMLINK_NOFOLLOW, STATX_INO, &named) ||
        eg_sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_INO, &open))
        return;
    if (named.stx_ino == open.stx_ino && named.stx_dev_major == open.stx_dev_major &&
        named.stx_dev_minor == open.stx_dev_minor)
        eg_sys(__NR_unlinkat, AT_FDCWD, place->path.p, 0);
}

/* What a file at this place may not hold; *ret_upload is the tree that says so. */
static uint32_t contents_at(const struct eg_place *place, uint32_t *ret_upload)
{
    struct eg_write_decision decision;
    struct eg_write_request request = { .op = EG_WRITE_OPEN,
                                        .path = place->path,
                                        .mode = place->mode };
    if (!eg_str_starts(place->path, EG_STR("/"))) return 0;
    if ((place->mode & S_IFMT) != S_IFREG || place->links == 0) return 0;
    if (eg_decide_upload_of(eg_shim.blob, place->path) == EG_NONE) return 0;
    eg_decide_write(eg_shim.blob, &request, &decision);
    *ret_upload = decision.upload;
    return decision.contents;
}

static __attribute__((noinline)) int judge_closing(const char *call, int fd)
{
    struct eg_place place;
    struct eg_write_decision decision;
    uint32_t hits = 0;
    uint32_t upload = EG_NONE;
    if (eg_place_of(fd, &place)) return 0;
    uint32_t wanted = contents_at(&place, &upload);
    if (!wanted) return 0;
    int r = eg_content_read(fd, wanted, &hits);
    if (r == 0 && hits == 0) return 0;
    eg_decide_content(eg_shim.blob, upload, r ? wanted : hits, &decision);
    if (r) decision.reason = EG_REASON_UNREADABLE;
    if (decision.verdict == EG_VERDICT_ALLOW) return 0;
    eg_change_report(call, &decision, EG_KIND_CONTENT, place.path);
    if (decision.verdict != EG_VERDICT_DENY || eg_shim.blob->flags & EG_BLOB_LOG_MODE) return 0;
    eg_sys(__NR_ftruncate, fd, 0);
    remove_name(fd, &place);
    return -EACCES;
}

/* One call for what only reads; the rest is for what wrote. */
static bool writes(int fd)
{
    if (!(eg_file_ask() & EG_FILE_CLOSE)) return false;
    long flags = eg_sys(__NR_fcntl, fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
}

static __attribute__((noinline)) bool concerns(int fd)
{
    struct eg_place place;
    uint32_t upload;
    return eg_place_of(fd, &place) == 0 && contents_at(&place, &upload) != 0;
}

bool eg_content_concerns(int fd)
{
    return writes(fd) && concerns(fd);
}

int eg_content_closing(const char *call, int fd)
{
    return writes(fd) ? judge_closing(call, fd) : 0;
}
