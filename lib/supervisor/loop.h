// SPDX-License-Identifier: MIT
/* The supervisor process of `run`: one thread in poll(2) and RECV. */
#ifndef EG_SUPERVISOR_LOOP_H
#define EG_SUPERVISOR_LOOP_H

#include "supervisor/run.h"

#include <signal.h>

/* What the supervisor tells main over the pipe. */
struct eg_loop_report {
    int status;  /* exit status of the worker, for main to exit with */
    int stopped; /* the worker stopped: main stops too, for the caller's job control */
};

/* Start the worker with signal mask `mask`, serve until its tree is gone, and
 * write to `report`.  main_process is a pidfd of main: when main dies first, the
 * tree is ended.  Returns the status to exit with (EG_STATUS_FAILED when the
 * worker could not be started). */
int eg_loop_supervise(const struct eg_run *run, const sigset_t *mask, pid_t main_pid,
                      int main_process, int report);

#endif
