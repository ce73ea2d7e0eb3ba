// SPDX-License-Identifier: MIT
/* The policy of a running `run', again as it is now: what its worker's successor is
 * guarded by (supervisor/succeed.h). */
#include "cli.h"

#include "supervisor/run.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One run and all that it points into. */
struct renewed {
    struct eg_run run; /* first: what is given back is this */
    struct eg_cached cached;
    struct eg_cli_worker worker;
};

static bool is_changed(const struct eg_run *run)
{
    return eg_blob_stale(run->blob) != NULL;
}

/* In a process of its own: the supervisor answers its workers meanwhile, and the
 * front has no compiler. */
static pid_t compile(void *context, const sigset_t *mask)
{
    const struct eg_cli_renewal *renewal = context;
    struct eg_files files;
    posix_spawnattr_t attributes;
    pid_t pid;
    const char *argv[] = { "execguard",     "compile", "--cache", "--policy",
                           renewal->policy, NULL,      NULL,      NULL };
    if (renewal->events) {
        argv[5] = "--events";
        argv[6] = renewal->events;
    }
    eg_cli_own_files(&files);
    if (eg_cli_check_own("the whole command", files.whole)) return -EACCES;
    int r = posix_spawnattr_init(&attributes);
    if (r) return -r;
    r = posix_spawnattr_setsigmask(&attributes, mask);
    if (!r) r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (!r)
        r = posix_spawn(&pid, files.whole, NULL, &attributes, (char *const *)(uintptr_t)argv,
                        environ);
    posix_spawnattr_destroy(&attributes);
    return r ? -r : pid;
}

static void give_back(void *context, const struct eg_run *run)
{
    struct renewed *renewed = (struct renewed *)(uintptr_t)run;
    (void)context;
    eg_cached_free(&renewed->cached);
    free(renewed->worker.envp);
    free(renewed);
}

static struct eg_run *take(void *context, const char *file, const char *const *argv,
                           const char *const *envp)
{
    const struct eg_cli_renewal *renewal = context;
    struct renewed *new = calloc(1, sizeof *new);
    if (!new) return NULL;
    int status = eg_cli_load_supervised(renewal->policy, renewal->events, &new->cached);
    if (!status)
        status = eg_cli_prepare_worker(&new->cached, file, (char **)(uintptr_t)argv,
                                       (char *const *)(uintptr_t)envp, &new->worker);
    if (status) {
        give_back(context, &new->run);
        return NULL;
    }
    new->run = *renewal->first;
    new->run.blob = new->cached.blob;
    new->run.file = new->worker.spelled;
    new->run.argv = new->worker.argv;
    new->run.envp = new->worker.envp;
    new->run.worker = new->worker.targets;
    new->run.worker_count = new->worker.count;
    new->run.worker_exe = new->worker.exe;
    return &new->run;
}

void eg_cli_renewal(struct eg_cli_renewal *context, struct eg_renewal *ret)
{
    *ret = (struct eg_renewal){ context, is_changed, compile, take, give_back };
}
