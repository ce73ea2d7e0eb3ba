// SPDX-License-Identifier: MIT
/* Purpose: the process that the caller of `execguard run` sees: it waits, passes
 * signals on, stops and continues with the worker, and exits as it did. */
#include "supervisor/run.h"

#include "supervisor/loop.h"
#include "supervisor/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Kill the children there are now; more appear as they die and leave theirs. */
static void kill_children(void)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return;
    text[n] = '\0';
    /* a number cut at the end of the buffer would be somebody else's */
    char *end = n == (ssize_t)sizeof text - 1 ? strrchr(text, ' ') : text + n;
    if (end) *end = '\0';
    for (char *at = text; *at;) {
        long pid = strtol(at, &at, 10);
        if (pid > 0) kill((pid_t)pid, SIGKILL);
        at += strspn(at, " ");
    }
}

void eg_run_end_tree(void)
{
    for (;;) {
        kill_children();
        pid_t pid = waitpid(-1, NULL, WNOHANG | __WALL);
        if (pid < 0 && errno == ECHILD) return;
        if (pid == 0) {
            const struct timespec moment = { 0, 2000000 };
            nanosleep(&moment, NULL);
        }
    }
}

static int exit_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A signal that the terminal sent went to the worker too: it is in our group. */
static void pass_on(const struct signalfd_siginfo *info, pid_t supervisor)
{
    if (info->ssi_code != SI_KERNEL) kill(supervisor, (int)info->ssi_signo);
}

/* As process 1 we are handed orphans from outside the tree (`docker exec'). */
static void reap_orphans(pid_t supervisor)
{
    siginfo_t info;
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 ||
            info.si_pid == supervisor)
            return;
        waitpid(info.si_pid, NULL, 0);
    }
}

static int wait_for_report(pid_t supervisor, int reports, int signals)
{
    for (;;) {
        struct pollfd fds[] = { { reports, POLLIN, 0 }, { signals, POLLIN, 0 } };
        if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
        if (fds[0].revents) {
            struct eg_loop_report report;
            if (read(reports, &report, sizeof report) != (ssize_t)sizeof report) break;
            if (report.stopped) {
                raise(SIGSTOP);
                continue;
            }
            return report.status;
        }
        struct signalfd_siginfo info;
        if (!fds[1].revents || read(signals, &info, sizeof info) != (ssize_t)sizeof info) continue;
        if (info.ssi_signo == SIGCHLD)
            reap_orphans(supervisor);
        else
            pass_on(&info, supervisor);
    }
    /* the supervisor is gone without a word: nothing may run on unjudged */
    int status = 0;
    kill(supervisor, SIGKILL);
    waitpid(supervisor, &status, 0);
    eg_run_end_tree();
    /* it exits with 125 by itself when the worker could not be started */
    if (WIFEXITED(status) && WEXITSTATUS(status)) return exit_status(status);
    fprintf(stderr, "execguard: the supervisor died; the worker's processes were ended\n");
    return EG_STATUS_FAILED;
}

int eg_run(struct eg_run *run)
{
    sigset_t all, before;
    /* an ignored SIGCHLD would throw our children's statuses away */
    run->ignores_children = signal(SIGCHLD, SIG_DFL) == SIG_IGN;
    int reports[2];
    eg_signals_all(&all);
    if (eg_signals_mask(SIG_BLOCK, &all, &before) < 0 || pipe2(reports, O_CLOEXEC) < 0 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
        fprintf(stderr, "execguard: cannot prepare to supervise: %s\n", strerror(errno));
        return EG_STATUS_FAILED;
    }
    int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    pid_t main_pid = getpid();
    pid_t supervisor = signals < 0 || self < 0 ? -1 : fork();
    if (supervisor < 0) {
        fprintf(stderr, "execguard: cannot start the supervisor: %s\n", strerror(errno));
        return EG_STATUS_FAILED;
    }
    if (supervisor == 0) {
        close(reports[0]);
        close(signals);
        _exit(eg_loop_supervise(run, &before, main_pid, self, reports[1]));
    }
    close(reports[1]);
    return wait_for_report(supervisor, reports[0], signals);
}
