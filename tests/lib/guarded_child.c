// SPDX-License-Identifier: MIT
/* Children that a test guards, and the folder they play in. */
#include "guarded_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY 65534

bool in_child(enum child_user user, child_body body, const void *context)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (user == CHILD_NOBODY && geteuid() == 0) {
            CHECK(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
            /* a change of user makes /proc/self root's */
            CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
        }
        body(context);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool in_both(child_body body, const void *context)
{
    bool same = in_child(CHILD_SAME, body, context);
    return in_child(CHILD_NOBODY, body, context) && same;
}

void install(const struct eg_blob *blob, enum eg_stage stage)
{
    struct eg_guard_plan plan = { .blob = blob, .stage = stage, .listener_fd = -1 };
    struct eg_guard_error error = { 0 };
    if (eg_guard_install(&plan, &error) == 0) return;
    dprintf(2, "not installed: %s: %s\n", error.what, strerror(error.error));
    _exit(1);
}

int run_program(const char *program, const char *argument)
{
    int tell[2], error = 0, status = -1;
    char *const argv[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)argument, NULL };
    if (pipe2(tell, O_CLOEXEC) < 0) return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        execv(program, argv);
        error = errno;
        if (write(tell[1], &error, sizeof(error)) < 0) _exit(1);
        _exit(0);
    }
    close(tell[1]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    ssize_t n = read(tell[0], &error, sizeof(error));
    close(tell[0]);
    if (n == (ssize_t)sizeof(error)) return -error;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int open_for_writing(const char *file)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return -errno;
    close(fd);
    return 0;
}

static char folder[64];

void make_folder(void)
{
    strcpy(folder, "/tmp/eg-unit.XXXXXX");
    if (!mkdtemp(folder) || chmod(folder, 0777) < 0) abort();
}

void remove_folder(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", folder, NULL);
        _exit(127);
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
}

const char *path(const char *name)
{
    static char buffers[8][PATH_MAX];
    static unsigned next;
    char *buffer = buffers[next++ % 8];
    snprintf(buffer, PATH_MAX, "%s/%s", folder, name);
    return buffer;
}

void write_file(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, 0666) < 0) abort();
    close(fd);
}

void copy_program(const char *from, const char *to)
{
    char bytes[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    if (in < 0 || out < 0) abort();
    for (ssize_t n; (n = read(in, bytes, sizeof(bytes))) > 0;)
        if (write(out, bytes, (size_t)n) != n) abort();
    close(in);
    if (fchmod(out, 0755) < 0) abort();
    close(out);
}
