// SPDX-License-Identifier: MIT
/* The shell's own commands that the line runner does: EG_COMMAND_OWN. */
#ifndef EG_HELPER_OWN_H
#define EG_HELPER_OWN_H

/* Do echo, kill, printf or pwd as dash does, in the forms that line/own.c lets through;
 * `zero` and `directory` are the shell's name and where it believes to be.  Its status. */
int own_run(const char *const *argv, const char *zero, const char *directory);

#endif
