// SPDX-License-Identifier: MIT
/* Hooks under unusual circumstances: scenes NAME.  Each scene checks itself,
 * prints "good" and returns 0, or says file:line and what it saw.
 *
 * The policy allows /bin/true and /bin/echo with any arguments, /usr/bin/env
 * likewise, and no shell; with argument "shell", a shell as well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int is_glibc(void)
{
    return dlsym(RTLD_DEFAULT, "gnu_get_libc_version") != NULL;
}

static void expect_at(int line, const char *what, long got, long wanted)
{
    if (got == wanted) return;
    printf("scenes.c:%d: %s: expected %ld, got %ld\n", line, what, wanted, got);
    fflush(stdout);
    _exit(1);
}
#define EXPECT(expression, wanted) expect_at(__LINE__, #expression, (long)(expression), wanted)

static char *const shell[] = { "sh", "-c", "echo RAN", NULL };
static char *const nothing[] = { "true", NULL };

/* Status of a child that executes, or 1000 + errno when the exec failed. */
static int outcome(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, 0) != pid) return -1;
    if (WIFSIGNALED(status)) return 2000 + WTERMSIG(status);
    return WEXITSTATUS(status) < 100 ? WEXITSTATUS(status) : 900 + WEXITSTATUS(status);
}
#define CHILD(call)                                                                                \
    ({                                                                                             \
        fflush(stdout);                                                                            \
        pid_t pid_ = fork();                                                                       \
        if (pid_ == 0) {                                                                           \
            call;                                                                                  \
            _exit(100 + errno);                                                                    \
        }                                                                                          \
        outcome(pid_);                                                                             \
    })

static void null_and_empty_vectors(void)
{
    char *const empty[] = { NULL };
    char *volatile *none = NULL;
    EXPECT(CHILD(execve("/bin/sh", (char **)none, (char **)none)), 1000 + EACCES);
    EXPECT(CHILD(execve("/bin/sh", empty, empty)), 1000 + EACCES);
    EXPECT(CHILD(execve("/bin/true", (char **)nothing, (char **)none)), 0);
    EXPECT(CHILD(execve("/bin/true", (char **)nothing, empty)), 0);
    /* Without argv[0] no rule can match: its name is the rule's. */
    EXPECT(CHILD(execve("/bin/true", (char **)none, environ)), 1000 + EACCES);
    EXPECT(CHILD(execve("/bin/true", empty, environ)), 1000 + EACCES);
    EXPECT(CHILD(execv("/bin/true", (char **)none)), 1000 + EACCES);
    EXPECT(CHILD(execvp("true", (char **)none)), 1000 + EACCES);
    EXPECT(CHILD(execl("/bin/true", (char *)NULL, (char *)NULL)), 1000 + EACCES);
    EXPECT(CHILD(execve((char *)none, (char **)nothing, environ)), 1000 + EFAULT);
    EXPECT(CHILD(execve("", nothing, environ)), 1000 + ENOENT);
    EXPECT(CHILD(execvp("", nothing)), 1000 + ENOENT);
    pid_t pid = 0;
    EXPECT(posix_spawn(&pid, "/bin/true", NULL, NULL, (char **)none, environ), EACCES);
    EXPECT(posix_spawn(&pid, "/bin/true", NULL, NULL, nothing, (char **)none), 0);
    EXPECT(outcome(pid), 0);
    EXPECT(posix_spawn(NULL, "/bin/true", NULL, NULL, nothing, environ), 0);
    EXPECT(wait(NULL) > 0, 1);
}

static char **many(size_t n, const char *first, const char *rest)
{
    char **vector = calloc(n + 1, sizeof(*vector));
    for (size_t i = 0; i < n; i++) vector[i] = (char *)(i ? rest : first);
    return vector;
}

