// SPDX-License-Identifier: MIT
/* Foreign bytes seen as characters: what renderers need to make them harmless. */
#ifndef EG_EVENT_TEXT_H
#define EG_EVENT_TEXT_H

#include "base/str.h"

/* One character: how many bytes it takes and its code point.  A byte that
 * starts no valid UTF-8 sequence is taken alone, valid false, code the byte. */
struct eg_text_char {
    uint32_t code;
    uint32_t n;
    bool valid;
};

/* The character of s at offset at (< s.n).  Each byte is read once, so that
 * memory which another thread changes meanwhile yields some character, never a
 * broken one. */
struct eg_text_char eg_text_next(struct eg_str s, size_t at);

/* Code points that make a terminal or a viewer show something else than what
 * is there: controls, bidirectional overrides, invisible marks. */
bool eg_text_is_deceiving(uint32_t code);

/* Columns that a character takes on a terminal: 0 for what combines with the one
 * before it, 2 for what East Asian type makes wide (Unicode's UAX 11), else 1. */
size_t eg_text_width(uint32_t code);

/* Encode a code point (below 0x110000, no surrogate) as UTF-8; returns 1..4. */
size_t eg_text_encode(uint32_t code, char ret[4]);

#endif
