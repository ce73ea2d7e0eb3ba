// SPDX-License-Identifier: MIT
/* Purpose: the watcher's parent, which sees that no opener waits for ever.
 *
 *   event                 what is done
 *   --------------------  ---------------------------------------------------------
 *   the child ended       start another; it looks at all trees again
 *   no beat for a while   kill it: the kernel then allows who waits
 *   SIGHUP                start another beside it, with the policies as they are
 *                         now; the old one goes when the new one is ready
 *   SIGTERM, SIGINT       end it, and end
 *
 * The child dies with us, and its groups with it.  Nothing here opens a file. */
#include "upload/watch_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "upload/service.h"

enum {
    TURN_MS = 1000,
    SILENCE_MIN_MS = 4000, /* `opens` goes round ten times a second */
    PAUSE_MAX_MS = 5000,   /* between two starts that fail */
    END_MS = 5000,
};

struct child {
    pid_t pid;
    int ready; /* its end of the pipe is closed when it ends; -1: it was ready */
    struct eg_watch_shared *shared;
    uint64_t beat;
    int64_t beat_seen;
};

struct parent {
    const struct eg_watch_options *options;
    struct child now, next; /* next: during a reload */
    sigset_t signals;
    int signal_fd;
    bool was_ready, stop;
    int64_t pause_ms, start_at;
    const char *why; /* of the next start */
    char status[160];
};

/* Whoever waits for an opening must not wait for the manager. */
static void notify(const char *state)
{
    int error = eg_service_tell(state, NULL, 0, MSG_DONTWAIT);
    if (error)
        eg_watch_say("warning: the service manager was not told `%s': %s", state, strerror(-error));
}

static _Noreturn void become_child(const struct parent *parent, struct eg_watch_shared *shared,
                                   int ready, pid_t parent_pid)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t term;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent_pid) _exit(125);
    prctl(PR_SET_NAME, "watch-main", 0, 0, 0);
    close(parent->signal_fd);
    if (parent->now.ready >= 0) close(parent->now.ready);
    sigaction(SIGHUP, &ignore, NULL);
    sigaction(SIGINT, &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
    sigaction(SIGIO, &ignore, NULL); /* a lease is to be given back: it is, at once */
    sigprocmask(SIG_UNBLOCK, &parent->signals, NULL);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    eg_watch_serve(parent->options, shared, ready, parent->why);
}

static bool start(struct parent *parent, struct child *child)
{
    int ends[2];
    struct eg_watch_shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return false;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        munmap(shared, sizeof *shared);
        return false;
    }
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid == 0) become_child(parent, shared, ends[1], self);
    close(ends[1]);
    *child = (struct child){ pid, ends[0], shared, 0, eg_watch_now_ms() };
    if (pid > 0) return true;
    close(ends[0]);
    munmap(shared, sizeof *shared);
    *child = (struct child){ 0, -1, NULL, 0, 0 };
    return false;
}

static void forget(struct child *child)
{
    if (child->ready >= 0) close(child->ready);
    munmap(child->shared, sizeof *child->shared);
    *child = (struct child){ 0, -1, NULL, 0, 0 };
}

static void wait_for(struct child *child)
{
    int64_t end = eg_watch_now_ms() + END_MS;
    if (!child->pid) return;
    kill(child->pid, SIGTERM);
    while (waitpid(child->pid, NULL, WNOHANG) == 0) {
        if (eg_watch_now_ms() > end) kill(child->pid, SIGKILL);
        usleep(5000);
    }
    forget(child);
}

static void say_ready(struct parent *parent)
{
    if (!parent->was_ready) eg_watch_say("ready");
    parent->was_ready = true;
    parent->pause_ms = 0;
    parent->why = NULL;
    notify("READY=1");
}

/* The pipe of a child that is not ready yet: a byte, or its end. */
static void look_at(struct parent *parent, struct child *child)
{
    char byte;
    if (child->ready < 0 || read(child->ready, &byte, 1) != 1) return;
    close(child->ready);
    child->ready = -1;
    if (child == &parent->next) {
        wait_for(&parent->now);
        parent->now = parent->next;
        parent->next = (struct child){ 0, -1, NULL, 0, 0 };
        eg_watch_say("reloaded");
    }
    say_ready(parent);
}

static void restart_later(struct parent *parent, const char *why)
{
    parent->why = why;
    parent->pause_ms = parent->pause_ms ? 2 * parent->pause_ms : 50;
    if (parent->pause_ms > PAUSE_MAX_MS) parent->pause_ms = PAUSE_MAX_MS;
    parent->start_at = eg_watch_now_ms() + parent->pause_ms;
}

