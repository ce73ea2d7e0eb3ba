// SPDX-License-Identifier: MIT
/* Verdicts on command lines: the shape, then each command as an exec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/decide_blob.h"
#include "decide/shell.h"

enum { LS = 10, CAT, DASH, RUNNER, ID };

/* enum eg_blob_flag of the policy that is asked. */
static uint32_t policy_flags;

/* One line being asked about.  Programs are found by their names alone. */
struct asked {
    struct eg_line line;
    struct eg_line_word words[64];
    char text[512];
    const char *argv[64];
    struct eg_exec_request exec;
};

static int command(void *context, uint32_t index, struct eg_exec_request *ret)
{
    static const struct {
        const char *name, *path;
        uint64_t ino;
    } programs[] = { { "ls", "/bin/ls", LS }, { "cat", "/bin/cat", CAT }, { "id", "/bin/id", ID } };
    struct asked *a = context;
    const struct eg_line_command *c = &a->line.commands[index];
    for (uint32_t i = 0; i < c->word_count; i++) a->argv[i] = a->line.words[c->words + i].text;
    ret->argv = a->argv;
    ret->argc = c->word_count;
    ret->target = (struct eg_target){ .path = eg_str(a->argv[0]) };
    if (!strcmp(a->argv[0], "unreadable")) return -5;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (!strcmp(a->argv[0], programs[i].name))
            ret->target = make_target(programs[i].path, programs[i].ino);
    return 0;
}

static struct eg_decision ask_argv(struct maker *m, const char *file, const char *const *argv)
{
    struct asked a = { .exec = { .target = make_target(file, DASH), .cwd = EG_STR("/srv") } };
    struct eg_shell shell;
    struct eg_decision ret;
    while (argv[a.exec.argc]) a.exec.argc++;
    a.exec.argv = argv;
    eg_line_shell_command(argv, a.exec.argc, &shell);
    shell.dialect = eg_decide_shell_dialect(&shell, &a.exec.target);
    bool readable = shell.kind == EG_SHELL_COMMAND && shell.dialect != EG_DIALECT_NONE;
    struct eg_line_memory memory = { a.text, sizeof a.text, a.words, 64 };
    struct eg_shell_request request = { &a.exec, &shell, readable ? &a.line : NULL, command, &a };
    if (readable) eg_line_parse(shell.command, shell.dialect, &memory, &a.line);
    const struct eg_blob *blob = make_blob(m);
    m->blob.flags = policy_flags;
    eg_decide_shell(blob, &request, &ret);
    return ret;
}

static struct eg_decision ask(struct maker *m, const char *line)
{
    const char *argv[] = { "sh", "-c", line, NULL };
    return ask_argv(m, "/bin/dash", argv);
}

static void check(struct eg_decision d, enum eg_verdict verdict, enum eg_reason reason,
                  const char *line)
{
    if (d.verdict != verdict || d.reason != reason)
        fail_msg("`%s': expected %s %s, got %s %s", line, eg_verdict_name(verdict),
                 eg_reason_slug(reason), eg_verdict_name(d.verdict), eg_reason_slug(d.reason));
}
#define REWRITTEN(line)      check(ask(m, line), EG_VERDICT_REWRITE, EG_REASON_NONE, line)
#define DENIED(reason, line) check(ask(m, line), EG_VERDICT_DENY, EG_REASON_##reason, line)

/* ls with any arguments, cat with `-n` or none, id logged. */
static struct maker *usual(uint32_t flags)
{
    struct maker *m = make_policy();
    policy_flags = EG_BLOB_SHELL_REWRITE | EG_BLOB_WRITE_FREE | flags;
    make_rule(m, EG_VERB_ALLOW, make_program(m, "/bin/ls", "/bin/ls", LS, 0), "...", NULL);
    make_rule(m, EG_VERB_ALLOW, make_program(m, "/bin/cat", "/bin/cat", CAT, 0), "-n", NULL);
    make_rule(m, EG_VERB_LOG, make_program(m, "/bin/id", "/bin/id", ID, 0), "...", NULL);
    return m;
}

static void add_runner(struct maker *m)
{
    make_program(m, "/lib/execguard-line", "/lib/execguard-line", RUNNER, EG_PROGRAM_RUNNER);
}

