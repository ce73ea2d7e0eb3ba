// SPDX-License-Identifier: MIT
/* Where a command's text came from: the field, and where in the command it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "event/source.h"

/* "name offset length" of the only field, or "-". */
static const char *answer(const struct eg_event *event, const struct eg_request_field *fields,
                          size_t count)
{
    static char text[256];
    struct eg_event_source source;
    struct eg_buf buf = eg_buf_over(text, sizeof text);
    if (!eg_event_find_source(event, fields, count, &source)) return "-";
    eg_buf_str(&buf, (struct eg_str){ source.name, source.name_size });
    if (source.in_argument) {
        eg_buf_add(&buf, " argv ");
        eg_buf_u64(&buf, source.argument);
    }
    eg_buf_byte(&buf, ' ');
    eg_buf_u64(&buf, source.offset);
    eg_buf_byte(&buf, ' ');
    eg_buf_u64(&buf, source.length);
    return eg_buf_cstr(&buf);
}

/* A line refused at `mark`'s first place in it; NULL: without a construct. */
static struct eg_event line_event(const char *line, const char *mark)
{
    struct eg_event e = { .kind = EG_KIND_SHELL, .line = eg_str(line), .has_line = true };
    if (mark) {
        const char *at = strstr(line, mark);
        assert_non_null(at);
        e.has_construct = true;
        e.construct = EG_STR("sequence");
        e.offset = (size_t)(at - line);
    }
    return e;
}

static const struct row {
    const char *line, *mark, *field, *value, *expected;
} rows[] = {
    /* values as they come */
    { "ping 8.8.8.8;id", ";", "QUERY_STRING", "host=8.8.8.8;id", "QUERY_STRING:host 5 10" },
    { "ping 8.8.8.8|id", "|", "QUERY_STRING", "n=1&host=8.8.8.8|id&x=y", "QUERY_STRING:host 5 10" },
    { "show a=1&b=2", "&", "QUERY_STRING", "a=1&b=2", "QUERY_STRING 5 7" },
    { "cat 8.8.8.8|id", "|", "QUERY_STRING", "8.8.8.8|id", "QUERY_STRING 4 10" },
    /* decoded */
    { "ping 8.8.8.8;id", ";", "QUERY_STRING", "host=8.8.8.8%3Bid", "QUERY_STRING:host 5 10" },
    { "ping 8.8.8.8; id", ";", "QUERY_STRING", "host=8.8.8.8%3b+id", "QUERY_STRING:host 5 11" },
    { "ping 8.8.8.8;+id", ";", "QUERY_STRING", "host=8.8.8.8%3b+id", "QUERY_STRING:host 5 11" },
    { "ping 8.8.8.8%3Bid", "%", "QUERY_STRING", "host=8.8.8.8%3Bid", "QUERY_STRING:host 5 12" },
    { "ping 8.8.8.8;id", ";", "QUERY_STRING", "host=8.8.8.8%253Bid", "QUERY_STRING:host 5 10" },
    { "ping 8.8.8.8;id", ";", "QUERY_STRING", "host=8.8.8.8%25253Bid", "-" },
    { "ping 8.8.8.8;id", ";", "QUERY_STRING", "a=1;host=8.8.8.8%3bid;b=2",
      "QUERY_STRING:host 5 10" },
    { "echo 50%", "%", "QUERY_STRING", "n=50%", "QUERY_STRING:n 5 3" },
    /* other fields */
    { "ping 8.8.8.8;id", ";", "HTTP_COOKIE", "lang=en; host=8.8.8.8%3Bid",
      "HTTP_COOKIE:host 5 10" },
    { "ping 8.8.8.8;id", ";", "PATH_INFO", "/v1/ping/8.8.8.8;id/now", "PATH_INFO 5 10" },
    { "cat /a/b;id", ";", "PATH_INFO", "/a/b;id", "PATH_INFO 4 7" },
    { "ping 8.8.8.8;id", ";", "REQUEST_URI", "/ping?q=1&host=8.8.8.8%3bid",
      "REQUEST_URI:host 5 10" },
    { "ping 8.8.8.8;id", ";", "REQUEST_URI", "/ping/8.8.8.8%3bid?q=1", "REQUEST_URI 5 10" },
    { "log Mozilla $(id)", "$(", "HTTP_USER_AGENT", "Mozilla $(id)", "HTTP_USER_AGENT 4 13" },
    { "log x;id", ";", "SERVER_NAME", "x;id", "-" },
    /* what quoting functions and languages do to it */
    { "ok 'it'\\''s; id' | x", "|", "QUERY_STRING", "t=it's;+id", "QUERY_STRING:t 4 11" },
    { "ok a\\;id\\&x | y", "|", "QUERY_STRING", "t=a%3bid%26x", "QUERY_STRING:t 3 8" },
    { "ok 'x' ; id'", ";", "QUERY_STRING", "t=x'+;+id", "QUERY_STRING:t 4 7" },
    { "ok 8.8.8.8;id", ";", "QUERY_STRING", "t=++8.8.8.8%3Bid%0a", "QUERY_STRING:t 3 10" },
    { "ok EXAMPLE;id x", ";", "QUERY_STRING", "t=example;id+x", "QUERY_STRING:t 10 5" },
    /* too little to say anything */
    { "ok a;id", ";", "QUERY_STRING", "t=id", "-" },
    { "ok abc;id", ";", "QUERY_STRING", "t=ab", "-" },
    { "ok abcd;id", ";", "QUERY_STRING", "t=abc", "-" },
    { "ok abc;id", ";", "QUERY_STRING", "t=abc", "QUERY_STRING:t 3 3" },
    { "git archive | gzip", "|", "HTTP_ACCEPT_ENCODING", "gzip", "-" },
    { "ok", NULL, "QUERY_STRING", "", "-" },
    { "", NULL, "QUERY_STRING", "a=b", "-" },
    { "ok a;id", ";", "QUERY_STRING", "t=%00%00%00", "-" },
    { "ok a;id", ";", "QUERY_STRING", "t=a;id%00.png", "QUERY_STRING:t 3 4" },
    /* a refused word */
    { "mail user@example.org", NULL, "QUERY_STRING", "to=user%40example.org",
      "QUERY_STRING:to 5 16" },
};

