// SPDX-License-Identifier: MIT
/* Purpose: the loop's side of write.c: which job runs at once, which in a helper,
 * and what becomes of their results. */
#include "supervisor/write_parts.h"

#include "guard/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define FINISH_MS 30000

int64_t eg_writes_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool judges(const struct eg_blob *blob)
{
    const struct eg_blob_tree *trees = eg_blob_section(blob, EG_SECTION_WRITE_TREES);
    if (eg_blob_count(blob, EG_SECTION_UPLOADS)) return true;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_WRITE_TREES); i++)
        if (trees[i].flags & EG_TREE_LOG) return true;
    return false;
}

bool eg_writes_wanted(const struct eg_tree *tree)
{
    const struct eg_blob *blob = tree->blob;
    bool grows = eg_blob_count(blob, EG_SECTION_WRITE_TREES) && !(blob->flags & EG_BLOB_LOG_MODE);
    return grows || judges(blob);
}

/* --- File systems ------------------------------------------------------------------ */

enum eg_fs_class eg_writes_class(const struct eg_writes *writes, uint64_t dev)
{
    for (uint32_t i = 0; i < EG_FS_SLOTS; i++)
        if (writes->systems[i].class && writes->systems[i].dev == dev)
            return writes->systems[i].class;
    return EG_FS_UNKNOWN;
}

static void know(struct eg_writes *writes, uint64_t dev, enum eg_fs_class class)
{
    if (eg_writes_class(writes, dev)) return;
    uint32_t slot = writes->next_system++ % EG_FS_SLOTS;
    writes->systems[slot].dev = dev;
    writes->systems[slot].class = class;
}

static void learn(struct eg_writes *writes, const struct eg_job *job)
{
    for (uint32_t i = 0; i < job->learned_count; i++)
        know(writes, job->learned[i].dev, (enum eg_fs_class)job->learned[i].class);
}

/* --- Start and end -------------------------------------------------------------- */

static int read_sysctl(const char *path, int otherwise)
{
    char text[16] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    return n > 0 ? atoi(text) : otherwise;
}

static bool know_ourselves(struct eg_writes *writes)
{
    struct statx stx;
    if (eg_caller_self(&writes->self)) return false;
    if (syscall(SYS_statx, AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &stx) < 0) return false;
    writes->own_root[0] = (uint64_t)stx.stx_dev_major << 32 | stx.stx_dev_minor;
    writes->own_root[1] = stx.stx_ino;
    writes->own_root[2] = stx.stx_mnt_id;
    /* where nobody can tell, as if they were on: the kernel's default is off, every
     * distribution's is on */
    writes->protected_symlinks = read_sysctl("/proc/sys/fs/protected_symlinks", 1);
    writes->protected_hardlinks = read_sysctl("/proc/sys/fs/protected_hardlinks", 1);
    snprintf(writes->stage, sizeof writes->stage, ".execguard-move-");
    return true;
}

/* The file system of a pattern's folder: once, before anybody waits for us. */
static void know_system(struct eg_writes *writes, const char *pattern)
{
    char path[EG_PATH_MAX];
    struct stat st;
    size_t n = strcspn(pattern, "*?[{");
    if (pattern[n])
        while (n > 1 && pattern[n - 1] != '/') n--;
    if (n >= sizeof path) return;
    memcpy(path, pattern, n);
    path[n] = '\0';
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return;
    if (fstat(fd, &st) == 0) {
        uint64_t dev = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev);
        know(writes, dev, eg_fs_classify(fd));
    }
    close(fd);
}

static void know_systems(struct eg_writes *writes)
{
    const struct eg_blob *blob = writes->tree->blob;
    const struct eg_blob_tree *trees = eg_blob_section(blob, EG_SECTION_WRITE_TREES);
    const struct eg_blob_upload *uploads = eg_blob_section(blob, EG_SECTION_UPLOADS);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_UPLOADS); i++)
        know_system(writes, eg_blob_cstr(blob, uploads[i].root));
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_WRITE_TREES); i++)
        know_system(writes, eg_blob_cstr(blob, trees[i].pattern));
    know_system(writes, "/");
}

