// SPDX-License-Identifier: MIT
/* Starts the worker: the step from supervisor to guarded process. */
#ifndef EG_SUPERVISOR_START_H
#define EG_SUPERVISOR_START_H

#include "supervisor/run.h"

#include <signal.h>
#include <sys/types.h>

struct eg_estate;

/* A worker on its way: its layers are being installed. */
struct eg_starting {
    pid_t pid;
    int process; /* pidfd */
    int told, go;
};

/* Clone the worker and let it install its layers.  0, or an exit status (125) after
 * the reason was printed.
 * named: who LISTEN_PID and WATCHDOG_PID name now.  estate: it succeeds another
 * worker, and gets that one's; NULL: it is the first, with signal mask `mask'. */
int eg_start_begin(const struct eg_run *run, const sigset_t *mask, pid_t named,
                   const struct eg_estate *estate, struct eg_starting *ret);

/* Wait until its layers are there and it goes on to its exec, which is notified.  0 with
 * its listener (-1: the policy says `optional supervisor' and there is none), or an exit
 * status (125, 126, 127) after the reason was printed; the worker is gone then. */
int eg_start_finish(struct eg_starting *starting, int *ret_listener);

#endif
