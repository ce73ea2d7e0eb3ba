// SPDX-License-Identifier: MIT
/* The requests that a process has in hand: a table in its own memory, filled by the
 * shim (shim/hand.c) and read by it and, from outside, by the supervisor.
 *
 * Whoever reads it from outside believes nothing: eg_hand_choose looks at a copy of
 * the slots, eg_web_check at a copy of a request. */
#ifndef EG_WEB_HAND_H
#define EG_WEB_HAND_H

#include "web/head.h"

#define EG_HAND_VERSION 1u
#define EG_HAND_SLOTS   64u        /* requests at once */
#define EG_HAND_FDS     (1u << 20) /* descriptors: as many as fs.nr_open allows at first */

/* Low byte of a slot's state; the rest counts who looks at it. */
enum eg_hand_state {
    EG_HAND_FREE = 0,
    EG_HAND_BUSY,    /* one thread is changing it */
    EG_HAND_PARTIAL, /* a head that is not yet whole */
    EG_HAND_READY,   /* a request in hand */
    EG_HAND_ENDED,   /* over, but somebody still looks */
};
#define EG_HAND_STATE(word) ((word)&0xffu)
#define EG_HAND_USER        0x100u

struct eg_hand_slot {
    uint32_t state;    /* atomic */
    int32_t fd;        /* of the connection, -1: closed */
    uint64_t number;   /* counts the heads of this process */
    uint64_t thread;   /* who read it: address of its errno, the same in a forked child */
    uint64_t socket;   /* SO_COOKIE of the connection, which is never used again */
    uint32_t tid;      /* who read it, for the supervisor */
    uint32_t owner;    /* process in which tid was asked for */
    uint32_t protocol; /* enum eg_web_protocol */
    uint32_t keeps;    /* the connection may bring another request after this one */
};

_Static_assert(sizeof(struct eg_hand_slot) == 48, "no holes");

struct eg_hand_body {
    struct eg_web_head head;
    struct eg_web_request request;
};

/* Its first part, all that is needed to choose. */
struct eg_hand_top {
    uint64_t cookie;     /* told to the supervisor together with the address */
    uint32_t version;    /* EG_HAND_VERSION */
    uint32_t size;       /* sizeof(struct eg_hand) */
    uint32_t owner;      /* atomic: process that serves with this table */
    uint32_t registered; /* atomic: process that told the supervisor of it */
    uint32_t lost;       /* atomic: connections whose requests are not known */
    uint32_t retained;   /* atomic: closed FastCGI connections that still count */
    uint64_t numbers;    /* atomic */
    struct eg_hand_slot slots[EG_HAND_SLOTS];
};

struct eg_hand {
    struct eg_hand_top top;
    uint8_t fds[EG_HAND_FDS]; /* atomic; enum in shim/hand.c */
    struct eg_hand_body bodies[EG_HAND_SLOTS];
};

/* Who asks which request is in hand. */
struct eg_hand_who {
    bool by_tid;   /* `thread` is a tid, not a slot's own mark */
    bool somebody; /* any thread of the process: it is the caller's ancestor */
    uint64_t thread;
};

/* What can be said of the request that a thread serves. */
struct eg_hand_choice {
    bool any;     /* something is in hand at all */
    bool certain; /* it is slots[index] */
    uint32_t index;
    uint64_t among; /* not certain: bit by slot, one of them if any */
};

/* Which request does it serve?  Its own, where the connection carries no other; the
 * only one there is.  Else one of `among`: that whose field reached the command, or
 * nobody knows.  slots: states without users are READY or nothing. */
struct eg_hand_choice eg_hand_choose(const struct eg_hand_slot slots[EG_HAND_SLOTS], uint32_t lost,
                                     const struct eg_hand_who *who);

#endif
