// SPDX-License-Identifier: MIT
/* Purpose: the loop's side of a succession (succeed.h): the successor is started,
 * seen to run, made the worker; or given up. */
#include "supervisor/loop_parts.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void give_up(struct loop *loop, const char *why)
{
    pid_t heir = loop->heir.tree ? loop->heir.tree->worker : 0;
    if (heir) {
        kill(heir, SIGKILL);
        waitpid(heir, NULL, 0);
        eg_ward_end(loop, &loop->heir);
    }
    eg_succession_fail(&loop->succession, why);
}

/* The policy is compiled anew: start who succeeds the worker. */
static void start_heir(struct loop *loop, int status)
{
    struct eg_succession *s = &loop->succession;
    if (s->phase != EG_SUCCESSION_COMPILING) return;
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return give_up(loop, "the policy cannot be compiled as it is now");
    if (loop->count == WARDS_MAX) return give_up(loop, "too many earlier ones left processes");
    if (eg_estate_take(loop->worker, &s->estate))
        return give_up(loop, "its open files cannot be had");
    const struct eg_run *run =
        s->renewal->take(s->renewal->context, s->file, s->argv.items, s->envp.items);
    if (!run) return give_up(loop, "its policy or program cannot be read as it is now");
    if (!eg_succession_fits(s, run)) {
        s->renewal->give_back(s->renewal->context, run);
        return give_up(loop, "its environment holds what the policy drops now");
    }
    pid_t pid;
    int failed = eg_ward_start(run, NULL, loop->worker, &s->estate, s, &loop->heir, &pid);
    if (failed || !loop->heir.tree) {
        if (!failed) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        s->renewal->give_back(s->renewal->context, run);
        return give_up(loop,
                       failed ? "no successor can be started" : "a successor has no supervisor");
    }
    eg_succession_started(s);
}

/* It runs: it is the worker now. */
static void promote_heir(struct loop *loop)
{
    eg_succession_done(&loop->succession, loop->heir.tree->worker);
    memmove(&loop->wards[1], &loop->wards[0], loop->count * sizeof loop->wards[0]);
    loop->count++;
    loop->wards[0] = loop->heir;
    loop->heir = (struct ward){ 0 };
    fprintf(stderr,
            "execguard: %s: the worker starts itself again: process %d takes over from %d, under "
            "the policy and the programs as they are now\n",
            eg_blob_cstr(loop->run->blob, loop->run->blob->name), (int)loop->wards[0].tree->worker,
            (int)loop->worker);
    loop->worker = loop->wards[0].tree->worker;
    loop->clock.told = UINT64_MAX;
}

/* What time brings. */
void eg_heir_mind(struct loop *loop)
{
    struct eg_succession *s = &loop->succession;
    if (s->phase == EG_SUCCESSION_STARTING && loop->heir.tree && loop->heir.tree->worker_seen)
        promote_heir(loop);
    if (eg_succession_wait(s) != 0) return;
    if (s->phase == EG_SUCCESSION_STARTING) give_up(loop, "its successor does not start");
    eg_succession_leave(s);
}

/* True: it was one that succession waits for. */
bool eg_heir_reap(struct loop *loop, pid_t pid, int status)
{
    struct eg_succession *s = &loop->succession;
    bool compiled = s->compiler && pid == s->compiler;
    if (compiled) {
        s->compiler = 0;
        start_heir(loop, status);
    } else if (loop->heir.tree && pid == loop->heir.tree->worker) {
        loop->heir.tree->worker = 0; /* reaped */
        eg_ward_end(loop, &loop->heir);
        eg_succession_fail(s, "its successor ended before it started");
    } else {
        return false;
    }
    return true;
}

/* The worker ended while it waited for its successor: so does that one. */
void eg_heir_end(struct loop *loop)
{
    loop->succession.heir = 0;
    if (loop->succession.phase == EG_SUCCESSION_LEAVING) return;
    if (loop->heir.tree) {
        kill(loop->heir.tree->worker, SIGKILL);
        eg_ward_end(loop, &loop->heir);
    }
    loop->succession.phase = EG_SUCCESSION_IDLE;
    eg_estate_done(&loop->succession.estate);
}
