// SPDX-License-Identifier: MIT
/* A program that guards itself: everything that can be refused is looked at before
 * the first layer is installed, and all layers at once, since nothing more of the
 * program is to be loaded. */
#include "api/handle.h"

#include "compile/program.h"
#include "decide/verdict.h"
#include "resolve/resolve.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel restricts the calling thread alone. */
static int check_threads(struct eg_messages *messages)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) {
        eg_messages_add(messages, "cannot count this process's threads: /proc/self/task: %s",
                        strerror(errno));
        return -errno;
    }
    for (struct dirent *entry; (entry = readdir(tasks));) count += entry->d_name[0] != '.';
    closedir(tasks);
    if (count == 1) return 0;
    eg_messages_add(messages,
                    "%d threads run already, and the kernel would guard one of them: "
                    "apply the policy before threads are started",
                    count);
    return -EBUSY;
}

static int check_object(const struct execguard *guard, struct eg_messages *messages)
{
    const char *why;
    int r = eg_files_check_own(guard->files.object, &why);
    if (r)
        eg_messages_add(messages, "the preload object %s cannot be used: %s", guard->files.object,
                        why);
    if (r == 0 && strpbrk(guard->files.object, " :")) {
        eg_messages_add(messages,
                        "the preload object's path %s holds a space or a colon, which "
                        "LD_PRELOAD cannot carry",
                        guard->files.object);
        return -EINVAL;
    }
    return r;
}

/* Which program a tree starts with is what a supervisor judges everything else
 * by; this one has started long ago. */
static int check_agent(const struct eg_blob *blob, struct eg_messages *messages)
{
    if (!blob->agent || blob->optional_layers & 1u << EG_LAYER_SUPERVISOR) return 0;
    eg_messages_add(messages, "the policy names an agent, and a program that guards itself has no "
                              "supervisor: start it by `execguard exec', or write `optional "
                              "supervisor'");
    return -ENOTSUP;
}

static int install(struct eg_guard_plan *plan, struct eg_messages *messages)
{
    struct eg_guard_error error = { 0 };
    int r = eg_guard_install(plan, &error);
    if (r < 0)
        eg_messages_add(messages, "cannot install the layer `%s': %s: %.*s%s%s",
                        eg_layer_name(error.layer), error.what ? error.what : "unknown step",
                        (int)error.path.n, error.path.n ? error.path.p : "",
                        error.path.n ? ": " : "", strerror(error.error));
    return r;
}

/* Everything at once: nothing more of this program is to be started. */
static int install_all(const struct eg_blob *blob, struct eg_messages *messages)
{
    struct eg_target self = { 0 };
    char path[EG_PATH_MAX];
    struct eg_guard_plan plan = { .blob = blob, .stage = EG_STAGE_FINAL, .listener_fd = -1 };
    if (blob->flags & EG_BLOB_WORKER_REEXEC && eg_resolve_self(path, &self) == 0) {
        plan.worker = &self;
        plan.worker_count = 1;
    }
    return install(&plan, messages);
}

static int set_environment(const struct execguard *guard)
{
    char **envp = eg_files_environment(environ, guard->files.object, guard->cached.path);
    int r = envp ? 0 : -ENOMEM;
    /* its first two entries are the two that change */
    for (int i = 0; r == 0 && i < 2; i++) {
        char *equals = strchr(envp[i], '=');
        *equals = '\0';
        if (setenv(envp[i], equals + 1, 1) < 0) r = -errno;
    }
    free(envp);
    return r;
}

