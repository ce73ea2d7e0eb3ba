// SPDX-License-Identifier: MIT
/* Digests: the reference implementation's vectors, and what comparing needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "supervisor/digest.h"
#include "supervisor/remote.h"

/* vectors_sip128 of the reference implementation: bytes 0..n-1 under the key 0..15. */
static void the_reference_vectors_come_out(void **state)
{
    (void)state;
    static const unsigned char expected[][EG_DIGEST_SIZE] = {
        { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02,
          0x93 },
        { 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc,
          0x45 },
    };
    struct eg_digest_key key;
    unsigned char data[16], got[EG_DIGEST_SIZE];
    for (unsigned i = 0; i < 16; i++) data[i] = key.bytes[i] = (unsigned char)i;
    for (size_t n = 0; n < sizeof expected / sizeof expected[0]; n++) {
        eg_digest_keyed(&key, data, n, got);
        assert_memory_equal(got, expected[n], EG_DIGEST_SIZE);
    }
}

static void every_bit_and_the_length_count(void **state)
{
    (void)state;
    unsigned char data[100] = { 0 }, plain[EG_DIGEST_SIZE], got[EG_DIGEST_SIZE];
    eg_digest(data, sizeof data, plain);
    for (size_t bit = 0; bit < 8 * sizeof data; bit++) {
        data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        eg_digest(data, sizeof data, got);
        assert_memory_not_equal(got, plain, EG_DIGEST_SIZE);
        data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    for (size_t n = 0; n < sizeof data; n++) {
        eg_digest(data, n, got);
        assert_memory_not_equal(got, plain, EG_DIGEST_SIZE);
    }
    eg_digest(data, sizeof data, got);
    assert_memory_equal(got, plain, EG_DIGEST_SIZE);
}

static void digest_of(const char *const *strings, size_t skip, unsigned char ret[EG_DIGEST_SIZE])
{
    struct eg_vector v = { 0 };
    assert_int_equal(eg_vector_copy(&v, strings), 0);
    eg_vector_digest(&v, skip, ret);
    eg_vector_free(&v);
}

static void vectors_that_differ_have_different_digests(void **state)
{
    (void)state;
    static const char *const lists[][4] = {
        { "a", "b", "c" }, { "a", "bc" }, { "ab", "c" }, { "a", "b", "c", "" }, { "" }, { NULL },
    };
    unsigned char digests[6][EG_DIGEST_SIZE];
    for (size_t i = 0; i < 6; i++) {
        const char *const list[] = { lists[i][0], lists[i][1], lists[i][2], lists[i][3], NULL };
        digest_of(list, 0, digests[i]);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(digests[i], digests[k], EG_DIGEST_SIZE);
    }
}

static void skipped_strings_do_not_count(void **state)
{
    (void)state;
    unsigned char one[EG_DIGEST_SIZE], other[EG_DIGEST_SIZE];
    digest_of((const char *const[]){ "sh", "-c", "x", NULL }, 1, one);
    digest_of((const char *const[]){ "/bin/sh", "-c", "x", NULL }, 1, other);
    assert_memory_equal(one, other, EG_DIGEST_SIZE);
    digest_of((const char *const[]){ "-c", "x", NULL }, 0, other);
    assert_memory_equal(one, other, EG_DIGEST_SIZE);
    digest_of((const char *const[]){ "sh", NULL }, 1, one);
    digest_of((const char *const[]){ "sh", NULL }, 5, other);
    assert_memory_equal(one, other, EG_DIGEST_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_vectors_come_out),
        cmocka_unit_test(every_bit_and_the_length_count),
        cmocka_unit_test(vectors_that_differ_have_different_digests),
        cmocka_unit_test(skipped_strings_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
