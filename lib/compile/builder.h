// SPDX-License-Identifier: MIT
/* Collects the sections of a blob in memory that grows, then lays them out.
 * Knows the layout, nothing about policies.  An allocation that fails is
 * remembered and reported once, by eg_builder_finish. */
#ifndef EG_COMPILE_BUILDER_H
#define EG_COMPILE_BUILDER_H

#include "blob/blob.h"
#include "compile/index.h"

struct eg_builder_section {
    char *bytes;
    size_t size;
    size_t capacity;
};

struct eg_builder {
    struct eg_builder_section sections[EG_SECTION_COUNT];
    struct eg_index strings; /* offsets */
    struct eg_index words;   /* numbers of words */
    bool failed;
};

/* Zeroed memory is an empty builder. */
void eg_builder_done(struct eg_builder *b);

/* Offset of the text in the strings section; equal texts share one.  A NUL in
 * the text ends it. */
uint32_t eg_builder_string(struct eg_builder *b, struct eg_str text);

/* Number of the word made of these pieces; equal words are one. */
uint32_t eg_builder_word(struct eg_builder *b, const struct eg_blob_piece *pieces, size_t count);

/* Append one element of the section's type; its index, or EG_NONE after an
 * allocation failure. */
uint32_t eg_builder_add(struct eg_builder *b, enum eg_section section, const void *element);

/* Elements so far, and the n-th of them (valid until the next addition). */
uint32_t eg_builder_count(const struct eg_builder *b, enum eg_section section);
void *eg_builder_at(struct eg_builder *b, enum eg_section section, uint32_t index);

/* Text of an interned string (valid until the next addition). */
const char *eg_builder_cstr(const struct eg_builder *b, uint32_t string);

/* Lay the sections out behind a copy of `header` (its flags, name, capabilities
 * and rate; everything else is filled in here, the id and the checksum stay
 * zero).  0 and *ret_blob (malloc'ed); -ENOMEM; -EFBIG over EG_BLOB_MAX. */
int eg_builder_finish(struct eg_builder *b, const struct eg_blob *header,
                      struct eg_blob **ret_blob);

#endif
