// SPDX-License-Identifier: MIT
/* `execguard export`: a policy in the words of another tool. */
#include "cli.h"

#include "supervisor/export.h"
#include "supervisor/oci.h"

#include <stdlib.h>
#include <string.h>

#define FLAGS_MAX 8u

const char eg_verb_export_help[] =
    "usage: execguard export --to oci [OPTION...] POLICY\n"
    "\n"
    "Prints the seccomp profile with which runc, crun, podman, Docker and Kubernetes\n"
    "install a policy's system call filter and send its listener to `execguard agent'.\n"
    "It replaces the runtime's own profile.\n"
    "\n"
    "      --to oci             the only form there is\n"
    "      --listener PATH      the agent's socket (/run/execguard/agent.sock)\n"
    "      --flags FLAGS        seccomp flags between commas, such as\n"
    "                           SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV; none unless\n"
    "                           asked for, since older runtimes refuse a profile with any\n"
    "  -p, --policy POLICY      instead of the word POLICY: a file (with a slash), or\n"
    "                           NAME for NAME.policy in " EG_SYSCONFDIR "/execguard, then\n"
    "                           among the installed ones\n"
    "\n"
    "Exit status: 0, or 125 when the policy has errors.\n";

static bool allows(void *context, struct eg_str word)
{
    const struct eg_policy *policy = context;
    for (size_t i = 0; i < policy->kernel_allow_count; i++)
        if (eg_str_equal(policy->kernel_allows[i].text, word)) return true;
    return false;
}

static int print_profile(const struct eg_policy *policy, const char *listener,
                         const char *const *flags, size_t flag_count)
{
    char name[EG_OCI_NAME_MAX + 1];
    if (!eg_oci_name_valid(policy->name))
        return eg_cli_error("`%.*s' cannot be said to the agent: a policy's name is letters, "
                            "digits, _ - . and at most %u bytes",
                            (int)policy->name.n, policy->name.p, EG_OCI_NAME_MAX);
    memcpy(name, policy->name.p, policy->name.n);
    name[policy->name.n] = '\0';
    const struct eg_export export = {
        .policy = name,
        .listener = listener,
        .log_mode = policy->log_mode,
        .flags = flags,
        .flag_count = flag_count,
        .allows = allows,
        .context = (void *)(uintptr_t)policy,
    };
    char *text = eg_export_oci(&export);
    if (!text) return eg_cli_error("out of memory");
    puts(text);
    free(text);
    return eg_cli_printed(EG_EXIT_OK);
}

static int split_flags(const struct eg_cli_verb *verb, char *left, const char *ret[FLAGS_MAX],
                       size_t *ret_count)
{
    static const char prefix[] = "SECCOMP_FILTER_FLAG_";
    for (char *flag; (flag = strsep(&left, ","));) {
        if (strncmp(flag, prefix, sizeof prefix - 1) != 0)
            return eg_cli_usage(verb, "`%s' is no flag; they begin with %s", flag, prefix);
        if (*ret_count == FLAGS_MAX) return eg_cli_usage(verb, "too many flags");
        ret[(*ret_count)++] = flag;
    }
    return 0;
}

int eg_verb_export(const struct eg_cli_verb *verb, int argc, char **argv)
{
    const char *to = NULL, *listener = NULL, *policy = NULL, *flags_text = NULL;
    const char *flags[FLAGS_MAX];
    size_t flag_count = 0;
    const struct eg_cli_option options[] = {
        { "to", 0, NULL, &to },
        { "listener", 0, NULL, &listener },
        { "flags", 0, NULL, &flags_text },
        { "policy", 'p', NULL, &policy },
        { 0 },
    };
    int status = eg_cli_parse_policy(verb, options, &policy, argc, argv);
    if (status >= 0) return status;
    if (!to || strcmp(to, "oci") != 0) return eg_cli_usage(verb, "say --to oci");
    if (listener && listener[0] != '/')
        return eg_cli_usage(verb, "--listener takes an absolute path, not `%s'", listener);
    if (!listener) listener = "/run/execguard/agent.sock";
    char *copy = flags_text ? strdup(flags_text) : NULL;
    if (copy) status = split_flags(verb, copy, flags, &flag_count);
    if (status > 0) {
        free(copy);
        return status;
    }

    /* the programs are the container's: only the text can be judged here */
    struct eg_policy_options policy_options;
    struct eg_diagnostics diagnostics = { 0 };
    struct eg_policy *loaded = NULL;
    eg_cli_policy_options(&policy_options);
    int r = eg_policy_load(policy, &policy_options, &diagnostics, &loaded);
    if (diagnostics.count) eg_diagnostics_render(&diagnostics, loaded, stderr);
    if (r == 0)
        status = print_profile(loaded, listener, flags, flag_count);
    else if (!diagnostics.count)
        status = eg_cli_error("policy `%s': %s", policy, strerror(-r));
    else
        status = EG_EXIT_FAILED;
    eg_policy_free(loaded);
    eg_diagnostics_free(&diagnostics);
    free(copy);
    return status;
}
