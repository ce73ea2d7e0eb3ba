// SPDX-License-Identifier: MIT
/* Runs an accepted line without a shell, by the letter of line/line.h: the
 * oracle compares it with what the shell does. */
#ifndef TESTS_LINE_REFERENCE_H
#define TESTS_LINE_REFERENCE_H

#include "line/line.h"

#include <stdbool.h>
#include <sys/types.h>

struct reference {
    struct eg_str text;         /* the line */
    const struct eg_line *line; /* as parsed */
    enum eg_dialect dialect;
    const char *const *environment; /* what the shell got */
};

/* In the process that would be the shell: never returns. */
void reference_run(const struct reference *reference) __attribute__((noreturn));

#endif
