// SPDX-License-Identifier: MIT
/* Which protocol a connection speaks, and what is kept of the fields that it brings. */
#include "web/parts.h"

/* ---- a request's memory ---- */

void eg_web_start(struct eg_web_head *head, struct eg_web_request *request)
{
    /* two requests in one piece: nobody can tell which of them is served */
    if (head->heads != head->fed) head->lost = true;
    /* the text stays as it is: its pages may never have been touched */
    request->method = request->uri = request->script = request->host = request->remote =
        (struct eg_web_span){ 0, 0 };
    request->remote_from = EG_REMOTE_NONE;
    request->script_is_file = request->host_is_header = false;
    request->used = request->others = request->field_count = 0;
    head->complete = false;
    head->size = 0;
}

void eg_web_finish(struct eg_web_head *head)
{
    head->complete = true;
    head->heads++;
}

/* ---- fields ---- */

/* Of a known length: a few instructions. */
#define KNOWN(text, known)                                                                         \
    if (__builtin_memcmp(name.p, text, sizeof(text) - 1) == 0) return known

/* Most names of a request are HTTP_*, or of no interest. */
static enum eg_web_known known_header(struct eg_str name)
{
    switch (name.n) {
    case 9: KNOWN("HTTP_HOST", EG_WEB_HOST); break;
    case 14:
        KNOWN("HTTP_X_REAL_IP", EG_WEB_REAL_IP);
        KNOWN("HTTP_FORWARDED", EG_WEB_FORWARDED);
        break;
    case 15: KNOWN("HTTP_CONNECTION", EG_WEB_CONNECTION); break;
    case 19: KNOWN("HTTP_CONTENT_LENGTH", EG_WEB_CONTENT_LENGTH); break;
    case 20: KNOWN("HTTP_X_FORWARDED_FOR", EG_WEB_FORWARDED_FOR); break;
    case 22: KNOWN("HTTP_TRANSFER_ENCODING", EG_WEB_TRANSFER_ENCODING); break;
    default: break;
    }
    return EG_WEB_OTHER;
}

static enum eg_web_known known_name(struct eg_str name)
{
    if (name.n > 5 && __builtin_memcmp(name.p, "HTTP_", 5) == 0) return known_header(name);
    switch (name.n) {
    case 11:
        KNOWN("REQUEST_URI", EG_WEB_URI);
        KNOWN("SCRIPT_NAME", EG_WEB_SCRIPT_NAME);
        KNOWN("SERVER_NAME", EG_WEB_SERVER_NAME);
        KNOWN("REMOTE_ADDR", EG_WEB_REMOTE);
        break;
    case 14: KNOWN("REQUEST_METHOD", EG_WEB_METHOD); break;
    case 15: KNOWN("SCRIPT_FILENAME", EG_WEB_SCRIPT_FILE); break;
    default: break;
    }
    return eg_event_is_field(name) ? EG_WEB_OTHER : EG_WEB_IGNORED;
}

void eg_web_begin_name(struct eg_web_head *head)
{
    head->name_size = 0;
}

/* Most are short: eight bytes at once, the last eight again where they overlap. */
static inline void copy(char *to, const char *from, size_t n)
{
    if (n >= 8) {
        for (size_t i = 0; i + 8 <= n; i += 8) __builtin_memcpy(to + i, from + i, 8);
        __builtin_memcpy(to + n - 8, from + n - 8, 8);
        return;
    }
    for (size_t i = 0; i < n; i++) to[i] = from[i];
}

/* A name that does not fit is none that is known. */
void eg_web_add_name(struct eg_web_head *head, const char *p, size_t n)
{
    if (n > EG_WEB_NAME - head->name_size) {
        head->name_size = EG_WEB_NAME;
        return;
    }
    copy(head->name + head->name_size, p, n);
    head->name_size += (uint16_t)n;
}

static struct eg_str name_of(const struct eg_web_head *head)
{
    return (struct eg_str){ head->name, head->name_size };
}

static enum eg_web_known known(struct eg_str name)
{
    return name.n && name.n < EG_WEB_NAME ? known_name(name) : EG_WEB_IGNORED;
}

static void begin_value(struct eg_web_head *head, struct eg_web_request *request,
                        enum eg_web_known field)
{
    head->value = (struct eg_web_span){ request->used, 0 };
    head->field = (uint8_t)field;
    head->cut = false;
    head->room = 0;
    if (head->field == EG_WEB_IGNORED) return;
    size_t room = EG_WEB_TEXT - request->used;
    size_t others = EG_WEB_OTHERS - request->others;
    if (head->field == EG_WEB_OTHER && room > others) room = others;
    head->room = (uint16_t)(room < EG_WEB_VALUE ? room : EG_WEB_VALUE);
}

void eg_web_begin_value(struct eg_web_head *head, struct eg_web_request *request)
{
    begin_value(head, request, known(name_of(head)));
}

void eg_web_add_value(struct eg_web_head *head, struct eg_web_request *request, const char *p,
                      size_t n)
{
    if (n > head->room) {
        n = head->room;
        head->cut = true;
    }
    copy(request->text + request->used, p, n);
    head->room -= (uint16_t)n;
    head->value.size += (uint16_t)n;
    request->used += (uint16_t)n;
    if (head->field == EG_WEB_OTHER) request->others += (uint16_t)n;
}

