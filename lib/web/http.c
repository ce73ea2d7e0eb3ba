// SPDX-License-Identifier: MIT
/* HTTP/1 (RFC 9112): the request line, headers, and as much of the body's framing as
 * tells where the next head begins. */
#include "web/parts.h"

enum {
    METHOD,
    URI,
    VERSION,
    NAME_START,
    NAME,
    VALUE_START,
    VALUE,
    PASS_LINE,
    BODY,
    SIZE,
    EXTENSION,
    DATA,
    DATA_END,
    TRAILER_START,
    TRAILER
};

#define METHOD_MAX 24u

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_token(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || (c >= '!' && c <= '\'' && c != '"') || c == '*' || c == '+' ||
           c == '^' || c == '`' || c == '|' || c == '~';
}

static bool equal_fold(struct eg_str a, struct eg_str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (upper(a.p[i]) != upper(b.p[i])) return false;
    return true;
}

static struct eg_str trim(struct eg_str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = eg_str_skip(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* Does a list of words apart by commas hold this one? */
static bool has_word(struct eg_str list, struct eg_str word)
{
    while (list.n) {
        struct eg_str item = { list.p, eg_str_find(list, ',') };
        list = eg_str_skip(list, item.n + 1);
        if (equal_fold(trim(item), word)) return true;
    }
    return false;
}

/* ---- who asks ---- */

/* The last element: what the proxy before us saw, and not what a client wrote before
 * it. */
static struct eg_str last_of(struct eg_str list)
{
    size_t comma = eg_str_rfind(list, ',');
    return trim(comma == list.n ? list : eg_str_skip(list, comma + 1));
}

/* for=192.0.2.60;proto=http, for="[2001:db8::1]:80" (RFC 7239) */
static struct eg_str forwarded_for(struct eg_str value)
{
    struct eg_str left = last_of(value);
    while (left.n) {
        struct eg_str pair = { left.p, eg_str_find(left, ';') };
        left = eg_str_skip(left, pair.n + 1);
        pair = trim(pair);
        size_t equals = eg_str_find(pair, '=');
        if (!equal_fold((struct eg_str){ pair.p, equals }, EG_STR("for"))) continue;
        struct eg_str node = eg_str_skip(pair, equals + 1);
        if (node.n > 1 && node.p[0] == '"') node = (struct eg_str){ node.p + 1, node.n - 2 };
        return node;
    }
    return (struct eg_str){ NULL, 0 };
}

static void claim_remote(struct eg_web_request *request, struct eg_str address,
                         enum eg_event_remote from)
{
    if (!address.n || request->remote_from > (uint8_t)from) return;
    request->remote =
        (struct eg_web_span){ (uint16_t)(address.p - request->text), (uint16_t)address.n };
    request->remote_from = (uint8_t)from;
}

/* ---- headers ---- */

/* CGI's name of a header (RFC 3875, 4.1.18). */
static void add_name_byte(struct eg_web_head *head, char c)
{
    c = c == '-' ? '_' : upper(c);
    eg_web_add_name(head, &c, 1);
}

static void begin_header(struct eg_web_head *head)
{
    eg_web_begin_name(head);
    eg_web_add_name(head, "HTTP_", 5);
}

static void set_length(struct eg_web_head *head, struct eg_str value)
{
    uint64_t length = 0;
    if (head->has_length || !value.n) head->lost = true;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9' || length > UINT64_MAX / 16) head->lost = true;
        length = length * 10 + (uint64_t)(value.p[i] - '0');
    }
    head->has_length = true;
    head->body = length;
}

/* What of a header says how the connection goes on, and who asks. */
static void look_at(struct eg_web_head *head, struct eg_web_request *request)
{
    struct eg_str value = trim(eg_web_text(request, head->value));
    switch (head->field) {
    case EG_WEB_CONTENT_LENGTH:
        if (head->cut) head->lost = true;
        set_length(head, value);
        break;
    case EG_WEB_TRANSFER_ENCODING:
        if (head->cut || !equal_fold(last_of(value), EG_STR("chunked"))) head->lost = true;
        head->chunked = true;
        break;
    case EG_WEB_CONNECTION:
        if (has_word(value, EG_STR("close"))) head->no_keep = true;
        if (has_word(value, EG_STR("keep-alive"))) head->keeps = true;
        if (has_word(value, EG_STR("upgrade"))) head->upgrade = true;
        break;
    /* the last address of a list that was cut is not the last */
    case EG_WEB_REAL_IP:
        if (!head->cut) claim_remote(request, value, EG_REMOTE_X_REAL_IP);
        break;
    case EG_WEB_FORWARDED_FOR:
        if (!head->cut) claim_remote(request, last_of(value), EG_REMOTE_X_FORWARDED_FOR);
        break;
    case EG_WEB_FORWARDED:
        if (!head->cut) claim_remote(request, forwarded_for(value), EG_REMOTE_FORWARDED);
        break;
    default: break;
    }
}

static void end_header(struct eg_web_head *head, struct eg_web_request *request)
{
    if (head->field != EG_WEB_OTHER) look_at(head, request);
    if (eg_str_equal((struct eg_str){ head->name, head->name_size }, EG_STR("HTTP_CONTENT_TYPE"))) {
        eg_web_begin_name(head);
        eg_web_add_name(head, "CONTENT_TYPE", 12);
    }
    eg_web_end_value(head, request);
}

/* ---- the request line ---- */

static void put_line(struct eg_web_head *head, struct eg_web_request *request, const char *name,
                     size_t n)
{
    eg_web_begin_name(head);
    eg_web_add_name(head, name, n);
    eg_web_begin_value(head, request);
}

static void end_uri(struct eg_web_head *head, struct eg_web_request *request)
{
    eg_web_end_value(head, request);
    struct eg_str uri = eg_web_text(request, request->uri);
    size_t query = eg_str_find(uri, '?');
    if (query >= uri.n) return;
    eg_web_put_field(request, EG_STR("QUERY_STRING"),
                     (struct eg_web_span){ (uint16_t)(request->uri.at + query + 1),
                                           (uint16_t)(uri.n - query - 1) });
}

/* "HTTP/1.0" or "HTTP/1.1", kept in `header` */
static void end_version(struct eg_web_head *head)
{
    const unsigned char *v = head->header;
    if (head->have != 8 || !eg_bytes_equal(v, "HTTP/1.", 7)) head->lost = true;
    head->version = head->lost ? 0 : v[7];
    head->keeps = false;
}

static void begin_head(struct eg_web_head *head, struct eg_web_request *request)
{
    eg_web_start(head, request);
    head->chunked = head->has_length = head->upgrade = head->no_keep = false;
    head->body = 0;
    head->have = 0;
    put_line(head, request, "REQUEST_METHOD", 14);
    head->step = METHOD;
}

/* ---- the end of a head, and the body ---- */

static void end_head(struct eg_web_head *head)
{
    bool keeps = head->version >= '1' ? !head->no_keep : head->keeps && !head->no_keep;
    head->keeps = keeps || head->upgrade;
    /* both lengths: a smuggler's; which one the worker takes nobody knows */
    if (head->chunked && head->has_length) head->lost = true;
    head->have = 0;
    eg_web_finish(head);
    head->step = head->chunked ? SIZE : BODY;
    head->length = 0;
    if (!keeps || head->upgrade) head->over = true;
}

static int hex(char c)
{
    c = upper(c);
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "1a;extension" CR LF; in `body` the size */
static void take_chunk_size(struct eg_web_head *head, char c)
{
    int digit = head->step == SIZE ? hex(c) : -1;
    if (digit >= 0) {
        if (head->body >> 56) head->lost = true;
        head->body = head->body << 4 | (uint64_t)digit;
        head->have = 1;
    } else if (c == '\n') {
        if (!head->have) head->lost = true;
        head->have = 0;
        head->step = head->body ? DATA : TRAILER_START;
    } else {
        if (head->step == SIZE && c != ';' && c != '\r' && c != ' ' && c != '\t') head->lost = true;
        head->step = EXTENSION;
    }
}

/* Bytes of the body; true when there was something to pass over. */
static bool pass_body(struct eg_web_head *head, struct eg_web_input *in)
{
    if (head->step != BODY && head->step != DATA) return false;
    size_t n = head->body < in->n ? (size_t)head->body : in->n;
    in->p += n;
    in->n -= n;
    head->body -= n;
    if (!head->body && head->step == DATA) head->step = DATA_END;
    return n != 0;
}

/* ---- one step ---- */

/* Bytes up to one of these. */
static size_t run(struct eg_web_input in, bool blank_ends)
{
    size_t n = 0;
    while (n < in.n && in.p[n] != '\n' && in.p[n] != '\r' && !(blank_ends && in.p[n] == ' ')) n++;
    return n;
}

/* Values and the URI, as far as they are there. */
static bool take_run(struct eg_web_head *head, struct eg_web_request *request,
                     struct eg_web_input *in)
{
    if (head->step != URI && head->step != VALUE) return false;
    size_t n = run(*in, head->step == URI);
    eg_web_add_value(head, request, in->p, n);
    in->p += n;
    in->n -= n;
    if (n > EG_WEB_MAX - head->size)
        head->lost = true;
    else
        head->size += (uint32_t)n;
    return n != 0;
}

static void take_line_byte(struct eg_web_head *head, struct eg_web_request *request, char c)
{
    switch (head->step) {
    case METHOD:
        if (c == ' ') {
            eg_web_end_value(head, request);
            put_line(head, request, "REQUEST_URI", 11);
            head->step = URI;
        } else if (!is_token(c) || head->value.size >= METHOD_MAX) {
            head->lost = true;
        } else {
            eg_web_add_value(head, request, &c, 1);
        }
        break;
    case URI:
        if (c == ' ') {
            end_uri(head, request);
            head->step = VERSION;
        } else if (c == '\r' || c == '\n') {
            head->lost = true; /* HTTP/0.9 */
        }
        break;
    default: /* VERSION */
        if (c == '\n') {
            end_version(head);
            head->step = NAME_START;
        } else if (c != '\r') {
            if (head->have == sizeof(head->header))
                head->lost = true;
            else
                head->header[head->have++] = (unsigned char)c;
        }
        break;
    }
}

static void take_header_byte(struct eg_web_head *head, struct eg_web_request *request, char c)
{
    switch (head->step) {
    case NAME_START:
        if (c == '\r') break;
        if (c == '\n') {
            end_head(head);
            break;
        }
        begin_header(head);
        head->step = NAME;
        /* fallthrough */
    case NAME:
        if (c == ':') {
            eg_web_begin_value(head, request);
            head->step = VALUE_START;
        } else if (c == '\n') {
            head->step = NAME_START;
        } else if (!is_token(c)) {
            head->step = PASS_LINE; /* a folded line, or what workers refuse */
        } else {
            add_name_byte(head, c);
        }
        break;
    case VALUE_START:
        if (c == ' ' || c == '\t') break;
        head->step = VALUE;
        /* fallthrough */
    case VALUE:
        if (c == '\n') {
            end_header(head, request);
            head->step = NAME_START;
        } else if (c != '\r') {
            eg_web_add_value(head, request, &c, 1); /* the first one */
        }
        break;
    default: /* PASS_LINE */
        if (c == '\n') head->step = NAME_START;
        break;
    }
}

static void take_framing_byte(struct eg_web_head *head, char c)
{
    switch (head->step) {
    case DATA_END:
        if (c == '\n') head->step = SIZE;
        if (c != '\n' && c != '\r') head->lost = true;
        break;
    case TRAILER_START:
        if (c == '\n')
            head->step = BODY; /* of no more bytes */
        else if (c != '\r')
            head->step = TRAILER;
        break;
    case TRAILER:
        if (c == '\n') head->step = TRAILER_START;
        break;
    default: take_chunk_size(head, c); break;
    }
}

void eg_web_http(struct eg_web_head *head, struct eg_web_request *request, struct eg_web_input *in)
{
    if (!head->heads && !head->size) begin_head(head, request);
    while (in->n && !head->over && !head->lost) {
        if (pass_body(head, in) || take_run(head, request, in)) continue;
        char c = *in->p;
        if (head->step == BODY) {
            /* empty lines before a request line are passed over (RFC 9112, 2.2) */
            if (c != '\r' && c != '\n') begin_head(head, request);
            if (c == '\r' || c == '\n') {
                in->p++, in->n--;
                continue;
            }
        }
        in->p++, in->n--;
        if (!head->complete && ++head->size > EG_WEB_MAX) head->lost = true;
        if (head->step <= VERSION)
            take_line_byte(head, request, c);
        else if (head->step <= PASS_LINE)
            take_header_byte(head, request, c);
        else
            take_framing_byte(head, c);
    }
}
