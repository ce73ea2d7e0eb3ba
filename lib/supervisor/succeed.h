// SPDX-License-Identifier: MIT
/* A worker that starts itself again (`worker reexec': a reload of php-fpm, uWSGI
 * or puma) after its programs or its policy were replaced.
 *
 * A domain is never widened, so in place it could not even start its own program:
 * the new file, or the new ld.so, is none that the domain knows.  The supervisor
 * stands outside of that domain.  It lets the worker wait in its execve(2), has
 * the policy compiled anew, and starts a successor as it started the worker:
 * with fresh layers made from what is there now, and with all that the exec would
 * have kept (estate.h), the listening sockets above all.  When the successor runs,
 * the worker that waits is ended.
 *
 *   phase      event                  next
 *   ---------  ---------------------  ------------------------------------------
 *   idle       the worker's exec      compiling; the exec waits
 *   compiling  compiled               starting; the successor's own exec waits for
 *                                     the loop like every exec
 *   starting   it was seen to run     leaving
 *   leaving    a moment later         idle; the old worker is ended
 *   compiling  failed                 idle; the exec is judged as in place
 *   starting   it ended, or too late  idle; likewise
 *
 * What could be won by it: nothing but what a restart gives.  The files that the
 * policy is made from are root's, the successor's program is the worker's own, and
 * whoever asks is the process that was started as the worker, with the users,
 * groups and capabilities that it had then. */
#ifndef EG_SUPERVISOR_SUCCEED_H
#define EG_SUPERVISOR_SUCCEED_H

#include "supervisor/estate.h"
#include "supervisor/run.h"
#include "supervisor/tree.h"

#include <signal.h>

enum eg_succession_phase {
    EG_SUCCESSION_IDLE = 0,
    EG_SUCCESSION_COMPILING,
    EG_SUCCESSION_STARTING,
    EG_SUCCESSION_LEAVING,
};

struct eg_succession {
    const struct eg_renewal *renewal;
    enum eg_succession_phase phase;
    bool in_place;              /* the exec that is judged now goes its ordinary way */
    struct seccomp_notif notif; /* the exec that waits */
    struct eg_tree *tree;       /* whose it is */
    pid_t compiler;             /* compiling: the process that does it */
    pid_t heir;                 /* leaving: who runs */
    int64_t until;              /* starting, leaving: CLOCK_MONOTONIC, ms */
    struct eg_estate estate;
    char file[EG_PATH_MAX]; /* what it starts */
    struct eg_vector argv, envp;
};

/* An exec of the worker's, allowed or not: is it one that a successor takes over?
 * Then it is not answered now.  Path, argv and envp are copied (tree->argv, envp). */
bool eg_succession_begin(struct eg_succession *s, struct eg_tree *tree,
                         const struct seccomp_notif *notif, pid_t tgid,
                         const struct eg_target *target);

/* May it be started with the environment that the exec was given?  Not, when the
 * policy now drops what the worker was not started with. */
bool eg_succession_fits(const struct eg_succession *s, const struct eg_run *run);

/* The successor was started; it has a while to be seen. */
void eg_succession_started(struct eg_succession *s);

/* It does not succeed: the exec that waits gets its answer, and all is as before. */
void eg_succession_fail(struct eg_succession *s, const char *why);

/* It runs, as `heir'.  The old worker ends after a moment: by then its service
 * manager has heard of the successor, who gets what else was meant to end it. */
void eg_succession_done(struct eg_succession *s, pid_t heir);

/* How long poll(2) may wait, ms; -1: for ever. */
int eg_succession_wait(const struct eg_succession *s);

/* End the old worker now (leaving). */
void eg_succession_leave(struct eg_succession *s);

void eg_succession_free(struct eg_succession *s);

#endif
