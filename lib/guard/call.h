// SPDX-License-Identifier: MIT
/* The magic prctl(2) from shim to supervisor: prctl(EG_PRCTL_CALL, op, ...).
 *
 * It needs no descriptor, survives closefrom(3) and chroot(2), and cannot name a
 * false sender.  Without a supervisor the kernel answers EINVAL.  Addresses are
 * the caller's; the supervisor copies what it wants, bounded. */
#ifndef EG_GUARD_CALL_H
#define EG_GUARD_CALL_H

#include <stdint.h>

#define EG_CALL_VERSION 3u

enum eg_call_op {
    /* address: struct eg_call_event; returns 0 or -errno */
    EG_CALL_EVENT = 1,
    /* path, address, size: the compiled policy, for a process that cannot open its
     * file (chroot, no descriptor left).  path must be EXECGUARD_POLICY as the
     * worker was started with it.  Returns the policy's size, and has written it
     * when `size` is no less; -ENOENT: it was started with another or none.  The
     * caller makes sure of it by the id that the kernel's filter answers to. */
    EG_CALL_POLICY = 2,
    /* Returns the step (EG_STEP_*) of the calling process as far as the supervisor
     * remembers whom it started. */
    EG_CALL_STEP = 3,
    /* Log mode: the shell that comes next would not start, since the rules allow its
     * line.  Returns 0; counts for nothing in enforce mode. */
    EG_CALL_PLAIN_LINE = 4,
    /* address, cookie: the requests that this process has in hand (web/hand.h), for
     * the events that the supervisor writes itself.  Once a process; returns 0. */
    EG_CALL_REQUESTS = 5,
};

enum eg_call_text {
    EG_CALL_NAME,
    EG_CALL_PROGRAM,
    EG_CALL_LINE,
    EG_CALL_CONSTRUCT,
    EG_CALL_PATH,
    EG_CALL_VARIABLE,
    EG_CALL_INNER,
    EG_CALL_SOURCE,
    EG_CALL_HINT,
    EG_CALL_METHOD,
    EG_CALL_URI,
    EG_CALL_SCRIPT,
    EG_CALL_HOST,
    EG_CALL_REMOTE,
    EG_CALL_TEST,
    EG_CALL_TEXTS
};

struct eg_call_string {
    uint64_t address;
    uint64_t size;
};

/* What a shim tells of an event; who, when and where the supervisor knows
 * better.  Enumerations as in event/event.h and decide/verdict.h. */
struct eg_call_event {
    uint32_t version;
    uint32_t action;
    uint32_t kind;
    uint32_t reason;
    /* Counts exec rules, then names of upload trees, then what those may not hold
     * (EG_SECTION_RULES, EG_SECTION_UPLOAD_NAMES, EG_SECTION_UPLOADS); EG_NONE: none. */
    uint32_t rule;
    uint32_t has_line;
    uint32_t has_construct;
    uint32_t source_argument; /* EG_NONE: not in an argument */
    uint32_t remote_from;     /* enum eg_event_remote */
    uint32_t reserved;
    uint64_t offset;
    uint64_t source_offset, source_length;
    uint64_t argv; /* NULL-terminated array, or 0 */
    struct eg_call_string texts[EG_CALL_TEXTS];
};

#endif
