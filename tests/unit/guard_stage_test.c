// SPDX-License-Identifier: MIT
/* The two steps, and what the kernel answers when it is asked about them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "blob_builder.h"
#include "guarded_child.h"

static int abi;

static void need_abi(int wanted)
{
    if (abi < wanted) skip();
}

static struct eg_blob *make_blob(uint32_t flags, const char *program)
{
    struct blob_builder b;
    blob_builder_init(&b, flags | EG_BLOB_NO_NEW_PRIVS);
    blob_builder_allow(&b, blob_builder_loader());
    blob_builder_allow(&b, program);
    if (!(flags & EG_BLOB_WRITE_FREE)) blob_builder_write_tree(&b, path("build"), EG_TREE_BUILD);
    struct eg_blob *blob = blob_builder_finish(&b);
    blob_builder_done(&b);
    return blob;
}

static struct eg_target target_of(const char *file)
{
    return (struct eg_target){ eg_str(file), blob_builder_identity(file), true };
}

static void install_step(const struct eg_blob *blob, enum eg_stage stage, const char *worker)
{
    struct eg_target target = target_of(worker);
    struct eg_guard_plan plan = {
        .blob = blob, .stage = stage, .worker = &target, .worker_count = 1, .listener_fd = -1
    };
    struct eg_guard_error error = { 0 };
    int r = eg_guard_install(&plan, &error);
    if (r < 0) dprintf(2, "not installed: %s: %s\n", error.what, strerror(error.error));
    CHECK(r == 0);
    CHECK(plan.installed & 1u << EG_LAYER_DOMAIN);
    CHECK(plan.replaced == 0);
}

static void check_two_steps(const void *context)
{
    const struct eg_blob *blob = context;
    struct stat before, after;
    CHECK(!eg_guard_is_narrow());
    CHECK(eg_guard_query(blob) == 0);
    install_step(blob, EG_STAGE_LAUNCH, "/usr/bin/false");
    CHECK(eg_guard_query(blob) == EG_QUERY_YES);
    CHECK(stat("/dev/pts", &before) == 0);
    CHECK(!eg_guard_is_narrow());
    CHECK(stat("/dev/pts", &after) == 0);
    CHECK(before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
          before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    CHECK(run_program("/usr/bin/true", NULL) == 0);
    CHECK(run_program("/usr/bin/false", NULL) == 1);
    CHECK(run_program("/usr/bin/env", NULL) == -EACCES);
    /* what the sentinel grants is of no use */
    CHECK(unlink("/dev/pts/ptmx") < 0);
    CHECK(mknod("/dev/pts/eg-unit", S_IFCHR | 0600, 0x103) < 0);
    CHECK(open_for_writing("/dev/random") == -EACCES);

    install_step(blob, EG_STAGE_NARROW, "/usr/bin/false");
    CHECK(eg_guard_is_narrow());
    CHECK(run_program("/usr/bin/true", NULL) == 0);
    CHECK(run_program("/usr/bin/false", NULL) == -EACCES);
    /* step two takes nothing else away */
    CHECK(open_for_writing("/dev/null") == 0);
    CHECK(open_for_writing(path("a/file")) == 0);
    if (abi >= 2) CHECK(rename(path("a/file"), path("b/file")) == 0);
    if (abi >= 2) CHECK(rename(path("b/file"), path("a/file")) == 0);
    CHECK(open_for_writing("/proc/self/mem") == -EACCES);
    /* a child asks the same and hears the same */
    pid_t pid = fork();
    if (pid == 0) _exit(!eg_guard_is_narrow() || eg_guard_query(blob) != EG_QUERY_YES);
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void step_two_takes_the_worker_and_the_sentinel_away(void **state)
{
    (void)state;
    need_abi(1);
    struct eg_blob *blob = make_blob(EG_BLOB_WRITE_FREE, "/usr/bin/true");
    assert_true(in_both(check_two_steps, blob));
    free(blob);
}

static void check_final(const void *context)
{
    const struct eg_blob *blob = context;
    install_step(blob, EG_STAGE_FINAL, "/usr/bin/false");
    CHECK(eg_guard_is_narrow());
    CHECK(eg_guard_query(blob) == EG_QUERY_YES);
    CHECK(run_program("/usr/bin/true", NULL) == 0);
    CHECK(run_program("/usr/bin/false", NULL) == -EACCES);
}

static void everything_at_once_is_narrow(void **state)
{
    (void)state;
    need_abi(1);
    struct eg_blob *blob = make_blob(EG_BLOB_WRITE_FREE, "/usr/bin/true");
    assert_true(in_both(check_final, blob));
    free(blob);
}

static void check_one_step(const void *context)
{
    const struct eg_blob *blob = context;
    bool again = blob->flags & EG_BLOB_WORKER_REEXEC;
    install_step(blob, EG_STAGE_LAUNCH, "/usr/bin/true");
    CHECK(eg_guard_is_narrow() == !again);
    CHECK(eg_guard_query(blob) == EG_QUERY_YES);
    CHECK(run_program("/usr/bin/true", NULL) == 0);
    CHECK(run_program("/usr/bin/false", NULL) == -EACCES);
}

