// SPDX-License-Identifier: MIT
/* Strict UTF-8 (RFC 3629) over bytes that an attacker chose. */
#include "event/text.h"

struct eg_text_char eg_text_next(struct eg_str s, size_t at)
{
    unsigned char first = (unsigned char)s.p[at];
    const struct eg_text_char broken = { first, 1, false };
    if (first < 0x80) return (struct eg_text_char){ first, 1, true };
    uint32_t n;
    uint32_t code;
    uint32_t least;
    if (first >= 0xc2 && first <= 0xdf) {
        n = 2, code = first & 0x1fu, least = 0x80;
    } else if (first >= 0xe0 && first <= 0xef) {
        n = 3, code = first & 0x0fu, least = 0x800;
    } else if (first >= 0xf0 && first <= 0xf4) {
        n = 4, code = first & 0x07u, least = 0x10000;
    } else {
        return broken;
    }
    if (s.n - at < n) return broken;
    for (uint32_t i = 1; i < n; i++) {
        unsigned char c = (unsigned char)s.p[at + i];
        if ((c & 0xc0u) != 0x80) return broken;
        code = code << 6 | (c & 0x3fu);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return broken;
    return (struct eg_text_char){ code, n, true };
}

struct range {
    uint32_t first, last;
};

static bool is_within(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return true;
    return false;
}

size_t eg_text_width(uint32_t code)
{
    static const struct range combining[] = {
        { 0x300, 0x36f },   { 0x483, 0x489 },   { 0x591, 0x5bd },   { 0x610, 0x61a },
        { 0x64b, 0x65f },   { 0x900, 0x902 },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
        { 0x20d0, 0x20ff }, { 0x302a, 0x302d }, { 0x3099, 0x309a }, { 0xfe20, 0xfe2f },
    };
    static const struct range wide[] = {
        { 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0x4dbf },   { 0x4e00, 0xa4cf },
        { 0xa960, 0xa97c },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
        { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
        { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
    };
    if (code < 0x300) return 1;
    if (is_within(combining, sizeof combining / sizeof *combining, code)) return 0;
    return is_within(wide, sizeof wide / sizeof *wide, code) ? 2 : 1;
}

bool eg_text_is_deceiving(uint32_t code)
{
    static const struct range ranges[] = {
        { 0, 0x1f },          /* C0 */
        { 0x7f, 0x9f },       /* DEL, C1 */
        { 0xad, 0xad },       /* soft hyphen */
        { 0x61c, 0x61c },     /* Arabic letter mark */
        { 0x200b, 0x200f },   /* zero width, direction marks */
        { 0x2028, 0x202e },   /* line and paragraph separators, overrides */
        { 0x2060, 0x206f },   /* invisible operators, isolates */
        { 0xfe00, 0xfe0f },   /* variation selectors */
        { 0xfeff, 0xfeff },   /* byte order mark */
        { 0xfff9, 0xfffb },   /* interlinear annotation */
        { 0xe0000, 0xe01ef }, /* tags, more variation selectors */
    };
    return is_within(ranges, sizeof ranges / sizeof *ranges, code);
}

size_t eg_text_encode(uint32_t code, char ret[4])
{
    if (code < 0x80) {
        ret[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        ret[i] = (char)(0x80u | (code & 0x3fu));
        code >>= 6;
    }
    static const unsigned char lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    ret[0] = (char)(lead[n] | code);
    return n;
}
