// SPDX-License-Identifier: MIT
/* What the files of the watcher share.  Private to watch*.c.
 *
 *   thread   does                                             may wait for
 *   -------  -----------------------------------------------  -------------------
 *   opens    reads permission events, answers what is known,  nothing
 *            hands the rest to the pool, keeps the deadlines
 *   names    reads what was done to names; marks new folders  the file system
 *   pool     reads files; answers openers; quarantine; events the file system
 *   walker   whole trees: at the start, after an overflow     the file system
 *   main     signals, mounts, the parent                      nothing
 *
 * `opens` opens no file and takes no lock that is held while a file is opened:
 * every open in a watched tree, our own included, waits for it. */
#ifndef EG_UPLOAD_WATCH_PARTS_H
#define EG_UPLOAD_WATCH_PARTS_H

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "decide/write.h"
#include "event/event.h"
#include "upload/watch.h"

#define EG_WATCH_WORKERS     4u
#define EG_WATCH_OPENS_MAX   1024u /* openers that wait for the pool; one descriptor each */
#define EG_WATCH_FILES_MAX   8192u /* finished files that wait; more: the walker looks at all */
#define EG_WATCH_REPORTS_MAX 1024u
#define EG_WATCH_HANDLE_MAX  128u /* MAX_HANDLE_SZ */
#define EG_WATCH_KNOWN       16384u

/* What the watcher's process tells its parent, in memory that both see. */
struct eg_watch_shared {
    _Atomic uint64_t beat; /* `opens` goes round */
    _Atomic uint64_t judged, refused, overflows;
};

/* A regular file, as it was when nothing refused was found in it and nobody had it
 * open for writing.  A write, through a mapping too, changes ctime first. */
struct eg_watch_known {
    uint64_t dev, ino, size;
    int64_t ctime_s, mtime_s;
    uint32_t ctime_ns, mtime_ns;
    uint32_t contents; /* kinds that were looked for; 0: free slot */
};

/* A file system on which trees lie: file handles of its events are opened
 * through a folder of it, by path, so that it can be unmounted. */
struct eg_watch_mount {
    struct eg_watch_mount *next;
    uint64_t fsid, dev;
    bool remembers;  /* ctime can be relied upon (see known) */
    bool filesystem; /* opens are judged by a mark on the whole of it */
    char path[];
};

enum eg_watch_job_kind {
    EG_WATCH_JOB_OPEN,   /* an opener waits for its answer */
    EG_WATCH_JOB_REPORT, /* deliver an event */
    EG_WATCH_JOB_FILE,   /* a finished file */
};

struct eg_watch_job {
    struct eg_watch_job *next;             /* in its queue */
    struct eg_watch_job *newer, **pending; /* OPEN: among those that wait */
    enum eg_watch_job_kind kind;
    atomic_bool answered; /* OPEN */
    bool exec, placed;    /* OPEN */
    int fd;               /* OPEN: the event's descriptor, ours until the job ends */
    int group;            /* OPEN: where the answer goes */
    pid_t pid;
    int64_t deadline;       /* OPEN: milliseconds, monotonic */
    struct eg_event *event; /* REPORT */
    const struct eg_blob *blob;
    uint64_t dev; /* FILE: of its folder */
    union {
        struct file_handle handle;
        char bytes[sizeof(struct file_handle) + EG_WATCH_HANDLE_MAX];
    } folder;
    const char *call;
    char text[]; /* OPEN: path; FILE: name; REPORT: the event's strings */
};

struct eg_watch_queue {
    struct eg_watch_job *first, **last;
    unsigned count;
};

struct eg_watch {
    const struct eg_watch_options *options;
    struct eg_watch_shared *shared;
    struct eg_blob **blobs;
    size_t blob_count;
    struct eg_rate *rates; /* one for each blob */
    /* fanotify groups.  What `opens` reports was opened in a marked folder, wherever
     * it is by now; `whole` reports opens of whole file systems (-1: not asked for). */
    int opens, whole, names;
    pid_t self;
    uint64_t exe_dev, exe_ino; /* our own program: `scan` and a second watcher may read */
    _Atomic pid_t threads[EG_WATCH_WORKERS + 4];
    _Atomic unsigned thread_count;

