// SPDX-License-Identifier: MIT
/* The compiled filters, run over made-up system calls.  The rows are
 * table/hardening.def's own, so that none can be forgotten here. */
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "compile/filter.h"
#include "guard/guard.h"
#include "table/calls.h"
#include "bpf_sim.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define HIGH UINT64_C(0xdeadbeef00000000)
#define KEEP UINT64_C(0xffffffff)

struct row {
    enum eg_hardening word;
    const char *syscall;
    int error;
    struct eg_condition when;
};
static const struct row rows[] = {
#define C(id, syscall, error, when) { EG_HARDENING_##id, syscall, error, when },
#include "table/hardening.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const bool switchable[EG_HARDENING_COUNT] = {
#define H(id, word, sentence) [EG_HARDENING_##id] = true,
#include "table/hardening.def"
};

static const uint32_t id[4] = { 0x11111111, 0x80000002, 0xfffffff3, 0x00000004 };

struct compiled {
    struct sock_filter *code;
    size_t count;
    uint32_t arch;
};

static struct compiled compile(struct eg_filter_request request)
{
    struct compiled c = { NULL, 0, request.arch };
    memcpy(request.id, id, sizeof(id));
    assert_int_equal(eg_filter_compile(&request, &c.code, &c.count), 0);
    assert_true(c.count > 0 && c.count <= BPF_MAXINSNS);
    return c;
}

static struct compiled variant(enum eg_filter_variant v)
{
    return compile((struct eg_filter_request){ .variant = v, .arch = NATIVE });
}

static int number(uint32_t arch, const char *name)
{
    uint32_t token = arch == AUDIT_ARCH_X86_64 ? SCMP_ARCH_X86_64 : SCMP_ARCH_AARCH64;
    int n = seccomp_syscall_resolve_name_arch(token, name);
    if (n != __NR_SCMP_ERROR) return n;
#define N(name_, number_)                                                                          \
    if (strcmp(name, name_) == 0) return number_;
#include "table/hardening.def"
    fail_msg("nobody knows the number of %s", name);
    return -1;
}

static uint32_t run_on(const struct compiled *c, uint32_t arch, int nr, const uint64_t args[6])
{
    struct seccomp_data data = { .nr = nr, .arch = arch, .instruction_pointer = 0x401000 };
    memcpy(data.args, args, sizeof(data.args));
    return bpf_sim_run(c->code, c->count, &data, NULL);
}

static uint32_t run(const struct compiled *c, const char *name, const uint64_t args[6])
{
    return run_on(c, c->arch, number(c->arch, name), args);
}

#define ERRNO(e) (SECCOMP_RET_ERRNO | (uint32_t)(e))

/* Arguments under which the row refuses, and some that are nearest to them. */
static void refused_args(const struct row *row, uint64_t args[6])
{
    memset(args, 0, 6 * sizeof(args[0]));
    if (row->when.kind == EG_CONDITION_MASKED) args[row->when.arg] = row->when.value;
    if (row->when.kind == EG_CONDITION_UNLESS)
        args[row->when.arg] = row->when.value ^ (row->when.mask & -row->when.mask);
}

static bool any_row_refuses(const char *name, const uint64_t args[6])
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].syscall, name) != 0) continue;
        if (eg_condition_holds(&rows[i].when, args)) return true;
    }
    return false;
}

static void every_row_of_the_table_is_refused(void **state)
{
    (void)state;
    for (int v = EG_FILTER_LAUNCH; v <= EG_FILTER_SUPERVISED; v++) {
        struct compiled c = variant((enum eg_filter_variant)v);
        for (size_t i = 0; i < ROWS; i++) {
            uint64_t args[6];
            refused_args(&rows[i], args);
            if (run(&c, rows[i].syscall, args) != ERRNO(rows[i].error))
                fail_msg("%s passes variant %d", rows[i].syscall, v);
        }
        free(c.code);
    }
}

static void high_bits_of_int_arguments_do_not_pass_a_refused_call(void **state)
{
    (void)state;
    for (int v = EG_FILTER_LAUNCH; v <= EG_FILTER_SUPERVISED; v++) {
        struct compiled c = variant((enum eg_filter_variant)v);
        for (size_t i = 0; i < ROWS; i++) {
            uint64_t args[6];
            refused_args(&rows[i], args);
            for (int a = 0; a < 6; a++) args[a] |= HIGH;
            if (run(&c, rows[i].syscall, args) != ERRNO(rows[i].error))
                fail_msg("%s passes variant %d with high bits", rows[i].syscall, v);
        }
        free(c.code);
    }
}

