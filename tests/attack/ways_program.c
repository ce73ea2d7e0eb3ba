// SPDX-License-Identifier: MIT
/* Purpose: through a program that the policy allows. */
#include "ways.h"

static void exec_allowed(char *const *argv)
{
    IN_CHILD(execv(argv[0], argv));
}
void way_env(void)
{
    exec_allowed((char *[]){ "/usr/bin/env", "sh", "-c", command, NULL });
}
void way_env_i(void)
{
    exec_allowed((char *[]){ "/usr/bin/env", "-i", "/bin/sh", "-c", command, NULL });
}
void way_env_split(void)
{
    char text[4300];
    snprintf(text, sizeof text, "-Ssh -c '%s'", command);
    exec_allowed((char *[]){ "/usr/bin/env", text, NULL });
}
void way_raw_env(void)
{
    static char *argv[] = { "env", "/bin/sh", "-c", command, NULL };
    IN_CHILD(raw_exec("/usr/bin/env", argv, environ));
}
void way_raw_env_no_preload(void)
{
    static char *argv[] = { "env", "/bin/sh", "-c", command, NULL };
    static char *empty[] = { NULL };
    IN_CHILD(raw_exec("/usr/bin/env", argv, empty));
}
void way_nice(void)
{
    exec_allowed((char *[]){ "/usr/bin/nice", "-n", "1", "sh", "-c", command, NULL });
}
void way_timeout(void)
{
    exec_allowed((char *[]){ "/usr/bin/timeout", "-s", "KILL", "9", "sh", "-c", command, NULL });
}
void way_env_nice_env(void)
{
    exec_allowed(
        (char *[]){ "/usr/bin/env", "A=1", "nice", "env", "-u", "B", "sh", "-c", command, NULL });
}
void way_xargs(void)
{
    int ends[2];
    if (pipe(ends) < 0) return;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[0], 0);
        close(ends[1]);
        execl("/usr/bin/xargs", "xargs", "-0", "sh", "-c", (char *)NULL);
        _exit(111);
    }
    close(ends[0]);
    dprintf(ends[1], "%s", command);
    close(ends[1]);
    if (pid > 0) wait_for(pid);
}
static const char *loader(void)
{
#if defined(__x86_64__)
    return "/lib64/ld-linux-x86-64.so.2";
#else
    return "/lib/ld-linux-aarch64.so.1";
#endif
}
void way_ld_so(void)
{
    char *argv[] = { "ld.so", "/bin/sh", "-c", command, NULL };
    IN_CHILD(execve(loader(), argv, environ));
}
void way_raw_ld_so(void)
{
    char *argv[] = { "ld.so", "/bin/sh", "-c", command, NULL };
    IN_CHILD(raw_exec(loader(), argv, environ));
}
void way_raw_ld_so_copy(void)
{
    char *path = in_folder("planted");
    copy_file("/bin/sh", path, 0755);
    char *argv[] = { "ld.so", path, "-c", command, NULL };
    IN_CHILD(raw_exec(loader(), argv, environ));
}

/* Argument rules: `allow /usr/bin/perl -e 1`; another -e by a raw call. */
void way_perl_argument(void)
{
    static char *argv[] = { "perl", "-e", perl_code, NULL };
    IN_CHILD(execv("/usr/bin/perl", argv));
}
void way_raw_perl_argument(void)
{
    static char *argv[] = { "perl", "-e", perl_code, NULL };
    IN_CHILD(raw_exec("/usr/bin/perl", argv, environ));
}

void way_unsetenv_preload(void)
{
    unsetenv("LD_PRELOAD");
    unsetenv("EXECGUARD_POLICY");
    IN_CHILD(execv("/usr/bin/env", (char *[]){ "env", "sh", "-c", command, NULL }));
    IN_CHILD(execv("/bin/sh", shell_argv));
}
void way_clearenv(void)
{
    clearenv();
    IN_CHILD(execv("/usr/bin/env", (char *[]){ "env", "/bin/sh", "-c", command, NULL }));
    IN_CHILD(execv("/bin/sh", shell_argv));
}
void way_empty_environment(void)
{
    static char *empty[] = { NULL };
    static char *argv[] = { "env", "/bin/sh", "-c", command, NULL };
    IN_CHILD(execve("/usr/bin/env", argv, empty));
    IN_CHILD(execve("/bin/sh", shell_argv, empty));
}
void way_null_environment(void)
{
    static char *argv[] = { "env", "/bin/sh", "-c", command, NULL };
    char **none = NULL;
    IN_CHILD(execve("/usr/bin/env", argv, none));
    IN_CHILD(execve("/bin/sh", shell_argv, none));
}
/* A library whose constructor makes the mark is DIR/evil.so (the suite builds
 * it); an allowed program is made to load it. */
static void run_true_with(char *assignment)
{
    static char *argv[] = { "true", NULL };
    char *envp[] = { assignment, NULL };
    IN_CHILD(execve("/bin/true", argv, envp));
}
static char *evil_assignment(const char *variable, const char *file)
{
    static char text[4400];
    snprintf(text, sizeof text, "%s=%s", variable, in_folder(file));
    return text;
}
void way_preload_replaced(void)
{
    run_true_with(evil_assignment("LD_PRELOAD", "evil.so"));
}
void way_audit(void)
{
    run_true_with(evil_assignment("LD_AUDIT", "evil.so"));
}
void way_putenv_preload(void)
{
    putenv(evil_assignment("LD_PRELOAD", "evil.so"));
    IN_CHILD(execv("/bin/true", (char *[]){ "true", NULL }));
}
void way_setenv_preload(void)
{
    setenv("LD_PRELOAD", in_folder("evil.so"), 1);
    IN_CHILD(execv("/bin/true", (char *[]){ "true", NULL }));
}
void way_environ_preload(void)
{
    static char *replaced[2];
    replaced[0] = evil_assignment("LD_PRELOAD", "evil.so");
    environ = replaced;
    pid_t pid;
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, (char *[]){ "true", NULL }, environ) == 0)
        wait_for(pid);
}
void way_duplicate_preload(void)
{
    /* ld.so takes the last of two; getenv the first */
    static char *argv[] = { "true", NULL };
    char *envp[] = { NULL, NULL, NULL };
    const char *now = getenv("LD_PRELOAD");
    char first[4300];
    snprintf(first, sizeof first, "LD_PRELOAD=%s", now ? now : "");
    envp[0] = first;
    envp[1] = evil_assignment("LD_PRELOAD", "evil.so");
    IN_CHILD(execve("/bin/true", argv, envp));
}
void way_raw_preload(void)
{
    static char *argv[] = { "true", NULL };
    char *envp[] = { evil_assignment("LD_PRELOAD", "evil.so"), NULL };
    IN_CHILD(raw_exec("/bin/true", argv, envp));
}
