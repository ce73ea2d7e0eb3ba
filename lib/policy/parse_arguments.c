// SPDX-License-Identifier: MIT
/* Argument patterns: words with holes, optional groups, alternatives. */
#include "policy/parser.h"

#include <string.h>

/* Where a sequence stands: what may end it. */
enum level { IN_RULE, IN_GROUP, IN_ALTERNATIVES };

/* A part of a word while it is read: a piece, or alternatives. */
struct segment {
    struct eg_ast_piece piece;
    struct eg_ast_arg *alternatives; /* NULL: the piece counts */
};

/* One of the words that a word with alternatives inside stands for. */
struct variant {
    struct eg_ast_piece *pieces;
    size_t count;
};

struct variants {
    struct variant items[EG_VARIANTS_MAX];
    size_t count;
};

static bool parse_sequence(struct eg_parser *p, enum level level, unsigned depth,
                           struct eg_ast_sequence *ret);

static bool starts_word(enum eg_token_kind kind)
{
    return kind == EG_TOKEN_WORD || kind == EG_TOKEN_STRING || kind == EG_TOKEN_HOLE ||
           kind == EG_TOKEN_LBRACE;
}

/* Is the current token this bare word, standing alone? */
static bool is_bare(struct eg_parser *p, const char *word)
{
    if (p->token.kind != EG_TOKEN_WORD || !eg_str_equal(p->token.text, eg_str(word))) return false;
    struct eg_lexer lexer = p->lexer;
    lexer.quiet = true;
    struct eg_token next = eg_lexer_next(&lexer);
    return !next.glued || !(starts_word(next.kind) || next.kind == EG_TOKEN_LBRACKET);
}

static struct eg_ast_arg *add_arg(struct eg_parser *p, struct eg_ast_sequence *sequence)
{
    struct eg_ast_arg *args =
        eg_arena_grow(p->policy->arena, sequence->args, sequence->count, sizeof(*args));
    if (!args) return NULL;
    sequence->args = args;
    return &args[sequence->count++];
}

static struct eg_ast_sequence *add_branch(struct eg_parser *p, struct eg_ast_arg *arg)
{
    struct eg_ast_sequence *branches =
        eg_arena_grow(p->policy->arena, arg->branches, arg->branch_count, sizeof(*branches));
    if (!branches) return NULL;
    arg->branches = branches;
    return &branches[arg->branch_count++];
}

