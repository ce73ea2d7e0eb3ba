// SPDX-License-Identifier: MIT
/* The printer gives back the tree: print, parse gives an equal tree, and print
 * again the same text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

static struct eg_policy *parse(const char *text)
{
    struct eg_policy_options options = { 0 };
    struct eg_diagnostics d = { 0 };
    struct eg_policy *policy = NULL;
    int r = eg_policy_parse("unit", eg_str(text), &options, &d, &policy);
    if (r < 0) eg_diagnostics_render(&d, policy, stderr);
    assert_int_equal(r, 0);
    eg_diagnostics_free(&d);
    return policy;
}

static void assert_same_text(struct eg_str a, struct eg_str b)
{
    assert_int_equal(a.n, b.n);
    if (a.n) assert_memory_equal(a.p, b.p, a.n);
}

static void assert_same_sequence(const struct eg_ast_sequence *a, const struct eg_ast_sequence *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct eg_ast_arg *x = &a->args[i];
        const struct eg_ast_arg *y = &b->args[i];
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->piece_count, y->piece_count);
        for (size_t j = 0; j < x->piece_count; j++) {
            assert_int_equal(x->pieces[j].kind, y->pieces[j].kind);
            assert_same_text(x->pieces[j].text, y->pieces[j].text);
        }
        assert_int_equal(x->branch_count, y->branch_count);
        for (size_t j = 0; j < x->branch_count; j++)
            assert_same_sequence(&x->branches[j], &y->branches[j]);
    }
}

static void assert_same_policy(const struct eg_policy *a, const struct eg_policy *b)
{
    assert_int_equal(a->log_mode, b->log_mode);
    assert_int_equal(a->no_new_privs, b->no_new_privs);
    assert_int_equal(a->optional_layers, b->optional_layers);
    assert_int_equal(a->shell_rewrite, b->shell_rewrite);
    assert_int_equal(a->pipeline_allow, b->pipeline_allow);
    assert_int_equal(a->list_allow, b->list_allow);
    assert_int_equal(a->worker_reexec, b->worker_reexec);
    assert_int_equal(a->rule_count, b->rule_count);
    for (size_t i = 0; i < a->rule_count; i++) {
        const struct eg_ast_rule *x = &a->rules[i];
        const struct eg_ast_rule *y = &b->rules[i];
        assert_int_equal(x->verb, y->verb);
        assert_int_equal(x->optional, y->optional);
        assert_same_text(x->program.text, y->program.text);
        assert_same_sequence(&x->args, &y->args);
        assert_int_equal(x->from_count, y->from_count);
        for (size_t j = 0; j < x->from_count; j++)
            assert_same_text(x->from[j].text, y->from[j].text);
        assert_int_equal(x->user_count, y->user_count);
        for (size_t j = 0; j < x->user_count; j++)
            assert_same_text(x->users[j].text, y->users[j].text);
    }
    assert_int_equal(a->env_count, b->env_count);
    for (size_t i = 0; i < a->env_count; i++) {
        assert_int_equal(a->env[i].keep, b->env[i].keep);
        assert_same_text(a->env[i].name.text, b->env[i].name.text);
    }
    assert_int_equal(a->kernel_allow_count, b->kernel_allow_count);
    assert_int_equal(a->limit_capabilities, b->limit_capabilities);
    assert_int_equal(a->capability_count, b->capability_count);
    for (size_t i = 0; i < a->capability_count; i++)
        assert_same_text(a->capabilities[i].text, b->capabilities[i].text);
    assert_int_equal(a->sink_count, b->sink_count);
    for (size_t i = 0; i < a->sink_count; i++) {
        assert_int_equal(a->sinks[i].kind, b->sinks[i].kind);
        assert_same_text(a->sinks[i].target.text, b->sinks[i].target.text);
    }
    assert_int_equal(a->rate_per_second, b->rate_per_second);
    assert_int_equal(a->rate_burst, b->rate_burst);
}

static void assert_identity(const char *text)
{
    struct eg_policy *first = parse(text);
    char *printed = eg_policy_print(first);
    assert_non_null(printed);
    struct eg_policy *second = parse(printed);
    assert_same_policy(first, second);
    char *again = eg_policy_print(second);
    assert_string_equal(printed, again);
    free(printed);
    free(again);
    eg_policy_free(first);
    eg_policy_free(second);
}

static void statements_survive_printing(void **state)
{
    (void)state;
    assert_identity("mode log");
    assert_identity("optional supervisor landlock capabilities seccomp\nno-new-privs no");
    assert_identity("exec { shell deny; pipeline allow; worker reexec }");
    assert_identity("exec { shell rewrite; pipeline deny }");
    assert_identity("exec { list allow }");
    assert_identity(
        "exec { allow /a from /b for c 7; shell allow from /m for d; deny /e ... for f }");
    assert_identity("env { drop A* B; keep C }\ncapabilities { }");
    assert_identity("capabilities { keep kill chown }\nkernel { allow ptrace }");
    assert_identity("log { file \"/a b\"; stderr; rate 1/s burst 2 }");
    assert_identity("log { rate 1000000/s }");
}

static void rules_survive_printing(void **state)
{
    (void)state;
    assert_identity("exec { allow optional /a ... from /b /c; deny /d; log /e x; "
                    "shell allow from /m }");
    assert_identity("exec { allow /a [b [c] {d|e f [g]}] {x|y}{1|2}z <int>x<int> ... }");
    assert_identity("exec { allow \"/o p/\"*/\"q r\"* \"from\" optional from \"/s t/u\" }");
    assert_identity("exec { allow /a <file> <dir /x/**> <file \"/y z/[a\\\\\\\"]>\"> -o<any> }");
}

static void every_byte_survives_printing(void **state)
{
    (void)state;
    char text[64];
    for (unsigned c = 1; c < 256; c++) {
        snprintf(text, sizeof(text), "exec { allow /a \"\\x%02x\" \"x\\x%02xy\" }", c, c);
        assert_identity(text);
    }
}

static void words_that_mean_something_are_printed_in_quotes(void **state)
{
    (void)state;
    assert_identity("exec { allow /a \"...\" \"a...\" \"from\" \"for\" \"#\" \"*\" \"<int>\" \"\" "
                    "\"[\" \"a|b\" }");
}

static void a_rule_prints_as_its_statement(void **state)
{
    (void)state;
    struct eg_policy *p = parse("exec { allow   optional /a  -f<email>  [ x ] # why\n }");
    char *rule = eg_policy_print_rule(&p->rules[0]);
    assert_string_equal(rule, "allow optional /a -f<email> [x]");
    free(rule);
    eg_policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_survive_printing),
        cmocka_unit_test(rules_survive_printing),
        cmocka_unit_test(every_byte_survives_printing),
        cmocka_unit_test(words_that_mean_something_are_printed_in_quotes),
        cmocka_unit_test(a_rule_prints_as_its_statement),
    };
    return cmocka_run_group_tests_name("policy_print", tests, NULL, NULL);
}
