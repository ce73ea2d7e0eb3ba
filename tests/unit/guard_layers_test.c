// SPDX-License-Identifier: MIT
/* The layers beside the domain, the order, what may be missing, and the kernel's
 * answers. */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "blob_builder.h"
#include "guard/kernel.h"
#include "guarded_child.h"

#define BIT(n) (UINT64_C(1) << (n))

struct setting {
    uint32_t flags;
    uint32_t optional;
    uint64_t capabilities;
    bool no_filters;
};

static struct eg_blob *make_blob(const struct setting *setting)
{
    struct blob_builder b;
    blob_builder_init(&b, setting->flags | EG_BLOB_WRITE_FREE);
    b.header.optional_layers = setting->optional;
    b.header.capabilities = setting->capabilities;
    b.no_filters = setting->no_filters;
    blob_builder_allow(&b, blob_builder_loader());
    blob_builder_allow(&b, "/usr/bin/true");
    struct eg_blob *blob = blob_builder_finish(&b);
    blob_builder_done(&b);
    return blob;
}

static bool run_with(enum child_user user, child_body body, const struct setting *setting)
{
    struct eg_blob *blob = make_blob(setting);
    bool good = in_child(user, body, blob);
    free(blob);
    return good;
}

static int try_install(struct eg_guard_plan *plan, struct eg_guard_error *error)
{
    memset(error, 0, sizeof(*error));
    return eg_guard_install(plan, error);
}

static uint64_t held(cap_flag_t set)
{
    uint64_t bits = 0;
    cap_t caps = cap_get_proc();
    for (cap_value_t n = 0; n < 64; n++) {
        cap_flag_value_t value;
        if (cap_get_flag(caps, n, set, &value) == 0 && value == CAP_SET) bits |= BIT(n);
    }
    cap_free(caps);
    return bits;
}

static uint64_t bounding_set(void)
{
    uint64_t bits = 0;
    for (int n = 0; n < 64; n++)
        if (prctl(PR_CAPBSET_READ, n, 0, 0, 0) == 1) bits |= BIT(n);
    return bits;
}

static void check_capabilities(const void *context)
{
    const struct eg_blob *blob = context;
    struct eg_guard_plan plan = { .blob = blob, .stage = EG_STAGE_FINAL };
    struct eg_guard_error error;
    bool root = geteuid() == 0;
    uint64_t keep = root ? blob->capabilities : 0;
    if (root) {
        cap_value_t value = CAP_NET_RAW; /* something inheritable and ambient */
        cap_t caps = cap_get_proc();
        CHECK(cap_set_flag(caps, CAP_INHERITABLE, 1, &value, CAP_SET) == 0);
        CHECK(cap_set_proc(caps) == 0);
        cap_free(caps);
        CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) == 0);
        CHECK(held(CAP_EFFECTIVE) & BIT(CAP_DAC_OVERRIDE));
    }
    CHECK(try_install(&plan, &error) == 0);
    CHECK(plan.installed & 1u << EG_LAYER_CAPABILITIES);
    CHECK(held(CAP_EFFECTIVE) == keep);
    CHECK(held(CAP_PERMITTED) == keep);
    CHECK(held(CAP_INHERITABLE) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0) == 0);
    if (root) CHECK(bounding_set() == keep);
}

static void all_but_the_kept_capabilities_are_dropped(void **state)
{
    (void)state;
    const struct setting setting = { EG_BLOB_NO_NEW_PRIVS | EG_BLOB_LIMIT_CAPS, 0,
                                     BIT(CAP_NET_BIND_SERVICE), false };
    assert_true(run_with(CHILD_SAME, check_capabilities, &setting));
    assert_true(run_with(CHILD_NOBODY, check_capabilities, &setting));
}

static void check_kept(const void *context)
{
    uint64_t before = held(CAP_PERMITTED);
    install(context, EG_STAGE_FINAL);
    CHECK(held(CAP_PERMITTED) == before);
}

static void without_a_capabilities_block_none_is_dropped(void **state)
{
    (void)state;
    const struct setting setting = { EG_BLOB_NO_NEW_PRIVS, 0, 0, false };
    assert_true(run_with(CHILD_SAME, check_kept, &setting));
}

static void check_no_new_privs_off(const void *context)
{
    struct eg_guard_plan plan = { .blob = context, .stage = EG_STAGE_FINAL };
    struct eg_guard_error error;
    int r = try_install(&plan, &error);
    if (geteuid() != 0) {
        CHECK(r == -EPERM && error.error == EPERM);
        CHECK(strstr(error.what, "CAP_SYS_ADMIN"));
        CHECK(eg_guard_query(context) == 0); /* nothing half-installed */
        CHECK(run_program("/usr/bin/false", NULL) == 1);
        return;
    }
    CHECK(r == 0);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    CHECK(eg_guard_query(context) == EG_QUERY_YES);
    CHECK(run_program("/usr/bin/false", NULL) == -EACCES);
    CHECK(held(CAP_PERMITTED) == 0); /* CAP_SYS_ADMIN too, once it was not needed any more */
    CHECK(bounding_set() == 0);
}

