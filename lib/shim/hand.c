// SPDX-License-Identifier: MIT
/* Keeps the table of requests in hand (web/hand.h).
 *
 * A forked child has a copy as it was: slots that another thread was changing stay
 * taken there, until their connection's descriptor is used again.  A vfork child
 * shares its parent's: what it closes is still open there, so that only the table's
 * owner, the process that accepts, takes closing for the end of a connection. */
#include <asm/socket.h>
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/un.h>

#include "base/sys.h"
#include "guard/call.h"
#include "guard/guard.h"
#include "shim/hand.h"

struct eg_hand *eg_hand;

/* linux/socket.h has neither */
#define SOL_SOCKET_LEVEL 1
#define SOCK_STREAM      1

/* ---- slots ---- */

static uint32_t state_of(const struct eg_hand_slot *slot)
{
    return __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
}

static bool change(struct eg_hand_slot *slot, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&slot->state, &from, to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

static void set_state(struct eg_hand_slot *slot, enum eg_hand_state state)
{
    __atomic_store_n(&slot->state, (uint32_t)state, __ATOMIC_RELEASE);
}

/* The request is over, also for who finds it taken: then its taker ends it, since its
 * connection's entry is another. */
static void end_slot(struct eg_hand_slot *slot)
{
    for (;;) {
        uint32_t state = state_of(slot);
        uint32_t kind = EG_HAND_STATE(state);
        if (kind != EG_HAND_PARTIAL && kind != EG_HAND_READY) return;
        bool used = state >= EG_HAND_USER;
        if (change(slot, state, used ? state - kind + EG_HAND_ENDED : EG_HAND_FREE)) return;
    }
}

/* That of this descriptor: an entry whose closing was not seen may point to a slot
 * that is another's by now. */
static void end_of(struct eg_hand_slot *slot, int fd)
{
    if (slot && slot->fd == fd) end_slot(slot);
}

static bool pin(struct eg_hand_slot *slot)
{
    for (;;) {
        uint32_t state = state_of(slot);
        if (EG_HAND_STATE(state) != EG_HAND_READY) return false;
        if (change(slot, state, state + EG_HAND_USER)) return true;
    }
}

static void unpin(struct eg_hand_slot *slot)
{
    for (;;) {
        uint32_t state = state_of(slot);
        uint32_t left = state - EG_HAND_USER;
        if (left == EG_HAND_ENDED) left = EG_HAND_FREE;
        if (change(slot, state, left)) return;
    }
}

/* ---- descriptors ---- */

static uint8_t entry(const struct eg_hand *hand, int fd)
{
    return __atomic_load_n(&hand->fds[fd], __ATOMIC_ACQUIRE);
}

static bool set_entry(struct eg_hand *hand, int fd, uint8_t from, uint8_t to)
{
    if (!__atomic_compare_exchange_n(&hand->fds[fd], &from, to, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return false;
    if (from == EG_HAND_UNSEEN) __atomic_sub_fetch(&hand->top.lost, 1, __ATOMIC_RELAXED);
    if (to == EG_HAND_UNSEEN) __atomic_add_fetch(&hand->top.lost, 1, __ATOMIC_RELAXED);
    return true;
}

/* The slot of an entry, or NULL. */
static struct eg_hand_slot *slot_of(struct eg_hand *hand, uint8_t value)
{
    uint32_t index = (value & 0x7fu) - 1;
    return index < EG_HAND_SLOTS ? &hand->top.slots[index] : NULL;
}

static uint8_t value_of(const struct eg_hand *hand, const struct eg_hand_slot *slot, bool looks)
{
    return (uint8_t)(slot - hand->top.slots + 1) | (looks ? EG_HAND_LOOKS : 0);
}

/* ---- memory ---- */

static void *map(size_t size)
{
    long r = eg_sys(__NR_mmap, 0, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return r < 0 && r > -4096 ? NULL : (void *)r; // NOLINT(performance-no-int-to-ptr)
}

static struct eg_hand *make(void)
{
    struct eg_hand *made = map(sizeof(*made));
    if (!made) return NULL;
    made->top.version = EG_HAND_VERSION;
    made->top.size = sizeof(*made);
    eg_sys(__NR_getrandom, &made->top.cookie, sizeof(made->top.cookie), 1 /* GRND_NONBLOCK */);
    struct eg_hand *none = NULL;
    if (__atomic_compare_exchange_n(&eg_hand, &none, made, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return made;
    eg_sys(__NR_munmap, made, sizeof(*made));
    return none;
}

/* ---- connections ---- */

static uint64_t this_thread(void)
{
    return (uint64_t)(uintptr_t)__errno_location();
}

void eg_hand_idle(void)
{
    struct eg_hand *hand = __atomic_load_n(&eg_hand, __ATOMIC_RELAXED);
    if (!hand || !__atomic_load_n(&hand->top.retained, __ATOMIC_RELAXED)) return;
    for (size_t i = 0; i < EG_HAND_SLOTS; i++) {
        struct eg_hand_slot *slot = &hand->top.slots[i];
        if (EG_HAND_STATE(state_of(slot)) != EG_HAND_READY || slot->fd >= 0 ||
            slot->thread != this_thread())
            continue;
        end_slot(slot);
        __atomic_sub_fetch(&hand->top.retained, 1, __ATOMIC_RELAXED);
    }
}

void eg_hand_accepted(int fd)
{
    struct eg_hand *hand = __atomic_load_n(&eg_hand, __ATOMIC_ACQUIRE);
    if ((uint32_t)fd >= EG_HAND_FDS) {
        if (hand) __atomic_add_fetch(&hand->top.lost, 1, __ATOMIC_RELAXED);
        return;
    }
    if (__atomic_load_n(&eg_shim.phase, __ATOMIC_ACQUIRE) != EG_PHASE_READY ||
        eg_shim.blob->flags & EG_BLOB_REQUEST_OFF)
        return;
    if (!hand && !(hand = make())) return;
    uint32_t pid = (uint32_t)eg_sys(__NR_getpid);
    if (__atomic_load_n(&hand->top.owner, __ATOMIC_RELAXED) != pid)
        __atomic_store_n(&hand->top.owner, pid, __ATOMIC_RELAXED);
    uint8_t old = entry(hand, fd);
    /* Not seen to be closed: closefrom(3), a raw system call. */
    struct eg_hand_slot *slot = slot_of(hand, old);
    if (set_entry(hand, fd, old, EG_HAND_EXPECTING)) end_of(slot, fd);
}

static int option(int fd, int name)
{
    int value = 0;
    uint32_t size = sizeof(value);
    long r = eg_sys(__NR_getsockopt, fd, SOL_SOCKET_LEVEL, name, &value, &size);
    return r < 0 ? -1 : value;
}

/* Node's cluster accepts in one process and serves in others. */
void eg_hand_received(int fd)
{
    unsigned char address[128];
    uint32_t size = sizeof(address);
    if (option(fd, SO_TYPE) != SOCK_STREAM || option(fd, SO_ACCEPTCONN) != 0) return;
    if (eg_sys(__NR_getpeername, fd, address, &size) == 0) eg_hand_accepted(fd);
}

void eg_hand_close(int fd)
{
    struct eg_hand *hand = __atomic_load_n(&eg_hand, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&hand->top.owner, __ATOMIC_RELAXED) != (uint32_t)eg_sys(__NR_getpid))
        return;
    uint8_t old = entry(hand, fd);
    struct eg_hand_slot *slot = slot_of(hand, old);
    if (!set_entry(hand, fd, old, EG_HAND_NO_CONNECTION) || !slot) return;
    /* who reads a head just now looks at the entry after it has let go of the slot */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* fastcgi_finish_request(): the script goes on, until its thread waits again */
    uint32_t state = state_of(slot);
    if (slot->protocol == EG_WEB_FASTCGI && EG_HAND_STATE(state) == EG_HAND_READY &&
        slot->fd == fd && slot->thread == this_thread()) {
        slot->fd = -1;
        __atomic_add_fetch(&hand->top.retained, 1, __ATOMIC_RELAXED);
        return;
    }
    end_of(slot, fd);
}

/* ---- heads ---- */

static uint64_t socket_of(int fd)
{
    uint64_t cookie = 0;
    uint32_t size = sizeof(cookie);
    long r = eg_sys(__NR_getsockopt, fd, SOL_SOCKET_LEVEL, SO_COOKIE, &cookie, &size);
    return r == 0 ? cookie : 0;
}

static bool still_open(const struct eg_hand_slot *slot)
{
    return slot->fd < 0 || slot->socket == socket_of(slot->fd);
}

/* Requests whose connections were closed unseen: closefrom(3), a raw system call. */
static void sweep(struct eg_hand *hand)
{
    for (size_t i = 0; i < EG_HAND_SLOTS; i++) {
        struct eg_hand_slot *slot = &hand->top.slots[i];
        if (!pin(slot)) continue;
        if (!still_open(slot)) end_slot(slot);
        unpin(slot);
    }
}

static struct eg_hand_slot *claim(struct eg_hand *hand, bool again)
{
    struct eg_hand_slot *oldest = NULL;
    for (size_t i = 0; i < EG_HAND_SLOTS; i++) {
        struct eg_hand_slot *slot = &hand->top.slots[i];
        uint32_t state = state_of(slot);
        if (state == EG_HAND_FREE && change(slot, state, EG_HAND_BUSY)) return slot;
        if (state == EG_HAND_PARTIAL && (!oldest || slot->number < oldest->number)) oldest = slot;
    }
    /* Who began a head and does not end it makes room. */
    if (!oldest && !again) {
        sweep(hand);
        return claim(hand, true);
    }
    if (!oldest || !change(oldest, EG_HAND_PARTIAL, EG_HAND_BUSY)) return NULL;
    if (oldest->fd >= 0) set_entry(hand, oldest->fd, value_of(hand, oldest, true), EG_HAND_UNSEEN);
    return oldest;
}

/* Once a process: where the supervisor finds what it writes into its own events. */
static void tell(struct eg_hand *hand)
{
    uint32_t owner = __atomic_load_n(&hand->top.owner, __ATOMIC_RELAXED);
    if (!eg_shim.supervised || __atomic_load_n(&hand->top.registered, __ATOMIC_RELAXED) == owner)
        return;
    long r = eg_sys(__NR_prctl, EG_PRCTL_CALL, EG_CALL_REQUESTS, hand, hand->top.cookie, 0);
    if (r == 0) __atomic_store_n(&hand->top.registered, owner, __ATOMIC_RELAXED);
}

static void put_number(struct eg_buf *b, uint32_t value, uint32_t base)
{
    char digits[10];
    size_t n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n) eg_buf_byte(b, digits[--n]);
}

/* The other end of a TCP connection, as numbers.  An IPv6 address is written without
 * shortening, but for one that stands for an IPv4 address. */
static void put_peer(struct eg_buf *b, const unsigned char *address, bool six)
{
    static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    if (six && eg_bytes_equal(address, mapped, sizeof(mapped))) {
        address += sizeof(mapped);
        six = false;
    }
    for (size_t i = 0; six && i < 8; i++) {
        if (i) eg_buf_byte(b, ':');
        put_number(b, (uint32_t)address[2 * i] << 8 | address[2 * i + 1], 16);
    }
    for (size_t i = 0; !six && i < 4; i++) {
        if (i) eg_buf_byte(b, '.');
        put_number(b, address[i], 10);
    }
}

static void find_peer(int fd, struct eg_web_request *request)
{
    unsigned char address[128];
    uint32_t size = sizeof(address);
    char text[40];
    struct eg_buf b = eg_buf_over(text, sizeof(text));
    if (eg_sys(__NR_getpeername, fd, address, &size) < 0) return;
    uint16_t family = (uint16_t)(address[0] | address[1] << 8);
    if (family == 2 && size >= 8) put_peer(&b, address + 4, false);  /* AF_INET */
    if (family == 10 && size >= 24) put_peer(&b, address + 8, true); /* AF_INET6 */
    if (b.n) eg_web_set_peer(request, eg_buf_view(&b));
}

/* A head was just taken whole.  False: the descriptor is none of a connection any
 * more. */
static bool taken(struct eg_hand *hand, struct eg_hand_slot *slot, struct eg_hand_body *body)
{
    uint32_t owner = __atomic_load_n(&hand->top.owner, __ATOMIC_RELAXED);
    uint64_t thread = this_thread();
    if (slot->thread != thread || slot->owner != owner) {
        slot->tid = (uint32_t)eg_sys(__NR_gettid);
        slot->owner = owner;
        slot->thread = thread;
    }
    slot->number = __atomic_add_fetch(&hand->top.numbers, 1, __ATOMIC_RELAXED);
    slot->socket = socket_of(slot->fd);
    slot->protocol = body->head.protocol;
    slot->keeps = body->head.keeps;
    if (!slot->socket) return false;
    if (body->head.protocol == EG_WEB_HTTP && !body->request.remote.size)
        find_peer(slot->fd, &body->request);
    return true;
}

/* Take the slot of this connection, or a free one for its first bytes. */
static struct eg_hand_slot *take(struct eg_hand *hand, int fd, uint8_t value)
{
    struct eg_hand_slot *slot = slot_of(hand, value);
    if (!slot) {
        slot = claim(hand, false);
        if (!slot) return NULL;
        slot->fd = fd;
        slot->number = __atomic_add_fetch(&hand->top.numbers, 1, __ATOMIC_RELAXED);
        hand->bodies[slot - hand->top.slots].head = (struct eg_web_head){ 0 };
        return slot;
    }
    uint32_t state = state_of(slot);
    bool free = state == EG_HAND_PARTIAL || state == EG_HAND_READY;
    return free && slot->fd == fd && change(slot, state, EG_HAND_BUSY) ? slot : NULL;
}

void eg_hand_read(int fd, const char *bytes, size_t n)
{
    struct eg_hand *hand = __atomic_load_n(&eg_hand, __ATOMIC_ACQUIRE);
    uint8_t value = entry(hand, fd);
    if (!(value & EG_HAND_LOOKS)) return;
    struct eg_hand_slot *slot = take(hand, fd, value);
    if (!slot) {
        /* two threads read from one connection, or too many are there */
        struct eg_hand_slot *old = slot_of(hand, value);
        bool stale = old && old->fd != fd;
        if (set_entry(hand, fd, value, stale ? EG_HAND_NO_CONNECTION : EG_HAND_UNSEEN))
            end_of(old, fd);
        return;
    }
    struct eg_hand_body *body = &hand->bodies[slot - hand->top.slots];
    uint32_t heads = body->head.heads;
    eg_web_feed(&body->head, &body->request, bytes, n);
    bool whole = body->head.complete && body->head.heads != heads;
    if (whole && !taken(hand, slot, body)) body->head.lost = true;
    uint8_t next = body->head.lost ? EG_HAND_UNSEEN : value_of(hand, slot, !body->head.over);
    /* closed meanwhile, by another thread or a signal's handler: over */
    bool stays = next == value || set_entry(hand, fd, value, next);
    if (!stays || body->head.lost) {
        set_state(slot, EG_HAND_FREE);
    } else {
        set_state(slot, body->head.complete ? EG_HAND_READY : EG_HAND_PARTIAL);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (entry(hand, fd) != next) end_slot(slot);
    }
    if (whole && stays) tell(hand);
}

/* ---- events ---- */

/* Hold every request that is in hand; a copy of the slots as they then are. */
static uint64_t hold_all(struct eg_hand *hand, struct eg_hand_slot ret[EG_HAND_SLOTS])
{
    uint64_t held = 0;
    /* a child has closed what its parent still serves */
    bool owner =
        __atomic_load_n(&hand->top.owner, __ATOMIC_RELAXED) == (uint32_t)eg_sys(__NR_getpid);
    for (size_t i = 0; i < EG_HAND_SLOTS; i++) {
        struct eg_hand_slot *slot = &hand->top.slots[i];
        ret[i].state = state_of(slot) == EG_HAND_BUSY ? EG_HAND_BUSY : EG_HAND_FREE;
        if (!pin(slot)) continue;
        if (owner && !still_open(slot)) {
            end_slot(slot);
            unpin(slot);
            continue;
        }
        ret[i] = *slot;
        ret[i].state = EG_HAND_READY;
        held |= UINT64_C(1) << i;
    }
    return held;
}

static void release(struct eg_hand *hand, uint64_t held)
{
    for (size_t i = 0; i < EG_HAND_SLOTS; i++)
        if (held >> i & 1) unpin(&hand->top.slots[i]);
}

/* Does a field of this request hold what the event is about? */
static __attribute__((noinline)) bool matches(const struct eg_event *event,
                                              const struct eg_web_request *request,
                                              struct eg_event_source *ret)
{
    struct eg_request_field fields[EG_WEB_FIELDS];
    return eg_event_find_source(event, fields, eg_web_fields(request, fields), ret);
}

#define COMPARED_MAX 16

/* Several are possible: the only one of which a field reached the command.  -1: none,
 * or more than one. */
static int matching(const struct eg_hand *hand, uint64_t among, const struct eg_event *event,
                    struct eg_event_source *ret)
{
    int found = -1;
    struct eg_event_source source;
    int compared = 0;
    for (int i = 0; i < (int)EG_HAND_SLOTS; i++) {
        if (!(among >> i & 1)) continue;
        if (compared++ == COMPARED_MAX) return -1;
        if (!matches(event, &hand->bodies[i].request, &source)) continue;
        if (found >= 0) return -1;
        found = i;
        *ret = source;
    }
    return found;
}

static __attribute__((noinline)) int choose(struct eg_hand *hand, struct eg_event *event,
                                            struct eg_hand_hold *hold, bool *ret_any)
{
    struct eg_hand_slot slots[EG_HAND_SLOTS];
    struct eg_hand_who who = { .thread = this_thread() };
    hold->held = hold_all(hand, slots);
    uint32_t lost = __atomic_load_n(&hand->top.lost, __ATOMIC_RELAXED);
    struct eg_hand_choice choice = eg_hand_choose(slots, lost, &who);
    *ret_any = choice.any;
    if (!choice.certain) return matching(hand, choice.among, event, &hold->source);
    hold->source.name_size = 0;
    matches(event, &hand->bodies[choice.index].request, &hold->source);
    return (int)choice.index;
}

void eg_hand_describe(struct eg_event *event, struct eg_hand_hold *ret)
{
    struct eg_hand *hand = __atomic_load_n(&eg_hand, __ATOMIC_ACQUIRE);
    bool any = false;
    ret->held = 0;
    ret->source.name_size = 0;
    int index = hand ? choose(hand, event, ret, &any) : -1;
    if (index >= 0) {
        uint64_t others = ret->held & ~(UINT64_C(1) << index);
        release(hand, others);
        ret->held &= ~others;
        eg_web_context(&hand->bodies[index].request, &event->request);
    } else {
        eg_hand_release(ret);
        ret->held = 0;
        if (any) return; /* nobody knows which */
        event->request = eg_shim.request;
        ret->source.name_size = 0;
        eg_event_find_source(event, eg_shim.fields, eg_shim.field_count, &ret->source);
    }
    if (ret->source.name_size) eg_event_set_source(event, &ret->source);
}

void eg_hand_release(const struct eg_hand_hold *hold)
{
    if (hold->held) release(__atomic_load_n(&eg_hand, __ATOMIC_ACQUIRE), hold->held);
}
