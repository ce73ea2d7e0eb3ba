// SPDX-License-Identifier: MIT
/* The command that the guard becomes: found, looked at, started.  All that can
 * be refused is refused here, before any layer is installed. */
#include "cli.h"

#include "compile/program.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int report_missing(const char *name, int error)
{
    if (error == -ENOENT || error == -ENOTDIR) {
        eg_cli_error("%s: command not found", name);
        return EG_EXIT_NOT_FOUND;
    }
    eg_cli_error("%s: cannot be executed: %s", name, strerror(-error));
    return error == -EACCES || error == -ENOEXEC || error == -ELOOP ? EG_EXIT_REFUSED
                                                                    : EG_EXIT_FAILED;
}

static int report_foreign(const char *name)
{
    eg_cli_error("%s: cannot be executed: neither a program of this machine nor a script with `#!'",
                 name);
    return EG_EXIT_REFUSED;
}

static int report_needs(const char *name, const char *concerned, int error)
{
    if (concerned)
        eg_cli_error("%s: cannot be executed: it needs %s: %s", name, concerned, strerror(-error));
    else
        eg_cli_error("%s: cannot be executed: %s", name, strerror(-error));
    return EG_EXIT_REFUSED;
}

/* What the program needs beside itself. */
static int find_needs(const char *name, const struct eg_program_file *file,
                      struct eg_cli_worker *ret)
{
    struct eg_program_needs needs = { .targets = ret->targets + 1,
                                      .cap = EG_WORKER_TARGETS_MAX - 1 };
    if (file->kind == EG_KIND_OTHER || file->foreign) return report_foreign(name);
    int r = eg_program_find_needs(file, &needs);
    int status = r < 0 ? report_needs(name, needs.concerned, r) : 0;
    free(needs.concerned);
    ret->count = 1 + needs.count;
    ret->loads_shim = needs.dynamic;
    ret->exe = needs.exe;
    return status;
}

/* On success the file is the caller's to end. */
static int find(const char *name, struct eg_cli_worker *ret, struct eg_program_file *file)
{
    if (*name == '\0') return report_missing("(empty name)", -ENOENT);
    const char *search = getenv("PATH");
    if (!search) search = "/usr/local/bin:/usr/bin:/bin";
    int r =
        eg_resolve_search(eg_str(search), eg_str(name), ret->spelled, ret->path, &ret->targets[0]);
    if (r < 0) return report_missing(name, r);
    r = eg_program_inspect(ret->spelled, file);
    if (r < 0) return report_needs(name, NULL, r);
    int status = find_needs(name, file, ret);
    if (status) eg_program_file_done(file);
    return status;
}

/* `#!/usr/bin/env NAME`: the kernel would run env, and env NAME.  Only the first
 * exec is the guard's own, so NAME is started at once, as env would.  0 and
 * *ret_argv NULL when this is no such script. */
static int replace_env(const struct eg_cli_worker *worker, const struct eg_program_file *file,
                       char **argv, char **ret_path, char ***ret_argv)
{
    struct eg_env_line line = { 0 };
    *ret_argv = NULL;
    if (eg_program_env_line(file, &line) == 1 && line.path) {
        size_t count = 0;
        while (argv[count]) count++;
        char **words = calloc(line.count + count + 1, sizeof *words);
        for (size_t i = 0; words && i < line.count; i++)
            words[i] = strndup(line.words[i].p, line.words[i].n);
        if (words) words[line.count] = strdup(worker->spelled);
        for (size_t i = 1; words && i < count; i++) words[line.count + i] = argv[i];
        *ret_path = line.path;
        *ret_argv = words;
    }
    return line.path && !*ret_argv ? eg_cli_error("out of memory") : 0;
}

static int find_worker(const char *name, char **argv, struct eg_cli_worker *ret)
{
    struct eg_program_file file = { 0 };
    int status = find(name, ret, &file);
    ret->argv = argv;
    for (unsigned depth = 0; !status && depth < EG_SCRIPT_DEPTH; depth++) {
        char **words, *path = NULL;
        status = replace_env(ret, &file, ret->argv, &path, &words);
        if (status || !words) break;
        ret->argv = words;
        eg_program_file_done(&file);
        file = (struct eg_program_file){ 0 };
        status = find(path, ret, &file);
        free(path);
    }
    eg_program_file_done(&file);
    return status;
}

/* May the blob's capabilities, no_new_privs and two-step narrowing be had together
 * here? */
