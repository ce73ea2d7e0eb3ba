// SPDX-License-Identifier: MIT
/* `execguard run`: the guard stays as the worker's parent and supervises its
 * whole tree.  This file reads options and finds the worker; supervisor/run.c
 * does the rest. */
#include "cli.h"

#include "supervisor/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char eg_verb_run_help[] =
    "usage: execguard run -p POLICY [--strict] [--report FILE] [--events FILE] -- COMMAND "
    "[ARG...]\n"
    "\n"
    "Starts COMMAND with all layers and supervises every process of its tree, also\n"
    "those that no shim can enter: for long-lived workers, containers (as PID 1 it\n"
    "reaps and passes signals on) and commands under test.\n"
    "\n"
    "  -p, --policy POLICY  a file (with a slash), or NAME for NAME.policy in\n"
    "                       " EG_SYSCONFDIR "/execguard, then among the installed ones\n"
    "      --strict         exit with 120 when COMMAND succeeded but something was\n"
    "                       refused\n"
    "      --report FILE    write what was refused to FILE as JUnit XML, a case for each\n"
    "                       distinct call, with the test that made it\n"
    "      --events FILE    append events to FILE as JSON lines instead of where the\n"
    "                       policy's log block says\n"
    "\n"
    "If the supervisor dies, guarded calls fail and the tree is ended.\n"
    "Exit status: COMMAND's own, 128 + N when signal N ended it; 120 see --strict;\n"
    "125 the guard could not be installed (COMMAND was not started), 126 COMMAND\n"
    "cannot be executed, 127 there is no such command.\n";

struct wishes {
    bool strict;
    const char *report, *policy, *events;
};

/* Can this file take events?  As the sink opens it (lib/event/sink_file.c), but that it
 * is not made: a run without events leaves none behind.  0 or -errno. */
static int try_sink(const char *path)
{
    char folder[PATH_MAX];
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0) return close(fd);
    if (errno != ENOENT) return -errno;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] != '/') n--;
    if (n >= sizeof folder) return -ENAMETOOLONG;
    memcpy(folder, path, n);
    folder[n] = '\0';
    return faccessat(AT_FDCWD, n ? folder : ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* An event that no sink takes goes to standard error, where nobody may look. */
static void warn_sinks(const struct eg_blob *blob)
{
    const struct eg_blob_sink *sinks = eg_blob_section(blob, EG_SECTION_SINKS);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_SINKS); i++) {
        if (sinks[i].kind != EG_SINK_FILE) continue;
        const char *path = eg_blob_cstr(blob, sinks[i].target);
        int error = try_sink(path);
        if (error)
            eg_cli_warn("events cannot be written to %s: %s; they will appear on standard error",
                        path, strerror(-error));
    }
}

static int open_report(const struct eg_blob *blob, const char *path, struct eg_report **ret)
{
    *ret = NULL;
    int r = path ? eg_report_new(path, eg_blob_cstr(blob, blob->name), ret) : 0;
    return r ? eg_cli_error("--report %s: %s", path, strerror(-r)) : 0;
}

static int supervise(const struct eg_cached *cached, char **argv, const struct wishes *wishes)
{
    static struct eg_cli_worker worker;
    struct eg_report *report = NULL;

    struct eg_cli_renewal renewals = { wishes->policy, wishes->events, NULL };
    struct eg_renewal renewal;
    int status = eg_cli_prepare_worker(cached, argv[0], argv, environ, &worker);
    if (!status) eg_cli_warn_helpers(cached->blob);
    if (!status) warn_sinks(cached->blob);
    if (!status) status = open_report(cached->blob, wishes->report, &report);
    if (status) return status;
    struct eg_run run = {
        .blob = cached->blob,
        .file = worker.spelled,
        .argv = worker.argv,
        .envp = worker.envp,
        .worker = worker.targets,
        .worker_count = worker.count,
        .worker_exe = worker.exe,
        .strict = wishes->strict,
        .report = report,
        .renewal = &renewal,
        .summary = wishes->strict || isatty(STDERR_FILENO),
    };
    renewals.first = &run;
    eg_cli_renewal(&renewals, &renewal);
    eg_cli_commit();
    status = eg_run(&run);
    eg_report_free(report);
    free(worker.envp);
    return status;
}

int eg_verb_run(const struct eg_cli_verb *verb, int argc, char **argv)
{
    const char *policy = NULL;
    const char *events = NULL;
    struct wishes wishes = { 0 };
    const struct eg_cli_option options[] = {
        { "policy", 'p', NULL, &policy },
        { "strict", 0, &wishes.strict, NULL },
        { "report", 0, NULL, &wishes.report },
        { "events", 0, NULL, &events },
        { 0 },
    };
    int status = eg_cli_parse_command(verb, options, &policy, argc, &argv);
    if (status >= 0) return status;

    struct eg_cached cached;
    status = eg_cli_load_supervised(policy, events, &cached);
    wishes.policy = policy;
    wishes.events = events;
    if (!status) status = supervise(&cached, argv, &wishes);
    eg_cached_free(&cached);
    return status;
}
