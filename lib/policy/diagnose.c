// SPDX-License-Identifier: MIT
/* The collector of diagnostics: bounded, so that a file of mistakes costs no
 * more than twenty of them. */
#include "policy/messages.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The slot for a new message; NULL when it is only counted.  An error takes the
 * place of a warning, since it is what must be mended first. */
static struct eg_diagnostic *slot(struct eg_diagnostics *d, enum eg_severity severity)
{
    if (d->count < EG_DIAGNOSTICS_MAX) return &d->items[d->count++];
    d->suppressed++;
    if (severity != EG_SEVERITY_ERROR) return NULL;
    for (size_t i = d->count; i > 0; i--) {
        struct eg_diagnostic *item = &d->items[i - 1];
        if (item->severity == EG_SEVERITY_ERROR) continue;
        free(item->message);
        free(item->hint);
        memmove(item, item + 1, (d->count - i) * sizeof(*item));
        return &d->items[d->count - 1];
    }
    return NULL;
}

void eg_diagnose(struct eg_diagnostics *d, enum eg_severity severity, struct eg_span span,
                 const char *hint, const char *format, ...)
{
    if (severity == EG_SEVERITY_ERROR) d->errors++;
    struct eg_diagnostic *item = slot(d, severity);
    if (!item) return;
    char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0) message = NULL;
    va_end(arguments);
    *item = (struct eg_diagnostic){
        .severity = severity,
        .span = span,
        .message = message,
        .hint = hint ? strdup(hint) : NULL,
    };
}

void eg_diagnostics_free(struct eg_diagnostics *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->items[i].message);
        free(d->items[i].hint);
    }
    *d = (struct eg_diagnostics){ 0 };
}

struct eg_quoted eg_quote(struct eg_str text)
{
    struct eg_quoted quoted = { "" };
    struct eg_buf b = eg_buf_over(quoted.s, sizeof(quoted.s));
    size_t room = sizeof(quoted.s) - sizeof("\"...\"");
    eg_buf_byte(&b, '"');
    if (text.n <= room) {
        eg_buf_str(&b, text);
    } else {
        /* Not in the middle of a character: back to the byte that starts one. */
        size_t n = room;
        while (n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80) n--;
        eg_buf_str(&b, (struct eg_str){ text.p, n });
        eg_buf_add(&b, "...");
    }
    eg_buf_byte(&b, '"');
    for (size_t i = 0; i < b.n; i++)
        if (!quoted.s[i]) quoted.s[i] = '?';
    eg_buf_cstr(&b);
    return quoted;
}

struct eg_hint eg_format_hint(const char *format, ...)
{
    struct eg_hint hint = { "" };
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(hint.s, sizeof(hint.s), format, arguments);
    va_end(arguments);
    return hint;
}
