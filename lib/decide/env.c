// SPDX-License-Identifier: MIT
/* Variables that run code: the policy's own words first, then table/env.def. */
#include "decide/parts.h"

enum class { CODE, LOADER };

/* Names are held in the rows, not pointed to: the table needs no relocation in
 * the processes that it is loaded into. */
struct row {
    uint8_t length;
    uint8_t class;
    char pattern[32];
};

static const struct row rows[] = {
#define E(pattern, programs, class, what) { sizeof(pattern) - 1, class, pattern },
#include "table/env.def"
#undef E
};

/* The first two bytes of every pattern, as one bit of 512: this is asked for every
 * variable at every exec, and most begin otherwise.  No pattern is shorter than two
 * bytes before its star. */
#define HASH(a, b) (((unsigned)(unsigned char)(a)*23u + (unsigned char)(b)) & 511u)
#define BIT(word, pattern)                                                                         \
    (HASH((pattern)[0], (pattern)[1]) / 64 == (word)                                               \
         ? UINT64_C(1) << HASH((pattern)[0], (pattern)[1]) % 64                                    \
         : 0)

static const uint64_t begins[8] = {
#define E(pattern, programs, class, what) | BIT(0u, pattern)
    0
#include "table/env.def"
#undef E
    ,
#define E(pattern, programs, class, what) | BIT(1u, pattern)
    0
#include "table/env.def"
#undef E
    ,
#define E(pattern, programs, class, what) | BIT(2u, pattern)
    0
#include "table/env.def"
#undef E
    ,
#define E(pattern, programs, class, what) | BIT(3u, pattern)
    0
#include "table/env.def"
#undef E
    ,
#define E(pattern, programs, class, what) | BIT(4u, pattern)
    0
#include "table/env.def"
#undef E
    ,
#define E(pattern, programs, class, what) | BIT(5u, pattern)
    0
#include "table/env.def"
#undef E
    ,
#define E(pattern, programs, class, what) | BIT(6u, pattern)
    0
#include "table/env.def"
#undef E
    ,
#define E(pattern, programs, class, what) | BIT(7u, pattern)
    0
#include "table/env.def"
#undef E
};

static bool may_begin(char a, char b)
{
    unsigned bit = HASH(a, b);
    return begins[bit / 64] >> (bit % 64) & 1;
}

/* Then the two bytes themselves, eight at a time. */
#define HEAD(name) ((uint16_t)((unsigned char)(name)[0] | (unsigned char)(name)[1] << 8))
#define ROWS       (sizeof(rows) / sizeof(rows[0]))
#define BLOCK      8u
#define BLOCKS     ((ROWS + BLOCK - 1) / BLOCK)

typedef uint16_t block __attribute__((vector_size(2 * BLOCK)));
static const union {
    uint16_t each[BLOCKS * BLOCK]; /* filled up with zeros, which no name begins with */
    block blocks[BLOCKS];
} heads = { .each = {
#define E(pattern, programs, class, what) HEAD(pattern),
#include "table/env.def"
#undef E
            } };

static bool any(block mask)
{
    union {
        block mask;
        uint64_t halves[2];
    } u = { mask };
    return u.halves[0] | u.halves[1];
}

static const struct row *find_row(struct eg_str name)
{
    if (name.n < 2 || !may_begin(name.p[0], name.p[1])) return NULL;
    uint16_t head = HEAD(name.p);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (!any((block)(heads.blocks[i] == head))) continue;
        for (size_t k = i * BLOCK; k < (i + 1) * BLOCK && k < ROWS; k++)
            if (heads.each[k] == head &&
                eg_decide_name_fits((struct eg_str){ rows[k].pattern, rows[k].length }, name))
                return &rows[k];
    }
    return NULL;
}

bool eg_env_may_matter(const struct eg_blob *blob, const char *entry)
{
    return eg_blob_count(blob, EG_SECTION_ENV) ||
           (entry[0] && entry[1] && may_begin(entry[0], entry[1]));
}

enum eg_env_action eg_decide_env(const struct eg_blob *blob, struct eg_str entry)
{
    const struct eg_blob_env *env = eg_blob_section(blob, EG_SECTION_ENV);
    uint32_t count = eg_blob_count(blob, EG_SECTION_ENV);
    struct eg_str name = { entry.p, eg_str_find(entry, '=') };
    for (uint32_t i = 0; i < count; i++)
        if (eg_decide_name_fits(eg_blob_str(blob, env[i].pattern), name))
            return env[i].keep ? EG_ENV_PASS : EG_ENV_DROP_ALWAYS;
    return find_row(name) ? EG_ENV_DROP : EG_ENV_PASS;
}

bool eg_env_is_loader(struct eg_str name)
{
    const struct row *row = find_row(name);
    return row && row->class == LOADER;
}
