// SPDX-License-Identifier: MIT
/* The head of a request, out of what a worker reads: what is kept of it, when it is
 * whole, in whatever pieces it comes, and what is given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/head.h"

/* ---- bytes of a connection ---- */

static char wire[300000];
static size_t wire_size;

static void put(const void *bytes, size_t n)
{
    assert_true(wire_size + n <= sizeof wire);
    memcpy(wire + wire_size, bytes, n);
    wire_size += n;
}

static void text(const char *s)
{
    put(s, strlen(s));
}

static void record(int type, int id, const void *content, size_t n, unsigned padding)
{
    unsigned char header[8] = { 1,
                                (unsigned char)type,
                                (unsigned char)(id >> 8),
                                (unsigned char)id,
                                (unsigned char)(n >> 8),
                                (unsigned char)n,
                                (unsigned char)padding };
    static const char zeros[256];
    put(header, 8);
    put(content, n);
    put(zeros, padding);
}

static void begin(int id, int flags)
{
    unsigned char body[8] = { 0, 1, (unsigned char)flags };
    record(1, id, body, 8, 0);
}

static char params[70000];
static size_t params_size;

static void length(size_t n, bool wide)
{
    if (!wide && n < 128) {
        params[params_size++] = (char)n;
        return;
    }
    for (int shift = 24; shift >= 0; shift -= 8)
        params[params_size++] = (char)((shift == 24 ? 0x80 : 0) | (n >> shift));
}

static void param(const char *name, const char *value, bool wide)
{
    length(strlen(name), wide);
    length(strlen(value), wide);
    memcpy(params + params_size, name, strlen(name));
    params_size += strlen(name);
    memcpy(params + params_size, value, strlen(value));
    params_size += strlen(value);
}

static void uwsgi(const char *name, const char *value)
{
    const char *words[2] = { name, value };
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(words[i]);
        params[params_size++] = (char)n;
        params[params_size++] = (char)(n >> 8);
        memcpy(params + params_size, words[i], n);
        params_size += n;
    }
}

static void clear(void)
{
    wire_size = params_size = 0;
}

/* ---- what was understood ---- */

static struct eg_web_head head;
static struct eg_web_request request;

static void feed(size_t piece)
{
    memset(&head, 0, sizeof head);
    for (size_t at = 0; at < wire_size; at += piece) {
        size_t n = wire_size - at < piece ? wire_size - at : piece;
        char *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, wire + at, n);
        eg_web_feed(&head, &request, copy, n);
        free(copy);
        assert_true(eg_web_check(&request));
    }
}

static void add(char **at, struct eg_str s)
{
    if (s.n) memcpy(*at, s.p, s.n);
    *at += s.n;
    *(*at)++ = '|';
}

/* "METHOD|uri|script|host|remote|from|field=value|..." */
static const char *said(void)
{
    static char out[65536];
    char *at = out;
    struct eg_event_request context;
    struct eg_request_field fields[EG_WEB_FIELDS];
    if (head.lost) return "lost";
    if (!head.complete) return "incomplete";
    eg_web_context(&request, &context);
    add(&at, context.method);
    add(&at, context.uri);
    add(&at, context.script);
    add(&at, context.host);
    add(&at, context.remote);
    add(&at, eg_event_remote_name(context.remote_from));
    size_t n = eg_web_fields(&request, fields);
    for (size_t i = 0; i < n; i++) {
        add(&at, fields[i].name);
        at[-1] = '=';
        add(&at, fields[i].value);
    }
    at[-1] = '\0';
    return out;
}

/* The same in any pieces. */
static void expect(const char *wanted)
{
    static const size_t pieces[] = { 1, 2, 3, 5, 7, 8, 9, 13, 64, 4096, sizeof wire };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        feed(pieces[i]);
        if (strcmp(said(), wanted)) print_message("in pieces of %zu:\n", pieces[i]);
        assert_string_equal(said(), wanted);
    }
}

/* ---- FastCGI ---- */

