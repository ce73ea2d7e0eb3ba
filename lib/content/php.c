// SPDX-License-Identifier: MIT
/* PHP code behind the tags that chance brings too: `<?=` and `<?`.
 *
 * PHP compiles a file wholly before it runs any of it, so a file whose first tag
 * is followed by bytes that are no PHP never runs.  Random bytes stop being PHP
 * after a few tokens; code does not, wherever its author hides it.  So this is a
 * lexer as PHP's own (Zend/zend_language_scanner.l), and in the place of the
 * grammar a table (php_token.c) of which token may follow which.  It takes more than PHP does
 * and never less: an author who adapts to it has to write what PHP refuses.
 *
 * Bounds that PHP does not have (nesting, names) count as found when they are
 * reached: only code gets there. */
#include "content/php.h"

static const struct mark {
    char text[4]; /* not all of them end in NUL */
    uint8_t length;
    uint8_t token;
} marks[] = {
#define O(text, token) { text, sizeof(text) - 1, token },
#include "table/php_operators.def"
#undef O
};
#define MARK_COUNT (sizeof marks / sizeof marks[0])

void eg_php_begin(struct eg_php *php, enum eg_php_version version, bool short_tags)
{
    *php = (struct eg_php){ .version = (uint8_t)version, .short_tags = short_tags };
    php->mode = INITIAL;
    php->last = SEMICOLON;
}

bool eg_php_wants_tag(const struct eg_php *php)
{
    return php->mode == INITIAL;
}

bool eg_php_reads(const struct eg_php *php)
{
    return php->mode > DEAD;
}

void eg_php_open(struct eg_php *php, uint8_t tag, bool echo)
{
    php->mode = CODE;
    php->skip = tag;
    php->op_n = 0;
    php->last = echo ? KEYWORD : SEMICOLON;
}
static void add_to_word(struct eg_php *php, unsigned char c)
{
    if (php->word_n < sizeof php->word) php->word[php->word_n++] = (char)eg_lower(c);
}

/* --- Code --- */

static bool step(struct eg_php *php, unsigned char c);

static void take_operator(struct eg_php *php, enum token token)
{
    switch (token) {
    case COMMENT:
        php->mode = LINE_COMMENT;
        php->sub = PLAIN;
        break;
    case COMMENT_BLOCK:
        php->mode = BLOCK_COMMENT;
        php->sub = PLAIN;
        break;
    case HEREDOC_OPEN:
        eg_php_take(php, STR);
        if (php->mode == CODE) php->mode = HEREDOC_NAME;
        php->sub = PLAIN;
        break;
    case OLD_CLOSE:
        if (php->op[0] == '%') {
            /* asp_tags: too short to count for code that calls nothing */
            if (php->calls)
                eg_php_take(php, TAG_CLOSE);
            else
                eg_php_die(php);
        } else {
            php->mode = SCRIPT_CLOSE;
            php->sub = 0;
        }
        break;
    default: eg_php_take(php, token); break;
    }
}

static bool exists(const struct eg_php *php, const struct mark *o)
{
    if (o->token == OLD_CLOSE) return php->version == EG_PHP_OLD;
    if (o->token == ATTRIBUTE) return php->version == EG_PHP_NEW;
    return true;
}

/* The gathered bytes, and `c` behind them, are the start of an operator. */
static bool can_extend(const struct eg_php *php, unsigned char c)
{
    for (size_t i = 0; i < MARK_COUNT; i++) {
        const struct mark *o = &marks[i];
        if (o->length > php->op_n && eg_bytes_equal(o->text, php->op, php->op_n) &&
            (unsigned char)o->text[php->op_n] == c && exists(php, o))
            return true;
    }
    return false;
}

/* Take the longest operator among the gathered bytes; what is left of them is
 * read again. */
static void flush(struct eg_php *php)
{
    const struct mark *best = NULL;
    for (size_t i = 0; i < MARK_COUNT; i++) {
        const struct mark *o = &marks[i];
        if (o->length <= php->op_n && (!best || o->length > best->length) &&
            eg_bytes_equal(o->text, php->op, o->length) && exists(php, o))
            best = o;
    }
    unsigned char rest[2];
    size_t left = 0;
    for (size_t i = best ? best->length : 0; i < php->op_n && left < sizeof rest; i++)
        rest[left++] = (unsigned char)php->op[i];
    if (best)
        take_operator(php, (enum token)best->token);
    else
        eg_php_die(php);
    php->op_n = 0;
    for (size_t i = 0; i < left && php->mode > DEAD; i++) step(php, rest[i]);
}

static void read_code(struct eg_php *php, unsigned char c)
{
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') return;
    if (eg_php_begins_name(php, c)) {
        php->mode = WORD;
        php->word_n = 0;
        add_to_word(php, c);
    } else if (eg_is_digit(c)) {
        eg_php_take(php, NUM);
        if (php->mode == CODE) php->mode = NUMBER;
        php->sub = 0;
    } else if (c == '"' || c == '\'' || c == '`') {
        eg_php_take(php, STR);
        if (c == '`') php->evidence = php->calls = true;
        if (php->mode == CODE) php->mode = c == '"' ? DOUBLE : c == '`' ? BACKTICK : SINGLE;
        php->sub = PLAIN;
    } else if (c < ' ' || c == 0x7f) {
        /* Before PHP 8 other control characters were skipped with a warning. */
        if (php->version == EG_PHP_NEW) eg_php_die(php);
    } else {
        php->op[0] = (char)c;
        php->op_n = 1;
    }
}

