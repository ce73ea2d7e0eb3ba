// SPDX-License-Identifier: MIT
/* A worker that starts /bin/true many times: `children exec|system|popen N`.
 * Fails when one of them does. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int by_exec(void)
{
    static char *argv[] = { "true", NULL };
    pid_t pid;
    int status;
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) != 0) return -1;
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

static int by_system(void)
{
    return system("/bin/true");
}

static int by_popen(void)
{
    FILE *stream = popen("/bin/true", "r");
    return stream ? pclose(stream) : -1;
}

int main(int argc, char **argv)
{
    if (argc != 3) return 125;
    int (*once)(void) = strcmp(argv[1], "exec") == 0     ? by_exec
                        : strcmp(argv[1], "system") == 0 ? by_system
                                                         : by_popen;
    for (long left = strtol(argv[2], NULL, 10); left > 0; left--)
        if (once() != 0) {
            fprintf(stderr, "children: %s failed\n", argv[1]);
            return 1;
        }
    return 0;
}
