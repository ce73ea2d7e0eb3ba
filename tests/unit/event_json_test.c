// SPDX-License-Identifier: MIT
/* JSON events: valid whatever the bytes, never over the limit, fair when cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/event.h"
#include "json_check.h"

static char line[EG_EVENT_MAX + 1];
static size_t length;
static char value[EG_EVENT_MAX];

/* Render into memory of exactly the promised size; check what every event owes. */
static void render(const struct eg_event *event)
{
    char *memory = malloc(EG_EVENT_MAX);
    assert_non_null(memory);
    length = eg_event_json(event, memory);
    assert_in_range(length, 2, EG_EVENT_MAX);
    memcpy(line, memory, length);
    line[length] = '\0';
    free(memory);
    assert_int_equal(line[length - 1], '\n');
    assert_null(memchr(line, '\n', length - 1));
    const char *why = "";
    size_t at = 0;
    if (!json_check(line, length, &why, &at)) fail_msg("%s at %zu: %s", why, at, line);
}

static const char *field(const char *path)
{
    return json_get(line, length, path, value, sizeof value) ? value : NULL;
}

static bool was_cut(const char *name)
{
    char quoted[64] = "\"";
    strcat(quoted, name);
    strcat(quoted, "\"");
    return field("truncated") && strstr(value, quoted);
}

static const char *const id_argv[] = { "id", "-u", NULL };

static struct eg_event plain_event(void)
{
    return (struct eg_event){
        .action = EG_ACTION_DENY,
        .kind = EG_KIND_EXEC,
        .layer = EG_LAYER_SHIM,
        .reason = EG_REASON_NO_RULE,
        .time_s = 1709210096, /* date -u -d @1709210096: leap day of 2024 */
        .time_ns = 7008009,
        .seq = 42,
        .policy = EG_STR("web"),
        .rule_file = EG_STR("/etc/execguard/web.policy"),
        .rule_line = 12,
        .call = EG_STR("execve"),
        .program = EG_STR("/usr/bin/id"),
        .argv = id_argv,
        .argc = 2,
        .has_argv = true,
        .cwd = EG_STR("/srv/www"),
        .exe = EG_STR("/usr/bin/perl"),
        .pid = 123,
        .ppid = 1,
        .uid = 33,
        .request = { .method = EG_STR("GET"),
                     .uri = EG_STR("/ping?h=1"),
                     .remote = EG_STR("1.2.3.4"),
                     .remote_from = EG_REMOTE_X_FORWARDED_FOR },
    };
}

static void an_event_is_this_line_byte_by_byte(void **state)
{
    (void)state;
    struct eg_event e = plain_event();
    render(&e);
    assert_string_equal(
        line, "{\"time\":\"2024-02-29T12:34:56.007008Z\",\"seq\":42,\"action\":\"deny\",\"kind\":"
              "\"exec\","
              "\"policy\":\"web\",\"rule\":\"/etc/execguard/web.policy:12\",\"reason\":\"no-rule\","
              "\"layer\":\"shim\",\"call\":\"execve\",\"program\":\"/usr/bin/"
              "id\",\"argv\":[\"id\",\"-u\"],"
              "\"cwd\":\"/srv/www\",\"exe\":\"/usr/bin/perl\",\"pid\":123,\"ppid\":1,\"uid\":33,"
              "\"request\":{\"method\":\"GET\",\"uri\":\"/"
              "ping?h=1\",\"remote\":\"1.2.3.4\",\"remote_from\":\"X-Forwarded-For\","
              "\"claimed\":false}}\n");
}

static void an_empty_event_is_valid(void **state)
{
    (void)state;
    struct eg_event e = { 0 };
    render(&e);
    assert_string_equal(field("action"), "deny");
    assert_null(field("argv"));
    assert_null(field("request"));
    assert_null(field("truncated"));
}

