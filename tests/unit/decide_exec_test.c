// SPDX-License-Identifier: MIT
/* Verdicts on single programs: identity, argv[0], caller, order of rules, shells
 * and multi-call binaries, and which reason is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/decide_blob.h"

/* what a question leaves out is zero: nobody knows the caller */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum { LS = 10, CONVERT, GS, DASH, BUSYBOX, MAKE, OTHER, WORKER };

struct asked {
    const char *path;
    uint64_t ino;
    const char *line;
    struct eg_target caller;
    struct eg_target worker;
};

static struct eg_decision ask(struct maker *m, struct asked a)
{
    const char *argv[64];
    struct eg_decision ret;
    struct eg_exec_request request = { .target = make_target(a.path, a.ino),
                                       .argv = argv,
                                       .caller = a.caller,
                                       .worker = a.worker,
                                       .cwd = EG_STR("/srv") };
    request.argc = split_words(a.line, argv, 64);
    eg_decide_exec(make_blob(m), &request, &ret);
    return ret;
}

static void assert_decision(struct eg_decision d, enum eg_verdict verdict, enum eg_reason reason)
{
    if (d.verdict != verdict || d.reason != reason)
        fail_msg("expected %s %s, got %s %s", eg_verdict_name(verdict), eg_reason_slug(reason),
                 eg_verdict_name(d.verdict), eg_reason_slug(d.reason));
}
#define DENIED(reason, ...)                                                                        \
    assert_decision(ask(m, (struct asked){ __VA_ARGS__ }), EG_VERDICT_DENY, EG_REASON_##reason)
#define ALLOWED(...)                                                                               \
    assert_decision(ask(m, (struct asked){ __VA_ARGS__ }), EG_VERDICT_ALLOW, EG_REASON_NONE)

static void nothing_is_allowed_by_default(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    DENIED(NO_RULE, "/bin/ls", LS, "ls");
    DENIED(SHELL, "/bin/dash", DASH, "sh -c id");
    make_program(m, "/bin/ls", "/bin/ls", LS, EG_PROGRAM_INTERPRETER);
    DENIED(NO_RULE, "/bin/ls", LS, "ls");
    free(m);
}

static void a_program_is_its_path_and_inode(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    make_rule(m, EG_VERB_ALLOW, make_program(m, "/bin/ls", "/bin/ls", LS, 0), "-l", NULL);
    ALLOWED("/bin/ls", LS, "ls -l");
    ALLOWED("/bin/ls", LS, "/any/where/ls -l");
    ALLOWED("/chroot/bin/ls", LS, "ls -l"); /* the same file under another path */
    DENIED(REPLACED, "/bin/ls", OTHER, "ls -l");
    DENIED(NO_RULE, "/tmp/ls", OTHER, "ls -l");
    free(m);
}

static void an_inode_number_that_was_used_again_is_another_file(void **state)
{
    struct maker *m = make_policy();
    const char *argv[] = { "ls", "-l" };
    struct eg_exec_request request = { .argv = argv, .argc = 2 };
    struct eg_decision d;
    (void)state;
    make_rule(m, EG_VERB_ALLOW, make_program(m, "/bin/ls", "/bin/ls", LS, 0), "-l", NULL);
    request.target = make_target("/tmp/ls", LS);
    eg_decide_exec(make_blob(m), &request, &d);
    assert_decision(d, EG_VERDICT_ALLOW, EG_REASON_NONE);
    request.target.id.mtime_ns++;
    eg_decide_exec(make_blob(m), &request, &d);
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_NO_RULE);
    request.target = make_target("/tmp/ls", LS);
    request.target.id.size++;
    eg_decide_exec(make_blob(m), &request, &d);
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_NO_RULE);
    request.target = make_target("/tmp/ls", LS);
    request.target.id.dev++;
    eg_decide_exec(make_blob(m), &request, &d);
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_NO_RULE);
    free(m);
}

static void argv0_must_be_the_programs_name(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    make_rule(m, EG_VERB_ALLOW, make_program(m, "/opt/im/magick", "/usr/bin/convert", CONVERT, 0),
              "...", NULL);
    ALLOWED("/opt/im/magick", CONVERT, "convert a b");
    DENIED(ARGV0, "/opt/im/magick", CONVERT, "magick a b");
    DENIED(ARGV0, "/opt/im/magick", CONVERT, "-convert a b");
    DENIED(ARGV0, "/opt/im/magick", CONVERT, "''");
    DENIED(ARGV0, "/opt/im/magick", CONVERT, "");
    DENIED(ARGV0, "/opt/im/magick", CONVERT, "convert/");
    DENIED(SHELL, "/opt/im/magick", CONVERT, "sh a b");
    free(m);
}

