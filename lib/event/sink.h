// SPDX-License-Identifier: MIT
/* The ways an event leaves the process.  Private to event/; each sink_<name>.c
 * is one.  None blocks, none raises a signal; 0 or -errno. */
#ifndef EG_EVENT_SINK_H
#define EG_EVENT_SINK_H

#include "event/event.h"

/* Append a line of JSON to the file (or FIFO) at path, made 0640 if it is not
 * there.  A symbolic link and any other kind of file are refused: -ELOOP,
 * -EINVAL. */
int eg_sink_file(const char *path, const struct eg_event *event);

/* A readable line to descriptor 2. */
int eg_sink_stderr(const struct eg_event *event);

/* A readable line as a datagram to /dev/log (RFC 3164); facility is a name of
 * table/facilities.def.  -EINVAL for another. */
int eg_sink_syslog(const char *facility, const struct eg_event *event);

/* The readable line and the JSON one as a datagram to journald's native socket
 * (systemd's "Native Journal Protocol"). */
int eg_sink_journal(const struct eg_event *event);

/* The JSON line as a datagram to the UNIX socket at path. */
int eg_sink_socket(const char *path, const struct eg_event *event);

/* Send n bytes to the datagram socket at path; -ENAMETOOLONG past sun_path. */
int eg_sink_send(const char *path, const char *bytes, size_t n);

#endif