static void enormous_vectors(void)
{
    char *huge = malloc(200000);
    memset(huge, 'x', 199999);
    huge[199999] = '\0';
    char *const long_word[] = { "true", huge, NULL };
    char **few = many(3000, "true", "x");
    char **lots = many(2000000, "true", "x");
    char **settings = many(3000, "A=1", "B=2");
    char **settings_lots = many(2000000, "A=1", "B=2");
    EXPECT(CHILD(execve("/bin/true", few, environ)), 0);
    EXPECT(CHILD(execve("/bin/true", lots, environ)), 1000 + E2BIG);
    EXPECT(CHILD(execve("/bin/true", long_word, environ)), 1000 + E2BIG);
    EXPECT(CHILD(execve("/bin/true", nothing, settings)), 0);
    EXPECT(CHILD(execve("/bin/true", nothing, settings_lots)), 1000 + E2BIG);
    lots[0] = few[0] = (char *)"sh";
    EXPECT(CHILD(execve("/bin/sh", few, settings)), 1000 + EACCES);
    EXPECT(CHILD(execve("/bin/sh", lots, settings_lots)), 1000 + EACCES);
    pid_t pid = 0;
    few[0] = (char *)"true";
    EXPECT(posix_spawn(&pid, "/bin/true", NULL, NULL, few, settings), 0);
    EXPECT(outcome(pid), 0);
    EXPECT(posix_spawn(&pid, "/bin/true", NULL, NULL, long_word, environ), E2BIG);
    char *path = malloc(5000);
    memset(path, 'p', 4999);
    path[0] = '/';
    path[4999] = '\0';
    EXPECT(CHILD(execv(path, nothing)), 1000 + ENAMETOOLONG);
    EXPECT(CHILD(execvp(path, nothing)), 1000 + ENAMETOOLONG);
}

static void vfork_children(void)
{
    char **before = environ;
    char *first = environ[0];
    for (volatile int i = 0; i < 20; i++) {
        volatile int seen = 0;
        errno = 0;
        pid_t pid = vfork();
        if (pid == 0) {
            execve("/bin/sh", shell, environ);
            seen = errno;
            _exit(7);
        }
        EXPECT(outcome(pid), 7);
        EXPECT(seen, EACCES);
        pid = vfork();
        if (pid == 0) {
            execve("/bin/true", nothing, environ);
            _exit(7);
        }
        EXPECT(outcome(pid), 0);
    }
    EXPECT(environ == before && environ[0] == first, 1);
}

static void *spawn_much(void *argument)
{
    (void)argument;
    for (int i = 0; i < 12; i++) {
        pid_t pid = 0;
        if (posix_spawn(&pid, "/bin/sh", NULL, NULL, shell, environ) != EACCES) return "spawn sh";
        if (posix_spawnp(&pid, "true", NULL, NULL, nothing, environ)) return "spawnp true";
        if (outcome(pid)) return "true failed";
        if (system("exit 0") != 127 << 8) return "system ran";
        FILE *stream = popen("echo x", "r");
        if (stream || errno != EACCES) return "popen ran";
        pid = vfork();
        if (pid == 0) {
            execvp("sh", shell);
            _exit(errno == EACCES ? 0 : 1);
        }
        if (outcome(pid)) return "vfork sh";
    }
    return NULL;
}

/* With a stack as small as a musl thread's, less what a program itself uses. */
static void eight_threads_at_once(void)
{
    pthread_t threads[8];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    EXPECT(pthread_attr_setstacksize(&attributes, 80 << 10), 0);
    for (int i = 0; i < 8; i++)
        EXPECT(pthread_create(&threads[i], &attributes, spawn_much, NULL), 0);
    for (int i = 0; i < 8; i++) {
        void *what = NULL;
        pthread_join(threads[i], &what);
        if (what) printf("%s\n", (char *)what);
        EXPECT(what == NULL, 1);
    }
}