static void every_conditional_refusal_has_a_benign_twin_that_passes(void **state)
{
    (void)state;
    struct compiled c = variant(EG_FILTER_FINAL);
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        if (row->when.kind == EG_CONDITION_ALWAYS) continue;
        uint64_t args[6];
        unsigned twins = 0;
        for (unsigned bit = 0; bit < 32; bit++) {
            refused_args(row, args);
            args[row->when.arg] = row->when.value;
            if (row->when.kind == EG_CONDITION_MASKED) args[row->when.arg] ^= UINT64_C(1) << bit;
            if (any_row_refuses(row->syscall, args)) continue;
            twins++;
            assert_int_equal(run(&c, row->syscall, args), SECCOMP_RET_ALLOW);
            args[row->when.arg] |= HIGH;
            assert_int_equal(run(&c, row->syscall, args), SECCOMP_RET_ALLOW);
        }
        if (!twins) fail_msg("%s has no twin", row->syscall);
    }
    free(c.code);
}

static void each_bit_of_an_unless_row_counts(void **state)
{
    (void)state;
    struct compiled c = variant(EG_FILTER_LAUNCH);
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].when.kind != EG_CONDITION_UNLESS) continue;
        for (unsigned bit = 0; bit < 64; bit++) {
            uint64_t args[6] = { 0 };
            uint64_t one = UINT64_C(1) << bit;
            args[rows[i].when.arg] = rows[i].when.value ^ one;
            assert_int_equal(run(&c, rows[i].syscall, args),
                             rows[i].when.mask & one ? ERRNO(rows[i].error) : SECCOMP_RET_ALLOW);
        }
    }
    free(c.code);
}

static void a_word_that_is_allowed_frees_its_calls_and_no_others(void **state)
{
    (void)state;
    for (int word = 0; word < EG_HARDENING_COUNT; word++) {
        if (!switchable[word]) continue;
        struct eg_filter_request request = { .variant = EG_FILTER_FINAL, .arch = NATIVE };
        request.allowed[word] = true;
        struct compiled c = compile(request);
        for (size_t i = 0; i < ROWS; i++) {
            uint64_t args[6];
            refused_args(&rows[i], args);
            uint32_t expected =
                rows[i].word == (enum eg_hardening)word ? SECCOMP_RET_ALLOW : ERRNO(rows[i].error);
            if (run(&c, rows[i].syscall, args) != expected)
                fail_msg("word %d, call %s", word, rows[i].syscall);
        }
        free(c.code);
    }
}

static void every_word_but_the_foreign_architecture_has_a_call(void **state)
{
    (void)state;
    bool seen[EG_HARDENING_COUNT] = { [EG_HARDENING_FOREIGN_ARCH] = true };
    for (size_t i = 0; i < ROWS; i++) seen[rows[i].word] = true;
    for (int i = 0; i < EG_HARDENING_COUNT; i++) assert_true(seen[i]);
    assert_int_equal(eg_hardening_find(EG_STR("ptrace")), EG_HARDENING_PTRACE);
    assert_int_equal(eg_hardening_find(EG_STR("perf")), EG_HARDENING_PERF);
    assert_int_equal(eg_hardening_find(EG_STR("empty-path")), -1);
    assert_int_equal(eg_hardening_find(EG_STR("")), -1);
}

static void foreign_architectures_and_x32_are_refused(void **state)
{
    (void)state;
    static const uint32_t foreign[] = {
        AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64, 0, UINT32_MAX
    };
    const uint64_t none[6] = { 0 };
    for (int v = EG_FILTER_LAUNCH; v <= EG_FILTER_SUPERVISED; v++) {
        struct compiled c = variant((enum eg_filter_variant)v);
        for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
            for (int nr = 0; foreign[i] != NATIVE && nr < 600; nr++)
                assert_int_equal(run_on(&c, foreign[i], nr, none), ERRNO(ENOSYS));
#if defined(__x86_64__)
        for (int nr = 0; nr < 600; nr++)
            assert_int_equal(run_on(&c, NATIVE, 0x40000000 | nr, none), ERRNO(ENOSYS));
        assert_int_equal(run_on(&c, NATIVE, 0x7fffffff, none), ERRNO(ENOSYS));
#endif
        free(c.code);
    }
}

