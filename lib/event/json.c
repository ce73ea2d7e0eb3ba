// SPDX-License-Identifier: MIT
/* An event as one line of JSON (RFC 8259), at most EG_EVENT_MAX bytes.
 *
 * The fields come from table/event_fields.def.  Written once in full; when that
 * does not fit, the texts share what is left of the line evenly: a field that
 * needs less than its share leaves the rest to the others, so that a long URI
 * cannot push the command out of its own event. */
#include "event/event.h"
#include "event/text.h"

enum { ARGV_MAX = 256 };    /* arguments looked at; more than fit into a line */
enum { ARGUMENT_MIN = 24 }; /* rather leave arguments out than cut all of them shorter than this */

enum field {
#define F(name, type, value, present, doc)         FIELD_##name,
#define N(parent, name, type, value, present, doc) FIELD_##parent##_##name,
#include "table/event_fields.def"
#undef F
#undef N
    FIELD_COUNT
};
_Static_assert(FIELD_COUNT <= 64, "the cut fields are bits of one word");

static const char *const field_names[FIELD_COUNT] = {
#define F(name, type, value, present, doc)         [FIELD_##name] = #name,
#define N(parent, name, type, value, present, doc) [FIELD_##parent##_##name] = #parent "." #name,
#include "table/event_fields.def"
#undef F
#undef N
};

struct writer {
    struct eg_buf buf;
    uint16_t limits[FIELD_COUNT]; /* encoded bytes that a text may take */
    uint16_t sizes[FIELD_COUNT];  /* encoded bytes that it would take, when measuring */
    bool measuring;
    uint64_t cut;      /* bits by enum field */
    uint64_t left_out; /* arguments at the end of argv */
    bool first;        /* of the innermost object */
    bool nested;
};

/* One character as it stands inside a JSON string; returns its length. */
static size_t encode(struct eg_text_char c, char ret[12])
{
    static const char digits[] = "0123456789abcdef";
    if (c.valid && (c.code == '"' || c.code == '\\')) {
        ret[0] = '\\';
        ret[1] = (char)c.code;
        return 2;
    }
    if (c.valid && !eg_text_is_deceiving(c.code)) return eg_text_encode(c.code, ret);
    /* Two escapes beyond the basic plane: UTF-16's surrogates. */
    uint32_t units[2] = { c.code, 0 };
    size_t count = 1;
    if (c.code >= 0x10000) {
        units[0] = 0xd800u + ((c.code - 0x10000) >> 10);
        units[1] = 0xdc00u + ((c.code - 0x10000) & 0x3ffu);
        count = 2;
    }
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        ret[n++] = '\\';
        ret[n++] = 'u';
        for (int shift = 12; shift >= 0; shift -= 4) ret[n++] = digits[units[i] >> shift & 15];
    }
    return n;
}

/* Append at most limit encoded bytes of s; false when something was cut. */
static bool put_encoded(struct eg_buf *buf, struct eg_str s, size_t limit)
{
    for (size_t at = 0; at < s.n;) {
        char bytes[12];
        struct eg_text_char c = eg_text_next(s, at);
        size_t n = encode(c, bytes);
        if (n > limit) return false;
        limit -= n;
        eg_buf_str(buf, (struct eg_str){ bytes, n });
        if (buf->truncated) return false;
        at += c.n;
    }
    return true;
}

/* Encoded length, counted no further than max. */
static size_t measure(struct eg_str s, size_t max)
{
    size_t total = 0;
    for (size_t at = 0; at < s.n && total < max;) {
        char bytes[12];
        struct eg_text_char c = eg_text_next(s, at);
        total += encode(c, bytes);
        at += c.n;
    }
    return total < max ? total : max;
}

/* What texts of these sizes take when each gets at most `share` bytes, and
 * `extra` more for what stands around it. */
static size_t shared_size(const uint16_t *sizes, size_t count, size_t share, size_t extra)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += extra + (sizes[i] < share ? sizes[i] : share);
    return total;
}

