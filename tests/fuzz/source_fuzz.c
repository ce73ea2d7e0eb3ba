// SPDX-License-Identifier: MIT
/* Any fields against any line or arguments: the place that is named lies in the
 * text, its length is no more than the value could give, and the answer is the
 * same when asked again.
 *
 * Input, apart by NULs: the line (or arguments, when the first byte is odd), then
 * "NAME=value" entries. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES_MAX = 100 };

static void require(int condition)
{
    if (!condition) abort();
}

static void check(const struct eg_event *e, const struct eg_request_field *fields, size_t count)
{
    struct eg_event_source a, b;
    bool found = eg_event_find_source(e, fields, count, &a);
    require(found == eg_event_find_source(e, fields, count, &b));
    if (!found) return;
    require(a.offset == b.offset && a.length == b.length && a.argument == b.argument);
    require(a.name_size && a.name_size <= EG_SOURCE_NAME_MAX && a.name_size == b.name_size);
    require(a.length >= 2);
    struct eg_str text = e->line;
    if (a.in_argument) {
        require(!e->has_line && a.argument < e->argc);
        text = eg_str(e->argv[a.argument]);
    }
    require(a.offset < text.n && a.length <= text.n - a.offset);
    bool listed = false;
    for (size_t i = 0; i < count; i++)
        if (a.name_size >= fields[i].name.n && !memcmp(a.name, fields[i].name.p, fields[i].name.n))
            listed = true;
    require(listed || a.name_size > 90);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *entries[ENTRIES_MAX + 1];
    struct eg_request_field fields[EG_SOURCE_FIELDS];
    size_t count = 0;
    if (size < 3) return 0;
    uint8_t flags = data[0], offset = data[1], skip = data[2] % 8;
    char *text = malloc(size - 2);
    if (!text) abort();
    memcpy(text, data + 3, size - 3);
    text[size - 3] = '\0';
    for (size_t at = 0; at < size - 3 && count < ENTRIES_MAX; at += strlen(text + at) + 1)
        entries[count++] = text + at;
    entries[count] = NULL;
    size_t n = eg_event_fields(entries, fields, EG_SOURCE_FIELDS);
    require(n <= count);

    struct eg_event e = { .argv = entries, .argc = skip < count ? skip : count, .has_argv = true };
    if (count && !(flags & 1)) {
        e.line = eg_str(entries[0]);
        e.has_line = true;
        e.has_construct = flags & 2;
        e.offset = (size_t)offset * (flags & 4 ? 64 : 1);
    }
    check(&e, fields, n);
    free(text);
    return 0;
}
