// SPDX-License-Identifier: MIT
/* Users by name, without the name services: getpwnam(3) would load libraries, which
 * a static command should not. */
#ifndef EG_COMPILE_USERS_H
#define EG_COMPILE_USERS_H

#include "base/str.h"

#define EG_USERS_FILE "/etc/passwd"

/* The number of a user: `name` is in EG_USERS_FILE, or is a number itself.
 * *ret_looked_up: the file was asked.  False: there is no such user. */
bool eg_user_number(struct eg_str name, uint32_t *ret, bool *ret_looked_up);

#endif
