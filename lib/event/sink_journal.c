// SPDX-License-Identifier: MIT
/* Events for systemd's journal: the readable line as MESSAGE, the JSON one
 * beside it.  Neither holds a newline, so the simple form NAME=VALUE serves. */
#include "event/sink.h"

static void put_field(struct eg_buf *buf, const char *name, struct eg_str value)
{
    eg_buf_add(buf, name);
    eg_buf_byte(buf, '=');
    eg_buf_str(buf, value);
    eg_buf_byte(buf, '\n');
}

int eg_sink_journal(const struct eg_event *event)
{
    char line[EG_EVENT_MAX];
    char datagram[2 * EG_EVENT_MAX + 256];
    struct eg_buf buf = eg_buf_over(datagram, sizeof datagram);
    bool refused = event->action == EG_ACTION_DENY || event->action == EG_ACTION_WOULD_DENY;
    put_field(&buf, "SYSLOG_IDENTIFIER", EG_STR("execguard"));
    put_field(&buf, "PRIORITY", refused ? EG_STR("4") : EG_STR("6"));
    put_field(&buf, "EXECGUARD_REASON", eg_str(eg_reason_slug(event->reason)));
    put_field(&buf, "MESSAGE", (struct eg_str){ line, eg_event_readable(event, line) - 1 });
    put_field(&buf, "EXECGUARD_EVENT", (struct eg_str){ line, eg_event_json(event, line) - 1 });
    return eg_sink_send("/run/systemd/journal/socket", datagram, buf.n);
}
