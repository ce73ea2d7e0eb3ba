// SPDX-License-Identifier: MIT
/* Columns of hardening.def and notified.def: when a row is about a call.  Shared
 * by everything that expands them, so that a filter, a container's profile and
 * the tests mean the same by a row.
 *
 * ALWAYS                     whatever the arguments are
 * MASKED(arg, mask, value)   when (args[arg] & mask) == value
 * UNLESS(arg, mask, value)   when (args[arg] & mask) != value
 *
 * Arguments that the kernel reads as int are compared under a 32-bit mask: a
 * 64-bit comparison is passed by setting high bits that the kernel drops. */
#ifndef EG_TABLE_CALLS_H
#define EG_TABLE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

enum eg_condition_kind { EG_CONDITION_ALWAYS, EG_CONDITION_MASKED, EG_CONDITION_UNLESS };

struct eg_condition {
    enum eg_condition_kind kind;
    unsigned arg;
    uint64_t mask;
    uint64_t value;
};

/* clang-format off */
#define ALWAYS                   { EG_CONDITION_ALWAYS, 0, 0, 0 }
#define MASKED(arg, mask, value) { EG_CONDITION_MASKED, arg, mask, value }
#define UNLESS(arg, mask, value) { EG_CONDITION_UNLESS, arg, mask, value }
/* clang-format on */

static inline bool eg_condition_holds(const struct eg_condition *c, const uint64_t args[6])
{
    bool equal = (args[c->arg] & c->mask) == c->value;
    return c->kind == EG_CONDITION_ALWAYS || equal == (c->kind == EG_CONDITION_MASKED);
}

/* A filter has no masked inequality: "unless all these bits are so" is said as
 * "when one of them is not", a comparison for each bit of the mask.  Step through
 * them: *bit starts at 0; false at the end. */
static inline bool eg_condition_next(const struct eg_condition *c, unsigned *bit,
                                     struct eg_condition *ret)
{
    for (; *bit < 64; (*bit)++) {
        uint64_t one = UINT64_C(1) << *bit;
        if (!(c->mask & one)) continue;
        *ret = (struct eg_condition){ EG_CONDITION_MASKED, c->arg, one, ~c->value & one };
        (*bit)++;
        return true;
    }
    return false;
}

/* Groups of notified.def, each a bit: BASE is always on. */
enum eg_notify_group {
#define G(id, sentence) EG_NOTIFY_BIT_##id,
#include "table/notified.def"
    EG_NOTIFY_GROUPS
};
enum eg_notify_bits {
#define G(id, sentence) EG_NOTIFY_##id = 1u << EG_NOTIFY_BIT_##id,
#include "table/notified.def"
};

enum eg_call_arch { EG_CALL_ANY_ARCH, EG_CALL_X86_64, EG_CALL_AARCH64 };
enum eg_call_mode { EG_CALL_ANY_MODE, EG_CALL_ENFORCE, EG_CALL_LOG };

/* A row of notified.def.  error 0: notified; otherwise refused with it. */
struct eg_notified_call {
    unsigned group; /* its bit */
    enum eg_call_arch arch;
    enum eg_call_mode mode;
    const char *call;
    int error;
    struct eg_condition first, second; /* both must hold */
};

/* clang-format off */
#define EG_NOTIFIED_CALL(group, arch, mode, call, error, ...)                                      \
    { EG_NOTIFY_##group, EG_CALL_##arch, EG_CALL_##mode, call, error, __VA_ARGS__ },
/* clang-format on */

/* Does a filter with these groups hold this row? */
static inline bool eg_notified_applies(const struct eg_notified_call *row, unsigned groups,
                                       enum eg_call_arch arch, bool log_mode)
{
    if (!(row->group & (groups | EG_NOTIFY_BASE))) return false;
    if (row->arch != EG_CALL_ANY_ARCH && row->arch != arch) return false;
    return row->mode == EG_CALL_ANY_MODE || (row->mode == EG_CALL_LOG) == log_mode;
}

#endif
