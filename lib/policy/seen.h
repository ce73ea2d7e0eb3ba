// SPDX-License-Identifier: MIT
/* A set of texts with the place of each first one, to find repetitions in
 * linear time. */
#ifndef EG_POLICY_SEEN_H
#define EG_POLICY_SEEN_H

#include "policy/ast.h"

struct eg_seen_slot {
    uint64_t hash; /* 0: free */
    char *key;
    size_t length;
    struct eg_span span;
};

struct eg_seen {
    struct eg_seen_slot *slots;
    size_t count;
    size_t capacity; /* a power of two */
};

/* Note a text (copied).  0: new; 1: seen before, *ret_first is where; -ENOMEM. */
int eg_seen_add(struct eg_seen *seen, struct eg_str key, struct eg_span span,
                struct eg_span *ret_first);
void eg_seen_done(struct eg_seen *seen);

#endif
