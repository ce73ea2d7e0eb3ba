// SPDX-License-Identifier: MIT
/* Users by name. */
#include "compile/users.h"

#include <pwd.h>
#include <stdio.h>

/* (uid_t)-1 means "no user" to the kernel. */
#define USER_MAX (UINT32_MAX - 1)

static bool read_number(struct eg_str name, uint32_t *ret)
{
    uint64_t value = 0;
    if (name.n == 0 || name.n > 10) return false;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] < '0' || name.p[i] > '9') return false;
        value = value * 10 + (uint64_t)(name.p[i] - '0');
    }
    if (value > USER_MAX) return false;
    *ret = (uint32_t)value;
    return true;
}

bool eg_user_number(struct eg_str name, uint32_t *ret, bool *ret_looked_up)
{
    *ret_looked_up = false;
    if (read_number(name, ret)) return true;
    FILE *file = fopen(EG_USERS_FILE, "re");
    if (!file) return false;
    const struct passwd *row;
    while ((row = fgetpwent(file)) && !eg_str_equal(eg_str(row->pw_name), name)) continue;
    if (row) {
        *ret = row->pw_uid;
        *ret_looked_up = true;
    }
    fclose(file);
    return row != NULL;
}
