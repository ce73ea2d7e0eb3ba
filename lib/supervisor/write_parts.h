// SPDX-License-Identifier: MIT
/* What the files of write.c share. */
#ifndef EG_SUPERVISOR_WRITE_PARTS_H
#define EG_SUPERVISOR_WRITE_PARTS_H

#include "content/content.h"
#include "decide/write.h"
#include "supervisor/remote.h"
#include "supervisor/tree.h"
#include "supervisor/write.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/types.h>

/* --- Whose call it is (write_caller.c) ---------------------------------------- */

#define EG_GROUPS_MAX 1024u

/* What the kernel asks a task for when it changes a file tree. */
struct eg_identity_of {
    uid_t user; /* file system user and group: setfsuid(2) */
    gid_t group;
    uint64_t effective;              /* capabilities */
    uint64_t permitted, inheritable; /* our own only */
    mode_t umask;
    ino_t users; /* the user namespace */
    uint32_t group_count;
    gid_t groups[EG_GROUPS_MAX];
};

/* Descriptors of a thread's /proc folder.  They belong to this very thread: when
 * its id is another's, they answer ESRCH. */
struct eg_proc {
    pid_t tid;
    int folder, status;
    ino_t users; /* its user namespace where it cannot change; 0: to be asked for */
};

/* Open them (-errno), close them. */
int eg_proc_open(pid_t tid, struct eg_proc *ret);
void eg_proc_close(struct eg_proc *proc);

/* Read a thread's identity.  0 or -errno (-ESRCH: gone; -E2BIG: too many groups). */
int eg_caller_read(const struct eg_proc *proc, struct eg_identity_of *ret);

/* Remember the thread's user namespace, for a thread whose filter keeps it there.  A
 * filter stays for ever, and the descriptors are this very thread's. */
void eg_proc_keep_users(struct eg_proc *proc);

/* Our own. */
int eg_caller_self(struct eg_identity_of *ret);

/* Would the kernel treat both alike? */
bool eg_caller_is(const struct eg_identity_of *a, const struct eg_identity_of *b);

/* Has the caller this capability, as far as it was lent? */
bool eg_caller_has(const struct eg_identity_of *self, const struct eg_identity_of *caller,
                   unsigned capability);

/* Become the caller in this thread, as far as files are concerned; and ourselves
 * again.  0; -EPERM: we may not (nothing changed then).  Leaving cannot fail: it
 * ends the process rather than go on as somebody else. */
int eg_caller_become(const struct eg_identity_of *self, const struct eg_identity_of *caller);
void eg_caller_leave(const struct eg_identity_of *self, const struct eg_identity_of *caller);

/* --- Where it leads (write_walk.c) -------------------------------------------- */

/* A path's end, held.  The folder and the last component; name is empty where
 * there is none (`.`, `..`, `/`, a descriptor, a magic link). */
struct eg_place {
    int folder; /* O_PATH, or -1 */
    int object; /* O_PATH | O_NOFOLLOW of what is there, or -1 */
    bool found; /* something is there; st says what, with EG_FIND_LOOK without an object */
    struct stat st;
    bool slash; /* the path ended in one */
    char name[256];
    char path[EG_PATH_MAX + 256]; /* canonical; not absolute for what has no path */
    uint32_t upload;              /* the upload tree that holds it, or EG_NONE */
};

/* FOLLOW the last component's links; take an EMPTY path for the descriptor; the
 * LAST component stays itself even where a slash follows it; only LOOK at what
 * bears the name, for acts that use the name in the held folder and nothing else:
 * a link is held all the same, so that its text is that of the one looked at. */
enum { EG_FIND_FOLLOW = 1, EG_FIND_EMPTY = 2, EG_FIND_LAST = 4, EG_FIND_LOOK = 8 };

/* --- One call (write.c) ------------------------------------------------------- */