static void a_file_that_is_not_there_or_not_executable_is_refused(void **state)
{
    struct maker *m = make_policy();
    const char *argv[] = { "ls" };
    struct eg_exec_request request = { .argv = argv, .argc = 1 };
    struct eg_decision d;
    (void)state;
    make_rule(m, EG_VERB_ALLOW, make_program(m, "/bin/ls", "/bin/ls", LS, 0), "...", NULL);
    request.target = (struct eg_target){ .path = EG_STR("/bin/ls") };
    eg_decide_exec(make_blob(m), &request, &d);
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_NOT_FOUND);
    request.target = make_target("/bin/ls", LS);
    request.target.id.mode = S_IFREG | 0644;
    eg_decide_exec(make_blob(m), &request, &d);
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_NOT_EXECUTABLE);
    request.target.id.mode = S_IFDIR | 0755;
    eg_decide_exec(make_blob(m), &request, &d);
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_NOT_EXECUTABLE);
    free(m);
}

static void an_optional_program_that_appeared_needs_a_restart(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    make_rule(m, EG_VERB_ALLOW,
              make_program(m, "/usr/bin/gs", "/usr/bin/gs", 0, EG_PROGRAM_MISSING), "...", NULL);
    DENIED(REPLACED, "/usr/bin/gs", GS, "gs");
    free(m);
}

static void from_names_the_calling_program(void **state)
{
    struct maker *m = make_policy();
    uint32_t from[] = { make_program(m, "/usr/bin/convert", "/usr/bin/convert", CONVERT, 0),
                        EG_NONE };
    struct eg_target convert = make_target("/usr/bin/convert", CONVERT);
    struct eg_target replaced = make_target("/usr/bin/convert", OTHER);
    (void)state;
    make_rule(m, EG_VERB_ALLOW, make_program(m, "/usr/bin/gs", "/usr/bin/gs", GS, 0), "-q ...",
              from);
    ALLOWED("/usr/bin/gs", GS, "gs -q a", convert);
    DENIED(CALLER, "/usr/bin/gs", GS, "gs -q a", replaced);
    DENIED(CALLER, "/usr/bin/gs", GS, "gs -q a", make_target("/usr/sbin/php", OTHER));
    DENIED(CALLER, "/usr/bin/gs", GS, "gs -q a");
    DENIED(ARGUMENTS, "/usr/bin/gs", GS, "gs a", convert);
    free(m);
}

static void the_first_matching_rule_wins(void **state)
{
    struct maker *m = make_policy();
    uint32_t ls = make_program(m, "/bin/ls", "/bin/ls", LS, 0);
    struct eg_decision d;
    (void)state;
    make_rule(m, EG_VERB_LOG, ls, "-l", NULL);
    make_rule(m, EG_VERB_DENY, ls, "-R ...", NULL);
    make_rule(m, EG_VERB_ALLOW, ls, "...", NULL);
    d = ask(m, (struct asked){ "/bin/ls", LS, "ls -l" });
    assert_decision(d, EG_VERDICT_LOG, EG_REASON_NONE);
    assert_int_equal(d.rule, 0);
    d = ask(m, (struct asked){ "/bin/ls", LS, "ls -R /" });
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_DENY_RULE);
    assert_int_equal(d.rule, 1);
    d = ask(m, (struct asked){ "/bin/ls", LS, "ls -l /" });
    assert_decision(d, EG_VERDICT_ALLOW, EG_REASON_NONE);
    assert_int_equal(d.rule, 2);
    assert_int_equal(d.program, ls);
    assert_int_equal(d.depth, 0);
    free(m);
}

