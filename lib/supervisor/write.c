// SPDX-License-Identifier: MIT
/* Purpose: one notified call that would change the file tree, from its registers
 * to its answer.
 *
 *   find      what its paths name, as ourselves: a mere look
 *   outside   of every upload tree: the kernel goes on, the domain holds it;
 *             attributes and second names are made here all the same, and what is
 *             newer than the domain is done as inside
 *   inside    become the caller, find again (now its own permissions count),
 *             judge, do it, answer
 *
 * The loop does this at once with what the kernel has at hand; whatever might
 * wait gives EG_JOB_LATER before anything was changed and runs again in a helper. */
#include "supervisor/write_parts.h"

#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef AT_STATX_DONT_SYNC
#define AT_STATX_DONT_SYNC 0x4000
#endif

/* --- Results ------------------------------------------------------------------ */

void eg_job_answer(struct eg_job *job, long result)
{
    job->answer =
        result < 0 ? eg_answer_error((int)-result) : (struct eg_answer){ .value = result };
}

static bool observes(const struct eg_job *job)
{
    return job->writes->tree->blob->flags & EG_BLOB_LOG_MODE;
}

static void note(struct eg_job *job, enum eg_action action, enum eg_kind kind,
                 enum eg_reason reason, const struct eg_write_decision *decision, const char *path)
{
    struct eg_write_event *event = &job->event;
    if (event->wanted && event->action == EG_ACTION_DENY) return; /* one a call */
    event->wanted = true;
    event->action = action;
    event->kind = kind;
    event->reason = reason;
    if (decision) event->decision = *decision;
    size_t n = path ? strnlen(path, sizeof event->path - 1) : 0;
    if (n) memcpy(event->path, path, n);
    event->path[n] = '\0';
}

void eg_job_refuse(struct eg_job *job, enum eg_kind kind, enum eg_reason reason,
                   const struct eg_write_decision *decision, const char *path)
{
    note(job, EG_ACTION_DENY, kind, reason, decision, path);
    /* what may not cross a tree's border can be copied: mv and others do so then */
    int error = reason == EG_REASON_CROSSES_TREE ? EXDEV : EACCES;
    job->answer = observes(job) ? eg_answer_proceed() : eg_answer_error(error);
}

static enum eg_kind kind_of(enum eg_write_op op, const struct eg_write_decision *decision)
{
    if (decision->name != EG_NONE) return EG_KIND_NAME;
    return op == EG_WRITE_MODE ? EG_KIND_MODE : EG_KIND_WRITE;
}

static bool judge(struct eg_job *job, const struct eg_write_request *request, const char *path,
                  struct eg_write_decision *ret)
{
    eg_decide_write(job->writes->tree->blob, request, ret);
    if (ret->verdict == EG_VERDICT_DENY) {
        eg_job_refuse(job, kind_of(request->op, ret), ret->reason, ret, path);
        return false;
    }
    if (ret->verdict == EG_VERDICT_LOG)
        note(job, EG_ACTION_ALLOW, kind_of(request->op, ret), EG_REASON_NONE, ret, path);
    return true;
}

bool eg_job_judge(struct eg_job *job, enum eg_write_op op, const struct eg_place *place,
                  const char *other, mode_t mode, struct eg_write_decision *ret)
{
    struct eg_write_request request = { op, eg_str(place->path), eg_str(other), mode, false };
    return judge(job, &request, place->path, ret);
}

bool eg_job_judge_rename(struct eg_job *job, const struct eg_place *place, const char *other,
                         mode_t mode, bool shared, struct eg_write_decision *ret)
{
    struct eg_write_request request = { EG_WRITE_RENAME, eg_str(place->path), eg_str(other), mode,
                                        shared };
    return judge(job, &request, place->path, ret);
}

bool eg_job_may_write(const struct eg_job *job, const struct eg_place *place, uint32_t *ret_tree)
{
    /* what kind of object it is matters in upload trees only */
    const struct eg_write_request request = { EG_WRITE_OPEN, eg_str(place->path), EG_STR(""), 0,
                                              false };
    struct eg_write_decision decision;
    eg_decide_write(job->writes->tree->blob, &request, &decision);
    *ret_tree = decision.tree;
    return decision.verdict != EG_VERDICT_DENY;
}

#define BORDER_WAIT_S 30

bool eg_job_border_enter(struct eg_job *job)
{
    pthread_mutex_t *border = &job->writes->border;
    struct timespec until;
    if (!job->patient) return pthread_mutex_trylock(border) == 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += BORDER_WAIT_S;
    if (pthread_mutex_timedlock(border, &until) == 0) return true;
    eg_job_answer(job, -EBUSY);
    return false;
}

