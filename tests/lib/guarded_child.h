// SPDX-License-Identifier: MIT
/* Runs a part of a test in a child process, since a guard cannot be taken off
 * again.  In the child, CHECK reports the line on stderr and ends the child. */
#ifndef EG_TESTS_GUARDED_CHILD_H
#define EG_TESTS_GUARDED_CHILD_H

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "guard/guard.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            dprintf(2, "%s:%d: in the child: not so: %s (errno %m)\n", __FILE__, __LINE__,         \
                    #condition);                                                                   \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

enum child_user { CHILD_SAME, CHILD_NOBODY };
typedef void (*child_body)(const void *context);

/* Run body in a child.  CHILD_NOBODY: as the user 65534 without capabilities,
 * where this process is root.  True when the child came to its end without a
 * CHECK that failed. */
bool in_child(enum child_user user, child_body body, const void *context);

/* The same for root (where we are) and for nobody. */
bool in_both(child_body body, const void *context);

/* Install in this process; ends the child with a message when that fails. */
void install(const struct eg_blob *blob, enum eg_stage stage);

/* Exit status of `path` run with one argument, or -errno of its execve(2). */
int run_program(const char *path, const char *argument);

/* 0 or -errno of opening for writing, which changes nothing. */
int open_for_writing(const char *path);

/* A fresh folder that everybody may write, for this test program; removed with
 * what is in it by remove_folder.  path("x") is the name of x in it, in one of
 * eight static buffers. */
void make_folder(void);
void remove_folder(void);
const char *path(const char *name);
void write_file(const char *file, const char *text);
void copy_program(const char *from, const char *to);

#endif
