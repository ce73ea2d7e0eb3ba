// SPDX-License-Identifier: MIT
/* UTF-8, RFC 3629: what may be shown on a terminal and what may not. */
#ifndef EG_POLICY_UTF8_H
#define EG_POLICY_UTF8_H

#include "base/str.h"

/* Decode the character at the start of s (not empty).  Returns its length in
 * bytes and sets *ret_code, or 0 when the bytes are not UTF-8: too long a form,
 * a surrogate, past U+10FFFF, cut short. */
static inline size_t eg_utf8_decode(struct eg_str s, uint32_t *ret_code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first = (unsigned char)s.p[0];
    if (first < 0x80) {
        *ret_code = first;
        return 1;
    }
    size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
    if (n == 0 || first > 0xf4 || s.n < n) return 0;
    uint32_t code = first & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        unsigned char next = (unsigned char)s.p[i];
        if ((next & 0xc0) != 0x80) return 0;
        code = code << 6 | (next & 0x3f);
    }
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
    *ret_code = code;
    return n;
}

/* May this character go to a terminal as it is?  Not C0 and C1 controls, and not
 * the marks that turn the writing direction (they make a line read differently
 * from what it is) or are not seen at all. */
static inline bool eg_utf8_shown(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false;
    if (code >= 0x200b && code <= 0x200f) return false;
    if (code >= 0x2028 && code <= 0x202e) return false;
    if (code >= 0x2060 && code <= 0x206f) return false;
    return code != 0xfeff && code != 0x061c;
}

#endif