static void read_operator(struct eg_php *php, unsigned char c)
{
    if (php->op_n == 1 && php->op[0] == '$' && eg_php_begins_name(php, c)) {
        php->op_n = 0;
        eg_php_take(php, VAR);
        if (php->mode == CODE) php->mode = VARIABLE;
    } else if (php->op_n == 1 && php->op[0] == '.' && eg_is_digit(c)) {
        php->op_n = 0;
        eg_php_take(php, NUM);
        if (php->mode == CODE) php->mode = NUMBER;
        php->sub = '.';
    } else if (can_extend(php, c)) {
        php->op[php->op_n++] = (char)c;
    } else {
        flush(php);
        if (php->mode > DEAD || php->mode == INITIAL) step(php, c);
    }
}

static void read_number(struct eg_php *php, unsigned char c)
{
    if (eg_is_digit(c)) return;
    if (c == '.' && php->mode == NUMBER && !php->sub) { /* its only point: 1..2 is 1. . 2 */
        php->sub = '.';
        return;
    }
    if (eg_php_in_name(php, c)) {
        php->mode = NUMBER_TAIL;
        return;
    }
    /* Some of those letters may have been a word: `1and system(2)`. */
    if (php->mode == NUMBER_TAIL) php->last = KEYWORD;
    php->mode = CODE;
    step(php, c);
}

static void read_line_comment(struct eg_php *php, unsigned char c)
{
    bool closes = c == '>' && (php->sub == '?' || (php->sub == '%' && php->version == EG_PHP_OLD));
    php->sub = c;
    if (c == '\n' || c == '\r') {
        php->mode = CODE;
    } else if (closes) {
        php->mode = CODE;
        eg_php_take(php, TAG_CLOSE);
    }
}

static void read_block_comment(struct eg_php *php, unsigned char c)
{
    if (php->sub == '*' && c == '/') php->mode = CODE;
    php->sub = c;
}

static void read_script_close(struct eg_php *php, unsigned char c)
{
    static const char word[] = "script";
    bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (php->sub < sizeof word - 1 && eg_lower(c) == (unsigned char)word[php->sub]) {
        php->sub++;
    } else if (php->sub == sizeof word - 1 && c == '>') {
        php->mode = CODE;
        eg_php_take(php, TAG_CLOSE);
    } else if (php->sub < sizeof word - 1 || !blank) {
        eg_php_die(php);
    }
}

/* One byte.  False: the code ended before it. */
static bool step(struct eg_php *php, unsigned char c)
{
    switch ((enum mode)php->mode) {
    case INITIAL:
    case DEAD: return false;
    case CODE:
        if (php->op_n)
            read_operator(php, c);
        else
            read_code(php, c);
        break;
    case WORD:
        if (eg_php_in_name(php, c)) {
            add_to_word(php, c);
        } else {
            eg_php_take_word(php, c);
            step(php, c);
        }
        break;
    case VARIABLE:
        if (!eg_php_in_name(php, c)) {
            php->mode = CODE;
            step(php, c);
        }
        break;
    case NUMBER:
    case NUMBER_TAIL: read_number(php, c); break;
    case SINGLE: eg_php_read_single(php, c); break;
    case DOUBLE:
    case BACKTICK: eg_php_read_string(php, c); break;
    case HEREDOC:
    case NOWDOC:
        if (!eg_php_read_heredoc(php, c)) step(php, c);
        break;
    case HEREDOC_NAME: eg_php_read_heredoc_name(php, c); break;
    case LINE_COMMENT: read_line_comment(php, c); break;
    case BLOCK_COMMENT: read_block_comment(php, c); break;
    case SCRIPT_CLOSE: read_script_close(php, c); break;
    }
    return php->mode > DEAD;
}

bool eg_php_feed(struct eg_php *php, const unsigned char *p, size_t n, size_t *ret_read)
{
    size_t i = php->skip < n ? php->skip : n;
    php->skip = (uint8_t)(php->skip - i);
    while (i < n && step(php, p[i])) i++;
    *ret_read = i;
    return php->found;
}

bool eg_php_end(struct eg_php *php)
{
    if (php->found || php->mode == DEAD) return php->found;
    if (php->mode == INITIAL) return php->evidence && !php->depth;
    if (php->mode == WORD) eg_php_take_word(php, 0);
    if (php->mode == CODE && php->op_n) flush(php);
    if ((php->mode == HEREDOC || php->mode == NOWDOC) && php->sub == LINE_SEMICOLON) {
        eg_php_close_heredoc(php);
        eg_php_take(php, SEMICOLON);
    }
    if (php->mode == INITIAL) return php->evidence && !php->depth;
    bool code = php->mode == CODE || php->mode == LINE_COMMENT || php->mode == BLOCK_COMMENT;
    bool complete = php->last == SEMICOLON || php->last == BRACE_CLOSE || php->last == COLON;
    return php->found || (code && complete && !php->depth && php->evidence);
}
