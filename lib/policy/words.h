// SPDX-License-Identifier: MIT
/* The language's words by the place where they stand (table/policy_words.def)
 * and the lists of names that it refers to. */
#ifndef EG_POLICY_WORDS_H
#define EG_POLICY_WORDS_H

#include "policy/messages.h"

enum eg_place {
    EG_PLACE_TOP,
    EG_PLACE_EXEC,
    EG_PLACE_SHELL,
    EG_PLACE_PIPELINE,
    EG_PLACE_WORKER,
    EG_PLACE_WRITE,
    EG_PLACE_UPLOADS,
    EG_PLACE_DENY,
    EG_PLACE_NAMES,
    EG_PLACE_CONTENT,
    EG_PLACE_ENV,
    EG_PLACE_KERNEL,
    EG_PLACE_CAPABILITIES,
    EG_PLACE_LOG,
    EG_PLACE_BURST,
    EG_PLACE_REQUEST,
    EG_PLACE_MODE,
    EG_PLACE_SWITCH,
    EG_PLACE_LAYER,
    EG_PLACE_FACILITY,
};

enum eg_word_id {
#define W(place, id, word, state) EG_WORD_##place##_##id,
#include "table/policy_words.def"
#undef W
};

struct eg_word_row {
    enum eg_place place;
    enum eg_word_id id;
    const char *word;
    bool built;
};

/* The row of a word at a place, or NULL. */
const struct eg_word_row *eg_word_find(enum eg_place place, struct eg_str word);

/* Is the word with this id switched on? */
bool eg_word_built(enum eg_word_id id);

/* What to write in place of an unknown word at a place: a suggestion, or the
 * words that can stand there. */
struct eg_hint eg_word_hint(enum eg_place place, struct eg_str wrong);

/* The blocks ("exec { } or kernel { }") in which a word starts a statement;
 * empty when in none. */
struct eg_hint eg_word_blocks(struct eg_str word);

/* Is this word of `deny name` surely a pattern, and no mistyped set?  Printed
 * without quotes then (parse_write.c). */
bool eg_upload_name_is_pattern(struct eg_str word);

/* The words of table/hardening.def; the names of table/capabilities.def. */
extern const char *const eg_kernel_words[];
extern const size_t eg_kernel_word_count;
extern const char *const eg_capability_names[];
extern const size_t eg_capability_name_count;

/* What to write in place of an unknown word of `kernel { allow }`. */
struct eg_hint eg_kernel_hint(struct eg_str wrong);

/* Is `name` among the names? */
bool eg_names_hold(const char *const *names, size_t count, struct eg_str name);

/* Holes: the kind of a word (false: unknown), a kind's word, does it take a
 * glob, and can this byte stand in what the hole matches. */
bool eg_hole_find(struct eg_str word, enum eg_piece_kind *ret_kind);
const char *eg_hole_word(enum eg_piece_kind kind);
bool eg_hole_takes_glob(enum eg_piece_kind kind);
bool eg_hole_holds(enum eg_piece_kind kind, unsigned char byte);
struct eg_hint eg_hole_hint(struct eg_str wrong);

/* The layer that a word of `optional` names. */
enum eg_layer eg_layer_of(enum eg_word_id id);
/* The word for a layer, NULL when it cannot be optional. */
const char *eg_layer_word(enum eg_layer layer);

#endif
