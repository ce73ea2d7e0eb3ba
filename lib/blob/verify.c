// SPDX-License-Identifier: MIT
/* Proves a blob safe to read, once: afterwards every offset, index, string and
 * automaton in it can be followed without a look at any bound.  Nothing is read
 * before it is known to lie inside. */
#include "blob/blob.h"

#include <linux/audit.h>
#include <linux/errno.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#endif

/* BPF_MAXINSNS (linux/bpf_common.h): the kernel takes no longer filter. */
#define FILTER_MAX 4096u
/* Beyond the kernel's own limit (execve(2): 5 interpreters), plus `env NAME`
 * and an ELF interpreter at each step. */
#define INTERPRETER_DEPTH 16u

#define ALL_FLAGS                                                                                  \
    (EG_BLOB_LOG_MODE | EG_BLOB_NO_NEW_PRIVS | EG_BLOB_WORKER_REEXEC | EG_BLOB_WRITE_FREE |        \
     EG_BLOB_LIMIT_CAPS | EG_BLOB_EXEC_NOTHING | EG_BLOB_LOG_STDERR | EG_BLOB_ALLOW_MEMFD_EXEC |   \
     EG_BLOB_SHELL_REWRITE | EG_BLOB_PIPELINE | EG_BLOB_KEEPS_NAMESPACES | EG_BLOB_REQUEST_OFF |   \
     EG_BLOB_LIST)
#define ALL_PROGRAM_FLAGS                                                                          \
    (EG_PROGRAM_MISSING | EG_PROGRAM_SHELL | EG_PROGRAM_MULTICALL | EG_PROGRAM_SCRIPT |            \
     EG_PROGRAM_INTERPRETER | EG_PROGRAM_STATIC | EG_PROGRAM_RUNNER)
#define ALL_TREE_FLAGS (EG_TREE_ALLOW | EG_TREE_BUILD | EG_TREE_LOG)

#define ARRAY(blob, type, section) ((const type *)eg_blob_section(blob, section))

static bool is_string(const struct eg_blob *blob, uint32_t string)
{
    return string < eg_blob_count(blob, EG_SECTION_STRINGS);
}

static bool is_program(const struct eg_blob *blob, uint32_t program)
{
    return program < eg_blob_count(blob, EG_SECTION_PROGRAMS);
}

/* first + count <= limit, without overflow. */
static bool is_slice(uint32_t first, uint32_t count, uint32_t limit)
{
    return first <= limit && count <= limit - first;
}

/* Sections lie behind the header in the order of enum eg_section, so none
 * overlaps another and no offset before the filters depends on the filters. */
static bool check_layout(const struct eg_blob *blob)
{
    uint64_t end = sizeof(*blob);
    for (enum eg_section s = 0; s < EG_SECTION_COUNT; s++) {
        uint64_t offset = blob->sections[s].offset;
        uint64_t bytes = (uint64_t)eg_blob_count(blob, s) * eg_blob_element_size(s);
        if (offset % 8 != 0 || offset < end || offset > blob->size) return false;
        if (bytes > blob->size - offset) return false;
        end = offset + bytes;
    }
    return true;
}

static bool check_filters(const struct eg_blob *blob)
{
    for (enum eg_section s = EG_SECTION_FIRST_FILTER; s < EG_SECTION_COUNT; s++)
        if (eg_blob_count(blob, s) > FILTER_MAX) return false;
    return true;
}

/* The last byte ends the last string, and so every one before it. */
static bool check_strings(const struct eg_blob *blob)
{
    uint32_t count = eg_blob_count(blob, EG_SECTION_STRINGS);
    return count > 0 && ARRAY(blob, char, EG_SECTION_STRINGS)[count - 1] == '\0' &&
           is_string(blob, blob->name) && is_string(blob, blob->agent);
}

static bool check_programs(const struct eg_blob *blob)
{
    const struct eg_blob_program *programs =
        ARRAY(blob, struct eg_blob_program, EG_SECTION_PROGRAMS);
    uint32_t count = eg_blob_count(blob, EG_SECTION_PROGRAMS);
    for (uint32_t i = 0; i < count; i++) {
        const struct eg_blob_program *p = &programs[i];
        if (!is_string(blob, p->path) || !is_string(blob, p->spelled) || !is_string(blob, p->name))
            return false;
        if (p->flags & ~(uint32_t)ALL_PROGRAM_FLAGS) return false;
        if (p->interpreter != EG_NONE && p->interpreter >= count) return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        for (uint32_t depth = 0; at != EG_NONE; depth++) {
            if (depth > INTERPRETER_DEPTH) return false;
            at = programs[at].interpreter;
        }
    }
    return true;
}