static void a_line_names_the_field_and_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct eg_event e = line_event(r->line, r->mark);
        struct eg_request_field field = { eg_str(r->field), eg_str(r->value) };
        const char *got = answer(&e, &field, 1);
        if (strcmp(got, r->expected) != 0)
            fail_msg("%s from %s=%s: expected %s, got %s", r->line, r->field, r->value, r->expected,
                     got);
    }
}

static void what_covers_the_construct_goes_before_what_is_longer(void **state)
{
    (void)state;
    struct eg_event e = line_event("convert a-very-long-name.png -size 1;id out", ";");
    struct eg_request_field fields[] = {
        { EG_STR("QUERY_STRING"), EG_STR("name=a-very-long-name.png&size=1%3Bid") },
        { EG_STR("HTTP_COOKIE"), EG_STR("size=1%3Bid") },
    };
    assert_string_equal(answer(&e, fields, 2), "QUERY_STRING:size 35 4");
}

static void the_order_of_fields_is_the_tables_not_the_environments(void **state)
{
    (void)state;
    struct eg_event e = line_event("ping x.org;id", ";");
    struct eg_request_field fields[] = {
        { EG_STR("HTTP_X_HOST"), EG_STR("x.org;id") },
        { EG_STR("HTTP_COOKIE"), EG_STR("host=x.org%3Bid") },
        { EG_STR("QUERY_STRING"), EG_STR("host=x.org%3Bid") },
    };
    assert_string_equal(answer(&e, fields, 3), "QUERY_STRING:host 5 8");
    assert_string_equal(answer(&e, fields, 2), "HTTP_COOKIE:host 5 8");
    assert_string_equal(answer(&e, fields, 1), "HTTP_X_HOST 5 8");
    assert_string_equal(answer(&e, fields, 0), "-");
}

static void an_exec_names_the_argument(void **state)
{
    (void)state;
    const char *argv[] = { "tar", "-cf", "/x/--checkpoint-action=exec=id", NULL, "-v" };
    struct eg_event e = { .kind = EG_KIND_EXEC, .argv = argv, .argc = 5, .has_argv = true };
    struct eg_request_field field = { EG_STR("QUERY_STRING"),
                                      EG_STR("f=--checkpoint-action%3Dexec%3Did") };
    assert_string_equal(answer(&e, &field, 1), "QUERY_STRING:f argv 2 3 27");
    e.argv = NULL;
    assert_string_equal(answer(&e, &field, 1), "-");
}

static void a_refused_file_names_its_part(void **state)
{
    (void)state;
    struct eg_event e = { .kind = EG_KIND_NAME, .path = EG_STR("/srv/up/shell.php") };
    struct eg_request_field field = { EG_STR("QUERY_STRING"), EG_STR("name=shell.php") };
    assert_string_equal(answer(&e, &field, 1), "QUERY_STRING:name 8 9");
}

