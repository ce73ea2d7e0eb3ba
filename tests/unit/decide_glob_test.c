// SPDX-License-Identifier: MIT
/* Globs: what they match, against a slow and obvious matcher, and how long they
 * take on inputs made to be slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "decide/decide.h"

static bool match(const char *pattern, const char *text)
{
    return eg_glob_match(eg_str(pattern), eg_str(text));
}

static void a_star_stays_inside_a_component(void **state)
{
    (void)state;
    assert_true(match("/srv/*/x", "/srv/a/x"));
    assert_true(match("/srv/*", "/srv/.hidden"));
    assert_true(match("/srv/*", "/srv/"));
    assert_false(match("/srv/*/x", "/srv/a/b/x"));
    assert_false(match("/srv/*", "/srv/a/b"));
    assert_true(match("*.jpg", "a.jpg"));
    assert_false(match("*.jpg", "a/b.jpg"));
}

static void two_stars_cross_components(void **state)
{
    (void)state;
    assert_true(match("/srv/**", "/srv/a/b/c"));
    assert_true(match("/srv/**", "/srv/a"));
    assert_false(match("/srv/**", "/srv"));
    assert_false(match("/srv/**", "/srvx/a"));
    assert_true(match("/srv/**/x", "/srv/a/b/x"));
    assert_true(match("/srv/**/x", "/srv/x"));
    assert_true(match("**/x", "x"));
    assert_true(match("**/x", "a/b/x"));
    assert_false(match("/srv/**/x", "/srvx"));
    assert_false(match("/srv/a**/x", "/srv/x"));
    assert_true(match("/srv/***", "/srv/a/b"));
}

static void a_question_mark_is_one_byte_but_no_slash(void **state)
{
    (void)state;
    assert_true(match("a?c", "abc"));
    assert_false(match("a?c", "a/c"));
    assert_false(match("a?c", "ac"));
}

static void a_set_holds_ranges_and_can_be_negated(void **state)
{
    (void)state;
    assert_true(match("[a-c]x", "bx"));
    assert_false(match("[a-c]x", "dx"));
    assert_true(match("[!a-c]x", "dx"));
    assert_true(match("[^a-c]x", "dx"));
    assert_false(match("[!a-c]x", "ax"));
    assert_true(match("[]x]", "]"));
    assert_true(match("[!]x]", "a"));
    assert_false(match("[!]x]", "]"));
    assert_true(match("[a-]", "-"));
    assert_true(match("[\\]]", "]"));
    assert_true(match("[+--]", ","));
    assert_false(match("[z-a]", "m"));
}

static void a_set_never_holds_a_slash(void **state)
{
    (void)state;
    assert_false(match("a[!x]b", "a/b"));
    assert_false(match("a[/]b", "a/b"));
    assert_false(match("a[+-9]b", "a/b"));
}

static void a_set_that_is_not_closed_is_a_bracket(void **state)
{
    (void)state;
    assert_true(match("[abc", "[abc"));
    assert_false(match("[abc", "a"));
    assert_true(match("[]", "[]"));
    assert_true(match("[!]", "[!]"));
    assert_true(match("[[a]", "["));
    assert_true(match("[[a]", "a"));
}

static void a_backslash_takes_the_meaning_away(void **state)
{
    (void)state;
    assert_true(match("a\\*b", "a*b"));
    assert_false(match("a\\*b", "axb"));
    assert_true(match("a\\\\b", "a\\b"));
    assert_true(match("a\\", "a\\"));
    assert_true(match("\\[a]", "[a]"));
}

static void a_pattern_over_the_limit_matches_nothing(void **state)
{
    char pattern[EG_GLOB_MAX + 2];
    (void)state;
    memset(pattern, 'a', sizeof(pattern));
    pattern[EG_GLOB_MAX] = '\0';
    assert_true(match(pattern, pattern));
    pattern[EG_GLOB_MAX] = 'a';
    pattern[EG_GLOB_MAX + 1] = '\0';
    assert_false(match(pattern, pattern));
    memset(pattern, '*', EG_GLOB_MAX);
    pattern[EG_GLOB_MAX] = '\0';
    assert_true(match(pattern, "/anything/at/all"));
}

static void bytes_above_ascii_are_bytes(void **state)
{
    (void)state;
    assert_true(match("/srv/\xc3\xa9*", "/srv/\xc3\xa9t\xc3\xa9"));
    assert_true(match("[\x80-\xff]", "\xc3"));
    assert_false(match("[\x80-\xff]", "a"));
}

