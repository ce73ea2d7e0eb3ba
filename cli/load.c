// SPDX-License-Identifier: MIT
/* From the word after -p to a compiled policy, with every message printed. */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void eg_cli_policy_options(struct eg_policy_options *ret)
{
    *ret = (struct eg_policy_options){
        .search = { EG_SYSCONFDIR "/execguard", EG_PREFIX "/share/execguard/policies", NULL },
        .check_owner = true,
        .guard_uid = geteuid(),
    };
}

const char *eg_cli_absolute(const char *path, char buf[PATH_MAX])
{
    if (path[0] == '/') return path;
    if (!getcwd(buf, PATH_MAX)) return NULL;
    size_t n = strlen(buf);
    size_t m = strlen(path);
    if (n + 1 + m + 1 > PATH_MAX) return NULL;
    buf[n] = '/';
    memcpy(buf + n + 1, path, m + 1);
    return buf;
}

/* Options of a compilation and the memory that they point into. */
struct compilation {
    struct eg_files own;
    struct eg_files_options with;
    char events[PATH_MAX];
};

/* --events becomes absolute: the worker may change its folder, the sink must not
 * move with it. */
static int prepare(const char *events, struct compilation *ret)
{
    eg_cli_own_files(&ret->own);
    eg_files_compile_options(&ret->own, &ret->with);
    if (!events) return 0;
    ret->with.options.events = eg_cli_absolute(events, ret->events);
    if (!ret->with.options.events)
        return eg_cli_error("the path of --events is too long: `%.64s...'", events);
    return 0;
}

const struct eg_compile_options *eg_cli_compile_options(void)
{
    static struct compilation compilation;
    prepare(NULL, &compilation);
    return &compilation.with.options;
}

static int report_failure(const char *name, const char *what, int error)
{
    if (what) return eg_cli_error("policy `%s': %s: %s", name, what, strerror(-error));
    return eg_cli_error("policy `%s': %s", name, strerror(-error));
}

static int load(const char *name, const char *events, bool warn, struct eg_cli_loaded *ret)
{
    struct eg_policy_options options;
    struct compilation compilation;
    *ret = (struct eg_cli_loaded){ 0 };
    eg_cli_policy_options(&options);
    int r = prepare(events, &compilation);
    if (r) return r;
    r = eg_policy_load(name, &options, &ret->diagnostics, &ret->policy);
    if (r == 0)
        r = eg_compile(ret->policy, &compilation.with.options, &ret->diagnostics, &ret->blob);
    if (ret->diagnostics.count && (warn || r))
        eg_diagnostics_render(&ret->diagnostics, ret->policy, stderr);
    if (r == 0) return 0;
    if (r != -EINVAL || !ret->diagnostics.count) return report_failure(name, NULL, r);
    return EG_EXIT_FAILED;
}

int eg_cli_load(const char *name, const char *events, struct eg_cli_loaded *ret)
{
    return load(name, events, true, ret);
}

int eg_cli_load_quietly(const char *name, struct eg_cli_loaded *ret)
{
    return load(name, NULL, false, ret);
}

void eg_cli_unload(struct eg_cli_loaded *loaded)
{
    eg_blob_free(loaded->blob);
    eg_policy_free(loaded->policy);
    eg_diagnostics_free(&loaded->diagnostics);
}

static int load_cached(const char *name, const char *events, bool fileless, struct eg_cached *ret)
{
    struct eg_policy_options options;
    struct compilation compilation;
    struct eg_diagnostics diagnostics = { 0 };
    *ret = (struct eg_cached){ 0 };
    eg_cli_policy_options(&options);
    int status = prepare(events, &compilation);
    if (status) return status;
    compilation.with.options.fileless = fileless;
    int r = eg_cache_load(name, &options, &compilation.with.options, &diagnostics, ret);
    /* Warnings are `check''s business; a CGI's error log would fill with them. */
    if (r && diagnostics.count) eg_diagnostics_render(&diagnostics, ret->policy, stderr);
    bool said = r == -ENOEXEC && eg_cli_is_front; /* by front/elsewhere.c */
    if (r && !said && (r != -EINVAL || !diagnostics.count)) report_failure(name, ret->what, r);
    eg_diagnostics_free(&diagnostics);
    return r ? EG_EXIT_FAILED : 0;
}

int eg_cli_load_cached(const char *name, const char *events, struct eg_cached *ret)
{
    return load_cached(name, events, false, ret);
}

int eg_cli_load_supervised(const char *name, const char *events, struct eg_cached *ret)
{
    return load_cached(name, events, true, ret);
}