enum eg_write_act {
    EG_ACT_OPEN,
    EG_ACT_MKDIR,
    EG_ACT_MKNOD,
    EG_ACT_SYMLINK,
    EG_ACT_LINK,
    EG_ACT_RENAME,
    EG_ACT_REMOVE,
    EG_ACT_TRUNCATE,
    EG_ACT_MODE,
    EG_ACT_OWNER,
    EG_ACT_TIMES,
    EG_ACT_SET_XATTR,
    EG_ACT_REMOVE_XATTR,
    EG_ACT_BIND,
};

struct eg_write_call; /* a row of write_calls.c's table */

/* Its name, for events. */
const char *eg_write_call_name(const struct eg_write_call *call);

/* What a call asks for, read out of its registers. */
struct eg_write_args {
    const struct eg_write_call *call;
    enum eg_write_act act;
    int dirfd[2];
    uint64_t path[2]; /* addresses */
    uint64_t a, b, c; /* what else it takes: see write_calls.c's table */
    int flags;        /* O_*, AT_* or RENAME_* */
    mode_t mode;
};

/* An event to come. */
struct eg_write_event {
    bool wanted;
    enum eg_action action;
    enum eg_kind kind;
    enum eg_reason reason;
    struct eg_write_decision decision;
    char path[EG_PATH_MAX + 256];
    uint64_t size;
    uint32_t hits; /* kinds of content */
    bool has_content, has_digest;
    unsigned char sha256[32];
};

enum eg_job_state {
    EG_JOB_DONE = 0,
    EG_JOB_LATER, /* it might wait: again, from the start, in a helper */
};

struct eg_watch;

struct eg_job {
    struct eg_writes *writes;
    struct eg_job *next;        /* the pool's */
    struct eg_job *after;       /* the loop's list of waiting ones */
    struct seccomp_notif notif; /* id 0: no call, but a file that was closed */
    bool patient;               /* runs in a helper */
    bool abandoned;             /* the loop gave up on it and answered */
    int64_t deadline;           /* CLOCK_MONOTONIC, ms */

    struct eg_write_args args;
    struct eg_proc proc;
    bool proc_owned;
    struct eg_identity_of caller;
    bool is_caller;  /* this thread is the caller now */
    bool late;       /* a write rule names it, and no domain: done here */
    bool find_again; /* a link's owner must be compared with the caller */
    bool own_root;   /* the caller's root is ours; root is then -1, but in a helper */
    int root, bases[2];
    char spelled[2][EG_PATH_MAX];
    struct eg_place places[2];
    /* file systems that a helper met: the loop then knows them */
    struct {
        uint64_t dev;
        uint32_t class;
    } learned[4];
    uint32_t learned_count;

    /* the result */
    struct eg_answer answer;
    int inject; /* descriptor to give to the caller, or -1 */
    bool inject_cloexec;
    int watched;           /* O_PATH of a file to judge after its last close, or -1 */
    uint32_t watch_upload; /* its tree */
    unsigned watch_flags;  /* EG_WATCH_... */
    struct eg_write_event event;

    /* a closed file */
    struct eg_watch *closed;
};

/* Bigger files are read by helpers. */
#define EG_SCAN_INLINE (64 << 10)

/* Where a file system's answers come from. */
enum eg_fs_class {
    EG_FS_UNKNOWN = 0,
    EG_FS_LOCAL, /* this kernel's own: never waits for another program or machine */
    EG_FS_SLOW,
    EG_FS_PROC,
};

#define EG_FS_SLOTS   16u
#define EG_PROC_SLOTS 32u

struct eg_pool;
struct eg_watches;

struct eg_granted {
    uint64_t dev, ino;
};

