// SPDX-License-Identifier: MIT
/* "Did you mean": the nearest word by edit distance, adjacent letters swapped
 * being one edit (optimal string alignment). */
#include "policy/policy.h"

#define LONGEST 48u

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Case and the kind of dash are not what distinguishes two words. */
static char fold(char c)
{
    if (c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
    return c == '_' ? '-' : c;
}

/* Edits between a and b, both at most LONGEST long. */
static unsigned distance(struct eg_str a, struct eg_str b)
{
    unsigned rows[3][LONGEST + 1];
    unsigned *before = rows[0];
    unsigned *last = rows[1];
    unsigned *row = rows[2];
    for (size_t j = 0; j <= b.n; j++) last[j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = fold(a.p[i - 1]);
            char y = fold(b.p[j - 1]);
            row[j] = least(least(last[j] + 1, row[j - 1] + 1), last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == fold(b.p[j - 2]) && y == fold(a.p[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b.n];
}

const char *eg_suggest(struct eg_str wrong, const char *const *words, size_t count)
{
    if (wrong.n == 0 || wrong.n > LONGEST) return NULL;
    /* A third of the word may be wrong; in a word of two letters, none or one
     * letter more. */
    unsigned nearest = least(3, (unsigned)(wrong.n + 1) / 3) + 1;
    const char *suggestion = NULL;
    for (size_t i = 0; i < count; i++) {
        struct eg_str word = eg_str(words[i]);
        if (word.n == 0 || word.n > LONGEST) continue;
        unsigned edits = distance(wrong, word);
        if (edits >= nearest || edits >= word.n) continue;
        nearest = edits;
        suggestion = words[i];
    }
    return suggestion;
}
