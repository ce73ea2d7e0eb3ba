// SPDX-License-Identifier: MIT
/* The names of what a line can hold, from the table. */
#include "line/line.h"

struct construct {
    const char *slug, *sentence, *hint;
};

static const struct construct *find(enum eg_construct construct)
{
    static const struct construct constructs[] = {
#define K(id, slug, sentence, hint) { slug, sentence, hint },
#include "table/constructs.def"
#undef K
    };
    unsigned i = construct;
    return &constructs[i < EG_CONSTRUCT_COUNT ? i : EG_CONSTRUCT_NONE];
}

const char *eg_construct_slug(enum eg_construct construct)
{
    return find(construct)->slug;
}

const char *eg_construct_sentence(enum eg_construct construct)
{
    return find(construct)->sentence;
}

const char *eg_construct_hint(enum eg_construct construct)
{
    return find(construct)->hint;
}
