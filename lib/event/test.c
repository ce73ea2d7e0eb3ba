// SPDX-License-Identifier: MIT
/* Which test was running. */
#include "event/event.h"

static const struct eg_str variables[] = {
#define T(name, who) { name "=", sizeof(name) },
#include "table/tests.def"
#undef T
};

struct eg_str eg_event_running_test(const char *const *envp)
{
    for (size_t v = 0; v < sizeof(variables) / sizeof(variables[0]); v++)
        for (size_t i = 0; envp && envp[i]; i++) {
            struct eg_str entry = eg_str(envp[i]);
            if (entry.n > variables[v].n && eg_str_starts(entry, variables[v]))
                return eg_str_skip(entry, variables[v].n);
        }
    return (struct eg_str){ NULL, 0 };
}
