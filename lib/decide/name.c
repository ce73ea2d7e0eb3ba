// SPDX-License-Identifier: MIT
/* Names as a web server, a language or a file system might read them, and not
 * as they were written: what one of them ignores, decodes or cuts off must not
 * hide a script's name from the rules.
 *
 * A name is made plain first (decoded, folded, lower case), then read in every
 * way that somebody reads it: whole, up to a character at which somebody stops,
 * and after an encoded slash.  It is refused when one reading is. */
#include "decide/parts.h"
#include "decide/write.h"

/* File systems stop at 255 bytes, the largest at 255 UTF-16 units. */
#define NAME_MAX_BYTES 1024u

/* Marks in a plain name; no other byte below a space is left in it. */
#define CUT   '\x00' /* somebody stops here: NUL, ';' (IIS), ':' (NTFS), '?', '#', line ends */
#define SLASH '\x01' /* behind it begins another name, for who decodes */

/* ---- made plain ---- */

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The number that the last `digits` characters are, or -1. */
static int32_t tail_number(const struct eg_buf *b, size_t digits)
{
    int32_t value = 0;
    for (size_t i = b->n - digits; i < b->n; i++) {
        int digit = hex(b->p[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void put_utf8(struct eg_buf *b, uint32_t c)
{
    if (c < 0x80) {
        eg_buf_byte(b, (char)c);
    } else if (c < 0x800) {
        eg_buf_byte(b, (char)(0xc0 | c >> 6));
        eg_buf_byte(b, (char)(0x80 | (c & 0x3f)));
    } else {
        eg_buf_byte(b, (char)(0xe0 | c >> 12));
        eg_buf_byte(b, (char)(0x80 | (c >> 6 & 0x3f)));
        eg_buf_byte(b, (char)(0x80 | (c & 0x3f)));
    }
}

/* Does what stands at the end spell a character, `digits` of it in hexadecimal
 * behind `lead`?  Replaces it. */
static bool decode_tail(struct eg_buf *b, const char *lead, size_t lead_length, size_t digits)
{
    size_t n = lead_length + digits;
    if (b->n < n || !eg_bytes_equal(b->p + b->n - n, lead, lead_length)) return false;
    int32_t value = tail_number(b, digits);
    if (value < 0) return false;
    b->n -= n;
    if (digits == 2)
        eg_buf_byte(b, (char)value);
    else
        put_utf8(b, (uint32_t)value);
    return true;
}

/* %2e, %252e and so on, %u002e (IIS), \x2e as lists of attacks write it.  Each
 * byte is looked at as it comes, so that what decoding makes is decoded again. */
static void decode(struct eg_str name, struct eg_buf *ret)
{
    for (size_t i = 0; i < name.n; i++) {
        eg_buf_byte(ret, name.p[i]);
        if (hex(name.p[i]) < 0) continue;
        while (decode_tail(ret, "%", 1, 2) || decode_tail(ret, "%u", 2, 4) ||
               decode_tail(ret, "%U", 2, 4) || decode_tail(ret, "\\x", 2, 2))
            ;
    }
}

/* One character at s, or the byte itself (negative) where it is none.  Too long
 * a form counts as what it spells: decoders that took it made CVEs. */
static int32_t read_utf8(struct eg_str s, size_t *ret_n)
{
    static const uint8_t lead[] = { 0xc0, 0xe0, 0xf0 };
    static const uint8_t mask[] = { 0xe0, 0xf0, 0xf8 };
    uint8_t first = (uint8_t)s.p[0];
    *ret_n = 1;
    if (first < 0x80) return first;
    for (size_t more = 1; more <= 3; more++) {
        if ((first & mask[more - 1]) != lead[more - 1]) continue;
        if (s.n <= more) break;
        int32_t c = first & ~mask[more - 1];
        size_t i = 1;
        for (; i <= more && ((uint8_t)s.p[i] & 0xc0) == 0x80; i++)
            c = c << 6 | ((uint8_t)s.p[i] & 0x3f);
        if (i <= more) break;
        *ret_n = more + 1;
        return c;
    }
    return -(int32_t)first;
}

static bool within(int32_t c, int32_t low, int32_t high)
{
    return c >= low && c <= high;
}

/* Unicode's default ignorables and combining accents: file systems that fold
 * case (ext4's casefold, HFS+, APFS) take them away or apart. */
static bool is_ignored(int32_t c)
{
    return c == 0xad || within(c, 0x300, 0x36f) || c == 0x61c || within(c, 0x115f, 0x1160) ||
           within(c, 0x17b4, 0x17b5) || within(c, 0x180b, 0x180f) || within(c, 0x200b, 0x200f) ||
           within(c, 0x202a, 0x202e) || within(c, 0x2060, 0x206f) || c == 0x3164 ||
           within(c, 0xfe00, 0xfe0f) || c == 0xfeff || c == 0xffa0 || within(c, 0xfff0, 0xfff8) ||
           within(c, 0xe0000, 0xe0fff);
}

static bool is_space(int32_t c)
{
    return c == ' ' || within(c, 0x9, 0xc) || c == 0xa0 || c == 0x1680 ||
           within(c, 0x2000, 0x200a) || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* What others take for an ASCII character, or c. */
static int32_t fold(int32_t c)
{
    if (within(c, 0xff01, 0xff5e)) c -= 0xfee0; /* full width */
    if (within(c, 'A', 'Z')) return c + ('a' - 'A');
    if (c < 0x80) return c;
    if (within(c, 0x1d400, 0x1d6a3)) { /* mathematical letters, in alphabets of 52 */
        c = (c - 0x1d400) % 52;
        return 'a' + c % 26;
    }
    if (within(c, 0x1d7ce, 0x1d7ff)) return '0' + (c - 0x1d7ce) % 10;
    if (within(c, 0x24b6, 0x24e9)) return 'a' + (c - 0x24b6) % 26; /* circled letters */
    switch (c) {
    case 0x2024:
    case 0x3002:
    case 0xfe52:
    case 0xff61: return '.';
    case 0x37e:
    case 0xfe54: return ';';
    case 0xfe55:
    case 0xa789: return ':';
    case 0x2044:
    case 0x2215:
    case 0x29f8: return '/';
    case 0x130:
    case 0x131: return 'i';
    case 0x17f: return 's';
    case 0x212a: return 'k';
    case 0x2028:
    case 0x2029:
    case 0x85: return '\n';
    default: return c;
    }
}

/* One character that folding case takes apart: CaseFolding.txt, status F. */
static const char *ligature(int32_t c)
{
    switch (c) {
    case 0xdf:
    case 0x1e9e: return "ss";
    case 0xfb00: return "ff";
    case 0xfb01: return "fi";
    case 0xfb02: return "fl";
    case 0xfb03: return "ffi";
    case 0xfb04: return "ffl";
    case 0xfb05:
    case 0xfb06: return "st";
    default: return 0;
    }
}

static void put_folded(struct eg_buf *b, int32_t c, struct eg_str bytes)
{
    if (c < 0) {
        eg_buf_str(b, bytes);
        return;
    }
    const char *letters = ligature(c);
    if (letters) {
        eg_buf_add(b, letters);
        return;
    }
    if (is_ignored(c)) return;
    c = fold(c);
    if (c == '\0' || c == '\n' || c == '\r' || c == ';' || c == ':' || c == '?' || c == '#')
        eg_buf_byte(b, CUT);
    else if (c == '/')
        eg_buf_byte(b, SLASH);
    else if (is_space(c))
        eg_buf_byte(b, ' ');
    else if (c < 0x20 || within(c, 0x7f, 0x9f))
        return;
    else if (c < 0x80)
        eg_buf_byte(b, (char)c);
    else
        eg_buf_str(b, bytes);
}

struct plain {
    struct eg_buf text; /* with marks */
    char memory[NAME_MAX_BYTES];
};

/* False: the name is longer than any file system takes. */
static bool make_plain(struct eg_str name, struct plain *ret)
{
    char memory[NAME_MAX_BYTES];
    struct eg_buf decoded = eg_buf_over(memory, sizeof(memory));
    ret->text = eg_buf_over(ret->memory, sizeof(ret->memory));
    decode(name, &decoded);
    if (decoded.truncated) return false;
    for (struct eg_str rest = eg_buf_view(&decoded); rest.n;) {
        size_t n;
        int32_t c = read_utf8(rest, &n);
        put_folded(&ret->text, c, (struct eg_str){ rest.p, n });
        rest = eg_str_skip(rest, n);
    }
    return !ret->text.truncated;
}

static struct eg_str trim(struct eg_str s)
{
    while (s.n && s.p[0] == ' ') s = eg_str_skip(s, 1);
    while (s.n && s.p[s.n - 1] == ' ') s.n--;
    return s;
}

/* Windows and SMB servers take dots and spaces off the end. */
static struct eg_str trim_end(struct eg_str s)
{
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '.')) s.n--;
    return s;
}

/* ---- the set ---- */

/* One `*` in the pattern stands for any characters. */
static inline bool fits(struct eg_str pattern, struct eg_str s)
{
    size_t star = eg_str_find(pattern, '*');
    if (star == pattern.n) return eg_str_equal(pattern, s);
    struct eg_str end = eg_str_skip(pattern, star + 1);
    return s.n >= star + end.n && eg_bytes_equal(pattern.p, s.p, star) && eg_str_ends(s, end);
}

/* Of a pattern of the table: nearly all of them begin otherwise, which their first
 * byte, a constant, tells at once. */
#define FITS(pattern, s)                                                                           \
    (((pattern)[0] == '*' || ((s).n && (s).p[0] == (pattern)[0])) && fits(EG_STR(pattern), (s)))

enum where { LAST, MIDDLE };

static bool is_script_extension(struct eg_str s, bool last)
{
    if (s.n == 0) return false;
#define E(pattern, where, who)                                                                     \
    if ((last || where == MIDDLE) && FITS(pattern, s)) return true;
#include "table/scripts.def"
    return false;
}

static unsigned judge_extensions(struct eg_str s)
{
    size_t dot = eg_str_find(s, '.');
    while (dot < s.n) {
        s = eg_str_skip(s, dot + 1);
        dot = eg_str_find(s, '.');
        if (is_script_extension(trim((struct eg_str){ s.p, dot }), dot == s.n))
            return EG_SCRIPT_RUNS;
    }
    return 0;
}

/* Settings: a stem, and a format that settings are written in. */
static bool is_settings(struct eg_str s)
{
    bool format = false;
    size_t dot = eg_str_rfind(s, '.');
    struct eg_str extension = eg_str_skip(s, dot + 1);
    struct eg_str stem = { s.p, dot };
    if (dot == s.n) return false;
#define X(text)                                                                                    \
    if (eg_str_equal(extension, EG_STR(text))) format = true;
#include "table/scripts.def"
    if (!format) return false;
#define C(pattern, what)                                                                           \
    if (FITS(pattern, stem)) return true;
#include "table/scripts.def"
    return false;
}

#define KIND_SERVER EG_SCRIPT_STEERS
#define KIND_TOOL   EG_SCRIPT_TOOL

static unsigned judge_whole(struct eg_str s)
{
#define N(pattern, kind, who)                                                                      \
    if (FITS(pattern, s)) return KIND_##kind;
#include "table/scripts.def"
    return is_settings(s) ? EG_SCRIPT_TOOL : 0;
}

/* Is this hidden name an ordinary one?  Then *ret_rest is what is to be judged
 * instead. */
static bool is_ordinary_hidden(struct eg_str s, struct eg_str *ret_rest)
{
#define O(pattern, why)                                                                            \
    if (FITS(pattern, s)) {                                                                        \
        *ret_rest = eg_str_skip(s, eg_str_find(EG_STR(pattern), '*'));                             \
        return true;                                                                               \
    }
#include "table/scripts.def"
    return false;
}

/* One reading, without marks. */
static unsigned judge(struct eg_str s)
{
    unsigned kinds = 0;
    s = trim(s);
    for (;;) {
        struct eg_str whole = trim_end(s);
        kinds |= judge_extensions(whole) | judge_whole(whole);
        if (s.n == 0 || s.p[0] != '.') return kinds;
        if (s.n == 1 || eg_str_equal(s, EG_STR(".."))) return kinds;
        if (!is_ordinary_hidden(whole, &s)) return kinds | EG_SCRIPT_HIDDEN;
    }
}

/* Between slashes: the name without cuts, the name up to the first, and the last
 * extension before each other. */
static unsigned judge_segment(struct eg_str s)
{
    char memory[NAME_MAX_BYTES];
    struct eg_buf joined = eg_buf_over(memory, sizeof(memory));
    unsigned kinds = 0;
    bool cut = false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != CUT) {
            eg_buf_byte(&joined, s.p[i]);
            continue;
        }
        struct eg_str before = trim_end(eg_buf_view(&joined));
        size_t dot = eg_str_rfind(before, '.');
        if (!cut) kinds |= judge(before);
        if (dot < before.n && is_script_extension(trim(eg_str_skip(before, dot + 1)), true))
            kinds |= EG_SCRIPT_RUNS;
        cut = true;
    }
    return kinds | judge(eg_buf_view(&joined));
}

unsigned eg_decide_script_kinds(struct eg_str name)
{
    struct plain plain;
    unsigned kinds = 0;
    if (!make_plain(name, &plain)) return EG_SCRIPT_RUNS;
    struct eg_str rest = eg_buf_view(&plain.text);
    for (;;) {
        size_t n = eg_str_find(rest, SLASH);
        kinds |= judge_segment((struct eg_str){ rest.p, n });
        if (n == rest.n) return kinds;
        rest = eg_str_skip(rest, n + 1);
    }
}

bool eg_name_is_script(struct eg_str name)
{
    return eg_decide_script_kinds(name) != 0;
}

bool eg_name_is_served(struct eg_str name)
{
    char memory[NAME_MAX_BYTES];
    struct eg_buf longer = eg_buf_over(memory, sizeof(memory));
    if (eg_decide_script_kinds(name) & EG_SCRIPT_STEERS) return true;
    eg_buf_str(&longer, name);
    eg_buf_add(&longer, ".-"); /* now every extension of the name stands in the middle */
    return longer.truncated || eg_decide_script_kinds(eg_buf_view(&longer)) & EG_SCRIPT_RUNS;
}

/* ---- a policy's own globs ---- */

static bool matches_reading(struct eg_str glob, struct eg_str s)
{
    s = trim_end(trim(s));
    if (eg_glob_match(glob, s)) return true;
    /* An extension in the middle, as in the set. */
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] == '.' && s.p[i - 1] != '.' &&
            eg_glob_match(glob, trim((struct eg_str){ s.p, i })))
            return true;
    return false;
}

