// SPDX-License-Identifier: MIT
/* Purpose: `execguard exec` speaks to the agent as a runtime does, from the
 * process that becomes the worker: once the filter is there, only sendmsg(2),
 * poll(2) and recv(2) happen, none of which it traps. */
#include "supervisor/oci.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MS 30000 /* the agent may have to compile the policy first */

int eg_oci_connect(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
    int error = -errno;
    close(fd);
    return error;
}

/* One byte 1: taken.  Anything else is the reason why not; the end without a
 * word, too, is a refusal. */
static int await_answer(int connection, char ret_words[256])
{
    size_t have = 0;
    ret_words[0] = '\0';
    for (;;) {
        struct pollfd fd = { connection, POLLIN, 0 };
        int ready = poll(&fd, 1, ANSWER_MS);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return ready ? -errno : -ETIMEDOUT;
        ssize_t n = recv(connection, ret_words + have, 255 - have, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n > 0 && have == 0 && ret_words[0] == 1) return 0;
        have += (size_t)n;
        ret_words[have] = '\0';
        if (n == 0 || have == 255) return -EACCES;
    }
}

int eg_oci_hand_over(int connection, int listener, const char *policy, const uint32_t blob_id[4],
                     char ret_words[256])
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "{\"ociVersion\":\"1.0.2\",\"fds\":[\"seccompFd\"],\"pid\":%d,"
                     "\"metadata\":\"policy=%s attach=exec id=%08x%08x%08x%08x\","
                     "\"state\":{\"ociVersion\":\"1.0.2\",\"id\":\"exec-%d\","
                     "\"status\":\"creating\",\"bundle\":\"/\"}}",
                     (int)getpid(), policy, blob_id[0], blob_id[1], blob_id[2], blob_id[3],
                     (int)getpid());
    if (n < 0 || (size_t)n >= sizeof text) return -ENAMETOOLONG;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec part = { text, (size_t)n };
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &listener, sizeof listener);
    /* smaller than any socket buffer: all of it or nothing */
    if (sendmsg(connection, &message, MSG_NOSIGNAL) != n) return -errno;
    shutdown(connection, SHUT_WR);
    return await_answer(connection, ret_words);
}
