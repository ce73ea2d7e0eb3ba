// SPDX-License-Identifier: MIT
/* Bytes to tokens. */
#include "policy/lexer.h"

#include "policy/utf8.h"

#define report(l, id, span, ...)                                                                   \
    do {                                                                                           \
        if (!(l)->quiet) eg_report((l)->diagnostics, id, (span), ##__VA_ARGS__);                   \
    } while (0)

static int peek(const struct eg_lexer *l, size_t ahead)
{
    return l->at + ahead < l->text.n ? (unsigned char)l->text.p[l->at + ahead] : -1;
}

static bool at_line_end(const struct eg_lexer *l)
{
    int c = peek(l, 0);
    return c < 0 || c == '\n' || (c == '\r' && peek(l, 1) == '\n');
}

static struct eg_span span_at(const struct eg_lexer *l, size_t start, size_t end)
{
    return (struct eg_span){
        .source = l->source,
        .line = l->line,
        .column = (uint32_t)(start - l->line_start) + 1,
        .length = (uint32_t)(end - start),
    };
}

static bool is_special(int c)
{
    switch (c) {
    case '{':
    case '}':
    case '[':
    case ']':
    case '|':
    case '<':
    case '>':
    case ';':
    case '"':
    case '\'':
    case '\\': return true;
    default: return false;
    }
}

static bool is_ordinary(int c)
{
    return c > 0x20 && c < 0x7f && !is_special(c);
}

static struct eg_token make(const struct eg_lexer *l, enum eg_token_kind kind, size_t start)
{
    return (struct eg_token){
        .kind = kind,
        .text = { l->text.p + start, l->at - start },
        .span = span_at(l, start, l->at),
    };
}

static int hex_value(int c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static void report_control(struct eg_lexer *l, size_t at)
{
    unsigned c = (unsigned char)l->text.p[at];
    if (l->quiet) return;
    eg_report_hint(l->diagnostics, CONTROL, span_at(l, at, at + 1),
                   eg_format_hint(EG_HINT_CONTROL, c).s, c);
}

/* The escape at l->at, which is a backslash.  Its byte; or WRONG_ESCAPE with an
 * error reported; or CUT_ESCAPE when the line ends behind the backslash, where
 * the missing quote is the one mistake.  What was read of it is passed. */
enum { WRONG_ESCAPE = -1, CUT_ESCAPE = -2 };

static int lex_escape(struct eg_lexer *l)
{
    size_t start = l->at;
    int c = peek(l, 1);
    if (c == '"' || c == '\\' || c == 'n' || c == 't') {
        l->at += 2;
        return c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
    int high = c == 'x' ? hex_value(peek(l, 2)) : -1;
    int low = high >= 0 ? hex_value(peek(l, 3)) : -1;
    if (low >= 0) {
        l->at += 4;
        if (high || low) return high << 4 | low;
        report(l, NUL_ESCAPE, span_at(l, start, l->at));
        return WRONG_ESCAPE;
    }
    l->at++;
    if (at_line_end(l)) return CUT_ESCAPE;
    uint32_t code;
    size_t n = eg_utf8_decode(eg_str_skip(l->text, l->at), &code);
    l->at += n ? n : 1;
    report(l, BAD_ESCAPE, span_at(l, start, l->at),
           eg_quote((struct eg_str){ l->text.p + start, l->at - start }).s);
    return WRONG_ESCAPE;
}

/* Bytes up to the quote that ends a string whose content starts at l->at. */
static size_t string_length(const struct eg_lexer *l)
{
    size_t n = 0;
    while (peek(l, n) >= 0 && peek(l, n) != '\n' && peek(l, n) != '"')
        n += peek(l, n) == '\\' ? 2 : 1;
    return n;
}

/* string = '"' { byte | escape } '"' */
static struct eg_token lex_string(struct eg_lexer *l)
{
    size_t start = l->at++;
    size_t content = l->at;
    char *decoded = NULL; /* made at the first escape */
    size_t n = 0;
    bool good = true;
    while (!at_line_end(l) && peek(l, 0) != '"') {
        int c = peek(l, 0);
        if (c == '\\') {
            if (!decoded) {
                decoded = eg_arena_alloc(l->arena, string_length(l) + (l->at - content) + 1);
                if (!decoded) {
                    l->out_of_memory = true;
                    return make(l, EG_TOKEN_BAD, start);
                }
                n = l->at - content;
                for (size_t i = 0; i < n; i++) decoded[i] = l->text.p[content + i];
            }
            c = lex_escape(l);
            if (c == CUT_ESCAPE) break;
            if (c == WRONG_ESCAPE) good = false;
            decoded[n++] = (char)c;
            continue;
        }
        if (good && (c < 0x20 || c == 0x7f) && c != '\t') {
            report_control(l, l->at);
            good = false;
        }
        if (decoded) decoded[n++] = (char)c;
        l->at++;
    }
    if (peek(l, 0) != '"') {
        if (good) report(l, UNTERMINATED_STRING, span_at(l, start, l->at));
        l->swallowed = true;
        return make(l, EG_TOKEN_BAD, start);
    }
    size_t end = l->at++;
    struct eg_token token = make(l, good ? EG_TOKEN_STRING : EG_TOKEN_BAD, start);
    token.text = decoded ? (struct eg_str){ decoded, n }
                         : (struct eg_str){ l->text.p + content, end - content };
    return token;
}

/* hole = '<' { byte | string } '>' */
static struct eg_token lex_hole(struct eg_lexer *l)
{
    size_t start = l->at++;
    bool quoted = false;
    while (!at_line_end(l) && (quoted || peek(l, 0) != '>')) {
        if (peek(l, 0) == '"') quoted = !quoted;
        if (quoted && peek(l, 0) == '\\' && (peek(l, 1) == '"' || peek(l, 1) == '\\')) l->at++;
        l->at++;
    }
    if (peek(l, 0) != '>') {
        report(l, UNTERMINATED_HOLE, span_at(l, start, start + 1));
        l->swallowed = true;
        return make(l, EG_TOKEN_BAD, start);
    }
    l->at++;
    struct eg_token token = make(l, EG_TOKEN_HOLE, start);
    token.text = (struct eg_str){ token.text.p + 1, token.text.n - 2 };
    return token;
}

/* A byte that starts no token. */
static struct eg_token lex_bad(struct eg_lexer *l)
{
    size_t start = l->at;
    int c = peek(l, 0);
    uint32_t code;
    size_t n = eg_utf8_decode(eg_str_skip(l->text, l->at), &code);
    l->at += n ? n : 1;
    struct eg_span span = span_at(l, start, l->at);
    if (c == '\'')
        report(l, SINGLE_QUOTE, span);
    else if (c == '\\')
        report(l, BACKSLASH, span);
    else if (c == '>')
        report(l, SPECIAL, span, c);
    else if (c < 0x20 || c == 0x7f)
        report_control(l, start);
    else
        report(l, NOT_ASCII, span, eg_quote((struct eg_str){ l->text.p + start, l->at - start }).s);
    return make(l, EG_TOKEN_BAD, start);
}

/* Passes a comment's text; false when it holds a carriage return in the middle
 * of a line, which would show a terminal another text than this. */
static bool pass_comment(struct eg_lexer *l)
{
    while (!at_line_end(l)) {
        if (peek(l, 0) == '\r') {
            report_control(l, l->at);
            return false;
        }
        l->at++;
    }
    return true;
}

static struct eg_token lex_newline(struct eg_lexer *l)
{
    struct eg_token token = make(l, EG_TOKEN_NEWLINE, l->at);
    l->at += peek(l, 0) == '\r' ? 2 : 1;
    l->line++;
    l->line_start = l->at;
    return token;
}

struct eg_token eg_lexer_next(struct eg_lexer *l)
{
    static const struct {
        char c;
        enum eg_token_kind kind;
    } specials[] = {
        { '{', EG_TOKEN_LBRACE },   { '}', EG_TOKEN_RBRACE },    { '[', EG_TOKEN_LBRACKET },
        { ']', EG_TOKEN_RBRACKET }, { ';', EG_TOKEN_SEMICOLON }, { '|', EG_TOKEN_BAR },
    };
    size_t before = l->at;
    while (peek(l, 0) == ' ' || peek(l, 0) == '\t') l->at++;
    size_t start = l->at;
    struct eg_token token;
    int c = peek(l, 0);
    if (c == '#') {
        int last = start > 0 ? (unsigned char)l->text.p[start - 1] : '\n';
        bool touches = start == before && last != '\n' && last != ';' && last != '{';
        if (touches) report(l, COMMENT_GLUED, span_at(l, start, start + 1));
        if (!pass_comment(l) || touches) return make(l, EG_TOKEN_BAD, start);
        c = peek(l, 0);
    }
    if (c < 0) return make(l, EG_TOKEN_END, l->at);
    if (at_line_end(l)) return lex_newline(l);
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
        if (c != specials[i].c) continue;
        l->at++;
        token = make(l, specials[i].kind, start);
        token.glued = start == before;
        return token;
    }
    if (c == '"') {
        token = lex_string(l);
    } else if (c == '<') {
        token = lex_hole(l);
    } else if (is_ordinary(c)) {
        while (is_ordinary(peek(l, 0))) l->at++;
        token = make(l, EG_TOKEN_WORD, start);
    } else {
        token = lex_bad(l);
    }
    token.glued = start == before;
    return token;
}
