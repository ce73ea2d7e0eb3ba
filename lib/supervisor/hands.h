// SPDX-License-Identifier: MIT
/* Which request does a process serve?  Read out of its own table (web/hand.h), whose
 * address its shim told once.
 *
 * A worker can write anything there: nothing is decided by it, what is read is
 * bounded and checked, and events mark it as claimed. */
#ifndef EG_SUPERVISOR_HANDS_H
#define EG_SUPERVISOR_HANDS_H

#include "supervisor/images.h"
#include "web/hand.h"

#define EG_HANDS_SLOTS 1024u /* direct-mapped by process id */

struct eg_hands {
    uint32_t count; /* told so far; 0: nobody serves requests here */
    struct eg_hands_record {
        struct eg_process process;
        uint64_t address, cookie;
    } records[EG_HANDS_SLOTS];
};

/* A process told of its table; what it told before is forgotten. */
void eg_hands_take(struct eg_hands *hands, const struct eg_process *process, uint64_t address,
                   uint64_t cookie);

/* It has become another program. */
void eg_hands_forget(struct eg_hands *hands, pid_t tgid);

/* The request that this thread serves, or that its nearest ancestor with a table
 * serves, where that is certain.  *ret points into `memory`.  False: nobody knows. */
bool eg_hands_request(const struct eg_hands *hands, pid_t tid, pid_t tgid,
                      struct eg_web_request *memory, struct eg_event_request *ret);

/* A copy of its own, by one free(3) to end; NULL: none, or out of memory. */
struct eg_event_request *eg_hands_keep(const struct eg_hands *hands, pid_t tid);

#endif
