// SPDX-License-Identifier: MIT
/* Programs and scripts found by this process's PATH, for requests made here. */
#include "api/judge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct eg_str eg_api_search_path(void)
{
    const char *path = getenv("PATH");
    return eg_str(path ? path : "/usr/local/bin:/usr/bin:/bin");
}

static int find_inner(void *context, struct eg_str name, struct eg_target *ret)
{
    struct eg_api_search *inner = context;
    int r = eg_resolve_search(eg_api_search_path(), name, inner->spelled, inner->path, ret);
    if (r != -ENOENT) return r;
    *ret = (struct eg_target){ .path = name };
    return 0;
}

static int find_script(void *context, const struct eg_target *target, struct eg_script *ret)
{
    struct eg_api_search *inner = context;
    int r = eg_resolve_script(&inner->script, target, ret);
    if (r || !ret->count) return r;
    return eg_resolve_file(AT_FDCWD, ret->words[0], 0, inner->script.interpreter, &ret->interpreter,
                           NULL);
}

struct eg_lookup eg_api_lookup(struct eg_api_search *memory)
{
    return (struct eg_lookup){ find_inner, memory, find_script };
}
