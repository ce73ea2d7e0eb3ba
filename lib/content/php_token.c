// SPDX-License-Identifier: MIT
/* Which token of PHP may follow which: in the place of the grammar, and wider
 * than it. */
#include "content/php.h"

#define B(token) (1u << (token))

#define OPERAND                                                                                    \
    (B(OPEN) | B(SQUARE_OPEN) | B(VAR) | B(NUM) | B(STR) | B(NAME) | B(KEYWORD) | B(SIGN) |        \
     B(PREFIX) | B(INCREMENT) | B(BACKSLASH) | B(DOLLAR) | B(ATTRIBUTE))
#define AFTER_ONLY                                                                                 \
    (B(SEMICOLON) | B(COMMA) | B(CLOSE) | B(SQUARE_CLOSE) | B(BRACE_CLOSE) | B(INFIX) |            \
     B(BINARY) | B(QUESTION) | B(COLON) | B(ARROW) | B(TAG_CLOSE))
#define AFTER (AFTER_ONLY | B(KEYWORD) | B(SIGN))
#define ANY   UINT32_MAX

/* What may follow a token.  Where PHP's grammar looks further than one token,
 * the row holds all that it could take. */
static const uint32_t may_follow[TOKENS] = {
    [SEMICOLON] = OPERAND | B(SEMICOLON) | B(BRACE_OPEN) | B(BRACE_CLOSE) | B(TAG_CLOSE) | B(CLOSE),
    [OPEN] = OPERAND | B(COMMA) | B(CLOSE) | B(SQUARE_CLOSE) | B(SEMICOLON) | B(QUESTION) |
             B(DOTS) | B(INFIX),
    [COMMA] = OPERAND | B(COMMA) | B(CLOSE) | B(SQUARE_CLOSE) | B(BRACE_CLOSE) | B(QUESTION) |
              B(DOTS) | B(INFIX),
    [CLOSE] = ANY,
    [SQUARE_CLOSE] = AFTER | B(OPEN) | B(SQUARE_OPEN) | B(BRACE_OPEN) | B(INCREMENT),
    [BRACE_CLOSE] = ANY,
    [VAR] = AFTER | B(OPEN) | B(SQUARE_OPEN) | B(BRACE_OPEN) | B(INCREMENT),
    [NUM] = (AFTER & ~B(ARROW)) | B(BRACE_OPEN),
    [STR] = AFTER | B(OPEN) | B(SQUARE_OPEN) | B(BRACE_OPEN),
    [NAME] = AFTER | B(OPEN) | B(SQUARE_OPEN) | B(BRACE_OPEN) | B(INCREMENT) | B(VAR) |
             B(BACKSLASH) | B(DOTS),
    [KEYWORD] = ANY,
    [INFIX] = OPERAND,
    [BINARY] = OPERAND,
    [SIGN] = OPERAND | B(DOTS),
    [PREFIX] = OPERAND,
    [INCREMENT] = OPERAND | AFTER_ONLY,
    [QUESTION] = OPERAND | B(COLON) | B(COMMA) | B(CLOSE),
    [COLON] = OPERAND | B(SEMICOLON) | B(BRACE_OPEN) | B(BRACE_CLOSE) | B(TAG_CLOSE) | B(QUESTION),
    [ARROW] = B(NAME) | B(VAR) | B(BRACE_OPEN) | B(DOLLAR),
    [BACKSLASH] = B(NAME) | B(BRACE_OPEN),
    [DOLLAR] = B(DOLLAR) | B(VAR) | B(BRACE_OPEN),
    [DOTS] = OPERAND | B(CLOSE),
};
/* `#[A] int $x`: what follows an attribute's end, in PHP 8. */
#define AFTER_ATTRIBUTE (B(NAME) | B(VAR) | B(BACKSLASH) | B(ATTRIBUTE) | B(DOTS))
void eg_php_die(struct eg_php *php)
{
    php->mode = DEAD;
}

void eg_php_find(struct eg_php *php)
{
    php->found = true;
    php->mode = DEAD;
}

void eg_php_push(struct eg_php *php, enum bracket bracket)
{
    if (php->depth == EG_PHP_DEPTH)
        eg_php_find(php);
    else
        php->stack[php->depth++] = (uint8_t)bracket;
}

static bool top_is(const struct eg_php *php, enum bracket bracket)
{
    return php->depth && php->stack[php->depth - 1] == bracket;
}

static void close_bracket(struct eg_php *php, enum bracket bracket)
{
    if (top_is(php, bracket))
        php->depth--;
    else
        eg_php_die(php);
}

