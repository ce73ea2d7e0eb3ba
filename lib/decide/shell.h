// SPDX-License-Identifier: MIT
/* The verdict on a shell's command line: may its commands run without the shell?
 *
 * Pure like the rest of this folder: the caller has parsed the line, expanded
 * the words and found the programs. */
#ifndef EG_DECIDE_SHELL_H
#define EG_DECIDE_SHELL_H

#include "decide/decide.h"
#include "line/shell.h"

/* A shell that eg_decide_exec refuses with reason SHELL, and what it was told. */
struct eg_shell_request {
    const struct eg_exec_request *exec; /* of the shell itself */
    const struct eg_shell *shell;       /* how it reads its arguments */
    const struct eg_line *line;         /* kind COMMAND: its line, parsed; otherwise NULL */

    /* The exec request of command `index` of the line: its words after expansion,
     * the program found as the shell would, the caller that will start it.  What
     * it points to must stay until the next call.  target.found false: there is
     * no such program.  0, or -errno when it cannot be told: refused. */
    int (*command)(void *context, uint32_t index, struct eg_exec_request *ret);
    void *context;
};

/* Whose reading of the line counts when `shell` is what the file `target` does:
 * names alone prove nothing.  NONE: no line of this shell can be read. */
enum eg_dialect eg_decide_shell_dialect(const struct eg_shell *shell,
                                        const struct eg_target *target);

/* Judge the line: every part must be allowed, or nothing is.  A command that
 * does not exist is no reason to refuse: the line fails by itself.
 *
 * REWRITE, or LOG (the same, by a rule that logs): run it without the shell.
 * DENY: reason SHELL_CONSTRUCT or REDIRECTION with construct, offset and hint;
 * SHELL_STDIN; LOADER_VARIABLE (an assignment); what eg_decide_exec said of one
 * of the commands, with inner set to its name; otherwise SHELL. */
void eg_decide_shell(const struct eg_blob *blob, const struct eg_shell_request *request,
                     struct eg_decision *ret);

/* May this redirection of a line open its file?  cwd: where relative names
 * start; empty: unknown. */
bool eg_decide_redirect(const struct eg_blob *blob, const struct eg_redirect *redirect,
                        struct eg_str cwd);

/* Must the line runner (EG_PROGRAM_RUNNER) do it, because it is more than one
 * program that takes the shell's place? */
bool eg_decide_shell_needs_runner(const struct eg_line *line);

/* The policy's line runner, or NULL. */
const struct eg_blob_program *eg_decide_shell_runner(const struct eg_blob *blob);

#endif
