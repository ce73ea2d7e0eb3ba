// SPDX-License-Identifier: MIT
/* Connections that a server accepts, and what it reads from them: the request that it
 * serves, for events.
 *
 * Calls go on to libc as they are, with its cancellation points, its errno and its
 * result; what was read is looked at afterwards, in the caller's own buffer.  A read
 * of anything but a connection whose head is awaited costs one look at a table. */
#include <linux/errno.h>

#include "shim/hooks.h"
#include "shim/hand.h"

typedef int accept_function(int fd, void *address, uint32_t *size);
typedef int accept4_function(int fd, void *address, uint32_t *size, int flags);
typedef long read_function(int fd, void *buffer, size_t n);
typedef long read_chk_function(int fd, void *buffer, size_t n, size_t size);
typedef long recv_function(int fd, void *buffer, size_t n, int flags);
typedef long recv_chk_function(int fd, void *buffer, size_t n, size_t size, int flags);
typedef long recvfrom_function(int fd, void *buffer, size_t n, int flags, void *address,
                               uint32_t *size);

/* Found at the start (class `net`), or when none has come before.  FOUND alone keeps
 * the way that every read takes without a frame. */
#define NEXT(function)      (function##_function *)eg_next(EG_NEXT_##function)
#define NEXT_CHK(function)  (function##_chk_function *)eg_next(EG_NEXT___##function##_chk)
#define FOUND(function)     (function##_function *)found(EG_NEXT_##function)
#define FOUND_CHK(function) (function##_chk_function *)found(EG_NEXT___##function##_chk)
#define PASSES(next, fd)    __builtin_expect((next) && !eg_hand_looks(fd), 1)

static inline eg_function found(enum eg_next which)
{
    return __atomic_load_n(&eg_next_found[which], __ATOMIC_RELAXED);
}

/* include/linux/socket.h of the kernel: not for users, but the same everywhere */
#define PEEK     0x02
#define TRUNCATE 0x20

/* What was only looked at comes again. */
static long looked(long r, int fd, const void *buffer, size_t n, int flags)
{
    if (r > 0 && eg_hand_looks(fd) && !(flags & (PEEK | TRUNCATE)))
        eg_hand_read(fd, buffer, (size_t)r < n ? (size_t)r : n);
    return r;
}

/* ---- accepting ---- */

static int accepted(int fd)
{
    if (fd >= 0) eg_hand_accepted(fd);
    return fd;
}

int accept(int fd, void *address, uint32_t *size)
{
    accept_function *next = NEXT(accept);
    if (!next) return (int)eg_shim_result(-ENOSYS);
    eg_hand_idle();
    return accepted(next(fd, address, size));
}

int accept4(int fd, void *address, uint32_t *size, int flags)
{
    accept4_function *next = NEXT(accept4);
    if (!next) return (int)eg_shim_result(-ENOSYS);
    eg_hand_idle();
    return accepted(next(fd, address, size, flags));
}

/* ---- reading ---- */

/* A call that is passed on by a jump leaves no frame of ours; the others are kept
 * apart from it. */
#define SLOW static __attribute__((noinline)) long

SLOW absent(void)
{
    return eg_shim_result(-ENOSYS);
}

/* A read of a connection whose head is awaited, or the first call of all. */
SLOW look_read(int fd, void *buffer, size_t n)
{
    read_function *next = NEXT(read);
    return next ? looked(next(fd, buffer, n), fd, buffer, n, 0) : absent();
}

SLOW look_read_chk(int fd, void *buffer, size_t n, size_t size)
{
    read_chk_function *next = NEXT_CHK(read);
    return next ? looked(next(fd, buffer, n, size), fd, buffer, n, 0) : absent();
}

SLOW look_recv(int fd, void *buffer, size_t n, int flags)
{
    recv_function *next = NEXT(recv);
    return next ? looked(next(fd, buffer, n, flags), fd, buffer, n, flags) : absent();
}

