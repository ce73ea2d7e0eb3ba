// SPDX-License-Identifier: MIT
/* Paths as text: no file is looked at, so links in them stay what they are. */
#include "decide/parts.h"

/* Append "/component" for each component that says something. */
static bool append_components(struct eg_str path, struct eg_buf *ret)
{
    while (path.n) {
        size_t n = eg_str_find(path, '/');
        struct eg_str component = { path.p, n };
        path = eg_str_skip(path, n + 1);
        if (n == 0 || eg_str_equal(component, EG_STR("."))) continue;
        if (eg_str_equal(component, EG_STR(".."))) return false;
        eg_buf_byte(ret, '/');
        eg_buf_str(ret, component);
        if (ret->truncated) return false;
    }
    return true;
}

bool eg_decide_normalise(struct eg_str path, struct eg_str cwd, struct eg_buf *ret)
{
    if (path.n == 0 || path.n >= EG_DECIDE_PATH_MAX) return false;
    if (path.p[0] != '/') {
        if (cwd.n == 0 || cwd.p[0] != '/') return false;
        if (!append_components(cwd, ret)) return false;
    }
    if (!append_components(path, ret)) return false;
    if (ret->n == 0) eg_buf_byte(ret, '/');
    return !ret->truncated;
}
