// SPDX-License-Identifier: MIT
/* What a supervising process tells `execguard status`: one small file,
 * /run/execguard/status/PID.json for root, below $XDG_RUNTIME_DIR for others.
 * It only informs: nothing is decided by it, and a place where it cannot be
 * written is passed over. */
#ifndef EG_SUPERVISOR_STATUS_H
#define EG_SUPERVISOR_STATUS_H

#include "supervisor/tree.h"

/* Folder of the files of this user, or NULL where there is none. */
const char *eg_status_folder(char buf[EG_PATH_MAX]);

/* Start time of a process (proc_pid_stat(5), field 22): with its number it names
 * that process and no later one.  0: gone. */
uint64_t eg_status_start_time(pid_t pid);

/* A file in the making. */
struct eg_status;

/* kind: "run" or "agent".  NULL: nowhere to write, or out of memory. */
struct eg_status *eg_status_begin(const char *kind);
/* `layers` as in struct eg_guard_plan, installed. */
void eg_status_add(struct eg_status *status, const struct eg_tree *tree, uint32_t layers);
/* Write the file (renamed into place) and free `status`, which may be NULL. */
void eg_status_end(struct eg_status *status);

/* When to write: a second after something changed, and not at all for who lives
 * shorter.  Zeroed memory is a clock that has not told anything yet. */
struct eg_status_clock {
    int64_t due; /* CLOCK_MONOTONIC, ms; 0: nothing to tell */
    uint64_t told;
    bool published;
};
/* `changes` counts what could be told.  How long poll(2) may wait: -1 for ever;
 * 0: write now, and the clock takes it as done. */
int eg_status_wait(struct eg_status_clock *clock, uint64_t changes);

/* This process ends. */
void eg_status_remove(void);

#endif
