// SPDX-License-Identifier: MIT
/* Files of any bytes: the recogniser keeps within its state and its input, and
 * says the same however the file is cut. */
#include "content/content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t recognise(const uint8_t *data, size_t size, size_t piece, uint32_t mask)
{
    struct eg_content_state *state = malloc(sizeof *state);
    uint32_t hits = 0;
    eg_content_begin(state, mask);
    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        uint8_t *copy = malloc(n);
        memcpy(copy, data + at, n);
        bool more = eg_content_feed(state, copy, n);
        free(copy);
        if (!more) break;
    }
    eg_content_end(state, &hits);
    free(state);
    return hits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t whole = recognise(data, size, size ? size : 1, EG_CONTENT_ALL);
    static const size_t pieces[] = { 1, 7, 64, 65, 130 };
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        if (recognise(data, size, pieces[i], EG_CONTENT_ALL) != whole) {
            fprintf(stderr, "cut at %zu, another answer\n", pieces[i]);
            abort();
        }
    for (unsigned kind = 0; kind < EG_CONTENT_COUNT; kind++) {
        uint32_t bit = EG_CONTENT_BIT(kind);
        if (recognise(data, size, size ? size : 1, bit) != (whole & bit)) {
            fprintf(stderr, "asked for `%s' alone, another answer\n",
                    eg_content_slug((enum eg_content)kind));
            abort();
        }
    }
    return 0;
}
