// SPDX-License-Identifier: MIT
/* The table of variables that run code, and the policy's own words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/decide_blob.h"

static const struct {
    const char *pattern, *programs, *class, *what;
} rows[] = {
#define E(pattern, programs, class, what) { pattern, programs, #class, what },
#include "table/env.def"
#undef E
};

static enum eg_env_action decide(struct maker *m, const char *entry)
{
    return eg_decide_env(make_blob(m), eg_str(entry));
}

static void each_row_is_dropped(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char entry[64];
        size_t n = strcspn(rows[i].pattern, "*");
        bool prefix = rows[i].pattern[n] == '*';
        snprintf(entry, sizeof(entry), "%.*s%s=x", (int)n, rows[i].pattern, prefix ? "Q" : "");
        if (decide(m, entry) != EG_ENV_DROP) fail_msg("%s passes", entry);
        /* the row is about this name, not about what begins like it */
        snprintf(entry, sizeof(entry), "Z%.*s=x", (int)n, rows[i].pattern);
        if (decide(m, entry) != EG_ENV_PASS) fail_msg("%s is dropped", entry);
    }
    free(m);
}

static void each_row_is_there_once_and_says_something(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_true(strlen(rows[i].pattern) < 32);
        assert_true(strlen(rows[i].programs) > 0 && strlen(rows[i].what) > 4);
        for (size_t j = 0; j < i; j++) {
            size_t n = strlen(rows[j].pattern);
            bool hidden =
                rows[j].pattern[n - 1] == '*' && !strncmp(rows[i].pattern, rows[j].pattern, n - 1);
            if (hidden || !strcmp(rows[i].pattern, rows[j].pattern))
                fail_msg("%s is hidden by %s", rows[i].pattern, rows[j].pattern);
        }
    }
}

static void what_programs_need_passes(void **state)
{
    static const char *const harmless[] = {
        "PATH=/bin",
        "HOME=/",
        "LANG=C",
        "LC_ALL=C",
        "TZ=UTC",
        "TERM=dumb",
        "TMPDIR=/tmp",
        "USER=a",
        "QUERY_STRING=LD_PRELOAD=x",
        "HTTP_LD_PRELOAD=x",
        "XLD_PRELOAD=x",
        "PYTHONUNBUFFERED=1",
        "PYTHONIOENCODING=utf8",
        "NODE_ENV=production",
        "GIT_DIR=/x",
        "LDFLAGS=x",
        "MAGICK_TMPDIR=/x",
        "JAVA=x",
        "PERL=x",
        "",
        "=",
        "=x",
        "ld_preload=x",
        "COMPOSER_ALLOW_SUPERUSER=1",
    };
    struct maker *m = make_policy();
    (void)state;
    for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
        if (decide(m, harmless[i]) != EG_ENV_PASS) fail_msg("%s is dropped", harmless[i]);
    free(m);
}

static void a_name_without_a_value_is_judged_too(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    assert_int_equal(decide(m, "LD_PRELOAD"), EG_ENV_DROP);
    assert_int_equal(decide(m, "LD_PRELOAD="), EG_ENV_DROP);
    assert_int_equal(decide(m, "BASH_FUNC_ls%%=() { id; }"), EG_ENV_DROP);
    free(m);
}

static void the_policy_comes_before_the_table(void **state)
{
    struct maker *m = make_policy();
    (void)state;
    make_env(m, "PERL5LIB", true);
    make_env(m, "FOO_*", false);
    make_env(m, "FOO_X", true);
    make_env(m, "LD_*", false);
    assert_int_equal(decide(m, "PERL5LIB=/x"), EG_ENV_PASS);
    assert_int_equal(decide(m, "PERL5OPT=-d"), EG_ENV_DROP);
    assert_int_equal(decide(m, "FOO_A=1"), EG_ENV_DROP_ALWAYS);
    assert_int_equal(decide(m, "FOO_X=1"), EG_ENV_DROP_ALWAYS); /* the first match wins */
    assert_int_equal(decide(m, "FOO=1"), EG_ENV_PASS);
    assert_int_equal(decide(m, "LD_PRELOAD=x"), EG_ENV_DROP_ALWAYS);
    free(m);
}

static void only_what_acts_in_process_is_a_loader_variable(void **state)
{
    (void)state;
    assert_true(eg_env_is_loader(eg_str("LD_PRELOAD")));
    assert_true(eg_env_is_loader(eg_str("LD_ANYTHING")));
    assert_true(eg_env_is_loader(eg_str("GCONV_PATH")));
    assert_true(eg_env_is_loader(eg_str("OPENSSL_CONF")));
    assert_false(eg_env_is_loader(eg_str("PERL5OPT")));
    assert_false(eg_env_is_loader(eg_str("PATH")));
    assert_false(eg_env_is_loader(eg_str("LD")));
    assert_false(eg_env_is_loader(eg_str("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_dropped),
        cmocka_unit_test(each_row_is_there_once_and_says_something),
        cmocka_unit_test(what_programs_need_passes),
        cmocka_unit_test(a_name_without_a_value_is_judged_too),
        cmocka_unit_test(the_policy_comes_before_the_table),
        cmocka_unit_test(only_what_acts_in_process_is_a_loader_variable),
    };
    return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}
