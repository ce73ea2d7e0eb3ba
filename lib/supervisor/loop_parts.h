// SPDX-License-Identifier: MIT
/* What the files of loop.c share. */
#ifndef EG_SUPERVISOR_LOOP_PARTS_H
#define EG_SUPERVISOR_LOOP_PARTS_H

#include "supervisor/start.h"
#include "supervisor/status.h"
#include "supervisor/succeed.h"
#include "supervisor/tree.h"

/* A tree that is served: the worker's, or one that its predecessor left. */
struct ward {
    const struct eg_run *run; /* the policy's */
    struct eg_tree *tree;
    uint32_t layers; /* that were installed */
    bool ends;       /* its last task is gone */
};

#define WARDS_MAX 32u /* reloads whose predecessors left somebody */

struct loop {
    const struct eg_run *run;
    struct ward wards[WARDS_MAX]; /* [0]: the worker's; none: no listener (optional supervisor) */
    size_t count;
    pid_t worker; /* 0: ended */
    pid_t main_pid;
    int report;
    int status;
    bool done;
    uint64_t denied, raced; /* in trees that are gone */
    struct eg_status_clock clock;
    struct eg_succession succession;
    struct ward heir; /* the successor's tree while it starts; tree NULL: none */
};

/* --- ward.c --------------------------------------------------------------------- */

/* Start a worker (start.h says of what) and serve its tree.  0 with the worker and its
 * ward (tree NULL: there is no supervisor, which was optional), or an exit status after
 * the reason was printed. */
int eg_ward_start(const struct eg_run *run, const sigset_t *mask, pid_t named,
                  const struct eg_estate *estate, struct eg_succession *succession,
                  struct ward *ret, pid_t *ret_worker);

/* Its last task is gone, or it is given up. */
void eg_ward_end(struct loop *loop, struct ward *ward);

/* --- heir.c --------------------------------------------------------------------- */

/* What time brings: call after each turn. */
void eg_heir_mind(struct loop *loop);

/* A child ended.  True: it was one that a succession waits for. */
bool eg_heir_reap(struct loop *loop, pid_t pid, int status);

/* The worker ended; if it waited for its successor, so does that one. */
void eg_heir_end(struct loop *loop);

#endif
