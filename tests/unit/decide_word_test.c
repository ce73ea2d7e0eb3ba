// SPDX-License-Identifier: MIT
/* What each hole of an argument pattern holds, and words made of pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "../lib/decide_blob.h"

static bool matches_n(const char *pattern, const char *argument, size_t n, const char *cwd)
{
    struct maker *m = make_policy();
    uint32_t word = make_word(m, pattern, strlen(pattern));
    bool ret = eg_match_word(make_blob(m), word, (struct eg_str){ argument, n }, eg_str(cwd));
    free(m);
    return ret;
}

static bool matches(const char *pattern, const char *argument)
{
    return matches_n(pattern, argument, strlen(argument), "/srv/www");
}

static void assert_all(const char *pattern, const char *const *arguments, bool expected)
{
    for (; *arguments; arguments++)
        if (matches(pattern, *arguments) != expected)
            fail_msg("%s against \"%s\": expected %d", pattern, *arguments, expected);
}
#define YES(pattern, ...) assert_all(pattern, (const char *const[]){ __VA_ARGS__, NULL }, true)
#define NO(pattern, ...)  assert_all(pattern, (const char *const[]){ __VA_ARGS__, NULL }, false)

static void a_literal_matches_itself_only(void **state)
{
    (void)state;
    YES("-t", "-t");
    NO("-t", "", "-", "-ti", "t", "-T");
}

static void an_int_is_digits_with_at_most_a_sign(void **state)
{
    (void)state;
    YES("<int>", "0", "-1", "007", "12345678901234567890", "-12345678901234567890");
    NO("<int>", "", "-", "--1", "+1", "1 ", " 1", "1.5", "0x1", "1;id", "123456789012345678901");
}

static void a_word_has_no_leading_dash_and_no_control_character(void **state)
{
    (void)state;
    YES("<word>", "a", "a b", "a-b", "$(id)", "\xc3\xa9", ";id");
    NO("<word>", "", "-", "-rf", "a\nb", "a\tb", "\x7f", "a\x01");
}

static void a_value_ends_where_another_could_begin(void **state)
{
    (void)state;
    YES("<value>", "a", "1", "2 4 5", "my_site.conf", "c++", "c#", "a-b", "\xc3\xa9", "a..b");
    NO("<value>", "", "-a", ".", "..", ".a", "a,b=c", "a=b", "a:b", "a;b", "a/b", "a\\b", "a&b",
       "a|b", "@a", "a%b", "a\nb", "a\tb", "\x7f", "$(id)", "`id`", "a'b", "a\"b", "<a>", "a*",
       "a?");
    YES("a=<value>,b=<int>", "a=x y,b=1");
    NO("a=<value>,b=<int>", "a=x,c=2,b=1", "a=x,b=1,c=2");
}

static void a_host_is_a_name_or_an_address(void **state)
{
    (void)state;
    YES("<host>", "localhost", "example.org", "EXAMPLE.org.", "a-b.c", "8.8.8.8", "::1", "xn--p1ai",
        "3com.net", "1.2.3.4.example");
    NO("<host>", "", ".", "-a", "a-", "a.-b", "a..b", "a b", "8.8.8.8;id", "a_b", "a/b",
       "user@host", "2130706433", "0x7f000001", "127.1", "1.2.3", "01.2.3.4", "256.1.1.1", "a.0x1",
       "$(id)", "example.org\n", "[::1]", "fe80::1%eth0",
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org");
}

static void an_ip_is_a_dotted_quad_or_ipv6(void **state)
{
    (void)state;
    YES("<ip>", "0.0.0.0", "255.255.255.255", "::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "FE80::a");
    NO("<ip>", "", "1.2.3", "1.2.3.4.", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.4 ", ":", ":1",
       "1:", "1:2", "1:::2", "1::2::3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "12345::", "::1.2.3",
       "::1.2.3.4:5", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:1.2.3.4", "::g", "::1%lo", "localhost");
}

static void an_email_is_a_dot_atom_at_a_name(void **state)
{
    (void)state;
    YES("<email>", "a@b.c", "www-data@example.org", "a.b+c@d.e", "o'hara@example.org",
        "x@localhost");
    NO("<email>", "", "a", "@b", "a@", "-a@b.c", "a@@b.c", "a b@c.d", ".a@b.c", "a.@b.c",
       "a..b@c.d", "\"a\"@b.c", "a@b.c -X/tmp/x", "a@b.c\n", "a(c)@b.c", "a@[1.2.3.4]", "a@1.2.3.4",
       "|id@b.c", "${run{id}}@localhost", "`id`@b.c", "/tmp/x@b.c", "a@-b.c", "a;id@b.c");
}

static void a_file_is_a_path_that_does_not_climb(void **state)
{
    (void)state;
    YES("<file>", "a", "/etc/passwd", "a/b", "./a", "a b", "..a", "a..", "/a:b", "./a:b", "a/b:c");
    NO("<file>", "", "-a", "..", "../a", "a/../b", "/..", "a/..", "a\nb", "msl:/x", "https://x/",
       "@list", "|id", "host:x");
}

static void a_file_glob_is_matched_on_the_absolute_path(void **state)
{
    (void)state;
    YES("<file:/srv/www/**>", "a.jpg", "./a.jpg", "/srv/www/a/b", "/srv//www/./a", "/srv/www/a/");
    NO("<file:/srv/www/**>", "/srv/a", "/etc/passwd", "/srv/www/../a", "../../etc/passwd",
       "/srv/www", "/srv/www/", "-o/srv/www/a", "@/srv/www/a");
    YES("<dir:/srv/*>", "/srv/a", "/srv/a/", "/srv/a/.");
    NO("<dir:/srv/*>", "/srv/a/b", "/srv");
    YES("<file:/**>", "/");
}

static void a_relative_path_needs_a_known_working_directory(void **state)
{
    (void)state;
    assert_true(matches_n("<file:/srv/www/**>", "a", 1, "/srv/www"));
    assert_false(matches_n("<file:/srv/www/**>", "a", 1, ""));
    assert_false(matches_n("<file:**>", "a", 1, ""));
    assert_false(matches_n("<file:**>", "a", 1, "(unreachable)/srv/www"));
    assert_false(matches_n("<file:/srv/www/**>", "a", 1, "/srv/www/.."));
    assert_true(matches_n("<file:/srv/www/**>", "/srv/www/a", 10, ""));
    assert_true(matches_n("<file>", "a", 1, ""));
}

static void a_path_longer_than_the_kernel_takes_is_no_file(void **state)
{
    char path[4097];
    (void)state;
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    assert_true(matches_n("<file:/**>", path, 4095, ""));
    assert_false(matches_n("<file:/**>", path, 4096, ""));
    assert_false(matches_n("<file>", path, 4096, ""));
    assert_false(matches_n("<file:/**>", path + 1, 4095, "/srv"));
}

static void any_is_any_bytes(void **state)
{
    (void)state;
    YES("<any>", "", "-x", "\n", "\x01\xff");
}

static void holes_stand_inside_words(void **state)
{
    (void)state;
    YES("-f<email>", "-fa@b.c");
    NO("-f<email>", "-f", "-f -a@b.c", "-fa@b.c;id", "a@b.c", "-X-fa@b.c");
    YES("--size=<int>x<int>", "--size=1x2", "--size=-1x-2");
    NO("--size=<int>x<int>", "--size=x2", "--size=1x", "--size=1x2x3", "--size=1 x2");
    YES("<host>:<int>", "a.b:80");
    NO("<host>:<int>", "a.b", ":80", "a.b:", "a.b:80:90");
    YES("<file:/srv/www/*>.png", "/srv/www/a.png", "a.png", "a.png.png");
    NO("<file:/srv/www/*>.png", "/srv/www/a", ".png", "/etc/a.png", "a.pngx");
    YES("<any>.txt", ".txt", "a.txt.txt");
    NO("--file=<file>", "--file=-x", "--file=", "--file=../x");
}

static void the_empty_pattern_is_the_empty_argument(void **state)
{
    (void)state;
    YES("", "");
    NO("", "a");
}

static void a_long_argument_takes_linear_time(void **state)
{
    static const char *const patterns[] = { "<int>",        "<word>",  "<host>",         "<ip>",
                                            "<email>",      "<any>x",  "<file:/srv/**>", "<file>.a",
                                            "<host>:<int>", "a<word>", "<value>" };
    static const char units[] = "a.:1-@/";
    const size_t size = 128 << 10;
    char *text = malloc(size);
    struct timespec begin, end;
    (void)state;
    assert_non_null(text);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (size_t u = 0; u < sizeof(units) - 1; u++) {
        memset(text, units[u], size);
        for (size_t odd = 0; odd < 2; odd++) {
            for (size_t i = 1; odd && i < size; i += 2) text[i] = 'a';
            for (size_t p = 0; p < sizeof(patterns) / sizeof(*patterns); p++)
                matches_n(patterns[p], text, size, "/srv");
        }
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    free(text);
    /* 140 passes over 128 KiB; a quadratic one alone would take 10^10 steps */
    assert_in_range(end.tv_sec - begin.tv_sec, 0, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_literal_matches_itself_only),
        cmocka_unit_test(an_int_is_digits_with_at_most_a_sign),
        cmocka_unit_test(a_word_has_no_leading_dash_and_no_control_character),
        cmocka_unit_test(a_value_ends_where_another_could_begin),
        cmocka_unit_test(a_host_is_a_name_or_an_address),
        cmocka_unit_test(an_ip_is_a_dotted_quad_or_ipv6),
        cmocka_unit_test(an_email_is_a_dot_atom_at_a_name),
        cmocka_unit_test(a_file_is_a_path_that_does_not_climb),
        cmocka_unit_test(a_file_glob_is_matched_on_the_absolute_path),
        cmocka_unit_test(a_relative_path_needs_a_known_working_directory),
        cmocka_unit_test(a_path_longer_than_the_kernel_takes_is_no_file),
        cmocka_unit_test(any_is_any_bytes),
        cmocka_unit_test(holes_stand_inside_words),
        cmocka_unit_test(the_empty_pattern_is_the_empty_argument),
        cmocka_unit_test(a_long_argument_takes_linear_time),
    };
    return cmocka_run_group_tests_name("word", tests, NULL, NULL);
}
