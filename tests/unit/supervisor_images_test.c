// SPDX-License-Identifier: MIT
/* What the supervisor remembers of processes between verdict and check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "supervisor/images.h"
#include "supervisor/remote.h"

static const struct eg_pending any = { .argc = 1 };

static void an_old_number_is_another_process(void **state)
{
    (void)state;
    struct eg_images *images = eg_images_new();
    struct eg_process first = { 100, 1 }, second = { 100, 2 };
    eg_image_expect(eg_images_get(images, &first), &any);
    assert_non_null(eg_images_find(images, &first));
    assert_null(eg_images_find(images, &second));
    assert_int_equal(eg_images_get(images, &second)->pending_count, 0);
    eg_images_free(images);
}

static void who_waits_for_its_image_is_not_pushed_out(void **state)
{
    (void)state;
    struct eg_images *images = eg_images_new();
    struct eg_process waiting = { getpid(), 1 };
    eg_image_expect(eg_images_get(images, &waiting), &any);
    for (int i = 0; i < (int)(2 * EG_IMAGES_MAX); i++) {
        struct eg_process other = { 5000000 + i, 1 };
        assert_non_null(eg_images_get(images, &other));
    }
    struct eg_image *image = eg_images_find(images, &waiting);
    assert_non_null(image);
    assert_int_equal(image->pending_count, 1);
    eg_images_free(images);
}

static void the_dead_make_room_in_a_full_pool(void **state)
{
    (void)state;
    struct eg_images *images = eg_images_new();
    struct eg_process process = { getpid(), 0 };
    for (unsigned i = 0; i < EG_IMAGES_MAX; i++) {
        struct eg_process other = { (int)(5000000 + i), 1 };
        struct eg_image *image = eg_images_get(images, &other);
        eg_image_expect(image, &any);
    }
    /* numbers over the kernel's limit name no living process: they make room */
    assert_non_null(eg_images_get(images, &process));
    eg_images_free(images);
}

static void the_oldest_of_too_many_expectations_goes(void **state)
{
    (void)state;
    struct eg_images *images = eg_images_new();
    struct eg_process process = { 100, 1 };
    struct eg_image *image = eg_images_get(images, &process);
    for (size_t i = 0; i < EG_PENDING_MAX + 2; i++) {
        struct eg_pending pending = { .argc = i };
        eg_image_expect(image, &pending);
    }
    assert_int_equal(image->pending_count, EG_PENDING_MAX);
    assert_int_equal(image->pending[0].argc, 2);
    eg_images_free(images);
}

static void a_thread_leads_to_its_process(void **state)
{
    (void)state;
    struct eg_process process;
    assert_int_equal(eg_remote_process(getpid(), &process), 0);
    assert_int_equal(process.tgid, getpid());
    assert_true(eg_remote_process(0, &process) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_number_is_another_process),
        cmocka_unit_test(who_waits_for_its_image_is_not_pushed_out),
        cmocka_unit_test(the_dead_make_room_in_a_full_pool),
        cmocka_unit_test(the_oldest_of_too_many_expectations_goes),
        cmocka_unit_test(a_thread_leads_to_its_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