/* The definition, by trying everything. */
static bool slow(const char *p, const char *t, const char *start)
{
    if (!*p) return !*t;
    if (p[0] == '*' && p[1] == '*') {
        bool alone = p == start || p[-1] == '/';
        if (alone && p[2] == '/' && slow(p + 3, t, start)) return true;
        for (;; t++) {
            if (slow(p + 2, t, start)) return true;
            if (!*t) return false;
        }
    }
    if (*p == '*') {
        for (;; t++) {
            if (slow(p + 1, t, start)) return true;
            if (!*t || *t == '/') return false;
        }
    }
    if (!*t) return false;
    if (*p == '?') return *t != '/' && slow(p + 1, t + 1, start);
    if (*p == '[' && p[1] == 'a' && p[2] == ']') return *t == 'a' && slow(p + 3, t + 1, start);
    return *p == *t && slow(p + 1, t + 1, start);
}

static void it_agrees_with_the_definition_on_made_up_inputs(void **state)
{
    static const char *const parts[] = { "a", "b", "/", "*", "**", "?", "[a]", "/**/" };
    unsigned matched = 0;
    uint32_t seed = 1;
    (void)state;
    for (unsigned round = 0; round < 60000; round++) {
        char pattern[40] = "";
        char text[12] = "";
        seed = seed * 1664525u + 1013904223u;
        for (unsigned i = 0, n = (seed >> 28) % 8; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            strcat(pattern, parts[(seed >> 24) % 8]);
        }
        for (unsigned i = 0, n = (seed >> 16) % 9; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            strcat(text, parts[(seed >> 24) % 3]);
        }
        bool expected = slow(pattern, text, pattern);
        matched += expected;
        if (match(pattern, text) != expected)
            fail_msg("glob %s text %s: expected %d", pattern, text, expected);
    }
    assert_in_range(matched, 2000, 58000);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 128 KiB against patterns that make a backtracking matcher run for ever.  Each
 * byte may cost one step for each place in the pattern, and no more: 2^27 steps,
 * a second or two with a sanitizer; backtracking would need 2^100. */
static void hostile_inputs_take_linear_time(void **state)
{
    const size_t size = 128 << 10;
    char *text = malloc(size + 1);
    char pattern[EG_GLOB_MAX + 1];
    const char *const units[] = { "*a", "**a", "*[a-z]", "**/", "[", "?*", "*\\a", "[!b]**" };
    (void)state;
    assert_non_null(text);
    memset(text, 'a', size);
    text[size] = '\0';
    for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++) {
        size_t n = strlen(units[u]);
        size_t at = 0;
        for (; at + n < EG_GLOB_MAX; at += n) memcpy(pattern + at, units[u], n);
        pattern[at] = 'X';
        pattern[at + 1] = '\0';
        double begin = seconds();
        assert_false(match(pattern, text));
        double took = seconds() - begin;
        if (took > 20) fail_msg("%s...: %.1f s", units[u], took);
    }
    free(text);
}

/* Reading a pattern is linear too, although nothing closes its brackets. */
static void brackets_that_are_not_closed_take_linear_time(void **state)
{
    char pattern[EG_GLOB_MAX + 1];
    (void)state;
    memset(pattern, '[', EG_GLOB_MAX);
    pattern[EG_GLOB_MAX] = '\0';
    double begin = seconds();
    for (int i = 0; i < 4000; i++) assert_false(match(pattern, "x"));
    double took = seconds() - begin;
    if (took > 2) fail_msg("4000 patterns took %.1f s", took);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_star_stays_inside_a_component),
        cmocka_unit_test(two_stars_cross_components),
        cmocka_unit_test(a_question_mark_is_one_byte_but_no_slash),
        cmocka_unit_test(a_set_holds_ranges_and_can_be_negated),
        cmocka_unit_test(a_set_never_holds_a_slash),
        cmocka_unit_test(a_set_that_is_not_closed_is_a_bracket),
        cmocka_unit_test(a_backslash_takes_the_meaning_away),
        cmocka_unit_test(a_pattern_over_the_limit_matches_nothing),
        cmocka_unit_test(bytes_above_ascii_are_bytes),
        cmocka_unit_test(it_agrees_with_the_definition_on_made_up_inputs),
        cmocka_unit_test(hostile_inputs_take_linear_time),
        cmocka_unit_test(brackets_that_are_not_closed_take_linear_time),
    };
    return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
