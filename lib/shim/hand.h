// SPDX-License-Identifier: MIT
/* The requests in hand of this process: what the hooks on connections tell, and what
 * an event asks.
 *
 * Nothing is allocated but one mapping at the first connection, whose pages stay
 * untouched until they are used; nothing waits.  A slot is changed by the one thread
 * that took it, by compare-and-swap; whoever finds it taken does without. */
#ifndef EG_SHIM_HAND_H
#define EG_SHIM_HAND_H

#include "shim/shim.h"
#include "web/hand.h"

extern struct eg_hand *eg_hand; /* atomic; NULL: no connection was ever accepted */

/* Entries of its `fds`. */
enum {
    EG_HAND_NO_CONNECTION = 0,
    /* 1 + slot: its head was taken, nothing more is looked at */
    EG_HAND_UNSEEN = 0x7f,    /* a connection whose requests are not known */
    EG_HAND_EXPECTING = 0x80, /* its first head is awaited; 0x81 + slot: the next bytes are */
    EG_HAND_LOOKS = 0x80
};

/* Was there ever one? */
static inline bool eg_hand_some(void)
{
    return __atomic_load_n(&eg_hand, __ATOMIC_RELAXED) != NULL;
}

static inline uint8_t eg_hand_entry(int fd)
{
    const struct eg_hand *hand = __atomic_load_n(&eg_hand, __ATOMIC_RELAXED);
    if (__builtin_expect(hand == NULL, 1) || (uint32_t)fd >= EG_HAND_FDS) return 0;
    return __atomic_load_n(&hand->fds[fd], __ATOMIC_RELAXED);
}

/* Are the bytes that are read from it looked at?  What every read asks. */
static inline bool eg_hand_looks(int fd)
{
    return __builtin_expect(eg_hand_entry(fd) & EG_HAND_LOOKS, 0);
}

/* This thread will wait for its next connection. */
void eg_hand_idle(void);

/* accept(2) returned this descriptor. */
void eg_hand_accepted(int fd);

/* A descriptor came from another process: is it a connection? */
void eg_hand_received(int fd);

/* These bytes were read from it. */
void eg_hand_read(int fd, const char *bytes, size_t n);

/* It will be closed. */
void eg_hand_close(int fd);
static inline void eg_hand_closing(int fd)
{
    if (__builtin_expect(eg_hand_entry(fd) != EG_HAND_NO_CONNECTION, 0)) eg_hand_close(fd);
}

/* The request that this thread serves, for an event; without one, the environment
 * that the process was started with.  Fills in `request' and the source of the
 * command.  What the event then points to stays until eg_hand_release. */
struct eg_hand_hold {
    uint64_t held; /* slots, by bit */
    struct eg_event_source source;
};
void eg_hand_describe(struct eg_event *event, struct eg_hand_hold *ret);
void eg_hand_release(const struct eg_hand_hold *hold);

#endif
