// SPDX-License-Identifier: MIT
/* Purpose: clone the worker so that its listener lands in the supervisor.
 *
 * The worker shares the supervisor's descriptor table until its exec (CLONE_FILES;
 * execve(2) unshares it), so the listener is the supervisor's the moment the
 * filter is installed: nothing has to be passed, and no trapped call lies in
 * between (crun #1002 deadlocked on one). */
#include "supervisor/start.h"
#include "supervisor/estate.h"
#include "supervisor/signals.h"

#include "decide/verdict.h"
#include "supervisor/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
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
    static const struct eg_blob any;
    if (error->layer == EG_LAYER_SUPERVISOR && error->error == EBUSY)
        fprintf(stderr, "execguard: hint: another seccomp listener guards this process already; "
                        "`optional supervisor` in the policy goes on without\n");
    else if (error->error == EPERM && eg_guard_query(&any))
        fprintf(stderr, "execguard: hint: another policy guards this process already and refuses "
                        "new filters; `kernel { allow seccomp-filters }` there lets them in\n");
    _exit(EG_STATUS_FAILED);
}

static bool has_capability(int capability)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { 0 }, { 0 } };
    if (syscall(SYS_capget, &header, data) < 0) return false;
    return data[capability / 32].effective & (1u << capability % 32);
}

/* May processes of the tree become another user's?  Then only capabilities let us
 * look at them: CAP_SYS_PTRACE (ptrace(2), "Ptrace access mode checking"), and for
 * the files in /proc that belong to that user one that reads everybody's. */
static bool worker_changes_user(const struct eg_blob *blob)
{
    if (!has_capability(CAP_SETUID)) return false;
    return !(blob->flags & EG_BLOB_LIMIT_CAPS) || blob->capabilities & (UINT64_C(1) << CAP_SETUID);
}

#define OTHER_USERS(names)                                                                         \
    " where root's worker may change its user, since the kernel shows it no other user's "         \
    "processes otherwise: give it (`docker run --cap-add " names "'), or, where none can be "      \
    "added, start it as the worker's user or let the policy's `capabilities' drop setuid"

/* NULL, or what is missing for a worker that changes its user. */
static const char *lacks_for_other_users(const struct eg_blob *blob)
{
    bool may_look = has_capability(CAP_SYS_PTRACE);
    bool may_read = has_capability(CAP_DAC_READ_SEARCH) || has_capability(CAP_DAC_OVERRIDE);
    if (!worker_changes_user(blob) || (may_look && may_read)) return NULL;
    if (may_read) return "it needs CAP_SYS_PTRACE" OTHER_USERS("SYS_PTRACE");
    if (may_look) return "it needs CAP_DAC_READ_SEARCH" OTHER_USERS("DAC_READ_SEARCH");
    return "it needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH" OTHER_USERS(
        "SYS_PTRACE --cap-add DAC_READ_SEARCH");
}

/* Can we supervise this child?  Tried, not asked for: what refuses (Yama, another
 * security module, a container's own filter) need not say so anywhere.  NULL, or
 * why not. */
static const char *try_to_look(const struct eg_run *run, pid_t pid)
{
    static const char word[] = "look";
    char path[EG_PATH_MAX], seen[EG_PATH_MAX];
    struct eg_target target;
    struct eg_process process = { 0 };
    int error = 0;
    const char *lacking = lacks_for_other_users(run->blob);
    if (lacking) return lacking;
    if (eg_remote_process(pid, &process)) return "pidfd_open(2) is refused here";
    if (eg_remote_path(pid, (uint64_t)(uintptr_t)word, seen) || strcmp(seen, word) != 0)
        return "it may not read its children's memory: kernel.yama.ptrace_scope over 1, or a "
               "container's filter without process_vm_readv(2)";
    if (eg_remote_exe(pid, path, &target) || !target.found)
        return "it cannot see its children in /proc: mount it there, without hidepid";
    if (eg_remote_resolve(pid, pid, AT_FDCWD, run->file, 0, path, &target, &error) || !target.found)
        return "it cannot look up paths for its children: openat2(2) is refused here";
    return NULL;
}

/* The child waits until it is settled whether it will be supervised. */
static bool ask_supervisor(int told, int go)
{
    uint64_t value = 1;
    if (write(told, &value, sizeof value) != (ssize_t)sizeof value ||
        read(go, &value, sizeof value) != (ssize_t)sizeof value)
        _exit(EG_STATUS_FAILED);
    return value == 1;
}

/* How a worker is cloned: what both sides know. */
struct birth {
    const struct eg_run *run;
    const sigset_t *mask;
    pid_t named;
    const struct eg_estate *estate;
    pid_t supervisor;
    int told, go;
};