    pthread_mutex_t pool_lock; /* queues, pending */
    pthread_cond_t pool_work;
    struct eg_watch_queue open_jobs, file_jobs, report_jobs;
    struct eg_watch_job *pending, **pending_last;
    unsigned pending_count;
    _Atomic uint64_t lost_reports;

    pthread_mutex_t known_lock;
    struct eg_watch_known *known; /* EG_WATCH_KNOWN */

    pthread_mutex_t mounts_lock;
    struct eg_watch_mount *mounts;

    pthread_mutex_t walk_lock; /* walk_wanted */
    pthread_cond_t walk_work;
    bool walk_wanted;
    const char *walk_why;
};

/* --- watch_judge.c: what the policies say; no effects --- */

/* Why something is refused.  blob NULL: it is not. */
struct eg_watch_refusal {
    const struct eg_blob *blob;
    enum eg_kind kind;
    struct eg_write_decision decision;
    uint32_t hits; /* CONTENT */
};

/* Is `path` inside an upload tree of any policy? */
bool eg_watch_is_inside(const struct eg_watch *watch, struct eg_str path);

/* May an entry of this type and mode bear this name?  link: a symlink's text. */
bool eg_watch_judge_name(const struct eg_watch *watch, struct eg_str path, uint32_t mode,
                         struct eg_str link, struct eg_watch_refusal *ret);

/* May it be opened (exec: to be executed) as far as its name tells? */
bool eg_watch_judge_open(const struct eg_watch *watch, struct eg_str path, uint32_t mode, bool exec,
                         struct eg_watch_refusal *ret);

/* The mode without the bits that are refused; *ret says by whom, when it differs. */
uint32_t eg_watch_judge_mode(const struct eg_watch *watch, struct eg_str path, uint32_t mode,
                             struct eg_watch_refusal *ret);

/* Kinds of content that some policy refuses at this path; an empty path: in some
 * tree, nobody knows which. */
uint32_t eg_watch_contents(const struct eg_watch *watch, struct eg_str path);

/* May a file at this path (as above) hold `hits`? */
bool eg_watch_judge_content(const struct eg_watch *watch, struct eg_str path, uint32_t hits,
                            struct eg_watch_refusal *ret);

/* A refusal that no statement made, in the name of the tree that holds `path` (as
 * above): blob NULL when there is none. */
struct eg_watch_refusal eg_watch_refuse_tree(const struct eg_watch *watch, struct eg_str path,
                                             enum eg_reason reason);

/* Does the refusal stand, or does its policy only log? */
bool eg_watch_enforces(const struct eg_watch_refusal *refusal);

/* --- watch_read.c: what a file holds, who writes it --- */

/* Read the whole file and look for `contents`; holes are passed over.  Stops when
 * *stop is set (stop may be NULL): -ECANCELED.  0 or -errno. */
int eg_watch_read(int fd, uint32_t contents, const atomic_bool *stop, uint32_t *ret_hits);

/* Has anybody the file open or mapped for writing (an opener that waits for our
 * answer included)?  Needs a descriptor opened for reading; where leases are
 * not to be had, the answer is yes. */
bool eg_watch_is_written(int fd);

/* Known to hold none of these kinds, unchanged since, and nobody writes it? */
bool eg_watch_is_known(struct eg_watch *watch, int fd, const struct stat *st, uint32_t contents);

/* What a file is before it is read, all zero when it cannot be told.  True: what
 * will be found may be remembered. */
bool eg_watch_look(struct eg_watch *watch, int fd, struct stat *ret);

/* Remember a file in which none of these kinds was found since eg_watch_look
 * said true and *before; it is not remembered when it changed or is written. */
void eg_watch_remember(struct eg_watch *watch, int fd, const struct stat *before,
                       uint32_t contents);

/* --- watch_opens.c --- */
void *eg_watch_opens(void *watch);
/* Answer an opener, once; later answers are nothing. */
void eg_watch_answer(struct eg_watch_job *job, bool allow);
/* Judge what an opener waits for, in the pool. */
void eg_watch_judge_opener(struct eg_watch *watch, struct eg_watch_job *job);

/* --- watch_pool.c --- */

