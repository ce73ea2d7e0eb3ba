// SPDX-License-Identifier: MIT
/* Purpose: the agent's loop.
 *
 *   source       ready
 *   -----------  ------------------------------------------------------------
 *   socket       accept; the peer must be root, our user or one that is named
 *   connection   read; when whole, get its policy, and with it a tree
 *   compile      a child ended: admit who waited for its policy
 *   tree         answer one notification; at its end, forget the tree
 *   signals      HUP: new trees get policies read anew; TERM, INT: end
 *
 * One event a turn: what it frees cannot be among events still to be handled. */
#include "supervisor/agent_parts.h"

#include <errno.h>
#include <stddef.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS 500 /* how late a time-out may be noticed */

int64_t eg_agent_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void eg_agent_say(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    int saved = errno;
    va_start(arguments, format);
    int n = snprintf(line, sizeof line, "execguard agent: ");
    n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, arguments);
    va_end(arguments);
    if (n > (int)sizeof line - 2) n = (int)sizeof line - 2;
    for (int i = 0; i < n; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f) line[i] = '?';
    line[n++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, (size_t)n);
    (void)written;
    errno = saved;
}

int eg_agent_watch(struct eg_agent *agent, struct eg_source *source)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };
    return epoll_ctl(agent->epoll, EPOLL_CTL_ADD, source->fd, &event) < 0 ? -errno : 0;
}

/* Two descriptors a tree: its listener, and what systemd keeps about it. */
static void make_room(unsigned listeners)
{
    struct rlimit limit;
    rlim_t want = 2 * (rlim_t)listeners + EG_CONNECTIONS_MAX * (1 + EG_OCI_FDS_MAX) + 64;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= want) return;
    struct rlimit more = { want, limit.rlim_max > want ? limit.rlim_max : want };
    if (setrlimit(RLIMIT_NOFILE, &more) == 0) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < want)
        eg_agent_say("warning: only %llu descriptors may be open, %llu would serve %u listeners "
                     "(LimitNOFILE=)",
                     (unsigned long long)limit.rlim_cur, (unsigned long long)want, listeners);
}

static void on_tick(int number)
{
    (void)number;
}

/* SIGALRM interrupts a wait that should not be (agent_trees.c), twice a second
 * and only while there is a tree to wait for. */
static void tick(const struct eg_agent *agent)
{
    static bool ticking;
    if (ticking == (agent->tree_count > 0)) return;
    ticking = !ticking;
    const struct timeval half = { 0, ticking ? 500000 : 0 };
    const struct itimerval timer = { half, half };
    setitimer(ITIMER_REAL, &timer, NULL);
}

static int take_signals(struct eg_agent *agent)
{
    sigset_t set;
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct sigaction alarm_action = { .sa_handler = on_tick }; /* no SA_RESTART */
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
    sigaction(SIGALRM, &alarm_action, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    agent->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return agent->signals.fd < 0 ? -errno : 0;
}

static void reload(struct eg_agent *agent)
{
    char state[64];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)eg_agent_now_ms() * 1000);
    eg_agent_notify(state);
    agent->generation++;
    eg_agent_policies_forget(agent);
    eg_agent_say("policies are read anew for new trees; %u keep theirs", agent->tree_count);
    eg_agent_notify("READY=1");
}

static void take_signal(struct eg_agent *agent)
{
    struct signalfd_siginfo info;
    if (read(agent->signals.fd, &info, sizeof info) != (ssize_t)sizeof info) return;
    if (info.ssi_signo == SIGHUP)
        reload(agent);
    else
        agent->stop = true;
}

static void take_event(struct eg_agent *agent, struct eg_source *source, uint32_t events)
{
    switch (source->kind) {
    case EG_SOURCE_SOCKET: eg_agent_accept(agent); break;
    case EG_SOURCE_SIGNALS: take_signal(agent); break;
    case EG_SOURCE_CONNECTION: eg_agent_receive(agent, (struct eg_connection *)source); break;
    case EG_SOURCE_COMPILE:
        eg_agent_policy_compiled(agent, (struct eg_shared_policy *)source);
        break;
    case EG_SOURCE_WRITES: {
        struct eg_agent_tree *t = (void *)((char *)source - offsetof(struct eg_agent_tree, writes));
        eg_writes_turn(t->tree->writes);
        eg_agent_tree_ended(agent, t);
        break;
    }
    case EG_SOURCE_TREE:
        if (events & EPOLLIN)
            eg_agent_tree_serve(agent, (struct eg_agent_tree *)source);
        else
            eg_agent_tree_end(agent, (struct eg_agent_tree *)source);
        break;
    }
}

static void publish(struct eg_agent *agent)
{
    struct eg_status *status = eg_status_begin("agent");
    for (const struct eg_agent_tree *t = agent->trees; t; t = t->next)
        eg_status_add(status, t->tree, t->layers);
    eg_status_end(status);
}

static int serve(struct eg_agent *agent)
{
    int64_t looked = eg_agent_now_ms();
    while (!agent->stop) {
        struct epoll_event event;
        bool waits = agent->connections != NULL;
        for (unsigned i = 0; i < EG_COMPILES_MAX; i++) waits |= agent->compiling[i] != NULL;
        int wait = eg_status_wait(&agent->status, agent->changes);
        if (wait == 0) publish(agent);
        if (waits && (wait < 0 || wait > TURN_MS)) wait = TURN_MS;
        int n = epoll_wait(agent->epoll, &event, 1, wait);
        if (n < 0 && errno != EINTR) {
            eg_agent_say("waiting failed: %s", strerror(errno));
            return 125;
        }
        if (n == 1) take_event(agent, event.data.ptr, event.events);
        tick(agent);
        int64_t now = waits ? eg_agent_now_ms() : 0;
        if (!waits || now - looked < TURN_MS) continue;
        looked = now;
        eg_agent_expire_connections(agent, now);
        eg_agent_expire_compiles(agent, now);
    }
    return 0;
}

/* What systemd keeps stays alive; what it does not is closed: guarded calls
 * fail then. */
static void end(struct eg_agent *agent)
{
    char state[64];
    eg_agent_notify("STOPPING=1");
    snprintf(state, sizeof state, "STATUS=stopped with %u listeners", agent->tree_count);
    eg_agent_notify(state);
    eg_agent_unlisten(agent);
    eg_status_remove();
}

int eg_agent_run(const struct eg_agent_options *options)
{
    static struct eg_agent agent;
    agent = (struct eg_agent){
        .options = options,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .socket = { EG_SOURCE_SOCKET, -1 },
        .signals = { EG_SOURCE_SIGNALS, -1 },
    };
    make_room(options->max_listeners);
    int error = agent.epoll < 0 ? -errno : take_signals(&agent);
    if (!error) error = eg_agent_own_view(&agent);
    if (!error) error = eg_agent_restore(&agent);
    if (error) {
        eg_agent_say("cannot start: %s", strerror(-error));
        return 125;
    }
    int status = eg_agent_listen(&agent);
    if (status) return status;
    if (eg_agent_watch(&agent, &agent.socket) < 0 || eg_agent_watch(&agent, &agent.signals) < 0) {
        eg_agent_say("cannot start: %s", strerror(errno));
        return 125;
    }
    eg_agent_notify("READY=1");
    status = serve(&agent);
    end(&agent);
    return status;
}
