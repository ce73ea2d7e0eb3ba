// SPDX-License-Identifier: MIT
/* One write into whatever an open descriptor is, without waiting and without
 * the signals that a write can raise.
 *
 * A guarded process may have lost its error log's reader, run into
 * RLIMIT_FSIZE, or stand in a terminal's background: SIGPIPE, SIGXFSZ and
 * SIGTTOU would end or stop it for the sake of a message. */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <linux/time_types.h>

#include "base/sys.h"
#include "event/event.h"

enum {
    MSG_FLAGS = 0x40 | 0x4000
}; /* MSG_DONTWAIT | MSG_NOSIGNAL, <linux/socket.h> of the kernel */
enum { SIGSET_BYTES = 8, RETRIES = 8, TTY_CHUNK = 256 };

static const uint64_t write_signals =
    1ull << (SIGPIPE - 1) | 1ull << (SIGXFSZ - 1) | 1ull << (SIGTTOU - 1);

/* Blocks the signals for this thread; what was pending before is not ours. */
struct quiet {
    uint64_t mask;
    uint64_t pending;
    bool active;
};

static void hush(struct quiet *q)
{
    q->pending = 0;
    q->active = eg_sys(__NR_rt_sigprocmask, SIG_BLOCK, &write_signals, &q->mask, SIGSET_BYTES) == 0;
    if (q->active) eg_sys(__NR_rt_sigpending, &q->pending, SIGSET_BYTES);
}

/* Takes back what the write itself raised: those are sent to the thread that
 * writes (signal(7)), so none of another thread's is lost. */
static void unhush(struct quiet *q, long result)
{
    if (!q->active) return;
    uint64_t raised = result == -EPIPE   ? 1ull << (SIGPIPE - 1)
                      : result == -EFBIG ? 1ull << (SIGXFSZ - 1)
                                         : 0;
    raised &= ~q->pending;
    const struct __kernel_timespec at_once = { 0, 0 };
    if (raised) eg_sys(__NR_rt_sigtimedwait, &raised, NULL, &at_once, SIGSET_BYTES);
    eg_sys(__NR_rt_sigprocmask, SIG_SETMASK, &q->mask, NULL, SIGSET_BYTES);
}

static bool is_writable_now(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    const struct __kernel_timespec at_once = { 0, 0 };
    return eg_sys(__NR_ppoll, &p, 1, &at_once, NULL, SIGSET_BYTES) == 1 &&
           (p.revents & (POLLOUT | POLLERR | POLLHUP));
}

/* Pipes, terminals and devices.  A pipe takes up to PIPE_BUF bytes whole when
 * it is writable; the flag covers another writer between poll and write.  What
 * does not know the flag (terminals) is asked before each small piece. */
static long write_stream(int fd, const char *bytes, size_t n)
{
    if (!is_writable_now(fd)) return -EAGAIN;
    struct iovec {
        const void *base;
        size_t length;
    } vector = { bytes, n };
    long r = eg_sys(__NR_pwritev2, fd, &vector, 1, -1L, -1L, RWF_NOWAIT);
    if (r != -EOPNOTSUPP && r != -ENOSYS && r != -EINVAL) return r;
    size_t done = 0;
    while (done < n) {
        size_t piece = n - done < TTY_CHUNK ? n - done : TTY_CHUNK;
        if (done && !is_writable_now(fd)) break;
        r = eg_sys(__NR_write, fd, bytes + done, piece);
        if (r <= 0) return done ? (long)done : r;
        done += (size_t)r;
    }
    return (long)done;
}

int eg_sink_write_fd(int fd, const char *bytes, size_t n)
{
    struct statx st;
    long r = eg_sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);
    if (r < 0) return (int)r;
    unsigned type = st.stx_mode & S_IFMT;
    struct quiet quiet;
    hush(&quiet);
    for (int tries = 0; tries < RETRIES; tries++) {
        if (type == S_IFSOCK)
            r = eg_sys(__NR_sendto, fd, bytes, n, MSG_FLAGS, NULL, 0);
        else if (type == S_IFREG)
            r = eg_sys(__NR_write, fd, bytes, n);
        else
            r = write_stream(fd, bytes, n);
        if (r != -EINTR) break;
    }
    unhush(&quiet, r);
    if (r < 0) return (int)r;
    return (size_t)r == n ? 0 : -ENOSPC;
}
