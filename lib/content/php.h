// SPDX-License-Identifier: MIT
/* What the files of the PHP machine share: php.c reads bytes, php_token.c says
 * which token may follow which, php_string.c reads strings and heredocs. */
#ifndef EG_CONTENT_PHP_H
#define EG_CONTENT_PHP_H

#include "content/parts.h"

enum mode {
    INITIAL, /* text outside of tags */
    DEAD,    /* no PHP will compile this file */
    CODE,
    WORD,
    VARIABLE,
    NUMBER,
    NUMBER_TAIL, /* letters that touch a number: 0x1f, 1e5, `1and 2` */
    SINGLE,
    DOUBLE,
    BACKTICK,
    HEREDOC,
    NOWDOC,
    HEREDOC_NAME,
    LINE_COMMENT,
    BLOCK_COMMENT,
    SCRIPT_CLOSE, /* </script>, which ended code before PHP 7 */
};

enum token {
    SEMICOLON, /* also: the start of code, and what follows a brace that opens */
    OPEN,      /* ( */
    SQUARE_OPEN,
    COMMA,
    CLOSE, /* ) */
    SQUARE_CLOSE,
    BRACE_OPEN,
    BRACE_CLOSE,
    VAR,
    NUM,
    STR,
    NAME,
    KEYWORD, /* anything may follow one */
    INFIX,   /* a keyword that joins */
    BINARY,
    SIGN,   /* + - &: before an operand or between two */
    PREFIX, /* ! ~ @ */
    INCREMENT,
    QUESTION,
    COLON,
    ARROW, /* -> ?-> :: */
    BACKSLASH,
    DOLLAR,
    DOTS,
    ATTRIBUTE, /* #[ */
    TAG_CLOSE, /* ?> */
    COMMENT,   /* # and // */
    COMMENT_BLOCK,
    HEREDOC_OPEN,
    OLD_CLOSE, /* </ */
    TOKENS
};
/* What a bracket belongs to, on the stack.  The strings: `{$` and `${` inside. */
enum bracket { IN_PAREN, IN_SQUARE, IN_BRACE, IN_DOUBLE, IN_BACKTICK, IN_HEREDOC };

/* Where in a line of a heredoc. */
enum { LINE_REST, LINE_INDENT, LINE_NAME, LINE_SEMICOLON };
/* Inside a string. */
enum { PLAIN, ESCAPED, AFTER_DOLLAR, AFTER_BRACE };

static inline bool eg_php_begins_name(const struct eg_php *php, unsigned char c)
{
    return eg_is_letter(c) || c == '_' || c >= 0x80 || (c == 0x7f && php->version == EG_PHP_OLD);
}

static inline bool eg_php_in_name(const struct eg_php *php, unsigned char c)
{
    return eg_php_begins_name(php, c) || eg_is_digit(c);
}

/* --- php_token.c --- */

/* No PHP compiles this file / it is found. */
void eg_php_die(struct eg_php *php);
void eg_php_find(struct eg_php *php);
void eg_php_push(struct eg_php *php, enum bracket bracket);
/* The next token is known; the mode is CODE. */
void eg_php_take(struct eg_php *php, enum token token);
/* A word of the code ended before the byte `next` (0: with the file). */
void eg_php_take_word(struct eg_php *php, unsigned char next);

/* --- php_string.c: the next byte, in these modes --- */

void eg_php_read_single(struct eg_php *php, unsigned char c);
/* DOUBLE, BACKTICK */
void eg_php_read_string(struct eg_php *php, unsigned char c);
void eg_php_read_heredoc_name(struct eg_php *php, unsigned char c);
/* HEREDOC, NOWDOC.  False: the byte has to be read again, as code. */
bool eg_php_read_heredoc(struct eg_php *php, unsigned char c);
void eg_php_close_heredoc(struct eg_php *php);

#endif
