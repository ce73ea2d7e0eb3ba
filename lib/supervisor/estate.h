// SPDX-License-Identifier: MIT
/* What a process keeps over execve(2), taken from one process and put on by
 * another: open files, working directory, umask, limits, priority, blocked and
 * ignored signals.
 *
 * Its number is another one, and what belongs to the number is not kept:
 * children, POSIX locks, timers, the parent's wait. */
#ifndef EG_SUPERVISOR_ESTATE_H
#define EG_SUPERVISOR_ESTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "supervisor/digest.h"

struct eg_estate_file {
    int number; /* there */
    int fd;     /* ours; above every number */
};

struct eg_estate {
    pid_t pid; /* whose it was */
    int process, cwd;
    mode_t umask;
    int priority;
    uint64_t blocked, ignored; /* bit n - 1: signal n */
    struct rlimit limits[RLIM_NLIMITS];
    struct eg_estate_file *files;
    size_t file_count;
};

/* Take it from a process that waits for us in a system call.  0 or -errno; end
 * with eg_estate_done in either case. */
int eg_estate_take(pid_t pid, struct eg_estate *ret);
void eg_estate_done(struct eg_estate *estate);

/* Put it on, in the process that is to have it.  First all but files and signals,
 * while nothing holds it back; then, in a descriptor table of its own and right
 * before the exec, the rest.  0 or -errno. */
int eg_estate_put_on(const struct eg_estate *estate);
int eg_estate_open_files(const struct eg_estate *estate);
void eg_estate_set_signals(const struct eg_estate *estate);

/* Whoever this process is to the kernel: users, groups, capabilities,
 * no_new_privs.  False: it cannot be looked at, or it lives in another root. */
bool eg_estate_identity(pid_t pid, unsigned char ret[EG_DIGEST_SIZE]);

/* Which of its signals wait for it (bit n - 1: signal n). */
uint64_t eg_estate_pending(pid_t pid);

#endif
