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
#include "supervisor/numbers.h"
#include "supervisor/write_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef AT_STATX_DONT_SYNC
#define AT_STATX_DONT_SYNC 0x4000
#endif
#ifndef __O_TMPFILE
#define __O_TMPFILE 020000000
#endif

/* Which argument holds what; NO: none. */
#define NO (-1)
struct eg_write_call {
    int nr;
    const char *name;
    enum eg_write_act act;
    signed char dir, path;   /* first path */
    signed char dir2, path2; /* second path */
    signed char flags, mode, a, b, c;
    int fixed; /* flags that the call implies */
};

#define CALL(call, act, ...) { SYS_##call, #call, EG_ACT_##act, __VA_ARGS__ },
/* clang-format off */
static const struct eg_write_call calls[] = {
    /*                         dir path dir2 path2 flags mode a b c, fixed */
    CALL(openat, OPEN,          0,  1, NO, NO,  2,  3, NO, NO, NO, 0)
    CALL(mkdirat, MKDIR,        0,  1, NO, NO, NO,  2, NO, NO, NO, 0)
    CALL(mknodat, MKNOD,        0,  1, NO, NO, NO,  2,  3, NO, NO, 0)
    CALL(symlinkat, SYMLINK,    1,  2, NO,  0, NO, NO, NO, NO, NO, 0)
    CALL(linkat, LINK,          0,  1,  2,  3,  4, NO, NO, NO, NO, 0)
    CALL(renameat2, RENAME,     0,  1,  2,  3,  4, NO, NO, NO, NO, 0)
    CALL(unlinkat, REMOVE,      0,  1, NO, NO,  2, NO, NO, NO, NO, 0)
    CALL(truncate, TRUNCATE,   NO,  0, NO, NO, NO, NO,  1, NO, NO, 0)
    CALL(fchmod, MODE,          0, NO, NO, NO, NO,  1, NO, NO, NO, AT_EMPTY_PATH)
    CALL(fchmodat, MODE,        0,  1, NO, NO, NO,  2, NO, NO, NO, 0)
    CALL(fchmodat2, MODE,       0,  1, NO, NO,  3,  2, NO, NO, NO, 0)
    CALL(fchown, OWNER,         0, NO, NO, NO, NO, NO,  1,  2, NO, AT_EMPTY_PATH)
    CALL(fchownat, OWNER,       0,  1, NO, NO,  4, NO,  2,  3, NO, 0)
    CALL(utimensat, TIMES,      0,  1, NO, NO,  3, NO,  2, NO, NO, 0)
    CALL(setxattr, SET_XATTR,  NO,  0, NO, NO, NO, NO,  1,  2,  3, 0)
    CALL(lsetxattr, SET_XATTR, NO,  0, NO, NO, NO, NO,  1,  2,  3, AT_SYMLINK_NOFOLLOW)
    CALL(fsetxattr, SET_XATTR,  0, NO, NO, NO, NO, NO,  1,  2,  3, AT_EMPTY_PATH)
    CALL(setxattrat, SET_XATTR, 0,  1, NO, NO,  2, NO,  3,  4,  5, 0)
    CALL(removexattr, REMOVE_XATTR,  NO,  0, NO, NO, NO, NO,  1, NO, NO, 0)
    CALL(lremovexattr, REMOVE_XATTR, NO,  0, NO, NO, NO, NO,  1, NO, NO, AT_SYMLINK_NOFOLLOW)
    CALL(fremovexattr, REMOVE_XATTR,  0, NO, NO, NO, NO, NO,  1, NO, NO, AT_EMPTY_PATH)
    CALL(removexattrat, REMOVE_XATTR, 0,  1, NO, NO,  2, NO,  3, NO, NO, 0)
    CALL(bind, BIND,           NO, NO, NO, NO, NO, NO,  1,  2, NO, 0)
#ifdef SYS_renameat
    CALL(renameat, RENAME,      0,  1,  2,  3, NO, NO, NO, NO, NO, 0)
#endif
#ifdef SYS_open /* architectures that have the older calls */
    CALL(open, OPEN,           NO,  0, NO, NO,  1,  2, NO, NO, NO, 0)
    CALL(creat, OPEN,          NO,  0, NO, NO, NO,  1, NO, NO, NO, O_CREAT | O_WRONLY | O_TRUNC)
    CALL(mkdir, MKDIR,         NO,  0, NO, NO, NO,  1, NO, NO, NO, 0)
    CALL(mknod, MKNOD,         NO,  0, NO, NO, NO,  1,  2, NO, NO, 0)
    CALL(symlink, SYMLINK,     NO,  1, NO,  0, NO, NO, NO, NO, NO, 0)
    CALL(link, LINK,           NO,  0, NO,  1, NO, NO, NO, NO, NO, 0)
    CALL(rename, RENAME,       NO,  0, NO,  1, NO, NO, NO, NO, NO, 0)
    CALL(unlink, REMOVE,       NO,  0, NO, NO, NO, NO, NO, NO, NO, 0)
    CALL(rmdir, REMOVE,        NO,  0, NO, NO, NO, NO, NO, NO, NO, AT_REMOVEDIR)
    CALL(chmod, MODE,          NO,  0, NO, NO, NO,  1, NO, NO, NO, 0)
    CALL(chown, OWNER,         NO,  0, NO, NO, NO, NO,  1,  2, NO, 0)
    CALL(lchown, OWNER,        NO,  0, NO, NO, NO, NO,  1,  2, NO, AT_SYMLINK_NOFOLLOW)
    CALL(utime, TIMES,         NO,  0, NO, NO, NO, NO,  1, NO, NO, 0)
    CALL(utimes, TIMES,        NO,  0, NO, NO, NO, NO,  1, NO, NO, 0)
    CALL(futimesat, TIMES,      0,  1, NO, NO, NO, NO,  2, NO, NO, 0)
#endif
};
/* clang-format on */

