// SPDX-License-Identifier: MIT
/* Purpose: set a file's size, mode, owner, times and extended attributes for the
 * caller.
 *
 * No Landlock right is about any of them but the size, so letting the kernel go on
 * would let a path that flips change an upload tree's file after all: what was
 * found is held and changed, wherever it lies. */
#include "supervisor/write_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#endif

static enum eg_job_state answer(struct eg_job *job, long r)
{
    eg_job_answer(job, r < 0 ? -errno : r);
    return EG_JOB_DONE;
}

static enum eg_job_state fail(struct eg_job *job, int error)
{
    eg_job_answer(job, -error);
    return EG_JOB_DONE;
}

static bool read_memory(const struct eg_job *job, uint64_t address, void *to, size_t n)
{
    struct iovec local = { to, n }, remote = { (void *)(uintptr_t)address, n };
    /* as ourselves: the caller's identity need not be allowed to look */
    eg_caller_leave(&job->writes->self, &job->caller);
    bool done = process_vm_readv((pid_t)job->notif.pid, &local, 1, &remote, 1, 0) == (ssize_t)n;
    return eg_caller_become(&job->writes->self, &job->caller) == 0 && done;
}

/* It may have been moved into a tree since its path was read: once more where
 * nothing is moved in meanwhile. */
static bool enter(struct eg_job *job, enum eg_job_state *ret)
{
    struct eg_place *at = &job->places[0];
    *ret = job->patient ? EG_JOB_DONE : EG_JOB_LATER;
    if (!eg_job_border_enter(job)) return false;
    int error = eg_held_path(job->writes, at->object, at->path, sizeof at->path);
    if (error >= 0) return true;
    eg_job_border_leave(job);
    *ret = fail(job, -error);
    return false;
}

/* What has no path (a pipe, a memfd) is in nobody's tree. */
static bool judge(struct eg_job *job, enum eg_write_op op, mode_t mode)
{
    struct eg_write_decision decision;
    const struct eg_place *at = &job->places[0];
    return at->path[0] != '/' || eg_job_judge(job, op, at, "", mode, &decision);
}

/* --- Size --------------------------------------------------------------------- */

/* setrlimit(2): our own limit would count otherwise. */
static bool is_over_limit(const struct eg_job *job, off_t size)
{
    struct rlimit limit;
    if (prlimit((pid_t)job->notif.pid, RLIMIT_FSIZE, NULL, &limit) < 0) return false;
    return limit.rlim_cur != RLIM_INFINITY && size > job->places[0].st.st_size &&
           (rlim_t)size > limit.rlim_cur;
}

static enum eg_job_state cut(struct eg_job *job)
{
    const struct eg_place *at = &job->places[0];
    off_t size = (off_t)job->args.a;
    if (size < 0) return fail(job, EINVAL);
    if (S_ISDIR(at->st.st_mode)) return fail(job, EISDIR);
    if (!S_ISREG(at->st.st_mode)) return fail(job, EINVAL);
    if (!judge(job, EG_WRITE_OPEN, at->st.st_mode)) return EG_JOB_DONE;
    if (!job->patient && at->st.st_size > (64 << 20)) return EG_JOB_LATER;
    if (is_over_limit(job, size)) {
        pid_t tid = (pid_t)job->notif.pid;
        syscall(SYS_tgkill, eg_remote_tgid(tid), tid, SIGXFSZ);
        return fail(job, EFBIG);
    }
    /* truncate(2) itself would wait for leases, our own helpers' among them */
    int fd = eg_job_open_at(job, AT_FDCWD, eg_fd_path(at->object).text, O_WRONLY, 0);
    if (fd == EG_WOULD_WAIT) return EG_JOB_LATER;
    if (fd < 0) return fail(job, -fd);
    answer(job, ftruncate(fd, size));
    close(fd);
    return EG_JOB_DONE;
}

/* --- Mode --------------------------------------------------------------------- */

