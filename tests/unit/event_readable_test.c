// SPDX-License-Identifier: MIT
/* Readable events: what an administrator finds in an error log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/event.h"

static char line[EG_EVENT_MAX + 1];
static size_t length;

static void render(const struct eg_event *event)
{
    char *memory = malloc(EG_EVENT_MAX);
    assert_non_null(memory);
    length = eg_event_readable(event, memory);
    assert_in_range(length, 2, EG_EVENT_MAX);
    memcpy(line, memory, length);
    line[length] = '\0';
    free(memory);
    assert_int_equal(line[length - 1], '\n');
    for (size_t i = 0; i < length - 1; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            fail_msg("control character %d at %zu", line[i], i);
}

static const char *const id_argv[] = { "id", "-u", NULL };

static struct eg_event plain_event(void)
{
    return (struct eg_event){
        .action = EG_ACTION_DENY,
        .kind = EG_KIND_EXEC,
        .layer = EG_LAYER_SHIM,
        .reason = EG_REASON_NO_RULE,
        .policy = EG_STR("web"),
        .call = EG_STR("execve"),
        .program = EG_STR("/usr/bin/id"),
        .argv = id_argv,
        .argc = 2,
        .has_argv = true,
        .cwd = EG_STR("/srv/www"),
        .exe = EG_STR("/usr/bin/perl"),
        .pid = 123,
        .uid = 33,
        .request = { .method = EG_STR("GET"),
                     .uri = EG_STR("/ping?h=1"),
                     .remote = EG_STR("1.2.3.4") },
    };
}

static void a_refused_exec_reads_like_this(void **state)
{
    (void)state;
    struct eg_event e = plain_event();
    render(&e);
    assert_string_equal(
        line,
        "execguard: denied exec /usr/bin/id: no rule names this program (no-rule); policy web; "
        "by shim in execve; argv id -u; caller /usr/bin/perl[123] uid 33 cwd /srv/www; "
        "request GET \"/ping?h=1\" from 1.2.3.4\n");
}

static void a_refused_command_line_reads_like_this(void **state)
{
    (void)state;
    struct eg_event e = plain_event();
    e.kind = EG_KIND_SHELL;
    e.reason = EG_REASON_SHELL_CONSTRUCT;
    e.call = EG_STR("system");
    e.line = EG_STR("ping 8.8.8.8;id"), e.has_line = true;
    e.construct = EG_STR(";"), e.offset = 12, e.has_construct = true;
    e.rule_file = EG_STR("/etc/execguard/web.policy"), e.rule_line = 12;
    e.has_argv = false;
    e.request = (struct eg_event_request){ 0 };
    e.hint = EG_STR("write allow /bin/ping <host>");
    e.repeat = 3;
    render(&e);
    assert_string_equal(
        line,
        "execguard: denied shell command \"ping 8.8.8.8;id\": the command line holds more than a "
        "simple command (shell-construct): \";\" at byte 12; policy web rule "
        "/etc/execguard/web.policy:12; by shim in system; caller /usr/bin/perl[123] uid 33 cwd "
        "/srv/www; hint: write allow /bin/ping <host>; 3 like it not shown\n");
}

/* The second line, or "" when there is none. */
static const char *explain(const struct eg_event *event)
{
    char *memory = malloc(EG_EVENT_MAX);
    assert_non_null(memory);
    length = eg_event_explained(event, memory);
    assert_in_range(length, 2, EG_EVENT_MAX);
    memcpy(line, memory, length);
    line[length] = '\0';
    free(memory);
    const char *second = strchr(line, '\n') + 1;
    assert_true(*second == '\0' || strchr(second, '\n') == line + length - 1);
    return second;
}

static struct eg_event line_event(const char *text, size_t offset)
{
    struct eg_event e = plain_event();
    e.kind = EG_KIND_SHELL;
    e.reason = EG_REASON_SHELL_CONSTRUCT;
    e.line = eg_str(text), e.has_line = true;
    e.construct = EG_STR("sequence"), e.offset = offset, e.has_construct = true;
    return e;
}

static void a_second_line_points_at_the_construct(void **state)
{
    (void)state;
    struct eg_event e = line_event("ping 8.8.8.8;id", 12);
    const char *second = explain(&e);
    assert_non_null(strstr(line, "execguard: denied shell command \"ping 8.8.8.8;id\": "));
    assert_string_equal(second, "execguard:                                   ^ sequence\n");
    assert_int_equal(line[strchr(second, '^') - second], ';');
    e.has_construct = false;
    assert_string_equal(explain(&e), "");
    e = plain_event();
    assert_string_equal(explain(&e), "");
}

