// SPDX-License-Identifier: MIT
/* `execguard run`: a worker under a supervising parent.
 *
 *   main ──fork── supervisor ──clone── worker and its tree
 *
 * main is what the caller started: it passes signals on and exits with the
 * worker's status.  The supervisor answers notifications and reaps.  Each of the
 * two ends the tree when the other dies, so that neither's death frees it. */
#ifndef EG_SUPERVISOR_RUN_H
#define EG_SUPERVISOR_RUN_H

#include "guard/guard.h"
#include "supervisor/report.h"

#include <signal.h>
#include <sys/types.h>

#define EG_STATUS_STRICT 120 /* --strict: something was refused */
#define EG_STATUS_FAILED 125 /* execguard itself failed */

struct eg_run;

/* How a run gets its policy again as it is now (succeed.h): the command's part,
 * since only the command compiles. */
struct eg_renewal {
    void *context;
    /* Is something not as it was when this run's policy was compiled? */
    bool (*is_changed)(const struct eg_run *run);
    /* Start a process that compiles the policy into the cache, with this signal mask.
     * Its number, or -errno. */
    pid_t (*compile)(void *context, const sigset_t *mask);
    /* It did: the run of `file' with these words and this environment, whose shim
     * variables are put right; the strings are the caller's.  NULL, with the reason
     * printed. */
    struct eg_run *(*take)(void *context, const char *file, const char *const *argv,
                           const char *const *envp);
    /* Nothing of it is used any more. */
    void (*give_back)(void *context, const struct eg_run *run);
};

struct eg_run {
    const struct eg_blob *blob;
    const char *file;  /* what to execute: absolute path */
    char *const *argv; /* NULL-terminated */
    char **envp;       /* NULL-terminated, complete; LISTEN_PID and WATCHDOG_PID are put right */
    const struct eg_target *worker; /* [0] the program, then its interpreters, as compile/ found */
    size_t worker_count;
    struct eg_identity worker_exe; /* what /proc/PID/exe will show */
    bool ignores_children;         /* set by eg_run: the worker is to ignore SIGCHLD, as we were */
    bool strict;
    struct eg_report *report;         /* what was refused goes there; NULL: nowhere */
    const struct eg_renewal *renewal; /* NULL: none */
    bool summary;                     /* one line on stderr at the end when something was refused */
};

/* Run to the end; returns the exit status for the caller (128 + n for signal n).
 * Errors are printed to stderr. */
int eg_run(struct eg_run *run);

/* Kill every descendant that is or becomes a child of this process, which must
 * be a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER); returns when none is left. */
void eg_run_end_tree(void);

#endif