static void a_simple_line_is_judged_as_its_program(void **state)
{
    struct maker *m = usual(0);
    (void)state;
    REWRITTEN("ls 'a b' \"$\"");
    REWRITTEN("exec ls");
    REWRITTEN("cat -n 2>&1 >/dev/null </dev/null 3>&-");
    DENIED(ARGUMENTS, "cat -s");
    DENIED(UNREADABLE, "unreadable");
    check(ask(m, "id"), EG_VERDICT_LOG, EG_REASON_NONE, "id");
    assert_string_equal(ask(m, "cat -s").inner.p ? "cat" : "", "cat");
    REWRITTEN("no-such-program"); /* fails by itself */
    free(m);
}

static void what_only_a_shell_does_is_refused_where_it_stands(void **state)
{
    struct maker *m = usual(EG_BLOB_PIPELINE);
    (void)state;
    add_runner(m);
    DENIED(SHELL_CONSTRUCT, "ls; id");
    DENIED(SHELL_CONSTRUCT, "ls $(id)");
    DENIED(SHELL_CONSTRUCT, "ls && id");
    struct eg_decision d = ask(m, "ls ;id");
    assert_int_equal(d.offset, 3);
    assert_true(eg_str_equal(d.construct, EG_STR("sequence")));
    assert_true(d.hint.n > 0);
    free(m);
}

static void a_pipeline_needs_the_policys_word_and_every_part_a_rule(void **state)
{
    struct maker *m = usual(0);
    (void)state;
    add_runner(m);
    DENIED(SHELL_CONSTRUCT, "ls | cat -n");
    assert_int_equal(ask(m, "ls | cat -n").offset, 3);
    policy_flags |= EG_BLOB_PIPELINE;
    REWRITTEN("ls | cat -n");
    DENIED(ARGUMENTS, "ls | cat x");
    DENIED(ARGUMENTS, "cat x | ls");
    check(ask(m, "ls | id | cat -n"), EG_VERDICT_LOG, EG_REASON_NONE, "ls | id | cat -n");
    free(m);
}

static void a_list_needs_the_policys_word_and_every_part_a_rule(void **state)
{
    struct maker *m = usual(EG_BLOB_PIPELINE);
    (void)state;
    add_runner(m);
    DENIED(SHELL_CONSTRUCT, "ls && ls");
    assert_true(eg_str_equal(ask(m, "ls || ls").construct, EG_STR("or-list")));
    assert_true(eg_str_equal(ask(m, "ls\nls").construct, EG_STR("newline")));
    assert_true(eg_str_equal(ask(m, "ls | ls && ls").construct, EG_STR("and-list")));
    DENIED(SHELL_CONSTRUCT, "(ls; ls)");
    /* what was added begins at the joint, whatever else it holds */
    assert_true(eg_str_equal(ask(m, "ls;id>x; 2>&1").construct, EG_STR("sequence")));
    assert_int_equal(ask(m, "ls;id>x; 2>&1").offset, 2);
    assert_true(eg_str_equal(ask(m, "ls && $x").construct, EG_STR("and-list")));
    assert_true(eg_str_equal(ask(m, "$x; ls").construct, EG_STR("parameter-expansion")));
    policy_flags = (policy_flags & ~(uint32_t)EG_BLOB_PIPELINE) | EG_BLOB_LIST;
    REWRITTEN("ls && ls || ls; ls");
    REWRITTEN("(ls; ls) 2>&1");
    DENIED(ARGUMENTS, "ls && cat x");
    DENIED(ARGUMENTS, "cat x || ls");
    DENIED(SHELL_CONSTRUCT, "ls && ls | ls");
    assert_true(eg_str_equal(ask(m, "ls && $x").construct, EG_STR("parameter-expansion")));
    free(m);
}

static void more_than_one_program_needs_the_line_runner(void **state)
{
    struct maker *m = usual(EG_BLOB_PIPELINE);
    static const char *const lines[] = { "ls | ls", "cd / && ls", "ls &", "command -v ls", "" };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) DENIED(SHELL_CONSTRUCT, lines[i]);
    add_runner(m);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) REWRITTEN(lines[i]);
    free(m);
}

