// SPDX-License-Identifier: MIT
/* Events as readable lines on descriptor 2: a terminal, or a web server's error
 * log.  There the second line, which points into the first, comes to stand below
 * it. */
#include "event/sink.h"

int eg_sink_stderr(const struct eg_event *event)
{
    char line[EG_EVENT_MAX];
    size_t n = eg_event_explained(event, line);
    return eg_sink_write_fd(2, line, n);
}
