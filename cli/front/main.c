// SPDX-License-Identifier: MIT
/* The front: the program that users start as `execguard'.  It holds what `exec'
 * and `run' need when the policy is compiled already, and a small libc that is
 * up in a fifth of the time; for everything else it becomes the whole command. */
#include "../cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const bool eg_cli_is_front = true;

/* The command line while it can be handed over; NULL afterwards. */
static char **words;

void eg_cli_commit(void)
{
    words = NULL;
}

void eg_cli_hand_over(void)
{
    if (!words) return;
    char **argv = words;
    struct eg_files files;
    eg_cli_commit(); /* what goes wrong now, we have to say */
    eg_cli_own_files(&files);
    if (eg_cli_check_own("the whole command", files.whole)) return;
    execve(files.whole, argv, environ);
    static const struct eg_blob any;
    if (eg_guard_query(&any))
        eg_cli_error("the policy that guards this process does not let it start %s", files.whole);
    else
        eg_cli_error("the whole command %s cannot be executed: %s", files.whole, strerror(errno));
}

static const struct eg_cli_verb verbs[] = {
    { "exec", eg_verb_exec, NULL, eg_verb_exec_help },
    { "run", eg_verb_run, NULL, eg_verb_run_help },
};

int main(int argc, char **argv)
{
    /* one write a line, which this libc would not do by itself */
    static char line[BUFSIZ];
    setvbuf(stderr, line, _IOLBF, sizeof line);
    argv = eg_cli_read_first_line(&argc, argv);
    words = argv;
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, argv[1]) == 0) return verbs[i].run(&verbs[i], argc - 1, argv + 1);
    eg_cli_hand_over();
    return EG_EXIT_FAILED;
}
