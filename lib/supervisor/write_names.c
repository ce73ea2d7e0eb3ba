// SPDX-License-Identifier: MIT
/* Purpose: make, move and remove names for the caller: in upload trees, and outside of
 * them what the domain does not hold (write.c).
 *
 * Inside a tree only the supervisor makes names, so what was found is what is
 * changed.  What comes from outside is different: its old name lies where the
 * worker writes by itself and can put another file there at any moment.  So it is
 * first moved under a name of ours in the new folder, looked at there, and only
 * then gets its own.  What leaves must leave no other name behind, by which what is
 * done to it outside would be done to the tree. */
#include "supervisor/write_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#define RENAME_EXCHANGE  (1 << 1)
#define RENAME_WHITEOUT  (1 << 2)
#endif

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

#define TRIES_MAX 3

/* As the caller spelled it: the kernel has its own errors for a slash at the end. */
struct spelled {
    char text[260];
};

static struct spelled name_of(const struct eg_place *at)
{
    struct spelled s;
    size_t n = strlen(at->name);
    memcpy(s.text, at->name, n);
    memcpy(s.text + n, at->slash ? "/" : "", at->slash ? 2 : 1);
    return s;
}

static enum eg_job_state answer(struct eg_job *job, long result)
{
    eg_job_answer(job, result);
    return EG_JOB_DONE;
}

static long result_of(long r)
{
    return r < 0 ? -errno : r;
}

/* --- New ones ----------------------------------------------------------------- */

enum eg_job_state eg_job_make(struct eg_job *job)
{
    const struct eg_place *at = &job->places[0];
    struct eg_write_decision decision;
    mode_t mode = job->args.mode, type = mode & S_IFMT;
    if (at->found) return answer(job, -EEXIST);
    struct spelled name = name_of(at);
    switch (job->args.act) {
    case EG_ACT_MKDIR:
        if (!eg_job_judge(job, EG_WRITE_MKDIR, at, "", S_IFDIR | (mode & 07777), &decision))
            return EG_JOB_DONE;
        return answer(job, result_of(mkdirat(at->folder, name.text, mode & 07777)));
    case EG_ACT_SYMLINK:
        if (!eg_job_judge(job, EG_WRITE_SYMLINK, at, job->spelled[1], S_IFLNK, &decision))
            return EG_JOB_DONE;
        return answer(job, result_of(symlinkat(job->spelled[1], at->folder, name.text)));
    default: break;
    }
    if (!type) type = S_IFREG; /* mknod(2) */
    if (!eg_job_judge(job, EG_WRITE_MKNOD, at, "", type | (mode & 07777), &decision))
        return EG_JOB_DONE;
    return answer(job, result_of(mknodat(at->folder, name.text, decision.mode, job->args.a)));
}

enum eg_job_state eg_job_remove(struct eg_job *job)
{
    const struct eg_place *at = &job->places[0];
    struct eg_write_decision decision;
    bool folder = job->args.flags & AT_REMOVEDIR;
    if (job->args.flags & ~AT_REMOVEDIR) return answer(job, -EINVAL);
    if (!at->name[0]) {
        /* the spelling's end tells which of the kernel's errors it is: unlink(2) */
        const char *path = job->spelled[0];
        size_t n = strlen(path);
        while (n && path[n - 1] == '/') n--;
        if (!folder) return answer(job, -EISDIR);
        if (!n) return answer(job, -EBUSY);
        return answer(job, n > 1 && path[n - 2] == '.' ? -ENOTEMPTY : -EINVAL);
    }
    if (!at->found) return answer(job, -ENOENT);
    /* to free a big file's blocks takes a while */
    if (!job->patient && S_ISREG(at->st.st_mode) && at->st.st_size > (64 << 20))
        return EG_JOB_LATER;
    if (!eg_job_judge(job, EG_WRITE_REMOVE, at, "", at->st.st_mode, &decision)) return EG_JOB_DONE;
    return answer(job, result_of(unlinkat(at->folder, name_of(at).text, job->args.flags)));
}

/* --- Files with content --------------------------------------------------------- */

/* Whoever had it open for writing, or was about to, might still write; and who closed
 * it after it was looked at did so before it lay here. */