struct eg_writes {
    struct eg_tree *tree;
    struct eg_identity_of self;
    int fd; /* epoll: of the two below and of a timer */
    int timer;
    bool timer_runs, ticked;
    int held; /* /proc/self/fd: names of held files are read there */
    struct eg_pool *pool;
    struct eg_watches *watches;
    struct eg_job *waiting; /* handed to helpers, not yet answered */
    struct {
        uint64_t dev;
        enum eg_fs_class class;
    } systems[EG_FS_SLOTS];
    uint32_t next_system;
    struct eg_proc procs[EG_PROC_SLOTS];
    pthread_mutex_t border;                      /* eg_job_border_enter */
    int protected_symlinks, protected_hardlinks; /* sysctl fs.* */
    uint64_t own_root[3];                        /* device, inode and mount of our root */
    struct eg_job job;                           /* the loop's */
    bool judges;     /* there are upload trees, or trees that are logged */
    bool has_domain; /* that lets these places be written, sorted */
    struct eg_granted *granted;
    size_t granted_count;
    char stage[32]; /* prefix of names that are never final: write_names.c */
};

/* Find what path number `which` of the call names.  0 (also when nothing is there:
 * object -1); EG_JOB_LATER; -errno, the call's own error. */
int eg_job_find(struct eg_job *job, int which, unsigned flags);

/* A regular file with other names? */
bool eg_place_shared(const struct eg_place *place);

/* Forget a place. */
void eg_place_close(struct eg_place *place);

/* "/proc/self/fd/N", by which a held file is named. */
struct eg_fd_path {
    char text[32];
};
struct eg_fd_path eg_fd_path(int fd);

/* Where a held file lies, as readlink(2) says it: its length, or -errno
 * (-ENAMETOOLONG where it does not fit).  NUL-terminated. */
int eg_held_path(const struct eg_writes *writes, int fd, char *ret, size_t size);

/* Judge: fills job->event when there is one to write.  False: refused, and the
 * answer is set. */
bool eg_job_judge(struct eg_job *job, enum eg_write_op op, const struct eg_place *place,
                  const char *other, mode_t mode, struct eg_write_decision *ret);
/* The same of a RENAME; shared: what moves has other names. */
bool eg_job_judge_rename(struct eg_job *job, const struct eg_place *place, const char *other,
                         mode_t mode, bool shared, struct eg_write_decision *ret);
/* The mere question, for a place in no upload tree: may the worker write what lies or
 * would lie there?  ret_tree: the write rule that lets it, EG_NONE for what no rule has
 * to name (a device, all of it in a policy without a write block). */
bool eg_job_may_write(const struct eg_job *job, const struct eg_place *place, uint32_t *ret_tree);
void eg_job_refuse(struct eg_job *job, enum eg_kind kind, enum eg_reason reason,
                   const struct eg_write_decision *decision, const char *path);
void eg_job_answer(struct eg_job *job, long result);

/* --- What it asks for (write_calls.c) ------------------------------------------- */

/* False: a call that the table lacks. */
bool eg_write_read_registers(const struct seccomp_data *data, struct eg_write_args *ret);

/* Read its paths out of the caller's memory (job->spelled).  0; 1: no path of a file
 * after all (bind(2) to another family); -errno. */
int eg_job_read_paths(struct eg_job *job);

/* Does path number `which` (or its descriptor) name something?  And how it is to be
 * found: EG_FIND_*. */
bool eg_job_uses_path(const struct eg_job *job, int which);
unsigned eg_job_find_flags(const struct eg_job *job, int which);

/* --- What is done ---------------------------------------------------------------- */

/* The acts, on places that are found, as the caller.  EG_JOB_DONE with the answer
 * set, or EG_JOB_LATER before anything was changed. */
enum eg_job_state eg_job_open(struct eg_job *job);
enum eg_job_state eg_job_make(struct eg_job *job); /* MKDIR, MKNOD, SYMLINK */
enum eg_job_state eg_job_link(struct eg_job *job);
enum eg_job_state eg_job_rename(struct eg_job *job);
enum eg_job_state eg_job_remove(struct eg_job *job);
enum eg_job_state eg_job_attribute(struct eg_job *job); /* TRUNCATE and what follows it */

