// SPDX-License-Identifier: MIT
/* Where shells find their command line, argument by argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "line/shell.h"

/* Arguments in one string, separated by single spaces; '_' stands for a space. */
static struct eg_shell read_arguments(const char *arguments)
{
    static char copy[512];
    const char *argv[32];
    size_t argc = 0;
    struct eg_shell shell;
    char *save = NULL;
    snprintf(copy, sizeof copy, "%s", arguments);
    for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) argv[argc++] = p;
    for (char *p = copy; p < copy + sizeof copy; p++)
        if (*p == '_') *p = ' ';
    eg_line_shell_command(argv, argc, &shell);
    return shell;
}

static void expect_command(const char *arguments, const char *command, enum eg_dialect dialect,
                           uint32_t effects)
{
    struct eg_shell shell = read_arguments(arguments);
    if (shell.kind != EG_SHELL_COMMAND) fail_msg("%s: kind %d", arguments, shell.kind);
    if (!eg_str_equal(shell.command, eg_str(command)))
        fail_msg("%s: %.*s", arguments, (int)shell.command.n, shell.command.p);
    if (shell.dialect != dialect) fail_msg("%s: dialect %d", arguments, shell.dialect);
    if (shell.effects != effects) fail_msg("%s: effects %x", arguments, shell.effects);
}

static void expect_kind(const char *arguments, enum eg_shell_kind kind)
{
    struct eg_shell shell = read_arguments(arguments);
    if (shell.kind != kind) fail_msg("%s: kind %d instead of %d", arguments, shell.kind, kind);
}

static void the_command_line_is_found(void **state)
{
    (void)state;
    expect_command("sh -c ls_-l", "ls -l", EG_DIALECT_DASH, 0);
    expect_command("/bin/sh -c -- ls", "ls", EG_DIALECT_DASH, 0);
    expect_command("sh -c ls name one", "ls", EG_DIALECT_DASH, 0);
    expect_command("sh -ec ls", "ls", EG_DIALECT_DASH, EG_SHELL_ERREXIT);
    expect_command("sh -o errexit -c ls", "ls", EG_DIALECT_DASH, EG_SHELL_ERREXIT);
    expect_command("sh -e +e -c ls", "ls", EG_DIALECT_DASH, 0);
    expect_command("dash -c -i ls", "ls", EG_DIALECT_DASH, EG_SHELL_STARTUP);
    expect_command("dash -oc errexit ls", "ls", EG_DIALECT_DASH, EG_SHELL_ERREXIT);
    expect_command("-sh -c ls", "ls", EG_DIALECT_DASH, EG_SHELL_LOGIN);
    expect_command("bash -lc ls", "ls", EG_DIALECT_ANY, EG_SHELL_LOGIN);
    expect_command("bash --norc --noprofile -c ls", "ls", EG_DIALECT_ANY, 0);
    expect_command("bash --rcfile f -c ls", "ls", EG_DIALECT_ANY, 0);
    expect_command("bash -c +O extglob ls", "ls", EG_DIALECT_ANY, EG_SHELL_OTHER);
    expect_command("busybox sh -c ls", "ls", EG_DIALECT_ANY, 0);
    expect_command("/bin/ash -c ls", "ls", EG_DIALECT_ANY, 0);
    expect_command("rbash -c ls", "ls", EG_DIALECT_ANY, EG_SHELL_RESTRICTED);
    expect_command("fish --command=ls", "ls", EG_DIALECT_NONE, EG_SHELL_STARTUP);
    expect_command("fish -C ls", "ls", EG_DIALECT_NONE, EG_SHELL_STARTUP);
    expect_command("fish -cls", "ls", EG_DIALECT_NONE, EG_SHELL_STARTUP);
    expect_command("zsh -c -o errexit ls", "ls", EG_DIALECT_NONE,
                   EG_SHELL_STARTUP | EG_SHELL_ERREXIT);
    expect_command("pwsh -NoProfile /CoMmand ls", "ls", EG_DIALECT_NONE, EG_SHELL_STARTUP);
    expect_command("pwsh -enc bABz", "bABz", EG_DIALECT_NONE, EG_SHELL_STARTUP);
    expect_command("csh -fc ls", "ls", EG_DIALECT_NONE, EG_SHELL_NOGLOB);
    struct eg_shell shell = read_arguments("sh -c ls name one");
    assert_int_equal(shell.index, 2);
    assert_int_equal(shell.zero, 3);
    shell = read_arguments("sh -c ls");
    assert_int_equal(shell.zero, 3);
}

