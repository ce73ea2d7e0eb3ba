// SPDX-License-Identifier: MIT
/* An event as one line for a person who reads a terminal or a server's error
 * log: what happened first, then why, where the rule is, who asked, and what to
 * do about it.  Where there is room for two lines, the second one points at the
 * place in the command line. */
#include "event/event.h"
#include "event/text.h"

/* Longest texts shown, in bytes as printed; the JSON event holds more. */
enum { LONG_MAX = 640, SHORT_MAX = 256, ARGUMENTS_MAX = 32 };

/* A command line is shown from its beginning, or, where its construct stands
 * further behind than this, from so many bytes before that. */
enum { BEFORE_MAX = 160, BEFORE = 60 };

/* Columns of the first line, for the second.  Zero: nothing to point at. */
struct marks {
    size_t caret;
    size_t from, to; /* what came from the request */
};

/* Does a word stand without quotes? */
static bool is_plain(struct eg_str s)
{
    if (!s.n) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '/' || c == '.' || c == '-' || c == '_' || c == '+' || c == ',' ||
                     c == ':' || c == '=' || c == '@' || c == '%';
        if (!plain) return false;
    }
    return true;
}

static void put_hex(struct eg_buf *buf, uint32_t code, int digits)
{
    static const char hex[] = "0123456789abcdef";
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        eg_buf_byte(buf, hex[code >> shift & 15]);
}

/* One character as it is shown: harmless, whatever could move a cursor, end the
 * line or look like something else.  Returns the columns that it takes. */
static size_t show(struct eg_text_char c, struct eg_buf *one)
{
    one->n = 0;
    if (!c.valid || c.code < 0x20 || c.code == 0x7f) {
        eg_buf_add(one, "\\x");
        put_hex(one, c.code, 2);
    } else if (c.code == '"' || c.code == '\\') {
        eg_buf_byte(one, '\\');
        eg_buf_byte(one, (char)c.code);
    } else if (eg_text_is_deceiving(c.code)) {
        eg_buf_add(one, "\\u{");
        put_hex(one, c.code, c.code > 0xffff ? 6 : 4);
        eg_buf_byte(one, '}');
    } else {
        one->n = eg_text_encode(c.code, one->p);
        return eg_text_width(c.code);
    }
    return one->n;
}

/* Append s, harmless; at most max bytes, then "...". */
static void put_harmless(struct eg_buf *buf, struct eg_str s, size_t max)
{
    size_t end = buf->n + max;
    char bytes[12];
    struct eg_buf one = eg_buf_over(bytes, sizeof bytes);
    for (size_t at = 0; at < s.n;) {
        struct eg_text_char c = eg_text_next(s, at);
        show(c, &one);
        if (buf->n + one.n > end) {
            eg_buf_add(buf, "...");
            return;
        }
        eg_buf_str(buf, eg_buf_view(&one));
        at += c.n;
    }
}

static void put_word(struct eg_buf *buf, struct eg_str s, size_t max)
{
    bool plain = is_plain(s);
    if (!plain) eg_buf_byte(buf, '"');
    put_harmless(buf, s, max);
    if (!plain) eg_buf_byte(buf, '"');
}

/* "before" and the word, when there is one. */
static void put_with(struct eg_buf *buf, const char *before, struct eg_str s)
{
    if (!s.n) return;
    eg_buf_add(buf, before);
    put_word(buf, s, SHORT_MAX);
}

/* Where in the line to begin, so that its construct can be seen. */
static size_t first_shown(const struct eg_event *e)
{
    if (!e->has_construct || e->offset <= BEFORE_MAX || e->offset > e->line.n) return 0;
    size_t at = e->offset - BEFORE;
    while (at < e->offset && ((unsigned char)e->line.p[at] & 0xc0) == 0x80) at++;
    return at;
}

/* The command line, and where its marks stand: what is before it is ASCII, a
 * byte a column. */