/* What moves over the border of a tree, gets a second name, or an execute bit, does
 * so alone: each of them is judged by what the others may change (its names, its
 * place, its mode), and helpers run beside the loop.  False: not now (job->answer is
 * set); in the loop it is EG_JOB_LATER then.  Held for a few system calls. */
bool eg_job_border_enter(struct eg_job *job);
void eg_job_border_leave(struct eg_job *job);

/* openat(2) that waits for nothing but leases, and for them in a helper only; in
 * the loop it is EG_WOULD_WAIT then.  A descriptor with O_NONBLOCK, or -errno. */
#define EG_WOULD_WAIT (-100000) /* no error of the kernel's */
int eg_job_open_at(const struct eg_job *job, int folder, const char *name, int flags, mode_t mode);

/* --- What came after the domain (write_late.c) -------------------------------- */

/* Note what the domain holds; right after it was made.  0 or -errno. */
int eg_late_learn(struct eg_writes *writes);

/* Places are found, none in an upload tree, and the call is allowed: is it one that
 * the domain refuses only since a place is newer than it? */
bool eg_job_is_late(const struct eg_job *job);

/* --- What a file holds (write_content.c) -------------------------------------- */

/* A file that is being looked through.  frozen: nobody else has it open for
 * writing, and whoever wants to waits until it is closed (fcntl(2), F_SETLEASE). */
struct eg_scan {
    int fd;
    bool frozen;
    bool has_writers; /* somebody has it open for writing */
    bool unsure;      /* neither is known: no leases there, or the file is another user's */
    bool digested;    /* sha256 is set: not of more than EG_DIGEST_MAX */
    uint32_t hits;
    uint64_t size; /* and whether it has holes: when it was opened */
    bool sparse;
    unsigned char sha256[32];
};

#define EG_DIGEST_MAX (1u << 30)

/* Open and freeze the file behind an O_PATH descriptor, as ourselves; 0 or
 * -errno.  Then read all of it, looking for these kinds; deadline (0: none): give up
 * then (-ETIMEDOUT). */
int eg_scan_open(int object, struct eg_scan *ret);
int eg_scan_read(struct eg_scan *scan, uint32_t kinds, int64_t deadline);
/* Has nobody tried to open it for writing since? */
bool eg_scan_still_frozen(const struct eg_scan *scan);
void eg_scan_close(struct eg_scan *scan);

/* Judge the content of a file that is to get this name.  FINE: go on, and close the
 * scan when the name is made; REFUSED: the answer is set; LATER: it is big.  may_take:
 * the caller could take its name away, so that a refused one goes to the quarantine. */
enum eg_content_answer { EG_CONTENT_FINE, EG_CONTENT_REFUSED, EG_CONTENT_LATER };
enum eg_content_answer eg_job_content(struct eg_job *job, const struct eg_place *source,
                                      const struct eg_place *target,
                                      const struct eg_write_decision *decision, bool may_take,
                                      struct eg_scan *ret_scan);

/* Judge a file that was closed (job->closed), and put it away on a hit.
 * EG_JOB_LATER: it is big, or its file system slow. */
enum eg_job_state eg_job_closed(struct eg_job *job);

/* --- Files that are being written (write_watch.c) ----------------------------- */

struct eg_watch {
    struct eg_watch *next;
    int object; /* O_PATH */
    int wd;
    pid_t tid;                        /* who opened it last... */
    struct eg_event_request *request; /* ...and what it served then, or NULL; owned */
    uint32_t upload;                  /* the tree that it was opened in, or came to */
    bool closed;                      /* since somebody began to judge it */
    bool opened;                      /* for writing, since then */
    bool busy;                        /* somebody judges it... */
    bool reads;               /* ...all of it; otherwise only whether it is open for writing */
    bool lingers;             /* who outside of the tree was about to open it may do so until... */
    bool writers;             /* result: it is open for writing still */
    bool unsure;              /* result: nobody can tell; kept while there is room */
    bool again;               /* result: it could not be read now */
    unsigned tries;           /* how often that was so, one after the other */
    int64_t until;            /* CLOCK_MONOTONIC, ms */
    int64_t began, patrol_at; /* to be judged; to be judged again though it is open */
    int64_t interval;         /* between two of these */
    bool backed;              /* as EG_WATCH_BACKED says */
};

