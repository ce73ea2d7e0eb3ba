// SPDX-License-Identifier: MIT
/* One call of one hooked function: hooks FUNCTION run|load|value WHAT...
 *
 * The table below is made from lib/table/hooks.def: a hook without a try_
 * function here does not compile.  Each prints what came of its call: "RAN" by
 * the program that was started, or one line "FUNCTION: errno=N".  Functions that
 * not every libc has are looked up at run time; without them: "absent". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#include "hooks.h"

extern char **environ;

const char *function;
char **words; /* argv of the program to run; the line; what to load */

void *find(const char *name)
{
    void *symbol = dlsym(RTLD_DEFAULT, name);
    if (symbol) return symbol;
    printf("%s: absent\n", function);
    exit(0);
}

int failed(int error)
{
    printf("%s: errno=%d\n", function, error);
    return 0;
}

/* ---- exec: in a forked child, so that what follows can be seen ---- */

static int in_child(int (*call)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        call();
        failed(errno);
        fflush(stdout);
        _exit(0);
    }
    return waitpid(pid, NULL, 0) != pid;
}

static int call_execve(void)
{
    return execve(words[0], words, environ);
}
static int call_execv(void)
{
    return execv(words[0], words);
}
static int call_execvp(void)
{
    return execvp(words[0], words);
}
static int call_execvpe(void)
{
    return execvpe(words[0], words, environ);
}
static int call_execl(void)
{
    return execl(words[0], words[0], words[1], words[2], NULL);
}
static int call_execlp(void)
{
    return execlp(words[0], words[0], words[1], words[2], NULL);
}
static int call_execle(void)
{
    return execle(words[0], words[0], words[1], words[2], NULL, environ);
}
static int call_execveat(void)
{
    int (*f)(int, const char *, char **, char **, int) = find("execveat");
    return f(AT_FDCWD, words[0], words, environ, 0);
}
static int call___execvpe(void)
{
    int (*f)(const char *, char **, char **) = find("__execvpe");
    return f(words[0], words, environ);
}
static int call_fexecve(void)
{
    int fd = open(words[0], O_RDONLY | O_CLOEXEC);
    return fexecve(fd, words, environ);
}
static int call_syscall(void)
{
    return (int)syscall(SYS_execve, words[0], words, environ);
}

#define IN_CHILD(name)                                                                             \
    int try_##name(void)                                                                           \
    {                                                                                              \
        return in_child(call_##name);                                                              \
    }
IN_CHILD(execve)
IN_CHILD(execv)
IN_CHILD(execvp)
IN_CHILD(execvpe)
IN_CHILD(__execvpe)
IN_CHILD(execl)
IN_CHILD(execlp)
IN_CHILD(execle)
IN_CHILD(execveat)
IN_CHILD(fexecve)
IN_CHILD(syscall)

/* ---- spawn ---- */

static int spawned(int error, pid_t pid)
{
    if (error) return failed(error);
    return waitpid(pid, NULL, 0) != pid;
}

int try_posix_spawn(void)
{
    pid_t pid = 0;
    int error = posix_spawn(&pid, words[0], NULL, NULL, words, environ);
    return spawned(error, pid);
}
int try_posix_spawnp(void)
{
    pid_t pid = 0;
    int error = posix_spawnp(&pid, words[0], NULL, NULL, words, environ);
    return spawned(error, pid);
}
static int pidfd_spawned(const char *name)
{
    int (*f)(int *, const char *, void *, void *, char **, char **) = find(name);
    int fd = -1;
    int error = f(&fd, words[0], NULL, NULL, words, environ);
    return error ? failed(error) : waitpid(-1, NULL, 0) < 0;
}
int try_pidfd_spawn(void)
{
    return pidfd_spawned("pidfd_spawn");
}
int try_pidfd_spawnp(void)
{
    return pidfd_spawned("pidfd_spawnp");
}

/* ---- shell ---- */

int try_system(void)
{
    printf("system: status=%d\n", system(words[0]));
    return 0;
}
int try___libc_system(void)
{
    int (*f)(const char *) = find("__libc_system");
    printf("__libc_system: status=%d\n", f(words[0]));
    return 0;
}
static int read_stream(FILE *stream)
{
    char line[256];
    if (!stream) return failed(errno);
    while (fgets(line, sizeof(line), stream)) fputs(line, stdout);
    printf("%s: status=%d\n", function, pclose(stream));
    return 0;
}
int try_popen(void)
{
    return read_stream(popen(words[0], "r"));
}
int try_pclose(void)
{
    return read_stream(popen(words[0], "r"));
}
int try__IO_popen(void)
{
    FILE *(*f)(const char *, const char *) = find("_IO_popen");
    return read_stream(f(words[0], "r"));
}
int try__IO_proc_open(void)
{
    void *(*f)(void *, const char *, const char *) = find("_IO_proc_open");
    /* libio's own popen object, made by a harmless popen. */
    if (f(stdin, words[0], "r")) return 1;
    return failed(errno);
}
int try_wordexp(void)
{
    wordexp_t result;
    int r = wordexp(words[0], &result, 0);
    if (r) return failed(r == WRDE_CMDSUB || r == WRDE_NOSPACE ? EACCES : r);
    for (size_t i = 0; i < result.we_wordc; i++) puts(result.we_wordv[i]);
    wordfree(&result);
    return 0;
}

/* ---- variables, libraries, tables ---- */

int try_putenv(void)
{
    char entry[256];
    snprintf(entry, sizeof(entry), "%s=%s", words[0], words[1]);
    if (putenv(entry)) return failed(errno);
    printf("RAN %s\n", getenv(words[0]));
    return 0;
}
int try_setenv(void)
{
    if (setenv(words[0], words[1], 1)) return failed(errno);
    printf("RAN %s\n", getenv(words[0]));
    return 0;
}
static int loaded(void *handle)
{
    const char *text = handle ? NULL : dlerror();
    if (handle) return puts("RAN") < 0;
    printf("%s: errno=%d %s\n", function,
           text && strstr(text, "refused by execguard") ? EACCES : -1, text ? text : "(no text)");
    return 0;
}
int try_dlopen(void)
{
    return loaded(dlopen(words[0], RTLD_NOW));
}
int try_dlmopen(void)
{
    void *(*f)(long, const char *, int) = find("dlmopen");
    return loaded(f(-1, words[0], RTLD_NOW));
}
int try_iconv_open(void)
{
    static char entry[256];
    static char *edited[512];
    size_t n = 0;
    snprintf(entry, sizeof(entry), "%s=%s", words[0], words[1]);
    for (; environ[n]; n++) edited[n] = environ[n];
    edited[n] = entry;
    environ = edited;
    iconv_t handle = iconv_open("UTF-8", "ISO-8859-1");
    if (handle == (iconv_t)-1) return failed(errno);
    return puts("RAN") < 0;
}

static const struct {
    const char *name;
    const char *class;
    int (*call)(void);
} hooks[] = {
#define K(name, class, parameters, why) { #name, #class, try_##name },
#include "../../../lib/table/hooks.def"
#undef K
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && !strcmp(argv[1], "--list")) {
        for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++)
            printf("%s %s\n", hooks[i].name, hooks[i].class);
        return 0;
    }
    if (argc < 3) return 2;
    function = argv[1];
    words = argv + 2;
    for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++)
        if (!strcmp(hooks[i].name, function)) return hooks[i].call();
    return 2;
}