int64_t eg_watch_now_ms(void);
void *eg_watch_worker(void *watch);
/* Give a job to the pool, which owns it then.  False: too many wait already, or
 * no memory; the caller keeps it (NULL is accepted and is no memory). */
bool eg_watch_give(struct eg_watch *watch, struct eg_watch_job *job);
struct eg_watch_job *eg_watch_new_job(enum eg_watch_job_kind kind, size_t text);
/* This thread is one of ours: its opens are answered unjudged. */
void eg_watch_enlist(struct eg_watch *watch, const char *name);

/* --- watch_names.c --- */
void *eg_watch_names(void *watch);
/* Judge a finished file again, in the pool. */
void eg_watch_judge_file(struct eg_watch *watch, const struct eg_watch_job *job);

/* --- watch_trees.c --- */

/* Mark and judge every tree.  contents: read the files, too (here and now). */
void eg_watch_walk(struct eg_watch *watch, bool contents, const char *call);
/* A folder appeared at `path`: mark and judge it, if it is in a tree or may come
 * to hold one.  Contents are left to the pool. */
void eg_watch_arrive(struct eg_watch *watch, const char *path, const char *call, pid_t pid);
void *eg_watch_walker(void *watch);
void eg_watch_want_walk(struct eg_watch *watch, const char *why);
/* A quarantine folder of some policy, or something in it? */
bool eg_watch_is_quarantine(const struct eg_watch *watch, struct eg_str path);
/* Does a folder at this path lie in a tree, or above a place where one may be? */
bool eg_watch_concerns(const struct eg_watch *watch, struct eg_str path);
/* A file at `path` lies outside the trees: opens in its folder are no matter of
 * ours any more. */
void eg_watch_leave(struct eg_watch *watch, int group, const char *path, const struct stat *file);
/* Where files of this file system are reached; false: no tree is there.  path
 * may be NULL. */
bool eg_watch_find_mount(struct eg_watch *watch, uint64_t fsid, uint64_t dev, char path[PATH_MAX],
                         struct eg_watch_mount *ret);

/* A descriptor of a folder of this file system, for open_by_handle_at(2); path:
 * as found, shortened.  -ENODEV: it is not mounted any more. */
int eg_watch_open_mount(const struct eg_watch_mount *mount, char path[PATH_MAX]);

/* --- watch_entry.c: what is in a folder --- */

/* An entry of a folder inside a tree.  fd is O_PATH, of the entry itself. */
struct eg_watch_entry {
    int folder;
    const char *name;
    int fd;
    struct stat st;
    const char *path;
    const char *call; /* for events */
    pid_t pid;        /* who did it; 0: nobody knows */
};
enum eg_watch_read { EG_WATCH_READ_NOT, EG_WATCH_READ_LATER, EG_WATCH_READ_NOW };

/* Open and describe; `path` and `name` must live as long as the entry.  0 or -errno. */
int eg_watch_entry_open(int folder, const char *name, const char *path, struct eg_watch_entry *ret);
/* Judge name, mode and (as asked) content, and act.  True: it is still there. */
bool eg_watch_judge_entry(struct eg_watch *watch, struct eg_watch_entry *entry,
                          enum eg_watch_read contents);
/* Take a refused entry out of use: quarantine, or locked, or without its name. */
void eg_watch_refuse(struct eg_watch *watch, const struct eg_watch_entry *entry,
                     const struct eg_watch_refusal *refusal);

/* --- watch_report.c --- */

/* An event about `path`; hint may be NULL.  From any thread: delivered by the pool. */
void eg_watch_report(struct eg_watch *watch, const struct eg_watch_refusal *refusal,
                     enum eg_action action, const char *call, const char *path, pid_t pid,
                     const char *hint);
/* An event of the watcher's own (overflow, restart), by every policy. */
void eg_watch_report_self(struct eg_watch *watch, enum eg_reason reason, const char *hint);
void eg_watch_deliver(struct eg_watch *watch, struct eg_watch_job *job);
/* A line on stderr. */
void eg_watch_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- watch_child.c --- */

/* The watcher itself: never returns.  ready: a byte is written when the trees are
 * marked. */
_Noreturn void eg_watch_serve(const struct eg_watch_options *options,
                              struct eg_watch_shared *shared, int ready, const char *why);

#endif
