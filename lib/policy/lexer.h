// SPDX-License-Identifier: MIT
/* Bytes to tokens, each with its place.
 *
 *   word     run of printable ASCII but  { } [ ] | < > ; " ' \  and spaces
 *   string   "...", escapes \" \\ \n \t \xHH, any other bytes but controls
 *   hole     < ... > on one line; quotes inside protect
 *   special  { } [ ] | ; and the end of a line
 *
 * A comment starts with # where a token could start, and ends with the line. */
#ifndef EG_POLICY_LEXER_H
#define EG_POLICY_LEXER_H

#include "policy/arena.h"
#include "policy/messages.h"

enum eg_token_kind {
    EG_TOKEN_END,
    EG_TOKEN_NEWLINE,
    EG_TOKEN_SEMICOLON,
    EG_TOKEN_LBRACE,
    EG_TOKEN_RBRACE,
    EG_TOKEN_LBRACKET,
    EG_TOKEN_RBRACKET,
    EG_TOKEN_BAR,
    EG_TOKEN_WORD,
    EG_TOKEN_STRING,
    EG_TOKEN_HOLE,
    EG_TOKEN_BAD /* reported already */
};

struct eg_token {
    enum eg_token_kind kind;
    bool glued;         /* nothing stands between it and the token before */
    struct eg_str text; /* word: its bytes; string: what it means; hole: what is between < > */
    struct eg_span span;
};

struct eg_lexer {
    struct eg_str text;
    size_t at;
    size_t line_start;
    uint32_t line;
    uint32_t source;
    bool quiet;     /* skipping after a mistake: further ones are not reported */
    bool swallowed; /* a mistake took a line's end with it, braces perhaps too */
    bool out_of_memory;
    struct eg_arena *arena; /* for strings with escapes */
    struct eg_diagnostics *diagnostics;
};

struct eg_token eg_lexer_next(struct eg_lexer *lexer);

#endif
