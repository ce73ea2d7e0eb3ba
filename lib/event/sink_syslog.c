// SPDX-License-Identifier: MIT
/* Events as readable lines for syslogd, in the form that glibc's syslog(3)
 * sends: "<priority>tag[pid]: text". */
#include <asm/errno.h>

#include "event/sink.h"

enum { SEVERITY_WARNING = 4, SEVERITY_INFO = 6 };

static int facility_number(const char *name)
{
    static const struct {
        struct eg_str name;
        int number;
    } facilities[] = {
#define S(name, number) { { #name, sizeof #name - 1 }, number },
#include "table/facilities.def"
#undef S
    };
    for (size_t i = 0; i < sizeof facilities / sizeof *facilities; i++)
        if (eg_str_equal(facilities[i].name, eg_str(name))) return facilities[i].number;
    return -EINVAL;
}

int eg_sink_syslog(const char *facility, const struct eg_event *event)
{
    int number = facility_number(facility);
    if (number < 0) return number;
    char line[EG_EVENT_MAX];
    size_t n = eg_event_readable(event, line);
    /* The tag replaces the line's own; the newline is syslogd's business. */
    struct eg_str text = { line, n - 1 };
    if (eg_str_starts(text, EG_STR("execguard: "))) text = eg_str_skip(text, 11);

    char datagram[EG_EVENT_MAX + 64];
    struct eg_buf buf = eg_buf_over(datagram, sizeof datagram);
    bool refused = event->action == EG_ACTION_DENY || event->action == EG_ACTION_WOULD_DENY;
    eg_buf_byte(&buf, '<');
    eg_buf_i64(&buf, number * 8 + (refused ? SEVERITY_WARNING : SEVERITY_INFO));
    eg_buf_add(&buf, ">execguard[");
    eg_buf_i64(&buf, event->pid);
    eg_buf_add(&buf, "]: ");
    eg_buf_str(&buf, text);
    return eg_sink_send("/dev/log", datagram, buf.n);
}
