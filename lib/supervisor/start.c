// SPDX-License-Identifier: MIT
/* Purpose: clone the worker so that its listener lands in the supervisor.
 *
 * The worker shares the supervisor's descriptor table until its exec (CLONE_FILES;
 * execve(2) unshares it), so the listener is the supervisor's the moment the
 * filter is installed: nothing has to be passed, and no trapped call lies in
 * between (crun #1002 deadlocked on one). */
#include "supervisor/start.h"

#include "decide/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* sd_listen_fds(3) and sd_watchdog_enabled(3) compare these with getpid(). */
static void rename_pid(char **envp, const char *name, pid_t from, char buffer[32])
{
    size_t n = strlen(name);
    for (; *envp; envp++) {
        if (strncmp(*envp, name, n) != 0 || (*envp)[n] != '=') continue;
        if (strtol(*envp + n + 1, NULL, 10) != from) continue;
        snprintf(buffer, 32, "%s=%d", name, (int)getpid());
        *envp = buffer;
    }
}

static _Noreturn void fail(const struct eg_guard_error *error)
{
    fprintf(stderr, "execguard: cannot install the %s layer: %s%s%.*s: %s\n",
            eg_layer_name(error->layer), error->what, error->path.n ? ": " : "", (int)error->path.n,
            error->path.n ? error->path.p : "", strerror(error->error));
    if (error->layer == EG_LAYER_SUPERVISOR && error->error == EBUSY)
        fprintf(stderr, "execguard: hint: another seccomp listener guards this process already; "
                        "`optional supervisor` in the policy goes on without\n");
    _exit(EG_STATUS_FAILED);
}

static _Noreturn void become_worker(const struct eg_run *run, const sigset_t *mask, pid_t main_pid,
                                    pid_t supervisor, int told)
{
    static char listen_pid[32], watchdog_pid[32];
    rename_pid(run->envp, "LISTEN_PID", main_pid, listen_pid);
    rename_pid(run->envp, "WATCHDOG_PID", main_pid, watchdog_pid);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != supervisor) _exit(EG_STATUS_FAILED);
    struct eg_guard_error error = { 0 };
    struct eg_guard_plan plan = {
        .blob = run->blob,
        .stage = EG_STAGE_LAUNCH,
        .worker = run->worker,
        .worker_count = run->worker_count,
        .supervised = true,
        .listener_fd = -1,
    };
    if (eg_guard_install(&plan, &error) < 0) fail(&error);
    /* no trapped call from here on but the exec itself */
    uint64_t value = (uint64_t)plan.listener_fd + 2;
    if (write(told, &value, sizeof value) != (ssize_t)sizeof value) _exit(EG_STATUS_FAILED);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execve(run->file, run->argv, run->envp);
    fprintf(stderr, "execguard: cannot execute %s: %s\n", run->file, strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

int eg_start_worker(const struct eg_run *run, const sigset_t *mask, pid_t main_pid,
                    struct eg_started *ret)
{
    int told = eventfd(0, EFD_CLOEXEC);
    pid_t supervisor = getpid();
    /* one thread, so a bare clone is a fork but for the shared table */
    pid_t pid = told < 0 ? -1 : (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (pid < 0) {
        fprintf(stderr, "execguard: cannot start the worker: %s\n", strerror(errno));
        return EG_STATUS_FAILED;
    }
    if (pid == 0) become_worker(run, mask, main_pid, supervisor, told);
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd fds[] = { { told, POLLIN, 0 }, { process, POLLIN, 0 } };
    while (poll(fds, 2, -1) < 0 && errno == EINTR) continue;
    uint64_t value = 0;
    int status = 0;
    if (fds[0].revents && read(told, &value, sizeof value) == (ssize_t)sizeof value && value) {
        ret->pid = pid;
        ret->listener = (int)value - 2;
    } else {
        waitpid(pid, &status, 0);
        status = WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EG_STATUS_FAILED;
    }
    close(process);
    close(told);
    return status;
}
