// SPDX-License-Identifier: MIT
/* The trees that the policy parser makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

static struct eg_diagnostics diagnostics;

static struct eg_policy *parse(const char *text)
{
    struct eg_policy_options options = { 0 };
    struct eg_policy *policy = NULL;
    eg_diagnostics_free(&diagnostics);
    int r = eg_policy_parse("dir/unit.policy", eg_str(text), &options, &diagnostics, &policy);
    if (r < 0) eg_diagnostics_render(&diagnostics, policy, stderr);
    assert_int_equal(r, 0);
    return policy;
}

static int free_diagnostics(void **state)
{
    (void)state;
    eg_diagnostics_free(&diagnostics);
    return 0;
}

static void assert_text(struct eg_str got, const char *expected)
{
    assert_int_equal(got.n, strlen(expected));
    assert_memory_equal(got.p, expected, got.n);
}

static void assert_piece(const struct eg_ast_piece *piece, enum eg_piece_kind kind,
                         const char *text)
{
    assert_int_equal(piece->kind, kind);
    assert_text(piece->text, text);
}

static void assert_literal(const struct eg_ast_arg *arg, const char *text)
{
    assert_int_equal(arg->kind, EG_ARG_WORD);
    assert_int_equal(arg->piece_count, 1);
    assert_piece(&arg->pieces[0], EG_PIECE_LITERAL, text);
}

static void an_empty_exec_block_has_the_defaults(void **state)
{
    (void)state;
    struct eg_policy *p = parse("exec { }");
    assert_text(p->name, "unit");
    assert_false(p->log_mode);
    assert_true(p->no_new_privs);
    assert_int_equal(p->optional_layers, 0);
    assert_false(p->pipeline_allow);
    assert_false(p->list_allow);
    assert_false(p->worker_reexec);
    assert_false(p->limit_capabilities);
    assert_int_equal(p->rule_count, 0);
    assert_int_equal(p->sink_count, 0);
    assert_int_equal(p->rate_per_second, 20);
    assert_int_equal(p->rate_burst, 100);
    assert_int_equal(p->source_count, 1);
    assert_int_equal(p->sources[0].included_from.line, 0);
    eg_policy_free(p);
}

static void statements_set_what_they_say(void **state)
{
    (void)state;
    struct eg_policy *p = parse("mode log; no-new-privs no\n"
                                "optional landlock seccomp capabilities supervisor\n"
                                "exec { shell deny; pipeline allow; list allow; worker reexec }\n"
                                "capabilities { }\n"
                                "log { stderr; rate 7/s burst 9 }\n");
    assert_true(p->log_mode);
    assert_false(p->no_new_privs);
    assert_int_equal(p->optional_layers, 1u << EG_LAYER_DOMAIN | 1u << EG_LAYER_FILTER |
                                             1u << EG_LAYER_CAPABILITIES |
                                             1u << EG_LAYER_SUPERVISOR);
    assert_int_equal(p->optional_spans[EG_LAYER_FILTER].line, 2);
    assert_int_equal(p->optional_spans[EG_LAYER_FILTER].column, 19);
    assert_false(p->shell_rewrite);
    assert_true(p->pipeline_allow);
    assert_true(p->list_allow);
    assert_true(p->worker_reexec);
    assert_true(p->limit_capabilities);
    assert_int_equal(p->capability_count, 0);
    assert_int_equal(p->sink_count, 1);
    assert_int_equal(p->sinks[0].kind, EG_SINK_STDERR);
    assert_int_equal(p->rate_per_second, 7);
    assert_int_equal(p->rate_burst, 9);
    eg_policy_free(p);
}

static void a_rate_without_a_burst_keeps_the_proportion(void **state)
{
    (void)state;
    struct eg_policy *p = parse("log { rate 50/s }");
    assert_int_equal(p->rate_per_second, 50);
    assert_int_equal(p->rate_burst, 250);
    eg_policy_free(p);
}

static void a_rule_has_verb_program_arguments_and_callers(void **state)
{
    (void)state;
    struct eg_policy *p = parse("exec {\n"
                                "  deny optional /usr/bin/gs -q ... from /usr/bin/a /usr/bin/b\n"
                                "}\n");
    assert_int_equal(p->rule_count, 1);
    const struct eg_ast_rule *rule = &p->rules[0];
    assert_int_equal(rule->verb, EG_VERB_DENY);
    assert_true(rule->optional);
    assert_text(rule->program.text, "/usr/bin/gs");
    assert_int_equal(rule->args.count, 2);
    assert_literal(&rule->args.args[0], "-q");
    assert_int_equal(rule->args.args[1].kind, EG_ARG_REST);
    assert_int_equal(rule->from_count, 2);
    assert_text(rule->from[1].text, "/usr/bin/b");
    assert_int_equal(rule->span.line, 2);
    assert_int_equal(rule->span.column, 3);
    assert_int_equal(rule->span.length,
                     strlen("deny optional /usr/bin/gs -q ... from /usr/bin/a /usr/bin/b"));
    eg_policy_free(p);
}

static void rules_of_several_blocks_keep_their_order(void **state)
{
    (void)state;
    struct eg_policy *p = parse("exec { allow /a; shell allow from /m }\nexec { log /b; deny /c }");
    assert_int_equal(p->rule_count, 4);
    assert_int_equal(p->rules[0].verb, EG_VERB_ALLOW);
    assert_int_equal(p->rules[1].verb, EG_VERB_SHELL_FROM);
    assert_int_equal(p->rules[1].program.text.n, 0);
    assert_int_equal(p->rules[1].from_count, 1);
    assert_int_equal(p->rules[2].verb, EG_VERB_LOG);
    assert_int_equal(p->rules[3].verb, EG_VERB_DENY);
    eg_policy_free(p);
}

static void a_hole_inside_a_word_is_a_piece(void **state)
{
    (void)state;
    struct eg_policy *p = parse("exec { allow /a -f<email> <int>x<int> <file> <dir /srv/**> }");
    const struct eg_ast_arg *args = p->rules[0].args.args;
    assert_int_equal(p->rules[0].args.count, 4);
    assert_int_equal(args[0].piece_count, 2);
    assert_piece(&args[0].pieces[0], EG_PIECE_LITERAL, "-f");
    assert_piece(&args[0].pieces[1], EG_PIECE_EMAIL, "");
    assert_int_equal(args[1].piece_count, 3);
    assert_piece(&args[1].pieces[0], EG_PIECE_INT, "");
    assert_piece(&args[1].pieces[1], EG_PIECE_LITERAL, "x");
    assert_piece(&args[1].pieces[2], EG_PIECE_INT, "");
    assert_piece(&args[2].pieces[0], EG_PIECE_FILE, "");
    assert_piece(&args[3].pieces[0], EG_PIECE_DIR, "/srv/**");
    eg_policy_free(p);
}

static void a_quoted_word_is_literal(void **state)
{
    (void)state;
    struct eg_policy *p = parse("exec { allow /a \"<int>\" \"from\" \"[x]\" \"{a|b}\" \"...\" "
                                "\"a b\" \"\\\"\\\\\\n\\t\\x7f\" \"\" x\"y z\"\"\"w }");
    const struct eg_ast_arg *args = p->rules[0].args.args;
    assert_int_equal(p->rules[0].args.count, 9);
    assert_literal(&args[0], "<int>");
    assert_literal(&args[1], "from");
    assert_literal(&args[2], "[x]");
    assert_literal(&args[3], "{a|b}");
    assert_literal(&args[4], "...");
    assert_literal(&args[5], "a b");
    assert_literal(&args[6], "\"\\\n\t\x7f");
    assert_int_equal(args[7].kind, EG_ARG_WORD);
    assert_int_equal(args[7].piece_count, 0);
    assert_literal(&args[8], "xy zw");
    assert_int_equal(p->rules[0].from_count, 0);
    eg_policy_free(p);
}

static void groups_nest(void **state)
{
    (void)state;
    struct eg_policy *p = parse("exec { allow /a [-a [-b <int>]] {x|y z|--c=<int> {d|e}} }");
    const struct eg_ast_arg *args = p->rules[0].args.args;
    assert_int_equal(p->rules[0].args.count, 2);
    assert_int_equal(args[0].kind, EG_ARG_OPTIONAL);
    assert_int_equal(args[0].branch_count, 1);
    assert_int_equal(args[0].branches[0].count, 2);
    assert_literal(&args[0].branches[0].args[0], "-a");
    const struct eg_ast_arg *inner = &args[0].branches[0].args[1];
    assert_int_equal(inner->kind, EG_ARG_OPTIONAL);
    assert_int_equal(inner->branches[0].count, 2);
    assert_int_equal(args[1].kind, EG_ARG_ALTERNATIVES);
    assert_int_equal(args[1].branch_count, 3);
    assert_int_equal(args[1].branches[0].count, 1);
    assert_int_equal(args[1].branches[1].count, 2);
    assert_literal(&args[1].branches[1].args[1], "z");
    assert_int_equal(args[1].branches[2].args[1].kind, EG_ARG_ALTERNATIVES);
    eg_policy_free(p);
}

static void alternatives_inside_a_word_become_words(void **state)
{
    (void)state;
    struct eg_policy *p = parse("exec { allow /a --m={a|b<int>}{1|{2|3}}z }");
    const struct eg_ast_arg *arg = &p->rules[0].args.args[0];
    assert_int_equal(arg->kind, EG_ARG_ALTERNATIVES);
    assert_int_equal(arg->branch_count, 6);
    const char *plain[] = { "--m=a1z", "--m=a2z", "--m=a3z" };
    const char *tail[] = { "1z", "2z", "3z" };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(arg->branches[i].count, 1);
        assert_literal(&arg->branches[i].args[0], plain[i]);
        const struct eg_ast_arg *word = &arg->branches[i + 3].args[0];
        assert_int_equal(word->piece_count, 3);
        assert_piece(&word->pieces[0], EG_PIECE_LITERAL, "--m=b");
        assert_piece(&word->pieces[1], EG_PIECE_INT, "");
        assert_piece(&word->pieces[2], EG_PIECE_LITERAL, tail[i]);
    }
    eg_policy_free(p);
}

static void sixty_four_variants_are_allowed(void **state)
{
    (void)state;
    struct eg_policy *p = parse("exec { allow /a x{0|1|2|3|4|5|6|7}{0|1|2|3|4|5|6|7} }");
    assert_int_equal(p->rules[0].args.args[0].branch_count, 64);
    eg_policy_free(p);
}

static void lists_of_names_keep_their_order(void **state)
{
    (void)state;
    struct eg_policy *p = parse("env { drop A_*; keep B C }\n"
                                "capabilities { keep net_bind_service kill }\n"
                                "log { file \"/var/log/a b\"; stderr }");
    assert_int_equal(p->env_count, 3);
    assert_false(p->env[0].keep);
    assert_text(p->env[0].name.text, "A_*");
    assert_true(p->env[2].keep);
    assert_text(p->env[2].name.text, "C");
    assert_int_equal(p->capability_count, 2);
    assert_text(p->capabilities[1].text, "kill");
    assert_int_equal(p->sink_count, 2);
    assert_text(p->sinks[0].target.text, "/var/log/a b");
    eg_policy_free(p);
}

static void optional_and_from_are_keywords_only_where_they_stand(void **state)
{
    (void)state;
    struct eg_policy *p = parse("exec { allow /a optional --from xfrom }");
    assert_false(p->rules[0].optional);
    assert_int_equal(p->rules[0].args.count, 3);
    assert_literal(&p->rules[0].args.args[0], "optional");
    eg_policy_free(p);
}

static void the_collector_keeps_twenty_and_counts_the_rest(void **state)
{
    (void)state;
    struct eg_diagnostics d = { 0 };
    struct eg_span span = { 0 };
    for (int i = 0; i < 25; i++) eg_diagnose(&d, EG_SEVERITY_WARNING, span, NULL, "w%d", i);
    assert_int_equal(d.count, EG_DIAGNOSTICS_MAX);
    assert_int_equal(d.suppressed, 5);
    assert_int_equal(d.errors, 0);
    eg_diagnose(&d, EG_SEVERITY_ERROR, span, "hint", "e%d", 1);
    assert_int_equal(d.errors, 1);
    assert_int_equal(d.suppressed, 6);
    assert_int_equal(d.count, EG_DIAGNOSTICS_MAX);
    assert_string_equal(d.items[EG_DIAGNOSTICS_MAX - 1].message, "e1");
    assert_string_equal(d.items[EG_DIAGNOSTICS_MAX - 1].hint, "hint");
    eg_diagnostics_free(&d);
}

static void a_refused_policy_is_returned_for_its_sources(void **state)
{
    (void)state;
    struct eg_policy_options options = { 0 };
    struct eg_diagnostics d = { 0 };
    struct eg_policy *policy = NULL;
    assert_int_equal(eg_policy_parse("x", EG_STR("nonsense"), &options, &d, &policy), -EINVAL);
    assert_non_null(policy);
    assert_int_equal(policy->source_count, 1);
    assert_int_equal(d.errors, 1);
    eg_policy_free(policy);
    /* The errors of one load are not those of the next. */
    assert_int_equal(eg_policy_parse("x", EG_STR("exec { }"), &options, &d, &policy), 0);
    eg_policy_free(policy);
    eg_diagnostics_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_exec_block_has_the_defaults),
        cmocka_unit_test(statements_set_what_they_say),
        cmocka_unit_test(a_rate_without_a_burst_keeps_the_proportion),
        cmocka_unit_test(a_rule_has_verb_program_arguments_and_callers),
        cmocka_unit_test(rules_of_several_blocks_keep_their_order),
        cmocka_unit_test(a_hole_inside_a_word_is_a_piece),
        cmocka_unit_test(a_quoted_word_is_literal),
        cmocka_unit_test(groups_nest),
        cmocka_unit_test(alternatives_inside_a_word_become_words),
        cmocka_unit_test(sixty_four_variants_are_allowed),
        cmocka_unit_test(lists_of_names_keep_their_order),
        cmocka_unit_test(optional_and_from_are_keywords_only_where_they_stand),
        cmocka_unit_test(the_collector_keeps_twenty_and_counts_the_rest),
        cmocka_unit_test(a_refused_policy_is_returned_for_its_sources),
    };
    return cmocka_run_group_tests_name("policy_parse", tests, NULL, free_diagnostics);
}