#define PAGE                                                                                       \
    "POST|/a?b=c|/srv/a.php|site|192.0.2.1|REMOTE_ADDR|QUERY_STRING=b=c|REQUEST_URI=/"             \
    "a?b=c|HTTP_HOST=site"

static void page(bool wide)
{
    param("QUERY_STRING", "b=c", wide);
    param("REQUEST_METHOD", "POST", wide);
    param("CONTENT_LENGTH", "", wide);
    param("SCRIPT_NAME", "/a.php", wide);
    param("REQUEST_URI", "/a?b=c", wide);
    param("SERVER_NAME", "elsewhere", wide);
    param("HTTP_HOST", "site", wide);
    param("SCRIPT_FILENAME", "/srv/a.php", wide);
    param("", "nameless", wide);
    param("REMOTE_ADDR", "192.0.2.1", wide);
}

static void a_fastcgi_request(void **state)
{
    (void)state;
    for (int wide = 0; wide < 2; wide++)
        for (unsigned padding = 0; padding < 256; padding += 51) {
            clear();
            page(wide);
            begin(1, 0);
            record(4, 1, params, params_size, padding);
            expect("incomplete");
            record(4, 1, "", 0, padding);
            expect(PAGE);
            assert_true(head.over);
            assert_false(head.keeps);
            record(5, 1, "body", 4, 0);
            expect(PAGE);
        }
}

static void params_split_over_records(void **state)
{
    (void)state;
    clear();
    page(true);
    begin(0x1234, 0);
    for (size_t i = 0; i < params_size; i++) record(4, 0x1234, params + i, 1, i % 3);
    record(4, 0x1234, "", 0, 0);
    expect(PAGE);
}

static void other_records_are_passed_over(void **state)
{
    (void)state;
    clear();
    page(false);
    record(9, 0,
           "\x0e\x00"
           "FCGI_MPXS_CONN",
           16, 0); /* GET_VALUES */
    begin(1, 0);
    record(4, 2, "\x0b\x01REMOTE_ADDRx", 14, 3); /* of nobody */
    record(4, 1, params, params_size, 0);
    record(11, 0, "what?", 5, 0);
    record(4, 1, "", 0, 0);
    expect(PAGE);
}

static void a_body_ends_the_params(void **state)
{
    (void)state;
    clear();
    page(false);
    begin(1, 0);
    record(4, 1, params, params_size, 0);
    record(5, 1, "", 0, 0);
    expect(PAGE);
}

static void an_aborted_request_is_none(void **state)
{
    (void)state;
    clear();
    begin(1, 1);
    record(4, 1, "\x0b\x01REMOTE_ADDRx", 14, 0);
    record(2, 1, "", 0, 0);
    record(4, 1, "", 0, 0);
    expect("incomplete");
}

static void a_kept_connection_brings_the_next_request(void **state)
{
    (void)state;
    clear();
    page(false);
    begin(1, 1);
    record(4, 1, params, params_size, 0);
    record(4, 1, "", 0, 0);
    size_t first = wire_size;
    record(5, 1, "hello", 5, 3);
    record(5, 1, "", 0, 0);
    size_t second = wire_size;
    params_size = 0;
    param("REMOTE_ADDR", "198.51.100.9", false);
    begin(1, 1);
    record(4, 1, params, params_size, 0);
    size_t third = wire_size;
    record(4, 1, "", 0, 0);
    memset(&head, 0, sizeof head);
    eg_web_feed(&head, &request, wire, first);
    assert_string_equal(said(), PAGE);
    assert_false(head.over);
    assert_true(head.keeps);
    eg_web_feed(&head, &request, wire + first, second - first);
    assert_string_equal(said(), PAGE);
    eg_web_feed(&head, &request, wire + second, third - second);
    assert_string_equal(said(), "incomplete");
    eg_web_feed(&head, &request, wire + third, wire_size - third);
    assert_string_equal(said(), "||||198.51.100.9|REMOTE_ADDR");
    /* both at once: which of them is served? */
    feed(sizeof wire);
    assert_string_equal(said(), "lost");
}