static int check_privileges(const struct eg_blob *blob)
{
    if (blob->flags & (EG_BLOB_LOG_MODE | EG_BLOB_NO_NEW_PRIVS)) return 0;
    if (geteuid() != 0)
        return eg_cli_error("the policy says `no-new-privs no', which only root can have: without "
                            "no_new_privs the kernel takes filters from CAP_SYS_ADMIN alone");
    bool keeps_admin = blob->capabilities & (UINT64_C(1) << CAP_SYS_ADMIN);
    if ((blob->flags & EG_BLOB_LIMIT_CAPS) && !keeps_admin &&
        !(blob->flags & EG_BLOB_WORKER_REEXEC))
        return eg_cli_error("the policy says `no-new-privs no' and drops sys_admin: the worker "
                            "could not install the second narrowing step; write `keep sys_admin', "
                            "or `worker reexec', or leave no-new-privs on");
    return 0;
}

int eg_cli_prepare_worker(const struct eg_cached *cached, const char *name, char **argv,
                          char *const *envp, struct eg_cli_worker *ret)
{
    char object[PATH_MAX];
    int status = check_privileges(cached->blob);
    if (!status) status = eg_cli_find_preload(object);
    if (!status) status = find_worker(name, argv, ret);
    if (status) return status;
    ret->envp = eg_files_environment(envp, object, cached->path);
    return ret->envp ? 0 : eg_cli_error("out of memory");
}

void eg_cli_warn_worker(const struct eg_blob *blob, const struct eg_cli_worker *worker)
{
    uint32_t mode = worker->targets[0].id.mode;
    if (!worker->loads_shim)
        eg_cli_warn("%s is a static program: the shim cannot enter it, so only the filter and the "
                    "domain hold (programs, not arguments)",
                    worker->spelled);
    else if ((mode & (S_ISUID | S_ISGID)) && !(blob->flags & EG_BLOB_NO_NEW_PRIVS))
        eg_cli_warn("%s is set-id: the loader ignores LD_PRELOAD there (ld.so(8)), so only the "
                    "filter and the domain hold (programs, not arguments)",
                    worker->spelled);
}

void eg_cli_warn_helpers(const struct eg_blob *blob)
{
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    if (blob->flags & EG_BLOB_LOG_MODE || !(blob->flags & EG_BLOB_NO_NEW_PRIVS)) return;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_PROGRAMS); i++)
        if (programs[i].id.mode & (S_ISUID | S_ISGID))
            eg_cli_warn("%s is set-id and will run without its privileges, so that mail through "
                        "postfix or exim is lost: `no-new-privs no' in the policy, for a guard "
                        "that root starts, lets it work",
                        eg_blob_cstr(blob, programs[i].spelled));
}

static const char *remedy(const struct eg_guard_error *error)
{
    if (error->layer == EG_LAYER_DOMAIN && (error->error == ENOSYS || error->error == EOPNOTSUPP))
        return "; this kernel has no Landlock (5.13, and `landlock' in its lsm= list): `optional "
               "landlock' does without";
    if (error->layer == EG_LAYER_DOMAIN && error->error == E2BIG)
        return "; sixteen domains are stacked already";
    static const struct eg_blob any;
    if (error->layer == EG_LAYER_FILTER && error->error == EPERM && eg_guard_query(&any))
        return "; another policy guards this process already and refuses new filters: `kernel { "
               "allow seccomp-filters }' there lets them in";
    if (error->layer == EG_LAYER_FILTER && (error->error == EINVAL || error->error == ENOSYS))
        return "; this kernel takes no seccomp filters: `optional seccomp' does without";
    return "";
}

int eg_cli_guard_failed(const struct eg_guard_error *error)
{
    const char *what = error->what ? error->what : "unknown step";
    if (error->path.n)
        return eg_cli_error("cannot install the layer `%s': %s: %.*s: %s%s",
                            eg_layer_name(error->layer), what, (int)error->path.n, error->path.p,
                            strerror(error->error), remedy(error));
    return eg_cli_error("cannot install the layer `%s': %s: %s%s", eg_layer_name(error->layer),
                        what, strerror(error->error), remedy(error));
}

int eg_cli_become(const struct eg_cli_worker *worker)
{
    execve(worker->spelled, worker->argv, worker->envp);
    int error = errno;
    eg_cli_error("%s: cannot be executed: %s", worker->spelled, strerror(error));
    return error == ENOENT ? EG_EXIT_NOT_FOUND : EG_EXIT_REFUSED;
}
