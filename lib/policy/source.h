// SPDX-License-Identifier: MIT
/* Reading policy texts: finding, opening, limits, and the bytes that no text
 * may hold. */
#ifndef EG_POLICY_SOURCE_H
#define EG_POLICY_SOURCE_H

#include "policy/arena.h"
#include "policy/messages.h"

#define EG_SOURCE_MAX      ((size_t)16 * 1024 * 1024) /* all texts of a policy together */
#define EG_SOURCE_LINE_MAX ((size_t)65536)

/* Open `path` under the rules of `options`.  A descriptor, or -errno with one
 * error reported at `span` (-ENOENT is not reported: the caller may look on). */
int eg_source_open(const char *path, const struct eg_policy_options *options,
                   struct eg_diagnostics *d, struct eg_span span);

/* Find and open the policy NAME (no slash): NAME.policy, or NAME itself when it
 * ends so, in `folder` (may be NULL) and the search folders.  A descriptor and
 * *ret_path (malloc'ed), or -errno with an error reported at `span`. */
int eg_source_find(struct eg_str name, const char *folder, const struct eg_policy_options *options,
                   struct eg_diagnostics *d, struct eg_span span, char **ret_path);

/* Read all of fd into the source's text, with its identity from before the
 * reading.  At most `limit` bytes.  0, or -errno with an error reported. */
int eg_source_read(int fd, size_t limit, struct eg_arena *arena, struct eg_source *source,
                   struct eg_diagnostics *d, struct eg_span span);

/* Look for what no text may hold: NUL bytes, lines over the limit.  False with
 * one error reported in source `index`.  Skips a byte order mark. */
bool eg_source_check(struct eg_source *source, uint32_t index, struct eg_diagnostics *d);

#endif
