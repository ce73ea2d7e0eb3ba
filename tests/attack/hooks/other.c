// SPDX-License-Identifier: MIT
/* Another preloaded library, whose constructor tries to start a shell.  How far
 * it got is seen by the word RAN. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((constructor)) static void early(void)
{
    /* The shell must not load this library again. */
    unsetenv("LD_PRELOAD");
    char *const argv[] = { "sh", "-c", "echo RAN by exec", NULL };
    if (system("echo RAN by system")) write(1, "early refused\n", 14);
    pid_t pid = fork();
    if (pid == 0) {
        execv("/bin/sh", argv);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}