/* Jumps lead forward and END comes last: a walk over the nodes ends. */
static bool check_automaton(const struct eg_blob *blob, const struct eg_blob_rule *rule)
{
    uint32_t count = rule->node_count;
    if (!is_slice(rule->nodes, count, eg_blob_count(blob, EG_SECTION_NODES))) return false;
    if (count == 0) return rule->verb == EG_VERB_SHELL_FROM; /* arguments are not asked about */
    if (count > EG_NODES_MAX) return false;
    const struct eg_blob_node *nodes =
        ARRAY(blob, struct eg_blob_node, EG_SECTION_NODES) + rule->nodes;
    if (nodes[count - 1].op != EG_NODE_END) return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct eg_blob_node *n = &nodes[i];
        switch (n->op) {
        case EG_NODE_END:
        case EG_NODE_REST: break;
        case EG_NODE_WORD:
            if (n->a >= eg_blob_count(blob, EG_SECTION_WORDS)) return false;
            break;
        case EG_NODE_SPLIT:
            if (n->b <= i || n->b >= count) return false;
            /* fall through */
        case EG_NODE_JUMP:
            if (n->a <= i || n->a >= count) return false;
            break;
        default: return false;
        }
    }
    return true;
}

static bool check_rules(const struct eg_blob *blob)
{
    const struct eg_blob_rule *rules = ARRAY(blob, struct eg_blob_rule, EG_SECTION_RULES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_RULES); i++) {
        const struct eg_blob_rule *r = &rules[i];
        if (r->verb > EG_VERB_SHELL_FROM) return false;
        if (r->verb == EG_VERB_SHELL_FROM ? r->program != EG_NONE : !is_program(blob, r->program))
            return false;
        if (!is_slice(r->from, r->from_count, eg_blob_count(blob, EG_SECTION_FROMS))) return false;
        if (!is_slice(r->user, r->user_count, eg_blob_count(blob, EG_SECTION_USERS))) return false;
        if (!is_string(blob, r->file) || !check_automaton(blob, r)) return false;
    }
    return true;
}

/* Where a hole ends is where the literal behind it begins (blob.h).  So none but
 * the last may be followed by another hole, by nothing to look for, or take any
 * byte at all; the compiler's own rules are stricter. */
static bool check_word(const struct eg_blob *blob, const struct eg_blob_piece *pieces,
                       uint32_t count)
{
    uint32_t last = count; /* what stands behind the last hole is matched from the end */
    for (uint32_t i = 0; i < count; i++)
        if (pieces[i].kind > EG_PIECE_ANY || !is_string(blob, pieces[i].text)) return false;
    while (last > 0 && pieces[last - 1].kind == EG_PIECE_LITERAL) last--;
    for (uint32_t i = 0; i + 1 < last; i++) {
        if (pieces[i].kind == EG_PIECE_LITERAL) continue;
        if (pieces[i].kind == EG_PIECE_ANY || pieces[i + 1].kind != EG_PIECE_LITERAL) return false;
        if (*eg_blob_cstr(blob, pieces[i + 1].text) == '\0') return false;
    }
    return true;
}

/* A word of many pieces is looked at once for each of them: bounded, so that a
 * large blob made up to be slow is refused instead. */
#define PIECES_MAX 256u

static bool check_words(const struct eg_blob *blob)
{
    const struct eg_blob_word *words = ARRAY(blob, struct eg_blob_word, EG_SECTION_WORDS);
    const struct eg_blob_piece *pieces = ARRAY(blob, struct eg_blob_piece, EG_SECTION_PIECES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_WORDS); i++) {
        const struct eg_blob_word *w = &words[i];
        if (w->count > PIECES_MAX) return false;
        if (!is_slice(w->piece, w->count, eg_blob_count(blob, EG_SECTION_PIECES))) return false;
        if (!check_word(blob, pieces + w->piece, w->count)) return false;
    }
    return true;
}

static bool check_indices(const struct eg_blob *blob, enum eg_section section)
{
    const uint32_t *indices = ARRAY(blob, uint32_t, section);
    for (uint32_t i = 0; i < eg_blob_count(blob, section); i++)
        if (!is_program(blob, indices[i])) return false;
    return true;
}

/* A guard file that is not named from the root would protect nothing. */
static bool check_guard_files(const struct eg_blob *blob)
{
    const uint32_t *files = ARRAY(blob, uint32_t, EG_SECTION_GUARD_FILES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_GUARD_FILES); i++)
        if (!is_string(blob, files[i]) || *eg_blob_cstr(blob, files[i]) != '/') return false;
    return true;
}

