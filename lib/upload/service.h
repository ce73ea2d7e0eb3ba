// SPDX-License-Identifier: MIT
/* Tells the service manager how a service fares: sd_notify(3). */
#ifndef EG_UPLOAD_SERVICE_H
#define EG_UPLOAD_SERVICE_H

#include <stddef.h>

#define EG_SERVICE_FDS_MAX 2u

/* Send `state' and descriptors for the manager's store to $NOTIFY_SOCKET.  flags:
 * MSG_DONTWAIT or 0.  0, also where nobody wants to be told; -errno. */
int eg_service_tell(const char *state, const int *fds, size_t count, int flags);

#endif
