// SPDX-License-Identifier: MIT
/* Which of the requests in hand a thread serves: the certain one, or those among which
 * nobody knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/hand.h"

/* Slots as letters, upper case the asking thread's own: F FastCGI, C HTTP that closes,
 * K HTTP that stays open, B being changed, . nothing. */
static const struct {
    const char *slots;
    uint32_t lost;
    int certain; /* slot, or -1 */
    uint64_t among;
} rows[] = {
    { "", 0, -1, 0 },   { "", 1, -1, 0 },    { "F", 0, 0, 1 },   { "F", 5, 0, 1 },
    { "fFf", 0, 1, 2 }, { "kFck", 3, 1, 2 }, { "C", 0, 0, 1 },   { "C", 1, -1, 1 },
    { "cCk", 0, 1, 2 }, { "CB", 0, 0, 1 },   { "K", 0, 0, 1 },   { "K", 1, -1, 1 },
    { "Kc", 0, -1, 3 }, { "KB", 0, -1, 1 },  { "CC", 0, -1, 3 }, { "CCc", 0, -1, 3 },
    { "FF", 0, -1, 3 }, { ".c", 0, 1, 2 },   { "k", 0, 0, 1 },   { "ck", 0, -1, 3 },
    { "c", 1, -1, 1 },  { "cB", 0, -1, 1 },
};

static void what_is_certain(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int by_tid = 0; by_tid < 2; by_tid++) {
            struct eg_hand_slot slots[EG_HAND_SLOTS];
            struct eg_hand_who who = { .by_tid = by_tid, .thread = 7 };
            memset(slots, 0, sizeof slots);
            for (size_t i = 0; rows[r].slots[i]; i++) {
                char c = rows[r].slots[i];
                char kind = c & ~0x20;
                if (c == '.') continue;
                slots[i].state = kind == 'B' ? EG_HAND_BUSY : EG_HAND_READY + 3 * EG_HAND_USER;
                slots[i].protocol = kind == 'F' ? EG_WEB_FASTCGI : EG_WEB_HTTP;
                slots[i].keeps = kind == 'K';
                slots[i].thread = by_tid ? 99 : kind == c ? 7 : 8;
                slots[i].tid = !by_tid ? 99 : kind == c ? 7 : 8;
            }
            struct eg_hand_choice choice = eg_hand_choose(slots, rows[r].lost, &who);
            int certain = choice.certain ? (int)choice.index : -1;
            if (certain != rows[r].certain) print_message("\"%s\":\n", rows[r].slots);
            assert_int_equal(certain, rows[r].certain);
            if (certain < 0) assert_int_equal(choice.among, rows[r].among);
            assert_int_equal(choice.any, *rows[r].slots || rows[r].lost);
        }
}

/* An ancestor's threads are all alike. */
static void of_an_ancestor_only_the_only_one(void **state)
{
    (void)state;
    struct eg_hand_slot slots[EG_HAND_SLOTS];
    struct eg_hand_who who = { .somebody = true, .by_tid = true, .thread = 7 };
    memset(slots, 0, sizeof slots);
    slots[3].state = EG_HAND_READY;
    slots[3].tid = 7;
    struct eg_hand_choice choice = eg_hand_choose(slots, 0, &who);
    assert_true(choice.certain && choice.index == 3);
    slots[5].state = EG_HAND_READY;
    assert_false(eg_hand_choose(slots, 0, &who).certain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_certain),
        cmocka_unit_test(of_an_ancestor_only_the_only_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