/* A brace closes a block, or what was inserted into a string. */
static void close_brace(struct eg_php *php)
{
    enum mode string = CODE;
    if (top_is(php, IN_DOUBLE)) string = DOUBLE;
    if (top_is(php, IN_BACKTICK)) string = BACKTICK;
    if (top_is(php, IN_HEREDOC)) string = HEREDOC;
    if (string == CODE) {
        close_bracket(php, IN_BRACE);
        return;
    }
    php->depth--;
    php->mode = (uint8_t)string;
    php->sub = string == HEREDOC ? LINE_REST : PLAIN;
    php->quote = PLAIN;
}

static void close_tag(struct eg_php *php)
{
    if (php->depth && !top_is(php, IN_BRACE)) {
        eg_php_die(php);
    } else if (php->calls) {
        eg_php_find(php);
    } else {
        /* What only reads or sets variables counts when the whole file is PHP. */
        php->mode = INITIAL;
        php->last = SEMICOLON;
    }
}

static bool is_allowed(const struct eg_php *php, enum token token)
{
    uint32_t row = may_follow[php->last];
    if (php->last == SQUARE_CLOSE && php->version == EG_PHP_NEW) row |= AFTER_ATTRIBUTE;
    if (php->last == NAME && php->in_const) row |= B(NAME);
    return row & B(token);
}

/* The next token is known.  The mode is CODE. */
void eg_php_take(struct eg_php *php, enum token token)
{
    if (!is_allowed(php, token)) {
        eg_php_die(php);
        return;
    }
    enum token last = (enum token)php->last;
    php->last = (uint8_t)token;
    switch (token) {
    case OPEN:
        php->evidence = php->calls = true;
        eg_php_push(php, IN_PAREN);
        break;
    case ATTRIBUTE:
    case SQUARE_OPEN:
        php->last = OPEN;
        eg_php_push(php, IN_SQUARE);
        break;
    case BRACE_OPEN:
        php->last = SEMICOLON;
        php->in_const = false;
        eg_php_push(php, IN_BRACE);
        break;
    case CLOSE: close_bracket(php, IN_PAREN); break;
    case SQUARE_CLOSE: close_bracket(php, IN_SQUARE); break;
    case BRACE_CLOSE:
        php->in_const = false;
        close_brace(php);
        break;
    case SEMICOLON:
        php->in_const = false;
        if (php->depth && (top_is(php, IN_SQUARE) || php->stack[php->depth - 1] > IN_BRACE))
            eg_php_die(php);
        break;
    case BINARY: php->in_const &= php->op[0] == '|'; break;
    case VAR:
    case DOLLAR: php->evidence = true; break;
    case INFIX:
        /* Words that are names after these: `const AND`, `f(as: 1)`. */
        if (last == KEYWORD || last == OPEN || last == COMMA) php->last = KEYWORD;
        break;
    case TAG_CLOSE: close_tag(php); break;
    default: break;
    }
}
/* --- Words --- */

enum word { IS_NAME, IS_PLAIN, IS_INFIX };

static enum word look_up(struct eg_str word)
{
    static const struct {
        char text[16];
        uint8_t length;
        uint8_t kind;
    } words[] = {
#define W(text, kind) { text, sizeof(text) - 1, IS_##kind },
#include "table/php_words.def"
#undef W
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (word.n == words[i].length && eg_bytes_equal(word.p, words[i].text, word.n))
            return (enum word)words[i].kind;
    return IS_NAME;
}

/* The word ended before the byte `next` (0: with the file). */
void eg_php_take_word(struct eg_php *php, unsigned char next)
{
    struct eg_str word = { php->word, php->word_n };
    enum word kind = look_up(word);
    php->mode = CODE;
    if (php->last == ARROW || php->last == BACKSLASH) kind = IS_NAME;
    /* Part of a name with namespaces, which PHP 8 reads as one. */
    if (next == '\\' && kind == IS_INFIX && php->version == EG_PHP_NEW) kind = IS_NAME;
    if (kind == IS_NAME) {
        /* b"..." and b<<<X are strings with a prefix. */
        bool prefix =
            word.n == 1 && word.p[0] == 'b' && (next == '"' || next == '\'' || next == '<');
        eg_php_take(php, prefix ? KEYWORD : NAME);
        return;
    }
    if (eg_str_equal(word, EG_STR("__halt_compiler")) && !php->depth &&
        (php->last == SEMICOLON || php->last == BRACE_CLOSE || php->last == COLON)) {
        /* PHP reads no further. */
        if (php->evidence)
            eg_php_find(php);
        else
            eg_php_die(php);
        return;
    }
    eg_php_take(php, kind == IS_INFIX ? INFIX : KEYWORD);
    php->evidence = php->calls = true;
    if (eg_str_equal(word, EG_STR("const"))) php->in_const = true;
}
