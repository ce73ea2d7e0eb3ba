// SPDX-License-Identifier: MIT
/* Compares the fields of a request, decoded in the ways that applications decode
 * them, with what was refused.
 *
 * One search (Knuth, Morris, Pratt) of each value in the texts; first the pairs
 * of bytes that a value is made of are looked up in a bitmap of those in the texts,
 * so that values which cannot be found cost their own length only.  A budget of
 * steps ends what an attacker made slow on purpose. */
#include "event/source.h"

#define VALUE_MAX  1024u /* bytes of one decoded value; the start of a longer one */
#define LINE_MAX   4096u /* bytes of a line, around the construct */
#define TEXTS_MAX  64u
#define TEXTS_SIZE 8192u /* bytes of all arguments */
#define BUDGET     (1u << 20)
#define PART_MAX   256u /* bytes that a part of a value is compared on either side */
#define LABEL_MAX  96u

#define LENGTH_COVERING 2u
#define LENGTH_PART     4u
#define LENGTH_WORD     3u
#define LENGTH_ANYWHERE 5u /* need not stand alone */
#define LENGTH_TEXT     6u /* of headers, most of which say "gzip" and the like */

#define PAIR_BITS 8192u

enum kind { PARAMETERS, COOKIES, PATH, URI, TEXT };

struct search {
    struct eg_str texts[TEXTS_MAX]; /* windows of them */
    size_t bases[TEXTS_MAX];
    size_t text_count, text_bytes;
    bool arguments;
    bool has_offset;
    size_t offset; /* of the construct, in texts[0] */
    uint32_t budget;
    enum kind kind;
    struct eg_str field, label; /* of the value now looked at */
    uint32_t best_score;
    struct eg_str best_field, best_label;
    size_t best_text, best_start, best_end;
    uint8_t pairs[PAIR_BITS / 8];
    struct eg_str value;
    char decoded[VALUE_MAX];
    char plain[VALUE_MAX]; /* without quotes */
    uint16_t back[VALUE_MAX];
};

static bool spend(struct search *s, size_t steps)
{
    if (s->budget < steps) {
        s->budget = 0;
        return false;
    }
    s->budget -= (uint32_t)steps;
    return true;
}

/* What quoting adds and takes away. */
static bool is_quote(char c)
{
    return c == '\'' || c == '"' || c == '\\';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

/* ---- the texts ---- */

static uint32_t pair_bit(char a, char b)
{
    return ((uint32_t)(unsigned char)a * 31u + (uint32_t)(unsigned char)b * 57u) % PAIR_BITS;
}

static void add_text(struct search *s, struct eg_str text, size_t base)
{
    char before = 0;
    bool first = true;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (is_quote(c)) continue;
        uint32_t bit = pair_bit(before, c);
        if (!first) s->pairs[bit / 8] |= (uint8_t)(1u << bit % 8);
        before = c;
        first = false;
    }
    s->bases[s->text_count] = base;
    s->texts[s->text_count++] = text;
    s->text_bytes += text.n;
}

static void take_texts(struct search *s, const struct eg_event *e)
{
    if (e->has_line) {
        size_t base = 0;
        struct eg_str line = e->line;
        if (e->has_construct && e->offset < line.n) {
            if (line.n > LINE_MAX && e->offset > LINE_MAX / 2) base = e->offset - LINE_MAX / 2;
            s->has_offset = true;
            s->offset = e->offset - base;
        }
        line = eg_str_skip(line, base);
        if (line.n > LINE_MAX) line.n = LINE_MAX;
        add_text(s, line, base);
        return;
    }
    s->arguments = e->has_argv && e->argv;
    for (size_t i = 0; s->arguments && i < e->argc && i < TEXTS_MAX; i++) {
        size_t room = TEXTS_SIZE - s->text_bytes;
        const char *argument = e->argv[i];
        add_text(s, (struct eg_str){ argument, argument ? eg_strnlen(argument, room) : 0 }, 0);
    }
    if (s->arguments || !e->path.n) return;
    add_text(s, (struct eg_str){ e->path.p, e->path.n < LINE_MAX ? e->path.n : LINE_MAX }, 0);
}