static void a_deny_rule_is_not_dodged(void **state)
{
    struct maker *m = make_policy();
    uint32_t perl = make_program(m, "/usr/bin/perl", "/usr/bin/perl", OTHER, 0);
    uint32_t perl5 = make_program(m, "/usr/bin/perl", "/usr/bin/perl5", OTHER, 0);
    uint32_t from[] = { make_program(m, "/bin/make", "/bin/make", MAKE, 0), EG_NONE };
    (void)state;
    make_rule(m, EG_VERB_DENY, perl, "-e ...", NULL);
    make_rule(m, EG_VERB_DENY, perl, "-c", from);
    make_rule(m, EG_VERB_ALLOW, perl5, "...", NULL);
    ALLOWED("/usr/bin/perl", OTHER, "perl5 -n");
    DENIED(DENY_RULE, "/usr/bin/perl", OTHER, "perl5 -e 1");
    DENIED(DENY_RULE, "/usr/bin/perl", OTHER, "perl -e 1");
    DENIED(DENY_RULE, "/usr/bin/perl", LS, "perl5 -e 1"); /* replaced: still refused as such */
    DENIED(DENY_RULE, "/usr/bin/perl", OTHER, "perl5 -c", make_target("/bin/make", MAKE));
    DENIED(DENY_RULE, "/usr/bin/perl", OTHER, "perl5 -c"); /* nobody knows the caller */
    ALLOWED("/usr/bin/perl", OTHER, "perl5 -c", make_target("/bin/ls", LS));
    free(m);
}

static void the_reason_is_that_of_the_nearest_rule(void **state)
{
    struct maker *m = make_policy();
    uint32_t from[] = { make_program(m, "/bin/make", "/bin/make", MAKE, 0), EG_NONE };
    uint32_t ls = make_program(m, "/bin/ls", "/bin/ls", LS, 0);
    struct eg_decision d;
    (void)state;
    make_rule(m, EG_VERB_ALLOW, make_program(m, "/bin/ls", "/bin/dir", LS, 0), "...", NULL);
    make_rule(m, EG_VERB_ALLOW, ls, "-x", from);
    d = ask(m, (struct asked){ "/bin/ls", LS, "vdir" });
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_ARGV0);
    assert_int_equal(d.rule, 0);
    d = ask(m, (struct asked){ "/bin/ls", LS, "ls -y" });
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_CALLER);
    assert_int_equal(d.rule, 1);
    make_rule(m, EG_VERB_ALLOW, ls, "-z", NULL);
    make_rule(m, EG_VERB_ALLOW, ls, "-w", NULL);
    d = ask(m, (struct asked){ "/bin/ls", LS, "ls -y" });
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_ARGUMENTS);
    assert_int_equal(d.rule, 2);
    assert_int_equal(d.program, ls);
    free(m);
}

static void a_shell_is_known_by_any_of_its_names(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    DENIED(SHELL, "/usr/bin/dash", DASH, "x");
    DENIED(SHELL, "/usr/bin/anything", OTHER, "sh");
    DENIED(SHELL, "/usr/bin/anything", OTHER, "-bash");
    DENIED(SHELL, "/usr/bin/anything", OTHER, "/bin/zsh-5.9 -c id");
    DENIED(NO_RULE, "/usr/bin/anything", OTHER, "shred");
    DENIED(NO_RULE, "/usr/bin/anything", OTHER, "");
    make_program(m, "/opt/shell", "/opt/shell", DASH, EG_PROGRAM_SHELL);
    DENIED(SHELL, "/tmp/hard-link", DASH, "x");
    free(m);
}

static void a_shell_runs_where_a_rule_names_it(void **state)
{
    struct maker *m = make_policy();
    uint32_t sh = make_program(m, "/usr/bin/dash", "/bin/sh", DASH, EG_PROGRAM_SHELL);
    (void)state;
    make_rule(m, EG_VERB_ALLOW, sh, "-c uptime", NULL);
    ALLOWED("/usr/bin/dash", DASH, "sh -c uptime");
    DENIED(SHELL, "/usr/bin/dash", DASH, "sh -c id");
    DENIED(SHELL, "/usr/bin/dash", DASH, "dash -c uptime");
    DENIED(REPLACED, "/usr/bin/dash", OTHER, "sh -c uptime");
    free(m);
}

static void shell_from_allows_a_real_shell_to_one_caller(void **state)
{
    struct maker *m = make_policy();
    uint32_t from[] = { make_program(m, "/bin/make", "/bin/make", MAKE, 0), EG_NONE };
    struct eg_target make = make_target("/bin/make", MAKE);
    uint32_t sh = make_program(m, "/usr/bin/dash", "/bin/sh", DASH, EG_PROGRAM_SHELL);
    struct eg_decision d;
    (void)state;
    make_rule(m, EG_VERB_SHELL_FROM, EG_NONE, "", from);
    d = ask(m, (struct asked){ "/usr/bin/dash", DASH, "sh -c id", make });
    assert_decision(d, EG_VERDICT_ALLOW, EG_REASON_NONE);
    assert_int_equal(d.program, sh);
    ALLOWED("/usr/bin/dash", DASH, "dash", make);
    DENIED(SHELL, "/usr/bin/dash", DASH, "sh -c id", make_target("/bin/ls", LS));
    DENIED(SHELL, "/usr/bin/dash", DASH, "sh -c id");
    DENIED(SHELL, "/tmp/evil", OTHER, "sh -c id", make); /* only called a shell */
    DENIED(SHELL, "/tmp/sh", OTHER, "sh -c id", make);
    DENIED(REPLACED, "/usr/bin/dash", OTHER, "sh -c id", make);
    free(m);
}

