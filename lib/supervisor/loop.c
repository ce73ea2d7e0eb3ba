// SPDX-License-Identifier: MIT
/* Purpose: serve one worker's tree.
 *
 *   event            worker runs              worker ended, others live
 *   ---------------  -----------------------  -------------------------
 *   notification     answer                   answer
 *   child changed    reap; report the end     reap
 *   other signal     pass on to the worker    (nobody to pass it to)
 *   main died        end the tree             -
 *   listener closed  (last task gone) stop    stop
 *
 * Signals and children arrive as descriptors; nothing here blocks but poll. */
#include "supervisor/loop.h"

#include "supervisor/signals.h"
#include "supervisor/start.h"
#include "supervisor/status.h"
#include "supervisor/tree.h"

#include "guard/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct loop {
    const struct eg_run *run;
    struct eg_tree *tree; /* NULL: no listener (optional supervisor) */
    pid_t worker;         /* 0: ended */
    pid_t main_pid;
    int report;
    int status;
    bool done;
    uint32_t layers; /* that were installed */
    struct eg_status_clock clock;
};

static void tell(struct loop *loop, int status, int stopped)
{
    struct eg_loop_report report = { status, stopped };
    ssize_t n = write(loop->report, &report, sizeof report);
    if (n != (ssize_t)sizeof report) loop->done = true; /* main is gone: its pidfd says so too */
}

static void summarise(const struct loop *loop)
{
    const struct eg_tree *tree = loop->tree;
    if (!tree || !loop->run->summary || !(tree->denied || tree->raced)) return;
    fprintf(stderr, "execguard: %s: %llu refused%s\n",
            eg_blob_cstr(loop->run->blob, loop->run->blob->name), (unsigned long long)tree->denied,
            loop->run->blob->flags & EG_BLOB_LOG_MODE ? " in enforce mode (log mode now)" : "");
}

/* Whoever asked for a report takes its absence for success: it must be there. */
static void finish_report(struct loop *loop)
{
    int error = eg_report_finish(loop->run->report, loop->tree != NULL);
    if (!error) return;
    fprintf(stderr, "execguard: the report cannot be written: %s\n", strerror(-error));
    loop->status = EG_STATUS_FAILED;
}

static void worker_ended(struct loop *loop, int status)
{
    loop->worker = 0;
    loop->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (loop->tree) {
        /* with process 1 they would end, and we with them, before what they hold is read */
        if (loop->main_pid == 1) eg_run_end_tree();
        eg_writes_settle(loop->tree->writes);
    }
    bool observes = loop->run->blob->flags & EG_BLOB_LOG_MODE;
    if (loop->run->strict && !loop->tree) {
        fprintf(stderr, "execguard: --strict: there was no supervisor to see what was refused\n");
        loop->status = EG_STATUS_FAILED;
    }
    if (loop->run->strict && !observes && loop->status == 0 && loop->tree && loop->tree->denied)
        loop->status = EG_STATUS_STRICT;
    summarise(loop);
    finish_report(loop);
    tell(loop, loop->status, 0);
    /* without a listener there is nothing left to do for who lives on */
    if (!loop->tree) loop->done = true;
}

static void reap(struct loop *loop)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (WIFSTOPPED(status)) {
            if (pid == loop->worker) tell(loop, 0, 1);
            continue;
        }
        if (loop->tree) eg_images_forget(loop->tree->images, pid);
        if (pid == loop->worker) worker_ended(loop, status);
    }
}

static void take_signal(struct loop *loop, int signals)
{
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
        int number = (int)info.ssi_signo;
        if (number == SIGCHLD)
            reap(loop);
        else if (loop->worker && info.ssi_code != SI_KERNEL)
            kill(loop->worker, number);
    }
}

/* The listener has something to say.  0: go on; 1: the last guarded task is gone;
 * -errno. */
static int listen_once(struct loop *loop, short events)
{
    struct eg_tree *tree = loop->tree;
    if (!tree) return 0;
    if (events & POLLIN) {
        int error = eg_tree_serve(tree);
        return error == -ENOENT ? 0 : error;
    }
    if (!(events & (POLLHUP | POLLERR))) return 0;
    reap(loop);
    if (!loop->worker) return 1;
    /* the worker was never guarded, or its end is still on the way */
    close(tree->listener);
    tree->listener = -1;
    return 0;
}