static int apply(const struct execguard *guard, unsigned flags, struct eg_messages *messages)
{
    const struct eg_blob *blob = guard->cached.blob;
    bool observes = blob->flags & EG_BLOB_LOG_MODE;
    bool for_children = !(flags & EXECGUARD_KEEP_ENVIRONMENT);
    if (flags & ~(unsigned)EXECGUARD_KEEP_ENVIRONMENT) return -EINVAL;
    int r = check_threads(messages);
    if (r == 0 && eg_guard_query(blob)) return 1;
    if (r == 0 && for_children) r = check_object(guard, messages);
    if (r == 0) r = check_agent(blob, messages);
    if (r == 0 && for_children) r = set_environment(guard);
    return r || observes ? r : install_all(blob, messages);
}

int execguard_apply(struct execguard *guard, unsigned flags, char **ret_messages)
{
    struct eg_messages messages;
    eg_messages_begin(&messages);
    int r = apply(guard, flags, &messages);
    eg_messages_end(&messages, ret_messages);
    return r;
}

static int check_dynamic(const char *path, struct eg_messages *messages)
{
    struct eg_program_file file = { 0 };
    int r = eg_program_inspect(path, &file);
    if (r == 0 && file.kind != EG_KIND_DYNAMIC) r = -ENOEXEC;
    if (r) eg_messages_add(messages, "the shim cannot enter %s: no dynamic loader starts it", path);
    eg_program_file_done(&file);
    return r;
}

/* As `execguard exec' does it for a command: step one allows this program's start,
 * the shim in it narrows. */
static int restart(const struct execguard *guard, char *const argv[], struct eg_messages *messages)
{
    enum { TARGETS = 32 };
    const struct eg_blob *blob = guard->cached.blob;
    struct eg_target targets[TARGETS];
    char path[EG_PATH_MAX];
    char *concerned = NULL;
    int needs = 0;
    int r = check_threads(messages);
    if (r == 0) r = check_object(guard, messages);
    if (r == 0) r = check_agent(blob, messages);
    if (r == 0) r = eg_resolve_self(path, &targets[0]);
    if (r == 0) r = check_dynamic(path, messages);
    if (r == 0) {
        needs = eg_compile_requirements(path, targets + 1, TARGETS - 1, &concerned);
        if (needs < 0)
            eg_messages_add(messages, "%s: %s", concerned ? concerned : path, strerror(-needs));
        if (needs < 0) r = needs;
    }
    char **envp =
        r == 0 ? eg_files_environment(environ, guard->files.object, guard->cached.path) : NULL;
    if (r == 0 && !envp) r = -ENOMEM;
    struct eg_guard_plan plan = { .blob = blob,
                                  .stage = EG_STAGE_LAUNCH,
                                  .worker = targets,
                                  .worker_count = (size_t)needs + 1,
                                  .listener_fd = -1 };
    if (r == 0 && !(blob->flags & EG_BLOB_LOG_MODE)) r = install(&plan, messages);
    if (r == 0) {
        execve(path, argv, envp);
        r = -errno;
        eg_messages_add(messages, "%s cannot be started again: %s", path, strerror(-r));
    }
    for (int i = 1; i <= needs; i++) free((char *)(uintptr_t)targets[i].path.p);
    free(concerned);
    free(envp);
    return r;
}

/* In log mode there is no filter to ask; nobody is refused anything by the answer. */
static bool is_there(const struct execguard *guard)
{
    const char *said = getenv("EXECGUARD_POLICY");
    if (!(guard->cached.blob->flags & EG_BLOB_LOG_MODE)) return eg_guard_query(guard->cached.blob);
    return said && strcmp(said, guard->cached.path) == 0;
}

int execguard_restart(struct execguard *guard, char *const argv[], char **ret_messages)
{
    struct eg_messages messages;
    eg_messages_begin(&messages);
    int r = is_there(guard) ? 1 : restart(guard, argv, &messages);
    eg_messages_end(&messages, ret_messages);
    return r;
}

int execguard_is_applied(const struct execguard *guard)
{
    switch (eg_guard_query(guard->cached.blob)) {
    case EG_QUERY_YES: return 1;
    case EG_QUERY_SUPERVISED: return 2;
    default: return 0;
    }
}
