// SPDX-License-Identifier: MIT
/* Which of systemd's units a process belongs to: what an administrator restarts. */
#ifndef EG_SUPERVISOR_UNIT_H
#define EG_SUPERVISOR_UNIT_H

#include <stdbool.h>
#include <sys/types.h>

#define EG_UNIT_MAX 256u /* systemd.unit(5), with its NUL */

/* The service of the system's manager that this process is part of; false: none, or
 * a user's own manager started it. */
bool eg_unit_of(pid_t pid, char ret[EG_UNIT_MAX]);

#endif
