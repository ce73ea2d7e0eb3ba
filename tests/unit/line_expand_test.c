// SPDX-License-Identifier: MIT
/* Patterns of file names: matching, and expanding in a folder of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "line/line.h"

static void patterns_match_as_in_dash(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        { "", "", true },
        { "", "a", false },
        { "*", "", true },
        { "a*", "abc", true },
        { "*c", "abc", true },
        { "*b", "abc", false },
        { "a*b*c", "axbyc", true },
        { "?", "a", true },
        { "?", "", false },
        { "\\*", "*", true },
        { "\\*", "a", false },
        { "[abc]", "b", true },
        { "[!abc]", "b", false },
        { "[!abc]", "d", true },
        { "[^a]", "a", true },
        { "[^a]", "^", true },
        { "[^a]", "b", false },
        { "[a-c]", "b", true },
        { "[a-c]", "d", false },
        { "[a-]", "-", true },
        { "[-a]", "-", true },
        { "[]a]", "]", true },
        { "[a", "[a", true },
        { "[a", "a", false },
        { "*[a", "x[a", true },
        { "[a-", "[a-", true },
        { "[[:digit:]]", "5", true },
        { "[[:digit:]]", "a", false },
        { "[[:nope:]]", ":]", true },
        { "[\\]]", "]", true },
        { "[\\", "[\\", true },
        { "[", "[", true },
        { "\xc3*", "\xc3\xa9", true },
        { "[[:alpha:]]", "\xe9", false },
        { "[!a]", "\xe9", true },
        { "**a", "ba", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (eg_line_match(eg_str(rows[i].pattern), eg_str(rows[i].name)) != rows[i].matches)
            fail_msg("%s against %s", rows[i].pattern, rows[i].name);
}

static void many_stars_take_no_time(void **state)
{
    (void)state;
    char pattern[201], name[256];
    for (int i = 0; i < 200; i += 2) pattern[i] = '*', pattern[i + 1] = 'a';
    pattern[199] = 'b';
    memset(name, 'a', 255);
    assert_false(eg_line_match((struct eg_str){ pattern, 200 }, (struct eg_str){ name, 255 }));
}

static char folder[] = "/tmp/eg-line-XXXXXX";

static int make_files(void **state)
{
    static const char *const files[] = { "b", "a", ".h", "x y", "d/f", "d/e", "d/.g", "[0]" };
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) || mkdir("d", 0755)) return -1;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int fd = open(files[i], O_CREAT | O_WRONLY, 0644);
        if (fd < 0) return -1;
        close(fd);
    }
    return 0;
}

static int remove_files(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return chdir("/") || system(command);
}

static void expect(const char *pattern, const char *expanded)
{
    char memory[4096], out[4096] = "";
    const char *paths[64];
    long count = eg_line_expand(pattern, memory, sizeof memory, paths, 64);
    for (long i = 0; i < count; i++) {
        if (i) strcat(out, " ");
        strcat(out, paths[i]);
    }
    assert_string_equal(out, expanded);
}

static void patterns_expand_sorted_and_without_hidden_names(void **state)
{
    (void)state;
    expect("*", "[0] a b d x y");
    expect("?", "a b d");
    expect(".*", ". .. .h");
    expect("\\.[h]", ".h");
    expect("d/*", "d/e d/f");
    expect("*/f", "d/f");
    expect("*/", "d/");
    expect("*/.g", "d/.g");
    expect("none*", "");
    expect("none/*", "");
    expect("a", "");
    expect("a.pdf[0]", "");
    expect("[[]0]", "[0]");
    expect("./[ab]", "./a ./b");
    expect("d//*", "d//e d//f");
    expect("\\*", "");
}

static void too_many_names_are_an_error(void **state)
{
    (void)state;
    char memory[4096];
    const char *paths[64];
    assert_int_equal(eg_line_expand("*", memory, sizeof memory, paths, 3), -7);
    assert_int_equal(eg_line_expand("*", memory, 8, paths, 64), -7);
    assert_int_equal(eg_line_expand("*", memory, sizeof memory, paths, 0), -7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_in_dash),
        cmocka_unit_test(many_stars_take_no_time),
        cmocka_unit_test(patterns_expand_sorted_and_without_hidden_names),
        cmocka_unit_test(too_many_names_are_an_error),
    };
    return cmocka_run_group_tests_name("line_expand", tests, make_files, remove_files);
}
