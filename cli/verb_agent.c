// SPDX-License-Identifier: MIT
/* `execguard agent`: supervises the trees that container runtimes and
 * `execguard exec` hand over. */
#include "cli.h"

#include "supervisor/agent.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char eg_verb_agent_help[] =
    "usage: execguard agent --socket PATH [OPTION...]\n"
    "\n"
    "Supervises containers and workers whose seccomp listeners arrive on a UNIX\n"
    "socket, by the OCI runtimes' seccomp agent protocol: `execguard export' makes the\n"
    "profile that sends them.  The metadata `policy=NAME' names the policy, which is\n"
    "looked for in the policy folders only.  Stays in the foreground; tells systemd\n"
    "when it is ready and keeps listeners in its descriptor store over a restart.\n"
    "Otherwise, when the agent ends, guarded calls fail (ENOSYS) in every container.\n"
    "\n"
    "      --socket PATH        where to listen (mode 0600); systemd's socket instead,\n"
    "                           when it passes one\n"
    "      --group GROUP        members may connect too (mode 0660)\n"
    "      --allow-uid USERS    users, beside root and the agent's own, whose connections\n"
    "                           are taken: names or numbers between commas\n"
    "      --policy-dir FOLDER  where NAME.policy is looked for, instead of\n"
    "                           " EG_SYSCONFDIR "/execguard and the installed ones\n"
    "      --max-listeners N    of all peers (4096)\n"
    "      --max-per-uid N      of one user other than root (1024)\n"
    "\n"
    "SIGHUP: new trees get their policies read anew; those that run keep theirs.\n"
    "SIGTERM: end.\n"
    "Exit status: 0 ended by a signal, 125 it could not start.\n";

/* What a compiling child knows. */
struct compiling {
    const char *folder;
    struct eg_cached cached;
    struct eg_policy *policy;
    struct eg_diagnostics diagnostics;
};

static void set_options(const struct compiling *c, struct eg_policy_options *ret)
{
    eg_cli_policy_options(ret);
    if (c->folder) ret->search[0] = c->folder;
    if (c->folder) ret->search[1] = NULL;
}

static int prepare(void *context, const char *name, bool foreign)
{
    struct compiling *c = context;
    struct eg_policy_options options;
    set_options(c, &options);
    int r = foreign ? eg_policy_load(name, &options, &c->diagnostics, &c->policy)
                    : eg_cache_load(name, &options, eg_cli_compile_options(), &c->diagnostics,
                                    &c->cached);
    if (!r) return 0;
    if (c->diagnostics.count)
        eg_diagnostics_render(&c->diagnostics, foreign ? c->policy : c->cached.policy, stderr);
    else
        eg_cli_error("policy `%s': %s", name, strerror(-r));
    return EG_EXIT_FAILED;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t written = write(fd, bytes, n);
        if (written <= 0) return false;
        bytes += written;
        n -= (size_t)written;
    }
    return true;
}

static int finish(void *context, int out)
{
    struct compiling *c = context;
    struct eg_compile_options compile = { 0 };
    struct eg_blob *blob = c->cached.blob;
    if (c->policy) {
        int r = eg_compile(c->policy, &compile, &c->diagnostics, &blob);
        if (r) {
            eg_diagnostics_render(&c->diagnostics, c->policy, stderr);
            return EG_EXIT_FAILED;
        }
    }
    if (!write_all(out, (const char *)blob, blob->size))
        return eg_cli_error("a compiled policy cannot be kept: %s", strerror(errno));
    return 0;
}

static int read_number(const struct eg_cli_verb *verb, const char *option, const char *text,
                       unsigned *ret)
{
    char *end;
    if (!text) return 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || text[0] == '-' || value < 1 || value > 1000000)
        return eg_cli_usage(verb, "%s takes a number from 1 to 1000000, not `%s'", option, text);
    *ret = (unsigned)value;
    return 0;
}

/* getpwnam(3) and getgrnam(3) would load libraries, which a static command
 * should not: these read the files alone. */
static const struct passwd *find_user(const char *name)
{
    FILE *file = fopen("/etc/passwd", "re");
    const struct passwd *row = NULL;
    while (file && (row = fgetpwent(file)) && strcmp(row->pw_name, name) != 0) continue;
    if (file) fclose(file);
    return row;
}

static const struct group *find_group(const char *name)
{
    FILE *file = fopen("/etc/group", "re");
    const struct group *row = NULL;
    while (file && (row = fgetgrent(file)) && strcmp(row->gr_name, name) != 0) continue;
    if (file) fclose(file);
    return row;
}

static int read_group(const char *name, struct eg_agent_options *options)
{
    if (!name) return 0;
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    const struct group *group = *end ? find_group(name) : NULL;
    if (*end && !group) return eg_cli_error("there is no group `%s'", name);
    options->group = group ? group->gr_gid : (gid_t)number;
    options->has_group = true;
    return 0;
}

static int read_users(const char *list, struct eg_agent_options *options)
{
    char *left = list ? strdup(list) : NULL;
    char *start = left;
    int status = 0;
    for (char *name; !status && (name = strsep(&left, ","));) {
        char *end;
        unsigned long number = strtoul(name, &end, 10);
        const struct passwd *user = *end ? find_user(name) : NULL;
        if (!*name || (*end && !user))
            status = eg_cli_error("there is no user `%s'", name);
        else if (options->uid_count == EG_AGENT_UIDS_MAX)
            status = eg_cli_error("--allow-uid takes at most %u users", EG_AGENT_UIDS_MAX);
        else
            options->uids[options->uid_count++] = user ? user->pw_uid : (uid_t)number;
    }
    free(start);
    return status;
}

int eg_verb_agent(const struct eg_cli_verb *verb, int argc, char **argv)
{
    const char *listeners = NULL, *per_uid = NULL, *group = NULL, *users = NULL;
    struct compiling compiling = { 0 };
    struct eg_agent_options agent = {
        .max_listeners = 4096,
        .max_per_uid = 1024,
        .prepare = prepare,
        .finish = finish,
        .context = &compiling,
        .stale = eg_blob_stale,
    };
    const struct eg_cli_option options[] = {
        { "socket", 0, NULL, &agent.socket },
        { "group", 0, NULL, &group },
        { "allow-uid", 0, NULL, &users },
        { "policy-dir", 0, NULL, &compiling.folder },
        { "max-listeners", 0, NULL, &listeners },
        { "max-per-uid", 0, NULL, &per_uid },
        { 0 },
    };
    char folder[PATH_MAX];
    int status = eg_cli_parse_options(verb, options, argc, argv);
    if (status >= 0) return status;
    if (!agent.socket) return eg_cli_usage(verb, "no socket given (--socket PATH)");
    status = read_number(verb, "--max-listeners", listeners, &agent.max_listeners);
    if (!status) status = read_number(verb, "--max-per-uid", per_uid, &agent.max_per_uid);
    if (!status) status = read_group(group, &agent);
    if (!status) status = read_users(users, &agent);
    if (status) return status;
    if (compiling.folder) {
        compiling.folder = eg_cli_absolute(compiling.folder, folder);
        if (!compiling.folder) return eg_cli_error("the path of --policy-dir is too long");
    }
    return eg_agent_run(&agent);
}