static void *run_shells(void *argument)
{
    (void)argument;
    for (int i = 0; i < 10; i++) {
        char line[16] = { 0 };
        if (system("exit 3") != 3 << 8) return "system";
        FILE *stream = popen("echo hi", "r");
        if (!stream || !fgets(line, sizeof(line), stream) || strcmp(line, "hi\n")) return "popen";
        if (pclose(stream)) return "pclose";
    }
    return NULL;
}

static void handler(int signal)
{
    (void)signal;
}

static void signals_around_system(void)
{
    struct sigaction action = { .sa_handler = handler };
    sigset_t mask;
    sigaction(SIGINT, &action, NULL);
    signal(SIGQUIT, SIG_IGN);
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) EXPECT(pthread_create(&threads[i], NULL, run_shells, NULL), 0);
    for (int i = 0; i < 8; i++) {
        void *what = NULL;
        pthread_join(threads[i], &what);
        if (what) printf("%s\n", (char *)what);
        EXPECT(what == NULL, 1);
    }
    sigaction(SIGINT, NULL, &action);
    EXPECT(action.sa_handler == handler, 1);
    sigaction(SIGQUIT, NULL, &action);
    EXPECT(action.sa_handler == SIG_IGN, 1);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    EXPECT(sigismember(&mask, SIGCHLD), 0);
    /* The parent ignores SIGINT meanwhile, the command has it as default. */
    EXPECT(system("kill -INT $PPID; kill -INT $$; exit 4"), SIGINT);
    /* What was ignored before stays ignored. */
    EXPECT(system("kill -QUIT $$; exit 4"), 4 << 8);
    EXPECT(system("kill -TERM $$"), SIGTERM);
    EXPECT(system(NULL) != 0, 1);
    signal(SIGCHLD, SIG_IGN);
    errno = 0;
    EXPECT(system("exit 0"), -1);
    EXPECT(errno, ECHILD);
}

static void pipes_of_popen(void)
{
    char line[64] = { 0 };
    errno = 77;
    FILE *writer = popen("read word; exit $word", "w");
    EXPECT(writer != NULL, 1);
    EXPECT(errno, 77);
    /* The second child must not hold the first one's pipe open. */
    FILE *sleeper = popen("read never; exit 5", "w");
    fputs("9\n", writer);
    EXPECT(pclose(writer), 9 << 8);
    EXPECT(pclose(sleeper), 5 << 8);
    FILE *a = popen("exit 0", "re");
    FILE *b = popen("exit 0", "r");
    EXPECT(fcntl(fileno(a), F_GETFD), FD_CLOEXEC);
    EXPECT(fcntl(fileno(b), F_GETFD), 0);
    EXPECT(pclose(b), 0);
    EXPECT(pclose(a), 0);
    errno = 0;
    EXPECT(popen("exit 0", "x") == NULL, 1);
    EXPECT(errno, EINVAL);
    int out = dup(1);
    close(0);
    close(1);
    FILE *reader = popen("echo one; echo two >&2", "r");
    EXPECT(reader != NULL && fgets(line, sizeof(line), reader) != NULL, 1);
    EXPECT(strcmp(line, "one\n"), 0);
    EXPECT(pclose(reader), 0);
    dup2(out, 1);
    /* More streams than the table holds. */
    static FILE *all[400];
    int n = 0;
    struct rlimit limit = { 1024, 1024 };
    setrlimit(RLIMIT_NOFILE, &limit);
    while (n < 300 && (all[n] = popen("exit 0", "r"))) n++;
    EXPECT(n, 256);
    EXPECT(errno, EMFILE);
    while (n) EXPECT(pclose(all[--n]), 0);
    EXPECT(wait(NULL), -1);
}