void eg_job_border_leave(struct eg_job *job)
{
    pthread_mutex_unlock(&job->writes->border);
}

/* --- The caller --------------------------------------------------------------- */

/* The loop keeps some threads' /proc folders open: a worker calls again and again. */
static int open_proc(struct eg_job *job)
{
    pid_t tid = (pid_t)job->notif.pid;
    if (job->patient) {
        int error = eg_proc_open(tid, &job->proc);
        job->proc_owned = !error;
        return error;
    }
    struct eg_proc *slot = &job->writes->procs[(uint32_t)tid % EG_PROC_SLOTS];
    if (slot->tid != tid) {
        eg_proc_close(slot);
        int error = eg_proc_open(tid, slot);
        if (error) return error;
        if (job->writes->tree->keeps_users) eg_proc_keep_users(slot);
    }
    job->proc = *slot;
    return 0;
}

static int open_base(const struct eg_job *job, int dirfd)
{
    char name[32] = "cwd";
    if (dirfd != AT_FDCWD) {
        if (dirfd < 0) return -EBADF;
        /* no snprintf: this is every relative path */
        char digits[12];
        size_t n = 0, at = 3;
        unsigned number = (unsigned)dirfd;
        do digits[n++] = (char)('0' + number % 10);
        while (number /= 10);
        memcpy(name, "fd/", 3);
        while (n) name[at++] = digits[--n];
        name[at] = '\0';
    }
    int fd = openat(job->proc.folder, name, O_PATH | O_CLOEXEC);
    if (fd >= 0) return fd;
    return errno == ENOENT && dirfd != AT_FDCWD ? -EBADF : -errno;
}

/* Nearly every caller's root is ours, and then a look at it is enough: its paths
 * are walked from ours, which no other thread of the caller's can exchange.  It is
 * looked at in every call: chroot(2) is not notified. */
