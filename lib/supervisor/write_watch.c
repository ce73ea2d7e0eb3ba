// SPDX-License-Identifier: MIT
/* Purpose: learn when files of upload trees that were opened for writing are
 * closed (inotify(7), IN_CLOSE_WRITE: the last descriptor and the last mapping of
 * one opening are gone).
 *
 * Watched by inode, so that neither a rename nor a second name loses one, and held
 * by a descriptor, which names it wherever it went. */
#include "supervisor/write_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

#define BUCKETS   256u
#define LINGER_MS 10000
#define AGAIN_MS  1000
/* What stays open is read from time to time, as it is, for at most a fiftieth of the
 * time. */
#define PATROL_MS     20000
#define PATROL_MAX_MS 3600000
#define PATROL_STEP   1000
#define PATROL_SHARE  50

struct eg_watches {
    pthread_mutex_t lock; /* helpers add; all else is the loop's */
    int fd;
    uint32_t count, max, lingering;
    struct eg_watch *buckets[BUCKETS];
    char events[4096];
    size_t at, size; /* in events */
    bool sweep;      /* lingering ones are to be asked for their time */
    int64_t looked;  /* when all were, for what stays open */
};

struct eg_watches *eg_watches_new(void)
{
    struct rlimit limit;
    struct eg_watches *watches = calloc(1, sizeof *watches);
    if (!watches) return NULL;
    pthread_mutex_init(&watches->lock, NULL);
    watches->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watches->fd < 0) {
        free(watches);
        return NULL;
    }
    /* each takes a descriptor */
    watches->max = 256;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        rlim_t half = limit.rlim_cur / 2;
        watches->max = half > 65536 ? 65536 : (uint32_t)half;
    }
    return watches;
}

void eg_watches_free(struct eg_watches *watches)
{
    if (!watches) return;
    for (uint32_t i = 0; i < BUCKETS; i++)
        for (struct eg_watch *watch = watches->buckets[i], *next; watch; watch = next) {
            next = watch->next;
            close(watch->object);
            free(watch->request);
            free(watch);
        }
    close(watches->fd);
    free(watches);
}

int eg_watches_fd(const struct eg_watches *watches)
{
    return watches->fd;
}

static struct eg_watch *find(const struct eg_watches *watches, int wd)
{
    struct eg_watch *watch = watches->buckets[(uint32_t)wd % BUCKETS];
    while (watch && watch->wd != wd) watch = watch->next;
    return watch;
}

static void linger(struct eg_watches *watches, struct eg_watch *watch, int64_t time)
{
    int64_t until = eg_writes_now() + time;
    if (!watch->lingers) watches->lingering++;
    if (!watch->lingers || until > watch->until) watch->until = until;
    watch->lingers = true;
}

static void forget(struct eg_watches *watches, struct eg_watch *watch)
{
    struct eg_watch **at = &watches->buckets[(uint32_t)watch->wd % BUCKETS];
    while (*at != watch) at = &(*at)->next;
    *at = watch->next;
    inotify_rm_watch(watches->fd, watch->wd);
    close(watch->object);
    if (watch->lingers) watches->lingering--;
    watches->count--;
    free(watch->request);
    free(watch);
}

/* Room for another: the oldest of those that are kept only because nobody can tell
 * whether they are open still. */
static bool make_room(struct eg_watches *watches)
{
    struct eg_watch *oldest = NULL;
    if (watches->count < watches->max) return true;
    for (uint32_t i = 0; i < BUCKETS; i++)
        for (struct eg_watch *watch = watches->buckets[i]; watch; watch = watch->next)
            if (watch->unsure && !watch->busy && !watch->closed && !watch->opened &&
                !watch->lingers && (!oldest || watch->wd < oldest->wd))
                oldest = watch;
    if (oldest) forget(watches, oldest);
    return oldest;
}

static int add(struct eg_watches *watches, int object, pid_t tid, uint32_t upload, unsigned flags,
               struct eg_event_request **request)
{
    int wd = inotify_add_watch(watches->fd, eg_fd_path(object).text, IN_CLOSE_WRITE);
    if (wd < 0) {
        int error = -errno;
        close(object);
        return error;
    }
    struct eg_watch *watch = find(watches, wd);
    if (watch) {
        close(object);
    } else {
        if (make_room(watches)) watch = calloc(1, sizeof *watch);
        if (!watch) {
            inotify_rm_watch(watches->fd, wd);
            close(object);
            return -ENFILE;
        }
        watch->interval = PATROL_MS;
        watch->patrol_at = eg_writes_now() + PATROL_MS;
        watch->object = object;
        watch->wd = wd;
        watch->next = watches->buckets[(uint32_t)wd % BUCKETS];
        watches->buckets[(uint32_t)wd % BUCKETS] = watch;
        watches->count++;
    }
    watch->tid = tid;
    watch->upload = upload;
    if (*request) {
        struct eg_event_request *before = watch->request;
        watch->request = *request;
        *request = before;
    }
    /* who judges it now may have seen nobody that writes */
    watch->opened = true;
    if (flags & EG_WATCH_BACKED) watch->backed = true;
    if (flags & EG_WATCH_LINGERS) linger(watches, watch, LINGER_MS);
    if (flags & EG_WATCH_LONG) linger(watches, watch, EG_PATIENCE_MS);
    if (flags & EG_WATCH_READ) watch->closed = watches->sweep = true;
    return 0;
}