static void a_worker_of_the_exec_set_needs_no_step_two(void **state)
{
    (void)state;
    need_abi(1);
    for (int i = 0; i < 2; i++) {
        struct eg_blob *blob =
            make_blob(EG_BLOB_WRITE_FREE | (i ? EG_BLOB_WORKER_REEXEC : 0u), "/usr/bin/true");
        assert_true(in_both(check_one_step, blob));
        free(blob);
    }
}

static void check_build_tree(const void *context)
{
    install_step(context, EG_STAGE_LAUNCH, "/usr/bin/false");
    CHECK(run_program(path("build/tool"), NULL) == 0);
    install_step(context, EG_STAGE_NARROW, "/usr/bin/false");
    CHECK(run_program(path("build/tool"), NULL) == 0);
    CHECK(run_program("/usr/bin/false", NULL) == -EACCES);
}

static void a_build_tree_is_executed_after_step_two(void **state)
{
    (void)state;
    need_abi(1);
    struct eg_blob *blob = make_blob(0, "/usr/bin/true");
    assert_true(in_both(check_build_tree, blob));
    free(blob);
}

static void check_reexec(const void *context)
{
    const struct eg_blob *blob = context;
    char self[4096] = { 0 };
    CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    install_step(blob, EG_STAGE_LAUNCH, self);
    install_step(blob, EG_STAGE_NARROW, self);
    CHECK(run_program(self, "exit-7") == (blob->flags & EG_BLOB_WORKER_REEXEC ? 7 : -EACCES));
}

static void check_reexec_final(const void *context)
{
    const struct eg_blob *blob = context;
    char self[4096] = { 0 };
    CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    install(blob, EG_STAGE_FINAL);
    CHECK(run_program(self, "exit-7") == (blob->flags & EG_BLOB_WORKER_REEXEC ? 7 : -EACCES));
}

static void a_worker_starts_itself_only_with_worker_reexec(void **state)
{
    (void)state;
    need_abi(1);
    for (int i = 0; i < 2; i++) {
        struct eg_blob *blob =
            make_blob(EG_BLOB_WRITE_FREE | (i ? EG_BLOB_WORKER_REEXEC : 0u), "/usr/bin/true");
        assert_true(in_child(CHILD_SAME, check_reexec, blob));
        assert_true(in_child(CHILD_SAME, check_reexec_final, blob));
        free(blob);
    }
}

struct two {
    const struct eg_blob *outer, *inner;
};

static void check_nested(const void *context)
{
    const struct two *two = context;
    install_step(two->outer, EG_STAGE_FINAL, "/usr/bin/false");
    CHECK(eg_guard_query(two->outer) == EG_QUERY_YES);
    CHECK(eg_guard_query(two->inner) == 0);
    install_step(two->inner, EG_STAGE_LAUNCH, "/usr/bin/true");
    CHECK(eg_guard_query(two->outer) == EG_QUERY_YES);
    CHECK(eg_guard_query(two->inner) == EG_QUERY_YES);
    /* the sentinel is the outer policy's: the exec set tells them apart */
    CHECK(eg_guard_is_narrow());
    struct eg_identity worker = blob_builder_identity("/usr/bin/true");
    struct eg_identity allowed = blob_builder_identity("/usr/bin/false");
    struct eg_identity nothing = { 0 };
    CHECK(eg_guard_covers(two->outer, &worker) && !eg_guard_covers(two->inner, &worker));
    CHECK(eg_guard_covers(two->inner, &allowed) && !eg_guard_covers(two->inner, &nothing));
    CHECK(run_program("/usr/bin/true", NULL) == 0);
    install_step(two->inner, EG_STAGE_NARROW, "/usr/bin/true");
    CHECK(run_program("/usr/bin/true", NULL) == -EACCES);
}

static void policies_are_told_apart_when_they_are_stacked(void **state)
{
    (void)state;
    need_abi(1);
    struct two two = { make_blob(EG_BLOB_WRITE_FREE, "/usr/bin/true"),
                       make_blob(EG_BLOB_WRITE_FREE, "/usr/bin/false") };
    assert_true(in_both(check_nested, &two));
    free((void *)(uintptr_t)two.outer);
    free((void *)(uintptr_t)two.inner);
}

static int set_up(void **state)
{
    struct eg_kernel kernel;
    (void)state;
    umask(0);
    eg_kernel_ask(&kernel);
    abi = kernel.landlock_abi;
    make_folder();
    if (mkdir(path("a"), 0777) < 0 || mkdir(path("b"), 0777) < 0 || mkdir(path("build"), 0777) < 0)
        return -1;
    write_file(path("a/file"), "x");
    copy_program("/usr/bin/true", path("build/tool"));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder();
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_two_takes_the_worker_and_the_sentinel_away),
        cmocka_unit_test(everything_at_once_is_narrow),
        cmocka_unit_test(a_worker_of_the_exec_set_needs_no_step_two),
        cmocka_unit_test(a_build_tree_is_executed_after_step_two),
        cmocka_unit_test(a_worker_starts_itself_only_with_worker_reexec),
        cmocka_unit_test(policies_are_told_apart_when_they_are_stacked),
    };
    if (argc > 1 && strcmp(argv[1], "exit-7") == 0) return 7;
    return cmocka_run_group_tests_name("the two steps", tests, set_up, tear_down);
}
