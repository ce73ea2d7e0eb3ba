// SPDX-License-Identifier: MIT
/* The kernel's own struct sigaction (rt_sigaction(2)); libc's differs. */
#ifndef EG_SHIM_SIGNALS_H
#define EG_SHIM_SIGNALS_H

#include "base/sys.h"

#define EG_SIGNALS 64
#define EG_SIG_DFL 0u
#define EG_SIG_IGN 1u

struct eg_sigaction {
    uintptr_t handler;
    unsigned long flags;
    uintptr_t restorer;
    uint64_t mask;
};

static inline long eg_signal_action(int signal, const struct eg_sigaction *action,
                                    struct eg_sigaction *ret_old)
{
    return eg_sys(__NR_rt_sigaction, signal, action, ret_old, sizeof(uint64_t));
}

#endif
