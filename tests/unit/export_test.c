// SPDX-License-Identifier: MIT
/* The profile for container runtimes and the supervised filter say the same: the
 * profile is given to libseccomp as a runtime does it, and both filters are run
 * over every call with arguments around those that the tables name. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf_sim.h"
#include "compile/filter.h"
#include "guard/guard.h"
#include "supervisor/export.h"
#include "table/calls.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define CALLS 600

struct filter {
    struct sock_filter *code;
    size_t count;
};

/* Every condition that a table has, by its call. */
static const struct probe {
    const char *call;
    struct eg_condition when[2];
} probes[] = {
#define C(id, syscall, error, condition) { syscall, { condition, ALWAYS } },
#include "table/hardening.def"
#define Q(group, arch, mode, call, judge, ...) { #call, { __VA_ARGS__ } },
#define R(group, arch, mode, call, error, ...) { #call, { __VA_ARGS__ } },
#include "table/notified.def"
};

static bool is_allowed(void *context, struct eg_str word)
{
    const struct eg_filter_request *request = context;
    int id = eg_hardening_find(word);
    return id >= 0 && request->allowed[id];
}

static uint32_t action_of(json_t *rule)
{
    const char *action = json_string_value(json_object_get(rule, "action"));
    if (strcmp(action, "SCMP_ACT_NOTIFY") == 0) return SCMP_ACT_NOTIFY;
    assert_string_equal(action, "SCMP_ACT_ERRNO");
    return SCMP_ACT_ERRNO((uint32_t)json_integer_value(json_object_get(rule, "errnoRet")));
}

static unsigned comparisons_of(json_t *rule, struct scmp_arg_cmp ret[6])
{
    size_t i;
    json_t *arg;
    unsigned count = 0;
    json_array_foreach(json_object_get(rule, "args"), i, arg)
    {
        assert_string_equal(json_string_value(json_object_get(arg, "op")), "SCMP_CMP_MASKED_EQ");
        ret[count++] = (struct scmp_arg_cmp){
            .arg = (unsigned)json_integer_value(json_object_get(arg, "index")),
            .op = SCMP_CMP_MASKED_EQ,
            .datum_a = (uint64_t)json_integer_value(json_object_get(arg, "value")),
            .datum_b = (uint64_t)json_integer_value(json_object_get(arg, "valueTwo")),
        };
    }
    return count;
}

static struct filter take_out(scmp_filter_ctx context)
{
    struct filter f = { calloc(BPF_MAXINSNS, sizeof(struct sock_filter)), 0 };
    int ends[2];
    assert_non_null(f.code);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(seccomp_export_bpf(context, ends[1]), 0);
    close(ends[1]);
    ssize_t n = read(ends[0], f.code, BPF_MAXINSNS * sizeof(struct sock_filter));
    close(ends[0]);
    assert_true(n > 0);
    f.count = (size_t)n / sizeof(struct sock_filter);
    return f;
}

/* As runc does: rule by rule, passing over names that libseccomp does not know. */
static struct filter as_runtime(const char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, 0, &error), *rule, *name;
    size_t i, j;
    assert_non_null(root);
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    json_array_foreach(json_object_get(root, "syscalls"), i, rule)
    {
        struct scmp_arg_cmp comparisons[6];
        unsigned count = comparisons_of(rule, comparisons);
        json_array_foreach(json_object_get(rule, "names"), j, name)
        {
            int number = seccomp_syscall_resolve_name(json_string_value(name));
            if (number == __NR_SCMP_ERROR) continue;
            if (seccomp_rule_add_array(context, action_of(rule), number, count, comparisons) < 0)
                fail_msg("libseccomp refuses a rule of %s", json_string_value(name));
        }
    }
    struct filter f = take_out(context);
    seccomp_release(context);
    json_decref(root);
    return f;
}

static bool is_newer(int nr)
{
#define N(syscall, number)                                                                         \
    if (nr == (number)) return true;
#include "table/hardening.def"
    return false;
}

static void compare(const struct filter *ours, const struct filter *theirs,
                    const struct seccomp_data *data)
{
    uint32_t a = bpf_sim_run(ours->code, ours->count, data, NULL);
    uint32_t b = bpf_sim_run(theirs->code, theirs->count, data, NULL);
    if (a != b)
        fail_msg("call %d (%llx %llx %llx %llx %llx): filter %x, profile %x", data->nr,
                 (unsigned long long)data->args[0], (unsigned long long)data->args[1],
                 (unsigned long long)data->args[2], (unsigned long long)data->args[3],
                 (unsigned long long)data->args[4], a, b);
}

/* The call with arguments that fulfil the conditions, and with each bit of them
 * turned over. */