static void the_last_of_two_names_counts(void **state)
{
    (void)state;
    clear();
    param("REMOTE_ADDR", "203.0.113.1", false);
    param("SCRIPT_FILENAME", "/first", false);
    param("REMOTE_ADDR", "203.0.113.2", false);
    param("SCRIPT_FILENAME", "/second", false);
    param("SCRIPT_NAME", "/name", false);
    begin(1, 0);
    record(4, 1, params, params_size, 0);
    record(4, 1, "", 0, 0);
    expect("||/second||203.0.113.2|REMOTE_ADDR");
}

static void lengths_that_lie(void **state)
{
    (void)state;
    /* a name of two gigabytes, a value of two gigabytes: the params end before */
    static const char *const lies[] = { "\xff\xff\xff\xff\x01"
                                        "abcdefgh",
                                        "\x0b\xff\xff\xff\xff"
                                        "REMOTE_ADDR1.2.3.4",
                                        "\x7f\x7f", "\xff\xff" };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        clear();
        begin(1, 0);
        record(4, 1, lies[i], strlen(lies[i]), 0);
        record(4, 1, "", 0, 0);
        expect("|||||");
    }
}

static void what_is_no_fastcgi_is_lost(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        const char *bytes;
    } wrong[] = {
        { 8, "\x01\x0c\x00\x01\x00\x00\x00" }, /* no such type */
        { 8, "\x01\x00\x00\x01\x00\x00\x00" }, /* nor this */
        { 8, "\x01\x01\x00\x01\x00\x07\x00" }, /* BEGIN_REQUEST of another size */
        { 8, "\x01\x01\x00\x00\x00\x08\x00" }, /* of no request */
        { 3, "\x02\x01\x00" },                 /* another version */
        { 5, "\x16\x03\x01\x02\x01" },         /* TLS */
        { 6, "get / " },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        clear();
        put(wrong[i].bytes, wrong[i].size);
        expect("lost");
    }
}

static void long_values_are_cut_and_main_ones_kept(void **state)
{
    (void)state;
    static char big[60000];
    clear();
    memset(big, 'x', sizeof big - 1);
    big[5000] = '\0';
    for (int i = 0; i < 6; i++) param("HTTP_COOKIE", big, true);
    param("QUERY_STRING", big, true);
    param("REQUEST_URI", big, true);
    param("REMOTE_ADDR", "192.0.2.1", false);
    param("SCRIPT_FILENAME", "/srv/a.php", false);
    begin(1, 0);
    record(4, 1, params, params_size, 0);
    record(4, 1, "", 0, 0);
    for (size_t piece = 1; piece < 3000; piece += 1111) {
        struct eg_event_request context;
        feed(piece);
        assert_true(head.complete && !head.lost);
        eg_web_context(&request, &context);
        assert_int_equal(context.remote.n, 9);
        assert_int_equal(context.script.n, 10);
        assert_int_equal(context.uri.n, EG_WEB_VALUE);
        assert_true(request.used <= EG_WEB_TEXT && request.others <= EG_WEB_OTHERS);
    }
}

static void a_head_without_end_is_lost(void **state)
{
    (void)state;
    clear();
    begin(1, 0);
    while (wire_size < EG_WEB_MAX + 1000) record(4, 1, params, 1000, 0);
    expect("lost");
    clear();
    text("GET / HTTP/1.1\r\n");
    while (wire_size < EG_WEB_MAX + 1000) text("X-A: 1234567890\r\n");
    expect("lost");
    clear();
    text("GET /");
    while (wire_size < EG_WEB_MAX + 1000) text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    expect("lost");
}

static void many_fields(void **state)
{
    (void)state;
    clear();
    for (int i = 0; i < 500; i++) param("HTTP_A", "1", false);
    param("REMOTE_ADDR", "192.0.2.1", false);
    begin(1, 0);
    record(4, 1, params, params_size, 0);
    record(4, 1, "", 0, 0);
    feed(1);
    assert_int_equal(request.field_count, EG_WEB_FIELDS);
    assert_int_equal(request.remote.size, 9);
}

