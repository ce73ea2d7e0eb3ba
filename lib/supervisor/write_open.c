// SPDX-License-Identifier: MIT
/* Purpose: open a file for the caller: of an upload tree, or newer than the domain.
 *
 * Relative to the held folder, never through a link, never waiting: what lies
 * there could have been exchanged by somebody outside the worker's tree, so the
 * opened file itself is looked at before the caller gets it. */
#include "supervisor/write_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef __O_TMPFILE
#define __O_TMPFILE 020000000
#endif

#define TRIES_MAX 4

/* open(2) of a name that is there already and no file, or with flags that
 * exclude each other. 0: go on. */
static int refuse_early(const struct eg_place *at, int flags)
{
    bool exists = at->found;
    bool creates = flags & O_CREAT;
    if (creates && flags & O_DIRECTORY) return -EINVAL;
    if (!exists) {
        if (!creates) return -ENOENT;
        return at->slash ? -EISDIR : 0;
    }
    if (creates && flags & O_EXCL) return at->name[0] ? -EEXIST : -EISDIR;
    if (creates && at->slash) return -EISDIR;
    if (S_ISDIR(at->st.st_mode)) return -EISDIR;
    if (at->slash || flags & O_DIRECTORY) return -ENOTDIR;
    if (S_ISLNK(at->st.st_mode)) return -ELOOP;
    if (S_ISSOCK(at->st.st_mode)) return -ENXIO;
    return 0;
}

static void pause_for_lease(void)
{
    struct timespec ts = { 0, 20000000 };
    nanosleep(&ts, NULL);
}

/* A lease of somebody else's (fcntl(2), F_SETLEASE) is waited for by a helper. */
int eg_job_open_at(const struct eg_job *job, int folder, const char *name, int flags, mode_t mode)
{
    for (;;) {
        int fd = openat(folder, name, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, mode);
        if (fd >= 0) return fd;
        int error = -errno;
        bool may_wait = error == -EWOULDBLOCK && !(flags & O_NONBLOCK);
        if (!may_wait) return error;
        if (!job->patient) return EG_WOULD_WAIT;
        if (eg_writes_now() >= job->deadline) return -ETIMEDOUT;
        pause_for_lease();
    }
}

/* Is the opened file where it was judged to be? */
static bool lies_there(const struct eg_job *job, int fd, const char *path)
{
    char seen[EG_PATH_MAX + 256];
    int n = eg_held_path(job->writes, fd, seen, sizeof seen);
    return n > 0 && (size_t)n == strlen(path) && memcmp(seen, path, (size_t)n) == 0;
}

/* Give it to the caller: once more as it asked for, but for what opening it with
 * O_NONBLOCK has left (`waits_not'). */
static void hand_over(struct eg_job *job, int fd, uint32_t upload, uint32_t contents,
                      bool waits_not)
{
    if (waits_not && !(job->args.flags & O_NONBLOCK)) {
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0) {
            eg_job_answer(job, -errno);
            close(fd);
            return;
        }
    }
    /* closing what was opened for reading says nothing (inotify(7)) */
    int access = job->args.flags & O_ACCMODE;
    if (contents && (access == O_WRONLY || access == O_RDWR)) {
        /* openat(2): musl's open() asks for close-on-exec in a second call */
        job->watched = openat(AT_FDCWD, eg_fd_path(fd).text, O_PATH | O_CLOEXEC);
        job->watch_upload = upload;
        if (access == O_RDWR && eg_fs_is_backed(fd)) job->watch_flags = EG_WATCH_BACKED;
        if (job->watched < 0) {
            eg_job_answer(job, -errno);
            close(fd);
            return;
        }
    }
    job->inject = fd;
    job->inject_cloexec = job->args.flags & O_CLOEXEC;
}

/* O_TMPFILE: a file without a name, judged again when linkat(2) gives it one. */
static enum eg_job_state open_nameless(struct eg_job *job)
{
    struct eg_place *folder = &job->places[0];
    struct eg_write_decision decision;
    int flags = job->args.flags;
    if (!folder->found) {
        eg_job_answer(job, -ENOENT);
        return EG_JOB_DONE;
    }
    size_t n = strlen(folder->path);
    if (n + 2 > sizeof folder->path) {
        eg_job_answer(job, -ENAMETOOLONG);
        return EG_JOB_DONE;
    }
    memcpy(folder->path + n, "/", 2);
    mode_t mode = S_IFREG | (job->args.mode & 07777);
    if (!eg_job_judge(job, EG_WRITE_CREATE, folder, "", mode, &decision)) return EG_JOB_DONE;
    int fd = eg_job_open_at(job, folder->object, ".", flags & ~O_NOFOLLOW, decision.mode & 07777);
    if (fd == EG_WOULD_WAIT) return EG_JOB_LATER;
    if (fd < 0)
        eg_job_answer(job, fd);
    else
        hand_over(job, fd, folder->upload, 0, true);
    return EG_JOB_DONE;
}