static void put_line(struct eg_buf *buf, const struct eg_event *e, struct marks *marks)
{
    bool has_source = e->source.n && !e->source_in_argument;
    size_t source_end = e->source_offset + e->source_length;
    size_t at = first_shown(e);
    bool plain = !at && is_plain(e->line);
    size_t end = buf->n + LONG_MAX;
    char bytes[12];
    struct eg_buf one = eg_buf_over(bytes, sizeof bytes);
    if (!plain) eg_buf_byte(buf, '"');
    if (at) eg_buf_add(buf, "...");
    size_t column = buf->n;
    while (at < e->line.n) {
        struct eg_text_char c = eg_text_next(e->line, at);
        size_t width = show(c, &one);
        if (buf->n + one.n > end) break;
        if (e->has_construct && at <= e->offset && e->offset < at + c.n) marks->caret = column;
        if (has_source && at + c.n > e->source_offset && at < source_end) {
            if (!marks->from) marks->from = column;
            marks->to = column + width;
        }
        eg_buf_str(buf, eg_buf_view(&one));
        column += width;
        at += c.n;
    }
    if (e->has_construct && e->offset == e->line.n && at == e->line.n) marks->caret = column;
    if (at < e->line.n) eg_buf_add(buf, "...");
    if (!plain) eg_buf_byte(buf, '"');
}

static const char *past(enum eg_action action)
{
    switch (action) {
    case EG_ACTION_DENY: return "denied";
    case EG_ACTION_WOULD_DENY: return "would deny";
    case EG_ACTION_ALLOW: return "allowed";
    case EG_ACTION_REWRITE: return "ran without its shell";
    }
    return "denied";
}

/* What was asked for: one phrase by kind. */
static void put_what(struct eg_buf *buf, const struct eg_event *e, struct marks *marks)
{
    static const char *const things[] = {
        [EG_KIND_EXEC] = "exec",          [EG_KIND_SHELL] = "shell command",
        [EG_KIND_WRITE] = "writing",      [EG_KIND_NAME] = "file name",
        [EG_KIND_MODE] = "file mode",     [EG_KIND_CONTENT] = "content of",
        [EG_KIND_MAP] = "loading",        [EG_KIND_ENV] = "environment variable",
        [EG_KIND_SYSCALL] = "system call"
    };
    size_t kind = (size_t)e->kind;
    eg_buf_add(buf, kind < sizeof things / sizeof *things ? things[kind] : "request");
    if (e->kind == EG_KIND_SHELL && e->has_line) {
        eg_buf_byte(buf, ' ');
        put_line(buf, e, marks);
        return;
    }
    struct eg_str thing = e->program;
    if (e->kind == EG_KIND_ENV)
        thing = e->variable;
    else if (e->kind == EG_KIND_SYSCALL)
        thing = e->call;
    else if (e->kind != EG_KIND_EXEC && e->kind != EG_KIND_SHELL && e->path.n)
        thing = e->path;
    put_with(buf, " ", thing);
}

static void put_argv(struct eg_buf *buf, const struct eg_event *e)
{
    if (!e->has_argv) return;
    eg_buf_add(buf, "; argv");
    size_t end = buf->n + LONG_MAX;
    size_t count = e->argv ? e->argc : 0;
    if (!count) eg_buf_add(buf, " empty");
    for (size_t i = 0; i < count; i++) {
        if (i == ARGUMENTS_MAX || buf->n >= end) {
            eg_buf_add(buf, " and ");
            eg_buf_u64(buf, count - i);
            eg_buf_add(buf, " more");
            return;
        }
        const char *s = e->argv[i];
        eg_buf_byte(buf, ' ');
        put_word(buf, (struct eg_str){ s, s ? eg_strnlen(s, LONG_MAX + 1) : 0 }, end - buf->n);
    }
}

static void put_why(struct eg_buf *buf, const struct eg_event *e)
{
    eg_buf_add(buf, ": ");
    eg_buf_add(buf, eg_reason_sentence(e->reason));
    eg_buf_add(buf, " (");
    eg_buf_add(buf, eg_reason_slug(e->reason));
    eg_buf_byte(buf, ')');
    if (e->has_construct) {
        put_with(buf, ": ", e->construct);
        eg_buf_add(buf, " at byte ");
        eg_buf_u64(buf, e->offset);
    }
    put_with(buf, "; inner command ", e->inner);
}

static void put_where(struct eg_buf *buf, const struct eg_event *e)
{
    put_with(buf, "; container ", e->container);
    put_with(buf, "; policy ", e->policy);
    if (e->rule_file.n) {
        put_with(buf, e->policy.n ? " rule " : "; rule ", e->rule_file);
        eg_buf_byte(buf, ':');
        eg_buf_u64(buf, e->rule_line);
    }
    if (e->layer != EG_LAYER_NONE) {
        eg_buf_add(buf, "; by ");
        eg_buf_add(buf, eg_layer_name(e->layer));
    }
    if (e->kind != EG_KIND_SYSCALL)
        put_with(buf, e->layer != EG_LAYER_NONE ? " in " : "; in ", e->call);
}

