// SPDX-License-Identifier: MIT
/* Argument patterns to automata.  Every jump goes forward, so that matching ends;
 * equal words share their pieces, so that equal patterns give equal nodes. */
#include "compile/arguments.h"

#include <errno.h>

struct automaton {
    struct eg_builder *b;
    struct eg_blob_node nodes[EG_NODES_MAX];
    uint32_t count;
    bool overflow;
};

static uint32_t emit(struct automaton *a, enum eg_node_op op, uint32_t x, uint32_t y)
{
    if (a->count == EG_NODES_MAX) {
        a->overflow = true;
        return 0;
    }
    a->nodes[a->count] = (struct eg_blob_node){ op, x, y };
    return a->count++;
}

#define PIECES_MAX 256u

static void emit_word(struct automaton *a, const struct eg_ast_arg *arg)
{
    struct eg_blob_piece pieces[PIECES_MAX];
    if (arg->piece_count > PIECES_MAX) {
        a->overflow = true;
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < arg->piece_count; i++) {
        const struct eg_ast_piece *piece = &arg->pieces[i];
        if (piece->kind == EG_PIECE_LITERAL && piece->text.n == 0) continue;
        pieces[count++] =
            (struct eg_blob_piece){ piece->kind, eg_builder_string(a->b, piece->text) };
    }
    emit(a, EG_NODE_WORD, eg_builder_word(a->b, pieces, count), 0);
}

static void emit_literal(struct automaton *a, struct eg_str text)
{
    struct eg_blob_piece piece = { EG_PIECE_LITERAL, eg_builder_string(a->b, text) };
    emit(a, EG_NODE_WORD, eg_builder_word(a->b, &piece, text.n ? 1 : 0), 0);
}

static void emit_sequence(struct automaton *a, const struct eg_ast_sequence *sequence);

/* SPLIT(here + 1, next branch) branch JUMP(end), the last branch bare. */
static void emit_alternatives(struct automaton *a, const struct eg_ast_arg *arg)
{
    uint32_t jumps[EG_NODES_MAX];
    size_t jump_count = 0;
    for (size_t i = 0; i < arg->branch_count && !a->overflow; i++) {
        bool last = i + 1 == arg->branch_count;
        uint32_t split = last ? 0 : emit(a, EG_NODE_SPLIT, a->count + 1, 0);
        emit_sequence(a, &arg->branches[i]);
        if (last) break;
        jumps[jump_count++] = emit(a, EG_NODE_JUMP, 0, 0);
        if (!a->overflow) a->nodes[split].b = a->count;
    }
    if (a->overflow) return;
    for (size_t i = 0; i < jump_count; i++) a->nodes[jumps[i]].a = a->count;
}

static void emit_arg(struct automaton *a, const struct eg_ast_arg *arg)
{
    switch (arg->kind) {
    case EG_ARG_WORD: emit_word(a, arg); break;
    case EG_ARG_REST: emit(a, EG_NODE_REST, 0, 0); break;
    case EG_ARG_ALTERNATIVES: emit_alternatives(a, arg); break;
    case EG_ARG_OPTIONAL: {
        uint32_t split = emit(a, EG_NODE_SPLIT, a->count + 1, 0);
        emit_sequence(a, &arg->branches[0]);
        if (!a->overflow) a->nodes[split].b = a->count;
        break;
    }
    }
}

static void emit_sequence(struct automaton *a, const struct eg_ast_sequence *sequence)
{
    for (size_t i = 0; i < sequence->count && !a->overflow; i++) emit_arg(a, &sequence->args[i]);
}

int eg_compile_arguments(struct eg_builder *b, const struct eg_str *prefix, size_t prefix_count,
                         const struct eg_ast_sequence *sequence, uint32_t *ret_nodes,
                         uint32_t *ret_count)
{
    struct automaton a = { .b = b };
    for (size_t i = 0; i < prefix_count; i++) emit_literal(&a, prefix[i]);
    emit_sequence(&a, sequence);
    emit(&a, EG_NODE_END, 0, 0);
    if (a.overflow) return -E2BIG;
    uint32_t first = eg_builder_count(b, EG_SECTION_NODES);
    for (uint32_t i = 0; i < a.count; i++) eg_builder_add(b, EG_SECTION_NODES, &a.nodes[i]);
    *ret_nodes = first;
    *ret_count = a.count;
    return 0;
}

bool eg_arguments_accept_all(const struct eg_blob_node *nodes, uint32_t count)
{
    /* Jumps go forward only: one pass marks what is reached without arguments. */
    bool reached[EG_NODES_MAX + 1] = { true };
    for (uint32_t i = 0; i < count && i < EG_NODES_MAX; i++) {
        if (!reached[i]) continue;
        if (nodes[i].op == EG_NODE_REST) return true;
        if (nodes[i].op == EG_NODE_SPLIT) reached[nodes[i].a] = reached[nodes[i].b] = true;
        if (nodes[i].op == EG_NODE_JUMP) reached[nodes[i].a] = true;
    }
    return false;
}

static bool only_dashes(struct eg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '-') return false;
    return true;
}

/* `<any>` first; or `-<word>`: the dash is written, the option is not. */
static bool word_is_open(const struct eg_ast_arg *arg)
{
    for (size_t i = 0; i < arg->piece_count; i++) {
        const struct eg_ast_piece *piece = &arg->pieces[i];
        if (piece->kind == EG_PIECE_LITERAL && only_dashes(piece->text)) continue;
        if (piece->kind == EG_PIECE_ANY) return true;
        return i > 0 && piece->kind != EG_PIECE_LITERAL && piece->kind != EG_PIECE_INT;
    }
    return false;
}

bool eg_arguments_are_open(const struct eg_ast_sequence *sequence)
{
    for (size_t i = 0; i < sequence->count; i++) {
        const struct eg_ast_arg *arg = &sequence->args[i];
        if (arg->kind == EG_ARG_REST) return true;
        if (arg->kind == EG_ARG_WORD && word_is_open(arg)) return true;
        for (size_t j = 0; j < arg->branch_count; j++)
            if (eg_arguments_are_open(&arg->branches[j])) return true;
    }
    return false;
}
