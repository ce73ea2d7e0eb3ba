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
 *   reloaded         a second tree; the first is served until its last task is gone
 *
 * Signals and children arrive as descriptors; nothing here blocks but poll. */
#include "supervisor/loop.h"

#include "supervisor/loop_parts.h"
#include "supervisor/signals.h"
#include "supervisor/status.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* What was refused in all trees. */
static uint64_t count_denied(const struct loop *loop, uint64_t *ret_raced)
{
    uint64_t denied = loop->denied, raced = loop->raced;
    for (size_t i = 0; i < loop->count; i++) {
        denied += loop->wards[i].tree->denied;
        raced += loop->wards[i].tree->raced;
    }
    if (ret_raced) *ret_raced = raced;
    return denied;
}

static void remove_ward(struct loop *loop, size_t index)
{
    eg_ward_end(loop, &loop->wards[index]);
    loop->count--;
    memmove(&loop->wards[index], &loop->wards[index + 1],
            (loop->count - index) * sizeof loop->wards[0]);
}

static void tell(struct loop *loop, int status, int stopped)
{
    struct eg_loop_report report = { status, stopped };
    ssize_t n = write(loop->report, &report, sizeof report);
    if (n != (ssize_t)sizeof report) loop->done = true; /* main is gone: its pidfd says so too */
}

static void summarise(const struct loop *loop)
{
    uint64_t raced, denied = count_denied(loop, &raced);
    if (!loop->count || !loop->run->summary || !(denied || raced)) return;
    fprintf(stderr, "execguard: %s: %llu refused%s\n",
            eg_blob_cstr(loop->run->blob, loop->run->blob->name), (unsigned long long)denied,
            loop->run->blob->flags & EG_BLOB_LOG_MODE ? " in enforce mode (log mode now)" : "");
}

/* Whoever asked for a report takes its absence for success: it must be there. */
static void finish_report(struct loop *loop)
{
    int error = eg_report_finish(loop->run->report, loop->count != 0);
    if (!error) return;
    fprintf(stderr, "execguard: the report cannot be written: %s\n", strerror(-error));
    loop->status = EG_STATUS_FAILED;
}

static void worker_ended(struct loop *loop, int status)
{
    loop->worker = 0;
    loop->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    /* with process 1 they would end, and we with them, before what they hold is read */
    if (loop->count && loop->main_pid == 1) eg_run_end_tree();
    for (size_t i = 0; i < loop->count; i++) eg_writes_settle(loop->wards[i].tree->writes);
    bool observes = loop->run->blob->flags & EG_BLOB_LOG_MODE;
    if (loop->run->strict && !loop->count) {
        fprintf(stderr, "execguard: --strict: there was no supervisor to see what was refused\n");
        loop->status = EG_STATUS_FAILED;
    }
    if (loop->run->strict && !observes && loop->status == 0 && count_denied(loop, NULL))
        loop->status = EG_STATUS_STRICT;
    summarise(loop);
    finish_report(loop);
    tell(loop, loop->status, 0);
    /* without a listener there is nothing left to do for who lives on */
    if (!loop->count) loop->done = true;
}

/* --- Children and signals ---------------------------------------------------------- */

static void reap(struct loop *loop)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (WIFSTOPPED(status)) {
            if (pid == loop->worker) tell(loop, 0, 1);
            continue;
        }
        if (eg_heir_reap(loop, pid, status)) continue;
        for (size_t i = 0; i < loop->count; i++) eg_images_forget(loop->wards[i].tree->images, pid);
        if (pid != loop->worker) continue;
        eg_heir_end(loop);
        worker_ended(loop, status);
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

/* --- Trees ---------------------------------------------------------------------- */

/* The listener has something to say.  0: go on; 1: the tree's last task is gone;
 * -errno. */
static int listen_once(struct loop *loop, struct eg_tree *tree, short events)
{
    if (events & POLLIN) {
        int error = eg_tree_serve(tree);
        return error == -ENOENT ? 0 : error;
    }
    if (!(events & (POLLHUP | POLLERR))) return 0;
    bool worker = tree->worker == loop->worker;
    reap(loop);
    if (!worker || !loop->worker) return 1;
    /* the worker was never guarded, or its end is still on the way */
    close(tree->listener);
    tree->listener = -1;
    return 0;
}

static void publish(const struct loop *loop)
{
    struct eg_status *status = eg_status_begin("run");
    for (size_t i = 0; i < loop->count; i++)
        eg_status_add(status, loop->wards[i].tree, loop->wards[i].layers);
    eg_status_end(status);
}

