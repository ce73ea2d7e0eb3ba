// SPDX-License-Identifier: MIT
/* Printing parts of the tree into memory that grows. */
#ifndef EG_POLICY_PRINT_H
#define EG_POLICY_PRINT_H

#include "policy/ast.h"

struct eg_text {
    char *p;
    size_t n;
    size_t capacity;
    bool failed; /* out of memory: what follows is dropped */
};

static inline struct eg_str eg_text_view(const struct eg_text *text)
{
    return (struct eg_str){ text->p, text->n };
}
void eg_text_add(struct eg_text *text, struct eg_str s);
void eg_text_done(struct eg_text *text);

/* The calls that a rule is about: the statement without verb and `optional`. */
void eg_print_rule_subject(struct eg_text *text, const struct eg_ast_rule *rule);

/* A word, in quotes where it could be taken for something else. */
void eg_print_word(struct eg_text *text, struct eg_str word);

/* A word in quotes in any case. */
void eg_print_quoted(struct eg_text *text, struct eg_str word);

/* A program path: as a word, but a * stays outside of quotes. */
void eg_print_program(struct eg_text *text, struct eg_str path);

/* The whole statement. */
void eg_print_rule(struct eg_text *text, const struct eg_ast_rule *rule);

#endif