static void it_underlines_what_came_from_the_request(void **state)
{
    (void)state;
    struct eg_event e = line_event("ping 8.8.8.8;id x", 12);
    e.source = EG_STR("QUERY_STRING:host"), e.source_offset = 5, e.source_length = 10;
    assert_string_equal(explain(&e), "execguard:                            ~~~~~~~^~~ sequence, "
                                     "text of QUERY_STRING:host\n");
    assert_non_null(strstr(line, "; text of QUERY_STRING:host at byte 5"));
    e.has_construct = false;
    assert_string_equal(explain(&e), "execguard:                            ~~~~~~~~~~ text of "
                                     "QUERY_STRING:host\n");
    e.source_in_argument = true, e.source_argument = 2;
    assert_string_equal(explain(&e), "");
    assert_non_null(strstr(line, "; text of QUERY_STRING:host in argument 2 at byte 5"));
}

/* The columns before the mark, and those of the shown line before `;`. */
static void it_stays_aligned_below_foreign_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset, column;
    } rows[] = {
        { "a\n\x1b[1m;id", 6, 12 },              /* \x0a \x1b */
        { "\"\\;id", 2, 4 },                     /* \" \\ */
        { "\xff\xc2\x9b;id", 3, 12 },            /* \xff \u{009b} */
        { "gr\xc3\xbcn;id", 5, 4 },              /* one column */
        { "\xe6\xbc\xa2\xe5\xad\x97;id", 6, 4 }, /* two each */
        { "a\xcc\x81;id", 3, 1 },                /* none */
        { "a;id\xf0\x9f\x98\x80", 1, 1 },
        { "a", 1, 1 }, /* at the end */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct eg_event e = line_event(rows[i].text, rows[i].offset);
        const char *second = explain(&e);
        const char *caret = strchr(second, '^');
        size_t quote = rows[i].text[1] ? 1 : 0;
        if (!caret) fail_msg("no caret below %s", line);
        if ((size_t)(caret - second) !=
            strlen("execguard: denied shell command ") + quote + rows[i].column)
            fail_msg("row %zu: caret in column %zd of\n%s", i, caret - second, line);
    }
}

static void a_construct_far_behind_is_still_shown(void **state)
{
    (void)state;
    static char text[3000];
    for (size_t i = 0; i < sizeof text - 1; i++) text[i] = i % 2 ? '\xc3' : '\xbc';
    memcpy(text + 2000, ";id", 3);
    struct eg_event e = line_event(text, 2000);
    const char *second = explain(&e);
    assert_non_null(strstr(line, "shell command \"..."));
    const char *caret = strchr(second, '^');
    assert_non_null(caret);
    assert_in_range(caret - second, 60, 300);
    /* beyond its end: no caret, rather than a wrong one */
    e.offset = 5000;
    assert_string_equal(explain(&e), "");
}

static void a_refused_command_of_a_line_has_a_hint(void **state)
{
    (void)state;
    struct eg_event e = line_event("id -u", 0);
    e.has_construct = false;
    e.reason = EG_REASON_NO_RULE;
    render(&e);
    assert_non_null(strstr(line, "; hint: if the line is legitimate, write `allow PROGRAM"));
    e.action = EG_ACTION_ALLOW;
    render(&e);
    assert_null(strstr(line, "hint"));
}

static void each_kind_names_its_own_thing(void **state)
{
    (void)state;
    static const struct {
        enum eg_kind kind;
        const char *shown;
    } rows[] = { { EG_KIND_EXEC, "exec /usr/bin/id:" },
                 { EG_KIND_SHELL, "shell command /usr/bin/id:" },
                 { EG_KIND_WRITE, "writing /p/a:" },
                 { EG_KIND_NAME, "file name /p/a:" },
                 { EG_KIND_MODE, "file mode /p/a:" },
                 { EG_KIND_CONTENT, "content of /p/a:" },
                 { EG_KIND_MAP, "loading /p/a:" },
                 { EG_KIND_ENV, "environment variable LD_PRELOAD:" },
                 { EG_KIND_SYSCALL, "system call execve:" } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct eg_event e = plain_event();
        e.kind = rows[i].kind;
        e.path = EG_STR("/p/a");
        e.variable = EG_STR("LD_PRELOAD");
        render(&e);
        if (!strstr(line, rows[i].shown)) fail_msg("no \"%s\" in %s", rows[i].shown, line);
    }
}

