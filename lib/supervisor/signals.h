// SPDX-License-Identifier: MIT
/* Every signal, as the kernel counts them.  sigfillset(3) and sigprocmask(2) of a
 * libc leave out those that it keeps for its threads (glibc two, musl three, and
 * its third is glibc's SIGRTMIN); no thread of the supervisor's needs them, and
 * what is sent to it is the worker's. */
#ifndef EG_SUPERVISOR_SIGNALS_H
#define EG_SUPERVISOR_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/sys.h"

#define EG_SIGNAL_SET_BYTES 8u /* the kernel's; libc's are longer */

static inline void eg_signals_all(sigset_t *ret)
{
    memset(ret, 0xff, sizeof *ret);
}

/* sigprocmask(2); `ret_before` may be NULL.  0 or -errno. */
static inline int eg_signals_mask(int how, const sigset_t *set, sigset_t *ret_before)
{
    if (ret_before) memset(ret_before, 0, sizeof *ret_before);
    return (int)eg_sys(__NR_rt_sigprocmask, how, set, ret_before, EG_SIGNAL_SET_BYTES);
}

/* Ignore a signal from here on, or leave it to the kernel.  signal(3) of musl takes a
 * lock for SIGABRT. */
static inline void eg_signals_reset(int number, bool ignored)
{
    /* the kernel's struct sigaction: handler, flags, restorer, mask */
    const uintptr_t action[4] = { (uintptr_t)(ignored ? SIG_IGN : SIG_DFL) };
    eg_sys(__NR_rt_sigaction, number, action, NULL, EG_SIGNAL_SET_BYTES);
}

#endif
