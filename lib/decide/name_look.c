// SPDX-License-Identifier: MIT
/* Purpose: a cheap look at a name: does it need the whole judgement of name.c?
 * Openings for reading ask it, and most names need no more. */
#include "decide/parts.h"
#include "decide/write.h"

/* Two letters of each extension, and the first two of each whole name that
 * steers, as one bit of 256: most names need no more. */
#define HASH(a, b)       (((unsigned)(a)*37u + (unsigned)(b)) & 255u)
#define BIT(word, a, b)  (HASH(a, b) / 64 == (word) ? UINT64_C(1) << HASH(a, b) % 64 : 0)
#define STEERS_SERVER(x) (x)
#define STEERS_TOOL(x)   0

static const uint64_t extensions_begin[4] = {
#define E(pattern, where, who) | BIT(0, (pattern)[0], (pattern)[1])
    0
#include "table/scripts.def"
    ,
#define E(pattern, where, who) | BIT(1, (pattern)[0], (pattern)[1])
    0
#include "table/scripts.def"
    ,
#define E(pattern, where, who) | BIT(2, (pattern)[0], (pattern)[1])
    0
#include "table/scripts.def"
    ,
#define E(pattern, where, who) | BIT(3, (pattern)[0], (pattern)[1])
    0
#include "table/scripts.def"
};

static const uint64_t names_begin[4] = {
#define N(pattern, kind, who) | STEERS_##kind(BIT(0, (pattern)[0], (pattern)[1]))
    0
#include "table/scripts.def"
    ,
#define N(pattern, kind, who) | STEERS_##kind(BIT(1, (pattern)[0], (pattern)[1]))
    0
#include "table/scripts.def"
    ,
#define N(pattern, kind, who) | STEERS_##kind(BIT(2, (pattern)[0], (pattern)[1]))
    0
#include "table/scripts.def"
    ,
#define N(pattern, kind, who) | STEERS_##kind(BIT(3, (pattern)[0], (pattern)[1]))
    0
#include "table/scripts.def"
};

static bool is_in(const uint64_t table[4], uint8_t a, uint8_t b)
{
    unsigned bit = HASH(a, b);
    return table[bit / 64] >> (bit % 64) & 1;
}

/* A character that folding would change or that ends a reading. */
static const uint8_t odd[256] = {
    [0 ... ' '] = 1,   ['#'] = 1, ['%'] = 1,  ['/'] = 1,
    [':' ... ';'] = 1, ['?'] = 1, ['\\'] = 1, [0x7f ... 0xff] = 1,
};

static bool is_odd(uint8_t c)
{
    return odd[c];
}

static uint8_t lower_byte(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Where a string ends, eight bytes at a time: a path is looked through at every
 * opening for reading.  An aligned word lies in one page with the byte that is asked
 * for, so reading around the string finds mapped memory; the compiler, which knows no
 * pages, is not told what the pointer points to. */
__attribute__((no_sanitize("address"))) static const char *end_of(const char *string)
{
    typedef uint64_t __attribute__((may_alias)) word;
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uintptr_t at = (uintptr_t)string & ~(uintptr_t)7;
    __asm__("" : "+r"(at));
    /* what lies before the string is no end of it */
    uint64_t before = (UINT64_C(1) << 8 * ((uintptr_t)string & 7)) - 1;
    uint64_t bytes = *(const word *)at | before; // NOLINT(performance-no-int-to-ptr)
    for (;;) {
        uint64_t zeros = (bytes - ones) & ~bytes & tops;
        if (zeros) return string + (at + (unsigned)__builtin_ctzll(zeros) / 8 - (uintptr_t)string);
        at += sizeof(word);
        bytes = *(const word *)at; // NOLINT(performance-no-int-to-ptr)
    }
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest");

bool eg_decide_path_may_run(const char *path)
{
    const char *end = end_of(path), *at = end;
    bool maybe = false;
    while (at > path && at[-1] != '/') {
        at--;
        maybe |= is_odd((uint8_t)*at);
        if (*at == '.' && end - at > 2)
            maybe |= is_in(extensions_begin, lower_byte(at[1]), lower_byte(at[2]));
    }
    return end - at >= 2 && (maybe || is_in(names_begin, lower_byte(at[0]), lower_byte(at[1])));
}

bool eg_decide_name_may_run(struct eg_str name)
{
    if (name.n < 2) return false;
    bool maybe = is_in(names_begin, lower_byte(name.p[0]), lower_byte(name.p[1]));
    for (size_t i = 0; i < name.n && !maybe; i++) {
        maybe = is_odd((uint8_t)name.p[i]);
        if (name.p[i] == '.' && i + 2 < name.n &&
            is_in(extensions_begin, lower_byte(name.p[i + 1]), lower_byte(name.p[i + 2])))
            maybe = true;
    }
    return maybe && eg_decide_script_kinds(name) & (EG_SCRIPT_RUNS | EG_SCRIPT_STEERS);
}
