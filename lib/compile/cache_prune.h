// SPDX-License-Identifier: MIT
/* What keeps the cache of compiled policies small. */
#ifndef EG_COMPILE_CACHE_PRUNE_H
#define EG_COMPILE_CACHE_PRUNE_H

#include <stdbool.h>

/* Hold the folder's lock, with others, or alone (then without waiting).  A
 * descriptor, whose end releases it, or -errno. */
int eg_cache_lock(const char *folder, bool alone);

/* This blob is used now.  False: it is gone. */
bool eg_cache_use(const char *folder, const char *path);

/* Remove what nobody needs any more.  Nothing is an error. */
void eg_cache_prune(const char *folder);

/* The same unless it was done within the hour: it looks at every entry. */
void eg_cache_prune_at_times(const char *folder);

#endif