static void inherit(int error, const char *what)
{
    if (!error) return;
    fprintf(stderr, "execguard: the successor cannot have the worker's %s: %s\n", what,
            strerror(-error));
    _exit(EG_STATUS_FAILED);
}

static _Noreturn void become_worker(const struct birth *birth)
{
    static char listen_pid[32], watchdog_pid[32];
    const struct eg_run *run = birth->run;
    int told = birth->told;
    rename_pid(run->envp, "LISTEN_PID", birth->named, listen_pid);
    rename_pid(run->envp, "WATCHDOG_PID", birth->named, watchdog_pid);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != birth->supervisor) _exit(EG_STATUS_FAILED);
    if (birth->estate) inherit(eg_estate_put_on(birth->estate), "folder and limits");
    struct eg_guard_error error = { 0 };
    struct eg_guard_plan plan = {
        .blob = run->blob,
        .stage = EG_STAGE_LAUNCH,
        .worker = run->worker,
        .worker_count = run->worker_count,
        .supervised = ask_supervisor(told, birth->go),
        .listener_fd = -1,
    };
    if (eg_guard_install(&plan, &error) < 0) fail(&error);
    /* no trapped call from here on but the exec itself */
    uint64_t value = (uint64_t)plan.listener_fd + 2;
    if (write(told, &value, sizeof value) != (ssize_t)sizeof value) _exit(EG_STATUS_FAILED);
    if (birth->estate) {
        inherit(eg_estate_open_files(birth->estate), "open files");
        eg_estate_set_signals(birth->estate);
    } else {
        if (run->ignores_children) signal(SIGCHLD, SIG_IGN);
        eg_signals_mask(SIG_SETMASK, birth->mask, NULL);
    }
    execve(run->file, run->argv, run->envp);
    fprintf(stderr, "execguard: cannot execute %s: %s\n", run->file, strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

/* Wait until the child says something.  False: it ended instead. */
static bool hear(int told, int process, uint64_t *ret)
{
    struct pollfd fds[] = { { told, POLLIN, 0 }, { process, POLLIN, 0 } };
    while (poll(fds, 2, -1) < 0 && errno == EINTR) continue;
    return fds[0].revents && read(told, ret, sizeof *ret) == (ssize_t)sizeof *ret;
}

/* 1: supervise; 2: go on without; 0: refused, the child is gone. */
static uint64_t settle(const struct eg_run *run, pid_t pid)
{
    const char *why = try_to_look(run, pid);
    if (!why) return 1;
    /* what observes has no other layer to fall back to */
    bool optional = run->blob->optional_layers & (1u << EG_LAYER_SUPERVISOR) &&
                    !(run->blob->flags & EG_BLOB_LOG_MODE);
    fprintf(stderr, "execguard: %s: %s\n",
            optional ? "going on without the supervisor" : "cannot supervise", why);
    return optional ? 2 : 0;
}

/* It may wait for us, even for our answer to its exec; if it has ended, this changes
 * nothing. */
static int abandon(struct eg_starting *starting)
{
    int status = 0;
    kill(starting->pid, SIGKILL);
    waitpid(starting->pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EG_STATUS_FAILED;
}

static void close_all(struct eg_starting *starting)
{
    close(starting->process);
    close(starting->told);
    close(starting->go);
}

int eg_start_begin(const struct eg_run *run, const sigset_t *mask, pid_t named,
                   const struct eg_estate *estate, struct eg_starting *ret)
{
    int told = eventfd(0, EFD_CLOEXEC), go = eventfd(0, EFD_CLOEXEC);
    const struct birth birth = { run, mask, named, estate, getpid(), told, go };
    /* one thread, so a bare clone is a fork but for the shared table */
    pid_t pid =
        told < 0 || go < 0 ? -1 : (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (pid < 0) {
        fprintf(stderr, "execguard: cannot start the worker: %s\n", strerror(errno));
        return EG_STATUS_FAILED;
    }
    if (pid == 0) become_worker(&birth);
    *ret = (struct eg_starting){ pid, (int)syscall(SYS_pidfd_open, pid, 0), told, go };
    uint64_t value = 0;
    if (ret->process >= 0 && hear(told, ret->process, &value) && (value = settle(run, pid)) &&
        write(go, &value, sizeof value) == (ssize_t)sizeof value)
        return 0;
    int status = abandon(ret);
    close_all(ret);
    return status;
}

int eg_start_finish(struct eg_starting *starting, int *ret_listener)
{
    uint64_t value = 0;
    int status = 0;
    if (hear(starting->told, starting->process, &value))
        *ret_listener = (int)value - 2;
    else
        status = abandon(starting);
    close_all(starting);
    return status;
}
