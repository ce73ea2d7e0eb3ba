// SPDX-License-Identifier: MIT
/* Private to line/: the grammar of a command line, one function a rule.
 *
 *   line     : newlines [ (list | group) [ truth | [";" | "&"] newlines [ tail ] ] ] newlines
 *   group    : "(" newlines list [";"] newlines ")" { redirect }
 *   list     : { step (";" | "&&" | NEWLINE) newlines }
 *              [ step | pipeline { joint newlines pipeline } ]
 *   joint    : ";" | NEWLINE | "&&" | "||"
 *   step     : command
 *   pipeline : command { "|" newlines command }
 *   command  : { ASSIGNMENT | redirect } WORD { WORD | redirect }
 *   redirect : [DIGIT] operator WORD
 *   operator : "<" | ">" | ">|" | ">>" | "<>" | "<&" | ">&"
 *   truth    : "||" newlines ("true" | ":") [";"] newlines
 *   tail     : "echo" ("$?" | "$!") [";"] newlines
 *
 * scan.c reads words and token.c tells which token comes next; redirect.c and command.c
 * read the rules of these names, tail.c reads tail and truth, parse.c the rest.  A step is
 * a command by which the shell changes itself (step.c); classify.c says what the shell
 * would do with another one, by the table in builtin.c and, for builtins that the runner
 * does itself, by own.c.  Groups, joints, steps but `cd`, and those builtins are for dash's
 * reading alone.  Where dash's grammar allows more, the function that meets it names it. */
#ifndef EG_LINE_PARSER_H
#define EG_LINE_PARSER_H

#include "line/scan.h"

struct eg_parser {
    struct eg_scan scan;
    const struct eg_line_memory *memory;
    struct eg_line *line;
};

static inline struct eg_str eg_word_str(const struct eg_line_word *word)
{
    return (struct eg_str){ word->text, word->n };
}

static inline bool eg_word_is(const struct eg_line_word *word, struct eg_str text)
{
    return eg_str_equal(eg_word_str(word), text);
}

/* --- token.c --- */

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

/* The token at the cursor, blanks skipped; nothing else is consumed. */
enum eg_token eg_parser_peek(struct eg_parser *parser);

/* Consume an operator's bytes; all newlines. */
void eg_parser_take(struct eg_parser *parser, int bytes);
void eg_parser_take_newlines(struct eg_parser *parser);

/* Refuse [offset, end), or the operator at the cursor; always false. */
bool eg_parser_refuse(struct eg_parser *parser, enum eg_construct construct, size_t offset,
                      size_t end);
bool eg_parser_refuse_here(struct eg_parser *parser, enum eg_construct construct, size_t length);

/* --- redirect.c, command.c, classify.c.  False: refused --- */

/* At its operator or digit; kept in the line, and counted in command. */
bool eg_parse_redirect(struct eg_parser *parser, struct eg_line_command *command);

/* 12>file, or the 12 of >12>file: bash reads a descriptor, dash a word. */
bool eg_check_digits(struct eg_parser *parser, const struct eg_line_word *word);

/* A simple command; its words are kept in the line. */
bool eg_parse_command(struct eg_parser *parser, struct eg_line_command *command);

/* What would the shell do with the finished command: itself, or a program?  Sets its
 * flags, and takes off words that were for the shell. */
bool eg_classify_command(struct eg_parser *parser, struct eg_line_command *command);

/* --- step.c --- */

/* Is the finished command, before `next`, one that the shell does to itself? */
bool eg_step_is_one(const struct eg_parser *parser, const struct eg_line_command *command,
                    enum eg_token next);

/* Keep it as steps of the line, and no longer as a command.  False: refused. */
bool eg_step_take(struct eg_parser *parser, const struct eg_line_command *command,
                  enum eg_token next);

/* --- tail.c.  False: nothing is consumed, nothing refused --- */

/* `echo $?` or `echo $!` at the cursor, and nothing behind it. */
bool eg_parse_tail(struct eg_parser *parser);

/* `|| true` or `|| :` at the cursor, and nothing behind it. */
bool eg_parse_truth(struct eg_parser *parser);

/* Does a command take the shell's place, so that nothing comes after it? */
bool eg_takes_place(const struct eg_line *line);

/* --- builtin.c, own.c --- */

/* A builtin of which there is a program that does the same (echo, true, false). */
bool eg_line_has_twin(struct eg_str name);

/* Is this command of dash's own one that the runner does as dash does? */
bool eg_own_is_plain(const struct eg_line_word *words, uint32_t count);

#endif
