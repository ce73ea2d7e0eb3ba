// SPDX-License-Identifier: MIT
/* A handle: a compiled policy, and where the guard's own files are. */
#include "api/handle.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *execguard_version(void)
{
    return EG_VERSION;
}

/* Beside which file the guard's others are looked for: this library. */
static void find_files(struct eg_files *ret)
{
    Dl_info info;
    char anchor[PATH_MAX];
    if (!dladdr((const void *)(uintptr_t)&execguard_version, &info) || !info.dli_fname ||
        !realpath(info.dli_fname, anchor))
        *anchor = '\0';
    eg_files_find(anchor, EG_ANCHOR_LIBRARY, ret);
}

static int set_events(const struct execguard_options *options, struct eg_compile_options *compile,
                      char absolute[PATH_MAX])
{
    const char *events = options && options->size > offsetof(struct execguard_options, events)
                             ? options->events
                             : NULL;
    if (!events) return 0;
    /* Absolute: the worker may change its folder, the sink must not move with it. */
    char cwd[PATH_MAX] = "";
    if (*events != '/' && !getcwd(cwd, sizeof cwd)) return -errno;
    int n = *events == '/' ? snprintf(absolute, PATH_MAX, "%s", events)
                           : snprintf(absolute, PATH_MAX, "%s/%s", cwd, events);
    if (n < 0 || n >= PATH_MAX) return -ENAMETOOLONG;
    compile->events = absolute;
    return 0;
}

static int load(struct execguard *guard, const char *policy,
                const struct execguard_options *options, struct eg_messages *messages)
{
    struct eg_files_options with;
    struct eg_diagnostics diagnostics = { 0 };
    char events[PATH_MAX];
    const struct eg_policy_options where = {
        .search = { EG_SYSCONFDIR "/execguard", EG_PREFIX "/share/execguard/policies", NULL },
        .check_owner = true,
        .guard_uid = geteuid(),
    };
    find_files(&guard->files);
    eg_files_compile_options(&guard->files, &with);
    int r = set_events(options, &with.options, events);
    if (r == 0) r = eg_cache_load(policy, &where, &with.options, &diagnostics, &guard->cached);
    if (diagnostics.count && messages->out)
        eg_diagnostics_render(&diagnostics, guard->cached.policy, messages->out);
    if (r && !diagnostics.errors)
        eg_messages_add(messages, "policy `%s': %s%s%s", policy,
                        guard->cached.what ? guard->cached.what : "",
                        guard->cached.what ? ": " : "", strerror(-r));
    eg_diagnostics_free(&diagnostics);
    return r;
}

int execguard_load(const char *policy, const struct execguard_options *options,
                   struct execguard **ret, char **ret_messages)
{
    struct eg_messages messages;
    struct execguard *guard = calloc(1, sizeof *guard);
    eg_messages_begin(&messages);
    int r = guard ? load(guard, policy, options, &messages) : -ENOMEM;
    eg_messages_end(&messages, ret_messages);
    if (r < 0) {
        execguard_free(guard);
        return r;
    }
    *ret = guard;
    return 0;
}

const char *execguard_name(const struct execguard *guard)
{
    return eg_blob_cstr(guard->cached.blob, guard->cached.blob->name);
}

void execguard_free(struct execguard *guard)
{
    if (!guard) return;
    eg_cached_free(&guard->cached);
    free(guard);
}