/* ---- what was found ---- */

/* Does [start, end) end where words do? */
static bool stands_alone(struct eg_str text, size_t start, size_t end)
{
    bool left =
        start == 0 || !is_alphanumeric(text.p[start - 1]) || !is_alphanumeric(text.p[start]);
    bool right =
        end == text.n || !is_alphanumeric(text.p[end]) || !is_alphanumeric(text.p[end - 1]);
    return left && right;
}

/* `size`: bytes that agreed. */
static void consider(struct search *s, size_t text, size_t start, size_t end, size_t size,
                     bool whole)
{
    bool covers = s->has_offset && start <= s->offset && s->offset < end;
    if (covers) {
        if (size < LENGTH_COVERING) return;
    } else {
        if (!whole || size < (s->kind == TEXT ? LENGTH_TEXT : LENGTH_WORD)) return;
        if (size < LENGTH_ANYWHERE && !stands_alone(s->texts[text], start, end)) return;
    }
    uint32_t score = (covers ? 1u << 20 : 0) + (whole ? 1u << 19 : 0) + (uint32_t)size;
    if (score <= s->best_score) return;
    s->best_score = score;
    s->best_field = s->field;
    s->best_label = s->label;
    s->best_text = text;
    s->best_start = start;
    s->best_end = end;
}

/* The whole value ends at `last` of a text: where it begins there, with the
 * quotes that it begins and ends with itself. */
static void found_whole(struct search *s, size_t text, size_t last, size_t size)
{
    struct eg_str in = s->texts[text];
    size_t end = last + 1;
    size_t start = end;
    if (!spend(s, size)) return;
    for (size_t left = size; left > 0 && start > 0;)
        if (!is_quote(in.p[--start])) left--;
    size_t i = 0;
    while (i < s->value.n && is_quote(s->value.p[i])) i++;
    while (i > 0 && start > 0 && in.p[start - 1] == s->value.p[i - 1]) i--, start--;
    i = s->value.n;
    while (i > 0 && is_quote(s->value.p[i - 1])) i--;
    while (i < s->value.n && end < in.n && in.p[end] == s->value.p[i]) i++, end++;
    consider(s, text, start, end, size, true);
}

/* ---- one value ---- */

/* Fill `plain`, and `back` with how long a start of it each start of it ends in. */
static size_t prepare(struct search *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->value.n; i++)
        if (!is_quote(s->value.p[i])) s->plain[n++] = s->value.p[i];
    for (size_t i = 1; i < n; i++) {
        uint32_t bit = pair_bit(s->plain[i - 1], s->plain[i]);
        if (!(s->pairs[bit / 8] >> bit % 8 & 1)) return 0;
    }
    if (n < LENGTH_COVERING) return 0;
    s->back[0] = 0;
    for (size_t i = 1, k = 0; i < n; i++) {
        while (k && s->plain[k] != s->plain[i]) k = s->back[k - 1];
        if (s->plain[k] == s->plain[i]) k++;
        s->back[i] = (uint16_t)k;
    }
    return n;
}

static void search_whole(struct search *s)
{
    size_t n = prepare(s);
    if (!n || !spend(s, s->text_bytes)) return;
    for (size_t t = 0; t < s->text_count; t++) {
        struct eg_str in = s->texts[t];
        for (size_t i = 0, k = 0; i < in.n; i++) {
            char c = in.p[i];
            if (is_quote(c)) continue;
            while (k && (k == n || s->plain[k] != c)) k = s->back[k - 1];
            if (s->plain[k] == c) k++;
            if (k == n) found_whole(s, t, i, n);
        }
    }
}

/* What the application put around or took from the value does not hide that the
 * construct is the value's. */