void eg_web_put_field(struct eg_web_request *request, struct eg_str name, struct eg_web_span value)
{
    if (!value.size || request->field_count == EG_WEB_FIELDS) return;
    if (name.n > (size_t)(EG_WEB_TEXT - request->used)) return;
    struct eg_web_span kept = { request->used, (uint16_t)name.n };
    copy(request->text + request->used, name.p, name.n);
    request->used += (uint16_t)name.n;
    request->fields[request->field_count++] = (struct eg_web_field){ kept, value };
}

void eg_web_end_value(struct eg_web_head *head, struct eg_web_request *r)
{
    struct eg_web_span value = head->value;
    switch (head->field) {
    case EG_WEB_METHOD: r->method = value; break;
    case EG_WEB_URI: r->uri = value; break;
    case EG_WEB_SCRIPT_NAME:
        if (!r->script_is_file) r->script = value;
        break;
    case EG_WEB_SCRIPT_FILE:
        r->script = value;
        r->script_is_file = true;
        break;
    case EG_WEB_SERVER_NAME:
        if (!r->host_is_header) r->host = value;
        break;
    case EG_WEB_HOST:
        r->host = value;
        r->host_is_header = true;
        break;
    case EG_WEB_REMOTE:
        r->remote = value;
        r->remote_from = EG_REMOTE_SERVER;
        break;
    default: break;
    }
    bool compared = head->field == EG_WEB_URI || head->field == EG_WEB_HOST ||
                    head->field >= EG_WEB_CONTENT_LENGTH;
    if (compared) eg_web_put_field(r, name_of(head), value);
    head->field = EG_WEB_IGNORED;
    head->room = 0;
}

void eg_web_set_peer(struct eg_web_request *request, struct eg_str address)
{
    if (request->remote.size || address.n > (size_t)(EG_WEB_TEXT - request->used)) return;
    request->remote = (struct eg_web_span){ request->used, (uint16_t)address.n };
    request->remote_from = EG_REMOTE_PEER;
    copy(request->text + request->used, address.p, address.n);
    request->used += (uint16_t)address.n;
}

/* ---- pairs ---- */

enum { NAME_LENGTH, VALUE_LENGTH, NAME, VALUE };

/* One byte of a length.  True when the length is whole. */
static bool take_length(struct eg_web_head *head, bool uwsgi, unsigned char byte)
{
    if (uwsgi) { /* two bytes, little end first */
        head->length = head->length_bytes ? head->length | (uint32_t)byte << 8 : byte;
        return ++head->length_bytes == 2;
    }
    /* one byte below 128, else four without the top bit (FastCGI 1.0, 3.4) */
    if (head->length_bytes == 0) {
        head->length = byte & 0x7fu;
        head->length_bytes = 1;
        return byte < 0x80;
    }
    head->length = head->length << 8 | byte;
    return ++head->length_bytes == 4;
}

static void enter(struct eg_web_head *head, uint8_t step, uint32_t left)
{
    head->pair_step = step;
    head->left = left;
    head->length_bytes = 0;
    head->length = 0;
}

/* Steps that need no input: strings of no bytes. */
static void settle(struct eg_web_head *head, struct eg_web_request *request, bool uwsgi)
{
    if (head->pair_step == NAME && !head->left) {
        if (uwsgi) {
            enter(head, VALUE_LENGTH, 0);
            return;
        }
        eg_web_begin_value(head, request);
        enter(head, VALUE, head->value_length);
    }
    if (head->pair_step == VALUE && !head->left) {
        eg_web_end_value(head, request);
        enter(head, NAME_LENGTH, 0);
    }
}

static void take_length_byte(struct eg_web_head *head, struct eg_web_request *request, bool uwsgi,
                             unsigned char byte)
{
    if (!take_length(head, uwsgi, byte)) return;
    uint32_t length = head->length;
    if (head->pair_step == NAME_LENGTH) {
        eg_web_begin_name(head);
        head->value_length = length; /* FastCGI: the name's, until the value's is known */
        if (uwsgi)
            enter(head, NAME, length);
        else
            enter(head, VALUE_LENGTH, 0);
    } else if (uwsgi) {
        eg_web_begin_value(head, request);
        enter(head, VALUE, length);
    } else {
        uint32_t name_length = head->value_length;
        head->value_length = length;
        enter(head, NAME, name_length);
    }
    settle(head, request, uwsgi);
}

/* A length that lies in the input, and its bytes; 0: it does not. */
static size_t whole_length(const unsigned char *p, size_t n, bool uwsgi, uint32_t *ret)
{
    if (uwsgi) {
        if (n < 2) return 0;
        *ret = (uint32_t)(p[0] | p[1] << 8);
        return 2;
    }
    if (n && p[0] < 0x80) {
        *ret = p[0];
        return 1;
    }
    if (n < 4) return 0;
    *ret = (uint32_t)(p[0] & 0x7f) << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    return 4;
}

