// SPDX-License-Identifier: MIT
/* Where compiled policies are kept. */
#ifndef EG_COMPILE_CACHE_H
#define EG_COMPILE_CACHE_H

#include "compile/compile.h"

/* The folder for this user, made when `create` says so, and refused when somebody
 * else could write it.  root: /var/cache/execguard, or /run/execguard where that
 * is read-only; others: execguard in $XDG_CACHE_HOME or ~/.cache, or
 * /tmp/execguard-UID.  malloc'ed; NULL, with *ret_error saying why the last one
 * could not be used. */
char *eg_cache_folder(bool create, int *ret_error);

/* eg_cache_load with a given folder, which must be fit. */
int eg_cache_load_in(const char *folder, const char *name,
                     const struct eg_policy_options *policy_options,
                     const struct eg_compile_options *options, struct eg_diagnostics *diagnostics,
                     struct eg_cached *ret);

#endif
