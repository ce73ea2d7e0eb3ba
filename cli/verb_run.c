// SPDX-License-Identifier: MIT
/* `execguard run`: the guard stays as the worker's parent and supervises its
 * whole tree.  This file reads options and finds the worker; supervisor/run.c
 * does the rest. */
#include "cli.h"

#include "compile/program.h"
#include "supervisor/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char eg_verb_run_help[] =
    "usage: execguard run -p POLICY [--strict] [--events FILE] -- COMMAND [ARG...]\n"
    "\n"
    "Starts COMMAND with all layers and supervises every process of its tree, also\n"
    "those that no shim can enter: for long-lived workers, containers (as PID 1 it\n"
    "reaps and passes signals on) and commands under test.\n"
    "\n"
    "  -p, --policy POLICY  a file (with a slash), or NAME for NAME.policy in\n"
    "                       " EG_SYSCONFDIR "/execguard, then among the installed ones\n"
    "      --strict         exit with 120 when COMMAND succeeded but something was\n"
    "                       refused\n"
    "      --events FILE    append events to FILE as JSON lines instead of where the\n"
    "                       policy's log block says\n"
    "\n"
    "If the supervisor dies, guarded calls fail and the tree is ended.\n"
    "Exit status: COMMAND's own, 128 + N when signal N ended it; 120 see --strict;\n"
    "125 the guard could not be installed (COMMAND was not started), 126 COMMAND\n"
    "cannot be executed, 127 there is no such command.\n";

/* What /proc/PID/exe will show of the worker: the program, or the interpreter at
 * the end of its #! lines. */
static struct eg_identity running_program(const struct eg_cli_worker *worker)
{
    struct eg_identity ret = worker->targets[0].id;
    struct eg_program_file file = { 0 };
    char *path = strdup(worker->spelled);
    for (unsigned depth = 0; path && depth <= EG_SCRIPT_DEPTH; depth++) {
        if (eg_program_inspect(path, &file) < 0) break;
        free(path);
        path = file.kind == EG_KIND_SCRIPT && file.interpreter ? strdup(file.interpreter) : NULL;
        ret = file.id;
        eg_program_file_done(&file);
    }
    free(path);
    return ret;
}

static int supervise(const struct eg_cached *cached, char **argv, bool strict)
{
    static struct eg_cli_worker worker;
    char object[PATH_MAX];

    int status = eg_cli_check_privileges(cached->blob);
    if (!status) status = eg_cli_find_preload(object);
    if (!status) status = eg_cli_find_worker(argv, &worker);
    if (status) return status;
    char **envp = eg_cli_worker_environment(environ, object, cached->path);
    if (!envp) return eg_cli_error("out of memory");
    struct eg_run run = {
        .blob = cached->blob,
        .file = worker.spelled,
        .argv = worker.argv,
        .envp = envp,
        .worker = worker.targets,
        .worker_count = worker.count,
        .worker_exe = running_program(&worker),
        .strict = strict,
        .summary = strict || isatty(STDERR_FILENO),
    };
    status = eg_run(&run);
    free(envp);
    return status;
}

int eg_verb_run(const struct eg_cli_verb *verb, int argc, char **argv)
{
    const char *policy = NULL;
    const char *events = NULL;
    bool strict = false;
    const struct eg_cli_option options[] = {
        { "policy", 'p', NULL, &policy },
        { "strict", 0, &strict, NULL },
        { "events", 0, NULL, &events },
        { 0 },
    };
    int status = eg_cli_parse(verb, options, EG_WORDS_COMMAND, argc, argv, &argc, &argv);
    if (status >= 0) return status;
    if (!policy) return eg_cli_usage(verb, "no policy given (-p POLICY)");
    if (argc == 0) return eg_cli_usage(verb, "no command given");

    struct eg_cached cached;
    status = eg_cli_load_cached(policy, events, &cached);
    if (!status) status = supervise(&cached, argv, strict);
    eg_cached_free(&cached);
    return status;
}
