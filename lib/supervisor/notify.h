// SPDX-License-Identifier: MIT
/* seccomp_unotify(2) and nothing else: one notification in, one answer out. */
#ifndef EG_SUPERVISOR_NOTIFY_H
#define EG_SUPERVISOR_NOTIFY_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/* Newer than Debian 12's kernel headers. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* What the supervisor answers: the kernel goes on with the call, or the call
 * returns -error (error 1..4095) or value.  sent: it was answered, or will be. */
struct eg_answer {
    bool proceed;
    bool sent;
    int error;
    int64_t value;
};

static inline struct eg_answer eg_answer_proceed(void)
{
    return (struct eg_answer){ .proceed = true };
}

static inline struct eg_answer eg_answer_error(int error)
{
    return (struct eg_answer){ .error = error };
}

/* Receive one notification. 0; -ENOENT when the caller went away meanwhile (go
 * on); -EINTR; another -errno when the listener is broken. */
int eg_notify_receive(int listener, struct seccomp_notif *ret);

/* Answer it. 0; -ENOENT when the caller is gone (nothing to do). */
int eg_notify_answer(int listener, uint64_t id, struct eg_answer answer);

/* Answer an open with a copy of `fd`, which stays the caller's.  in_turn: where
 * nothing but its death interrupts the caller (WAIT_KILLABLE_RECV), the descriptor
 * is given first and the answer sent after it, which a synchronous wake-up makes
 * several times faster than both at once; interrupted between the two it would be
 * left with a descriptor that it does not know of.  0; -EMFILE: the caller has too
 * many open files (not answered yet); -ENOENT: it is gone; another -errno. */
int eg_notify_inject(int listener, uint64_t id, int fd, bool cloexec, bool in_turn);

/* Is the caller still waiting in this very call?  What was read from its memory
 * or /proc entry before counts only if so: its thread id may have been reused. */
bool eg_notify_valid(int listener, uint64_t id);

/* Ask for synchronous wake-ups (kernel 6.6): caller and supervisor then take
 * turns on one CPU, the largest single gain there is.  Where the kernel lacks
 * it nothing changes.  True when it is on. */
bool eg_notify_synchronous(int listener);

#endif
