// SPDX-License-Identifier: MIT
/* Purpose: permission events: may this file be opened?
 *
 * The thread that reads them answers from what it can know without opening
 * anything; a file that has to be read goes to the pool.  Each is answered once,
 * by its deadline at the latest, and then with a denial: what was not judged is
 * not opened. */
#include "upload/watch_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "upload/watch_opener.h"

enum { ROUND_MS = 100 };

static void respond(int group, int fd, bool allow)
{
    struct fanotify_response response = { fd, allow ? FAN_ALLOW : FAN_DENY };
    /* fails only when the opener was killed meanwhile */
    if (write(group, &response, sizeof response) < 0 && errno != ENOENT)
        eg_watch_say("an answer was not taken: %s", strerror(errno));
}

void eg_watch_answer(struct eg_watch_job *job, bool allow)
{
    if (!atomic_exchange(&job->answered, true)) respond(job->group, job->fd, allow);
}

/* Report a refusal; true: the opener is refused, too. */
static bool refuse(struct eg_watch *watch, const struct eg_watch_refusal *refusal, const char *path,
                   pid_t pid, bool exec, const char *hint)
{
    bool denies = eg_watch_enforces(refusal);
    if (denies && eg_watch_opener_is_ours(watch, pid)) return false;
    eg_watch_report(watch, refusal, denies ? EG_ACTION_DENY : EG_ACTION_WOULD_DENY,
                    exec ? "execve" : "open", path, pid, hint);
    return denies;
}

/* --- In the pool --- */

/* An event of a marked folder whose path is in no tree: the opener sees the tree
 * elsewhere (another mount namespace, a bind mount), or the folder left its tree. */
static bool place(struct eg_watch *watch, int fd, const struct stat *st, char path[PATH_MAX])
{
    struct eg_watch_mount mount;
    if (!eg_watch_find_mount(watch, 0, st->st_dev, path, &mount)) return false;
    union {
        struct file_handle handle;
        char bytes[sizeof(struct file_handle) + EG_WATCH_HANDLE_MAX];
    } file = { .handle.handle_bytes = EG_WATCH_HANDLE_MAX };
    int id;
    if (name_to_handle_at(fd, "", &file.handle, &id, AT_EMPTY_PATH) < 0) return false;
    int at = eg_watch_open_mount(&mount, path);
    int found = at < 0 ? -1 : open_by_handle_at(at, &file.handle, O_PATH | O_CLOEXEC);
    bool named = found >= 0 && eg_watch_path_of(found, path) == 0;
    if (found >= 0) close(found);
    if (at >= 0) close(at);
    return named && eg_watch_is_inside(watch, eg_str(path));
}

/* Later opens need no answer while only root could change the file: the mark
 * goes with the first write(2), but stays when a mapping is written. */
static void excuse(int group, int fd, const struct stat *st)
{
    if (st->st_uid != 0 || st->st_mode & 022) return;
    if (fgetxattr(fd, "system.posix_acl_access", NULL, 0) >= 0 || errno != ENODATA) return;
    fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE, FAN_OPEN_PERM,
                  fd, NULL);
}

static bool may_read_while_written(const struct eg_watch_job *job, const struct stat *st)
{
    enum eg_watch_intent intent = eg_watch_opener_intent(job->pid);
    return (intent != EG_WATCH_INTENT_READ && !job->exec) ||
           eg_watch_opener_writes(job->pid, st->st_dev, st->st_ino);
}