static void a_long_line_is_searched_around_its_construct(void **state)
{
    (void)state;
    static char line[100001];
    for (size_t i = 0; i < sizeof line - 1; i++) line[i] = (char)('a' + i % 23);
    memcpy(line + 70000, " 1.2.3.4;reboot ", 16);
    struct eg_event e = line_event(line, ";");
    struct eg_request_field field = { EG_STR("QUERY_STRING"), EG_STR("h=1.2.3.4%3breboot") };
    assert_string_equal(answer(&e, &field, 1), "QUERY_STRING:h 70001 14");
}

static void a_long_value_is_named_too(void **state)
{
    (void)state;
    static char line[2100], value[9000] = "text=";
    memset(line, 'x', 2000);
    strcpy(line + 2000, ";id");
    memset(value + 5, 'x', 8000);
    memcpy(value + 5 + 2000, ";id", 3);
    struct eg_event e = line_event(line, ";");
    struct eg_request_field field = { EG_STR("QUERY_STRING"), eg_str(value) };
    assert_string_equal(answer(&e, &field, 1), "QUERY_STRING:text 0 1024");
}

/* What makes naive searches slow must not take seconds; the limit is far above
 * what any machine needs for the bounded number of steps. */
static void hostile_fields_end_in_bounded_time(void **state)
{
    (void)state;
    static char line[100000], value[EG_SOURCE_VALUE];
    struct eg_request_field fields[EG_SOURCE_FIELDS];
    memset(line, ';', sizeof line - 1);
    for (int round = 0; round < 3; round++) {
        memset(value, ';', sizeof value);
        for (size_t i = 0; i < sizeof value; i++)
            if (round) value[i] = i % 6 == 0 ? '&' : i % 6 == 1 ? 'a' : i % 6 == 2 ? '=' : ';';
        if (round == 2) memset(value, '%', sizeof value);
        for (size_t i = 0; i < EG_SOURCE_FIELDS; i++)
            fields[i] =
                (struct eg_request_field){ i % 2 ? EG_STR("HTTP_COOKIE") : EG_STR("QUERY_STRING"),
                                           { value, sizeof value } };
        struct eg_event e = line_event(line, ";");
        e.offset = sizeof line / 2;
        clock_t start = clock();
        struct eg_event_source source;
        for (int i = 0; i < 10; i++) eg_event_find_source(&e, fields, EG_SOURCE_FIELDS, &source);
        assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    }
}

static void fields_are_taken_from_an_environment(void **state)
{
    (void)state;
    const char *envp[] = { "PATH=/bin", "HTTP_COOKIE=a=b", "QUERY_STRINGS=x", "QUERY_STRING=h=1",
                           "HTTP_",     "BROKEN",          "PATH_INFO=",      NULL };
    struct eg_request_field fields[8];
    assert_int_equal(eg_event_fields(envp, fields, 8), 3);
    assert_memory_equal(fields[0].name.p, "HTTP_COOKIE=a=b", 15);
    assert_int_equal(fields[0].name.n, 11);
    assert_int_equal(fields[0].value.n, 3);
    assert_int_equal(fields[1].value.n, 3);
    assert_int_equal(fields[2].value.n, 0);
    assert_int_equal(eg_event_fields(envp, fields, 2), 2);
    assert_int_equal(eg_event_fields(NULL, fields, 2), 0);
}

static void long_names_are_cut(void **state)
{
    (void)state;
    char value[400];
    memset(value, 'n', 300);
    strcpy(value + 300, "=8.8.8.8|id");
    struct eg_event e = line_event("ping 8.8.8.8|id", "|");
    struct eg_request_field field = { EG_STR("QUERY_STRING"), eg_str(value) };
    struct eg_event_source source;
    assert_true(eg_event_find_source(&e, &field, 1, &source));
    assert_in_range(source.name_size, 90, EG_SOURCE_NAME_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_names_the_field_and_the_place),
        cmocka_unit_test(what_covers_the_construct_goes_before_what_is_longer),
        cmocka_unit_test(the_order_of_fields_is_the_tables_not_the_environments),
        cmocka_unit_test(an_exec_names_the_argument),
        cmocka_unit_test(a_refused_file_names_its_part),
        cmocka_unit_test(a_long_line_is_searched_around_its_construct),
        cmocka_unit_test(a_long_value_is_named_too),
        cmocka_unit_test(hostile_fields_end_in_bounded_time),
        cmocka_unit_test(fields_are_taken_from_an_environment),
        cmocka_unit_test(long_names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
