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

/* The first two bytes of every pattern: this is looked through for every
 * variable at every exec, twice, so eight are compared at a time.  No pattern is
 * shorter than two bytes before its star. */
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
    if (name.n < 2) return NULL;
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
