// SPDX-License-Identifier: MIT
/* What a container runs below `execguard run`: entrypoint WHAT.  Prints what it
 * saw, one line each. */
#include <dirent.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int status_of(const char *path)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl(path, strrchr(path, '/') + 1, (char *)NULL);
        _exit(126);
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static void say_programs(const char *who)
{
    printf("%s hello=%d other=%d\n", who, status_of("/bin/hello"), status_of("/bin/other"));
    fflush(stdout);
}

/* A root master whose worker belongs to another user. */
static int change_user(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (setgroups(0, NULL) || setgid(33) || setuid(33)) _exit(77);
        say_programs("worker");
        _exit(4);
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static int count_zombies(void)
{
    DIR *proc = opendir("/proc");
    int zombies = 0;
    for (struct dirent *e; proc && (e = readdir(proc));) {
        char path[300], text[512], state = '?';
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = fopen(path, "r");
        if (!f) continue;
        if (fgets(text, sizeof text, f) && strrchr(text, ')')) state = strrchr(text, ')')[2];
        zombies += state == 'Z';
        fclose(f);
    }
    if (proc) closedir(proc);
    return zombies;
}

static int leave_orphans(void)
{
    for (int i = 0; i < 20; i++)
        if (fork() == 0) {
            if (fork() == 0) {
                usleep(100000);
                _exit(0);
            }
            _exit(0);
        }
    while (wait(NULL) > 0) continue;
    usleep(800000);
    printf("pid=%d zombies=%d\n", (int)getpid() > 1, count_zombies());
    return 6;
}

static void on_signal(int number)
{
    _exit(40 + number);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "programs";
    if (strcmp(what, "user") == 0) return change_user();
    if (strcmp(what, "orphans") == 0) return leave_orphans();
    if (strcmp(what, "crash") == 0) raise(SIGSEGV);
    if (strcmp(what, "line") == 0) {
        /* through libc, where the shim is */
        int status = system("/bin/hello 2>/dev/null");
        printf("line=%d bad=%d\n", WEXITSTATUS(status),
               WEXITSTATUS(system("/bin/hello; /bin/other")));
        return 0;
    }
    if (strcmp(what, "wait") == 0) {
        signal(SIGTERM, on_signal);
        signal(SIGHUP, on_signal);
        puts("ready");
        fflush(stdout);
        for (;;) pause();
    }
    say_programs("entrypoint");
    return 5;
}
