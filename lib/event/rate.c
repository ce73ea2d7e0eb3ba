// SPDX-License-Identifier: MIT
/* Token buckets in memory that forked children and threads share: each update
 * is one compare-and-swap, so that a process which dies or is stopped in the
 * middle holds nobody up.
 *
 * The keys are few (rule and program), but an attacker can make up programs.
 * So a key gets a slot near its home; when none is free, one whose bucket is
 * full again and that owes no count; and when all are busy, it shares its
 * home's bucket.  The whole table lets out no more than EG_RATE_SLOTS times the
 * rate, whatever is thrown at it. */
#include "event/event.h"

enum { NEIGHBOURS = 8, TIME_BITS = 40 };

static const uint64_t time_mask = (1ull << TIME_BITS) - 1;
static const uint64_t token = 1000; /* a token in thousandths: per_second a millisecond */
static const uint32_t burst_max = 16000;

/* What is in the bucket now.  State 0 is a bucket that nobody used: full. */
static uint64_t refill(uint64_t state, uint64_t now_ms, uint64_t per_second, uint64_t full)
{
    if (!state) return full;
    uint64_t held = state >> TIME_BITS;
    uint64_t then = state & time_mask;
    /* Clocks of two processes may be read in the other order. */
    uint64_t elapsed = now_ms > then ? now_ms - then : 0;
    if (held >= full || elapsed > (full - held) / per_second) return full;
    return held + elapsed * per_second;
}

static struct eg_rate_slot *find_slot(struct eg_rate *rate, uint64_t key, uint64_t now_ms,
                                      uint64_t per_second, uint64_t full)
{
    size_t home = (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) % EG_RATE_SLOTS;
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        struct eg_rate_slot *slot = &rate->slots[(home + i) % EG_RATE_SLOTS];
        if (__atomic_load_n(&slot->key, __ATOMIC_ACQUIRE) == key) return slot;
    }
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        struct eg_rate_slot *slot = &rate->slots[(home + i) % EG_RATE_SLOTS];
        uint64_t old = __atomic_load_n(&slot->key, __ATOMIC_ACQUIRE);
        if (old == key) return slot;
        uint64_t state = __atomic_load_n(&slot->state, __ATOMIC_RELAXED);
        if (old && (__atomic_load_n(&slot->suppressed, __ATOMIC_RELAXED) ||
                    refill(state, now_ms, per_second, full) < full))
            continue;
        /* A full bucket is the same for every key: only the name changes.  Who
         * loses this race to another process with the same key has won as well. */
        if (__atomic_compare_exchange_n(&slot->key, &old, key, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE) ||
            old == key)
            return slot;
    }
    return &rate->slots[home];
}

bool eg_rate_take(struct eg_rate *rate, uint64_t key, uint64_t now_ms, uint32_t per_second,
                  uint32_t burst, uint64_t *ret_repeat)
{
    if (!per_second) {
        *ret_repeat = 0;
        return true;
    }
    if (!key) key = 1; /* 0 marks a free slot */
    now_ms &= time_mask;
    if (!now_ms) now_ms = 1; /* no state that was used is 0 */
    if (!burst) burst = 1;
    if (burst > burst_max) burst = burst_max;
    uint64_t full = burst * token;

    struct eg_rate_slot *slot = find_slot(rate, key, now_ms, per_second, full);
    uint64_t state = __atomic_load_n(&slot->state, __ATOMIC_RELAXED);
    uint64_t next;
    do {
        uint64_t held = refill(state, now_ms, per_second, full);
        if (held < token) {
            __atomic_add_fetch(&slot->suppressed, 1, __ATOMIC_RELAXED);
            return false;
        }
        uint64_t then = state & time_mask;
        next = (held - token) << TIME_BITS | (now_ms > then ? now_ms : then);
    } while (!__atomic_compare_exchange_n(&slot->state, &state, next, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    *ret_repeat = __atomic_exchange_n(&slot->suppressed, 0, __ATOMIC_RELAXED);
    return true;
}
