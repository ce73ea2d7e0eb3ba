// SPDX-License-Identifier: MIT
/* What a shell keeps for itself: builtins and reserved words, from the table. */
#include "line/parser.h"

/* Columns of table/builtins.def. */
enum { DASH = 1, BASH = 2, TWIN = 4, DASH_WORD = 8, BASH_WORD = 16 };

static bool has_kind(struct eg_str name, unsigned kinds)
{
    static const struct {
        char name[12];
        unsigned kinds;
    } builtins[] = {
#define B(text, which) { text, which },
#include "table/builtins.def"
#undef B
    };
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        if ((builtins[i].kinds & kinds) && eg_str_equal(eg_str(builtins[i].name), name))
            return true;
    return false;
}

bool eg_line_is_builtin(enum eg_dialect dialect, struct eg_str name)
{
    return has_kind(name, dialect == EG_DIALECT_DASH ? DASH : DASH | BASH);
}

bool eg_line_is_reserved(enum eg_dialect dialect, struct eg_str name)
{
    return has_kind(name, dialect == EG_DIALECT_DASH ? DASH_WORD : DASH_WORD | BASH_WORD);
}

bool eg_line_has_twin(struct eg_str name)
{
    return has_kind(name, TWIN);
}
