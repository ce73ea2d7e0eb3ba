// SPDX-License-Identifier: MIT
/* `execguard report`: event files for people, and as rules. */
#include "cli.h"

#include "summary.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const char eg_verb_report_help[] =
    "usage: execguard report [-p POLICY] [--rules] FILE...\n"
    "\n"
    "Reads files of events (JSON lines; - is standard input) and says what was refused,\n"
    "or in log mode would have been: how often, when, by which request.  Lines that are\n"
    "no events are passed over and counted.\n"
    "\n"
    "  -p, --policy NAME    only events of the policy of that name\n"
    "      --rules          print the rules that would allow what was refused, as text\n"
    "                       for a policy's file.  Attacks are among what was refused:\n"
    "                       keep only the lines for what the application is meant to run\n"
    "\n"
    "A placeholder (<int>, <ip>, <host>, <email>, <file DIR/*>) stands where different\n"
    "arguments of one form were seen, otherwise the argument itself.  No rule is suggested\n"
    "for a shell.  Each suggested rule was tried: it allows the calls it stands for.\n"
    "\n"
    "Exit status: 0, or 125 when a file cannot be read.\n";

static int read_file(struct eg_summary *summary, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *in = standard ? stdin : fopen(path, "re");
    int r = in ? eg_summary_read(summary, in) : -errno;
    if (in && !standard) fclose(in);
    return r ? eg_cli_error("%s: %s", path, strerror(-r)) : 0;
}

int eg_verb_report(const struct eg_cli_verb *verb, int argc, char **argv)
{
    const char *policy = NULL;
    bool rules = false;
    const struct eg_cli_option options[] = {
        { "policy", 'p', NULL, &policy },
        { "rules", 0, &rules, NULL },
        { 0 },
    };
    int status = eg_cli_parse(verb, options, EG_WORDS_MIXED, argc, argv, &argc, &argv);
    if (status >= 0) return status;
    if (argc == 0) return eg_cli_usage(verb, "no file given");

    struct eg_summary *summary = eg_summary_new(policy);
    status = EG_EXIT_OK;
    for (int i = 0; i < argc && status == EG_EXIT_OK; i++) status = read_file(summary, argv[i]);
    if (status == EG_EXIT_OK) {
        if (rules)
            eg_summary_print_rules(summary, stdout);
        else
            eg_summary_print(summary, stdout);
    }
    eg_summary_free(summary);
    return eg_cli_printed(status);
}
