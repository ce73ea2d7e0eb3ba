// SPDX-License-Identifier: MIT
/* putenv, setenv and iconv_open: variables that would make this very process
 * load code.  Children are cared for where they are started; a program that
 * edits `environ` by hand is met again at iconv_open. */
#include <linux/errno.h>

#include "shim/hooks.h"

/* 0, or -EACCES after an event. */
static int judge(const char *function, struct eg_str name, struct eg_str value)
{
    if (!eg_env_is_loader(name)) return 0;
    enum eg_phase phase = eg_shim_enter();
    if (phase == EG_PHASE_STARTING) return -EACCES;
    if (phase == EG_PHASE_INERT || eg_environment_started_with(name, value)) return 0;
    const struct eg_call call = { .name = function };
    return eg_shim_refuse(&call, EG_KIND_ENV, EG_REASON_LOADER_VARIABLE, (struct eg_str){ NULL, 0 },
                          (struct eg_str){ NULL, 0 }, name);
}

int putenv(char *entry)
{
    typedef int putenv_function(char *);
    putenv_function *next = (putenv_function *)eg_next_find(EG_NEXT_putenv);
    struct eg_str whole = eg_str(entry);
    size_t equals = eg_str_find(whole, '=');
    int r = next ? 0 : -ENOSYS;
    /* Without '=' it removes (glibc) or is refused (musl). */
    if (r == 0 && equals < whole.n)
        r = judge("putenv", (struct eg_str){ entry, equals }, eg_str_skip(whole, equals + 1));
    return r ? (int)eg_shim_result(r) : next(entry);
}

int setenv(const char *name, const char *value, int overwrite)
{
    typedef int setenv_function(const char *, const char *, int);
    setenv_function *next = (setenv_function *)eg_next_find(EG_NEXT_setenv);
    int r = next ? 0 : -ENOSYS;
    if (r == 0 && name && value) r = judge("setenv", eg_str(name), eg_str(value));
    return r ? (int)eg_shim_result(r) : next(name, value, overwrite);
}

void *iconv_open(const char *to, const char *from)
{
    typedef void *iconv_function(const char *, const char *);
    iconv_function *next = (iconv_function *)eg_next_find(EG_NEXT_iconv_open);
    struct eg_str path = eg_environment_get(EG_ENVIRON, EG_STR("GCONV_PATH"));
    int r = next ? 0 : -ENOSYS;
    /* musl has its tables built in and reads no such variable. */
    if (r == 0 && EG_GLIBC && path.p) r = judge("iconv_open", EG_STR("GCONV_PATH"), path);
    if (r == 0) return next(to, from);
    eg_shim_result(r);
    return (void *)-1; // NOLINT(performance-no-int-to-ptr)
}
