// SPDX-License-Identifier: MIT
/* Argument patterns of rules to automata over argv[1..]. */
#ifndef EG_COMPILE_ARGUMENTS_H
#define EG_COMPILE_ARGUMENTS_H

#include "compile/builder.h"
#include "policy/ast.h"

/* Append the automaton of `prefix` (literal words, one argument each; may be
 * NULL with 0) followed by `sequence`.  0 and the range of nodes; -E2BIG when it
 * takes more than EG_NODES_MAX nodes. */
int eg_compile_arguments(struct eg_builder *b, const struct eg_str *prefix, size_t prefix_count,
                         const struct eg_ast_sequence *sequence, uint32_t *ret_nodes,
                         uint32_t *ret_count);

/* Does the automaton accept any arguments at all? */
bool eg_arguments_accept_all(const struct eg_blob_node *nodes, uint32_t count);

/* Can a caller choose options: `...`, or an argument that may start with a dash
 * that the policy did not write out? */
bool eg_arguments_are_open(const struct eg_ast_sequence *sequence);

#endif
