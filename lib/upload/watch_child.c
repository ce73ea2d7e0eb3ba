// SPDX-License-Identifier: MIT
/* Purpose: the watcher itself: two fanotify groups (a group that asks for
 * permission cannot report names), the threads, and what changes under them. */
#include "upload/watch_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { DRAIN_MS = 1000, LOOK_MS = 1000 };

static void fail(const char *what)
{
    eg_watch_say("cannot start: %s: %s", what, strerror(errno));
    _exit(125);
}

/* Each waiting opener is an event, so that processes bound these queues; when one
 * overflowed, the kernel would allow. */
static int open_permission_group(void)
{
    return fanotify_init(FAN_CLASS_CONTENT | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS |
                             FAN_REPORT_TID | FAN_CLOEXEC | FAN_NONBLOCK,
                         O_RDONLY | O_LARGEFILE | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
}

static void open_groups(struct eg_watch *watch)
{
    watch->opens = open_permission_group();
    watch->whole = watch->options->filesystem ? open_permission_group() : -1;
    if (watch->opens < 0 || (watch->options->filesystem && watch->whole < 0))
        fail("fanotify, permission events");
    /* This one may overflow: a walk then makes up for it, in bounded memory. */
    watch->names = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_UNLIMITED_MARKS |
                                     FAN_CLOEXEC | FAN_NONBLOCK,
                                 O_RDONLY);
    if (watch->names < 0) fail("fanotify, names (Linux 5.9 or newer)");
}

static void start(struct eg_watch *watch, void *(*run)(void *))
{
    pthread_t thread;
    errno = pthread_create(&thread, NULL, run, watch);
    if (errno) fail("a thread");
}

static void make_room(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        rlim_t wanted = 2 * EG_WATCH_OPENS_MAX + PATH_MAX;
        if (limit.rlim_max < wanted) limit.rlim_max = wanted;
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    /* without us, the kernel allows everything */
    FILE *file = fopen("/proc/self/oom_score_adj", "we");
    if (file) fputs("-900", file);
    if (file) fclose(file);
}

/* --- mounts --- */

/* A digest of the mounts that concern us: proc_pid_mountinfo(5). */
static uint64_t look_at_mounts(const struct eg_watch *watch)
{
    uint64_t hash = 0xcbf29ce484222325u;
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    while (file && getline(&line, &size, file) > 0) {
        char point[PATH_MAX] = "";
        if (sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1) continue;
        if (!eg_watch_concerns(watch, eg_str(point))) continue;
        for (const char *p = line; *p; p++) hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
    }
    free(line);
    if (file) fclose(file);
    return hash;
}

/* --- the end --- */

static void drain(struct eg_watch *watch)
{
    int64_t end = eg_watch_now_ms() + DRAIN_MS;
    bool busy = true;
    while (busy && eg_watch_now_ms() < end) {
        pthread_mutex_lock(&watch->pool_lock);
        busy = watch->report_jobs.count != 0;
        pthread_mutex_unlock(&watch->pool_lock);
        usleep(10000);
    }
}

static _Noreturn void keep(struct eg_watch *watch)
{
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    uint64_t mounts = look_at_mounts(watch);
    struct pollfd ready[2] = {
        { signalfd(-1, &term, SFD_CLOEXEC), POLLIN, 0 },
        { open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC), POLLPRI, 0 },
    };
    for (;;) {
        poll(ready, 2, -1);
        if (ready[0].revents) break;
        if (!(ready[1].revents & (POLLPRI | POLLERR))) continue;
        uint64_t now = look_at_mounts(watch);
        if (now != mounts) eg_watch_want_walk(watch, NULL);
        mounts = now;
        usleep(LOOK_MS * 100); /* mounts come in bunches */
    }
    drain(watch);
    _exit(0);
}

_Noreturn void eg_watch_serve(const struct eg_watch_options *options,
                              struct eg_watch_shared *shared, int ready, const char *why)
{
    static struct eg_watch watch = {
        .pool_lock = PTHREAD_MUTEX_INITIALIZER,
        .pool_work = PTHREAD_COND_INITIALIZER,
        .known_lock = PTHREAD_MUTEX_INITIALIZER,
        .mounts_lock = PTHREAD_MUTEX_INITIALIZER,
        .walk_lock = PTHREAD_MUTEX_INITIALIZER,
        .walk_work = PTHREAD_COND_INITIALIZER,
    };
    struct stat st;
    watch.options = options;
    watch.shared = shared;
    watch.self = getpid();
    int status = options->load(options->context, &watch.blobs, &watch.blob_count);
    if (status) _exit(status);
    watch.rates = calloc(watch.blob_count, sizeof *watch.rates);
    watch.known = calloc(EG_WATCH_KNOWN, sizeof *watch.known);
    if (!watch.rates || !watch.known) fail("memory");
    if (stat("/proc/self/exe", &st) < 0) fail("/proc");
    watch.exe_dev = st.st_dev;
    watch.exe_ino = st.st_ino;
    make_room();
    open_groups(&watch);
    eg_watch_enlist(&watch, "watch-main");
    start(&watch, eg_watch_opens);
    for (unsigned i = 0; i < EG_WATCH_WORKERS; i++) start(&watch, eg_watch_worker);
    if (why) eg_watch_report_self(&watch, EG_REASON_RESCAN, why);
    eg_watch_walk(&watch, false, "scan");
    start(&watch, eg_watch_names);
    start(&watch, eg_watch_walker);
    if (write(ready, "", 1) != 1) _exit(125);
    close(ready);
    eg_watch_want_walk(&watch, NULL);
    keep(&watch);
}
