// SPDX-License-Identifier: MIT
/* Finds the guarded processes that live. */
#ifndef EG_CLI_GUARDED_H
#define EG_CLI_GUARDED_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

struct eg_guarded_stale {
    pid_t pid;
    char policy[64];
    char *path;
    char what[160]; /* what must be restarted */
};

struct eg_guarded_list {
    struct eg_guarded *items; /* by pid */
    size_t count;
    struct eg_guarded_stale *stale; /* one a tree or process and file */
    size_t stale_count;
    size_t unreadable; /* processes with a filter that only others may look at */
};

/* 0 or -errno; free the list in either case. */
int eg_guarded_find(struct eg_guarded_list *ret);
void eg_guarded_free(struct eg_guarded_list *list);

#endif