/* place: where the rules are looked for; empty: in every tree. */
static bool judge(struct eg_watch *watch, struct eg_watch_job *job, const char *path,
                  struct eg_str place)
{
    struct eg_watch_refusal refusal;
    struct stat st;
    uint32_t hits = 0;
    uint32_t contents = eg_watch_contents(watch, place);
    if (!contents) return true;
    bool settled = eg_watch_look(watch, job->fd, &st);
    bool watches_writers = !may_read_while_written(job, &st);
    int r = eg_watch_read(job->fd, contents, &job->answered, &hits);
    if (r == -ECANCELED) return false;
    if (r) {
        refusal = eg_watch_refuse_tree(watch, place, EG_REASON_UNREADABLE);
        return !refuse(watch, &refusal, path, job->pid, job->exec, strerror(-r));
    }
    atomic_fetch_add(&watch->shared->judged, 1);
    if (!eg_watch_judge_content(watch, place, hits, &refusal)) {
        if (refuse(watch, &refusal, path, job->pid, job->exec, NULL)) return false;
    } else if (settled) {
        eg_watch_remember(watch, job->fd, &st, contents);
        excuse(job->group, job->fd, &st);
    }
    /* Last, so that nobody wrote since: */
    if (!watches_writers || !eg_watch_is_written(job->fd)) return true;
    refusal = eg_watch_refuse_tree(watch, place, EG_REASON_BEING_WRITTEN);
    return !refuse(watch, &refusal, path, job->pid, job->exec, NULL);
}

/* Its path is in no tree.  Where the opener sees the tree elsewhere, it is found;
 * what `opens` reports and is not found was moved while it was being opened, or
 * its folder left the tree: the rules of every tree hold for its content. */
static bool judge_elsewhere(struct eg_watch *watch, struct eg_watch_job *job)
{
    char path[PATH_MAX];
    struct stat st;
    struct eg_watch_refusal refusal;
    if (fstat(job->fd, &st) < 0) return false;
    if (place(watch, job->fd, &st, path)) {
        struct eg_str found = eg_str(path);
        if (!eg_watch_judge_open(watch, found, st.st_mode, job->exec, &refusal) &&
            refuse(watch, &refusal, path, job->pid, job->exec, NULL))
            return false;
        return judge(watch, job, path, found);
    }
    /* taken away by us while it was being opened? */
    if (job->group == watch->whole && !eg_watch_is_quarantine(watch, eg_str(job->text)))
        return true;
    bool allow = judge(watch, job, job->text, (struct eg_str){ NULL, 0 });
    if (job->group == watch->opens) eg_watch_leave(watch, watch->opens, job->text, &st);
    return allow;
}

void eg_watch_judge_opener(struct eg_watch *watch, struct eg_watch_job *job)
{
    if (atomic_load(&job->answered)) return;
    eg_watch_answer(job, job->placed ? judge(watch, job, job->text, eg_str(job->text))
                                     : judge_elsewhere(watch, job));
}

/* --- In the thread that reads events --- */

static bool is_own_thread(const struct eg_watch *watch, pid_t pid)
{
    unsigned n = atomic_load(&watch->thread_count);
    for (unsigned i = 0; i < n && i < sizeof watch->threads / sizeof *watch->threads; i++)
        if (atomic_load(&watch->threads[i]) == pid) return true;
    return pid == watch->self;
}

static void hand_over(struct eg_watch *watch, int group, int fd, const char *path, bool placed,
                      pid_t pid, bool exec)
{
    struct eg_watch_job *job = eg_watch_new_job(EG_WATCH_JOB_OPEN, strlen(path) + 1);
    if (job) {
        memcpy(job->text, path, strlen(path) + 1);
        job->group = group;
        job->fd = fd;
        job->pid = pid;
        job->exec = exec;
        job->placed = placed;
        job->deadline = eg_watch_now_ms() + watch->options->deadline_ms;
        if (eg_watch_give(watch, job)) return;
        free(job);
    }
    struct eg_watch_refusal refusal = eg_watch_refuse_tree(
        watch, placed ? eg_str(path) : (struct eg_str){ NULL, 0 }, EG_REASON_UNJUDGED);
    bool deny = refusal.blob && refuse(watch, &refusal, path, pid, exec, "too many openers wait");
    respond(group, fd, !deny);
    close(fd);
}