static void every_field_can_appear(void **state)
{
    (void)state;
    struct eg_event e = plain_event();
    static const char *argv[300];
    for (size_t i = 0; i < 300; i++) argv[i] = "a";
    e.argv = argv, e.argc = 300;
    e.line = EG_STR("id;id"), e.has_line = true;
    e.construct = EG_STR(";"), e.offset = 2, e.has_construct = true;
    e.container = EG_STR("c0ffee");
    e.path = EG_STR("/p"), e.variable = EG_STR("LD_PRELOAD"), e.inner = EG_STR("id");
    e.request.script = EG_STR("/s"), e.request.host = EG_STR("h"), e.request.claimed = true;
    e.source = EG_STR("h"), e.source_in_argument = true, e.command = EG_STR("sh x"),
    e.content = EG_STR("php"), e.sha256 = EG_STR("00"), e.size = 1;
    e.test = EG_STR("t"), e.hint = EG_STR("allow /usr/bin/id"), e.repeat = 9;
    render(&e);
#define F(name, type, value_, present, doc)                                                        \
    if (!field(#name)) fail_msg("no field %s in %s", #name, line);
#define N(parent, name, type, value_, present, doc)                                                \
    if (!field(#parent "." #name)) fail_msg("no field %s.%s in %s", #parent, #name, line);
#include "table/event_fields.def"
#undef F
#undef N
    assert_string_equal(field("argv_left_out"), "44");
    assert_string_equal(field("truncated"), "[\"argv\"]");
}

static void every_field_has_a_text_for_the_manual(void **state)
{
    (void)state;
#define F(name, type, value_, present, doc)         assert_true(sizeof(doc) > 10);
#define N(parent, name, type, value_, present, doc) assert_true(sizeof(doc) > 5);
#include "table/event_fields.def"
#undef F
#undef N
}

static void quotes_backslashes_and_controls_are_escaped(void **state)
{
    (void)state;
    struct eg_event e = plain_event();
    e.line = EG_STR("a\"b\\c\n\t\x01\x7f\0z"), e.has_line = true;
    render(&e);
    assert_non_null(strstr(line, "\"line\":\"a\\\"b\\\\c\\u000a\\u0009\\u0001\\u007f\\u0000z\""));
}

static void valid_utf8_stays_and_invalid_bytes_are_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *shown;
    } rows[] = {
        { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
        { "\xe2\x82\xac", "\xe2\x82\xac" },
        { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
        { "\xff", "\\u00ff" },
        { "\xc3", "\\u00c3" },
        { "\xc3(", "\\u00c3(" },
        { "\xc0\xaf", "\\u00c0\\u00af" },                       /* over-long */
        { "\xe0\x80\xaf", "\\u00e0\\u0080\\u00af" },            /* over-long */
        { "\xed\xa0\x80", "\\u00ed\\u00a0\\u0080" },            /* surrogate */
        { "\xf4\x90\x80\x80", "\\u00f4\\u0090\\u0080\\u0080" }, /* past U+10FFFF */
        { "\xe2\x82", "\\u00e2\\u0082" },                       /* ends too early */
        { "\xc2\x9b"
          "2J",
          "\\u009b2J" }, /* C1: a terminal's CSI */
        { "\xe2\x80\xae"
          "cod",
          "\\u202ecod" },                         /* right-to-left override */
        { "\xf3\xa0\x81\x81", "\\udb40\\udc41" }, /* invisible tag */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char wanted[128] = "\"program\":\"";
        struct eg_event e = plain_event();
        e.program = eg_str(rows[i].bytes);
        render(&e);
        strcat(wanted, rows[i].shown);
        strcat(wanted, "\"");
        if (!strstr(line, wanted)) fail_msg("row %zu: no %s in %s", i, wanted, line);
    }
}

static void each_byte_alone_and_in_pairs_gives_valid_json(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 65536; i += 7) {
        char bytes[2] = { (char)(i >> 8), (char)i };
        struct eg_event e = { .line = { bytes, 2 }, .has_line = true };
        render(&e);
    }
}

static char *filled(size_t n, char c)
{
    char *s = malloc(n + 1);
    assert_non_null(s);
    memset(s, c, n);
    s[n] = '\0';
    return s;
}

static void a_long_uri_does_not_push_out_the_command(void **state)
{
    (void)state;
    char *uri = filled(100000, 'u');
    struct eg_event e = plain_event();
    e.request.uri = (struct eg_str){ uri, 100000 };
    render(&e);
    assert_string_equal(field("program"), "/usr/bin/id");
    assert_string_equal(field("argv"), "[\"id\",\"-u\"]");
    assert_string_equal(field("request.remote"), "1.2.3.4");
    assert_string_equal(field("truncated"), "[\"request.uri\"]");
    /* What is left of the line is used. */
    assert_true(length > EG_EVENT_MAX - 400);
    free(uri);
}

static void long_fields_share_the_line_evenly(void **state)
{
    (void)state;
    char *s = filled(50000, 'x');
    const char *argv[] = { s, "second", NULL };
    struct eg_event e = plain_event();
    e.argv = argv, e.argc = 2;
    e.line = (struct eg_str){ s, 50000 }, e.has_line = true;
    e.request.uri = (struct eg_str){ s, 50000 };
    render(&e);
    assert_true(was_cut("argv") && was_cut("line") && was_cut("request.uri"));
    assert_false(was_cut("program"));
    size_t uri = strlen(field("request.uri"));
    size_t command = strlen(field("line"));
    size_t argument = strlen(field("argv"));
    assert_true(uri > 900 && uri == command);
    assert_true(argument + 10 > uri && argument < uri + 10);
    assert_non_null(strstr(value, "\"second\""));
    free(s);
}

static void many_arguments_are_left_out_and_counted(void **state)
{
    (void)state;
    static const char *argv[5000];
    for (size_t i = 0; i < 5000; i++) argv[i] = "argument-of-some-length";
    struct eg_event e = plain_event();
    e.argv = argv, e.argc = 5000;
    render(&e);
    assert_string_equal(field("truncated"), "[\"argv\"]");
    size_t left_out = strtoul(field("argv_left_out"), NULL, 10);
    size_t shown = 0;
    field("argv");
    for (const char *p = value; (p = strstr(p, "\"argument-of-some-length\"")); p++) shown++;
    assert_true(shown > 50);
    assert_int_equal(shown + left_out, 5000);
}

static void a_late_long_argument_is_cut_before_short_ones(void **state)
{
    (void)state;
    char *s = filled(30000, 'y');
    const char *argv[] = { "sh", "-c", s, "tail", NULL };
    struct eg_event e = plain_event();
    e.argv = argv, e.argc = 4;
    render(&e);
    field("argv");
    assert_non_null(strstr(value, "\"sh\",\"-c\",\"yyyy"));
    assert_non_null(strstr(value, ",\"tail\"]"));
    assert_null(field("argv_left_out"));
    free(s);
}

static void null_and_empty_argv_are_shown(void **state)
{
    (void)state;
    const char *holes[] = { NULL, "", "x" };
    struct eg_event e = plain_event();
    e.argv = holes, e.argc = 3;
    render(&e);
    assert_string_equal(field("argv"), "[\"\",\"\",\"x\"]");
    e.argc = 0;
    render(&e);
    assert_string_equal(field("argv"), "[]");
    e.argv = NULL, e.argc = 0;
    render(&e);
    assert_string_equal(field("argv"), "[]");
}

static void an_event_that_just_fits_is_not_cut(void **state)
{
    (void)state;
    struct eg_event e = plain_event();
    char *s = filled(EG_EVENT_MAX, 'z');
    e.line = (struct eg_str){ s, 0 }, e.has_line = true;
    render(&e);
    size_t room = EG_EVENT_MAX - length;
    e.line.n = room;
    render(&e);
    assert_int_equal(length, EG_EVENT_MAX);
    assert_null(field("truncated"));
    e.line.n = room + 1;
    render(&e);
    assert_string_equal(field("truncated"), "[\"line\"]");
    free(s);
}

static void everything_enormous_still_fits(void **state)
{
    (void)state;
    /* The worst bytes: six for one. */
    char *s = filled(20000, '\x01');
    static const char *argv[1000];
    for (size_t i = 0; i < 1000; i++) argv[i] = s;
    struct eg_str big = { s, 20000 };
    struct eg_event e = { .time_s = INT64_MAX,
                          .time_ns = UINT32_MAX,
                          .seq = UINT64_MAX,
                          .policy = big,
                          .rule_file = big,
                          .rule_line = UINT32_MAX,
                          .call = big,
                          .program = big,
                          .argv = argv,
                          .argc = 1000,
                          .has_argv = true,
                          .line = big,
                          .has_line = true,
                          .construct = big,
                          .offset = SIZE_MAX,
                          .has_construct = true,
                          .path = big,
                          .variable = big,
                          .inner = big,
                          .cwd = big,
                          .exe = big,
                          .pid = INT32_MIN,
                          .ppid = INT32_MIN,
                          .uid = UINT32_MAX,
                          .request = { big, big, big, big, big, EG_REMOTE_X_FORWARDED_FOR, true },
                          .source = big,
                          .hint = big,
                          .repeat = UINT64_MAX };
    for (int action = EG_ACTION_DENY; action <= EG_ACTION_REWRITE; action++)
        for (int reason = 0; reason < EG_REASON_COUNT; reason++) {
            e.action = (enum eg_action)action;
            e.reason = (enum eg_reason)reason;
            render(&e);
            assert_true(length > EG_EVENT_MAX - 300);
        }
    assert_string_equal(field("offset"), "18446744073709551615");
    assert_string_equal(field("pid"), "-2147483648");
    free(s);
}

static void dates_are_right_across_the_calendar(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *date;
    } rows[] = {
        { 0, "1970-01-01T00:00:00.000000Z" },
        { 951782400, "2000-02-29T00:00:00.000000Z" },
        { 951868799, "2000-02-29T23:59:59.000000Z" },
        { 4107542399, "2100-02-28T23:59:59.000000Z" },
        { 4107542400, "2100-03-01T00:00:00.000000Z" },
        { 1767225599, "2025-12-31T23:59:59.000000Z" },
        { 253402300799, "9999-12-31T23:59:59.000000Z" },
        { INT64_MAX, "9999-12-31T23:59:59.000000Z" },
        { -1, "1970-01-01T00:00:00.000000Z" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct eg_event e = { .time_s = rows[i].seconds };
        render(&e);
        assert_string_equal(field("time"), rows[i].date);
    }
}

static void the_checker_refuses_what_is_not_json(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "{",
                                       "{}x",
                                       "{\"a\"}",
                                       "{\"a\":1,}",
                                       "[1,]",
                                       "01",
                                       "1.",
                                       "\"\\x\"",
                                       "\"\\ud800\"",
                                       "\"\x01\"",
                                       "\"\xff\"",
                                       "\"\xed\xa0\x80\"",
                                       "nul",
                                       "{\"a\":1,\"a\":2}",
                                       "'a'",
                                       "\"a",
                                       "+1",
                                       "{a:1}",
                                       "[1 2]" };
    static const char *const good[] = { "{}", "[]", " {\"a\":[1,-2.5e+3,true,null,\"\\u00ff\"]} ",
                                        "\"\\ud83d\\ude00\"", "0" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (json_check(bad[i], strlen(bad[i]), NULL, NULL)) fail_msg("accepted: %s", bad[i]);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!json_check(good[i], strlen(good[i]), NULL, NULL)) fail_msg("refused: %s", good[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_this_line_byte_by_byte),
        cmocka_unit_test(an_empty_event_is_valid),
        cmocka_unit_test(every_field_can_appear),
        cmocka_unit_test(every_field_has_a_text_for_the_manual),
        cmocka_unit_test(quotes_backslashes_and_controls_are_escaped),
        cmocka_unit_test(valid_utf8_stays_and_invalid_bytes_are_escaped),
        cmocka_unit_test(each_byte_alone_and_in_pairs_gives_valid_json),
        cmocka_unit_test(a_long_uri_does_not_push_out_the_command),
        cmocka_unit_test(long_fields_share_the_line_evenly),
        cmocka_unit_test(many_arguments_are_left_out_and_counted),
        cmocka_unit_test(a_late_long_argument_is_cut_before_short_ones),
        cmocka_unit_test(null_and_empty_argv_are_shown),
        cmocka_unit_test(an_event_that_just_fits_is_not_cut),
        cmocka_unit_test(everything_enormous_still_fits),
        cmocka_unit_test(dates_are_right_across_the_calendar),
        cmocka_unit_test(the_checker_refuses_what_is_not_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
