// SPDX-License-Identifier: MIT
/* The magic prctl(2) from shim to supervisor: prctl(EG_PRCTL_CALL, op, address).
 *
 * It needs no descriptor, survives closefrom(3) and chroot(2), and cannot name a
 * false sender.  Without a supervisor the kernel answers EINVAL.  Addresses are
 * the caller's; the supervisor copies what it wants, bounded. */
#ifndef EG_GUARD_CALL_H
#define EG_GUARD_CALL_H

#include <stdint.h>

#define EG_CALL_VERSION 1u

enum eg_call_op {
    EG_CALL_EVENT = 1, /* address: struct eg_call_event; returns 0 or -errno */
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
    uint32_t rule; /* EG_NONE: none */
    uint32_t has_line;
    uint32_t has_construct;
    uint32_t reserved;
    uint64_t offset;
    uint64_t argv; /* NULL-terminated array, or 0 */
    struct eg_call_string texts[EG_CALL_TEXTS];
};

#endif