static void errno_is_kept(void)
{
    pid_t pid = 0;
    errno = 77;
    EXPECT(posix_spawn(&pid, "/bin/sh", NULL, NULL, shell, environ), EACCES);
    EXPECT(posix_spawn(&pid, "/bin/nothing", NULL, NULL, shell, environ), ENOENT);
    EXPECT(errno, 77);
    EXPECT(posix_spawn(&pid, "/bin/true", NULL, NULL, nothing, environ), 0);
    EXPECT(outcome(pid), 0);
    EXPECT(errno, 77);
    EXPECT(setenv("HARMLESS", "1", 1), 0);
    EXPECT(errno, 77);
    EXPECT(system("x"), 127 << 8);
    EXPECT(errno, 77);
    EXPECT(system(NULL), 0);
    EXPECT(errno, 77);
}

static void environ_is_untouched(void)
{
    char **before = environ;
    char *entries[600];
    char texts[600][64];
    size_t n = 0;
    for (; environ[n] && n < 599; n++) {
        entries[n] = environ[n];
        snprintf(texts[n], sizeof(texts[n]), "%s", environ[n]);
    }
    EXPECT(execve("/bin/sh", shell, environ), -1);
    EXPECT(execv("/bin/nothing", nothing), -1);
    char *const long_word[] = { "true", memset(calloc(1, 200000), 'x', 199999), NULL };
    char *bad[] = { "LD_PRELOAD=/tmp/evil.so", "BASH_ENV=/tmp/x", "A=1", NULL };
    char *copy[] = { bad[0], bad[1], bad[2], NULL };
    EXPECT(execve("/bin/true", long_word, bad), -1);
    EXPECT(errno, E2BIG);
    EXPECT(memcmp(bad, copy, sizeof(bad)), 0);
    EXPECT(environ == before, 1);
    for (size_t i = 0; i < n; i++) {
        EXPECT(environ[i] == entries[i], 1);
        EXPECT(strncmp(environ[i], texts[i], 63), 0);
    }
}

/* What the child of an allowed exec gets: `env` prints it. */
static void print_environment(void)
{
    char *const env[] = { "env", NULL };
    char *const given[] = { "A=1",
                            "LD_PRELOAD=/tmp/evil.so",
                            "BASH_ENV=/tmp/x",
                            "PERL5OPT=-Mevil",
                            "LD_PRELOAD=/tmp/evil2.so",
                            "EXECGUARD_POLICY=/tmp/other",
                            "Z=26",
                            "EXECGUARD_WORKER=1",
                            NULL };
    execve("/usr/bin/env", env, given);
    perror("env");
}

static void names_that_lead_nowhere(void)
{
    EXPECT(CHILD(execvp("no-such-program", nothing)), 1000 + ENOENT);
    EXPECT(CHILD(execv("/no/such/program", nothing)), 1000 + ENOENT);
    EXPECT(CHILD(execv("/bin/true/x", nothing)), 1000 + ENOTDIR);
    EXPECT(CHILD(execv("/etc", nothing)), 1000 + EACCES);
    EXPECT(CHILD(execv("/etc/passwd", nothing)), 1000 + EACCES);
    pid_t pid = 0;
    EXPECT(posix_spawnp(&pid, "no-such-program", NULL, NULL, nothing, environ), ENOENT);
}

static void descriptors(void)
{
    int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
    int opath = open("/bin/sh", O_PATH | O_CLOEXEC);
    EXPECT(CHILD(fexecve(fd, nothing, environ)), 0);
    EXPECT(CHILD(fexecve(opath, shell, environ)), 1000 + EACCES);
    EXPECT(CHILD(fexecve(99, nothing, environ)), 1000 + EBADF);
    EXPECT(CHILD(syscall(SYS_execveat, fd, "", nothing, environ, AT_EMPTY_PATH)), 0);
    EXPECT(CHILD(syscall(SYS_execveat, opath, "", shell, environ, AT_EMPTY_PATH)), 1000 + EACCES);
    EXPECT(CHILD(syscall(SYS_execveat, -100, "/bin/sh", shell, environ, 0)), 1000 + EACCES);
    EXPECT(CHILD(syscall(SYS_execveat, -100, "/bin/true", nothing, environ, 0x40000000)),
           1000 + EINVAL);
    int folder = open("/bin", O_PATH | O_DIRECTORY | O_CLOEXEC);
    EXPECT(CHILD(syscall(SYS_execveat, folder, "true", nothing, environ, 0)), 0);
    EXPECT(CHILD(syscall(SYS_execveat, folder, "sh", shell, environ, 0)), 1000 + EACCES);
    char name[32];
    snprintf(name, sizeof(name), "/proc/self/fd/%d", opath);
    EXPECT(CHILD(execv(name, shell)), 1000 + EACCES);
}

