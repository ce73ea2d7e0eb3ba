// SPDX-License-Identifier: MIT
/* Purpose: a tree among those that `run' serves, from its worker's start to its end. */
#include "supervisor/loop_parts.h"

#include "guard/kernel.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
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

/* What does not depend on the worker; NULL: no memory. */
static struct eg_tree *prepare_tree(const struct eg_run *run, struct eg_succession *succession)
{
    struct eg_vector start_env = { 0 };
    struct eg_tree *tree = NULL;
    if (eg_vector_copy(&start_env, (const char *const *)run->envp) == 0)
        tree = eg_tree_new(run->blob, -1, &start_env);
    eg_vector_free(&start_env);
    if (!tree) return NULL;
    tree->run = run;
    tree->succession = succession;
    tree->keeps_users = run->blob->flags & EG_BLOB_KEEPS_NAMESPACES;
    tree->report = run->report;
    tree->worker_program = run->worker[0];
    tree->worker_exe = run->worker_exe;
    tree->wait_killable =
        eg_guard_filter_flags_known(EG_SECCOMP_FLAG_NEW_LISTENER | EG_SECCOMP_FLAG_WAIT_KILLABLE);
    say_restart(tree);
    return tree;
}

int eg_ward_start(const struct eg_run *run, const sigset_t *mask, pid_t named,
                  const struct eg_estate *estate, struct eg_succession *succession,
                  struct ward *ret, pid_t *ret_worker)
{
    struct eg_starting starting;
    int listener = -1;
    *ret = (struct ward){ .run = run, .layers = layers_of(run->blob) };
    int status = eg_start_begin(run, mask, named, estate, &starting);
    if (status) return status;
    /* the worker installs its layers meanwhile */
    struct eg_tree *tree = prepare_tree(run, succession);
    status = eg_start_finish(&starting, &listener);
    *ret_worker = starting.pid;
    if (status || listener < 0) {
        eg_tree_free(tree);
        return status;
    }
    if (!tree) {
        fprintf(stderr, "execguard: out of memory\n");
        close(listener);
        kill(starting.pid, SIGKILL);
        waitpid(starting.pid, NULL, 0);
        return EG_STATUS_FAILED;
    }
    tree->listener = listener;
    tree->worker = starting.pid;
    tree->synchronous = eg_notify_synchronous(listener);
    eg_writes_adopt(tree->writes, starting.pid);
    ret->tree = tree;
    return 0;
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
