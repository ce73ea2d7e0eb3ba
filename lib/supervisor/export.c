// SPDX-License-Identifier: MIT
/* Purpose: table/hardening.def and the notified calls as an OCI profile.
 *
 * Runtimes hand the rules to libseccomp one by one, so what holds for
 * compile/filter.c holds here: rules of one call exclude each other by their
 * conditions, ints are compared under a mask, and "unless" is a rule a bit.
 * Calls are given by name: a runtime passes over what its libseccomp does not
 * know. */
#include "supervisor/export.h"

#include "guard/guard.h"

#include <errno.h>
#include <jansson.h>
#include <linux/audit.h>
#include <stdint.h>
#include <string.h>

enum condition_kind { CONDITION_ALWAYS, CONDITION_MASKED, CONDITION_UNLESS };

struct condition {
    enum condition_kind kind;
    unsigned arg;
    uint64_t mask, value;
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

/* The words, to be found by the table's ids. */
enum word {
#define H(id, word, sentence) WORD_##id,
#define F(id, word, sentence) WORD_##id,
#include "table/hardening.def"
    WORD_COUNT
};

static const struct {
    const char *word;
    bool fixed; /* no policy can switch it off */
} words[] = {
#define H(id, word, sentence) [WORD_##id] = { word, false },
#define F(id, word, sentence) [WORD_##id] = { word, true },
#include "table/hardening.def"
};

static const struct refusal {
    enum word word;
    const char *call;
    int error;
    struct condition condition;
} refusals[] = {
#define C(id, syscall, error, condition) { WORD_##id, syscall, error, condition },
#include "table/hardening.def"
};
#define REFUSALS (sizeof refusals / sizeof refusals[0])

static json_t *argument(unsigned index, uint64_t mask, uint64_t value)
{
    return json_pack("{s:i, s:I, s:I, s:s}", "index", (int)index, "value", (json_int_t)mask,
                     "valueTwo", (json_int_t)value, "op", "SCMP_CMP_MASKED_EQ");
}

static int refuse_one(json_t *rules, const struct refusal *row, json_t *condition)
{
    return json_array_append_new(rules, json_pack("{s:[s], s:s, s:i, s:[o]}", "names", row->call,
                                                  "action", "SCMP_ACT_ERRNO", "errnoRet",
                                                  row->error, "args", condition));
}

static int refuse_conditional(json_t *rules, const struct refusal *row)
{
    const struct condition *c = &row->condition;
    if (c->kind == CONDITION_MASKED)
        return refuse_one(rules, row, argument(c->arg, c->mask, c->value));
    int error = 0;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t one = UINT64_C(1) << bit;
        if (c->mask & one) error |= refuse_one(rules, row, argument(c->arg, one, ~c->value & one));
    }
    return error;
}

static bool is_refused(const struct eg_export *export, const struct refusal *row)
{
    if (words[row->word].fixed) return true;
    return !export->allows(export->context, eg_str(words[row->word].word));
}

/* Calls without conditions, gathered by the error that they return. */
static int refuse_always(const struct eg_export *export, json_t *rules, int number)
{
    json_t *names = json_array();
    for (size_t i = 0; i < REFUSALS; i++)
        if (refusals[i].condition.kind == CONDITION_ALWAYS && refusals[i].error == number &&
            is_refused(export, &refusals[i]))
            json_array_append_new(names, json_string(refusals[i].call));
    if (json_array_size(names) == 0) {
        json_decref(names);
        return 0;
    }
    return json_array_append_new(rules, json_pack("{s:o, s:s, s:i}", "names", names, "action",
                                                  "SCMP_ACT_ERRNO", "errnoRet", number));
}

static int add_refusals(const struct eg_export *export, json_t *rules)
{
    int error = refuse_always(export, rules, EPERM) | refuse_always(export, rules, ENOSYS) |
                refuse_always(export, rules, EACCES);
    for (size_t i = 0; i < REFUSALS; i++)
        if (refusals[i].condition.kind != CONDITION_ALWAYS && is_refused(export, &refusals[i]))
            error |= refuse_conditional(rules, &refusals[i]);
    return error;
}

/* args: an array, or NULL for none. */
static int notify(json_t *rules, const char *call, json_t *args)
{
    json_t *rule = json_pack("{s:[s], s:s}", "names", call, "action", "SCMP_ACT_NOTIFY");
    if (args && rule) json_object_set_new(rule, "args", args);
    return json_array_append_new(rules, rule);
}

/* The calls that supervisor/tree.c has judges for. */
static int add_notifications(const struct eg_export *export, json_t *rules)
{
    int error = notify(rules, "execve", NULL);
    /* the empty path is refused for all; in log mode nothing is, so all is seen */
    error |= notify(rules, "execveat",
                    export->log_mode ? NULL : json_pack("[o]", argument(4, 0x1000, 0)));
    error |= notify(rules, "prctl", json_pack("[o]", argument(0, 0xffffffff, EG_PRCTL_CALL)));
#ifdef __x86_64__
    /* ARCH_SET_FS */
    error |= notify(rules, "arch_prctl", json_pack("[o]", argument(0, 0xffffffff, 0x1002)));
#else
    error |= notify(rules, "set_tid_address", NULL);
#endif
    /* PROT_EXEC and not MAP_ANONYMOUS */
    error |=
        notify(rules, "mmap", json_pack("[o, o]", argument(2, 0x4, 0x4), argument(3, 0x20, 0)));
    return error;
}

char *eg_export_oci(const struct eg_export *export)
{
#ifdef __x86_64__
    const char *arch = "SCMP_ARCH_X86_64";
#else
    const char *arch = "SCMP_ARCH_AARCH64";
#endif
    json_t *rules = json_array(), *flags = json_array();
    int error = !rules || !flags;
    if (!export->log_mode) error |= add_refusals(export, rules);
    error |= add_notifications(export, rules);
    for (size_t i = 0; i < export->flag_count; i++)
        error |= json_array_append_new(flags, json_string(export->flags[i]));
    json_t *root = json_pack("{s:s, s:[s], s:s, s:s+, s:o}", "defaultAction", "SCMP_ACT_ALLOW",
                             "architectures", arch, "listenerPath", export->listener,
                             "listenerMetadata", "policy=", export->policy, "syscalls", rules);
    if (!root) {
        json_decref(flags);
        return NULL;
    }
    if (export->flag_count)
        error |= json_object_set_new(root, "flags", flags);
    else
        json_decref(flags);
    char *text = error ? NULL : json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    return text;
}
