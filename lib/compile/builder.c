// SPDX-License-Identifier: MIT
/* Sections that grow, strings stored once. */
#include "compile/builder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 8u

void eg_builder_done(struct eg_builder *b)
{
    for (size_t i = 0; i < EG_SECTION_COUNT; i++) free(b->sections[i].bytes);
    eg_index_done(&b->strings);
    eg_index_done(&b->words);
    *b = (struct eg_builder){ 0 };
}

static void *append(struct eg_builder *b, enum eg_section section, const void *data, size_t n)
{
    struct eg_builder_section *s = &b->sections[section];
    if (s->size + n > EG_BLOB_MAX) b->failed = true;
    if (b->failed) return NULL;
    if (!s->bytes || s->size + n > s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 512;
        while (capacity < s->size + n) capacity *= 2;
        char *bytes = realloc(s->bytes, capacity);
        if (!bytes) {
            b->failed = true;
            return NULL;
        }
        s->bytes = bytes;
        s->capacity = capacity;
    }
    char *at = s->bytes + s->size;
    memcpy(at, data, n);
    s->size += n;
    return at;
}

struct text_key {
    struct eg_builder *b;
    struct eg_str text;
};

static bool same_text(void *context, uint32_t offset)
{
    const struct text_key *key = context;
    const struct eg_builder_section *s = &key->b->sections[EG_SECTION_STRINGS];
    const char *have = s->bytes + offset;
    return s->size - offset > key->text.n && memcmp(have, key->text.p, key->text.n) == 0 &&
           have[key->text.n] == '\0';
}

uint32_t eg_builder_string(struct eg_builder *b, struct eg_str text)
{
    text.n = text.n ? eg_strnlen(text.p, text.n) : 0;
    if (!text.n) text.p = "";
    if (b->failed) return 0;
    struct text_key key = { b, text };
    uint32_t hash = eg_index_hash(text.p, text.n);
    uint32_t offset = eg_index_find(&b->strings, hash, same_text, &key);
    if (offset != EG_NONE) return offset;
    offset = (uint32_t)b->sections[EG_SECTION_STRINGS].size;
    if (!append(b, EG_SECTION_STRINGS, text.p, text.n) || !append(b, EG_SECTION_STRINGS, "", 1))
        return 0;
    if (!eg_index_add(&b->strings, hash, offset)) b->failed = true;
    return offset;
}

struct word_key {
    struct eg_builder *b;
    const struct eg_blob_piece *pieces;
    size_t count;
};

static bool same_word(void *context, uint32_t index)
{
    const struct word_key *key = context;
    const struct eg_blob_word *word = eg_builder_at(key->b, EG_SECTION_WORDS, index);
    return word->count == key->count &&
           (key->count == 0 || memcmp(eg_builder_at(key->b, EG_SECTION_PIECES, word->piece),
                                      key->pieces, key->count * sizeof(*key->pieces)) == 0);
}

uint32_t eg_builder_word(struct eg_builder *b, const struct eg_blob_piece *pieces, size_t count)
{
    struct word_key key = { b, pieces, count };
    uint32_t hash = eg_index_hash(pieces, count * sizeof(*pieces));
    uint32_t index = eg_index_find(&b->words, hash, same_word, &key);
    if (index != EG_NONE) return index;
    struct eg_blob_word word = { 0, (uint32_t)count };
    if (count) word.piece = eg_builder_count(b, EG_SECTION_PIECES);
    for (size_t i = 0; i < count; i++) eg_builder_add(b, EG_SECTION_PIECES, &pieces[i]);
    index = eg_builder_add(b, EG_SECTION_WORDS, &word);
    if (!eg_index_add(&b->words, hash, index)) b->failed = true;
    return index;
}

uint32_t eg_builder_add(struct eg_builder *b, enum eg_section section, const void *element)
{
    uint32_t index = eg_builder_count(b, section);
    return append(b, section, element, eg_blob_element_size(section)) ? index : EG_NONE;
}

uint32_t eg_builder_count(const struct eg_builder *b, enum eg_section section)
{
    return (uint32_t)(b->sections[section].size / eg_blob_element_size(section));
}

void *eg_builder_at(struct eg_builder *b, enum eg_section section, uint32_t index)
{
    return b->sections[section].bytes + (size_t)index * eg_blob_element_size(section);
}

const char *eg_builder_cstr(const struct eg_builder *b, uint32_t string)
{
    const struct eg_builder_section *s = &b->sections[EG_SECTION_STRINGS];
    return string < s->size ? s->bytes + string : "";
}

static size_t align(size_t n)
{
    return (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

int eg_builder_finish(struct eg_builder *b, const struct eg_blob *header, struct eg_blob **ret_blob)
{
    if (b->failed) return -ENOMEM;
    size_t size = align(sizeof(struct eg_blob));
    for (size_t i = 0; i < EG_SECTION_COUNT; i++) size += align(b->sections[i].size);
    if (size > EG_BLOB_MAX) return -EFBIG;
    struct eg_blob *blob = calloc(1, size);
    if (!blob) return -ENOMEM;
    *blob = *header;
    memcpy(blob->magic, EG_BLOB_MAGIC, sizeof(blob->magic));
    blob->version = EG_BLOB_VERSION;
    blob->size = (uint32_t)size;
    blob->checksum = 0;
    memset(blob->id, 0, sizeof(blob->id));
    size_t at = align(sizeof(struct eg_blob));
    for (size_t i = 0; i < EG_SECTION_COUNT; i++) {
        blob->sections[i].offset = (uint32_t)at;
        blob->sections[i].count = eg_builder_count(b, (enum eg_section)i);
        if (b->sections[i].size)
            memcpy((char *)blob + at, b->sections[i].bytes, b->sections[i].size);
        at += align(b->sections[i].size);
    }
    *ret_blob = blob;
    return 0;
}
