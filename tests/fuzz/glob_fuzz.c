// SPDX-License-Identifier: MIT
/* Globs on any bytes: up to the first NUL the pattern, then the text.  Besides
 * not crashing: two stars alone match everything, a text quoted byte by byte
 * matches itself, and widening a pattern never loses a match. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decide/decide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    size_t cut = nul ? (size_t)(nul - data) : size;
    struct eg_str pattern = { (const char *)data, cut };
    struct eg_str text = { (const char *)data + cut + (nul != NULL), size - cut - (nul != NULL) };
    char wide[EG_GLOB_MAX];
    size_t n = 0;
    bool matched = eg_glob_match(pattern, text);
    if (!eg_glob_match(EG_STR("**"), text)) abort();
    for (size_t i = 0; i < text.n && n + 2 <= sizeof(wide); i++) {
        wide[n++] = '\\';
        wide[n++] = text.p[i];
    }
    if (n == 2 * text.n && !eg_glob_match((struct eg_str){ wide, n }, text)) abort();
    if (matched && pattern.n + 2 <= sizeof(wide) && (!cut || pattern.p[cut - 1] != '\\')) {
        if (cut) memcpy(wide, pattern.p, pattern.n);
        memcpy(wide + pattern.n, "**", 2);
        if (memchr(pattern.p ? pattern.p : "", '[', cut) == NULL &&
            !eg_glob_match((struct eg_str){ wide, pattern.n + 2 }, text))
            abort();
    }
    return 0;
}
