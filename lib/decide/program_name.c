// SPDX-License-Identifier: MIT
/* What the base name of a program says: shells, wrappers, multi-call binaries. */
#include "decide/parts.h"

bool eg_decide_name_fits(struct eg_str pattern, struct eg_str name)
{
    if (pattern.n && pattern.p[pattern.n - 1] == '*')
        return eg_str_starts(name, (struct eg_str){ pattern.p, pattern.n - 1 });
    return eg_str_equal(pattern, name);
}

/* A login shell's argv[0] begins with a dash; so does an applet's that is one. */
static struct eg_str without_dash(struct eg_str name)
{
    return name.n && name.p[0] == '-' ? eg_str_skip(name, 1) : name;
}

bool eg_name_is_shell(struct eg_str name)
{
    name = without_dash(name);
#define S(pattern)                                                                                 \
    if (eg_decide_name_fits(EG_STR(pattern), name)) return true;
#include "table/shells.def"
#undef S
    return false;
}

bool eg_name_is_wrapper(struct eg_str name)
{
    name = without_dash(name);
#define W(pattern, short_options, long_options, operands, flags)                                   \
    if (eg_decide_name_fits(EG_STR(pattern), name)) return true;
#include "table/wrappers.def"
#undef W
    return false;
}

bool eg_decide_name_is_multicall(struct eg_str name)
{
    name = without_dash(name);
    return eg_str_starts(name, EG_STR("busybox")) || eg_str_starts(name, EG_STR("toybox")) ||
           eg_str_equal(name, EG_STR("coreutils"));
}