static void spawn_with_file_actions(void)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int fd = open("/bin/true", O_PATH | O_CLOEXEC);
    char name[32];
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    EXPECT(posix_spawn(&pid, "/bin/true", &actions, NULL, nothing, environ), 0);
    EXPECT(outcome(pid), 0);
    EXPECT(posix_spawnp(&pid, "true", &actions, NULL, nothing, environ), 0);
    EXPECT(outcome(pid), 0);
    EXPECT(chdir("/bin"), 0);
    EXPECT(posix_spawn(&pid, "./true", &actions, NULL, nothing, environ), EACCES);
    EXPECT(posix_spawn(&pid, "true", &actions, NULL, nothing, environ), EACCES);
    EXPECT(posix_spawn(&pid, name, &actions, NULL, nothing, environ), EACCES);
    EXPECT(posix_spawn(&pid, "./true", NULL, NULL, nothing, environ), 0);
    EXPECT(outcome(pid), 0);
}

static void other_system_calls(void)
{
    EXPECT(syscall(SYS_getpid), getpid());
    void *p = (void *)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(p != MAP_FAILED, 1);
    *(volatile char *)p = 1;
    EXPECT(syscall(SYS_munmap, p, 4096), 0);
    errno = 0;
    EXPECT(syscall(SYS_close, 9999), -1);
    EXPECT(errno, EBADF);
    /* The kernel reads the number as an int. */
    EXPECT(CHILD(syscall(0x100000000L | SYS_execve, "/bin/sh", shell, environ)), 1000 + EACCES);
    EXPECT(CHILD(syscall(SYS_execve, "/bin/true", nothing, environ)), 0);
}

static void broken_standard_error(void)
{
    int pipe_ends[2];
    struct rlimit none = { 0, RLIM_INFINITY };
    close(2);
    EXPECT(CHILD(execv("/bin/sh", shell)), 1000 + EACCES);
    EXPECT(open("/dev/full", O_WRONLY), 2);
    EXPECT(CHILD(execv("/bin/sh", shell)), 1000 + EACCES);
    EXPECT(pipe(pipe_ends), 0);
    dup2(pipe_ends[1], 2);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    EXPECT(CHILD(execv("/bin/sh", shell)), 1000 + EACCES);
    EXPECT(system("x"), 127 << 8);
    setrlimit(RLIMIT_FSIZE, &none);
    EXPECT(CHILD(execv("/bin/sh", shell)), 1000 + EACCES);
    EXPECT(system("x"), 127 << 8);
}

static void no_descriptors_left(void)
{
    struct rlimit few = { 3, 3 };
    setrlimit(RLIMIT_NOFILE, &few);
    EXPECT(CHILD(execv("/bin/sh", shell)), 1000 + EACCES);
    EXPECT(CHILD(execv("/usr/bin/env", shell)), 1000 + EACCES);
    pid_t pid = 0;
    EXPECT(posix_spawn(&pid, "/bin/sh", NULL, NULL, shell, environ), EACCES);
}

#ifdef __GLIBC__
int old_posix_spawn(pid_t *, const char *, const posix_spawn_file_actions_t *,
                    const posix_spawnattr_t *, char *const[], char *const[]);
#if defined(__x86_64__)
__asm__(".symver old_posix_spawn, posix_spawn@GLIBC_2.2.5");
#define HAS_OLD 1
#endif
#endif

