// SPDX-License-Identifier: MIT
/* Reporting by the table of messages, so that each has a name and can be
 * counted, while the compiler still checks the format's arguments. */
#ifndef EG_POLICY_MESSAGES_H
#define EG_POLICY_MESSAGES_H

#include "policy/policy.h"

#define D(id, severity, message, hint)                                                             \
    static const char EG_MESSAGE_##id[] __attribute__((unused)) = message;                         \
    static const char *const EG_HINT_##id __attribute__((unused)) = hint;                          \
    enum { EG_SEVERITY_OF_##id = EG_SEVERITY_##severity };
#include "table/diagnostics.def"
#undef D

/* Report row `id` of table/diagnostics.def at a span, with the arguments of its
 * message; eg_report_hint gives a hint in place of the table's. */
#define eg_report(d, id, span, ...) eg_report_hint((d), id, (span), EG_HINT_##id, ##__VA_ARGS__)
#define eg_report_hint(d, id, span, hint, ...)                                                     \
    eg_diagnose((d), (enum eg_severity)EG_SEVERITY_OF_##id, (span), (hint), EG_MESSAGE_##id,       \
                ##__VA_ARGS__)

/* Foreign text in double quotes for a message, cut where it is long. */
struct eg_quoted {
    char s[80];
};
struct eg_quoted eg_quote(struct eg_str text);

/* A formatted hint for eg_report_hint, cut where it is long. */
struct eg_hint {
    char s[512];
};
struct eg_hint eg_format_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
