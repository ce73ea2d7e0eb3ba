// SPDX-License-Identifier: MIT
/* Can a word pattern be matched from left to right without guessing?  The
 * matcher relies on it to be linear, and a reader can tell what it takes.  What
 * stands behind the last hole is matched from the argument's end, so it may be
 * anything. */
#include "policy/parser.h"

bool eg_check_word(struct eg_parser *p, const struct eg_ast_piece *pieces, size_t count)
{
    size_t last = count;
    while (last > 0 && pieces[last - 1].kind == EG_PIECE_LITERAL) last--;
    for (size_t i = 0; i + 1 < last; i++) {
        const struct eg_ast_piece *hole = &pieces[i];
        const struct eg_ast_piece *next = &pieces[i + 1];
        if (hole->kind == EG_PIECE_LITERAL) continue;
        if (next->kind != EG_PIECE_LITERAL) {
            eg_report(p->diagnostics, HOLES_TOUCH, next->span);
            return false;
        }
        if (eg_hole_holds(hole->kind, (unsigned char)next->text.p[0])) {
            char byte[2] = { next->text.p[0], '\0' };
            eg_report(p->diagnostics, HOLE_AMBIGUOUS, next->span, byte, eg_hole_word(hole->kind));
            return false;
        }
    }
    return true;
}
