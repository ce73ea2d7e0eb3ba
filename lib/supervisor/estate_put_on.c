// SPDX-License-Identifier: MIT
/* Purpose: what a process keeps over execve(2), put on by its successor.  In the clone
 * of a process with threads, so by system calls alone: become.c. */
#include "supervisor/estate.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/signals.h"

static int set_limit(const struct eg_estate *estate, int which)
{
    struct rlimit own;
    const struct rlimit *limit = &estate->limits[which];
    if (syscall(SYS_prlimit64, 0, which, NULL, &own) < 0) return -errno;
    if (own.rlim_cur == limit->rlim_cur && own.rlim_max == limit->rlim_max) return 0;
    return syscall(SYS_prlimit64, 0, which, limit, NULL) < 0 ? -errno : 0;
}

int eg_estate_put_on(const struct eg_estate *estate)
{
    int error = 0;
    umask(estate->umask);
    if (fchdir(estate->cwd) < 0) return -errno;
    /* that of open files counts the supervisor's too as yet */
    for (int i = 0; !error && i < RLIM_NLIMITS; i++)
        if (i != RLIMIT_NOFILE) error = set_limit(estate, i);
    if (error) return error;
    if (getpriority(PRIO_PROCESS, 0) != estate->priority &&
        setpriority(PRIO_PROCESS, 0, estate->priority) < 0)
        return -errno;
    return 0;
}

static bool is_among(const struct eg_estate *estate, int number)
{
    for (size_t i = 0; i < estate->file_count; i++)
        if (estate->files[i].number == number) return true;
    return false;
}

int eg_estate_open_files(const struct eg_estate *estate)
{
    /* ours is the supervisor's table still: become.c */
    if (unshare(CLONE_FILES) < 0) return -errno;
    for (size_t i = 0; i < estate->file_count; i++)
        if (dup3(estate->files[i].fd, estate->files[i].number, 0) < 0) return -errno;
    /* the supervisor's own three are the only ones that an exec would keep */
    for (int number = 0; number < 3; number++)
        if (!is_among(estate, number)) close(number);
    return set_limit(estate, RLIMIT_NOFILE);
}

void eg_estate_set_signals(const struct eg_estate *estate)
{
    sigset_t mask;
    for (int number = 1; number <= 64; number++)
        if (number != SIGKILL && number != SIGSTOP)
            eg_signals_reset(number, estate->ignored >> (number - 1) & 1);
    memset(&mask, 0, sizeof mask);
    memcpy(&mask, &estate->blocked, sizeof estate->blocked);
    eg_signals_mask(SIG_SETMASK, &mask, NULL);
}
