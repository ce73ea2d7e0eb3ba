// SPDX-License-Identifier: MIT
/* Makes small policies for tests of the decision core, without the parser and
 * the compiler, so that those cannot hide its faults.  The blob is not sealed:
 * it has no id, no checksum and no filters.
 *
 * Arguments are written as words with single spaces between:
 *   word <int> -f<email> <file:GLOB> [ ... ] for optional words, ( a | b ) for
 *   alternatives of words (neither nested), and ... at the end for any further.
 */
#ifndef TESTS_LIB_DECIDE_BLOB_H
#define TESTS_LIB_DECIDE_BLOB_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "decide/decide.h"

#define MAKER_MAX 4096u

struct maker {
    union {
        struct eg_blob blob;
        char bytes[1 << 19];
        uint64_t align;
    };
    char strings[1 << 17];
    uint32_t string_size;
    struct eg_blob_program programs[64];
    uint32_t program_count;
    struct eg_blob_rule rules[256];
    uint32_t rule_count;
    uint32_t froms[64];
    uint32_t from_count;
    struct eg_blob_node nodes[MAKER_MAX];
    uint32_t node_count;
    struct eg_blob_word words[MAKER_MAX];
    uint32_t word_count;
    struct eg_blob_piece pieces[MAKER_MAX];
    uint32_t piece_count;
    struct eg_blob_env env[16];
    uint32_t env_count;
    uint32_t flags;
};

static inline uint32_t make_string(struct maker *m, const char *text, size_t n)
{
    uint32_t at = m->string_size;
    assert(at + n + 1 <= sizeof(m->strings));
    memcpy(m->strings + at, text, n);
    m->strings[at + n] = '\0';
    m->string_size += (uint32_t)n + 1;
    return at;
}

/* What the file with inode `ino` is in these tests. */
static inline struct eg_identity make_identity(uint64_t ino)
{
    return (struct eg_identity){
        .dev = 8, .ino = ino, .size = ino * 10, .mtime_s = 1, .mode = S_IFREG | 0755
    };
}

static inline uint32_t make_program(struct maker *m, const char *path, const char *spelled,
                                    uint64_t ino, uint32_t flags)
{
    const char *name = strrchr(spelled, '/') ? strrchr(spelled, '/') + 1 : spelled;
    struct eg_blob_program *p = &m->programs[m->program_count];
    *p = (struct eg_blob_program){ .id = make_identity(ino),
                                   .flags = flags,
                                   .interpreter = EG_NONE };
    if (flags & EG_PROGRAM_MISSING) p->id = (struct eg_identity){ 0 };
    p->path = make_string(m, path, strlen(path));
    p->spelled = make_string(m, spelled, strlen(spelled));
    p->name = make_string(m, name, strlen(name));
    return m->program_count++;
}

static inline uint32_t make_node(struct maker *m, uint32_t op, uint32_t a, uint32_t b)
{
    assert(m->node_count < MAKER_MAX);
    m->nodes[m->node_count] = (struct eg_blob_node){ op, a, b };
    return m->node_count++;
}

static inline void make_piece(struct maker *m, uint32_t kind, const char *text, size_t n)
{
    assert(m->piece_count < MAKER_MAX);
    m->pieces[m->piece_count++] = (struct eg_blob_piece){ kind, make_string(m, text, n) };
}

/* A word's pattern, as above. */
static inline uint32_t make_word(struct maker *m, const char *text, size_t n)
{
    static const struct {
        const char *name;
        uint32_t kind;
    } holes[] = { { "int", EG_PIECE_INT }, { "word", EG_PIECE_WORD },   { "host", EG_PIECE_HOST },
                  { "ip", EG_PIECE_IP },   { "email", EG_PIECE_EMAIL }, { "file", EG_PIECE_FILE },
                  { "dir", EG_PIECE_DIR }, { "value", EG_PIECE_VALUE }, { "any", EG_PIECE_ANY } };
    struct eg_blob_word *w = &m->words[m->word_count];
    w->piece = m->piece_count;
    while (n) {
        const char *open = memchr(text, '<', n);
        size_t literal = open ? (size_t)(open - text) : n;
        if (literal) make_piece(m, EG_PIECE_LITERAL, text, literal);
        text += literal;
        n -= literal;
        if (!n) break;
        const char *close = memchr(text, '>', n);
        assert(close);
        size_t inside = (size_t)(close - text) - 1;
        const char *colon = memchr(text, ':', inside + 1);
        size_t name = colon ? (size_t)(colon - text) - 1 : inside;
        bool known = false;
        for (size_t i = 0; i < sizeof(holes) / sizeof(*holes); i++)
            if (strlen(holes[i].name) == name && !memcmp(holes[i].name, text + 1, name)) {
                make_piece(m, holes[i].kind, colon ? colon + 1 : "", colon ? inside - name - 1 : 0);
                known = true;
            }
        assert(known);
        n -= inside + 2;
        text += inside + 2;
    }
    w->count = m->piece_count - w->piece;
    return m->word_count++;
}