static uint64_t argument(const struct seccomp_data *data, int index)
{
    return index == NO ? 0 : data->args[index];
}

static bool read_args(const struct seccomp_data *data, struct eg_write_args *ret)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const struct eg_write_call *call = &calls[i];
        if (call->nr != data->nr) continue;
        *ret = (struct eg_write_args){
            .call = call,
            .act = call->act,
            .dirfd = { call->dir == NO ? AT_FDCWD : (int)argument(data, call->dir),
                       call->dir2 == NO ? AT_FDCWD : (int)argument(data, call->dir2) },
            .path = { argument(data, call->path), argument(data, call->path2) },
            .a = argument(data, call->a),
            .b = argument(data, call->b),
            .c = argument(data, call->c),
            .flags = (int)argument(data, call->flags) | call->fixed,
            .mode = (mode_t)argument(data, call->mode) & (S_IFMT | 07777),
        };
        return true;
    }
    return false;
}

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

static bool uses_path(const struct eg_job *job, int which)
{
    const struct eg_write_call *call = job->args.call;
    if (which == 0) return call->path != NO || call->dir != NO;
    return call->path2 != NO && call->act != EG_ACT_SYMLINK;
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
        if (!uses_path(job, i) || job->spelled[i][0] == '/') continue;
        job->bases[i] = open_base(job, job->args.dirfd[i]);
        if (job->bases[i] < 0) return job->bases[i];
    }
    return 0;
}

static int read_paths(struct eg_job *job)
{
    const struct eg_write_call *call = job->args.call;
    pid_t tid = (pid_t)job->notif.pid;
    job->spelled[0][0] = job->spelled[1][0] = '\0';
    /* utimensat, fchownat and others: no path means the descriptor itself */
    bool optional = call->act >= EG_ACT_MODE && call->dir != NO;
    if (call->path != NO && !job->args.path[0] && optional &&
        (call->act == EG_ACT_TIMES || job->args.flags & AT_EMPTY_PATH))
        job->args.flags |= AT_EMPTY_PATH;
    else if (call->path != NO) {
        int error = eg_remote_path(tid, job->args.path[0], job->spelled[0]);
        if (error) return error;
    }
    return call->path2 != NO ? eg_remote_path(tid, job->args.path[1], job->spelled[1]) : 0;
}

