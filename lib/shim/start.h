// SPDX-License-Identifier: MIT
/* Between the steps of start-up; nobody else includes this. */
#ifndef EG_SHIM_START_H
#define EG_SHIM_START_H

#include "base/str.h"

/* Why the process cannot go on: one line on stderr. */
struct eg_trouble {
    const char *what;   /* the step or the thing */
    struct eg_str path; /* quoted, made harmless */
    int error;          /* -errno, or 0 */
    const char *hint;   /* static text, or NULL */
};

/* What fstat said about the policy file. */
struct eg_policy_file {
    size_t size;
    uint32_t uid;
    uint32_t mode;
};

/* Fill eg_shim's copies of the start environment (needs eg_shim.blob): the
 * dangerous variables, LD_PRELOAD with us first, the policy's name, the
 * request's context, this program; then make them read-only.  Also the memory
 * that forked children share.  0 or -errno. */
int eg_start_copy(const char *const *envp, struct eg_str own, struct eg_str policy);

#endif
