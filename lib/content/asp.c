// SPDX-License-Identifier: MIT
/* Code of ASP and JSP between <% and %>, and <script> elements that run on the
 * server: language=php (PHP before 7), runat=server.
 *
 * Two languages and no common grammar: a block counts when it ends, holds a call
 * of a name, and no control characters outside of comments and texts.  Chance
 * brings `<%` once in 64 KiB and stops at a control character. */
#include "content/parts.h"

enum block {
    IDLE = EG_ASP_IDLE,
    CODE,
    PERCENT, /* after % */
    SLASH,   /* after / */
    TEXT,    /* "..." up to the line's end */
    ESCAPED, /* in a text, after a backslash */
    COMMENT, /* slash star */
    COMMENT_STAR,
    BACKSLASH, /* \u0028 is a parenthesis in Java */
};

/* evidence: letters read in a row, at most 2; then the call. */
enum { NAME = 2, CALL = 3 };

enum tag {
    NO_TAG,
    OPENING, /* the word `script` */
    BLANK,
    ATTRIBUTE, /* its name */
    EQUALS,
    VALUE,
    OTHER_VALUE, /* of an attribute that does not matter */
};

void eg_asp_open_block(struct eg_asp *asp)
{
    asp->block = CODE;
    asp->evidence = 0;
    asp->skip = 2;
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_control(unsigned char c)
{
    return (c < ' ' && !is_blank(c)) || c == 0x7f;
}

static void read_name(struct eg_asp *asp, unsigned char c)
{
    if (asp->evidence == CALL) return;
    if (eg_is_letter(c))
        asp->evidence += asp->evidence < NAME;
    else if (c == '(' && asp->evidence == NAME)
        asp->evidence = CALL;
    else if (!(asp->evidence == NAME && (c == ' ' || c == '_' || eg_is_digit(c))))
        asp->evidence = 0;
}

/* True: the block ended and held a call. */
static bool read_block(struct eg_asp *asp, unsigned char c)
{
    switch ((enum block)asp->block) {
    case IDLE: return false;
    case TEXT:
        if (c == '"' || c == '\n' || c == '\r') asp->block = CODE;
        if (c == '\\') asp->block = ESCAPED;
        return false;
    case ESCAPED: asp->block = TEXT; return false;
    case COMMENT:
    case COMMENT_STAR:
        if (asp->block == COMMENT_STAR && c == '/')
            asp->block = CODE;
        else
            asp->block = c == '*' ? COMMENT_STAR : COMMENT;
        return false;
    case PERCENT:
        if (c == '>') {
            asp->block = IDLE;
            return asp->evidence == CALL;
        }
        break;
    case SLASH:
        if (c == '*') {
            asp->block = COMMENT;
            return false;
        }
        break;
    case BACKSLASH:
        if (c == 'u') asp->evidence = CALL;
        break;
    case CODE: break;
    }
    asp->block = CODE;
    if (is_control(c)) {
        asp->block = IDLE;
        return false;
    }
    if (c == '%') asp->block = PERCENT;
    if (c == '/') asp->block = SLASH;
    if (c == '"') asp->block = TEXT;
    if (c == '\\') asp->block = BACKSLASH;
    read_name(asp, c);
    return false;
}

/* --- <script ...> --- */

void eg_asp_open_script(struct eg_asp *asp)
{
    asp->tag = OPENING;
    asp->at = 0;
    asp->php = false;
}

static const char opening[] = "<script";
/* attribute, value */
static const char *const wanted[][2] = { { "language", "php" }, { "runat", "server" } };
enum { LANGUAGE, RUNAT, PLACES };

/* at: which row it may be, and how many bytes of it are there: row * 16 + n. */
static bool continue_word(struct eg_asp *asp, unsigned char c, int side)
{
    unsigned row = asp->at / 16u;
    unsigned n = asp->at % 16u;
    if (n == 0 && side == 0)
        for (row = 0; row < PLACES - 1; row++)
            if (wanted[row][0][0] == (char)eg_lower(c)) break;
    if (!wanted[row][side][n] || wanted[row][side][n] != (char)eg_lower(c)) return false;
    asp->at = (uint8_t)(row * 16u + n + 1);
    return true;
}

static bool read_tag(struct eg_asp *asp, unsigned char c)
{
    bool whole;
    /* Another tag is looked at by itself, so that no byte is read for many. */
    if ((c == '>' && asp->tag != VALUE) || (c == '<' && asp->tag != OPENING)) {
        asp->tag = NO_TAG;
        return false;
    }
    switch ((enum tag)asp->tag) {
    case NO_TAG: break;
    case OPENING:
        if (asp->at == sizeof opening - 1)
            asp->tag = is_blank(c) ? BLANK : NO_TAG;
        else if (eg_lower(c) != (unsigned char)opening[asp->at++])
            asp->tag = NO_TAG;
        break;
    case BLANK:
        if (is_blank(c) || c == '/') break;
        asp->at = 0;
        asp->tag = continue_word(asp, c, 0) ? ATTRIBUTE : OTHER_VALUE;
        break;
    case ATTRIBUTE:
        whole = !wanted[asp->at / 16u][0][asp->at % 16u];
        if (c == '=' && whole) {
            asp->tag = VALUE;
            asp->at &= 0xf0u;
        } else if (is_blank(c) && whole) {
            asp->tag = EQUALS;
        } else if (!continue_word(asp, c, 0)) {
            asp->tag = is_blank(c) ? BLANK : OTHER_VALUE;
        }
        break;
    case EQUALS:
        if (is_blank(c)) break;
        asp->tag = c == '=' ? VALUE : OTHER_VALUE;
        asp->at &= 0xf0u;
        break;
    case VALUE:
        whole = !wanted[asp->at / 16u][1][asp->at % 16u];
        if (whole && (c == '"' || c == '\'' || c == '>' || c == '/' || is_blank(c))) {
            asp->tag = NO_TAG;
            asp->php = asp->at / 16u == LANGUAGE;
            return true;
        }
        if (asp->at % 16u == 0 && (c == '"' || c == '\'' || is_blank(c))) break;
        if (!continue_word(asp, c, 1)) asp->tag = c == '>' ? NO_TAG : OTHER_VALUE;
        break;
    case OTHER_VALUE:
        if (is_blank(c) || c == '"' || c == '\'') asp->tag = BLANK;
        break;
    }
    return false;
}

bool eg_asp_feed_block(struct eg_asp *asp, const unsigned char *p, size_t n, size_t *ret_read)
{
    bool found = false;
    size_t i = asp->skip < n ? asp->skip : n;
    asp->skip = (uint8_t)(asp->skip - i);
    for (; i < n && asp->block != IDLE && !found; i++) found = read_block(asp, p[i]);
    *ret_read = i;
    return found;
}

bool eg_asp_feed_script(struct eg_asp *asp, const unsigned char *p, size_t n)
{
    bool found = false;
    for (size_t i = 0; i < n && asp->tag != NO_TAG && !found; i++) found = read_tag(asp, p[i]);
    return found;
}
