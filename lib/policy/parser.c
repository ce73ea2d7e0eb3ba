// SPDX-License-Identifier: MIT
/* Tokens and plain words for the parse functions, and getting on after a
 * mistake. */
#include "policy/parser.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"

void eg_parser_advance(struct eg_parser *p)
{
    p->last = p->token.span;
    p->token = eg_lexer_next(&p->lexer);
    if (p->lexer.out_of_memory) p->out_of_memory = true;
}

bool eg_parser_at_end_of_statement(const struct eg_parser *p)
{
    switch (p->token.kind) {
    case EG_TOKEN_END:
    case EG_TOKEN_NEWLINE:
    case EG_TOKEN_SEMICOLON:
    case EG_TOKEN_RBRACE: return true;
    default: return false;
    }
}

bool eg_parser_brace_follows(struct eg_parser *p)
{
    struct eg_lexer lexer = p->lexer;
    lexer.quiet = true;
    return eg_lexer_next(&lexer).kind == EG_TOKEN_LBRACE;
}

/* Is the `{` just passed the last thing on its line?  Then it opens a block. */
static bool block_opened(const struct eg_parser *p)
{
    return p->token.kind == EG_TOKEN_NEWLINE || p->token.kind == EG_TOKEN_END;
}

void eg_parser_skip_statement(struct eg_parser *p)
{
    unsigned depth = p->open_braces;
    unsigned blocks = 0;
    bool in_rule = p->in_rule;
    p->open_braces = 0;
    p->in_rule = false;
    p->lexer.quiet = true;
    for (;;) {
        enum eg_token_kind kind = p->token.kind;
        if (kind == EG_TOKEN_END) break;
        if (kind == EG_TOKEN_NEWLINE && blocks == 0) {
            /* Braces that are open at the end of a line were a block's, unless
             * a rule's alternatives were not closed. */
            if (depth == 0 || in_rule) break;
            blocks = depth;
            depth = 0;
        } else if (kind == EG_TOKEN_SEMICOLON && blocks + depth == 0) {
            break;
        } else if (kind == EG_TOKEN_RBRACE) {
            if (blocks + depth == 0) break;
            if (depth)
                depth--;
            else
                blocks--;
        }
        eg_parser_advance(p);
        if (kind == EG_TOKEN_LBRACE) {
            if (block_opened(p))
                blocks++;
            else
                depth++;
        }
    }
    p->lexer.quiet = false;
}

struct eg_span eg_span_join(struct eg_span first, struct eg_span last)
{
    if (last.line == first.line && last.column >= first.column)
        first.length = last.column + last.length - first.column;
    return first;
}

struct eg_hint eg_parser_place(const struct eg_parser *p, struct eg_span span)
{
    struct eg_hint hint = { "" };
    struct eg_buf b = eg_buf_over(hint.s, sizeof(hint.s));
    eg_buf_str(&b, p->policy->sources[span.source].path);
    eg_buf_byte(&b, ':');
    eg_buf_u64(&b, span.line);
    eg_buf_cstr(&b);
    return hint;
}

bool eg_parser_exhausted(struct eg_parser *p)
{
    p->out_of_memory = true;
    return false;
}

/* The current token as the writer sees it. */
static struct eg_quoted describe_token(const struct eg_parser *p)
{
    struct eg_quoted text = { "" };
    if (p->token.kind == EG_TOKEN_NEWLINE || p->token.kind == EG_TOKEN_END) {
        memcpy(text.s, "the end of the line", sizeof("the end of the line"));
        return text;
    }
    return eg_quote((struct eg_str){ p->lexer.text.p + p->lexer.at - p->token.span.length,
                                     p->token.span.length });
}

bool eg_parser_unexpected(struct eg_parser *p, const char *hint)
{
    if (p->token.kind != EG_TOKEN_BAD)
        eg_report_hint(p->diagnostics, UNEXPECTED, p->token.span, hint, describe_token(p).s);
    return false;
}