static void put_who(struct eg_buf *buf, const struct eg_event *e)
{
    eg_buf_add(buf, "; caller ");
    if (e->exe.n)
        put_word(buf, e->exe, SHORT_MAX);
    else
        eg_buf_add(buf, "process");
    eg_buf_byte(buf, '[');
    eg_buf_i64(buf, e->pid);
    eg_buf_add(buf, "] uid ");
    eg_buf_u64(buf, e->uid);
    put_with(buf, " cwd ", e->cwd);
}

static void put_request(struct eg_buf *buf, const struct eg_event *e)
{
    const struct eg_event_request *r = &e->request;
    if (!eg_event_has_request(e)) return;
    eg_buf_add(buf, r->claimed ? "; claimed request" : "; request");
    put_with(buf, " ", r->method);
    put_with(buf, " ", r->uri.n ? r->uri : r->script);
    put_with(buf, " host ", r->host);
    put_with(buf, " from ", r->remote);
}

static void put_source(struct eg_buf *buf, const struct eg_event *e)
{
    if (!e->source.n) return;
    put_with(buf, "; text of ", e->source);
    if (e->source_in_argument) {
        eg_buf_add(buf, " in argument ");
        eg_buf_u64(buf, e->source_argument);
    }
    eg_buf_add(buf, " at byte ");
    eg_buf_u64(buf, e->source_offset);
}

/* The first line, with its newline. */
static size_t render(const struct eg_event *event, char ret[EG_EVENT_MAX], struct marks *marks)
{
    struct eg_buf buf = eg_buf_over(ret, EG_EVENT_MAX - 1);
    struct eg_str hint = eg_event_hint(event);
    *marks = (struct marks){ 0 };
    eg_buf_add(&buf, "execguard: ");
    eg_buf_add(&buf, past(event->action));
    eg_buf_byte(&buf, ' ');
    put_what(&buf, event, marks);
    put_why(&buf, event);
    put_where(&buf, event);
    put_argv(&buf, event);
    if (event->kind != EG_KIND_SHELL && event->has_line) {
        eg_buf_add(&buf, "; line ");
        put_word(&buf, event->line, LONG_MAX);
    }
    put_who(&buf, event);
    put_request(&buf, event);
    put_source(&buf, event);
    if (hint.n) {
        eg_buf_add(&buf, "; hint: ");
        put_harmless(&buf, hint, SHORT_MAX);
    }
    if (event->repeat) {
        eg_buf_add(&buf, "; ");
        eg_buf_u64(&buf, event->repeat);
        eg_buf_add(&buf, " like it not shown");
    }
    /* Cut in the middle of a character at worst: end on the last whole one. */
    if (buf.truncated) {
        buf.n -= 4;
        while (buf.n > 0 && ((unsigned char)ret[buf.n] & 0xc0) == 0x80) buf.n--;
        buf.truncated = false;
        eg_buf_add(&buf, "...");
    }
    ret[buf.n] = '\n';
    return buf.n + 1;
}

size_t eg_event_readable(const struct eg_event *event, char ret[EG_EVENT_MAX])
{
    struct marks marks;
    return render(event, ret, &marks);
}

size_t eg_event_explained(const struct eg_event *event, char ret[EG_EVENT_MAX])
{
    struct marks marks;
    size_t n = render(event, ret, &marks);
    size_t last = marks.to > marks.caret ? marks.to - 1 : marks.caret;
    if (!last || last < sizeof "execguard:") return n;
    struct eg_buf buf = eg_buf_over(ret + n, EG_EVENT_MAX - n);
    eg_buf_add(&buf, "execguard:");
    while (buf.n <= last && !buf.truncated) {
        size_t column = buf.n;
        bool marked = marks.from <= column && column < marks.to;
        eg_buf_byte(&buf, marks.caret && column == marks.caret ? '^' : marked ? '~' : ' ');
    }
    if (marks.caret) put_with(&buf, " ", event->construct);
    if (marks.to) put_with(&buf, marks.caret ? ", text of " : " text of ", event->source);
    eg_buf_byte(&buf, '\n');
    return buf.truncated ? n : n + buf.n;
}