static void lower(struct eg_str s, struct eg_buf *ret)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        eg_buf_byte(ret, c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c);
    }
}

static bool matches_segment(struct eg_str glob, struct eg_str s)
{
    char memory[NAME_MAX_BYTES];
    struct eg_buf joined = eg_buf_over(memory, sizeof(memory));
    bool cut = false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != CUT) {
            eg_buf_byte(&joined, s.p[i]);
            continue;
        }
        if (!cut && matches_reading(glob, eg_buf_view(&joined))) return true;
        cut = true;
    }
    return matches_reading(glob, eg_buf_view(&joined));
}

bool eg_name_matches(struct eg_str glob, struct eg_str name)
{
    char memory[EG_GLOB_MAX];
    struct eg_buf folded = eg_buf_over(memory, sizeof(memory));
    struct plain plain;
    lower(glob, &folded);
    if (folded.truncated) return false;
    glob = eg_buf_view(&folded);
    if (!make_plain(name, &plain)) return true;
    if (eg_glob_match(glob, name)) return true;
    struct eg_str rest = eg_buf_view(&plain.text);
    for (;;) {
        size_t n = eg_str_find(rest, SLASH);
        if (matches_segment(glob, (struct eg_str){ rest.p, n })) return true;
        if (n == rest.n) return false;
        rest = eg_str_skip(rest, n + 1);
    }
}