static void bury(struct parent *parent)
{
    int status;
    if (parent->next.pid && waitpid(parent->next.pid, &status, WNOHANG) > 0) {
        forget(&parent->next);
        eg_watch_say("the policies stay as they were");
        notify("READY=1");
    }
    if (!parent->now.pid || waitpid(parent->now.pid, &status, WNOHANG) <= 0) return;
    if (!parent->was_ready) {
        parent->stop = true; /* what it complained about stands above */
    } else if (parent->next.pid) {
        forget(&parent->now);
        parent->now = parent->next;
        parent->next = (struct child){ 0, -1, NULL, 0, 0 };
        return;
    } else {
        eg_watch_say("the watcher ended (%s %d) and is started again",
                     WIFSIGNALED(status) ? "signal" : "status",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        restart_later(parent, "the watcher was killed and started again: what was opened "
                              "meanwhile was not judged");
    }
    forget(&parent->now);
}

static void keep_alive(const struct parent *parent, struct child *child)
{
    if (!child->pid) return;
    uint64_t beat = atomic_load(&child->shared->beat);
    int64_t now = eg_watch_now_ms();
    int64_t silence = 2 * (int64_t)parent->options->deadline_ms;
    if (silence < SILENCE_MIN_MS) silence = SILENCE_MIN_MS;
    if (beat != child->beat || !beat) {
        child->beat = beat;
        child->beat_seen = now;
    } else if (now - child->beat_seen > silence) {
        eg_watch_say("the watcher does not answer any more: it is killed");
        kill(child->pid, SIGKILL);
        child->beat_seen = now;
    }
}

static void take_signal(struct parent *parent)
{
    struct signalfd_siginfo info;
    if (read(parent->signal_fd, &info, sizeof info) != (ssize_t)sizeof info) return;
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) parent->stop = true;
    if (info.ssi_signo != SIGHUP || parent->next.pid || !parent->now.pid) return;
    char state[64];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)eg_watch_now_ms() * 1000);
    notify(state);
    if (!start(parent, &parent->next)) eg_watch_say("cannot reload: %s", strerror(errno));
}

static void tell_status(struct parent *parent)
{
    char status[sizeof parent->status];
    const struct eg_watch_shared *shared = parent->now.shared;
    if (!shared || parent->now.ready >= 0) return;
    snprintf(status, sizeof status,
             "STATUS=watching; %llu files read, %llu refused, %llu overflows\nWATCHDOG=1",
             (unsigned long long)atomic_load(&shared->judged),
             (unsigned long long)atomic_load(&shared->refused),
             (unsigned long long)atomic_load(&shared->overflows));
    if (strcmp(status, parent->status) == 0 && !getenv("WATCHDOG_USEC")) return;
    memcpy(parent->status, status, sizeof status);
    notify(status);
}

static void turn(struct parent *parent)
{
    struct pollfd ready[3] = {
        { parent->signal_fd, POLLIN, 0 },
        { parent->now.ready, POLLIN, 0 },
        { parent->next.ready, POLLIN, 0 },
    };
    int64_t wait = TURN_MS;
    if (!parent->now.pid) wait = parent->start_at - eg_watch_now_ms();
    if (!parent->now.pid && wait <= 0 && !start(parent, &parent->now))
        restart_later(parent, parent->why);
    poll(ready, 3, wait > 0 ? (int)wait : 0);
    if (ready[0].revents) take_signal(parent);
    look_at(parent, &parent->now);
    if (parent->next.pid) look_at(parent, &parent->next);
    bury(parent);
    keep_alive(parent, &parent->now);
    keep_alive(parent, &parent->next);
    tell_status(parent);
}

int eg_watch_run(const struct eg_watch_options *options)
{
    static struct parent parent;
    const struct child none = { 0, -1, NULL, 0, 0 };
    parent = (struct parent){ .options = options, .now = none, .next = none };
    sigemptyset(&parent.signals);
    sigaddset(&parent.signals, SIGHUP);
    sigaddset(&parent.signals, SIGTERM);
    sigaddset(&parent.signals, SIGINT);
    sigaddset(&parent.signals, SIGCHLD); /* wakes the loop */
    sigprocmask(SIG_BLOCK, &parent.signals, NULL);
    prctl(PR_SET_NAME, "watch-parent", 0, 0, 0);
    parent.signal_fd = signalfd(-1, &parent.signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (parent.signal_fd < 0) {
        eg_watch_say("cannot start: %s", strerror(errno));
        return 125;
    }
    while (!parent.stop) turn(&parent);
    notify("STOPPING=1");
    wait_for(&parent.next);
    wait_for(&parent.now);
    return parent.was_ready ? 0 : 125;
}
