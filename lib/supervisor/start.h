// SPDX-License-Identifier: MIT
/* Starts the worker: the step from supervisor to guarded process. */
#ifndef EG_SUPERVISOR_START_H
#define EG_SUPERVISOR_START_H

#include "supervisor/run.h"

#include <signal.h>
#include <sys/types.h>

struct eg_started {
    pid_t pid;
    int listener; /* -1: the policy says `optional supervisor` and there is none */
};

struct eg_estate;

/* Clone the worker and install its layers.  0, or an exit status (125, 126, 127)
 * after the reason was printed.
 * named: who LISTEN_PID and WATCHDOG_PID name now.  estate: it succeeds another
 * worker, and gets that one's; NULL: it is the first, with signal mask `mask'. */
int eg_start_worker(const struct eg_run *run, const sigset_t *mask, pid_t named,
                    const struct eg_estate *estate, struct eg_started *ret);

#endif