static bool check_small_tables(const struct eg_blob *blob)
{
    const struct eg_blob_env *env = ARRAY(blob, struct eg_blob_env, EG_SECTION_ENV);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_ENV); i++)
        if (!is_string(blob, env[i].pattern) || env[i].keep > 1) return false;
    const struct eg_blob_sink *sinks = ARRAY(blob, struct eg_blob_sink, EG_SECTION_SINKS);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_SINKS); i++)
        if (!is_string(blob, sinks[i].target) || sinks[i].kind > EG_SINK_SOCKET) return false;
    const struct eg_blob_dependency *dependencies =
        ARRAY(blob, struct eg_blob_dependency, EG_SECTION_DEPENDENCIES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_DEPENDENCIES); i++)
        if (!is_string(blob, dependencies[i].path) || dependencies[i].kind > EG_DEPENDENCY_POLICY)
            return false;
    const struct eg_blob_tree *trees = ARRAY(blob, struct eg_blob_tree, EG_SECTION_WRITE_TREES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_WRITE_TREES); i++)
        if (!is_string(blob, trees[i].pattern) || !is_string(blob, trees[i].file) ||
            trees[i].flags & ~(uint32_t)ALL_TREE_FLAGS)
            return false;
    return true;
}

static bool check_uploads(const struct eg_blob *blob)
{
    const struct eg_blob_upload *uploads = ARRAY(blob, struct eg_blob_upload, EG_SECTION_UPLOADS);
    const struct eg_blob_name *names = ARRAY(blob, struct eg_blob_name, EG_SECTION_UPLOAD_NAMES);
    uint32_t name_count = eg_blob_count(blob, EG_SECTION_UPLOAD_NAMES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_UPLOADS); i++)
        if (!is_string(blob, uploads[i].root) || !is_string(blob, uploads[i].quarantine) ||
            !is_string(blob, uploads[i].file) ||
            uploads[i].flags & ~(uint32_t)(EG_UPLOAD_DENY_EXECUTABLE | EG_UPLOAD_DENY_READ) ||
            uploads[i].names > name_count || uploads[i].name_count > name_count - uploads[i].names)
            return false;
    for (uint32_t i = 0; i < name_count; i++)
        if (!is_string(blob, names[i].glob) || !is_string(blob, names[i].file) ||
            names[i].uses & ~(uint32_t)(EG_NAME_WRITE | EG_NAME_READ))
            return false;
    return true;
}

/* NULL, or what is wrong.  The order matters: each step reads only what the
 * steps before it have proved. */
static const char *find_fault(const void *memory, size_t size)
{
    const struct eg_blob *blob = memory;
    if ((uintptr_t)memory % 8 != 0) return "it is not aligned";
    if (size < sizeof(blob->magic)) return "it is too short to be a compiled policy";
    if (!eg_bytes_equal(blob->magic, EG_BLOB_MAGIC, sizeof(blob->magic)))
        return "it is not a compiled policy";
    if (size < offsetof(struct eg_blob, version) + sizeof(blob->version)) return "it is truncated";
    if (blob->version != EG_BLOB_VERSION)
        return "another version of execguard compiled it: compile the policy again";
    if (size > EG_BLOB_MAX) return "it is too large";
    if (size < sizeof(*blob) || size < blob->size) return "it is truncated";
    if (size > blob->size) return "something follows its end";
    if (eg_blob_compute_checksum(blob) != blob->checksum)
        return "it was altered or damaged: the checksum is wrong";
    if (blob->arch != NATIVE_ARCH) return "it was compiled for another kind of machine";
    if (blob->flags & ~(uint32_t)ALL_FLAGS) return "an unknown flag is set";
    if (blob->optional_layers & ~((1u << EG_LAYER_COUNT) - 1)) return "an unknown layer is named";
    if (!check_layout(blob)) return "a section lies out of bounds";
    if (!check_filters(blob)) return "a filter is too long";
    if (!check_strings(blob)) return "a string does not end";
    if (!check_programs(blob)) return "a program is malformed";
    if (!check_indices(blob, EG_SECTION_FROMS) || !check_indices(blob, EG_SECTION_EXEC_SET))
        return "an index is out of bounds";
    if (!check_words(blob)) return "a word pattern is malformed";
    if (!check_rules(blob)) return "a rule is malformed";
    if (!check_guard_files(blob)) return "a guard file is malformed";
    if (!check_small_tables(blob)) return "a table is malformed";
    if (!check_uploads(blob)) return "an uploads block is malformed";
    return NULL;
}

int eg_blob_verify(const void *memory, size_t size, const struct eg_blob **ret_blob,
                   const char **ret_why)
{
    const char *why = find_fault(memory, size);
    if (why) {
        *ret_why = why;
        return -EINVAL;
    }
    *ret_blob = memory;
    return 0;
}
