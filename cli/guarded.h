// SPDX-License-Identifier: MIT
/* Finds the guarded processes that live. */
#ifndef EG_CLI_GUARDED_H
#define EG_CLI_GUARDED_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/unit.h"

struct eg_guarded {
    pid_t pid;
    char program[64]; /* base name */
    char policy[64];
    char container[130]; /* empty: none */
    const char *attach;  /* "run", "agent", "preload" (or exec: both look alike) */
    uint32_t layers;     /* bits (1 << enum eg_layer) */
    bool counts;         /* refused is known */
    uint64_t refused;    /* in its whole tree */
};

/* What brings a process up to date. */
enum eg_guarded_action {
    EG_GUARDED_RESTART,
    EG_GUARDED_RELOAD,  /* it may start itself again, and its supervisor then starts it anew */
    EG_GUARDED_COMPILE, /* its compiled policy, by hand; and restart it */
};

struct eg_guarded_stale {
    pid_t pid;
    char policy[64];
    char *path;
    enum eg_guarded_action action;
    const char *kind;       /* of what must be restarted: "unit", "container", "process" */
    char name[EG_UNIT_MAX]; /* of it: a systemd unit, a container, a number */
};

struct eg_guarded_list {
    struct eg_guarded *items; /* by pid */
    size_t count;
    struct eg_guarded_stale *stale; /* one a tree or process and file */
    size_t stale_count;
    size_t unreadable; /* processes with a filter that only others may look at */
};

/* "restart", "reload", "compile". */
const char *eg_guarded_action_name(enum eg_guarded_action action);

/* 0 or -errno; free the list in either case. */
int eg_guarded_find(struct eg_guarded_list *ret);
void eg_guarded_free(struct eg_guarded_list *list);

#endif
