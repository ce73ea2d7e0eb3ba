// SPDX-License-Identifier: MIT
/* Private to line/: a parse on its way, for parse.c (the grammar) and step.c (what
 * the shell does to itself). */
#ifndef EG_LINE_PARSER_H
#define EG_LINE_PARSER_H

#include "line/scan.h"

struct eg_parser {
    struct eg_scan scan;
    const struct eg_line_memory *memory;
    struct eg_line *line;
};

enum eg_token {
    EG_TOKEN_END,
    EG_TOKEN_NEWLINE,
    EG_TOKEN_SEMICOLON,
    EG_TOKEN_DOUBLE_SEMICOLON,
    EG_TOKEN_AMPERSAND,
    EG_TOKEN_AND,
    EG_TOKEN_PIPE,
    EG_TOKEN_OR,
    EG_TOKEN_OPEN,
    EG_TOKEN_CLOSE,
    EG_TOKEN_REDIRECT,
    EG_TOKEN_WORD,
};

static inline struct eg_str eg_word_str(const struct eg_line_word *word)
{
    return (struct eg_str){ word->text, word->n };
}

static inline bool eg_word_is(const struct eg_line_word *word, struct eg_str text)
{
    return eg_str_equal(eg_word_str(word), text);
}

/* Is the finished command, before `next`, one that the shell does to itself? */
bool eg_step_is_one(const struct eg_parser *parser, const struct eg_line_command *command,
                    enum eg_token next);

/* Keep it as steps of the line, and no longer as a command.  False: refused. */
bool eg_step_take(struct eg_parser *parser, const struct eg_line_command *command,
                  enum eg_token next);

/* Is this command of dash's own one that the runner does as dash does?  (own.c) */
bool eg_own_is_plain(const struct eg_line_word *words, uint32_t count);

#endif
