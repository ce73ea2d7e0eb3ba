// SPDX-License-Identifier: MIT
/* The supervised filter in the form that container runtimes take (runtime-spec,
 * config-linux.md, "Seccomp"): they install it and send the listener to the
 * agent. */
#ifndef EG_SUPERVISOR_EXPORT_H
#define EG_SUPERVISOR_EXPORT_H

#include "base/str.h"

struct eg_export {
    const char *policy;   /* name, for the metadata */
    const char *listener; /* the agent's socket */
    bool log_mode;        /* refuse nothing, notify only */
    unsigned notified;    /* groups of table/notified.def, as in eg_filter_request */
    const char *const *flags;
    size_t flag_count;
    /* Did the policy switch this word of the hardening list off? */
    bool (*allows)(void *context, struct eg_str word);
    void *context;
};

/* JSON text, malloc'ed; NULL: out of memory. */
char *eg_export_oci(const struct eg_export *export);

#endif
