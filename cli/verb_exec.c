// SPDX-License-Identifier: MIT
/* `execguard exec`: installs the layers in this process, then becomes the
 * command.  One process a request comes through here, so a cached policy costs
 * a handful of system calls.  Nothing is installed before everything that could
 * still be refused has been looked at. */
#include "cli.h"

#include "supervisor/oci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char eg_verb_exec_help[] =
    "usage: execguard exec -p POLICY [--events FILE] -- COMMAND [ARG...]\n"
    "\n"
    "Installs the policy's layers in this process and becomes COMMAND, which is found\n"
    "by PATH: for workers that live for one request, as a CGI program does.\n"
    "\n"
    "  -p, --policy POLICY  a file (with a slash), or NAME for NAME.policy in\n"
    "                       " EG_SYSCONFDIR "/execguard, then among the installed ones\n"
    "      --events FILE    append events to FILE as JSON lines instead of where the\n"
    "                       policy's log block says\n"
    "\n"
    "As the first line of an executable file, `#!PATH/execguard exec -p POLICY -- PROGRAM'\n"
    "starts PROGRAM with that file and its arguments, with --wrapper in front of -p with\n"
    "the arguments alone.\n"
    "\n"
    "Where the policy names an `agent', the process is supervised by it; without the\n"
    "agent COMMAND is not started, unless the policy says `optional supervisor'.\n"
    "\n"
    "In log mode nothing is installed that could refuse; the shim reports only.\n"
    "Exit status: COMMAND's own; 125 the guard could not be installed (COMMAND was\n"
    "not started), 126 COMMAND cannot be executed, 127 there is no such command.\n";

/* Connected before anything is installed, since the filter may trap what comes
 * after.  -1 in *ret: go on without. */
static int find_agent(const struct eg_blob *blob, int *ret)
{
    *ret = -1;
    if (!blob->agent) return 0;
    const char *path = eg_blob_cstr(blob, blob->agent);
    int fd = eg_oci_connect(path);
    if (fd >= 0) {
        *ret = fd;
        return 0;
    }
    if (!(blob->optional_layers & (1u << EG_LAYER_SUPERVISOR)))
        return eg_cli_error("the policy's agent cannot be reached at %s: %s; `optional "
                            "supervisor' in the policy does without",
                            path, strerror(-fd));
    eg_cli_warn("the policy's agent cannot be reached at %s: %s; going on without a supervisor",
                path, strerror(-fd));
    return 0;
}

/* From here to execve(2) nothing is called that the filter traps.  An agent that
 * refuses leaves a filter without a listener: there is no going on without. */
static int hand_over(const struct eg_blob *blob, int agent, int listener)
{
    char words[256];
    int r = eg_oci_hand_over(agent, listener, eg_blob_cstr(blob, blob->name), blob->id, words);
    close(agent);
    close(listener);
    if (r == -EACCES && words[0]) return eg_cli_error("the agent refused: %s", words);
    if (r) return eg_cli_error("the agent did not take the listener: %s", strerror(-r));
    return 0;
}

static int install(const struct eg_blob *blob, const struct eg_cli_worker *worker, int agent)
{
    struct eg_guard_error error = { 0 };
    struct eg_guard_plan plan = {
        .blob = blob,
        .stage = EG_STAGE_LAUNCH,
        .worker = worker->targets,
        .worker_count = worker->count,
        .supervised = agent >= 0,
        .listener_fd = -1,
    };
    if (eg_guard_install(&plan, &error) < 0) return eg_cli_guard_failed(&error);
    if (plan.listener_fd >= 0) return hand_over(blob, agent, plan.listener_fd);
    if (agent >= 0) close(agent);
    return 0;
}

static int guard_and_become(const struct eg_cached *cached, char **argv)
{
    static struct eg_cli_worker worker;
    bool observes = cached->blob->flags & EG_BLOB_LOG_MODE;

    int status = eg_cli_prepare_worker(cached, argv[0], argv, environ, &worker);
    if (status) return status;

    int agent;
    status = find_agent(cached->blob, &agent);
    if (!status && !observes) eg_cli_warn_worker(cached->blob, &worker);
    /* when the policy is new, not in the log of each request */
    if (!status && cached->policy) eg_cli_warn_helpers(cached->blob);
    eg_cli_commit();
    if (!status && (!observes || agent >= 0)) status = install(cached->blob, &worker, agent);
    if (!status) status = eg_cli_become(&worker);
    free(worker.envp);
    return status;
}

int eg_verb_exec(const struct eg_cli_verb *verb, int argc, char **argv)
{
    const char *policy = NULL;
    const char *events = NULL;
    const struct eg_cli_option options[] = {
        { "policy", 'p', NULL, &policy },
        { "events", 0, NULL, &events },
        { 0 },
    };
    int status = eg_cli_parse_command(verb, options, &policy, argc, &argv);
    if (status >= 0) return status;

    struct eg_cached cached;
    status = eg_cli_load_cached(policy, events, &cached);
    if (!status && events && cached.blob->agent)
        status = eg_cli_error("--events cannot be had with this policy: its `agent' writes the "
                              "events; write log { file ... } there");
    if (!status) status = guard_and_become(&cached, argv);
    eg_cached_free(&cached);
    return status;
}
