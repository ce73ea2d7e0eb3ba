// SPDX-License-Identifier: MIT
/* An event as one line for a person who reads a terminal or a server's error
 * log: what happened first, then why, where the rule is, who asked, and what to
 * do about it. */
#include "event/event.h"
#include "event/text.h"

/* Longest texts shown, in bytes as printed; the JSON event holds more. */
enum { LONG_MAX = 640, SHORT_MAX = 256, ARGUMENTS_MAX = 32 };

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

/* Append s with everything harmless that could move a cursor, end the line or
 * look like something else; at most max bytes, then "...". */
static void put_harmless(struct eg_buf *buf, struct eg_str s, size_t max)
{
    size_t end = buf->n + max;
    for (size_t at = 0; at < s.n;) {
        struct eg_text_char c = eg_text_next(s, at);
        char bytes[12];
        struct eg_buf one = eg_buf_over(bytes, sizeof bytes);
        if (!c.valid || c.code < 0x20 || c.code == 0x7f) {
            eg_buf_add(&one, "\\x");
            put_hex(&one, c.code, 2);
        } else if (c.code == '"' || c.code == '\\') {
            eg_buf_byte(&one, '\\');
            eg_buf_byte(&one, (char)c.code);
        } else if (eg_text_is_deceiving(c.code)) {
            eg_buf_add(&one, "\\u{");
            put_hex(&one, c.code, c.code > 0xffff ? 6 : 4);
            eg_buf_byte(&one, '}');
        } else {
            one.n = eg_text_encode(c.code, bytes);
        }
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
static void put_what(struct eg_buf *buf, const struct eg_event *e)
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
        put_word(buf, e->line, LONG_MAX);
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
    put_with(buf, "; text of ", e->source);
}

size_t eg_event_readable(const struct eg_event *event, char ret[EG_EVENT_MAX])
{
    struct eg_buf buf = eg_buf_over(ret, EG_EVENT_MAX - 1);
    eg_buf_add(&buf, "execguard: ");
    eg_buf_add(&buf, past(event->action));
    eg_buf_byte(&buf, ' ');
    put_what(&buf, event);
    put_why(&buf, event);
    put_where(&buf, event);
    put_argv(&buf, event);
    if (event->kind != EG_KIND_SHELL && event->has_line) {
        eg_buf_add(&buf, "; line ");
        put_word(&buf, event->line, LONG_MAX);
    }
    put_who(&buf, event);
    put_request(&buf, event);
    if (event->hint.n) {
        eg_buf_add(&buf, "; hint: ");
        put_harmless(&buf, event->hint, SHORT_MAX);
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
