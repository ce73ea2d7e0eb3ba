// SPDX-License-Identifier: MIT
/* Starts an image in a child that shares our memory until the exec, as vfork
 * does, on a stack of its own (see musl's posix_spawn and glibc's spawni.c).
 *
 * Nothing is done in the child that could be done before: it puts signals and
 * descriptors right and executes. */
#include <asm/signal.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/sched.h>

#include "base/sys.h"
#include "shim/rewrite.h"
#include "shim/signals.h"

#define CHILD_STACK 4096u

static void defaults(const struct eg_child *child)
{
    for (int signal = 1; signal <= EG_SIGNALS; signal++) {
        struct eg_sigaction action;
        if (eg_signal_action(signal, NULL, &action) < 0) continue;
        bool forced = child->defaults >> (signal - 1) & 1;
        if (action.handler == EG_SIG_DFL || (action.handler == EG_SIG_IGN && !forced)) continue;
        action = (struct eg_sigaction){ .handler = EG_SIG_DFL };
        eg_signal_action(signal, &action, NULL);
    }
}

static long descriptors(const struct eg_child *child)
{
    if (child->from < 0) return 0;
    if (child->from == child->to) return eg_sys(__NR_fcntl, child->from, F_SETFD, 0);
    return eg_sys(__NR_dup3, child->from, child->to, 0);
}

static void run(void *argument)
{
    struct eg_child *child = argument;
    /* No handler of the parent's may run here: its memory is the parent's. */
    defaults(child);
    /* First: an earlier stream's descriptor may be where ours goes. */
    if (child->close_streams) eg_popen_close_streams();
    long r = descriptors(child);
    int status = r < 0 ? 127 : 0;
    if (!status && child->image->line) status = eg_rewrite_redirect(child->image);
    if (!status) {
        eg_child_set_signals(child->mask);
        r = child->image->line ? child->image->missing : 0;
        if (r == 0) r = eg_sys(__NR_execve, child->image->path, child->image->argv, child->envp);
        status = 127;
        /* A shell would have started, and said it. */
        if (child->image->line) status = eg_rewrite_failed(child->image, (int)r);
    }
    child->error = child->image->line ? 0 : (int)r;
    child->refused = r == -EACCES;
    eg_sys(__NR_exit_group, status);
}

void eg_child_block_signals(uint64_t set, uint64_t *ret_old)
{
    eg_sys(__NR_rt_sigprocmask, SIG_BLOCK, &set, ret_old, sizeof(set));
}

void eg_child_set_signals(uint64_t mask)
{
    eg_sys(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
}

long eg_child_start(struct eg_child *child)
{
    char stack[CHILD_STACK] __attribute__((aligned(16)));
    uint64_t before = 0;
    child->error = 0;
    child->refused = false;
    eg_child_block_signals(~UINT64_C(0), &before);
    long pid = eg_child_clone(run, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, child);
    eg_child_set_signals(before);
    if (pid > 0 && child->refused) eg_shim_explain_refusal(child->call, &child->image->target);
    return pid;
}

int eg_child_wait(long pid, int *ret_status)
{
    for (;;) {
        int status = 0;
        long r = eg_sys(__NR_wait4, pid, &status, 0, 0);
        if (r == -EINTR) continue;
        if (r < 0) return (int)r;
        *ret_status = status;
        return 0;
    }
}
