// SPDX-License-Identifier: MIT
/* Events as datagrams: what was sent cannot be truncated by the worker later,
 * as a file could. */
#include <asm/errno.h>
#include <linux/net.h>
#include <linux/un.h>

#include "base/sys.h"
#include "event/sink.h"

/* <linux/socket.h> leaves these to libc. */
enum { UNIX = 1, DATAGRAM = 2, CLOSE_ON_EXEC = 02000000, NO_WAIT = 04000, NO_SIGNAL = 0x4000 };

int eg_sink_send(const char *path, const char *bytes, size_t n)
{
    struct sockaddr_un address = { .sun_family = UNIX };
    size_t length = eg_strnlen(path, sizeof address.sun_path);
    if (length == sizeof address.sun_path) return -ENAMETOOLONG;
    for (size_t i = 0; i < length; i++) address.sun_path[i] = path[i];
    int fd = (int)eg_sys(__NR_socket, UNIX, DATAGRAM | CLOSE_ON_EXEC | NO_WAIT, 0);
    if (fd < 0) return fd;
    long r = eg_sys(__NR_sendto, fd, bytes, n, NO_SIGNAL, &address,
                    offsetof(struct sockaddr_un, sun_path) + length + 1);
    eg_sys(__NR_close, fd);
    return r < 0 ? (int)r : 0;
}

int eg_sink_socket(const char *path, const struct eg_event *event)
{
    char line[EG_EVENT_MAX];
    size_t n = eg_event_json(event, line);
    return eg_sink_send(path, line, n);
}
