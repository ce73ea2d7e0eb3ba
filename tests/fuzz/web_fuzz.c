// SPDX-License-Identifier: MIT
/* Any bytes of a connection, whole and in pieces: the same is understood, it lies in
 * the request's memory, and what two requests in one piece hide is given up.
 *
 * Input: a byte that chooses the pieces, then what the worker reads. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/hand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition) abort();
}

static int equal(struct eg_str a, struct eg_str b)
{
    return a.n == b.n && (!a.n || memcmp(a.p, b.p, a.n) == 0);
}

static void require_inside(const struct eg_web_request *request, struct eg_str s)
{
    require(s.p >= request->text && s.n <= EG_WEB_TEXT && s.p + s.n <= request->text + EG_WEB_TEXT);
}

/* Everything that a reader gets lies in the request. */
static size_t read_all(const struct eg_web_request *request,
                       struct eg_request_field fields[EG_WEB_FIELDS])
{
    struct eg_event_request context;
    eg_web_context(request, &context);
    require_inside(request, context.method);
    require_inside(request, context.uri);
    require_inside(request, context.script);
    require_inside(request, context.host);
    require_inside(request, context.remote);
    size_t n = eg_web_fields(request, fields);
    for (size_t i = 0; i < n; i++) {
        require_inside(request, fields[i].name);
        require_inside(request, fields[i].value);
    }
    return n;
}

static void check(const struct eg_web_head *head, const struct eg_web_request *request)
{
    struct eg_request_field fields[EG_WEB_FIELDS];
    require(!(head->lost && head->complete));
    require(eg_web_check(request));
    require(request->used <= EG_WEB_TEXT && request->others <= EG_WEB_OTHERS);
    size_t n = read_all(request, fields);
    for (size_t i = 0; i < n; i++) require(eg_event_is_field(fields[i].name));
}

/* In pieces of one to `most' bytes. */
static void feed(struct eg_web_head *head, struct eg_web_request *request, const uint8_t *data,
                 size_t size, size_t most)
{
    for (size_t at = 0, i = 0; at < size; i++) {
        size_t n = most == size ? size : 1 + (data[at] + i) % most;
        if (n > size - at) n = size - at;
        char *copy = malloc(n);
        if (!copy) abort();
        memcpy(copy, data + at, n);
        eg_web_feed(head, request, copy, n);
        free(copy);
        check(head, request);
        at += n;
    }
}

static void compare(const struct eg_web_request *a, const struct eg_web_request *b)
{
    struct eg_event_request x, y;
    eg_web_context(a, &x);
    eg_web_context(b, &y);
    require(equal(x.method, y.method) && equal(x.uri, y.uri) && equal(x.script, y.script) &&
            equal(x.host, y.host) && equal(x.remote, y.remote));
    require(x.remote_from == y.remote_from && a->field_count == b->field_count);
}

/* What another process might have written there. */
static void believe_nothing(const uint8_t *data, size_t size)
{
    static struct eg_web_request request;
    static struct eg_hand_top top;
    memset(&request, 0, sizeof request);
    memcpy(&request, data, size < sizeof request ? size : sizeof request);
    struct eg_request_field fields[EG_WEB_FIELDS];
    if (eg_web_check(&request)) read_all(&request, fields);
    memset(&top, 0, sizeof top);
    memcpy(&top, data, size < sizeof top ? size : sizeof top);
    struct eg_hand_who who = { .by_tid = size & 1, .somebody = size & 2, .thread = size };
    struct eg_hand_choice choice = eg_hand_choose(top.slots, top.lost, &who);
    require(choice.index < EG_HAND_SLOTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct eg_web_request whole_request, request;
    struct eg_web_head whole = { 0 }, head = { 0 };
    if (size < 2) return 0;
    memset(&whole_request, 0, sizeof whole_request);
    memset(&request, 0, sizeof request);
    feed(&whole, &whole_request, data + 1, size - 1, size - 1);
    feed(&head, &request, data + 1, size - 1, 1 + data[0] % 16);
    if (!whole.lost) {
        require(whole.complete == head.complete && whole.over == head.over);
        require(whole.heads == head.heads && !head.lost);
        compare(&whole_request, &request);
    } else if (!head.lost) {
        require(head.heads != 0); /* more than one of them */
    }
    believe_nothing(data, size);
    return 0;
}
