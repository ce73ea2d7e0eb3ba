// SPDX-License-Identifier: MIT
/* Who waits for an answer, and what for: from /proc, where a process that the
 * kernel holds in open(2) stands still. */
#ifndef EG_UPLOAD_WATCH_OPENER_H
#define EG_UPLOAD_WATCH_OPENER_H

#include "upload/watch_parts.h"

enum eg_watch_intent { EG_WATCH_INTENT_UNKNOWN, EG_WATCH_INTENT_READ, EG_WATCH_INTENT_WRITE };

/* What the thread asks for.  proc_pid_syscall(5): the registers that the kernel
 * saved at its entry, which no other thread can change.  Unknown: io_uring, NFS
 * server, another architecture. */
enum eg_watch_intent eg_watch_opener_intent(pid_t thread);

/* Has its process the file open for writing, itself? */
bool eg_watch_opener_writes(pid_t thread, dev_t dev, ino_t ino);

/* Another watcher or `scan`, run by root from our own program? */
bool eg_watch_opener_is_ours(const struct eg_watch *watch, pid_t thread);

/* The path of a descriptor, as the kernel names it now; " (deleted)" is taken off
 * a file without a name.  0 or -errno. */
int eg_watch_path_of(int fd, char ret[PATH_MAX]);

#endif