/* What must be there, or the worker would not have started. */
static uint32_t layers_of(const struct eg_blob *blob)
{
    uint32_t layers = 1u << EG_LAYER_SUPERVISOR;
    if (blob->flags & EG_BLOB_LOG_MODE) return layers;
    layers |= 1u << EG_LAYER_FILTER | 1u << EG_LAYER_DOMAIN;
    if (blob->flags & EG_BLOB_LIMIT_CAPS) layers |= 1u << EG_LAYER_CAPABILITIES;
    /* what is optional may be missing; the supervisor is here */
    return (layers & ~blob->optional_layers) | 1u << EG_LAYER_SUPERVISOR;
}

static void publish(const struct loop *loop)
{
    struct eg_status *status = eg_status_begin("run");
    eg_status_add(status, loop->tree, loop->layers);
    eg_status_end(status);
}

static int serve(struct loop *loop, int signals, int main_process)
{
    while (!loop->done) {
        struct pollfd fds[] = {
            { loop->tree ? loop->tree->listener : -1, POLLIN, 0 },
            { signals, POLLIN, 0 },
            /* after the worker's end main exits as it should */
            { loop->worker ? main_process : -1, POLLIN, 0 },
            { loop->tree ? eg_writes_fd(loop->tree->writes) : -1, POLLIN, 0 },
        };
        int wait = loop->tree ? eg_status_wait(&loop->clock, loop->tree->denied) : -1;
        if (wait == 0) publish(loop);
        if (poll(fds, 4, wait) < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        if (fds[2].revents) {
            eg_run_end_tree();
            return -ECHILD;
        }
        if (fds[1].revents & POLLIN) take_signal(loop, signals);
        if (loop->tree && fds[3].revents) eg_writes_turn(loop->tree->writes);
        int r = listen_once(loop, fds[0].revents);
        if (r) return r < 0 ? r : 0;
        if (!loop->worker && loop->tree && loop->tree->listener < 0) return 0;
    }
    return 0;
}

int eg_loop_supervise(const struct eg_run *run, const sigset_t *mask, pid_t main_pid,
                      int main_process, int report)
{
    struct loop loop = { .run = run, .main_pid = main_pid, .report = report };
    sigset_t all;
    eg_signals_all(&all);
    prctl(PR_SET_NAME, "execguard-sup", 0, 0, 0);
    int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
        fprintf(stderr, "execguard: cannot prepare to supervise: %s\n", strerror(errno));
        return EG_STATUS_FAILED;
    }
    struct eg_started started;
    int error = eg_start_worker(run, mask, main_pid, &started);
    if (error) return error; /* an exit status; the reason was printed */
    loop.worker = started.pid;
    if (started.listener >= 0) {
        struct eg_vector start_env = { 0 };
        if (eg_vector_copy(&start_env, (const char *const *)run->envp) == 0)
            loop.tree = eg_tree_new(run->blob, started.listener, &start_env);
        if (!loop.tree) {
            fprintf(stderr, "execguard: out of memory\n");
            eg_run_end_tree();
            return EG_STATUS_FAILED;
        }
        loop.tree->worker = started.pid;
        loop.tree->keeps_users = run->blob->flags & EG_BLOB_KEEPS_NAMESPACES;
        loop.tree->report = run->report;
        loop.tree->worker_program = run->worker[0];
        loop.tree->worker_exe = run->worker_exe;
        loop.layers = layers_of(run->blob);
        loop.tree->synchronous = eg_notify_synchronous(started.listener);
        loop.tree->wait_killable = eg_guard_filter_flags_known(EG_SECCOMP_FLAG_NEW_LISTENER |
                                                               EG_SECCOMP_FLAG_WAIT_KILLABLE);
    }
    error = serve(&loop, signals, main_process);
    if (error && error != -ECHILD) {
        fprintf(stderr, "execguard: the listener failed: %s\n", strerror(-error));
        eg_run_end_tree();
        loop.status = EG_STATUS_FAILED;
    }
    if (loop.tree) eg_writes_finish(loop.tree->writes);
    if (loop.clock.published) eg_status_remove();
    eg_tree_free(loop.tree);
    return loop.status;
}