/* plain = (WORD | STRING) { glued (WORD | STRING) } */
bool eg_parse_plain(struct eg_parser *p, const char *after, const char *what, struct eg_plain *ret)
{
    struct eg_span start = p->token.span;
    *ret = (struct eg_plain){ .span = start };
    size_t parts = 0;
    struct eg_str joined = { NULL, 0 };
    size_t capacity = 0;
    while (p->token.kind == EG_TOKEN_WORD || p->token.kind == EG_TOKEN_STRING) {
        if (parts > 0 && !p->token.glued) break;
        struct eg_str text = p->token.text;
        if (p->token.kind == EG_TOKEN_STRING) {
            ret->quoted = true;
            if (text.n && eg_str_find(text, '*') != text.n) ret->star_quoted = true;
        }
        if (parts++ == 0) {
            ret->text = text;
        } else {
            if (parts == 2 && !eg_arena_append(p->policy->arena, &joined, &capacity, ret->text))
                return eg_parser_exhausted(p);
            if (!eg_arena_append(p->policy->arena, &joined, &capacity, text))
                return eg_parser_exhausted(p);
            ret->text = joined;
        }
        ret->span = eg_span_join(start, p->token.span);
        eg_parser_advance(p);
    }
    if (parts == 0) {
        if (eg_parser_at_end_of_statement(p)) {
            struct eg_span span = p->last;
            span.column += span.length;
            span.length = 1;
            eg_report(p->diagnostics, WORD_MISSING, span, eg_quote(eg_str(after)).s, what);
            return false;
        }
        return eg_parser_unexpected(p, "to mean the characters put the word in double quotes");
    }
    if (p->token.glued && !eg_parser_at_end_of_statement(p) && p->token.kind != EG_TOKEN_LBRACE)
        return eg_parser_unexpected(p, "to mean the characters put the word in double quotes");
    return true;
}

const struct eg_word_row *eg_parse_word_of(struct eg_parser *p, enum eg_place place,
                                           const char *after, const char *what)
{
    struct eg_plain plain;
    if (!eg_parse_plain(p, after, what, &plain)) return NULL;
    const struct eg_word_row *row = eg_word_find(place, plain.text);
    if (row && plain.quoted) {
        eg_report(p->diagnostics, QUOTED_WORD, plain.span, eg_quote(plain.text).s);
        return NULL;
    }
    if (!row) {
        eg_report_hint(p->diagnostics, UNKNOWN_WORD, plain.span, eg_word_hint(place, plain.text).s,
                       eg_quote(plain.text).s);
        return NULL;
    }
    if (!row->built) {
        eg_report(p->diagnostics, NOT_BUILT, plain.span, eg_quote(plain.text).s);
        return NULL;
    }
    return row;
}

bool eg_parser_once(struct eg_parser *p, struct eg_str what, struct eg_span *first,
                    struct eg_span span)
{
    if (first->line == 0) {
        *first = span;
        return true;
    }
    struct eg_hint hint =
        eg_format_hint("it was said at %s; keep one", eg_parser_place(p, *first).s);
    eg_report_hint(p->diagnostics, TWICE, span, hint.s, eg_quote(what).s);
    return true; /* the statement itself is in order: read on after it */
}

void eg_parser_note_name(struct eg_parser *p, char kind, struct eg_str name, struct eg_span span)
{
    char small[256];
    size_t n = name.n + 1;
    char *key = n <= sizeof(small) ? small : eg_arena_alloc(p->policy->arena, n);
    if (!key) {
        p->out_of_memory = true;
        return;
    }
    key[0] = kind;
    if (name.n) memcpy(key + 1, name.p, name.n);
    struct eg_span first;
    int r = eg_seen_add(&p->seen, (struct eg_str){ key, n }, span, &first);
    if (r < 0) p->out_of_memory = true;
    if (r <= 0) return;
    struct eg_hint hint = eg_format_hint("the first is at %s", eg_parser_place(p, first).s);
    eg_report_hint(p->diagnostics, NAMED_TWICE, span, hint.s, eg_quote(name).s);
}