static void shell_from_allows_no_other_applet(void **state)
{
    struct maker *m = make_policy();
    uint32_t from[] = { make_program(m, "/bin/make", "/bin/make", MAKE, 0), EG_NONE };
    struct eg_target make = make_target("/bin/make", MAKE);
    (void)state;
    make_program(m, "/bin/busybox", "/bin/sh", BUSYBOX, EG_PROGRAM_SHELL | EG_PROGRAM_MULTICALL);
    make_rule(m, EG_VERB_SHELL_FROM, EG_NONE, "", from);
    ALLOWED("/bin/busybox", BUSYBOX, "sh -c id", make);
    DENIED(NO_RULE, "/bin/busybox", BUSYBOX, "nc -l", make);
    DENIED(NO_RULE, "/bin/busybox", BUSYBOX, "busybox nc", make);
    free(m);
}

static void a_multi_call_binary_is_judged_by_argv0(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    make_rule(m, EG_VERB_ALLOW,
              make_program(m, "/bin/busybox", "/bin/date", BUSYBOX, EG_PROGRAM_MULTICALL), "...",
              NULL);
    ALLOWED("/bin/busybox", BUSYBOX, "date +%s");
    DENIED(SHELL, "/bin/busybox", BUSYBOX, "sh -c id"); /* exec -a sh ./date */
    DENIED(SHELL, "/bin/busybox", BUSYBOX, "-sh");
    DENIED(SHELL, "/bin/busybox", BUSYBOX, "/tmp/x/ash");
    DENIED(ARGV0, "/bin/busybox", BUSYBOX, "nc -l");
    DENIED(ARGV0, "/bin/busybox", BUSYBOX, "busybox date");
    DENIED(ARGV0, "/bin/busybox", BUSYBOX, "busybox sh");
    free(m);
}

static void a_deny_rule_for_one_applet_leaves_the_others_alone(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    make_rule(m, EG_VERB_DENY,
              make_program(m, "/bin/busybox", "/bin/wget", BUSYBOX, EG_PROGRAM_MULTICALL), "...",
              NULL);
    make_rule(m, EG_VERB_ALLOW,
              make_program(m, "/bin/busybox", "/bin/date", BUSYBOX, EG_PROGRAM_MULTICALL), "...",
              NULL);
    ALLOWED("/bin/busybox", BUSYBOX, "date");
    DENIED(DENY_RULE, "/bin/busybox", BUSYBOX, "wget x");
    DENIED(DENY_RULE, "/bin/busybox", BUSYBOX, "-wget x");
    free(m);
}

static void busybox_by_its_own_name_is_judged_by_the_applet(void **state)
{
    struct maker *m = make_policy();
    struct eg_decision d;
    (void)state;
    make_rule(m, EG_VERB_ALLOW,
              make_program(m, "/bin/busybox", "/bin/busybox", BUSYBOX, EG_PROGRAM_MULTICALL), "...",
              NULL);
    ALLOWED("/bin/busybox", BUSYBOX, "busybox date");
    ALLOWED("/bin/busybox", BUSYBOX, "busybox");
    d = ask(m, (struct asked){ "/bin/busybox", BUSYBOX, "busybox sh -c id" });
    assert_decision(d, EG_VERDICT_DENY, EG_REASON_SHELL);
    assert_int_equal(d.depth, 1);
    assert_true(eg_str_equal(d.inner, EG_STR("sh")));
    DENIED(SHELL, "/bin/busybox", BUSYBOX, "busybox busybox busybox ash");
    DENIED(SHELL, "/bin/busybox", BUSYBOX, "busybox /bin/hush");
    DENIED(SHELL, "/bin/busybox", BUSYBOX, "busybox -sh");
    DENIED(TOO_LONG, "/bin/busybox", BUSYBOX,
           "busybox busybox busybox busybox busybox busybox busybox busybox busybox busybox sh");
    make_rule(m, EG_VERB_ALLOW,
              make_program(m, "/bin/busybox", "/bin/sh", BUSYBOX,
                           EG_PROGRAM_SHELL | EG_PROGRAM_MULTICALL),
              "-c uptime", NULL);
    ALLOWED("/bin/busybox", BUSYBOX, "busybox sh -c uptime");
    DENIED(SHELL, "/bin/busybox", BUSYBOX, "busybox sh -c id");
    free(m);
}

