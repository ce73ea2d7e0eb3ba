// SPDX-License-Identifier: MIT
/* Becomes the worker: the clone's half of start.c. */
#ifndef EG_SUPERVISOR_BECOME_H
#define EG_SUPERVISOR_BECOME_H

#include "supervisor/run.h"

#include <signal.h>
#include <sys/types.h>

struct eg_estate;

/* How a worker is cloned: what both sides know. */
struct eg_birth {
    const struct eg_run *run;
    const sigset_t *mask;           /* the first worker's, before the supervisor's own */
    pid_t named;                    /* who LISTEN_PID and WATCHDOG_PID name as yet */
    const struct eg_estate *estate; /* NULL: the first worker */
    pid_t supervisor;
    int told, go; /* eventfds: to the supervisor and from it */
};

/* In the clone, whose descriptor table is the supervisor's: asks whether it will be
 * supervised, installs the layers, tells the listener's number and executes the worker.
 * Ends with a message and an exit status where it cannot. */
_Noreturn void eg_become_worker(const struct eg_birth *birth);

#endif
