// SPDX-License-Identifier: MIT
/* system(3) of our own: libc's would start the shell past every hook.
 *
 * Signals as POSIX has them: while a command runs, SIGINT and SIGQUIT are
 * ignored in this process (counted over concurrent calls, as glibc does) and
 * SIGCHLD is blocked in this thread.  Unlike libc's, this system() is no
 * cancellation point: a pending cancellation acts after it. */
#include <asm/signal.h>
#include <linux/errno.h>

#include "shim/hooks.h"
#include "shim/rewrite.h"
#include "shim/signals.h"

#define SIGNAL_BIT(n) (UINT64_C(1) << ((n)-1))
#define NOT_RUN       (127 << 8) /* status of a shell that could not be executed */

/* Who ignores SIGINT and SIGQUIT, and what they were before.  `holder` is the
 * process that is changing the rest; a forked child finds its parent's number
 * there and takes over, so nobody waits for a thread that does not exist. */
static struct {
    uint32_t holder; /* atomic */
    uint32_t pid;    /* whose count it is */
    uint32_t running;
    struct eg_sigaction interrupt;
    struct eg_sigaction quit;
} ignoring;

/* Called with all signals blocked, so the holder cannot be interrupted. */
static void hold(uint32_t pid)
{
    for (;;) {
        uint32_t holder = __atomic_load_n(&ignoring.holder, __ATOMIC_RELAXED);
        if (holder != pid && __atomic_compare_exchange_n(&ignoring.holder, &holder, pid, false,
                                                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        eg_sys(__NR_sched_yield);
    }
}

static void release(void)
{
    __atomic_store_n(&ignoring.holder, 0, __ATOMIC_RELEASE);
}

/* Start ignoring; returns the signals that the child must have as default. */
static uint64_t ignore(void)
{
    static const struct eg_sigaction ignored = { .handler = EG_SIG_IGN };
    uint32_t pid = (uint32_t)eg_sys(__NR_getpid);
    uint64_t mask = 0;
    uint64_t ret = 0;
    eg_child_block_signals(~UINT64_C(0), &mask);
    hold(pid);
    if (ignoring.pid != pid) {
        ignoring.pid = pid;
        ignoring.running = 0;
    }
    if (ignoring.running++ == 0) {
        eg_signal_action(SIGINT, &ignored, &ignoring.interrupt);
        eg_signal_action(SIGQUIT, &ignored, &ignoring.quit);
    }
    if (ignoring.interrupt.handler != EG_SIG_IGN) ret |= SIGNAL_BIT(SIGINT);
    if (ignoring.quit.handler != EG_SIG_IGN) ret |= SIGNAL_BIT(SIGQUIT);
    release();
    eg_child_set_signals(mask);
    return ret;
}

static void restore(void)
{
    uint32_t pid = (uint32_t)eg_sys(__NR_getpid);
    uint64_t mask = 0;
    eg_child_block_signals(~UINT64_C(0), &mask);
    hold(pid);
    if (ignoring.pid == pid && --ignoring.running == 0) {
        eg_signal_action(SIGINT, &ignoring.interrupt, NULL);
        eg_signal_action(SIGQUIT, &ignoring.quit, NULL);
    }
    release();
    eg_child_set_signals(mask);
}

static __attribute__((noinline)) int run(const struct eg_call *call, struct eg_image *image)
{
    struct eg_environment environment;
    struct eg_child child = { .call = call, .image = image, .from = -1 };
    int status = NOT_RUN;
    int r = eg_execute_environment(call, image, EG_ENVIRON, &environment);
    if (r) return (int)eg_shim_result(r);
    child.envp = environment.envp;
    child.defaults = ignore();
    eg_child_block_signals(SIGNAL_BIT(SIGCHLD), &child.mask);
    long pid = eg_child_start(&child);
    r = pid < 0 ? (int)pid : eg_child_wait(pid, &status);
    restore();
    eg_child_set_signals(child.mask);
    eg_environment_done(&environment);
    if (r < 0) return (int)eg_shim_result(r);
    return eg_rewrite_wait_status(image->line && image->waits, status);
}

static __attribute__((noinline)) int run_line(const char *name, const char *line)
{
    struct eg_call call = { .name = name, .has_line = true, .line = eg_str(line) };
    struct eg_image image;
    int r = eg_image_shell(&image, &call, line, EG_ENVIRON);
    return r ? NOT_RUN : run(&call, &image);
}

/* system(NULL): could a command run at all? */
static __attribute__((noinline)) int available(const char *name)
{
    struct eg_call call = { .name = name, .quiet = true };
    struct eg_image image;
    if (eg_shim_enter() == EG_PHASE_READY && (eg_shim.blob->flags & EG_BLOB_SHELL_REWRITE))
        return 1;
    return eg_image_shell(&image, &call, ":", EG_ENVIRON) == 0;
}

int system(const char *line)
{
    return line ? run_line("system", line) : available("system");
}

int __libc_system(const char *line)
{
    return line ? run_line("__libc_system", line) : available("__libc_system");
}
