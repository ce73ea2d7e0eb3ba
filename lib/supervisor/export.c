// SPDX-License-Identifier: MIT
/* Purpose: table/hardening.def and table/notified.def as an OCI profile.
 *
 * Runtimes hand the rules to libseccomp one by one, so what holds for
 * compile/filter.c holds here: rules of one call exclude each other by their
 * conditions, ints are compared under a mask, and "unless" is a rule a bit.
 * Calls are given by name: a runtime passes over what its libseccomp does not
 * know. */
#include "supervisor/export.h"

#include "guard/guard.h"
#include "table/calls.h"

#include <errno.h>
#include <jansson.h>
#include <linux/audit.h>
#include <stdint.h>
#include <string.h>

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
    struct eg_condition condition;
} refusals[] = {
#define C(id, syscall, error, condition) { WORD_##id, syscall, error, condition },
#include "table/hardening.def"
};
#define REFUSALS (sizeof refusals / sizeof refusals[0])

static const struct eg_notified_call notified[] = {
#define Q(group, arch, mode, call, judge, ...)                                                     \
    EG_NOTIFIED_CALL(group, arch, mode, #call, 0, __VA_ARGS__)
#define R(group, arch, mode, call, error, ...)                                                     \
    EG_NOTIFIED_CALL(group, arch, mode, #call, error, __VA_ARGS__)
#include "table/notified.def"
};

#ifdef __x86_64__
#define NATIVE      EG_CALL_X86_64
#define NATIVE_NAME "SCMP_ARCH_X86_64"
#else
#define NATIVE      EG_CALL_AARCH64
#define NATIVE_NAME "SCMP_ARCH_AARCH64"
#endif

static int add_argument(json_t *args, const struct eg_condition *c)
{
    return json_array_append_new(args, json_pack("{s:i, s:I, s:I, s:s}", "index", (int)c->arg,
                                                 "value", (json_int_t)c->mask, "valueTwo",
                                                 (json_int_t)c->value, "op", "SCMP_CMP_MASKED_EQ"));
}

/* error 0: notify.  conditions: NULLs are left out. */
static int add_rule(json_t *rules, const char *call, int error,
                    const struct eg_condition *const conditions[2])
{
    json_t *rule = json_pack("{s:[s], s:s}", "names", call, "action",
                             error ? "SCMP_ACT_ERRNO" : "SCMP_ACT_NOTIFY");
    json_t *args = json_array();
    int failed = !rule || !args;
    if (error) failed |= json_object_set_new(rule, "errnoRet", json_integer(error));
    for (unsigned i = 0; i < 2; i++)
        if (conditions[i]) failed |= add_argument(args, conditions[i]);
    if (json_array_size(args))
        failed |= json_object_set_new(rule, "args", args);
    else
        json_decref(args);
    return failed | json_array_append_new(rules, rule);
}

static int add_when(json_t *rules, const char *call, int error, const struct eg_condition *first,
                    const struct eg_condition *second)
{
    const struct eg_condition *conditions[2] = { first, second };
    const struct eg_condition *unless = NULL;
    struct eg_condition one;
    unsigned place = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (!conditions[i]) continue;
        if (conditions[i]->kind == EG_CONDITION_ALWAYS)
            conditions[i] = NULL;
        else if (conditions[i]->kind == EG_CONDITION_UNLESS) {
            unless = conditions[i];
            place = i;
        }
    }
    if (!unless) return add_rule(rules, call, error, conditions);
    int failed = 0;
    conditions[place] = &one;
    for (unsigned bit = 0; eg_condition_next(unless, &bit, &one);)
        failed |= add_rule(rules, call, error, conditions);
    return failed;
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
        if (refusals[i].condition.kind == EG_CONDITION_ALWAYS && refusals[i].error == number &&
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
        if (refusals[i].condition.kind != EG_CONDITION_ALWAYS && is_refused(export, &refusals[i]))
            error |=
                add_when(rules, refusals[i].call, refusals[i].error, &refusals[i].condition, NULL);
    return error;
}

static int add_notified(const struct eg_export *export, json_t *rules)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof notified / sizeof notified[0]; i++) {
        const struct eg_notified_call *row = &notified[i];
        if (eg_notified_applies(row, export->notified, NATIVE, export->log_mode))
            failed |= add_when(rules, row->call, row->error, &row->first, &row->second);
    }
    return failed;
}

char *eg_export_oci(const struct eg_export *export)
{
    json_t *rules = json_array(), *flags = json_array();
    int error = !rules || !flags;
    if (!export->log_mode) error |= add_refusals(export, rules);
    error |= add_notified(export, rules);
    for (size_t i = 0; i < export->flag_count; i++)
        error |= json_array_append_new(flags, json_string(export->flags[i]));
    json_t *root = json_pack("{s:s, s:[s], s:s, s:s+, s:o}", "defaultAction", "SCMP_ACT_ALLOW",
                             "architectures", NATIVE_NAME, "listenerPath", export->listener,
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
