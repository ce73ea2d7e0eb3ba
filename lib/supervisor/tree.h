// SPDX-License-Identifier: MIT
/* One guarded tree of processes: a policy, a listener, and what is known about
 * who runs there.  `run` has one, the agent many. */
#ifndef EG_SUPERVISOR_TREE_H
#define EG_SUPERVISOR_TREE_H

#include "event/event.h"
#include "supervisor/hands.h"
#include "supervisor/images.h"
#include "supervisor/notify.h"
#include "supervisor/remote.h"
#include "supervisor/report.h"
#include "supervisor/unit.h"
#include "supervisor/write.h"

/* Verdicts on mapped files, direct-mapped by inode. */
#define EG_MAP_SLOTS 512u
struct eg_map_verdict {
    uint64_t dev, ino;
    int64_t ctime_s;
    uint32_t ctime_ns;
    uint32_t allowed;
};

/* A shim told of an exec that will come here next. */
#define EG_TOLD_SLOTS 16u
struct eg_told {
    pid_t tgid;
    bool line;     /* EG_CALL_PLAIN_LINE; else an event */
    int64_t until; /* CLOCK_MONOTONIC, seconds */
};

struct eg_run;
struct eg_succession;

struct eg_tree {
    const struct eg_blob *blob;
    const struct eg_run *run; /* NULL: an agent's tree */
    int listener;
    /* The worker's first program: allowed to start once, in process `worker`.
     * exe is what /proc/PID/exe must then show: the program, or a script's last
     * interpreter.  worker_any: whatever that process starts first is the
     * program (a container's entrypoint: until then it runs the runtime's own
     * code), and program, exe and start_env are learned from it. */
    pid_t worker;
    bool worker_started;
    bool worker_any;
    bool worker_seen; /* its image was seen to run... */
    /* ...and `worker reexec': by whom then (estate.h) */
    bool worker_known;
    unsigned char worker_identity[EG_DIGEST_SIZE];
    struct eg_succession *succession; /* NULL: it starts itself again in place only */
    bool keeps_users;  /* nobody here can change user namespaces: `run' installed the filter */
    bool foreign_root; /* its processes may see other file systems than we do */
    char restart_hint[EG_UNIT_MAX + 128]; /* what to do after an upgrade; "": no word */
    struct eg_str container;              /* for events; empty: none.  The text is the caller's */
    struct eg_target worker_program;
    char *worker_path; /* worker_any: what worker_program.path points to; owned */
    struct eg_identity worker_exe;
    struct eg_vector start_env; /* what the worker was started with */
    struct eg_images *images;
    struct eg_hands hands; /* who told of the requests that it serves */
    struct eg_rate *rate;
    struct eg_report *report; /* --report; NULL: none.  The caller's */
    struct eg_map_verdict maps[EG_MAP_SLOTS];
    struct eg_told told[EG_TOLD_SLOTS];
    uint32_t told_next;
    struct eg_vector argv, envp; /* scratch */
    struct eg_writes *writes;    /* NULL: the policy has no upload trees and logs no writes */
    /* what the listener can: only fatal signals interrupt who waits for an answer;
     * wake-ups are synchronous (notify.h) */
    bool wait_killable, synchronous;
    uint64_t seq;
    /* what `status` and the closing line of `run` tell */
    uint64_t allowed, denied, raced;
    int last_error; /* why serving stopped */
};

/* Make a tree for a listener; the descriptor, the blob and the program's path
 * stay the caller's.  start_env is taken over (the caller's copy is emptied).
 * NULL: out of memory. */
struct eg_tree *eg_tree_new(const struct eg_blob *blob, int listener, struct eg_vector *start_env);
void eg_tree_free(struct eg_tree *tree);

/* Receive and answer one notification; call when poll(2) shows POLLIN.  Never
 * blocks on the worker.  0; -ENOENT: nothing was there; another -errno: the
 * listener is unusable and the tree must be ended. */
int eg_tree_serve(struct eg_tree *tree);

/* The judges, one each way of asking; each returns the answer to give. */
struct eg_answer eg_tree_judge_exec(struct eg_tree *tree, const struct seccomp_notif *notif);
struct eg_answer eg_tree_verify_image(struct eg_tree *tree, const struct seccomp_notif *notif);
struct eg_answer eg_tree_judge_map(struct eg_tree *tree, const struct seccomp_notif *notif);
struct eg_answer eg_tree_judge_write(struct eg_tree *tree, const struct seccomp_notif *notif);
struct eg_answer eg_tree_take_call(struct eg_tree *tree, const struct seccomp_notif *notif);

/* What the shim asks (guard/call.h, EG_CALL_POLICY and EG_CALL_STEP). */
struct eg_answer eg_tree_hand_policy(struct eg_tree *tree, const struct seccomp_notif *notif);
struct eg_answer eg_tree_tell_step(struct eg_tree *tree, const struct seccomp_notif *notif);

/* Shared by the judges. */

/* Was the worker started with exactly this "NAME=value"? */
bool eg_tree_started_with(const struct eg_tree *tree, const char *entry);

/* The blob's program that this file is, or EG_NONE. */
uint32_t eg_tree_program(const struct eg_tree *tree, const struct eg_identity *id);

/* The first variable that would make a program load code and that the worker was
 * not started with; NULL when there is none. */
const char *eg_tree_foreign_variable(const struct eg_tree *tree, const struct eg_vector *envp);

/* An event about a process (tgid 0: to be found out when it is told).  In log mode a
 * denial becomes would-deny. */
void eg_tree_event(const struct eg_tree *tree, pid_t tgid, enum eg_kind kind, enum eg_reason reason,
                   struct eg_event *ret);

/* Did a shim tell of this exec already (by this process, or by its parent, whose
 * child it is), by an event or (`line`) by EG_CALL_PLAIN_LINE?  Asked once each: one exec,
 * one event. */
bool eg_tree_was_told(struct eg_tree *tree, pid_t tid, pid_t tgid, bool line);

/* Count an event and number it.  Who is to be told of it; 0: nobody, since like ones
 * were told, and nothing else about it needs to be found out.  What eg_event_admit
 * looks at must be there. */
enum { EG_TELL_SINKS = 1, EG_TELL_REPORT = 2, EG_TELL_REQUEST_KNOWN = 4 };
unsigned eg_tree_count(struct eg_tree *tree, struct eg_event *event);

/* Tell them, with what /proc knows of the thread, which waits for its answer, and
 * with the request that it claims to serve, unless the event has one, or the caller
 * adds EG_TELL_REQUEST_KNOWN: it has none then. */
void eg_tree_tell(struct eg_tree *tree, pid_t tid, struct eg_event *event, unsigned whom);

/* Both. */
void eg_tree_report(struct eg_tree *tree, pid_t tid, struct eg_event *event);

#endif
