// SPDX-License-Identifier: MIT
/* `execguard agent`: one process that supervises many trees, each handed to it
 * over a socket by a container runtime or by `execguard exec`. */
#ifndef EG_SUPERVISOR_AGENT_H
#define EG_SUPERVISOR_AGENT_H

#include "blob/blob.h"

#include <sys/types.h>

#define EG_AGENT_UIDS_MAX 16u

/* Whose file systems a policy's programs are looked up in. */
struct eg_agent_view {
    pid_t pid;    /* a process that has them */
    bool foreign; /* they are not the agent's own */
};

struct eg_agent_options {
    const char *socket;
    bool has_group;
    gid_t group;                   /* may connect too: mode 0660 */
    uid_t uids[EG_AGENT_UIDS_MAX]; /* who may, beside root and the agent's own user */
    size_t uid_count;
    unsigned max_listeners; /* of all peers */
    unsigned max_per_uid;   /* of each peer but root */

    /* Compile policy `name` as seen in the process's current root and write the
     * blob to descriptor `out`; called in a child of its own.  view.foreign: not
     * the agent's own root.  prepare loads the text, before the child has left the
     * agent's root; finish compiles it, after.  0, or an exit status with the
     * reason printed. */
    int (*prepare)(void *context, const char *name, bool foreign);
    int (*finish)(void *context, int out);
    void *context;
    /* The path of a program that is no longer what the blob was compiled for, or
     * NULL; asked in the agent's own root. */
    const char *(*stale)(const struct eg_blob *blob);
};

/* Serve until SIGTERM.  Returns an exit status; errors are printed to stderr. */
int eg_agent_run(const struct eg_agent_options *options);

#endif
