// SPDX-License-Identifier: MIT
/* Which of the requests in hand does a thread serve?
 *
 * An event that names the wrong client accuses somebody: where two are possible,
 * none is named.  A connection that brings one request is over with it, so that its
 * reader serves it as long as it is open.  One that is kept open after the answer
 * may stand idle: it counts only where no other request is there. */
#include "web/hand.h"

static bool is_own(const struct eg_hand_slot *slot, const struct eg_hand_who *who)
{
    if (who->somebody) return false;
    return who->by_tid ? slot->tid == who->thread : slot->thread == who->thread;
}

struct eg_hand_choice eg_hand_choose(const struct eg_hand_slot slots[EG_HAND_SLOTS], uint32_t lost,
                                     const struct eg_hand_who *who)
{
    struct eg_hand_choice ret = { 0 };
    uint64_t own = 0;
    uint64_t all = 0;
    uint32_t own_index = 0;
    uint32_t index = 0;
    bool unknown = lost != 0;
    for (uint32_t i = 0; i < EG_HAND_SLOTS; i++) {
        uint32_t state = EG_HAND_STATE(slots[i].state);
        if (state == EG_HAND_BUSY) unknown = true;
        if (state != EG_HAND_READY) continue;
        all |= UINT64_C(1) << i;
        index = i;
        if (!is_own(&slots[i], who)) continue;
        own |= UINT64_C(1) << i;
        own_index = i;
    }
    ret.any = all || unknown;
    bool alone = !(all & (all - 1)) && !unknown;
    if (own && !(own & (own - 1))) {
        /* FastCGI workers serve one after the other, whatever else is open */
        const struct eg_hand_slot *slot = &slots[own_index];
        ret.certain = alone || slot->protocol == EG_WEB_FASTCGI || (!slot->keeps && !lost);
        ret.index = own_index;
    } else if (!own && all) {
        ret.certain = alone;
        ret.index = index;
    }
    if (!ret.certain) ret.among = own & (own - 1) ? own : all;
    return ret;
}
