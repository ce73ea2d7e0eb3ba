// SPDX-License-Identifier: MIT
/* The language's words by place: looking them up and suggesting them. */
#include "policy/words.h"

#include "base/buf.h"

#define BUILT true
#define LATER false
static const struct eg_word_row rows[] = {
#define W(place, id, word, state) { EG_PLACE_##place, EG_WORD_##place##_##id, word, state },
#include "table/policy_words.def"
#undef W
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* An empty name at the end, so that an empty table is still an array. */
const char *const eg_kernel_words[] = {
#define H(id, word, sentence) word,
#include "table/hardening.def"
    "",
};
const size_t eg_kernel_word_count = sizeof(eg_kernel_words) / sizeof(eg_kernel_words[0]) - 1;

static const char *const fixed_words[] = {
#define F(id, word, sentence) word,
#include "table/hardening.def"
    "",
};

const char *const eg_capability_names[] = {
#define CAP(name, number) name,
#include "table/capabilities.def"
#undef CAP
};
const size_t eg_capability_name_count =
    sizeof(eg_capability_names) / sizeof(eg_capability_names[0]);

/* Blocks whose statements have words of their own. */
static const struct {
    enum eg_place place;
    const char *block;
} blocks[] = {
    { EG_PLACE_EXEC, "exec" },       { EG_PLACE_WRITE, "write" },
    { EG_PLACE_UPLOADS, "uploads" }, { EG_PLACE_ENV, "env" },
    { EG_PLACE_KERNEL, "kernel" },   { EG_PLACE_CAPABILITIES, "capabilities" },
    { EG_PLACE_LOG, "log" },
};

static const struct {
    enum eg_piece_kind kind;
    const char *word;
    bool glob;
} holes[] = {
#define HOLE(id, word, glob) { EG_PIECE_##id, word, glob },
#include "table/holes.def"
#undef HOLE
};
#define HOLES (sizeof(holes) / sizeof(holes[0]))

const struct eg_word_row *eg_word_find(enum eg_place place, struct eg_str word)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].place == place && eg_str_equal(word, eg_str(rows[i].word))) return &rows[i];
    return NULL;
}

bool eg_word_built(enum eg_word_id id)
{
    return rows[id].built;
}

struct eg_hint eg_word_hint(enum eg_place place, struct eg_str wrong)
{
    const char *words[ROWS];
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].place == place && rows[i].built) words[count++] = rows[i].word;
    const char *near = eg_suggest(wrong, words, count);
    if (near) return eg_format_hint("did you mean \"%s\"?", near);

    struct eg_hint hint = { "" };
    struct eg_buf b = eg_buf_over(hint.s, sizeof(hint.s));
    eg_buf_add(&b, count == 1 ? "what can stand here is " : "what can stand here: ");
    for (size_t i = 0; i < count; i++) {
        if (i) eg_buf_add(&b, i + 1 == count ? " or " : ", ");
        eg_buf_add(&b, words[i]);
    }
    eg_buf_cstr(&b);
    return hint;
}

struct eg_hint eg_word_blocks(struct eg_str word)
{
    struct eg_hint hint = { "" };
    struct eg_buf b = eg_buf_over(hint.s, sizeof(hint.s));
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        if (!eg_word_find(blocks[i].place, word)) continue;
        if (b.n) eg_buf_add(&b, " or ");
        eg_buf_add(&b, blocks[i].block);
        eg_buf_add(&b, " { }");
    }
    eg_buf_cstr(&b);
    return hint;
}

struct eg_hint eg_kernel_hint(struct eg_str wrong)
{
    if (eg_names_hold(fixed_words, sizeof(fixed_words) / sizeof(fixed_words[0]), wrong))
        return eg_format_hint("no policy can allow this");
    const char *near = eg_suggest(wrong, eg_kernel_words, eg_kernel_word_count);
    if (near) return eg_format_hint("did you mean \"%s\"?", near);
    struct eg_hint hint = { "" };
    struct eg_buf b = eg_buf_over(hint.s, sizeof(hint.s));
    eg_buf_add(&b, "what can be allowed:");
    for (size_t i = 0; i < eg_kernel_word_count; i++) {
        eg_buf_add(&b, i ? ", " : " ");
        eg_buf_add(&b, eg_kernel_words[i]);
    }
    eg_buf_cstr(&b);
    return hint;
}

