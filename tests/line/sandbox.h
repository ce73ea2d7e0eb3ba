// SPDX-License-Identifier: MIT
/* A throw-away world for command lines that may be destructive: new mount,
 * network, pid, ipc and uts namespaces, a tmpfs as root that holds a shell, its
 * libraries and stubs, and nobody's rights. */
#ifndef TESTS_LINE_SANDBOX_H
#define TESTS_LINE_SANDBOX_H

#define SANDBOX_SHELL "/.oracle/shell"
#define SANDBOX_STUB  "/.oracle/stub"
#define SANDBOX_REAL  "/.real" /* true, false, echo and test as programs */
#define SANDBOX_CWD   "/w"

/* Fork into the world and run body() as its pid 1.  Returns body's status, 125
 * on an error (said on standard error), 77 where namespaces are not allowed. */
int sandbox_run(const char *shell, const char *stub, int (*body)(void *), void *context);

#endif