/* The largest share with which they fit into `room`; 0 when none does. */
static size_t fair_share(const uint16_t *sizes, size_t count, size_t room, size_t extra)
{
    size_t low = 0;
    size_t high = EG_EVENT_MAX;
    while (low < high) {
        size_t share = (low + high + 1) / 2;
        if (shared_size(sizes, count, share, extra) <= room)
            low = share;
        else
            high = share - 1;
    }
    return low;
}

/* Arguments may be NULL in what a raw system call passed. */
static struct eg_str argument(const struct eg_event *e, size_t i)
{
    const char *s = e->argv[i];
    return (struct eg_str){ s, s ? eg_strnlen(s, EG_EVENT_MAX) : 0 };
}

static void put_key(struct writer *w, const char *name)
{
    if (!w->first) eg_buf_byte(&w->buf, ',');
    w->first = false;
    eg_buf_byte(&w->buf, '"');
    eg_buf_add(&w->buf, name);
    eg_buf_add(&w->buf, "\":");
}

/* A row of the outer object ends an inner one. */
static void leave_nested(struct writer *w)
{
    if (!w->nested) return;
    eg_buf_byte(&w->buf, '}');
    w->nested = false;
    w->first = false;
}

static void put_WORD(struct writer *w, enum field field, const char *word)
{
    (void)field;
    eg_buf_byte(&w->buf, '"');
    eg_buf_add(&w->buf, word);
    eg_buf_byte(&w->buf, '"');
}

static void put_NUMBER(struct writer *w, enum field field, uint64_t number)
{
    (void)field;
    eg_buf_u64(&w->buf, number);
}

static void put_SIGNED(struct writer *w, enum field field, int64_t number)
{
    (void)field;
    eg_buf_i64(&w->buf, number);
}

static void put_BOOL(struct writer *w, enum field field, bool value)
{
    (void)field;
    eg_buf_add(&w->buf, value ? "true" : "false");
}

static void put_text(struct writer *w, enum field field, struct eg_str text)
{
    if (w->measuring) w->sizes[field] = (uint16_t)measure(text, EG_EVENT_MAX);
    if (!put_encoded(&w->buf, text, w->limits[field])) w->cut |= 1ull << field;
}

static void put_TEXT(struct writer *w, enum field field, struct eg_str text)
{
    eg_buf_byte(&w->buf, '"');
    put_text(w, field, text);
    eg_buf_byte(&w->buf, '"');
}

static void put_RULE(struct writer *w, enum field field, const struct eg_event *e)
{
    eg_buf_byte(&w->buf, '"');
    put_text(w, field, e->rule_file);
    eg_buf_byte(&w->buf, ':');
    eg_buf_u64(&w->buf, e->rule_line);
    eg_buf_byte(&w->buf, '"');
}