/* The wards' trees, and last the heir's. */
static struct eg_tree *tree_at(const struct loop *loop, size_t index)
{
    return index < loop->count ? loop->wards[index].tree : loop->heir.tree;
}

static bool is_served(const struct loop *loop, const struct eg_tree *tree)
{
    for (size_t i = 0; i <= loop->count; i++)
        if (tree_at(loop, i) == tree) return true;
    return false;
}

/* The tree's last task is gone.  True: it was the last tree. */
static bool lose_tree(struct loop *loop, struct eg_tree *tree)
{
    size_t at = 0;
    while (at < loop->count && loop->wards[at].tree != tree) at++;
    if (at == loop->count) return false;
    if (loop->count == 1) return true;
    if (!loop->wards[at].ends) eg_writes_end(tree->writes);
    loop->wards[at].ends = true;
    if (eg_writes_settled(tree->writes)) {
        remove_ward(loop, at);
        return false;
    }
    /* what it closed last is being judged, and the other trees do not wait for that */
    if (tree->listener >= 0) close(tree->listener);
    tree->listener = -1;
    return false;
}

/* Is it one whose last task is gone? */
static bool is_lost(const struct loop *loop, const struct eg_tree *tree)
{
    return tree->listener < 0 && !(loop->worker && tree == loop->wards[0].tree);
}

/* What poll(2) said of these trees; a turn can add and remove some.  0: go on; 1:
 * nobody is left; -errno. */
static int serve_trees(struct loop *loop, struct eg_tree *const *trees, const struct pollfd *fds,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_served(loop, trees[i])) continue;
        if (fds[2 * i + 1].revents) eg_writes_turn(trees[i]->writes);
        int r = listen_once(loop, trees[i], fds[2 * i].revents);
        if (r < 0) return r;
        if (!r && !(is_served(loop, trees[i]) && is_lost(loop, trees[i]))) continue;
        if (lose_tree(loop, trees[i])) return 1;
    }
    if (loop->worker || !loop->count || loop->wards[0].tree->listener >= 0) return 0;
    return lose_tree(loop, loop->wards[0].tree);
}

static int nearer(int a, int b)
{
    if (a < 0 || b < 0) return a < 0 ? b : a;
    return a < b ? a : b;
}

static int serve(struct loop *loop, int signals, int main_process)
{
    while (!loop->done) {
        struct pollfd fds[2 + 2 * (WARDS_MAX + 1)] = {
            { signals, POLLIN, 0 },
            /* after the worker's end main exits as it should */
            { loop->worker ? main_process : -1, POLLIN, 0 },
        };
        struct eg_tree *trees[WARDS_MAX + 1];
        size_t count = loop->count + (loop->heir.tree != NULL);
        for (size_t i = 0; i < count; i++) {
            trees[i] = tree_at(loop, i);
            fds[2 + 2 * i] = (struct pollfd){ trees[i]->listener, POLLIN, 0 };
            fds[3 + 2 * i] = (struct pollfd){ eg_writes_fd(trees[i]->writes), POLLIN, 0 };
        }
        int wait = loop->count ? eg_status_wait(&loop->clock, count_denied(loop, NULL)) : -1;
        if (wait == 0) publish(loop);
        wait = nearer(wait, eg_succession_wait(&loop->succession));
        if (poll(fds, 2 + 2 * count, wait) < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        if (fds[1].revents) {
            eg_run_end_tree();
            return -ECHILD;
        }
        if (fds[0].revents & POLLIN) take_signal(loop, signals);
        int r = serve_trees(loop, trees, fds + 2, count);
        if (r) return r < 0 ? r : 0;
        eg_heir_mind(loop);
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
    loop.succession.renewal = run->renewal;
    int error =
        eg_ward_start(run, mask, main_pid, NULL, &loop.succession, &loop.wards[0], &loop.worker);
    if (error) return error; /* an exit status; the reason was printed */
    loop.count = loop.wards[0].tree != NULL;
    error = serve(&loop, signals, main_process);
    if (error && error != -ECHILD) {
        fprintf(stderr, "execguard: the listener failed: %s\n", strerror(-error));
        eg_run_end_tree();
        loop.status = EG_STATUS_FAILED;
    }
    eg_succession_free(&loop.succession);
    while (loop.count) remove_ward(&loop, loop.count - 1);
    if (loop.clock.published) eg_status_remove();
    return loop.status;
}