static void compare_around(const struct filter *ours, const struct filter *theirs,
                           const struct probe *probe, uint64_t rest)
{
    int nr = seccomp_syscall_resolve_name(probe->call);
    if (nr == __NR_SCMP_ERROR || nr < 0) return;
    struct seccomp_data data = { .nr = nr, .arch = NATIVE };
    for (int a = 0; a < 6; a++) data.args[a] = rest;
    const struct eg_condition *when = probe->when;
    for (int c = 0; c < 2; c++)
        if (when[c].kind != EG_CONDITION_ALWAYS) data.args[when[c].arg] = when[c].value;
    compare(ours, theirs, &data);
    for (int c = 0; c < 2; c++)
        for (unsigned bit = 0; bit < 64; bit++) {
            data.args[when[c].arg] ^= UINT64_C(1) << bit;
            compare(ours, theirs, &data);
            data.args[when[c].arg] ^= UINT64_C(1) << bit;
        }
}

static void compare_all(struct eg_filter_request request)
{
    struct filter ours = { NULL, 0 };
    const struct eg_export export = {
        .policy = "p",
        .listener = "/run/a.sock",
        .log_mode = request.log_mode,
        .notified = request.notified,
        .allows = is_allowed,
        .context = &request,
    };
    request.variant = EG_FILTER_SUPERVISED;
    request.arch = NATIVE;
    assert_int_equal(eg_filter_compile(&request, &ours.code, &ours.count), 0);
    char *text = eg_export_oci(&export);
    assert_non_null(text);
    struct filter theirs = as_runtime(text);
    free(text);
    static const uint64_t rests[] = { 0, UINT64_MAX, 4, 0x20 };
    for (size_t r = 0; r < sizeof rests / sizeof rests[0]; r++) {
        for (int nr = 0; nr < CALLS; nr++) {
            struct seccomp_data data = { .nr = nr, .arch = NATIVE };
            for (int a = 0; a < 6; a++) data.args[a] = rests[r];
            if (!is_newer(nr)) compare(&ours, &theirs, &data);
        }
        for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++)
            compare_around(&ours, &theirs, &probes[i], rests[r]);
    }
    free(ours.code);
    free(theirs.code);
}

#define EVERY_GROUP ((1u << EG_NOTIFY_GROUPS) - 1)

static void profile_and_filter_agree(void **state)
{
    (void)state;
    compare_all((struct eg_filter_request){ .id = { 1, 2, 3, 4 } });
}

static void they_agree_with_every_group_of_notified_calls(void **state)
{
    (void)state;
    compare_all((struct eg_filter_request){ .id = { 1, 2, 3, 4 }, .notified = EVERY_GROUP });
}

static void they_agree_in_log_mode(void **state)
{
    (void)state;
    compare_all((struct eg_filter_request){ .id = { 1, 2, 3, 4 }, .log_mode = true });
    compare_all((struct eg_filter_request){
        .id = { 1, 2, 3, 4 }, .log_mode = true, .notified = EVERY_GROUP });
}

static void they_agree_whatever_word_a_policy_allows(void **state)
{
    (void)state;
    for (int word = 0; word < EG_HARDENING_COUNT; word++) {
        struct eg_filter_request request = { .id = { 1, 2, 3, 4 }, .notified = EVERY_GROUP };
        bool switchable = false;
#define H(id, name, sentence) switchable |= word == EG_HARDENING_##id;
#include "table/hardening.def"
        if (!switchable) continue;
        request.allowed[word] = true;
        compare_all(request);
    }
}

/* The contract of notified.def that no other test would notice being broken. */
static void calls_that_must_never_wait_are_not_notified(void **state)
{
    (void)state;
    static const char *const never[] = { "exit", "exit_group", "close", "write",  "read",
                                         "fork", "vfork",      "clone", "sendmsg" };
    struct filter f = { NULL, 0 };
    struct eg_filter_request request = { .variant = EG_FILTER_SUPERVISED,
                                         .arch = NATIVE,
                                         .notified = EVERY_GROUP };
    assert_int_equal(eg_filter_compile(&request, &f.code, &f.count), 0);
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        struct seccomp_data data = { .nr = seccomp_syscall_resolve_name(never[i]), .arch = NATIVE };
        if (data.nr < 0) continue; /* not on this machine */
        assert_int_equal(bpf_sim_run(f.code, f.count, &data, NULL), SECCOMP_RET_ALLOW);
    }
    free(f.code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_and_filter_agree),
        cmocka_unit_test(they_agree_with_every_group_of_notified_calls),
        cmocka_unit_test(they_agree_in_log_mode),
        cmocka_unit_test(they_agree_whatever_word_a_policy_allows),
        cmocka_unit_test(calls_that_must_never_wait_are_not_notified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
