// SPDX-License-Identifier: MIT
/* Globs of the policy language, matched by simulating an automaton whose states
 * are the places in the pattern: each byte of the text visits each state at most
 * once, so no pattern and no text can make it slow. */
#include "decide/decide.h"

/* Two stars are two places: at ENTER nothing is matched yet, so that a whole
 * component made of them may be absent; at ANY bytes may go by. */
enum token_kind { LITERAL, ONE, STAR, ENTER, ANY, SET };

struct token {
    uint16_t next; /* place after the token */
    uint8_t kind;
    uint8_t byte; /* LITERAL */
};

struct states {
    uint64_t bits[(EG_GLOB_MAX + 64) / 64];
};

struct glob {
    struct eg_str pattern;
    struct token tokens[EG_GLOB_MAX];
};

static void add(struct states *s, size_t place)
{
    s->bits[place / 64] |= (uint64_t)1 << (place % 64);
}

static bool has(const struct states *s, size_t place)
{
    return s->bits[place / 64] >> (place % 64) & 1;
}

/* Place after the `]` that closes the set opened at `at`; 0 when nothing does. */
static size_t set_end(struct eg_str p, size_t at)
{
    size_t i = at + 1;
    if (i < p.n && (p.p[i] == '!' || p.p[i] == '^')) i++;
    for (size_t first = i; i < p.n; i++) {
        if (p.p[i] == '\\')
            i++;
        else if (p.p[i] == ']' && i > first)
            return i + 1;
    }
    return 0;
}

/* An unclosed `[` is an ordinary character; then no later one can be closed
 * either, which keeps this pass linear. */
static void read_pattern(struct glob *g)
{
    struct eg_str p = g->pattern;
    bool unclosed = false;
    for (size_t i = 0; i < p.n;) {
        struct token t = { (uint16_t)(i + 1), LITERAL, (uint8_t)p.p[i] };
        size_t end;
        if (p.p[i] == '\\' && i + 1 < p.n) {
            t.byte = (uint8_t)p.p[i + 1];
            t.next++;
        } else if (p.p[i] == '?') {
            t.kind = ONE;
        } else if (p.p[i] == '*') {
            t.kind = STAR;
            if (i + 1 < p.n && p.p[i + 1] == '*') {
                t.kind = ENTER;
                g->tokens[i + 1] = (struct token){ (uint16_t)(i + 2), ANY, 0 };
                t.next++;
            }
        } else if (p.p[i] == '[' && !unclosed) {
            end = set_end(p, i);
            unclosed = end == 0;
            if (end) {
                t.kind = SET;
                t.next = (uint16_t)end;
            }
        }
        g->tokens[i] = t;
        i = t.next;
    }
}

static uint8_t set_byte(struct eg_str p, size_t *at)
{
    if (p.p[*at] == '\\') ++*at;
    return (uint8_t)p.p[(*at)++];
}

/* Is `byte` in the set that stands at [at, end)? */
static bool set_holds(struct eg_str p, size_t at, size_t end, uint8_t byte)
{
    size_t i = at + 1;
    size_t last = end - 1; /* the closing bracket */
    bool negated = p.p[i] == '!' || p.p[i] == '^';
    bool found = false;
    if (negated) i++;
    while (i < last) {
        uint8_t low = set_byte(p, &i);
        uint8_t high = low;
        if (i + 1 < last && p.p[i] == '-') {
            i++;
            high = set_byte(p, &i);
        }
        if (byte >= low && byte <= high) found = true;
    }
    return found != negated;
}

/* Follow what needs no input.  It leads forward only, so one ascending pass
 * reaches everything. */
static void close_over(const struct glob *g, struct states *s)
{
    struct eg_str p = g->pattern;
    for (size_t w = 0; w * 64 < p.n; w++) {
        uint64_t seen = 0;
        uint64_t left;
        while ((left = s->bits[w] & ~seen) != 0) {
            size_t i = w * 64 + (size_t)__builtin_ctzll(left);
            seen |= (uint64_t)1 << (i % 64);
            if (i >= p.n) break;
            const struct token *t = &g->tokens[i];
            if (t->kind == STAR || t->kind == ANY) add(s, t->next);
            if (t->kind != ENTER) continue;
            add(s, i + 1);
            if ((i == 0 || p.p[i - 1] == '/') && t->next < p.n && p.p[t->next] == '/')
                add(s, t->next + 1u);
        }
    }
}

/* One byte of text: from `s` to `ret`.  False when no state is left. */
static bool step(const struct glob *g, const struct states *s, uint8_t byte, struct states *ret)
{
    bool alive = false;
    *ret = (struct states){ { 0 } };
    for (size_t w = 0; w * 64 < g->pattern.n; w++) {
        for (uint64_t left = s->bits[w]; left; left &= left - 1) {
            size_t i = w * 64 + (size_t)__builtin_ctzll(left);
            if (i >= g->pattern.n) break;
            const struct token *t = &g->tokens[i];
            size_t to = t->next;
            bool taken = false;
            switch ((enum token_kind)t->kind) {
            case LITERAL: taken = byte == t->byte; break;
            case ONE: taken = byte != '/'; break;
            case SET: taken = byte != '/' && set_holds(g->pattern, i, t->next, byte); break;
            case STAR:
                taken = byte != '/';
                to = i;
                break;
            case ANY:
                taken = true;
                to = i;
                break;
            case ENTER: break;
            }
            if (!taken) continue;
            add(ret, to);
            alive = true;
        }
    }
    return alive;
}

static bool match_rest(struct eg_str pattern, struct eg_str text)
{
    struct glob g;
    struct states now = { { 0 } };
    struct states next;
    g.pattern = pattern;
    read_pattern(&g);
    add(&now, 0);
    close_over(&g, &now);
    for (size_t i = 0; i < text.n; i++) {
        if (!step(&g, &now, (uint8_t)text.p[i], &next)) return false;
        close_over(&g, &next);
        now = next;
    }
    return has(&now, pattern.n);
}

/* Bytes before the first that is no ordinary one, back to the slash there: what a
 * `**` does depends on the byte before it. */
static size_t plain_start(struct eg_str pattern)
{
    size_t slash = 0;
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        if (c == '*' || c == '?' || c == '[' || c == '\\') return slash;
        if (c == '/') slash = i;
    }
    return pattern.n;
}

bool eg_glob_match(struct eg_str pattern, struct eg_str text)
{
    if (pattern.n > EG_GLOB_MAX) return false;
    /* Most patterns are a folder and two stars, and most texts lie elsewhere. */
    size_t plain = plain_start(pattern);
    if (text.n < plain || !eg_bytes_equal(pattern.p, text.p, plain)) return false;
    pattern = eg_str_skip(pattern, plain);
    text = eg_str_skip(text, plain);
    if (!pattern.n) return !text.n;
    if (eg_str_equal(pattern, EG_STR("/**"))) return text.n && text.p[0] == '/';
    return match_rest(pattern, text);
}
