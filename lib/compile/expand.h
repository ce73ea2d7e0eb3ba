// SPDX-License-Identifier: MIT
/* `*` in program paths: which files it stands for on this host, now. */
#ifndef EG_COMPILE_EXPAND_H
#define EG_COMPILE_EXPAND_H

#include "base/str.h"

/* Called for each name that fits, and for each folder that was looked through
 * (folder true: when it changes, the answer may).  A negative result ends the
 * search and becomes its result. */
typedef int (*eg_expand_found)(void *context, const char *path, bool folder);

/* Expand an absolute path whose components may hold `*` (any characters but '/',
 * not a leading dot).  Names come in byte order.  0, or -errno of memory or of
 * `found`; folders that cannot be read hold no names. */
int eg_expand_program(struct eg_str pattern, eg_expand_found found, void *context);

#endif
