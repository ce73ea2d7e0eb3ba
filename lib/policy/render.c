// SPDX-License-Identifier: MIT
/* Diagnostics for people: place, message, the source line, a caret under the
 * place, what to write instead. */
#include "policy/policy.h"

#include <string.h>

#include "policy/utf8.h"

/* Bytes of a source line that are shown; a longer one is shown around the span. */
#define SHOWN 120u

/* Print bytes so that no terminal acts on them; a tab becomes one space. */
static void print_harmless(FILE *out, struct eg_str s)
{
    while (s.n) {
        uint32_t code;
        size_t n = eg_utf8_decode(s, &code);
        if (n && code == '\t')
            fputc(' ', out);
        else if (n && eg_utf8_shown(code))
            fwrite(s.p, 1, n, out);
        else
            fputc('?', out);
        s = eg_str_skip(s, n ? n : 1);
    }
}

/* Characters that print_harmless prints for s. */
static size_t count_shown(struct eg_str s)
{
    size_t count = 0;
    while (s.n) {
        uint32_t code;
        size_t n = eg_utf8_decode(s, &code);
        s = eg_str_skip(s, n ? n : 1);
        count++;
    }
    return count;
}

static void print_times(FILE *out, char c, size_t n)
{
    while (n--) fputc(c, out);
}

/* Line `number` of a text, without its end. */
static struct eg_str find_line(struct eg_str text, uint32_t number)
{
    const char *end;
    while (--number && text.n && (end = memchr(text.p, '\n', text.n)))
        text = eg_str_skip(text, (size_t)(end - text.p) + 1);
    if (text.n && (end = memchr(text.p, '\n', text.n))) text.n = (size_t)(end - text.p);
    if (text.n && text.p[text.n - 1] == '\r') text.n--;
    return text;
}

static bool starts_character(struct eg_str s, size_t at)
{
    return at >= s.n || ((unsigned char)s.p[at] & 0xc0) != 0x80;
}

static void print_excerpt(FILE *out, struct eg_str line, struct eg_span span)
{
    size_t start = span.column - 1;
    if (start > line.n) start = line.n;
    size_t end = span.length < line.n - start ? start + span.length : line.n;

    size_t from = 0;
    size_t to = line.n;
    if (line.n > SHOWN) {
        from = start > SHOWN / 3 ? start - SHOWN / 3 : 0;
        while (from > 0 && !starts_character(line, from)) from--;
        to = line.n - from > SHOWN ? from + SHOWN : line.n;
        while (to < line.n && !starts_character(line, to)) to++;
    }
    if (end > to) end = to;

    fputs("    ", out);
    if (from) fputs("...", out);
    print_harmless(out, (struct eg_str){ line.p + from, to - from });
    if (to < line.n) fputs("...", out);
    fputs("\n    ", out);
    if (from) fputs("   ", out);
    print_times(out, ' ', count_shown((struct eg_str){ line.p + from, start - from }));
    fputc('^', out);
    size_t width = end > start ? count_shown((struct eg_str){ line.p + start, end - start }) : 0;
    if (width > 1) print_times(out, '~', width - 1);
    fputc('\n', out);
}

static void render_one(const struct eg_diagnostic *item, const struct eg_policy *policy, FILE *out)
{
    const struct eg_source *source = NULL;
    if (policy && item->span.source < policy->source_count)
        source = &policy->sources[item->span.source];
    if (source) {
        print_harmless(out, source->path);
        if (item->span.line) fprintf(out, ":%u:%u", item->span.line, item->span.column);
        fputs(": ", out);
    }
    fputs(item->severity == EG_SEVERITY_ERROR ? "error: " : "warning: ", out);
    print_harmless(out, eg_str(item->message ? item->message : "out of memory"));
    fputc('\n', out);
    if (source && item->span.line && item->span.column)
        print_excerpt(out, find_line(source->text, item->span.line), item->span);
    if (item->hint) {
        fputs("hint: ", out);
        print_harmless(out, eg_str(item->hint));
        fputc('\n', out);
    }
    while (source && source->included_from.line) {
        struct eg_span by = source->included_from;
        source = by.source < policy->source_count ? &policy->sources[by.source] : NULL;
        if (!source) break;
        fputs("included from ", out);
        print_harmless(out, source->path);
        fprintf(out, ":%u\n", by.line);
    }
}

void eg_diagnostics_render(const struct eg_diagnostics *d, const struct eg_policy *policy,
                           FILE *out)
{
    for (size_t i = 0; i < d->count; i++) render_one(&d->items[i], policy, out);
    if (d->suppressed)
        fprintf(out, "and %zu more message%s\n", d->suppressed, d->suppressed == 1 ? "" : "s");
}
