// SPDX-License-Identifier: MIT
/* A worker that gives variables to a child, or uses them itself.
 *
 *   variables give METHOD FILE PROGRAM     all lines of FILE (NAME=value) at once
 *   variables each FILE PROGRAM            one raw execve a line; prints NAME ERRNO
 *   variables with METHOD NAME=VALUE... -- PROGRAM ARGUMENT...
 *   variables iconv METHOD NAME=VALUE CHARSET   converts in this very process
 *
 * METHOD: execve, spawn (a changed copy), environ (this process's own array is
 * edited), setenv, putenv. */
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 2048

extern char **environ;

static char *entries[MOST];
static int count;

static void read_entries(const char *path)
{
    static char line[512];
    FILE *f = fopen(path, "r");
    if (!f) exit(9);
    while (count < MOST && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        entries[count++] = strdup(line);
    }
    fclose(f);
}

/* The environment of this process with the entries in front, so that they are
 * what getenv(3) finds. */
static char **changed(void)
{
    static char *envp[2 * MOST];
    int n = 0;
    for (int i = 0; i < count; i++) envp[n++] = entries[i];
    for (char **e = environ; *e && n < 2 * MOST - 1; e++) {
        int given = 0;
        for (int i = 0; i < count && !given; i++)
            given = !strncmp(*e, entries[i], strcspn(entries[i], "=") + 1);
        if (!given) envp[n++] = *e;
    }
    envp[n] = NULL;
    return envp;
}

static void set_here(const char *method)
{
    if (!strcmp(method, "environ")) environ = changed();
    for (int i = 0; i < count; i++) {
        if (!strcmp(method, "putenv")) putenv(entries[i]);
        if (strcmp(method, "setenv")) continue;
        char *equals = strchr(entries[i], '=');
        *equals = '\0';
        setenv(entries[i], equals + 1, 1);
        *equals = '=';
    }
}

static int start(const char *method, char **argv)
{
    int status = 0;
    pid_t pid;
    if (!strcmp(method, "execve"))
        execve(argv[0], argv, changed());
    else if (!strcmp(method, "spawn")) {
        int error = posix_spawn(&pid, argv[0], NULL, NULL, argv, changed());
        if (error) return fprintf(stderr, "%s: %s\n", argv[0], strerror(error)), 126;
        waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    } else {
        set_here(method);
        execv(argv[0], argv);
    }
    perror(argv[0]);
    return 126;
}

static int try_each(char *program)
{
    for (int i = 0; i < count; i++) {
        char *argv[] = { program, NULL }, *envp[] = { entries[i], NULL };
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            int null = open("/dev/null", O_WRONLY);
            dup2(null, 1);
            dup2(null, 2);
            syscall(SYS_execve, program, argv, envp);
            _exit(errno);
        }
        waitpid(pid, &status, 0);
        printf("%.*s %d\n", (int)strcspn(entries[i], "="), entries[i],
               WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "give")) {
        char *program[] = { argv[4], NULL };
        read_entries(argv[3]);
        return start(argv[2], program);
    }
    if (argc == 4 && !strcmp(argv[1], "each")) {
        read_entries(argv[2]);
        return try_each(argv[3]);
    }
    if (argc == 5 && !strcmp(argv[1], "iconv")) {
        entries[count++] = argv[3];
        set_here(argv[2]);
        return iconv_open(argv[4], "UTF-8") == (iconv_t)-1 ? 3 : 0;
    }
    if (argc > 4 && !strcmp(argv[1], "with")) {
        int i = 3;
        for (; i < argc && strcmp(argv[i], "--") && count < MOST; i++) entries[count++] = argv[i];
        if (i + 1 < argc) return start(argv[2], argv + i + 1);
    }
    return 9;
}