static void the_other_architecture_gets_the_same_filter_by_its_own_numbers(void **state)
{
    (void)state;
    uint32_t other = NATIVE == AUDIT_ARCH_X86_64 ? AUDIT_ARCH_AARCH64 : AUDIT_ARCH_X86_64;
    struct compiled c =
        compile((struct eg_filter_request){ .variant = EG_FILTER_SUPERVISED, .arch = other });
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t args[6];
        refused_args(&rows[i], args);
        if (strcmp(rows[i].syscall, "open_tree_attr") == 0) continue; /* no name to translate */
        assert_int_equal(run(&c, rows[i].syscall, args), ERRNO(rows[i].error));
    }
    const uint64_t none[6] = { 0 };
    assert_int_equal(run(&c, "execve", none), SECCOMP_RET_USER_NOTIF);
    if (other == AUDIT_ARCH_AARCH64)
        assert_int_equal(run(&c, "set_tid_address", none), SECCOMP_RET_USER_NOTIF);
    assert_int_equal(run_on(&c, NATIVE, 0, none), ERRNO(ENOSYS));
    free(c.code);
}

static void only_the_right_id_is_answered(void **state)
{
    (void)state;
    for (int v = EG_FILTER_LAUNCH; v <= EG_FILTER_SUPERVISED; v++) {
        uint32_t yes = v == EG_FILTER_SUPERVISED ? ERRNO(EG_QUERY_SUPERVISED) : ERRNO(EG_QUERY_YES);
        struct compiled c = variant((enum eg_filter_variant)v);
        uint64_t args[6] = { EG_PRCTL_QUERY, id[0], id[1], id[2], id[3], 0 };
        assert_int_equal(run(&c, "prctl", args), yes);
        for (int i = 0; i < 6; i++) args[i] |= HIGH; /* as a 32-bit argument may arrive */
        assert_int_equal(run(&c, "prctl", args), yes);
        for (int i = 0; i < 5; i++)
            for (unsigned bit = 0; bit < 32; bit++) {
                args[i] ^= UINT64_C(1) << bit;
                assert_int_equal(run(&c, "prctl", args), SECCOMP_RET_ALLOW);
                args[i] ^= UINT64_C(1) << bit;
            }
        free(c.code);
    }
}

static void zeros_ask_whether_any_policy_guards(void **state)
{
    (void)state;
    for (int v = EG_FILTER_LAUNCH; v <= EG_FILTER_SUPERVISED; v++) {
        uint32_t yes = v == EG_FILTER_SUPERVISED ? ERRNO(EG_QUERY_SUPERVISED) : ERRNO(EG_QUERY_YES);
        struct compiled c = variant((enum eg_filter_variant)v);
        uint64_t args[6] = { EG_PRCTL_QUERY };
        assert_int_equal(run(&c, "prctl", args), yes);
        for (int i = 1; i < 5; i++) {
            args[i] = id[i - 1]; /* some words of the id, but not all */
            if (i < 4) assert_int_equal(run(&c, "prctl", args), SECCOMP_RET_ALLOW);
        }
        assert_int_equal(run(&c, "prctl", args), yes);
        free(c.code);
    }
}

static void the_kinds_of_prctl_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct compiled c = variant(EG_FILTER_SUPERVISED);
    for (uint64_t option = 0; option < 100; option++) {
        uint64_t args[6] = { option, id[0], id[1], id[2], id[3], 0 };
        uint32_t expected = option == 22 || option == 35 ? ERRNO(EPERM) : SECCOMP_RET_ALLOW;
        assert_int_equal(run(&c, "prctl", args), expected);
    }
    uint64_t call[6] = { EG_PRCTL_CALL | HIGH, 1, 2, 3, 4, 5 };
    assert_int_equal(run(&c, "prctl", call), SECCOMP_RET_USER_NOTIF);
    free(c.code);
}

