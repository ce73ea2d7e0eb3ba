// SPDX-License-Identifier: MIT
/* argv[1..] against a rule's automaton, by keeping the set of nodes it can be
 * at: each argument is compared with each node at most once. */
#include "decide/parts.h"

struct nodes {
    uint64_t bits[EG_NODES_MAX / 64];
};

static void add(struct nodes *s, uint32_t node)
{
    s->bits[node / 64] |= (uint64_t)1 << (node % 64);
}

static bool has(const struct nodes *s, uint32_t node)
{
    return s->bits[node / 64] >> (node % 64) & 1;
}

static bool is_empty(const struct nodes *s)
{
    uint64_t any = 0;
    for (size_t i = 0; i < EG_NODES_MAX / 64; i++) any |= s->bits[i];
    return any == 0;
}

/* Follow SPLIT and JUMP, which lead forward only: one ascending pass.  True when
 * a REST is reached: then whatever follows is accepted. */
static bool close_over(const struct eg_blob_node *nodes, uint32_t count, struct nodes *s)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!has(s, i)) continue;
        switch ((enum eg_node_op)nodes[i].op) {
        case EG_NODE_REST: return true;
        case EG_NODE_SPLIT: add(s, nodes[i].b); /* fall through */
        case EG_NODE_JUMP: add(s, nodes[i].a); break;
        case EG_NODE_WORD:
        case EG_NODE_END: break;
        }
    }
    return false;
}

static struct nodes step(const struct eg_blob *blob, const struct eg_blob_node *nodes,
                         uint32_t count, const struct nodes *s, struct eg_str argument,
                         struct eg_str cwd)
{
    struct nodes next = { { 0 } };
    for (uint32_t i = 0; i + 1 < count; i++)
        if (has(s, i) && nodes[i].op == EG_NODE_WORD &&
            eg_match_word(blob, nodes[i].a, argument, cwd))
            add(&next, i + 1);
    return next;
}

bool eg_match_arguments(const struct eg_blob *blob, const struct eg_blob_rule *rule,
                        const struct eg_exec_request *request)
{
    const struct eg_blob_node *nodes =
        (const struct eg_blob_node *)eg_blob_section(blob, EG_SECTION_NODES) + rule->nodes;
    uint32_t count = rule->node_count;
    struct nodes now = { { 0 } };
    if (count == 0 || count > EG_NODES_MAX) return false;
    add(&now, 0);
    if (close_over(nodes, count, &now)) return true;
    for (size_t i = 1; i < request->argc; i++) {
        now = step(blob, nodes, count, &now, eg_argument(request, i), request->cwd);
        if (is_empty(&now)) return false;
        if (close_over(nodes, count, &now)) return true;
    }
    /* Unknown arguments follow: an allowance needs REST, a refusal only a way on. */
    if (request->open_ended) return rule->verb == EG_VERB_DENY;
    return has(&now, count - 1);
}