static void put_digits(struct eg_buf *buf, uint64_t number, int digits)
{
    char text[8];
    for (int i = digits; i > 0; i--) {
        text[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    eg_buf_str(buf, (struct eg_str){ text, (size_t)digits });
}

/* Days since 1970 to a date of the proleptic Gregorian calendar, counted in
 * eras of 400 years that start on 1 March. */
static void put_TIME(struct writer *w, enum field field, const struct eg_event *e)
{
    (void)field;
    const int64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
    int64_t seconds = e->time_s < 0 ? 0 : e->time_s > last ? last : e->time_s;
    uint64_t of_day = (uint64_t)(seconds % 86400);
    uint64_t days = (uint64_t)(seconds / 86400) + 719468;
    uint64_t era = days / 146097;
    uint64_t day_of_era = days % 146097;
    uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t shifted = (5 * day_of_year + 2) / 153;
    uint64_t day = day_of_year - (153 * shifted + 2) / 5 + 1;
    uint64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    uint64_t year = year_of_era + era * 400 + (month <= 2);
    const struct {
        char before;
        int digits;
        uint64_t number;
    } parts[] = { { '"', 4, year },
                  { '-', 2, month },
                  { '-', 2, day },
                  { 'T', 2, of_day / 3600 },
                  { ':', 2, of_day / 60 % 60 },
                  { ':', 2, of_day % 60 },
                  { '.', 6, e->time_ns / 1000 % 1000000 } };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        eg_buf_byte(&w->buf, parts[i].before);
        put_digits(&w->buf, parts[i].number, parts[i].digits);
    }
    eg_buf_add(&w->buf, "Z\"");
}

enum { AROUND_ARGUMENT = 3 }; /* two quotes and a comma */

static void put_ARGV(struct writer *w, enum field field, const struct eg_event *e)
{
    uint16_t sizes[ARGV_MAX];
    size_t count = !e->argv ? 0 : e->argc < ARGV_MAX ? e->argc : ARGV_MAX;
    for (size_t i = 0; i < count; i++) sizes[i] = (uint16_t)measure(argument(e, i), EG_EVENT_MAX);
    if (w->measuring) {
        size_t size = shared_size(sizes, count, EG_EVENT_MAX, AROUND_ARGUMENT);
        w->sizes[field] = (uint16_t)(size < EG_EVENT_MAX ? size : EG_EVENT_MAX);
    }
    size_t room = w->limits[field];
    while (count > 0 && shared_size(sizes, count, ARGUMENT_MIN, AROUND_ARGUMENT) > room) count--;
    size_t share = fair_share(sizes, count, room, AROUND_ARGUMENT);

    bool complete = count == e->argc;
    eg_buf_byte(&w->buf, '[');
    for (size_t i = 0; i < count; i++) {
        eg_buf_add(&w->buf, i ? ",\"" : "\"");
        /* Never more than was measured: the memory may have changed since. */
        if (!put_encoded(&w->buf, argument(e, i), sizes[i] < share ? sizes[i] : share))
            complete = false;
        eg_buf_byte(&w->buf, '"');
    }
    eg_buf_byte(&w->buf, ']');
    w->left_out = e->argc - count;
    if (!complete) w->cut |= 1ull << field;
}

static void put_OBJECT(struct writer *w, enum field field, const struct eg_event *e)
{
    (void)field;
    (void)e;
    eg_buf_byte(&w->buf, '{');
    w->nested = true;
    w->first = true;
}

static void put_CUT(struct writer *w, enum field field, const struct eg_event *e)
{
    (void)field;
    (void)e;
    const char *before = "[\"";
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (!(w->cut >> i & 1)) continue;
        eg_buf_add(&w->buf, before);
        eg_buf_add(&w->buf, field_names[i]);
        before = "\",\"";
    }
    eg_buf_add(&w->buf, "\"]");
}

static void put_event(struct writer *w, const struct eg_event *e, char *memory)
{
    w->buf = eg_buf_over(memory, EG_EVENT_MAX);
    w->cut = 0;
    w->left_out = 0;
    w->first = true;
    w->nested = false;
    eg_buf_byte(&w->buf, '{');
#define F(name, type, value, present, doc)                                                         \
    leave_nested(w);                                                                               \
    if (present) {                                                                                 \
        put_key(w, #name);                                                                         \
        put_##type(w, FIELD_##name, value);                                                        \
    }
#define N(parent, name, type, value, present, doc)                                                 \
    if (w->nested && (present)) {                                                                  \
        put_key(w, #name);                                                                         \
        put_##type(w, FIELD_##parent##_##name, value);                                             \
    }
#include "table/event_fields.def"
#undef F
#undef N
    leave_nested(w);
    eg_buf_add(&w->buf, "}\n");
}

size_t eg_event_json(const struct eg_event *event, char ret[EG_EVENT_MAX])
{
    struct writer w;
    for (unsigned i = 0; i < FIELD_COUNT; i++) w.limits[i] = EG_EVENT_MAX;
    w.measuring = false;
    put_event(&w, event, ret);
    if (!w.buf.truncated) return w.buf.n;

    /* Everything but the texts, with all of them named as cut: that is the
     * most which the rest of the line can take. */
    for (unsigned i = 0; i < FIELD_COUNT; i++) w.limits[i] = w.sizes[i] = 0;
    w.measuring = true;
    put_event(&w, event, ret);
    size_t share = fair_share(w.sizes, FIELD_COUNT, EG_EVENT_MAX - w.buf.n, 0);
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        w.limits[i] = w.sizes[i] < share ? w.sizes[i] : (uint16_t)share;
    w.measuring = false;
    put_event(&w, event, ret);
    return w.buf.n;
}