static struct eg_str trim(struct eg_str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = eg_str_skip(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* pattern = byte { byte } | '"' { byte | '\"' | '\\' } '"'
 * Quotes only protect spaces here; a * in them still matches. */
static bool parse_pattern(struct eg_parser *p, struct eg_str raw, struct eg_str *ret)
{
    bool quoted = raw.p[0] == '"';
    if (quoted && (raw.n < 2 || raw.p[raw.n - 1] != '"')) return false;
    char *text = eg_arena_alloc(p->policy->arena, raw.n + 1);
    if (!text) return eg_parser_exhausted(p);
    size_t n = 0;
    size_t end = raw.n - (quoted ? 1 : 0);
    for (size_t i = quoted ? 1 : 0; i < end; i++) {
        unsigned char c = (unsigned char)raw.p[i];
        if (c == '\\' && quoted) {
            if (++i >= end || (raw.p[i] != '"' && raw.p[i] != '\\')) return false;
            c = (unsigned char)raw.p[i];
        } else if (c == '"' || c < 0x20 || c == 0x7f) {
            return false;
        } else if (!quoted && (c == ' ' || c >= 0x80)) {
            return false;
        }
        text[n++] = (char)c;
    }
    *ret = (struct eg_str){ text, n };
    return n > 0;
}

static bool has_parent(struct eg_str path)
{
    while (path.n) {
        size_t slash = eg_str_find(path, '/');
        if (slash == 2 && path.p[0] == '.' && path.p[1] == '.') return true;
        path = eg_str_skip(path, slash + 1);
    }
    return false;
}

/* hole = '<' NAME [ pattern ] '>' */
static bool parse_hole(struct eg_parser *p, struct eg_ast_piece *ret)
{
    struct eg_span span = p->token.span;
    struct eg_str rest = trim(p->token.text);
    struct eg_str name = { rest.p, 0 };
    while (name.n < rest.n && rest.p[name.n] != ' ' && rest.p[name.n] != '\t') name.n++;
    rest = trim(eg_str_skip(rest, name.n));

    enum eg_piece_kind kind;
    if (!eg_hole_find(name, &kind)) {
        int shown = name.n < 40 ? (int)name.n : 40;
        char text[41] = { 0 };
        if (shown) memcpy(text, name.p, (size_t)shown);
        eg_report_hint(p->diagnostics, UNKNOWN_HOLE, span, eg_hole_hint(name).s, text);
        return false;
    }
    *ret = (struct eg_ast_piece){ .kind = kind, .span = span };
    if (rest.n == 0) {
        eg_parser_advance(p);
        return true;
    }
    if (!eg_hole_takes_glob(kind)) {
        eg_report(p->diagnostics, HOLE_TAKES_NOTHING, span, eg_hole_word(kind));
        return false;
    }
    if (!parse_pattern(p, rest, &ret->text)) {
        if (!p->out_of_memory) eg_report(p->diagnostics, HOLE_PATTERN, span, eg_hole_word(kind));
        return false;
    }
    if (has_parent(ret->text)) {
        eg_report(p->diagnostics, HOLE_PARENT, span, eg_hole_word(kind));
        return false;
    }
    eg_parser_advance(p);
    return true;
}

/* group = '[' sequence ']' */
static bool parse_group(struct eg_parser *p, unsigned depth, struct eg_ast_arg *ret)
{
    struct eg_span opener = p->token.span;
    if (depth >= EG_NESTING_MAX) {
        eg_report(p->diagnostics, TOO_DEEP, opener);
        return false;
    }
    eg_parser_advance(p);
    *ret = (struct eg_ast_arg){ .kind = EG_ARG_OPTIONAL, .span = opener };
    struct eg_ast_sequence *branch = add_branch(p, ret);
    if (!branch) return eg_parser_exhausted(p);
    if (!parse_sequence(p, IN_GROUP, depth + 1, branch)) return false;
    if (p->token.kind == EG_TOKEN_BAR) {
        eg_report(p->diagnostics, BAR, p->token.span);
        return false;
    }
    if (p->token.kind != EG_TOKEN_RBRACKET) {
        eg_report(p->diagnostics, GROUP_UNCLOSED, opener);
        return false;
    }
    ret->span = eg_span_join(opener, p->token.span);
    if (branch->count == 0) {
        eg_report(p->diagnostics, GROUP_EMPTY, ret->span);
        return false;
    }
    eg_parser_advance(p);
    if (p->token.glued && (starts_word(p->token.kind) || p->token.kind == EG_TOKEN_LBRACKET)) {
        eg_report(p->diagnostics, GROUP_IN_WORD, opener);
        return false;
    }
    return true;
}

/* alternatives = '{' sequence '|' sequence { '|' sequence } '}' */
static bool parse_alternatives(struct eg_parser *p, unsigned depth, struct eg_ast_arg *ret)
{
    struct eg_span opener = p->token.span;
    if (depth >= EG_NESTING_MAX) {
        eg_report(p->diagnostics, TOO_DEEP, opener);
        return false;
    }
    *ret = (struct eg_ast_arg){ .kind = EG_ARG_ALTERNATIVES, .span = opener };
    p->open_braces++;
    do {
        eg_parser_advance(p); /* the { or the | */
        struct eg_ast_sequence *branch = add_branch(p, ret);
        if (!branch) return eg_parser_exhausted(p);
        struct eg_span start = p->token.span;
        if (!parse_sequence(p, IN_ALTERNATIVES, depth + 1, branch)) return false;
        if (p->token.kind == EG_TOKEN_RBRACKET) {
            eg_report(p->diagnostics, GROUP_UNMATCHED, p->token.span);
            return false;
        }
        if (p->token.kind != EG_TOKEN_BAR && p->token.kind != EG_TOKEN_RBRACE) {
            eg_report(p->diagnostics, ALTERNATIVES_UNCLOSED, opener);
            return false;
        }
        if (branch->count == 0) {
            eg_report(p->diagnostics, ALTERNATIVE_EMPTY, start);
            return false;
        }
    } while (p->token.kind == EG_TOKEN_BAR);
    ret->span = eg_span_join(opener, p->token.span);
    if (ret->branch_count < 2) {
        eg_report(p->diagnostics, ALTERNATIVE_SINGLE, ret->span);
        return false;
    }
    p->open_braces--;
    eg_parser_advance(p);
    return true;
}

/* The words that alternatives inside a word stand for. */
static bool collect_variants(struct eg_parser *p, const struct eg_ast_arg *alternatives,
                             struct variants *ret)
{
    for (size_t i = 0; i < alternatives->branch_count; i++) {
        const struct eg_ast_sequence *branch = &alternatives->branches[i];
        const struct eg_ast_arg *arg = &branch->args[0];
        if (branch->count != 1 || (arg->kind != EG_ARG_WORD && arg->kind != EG_ARG_ALTERNATIVES)) {
            eg_report(p->diagnostics, ALTERNATIVE_SPACE, alternatives->span);
            return false;
        }
        if (arg->kind == EG_ARG_ALTERNATIVES) {
            if (!collect_variants(p, arg, ret)) return false;
            continue;
        }
        if (ret->count == EG_VARIANTS_MAX) {
            eg_report(p->diagnostics, ALTERNATIVES_MANY, alternatives->span);
            return false;
        }
        ret->items[ret->count++] = (struct variant){ arg->pieces, arg->piece_count };
    }
    return true;
}

/* Put a piece behind a variant; literals that touch become one. */
static bool add_piece(struct eg_parser *p, struct variant *v, const struct eg_ast_piece *piece)
{
    struct eg_arena *arena = p->policy->arena;
    struct eg_ast_piece *last = v->count ? &v->pieces[v->count - 1] : NULL;
    if (last && last->kind == EG_PIECE_LITERAL && piece->kind == EG_PIECE_LITERAL) {
        struct eg_str joined = { NULL, 0 };
        size_t capacity = 0;
        if (!eg_arena_append(arena, &joined, &capacity, last->text)) return false;
        if (!eg_arena_append(arena, &joined, &capacity, piece->text)) return false;
        last->text = joined;
        last->span = eg_span_join(last->span, piece->span);
        return true;
    }
    struct eg_ast_piece *pieces = eg_arena_grow(arena, v->pieces, v->count, sizeof(*pieces));
    if (!pieces) return false;
    v->pieces = pieces;
    v->pieces[v->count++] = *piece;
    return true;
}

/* Every variant of `have`, continued with every one of `more`. */
static bool multiply(struct eg_parser *p, struct variants *have, const struct variants *more,
                     struct eg_span span)
{
    if (have->count * more->count > EG_VARIANTS_MAX) {
        eg_report(p->diagnostics, ALTERNATIVES_MANY, span);
        return false;
    }
    struct variants product = { .count = 0 };
    for (size_t i = 0; i < have->count; i++) {
        for (size_t j = 0; j < more->count; j++) {
            struct variant *v = &product.items[product.count++];
            *v = (struct variant){ NULL, 0 };
            for (size_t k = 0; k < have->items[i].count; k++)
                if (!add_piece(p, v, &have->items[i].pieces[k])) return eg_parser_exhausted(p);
            for (size_t k = 0; k < more->items[j].count; k++)
                if (!add_piece(p, v, &more->items[j].pieces[k])) return eg_parser_exhausted(p);
        }
    }
    *have = product;
    return true;
}

/* A word with alternatives inside becomes alternatives of words. */
static bool expand(struct eg_parser *p, struct segment *segments, size_t count,
                   struct eg_ast_arg *ret)
{
    struct variants all = { .count = 1 };
    for (size_t i = 0; i < count; i++) {
        struct variants next = { .count = 0 };
        struct eg_span span = segments[i].piece.span;
        if (!segments[i].alternatives) {
            next.items[next.count++] = (struct variant){ &segments[i].piece, 1 };
        } else {
            span = segments[i].alternatives->span;
            if (!collect_variants(p, segments[i].alternatives, &next)) return false;
        }
        if (!multiply(p, &all, &next, span)) return false;
    }
    ret->kind = EG_ARG_ALTERNATIVES;
    for (size_t i = 0; i < all.count; i++) {
        if (!eg_check_word(p, all.items[i].pieces, all.items[i].count)) return false;
        struct eg_ast_sequence *branch = add_branch(p, ret);
        struct eg_ast_arg *word = branch ? add_arg(p, branch) : NULL;
        if (!word) return eg_parser_exhausted(p);
        *word = (struct eg_ast_arg){
            .kind = EG_ARG_WORD,
            .pieces = all.items[i].pieces,
            .piece_count = all.items[i].count,
            .span = ret->span,
        };
    }
    return true;
}

/* What is suspicious in a bare word. */
static bool check_bare(struct eg_parser *p, struct eg_str text, struct eg_span span)
{
    if (eg_str_starts(text, EG_STR("...")) || eg_str_ends(text, EG_STR("..."))) {
        eg_report(p->diagnostics, REST_IN_WORD, span, eg_quote(text).s);
        return false;
    }
    if (eg_str_find(text, '*') != text.n) eg_report(p->diagnostics, STAR, span);
    return true;
}

/* word = part { glued part }    part = WORD | STRING | hole | alternatives */
static bool parse_word(struct eg_parser *p, unsigned depth, struct eg_ast_arg *ret)
{
    struct eg_arena *arena = p->policy->arena;
    struct segment *segments = NULL;
    size_t count = 0;
    size_t capacity = 0; /* of the last segment's literal when it was joined */
    bool branching = false;
    bool first = true;
    struct eg_span start = p->token.span;
    while (starts_word(p->token.kind) && (first || p->token.glued)) {
        first = false;
        struct segment segment = { .piece = { .span = p->token.span } };
        if (p->token.kind == EG_TOKEN_HOLE) {
            if (!parse_hole(p, &segment.piece)) return false;
        } else if (p->token.kind == EG_TOKEN_LBRACE) {
            segment.alternatives = eg_arena_alloc(arena, sizeof(*segment.alternatives));
            if (!segment.alternatives) return eg_parser_exhausted(p);
            if (!parse_alternatives(p, depth, segment.alternatives)) return false;
            branching = true;
        } else {
            if (p->token.kind == EG_TOKEN_WORD && !check_bare(p, p->token.text, p->token.span))
                return false;
            segment.piece.text = p->token.text;
            eg_parser_advance(p);
            if (segment.piece.text.n == 0) continue;
            struct segment *last = count ? &segments[count - 1] : NULL;
            if (last && !last->alternatives && last->piece.kind == EG_PIECE_LITERAL) {
                struct eg_str text = last->piece.text;
                if (capacity == 0) {
                    last->piece.text = (struct eg_str){ NULL, 0 };
                    if (!eg_arena_append(arena, &last->piece.text, &capacity, text))
                        return eg_parser_exhausted(p);
                }
                if (!eg_arena_append(arena, &last->piece.text, &capacity, segment.piece.text))
                    return eg_parser_exhausted(p);
                last->piece.span = eg_span_join(last->piece.span, segment.piece.span);
                continue;
            }
        }
        struct segment *grown = eg_arena_grow(arena, segments, count, sizeof(*segments));
        if (!grown) return eg_parser_exhausted(p);
        segments = grown;
        segments[count++] = segment;
        capacity = 0;
    }
    if (p->token.glued && p->token.kind == EG_TOKEN_LBRACKET) {
        eg_report(p->diagnostics, GROUP_IN_WORD, p->token.span);
        return false;
    }
    if (branching && count == 1) {
        *ret = *segments[0].alternatives;
        return true;
    }
    *ret = (struct eg_ast_arg){ .kind = EG_ARG_WORD, .span = eg_span_join(start, p->last) };
    if (branching) return expand(p, segments, count, ret);
    struct variant word = { NULL, 0 };
    for (size_t i = 0; i < count; i++)
        if (!add_piece(p, &word, &segments[i].piece)) return eg_parser_exhausted(p);
    ret->pieces = word.pieces;
    ret->piece_count = word.count;
    return eg_check_word(p, ret->pieces, ret->piece_count);
}

/* sequence = { word | group | alternatives } [ '...' ] */
static bool parse_sequence(struct eg_parser *p, enum level level, unsigned depth,
                           struct eg_ast_sequence *ret)
{
    for (;;) {
        if (is_bare(p, "from")) {
            if (level == IN_RULE) return true;
            eg_report(p->diagnostics, FROM_IN_GROUP, p->token.span,
                      level == IN_GROUP ? "[ ]" : "{ }");
            return false;
        }
        if (is_bare(p, "for") && level == IN_RULE) return true;
        bool rest = is_bare(p, "...");
        if (rest && level != IN_RULE) {
            eg_report(p->diagnostics, REST_NOT_LAST, p->token.span);
            return false;
        }
        if (p->token.kind == EG_TOKEN_BAD) return false;
        if (!starts_word(p->token.kind) && p->token.kind != EG_TOKEN_LBRACKET) return true;
        struct eg_ast_arg *arg = add_arg(p, ret);
        if (!arg) return eg_parser_exhausted(p);
        if (rest) {
            *arg = (struct eg_ast_arg){ .kind = EG_ARG_REST, .span = p->token.span };
            eg_parser_advance(p);
            if (eg_parser_at_end_of_statement(p) || is_bare(p, "from") || is_bare(p, "for"))
                return true;
            if (p->token.kind != EG_TOKEN_BAD) eg_report(p->diagnostics, REST_NOT_LAST, arg->span);
            return false;
        }
        bool good = p->token.kind == EG_TOKEN_LBRACKET ? parse_group(p, depth, arg)
                                                       : parse_word(p, depth, arg);
        if (!good) return false;
    }
}

bool eg_parse_arguments(struct eg_parser *p, struct eg_ast_sequence *ret)
{
    *ret = (struct eg_ast_sequence){ NULL, 0 };
    if (!parse_sequence(p, IN_RULE, 0, ret)) return false;
    if (p->token.kind == EG_TOKEN_RBRACKET) {
        eg_report(p->diagnostics, GROUP_UNMATCHED, p->token.span);
        return false;
    }
    if (p->token.kind == EG_TOKEN_BAR) {
        eg_report(p->diagnostics, BAR, p->token.span);
        return false;
    }
    return true;
}
