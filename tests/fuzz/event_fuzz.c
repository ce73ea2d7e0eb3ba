// SPDX-License-Identifier: MIT
/* Any bytes in any field of an event: the JSON line must be valid and short,
 * the readable one a single printable line, the marks below it another. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARGUMENTS_MAX = 300 };

struct input {
    const uint8_t *data;
    size_t size;
};

static uint8_t next(struct input *in)
{
    if (!in->size) return 0;
    in->size--;
    return *in->data++;
}

/* The next stretch of the input as a text: its length byte counts in bytes, or
 * repeats a short one until it is long. */
static struct eg_str text(struct input *in, char *memory, size_t cap)
{
    size_t n = next(in);
    size_t times = n & 1 ? 1 : (size_t)next(in) * 4;
    n >>= 1;
    if (n > in->size) n = in->size;
    size_t length = 0;
    for (size_t i = 0; i < times && length + n <= cap; i++) {
        memcpy(memory + length, in->data, n);
        length += n;
    }
    in->data += n;
    in->size -= n;
    return (struct eg_str){ memory, length };
}

static void check_json(const struct eg_event *event)
{
    char *line = malloc(EG_EVENT_MAX);
    if (!line) abort();
    size_t n = eg_event_json(event, line);
    if (n < 2 || n > EG_EVENT_MAX || line[n - 1] != '\n' || memchr(line, '\n', n - 1)) abort();
    if (!json_check(line, n, NULL, NULL)) abort();
    free(line);
}

static void check_readable(const struct eg_event *event)
{
    char *line = malloc(EG_EVENT_MAX);
    if (!line) abort();
    size_t n = eg_event_readable(event, line);
    if (n < 2 || n > EG_EVENT_MAX || line[n - 1] != '\n') abort();
    for (size_t i = 0; i < n - 1; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) abort();
    /* With its marks: the same line, and perhaps one more of blanks and marks. */
    char *both = malloc(EG_EVENT_MAX);
    if (!both) abort();
    size_t more = eg_event_explained(event, both);
    if (more < n || more > EG_EVENT_MAX || memcmp(both, line, n) != 0) abort();
    if (more > n && both[more - 1] != '\n') abort();
    for (size_t i = n; i + 1 < more; i++)
        if ((unsigned char)both[i] < 0x20 || both[i] == 0x7f) abort();
    free(both);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char memory[18][8192];
    static const char *argv[ARGUMENTS_MAX];
    struct input in = { data, size };
    uint8_t flags = next(&in);
    uint8_t kinds = next(&in);
    struct eg_str texts[17];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        texts[i] = text(&in, memory[i], sizeof memory[i]);

    /* What is left: the arguments, each ended by NUL. */
    size_t n = in.size < sizeof memory[17] - 1 ? in.size : sizeof memory[17] - 1;
    if (n) memcpy(memory[17], in.data, n);
    memory[17][n] = '\0';
    size_t argc = 0;
    for (size_t at = 0; at < n && argc < ARGUMENTS_MAX; at += strlen(memory[17] + at) + 1)
        argv[argc++] = memory[17] + at;

    struct eg_event event = {
        .action = (enum eg_action)(kinds & 3),
        .kind = (enum eg_kind)(kinds >> 2 & 15),
        .layer = (enum eg_layer)(kinds >> 6),
        .reason = (enum eg_reason)(flags % EG_REASON_COUNT),
        .time_s = (int64_t)((uint64_t)kinds << 48 | (uint64_t)size << 20),
        .time_ns = (uint32_t)size * 997u,
        .seq = size,
        .policy = texts[0],
        .rule_file = texts[1],
        .rule_line = kinds,
        .call = texts[2],
        .program = texts[3],
        .argv = flags & 1 ? argv : NULL,
        .argc = flags & 1 ? argc : 0,
        .has_argv = flags & 2,
        .line = texts[4],
        .has_line = flags & 4,
        .construct = texts[5],
        .offset = flags & 128 ? texts[4].n / 2 : size,
        .has_construct = flags & 8,
        .source_offset = kinds,
        .source_length = flags,
        .source_in_argument = flags & 64,
        .path = texts[6],
        .variable = texts[7],
        .inner = texts[8],
        .cwd = texts[9],
        .exe = texts[10],
        .pid = (int32_t)size - 100,
        .uid = kinds,
        .request = { texts[11], texts[12], texts[13], texts[14], texts[15],
                     (enum eg_event_remote)(kinds % EG_REMOTE_COUNT), flags & 16 },
        .source = texts[16],
        .hint = flags & 32 ? texts[0] : (struct eg_str){ NULL, 0 },
        .repeat = flags & 64,
    };
    check_json(&event);
    check_readable(&event);
    return 0;
}
