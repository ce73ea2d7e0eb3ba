// SPDX-License-Identifier: MIT
/* "Did you mean". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "policy/policy.h"

static const char *const words[] = { "allow", "deny", "shell", "pipeline", "net_bind_service" };

static const char *suggest(const char *wrong)
{
    return eg_suggest(eg_str(wrong), words, sizeof(words) / sizeof(words[0]));
}

static void one_edit_is_near(void **state)
{
    (void)state;
    assert_string_equal(suggest("alow"), "allow");
    assert_string_equal(suggest("alllow"), "allow");
    assert_string_equal(suggest("sheel"), "shell");
    assert_string_equal(suggest("dney"), "deny");
}

static void case_and_dashes_do_not_count(void **state)
{
    (void)state;
    assert_string_equal(suggest("ALLOW"), "allow");
    assert_string_equal(suggest("net-bind-servcie"), "net_bind_service");
}

static void the_nearest_wins(void **state)
{
    (void)state;
    const char *const near[] = { "abcdef", "abcxef", "abc" };
    assert_string_equal(eg_suggest(EG_STR("abcxe"), near, 3), "abcxef");
}

static void what_is_far_is_not_suggested(void **state)
{
    (void)state;
    assert_null(suggest("xyzzy"));
    assert_null(suggest("a"));
    assert_null(suggest(""));
    assert_null(suggest("de"));
    assert_null(eg_suggest(EG_STR("x"), NULL, 0));
}

static void long_words_are_not_compared(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'a', sizeof(text));
    assert_null(eg_suggest((struct eg_str){ text, sizeof(text) }, words, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_edit_is_near),
        cmocka_unit_test(case_and_dashes_do_not_count),
        cmocka_unit_test(the_nearest_wins),
        cmocka_unit_test(what_is_far_is_not_suggested),
        cmocka_unit_test(long_words_are_not_compared),
    };
    return cmocka_run_group_tests_name("policy_suggest", tests, NULL, NULL);
}
