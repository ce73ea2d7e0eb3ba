// SPDX-License-Identifier: MIT
/* The message that runtimes send to the agent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/oci.h"

static struct eg_oci_state got;
static const char *why;

static int parse(size_t fds, const char *text)
{
    why = NULL;
    return eg_oci_parse(text, strlen(text), fds, &got, &why);
}

static int metadata(const char *words)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"fds\":[\"seccompFd\"],\"pid\":7,\"metadata\":\"%s\",\"state\":{\"id\":\"c\"}}",
             words);
    return parse(1, text);
}

static void a_runtime_is_understood(void **state)
{
    (void)state;
    assert_int_equal(parse(2, "{\"ociVersion\":\"0.2.0\",\"fds\":[\"pidFd\",\"seccompFd\"],"
                              "\"pid\":4422,\"metadata\":\"policy=web\",\"state\":{\"id\":\"c1\","
                              "\"status\":\"creating\",\"pid\":4422,\"bundle\":\"/b\"}}"),
                     0);
    assert_int_equal(got.fd_index, 1);
    assert_int_equal(got.pid, 4422);
    assert_string_equal(got.policy, "web");
    assert_string_equal(got.id, "c1");
    assert_false(got.attach_exec);
    assert_false(got.has_blob_id);
}

static void exec_is_understood(void **state)
{
    (void)state;
    assert_int_equal(metadata("policy=a,attach=exec id=000000010000000200000003fffffff0"), 0);
    assert_true(got.attach_exec && got.has_blob_id);
    assert_int_equal(got.blob_id[0], 1);
    assert_int_equal(got.blob_id[3], 0xfffffff0);
}

static void a_policy_is_a_name(void **state)
{
    (void)state;
    assert_int_equal(metadata("policy=php-8.2_x"), 0);
    assert_int_equal(metadata("policy=a/b"), -EINVAL);
    assert_int_equal(metadata("policy=.."), -EINVAL);
    assert_int_equal(metadata("policy="), -EINVAL);
    assert_int_equal(metadata("policy=a\\u0000b"), -EINVAL);
    assert_int_equal(metadata(""), -EINVAL);
    assert_int_equal(metadata("policy=a policy=a"), -EINVAL);
    char words[128] = "policy=";
    memset(words + 7, 'a', EG_OCI_NAME_MAX);
    assert_int_equal(metadata(words), 0);
    words[7 + EG_OCI_NAME_MAX] = 'a';
    assert_int_equal(metadata(words), -EINVAL);
}

static void unknown_words_are_refused(void **state)
{
    (void)state;
    assert_int_equal(metadata("policy=a attach=run"), -EINVAL);
    assert_int_equal(metadata("policy=a id=12"), -EINVAL);
    assert_int_equal(metadata("policy=a more"), -EINVAL);
}

static void descriptors_must_be_the_ones_named(void **state)
{
    (void)state;
    static const char one[] = "{\"fds\":[\"seccompFd\"],\"pid\":7,\"metadata\":\"policy=a\","
                              "\"state\":{\"id\":\"c\"}}";
    assert_int_equal(parse(1, one), 0);
    assert_int_equal(parse(0, one), -EINVAL);
    assert_int_equal(parse(2, one), -EINVAL);
    assert_int_equal(parse(2, "{\"fds\":[\"seccompFd\",\"seccompFd\"],\"pid\":7,\"metadata\":"
                              "\"policy=a\",\"state\":{\"id\":\"c\"}}"),
                     -EINVAL);
    assert_int_equal(parse(1, "{\"fds\":[\"x\"],\"pid\":7,\"metadata\":\"policy=a\","
                              "\"state\":{\"id\":\"c\"}}"),
                     -EINVAL);
}

static void wrong_types_are_refused(void **state)
{
    (void)state;
    assert_int_equal(parse(1, "[]"), -EINVAL);
    assert_int_equal(parse(1, "{}"), -EINVAL);
    assert_int_equal(parse(1, "{\"fds\":\"seccompFd\",\"pid\":7,\"metadata\":\"policy=a\","
                              "\"state\":{\"id\":\"c\"}}"),
                     -EINVAL);
    assert_int_equal(parse(1, "{\"fds\":[\"seccompFd\"],\"pid\":\"7\",\"metadata\":\"policy=a\","
                              "\"state\":{\"id\":\"c\"}}"),
                     -EINVAL);
    assert_int_equal(parse(1, "{\"fds\":[\"seccompFd\"],\"pid\":99999999999,\"metadata\":"
                              "\"policy=a\",\"state\":{\"id\":\"c\"}}"),
                     -EINVAL);
    assert_int_equal(parse(1, "{\"fds\":[\"seccompFd\"],\"pid\":7,\"metadata\":5,"
                              "\"state\":{\"id\":\"c\"}}"),
                     -EINVAL);
    assert_int_equal(parse(1, "{\"fds\":[\"seccompFd\"],\"pid\":7,\"metadata\":\"policy=a\","
                              "\"state\":{\"id\":\"c:d\"}}"),
                     -EINVAL);
}

static void a_part_of_a_message_asks_for_the_rest(void **state)
{
    (void)state;
    static const char whole[] = "{\"fds\":[\"seccompFd\"],\"pid\":7,\"metadata\":\"policy=a\","
                                "\"state\":{\"id\":\"c\"}}";
    for (size_t n = 1; n + 1 < sizeof whole; n++)
        assert_int_equal(eg_oci_parse(whole, n, 1, &got, &why), -EAGAIN);
    assert_int_equal(parse(1, whole), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_runtime_is_understood),
        cmocka_unit_test(exec_is_understood),
        cmocka_unit_test(a_policy_is_a_name),
        cmocka_unit_test(unknown_words_are_refused),
        cmocka_unit_test(descriptors_must_be_the_ones_named),
        cmocka_unit_test(wrong_types_are_refused),
        cmocka_unit_test(a_part_of_a_message_asks_for_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
