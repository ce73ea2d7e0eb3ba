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

#define WHOLE_INT UINT64_C(0xffffffff)

/* Values of kernel headers, named as there; the ones of both architectures. */
#define ARCH_SET_FS_CODE  UINT64_C(0x1002)
#define PROT_EXEC_BIT     UINT64_C(0x4)
#define MAP_ANONYMOUS_BIT UINT64_C(0x20)
#define AT_EMPTY_PATH_BIT UINT64_C(0x1000)

enum condition_kind { CONDITION_ALWAYS, CONDITION_MASKED, CONDITION_UNLESS };

struct condition {
    enum condition_kind kind;
    unsigned arg;
    uint64_t mask;
    uint64_t value;
};

#define ALWAYS                                                                                     \
    {                                                                                              \
        CONDITION_ALWAYS, 0, 0, 0                                                                  \
    }
#define MASKED(arg, mask, value)                                                                   \
    {                                                                                              \
        CONDITION_MASKED, arg, mask, value                                                         \
    }
#define UNLESS(arg, mask, value)                                                                   \
    {                                                                                              \
        CONDITION_UNLESS, arg, mask, value                                                         \
    }

struct refusal {
    enum eg_hardening word;
    const char *syscall;
    int error;
    struct condition condition;
};

static const struct refusal refusals[] = {
#define C(id, syscall, error, condition) { EG_HARDENING_##id, syscall, error, condition },
#include "table/hardening.def"
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

/* "Unless all these bits are so" is "when one of them is not": libseccomp has
 * no masked inequality, and rules of one call are alternatives. */
static void add_unless(struct maker *m, uint32_t action, const char *call,
                       const struct condition *c)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t one = UINT64_C(1) << bit;
        if (!(c->mask & one)) continue;
        struct scmp_arg_cmp differs = masked(c->arg, one, ~c->value & one);
        add_rule(m, action, call, &differs, 1);
    }
}

static void add_refusals(struct maker *m)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *row = &refusals[i];
        const struct condition *c = &row->condition;
        uint32_t action = SCMP_ACT_ERRNO((uint32_t)row->error);
        if (m->request->allowed[row->word]) continue;
        if (c->kind == CONDITION_UNLESS) {
            add_unless(m, action, row->syscall, c);
        } else {
            struct scmp_arg_cmp equal = masked(c->arg, c->mask, c->value);
            add_rule(m, action, row->syscall, &equal, c->kind == CONDITION_MASKED ? 1 : 0);
        }
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

/* execveat with an empty path is refused for all (EMPTY_PATH); the rest of it: */
static struct scmp_arg_cmp has_path(void)
{
    return masked(4, AT_EMPTY_PATH_BIT, 0);
}

static void add_exec(struct maker *m, uint32_t action)
{
    struct scmp_arg_cmp path = has_path();
    add_rule(m, action, "execve", NULL, 0);
    /* In log mode nothing refuses the empty path: all of it is observed. */
    add_rule(m, action, "execveat", &path, m->request->log_mode ? 0 : 1);
}

/* The calls that a supervisor is asked about (design section 6). */
static void add_notifications(struct maker *m)
{
    add_exec(m, SCMP_ACT_NOTIFY);

    struct scmp_arg_cmp call = masked(0, WHOLE_INT, EG_PRCTL_CALL);
    add_rule(m, SCMP_ACT_NOTIFY, "prctl", &call, 1);

    /* The first call of every libc's start-up after an exec. */
    if (m->request->arch == AUDIT_ARCH_X86_64) {
        struct scmp_arg_cmp set_fs = masked(0, WHOLE_INT, ARCH_SET_FS_CODE);
        add_rule(m, SCMP_ACT_NOTIFY, "arch_prctl", &set_fs, 1);
    } else {
        add_rule(m, SCMP_ACT_NOTIFY, "set_tid_address", NULL, 0);
    }

    /* Code from files, as ld.so maps it.  Not mprotect: memory that is made
     * executable afterwards is code that the process brought along and could as
     * well have written there, and every JIT does it. */
    struct scmp_arg_cmp code[2] = { masked(2, PROT_EXEC_BIT, PROT_EXEC_BIT),
                                    masked(3, MAP_ANONYMOUS_BIT, 0) };
    add_rule(m, SCMP_ACT_NOTIFY, "mmap", code, 2);
}

static void add_rules(struct maker *m)
{
    const struct eg_filter_request *request = m->request;
    if (!request->log_mode) add_refusals(m);
    add_answers(m);
    if (request->variant == EG_FILTER_SUPERVISED)
        add_notifications(m);
    else if (request->variant == EG_FILTER_FINAL && request->exec_nothing && !request->log_mode)
        add_exec(m, SCMP_ACT_ERRNO(EACCES));
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