int eg_watches_add(struct eg_watches *watches, int object, pid_t tid, uint32_t upload,
                   unsigned flags, struct eg_event_request *request)
{
    pthread_mutex_lock(&watches->lock);
    int error = add(watches, object, tid, upload, flags, &request);
    pthread_mutex_unlock(&watches->lock);
    free(request); /* the one before, or whose watch there is none of */
    return error;
}

/* Events were lost: whatever is watched may have been closed. */
static void mark_all(struct eg_watches *watches)
{
    for (uint32_t i = 0; i < BUCKETS; i++)
        for (struct eg_watch *watch = watches->buckets[i]; watch; watch = watch->next)
            watch->closed = true;
    watches->sweep = true;
}

static struct eg_watch *take(struct eg_watch *watch)
{
    if (!watch || watch->busy) return NULL;
    watch->busy = true;
    watch->reads = watch->closed;
    watch->closed = watch->opened = false;
    watch->began = eg_writes_now();
    return watch;
}

/* Those whose time has come, and those that were closed while they were judged. */
static struct eg_watch *next_due(struct eg_watches *watches)
{
    int64_t now = eg_writes_now();
    watches->sweep = false;
    watches->looked = now;
    for (uint32_t i = 0; i < BUCKETS; i++)
        for (struct eg_watch *watch = watches->buckets[i]; watch; watch = watch->next) {
            if (watch->patrol_at <= now && !watch->busy) watch->closed = true;
            bool due = watch->closed || (watch->lingers && watch->until <= now);
            if (due) watches->sweep = true;
            if (due && !watch->busy && (!watch->again || watch->until <= now)) return take(watch);
        }
    return NULL;
}

static struct eg_watch *next(struct eg_watches *watches)
{
    for (;;) {
        if (watches->at >= watches->size) {
            ssize_t n = read(watches->fd, watches->events, sizeof watches->events);
            watches->at = 0;
            watches->size = n > 0 ? (size_t)n : 0;
            if (n <= 0) break;
        }
        const struct inotify_event *event =
            (const struct inotify_event *)(const void *)(watches->events + watches->at);
        watches->at += sizeof *event + event->len;
        if (event->mask & IN_Q_OVERFLOW) {
            mark_all(watches);
            continue;
        }
        struct eg_watch *watch = event->mask & IN_CLOSE_WRITE ? find(watches, event->wd) : NULL;
        if (watch) watch->closed = true;
        if (watch && take(watch)) return watch;
    }
    bool patrol = watches->count && eg_writes_now() >= watches->looked + PATROL_STEP;
    if (!watches->sweep && !watches->lingering && !patrol) return NULL;
    return next_due(watches);
}

struct eg_watch *eg_watches_next(struct eg_watches *watches)
{
    pthread_mutex_lock(&watches->lock);
    struct eg_watch *watch = next(watches);
    pthread_mutex_unlock(&watches->lock);
    return watch;
}

static void judged(struct eg_watches *watches, struct eg_watch *watch)
{
    watch->busy = false;
    watch->tries = watch->again ? watch->tries + 1 : 0;
    int64_t now = eg_writes_now(), rest = (now - watch->began) * PATROL_SHARE;
    /* many of those that nobody can tell of are not open: less and less often */
    watch->unsure = watch->unsure || watch->backed;
    if (watch->unsure && watch->interval < PATROL_MAX_MS) watch->interval *= 2;
    watch->patrol_at = now + (rest > watch->interval ? rest : watch->interval);
    if (watch->again) {
        linger(watches, watch, AGAIN_MS);
        watch->closed = true;
    }
    if (watch->closed) {
        /* once more, while it was looked at */
        watches->sweep = true;
        return;
    }
    bool waits = watch->lingers && watch->until > eg_writes_now();
    if (watch->lingers && !waits) {
        watch->lingers = false;
        watches->lingering--;
    }
    /* who still has it open will close it */
    if (!watch->writers && !watch->unsure && !watch->opened && !waits) forget(watches, watch);
}

void eg_watches_judged(struct eg_watches *watches, struct eg_watch *watch)
{
    pthread_mutex_lock(&watches->lock);
    judged(watches, watch);
    pthread_mutex_unlock(&watches->lock);
}

void eg_watches_read_all(struct eg_watches *watches)
{
    pthread_mutex_lock(&watches->lock);
    mark_all(watches);
    pthread_mutex_unlock(&watches->lock);
}

bool eg_watches_unread(struct eg_watches *watches)
{
    bool unread = false;
    pthread_mutex_lock(&watches->lock);
    for (uint32_t i = 0; i < BUCKETS; i++)
        for (struct eg_watch *watch = watches->buckets[i]; watch; watch = watch->next)
            unread = unread || watch->busy || watch->closed;
    pthread_mutex_unlock(&watches->lock);
    return unread;
}

bool eg_watches_wait(struct eg_watches *watches)
{
    pthread_mutex_lock(&watches->lock);
    bool waits = watches->count;
    pthread_mutex_unlock(&watches->lock);
    return waits;
}
