// SPDX-License-Identifier: MIT
/* `execguard learn`: a command in log mode under `run', then the rules for what it did.
 *
 * The policy is printed in its canonical form into a folder of ours, in log mode and
 * without a rate that could swallow a call, and `run' is this same command. */
#include "cli.h"

#include "compile/cache.h"
#include "policy/defaults.h"
#include "summary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char eg_verb_learn_help[] =
    "usage: execguard learn [-p POLICY] [-o FILE] -- COMMAND [ARG...]\n"
    "\n"
    "Runs COMMAND under POLICY as `execguard run' does, but in log mode, and then prints\n"
    "the rules that would allow what the policy refuses, as `execguard report --rules'\n"
    "does.  Run what is to be allowed and nothing else: whatever happens is learned.\n"
    "\n"
    "  -p, --policy POLICY  a file (with a slash), or NAME; without it: one that allows\n"
    "                       nothing\n"
    "  -o, --output FILE    write the rules to FILE, not to standard output\n"
    "\n"
    "Exit status: COMMAND's own, as `execguard run' has it; 125 when the rules could not\n"
    "be written.\n";

/* Where the policy and the events lie meanwhile. */
struct place {
    char folder[PATH_MAX];
    char policy[PATH_MAX];
    char events[PATH_MAX];
};

static volatile sig_atomic_t child;

/* A service manager stops us; `run' ends the tree. */
static void pass_on(int signal)
{
    if (child > 0) kill((pid_t)child, signal);
}

static void clean(const struct place *place)
{
    unlink(place->policy);
    unlink(place->events);
    rmdir(place->folder);
}

static int make_place(const char *name, struct place *ret)
{
    int error = 0;
    char *cache = eg_cache_folder(true, &error);
    if (!cache) return eg_cli_error("no folder for the policy: %s", strerror(-error));
    bool fits = snprintf(ret->folder, sizeof ret->folder, "%s/learn.XXXXXX", cache) <
                (int)sizeof ret->folder - NAME_MAX;
    free(cache);
    if (!fits || !mkdtemp(ret->folder))
        return eg_cli_error("%s: %s", ret->folder, strerror(fits ? errno : ENAMETOOLONG));
    /* within PATH_MAX: NAME_MAX bytes are left */
    if (snprintf(ret->policy, sizeof ret->policy, "%s/%.128s.policy", ret->folder, name) < 0 ||
        snprintf(ret->events, sizeof ret->events, "%s/events", ret->folder) < 0)
        return EG_EXIT_FAILED;
    return 0;
}

static int write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "wex");
    if (!out) return eg_cli_error("%s: %s", path, strerror(errno));
    fputs(text, out);
    return fclose(out) == 0 ? 0 : eg_cli_error("%s: %s", path, strerror(errno));
}

/* The policy in log mode, as text; malloc'ed.  NULL after the message. */
static char *log_mode(const char *name, char **ret_name)
{
    static struct eg_diagnostics diagnostics;
    struct eg_policy_options options;
    struct eg_policy *policy = NULL;
    char *text = NULL;
    eg_cli_policy_options(&options);
    int r = name
                ? eg_policy_load(name, &options, &diagnostics, &policy)
                : eg_policy_parse("learned", EG_STR("exec { }\n"), &options, &diagnostics, &policy);
    if (r == 0) {
        policy->log_mode = true;
        policy->rate_per_second = EG_RATE_MAX;
        policy->rate_burst = EG_RATE_MAX;
        *ret_name = strndup(policy->name.p, policy->name.n);
        text = eg_policy_print(policy);
        if (!text || !*ret_name) eg_summary_no_memory();
    } else {
        eg_diagnostics_render(&diagnostics, policy, stderr);
    }
    eg_policy_free(policy);
    eg_diagnostics_free(&diagnostics);
    return text;
}

static int run(const struct place *place, char **argv)
{
    struct eg_files own;
    size_t argc = 0;
    eg_cli_own_files(&own);
    if (eg_cli_check_own("the command", own.command)) return EG_EXIT_FAILED;
    while (argv[argc]) argc++;
    const char *const head[] = { "execguard", "run",         "-p", place->policy,
                                 "--events",  place->events, "--" };
    enum { HEAD = sizeof head / sizeof head[0] };
    char **words = calloc(HEAD + argc + 1, sizeof *words);
    if (!words) return eg_cli_error("out of memory");
    memcpy(words, head, sizeof head);
    memcpy(words + HEAD, argv, argc * sizeof *argv);

    fflush(NULL);
    child = fork();
    if (child == 0) {
        execv(own.command, words);
        _exit(eg_cli_error("%s: %s", own.command, strerror(errno)));
    }
    free(words);
    if (child < 0) return eg_cli_error("fork: %s", strerror(errno));
    int status = 0;
    while (waitpid((pid_t)child, &status, 0) < 0)
        if (errno != EINTR) return eg_cli_error("waitpid: %s", strerror(errno));
    child = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int print_rules(const struct place *place, const char *path)
{
    struct eg_summary *summary = eg_summary_new(NULL);
    FILE *in = fopen(place->events, "re");
    FILE *out = path ? fopen(path, "we") : stdout;
    int status = 0;
    if (!out) status = eg_cli_error("%s: %s", path, strerror(errno));
    /* nothing was refused: there is no file */
    if (!status && in && eg_summary_read(summary, in) < 0)
        status = eg_cli_error("%s: %s", place->events, strerror(errno));
    if (!status) eg_summary_print_rules(summary, out);
    if (in) fclose(in);
    int written = fflush(out ? out : stdout);
    if (path && out && fclose(out) != 0) written = EOF;
    if (written != 0)
        status = eg_cli_error("%s: %s", path ? path : "standard output", strerror(errno));
    eg_summary_free(summary);
    return status;
}

int eg_verb_learn(const struct eg_cli_verb *verb, int argc, char **argv)
{
    const char *policy = NULL;
    const char *output = NULL;
    const struct eg_cli_option options[] = {
        { "policy", 'p', NULL, &policy },
        { "output", 'o', NULL, &output },
        { 0 },
    };
    int status = eg_cli_parse(verb, options, EG_WORDS_COMMAND, argc, argv, &argc, &argv);
    if (status >= 0) return status;
    if (argc == 0) return eg_cli_usage(verb, "no command given");

    static struct place place;
    char *name = NULL;
    char *text = log_mode(policy, &name);
    if (!text) return EG_EXIT_FAILED;
    status = make_place(name, &place);
    if (!status) {
        const struct sigaction action = { .sa_handler = pass_on };
        const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
            sigaction(signals[i], &action, NULL);
        int ran = 0;
        status = write_text(place.policy, text);
        if (!status) ran = run(&place, argv);
        if (!status) status = print_rules(&place, output);
        if (!status) status = ran;
        clean(&place);
    }
    free(text);
    free(name);
    return status;
}