/* Is that its path here, too, and not only in the opener's mount namespace? */
static bool is_there(const char *path, const struct stat *file)
{
    struct stat st;
    return lstat(path, &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

static void answer_event(struct eg_watch *watch, int group,
                         const struct fanotify_event_metadata *event)
{
    char path[PATH_MAX];
    struct stat st;
    struct eg_watch_refusal refusal;
    bool exec = event->mask & FAN_OPEN_EXEC_PERM;
    bool allow = is_own_thread(watch, event->pid);
    if (!allow) {
        int named = eg_watch_path_of(event->fd, path);
        bool placed = named == 0 && eg_watch_is_inside(watch, eg_str(path));
        uint32_t contents = placed ? eg_watch_contents(watch, eg_str(path)) : 0;
        if (fstat(event->fd, &st) < 0) {
            allow = false;
        } else if (named == -ENAMETOOLONG) {
            allow = false; /* deeper than any path: nothing that a server stores */
        } else if (placed &&
                   !eg_watch_judge_open(watch, eg_str(path), st.st_mode, exec, &refusal) &&
                   refuse(watch, &refusal, path, event->pid, exec, NULL)) {
            allow = false;
        } else if (placed && (!contents || eg_watch_is_known(watch, event->fd, &st, contents))) {
            if (contents) excuse(group, event->fd, &st);
            allow = true;
        } else if (group == watch->whole && named == 0 && !placed && is_there(path, &st) &&
                   !eg_watch_is_quarantine(watch, eg_str(path))) {
            eg_watch_leave(watch, group, path, &st);
            allow = true;
        } else {
            hand_over(watch, group, event->fd, path, placed, event->pid, exec);
            return;
        }
    }
    respond(group, event->fd, allow);
    close(event->fd);
}

static void keep_deadlines(struct eg_watch *watch)
{
    char path[PATH_MAX];
    int64_t now = eg_watch_now_ms();
    for (;;) {
        struct eg_watch_refusal refusal = { .blob = NULL };
        pid_t pid = 0;
        bool exec = false;
        pthread_mutex_lock(&watch->pool_lock);
        for (struct eg_watch_job *job = watch->pending; job && job->deadline <= now;
             job = job->newer) {
            if (atomic_load(&job->answered)) continue;
            snprintf(path, sizeof path, "%s", job->text);
            pid = job->pid;
            exec = job->exec;
            refusal = eg_watch_refuse_tree(
                watch, job->placed ? eg_str(path) : (struct eg_str){ NULL, 0 }, EG_REASON_UNJUDGED);
            eg_watch_answer(job, refusal.blob && !eg_watch_enforces(&refusal));
            break;
        }
        pthread_mutex_unlock(&watch->pool_lock);
        if (!pid) return;
        if (refusal.blob)
            eg_watch_report(watch, &refusal,
                            eg_watch_enforces(&refusal) ? EG_ACTION_DENY : EG_ACTION_WOULD_DENY,
                            exec ? "execve" : "open", path, pid,
                            "reading it took longer than --deadline");
    }
}

static void take_events(struct eg_watch *watch, int group)
{
    static _Alignas(struct fanotify_event_metadata) char events[8192];
    ssize_t n = read(group, events, sizeof events);
    const struct fanotify_event_metadata *event = (const void *)events;
    for (; n > 0 && FAN_EVENT_OK(event, n); event = FAN_EVENT_NEXT(event, n))
        if (event->fd >= 0) answer_event(watch, group, event);
}

void *eg_watch_opens(void *context)
{
    struct eg_watch *watch = context;
    eg_watch_enlist(watch, "watch-opens");
    for (;;) {
        struct pollfd ready[2] = { { watch->opens, POLLIN, 0 }, { watch->whole, POLLIN, 0 } };
        atomic_fetch_add(&watch->shared->beat, 1);
        poll(ready, 2, ROUND_MS);
        for (size_t i = 0; i < 2; i++)
            if (ready[i].revents) take_events(watch, ready[i].fd);
        keep_deadlines(watch);
    }
}
