// SPDX-License-Identifier: MIT
/* Argument patterns, from policy text through the automaton to the matcher. */
#include "compile_helper.h"

#include "compile/arguments.h"

/* Do these arguments (separated by '|') fit the pattern? */
static bool fits(const char *pattern, const char *arguments)
{
    struct compiled c;
    char text[512];
    const char *argv[32] = { "id" };
    struct eg_exec_request request = { .argv = argv, .argc = 1 };
    snprintf(text, sizeof(text), "%s", arguments);
    compile_text(&c, "exec {\n allow /usr/bin/id %s\n}\n", pattern);
    assert_compiles(&c);
    for (char *at = text; *arguments;) {
        argv[request.argc++] = at;
        at = strchr(at, '|');
        if (!at) break;
        *at++ = '\0';
    }
    bool result = eg_match_arguments(c.blob, rule_at(c.blob, 0), &request);
    compiled_done(&c);
    return result;
}

static void no_pattern_takes_no_argument(void **state)
{
    (void)state;
    assert_true(fits("", ""));
    assert_false(fits("", "a"));
}

static void words_are_taken_in_order(void **state)
{
    (void)state;
    assert_true(fits("-a <int>", "-a|5"));
    assert_false(fits("-a <int>", "5|-a"));
    assert_false(fits("-a <int>", "-a"));
    assert_false(fits("-a <int>", "-a|5|6"));
}

static void brackets_are_all_or_nothing(void **state)
{
    (void)state;
    assert_true(fits("-t [-s <word>] x", "-t|x"));
    assert_true(fits("-t [-s <word>] x", "-t|-s|w|x"));
    assert_false(fits("-t [-s <word>] x", "-t|-s|x"));
    assert_true(fits("[-a [-b]] [-c]", ""));
    assert_true(fits("[-a [-b]] [-c]", "-a|-b|-c"));
    assert_false(fits("[-a [-b]] [-c]", "-b|-c"));
}

static void alternatives_are_one_of_them(void **state)
{
    (void)state;
    assert_true(fits("{-a|-b <int>|-c} end", "-a|end"));
    assert_true(fits("{-a|-b <int>|-c} end", "-b|3|end"));
    assert_true(fits("{-a|-b <int>|-c} end", "-c|end"));
    assert_false(fits("{-a|-b <int>|-c} end", "end"));
    assert_false(fits("{-a|-b <int>|-c} end", "-a|-c|end"));
    assert_true(fits("{a|{b|c} d}", "c|d"));
}

static void the_rest_is_anything_at_the_end(void **state)
{
    (void)state;
    assert_true(fits("-a ...", "-a"));
    assert_true(fits("-a ...", "-a|x|y|z"));
    assert_false(fits("-a ...", "x|-a"));
}

static void holes_inside_words_hold_their_kind(void **state)
{
    (void)state;
    assert_true(fits("--size=<int>x<int>", "--size=10x20"));
    assert_false(fits("--size=<int>x<int>", "--size=10x"));
    assert_true(fits("-f<email>", "-fa@example.org"));
    assert_false(fits("-f<email>", "-f-a"));
}

static void a_pattern_that_is_too_large_is_an_error_at_its_rule(void **state)
{
    struct compiled c;
    char text[8192] = "exec {\n allow /usr/bin/id";
    (void)state;
    for (int i = 0; i < 300; i++) strcat(text, " [x]");
    strcat(text, "\n}\n");
    compile_text(&c, "%s", text);
    assert_error(&c, "the argument pattern is too large");
    compiled_done(&c);
    /* words that fill the automaton to its end pass */
    strcpy(text, "exec {\n allow /usr/bin/id");
    for (int i = 0; i < 255; i++) strcat(text, " x");
    strcat(text, "\n}\n");
    compile_text(&c, "%s", text);
    assert_compiles(&c);
    assert_int_equal(rule_at(c.blob, 0)->node_count, EG_NODES_MAX);
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_WORDS), 1);
    compiled_done(&c);
}

static bool accepts_all(const char *pattern)
{
    struct compiled c;
    compile_text(&c, "exec {\n allow /usr/bin/id %s\n}\n", pattern);
    assert_compiles(&c);
    const struct eg_blob_rule *rule = rule_at(c.blob, 0);
    const struct eg_blob_node *nodes = eg_blob_section(c.blob, EG_SECTION_NODES);
    bool result = eg_arguments_accept_all(nodes + rule->nodes, rule->node_count);
    compiled_done(&c);
    return result;
}

static void what_accepts_everything_is_recognised(void **state)
{
    (void)state;
    assert_true(accepts_all("..."));
    assert_true(accepts_all("[-x] ..."));
    assert_true(accepts_all("[-x] [{a|b}] ..."));
    assert_false(accepts_all("-x ..."));
    assert_false(accepts_all("[-x]"));
    assert_false(accepts_all("{a|b} ..."));
}

static bool is_open(const char *pattern)
{
    struct compiled c;
    compile_text(&c, "exec {\n allow /usr/bin/id %s\n}\n", pattern);
    assert_compiles(&c);
    bool result = eg_arguments_are_open(&c.policy->rules[0].args);
    compiled_done(&c);
    return result;
}

static void open_options_are_recognised(void **state)
{
    (void)state;
    assert_true(is_open("..."));
    assert_true(is_open("<any>"));
    assert_true(is_open("-<any>"));
    assert_true(is_open("--<word>"));
    assert_true(is_open("-v [{<any>|x}]"));
    assert_false(is_open(""));
    assert_false(is_open("-<int>"));
    assert_false(is_open("-f<any>"));
    assert_false(is_open("<word> <file> <host> <int>"));
    assert_false(is_open("--size=<any>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_pattern_takes_no_argument),
        cmocka_unit_test(words_are_taken_in_order),
        cmocka_unit_test(brackets_are_all_or_nothing),
        cmocka_unit_test(alternatives_are_one_of_them),
        cmocka_unit_test(the_rest_is_anything_at_the_end),
        cmocka_unit_test(holes_inside_words_hold_their_kind),
        cmocka_unit_test(a_pattern_that_is_too_large_is_an_error_at_its_rule),
        cmocka_unit_test(what_accepts_everything_is_recognised),
        cmocka_unit_test(open_options_are_recognised),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
