// SPDX-License-Identifier: MIT
/* What this machine can do, found out by doing it in a forked child: features
 * that are only asked for are answered wrongly often enough. */
#ifndef EG_CLI_PROBE_H
#define EG_CLI_PROBE_H

#include <stdbool.h>

/* Enough for `check`. */
struct eg_cli_machine {
    int landlock_abi; /* 0: none */
    bool filter;
    bool listener;
};
void eg_cli_probe_machine(struct eg_cli_machine *ret);

/* Run `attempt` in a child of its own.  It returns 0 when the feature worked,
 * else an errno.  The answer is that; EINTR when the child was killed by a
 * signal, ETIME when it took more than five seconds. */
int eg_cli_probe(int (*attempt)(void *context), void *context);

/* Attempts for eg_cli_probe; context is NULL unless said otherwise.  0 or an errno; ENOTSUP when
 * the call succeeded and had no effect. */
int eg_probe_no_new_privs(void *context);
int eg_probe_filter(void *context);
int eg_probe_listener(void *context);
int eg_probe_capabilities(void *context);
int eg_probe_peek(void *context);       /* read another process's memory, take its descriptor */
int eg_probe_peek_other(void *context); /* the same of a process of another user */

/* Landlock, by right; context is a folder (char *) that the attempt may fill. */
int eg_probe_landlock_execute(void *context);
int eg_probe_landlock_write(void *context);
int eg_probe_landlock_refer(void *context);
int eg_probe_landlock_truncate(void *context);
int eg_probe_landlock_ioctl(void *context);
int eg_probe_landlock_signal(void *context);
int eg_probe_landlock_socket(void *context);

#endif
