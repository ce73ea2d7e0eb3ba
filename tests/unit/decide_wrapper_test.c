// SPDX-License-Identifier: MIT
/* Commands inside wrappers: each wrapper's own option grammar, the inner
 * command's verdict, and what cannot be judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "../lib/decide_blob.h"

/* The files of this world: a name is found in /usr/bin. */
static const char *const names[] = {
    "env",     "nice",
    "nohup",   "timeout",
    "xargs",   "setsid",
    "stdbuf",  "ionice",
    "chrt",    "taskset",
    "time",    "flock",
    "prlimit", "choom",
    "chroot",  "busybox",
    "dash",    "true",
    "echo",    "id",
    "unshare", "ld-linux-x86-64.so.2",
};
enum { FIRST_INO = 100 };

static int find(void *context, struct eg_str name, struct eg_target *ret)
{
    static char path[256];
    struct eg_str base = eg_str_basename(name);
    (void)context;
    *ret = (struct eg_target){ .path = name };
    if (eg_str_equal(base, EG_STR("unknowable"))) return -13;
    if (eg_str_equal(base, EG_STR("unlisted"))) *ret = make_target("/usr/bin/unlisted", 1);
    if (eg_str_equal(base, EG_STR("sh"))) base = EG_STR("dash");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!eg_str_equal(base, eg_str(names[i]))) continue;
        snprintf(path, sizeof(path), "/usr/bin/%s", names[i]);
        *ret = make_target(path, FIRST_INO + i);
    }
    return 0;
}

/* Every wrapper may run with any arguments; of the programs, `true` with any,
 * `echo` with words a and b, and with `log`, id -u. */
static struct maker *make_world(void)
{
    struct maker *m = make_policy();
    uint32_t programs[32];
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char path[256];
        snprintf(path, sizeof(path), "/usr/bin/%s", names[i]);
        programs[i] = make_program(m, path, path, FIRST_INO + i,
                                   !strcmp(names[i], "busybox") ? EG_PROGRAM_MULTICALL : 0);
        if (!strcmp(names[i], "echo"))
            make_rule(m, EG_VERB_ALLOW, programs[i], "a b", NULL);
        else if (!strcmp(names[i], "id"))
            make_rule(m, EG_VERB_LOG, programs[i], "-u", NULL);
        else if (strcmp(names[i], "dash") != 0)
            make_rule(m, EG_VERB_ALLOW, programs[i], "...", NULL);
    }
    return m;
}

static struct eg_decision ask_with(struct maker *m, const char *line,
                                   const struct eg_lookup *lookup, bool open_ended)
{
    const char *argv[64];
    struct eg_decision ret;
    struct eg_exec_request request = { .argv = argv, .lookup = lookup, .open_ended = open_ended };
    char first[64];
    request.argc = split_words(line, argv, 64);
    snprintf(first, sizeof(first), "%s", argv[0]);
    find(NULL, eg_str(first), &request.target);
    /* the target's path must outlive the lookups */
    char path[256];
    snprintf(path, sizeof(path), "%.*s", (int)request.target.path.n, request.target.path.p);
    request.target.path = eg_str(path);
    eg_decide_exec(make_blob(m), &request, &ret);
    /* argv is gone when this returns: keep the name apart */
    static char inner[256];
    snprintf(inner, sizeof(inner), "%.*s", (int)ret.inner.n, ret.inner.n ? ret.inner.p : "");
    ret.inner = eg_str(inner);
    return ret;
}

static struct eg_decision ask(const char *line)
{
    const struct eg_lookup lookup = { find, NULL, NULL };
    struct maker *m = make_world();
    struct eg_decision ret = ask_with(m, line, &lookup, false);
    free(m);
    return ret;
}