/* What nobody had is made, and by nobody else: O_EXCL.  So it is a file without
 * content, of the judged name in the held folder; it is no link, no FIFO to wait
 * for, and nobody holds a lease on it: nothing of it needs to be looked at.  That
 * the folder itself is moved meanwhile is what could happen a moment later as well:
 * guarded processes move folders of upload trees only inside of their tree. */
static enum eg_job_state make(struct eg_job *job, const struct eg_write_decision *decision,
                              bool *ret_again)
{
    const struct eg_place *at = &job->places[0];
    int flags = job->args.flags;
    int fd =
        openat(at->folder, at->name, flags | O_EXCL | O_CLOEXEC | O_NOCTTY, decision->mode & 07777);
    if (fd >= 0) {
        hand_over(job, fd, at->upload, decision->contents, false);
        return EG_JOB_DONE;
    }
    /* somebody made it since it was looked for */
    *ret_again = errno == EEXIST && !(flags & O_EXCL);
    eg_job_answer(job, -errno);
    return EG_JOB_DONE;
}

/* A file that is named by a descriptor of the caller's alone. */
static int open_held(const struct eg_job *job, const struct eg_place *at)
{
    int flags = job->args.flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW);
    return eg_job_open_at(job, AT_FDCWD, eg_fd_path(at->object).text, flags, 0);
}

static enum eg_job_state open_once(struct eg_job *job, bool *ret_again)
{
    struct eg_place *at = &job->places[0];
    struct eg_write_decision decision;
    struct stat st;
    int flags = job->args.flags;
    bool creates = flags & O_CREAT;
    int error = refuse_early(at, flags);
    if (error) {
        eg_job_answer(job, error);
        return EG_JOB_DONE;
    }
    if (at->found && !S_ISREG(at->st.st_mode)) {
        eg_job_refuse(job, EG_KIND_WRITE, EG_REASON_SPECIAL_FILE, NULL, at->path);
        return EG_JOB_DONE;
    }
    mode_t mode = S_IFREG | (creates ? job->args.mode & 07777 : 0);
    enum eg_write_op op = creates ? EG_WRITE_CREATE : EG_WRITE_OPEN;
    if (!eg_job_judge(job, op, at, "", creates ? mode : at->st.st_mode, &decision))
        return EG_JOB_DONE;
    if (!at->found) return make(job, &decision, ret_again);
    int fd = at->name[0] ? eg_job_open_at(job, at->folder, at->name, flags | O_NOFOLLOW,
                                          creates ? decision.mode & 07777 : 0)
                         : open_held(job, at);
    if (fd == EG_WOULD_WAIT) return EG_JOB_LATER;
    /* exchanged for a link, or removed, since it was looked at */
    *ret_again = fd == -ELOOP || fd == -ENOENT;
    if (fd < 0) {
        eg_job_answer(job, fd);
        return EG_JOB_DONE;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !lies_there(job, fd, at->path)) {
        *ret_again = true;
        eg_job_refuse(job, EG_KIND_WRITE, EG_REASON_MOVED, NULL, at->path);
        close(fd);
        return EG_JOB_DONE;
    }
    hand_over(job, fd, at->upload, decision.contents, true);
    return EG_JOB_DONE;
}

enum eg_job_state eg_job_open(struct eg_job *job)
{
    if ((job->args.flags & __O_TMPFILE) == __O_TMPFILE) return open_nameless(job);
    for (int tries = 0;; tries++) {
        bool again = false;
        enum eg_job_state state = open_once(job, &again);
        if (state == EG_JOB_LATER || !again || tries == TRIES_MAX) return state;
        /* only for who outside of the guarded tree changes it under our hands */
        eg_place_close(&job->places[0]);
        unsigned follow = job->args.flags & O_NOFOLLOW ? 0u : EG_FIND_FOLLOW;
        int error = eg_job_find(job, 0, follow | EG_FIND_LOOK);
        if (error == EG_JOB_LATER) return EG_JOB_LATER;
        if (error || (job->places[0].upload == EG_NONE && !job->late)) {
            eg_job_answer(job, error ? error : -EACCES);
            return EG_JOB_DONE;
        }
        job->event.wanted = false;
    }
}
