// SPDX-License-Identifier: MIT
/* Code of ASP and JSP between <% and %>.
 *
 * Which language it is cannot be known, and what is a text to one is code to
 * another: so each reader reads it by itself.  A block counts when one finds a call
 * in it, brackets in order, and outside of texts and comments nothing that the
 * language does not have.  The first %> ends it: servers look for that before any
 * language is asked.  Chance brings `<%` once in 64 KiB of a picture, and once in
 * 7 KiB of ASCII85, where most bytes look like code. */
#include "content/parts.h"

enum state {
    IDLE = EG_ASP_IDLE,
    CODE,
    TEXT,  /* "..." up to the line's end */
    CHAR,  /* '...' likewise */
    REGEX, /* of JScript, likewise */
    REGEX_CLASS,
    TEXT_ESCAPED, /* after a backslash */
    CHAR_ESCAPED,
    REGEX_ESCAPED,
    CLASS_ESCAPED,
    VERBATIM, /* @"..." of C#, over lines */
    LINES,    /* triple quotes, over lines */
    LINES_ESCAPED,
    SLASH, /* in code */
    BACKSLASH,
    COMMENT, /* slash star */
    COMMENT_STAR,
    LINE, /* a comment up to the line's end */
};

/* letters: read in a row, at most two; behind CALLABLE a parenthesis calls. */
enum { NAME = 2, CALLABLE = 3 };

void eg_asp_open_block(struct eg_asp_block *block, enum eg_asp_reader reader)
{
    *block = (struct eg_asp_block){ .state = CODE, .skip = reader == EG_ASP_WIDE ? 4 : 2 };
}

static bool is_line_end(unsigned char c)
{
    return c == '\n' || c == '\r';
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || is_line_end(c) || c == '\f';
}

static bool is_control(unsigned char c)
{
    return (c < ' ' && !is_blank(c)) || c == 0x7f;
}

static bool is_word(unsigned char c)
{
    return eg_is_letter(c) || eg_is_digit(c) || c == '_';
}

static bool is_one_of(unsigned char c, const char *set)
{
    while (*set && (unsigned char)*set != c) set++;
    return *set;
}

/* --- The call --- */

static bool word_is(const struct eg_asp_block *block, struct eg_str word)
{
    return eg_str_equal((struct eg_str){ block->word, block->word_n }, word);
}

/* What runs a text without a parenthesis, in VBScript or under another name. */
static bool is_running_word(const struct eg_asp_block *block)
{
    return word_is(block, EG_STR("eval")) || word_is(block, EG_STR("execute")) ||
           word_is(block, EG_STR("executeglobal"));
}

/* name(, name (, x[y](, f()(, and the words above. */
static void look_for_call(struct eg_asp_block *block, unsigned char c)
{
    if (is_word(c)) {
        if (block->letters == CALLABLE) block->letters = 0;
        if (block->letters < NAME) block->letters = eg_is_letter(c) ? block->letters + 1 : 0;
        if (block->word_n < sizeof block->word) block->word[block->word_n++] = (char)eg_lower(c);
        return;
    }
    if (is_running_word(block) || (c == '(' && block->letters >= NAME)) block->call = true;
    block->word_n = 0;
    if (c == ']' || c == ')')
        block->letters = CALLABLE;
    else if (!is_blank(c) || block->letters < NAME)
        block->letters = 0;
}

/* --- What no code holds --- */

enum { ROUND, SQUARE, CURLY };

/* False: a bracket that is out of order.  A curly one may close what an earlier block
 * opened.  Deeper than the stack, none is looked at any more. */
static bool count_bracket(struct eg_asp_block *block, unsigned char c)
{
    static const char opening[] = "([{", closing[] = ")]}";
    for (unsigned kind = ROUND; kind <= CURLY; kind++) {
        if (c == (unsigned char)opening[kind] && block->depth < EG_ASP_DEPTH) {
            block->stack = block->stack << 2 | kind;
            block->depth++;
        }
        if (c != (unsigned char)closing[kind] || block->depth == EG_ASP_DEPTH) continue;
        if (block->depth == 0) return kind == CURLY;
        if ((block->stack & 3) != kind) return false;
        block->stack >>= 2;
        block->depth--;
    }
    return true;
}

/* At the end only blocks of code may be open. */
static bool are_brackets_closed(const struct eg_asp_block *block)
{
    return block->depth == 0 || block->depth == EG_ASP_DEPTH || (block->stack & 3) == CURLY;
}

/* A digit begins a number; is this letter in one, in any base, or its suffix? */
static bool is_in_number(unsigned char c)
{
    return eg_is_digit(c) || is_one_of(eg_lower(c), "_abcdefilmrsux");
}

/* One byte of code. */
static void read_code(struct eg_asp_block *block, unsigned char c, const char *never)
{
    bool in_number = block->word_n && eg_is_digit((unsigned char)block->word[0]);
    if (is_control(c) || is_one_of(c, never) || !count_bracket(block, c) ||
        (in_number && is_word(c) && !is_in_number(c))) {
        block->state = IDLE;
        return;
    }
    look_for_call(block, c);
    if (is_line_end(c) || !is_blank(c)) block->last = c;
}

/* --- The readers: each takes one byte of the block --- */

static void open_c_text(struct eg_asp_block *block, bool third_quote)
{
    if (block->last == '@')
        block->state = VERBATIM;
    else
        block->state = third_quote ? LINES : TEXT;
    block->quotes = block->state == TEXT;
}