static void watch(struct eg_job *job, const struct eg_place *source, const struct eg_scan *scan,
                  bool enters)
{
    bool backed = enters && eg_fs_is_backed(source->object);
    if (scan->frozen && !enters) return;
    job->watched = fcntl(source->object, F_DUPFD_CLOEXEC, 0);
    job->watch_upload = job->places[1].upload;
    job->watch_flags =
        EG_WATCH_LINGERS | (scan->frozen ? 0u : EG_WATCH_READ) | (backed ? EG_WATCH_BACKED : 0u);
}

/* As rename(2) would answer the caller: before anything else is found out about a
 * file that is not the caller's to move. */
static int may_move(const struct eg_job *job, const struct eg_place *from)
{
    struct stat folder;
    if (fstat(from->folder, &folder) < 0) return -errno;
    if (syscall(SYS_faccessat2, from->folder, ".", W_OK | X_OK, AT_EACCESS) < 0) return -errno;
    bool owner = folder.st_uid == job->caller.user || from->st.st_uid == job->caller.user;
    bool may_all = eg_caller_has(&job->writes->self, &job->caller, CAP_FOWNER);
    return !(folder.st_mode & S_ISVTX) || owner || may_all ? 0 : -EPERM;
}

/* The same for linkat(2): proc(5), fs.protected_hardlinks. */
static int may_link(const struct eg_job *job, const struct eg_place *from)
{
    const struct stat *st = &from->st;
    if (!job->writes->protected_hardlinks || st->st_uid == job->caller.user ||
        eg_caller_has(&job->writes->self, &job->caller, CAP_FOWNER))
        return 0;
    bool set_id = st->st_mode & S_ISUID || (st->st_mode & S_ISGID && st->st_mode & S_IXGRP);
    if (!S_ISREG(st->st_mode) || set_id) return -EPERM;
    unsigned flags = AT_EACCESS | AT_EMPTY_PATH;
    return syscall(SYS_faccessat2, from->object, "", R_OK | W_OK, flags) < 0 ? -EPERM : 0;
}

/* The very file that was looked at, whatever its name stands for by now, unless it
 * was moved out meanwhile. */
static long link_held(const struct eg_job *job)
{
    const struct eg_place *from = &job->places[0], *to = &job->places[1];
    char path[sizeof from->path];
    int error = eg_held_path(job->writes, from->object, path, sizeof path);
    if (error < 0) return error;
    if (strcmp(path, from->path) != 0) return -ENOENT;
    return result_of(linkat(AT_FDCWD, eg_fd_path(from->object).text, to->folder, name_of(to).text,
                            AT_SYMLINK_FOLLOW));
}

