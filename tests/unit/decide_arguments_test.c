// SPDX-License-Identifier: MIT
/* argv[1..] against the automaton of a rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "../lib/decide_blob.h"

static bool decide(const char *pattern, const char *line, bool open_ended, uint32_t verb)
{
    struct maker *m = make_policy();
    uint32_t program = make_program(m, "/bin/t", "/bin/t", 1, 0);
    uint32_t rule = make_rule(m, verb, program, pattern, NULL);
    const char *argv[64];
    struct eg_exec_request request = { .argv = argv, .open_ended = open_ended };
    request.argc = split_words(line, argv, 64);
    const struct eg_blob *blob = make_blob(m);
    const struct eg_blob_rule *rules = eg_blob_section(blob, EG_SECTION_RULES);
    bool ret = eg_match_arguments(blob, &rules[rule], &request);
    free(m);
    return ret;
}

static bool matches(const char *pattern, const char *line)
{
    return decide(pattern, line, false, EG_VERB_ALLOW);
}

static void no_pattern_means_no_arguments(void **state)
{
    (void)state;
    assert_true(matches("", "t"));
    assert_true(matches("", ""));
    assert_false(matches("", "t a"));
    assert_false(matches("", "t ''"));
}

static void words_match_one_by_one(void **state)
{
    (void)state;
    assert_true(matches("-t <int>", "t -t 1"));
    assert_false(matches("-t <int>", "t -t"));
    assert_false(matches("-t <int>", "t 1 -t"));
    assert_false(matches("-t <int>", "t -t 1 2"));
    assert_true(matches("'' a", "t '' a"));
    assert_false(matches("'' a", "t a"));
}

static void rest_accepts_whatever_follows(void **state)
{
    (void)state;
    assert_true(matches("...", "t"));
    assert_true(matches("...", "t a b -c ''"));
    assert_true(matches("a ...", "t a"));
    assert_true(matches("a ...", "t a b c"));
    assert_false(matches("a ...", "t"));
    assert_false(matches("a ...", "t b"));
}

static void an_optional_part_is_all_or_nothing(void **state)
{
    (void)state;
    assert_true(matches("-t [ -n <int> ] x", "t -t x"));
    assert_true(matches("-t [ -n <int> ] x", "t -t -n 5 x"));
    assert_false(matches("-t [ -n <int> ] x", "t -t -n x"));
    assert_false(matches("-t [ -n <int> ] x", "t -t -n 5 -n 5 x"));
    assert_true(matches("[ -a ] [ -b ]", "t"));
    assert_true(matches("[ -a ] [ -b ]", "t -b"));
    assert_true(matches("[ -a ] [ -b ]", "t -a -b"));
    assert_false(matches("[ -a ] [ -b ]", "t -b -a"));
}

static void one_of_the_alternatives_matches(void **state)
{
    (void)state;
    assert_true(matches("( a | b c ) d", "t a d"));
    assert_true(matches("( a | b c ) d", "t b c d"));
    assert_false(matches("( a | b c ) d", "t d"));
    assert_false(matches("( a | b c ) d", "t a c d"));
    assert_false(matches("( a | b c ) d", "t b d"));
}

static void both_ways_are_followed_at_once(void **state)
{
    (void)state;
    assert_true(matches("[ <word> ] <word>", "t a"));
    assert_true(matches("[ <word> ] <word>", "t a b"));
    assert_false(matches("[ <word> ] <word>", "t a b c"));
    assert_true(matches("( <word> x | <int> y )", "t 1 y"));
    assert_true(matches("( <word> x | <int> y )", "t 1 x"));
}

static void unknown_further_arguments_need_rest(void **state)
{
    (void)state;
    assert_true(decide("a ...", "t a", true, EG_VERB_ALLOW));
    assert_true(decide("...", "t", true, EG_VERB_ALLOW));
    assert_false(decide("a", "t a", true, EG_VERB_ALLOW));
    assert_false(decide("a <any>", "t a", true, EG_VERB_ALLOW));
    assert_false(decide("a b ...", "t a", true, EG_VERB_ALLOW));
    assert_true(decide("a b ...", "t a b", true, EG_VERB_ALLOW));
}

static void a_refusal_meets_whatever_could_still_follow(void **state)
{
    (void)state;
    assert_true(decide("a -exec", "t a", true, EG_VERB_DENY));
    assert_true(decide("a", "t a", true, EG_VERB_DENY));
    assert_false(decide("b -exec", "t a", true, EG_VERB_DENY));
    assert_false(decide("a -exec", "t a", false, EG_VERB_DENY));
}

/* 64 optional words of any kind: 2^64 ways to read a long command line. */
static void an_ambiguous_pattern_takes_linear_time(void **state)
{
    enum { ARGUMENTS = 2000, OPTIONALS = 60 };
    struct maker *m = make_policy();
    char pattern[OPTIONALS * 12 + 8] = "";
    static const char *argv[ARGUMENTS];
    struct timespec begin, end;
    (void)state;
    for (int i = 0; i < OPTIONALS; i++) strcat(pattern, "[ <any> ] ");
    strcat(pattern, "X");
    uint32_t program = make_program(m, "/bin/t", "/bin/t", 1, 0);
    make_rule(m, EG_VERB_ALLOW, program, pattern, NULL);
    for (int i = 0; i < ARGUMENTS; i++) argv[i] = "a";
    const struct eg_blob *blob = make_blob(m);
    struct eg_exec_request request = { .argv = argv };
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (request.argc = 0; request.argc < ARGUMENTS; request.argc += 7)
        assert_false(eg_match_arguments(blob, eg_blob_section(blob, EG_SECTION_RULES), &request));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_in_range(end.tv_sec - begin.tv_sec, 0, 10);
    argv[OPTIONALS + 1] = "X";
    request.argc = OPTIONALS + 2;
    assert_true(eg_match_arguments(blob, eg_blob_section(blob, EG_SECTION_RULES), &request));
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_pattern_means_no_arguments),
        cmocka_unit_test(words_match_one_by_one),
        cmocka_unit_test(rest_accepts_whatever_follows),
        cmocka_unit_test(an_optional_part_is_all_or_nothing),
        cmocka_unit_test(one_of_the_alternatives_matches),
        cmocka_unit_test(both_ways_are_followed_at_once),
        cmocka_unit_test(unknown_further_arguments_need_rest),
        cmocka_unit_test(a_refusal_meets_whatever_could_still_follow),
        cmocka_unit_test(an_ambiguous_pattern_takes_linear_time),
    };
    return cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
}