static void old_symbol_versions(void)
{
#ifdef HAS_OLD
    pid_t pid = 0;
    EXPECT(old_posix_spawn(&pid, "/bin/sh", NULL, NULL, shell, environ), EACCES);
    EXPECT(old_posix_spawn(&pid, "/bin/true", NULL, NULL, nothing, environ), 0);
    EXPECT(outcome(pid), 0);
    int (*versioned)(pid_t *, const char *, void *, void *, char *const *, char **) =
        dlvsym(RTLD_DEFAULT, "posix_spawn", "GLIBC_2.2.5");
    EXPECT(versioned != NULL, 1);
#endif
}

/* A script without #!: /bin/sh for glibc's execvp, ENOEXEC for everybody else. */
static void script_without_interpreter(void)
{
    const char *path = getenv("SCRIPT");
    char *const argv[] = { "script", "one", NULL };
    EXPECT(CHILD(execv(path, argv)), 1000 + EACCES);
    EXPECT(CHILD(execvp(path, argv)), 1000 + EACCES);
}

static void children_in_sequence(void)
{
    /* system's SIGCHLD block must leave other children to the caller. */
    pid_t pid = fork();
    if (pid == 0) _exit(6);
    EXPECT(system("exit 2"), 2 << 8);
    EXPECT(outcome(pid), 6);
}

/* execve past every hook, with the environment as it is given. */
static long raw_execve(const char *path, char *const argv[], char *const envp[])
{
#if defined(__x86_64__)
    long r;
    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "a"(SYS_execve), "D"(path), "S"(argv), "d"(envp)
                     : "rcx", "r11", "memory");
    return r;
#else
    register long x8 __asm__("x8") = SYS_execve;
    register long x0 __asm__("x0") = (long)path;
    register long x1 __asm__("x1") = (long)argv;
    register long x2 __asm__("x2") = (long)envp;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#endif
}

/* Native code starts an allowed program with our object, but names another
 * policy, or none: the object must not let the program run. */
static void raw_exec_with_environment(void)
{
    static char preload[4200];
    static char policy[4200];
    char *const argv[] = { "echo", "RAN", NULL };
    char *envp[] = { preload, policy, NULL };
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", getenv("LD_PRELOAD"));
    const char *other = getenv("OTHER_POLICY");
    if (other)
        snprintf(policy, sizeof(policy), "EXECGUARD_POLICY=%s", other);
    else
        envp[1] = NULL;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        raw_execve("/bin/echo", argv, envp);
        _exit(1);
    }
    EXPECT(outcome(pid), 900 + 125);
}

static void reports_libc(void)
{
    puts(is_glibc() ? "glibc" : "musl");
}

#define SCENE(name)                                                                                \
    {                                                                                              \
#name, name                                                                                \
    }
static const struct {
    const char *name;
    void (*play)(void);
} scenes[] = {
    SCENE(null_and_empty_vectors),
    SCENE(enormous_vectors),
    SCENE(vfork_children),
    SCENE(eight_threads_at_once),
    SCENE(signals_around_system),
    SCENE(pipes_of_popen),
    SCENE(errno_is_kept),
    SCENE(environ_is_untouched),
    SCENE(print_environment),
    SCENE(names_that_lead_nowhere),
    SCENE(descriptors),
    SCENE(spawn_with_file_actions),
    SCENE(other_system_calls),
    SCENE(broken_standard_error),
    SCENE(no_descriptors_left),
    SCENE(old_symbol_versions),
    SCENE(script_without_interpreter),
    SCENE(children_in_sequence),
    SCENE(raw_exec_with_environment),
    SCENE(reports_libc),
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++)
        if (argc > 1 && !strcmp(scenes[i].name, argv[1])) {
            scenes[i].play();
            puts("good");
            return 0;
        }
    return 2;
}
