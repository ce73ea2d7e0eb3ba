// SPDX-License-Identifier: MIT
/* What the ways in share: the command that makes the mark, where to plant, and a
 * child to spend on an exec. */
#ifndef TESTS_ATTACK_WAYS_H
#define TESTS_ATTACK_WAYS_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

extern char **environ;
extern const char *mark;     /* the file that proves it */
extern const char *folder;   /* writable */
extern char command[4200];   /* echo in > MARK */
extern char perl_code[4300]; /* the same in Perl */
extern char *shell_argv[];

/* DIR/name, in one of four buffers. */
char *in_folder(const char *name);
void wait_for(pid_t pid);
void copy_file(const char *from, const char *to, mode_t mode);

/* A system call without libc. */
long raw(long nr, long a, long b, long c, long d, long e);
void raw_exec(const char *path, char *const *argv, char *const *envp);

/* Run an expression in a forked child: most ways replace the process. */
#define IN_CHILD(expression)                                                                       \
    do {                                                                                           \
        pid_t child_ = fork();                                                                     \
        if (child_ == 0) {                                                                         \
            expression;                                                                            \
            _exit(111);                                                                            \
        }                                                                                          \
        if (child_ > 0) wait_for(child_);                                                          \
    } while (0)

#define WAY(name) void way_##name(void);
#include "ways.def"
#undef WAY

#endif