static void coreutils_takes_its_applet_from_an_option(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    make_rule(m, EG_VERB_ALLOW,
              make_program(m, "/bin/coreutils", "/bin/coreutils", OTHER, EG_PROGRAM_MULTICALL),
              "...", NULL);
    ALLOWED("/bin/coreutils", OTHER, "coreutils --coreutils-prog=ls -l");
    DENIED(INNER, "/bin/coreutils", OTHER, "coreutils --coreutils-prog=env sh");
    DENIED(INNER, "/bin/coreutils", OTHER, "coreutils env sh");
    DENIED(WRAPPER_OPTION, "/bin/coreutils", OTHER, "coreutils --coreutils-prog=chroot / sh");
    free(m);
}

static void the_worker_may_start_itself_where_the_policy_says_so(void **state)
{
    struct maker *m = make_policy();
    struct eg_target worker = make_target("/usr/sbin/php-fpm", WORKER);
    struct eg_target other = make_target("/bin/ls", LS);
    (void)state;
    DENIED(NO_RULE, "/usr/sbin/php-fpm", WORKER, "php-fpm: master", worker, worker);
    m->flags = EG_BLOB_WORKER_REEXEC;
    ALLOWED("/usr/sbin/php-fpm", WORKER, "php-fpm: master", worker, worker);
    DENIED(NO_RULE, "/usr/sbin/php-fpm", WORKER, "php-fpm", other, worker);
    DENIED(NO_RULE, "/bin/ls", LS, "ls", worker, worker);
    DENIED(NO_RULE, "/usr/sbin/php-fpm", WORKER, "php-fpm", worker);
    DENIED(SHELL, "/usr/bin/dash", DASH, "sh -c id", make_target("/usr/bin/dash", DASH),
           make_target("/usr/bin/dash", DASH));
    free(m);
}

static void each_reason_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EG_REASON_COUNT; i++) {
        assert_true(strcmp(eg_reason_slug(i), "unknown") != 0);
        assert_true(strlen(eg_reason_sentence(i)) > 10);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(eg_reason_slug(i), eg_reason_slug(j));
    }
    assert_string_equal(eg_reason_slug(EG_REASON_COUNT), "unknown");
    assert_string_equal(eg_verdict_name(EG_VERDICT_DENY), "deny");
    assert_string_equal(eg_layer_name(EG_LAYER_SUPERVISOR), "supervisor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allowed_by_default),
        cmocka_unit_test(a_program_is_its_path_and_inode),
        cmocka_unit_test(an_inode_number_that_was_used_again_is_another_file),
        cmocka_unit_test(argv0_must_be_the_programs_name),
        cmocka_unit_test(a_file_that_is_not_there_or_not_executable_is_refused),
        cmocka_unit_test(an_optional_program_that_appeared_needs_a_restart),
        cmocka_unit_test(from_names_the_calling_program),
        cmocka_unit_test(the_first_matching_rule_wins),
        cmocka_unit_test(a_deny_rule_is_not_dodged),
        cmocka_unit_test(the_reason_is_that_of_the_nearest_rule),
        cmocka_unit_test(a_shell_is_known_by_any_of_its_names),
        cmocka_unit_test(a_shell_runs_where_a_rule_names_it),
        cmocka_unit_test(shell_from_allows_a_real_shell_to_one_caller),
        cmocka_unit_test(shell_from_allows_no_other_applet),
        cmocka_unit_test(a_multi_call_binary_is_judged_by_argv0),
        cmocka_unit_test(a_deny_rule_for_one_applet_leaves_the_others_alone),
        cmocka_unit_test(busybox_by_its_own_name_is_judged_by_the_applet),
        cmocka_unit_test(coreutils_takes_its_applet_from_an_option),
        cmocka_unit_test(the_worker_may_start_itself_where_the_policy_says_so),
        cmocka_unit_test(each_reason_has_a_name_and_a_sentence),
    };
    return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