static enum eg_job_state set_mode(struct eg_job *job)
{
    const struct eg_place *at = &job->places[0];
    mode_t mode = job->args.mode & 07777;
    enum eg_job_state state;
    if (job->args.flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return fail(job, EINVAL);
    if (S_ISLNK(at->st.st_mode)) return fail(job, EOPNOTSUPP);
    if (!enter(job, &state)) return state;
    if (judge(job, EG_WRITE_MODE, (at->st.st_mode & S_IFMT) | mode))
        answer(job, chmod(eg_fd_path(at->object).text, mode));
    eg_job_border_leave(job);
    return EG_JOB_DONE;
}

/* --- Owner, times --------------------------------------------------------------- */

static enum eg_job_state set_owner(struct eg_job *job)
{
    const struct eg_place *at = &job->places[0];
    if (job->args.flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return fail(job, EINVAL);
    if (!judge(job, EG_WRITE_ATTRIBUTE, at->st.st_mode)) return EG_JOB_DONE;
    return answer(job,
                  fchownat(at->object, "", (uid_t)job->args.a, (gid_t)job->args.b, AT_EMPTY_PATH));
}

/* utime, utimes and futimesat have older forms of the two times. */
static int read_times(struct eg_job *job, struct timespec ret[2])
{
    int nr = job->notif.data.nr;
    (void)nr;
#ifdef SYS_utime
    if (nr == SYS_utime) {
        struct utimbuf old;
        if (!read_memory(job, job->args.a, &old, sizeof old)) return -EFAULT;
        ret[0] = (struct timespec){ old.actime, 0 };
        ret[1] = (struct timespec){ old.modtime, 0 };
        return 0;
    }
    if (nr == SYS_utimes || nr == SYS_futimesat) {
        struct timeval old[2];
        if (!read_memory(job, job->args.a, old, sizeof old)) return -EFAULT;
        for (int i = 0; i < 2; i++) {
            if (old[i].tv_usec < 0 || old[i].tv_usec >= 1000000) return -EINVAL;
            ret[i] = (struct timespec){ old[i].tv_sec, old[i].tv_usec * 1000 };
        }
        return 0;
    }
#endif
    return read_memory(job, job->args.a, ret, 2 * sizeof *ret) ? 0 : -EFAULT;
}

static enum eg_job_state set_times(struct eg_job *job)
{
    const struct eg_place *at = &job->places[0];
    struct timespec times[2];
    if (job->args.flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return fail(job, EINVAL);
    int error = job->args.a ? read_times(job, times) : 0;
    if (error) return fail(job, -error);
    if (!judge(job, EG_WRITE_ATTRIBUTE, at->st.st_mode)) return EG_JOB_DONE;
    return answer(
        job, syscall(SYS_utimensat, at->object, "", job->args.a ? times : NULL, AT_EMPTY_PATH));
}

/* --- Extended attributes --------------------------------------------------------- */

#define VALUE_MAX          65536u /* XATTR_SIZE_MAX */
#define ATTRIBUTE_NAME_MAX 255    /* XATTR_NAME_MAX */

struct attribute {
    char name[ATTRIBUTE_NAME_MAX + 1];
    void *value; /* owned */
    size_t size;
    int flags;
};

static int read_name(struct eg_job *job, uint64_t address, struct attribute *ret)
{
    char text[EG_PATH_MAX];
    eg_caller_leave(&job->writes->self, &job->caller);
    int error = eg_remote_path((pid_t)job->notif.pid, address, text);
    if (eg_caller_become(&job->writes->self, &job->caller)) return -EPERM;
    if (error) return error == -ENAMETOOLONG ? -ERANGE : error;
    size_t n = strlen(text);
    if (n == 0 || n > ATTRIBUTE_NAME_MAX) return -ERANGE;
    memcpy(ret->name, text, n + 1);
    return 0;
}

/* setxattrat(2) passes value, size and flags in a structure. */
static int read_attribute(struct eg_job *job, struct attribute *ret)
{
    struct {
        uint64_t value;
        uint32_t size, flags;
    } args = { job->args.b, (uint32_t)job->args.c, 0 };
    if (job->args.c > VALUE_MAX) return -E2BIG;
    if (job->notif.data.nr == SYS_setxattrat) {
        if (job->args.c < sizeof args) return -EINVAL;
        if (!read_memory(job, job->args.b, &args, sizeof args)) return -EFAULT;
    } else {
        args.flags = (uint32_t)job->notif.data.args[4];
    }
    if (args.size > VALUE_MAX) return -E2BIG;
    ret->size = args.size;
    ret->flags = (int)args.flags;
    ret->value = malloc(args.size + 1);
    if (!ret->value) return -ENOMEM;
    return !args.size || read_memory(job, args.value, ret->value, args.size) ? 0 : -EFAULT;
}

/* The mode that an access ACL amounts to (acl(5)): what matters is who may
 * execute. */
static mode_t mode_of_acl(const struct attribute *a)
{
    struct posix_acl_xattr_entry entry;
    mode_t mode = 0;
    for (size_t at = sizeof(struct posix_acl_xattr_header); at + sizeof entry <= a->size;
         at += sizeof entry) {
        memcpy(&entry, (const char *)a->value + at, sizeof entry);
        mode |= (mode_t)(entry.e_perm & 7) * 0111;
    }
    return mode & 0777;
}

/* The mode that this attribute comes to; 0: it is about no mode.  What gives a
 * program capabilities is as good as a set-id bit. */
static mode_t mode_of(const struct attribute *a)
{
    if (strcmp(a->name, XATTR_NAME_POSIX_ACL_ACCESS) == 0) return mode_of_acl(a);
    return strcmp(a->name, XATTR_NAME_CAPS) == 0 ? S_ISUID : 0;
}

static enum eg_job_state set_attribute(struct eg_job *job)
{
    const struct eg_place *at = &job->places[0];
    struct attribute a = { .value = NULL };
    bool removes = job->args.act == EG_ACT_REMOVE_XATTR;
    int error = job->args.flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) ? -EINVAL : 0;
    if (!error) error = read_name(job, job->args.a, &a);
    if (!error && !removes) error = read_attribute(job, &a);
    if (error) {
        free(a.value);
        return fail(job, -error);
    }
    enum eg_job_state state;
    if (enter(job, &state)) {
        mode_t mode = removes ? 0 : mode_of(&a);
        enum eg_write_op op = mode ? EG_WRITE_MODE : EG_WRITE_ATTRIBUTE;
        if (judge(job, op, (at->st.st_mode & S_IFMT) | mode)) {
            struct eg_fd_path held = eg_fd_path(at->object);
            answer(job, removes ? removexattr(held.text, a.name)
                                : setxattr(held.text, a.name, a.value, a.size, a.flags));
        }
        eg_job_border_leave(job);
        state = EG_JOB_DONE;
    }
    free(a.value);
    return state;
}

enum eg_job_state eg_job_attribute(struct eg_job *job)
{
    if (!job->places[0].found) return fail(job, ENOENT);
    switch (job->args.act) {
    case EG_ACT_TRUNCATE: return cut(job);
    case EG_ACT_MODE: return set_mode(job);
    case EG_ACT_OWNER: return set_owner(job);
    case EG_ACT_TIMES: return set_times(job);
    default: return set_attribute(job);
    }
}