static void scripts_and_standard_input_are_told_apart(void **state)
{
    (void)state;
    expect_kind("sh script", EG_SHELL_SCRIPT);
    expect_kind("sh -e script -c x", EG_SHELL_SCRIPT);
    expect_kind("sh -- -c", EG_SHELL_SCRIPT);
    expect_kind("sh", EG_SHELL_STDIN);
    expect_kind("sh -", EG_SHELL_STDIN);
    expect_kind("sh -s a b", EG_SHELL_STDIN);
    expect_kind("sh -s -c ls", EG_SHELL_STDIN);
    expect_kind("bash -i", EG_SHELL_INTERACTIVE);
    expect_kind("sh -c", EG_SHELL_UNKNOWN);
    expect_kind("sh -Z -c ls", EG_SHELL_UNKNOWN);
    expect_kind("sh --norc -c ls", EG_SHELL_UNKNOWN);
    expect_kind("bash --version", EG_SHELL_NOTHING);
    expect_kind("pwsh -File x", EG_SHELL_SCRIPT);
    expect_kind("busybox", EG_SHELL_UNKNOWN);
}

static void missing_and_empty_arguments_are_unknown(void **state)
{
    (void)state;
    struct eg_shell shell;
    const char *none[] = { NULL };
    const char *empty[] = { "", "-c", "ls", NULL };
    assert_int_equal(eg_line_shell_command(none, 0, &shell), EG_SHELL_UNKNOWN);
    assert_int_equal(eg_line_shell_command(none, 1, &shell), EG_SHELL_UNKNOWN);
    assert_int_equal(eg_line_shell_command(empty, 3, &shell), EG_SHELL_UNKNOWN);
    const char *holes[] = { "sh", "-c", NULL, "ls" };
    assert_int_equal(eg_line_shell_command(holes, 4, &shell), EG_SHELL_UNKNOWN);
}

static bool is_exact(const char *arguments)
{
    static char text[256];
    static struct eg_line_word words[32];
    struct eg_line_memory memory = { text, sizeof text, words, 32 };
    struct eg_line line;
    struct eg_shell shell = read_arguments(arguments);
    eg_line_parse(shell.command, shell.dialect, &memory, &line);
    return eg_line_shell_is_exact(&shell, &line);
}

static void options_that_change_a_line_keep_it_from_running_alone(void **state)
{
    (void)state;
    assert_true(is_exact("sh -c ls"));
    assert_true(is_exact("sh -eu -c ls"));
    assert_true(is_exact("sh -fc ls"));
    assert_true(is_exact("sh -Cc ls"));
    assert_false(is_exact("sh -Cc ls_>x"));
    assert_true(is_exact("sh -Cc ls_>|x"));
    assert_false(is_exact("sh -ec cd_x;ls"));
    assert_false(is_exact("sh -xc ls"));
    assert_false(is_exact("sh -nc ls"));
    assert_false(is_exact("sh -lc ls"));
    assert_true(is_exact("sh -c ls;id"));
    assert_false(is_exact("sh -ec ls;id"));
    assert_false(is_exact("sh -ec ls&&id"));
    assert_false(is_exact("bash -c ls;id"));
    assert_false(is_exact("sh -c $x"));
    assert_false(is_exact("zsh -c ls"));
    assert_false(is_exact("sh script"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_line_is_found),
        cmocka_unit_test(scripts_and_standard_input_are_told_apart),
        cmocka_unit_test(missing_and_empty_arguments_are_unknown),
        cmocka_unit_test(options_that_change_a_line_keep_it_from_running_alone),
    };
    return cmocka_run_group_tests_name("line_shell", tests, NULL, NULL);
}
