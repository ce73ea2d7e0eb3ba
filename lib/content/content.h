// SPDX-License-Identifier: MIT
/* What a file holds that something could run: a streaming recogniser.
 *
 * Freestanding.  One pass over the whole file, in pieces of any size, bounded
 * state that the caller owns, no allocation.  The answer does not depend on how
 * the file was cut.  docs/uploads.md states each kind's rule, and what evades it. */
#ifndef EG_CONTENT_CONTENT_H
#define EG_CONTENT_CONTENT_H

#include "base/str.h"

enum eg_content {
#define C(id, slug, sentence) EG_CONTENT_##id,
#include "table/contents.def"
#undef C
    EG_CONTENT_COUNT
};
#define EG_CONTENT_BIT(kind) (1u << (kind))
#define EG_CONTENT_ALL       (EG_CONTENT_BIT(EG_CONTENT_COUNT) - 1)

/* Stable slug / sentence of a kind; never NULL. */
const char *eg_content_slug(enum eg_content kind);
const char *eg_content_sentence(enum eg_content kind);

/* Slugs of the kinds in `hits', blanks between, into ret (cut where it is full). */
const char *eg_content_names(uint32_t hits, char *ret, size_t size);

/* The kind of this slug into *ret; false when there is none. */
bool eg_content_find(struct eg_str slug, enum eg_content *ret);

/* The state of one file's recognition: opaque, copied freely, abandoned freely. */
#define EG_CONTENT_STATE 4096u
struct eg_content_state {
    uint64_t opaque[EG_CONTENT_STATE / sizeof(uint64_t)];
};

/* Begin with a file; mask: the kinds to look for (EG_CONTENT_BIT). */
void eg_content_begin(struct eg_content_state *state, uint32_t mask);

/* The file's next n bytes.  False: nothing further can change the answer, so
 * the rest need not be read. */
bool eg_content_feed(struct eg_content_state *state, const void *bytes, size_t n);

/* The file ended: the kinds found go to *ret_hits, a subset of the mask.  The
 * state is used up. */
void eg_content_end(struct eg_content_state *state, uint32_t *ret_hits);

#endif
