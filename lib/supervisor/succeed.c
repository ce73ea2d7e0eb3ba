// SPDX-License-Identifier: MIT
/* Purpose: who succeeds a worker that starts itself again, up to the start. */
#include "supervisor/succeed.h"

#include "supervisor/signals.h"
#include "supervisor/write_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STARTING_MS 10000
#define LEAVING_MS  2000

/* The worker's own program, or the interpreter that runs it, by the path that it was
 * started by: the file may be another one by now, which is what this is about. */
static bool is_own_program(const struct eg_run *run, const struct eg_target *target)
{
    for (size_t i = 0; i < run->worker_count; i++) {
        bool own = i == 0 || eg_identity_same_inode(&run->worker[i].id, &run->worker_exe);
        if (own && eg_str_equal(run->worker[i].path, target->path)) return true;
    }
    return false;
}

/* Is it still who it was when it was started?  Whoever gave up rights, by setuid(2)
 * for one, must not get them back. */
static bool is_unchanged(const struct eg_tree *tree, pid_t tid)
{
    unsigned char now[EG_DIGEST_SIZE];
    return tree->worker_known && eg_estate_identity(tid, now) &&
           memcmp(now, tree->worker_identity, sizeof now) == 0;
}

static bool is_wanted(const struct eg_succession *s, const struct eg_tree *tree, pid_t tid,
                      pid_t tgid, const struct eg_target *target)
{
    return s->renewal && !s->in_place && tree->run && tree->blob->flags & EG_BLOB_WORKER_REEXEC &&
           tgid == tree->worker && is_own_program(tree->run, target) && is_unchanged(tree, tid) &&
           !eg_tree_foreign_variable(tree, &tree->envp) && s->renewal->is_changed(tree->run);
}

static bool copy(struct eg_succession *s, const struct eg_tree *tree,
                 const struct eg_target *target)
{
    if (target->path.n >= sizeof s->file) return false;
    memcpy(s->file, target->path.p, target->path.n);
    s->file[target->path.n] = '\0';
    return eg_vector_copy(&s->argv, tree->argv.items) == 0 &&
           eg_vector_copy(&s->envp, tree->envp.items) == 0;
}

bool eg_succession_begin(struct eg_succession *s, struct eg_tree *tree,
                         const struct seccomp_notif *notif, pid_t tgid,
                         const struct eg_target *target)
{
    sigset_t none;
    bool waits = s->phase == EG_SUCCESSION_COMPILING || s->phase == EG_SUCCESSION_STARTING;
    if (waits && tree == s->tree && tgid == tree->worker) {
        /* a signal interrupted it, and it asks again */
        s->notif = *notif;
        return true;
    }
    if (waits || !is_wanted(s, tree, (pid_t)notif->pid, tgid, target)) return false;
    eg_succession_leave(s);
    if (!copy(s, tree, target)) return false;
    memset(&none, 0, sizeof none);
    s->compiler = s->renewal->compile(s->renewal->context, &none);
    if (s->compiler < 0) return false;
    s->phase = EG_SUCCESSION_COMPILING;
    s->notif = *notif;
    s->tree = tree;
    return true;
}

bool eg_succession_fits(const struct eg_succession *s, const struct eg_run *run)
{
    for (size_t i = 0; i < s->envp.count; i++) {
        const char *entry = s->envp.items[i];
        if (eg_decide_env(run->blob, eg_str(entry)) != EG_ENV_PASS &&
            !eg_tree_started_with(s->tree, entry))
            return false;
    }
    return true;
}

void eg_succession_started(struct eg_succession *s)
{
    s->phase = EG_SUCCESSION_STARTING;
    s->until = eg_writes_now() + STARTING_MS;
}

void eg_succession_fail(struct eg_succession *s, const char *why)
{
    fprintf(stderr, "execguard: the worker starts itself again in the domain that it has: %s\n",
            why);
    s->phase = EG_SUCCESSION_IDLE;
    eg_estate_done(&s->estate);
    if (!eg_notify_valid(s->tree->listener, s->notif.id)) return;
    s->in_place = true;
    struct eg_answer answer = eg_tree_judge_exec(s->tree, &s->notif);
    s->in_place = false;
    if (!answer.sent) eg_notify_answer(s->tree->listener, s->notif.id, answer);
}

void eg_succession_done(struct eg_succession *s, pid_t heir)
{
    s->heir = heir;
    s->phase = EG_SUCCESSION_LEAVING;
    s->until = eg_writes_now() + LEAVING_MS;
}

/* Who was to end must not live on in its successor.  A signal for a reload is not
 * handed on: it was reloaded. */
static void pass_on_signals(const struct eg_succession *s)
{
    static const int ends[] = { SIGTERM, SIGINT, SIGQUIT };
    uint64_t waiting = eg_estate_pending(s->estate.pid);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (s->heir && waiting >> (ends[i] - 1) & 1) kill(s->heir, ends[i]);
}

int eg_succession_wait(const struct eg_succession *s)
{
    if (s->phase != EG_SUCCESSION_STARTING && s->phase != EG_SUCCESSION_LEAVING) return -1;
    int64_t left = s->until - eg_writes_now();
    return left > 0 ? (int)left : 0;
}

void eg_succession_leave(struct eg_succession *s)
{
    if (s->phase != EG_SUCCESSION_LEAVING) return;
    pass_on_signals(s);
    /* it waits in its exec, which nobody will answer */
    syscall(SYS_pidfd_send_signal, s->estate.process, SIGKILL, NULL, 0);
    eg_estate_done(&s->estate);
    s->phase = EG_SUCCESSION_IDLE;
}

void eg_succession_free(struct eg_succession *s)
{
    eg_succession_leave(s);
    eg_estate_done(&s->estate);
    eg_vector_free(&s->argv);
    eg_vector_free(&s->envp);
}
