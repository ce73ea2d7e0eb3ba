// SPDX-License-Identifier: MIT
/* Purpose: clone the worker so that its listener lands in the supervisor.
 *
 * The worker shares the supervisor's descriptor table until its exec (CLONE_FILES;
 * execve(2) unshares it), so the listener is the supervisor's the moment the
 * filter is installed: nothing has to be passed, and no trapped call lies in
 * between (crun #1002 deadlocked on one). */
#include "supervisor/start.h"

#include "supervisor/become.h"
#include "supervisor/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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
    const struct eg_birth birth = { run, mask, named, estate, getpid(), told, go };
    /* a bare clone: a fork but for the shared table, and without what libc does in one
     * for its locks; become.c needs none, whoever of our threads holds them */
    pid_t pid =
        told < 0 || go < 0 ? -1 : (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (pid < 0) {
        fprintf(stderr, "execguard: cannot start the worker: %s\n", strerror(errno));
        return EG_STATUS_FAILED;
    }
    if (pid == 0) eg_become_worker(&birth);
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
