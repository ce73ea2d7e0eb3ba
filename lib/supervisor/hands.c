// SPDX-License-Identifier: MIT
/* Purpose: read which request a process serves. */
#include "supervisor/hands.h"

#include "supervisor/remote.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define ANCESTORS_MAX 8
#define KEPT_MAX      1024u /* bytes of each text of a copy */

static struct eg_hands_record *slot_of(struct eg_hands *hands, pid_t tgid)
{
    return &hands->records[(uint32_t)tgid % EG_HANDS_SLOTS];
}

void eg_hands_take(struct eg_hands *hands, const struct eg_process *process, uint64_t address,
                   uint64_t cookie)
{
    *slot_of(hands, process->tgid) = (struct eg_hands_record){ *process, address, cookie };
    hands->count++;
}

void eg_hands_forget(struct eg_hands *hands, pid_t tgid)
{
    struct eg_hands_record *record = slot_of(hands, tgid);
    if (record->process.tgid == tgid) *record = (struct eg_hands_record){ 0 };
}

/* The record of this very process, or NULL. */
static const struct eg_hands_record *find(const struct eg_hands *hands, pid_t tgid)
{
    struct eg_process now;
    const struct eg_hands_record *record = &hands->records[(uint32_t)tgid % EG_HANDS_SLOTS];
    if (!tgid || record->process.tgid != tgid) return NULL;
    /* the number may be another's by now */
    bool same = eg_remote_process(tgid, &now) == 0 && now.tgid == tgid &&
                now.unique == record->process.unique;
    return same ? record : NULL;
}

static bool read_all(pid_t pid, uint64_t address, void *to, size_t n)
{
    struct iovec local = { to, n }, remote = { (void *)(uintptr_t)address, n };
    return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

static bool read_top(const struct eg_hands_record *record, struct eg_hand_top *ret)
{
    return read_all(record->process.tgid, record->address, ret, sizeof *ret) &&
           ret->cookie == record->cookie && ret->version == EG_HAND_VERSION &&
           ret->size == sizeof(struct eg_hand);
}

static uint64_t request_at(const struct eg_hands_record *record, uint32_t index)
{
    return record->address + offsetof(struct eg_hand, bodies) +
           index * sizeof(struct eg_hand_body) + offsetof(struct eg_hand_body, request);
}

static bool read_request(const struct eg_hands_record *record, const struct eg_hand_who *who,
                         struct eg_web_request *memory)
{
    struct eg_hand_top first = { 0 }, second = { 0 };
    if (!read_top(record, &first)) return false;
    struct eg_hand_choice choice = eg_hand_choose(first.slots, first.lost, who);
    if (!choice.certain) return false;
    if (!read_all(record->process.tgid, request_at(record, choice.index), memory, sizeof *memory))
        return false;
    /* another thread may have taken the next one meanwhile */
    if (!read_top(record, &second)) return false;
    return second.slots[choice.index].number == first.slots[choice.index].number &&
           EG_HAND_STATE(second.slots[choice.index].state) == EG_HAND_READY && eg_web_check(memory);
}

bool eg_hands_request(const struct eg_hands *hands, pid_t tid, pid_t tgid,
                      struct eg_web_request *memory, struct eg_event_request *ret)
{
    struct eg_hand_who who = { .by_tid = true, .thread = (uint64_t)tid };
    if (!hands->count) return false;
    for (int i = 0; i < ANCESTORS_MAX && tgid > 1; i++) {
        const struct eg_hands_record *record = find(hands, tgid);
        if (record) {
            if (!read_request(record, &who, memory)) return false;
            eg_web_context(memory, ret);
            ret->claimed = true;
            return true;
        }
        /* a thread of its parent started it: nobody knows which */
        pid_t parent;
        uid_t uid;
        eg_remote_who(tgid, &parent, &uid);
        tgid = parent;
        who.somebody = true;
    }
    return false;
}

static struct eg_str copy(char **at, struct eg_str s)
{
    struct eg_str ret = { *at, s.n < KEPT_MAX ? s.n : KEPT_MAX };
    memcpy(*at, s.p, ret.n);
    *at += ret.n;
    return ret;
}

struct eg_event_request *eg_hands_keep(const struct eg_hands *hands, pid_t tid)
{
    struct eg_web_request memory;
    struct eg_event_request found;
    if (!hands->count) return NULL;
    if (!eg_hands_request(hands, tid, eg_remote_tgid(tid), &memory, &found)) return NULL;
    struct eg_event_request *ret = malloc(sizeof *ret + 5 * (size_t)KEPT_MAX);
    if (!ret) return NULL;
    char *at = (char *)(ret + 1);
    *ret = (struct eg_event_request){
        .method = copy(&at, found.method),
        .uri = copy(&at, found.uri),
        .script = copy(&at, found.script),
        .host = copy(&at, found.host),
        .remote = copy(&at, found.remote),
        .remote_from = found.remote_from,
        .claimed = true,
    };
    return ret;
}
