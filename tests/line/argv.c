// SPDX-License-Identifier: MIT
/* Compares eg_line_shell_command() with the shells: made-up arguments in which
 * several could be the command line; what the shell starts says which one was.
 *
 *   argv --stub PATH --shell PATH --name ARGV0 --count N --seed N
 *   argv --list     reads argument vectors (each argument ends in NUL, each vector
 *                   in one more NUL), prints "kind index dialect effects command", ended by NUL */
#include "generate.h"
#include "line/shell.h"
#include "sandbox.h"

#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 16

static struct {
    const char *shell, *stub, *name;
    unsigned long count;
    uint64_t seed;
} options = { "/bin/dash", "stub", "sh", 1000, 1 };

static const char *const kinds[] = { "unknown", "command",     "script",
                                     "stdin",   "interactive", "nothing" };

/* Names of the programs that the shell started, separated by spaces. */
static void run_shell(const char **argv, char *ret, size_t size)
{
    static int records = -1;
    char *environment[] = { (char *)(uintptr_t) "PATH=/bin", NULL };
    int status, null;
    if (records < 0) records = memfd_create("records", 0);
    fcntl(records, F_SETFL, O_APPEND);
    if (ftruncate(records, 0)) err(125, "ftruncate");
    fflush(NULL);
    pid_t pid = vfork();
    if (!pid) {
        struct itimerval limit = { .it_value = { .tv_sec = 10 } };
        setitimer(ITIMER_REAL, &limit, NULL);
        null = open("/dev/null", O_RDWR);
        dup2(records, 1000);
        for (int fd = 0; fd < 3; fd++) dup2(null, fd);
        execve(SANDBOX_SHELL, (char **)(uintptr_t)argv, environment);
        _exit(125);
    }
    if (waitpid(pid, &status, 0) < 0) err(125, "waitpid");
    while (wait(NULL) > 0) {
    }
    static char bytes[1 << 16];
    ssize_t got = pread(records, bytes, sizeof bytes, 0);
    size_t n = 0;
    ret[0] = 0;
    for (ssize_t at = 0; at + 8 < got;) {
        uint32_t header[2];
        memcpy(header, bytes + at, sizeof header);
        const char *p = bytes + at + 8;
        p += strlen(p) + 1; /* cwd */
        p += strlen(p) + 1; /* argc */
        n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? " " : "", p);
        at += header[0];
    }
}

static size_t make_arguments(struct random *random, const char **argv)
{
    static const char *const choices[] = {
        "-c",    "-c",      "-c",        "-ec",         "-ce",    "-lc",     "-ic",     "-o",
        "+o",    "errexit", "-oc",       "-co",         "-e",     "+e",      "+x",      "-u",
        "-f",    "-s",      "-n",        "-a",          "-C",     "-i",      "--",      "-",
        "+c",    "-O",      "extglob",   "+O",          "--norc", "--posix", "--login", "--rcfile",
        "-norc", "-rcfile", "nounset",   "--noprofile", "-ab",    "-xc",     "-v",      "-Z",
        "+",     "noglob",  "--version", "-h",          "+B",     "-b",      "-cs",     "-D",
        "p1",    "p2",      "p3",        "p4",          "p1",     "p2",      "p3",      "p4",
    };
    size_t n = 0, limit = 2 + random_below(random, 5);
    argv[n++] = options.name;
    while (n <= limit)
        argv[n++] = choices[random_below(random, sizeof choices / sizeof choices[0])];
    argv[n] = NULL;
    return n;
}

static const char *find_difference(const struct eg_shell *shell, const char *started)
{
    char command[64];
    snprintf(command, sizeof command, "%.*s", (int)shell->command.n,
             shell->command.n ? shell->command.p : "");
    switch (shell->kind) {
    case EG_SHELL_COMMAND:
        if (command[0] != 'p') return *started ? "started something else" : NULL;
        if (!strcmp(started, command)) return NULL;
        if (*started) return "started something else";
        return shell->effects & ~(uint32_t)(EG_SHELL_HARMLESS | EG_SHELL_ERREXIT)
                   ? NULL
                   : "started nothing";
    case EG_SHELL_STDIN: /* after the command, if there is one */
        return *started && strcmp(started, command) ? "started something else" : NULL;
    default: return *started ? "started something" : NULL;
    }
}

static int check_all(void *context)
{
    struct random random = { options.seed };
    unsigned long commands = 0, different = 0;
    (void)context;
    for (int i = 1; i <= 4; i++) {
        char path[] = "/bin/p0";
        path[6] = (char)('0' + i);
        if (symlink(SANDBOX_STUB, path)) err(125, "symlink");
    }
    for (unsigned long i = 0; i < options.count; i++) {
        const char *argv[ARGS_MAX];
        char started[1024];
        struct eg_shell shell;
        size_t argc = make_arguments(&random, argv);
        eg_line_shell_command(argv, argc, &shell);
        run_shell(argv, started, sizeof started);
        if (shell.kind == EG_SHELL_COMMAND) commands++;
        const char *what = find_difference(&shell, started);
        if (!what || different++ >= 10) continue;
        fprintf(stderr, "the shell %s (\"%s\"), we say %s %zu:", what, started, kinds[shell.kind],
                shell.index);
        for (size_t k = 0; k < argc; k++) fprintf(stderr, " [%s]", argv[k]);
        fprintf(stderr, "\n");
    }
    printf("%lu argument vectors, %lu with a command line, %lu different, seed %lu\n",
           options.count, commands, different, (unsigned long)options.seed);
    return different != 0;
}

static int list_all(void)
{
    static char bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof bytes - 1, stdin);
    for (size_t at = 0; at < n;) {
        const char *argv[64];
        size_t argc = 0;
        while (at < n && bytes[at] && argc < 63) {
            argv[argc++] = bytes + at;
            at += strlen(bytes + at) + 1;
        }
        argv[argc] = NULL;
        at++;
        struct eg_shell shell;
        eg_line_shell_command(argv, argc, &shell);
        printf("%s %zu %d %u %.*s%c", kinds[shell.kind], shell.index, shell.dialect, shell.effects,
               (int)shell.command.n, shell.command.n ? shell.command.p : "", 0);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        { "shell", required_argument, NULL, 's' },
        { "stub", required_argument, NULL, 't' },
        { "name", required_argument, NULL, 'n' },
        { "count", required_argument, NULL, 'c' },
        { "seed", required_argument, NULL, 'r' },
        { "list", no_argument, NULL, 'l' },
        { 0 },
    };
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (c) {
        case 's': options.shell = optarg; break;
        case 't': options.stub = optarg; break;
        case 'n': options.name = optarg; break;
        case 'c': options.count = strtoul(optarg, NULL, 10); break;
        case 'r': options.seed = strtoull(optarg, NULL, 10); break;
        case 'l': return list_all();
        default: return 125;
        }
    }
    return sandbox_run(options.shell, options.stub, check_all, NULL);
}
