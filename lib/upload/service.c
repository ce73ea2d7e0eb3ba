// SPDX-License-Identifier: MIT
/* Purpose: sd_notify(3), in a static program. */
#include "upload/service.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int eg_service_tell(const char *state, const int *fds, size_t count, int flags)
{
    /* a path, or an abstract name that begins with `@' here */
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (!path || (path[0] != '/' && path[0] != '@')) return 0;
    size_t n = strlen(path);
    if (n >= sizeof address.sun_path) return 0;
    if (count > EG_SERVICE_FDS_MAX) return -EINVAL;
    memcpy(address.sun_path, path, n);
    if (path[0] == '@') address.sun_path[0] = '\0';
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(EG_SERVICE_FDS_MAX * sizeof(int))];
    } control = { 0 };
    struct iovec part = { (char *)(uintptr_t)state, strlen(state) };
    struct msghdr message = {
        .msg_name = &address,
        .msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n),
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    if (count) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return 0;
    int error = sendmsg(fd, &message, MSG_NOSIGNAL | flags) < 0 ? -errno : 0;
    close(fd);
    return error;
}