/* How often a file that cannot be read now is tried again, once a second: somebody's
 * lease is broken after /proc/sys/fs/lease-break-time, 45 s. */
#define EG_WATCH_TRIES 90u

struct eg_watches *eg_watches_new(void);
void eg_watches_free(struct eg_watches *watches);
int eg_watches_fd(const struct eg_watches *watches);

/* It LINGERS: somebody outside the tree might be about to open it; LONG: until a
 * helper's patience ends; READ: judge it at once, not only after the next close;
 * BACKED: who has mapped it is not seen to have it open (eg_fs_is_backed). */
enum { EG_WATCH_LINGERS = 1, EG_WATCH_LONG = 2, EG_WATCH_READ = 4, EG_WATCH_BACKED = 8 };

/* Watch the file behind `object` (taken over, also on failure), as ourselves; from
 * any thread.  request: what the caller serves (taken over, also on failure), NULL
 * where that is not known.  0 or -errno: -ENFILE too many, -ENOSPC more than
 * fs.inotify.max_user_watches. */
int eg_watches_add(struct eg_watches *watches, int object, pid_t tid, uint32_t upload,
                   unsigned flags, struct eg_event_request *request);

/* The tree has ended: judge whatever is watched still, as it is.  Then: is there any
 * left to judge? */
void eg_watches_read_all(struct eg_watches *watches);
bool eg_watches_unread(struct eg_watches *watches);

/* The next file to judge, marked busy; NULL: none (the descriptor is drained). */
struct eg_watch *eg_watches_next(struct eg_watches *watches);

/* It was judged: kept while somebody may still write to it. */
void eg_watches_judged(struct eg_watches *watches, struct eg_watch *watch);

/* Is there any, so that eg_watches_next must be asked without an event, once a
 * second? */
bool eg_watches_wait(struct eg_watches *watches);

/* --- Helpers (write_pool.c) ----------------------------------------------------- */

struct eg_pool *eg_pool_new(void);
void eg_pool_free(struct eg_pool *pool);
int eg_pool_fd(const struct eg_pool *pool);

/* Hand a job over; 0, or -EBUSY when too many wait. */
int eg_pool_give(struct eg_pool *pool, struct eg_job *job);

/* The next finished job, or NULL. */
struct eg_job *eg_pool_take(struct eg_pool *pool);

/* Runs a job in a helper: called by the pool's threads. */
void eg_job_run_patiently(struct eg_job *job);

#define EG_PATIENCE_MS 120000 /* for a helper: then the call is refused */

/* Begin a job for a call; run it as far as the loop can (EG_JOB_LATER: give a
 * patient one to a helper). */
void eg_job_begin(struct eg_job *job, struct eg_writes *writes, const struct seccomp_notif *notif);
enum eg_job_state eg_job_run(struct eg_job *job);

/* What the loop knows of a file system (st_dev's), or learns from a helper. */
enum eg_fs_class eg_writes_class(const struct eg_writes *writes, uint64_t dev);
enum eg_fs_class eg_fs_classify(int fd); /* asks it: may wait */
enum eg_fs_class eg_job_class(struct eg_job *job, int fd);
/* Does a mapping hold another file than the one that was opened (overlayfs, FUSE)? */
bool eg_fs_is_backed(int fd);

/* --- Events (write_event.c) ----------------------------------------------------- */

void eg_job_report(struct eg_job *job);

int64_t eg_writes_now(void);

#endif
