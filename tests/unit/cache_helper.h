// SPDX-License-Identifier: MIT
/* What the tests of the cache share. */
#ifndef EG_TESTS_CACHE_HELPER_H
#define EG_TESTS_CACHE_HELPER_H

#include "compile_helper.h"

static inline void put_policy(const char *arguments)
{
    char text[256];
    snprintf(text, sizeof(text), "exec {\n allow %s/tool %s\n}\n", folder, arguments);
    put_file("web.policy", text, strlen(text), 0644);
}

/* A folder of its own for each test, with a policy and a program. */
static inline int prepare(void **state)
{
    char cache[128];
    if (make_folder(state) < 0) return -1;
    snprintf(cache, sizeof(cache), "%s/cache", folder);
    copy_program("/usr/bin/true", "tool");
    put_policy("-v");
    return mkdir(cache, 0755);
}

#endif