/* The same as the steps below, for a pair that lies in the input as a whole, as
 * nearly all do: what is of no interest is not copied.  Returns its bytes, or 0. */
static size_t whole_pair(struct eg_web_head *head, struct eg_web_request *request, bool uwsgi,
                         const char *p, size_t n)
{
    struct eg_str name, value;
    uint32_t name_size = 0, value_size = 0;
    const unsigned char *u = (const unsigned char *)p;
    size_t first = whole_length(u, n, uwsgi, &name_size);
    size_t skipped = uwsgi ? name_size : 0;
    if (!first || n - first < skipped) return 0;
    size_t second = whole_length(u + first + skipped, n - first - skipped, uwsgi, &value_size);
    uint64_t size = (uint64_t)first + second + name_size + value_size;
    if (!second || size > n) return 0;
    name = (struct eg_str){ p + first + (uwsgi ? 0 : second), name_size };
    value = (struct eg_str){ p + first + second + name_size, value_size };
    enum eg_web_known field = known(name);
    if (field != EG_WEB_IGNORED) {
        eg_web_begin_name(head);
        eg_web_add_name(head, name.p, name.n);
        begin_value(head, request, field);
        eg_web_add_value(head, request, value.p, value.n);
        eg_web_end_value(head, request);
    }
    return (size_t)size;
}

/* Bytes of a pair that comes in pieces. */
static size_t part_of_pair(struct eg_web_head *head, struct eg_web_request *request, bool uwsgi,
                           const char *p, size_t n)
{
    if (head->pair_step == NAME_LENGTH || head->pair_step == VALUE_LENGTH) {
        take_length_byte(head, request, uwsgi, (unsigned char)*p);
        return 1;
    }
    size_t part = head->left < n ? head->left : n;
    if (head->pair_step == NAME)
        eg_web_add_name(head, p, part);
    else
        eg_web_add_value(head, request, p, part);
    head->left -= (uint32_t)part;
    settle(head, request, uwsgi);
    return part;
}

void eg_web_pairs(struct eg_web_head *head, struct eg_web_request *request, bool uwsgi,
                  struct eg_web_input *in, size_t n)
{
    if (n > in->n) n = in->n;
    const char *p = in->p;
    in->p += n;
    in->n -= n;
    while (n) {
        size_t done = 0;
        if (head->pair_step == NAME_LENGTH && !head->length_bytes)
            done = whole_pair(head, request, uwsgi, p, n);
        if (!done) done = part_of_pair(head, request, uwsgi, p, n);
        p += done;
        n -= done;
    }
}

/* ---- the connection ---- */

static enum eg_web_protocol protocol_of(unsigned char first)
{
    if (first == 1) return EG_WEB_FASTCGI; /* its version */
    if (first == 0) return EG_WEB_UWSGI;   /* modifier1: WSGI, and what plugins share with it */
    if (first >= 'A' && first <= 'Z') return EG_WEB_HTTP;
    return EG_WEB_UNKNOWN;
}

void eg_web_feed(struct eg_web_head *head, struct eg_web_request *request, const char *bytes,
                 size_t n)
{
    struct eg_web_input in = { bytes, n };
    if (head->over || head->lost || !n) return;
    head->fed = head->heads;
    if (!head->protocol) {
        head->protocol = (uint8_t)protocol_of((unsigned char)*bytes);
        eg_web_start(head, request);
    }
    switch (head->protocol) {
    case EG_WEB_FASTCGI: eg_web_fastcgi(head, request, &in); break;
    case EG_WEB_UWSGI: eg_web_uwsgi(head, request, &in); break;
    case EG_WEB_HTTP: eg_web_http(head, request, &in); break;
    default: head->lost = true; break;
    }
    if (head->lost) head->complete = false;
}

/* ---- reading it ---- */

static bool inside(struct eg_web_span span)
{
    return (size_t)span.at + span.size <= EG_WEB_TEXT;
}

bool eg_web_check(const struct eg_web_request *r)
{
    if (r->field_count > EG_WEB_FIELDS || r->remote_from >= EG_REMOTE_COUNT) return false;
    for (size_t i = 0; i < r->field_count; i++)
        if (!inside(r->fields[i].name) || !inside(r->fields[i].value)) return false;
    return inside(r->method) && inside(r->uri) && inside(r->script) && inside(r->host) &&
           inside(r->remote);
}

size_t eg_web_fields(const struct eg_web_request *request,
                     struct eg_request_field ret[EG_WEB_FIELDS])
{
    for (size_t i = 0; i < request->field_count; i++)
        ret[i] = (struct eg_request_field){ eg_web_text(request, request->fields[i].name),
                                            eg_web_text(request, request->fields[i].value) };
    return request->field_count;
}

void eg_web_context(const struct eg_web_request *request, struct eg_event_request *ret)
{
    *ret = (struct eg_event_request){
        .method = eg_web_text(request, request->method),
        .uri = eg_web_text(request, request->uri),
        .script = eg_web_text(request, request->script),
        .host = eg_web_text(request, request->host),
        .remote = eg_web_text(request, request->remote),
        .remote_from = (enum eg_event_remote)request->remote_from,
    };
}
