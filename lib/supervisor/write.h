// SPDX-License-Identifier: MIT
/* Changes to upload trees: the supervisor makes them in the worker's place.
 *
 * Upload trees are not in the worker's Landlock write set.  A notified call whose
 * folder lies in one is judged and done here, on descriptors that were resolved
 * once and are held, as the caller would have done it: its root, working
 * directory, file system user and groups, capabilities, umask and limits.  So
 * nothing can change between check and use.  A call about anything else goes on
 * in the kernel, where the domain holds it whatever its path says by then.
 *
 * Whatever may wait (another machine's file system, a lease, the reading of a big
 * file) is done by helper threads; the loop only takes their results. */
#ifndef EG_SUPERVISOR_WRITE_H
#define EG_SUPERVISOR_WRITE_H

#include "supervisor/notify.h"

#include <stdbool.h>

struct eg_tree;
struct eg_writes;

/* What a tree needs for it; NULL: out of memory or descriptors.  Only for blobs
 * that eg_writes_wanted is true of. */
struct eg_writes *eg_writes_new(struct eg_tree *tree);

/* Does this policy have upload trees or write rules? */
bool eg_writes_wanted(const struct eg_tree *tree);

/* Watch what this process, the first of the tree, was given open for writing: it was
 * opened before anybody was asked. */
void eg_writes_adopt(struct eg_writes *writes, pid_t pid);

/* Ends the helpers' work; whoever waits for them is refused.  NULL is fine. */
void eg_writes_free(struct eg_writes *writes);

/* Readable (poll(2)) when eg_writes_turn has something to do.  Owned by writes;
 * -1 for NULL. */
int eg_writes_fd(const struct eg_writes *writes);

/* Answer what helpers finished, judge files that were closed.  Never blocks. */
void eg_writes_turn(struct eg_writes *writes);

/* Judge what was closed until now; waits for it, at most half a minute. */
void eg_writes_settle(struct eg_writes *writes);

/* The tree's last process is gone: the same, then what somebody outside of the tree,
 * who was given it, holds open still: as it is. */
void eg_writes_finish(struct eg_writes *writes);

/* The same for who cannot wait: begin, go on with eg_writes_turn when eg_writes_fd is
 * readable, until all is judged. */
void eg_writes_end(struct eg_writes *writes);
bool eg_writes_settled(const struct eg_writes *writes);

#endif
