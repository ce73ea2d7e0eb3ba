// SPDX-License-Identifier: MIT
/* Filters by libseccomp.  The default is to allow: a policy names programs, not
 * system calls, and what no worker needs is listed in table/hardening.def.
 *
 * libseccomp quirks that the rules below respect: a rule without conditions
 * throws away the conditional rules of the same call, whatever their actions, so
 * rules that share a call are written with conditions that exclude each other;
 * and its plain comparisons are over 64 bits, so each is masked. */
#include "compile/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "guard/guard.h"
#include "table/calls.h"

#define WHOLE_INT UINT64_C(0xffffffff)

struct refusal {
    enum eg_hardening word;
    const char *syscall;
    int error;
    struct eg_condition condition;
};

static const struct refusal refusals[] = {
#define C(id, syscall, error, condition) { EG_HARDENING_##id, syscall, error, condition },
#include "table/hardening.def"
};

static const struct eg_notified_call notified[] = {
#define Q(group, arch, mode, call, judge, ...)                                                     \
    EG_NOTIFIED_CALL(group, arch, mode, #call, 0, __VA_ARGS__)
#define R(group, arch, mode, call, error, ...)                                                     \
    EG_NOTIFIED_CALL(group, arch, mode, #call, error, __VA_ARGS__)
#include "table/notified.def"
};

static const struct {
    enum eg_call_arch arch;
    const char *call;
    struct eg_condition first, second;
} set_id_calls[] = {
#define S(arch, call, ...) { EG_CALL_##arch, #call, __VA_ARGS__ },
#include "table/set_id.def"
};

static const struct {
    const char *name;
    int number;
} newer_calls[] = {
#define N(syscall, number) { syscall, number },
#include "table/hardening.def"
};

static const struct {
    const char *word;
    enum eg_hardening id;
} words[] = {
#define H(id, word, sentence) { word, EG_HARDENING_##id },
#include "table/hardening.def"
};

int eg_hardening_find(struct eg_str word)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (eg_str_equal(word, eg_str(words[i].word))) return (int)words[i].id;
    return -1;
}

struct maker {
    scmp_filter_ctx context;
    const struct eg_filter_request *request;
    bool foreign; /* not this machine's architecture: only in tests */
    int error;    /* the first that occurred */
};

/* libseccomp takes the numbers of the machine it runs on and translates them by
 * name; newer calls have no name there. */
static int find_call(const struct maker *m, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number != __NR_SCMP_ERROR) return number;
    for (size_t i = 0; i < sizeof(newer_calls) / sizeof(newer_calls[0]); i++)
        if (!m->foreign && strcmp(newer_calls[i].name, name) == 0) return newer_calls[i].number;
    return __NR_SCMP_ERROR;
}

static void add_rule(struct maker *m, uint32_t action, const char *call,
                     const struct scmp_arg_cmp *comparisons, unsigned count)
{
    if (m->error) return;
    int number = find_call(m, call);
    if (number == __NR_SCMP_ERROR) {
        if (!m->foreign) m->error = -ENOSYS;
        return;
    }
    int r = seccomp_rule_add_array(m->context, action, number, count, comparisons);
    if (r < 0) m->error = r;
}

static struct scmp_arg_cmp masked(unsigned arg, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){ arg, SCMP_CMP_MASKED_EQ, mask, value };
}

/* Add a call under one or two conditions, both of which must hold. */
static void add_when(struct maker *m, uint32_t action, const char *call,
                     const struct eg_condition *first, const struct eg_condition *second)
{
    const struct eg_condition *conditions[2] = { first, second };
    struct scmp_arg_cmp comparisons[2];
    const struct eg_condition *unless = NULL;
    unsigned count = 0;
    for (unsigned i = 0; i < 2; i++) {
        const struct eg_condition *c = conditions[i];
        if (c && c->kind == EG_CONDITION_MASKED)
            comparisons[count++] = masked(c->arg, c->mask, c->value);
        if (c && c->kind == EG_CONDITION_UNLESS) unless = c;
    }
    if (!unless) return add_rule(m, action, call, comparisons, count);
    struct eg_condition one;
    for (unsigned bit = 0; eg_condition_next(unless, &bit, &one);) {
        comparisons[count] = masked(one.arg, one.mask, one.value);
        add_rule(m, action, call, comparisons, count + 1);
    }
}

static void add_refusals(struct maker *m)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *row = &refusals[i];
        if (m->request->allowed[row->word]) continue;
        add_when(m, SCMP_ACT_ERRNO((uint32_t)row->error), row->syscall, &row->condition, NULL);
    }
}

static void add_answer(struct maker *m, const uint32_t id[4])
{
    bool supervised = m->request->variant == EG_FILTER_SUPERVISED;
    struct scmp_arg_cmp question[5] = { masked(0, WHOLE_INT, EG_PRCTL_QUERY) };
    for (unsigned i = 0; i < 4; i++) question[i + 1] = masked(i + 1, WHOLE_INT, id[i]);
    add_rule(m, SCMP_ACT_ERRNO(supervised ? EG_QUERY_SUPERVISED : EG_QUERY_YES), "prctl", question,
             5);
}

/* Answers a process that asks whether this very policy guards it, and one that
 * asks by zeros whether any does. */