static void without_no_new_privs_root_is_needed_and_drops_last(void **state)
{
    (void)state;
    const struct setting setting = { EG_BLOB_LIMIT_CAPS, 0, 0, false };
    if (geteuid() == 0) assert_true(run_with(CHILD_SAME, check_no_new_privs_off, &setting));
    assert_true(run_with(CHILD_NOBODY, check_no_new_privs_off, &setting));
}

static void check_log_mode(const void *context)
{
    uint64_t before = held(CAP_PERMITTED);
    struct eg_guard_plan plan = { .blob = context, .stage = EG_STAGE_FINAL };
    struct eg_guard_error error;
    CHECK(try_install(&plan, &error) == 0 && plan.installed == 0);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    CHECK(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0);
    CHECK(run_program("/usr/bin/false", NULL) == 1);
    CHECK(held(CAP_PERMITTED) == before);
}

static void log_mode_installs_nothing(void **state)
{
    (void)state;
    const struct setting setting = { EG_BLOB_NO_NEW_PRIVS | EG_BLOB_LOG_MODE | EG_BLOB_LIMIT_CAPS,
                                     0, 0, false };
    assert_true(run_with(CHILD_SAME, check_log_mode, &setting));
}

static void refuse_landlock(void)
{
    /* the kernel without Landlock, as a filter shows it */
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, EG_SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K, EG_SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { 4, filter };
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(syscall(SYS_seccomp, EG_SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

static void check_missing_landlock(const void *context)
{
    const struct eg_blob *blob = context;
    struct eg_guard_plan plan = { .blob = blob, .stage = EG_STAGE_FINAL };
    struct eg_guard_error error;
    refuse_landlock();
    int r = try_install(&plan, &error);
    if (blob->optional_layers) {
        CHECK(r == 0);
        CHECK(plan.installed == 1u << EG_LAYER_FILTER);
        CHECK(eg_guard_query(blob) == EG_QUERY_YES);
        CHECK(!eg_guard_is_narrow());
    } else {
        CHECK(r == -EOPNOTSUPP && error.error == EOPNOTSUPP);
        CHECK(error.layer == EG_LAYER_DOMAIN && error.what[0]);
        CHECK(eg_guard_query(blob) == 0);
    }
}

static void a_missing_landlock_is_an_error_unless_it_is_optional(void **state)
{
    (void)state;
    struct setting setting = { EG_BLOB_NO_NEW_PRIVS, 0, 0, false };
    assert_true(run_with(CHILD_SAME, check_missing_landlock, &setting));
    setting.optional = 1u << EG_LAYER_DOMAIN;
    assert_true(run_with(CHILD_SAME, check_missing_landlock, &setting));
}

static void check_missing_filter(const void *context)
{
    const struct eg_blob *blob = context;
    struct eg_guard_plan plan = { .blob = blob, .stage = EG_STAGE_FINAL };
    struct eg_guard_error error;
    int r = try_install(&plan, &error);
    if (blob->optional_layers) {
        CHECK(r == 0 && !(plan.installed & 1u << EG_LAYER_FILTER));
    } else {
        CHECK(r == -ENODATA && error.layer == EG_LAYER_FILTER);
    }
}

static void a_filter_that_cannot_be_loaded_is_an_error_unless_it_is_optional(void **state)
{
    (void)state;
    struct setting setting = { EG_BLOB_NO_NEW_PRIVS, 0, 0, true };
    assert_true(run_with(CHILD_SAME, check_missing_filter, &setting));
    setting.optional = 1u << EG_LAYER_FILTER;
    assert_true(run_with(CHILD_SAME, check_missing_filter, &setting));
}

static void check_listener(const void *context)
{
    const struct eg_blob *blob = context;
    struct eg_guard_plan plan = { .blob = blob, .stage = EG_STAGE_LAUNCH, .supervised = true };
    struct eg_guard_error error;
    int r = try_install(&plan, &error);
    CHECK(r == 0 && plan.listener_fd >= 0);
    CHECK(plan.installed & 1u << EG_LAYER_SUPERVISOR);
    CHECK(eg_guard_query(blob) == EG_QUERY_SUPERVISED);
    pid_t pid = fork();
    if (pid == 0) {
        close(plan.listener_fd);
        _exit(prctl(EG_PRCTL_CALL, 1, 2, 0, 0) == 42 ? 0 : 1);
    }
    /* struct seccomp_notif and seccomp_notif_resp, linux/seccomp.h */
    struct {
        uint64_t id;
        uint32_t pid, flags;
        struct {
            int nr;
            uint32_t arch;
            uint64_t ip, args[6];
        } data;
    } asked = { 0 };
    struct {
        uint64_t id;
        int64_t val;
        int32_t error;
        uint32_t flags;
    } answer = { 0 };
    CHECK(ioctl(plan.listener_fd, 0xc0502100, &asked) == 0);
    CHECK(asked.data.args[0] == EG_PRCTL_CALL && asked.data.args[2] == 2);
    answer.id = asked.id;
    answer.val = 42;
    CHECK(ioctl(plan.listener_fd, 0xc0182101, &answer) == 0);
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);

    /* a second listener: EBUSY, or the plain filter where the policy allows that */
    r = try_install(&plan, &error);
    if (blob->optional_layers) {
        CHECK(r == 0 && plan.listener_fd == -1);
        CHECK(!(plan.installed & 1u << EG_LAYER_SUPERVISOR));
        CHECK(plan.installed & 1u << EG_LAYER_FILTER);
    } else {
        CHECK(r == -EBUSY && error.layer == EG_LAYER_SUPERVISOR);
    }
}

static void a_supervised_launch_returns_the_listener(void **state)
{
    (void)state;
    struct eg_kernel kernel;
    struct setting setting = { EG_BLOB_NO_NEW_PRIVS, 0, 0, false };
    eg_kernel_ask(&kernel);
    if (!kernel.listener) skip();
    assert_true(run_with(CHILD_SAME, check_listener, &setting));
    assert_true(run_with(CHILD_NOBODY, check_listener, &setting));
    setting.optional = 1u << EG_LAYER_SUPERVISOR;
    assert_true(run_with(CHILD_SAME, check_listener, &setting));
}

static void check_too_many(const void *context)
{
    struct eg_guard_plan plan = { .blob = context, .stage = EG_STAGE_FINAL };
    struct eg_guard_error error;
    int r = 0, n = 0;
    while (n < 20 && (r = try_install(&plan, &error)) == 0) n++;
    CHECK(n == 16 && r == -E2BIG && error.layer == EG_LAYER_DOMAIN);
}

static void the_seventeenth_domain_is_an_error(void **state)
{
    (void)state;
    struct eg_kernel kernel;
    const struct setting setting = { EG_BLOB_NO_NEW_PRIVS, 0, 0, false };
    eg_kernel_ask(&kernel);
    if (!kernel.landlock_abi) skip();
    assert_true(run_with(CHILD_SAME, check_too_many, &setting));
}

static void the_kernel_answers_for_itself(void **state)
{
    (void)state;
    struct eg_kernel kernel;
    memset(&kernel, 0xff, sizeof(kernel));
    eg_kernel_ask(&kernel);
    long real = syscall(SYS_landlock_create_ruleset, NULL, 0, EG_LANDLOCK_VERSION);
    assert_true(kernel.landlock_abi <= (real > 0 ? real : 0));
    if (eg_guard_pretended() == UINT32_MAX)
        assert_int_equal(kernel.landlock_abi, real > 0 ? real : 0);
    assert_true(kernel.seccomp || !kernel.listener);
    assert_true(kernel.listener || !kernel.wait_killable);
    assert_true(kernel.listener || !kernel.sync_wake_up);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left behind */
}

/* What this program answers when it is run with EXECGUARD_PRETEND. */
static int print_kernel(void)
{
    struct eg_kernel kernel;
    eg_kernel_ask(&kernel);
    return kernel.landlock_abi * 4 + kernel.wait_killable * 2 + kernel.sync_wake_up;
}

static int answer_under(const char *version)
{
    int status = -1;
    char variable[64];
    snprintf(variable, sizeof(variable), "EXECGUARD_PRETEND=%s", version);
    pid_t pid = fork();
    if (pid == 0) {
        execle("/proc/self/exe", "guard_layers_test", "print-kernel", NULL,
               (char *[]){ (char[]){ "EXECGUARD_PRETENDER=9.9" }, variable, NULL });
        _exit(255);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void only_a_test_build_pretends(void **state)
{
    (void)state;
    struct eg_kernel kernel;
    eg_kernel_ask(&kernel);
    if (kernel.landlock_abi < 6 || !kernel.sync_wake_up || !kernel.wait_killable) skip();
    int real = kernel.landlock_abi * 4 + 3;
#ifdef EG_TEST_BUILD
    assert_int_equal(answer_under("6.1"), 2 * 4 + 2);
    assert_int_equal(answer_under("6.7"), 4 * 4 + 3);
    assert_int_equal(answer_under("5.15.10"), 1 * 4);
    assert_int_equal(answer_under("5.10"), 0);
    assert_int_equal(answer_under("99.1"), real);
#else
    assert_int_equal(answer_under("6.1"), real);
#endif
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_but_the_kept_capabilities_are_dropped),
        cmocka_unit_test(without_a_capabilities_block_none_is_dropped),
        cmocka_unit_test(without_no_new_privs_root_is_needed_and_drops_last),
        cmocka_unit_test(log_mode_installs_nothing),
        cmocka_unit_test(a_missing_landlock_is_an_error_unless_it_is_optional),
        cmocka_unit_test(a_filter_that_cannot_be_loaded_is_an_error_unless_it_is_optional),
        cmocka_unit_test(a_supervised_launch_returns_the_listener),
        cmocka_unit_test(the_seventeenth_domain_is_an_error),
        cmocka_unit_test(the_kernel_answers_for_itself),
        cmocka_unit_test(only_a_test_build_pretends),
    };
    if (argc > 1 && strcmp(argv[1], "print-kernel") == 0) return print_kernel();
    return cmocka_run_group_tests_name("the layers", tests, NULL, NULL);
}