static void only_deny_all_refuses_execve_and_only_in_its_final_form(void **state)
{
    (void)state;
    const uint64_t none[6] = { 0 };
    const uint64_t empty_path[6] = { 3, 0, 0, 0, 0x1000, 0 };
    for (int nothing = 0; nothing < 2; nothing++)
        for (int v = EG_FILTER_LAUNCH; v <= EG_FILTER_FINAL; v++) {
            struct compiled c = compile((struct eg_filter_request){
                .variant = (enum eg_filter_variant)v, .arch = NATIVE, .exec_nothing = nothing });
            uint32_t expected = nothing && v == EG_FILTER_FINAL ? ERRNO(EACCES) : SECCOMP_RET_ALLOW;
            assert_int_equal(run(&c, "execve", none), expected);
            assert_int_equal(run(&c, "execveat", none), expected);
            assert_int_equal(run(&c, "execveat", empty_path), ERRNO(ENOSYS));
            free(c.code);
        }
}

static void a_supervisor_is_asked_about_programs_and_code(void **state)
{
    (void)state;
    struct compiled c = variant(EG_FILTER_SUPERVISED);
    static const struct {
        const char *call;
        uint64_t args[6];
        uint32_t expected;
    } cases[] = {
        { "execve", { 0 }, SECCOMP_RET_USER_NOTIF },
        { "execveat", { 3, 0, 0, 0, 0, 0 }, SECCOMP_RET_USER_NOTIF },
        { "execveat", { 3, 0, 0, 0, 0x100 | HIGH, 0 }, SECCOMP_RET_USER_NOTIF },
        { "execveat", { 3, 0, 0, 0, 0x1100 | HIGH, 0 }, ERRNO(ENOSYS) },
#if defined(__x86_64__)
        { "arch_prctl", { 0x1002 | HIGH, 0 }, SECCOMP_RET_USER_NOTIF },
        { "arch_prctl", { 0x1003, 0 }, SECCOMP_RET_ALLOW },
        { "set_tid_address", { 0 }, SECCOMP_RET_ALLOW },
#else
        { "set_tid_address", { 0 }, SECCOMP_RET_USER_NOTIF },
#endif
        { "mmap", { 0, 4096, 5, 2, 3, 0 }, SECCOMP_RET_USER_NOTIF },
        { "mmap", { 0, 4096, 5 | HIGH, 2 | HIGH, 3, 0 }, SECCOMP_RET_USER_NOTIF },
        { "mmap", { 0, 4096, 7, 0x22, KEEP, 0 }, SECCOMP_RET_ALLOW },
        { "mmap", { 0, 4096, 3, 2, 3, 0 }, SECCOMP_RET_ALLOW },
        { "mprotect", { 0, 4096, 5, 0, 0, 0 }, SECCOMP_RET_ALLOW },
        { "read", { 0 }, SECCOMP_RET_ALLOW },
        { "exit_group", { 0 }, SECCOMP_RET_ALLOW },
        { "close", { 0 }, SECCOMP_RET_ALLOW },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (run(&c, cases[i].call, cases[i].args) != cases[i].expected)
            fail_msg("case %zu, %s", i, cases[i].call);
    free(c.code);
}

static void set_user_id_files_are_refused_where_no_supervisor_judges(void **state)
{
    (void)state;
    for (int v = EG_FILTER_LAUNCH; v <= EG_FILTER_FINAL; v++) {
        struct compiled c = compile((struct eg_filter_request){
            .variant = (enum eg_filter_variant)v, .arch = NATIVE, .notified = EG_NOTIFY_UPLOADS });
        const uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
        assert_int_equal(run(&c, "fchmodat", (uint64_t[6]){ 0, 0, 04755 }), refused);
        assert_int_equal(run(&c, "fchmodat", (uint64_t[6]){ 0, 0, 02755 }), SECCOMP_RET_ALLOW);
        assert_int_equal(run(&c, "fchmod", (uint64_t[6]){ 0, 06755 }), refused);
        assert_int_equal(run(&c, "openat", (uint64_t[6]){ 0, 0, 0101, 04700 }), refused);
        assert_int_equal(run(&c, "openat", (uint64_t[6]){ 0, 0, 0101, 0700 }), SECCOMP_RET_ALLOW);
        /* without O_CREAT the register holds anything */
        assert_int_equal(run(&c, "openat", (uint64_t[6]){ 0, 0, 1, 04700 }), SECCOMP_RET_ALLOW);
        assert_int_equal(run(&c, "openat", (uint64_t[6]){ 0, 0, 0x410001, 04700 }), refused);
        free(c.code);
    }
    struct compiled plain = variant(EG_FILTER_FINAL);
    assert_int_equal(run(&plain, "fchmodat", (uint64_t[6]){ 0, 0, 04755 }), SECCOMP_RET_ALLOW);
    free(plain.code);
}

static void log_mode_refuses_nothing(void **state)
{
    (void)state;
    for (int v = EG_FILTER_LAUNCH; v <= EG_FILTER_SUPERVISED; v++) {
        struct compiled c = compile((struct eg_filter_request){
            .variant = (enum eg_filter_variant)v,
            .arch = NATIVE,
            .exec_nothing = true,
            .log_mode = true,
        });
        const uint64_t none[6] = { 0 };
        for (size_t i = 0; i < ROWS; i++) {
            uint64_t args[6];
            refused_args(&rows[i], args);
            uint32_t got = run(&c, rows[i].syscall, args);
            assert_true(got == SECCOMP_RET_ALLOW || got == SECCOMP_RET_USER_NOTIF);
        }
        assert_int_equal(run(&c, "execve", none),
                         v == EG_FILTER_SUPERVISED ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
        assert_int_equal(run_on(&c, AUDIT_ARCH_I386, 11, none), SECCOMP_RET_ALLOW);
        free(c.code);
    }
}

/* Every call that is not in a row or a notification passes, and soon. */
static void unlisted_calls_pass_after_few_instructions(void **state)
{
    (void)state;
    struct compiled c = variant(EG_FILTER_SUPERVISED);
    size_t worst = 0;
    for (int nr = 0; nr < 600; nr++) {
        struct seccomp_data data = { .nr = nr, .arch = NATIVE };
        memset(data.args, 0xff, sizeof(data.args));
        size_t steps = 0;
        uint32_t got = bpf_sim_run(c.code, c.count, &data, &steps);
        assert_int_not_equal(got, UINT32_MAX);
        if (got == SECCOMP_RET_ALLOW && steps > worst) worst = steps;
    }
    /* the slowest allowed one is personality's query: two for each bit */
    assert_true(worst <= 120);
    struct seccomp_data data = { .nr = SYS_read, .arch = NATIVE };
    size_t steps = 0;
    assert_int_equal(bpf_sim_run(c.code, c.count, &data, &steps), SECCOMP_RET_ALLOW);
    assert_true(steps <= 20);
    free(c.code);
}

static void the_simulator_sees_a_malformed_filter(void **state)
{
    (void)state;
    struct seccomp_data data = { 0 };
    struct sock_filter past_end = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, 5);
    struct sock_filter unaligned = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2);
    struct sock_filter outside = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(data));
    struct sock_filter byte = BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0);
    struct sock_filter good = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    assert_int_equal(bpf_sim_run(&past_end, 1, &data, NULL), UINT32_MAX);
    assert_int_equal(bpf_sim_run(&unaligned, 1, &data, NULL), UINT32_MAX);
    assert_int_equal(bpf_sim_run(&outside, 1, &data, NULL), UINT32_MAX);
    assert_int_equal(bpf_sim_run(&byte, 1, &data, NULL), UINT32_MAX);
    assert_int_equal(bpf_sim_run(&good, 1, &data, NULL), SECCOMP_RET_ALLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_is_refused),
        cmocka_unit_test(high_bits_of_int_arguments_do_not_pass_a_refused_call),
        cmocka_unit_test(every_conditional_refusal_has_a_benign_twin_that_passes),
        cmocka_unit_test(each_bit_of_an_unless_row_counts),
        cmocka_unit_test(a_word_that_is_allowed_frees_its_calls_and_no_others),
        cmocka_unit_test(every_word_but_the_foreign_architecture_has_a_call),
        cmocka_unit_test(foreign_architectures_and_x32_are_refused),
        cmocka_unit_test(the_other_architecture_gets_the_same_filter_by_its_own_numbers),
        cmocka_unit_test(only_the_right_id_is_answered),
        cmocka_unit_test(zeros_ask_whether_any_policy_guards),
        cmocka_unit_test(the_kinds_of_prctl_do_not_disturb_each_other),
        cmocka_unit_test(only_deny_all_refuses_execve_and_only_in_its_final_form),
        cmocka_unit_test(a_supervisor_is_asked_about_programs_and_code),
        cmocka_unit_test(set_user_id_files_are_refused_where_no_supervisor_judges),
        cmocka_unit_test(log_mode_refuses_nothing),
        cmocka_unit_test(unlisted_calls_pass_after_few_instructions),
        cmocka_unit_test(the_simulator_sees_a_malformed_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