static void add_answers(struct maker *m)
{
    static const uint32_t any[4];
    add_answer(m, m->request->id);
    if (memcmp(m->request->id, any, sizeof(any)) != 0) add_answer(m, any);
}

static enum eg_call_arch arch_of(const struct maker *m)
{
    return m->request->arch == AUDIT_ARCH_X86_64 ? EG_CALL_X86_64 : EG_CALL_AARCH64;
}

/* Set-user-ID files, where nobody judges by path. */
static void refuse_set_id(struct maker *m)
{
    for (size_t i = 0; i < sizeof(set_id_calls) / sizeof(set_id_calls[0]); i++)
        if (set_id_calls[i].arch == EG_CALL_ANY_ARCH || set_id_calls[i].arch == arch_of(m))
            add_when(m, SCMP_ACT_ERRNO(EPERM), set_id_calls[i].call, &set_id_calls[i].first,
                     &set_id_calls[i].second);
}

/* The calls that a supervisor is asked about (design section 6). */
static void add_notified(struct maker *m)
{
    enum eg_call_arch arch = arch_of(m);
    for (size_t i = 0; i < sizeof(notified) / sizeof(notified[0]); i++) {
        const struct eg_notified_call *row = &notified[i];
        uint32_t action = row->error ? SCMP_ACT_ERRNO((uint32_t)row->error) : SCMP_ACT_NOTIFY;
        if (!eg_notified_applies(row, m->request->notified, arch, m->request->log_mode)) continue;
        add_when(m, action, row->call, &row->first, &row->second);
    }
}

/* No program may run at all.  execveat's empty path is refused already. */
static void refuse_exec(struct maker *m)
{
    static const struct eg_condition has_path = MASKED(4, 0x1000, 0);
    add_rule(m, SCMP_ACT_ERRNO(EACCES), "execve", NULL, 0);
    add_when(m, SCMP_ACT_ERRNO(EACCES), "execveat", &has_path, NULL);
}

static void add_rules(struct maker *m)
{
    const struct eg_filter_request *request = m->request;
    if (!request->log_mode) add_refusals(m);
    add_answers(m);
    if (request->variant != EG_FILTER_SUPERVISED && request->notified & EG_NOTIFY_UPLOADS &&
        !request->log_mode)
        refuse_set_id(m);
    if (request->variant == EG_FILTER_SUPERVISED)
        add_notified(m);
    else if (request->variant == EG_FILTER_FINAL && request->exec_nothing && !request->log_mode)
        refuse_exec(m);
}

/* libseccomp 2.5 exports to a descriptor only.  A filter has at most
 * BPF_MAXINSNS instructions, 32 KiB: it fits into a pipe (pipe(7), 64 KiB), and
 * a pipe works where a guard refuses memfds. */
static int export_filter(scmp_filter_ctx context, struct sock_filter **ret_filter,
                         size_t *ret_count)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    size_t capacity = BPF_MAXINSNS * sizeof(struct sock_filter);
    char *memory = malloc(capacity);
    int r = memory ? seccomp_export_bpf(context, ends[1]) : -ENOMEM;
    close(ends[1]);
    size_t size = 0;
    while (r == 0 && size < capacity) {
        ssize_t n = read(ends[0], memory + size, capacity - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) r = -errno;
        if (n <= 0) break;
        size += (size_t)n;
    }
    close(ends[0]);
    if (r == 0 && (size == 0 || size % sizeof(struct sock_filter) != 0)) r = -EIO;
    if (r < 0) {
        free(memory);
        return r;
    }
    *ret_filter = (struct sock_filter *)(void *)memory;
    *ret_count = size / sizeof(struct sock_filter);
    return 0;
}

static int prepare(struct maker *m)
{
    const struct eg_filter_request *request = m->request;
    uint32_t arch = request->arch == AUDIT_ARCH_X86_64 ? SCMP_ARCH_X86_64 : SCMP_ARCH_AARCH64;
    m->foreign = arch != seccomp_arch_native();
    int r = 0;
    if (m->foreign) {
        r = seccomp_arch_add(m->context, arch);
        if (r == 0) r = seccomp_arch_remove(m->context, SCMP_ARCH_NATIVE);
    }
    /* x32's calls come with x86_64's architecture number and bit 30 set;
     * libseccomp treats them as another architecture's unless told otherwise. */
    uint32_t foreign_call = request->log_mode ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS);
    if (r == 0) r = seccomp_attr_set(m->context, SCMP_FLTATR_ACT_BADARCH, foreign_call);
    /* A binary tree over the numbers instead of a list: an unlisted call passes
     * after seven comparisons. */
    if (r == 0) r = seccomp_attr_set(m->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return r;
}

int eg_filter_compile(const struct eg_filter_request *request, struct sock_filter **ret_filter,
                      size_t *ret_count)
{
    /* libseccomp refuses notifications where the running kernel has none
     * (seccomp_api_get(3)); the filter is for the blob, the guard finds out. */
    if (seccomp_api_get() < 5) seccomp_api_set(5);
    struct maker m = { .context = seccomp_init(SCMP_ACT_ALLOW), .request = request };
    if (!m.context) return -ENOMEM;
    int r = prepare(&m);
    if (r == 0) {
        add_rules(&m);
        r = m.error;
    }
    if (r == 0) r = export_filter(m.context, ret_filter, ret_count);
    seccomp_release(m.context);
    return r;
}