static bool listen_to(const struct eg_writes *writes, int fd)
{
    struct epoll_event event = { .events = EPOLLIN };
    return epoll_ctl(writes->fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

struct eg_writes *eg_writes_new(struct eg_tree *tree)
{
    struct rlimit limit;
    struct eg_writes *writes = calloc(1, sizeof *writes);
    if (!writes) return NULL;
    /* each file that is open for writing takes one of ours */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    writes->tree = tree;
    pthread_mutex_init(&writes->border, NULL);
    writes->fd = epoll_create1(EPOLL_CLOEXEC);
    writes->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    writes->held = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    writes->pool = eg_pool_new();
    writes->watches = eg_watches_new();
    if (writes->fd < 0 || writes->timer < 0 || writes->held < 0 || !writes->pool ||
        !writes->watches || !know_ourselves(writes) || !listen_to(writes, writes->timer) ||
        !listen_to(writes, eg_pool_fd(writes->pool)) ||
        !listen_to(writes, eg_watches_fd(writes->watches))) {
        eg_writes_free(writes);
        return NULL;
    }
    know_systems(writes);
    writes->judges = judges(tree->blob);
    if (eg_late_learn(writes)) {
        eg_writes_free(writes);
        return NULL;
    }
    return writes;
}

static void set_timer(struct eg_writes *writes)
{
    bool needed = writes->waiting || eg_watches_wait(writes->watches);
    struct itimerspec every = { { needed, 0 }, { needed, 0 } };
    /* stopped at a tick: most files are not open for that long */
    if (writes->timer_runs && (needed || !writes->ticked)) return;
    if (needed == writes->timer_runs) return;
    writes->timer_runs = needed;
    timerfd_settime(writes->timer, 0, &every, NULL);
}

/* fdinfo of proc(5): its second line is the flags, in octal. */
static bool is_for_writing(int folder, const char *number)
{
    char name[300], text[64];
    snprintf(name, sizeof name, "fdinfo/%s", number);
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *flags = strstr(text, "flags:");
    return flags && strtoul(flags + strlen("flags:"), NULL, 8) & (O_WRONLY | O_RDWR);
}

static void adopt(struct eg_writes *writes, pid_t pid, int folder, const char *number)
{
    char name[300], path[EG_PATH_MAX];
    struct stat st;
    snprintf(name, sizeof name, "fd/%s", number);
    ssize_t n = readlinkat(folder, name, path, sizeof path - 1);
    if (n <= 0 || path[0] != '/') return;
    path[n] = '\0';
    uint32_t upload = eg_decide_upload_of(writes->tree->blob, eg_str(path));
    if (upload == EG_NONE || !is_for_writing(folder, number)) return;
    int object = openat(folder, name, O_PATH | O_CLOEXEC);
    if (object >= 0 && fstat(object, &st) == 0 && S_ISREG(st.st_mode))
        eg_watches_add(writes->watches, object, pid, upload, 0, NULL);
    else if (object >= 0)
        close(object);
}

void eg_writes_adopt(struct eg_writes *writes, pid_t pid)
{
    char path[32];
    if (!writes || writes->tree->blob->flags & EG_BLOB_LOG_MODE) return;
    if (!eg_blob_count(writes->tree->blob, EG_SECTION_UPLOADS)) return;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int list = folder < 0 ? -1 : openat(folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *all = list < 0 ? NULL : fdopendir(list);
    for (struct dirent *entry; all && (entry = readdir(all));)
        if (entry->d_name[0] != '.') adopt(writes, pid, folder, entry->d_name);
    if (all)
        closedir(all);
    else if (list >= 0)
        close(list);
    if (folder >= 0) close(folder);
    set_timer(writes);
}

void eg_writes_free(struct eg_writes *writes)
{
    if (!writes) return;
    for (uint32_t i = 0; i < EG_PROC_SLOTS; i++) eg_proc_close(&writes->procs[i]);
    eg_pool_free(writes->pool);
    eg_watches_free(writes->watches);
    if (writes->held >= 0) close(writes->held);
    free(writes->granted);
    if (writes->timer >= 0) close(writes->timer);
    if (writes->fd >= 0) close(writes->fd);
    free(writes);
}

int eg_writes_fd(const struct eg_writes *writes)
{
    return writes ? writes->fd : -1;
}

/* --- Jobs ---------------------------------------------------------------------------- */

static void drop(struct eg_job *job)
{
    if (job->inject >= 0) close(job->inject);
    if (job->watched >= 0) close(job->watched);
    job->inject = job->watched = -1;
}

/* What was renamed or linked is watched already (eg_job_content): that cannot fail. */
static int watch(struct eg_job *job)
{
    struct eg_writes *writes = job->writes;
    if (job->watched < 0) return 0;
    pid_t tid = (pid_t)job->notif.pid;
    int error = eg_watches_add(writes->watches, job->watched, tid, job->watch_upload,
                               job->watch_flags, eg_hands_keep(&writes->tree->hands, tid));
    job->watched = -1;
    return error;
}

/* The job is done: tell, watch, answer. */
static struct eg_answer complete(struct eg_job *job)
{
    struct eg_writes *writes = job->writes;
    struct eg_tree *tree = writes->tree;
    struct eg_answer answer = job->answer;
    learn(writes, job);
    /* before the caller can write to it */
    int error = watch(job);
    if (error && job->inject >= 0) {
        drop(job);
        answer = eg_answer_error(-error);
    }
    set_timer(writes);
    eg_job_report(job);
    if (job->inject < 0) return answer;
    bool in_turn = tree->wait_killable && tree->synchronous;
    error =
        eg_notify_inject(tree->listener, job->notif.id, job->inject, job->inject_cloexec, in_turn);
    drop(job);
    /* ENOENT: nobody waits any more; whoever else is not answered waits for ever */
    if (error && error != -ENOENT) return eg_answer_error(-error);
    return (struct eg_answer){ .sent = true };
}

/* A test does not wait for two minutes. */
static int64_t patience(void)
{
#ifdef EG_TEST_BUILD
    const char *ms = getenv("EXECGUARD_PATIENCE");
    if (ms) return atoi(ms);
#endif
    return EG_PATIENCE_MS;
}

static int give_to_helper(struct eg_writes *writes, const struct seccomp_notif *notif,
                          struct eg_watch *closed)
{
    struct eg_job *job = malloc(sizeof *job);
    if (!job) return -ENOMEM;
    eg_job_begin(job, writes, notif);
    job->patient = true;
    job->closed = closed;
    job->deadline = eg_writes_now() + patience();
    int error = eg_pool_give(writes->pool, job);
    if (error) {
        free(job);
        return error;
    }
    job->after = writes->waiting;
    writes->waiting = job;
    set_timer(writes);
    return 0;
}

struct eg_answer eg_tree_judge_write(struct eg_tree *tree, const struct seccomp_notif *notif)
{
    struct eg_writes *writes = tree->writes;
    if (!writes) return eg_answer_error(EPERM);
    struct eg_job *job = &writes->job;
    eg_job_begin(job, writes, notif);
    if (eg_job_run(job) == EG_JOB_DONE) return complete(job);
    drop(job);
    int error = give_to_helper(writes, notif, NULL);
    return error ? eg_answer_error(-error) : (struct eg_answer){ .sent = true };
}

static void unlink_job(struct eg_writes *writes, const struct eg_job *job)
{
    struct eg_job **at = &writes->waiting;
    while (*at && *at != job) at = &(*at)->after;
    if (*at) *at = job->after;
}

static void take_result(struct eg_writes *writes, struct eg_job *job)
{
    unlink_job(writes, job);
    if (job->closed) {
        learn(writes, job);
        eg_job_report(job);
        eg_watches_judged(writes->watches, job->closed);
    } else if (job->abandoned) {
        /* the caller was told that it failed; what it changed is judged all the same */
        watch(job);
        eg_job_report(job);
        drop(job);
    } else {
        struct eg_answer answer = complete(job);
        if (!answer.sent) eg_notify_answer(writes->tree->listener, job->notif.id, answer);
    }
    free(job);
}

/* A helper does not come back: its caller does not wait for ever. */
static void give_up_late(struct eg_writes *writes)
{
    int64_t now = eg_writes_now();
    for (struct eg_job *job = writes->waiting; job; job = job->after) {
        if (job->abandoned || job->closed || job->deadline > now) continue;
        job->abandoned = true;
        /* the helper may be writing to the job: nothing of it is read here */
        struct eg_answer answer = eg_answer_error(ETIMEDOUT);
        eg_notify_answer(writes->tree->listener, job->notif.id, answer);
        writes->tree->denied++;
    }
}

static void judge_closed(struct eg_writes *writes)
{
    struct eg_watch *watch;
    while ((watch = eg_watches_next(writes->watches))) {
        struct seccomp_notif who = { .pid = (uint32_t)watch->tid };
        struct eg_job *job = &writes->job;
        eg_job_begin(job, writes, &who);
        job->closed = watch;
        if (eg_job_run(job) == EG_JOB_DONE) {
            eg_job_report(job);
            eg_watches_judged(writes->watches, watch);
        } else if (give_to_helper(writes, &who, watch)) {
            /* too many wait: again at the next tick */
            watch->closed = true;
            eg_watches_judged(writes->watches, watch);
            break;
        }
    }
    set_timer(writes);
}

void eg_writes_turn(struct eg_writes *writes)
{
    struct eg_job *job;
    uint64_t ticks;
    if (!writes) return;
    writes->ticked =
        writes->timer_runs && read(writes->timer, &ticks, sizeof ticks) == (ssize_t)sizeof ticks;
    if (writes->ticked) give_up_late(writes);
    /* without a waiting job there is no result to come, and nothing to drain */
    if (writes->waiting)
        while ((job = eg_pool_take(writes->pool))) take_result(writes, job);
    judge_closed(writes);
    writes->ticked = false;
}

bool eg_writes_settled(const struct eg_writes *writes)
{
    return !writes || !(writes->waiting || eg_watches_unread(writes->watches));
}

void eg_writes_end(struct eg_writes *writes)
{
    if (!writes) return;
    eg_watches_read_all(writes->watches);
    eg_writes_turn(writes);
}

void eg_writes_settle(struct eg_writes *writes)
{
    if (!writes) return;
    int64_t end = eg_writes_now() + FINISH_MS;
    for (;;) {
        eg_writes_turn(writes);
        int64_t left = end - eg_writes_now();
        if (eg_writes_settled(writes) || left <= 0) return;
        struct pollfd fd = { writes->fd, POLLIN, 0 };
        poll(&fd, 1, (int)left);
    }
}

void eg_writes_finish(struct eg_writes *writes)
{
    if (!writes) return;
    /* what helpers were doing for the dead comes first: it is watched then */
    eg_writes_settle(writes);
    /* somebody outside of the tree may hold what it opened */
    eg_writes_end(writes);
    eg_writes_settle(writes);
}