bool eg_names_hold(const char *const *names, size_t count, struct eg_str name)
{
    if (name.n == 0) return false;
    for (size_t i = 0; i < count; i++)
        if (eg_str_equal(name, eg_str(names[i]))) return true;
    return false;
}

bool eg_hole_find(struct eg_str word, enum eg_piece_kind *ret_kind)
{
    for (size_t i = 0; i < HOLES; i++) {
        if (!eg_str_equal(word, eg_str(holes[i].word))) continue;
        *ret_kind = holes[i].kind;
        return true;
    }
    return false;
}

const char *eg_hole_word(enum eg_piece_kind kind)
{
    for (size_t i = 0; i < HOLES; i++)
        if (holes[i].kind == kind) return holes[i].word;
    return "";
}

bool eg_hole_takes_glob(enum eg_piece_kind kind)
{
    for (size_t i = 0; i < HOLES; i++)
        if (holes[i].kind == kind) return holes[i].glob;
    return false;
}

struct eg_hint eg_hole_hint(struct eg_str wrong)
{
    const char *words[HOLES];
    for (size_t i = 0; i < HOLES; i++) words[i] = holes[i].word;
    const char *near = eg_suggest(wrong, words, HOLES);
    if (near) return eg_format_hint("did you mean <%s>?", near);
    struct eg_hint hint = { "" };
    struct eg_buf b = eg_buf_over(hint.s, sizeof(hint.s));
    eg_buf_add(&b, "holes are");
    for (size_t i = 0; i < HOLES; i++) {
        eg_buf_add(&b, " <");
        eg_buf_add(&b, holes[i].word);
        eg_buf_byte(&b, '>');
    }
    eg_buf_add(&b, "; to mean the characters put the word in double quotes");
    eg_buf_cstr(&b);
    return hint;
}

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_among(unsigned char c, const char *set)
{
    struct eg_str s = eg_str(set);
    return eg_str_find(s, (char)c) != s.n;
}

bool eg_hole_holds(enum eg_piece_kind kind, unsigned char byte)
{
    switch (kind) {
    case EG_PIECE_LITERAL: return false;
    case EG_PIECE_INT:
        /* A minus could only lead: <int>-<int> is a range, its first number then
         * never negative, since the hole ends at the first minus. */
        return byte >= '0' && byte <= '9';
    case EG_PIECE_HOST:
    case EG_PIECE_IP: return is_alnum(byte) || is_among(byte, ".:-_");
    case EG_PIECE_EMAIL: return is_alnum(byte) || is_among(byte, "!#%&'*+-/=?^_{|}~.@:[]");
    case EG_PIECE_VALUE: return is_alnum(byte) || byte >= 0x80 || is_among(byte, " _.+-#");
    case EG_PIECE_WORD:
    case EG_PIECE_FILE:
    case EG_PIECE_DIR: return byte >= 0x20 && byte != 0x7f;
    case EG_PIECE_ANY: return true;
    }
    return true;
}

enum eg_layer eg_layer_of(enum eg_word_id id)
{
    switch ((int)id) {
    case EG_WORD_LAYER_LANDLOCK: return EG_LAYER_DOMAIN;
    case EG_WORD_LAYER_SECCOMP: return EG_LAYER_FILTER;
    case EG_WORD_LAYER_CAPABILITIES: return EG_LAYER_CAPABILITIES;
    case EG_WORD_LAYER_SUPERVISOR: return EG_LAYER_SUPERVISOR;
    default: return EG_LAYER_NONE;
    }
}

const char *eg_layer_word(enum eg_layer layer)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].place == EG_PLACE_LAYER && eg_layer_of(rows[i].id) == layer)
            return rows[i].word;
    return NULL;
}
