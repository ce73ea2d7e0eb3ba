// SPDX-License-Identifier: MIT
/* `execguard watch`: the upload rules of policies, for every program that writes
 * into or opens from an upload tree, by fanotify(7). */
#ifndef EG_UPLOAD_WATCH_H
#define EG_UPLOAD_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "blob/blob.h"

struct eg_watch_options {
    /* Load and compile every policy to be watched, in a process of its own; it
     * prints its messages.  0 with at least one blob in *ret_blobs (malloc'ed
     * array and blobs, never freed), or an exit status. */
    int (*load)(void *context, struct eg_blob ***ret_blobs, size_t *ret_count);
    void *context;
    bool filesystem;      /* judge opens of whole file systems: --filesystem */
    unsigned deadline_ms; /* how long an opener may wait for its answer */
};

/* Watch until SIGTERM or SIGINT; SIGHUP loads the policies anew, without a gap.
 * Needs CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH, CAP_LEASE, CAP_SYS_PTRACE in the initial user
 * namespace.  Returns an exit status: 0 ended by a signal, 125 it could not
 * start (message printed). */
int eg_watch_run(const struct eg_watch_options *options);

#endif