static void search_part(struct search *s)
{
    if (!s->has_offset) return;
    struct eg_str in = s->texts[0];
    struct eg_str v = s->value;
    for (size_t i = 0; i < v.n; i++) {
        size_t left = 0;
        size_t right = 1;
        if (v.p[i] != in.p[s->offset]) continue;
        while (left < PART_MAX && left < i && left < s->offset &&
               v.p[i - left - 1] == in.p[s->offset - left - 1])
            left++;
        while (right < PART_MAX && i + right < v.n && s->offset + right < in.n &&
               v.p[i + right] == in.p[s->offset + right])
            right++;
        if (!spend(s, left + right)) return;
        if (left + right >= LENGTH_PART)
            consider(s, 0, s->offset - left, s->offset + right, left + right, false);
    }
}

static void search_value(struct search *s, struct eg_str value)
{
    while (value.n && is_blank(value.p[0])) value = eg_str_skip(value, 1);
    while (value.n && is_blank(value.p[value.n - 1])) value.n--;
    if (value.n < LENGTH_COVERING || !spend(s, value.n)) return;
    s->value = value;
    search_whole(s);
    search_part(s);
}

/* ---- decoding ---- */

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* %XX, and with `form` + for a blank; to `decoded`, which `from` may lie in.  Stops
 * at a NUL, as what takes C strings does. */
static struct eg_str decode(struct search *s, struct eg_str from, bool form)
{
    size_t n = 0;
    for (size_t i = 0; i < from.n && n < VALUE_MAX; i++) {
        char c = from.p[i];
        int high = c == '%' && i + 2 < from.n ? digit(from.p[i + 1]) : -1;
        int low = high >= 0 ? digit(from.p[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high * 16 + low);
            i += 2;
        } else if (form && c == '+') {
            c = ' ';
        }
        if (!c) break;
        s->decoded[n++] = c;
    }
    return (struct eg_str){ s->decoded, n };
}

/* A value in all the ways in which it may have been decoded. */
static void search_decoded(struct search *s, struct eg_str raw)
{
    if (raw.n > EG_SOURCE_VALUE) raw.n = EG_SOURCE_VALUE;
    bool percent = eg_str_find(raw, '%') < raw.n;
    bool plus = eg_str_find(raw, '+') < raw.n;
    search_value(s, (struct eg_str){ raw.p, raw.n < VALUE_MAX ? raw.n : VALUE_MAX });
    if (percent) search_value(s, decode(s, raw, false));
    if (plus) search_value(s, decode(s, raw, true));
    if (!percent) return;
    struct eg_str once = decode(s, raw, true);
    if (eg_str_find(once, '%') < once.n) search_value(s, decode(s, once, false));
}

/* ---- fields ---- */

/* "a=b&c=d" */
static void search_pairs(struct search *s, struct eg_str left, char separator, char other)
{
    while (left.n && s->budget) {
        size_t n = 0;
        while (n < left.n && left.p[n] != separator && left.p[n] != other) n++;
        struct eg_str pair = { left.p, n };
        left = eg_str_skip(left, n + 1);
        while (pair.n && is_blank(pair.p[0])) pair = eg_str_skip(pair, 1);
        size_t equals = eg_str_find(pair, '=');
        if (equals == pair.n) {
            search_decoded(s, pair);
            continue;
        }
        s->label = (struct eg_str){ pair.p, equals };
        search_decoded(s, eg_str_skip(pair, equals + 1));
        s->label.n = 0;
    }
}

/* Some servers take a `;` for a `&`. */
static void search_parameters(struct search *s, struct eg_str query)
{
    search_pairs(s, query, '&', '&');
    if (eg_str_find(query, ';') < query.n) search_pairs(s, query, '&', ';');
}

static void search_path(struct search *s, struct eg_str left)
{
    while (left.n && s->budget) {
        struct eg_str part = { left.p, eg_str_find(left, '/') };
        left = eg_str_skip(left, part.n + 1);
        search_decoded(s, part);
    }
}