static int open_root(struct eg_job *job)
{
    struct statx stx;
    const uint64_t *own = job->writes->own_root;
    if (syscall(SYS_statx, job->proc.folder, "root", AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID,
                &stx) < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    job->own_root = own[0] == ((uint64_t)stx.stx_dev_major << 32 | stx.stx_dev_minor) &&
                    own[1] == stx.stx_ino && own[2] == stx.stx_mnt_id;
    if (job->own_root && !job->patient) return 0;
    job->root = openat(job->proc.folder, "root", O_PATH | O_CLOEXEC);
    if (job->root < 0) return errno == ENOENT ? -ESRCH : -errno;
    return 0;
}

/* Everything that must be looked up while we are ourselves. */
static int open_bases(struct eg_job *job)
{
    int error = open_root(job);
    if (error && !job->patient) {
        /* what was kept was another thread's of the same number */
        eg_proc_close(&job->writes->procs[(uint32_t)job->notif.pid % EG_PROC_SLOTS]);
        error = open_proc(job);
        if (!error) error = open_root(job);
    }
    if (error) return error;
    for (int i = 0; i < 2; i++) {
        if (!eg_job_uses_path(job, i) || job->spelled[i][0] == '/') continue;
        job->bases[i] = open_base(job, job->args.dirfd[i]);
        if (job->bases[i] < 0) return job->bases[i];
    }
    return 0;
}

static void close_bases(struct eg_job *job)
{
    for (int i = 0; i < 2; i++) {
        eg_place_close(&job->places[i]);
        if (job->bases[i] >= 0) close(job->bases[i]);
        job->bases[i] = -1;
    }
    if (job->root >= 0) close(job->root);
    job->root = -1;
    if (job->proc_owned) eg_proc_close(&job->proc);
    job->proc_owned = false;
}

/* --- Finding ------------------------------------------------------------------ */

static int find_all(struct eg_job *job)
{
    bool bind = job->args.act == EG_ACT_BIND;
    for (int i = 0; i < 2; i++) {
        job->places[i].folder = job->places[i].object = -1;
        job->places[i].found = false;
        job->places[i].upload = EG_NONE;
    }
    for (int i = 0; i < 2; i++) {
        if (!eg_job_uses_path(job, i) && !(bind && i == 0)) continue;
        int error = eg_job_find(job, i, eg_job_find_flags(job, i));
        if (error) return error;
    }
    return 0;
}

static void forget_places(struct eg_job *job)
{
    eg_place_close(&job->places[0]);
    eg_place_close(&job->places[1]);
}

/* --- Outside of upload trees, and in log mode ----------------------------------- */

/* Nothing is done here: the kernel goes on, or the verdict is a denial. */
static void judge_only(struct eg_job *job)
{
    const struct eg_place *at = &job->places[0], *to = &job->places[1];
    struct eg_write_decision decision;
    int flags = job->args.flags;
    bool exists = at->found;
    job->answer = eg_answer_proceed();
    /* where there are only write trees, the domain refuses and the shim says why, with
     * the request in hand */
    if (!job->writes->judges) return;
    /* devices and pipes have their own rules; what has no path has none */
    if (at->path[0] != '/' || (exists && !S_ISREG(at->st.st_mode) && !S_ISDIR(at->st.st_mode)))
        return;
    switch (job->args.act) {
    case EG_ACT_OPEN:
        if (exists && S_ISREG(at->st.st_mode))
            eg_job_judge(job, EG_WRITE_OPEN, at, "", at->st.st_mode, &decision);
        else if (!exists && flags & O_CREAT)
            eg_job_judge(job, EG_WRITE_CREATE, at, "", S_IFREG | job->args.mode, &decision);
        break;
    case EG_ACT_TRUNCATE:
        if (exists) eg_job_judge(job, EG_WRITE_OPEN, at, "", at->st.st_mode, &decision);
        break;
    case EG_ACT_MKDIR:
        if (!exists) eg_job_judge(job, EG_WRITE_MKDIR, at, "", job->args.mode, &decision);
        break;
    case EG_ACT_MKNOD:
        if (!exists) eg_job_judge(job, EG_WRITE_MKNOD, at, "", job->args.mode, &decision);
        break;
    case EG_ACT_SYMLINK:
        if (!exists) eg_job_judge(job, EG_WRITE_SYMLINK, at, job->spelled[1], 0, &decision);
        break;
    case EG_ACT_LINK:
        if (exists && !to->found)
            eg_job_judge(job, EG_WRITE_LINK, to, at->path, at->st.st_mode, &decision);
        break;
    case EG_ACT_RENAME:
        if (exists && eg_job_judge(job, EG_WRITE_REMOVE, at, "", at->st.st_mode, &decision))
            eg_job_judge_rename(job, to, at->path, at->st.st_mode, eg_place_shared(at), &decision);
        break;
    case EG_ACT_REMOVE:
        if (exists) eg_job_judge(job, EG_WRITE_REMOVE, at, "", at->st.st_mode, &decision);
        break;
    case EG_ACT_MODE:
        if (exists)
            eg_job_judge(job, EG_WRITE_MODE, at, "",
                         (at->st.st_mode & S_IFMT) | (job->args.mode & 07777), &decision);
        break;
    case EG_ACT_OWNER:
    case EG_ACT_TIMES:
    case EG_ACT_SET_XATTR:
    case EG_ACT_REMOVE_XATTR:
    case EG_ACT_BIND: break;
    }
}

/* --- Inside ------------------------------------------------------------------- */

static enum eg_job_state act(struct eg_job *job)
{
    switch (job->args.act) {
    case EG_ACT_OPEN: return eg_job_open(job);
    case EG_ACT_MKDIR:
    case EG_ACT_MKNOD:
    case EG_ACT_SYMLINK: return eg_job_make(job);
    case EG_ACT_LINK: return eg_job_link(job);
    case EG_ACT_RENAME: return eg_job_rename(job);
    case EG_ACT_REMOVE: return eg_job_remove(job);
    case EG_ACT_TRUNCATE:
    case EG_ACT_MODE:
    case EG_ACT_OWNER:
    case EG_ACT_TIMES:
    case EG_ACT_SET_XATTR:
    case EG_ACT_REMOVE_XATTR: return eg_job_attribute(job);
    case EG_ACT_BIND: break; /* a socket is nothing that is uploaded */
    }
    eg_job_refuse(job, EG_KIND_WRITE, EG_REASON_SPECIAL_FILE, NULL, job->places[0].path);
    return EG_JOB_DONE;
}

static bool is_inside(const struct eg_job *job)
{
    return job->places[0].upload != EG_NONE || job->places[1].upload != EG_NONE;
}

/* Done here wherever the file lies: attributes, since no domain holds them; and second
 * names where there are upload trees, since one that the kernel makes could fall into
 * the moment in which its file is brought into a tree. */
static bool is_ours(const struct eg_job *job)
{
    if (job->args.act == EG_ACT_LINK)
        return eg_blob_count(job->writes->tree->blob, EG_SECTION_UPLOADS) > 0;
    return job->args.act >= EG_ACT_MODE && job->args.act <= EG_ACT_REMOVE_XATTR;
}

static enum eg_job_state act_found(struct eg_job *job, bool find)
{
    if (find) {
        forget_places(job);
        int error = find_all(job);
        if (error == EG_JOB_LATER) return EG_JOB_LATER;
        if (error) {
            eg_job_answer(job, error);
            return EG_JOB_DONE;
        }
    }
    if (is_inside(job) || is_ours(job)) return act(job);
    /* unless it is late, somebody changed the path meanwhile: what it names now is the
     * domain's */
    judge_only(job);
    if (!job->late || !job->answer.proceed || !eg_job_is_late(job)) return EG_JOB_DONE;
    return act(job);
}

static enum eg_job_state act_as_caller(struct eg_job *job, bool find)
{
    const struct eg_identity_of *self = &job->writes->self;
    int error = eg_caller_read(&job->proc, &job->caller);
    /* read of the thread that waits in this very call, or of another by now? */
    if (!error && !eg_notify_valid(job->writes->tree->listener, job->notif.id)) error = -ESRCH;
    if (!error) {
        find = find || job->find_again || !eg_caller_is(self, &job->caller);
        error = eg_caller_become(self, &job->caller);
    }
    if (error) {
        eg_job_refuse(job, EG_KIND_WRITE, EG_REASON_IDENTITY, NULL, job->places[0].path);
        return EG_JOB_DONE;
    }
    job->is_caller = true;
    enum eg_job_state state = act_found(job, find);
    job->is_caller = false;
    eg_caller_leave(self, &job->caller);
    return state;
}

static enum eg_job_state run_with_bases(struct eg_job *job)
{
    if (is_ours(job) && !observes(job)) return act_as_caller(job, true);
    int error = find_all(job);
    if (error == EG_JOB_LATER) return EG_JOB_LATER;
    job->answer = eg_answer_proceed();
    /* what does not exist for us is nothing to judge; the kernel finds the caller's
     * own error, and the domain holds what it might find instead */
    if (error) return EG_JOB_DONE;
    if (is_inside(job) && !observes(job)) return act_as_caller(job, false);
    judge_only(job);
    job->late = job->answer.proceed && eg_job_is_late(job);
    return job->late ? act_as_caller(job, true) : EG_JOB_DONE;
}

/* A process that starts asks the kernel what its domain holds (eg_guard_ask_step).
 * Nothing there is ours to judge, whatever the path names when the kernel reads it. */
static bool asks_step(const struct eg_job *job)
{
    return job->args.act == EG_ACT_RENAME && strcmp(job->spelled[0], EG_STEP_SENTINEL) == 0 &&
           strcmp(job->spelled[1], EG_STEP_SENTINEL) == 0;
}

static enum eg_job_state run(struct eg_job *job)
{
    /* open(2): O_PATH, and nothing else of it counts */
    if (job->args.act == EG_ACT_OPEN && job->args.flags & O_PATH) {
        job->answer = eg_answer_proceed();
        return EG_JOB_DONE;
    }
    int error = eg_job_read_paths(job);
    if (error > 0 || (error == 0 && asks_step(job))) {
        job->answer = eg_answer_proceed();
        return EG_JOB_DONE;
    }
    if (!error) error = open_proc(job);
    if (!error) error = open_bases(job);
    enum eg_job_state state = EG_JOB_DONE;
    if (error)
        eg_job_answer(job, error);
    else
        state = run_with_bases(job);
    close_bases(job);
    return state;
}

void eg_job_begin(struct eg_job *job, struct eg_writes *writes, const struct seccomp_notif *notif)
{
    job->writes = writes;
    job->notif = *notif;
    job->next = NULL;
    job->patient = job->abandoned = job->proc_owned = false;
    job->is_caller = job->find_again = job->late = false;
    job->root = job->bases[0] = job->bases[1] = job->inject = job->watched = -1;
    for (int i = 0; i < 2; i++) {
        job->places[i].folder = job->places[i].object = -1;
        job->places[i].found = false;
        job->places[i].upload = EG_NONE;
        job->places[i].path[0] = '\0';
    }
    job->watch_upload = EG_NONE;
    job->watch_flags = 0;
    job->learned_count = 0;
    job->answer = eg_answer_error(EPERM);
    job->event.wanted = job->event.has_content = false;
    job->event.action = EG_ACTION_DENY;
    job->event.decision = (struct eg_write_decision){ .name = EG_NONE };
    job->closed = NULL;
}

enum eg_job_state eg_job_run(struct eg_job *job)
{
    if (job->closed) return eg_job_closed(job);
    /* filter and table would differ */
    if (!eg_write_read_registers(&job->notif.data, &job->args)) return EG_JOB_DONE;
    return run(job);
}

void eg_job_run_patiently(struct eg_job *job)
{
    /* a helper has no later */
    if (eg_job_run(job) == EG_JOB_LATER) eg_job_answer(job, -EBUSY);
}