static void log_mode_says_would_deny(void **state)
{
    (void)state;
    struct eg_event e = plain_event();
    e.action = EG_ACTION_WOULD_DENY;
    render(&e);
    assert_non_null(strstr(line, "execguard: would deny exec "));
}

static void foreign_bytes_cannot_forge_a_line_or_move_the_cursor(void **state)
{
    (void)state;
    struct eg_event e = plain_event();
    e.request.uri = EG_STR("/\nexecguard: allowed\r\x1b[2J\xff\xc2\x9b\xe2\x80\xae\"\\");
    render(&e);
    assert_non_null(
        strstr(line, "\"/\\x0aexecguard: allowed\\x0d\\x1b[2J\\xff\\u{009b}\\u{202e}\\\"\\\\\""));
}

static void words_with_blanks_are_quoted_so_that_argv_is_unambiguous(void **state)
{
    (void)state;
    const char *argv[] = { "sh", "-c", "id; ls", "", NULL, "gr\xc3\xbcn" };
    struct eg_event e = plain_event();
    e.argv = argv, e.argc = 6;
    render(&e);
    assert_non_null(strstr(line, "; argv sh -c \"id; ls\" \"\" \"\" \"gr\xc3\xbcn\";"));
}

static void long_texts_are_shortened_and_the_line_stays_whole(void **state)
{
    (void)state;
    char *s = malloc(20001);
    assert_non_null(s);
    for (size_t i = 0; i < 20000; i++) s[i] = "\xe2\x82\xac"[i % 3];
    s[20000] = '\0';
    static const char *argv[100];
    for (size_t i = 0; i < 100; i++) argv[i] = s;
    struct eg_str big = { s, 19998 };
    struct eg_event e = { .policy = big,
                          .rule_file = big,
                          .call = big,
                          .program = big,
                          .argv = argv,
                          .argc = 100,
                          .has_argv = true,
                          .line = big,
                          .has_line = true,
                          .construct = big,
                          .has_construct = true,
                          .path = big,
                          .variable = big,
                          .inner = big,
                          .cwd = big,
                          .exe = big,
                          .request = { big, big, big, big, big, EG_REMOTE_FORWARDED, true },
                          .source = big,
                          .hint = big,
                          .repeat = UINT64_MAX };
    for (int kind = EG_KIND_EXEC; kind <= EG_KIND_SYSCALL; kind++) {
        e.kind = (enum eg_kind)kind;
        render(&e);
        assert_non_null(strstr(line, "..."));
        /* No character is cut in half. */
        for (size_t i = 0; i < length - 1; i++)
            if ((unsigned char)line[i] == 0xe2) {
                assert_int_equal((unsigned char)line[i + 1], 0x82);
                assert_int_equal((unsigned char)line[i + 2], 0xac);
            }
    }
    free(s);
}

static void many_arguments_are_counted(void **state)
{
    (void)state;
    static const char *argv[1000];
    for (size_t i = 0; i < 1000; i++) argv[i] = "a";
    struct eg_event e = plain_event();
    e.argv = argv, e.argc = 1000;
    render(&e);
    assert_non_null(strstr(line, " a and 968 more; caller"));
}

static void a_claimed_request_is_marked(void **state)
{
    (void)state;
    struct eg_event e = plain_event();
    e.request.claimed = true;
    render(&e);
    assert_non_null(strstr(line, "; claimed request GET"));
}

static void an_empty_event_is_a_line(void **state)
{
    (void)state;
    struct eg_event e = { 0 };
    render(&e);
    assert_non_null(strstr(line, "execguard: denied exec"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_exec_reads_like_this),
        cmocka_unit_test(a_refused_command_line_reads_like_this),
        cmocka_unit_test(a_second_line_points_at_the_construct),
        cmocka_unit_test(it_underlines_what_came_from_the_request),
        cmocka_unit_test(it_stays_aligned_below_foreign_bytes),
        cmocka_unit_test(a_construct_far_behind_is_still_shown),
        cmocka_unit_test(a_refused_command_of_a_line_has_a_hint),
        cmocka_unit_test(each_kind_names_its_own_thing),
        cmocka_unit_test(log_mode_says_would_deny),
        cmocka_unit_test(foreign_bytes_cannot_forge_a_line_or_move_the_cursor),
        cmocka_unit_test(words_with_blanks_are_quoted_so_that_argv_is_unambiguous),
        cmocka_unit_test(long_texts_are_shortened_and_the_line_stays_whole),
        cmocka_unit_test(many_arguments_are_counted),
        cmocka_unit_test(a_claimed_request_is_marked),
        cmocka_unit_test(an_empty_event_is_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