/* A rule; `from` is a list of program indices ending in EG_NONE, or NULL. */
static inline uint32_t make_rule(struct maker *m, uint32_t verb, uint32_t program,
                                 const char *arguments, const uint32_t *from)
{
    struct eg_blob_rule *r = &m->rules[m->rule_count];
    uint32_t split = EG_NONE;
    uint32_t jump = EG_NONE;
    *r = (struct eg_blob_rule){ .verb = verb, .program = program, .nodes = m->node_count };
    r->from = m->from_count;
    for (; from && *from != EG_NONE; from++) m->froms[m->from_count++] = *from;
    r->from_count = m->from_count - r->from;
    r->line = m->rule_count + 1;
    while (*arguments) {
        size_t n = strcspn(arguments, " ");
        uint32_t here = m->node_count - r->nodes;
        if (n == 1 && (*arguments == '[' || *arguments == '(')) {
            split = make_node(m, EG_NODE_SPLIT, here + 1, 0);
        } else if (n == 1 && *arguments == '|') {
            jump = make_node(m, EG_NODE_JUMP, 0, 0);
            m->nodes[split].b = here + 1;
        } else if (n == 1 && *arguments == ']') {
            m->nodes[split].b = here;
        } else if (n == 1 && *arguments == ')') {
            m->nodes[jump].a = here;
        } else if (n == 3 && !memcmp(arguments, "...", 3)) {
            make_node(m, EG_NODE_REST, 0, 0);
        } else {
            /* '' is the empty argument */
            bool empty = n == 2 && !memcmp(arguments, "''", 2);
            make_node(m, EG_NODE_WORD, make_word(m, arguments, empty ? 0 : n), 0);
        }
        arguments += n;
        if (*arguments) arguments++;
    }
    make_node(m, EG_NODE_END, 0, 0);
    r->node_count = m->node_count - r->nodes;
    return m->rule_count++;
}

static inline void make_env(struct maker *m, const char *pattern, bool keep)
{
    m->env[m->env_count++] = (struct eg_blob_env){ make_string(m, pattern, strlen(pattern)), keep };
}

/* The blob, valid until the maker is freed or finished again. */
static inline const struct eg_blob *make_blob(struct maker *m)
{
    const struct {
        enum eg_section section;
        const void *data;
        uint32_t count;
        size_t size;
    } sections[] = {
        { EG_SECTION_STRINGS, m->strings, m->string_size, 1 },
        { EG_SECTION_PROGRAMS, m->programs, m->program_count, sizeof(*m->programs) },
        { EG_SECTION_RULES, m->rules, m->rule_count, sizeof(*m->rules) },
        { EG_SECTION_FROMS, m->froms, m->from_count, sizeof(*m->froms) },
        { EG_SECTION_NODES, m->nodes, m->node_count, sizeof(*m->nodes) },
        { EG_SECTION_WORDS, m->words, m->word_count, sizeof(*m->words) },
        { EG_SECTION_PIECES, m->pieces, m->piece_count, sizeof(*m->pieces) },
        { EG_SECTION_ENV, m->env, m->env_count, sizeof(*m->env) },
    };
    uint32_t at = (sizeof(struct eg_blob) + 7) & ~7u;
    memset(&m->blob, 0, sizeof(m->blob));
    m->blob.flags = m->flags;
    for (size_t i = 0; i < EG_SECTION_COUNT; i++) m->blob.sections[i].offset = at;
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
        size_t bytes = sections[i].count * sections[i].size;
        assert(at + bytes + 8 <= sizeof(m->bytes));
        m->blob.sections[sections[i].section] = (struct eg_blob_range){ at, sections[i].count };
        memcpy(m->bytes + at, sections[i].data, bytes);
        at = (uint32_t)((at + bytes + 7) & ~(size_t)7);
    }
    m->blob.size = at;
    return &m->blob;
}

static inline struct maker *make_policy(void)
{
    struct maker *m = calloc(1, sizeof(*m));
    assert(m);
    make_string(m, "", 0);
    return m;
}

/* Split `line` at single spaces into ret_argv (up to `cap`); '' is the empty
 * word.  The words live in static memory until the next call but one. */
static inline size_t split_words(const char *line, const char **ret_argv, size_t cap)
{
    static char memory[2][4096];
    static unsigned turn;
    char *copy = memory[turn++ % 2];
    size_t n = 0;
    assert(strlen(line) < sizeof(memory[0]));
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word && n < cap; word = strtok(NULL, " "))
        ret_argv[n++] = strcmp(word, "''") ? word : "";
    return n;
}

static inline struct eg_target make_target(const char *path, uint64_t ino)
{
    return (struct eg_target){ eg_str(path), make_identity(ino), true };
}

#endif