SLOW look_recv_chk(int fd, void *buffer, size_t n, size_t size, int flags)
{
    recv_chk_function *next = NEXT_CHK(recv);
    return next ? looked(next(fd, buffer, n, size, flags), fd, buffer, n, flags) : absent();
}

SLOW look_recvfrom(int fd, void *buffer, size_t n, int flags, void *address, uint32_t *size)
{
    recvfrom_function *next = NEXT(recvfrom);
    if (!next) return absent();
    return looked(next(fd, buffer, n, flags, address, size), fd, buffer, n, flags);
}

long read(int fd, void *buffer, size_t n)
{
    read_function *next = FOUND(read);
    return PASSES(next, fd) ? next(fd, buffer, n) : look_read(fd, buffer, n);
}

long __read_chk(int fd, void *buffer, size_t n, size_t size)
{
    read_chk_function *next = FOUND_CHK(read);
    return PASSES(next, fd) ? next(fd, buffer, n, size) : look_read_chk(fd, buffer, n, size);
}

long recv(int fd, void *buffer, size_t n, int flags)
{
    recv_function *next = FOUND(recv);
    return PASSES(next, fd) ? next(fd, buffer, n, flags) : look_recv(fd, buffer, n, flags);
}

long __recv_chk(int fd, void *buffer, size_t n, size_t size, int flags)
{
    recv_chk_function *next = FOUND_CHK(recv);
    if (PASSES(next, fd)) return next(fd, buffer, n, size, flags);
    return look_recv_chk(fd, buffer, n, size, flags);
}

long recvfrom(int fd, void *buffer, size_t n, int flags, void *address, uint32_t *size)
{
    recvfrom_function *next = FOUND(recvfrom);
    if (PASSES(next, fd)) return next(fd, buffer, n, flags, address, size);
    return look_recvfrom(fd, buffer, n, flags, address, size);
}

/* ---- messages, which bring descriptors as well ---- */

/* What both libcs agree on: musl has 32 bits and padding where glibc has 64. */
struct part {
    char *p;
    size_t n;
};
struct message {
    void *name;
    uint32_t name_size;
    struct part *parts;
    uint32_t part_count, padding_1;
    char *control;
    uint32_t control_size, padding_2;
    int flags;
};
struct control {
    uint32_t size, padding;
    int level, type;
};
#define RIGHTS        1
#define CONTROL_ALIGN 8u

static void receive_rights(const struct message *m)
{
    for (uint32_t at = 0; m->control && m->control_size - at >= sizeof(struct control);) {
        const struct control *c = (const struct control *)(const void *)(m->control + at);
        if (c->size < sizeof(*c) || c->size > m->control_size - at) return;
        const int *fds = (const int *)(const void *)(c + 1);
        if (c->level == 1 /* SOL_SOCKET */ && c->type == RIGHTS)
            for (uint32_t i = 0; i < (c->size - sizeof(*c)) / sizeof(int); i++)
                eg_hand_received(fds[i]);
        uint32_t step = (c->size + CONTROL_ALIGN - 1) & ~(CONTROL_ALIGN - 1);
        if (step > m->control_size - at) return;
        at += step;
    }
}

SLOW look_message(int fd, const struct message *m, long r, int flags)
{
    long left = r;
    if (r >= 0 && m->control_size) receive_rights(m);
    if (r <= 0 || flags & (PEEK | TRUNCATE) || !eg_hand_looks(fd)) return r;
    for (uint32_t i = 0; i < m->part_count && left > 0; i++) {
        size_t n = m->parts[i].n < (size_t)left ? m->parts[i].n : (size_t)left;
        if (n) eg_hand_read(fd, m->parts[i].p, n);
        left -= (long)n;
    }
    return r;
}

long recvmsg(int fd, void *message, int flags)
{
    typedef long recvmsg_function(int, void *, int);
    recvmsg_function *next = NEXT(recvmsg);
    const struct message *m = message;
    if (__builtin_expect(!next, 0)) return absent();
    if (!m || (!m->control_size && !eg_hand_looks(fd))) return next(fd, message, flags);
    return look_message(fd, m, next(fd, message, flags), flags);
}