/* ---- uwsgi ---- */

static void packet(void)
{
    unsigned char start[4] = { 0, (unsigned char)params_size, (unsigned char)(params_size >> 8),
                               0 };
    put(start, 4);
    put(params, params_size);
}

static void a_uwsgi_request(void **state)
{
    (void)state;
    clear();
    uwsgi("QUERY_STRING", "b=c");
    uwsgi("REQUEST_METHOD", "GET");
    uwsgi("", "");
    uwsgi("REQUEST_URI", "/a?b=c");
    uwsgi("PATH_INFO", "");
    uwsgi("REMOTE_ADDR", "192.0.2.1");
    uwsgi("SERVER_NAME", "site");
    packet();
    expect("GET|/a?b=c||site|192.0.2.1|REMOTE_ADDR|QUERY_STRING=b=c|REQUEST_URI=/a?b=c");
    assert_true(head.over);
    wire_size--;
    expect("incomplete");
    clear();
    packet();
    expect("|||||");
    clear();
    params_size = 0;
    memcpy(params,
           "\x0b\x00REMOTE_ADDR\xff\xff"
           "1.2.3.4",
           22);
    params_size = 22;
    packet(); /* a value that ends behind the packet */
    expect("|||||");
}

/* ---- HTTP ---- */

static void an_http_request(void **state)
{
    (void)state;
    clear();
    text("GET /a/b?c=d%3Be&f HTTP/1.1\r\nHost: site:8080\r\nUser-Agent:  an agent \r\nCookie: "
         "a=b\r\n"
         "Content-Type:text/plain\r\n\r\n");
    expect("GET|/a/b?c=d%3Be&f||site:8080|||REQUEST_URI=/a/b?c=d%3Be&f|QUERY_STRING=c=d%3Be&f|"
           "HTTP_HOST=site:8080|HTTP_USER_AGENT=an agent |HTTP_COOKIE=a=b|CONTENT_TYPE=text/plain");
    assert_true(head.keeps && !head.over);
    clear();
    text("\r\nGET / HTTP/1.0\nHost: x\n\n");
    expect("lost"); /* no method begins with a line's end */
    clear();
    text("GET / HTTP/1.0\nHost: x\n\n");
    expect("GET|/||x|||REQUEST_URI=/|HTTP_HOST=x");
    assert_true(!head.keeps && head.over);
}

