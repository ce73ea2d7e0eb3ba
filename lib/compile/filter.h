// SPDX-License-Identifier: MIT
/* The seccomp filters of a policy, made by libseccomp from
 * table/hardening.def and table/notified.def. */
#ifndef EG_COMPILE_FILTER_H
#define EG_COMPILE_FILTER_H

#include <linux/filter.h>

#include "base/str.h"

/* Words of table/hardening.def, the ones that no policy can allow included. */
enum eg_hardening {
#define H(id, word, sentence) EG_HARDENING_##id,
#define F(id, word, sentence) EG_HARDENING_##id,
#include "table/hardening.def"
    EG_HARDENING_COUNT
};

enum eg_filter_variant {
    EG_FILTER_LAUNCH,     /* execve still passes */
    EG_FILTER_FINAL,      /* execve refused where no program may run */
    EG_FILTER_SUPERVISED, /* execve and others notified */
};

struct eg_filter_request {
    enum eg_filter_variant variant;
    uint32_t arch;     /* AUDIT_ARCH_X86_64 or AUDIT_ARCH_AARCH64 */
    uint32_t id[4];    /* the policy's, for EG_PRCTL_QUERY */
    bool exec_nothing; /* no program may run */
    bool log_mode;     /* refuse nothing: answers and notifications only */
    unsigned notified; /* groups of table/notified.def, beside BASE; UPLOADS: unsupervised
                        * variants refuse table/set_id.def */
    bool allowed[EG_HARDENING_COUNT]; /* kernel { allow WORD } */
};

/* Number of a word that policies can allow, or -1. */
int eg_hardening_find(struct eg_str word);

/* Compile one filter.  0 and *ret_filter (malloc'ed, at most BPF_MAXINSNS
 * instructions) with *ret_count; -errno of libseccomp. */
int eg_filter_compile(const struct eg_filter_request *request, struct sock_filter **ret_filter,
                      size_t *ret_count);

#endif