/* bind(2): the path lies in the address.  1: another family, or no path. */
static int read_address(struct eg_job *job)
{
    struct sockaddr_un address = { 0 };
    size_t n = job->args.b < sizeof address ? (size_t)job->args.b : sizeof address;
    struct iovec local = { &address, n }, remote = { (void *)(uintptr_t)job->args.a, n };
    if (n <= offsetof(struct sockaddr_un, sun_path)) return 1;
    if (process_vm_readv((pid_t)job->notif.pid, &local, 1, &remote, 1, 0) != (ssize_t)n) return 1;
    if (address.sun_family != AF_UNIX || !address.sun_path[0]) return 1;
    n -= offsetof(struct sockaddr_un, sun_path);
    memcpy(job->spelled[0], address.sun_path, n);
    job->spelled[0][n] = '\0';
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

static unsigned find_flags(const struct eg_job *job, int which)
{
    int flags = job->args.flags;
    unsigned empty = flags & AT_EMPTY_PATH ? EG_FIND_EMPTY : 0;
    switch (job->args.act) {
    case EG_ACT_OPEN:
        if ((flags & __O_TMPFILE) == __O_TMPFILE) return EG_FIND_FOLLOW;
        return EG_FIND_LOOK |
               (flags & O_NOFOLLOW || (flags & O_CREAT && flags & O_EXCL) ? 0u : EG_FIND_FOLLOW);
    case EG_ACT_LINK: return which ? 0 : (flags & AT_SYMLINK_FOLLOW ? EG_FIND_FOLLOW : 0u) | empty;
    case EG_ACT_TRUNCATE: return EG_FIND_FOLLOW;
    case EG_ACT_MODE:
    case EG_ACT_OWNER:
    case EG_ACT_TIMES:
    case EG_ACT_SET_XATTR:
    case EG_ACT_REMOVE_XATTR: return (flags & AT_SYMLINK_NOFOLLOW ? 0 : EG_FIND_FOLLOW) | empty;
    case EG_ACT_MKDIR:
    case EG_ACT_MKNOD:
    case EG_ACT_SYMLINK:
    case EG_ACT_REMOVE: return EG_FIND_LOOK;
    case EG_ACT_RENAME:
    case EG_ACT_BIND: break;
    }
    return 0;
}

/* The last link of a path with a slash behind it is followed, but where a name is
 * made or removed: there it is an error, or the link itself. */
static bool names_folder(const struct eg_job *job, int which)
{
    enum eg_write_act act = job->args.act;
    return act == EG_ACT_MKDIR || act == EG_ACT_MKNOD || act == EG_ACT_SYMLINK ||
           act == EG_ACT_RENAME || act == EG_ACT_REMOVE || (act == EG_ACT_LINK && which == 1);
}

static int find_all(struct eg_job *job)
{
    bool bind = job->args.act == EG_ACT_BIND;
    for (int i = 0; i < 2; i++) {
        job->places[i].folder = job->places[i].object = -1;
        job->places[i].found = false;
        job->places[i].upload = EG_NONE;
    }
    for (int i = 0; i < 2; i++) {
        if (!uses_path(job, i) && !(bind && i == 0)) continue;
        unsigned flags = find_flags(job, i) | (names_folder(job, i) ? EG_FIND_LAST : 0u);
        int error = eg_job_find(job, i, flags);
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

static enum eg_job_state run(struct eg_job *job)
{
    /* open(2): O_PATH, and nothing else of it counts */
    if (job->args.act == EG_ACT_OPEN && job->args.flags & O_PATH) {
        job->answer = eg_answer_proceed();
        return EG_JOB_DONE;
    }
    int error = job->args.act == EG_ACT_BIND ? read_address(job) : read_paths(job);
    if (error > 0) {
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
    if (!read_args(&job->notif.data, &job->args)) return EG_JOB_DONE;
    return run(job);
}

void eg_job_run_patiently(struct eg_job *job)
{
    /* a helper has no later */
    if (eg_job_run(job) == EG_JOB_LATER) eg_job_answer(job, -EBUSY);
}

const char *eg_write_call_name(const struct eg_write_call *call)
{
    return call->name;
}