enum eg_job_state eg_job_link(struct eg_job *job)
{
    struct eg_place *from = &job->places[0], *to = &job->places[1];
    struct eg_write_decision decision;
    struct eg_scan scan = { .fd = -1 };
    uint32_t tree;
    if (job->args.flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return answer(job, -EINVAL);
    if (!from->found) return answer(job, -ENOENT);
    if (to->found) return answer(job, -EEXIST);
    if (S_ISDIR(from->st.st_mode)) return answer(job, -EPERM);
    /* outside of upload trees nobody but us asks whether the file lies where the worker
     * may write: Landlock would, of its folder (LANDLOCK_ACCESS_FS_REFER) */
    if (from->upload == EG_NONE && to->upload == EG_NONE && !eg_job_may_write(job, from, &tree))
        return answer(job, -EXDEV);
    if (!eg_job_judge(job, EG_WRITE_LINK, to, from->path, from->st.st_mode, &decision))
        return EG_JOB_DONE;
    if (decision.contents) {
        int error = may_link(job, from);
        if (error) return answer(job, error);
        switch (eg_job_content(job, from, to, &decision, may_move(job, from) == 0, &scan)) {
        case EG_CONTENT_FINE: break;
        case EG_CONTENT_REFUSED: return EG_JOB_DONE;
        case EG_CONTENT_LATER: return EG_JOB_LATER;
        }
    }
    if (!eg_job_border_enter(job)) {
        eg_scan_close(&scan);
        return job->patient ? EG_JOB_DONE : EG_JOB_LATER;
    }
    long r = link_held(job);
    eg_job_border_leave(job);
    if (r == 0 && decision.contents && S_ISREG(from->st.st_mode)) watch(job, from, &scan, false);
    eg_scan_close(&scan);
    return answer(job, r);
}

/* --- Renaming ------------------------------------------------------------------- */

static long rename_at(int from, const char *old, int to, const char *new, unsigned flags)
{
    return result_of(syscall(SYS_renameat2, from, old, to, new, flags));
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Take execute and set-id bits off what came in with them after it was judged. */
static bool mode_still_fits(struct eg_job *job, const struct eg_place *to, const struct stat *st)
{
    struct eg_write_decision decision;
    return eg_job_judge(job, EG_WRITE_MODE, to, "", st->st_mode, &decision);
}

/* Judge what lies under our name now, and give it its own.  1: another file was
 * caught; from the start. */
static int settle_stage(struct eg_job *job, const char *stage, const struct eg_scan *scan)
{
    const struct eg_place *from = &job->places[0], *to = &job->places[1];
    struct stat st;
    if (fstatat(to->folder, stage, &st, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    if (!same_inode(&st, &from->st)) return 1;
    /* another name outside is another way to write it */
    if (S_ISREG(st.st_mode) && st.st_nlink > 1) {
        eg_job_refuse(job, EG_KIND_WRITE, EG_REASON_CROSSES_TREE, NULL, to->path);
        return -EXDEV;
    }
    if (!mode_still_fits(job, to, &st)) return -EACCES;
    if (scan->fd >= 0 && scan->frozen && !eg_scan_still_frozen(scan)) return 1;
    unsigned flags = (unsigned)job->args.flags;
    return (int)rename_at(to->folder, stage, to->folder, name_of(to).text, flags);
}

/* Who races us may lose what lies under the old name by now, or the file itself. */
static void put_back(const struct eg_job *job, const char *stage)
{
    const struct eg_place *from = &job->places[0], *to = &job->places[1];
    struct spelled name = name_of(from);
    if (rename_at(to->folder, stage, from->folder, name.text, RENAME_NOREPLACE) &&
        rename_at(to->folder, stage, from->folder, name.text, 0))
        unlinkat(to->folder, stage, 0);
}

static enum eg_job_state bring_in(struct eg_job *job, const struct eg_scan *scan, bool *ret_again)
{
    const struct eg_place *from = &job->places[0], *to = &job->places[1];
    char stage[48];
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0) random = job->notif.id;
    snprintf(stage, sizeof stage, "%s%016llx", job->writes->stage, (unsigned long long)random);
    long r = rename_at(from->folder, name_of(from).text, to->folder, stage, RENAME_NOREPLACE);
    if (r) {
        *ret_again = r == -ENOENT || r == -EEXIST;
        return answer(job, r);
    }
    int settled = settle_stage(job, stage, scan);
    if (settled) {
        *ret_again = settled == 1;
        put_back(job, stage);
        if (settled == 1) eg_job_refuse(job, EG_KIND_WRITE, EG_REASON_MOVED, NULL, to->path);
        /* a refusal has set its answer */
        if (settled < 0 && !(job->event.wanted && job->event.action == EG_ACTION_DENY))
            eg_job_answer(job, settled);
        return EG_JOB_DONE;
    }
    return answer(job, 0);
}

/* Did somebody give it another name since it was judged? */
static bool has_other_names(const struct eg_place *from)
{
    struct stat st;
    if (!S_ISREG(from->st.st_mode)) return false;
    return fstat(from->object, &st) < 0 || st.st_nlink > 1;
}

static enum eg_job_state take_out(struct eg_job *job)
{
    const struct eg_place *from = &job->places[0], *to = &job->places[1];
    if (has_other_names(from)) {
        eg_job_refuse(job, EG_KIND_WRITE, EG_REASON_CROSSES_TREE, NULL, to->path);
        return EG_JOB_DONE;
    }
    return answer(job, rename_at(from->folder, name_of(from).text, to->folder, name_of(to).text,
                                 (unsigned)job->args.flags));
}

/* Over the border of a tree, one at a time. */
static enum eg_job_state cross(struct eg_job *job, const struct eg_scan *scan, bool *ret_again)
{
    bool enters = job->places[1].upload != EG_NONE;
    if (!eg_job_border_enter(job)) return job->patient ? EG_JOB_DONE : EG_JOB_LATER;
    enum eg_job_state state = enters ? bring_in(job, scan, ret_again) : take_out(job);
    eg_job_border_leave(job);
    return state;
}

static enum eg_job_state move(struct eg_job *job, const struct eg_write_decision *decision,
                              bool *ret_again)
{
    const struct eg_place *from = &job->places[0], *to = &job->places[1];
    struct eg_scan scan = { .fd = -1 };
    enum eg_job_state state = EG_JOB_DONE;
    if (decision->contents && S_ISREG(from->st.st_mode)) {
        int error = may_move(job, from);
        if (error) return answer(job, error);
        switch (eg_job_content(job, from, to, decision, true, &scan)) {
        case EG_CONTENT_FINE: break;
        case EG_CONTENT_REFUSED: return EG_JOB_DONE;
        case EG_CONTENT_LATER: return EG_JOB_LATER;
        }
    }
    if (from->upload != to->upload)
        state = cross(job, &scan, ret_again);
    else
        answer(job, rename_at(from->folder, name_of(from).text, to->folder, name_of(to).text,
                              (unsigned)job->args.flags));
    if (state == EG_JOB_DONE && decision->contents && S_ISREG(from->st.st_mode) &&
        !job->answer.error)
        watch(job, from, &scan, from->upload != to->upload);
    eg_scan_close(&scan);
    return state;
}

static int refuse_early(const struct eg_job *job)
{
    const struct eg_place *from = &job->places[0], *to = &job->places[1];
    unsigned flags = (unsigned)job->args.flags;
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) return -EINVAL;
    if (flags & RENAME_EXCHANGE && flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) return -EINVAL;
    /* a device node in an upload tree, though one that only says "nothing" */
    if (flags & RENAME_WHITEOUT) return -EPERM;
    if (!from->name[0]) return -EBUSY;
    if (!to->name[0]) return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    if (!from->found) return -ENOENT;
    if (flags & RENAME_EXCHANGE && !to->found) return -ENOENT;
    if (flags & RENAME_NOREPLACE && to->found) return -EEXIST;
    return 0;
}

static enum eg_job_state rename_once(struct eg_job *job, bool *ret_again)
{
    const struct eg_place *from = &job->places[0], *to = &job->places[1];
    struct eg_write_decision decision, other;
    int error = refuse_early(job);
    if (error) return answer(job, error);
    /* outside upload trees somebody else can exchange what lies there for a folder */
    mode_t mode = job->late ? 0 : from->st.st_mode;
    if (!eg_job_judge(job, EG_WRITE_REMOVE, from, "", mode, &other) ||
        !eg_job_judge_rename(job, to, from->path, mode, eg_place_shared(from), &decision))
        return EG_JOB_DONE;
    if (job->args.flags & RENAME_EXCHANGE) {
        if (from->upload != to->upload) {
            eg_job_refuse(job, EG_KIND_WRITE, EG_REASON_CROSSES_TREE, NULL, to->path);
            return EG_JOB_DONE;
        }
        if (!eg_job_judge(job, EG_WRITE_REMOVE, to, "", to->st.st_mode, &other) ||
            !eg_job_judge_rename(job, from, to->path, to->st.st_mode, eg_place_shared(to), &other))
            return EG_JOB_DONE;
    }
    return move(job, &decision, ret_again);
}

enum eg_job_state eg_job_rename(struct eg_job *job)
{
    for (int tries = 0;; tries++) {
        bool again = false;
        enum eg_job_state state = rename_once(job, &again);
        if (state == EG_JOB_LATER || !again || tries == TRIES_MAX) return state;
        for (int i = 0; i < 2; i++) {
            eg_place_close(&job->places[i]);
            int error = eg_job_find(job, i, EG_FIND_LAST);
            if (error == EG_JOB_LATER) return EG_JOB_LATER;
            if (error) return answer(job, error);
        }
        if (job->places[0].upload == EG_NONE && job->places[1].upload == EG_NONE &&
            !(job->late && eg_job_is_late(job)))
            return answer(job, -EACCES);
        job->event.wanted = false;
    }
}
