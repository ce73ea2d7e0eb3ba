// SPDX-License-Identifier: MIT
/* Purpose: a tree among those that `run' serves, from its worker's start to its end. */
#include "supervisor/loop_parts.h"

#include "guard/kernel.h"

#include <stdio.h>
#include <unistd.h>

/* What must be there, or the worker would not have started. */
static uint32_t layers_of(const struct eg_blob *blob)
{
    uint32_t layers = 1u << EG_LAYER_SUPERVISOR;
    if (blob->flags & EG_BLOB_LOG_MODE) return layers;
    layers |= 1u << EG_LAYER_FILTER | 1u << EG_LAYER_DOMAIN;
    if (blob->flags & EG_BLOB_LIMIT_CAPS) layers |= 1u << EG_LAYER_CAPABILITIES;
    /* what is optional may be missing; the supervisor is here */
    return (layers & ~blob->optional_layers) | 1u << EG_LAYER_SUPERVISOR;
}

/* Whom an administrator restarts is our unit, as systemd has it. */
static void say_restart(struct eg_tree *tree)
{
    char unit[EG_UNIT_MAX];
    bool again = tree->blob->flags & EG_BLOB_WORKER_REEXEC;
    if (!eg_unit_of(getpid(), unit)) return;
    snprintf(tree->restart_hint, sizeof tree->restart_hint, "`systemctl %s %s'%s",
             again ? "reload" : "restart", unit,
             again ? " if its reload starts the program again, else restart it" : "");
}

/* A tree for a worker that was started; tree NULL: no memory, or no listener. */
struct ward eg_ward_new(const struct eg_run *run, const struct eg_started *started,
                        struct eg_succession *succession)
{
    struct ward ward = { .run = run, .layers = layers_of(run->blob) };
    struct eg_vector start_env = { 0 };
    if (started->listener < 0 || eg_vector_copy(&start_env, (const char *const *)run->envp))
        return ward;
    struct eg_tree *tree = eg_tree_new(run->blob, started->listener, &start_env);
    if (!tree) {
        eg_vector_free(&start_env);
        return ward;
    }
    tree->run = run;
    tree->succession = succession;
    tree->worker = started->pid;
    eg_writes_adopt(tree->writes, started->pid);
    tree->keeps_users = run->blob->flags & EG_BLOB_KEEPS_NAMESPACES;
    tree->report = run->report;
    tree->worker_program = run->worker[0];
    tree->worker_exe = run->worker_exe;
    tree->synchronous = eg_notify_synchronous(started->listener);
    tree->wait_killable =
        eg_guard_filter_flags_known(EG_SECCOMP_FLAG_NEW_LISTENER | EG_SECCOMP_FLAG_WAIT_KILLABLE);
    say_restart(tree);
    ward.tree = tree;
    return ward;
}

void eg_ward_end(struct loop *loop, struct ward *ward)
{
    struct eg_tree *tree = ward->tree;
    const struct eg_run *run = ward->run;
    eg_writes_finish(tree->writes);
    loop->denied += tree->denied;
    loop->raced += tree->raced;
    if (tree->listener >= 0) close(tree->listener);
    eg_tree_free(tree);
    if (run != loop->run) run->renewal->give_back(run->renewal->context, run);
    *ward = (struct ward){ 0 };
}