static void read_c_code(struct eg_asp_block *block, unsigned char c)
{
    bool two_quotes = block->quotes == 2;
    block->state = CODE;
    block->quotes = 0;
    if (c == '"') {
        open_c_text(block, two_quotes);
    } else if (c == '\'') {
        block->state = CHAR;
    } else if (c == '/') {
        block->state = SLASH;
        return;
    } else if (c == '\\') {
        block->state = BACKSLASH;
        return;
    } else if (c == '#') {
        /* <%# is an expression; a line of C# that begins so is its compiler's. */
        block->state = !block->last ? CODE : is_line_end(block->last) ? LINE : IDLE;
        return;
    }
    read_code(block, c, "`");
}

/* Behind these a slash cannot divide. */
static bool begins_regex(unsigned char last)
{
    return !last || is_line_end(last) || is_one_of(last, "(,=:[!&|?{};+-*%~^<>");
}

static void read_c_slash(struct eg_asp_block *block, unsigned char c)
{
    bool regex = begins_regex(block->last);
    if (c == '*' || c == '/') {
        block->state = c == '*' ? COMMENT : LINE;
        return;
    }
    read_code(block, '/', "");
    if (!regex) {
        read_c_code(block, c);
        return;
    }
    block->state = c == '\\' ? REGEX_ESCAPED : c == '[' ? REGEX_CLASS : REGEX;
}

/* Up to `end` or the line's. */
static void read_text(struct eg_asp_block *block, unsigned char c, unsigned char end,
                      enum state escaped)
{
    if (c == '\\')
        block->state = escaped;
    else if (c == end || is_line_end(c))
        block->state = CODE;
}

static void read_c(struct eg_asp_block *block, unsigned char c)
{
    switch ((enum state)block->state) {
    case IDLE: break;
    case CODE: read_c_code(block, c); break;
    case SLASH: read_c_slash(block, c); break;
    case BACKSLASH: /* \\u0028 is a parenthesis in Java */
        block->state = c == 'u' ? CODE : IDLE;
        block->call = true;
        break;
    case TEXT:
        read_text(block, c, '"', TEXT_ESCAPED);
        block->quotes = c == '"' && block->quotes == 1 ? 2 : 0;
        break;
    case CHAR: read_text(block, c, '\'', CHAR_ESCAPED); break;
    case REGEX:
        read_text(block, c, '/', REGEX_ESCAPED);
        if (c == '[') block->state = REGEX_CLASS;
        break;
    case REGEX_CLASS:
        read_text(block, c, ']', CLASS_ESCAPED);
        if (c == ']') block->state = REGEX;
        break;
    case TEXT_ESCAPED: block->state = TEXT; break;
    case CHAR_ESCAPED: block->state = CHAR; break;
    case REGEX_ESCAPED: block->state = REGEX; break;
    case CLASS_ESCAPED: block->state = REGEX_CLASS; break;
    case LINES_ESCAPED: block->state = LINES; break;
    case VERBATIM:
        if (c == '"') block->state = CODE;
        break;
    case LINES:
        block->quotes = c == '"' ? block->quotes + 1 : 0;
        if (block->quotes == 3) block->state = CODE;
        if (c == '\\') block->state = LINES_ESCAPED;
        break;
    case COMMENT:
    case COMMENT_STAR:
        if (block->state == COMMENT_STAR && c == '/')
            block->state = CODE;
        else
            block->state = c == '*' ? COMMENT_STAR : COMMENT;
        break;
    case LINE:
        if (!is_line_end(c)) break;
        block->state = CODE;
        block->last = c;
        break;
    }
}

static void read_basic(struct eg_asp_block *block, unsigned char c)
{
    if (block->state == CODE) {
        if (c == '"')
            block->state = TEXT;
        else if (c == '\'' || (is_blank(c) && !is_line_end(c) && word_is(block, EG_STR("rem"))))
            block->state = LINE;
        read_code(block, c, "`;~|");
    } else if (is_line_end(c) || (c == '"' && block->state == TEXT)) {
        block->state = CODE;
    }
}

/* Characters stand at even places behind `<`, in both byte orders; whether the
 * byte before or behind belongs to one is not known.  No texts, no brackets:
 * chance brings hardly any `<%` in two bytes each. */
static void read_wide(struct eg_asp_block *block, unsigned char c)
{
    if (block->odd) {
        if (block->control && c == 0) block->state = IDLE;
        block->before = c;
    } else {
        block->control = is_control(c) && block->before == 0;
        if (!is_control(c)) look_for_call(block, c);
    }
    block->odd = !block->odd;
}

/* True: the block ended and held a call. */
static bool read_block(struct eg_asp_block *block, enum eg_asp_reader reader, unsigned char c)
{
    bool character = reader != EG_ASP_WIDE || !block->odd;
    if (c == '>' && block->percent && character) {
        block->state = IDLE;
        return block->call && are_brackets_closed(block);
    }
    switch (reader) {
    case EG_ASP_C: read_c(block, c); break;
    case EG_ASP_BASIC: read_basic(block, c); break;
    case EG_ASP_WIDE: read_wide(block, c); break;
    case EG_ASP_READERS: break;
    }
    if (character)
        block->percent = c == '%';
    else if (c != 0)
        block->percent = false;
    return false;
}

bool eg_asp_feed_block(struct eg_asp_block *block, enum eg_asp_reader reader,
                       const unsigned char *p, size_t n, size_t *ret_read)
{
    bool found = false;
    size_t i = block->skip < n ? block->skip : n;
    block->skip = (uint8_t)(block->skip - i);
    for (; i < n && block->state != IDLE && !found; i++) found = read_block(block, reader, p[i]);
    *ret_read = i;
    return found;
}