static void who_asks(void **state)
{
    (void)state;
    static const struct {
        const char *headers, *remote;
    } rows[] = {
        { "X-Real-IP: 192.0.2.1\r\n", "192.0.2.1|X-Real-IP" },
        { "x-forwarded-for: 203.0.113.9, 192.0.2.1\r\n", "192.0.2.1|X-Forwarded-For" },
        { "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.2 \r\n",
          "192.0.2.2|X-Forwarded-For" },
        { "X-Real-IP: 192.0.2.1\r\nX-Forwarded-For: 203.0.113.9\r\n", "192.0.2.1|X-Real-IP" },
        { "X-Forwarded-For: 203.0.113.9\r\nX-Real-IP: 192.0.2.1\r\n", "192.0.2.1|X-Real-IP" },
        { "Forwarded: for=203.0.113.9, proto=http;FOR=\"[2001:db8::1]:80\"\r\n",
          "[2001:db8::1]:80|Forwarded" },
        { "Forwarded: by=x\r\n", "|" },
        { "X-Forwarded-For: \r\n", "|" },
        { "X-Forwarded-For: 203.0.113.9,\r\n", "|" },
        { "Remote-Addr: 203.0.113.9\r\n", "|" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char wanted[128];
        struct eg_event_request context;
        clear();
        text("GET / HTTP/1.1\r\n");
        text(rows[i].headers);
        text("\r\n");
        feed(3);
        assert_true(head.complete);
        eg_web_context(&request, &context);
        struct eg_str from = eg_event_remote_name(context.remote_from);
        snprintf(wanted, sizeof wanted, "%.*s|%.*s", (int)context.remote.n, context.remote.p,
                 (int)from.n, from.n ? from.p : "");
        assert_string_equal(wanted, rows[i].remote);
    }
    /* a list that was cut has no last address */
    clear();
    text("GET / HTTP/1.1\r\nX-Forwarded-For: ");
    for (int i = 0; i < 400; i++) text("203.0.113.9, ");
    text("192.0.2.1\r\n\r\n");
    feed(11);
    assert_true(head.complete);
    assert_int_equal(request.remote.size, 0);
    eg_web_set_peer(&request, EG_STR("127.0.0.1"));
    assert_int_equal(request.remote_from, EG_REMOTE_PEER);
    assert_int_equal(request.remote.size, 9);
}

/* The next head is the next head, wherever it is cut. */
static void bodies_are_passed_over(void **state)
{
    (void)state;
    static const char *const first[] = {
        "POST /1 HTTP/1.1\r\nContent-Length: 21\r\n\r\nGET /fake HTTP/1.1\r\n\r",
        "POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n10;x=y\r\n "
        "HTTP/1.1\r\n\r\nab\r\n0\r\n"
        "Trailer: x\r\n\r\n",
        "POST /1 HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "GET /1 HTTP/1.1\r\n\r\n\r\n\r\n",
        "GET /1 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        clear();
        text(first[i]);
        size_t n = wire_size;
        text("GET /2 HTTP/1.1\r\n\r\n");
        /* cut once, after the first head's end at the earliest */
        size_t end = (size_t)(strstr(wire, "\r\n\r\n") + 4 - wire);
        for (size_t cut = end; cut <= n; cut++) {
            memset(&head, 0, sizeof head);
            eg_web_feed(&head, &request, wire, cut);
            assert_true(head.complete && head.heads == 1 && !head.over);
            eg_web_feed(&head, &request, wire + cut, wire_size - cut);
            assert_string_equal(said(), "GET|/2|||||REQUEST_URI=/2");
        }
        feed(1);
        assert_string_equal(said(), "GET|/2|||||REQUEST_URI=/2");
        feed(sizeof wire);
        assert_string_equal(said(), "lost");
    }
}

static void bodies_that_nobody_can_measure(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, x\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "GET /\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        clear();
        text(heads[i]);
        expect("lost");
    }
}

/* A socket that becomes another protocol's stays the request's that asked for it. */
static void an_upgrade_is_the_last_request(void **state)
{
    (void)state;
    clear();
    text("GET /ws HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n");
    text("\x81\x05hello");
    expect(
        "GET|/ws|||||REQUEST_URI=/ws|HTTP_CONNECTION=keep-alive, Upgrade|HTTP_UPGRADE=websocket");
    assert_true(head.over && head.keeps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fastcgi_request),
        cmocka_unit_test(params_split_over_records),
        cmocka_unit_test(other_records_are_passed_over),
        cmocka_unit_test(a_body_ends_the_params),
        cmocka_unit_test(an_aborted_request_is_none),
        cmocka_unit_test(a_kept_connection_brings_the_next_request),
        cmocka_unit_test(the_last_of_two_names_counts),
        cmocka_unit_test(lengths_that_lie),
        cmocka_unit_test(what_is_no_fastcgi_is_lost),
        cmocka_unit_test(long_values_are_cut_and_main_ones_kept),
        cmocka_unit_test(a_head_without_end_is_lost),
        cmocka_unit_test(many_fields),
        cmocka_unit_test(a_uwsgi_request),
        cmocka_unit_test(an_http_request),
        cmocka_unit_test(who_asks),
        cmocka_unit_test(bodies_are_passed_over),
        cmocka_unit_test(bodies_that_nobody_can_measure),
        cmocka_unit_test(an_upgrade_is_the_last_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