static void files_are_redirected_to_only_inside_write_trees(void **state)
{
    struct maker *m = usual(0);
    (void)state;
    DENIED(REDIRECTION, "ls >out");
    DENIED(REDIRECTION, "ls <in");
    DENIED(REDIRECTION, "ls >>/dev/null >/dev/nullx");
    assert_int_equal(ask(m, "ls 2>&1 >out").offset, 8);
    policy_flags &= ~(uint32_t)EG_BLOB_WRITE_FREE; /* a write block without trees */
    DENIED(REDIRECTION, "ls >out");
    REWRITTEN("ls <in");
    free(m);
}

static void variables_that_run_code_are_not_assigned(void **state)
{
    struct maker *m = usual(0);
    (void)state;
    REWRITTEN("A=1 PATH=/x ls");
    DENIED(LOADER_VARIABLE, "A=1 LD_PRELOAD=x ls");
    DENIED(LOADER_VARIABLE, "BASH_ENV=x ls");
    make_env(m, "BASH_ENV", true);
    REWRITTEN("BASH_ENV=x ls");
    free(m);
}

static void a_shell_without_a_line_is_refused(void **state)
{
    static const char *const from_stdin[] = { "sh", "-s", NULL };
    static const char *const script[] = { "sh", "script", NULL };
    static const char *const traced[] = { "sh", "-xc", "ls", NULL };
    static const char *const fish[] = { "fish", "-c", "ls", NULL };
    static const char *const bash[] = { "bash", "-c", "ls", NULL };
    struct maker *m = usual(0);
    (void)state;
    check(ask_argv(m, "/bin/dash", from_stdin), EG_VERDICT_DENY, EG_REASON_SHELL_STDIN, "-s");
    check(ask_argv(m, "/bin/dash", script), EG_VERDICT_DENY, EG_REASON_SHELL_STDIN, "script");
    check(ask_argv(m, "/bin/dash", traced), EG_VERDICT_DENY, EG_REASON_SHELL, "-xc");
    check(ask_argv(m, "/bin/fish", fish), EG_VERDICT_DENY, EG_REASON_SHELL, "fish");
    check(ask_argv(m, "/bin/bash", bash), EG_VERDICT_REWRITE, EG_REASON_NONE, "bash");
    /* a name is no proof: python called sh is not one */
    check(ask_argv(m, "/usr/bin/python3", bash), EG_VERDICT_DENY, EG_REASON_SHELL, "python");
    free(m);
}

static void anybody_may_call_the_line_runner(void **state)
{
    struct maker *m = usual(0);
    const char *argv[] = { "execguard-line", "anything", NULL };
    struct eg_exec_request request = { .target = make_target("/lib/execguard-line", RUNNER),
                                       .argv = argv,
                                       .argc = 2 };
    struct eg_decision d;
    (void)state;
    eg_decide_exec(make_blob(m), &request, &d);
    assert_int_equal(d.verdict, EG_VERDICT_DENY);
    add_runner(m);
    eg_decide_exec(make_blob(m), &request, &d);
    assert_int_equal(d.verdict, EG_VERDICT_ALLOW);
    request.target.id = make_identity(ID);
    eg_decide_exec(make_blob(m), &request, &d);
    assert_int_equal(d.verdict, EG_VERDICT_DENY);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_simple_line_is_judged_as_its_program),
        cmocka_unit_test(what_only_a_shell_does_is_refused_where_it_stands),
        cmocka_unit_test(a_pipeline_needs_the_policys_word_and_every_part_a_rule),
        cmocka_unit_test(a_list_needs_the_policys_word_and_every_part_a_rule),
        cmocka_unit_test(more_than_one_program_needs_the_line_runner),
        cmocka_unit_test(files_are_redirected_to_only_inside_write_trees),
        cmocka_unit_test(variables_that_run_code_are_not_assigned),
        cmocka_unit_test(a_shell_without_a_line_is_refused),
        cmocka_unit_test(anybody_may_call_the_line_runner),
    };
    return cmocka_run_group_tests_name("decide_shell", tests, NULL, NULL);
}
