// SPDX-License-Identifier: MIT
/* The rate limiter alone, between threads and between processes. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "event/event.h"

enum { WORKERS = 8, TRIES = 5000, BURST = 100 };

/* What each worker of a crowd saw; shared with children. */
struct crowd {
    struct eg_rate rate;
    uint64_t taken;
    uint64_t repeats;
};

static struct crowd *crowd;

static int setup(void **state)
{
    (void)state;
    crowd = mmap(NULL, sizeof *crowd, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return crowd == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    return munmap(crowd, sizeof *crowd);
}

static unsigned take_many(uint64_t key, uint64_t now_ms, unsigned tries)
{
    unsigned taken = 0;
    uint64_t repeat;
    for (unsigned i = 0; i < tries; i++)
        taken += eg_rate_take(&crowd->rate, key, now_ms, 20, 5, &repeat);
    return taken;
}

static void a_burst_goes_out_then_the_rate(void **state)
{
    (void)state;
    assert_int_equal(take_many(7, 1000, 50), 5);
    assert_int_equal(take_many(7, 1049, 50), 0);
    assert_int_equal(take_many(7, 1050, 50), 1);
    assert_int_equal(take_many(7, 1200, 50), 3);
    assert_int_equal(take_many(7, 1000000, 50), 5);
}

static void suppressed_events_are_counted_in_the_next(void **state)
{
    (void)state;
    uint64_t repeat = 99;
    assert_true(eg_rate_take(&crowd->rate, 7, 1000, 20, 1, &repeat));
    assert_int_equal(repeat, 0);
    for (int i = 0; i < 17; i++) assert_false(eg_rate_take(&crowd->rate, 7, 1000, 20, 1, &repeat));
    assert_true(eg_rate_take(&crowd->rate, 7, 1050, 20, 1, &repeat));
    assert_int_equal(repeat, 17);
    assert_true(eg_rate_take(&crowd->rate, 7, 1100, 20, 1, &repeat));
    assert_int_equal(repeat, 0);
}

static void keys_do_not_disturb_each_other(void **state)
{
    (void)state;
    assert_int_equal(take_many(7, 1000, 50), 5);
    assert_int_equal(take_many(8, 1000, 50), 5);
    assert_int_equal(take_many(0, 1000, 50), 5);
    assert_int_equal(take_many(7, 1000, 50), 0);
}

static void a_rate_of_zero_is_no_limit(void **state)
{
    (void)state;
    uint64_t repeat = 99;
    for (int i = 0; i < 1000; i++) assert_true(eg_rate_take(&crowd->rate, 7, 1000, 0, 0, &repeat));
    assert_int_equal(repeat, 0);
}

static void a_burst_of_zero_is_one(void **state)
{
    (void)state;
    uint64_t repeat;
    assert_true(eg_rate_take(&crowd->rate, 7, 1000, 1, 0, &repeat));
    assert_false(eg_rate_take(&crowd->rate, 7, 1000, 1, 0, &repeat));
}

static void a_clock_that_goes_back_or_far_ahead_is_harmless(void **state)
{
    (void)state;
    assert_int_equal(take_many(7, 5000, 50), 5);
    assert_int_equal(take_many(7, 4000, 50), 0);
    assert_int_equal(take_many(7, 5050, 50), 1);
    assert_int_equal(take_many(7, UINT64_MAX, 50), 5);
    uint64_t repeat;
    assert_true(eg_rate_take(&crowd->rate, 9, 1, UINT32_MAX, UINT32_MAX, &repeat));
    assert_true(eg_rate_take(&crowd->rate, 9, UINT64_MAX, UINT32_MAX, UINT32_MAX, &repeat));
}

static void made_up_keys_cannot_flood(void **state)
{
    (void)state;
    unsigned taken = 0;
    for (uint64_t key = 1; key <= 100000; key++) taken += take_many(key * 77777, 1000, 1);
    assert_in_range(taken, EG_RATE_SLOTS, EG_RATE_SLOTS * 5);
}

static void a_slot_is_reused_when_its_bucket_is_full_again(void **state)
{
    (void)state;
    for (uint64_t key = 1; key <= 10000; key++) (void)take_many(key, 1000, 20);
    /* Every slot is busy: a new key shares an empty bucket. */
    assert_int_equal(take_many(777777, 1000, 20), 0);
    /* A minute later all are full, but owe a count, which a sharer reports. */
    uint64_t repeat = 0;
    assert_true(eg_rate_take(&crowd->rate, 777777, 61000, 20, 5, &repeat));
    assert_true(repeat > 0);
    /* Paid and full again, the slot takes the new name and stays its own. */
    assert_int_equal(take_many(777777, 200000, 20), 5);
    bool found = false;
    for (unsigned i = 0; i < EG_RATE_SLOTS; i++)
        found = found || crowd->rate.slots[i].key == 777777;
    assert_true(found);
}

/* The same moment for everybody: exactly the burst may pass. */
static void take_in_a_crowd(void)
{
    uint64_t taken = 0;
    uint64_t repeats = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t repeat;
        if (!eg_rate_take(&crowd->rate, 7, 1000, 20, BURST, &repeat)) continue;
        taken++;
        repeats += repeat;
    }
    __atomic_add_fetch(&crowd->taken, taken, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&crowd->repeats, repeats, __ATOMIC_SEQ_CST);
}

static void *thread_main(void *unused)
{
    take_in_a_crowd();
    return unused;
}

static void assert_nothing_was_lost(void)
{
    uint64_t suppressed = 0;
    for (unsigned i = 0; i < EG_RATE_SLOTS; i++) suppressed += crowd->rate.slots[i].suppressed;
    assert_int_equal(crowd->taken, BURST);
    assert_int_equal(crowd->repeats + suppressed, WORKERS * TRIES - BURST);
}

static void eight_threads_share_one_bucket_exactly(void **state)
{
    (void)state;
    pthread_t threads[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread_main, NULL), 0);
    for (int i = 0; i < WORKERS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_nothing_was_lost();
}

static void forked_children_share_one_bucket_exactly(void **state)
{
    (void)state;
    pid_t children[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            take_in_a_crowd();
            _exit(0);
        }
        assert_true(children[i] > 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_nothing_was_lost();
}

/* Memory that a hostile worker scribbled over. */
static void any_contents_of_the_table_are_survived(void **state)
{
    (void)state;
    uint64_t repeat;
    for (unsigned byte = 0; byte < 256; byte += 5) {
        memset(&crowd->rate, (int)byte, sizeof crowd->rate);
        for (uint64_t key = 0; key < 50; key++)
            (void)eg_rate_take(&crowd->rate, key, 12345, 20, 5, &repeat);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_burst_goes_out_then_the_rate),
        TEST(suppressed_events_are_counted_in_the_next),
        TEST(keys_do_not_disturb_each_other),
        TEST(a_rate_of_zero_is_no_limit),
        TEST(a_burst_of_zero_is_one),
        TEST(a_clock_that_goes_back_or_far_ahead_is_harmless),
        TEST(made_up_keys_cannot_flood),
        TEST(a_slot_is_reused_when_its_bucket_is_full_again),
        TEST(eight_threads_share_one_bucket_exactly),
        TEST(forked_children_share_one_bucket_exactly),
        TEST(any_contents_of_the_table_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
