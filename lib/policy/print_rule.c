// SPDX-License-Identifier: MIT
/* Rules in canonical form. */
#include "policy/print.h"

#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "policy/utf8.h"
#include "policy/words.h"

void eg_text_add(struct eg_text *text, struct eg_str s)
{
    if (text->failed || s.n == 0) return;
    if (text->capacity - text->n < s.n) {
        size_t capacity = (text->n + s.n) * 2 + 64;
        char *larger = realloc(text->p, capacity);
        if (!larger) {
            text->failed = true;
            return;
        }
        text->p = larger;
        text->capacity = capacity;
    }
    memcpy(text->p + text->n, s.p, s.n);
    text->n += s.n;
}

void eg_text_done(struct eg_text *text)
{
    free(text->p);
    *text = (struct eg_text){ 0 };
}

static void add(struct eg_text *text, const char *s)
{
    eg_text_add(text, eg_str(s));
}

/* Can these bytes stand without quotes, and mean themselves? */
static bool is_bare(struct eg_str s)
{
    if (s.n == 0) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f || strchr("{}[]|<>;\"'\\#", c)) return false;
    }
    return true;
}

void eg_print_quoted(struct eg_text *text, struct eg_str s)
{
    static const char digits[] = "0123456789abcdef";
    add(text, "\"");
    while (s.n) {
        uint32_t code = 0;
        size_t n = eg_utf8_decode(s, &code);
        if (n && (code == '"' || code == '\\')) {
            add(text, "\\");
            eg_text_add(text, (struct eg_str){ s.p, 1 });
        } else if (n && code == '\n') {
            add(text, "\\n");
        } else if (n && code == '\t') {
            add(text, "\\t");
        } else if (n && eg_utf8_shown(code)) {
            eg_text_add(text, (struct eg_str){ s.p, n });
        } else {
            if (!n) n = 1;
            for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s.p[i];
                char escape[4] = { '\\', 'x', digits[c >> 4], digits[c & 15] };
                eg_text_add(text, (struct eg_str){ escape, sizeof(escape) });
            }
        }
        s = eg_str_skip(s, n);
    }
    add(text, "\"");
}

void eg_print_word(struct eg_text *text, struct eg_str word)
{
    if (is_bare(word))
        eg_text_add(text, word);
    else
        eg_print_quoted(text, word);
}

void eg_print_program(struct eg_text *text, struct eg_str path)
{
    while (path.n) {
        struct eg_str part = { path.p, eg_str_find(path, '*') };
        if (part.n == 0) {
            add(text, "*");
            part.n = 1;
        } else {
            eg_print_word(text, part);
        }
        path = eg_str_skip(path, part.n);
    }
}

/* A literal piece of an argument.  A bare * would be warned about, and bare dots
 * at an end refused. */
static void print_literal(struct eg_text *text, struct eg_str s)
{
    bool bare = is_bare(s) && eg_str_find(s, '*') == s.n && !eg_str_starts(s, EG_STR("...")) &&
                !eg_str_ends(s, EG_STR("...")) && !eg_str_equal(s, EG_STR("from")) &&
                !eg_str_equal(s, EG_STR("for"));
    if (bare)
        eg_text_add(text, s);
    else
        eg_print_quoted(text, s);
}

/* Quotes in a hole protect only; its two escapes are those of a quote and of a
 * backslash. */
static void print_pattern(struct eg_text *text, struct eg_str s)
{
    if (is_bare(s)) {
        eg_text_add(text, s);
        return;
    }
    add(text, "\"");
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\') add(text, "\\");
        eg_text_add(text, (struct eg_str){ s.p + i, 1 });
    }
    add(text, "\"");
}

static void print_piece(struct eg_text *text, const struct eg_ast_piece *piece)
{
    if (piece->kind == EG_PIECE_LITERAL) {
        print_literal(text, piece->text);
        return;
    }
    add(text, "<");
    add(text, eg_hole_word(piece->kind));
    if (piece->text.n) {
        add(text, " ");
        print_pattern(text, piece->text);
    }
    add(text, ">");
}

static void print_sequence(struct eg_text *text, const struct eg_ast_sequence *sequence)
{
    for (size_t i = 0; i < sequence->count; i++) {
        const struct eg_ast_arg *arg = &sequence->args[i];
        if (i) add(text, " ");
        switch (arg->kind) {
        case EG_ARG_WORD:
            if (arg->piece_count == 0) add(text, "\"\"");
            for (size_t j = 0; j < arg->piece_count; j++) print_piece(text, &arg->pieces[j]);
            break;
        case EG_ARG_OPTIONAL:
            add(text, "[");
            print_sequence(text, &arg->branches[0]);
            add(text, "]");
            break;
        case EG_ARG_ALTERNATIVES:
            for (size_t j = 0; j < arg->branch_count; j++) {
                add(text, j ? "|" : "{");
                print_sequence(text, &arg->branches[j]);
            }
            add(text, "}");
            break;
        case EG_ARG_REST: add(text, "..."); break;
        }
    }
}

void eg_print_rule_subject(struct eg_text *text, const struct eg_ast_rule *rule)
{
    if (rule->verb == EG_VERB_SHELL_FROM) {
        add(text, "allow");
    } else {
        eg_print_program(text, rule->program.text);
        if (rule->args.count) add(text, " ");
        print_sequence(text, &rule->args);
    }
    for (size_t i = 0; i < rule->from_count; i++) {
        add(text, i ? " " : " from ");
        eg_print_program(text, rule->from[i].text);
    }
    for (size_t i = 0; i < rule->user_count; i++) {
        add(text, i ? " " : " for ");
        eg_print_program(text, rule->users[i].text);
    }
}

void eg_print_rule(struct eg_text *text, const struct eg_ast_rule *rule)
{
    switch (rule->verb) {
    case EG_VERB_DENY: add(text, "deny "); break;
    case EG_VERB_ALLOW: add(text, "allow "); break;
    case EG_VERB_LOG: add(text, "log "); break;
    case EG_VERB_SHELL_FROM: add(text, "shell "); break;
    }
    if (rule->optional) add(text, "optional ");
    eg_print_rule_subject(text, rule);
}

char *eg_policy_print_rule(const struct eg_ast_rule *rule)
{
    struct eg_text text = { 0 };
    eg_print_rule(&text, rule);
    eg_text_add(&text, (struct eg_str){ "", 1 });
    if (!text.failed) return text.p;
    eg_text_done(&text);
    return NULL;
}
