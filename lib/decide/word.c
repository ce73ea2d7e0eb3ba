// SPDX-License-Identifier: MIT
/* One argument against one pattern: pieces side by side, left to right, without
 * going back.  A hole ends where the literal behind it begins (its first byte
 * cannot belong to the hole, blob/blob.h); what follows the last hole is matched
 * at the argument's end. */
#include "decide/parts.h"

static bool has_control(struct eg_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7f) return true;
    }
    return false;
}

static bool is_int(struct eg_str s)
{
    if (s.n && s.p[0] == '-') s = eg_str_skip(s, 1);
    if (s.n == 0 || s.n > 20) return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return true;
}

static bool is_word(struct eg_str s)
{
    return s.n && s.p[0] != '-' && !has_control(s);
}

/* Nothing that could end one value of a list and begin the next, or a path. */
static bool is_value(struct eg_str s)
{
    static const struct eg_str signs = { " _.+-#", 6 };
    if (s.n == 0 || s.p[0] == '-' || s.p[0] == '.') return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && c < 0x80 && eg_str_find(signs, (char)c) == signs.n) return false;
    }
    return true;
}

static bool has_dot_dot(struct eg_str path)
{
    while (path.n) {
        size_t n = eg_str_find(path, '/');
        if (eg_str_equal((struct eg_str){ path.p, n }, EG_STR(".."))) return true;
        path = eg_str_skip(path, n + 1);
    }
    return false;
}

/* Many programs read a relative name as something else: msl:x, ftp://x and
 * host:x by the colon, @list and |command by the first byte. */
static bool reads_as_something_else(struct eg_str path)
{
    if (path.p[0] == '@' || path.p[0] == '|') return true;
    return eg_str_find((struct eg_str){ path.p, eg_str_find(path, '/') }, ':') !=
           eg_str_find(path, '/');
}

static bool is_path(struct eg_str s, struct eg_str glob, struct eg_str cwd)
{
    char memory[EG_DECIDE_PATH_MAX];
    struct eg_buf absolute = eg_buf_over(memory, sizeof(memory) - 1);
    if (!is_word(s) || s.n >= EG_DECIDE_PATH_MAX || has_dot_dot(s)) return false;
    if (s.p[0] != '/' && reads_as_something_else(s)) return false;
    if (glob.n == 0) return true;
    return eg_decide_normalise(s, cwd, &absolute) && eg_glob_match(glob, eg_buf_view(&absolute));
}

static bool hole_holds(const struct eg_blob *blob, const struct eg_blob_piece *piece,
                       struct eg_str s, struct eg_str cwd)
{
    switch ((enum eg_piece_kind)piece->kind) {
    case EG_PIECE_INT: return is_int(s);
    case EG_PIECE_WORD: return is_word(s);
    case EG_PIECE_HOST: return eg_decide_is_host(s);
    case EG_PIECE_IP: return eg_decide_is_ip(s);
    case EG_PIECE_EMAIL: return eg_decide_is_email(s);
    case EG_PIECE_FILE:
    case EG_PIECE_DIR: return is_path(s, eg_blob_str(blob, piece->text), cwd);
    case EG_PIECE_VALUE: return is_value(s);
    case EG_PIECE_ANY: return true;
    case EG_PIECE_LITERAL: break;
    }
    return false;
}

bool eg_match_word(const struct eg_blob *blob, uint32_t word, struct eg_str argument,
                   struct eg_str cwd)
{
    const struct eg_blob_word *w =
        (const struct eg_blob_word *)eg_blob_section(blob, EG_SECTION_WORDS) + word;
    const struct eg_blob_piece *pieces =
        (const struct eg_blob_piece *)eg_blob_section(blob, EG_SECTION_PIECES) + w->piece;
    uint32_t count = w->count;
    /* the literals behind the last hole, from the end */
    while (count && pieces[count - 1].kind == EG_PIECE_LITERAL) {
        struct eg_str literal = eg_blob_str(blob, pieces[count - 1].text);
        if (!eg_str_ends(argument, literal)) return false;
        argument.n -= literal.n;
        count--;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (pieces[i].kind == EG_PIECE_LITERAL) {
            struct eg_str literal = eg_blob_str(blob, pieces[i].text);
            if (!eg_str_starts(argument, literal)) return false;
            argument = eg_str_skip(argument, literal.n);
            continue;
        }
        size_t n = argument.n;
        if (i + 1 < count) {
            struct eg_str next = eg_blob_str(blob, pieces[i + 1].text);
            if (pieces[i + 1].kind != EG_PIECE_LITERAL || next.n == 0) return false;
            n = eg_str_find(argument, next.p[0]);
        }
        if (!hole_holds(blob, &pieces[i], (struct eg_str){ argument.p, n }, cwd)) return false;
        argument = eg_str_skip(argument, n);
    }
    return argument.n == 0;
}
