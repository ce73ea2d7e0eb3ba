// SPDX-License-Identifier: MIT
/* The command: looks its verb up and hands over. */
#include "cli.h"

#include <string.h>

static const struct eg_cli_verb verbs[] = {
#define V(name, summary) { #name, eg_verb_##name, summary, eg_verb_##name##_help },
#define LATER(name)
#include "verbs.def"
#undef V
#undef LATER
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static const char *const later[] = {
#define V(name, summary)
#define LATER(name) #name,
#include "verbs.def"
#undef V
#undef LATER
    NULL
};

static const char *const words[] = {
#define V(name, summary) #name,
#define LATER(name)
#include "verbs.def"
#undef V
#undef LATER
    "help",
};

const struct eg_cli_verb *eg_cli_find_verb(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    return NULL;
}

static int refuse_verb(const char *name)
{
    for (size_t i = 0; later[i]; i++)
        if (strcmp(later[i], name) == 0)
            return eg_cli_error("`%s' is not built in this release; `execguard --help' lists the "
                                "verbs that are",
                                name);
    const char *near = eg_suggest(eg_str(name), words, sizeof words / sizeof words[0]);
    if (near) return eg_cli_error("unknown verb `%s'; did you mean `%s'?", name, near);
    return eg_cli_error("unknown verb `%s'; `execguard --help' lists them", name);
}

static int print_help(void)
{
    puts("usage: execguard VERB [OPTION...] [--] [COMMAND [ARG...]]\n"
         "\n"
         "Guards a worker (a CGI program, a script, a daemon's child) so that it starts\n"
         "only the programs that a policy names, with the arguments that it allows.\n"
         "\n"
         "verbs:");
    for (size_t i = 0; i < VERB_COUNT; i++) printf("  %-9s %s\n", verbs[i].name, verbs[i].summary);
    puts("  help      this text; `execguard help VERB' tells more of one\n"
         "\n"
         "exit status: the worker's own; 125 execguard failed, 126 refused or not\n"
         "executable, 127 not found.  Manual: execguard(1), execguard.policy(5).");
    return eg_cli_printed(EG_EXIT_OK);
}

static int help(int argc, char **argv)
{
    if (argc < 2) return print_help();
    if (argc > 2) return eg_cli_error("help takes one verb");
    const struct eg_cli_verb *verb = eg_cli_find_verb(argv[1]);
    if (!verb) return refuse_verb(argv[1]);
    fputs(verb->help, stdout);
    return eg_cli_printed(EG_EXIT_OK);
}

int main(int argc, char **argv)
{
    argv = eg_cli_read_first_line(&argc, argv);
    if (argc < 2) return eg_cli_error("no verb given; `execguard --help' lists them");
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return print_help();
    if (strcmp(word, "help") == 0) return help(argc - 1, argv + 1);
    if (strcmp(word, "--version") == 0) {
        puts("execguard " EG_VERSION);
        return eg_cli_printed(EG_EXIT_OK);
    }
    const struct eg_cli_verb *verb = eg_cli_find_verb(word);
    if (!verb) return refuse_verb(word);
    return verb->run(verb, argc - 1, argv + 1);
}
