// SPDX-License-Identifier: MIT
/* Installs a compiled policy in this process, in one fixed order:
 * no_new_privs, capabilities, Landlock, seccomp; where the policy switches
 * no_new_privs off, capabilities come last, since the kernel then takes domains
 * and filters from CAP_SYS_ADMIN alone.  Freestanding; async-signal-safe; nothing
 * is undone on failure: the caller must end the process.
 *
 * Only the calling thread is restricted: call it before there are others. */
#ifndef EG_GUARD_GUARD_H
#define EG_GUARD_GUARD_H

#include "blob/blob.h"
#include "decide/request.h"

/* prctl(2) options that only the guard's own filter answers.  Unguarded, the
 * kernel returns -EINVAL to both. */
#define EG_PRCTL_QUERY                                                                             \
    0x45475131 /* "EGQ1": is the policy with id args 2..5 installed? Zeros: is any? */
#define EG_PRCTL_CALL       0x45474331 /* "EGC1": a call to the supervisor (notified) */
#define EG_QUERY_YES        3973 /* the filter's answer: an errno that the kernel never gives */
#define EG_QUERY_SUPERVISED 3974 /* the same, and a supervisor is listening */

enum eg_stage {
    EG_STAGE_LAUNCH, /* step one: the worker's own program may still run */
    EG_STAGE_FINAL,  /* everything at once, in the worker (preload alone) */
    EG_STAGE_NARROW, /* step two, in the worker, after LAUNCH */
};

struct eg_guard_error {
    enum eg_layer layer; /* which layer failed */
    const char *what;    /* static text: the step ("landlock_restrict_self") */
    struct eg_str path;  /* the path concerned, if any */
    int error;           /* errno, positive */
};

struct eg_guard_plan {
    const struct eg_blob *blob;
    enum eg_stage stage;
    /* LAUNCH: what the worker's start needs beyond the exec set: the program,
     * its #! interpreters and ELF interpreter. */
    const struct eg_target *worker;
    size_t worker_count;
    /* LAUNCH, supervised: install the supervised filter with a listener and
     * return its descriptor in listener_fd. */
    bool supervised;
    int listener_fd;
    /* Set on success: bits (1 << layer) that were installed; optional layers
     * that the kernel lacks stay out. */
    uint32_t installed;
    /* Set on success: programs of the exec set that are not the files the policy
     * was compiled for (replaced or removed since) and so may not run. */
    uint32_t replaced;
};

/* 0 or -errno with *ret_error filled.  In log mode installs nothing, but for the
 * filter of a supervised plan: it must hold notifications only then. */
int eg_guard_install(struct eg_guard_plan *plan, struct eg_guard_error *ret_error);

/* Tell `visit' of every place that the domain of this plan lets be written, by a
 * descriptor of it (O_PATH): what the domain holds is what was there then.  0 or
 * -errno with *ret_error filled, visit's own errors too. */
typedef int (*eg_guard_visit)(void *context, int fd);
int eg_guard_each_writable(const struct eg_guard_plan *plan, eg_guard_visit visit, void *context,
                           struct eg_guard_error *ret_error);

/* Asks the kernel whether the blob's policy guards this process already.
 * 0: no; EG_QUERY_YES or EG_QUERY_SUPERVISED. */
int eg_guard_query(const struct eg_blob *blob);

/* Asks the kernel whether step two is done: then nothing is left to narrow.
 * One system call: renaming /dev/pts/ptmx to itself, which changes nothing and
 * asks for no permission but Landlock's right to make devices in that folder.
 * Step one grants it there and nowhere else, where it is of no use (devpts has
 * no operation that would need it), and not at all where step two would take
 * nothing away; step two takes it away.  ONE also where there is no domain;
 * UNKNOWN where there is no devpts, as in most chroots. */
#define EG_STEP_SENTINEL "/dev/pts/ptmx"
enum eg_step { EG_STEP_UNKNOWN, EG_STEP_ONE, EG_STEP_TWO };
enum eg_step eg_guard_ask_step(void);

static inline bool eg_guard_is_narrow(void)
{
    return eg_guard_ask_step() == EG_STEP_TWO;
}

/* Is this file one that the blob's own exec set lets run?  A process whose
 * program is not could only be started under step one (or because the worker may
 * start itself again, or out of a `build` tree): it must narrow itself whatever
 * eg_guard_ask_step answers, which cannot tell one policy from another that was
 * there before. */
bool eg_guard_covers(const struct eg_blob *blob, const struct eg_identity *program);

/* What this kernel offers.  In a test build EXECGUARD_PRETEND=6.1 lowers it. */
struct eg_kernel {
    int landlock_abi; /* 0: none */
    bool seccomp;
    bool listener;
    bool wait_killable; /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV */
    bool sync_wake_up;
};
void eg_kernel_ask(struct eg_kernel *ret);

#endif