static void assert_all(const char *const *lines, enum eg_reason reason)
{
    for (; *lines; lines++) {
        struct eg_decision d = ask(*lines);
        if (d.reason != reason || (d.verdict == EG_VERDICT_DENY) != (reason != EG_REASON_NONE))
            fail_msg("%s: expected %s, got %s %s", *lines, eg_reason_slug(reason),
                     eg_verdict_name(d.verdict), eg_reason_slug(d.reason));
    }
}
#define ALLOWED(...) assert_all((const char *const[]){ __VA_ARGS__, NULL }, EG_REASON_NONE)
#define DENIED(reason, ...)                                                                        \
    assert_all((const char *const[]){ __VA_ARGS__, NULL }, EG_REASON_##reason)

static void each_wrapper_is_unwrapped(void **state)
{
    (void)state;
    ALLOWED(
        "env true", "env -i /usr/bin/true", "env -u A -u B true", "env -uA true", "env A=1 true",
        "env --unset=A A=1 B=2 true", "env -v -0 true", "env -- true", "env --unset A true",
        "env - /usr/bin/true", "nice true", "nice -n 5 true", "nice -n5 true", "nice -5 true",
        "nice --5 true", "nice --adjustment=5 true", "nice --adjustment 5 true", "nohup true",
        "nohup -- true", "timeout 5 true", "timeout -k 1 5 true", "timeout -k1 -sKILL 5 true",
        "timeout --signal=KILL --foreground 5 true", "timeout --signal KILL 5 true", "setsid true",
        "setsid -fw true", "stdbuf -oL true", "stdbuf -o L -e0 true", "ionice -c 3 true",
        "ionice -c3 -t true", "chrt -r 5 true", "chrt -RT 9 5 true", "taskset 3 true",
        "taskset -c 0-3 true", "time true", "time -p true", "time -o /tmp/x -f %e true",
        "flock /tmp/x true", "flock -w 5 -n /tmp/x true", "prlimit -n5 true",
        "prlimit --nofile=5:9 true", "prlimit -n true", "choom -n 5 true", "choom -n 5 -- true",
        "busybox env true", "busybox timeout 5 true", "ld-linux-x86-64.so.2 /usr/bin/true",
        "ld-linux-x86-64.so.2 --inhibit-cache /usr/bin/true");
    DENIED(SHELL, "env sh", "env -i /usr/bin/sh", "env -u A -u B sh", "env -uA sh", "env A=1 sh",
           "env --unset=A A=1 B=2 sh -c id", "env -v -0 sh", "env -- sh", "env --unset A sh",
           "env - /usr/bin/sh", "nice sh", "nice -n 5 sh", "nice -n5 sh", "nice -5 sh",
           "nice --5 sh", "nice --adjustment=5 sh", "nice --adjustment 5 sh", "nohup sh",
           "nohup -- sh", "timeout 5 sh", "timeout -k 1 5 sh", "timeout -k1 -sKILL 5 sh",
           "timeout --signal=KILL --foreground 5 sh", "timeout --signal KILL 5 sh", "setsid sh",
           "setsid -fw sh", "stdbuf -oL sh", "stdbuf -o L -e0 sh", "ionice -c 3 sh",
           "ionice -c3 -t sh", "chrt -r 5 sh", "chrt -RT 9 5 sh", "taskset 3 sh",
           "taskset -c 0-3 sh", "time sh", "time -p sh", "time -o /tmp/x -f %e sh",
           "flock /tmp/x sh", "flock -w 5 -n /tmp/x sh", "prlimit -n5 sh",
           "prlimit --nofile=5:9 sh", "prlimit -n sh", "choom -n 5 sh", "choom -n 5 -- sh",
           "busybox env sh", "busybox timeout 5 sh", "xargs sh -c", "xargs -0 sh",
           "ld-linux-x86-64.so.2 /usr/bin/sh", "ld-linux-x86-64.so.2 --inhibit-cache /usr/bin/sh");
}

static void an_option_that_is_not_known_is_refused(void **state)
{
    (void)state;
    DENIED(
        WRAPPER_OPTION, "env -S sh", "env -Ssh", "env -iS sh", "env -vSsh", "env --split-string=sh",
        "env --split sh", "env -C / true", "env -C/ true", "env --chdir=/ true", "env -x true",
        "env --unse A true", "env --ignore-environment=1 true", "timeout --foreground=1 5 true",
        "nohup --help=x true", "nice -x true", "nice -5x true", "nice --adj=5 true",
        "timeout -t 5 true", "timeout -s", "taskset -p 1", "ionice -p 1", "ionice -tp 1",
        "chrt -p 1", "chrt x true", "prlimit -p 1", "flock -c true", "time -x true",
        "nohup -x true", "xargs --process-slot-var=LD_PRELOAD true", "xargs -I", "setsid -x true",
        "chroot / sh", "chroot / true", "chroot", "unshare -r true", "busybox chroot / sh",
        "ld-linux-x86-64.so.2 --preload /tmp/x /usr/bin/true",
        "ld-linux-x86-64.so.2 --library-path /tmp /usr/bin/true",
        "ld-linux-x86-64.so.2 --audit /tmp/x /usr/bin/true",
        "ld-linux-x86-64.so.2 --argv0 sh /usr/bin/true", "ld-linux-x86-64.so.2 -- /usr/bin/true");
}

static void a_wrapper_without_a_command_is_itself_only(void **state)
{
    (void)state;
    ALLOWED("env", "env -i", "env A=1", "env -", "env --help", "nice", "nohup", "timeout 5",
            "timeout", "taskset 3", "flock 9", "prlimit", "busybox env", "busybox", "time",
            "nice --version", "ld-linux-x86-64.so.2 --version");
}

static void the_inner_command_is_judged_by_its_own_rules(void **state)
{
    struct eg_decision d;
    (void)state;
    ALLOWED("env echo a b", "nice env echo a b", "timeout 5 nohup nice -5 echo a b");
    DENIED(ARGUMENTS, "env echo a", "env echo a b c", "nice env echo", "timeout 5 nice echo -a b");
    DENIED(NO_RULE, "env unlisted", "timeout 5 nice unlisted -x");
    DENIED(NOT_FOUND, "env nothing-such", "env ''", "nice /tmp/nothing", "flock /tmp/x -c id");
    DENIED(INNER, "env unknowable");
    d = ask("nice env echo a");
    assert_int_equal(d.depth, 2);
    assert_true(eg_str_equal(d.inner, EG_STR("echo")));
    d = ask("nice env echo a b");
    assert_int_equal(d.depth, 0);
    assert_int_equal(d.inner.n, 0);
}

static void a_rule_that_logs_inside_makes_the_whole_logged(void **state)
{
    struct eg_decision inside = ask("nice env id -u");
    struct eg_decision alone = ask("id -u");
    struct eg_decision outside = ask("nice true");
    (void)state;
    assert_int_equal(inside.verdict, EG_VERDICT_LOG);
    assert_int_equal(inside.rule, alone.rule);
    assert_int_equal(inside.depth, 2);
    assert_int_equal(inside.program, outside.program); /* what is executed is nice */
    assert_int_equal(outside.verdict, EG_VERDICT_ALLOW);
}

static void dangerous_variables_in_front_are_refused(void **state)
{
    const struct eg_lookup lookup = { find, NULL, NULL };
    struct maker *m = make_world();
    (void)state;
    DENIED(LOADER_VARIABLE, "env LD_PRELOAD=/tmp/x true", "env A=1 LD_AUDIT=x true",
           "env BASH_ENV=x true", "env LD_PRELOAD=/tmp/x", "nice env PERL5OPT=-d true");
    ALLOWED("env A=LD_PRELOAD=x true", "env XLD_PRELOAD=x true");
    make_env(m, "PERL5LIB", true);
    assert_int_equal(ask_with(m, "env PERL5LIB=/x true", &lookup, false).verdict, EG_VERDICT_ALLOW);
    make_env(m, "FOO", false);
    assert_int_equal(ask_with(m, "env FOO=/x true", &lookup, false).reason,
                     EG_REASON_LOADER_VARIABLE);
    free(m);
}

static void a_changed_path_needs_a_command_with_a_slash(void **state)
{
    (void)state;
    DENIED(WRAPPER_OPTION, "env PATH=/tmp true", "env -i true", "env - true", "env -u PATH true",
           "env -uPATH true", "env --unset=PATH true", "env --ignore-environment true",
           "ld-linux-x86-64.so.2 true");
    ALLOWED("env PATH=/tmp /usr/bin/true", "env -i PATH=/bin /usr/bin/true", "env -u PATHS true");
}

static void xargs_adds_what_nobody_knows(void **state)
{
    (void)state;
    ALLOWED("xargs true", "xargs -0 -n 1 true a", "xargs -I{} true {}", "xargs -I {} true a{}b",
            "xargs -i true {}", "xargs --replace=% true %", "xargs -d , -P4 true", "xargs env true",
            "xargs -e true", "xargs -l5 true");
    DENIED(ARGUMENTS, "xargs echo a b", "xargs", "xargs -0", "xargs -I{} echo a {}",
           "xargs -I{} echo a b");
    DENIED(INNER, "xargs -I{} {}", "xargs -I{} env {}", "xargs -i a{}", "xargs env",
           "xargs timeout 5", "xargs env A=1", "xargs busybox", "xargs nice -n 5");
    DENIED(SHELL, "xargs -I{} sh -c {}", "xargs -n1 env sh", "xargs busybox sh");
    DENIED(WRAPPER_OPTION, "xargs -I% -I# true %", "xargs -I '' true", "xargs env -u");
}

static void an_open_ended_request_is_open_ended_inside(void **state)
{
    const struct eg_lookup lookup = { find, NULL, NULL };
    struct maker *m = make_world();
    (void)state;
    assert_int_equal(ask_with(m, "nice true", &lookup, true).reason, EG_REASON_NONE);
    assert_int_equal(ask_with(m, "nice echo a b", &lookup, true).reason, EG_REASON_ARGUMENTS);
    assert_int_equal(ask_with(m, "nice", &lookup, true).reason, EG_REASON_INNER);
    free(m);
}

static void without_a_lookup_inner_commands_are_refused(void **state)
{
    struct maker *m = make_world();
    (void)state;
    assert_int_equal(ask_with(m, "env true", NULL, false).reason, EG_REASON_INNER);
    assert_int_equal(ask_with(m, "env", NULL, false).reason, EG_REASON_NONE);
    assert_int_equal(ask_with(m, "true", NULL, false).reason, EG_REASON_NONE);
    free(m);
}

static void wrappers_nest_eight_deep_and_no_deeper(void **state)
{
    struct eg_decision d;
    (void)state;
    ALLOWED("env env env env env env env env true");
    DENIED(TOO_LONG, "env env env env env env env env env true",
           "env env env env env env env env env env env env env env env env sh");
    d = ask("env env env env env env env env sh");
    assert_int_equal(d.reason, EG_REASON_SHELL);
    assert_int_equal(d.depth, 8);
}

static void the_wrapper_itself_must_be_allowed(void **state)
{
    const struct eg_lookup lookup = { find, NULL, NULL };
    struct maker *m = make_policy();
    struct eg_decision d;
    uint32_t nice = make_program(m, "/usr/bin/nice", "/usr/bin/nice", FIRST_INO + 1, 0);
    uint32_t true_ = make_program(m, "/usr/bin/true", "/usr/bin/true", FIRST_INO + 17, 0);
    (void)state;
    make_rule(m, EG_VERB_ALLOW, true_, "...", NULL);
    d = ask_with(m, "nice true", &lookup, false);
    assert_int_equal(d.reason, EG_REASON_NO_RULE);
    assert_int_equal(d.depth, 0);
    make_rule(m, EG_VERB_ALLOW, nice, "-n 5 <word>", NULL);
    assert_int_equal(ask_with(m, "nice -n 5 true", &lookup, false).reason, EG_REASON_NONE);
    assert_int_equal(ask_with(m, "nice -n 6 true", &lookup, false).reason, EG_REASON_ARGUMENTS);
    free(m);
}

static void the_wrapper_is_the_inner_commands_caller(void **state)
{
    const struct eg_lookup lookup = { find, NULL, NULL };
    struct maker *m = make_policy();
    uint32_t nice = make_program(m, "/usr/bin/nice", "/usr/bin/nice", FIRST_INO + 1, 0);
    uint32_t env = make_program(m, "/usr/bin/env", "/usr/bin/env", FIRST_INO, 0);
    uint32_t from[] = { nice, EG_NONE };
    (void)state;
    make_rule(m, EG_VERB_ALLOW, nice, "...", NULL);
    make_rule(m, EG_VERB_ALLOW, env, "...", NULL);
    make_rule(m, EG_VERB_ALLOW,
              make_program(m, "/usr/bin/true", "/usr/bin/true", FIRST_INO + 17, 0), "...", from);
    assert_int_equal(ask_with(m, "nice true", &lookup, false).reason, EG_REASON_NONE);
    assert_int_equal(ask_with(m, "env nice true", &lookup, false).reason, EG_REASON_NONE);
    assert_int_equal(ask_with(m, "env true", &lookup, false).reason, EG_REASON_CALLER);
    assert_int_equal(ask_with(m, "nice env true", &lookup, false).reason, EG_REASON_CALLER);
    free(m);
}

static void a_wrapper_is_known_under_a_foreign_name(void **state)
{
    const struct eg_lookup lookup = { find, NULL, NULL };
    struct maker *m = make_policy();
    const char *argv[] = { "run", "sh" };
    struct eg_exec_request request = { .argv = argv, .argc = 2, .lookup = &lookup };
    struct eg_decision d;
    (void)state;
    make_rule(m, EG_VERB_ALLOW, make_program(m, "/usr/bin/env", "/opt/run", FIRST_INO, 0), "...",
              NULL);
    request.target = make_target("/usr/bin/env", FIRST_INO);
    eg_decide_exec(make_blob(m), &request, &d);
    assert_int_equal(d.reason, EG_REASON_SHELL);
    request.target = make_target("/srv/a-hard-link", FIRST_INO);
    eg_decide_exec(make_blob(m), &request, &d);
    assert_int_equal(d.reason, EG_REASON_SHELL);
    free(m);
}

static void an_enormous_command_line_takes_linear_time(void **state)
{
    enum { COUNT = 100000 };
    const struct eg_lookup lookup = { find, NULL, NULL };
    struct maker *m = make_world();
    static const char *argv[COUNT + 1];
    char *mark = malloc(128 << 10);
    struct eg_exec_request request = { .argv = argv, .argc = COUNT, .lookup = &lookup };
    struct eg_decision d;
    struct timespec begin, end;
    (void)state;
    assert_non_null(mark);
    memset(mark, 'a', (128 << 10) - 1);
    mark[(128 << 10) - 1] = '\0';
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    argv[0] = "env";
    request.target = make_target("/usr/bin/env", FIRST_INO);
    for (size_t i = 1; i < COUNT; i++) argv[i] = "-uA";
    eg_decide_exec(make_blob(m), &request, &d);
    assert_int_equal(d.reason, EG_REASON_NONE);
    for (size_t i = 1; i < COUNT; i++) argv[i] = "A=1";
    eg_decide_exec(make_blob(m), &request, &d);
    assert_int_equal(d.reason, EG_REASON_NONE);
    for (size_t i = 1; i < COUNT; i++) argv[i] = "env";
    eg_decide_exec(make_blob(m), &request, &d);
    assert_int_equal(d.reason, EG_REASON_TOO_LONG);
    /* a mark that almost matches everywhere */
    argv[0] = "xargs";
    argv[1] = "-I";
    argv[2] = mark;
    argv[3] = "true";
    argv[4] = mark;
    request.argc = 5;
    request.target = make_target("/usr/bin/xargs", FIRST_INO + 4);
    eg_decide_exec(make_blob(m), &request, &d);
    assert_int_equal(d.reason, EG_REASON_WRAPPER_OPTION);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_in_range(end.tv_sec - begin.tv_sec, 0, 10);
    free(mark);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wrapper_is_unwrapped),
        cmocka_unit_test(an_option_that_is_not_known_is_refused),
        cmocka_unit_test(a_wrapper_without_a_command_is_itself_only),
        cmocka_unit_test(the_inner_command_is_judged_by_its_own_rules),
        cmocka_unit_test(a_rule_that_logs_inside_makes_the_whole_logged),
        cmocka_unit_test(dangerous_variables_in_front_are_refused),
        cmocka_unit_test(a_changed_path_needs_a_command_with_a_slash),
        cmocka_unit_test(xargs_adds_what_nobody_knows),
        cmocka_unit_test(an_open_ended_request_is_open_ended_inside),
        cmocka_unit_test(without_a_lookup_inner_commands_are_refused),
        cmocka_unit_test(wrappers_nest_eight_deep_and_no_deeper),
        cmocka_unit_test(the_wrapper_itself_must_be_allowed),
        cmocka_unit_test(the_wrapper_is_the_inner_commands_caller),
        cmocka_unit_test(a_wrapper_is_known_under_a_foreign_name),
        cmocka_unit_test(an_enormous_command_line_takes_linear_time),
    };
    return cmocka_run_group_tests_name("wrapper", tests, NULL, NULL);
}