static void search_field(struct search *s, struct eg_str value)
{
    if (value.n > EG_SOURCE_VALUE) value.n = EG_SOURCE_VALUE;
    size_t query = eg_str_find(value, '?');
    s->label = (struct eg_str){ NULL, 0 };
    switch (s->kind) {
    case PARAMETERS: search_parameters(s, value); break;
    case COOKIES: search_pairs(s, value, ';', ';'); break;
    case PATH: search_path(s, value); break;
    case URI:
        search_path(s, (struct eg_str){ value.p, query });
        search_parameters(s, eg_str_skip(value, query + 1));
        break;
    case TEXT: break;
    }
    search_decoded(s, value);
}

static const struct {
    struct eg_str name;
    enum kind kind;
} table[] = {
#define Q(name, kind, doc) { { name, sizeof(name) - 1 }, kind },
#include "table/request_fields.def"
#undef Q
};
#define ROWS (sizeof table / sizeof *table)

/* Does any row begin so?  Most names of a request are in no row. */
static bool may_have_row(char first)
{
#define Q(name, kind, doc) | UINT32_C(1) << ((name)[0] & 31)
    const uint32_t letters = 0
#include "table/request_fields.def"
        ;
#undef Q
    return letters >> (first & 31) & 1;
}

/* Its row in the table, or ROWS. */
static size_t row_of(struct eg_str name)
{
    if (!name.n || !may_have_row(name.p[0])) return ROWS;
    for (size_t i = 0; i < ROWS; i++) {
        struct eg_str row = table[i].name;
        if (name.p[0] != row.p[0]) continue;
        if (row.p[row.n - 1] == '*' ? eg_str_starts(name, (struct eg_str){ row.p, row.n - 1 })
                                    : eg_str_equal(name, row))
            return i;
    }
    return ROWS;
}

bool eg_event_is_field(struct eg_str name)
{
    return row_of(name) < ROWS;
}

size_t eg_event_fields(const char *const *envp, struct eg_request_field *ret, size_t limit)
{
    size_t n = 0;
    for (size_t i = 0; envp && envp[i] && n < limit; i++) {
        struct eg_str entry = eg_str(envp[i]);
        struct eg_str name = { entry.p, eg_str_find(entry, '=') };
        if (name.n < entry.n && eg_event_is_field(name))
            ret[n++] = (struct eg_request_field){ name, eg_str_skip(entry, name.n + 1) };
    }
    return n;
}

static void put_bounded(struct eg_buf *buf, struct eg_str s)
{
    if (s.n > LABEL_MAX) s.n = LABEL_MAX;
    eg_buf_str(buf, s);
}

bool eg_event_find_source(const struct eg_event *event, const struct eg_request_field *fields,
                          size_t count, struct eg_event_source *ret)
{
    struct search s;
    s.text_count = s.text_bytes = 0;
    s.arguments = s.has_offset = false;
    s.budget = BUDGET;
    s.best_score = 0;
    for (size_t i = 0; i < sizeof s.pairs; i++) s.pairs[i] = 0;
    if (!count) return false;
    take_texts(&s, event);
    for (size_t row = 0; row < ROWS && s.text_bytes; row++)
        for (size_t i = 0; i < count && i < EG_SOURCE_FIELDS && s.budget; i++) {
            if (row_of(fields[i].name) != row) continue;
            s.field = fields[i].name;
            s.kind = table[row].kind;
            search_field(&s, fields[i].value);
        }
    if (!s.best_score) return false;
    struct eg_buf name = eg_buf_over(ret->name, sizeof ret->name);
    put_bounded(&name, s.best_field);
    if (s.best_label.n) {
        eg_buf_byte(&name, ':');
        put_bounded(&name, s.best_label);
    }
    ret->name_size = name.n;
    ret->in_argument = s.arguments;
    ret->argument = s.arguments ? s.best_text : 0;
    ret->offset = s.bases[s.best_text] + s.best_start;
    ret->length = s.best_end - s.best_start;
    return true;
}

void eg_event_set_source(struct eg_event *event, const struct eg_event_source *source)
{
    event->source = (struct eg_str){ source->name, source->name_size };
    event->source_in_argument = source->in_argument;
    event->source_argument = source->argument;
    event->source_offset = source->offset;
    event->source_length = source->length;
}
