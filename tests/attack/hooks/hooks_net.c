// SPDX-License-Identifier: MIT
/* Tries of the hooks on connections: hooks FUNCTION served|elsewhere HEAD LINE
 *
 * A head of a request is read from a connection that was accepted (`served'), or the
 * same bytes from a pair of sockets, after the connection was closed (`elsewhere');
 * then a command line is run, whose event says which request was served.  Prints
 * "RAN" when what was read is what was sent. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hooks.h"

typedef ssize_t read_function(int fd, char *buffer, size_t n);

static int accept_by(int fd)
{
    if (strcmp(function, "accept4") == 0) return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    return accept(fd, NULL, NULL);
}

/* A connection of ours: the two ends. */
static int connection(int *ret_client)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t size = sizeof(sa_family_t); /* the kernel chooses a name */
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1)) return -1;
    size = sizeof(address);
    getsockname(listener, (struct sockaddr *)&address, &size);
    if (connect(client, (struct sockaddr *)&address, size)) return -1;
    int fd = accept_by(listener);
    close(listener);
    *ret_client = client;
    return fd;
}

static int serve(read_function *read_by)
{
    char buffer[4096];
    int ends[2], client = -1;
    size_t n = strlen(words[1]), got = 0;
    int fd = connection(&client);
    if (fd < 0) return failed(errno);
    if (strcmp(words[0], "elsewhere") == 0) {
        close(fd);
        close(client);
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return failed(errno);
        fd = ends[0];
        client = ends[1];
    }
    if (write(client, words[1], n) != (ssize_t)n) return failed(errno);
    /* in pieces: nobody promises more */
    while (got < n) {
        ssize_t r = read_by(fd, buffer + got, n - got > 7 ? 7 : n - got);
        if (r <= 0) return failed(errno);
        got += (size_t)r;
    }
    errno = 0;
    if (read_by(-1, buffer, 1) != -1 || errno != EBADF) return failed(errno);
    printf("%s: %s\n", function, memcmp(buffer, words[1], n) == 0 ? "RAN" : "other bytes");
    fflush(stdout);
    if (system(words[2]) < 0) return failed(errno);
    return 0;
}

static ssize_t by_read(int fd, char *buffer, size_t n)
{
    return read(fd, buffer, n);
}
static ssize_t by_recv(int fd, char *buffer, size_t n)
{
    if (fd >= 0 && recv(fd, buffer, n, MSG_PEEK) < 0) return -1;
    return recv(fd, buffer, n, 0);
}
static ssize_t by_recvfrom(int fd, char *buffer, size_t n)
{
    struct sockaddr_un address;
    socklen_t size = sizeof(address);
    return recvfrom(fd, buffer, n, 0, (struct sockaddr *)&address, &size);
}
static ssize_t by_recvmsg(int fd, char *buffer, size_t n)
{
    struct iovec parts[3] = { { buffer, n / 2 }, { NULL, 0 }, { buffer + n / 2, n - n / 2 } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 3 };
    return recvmsg(fd, &message, 0);
}
static ssize_t by_read_chk(int fd, char *buffer, size_t n)
{
    ssize_t (*f)(int, void *, size_t, size_t) = find("__read_chk");
    return f(fd, buffer, n, n);
}
static ssize_t by_recv_chk(int fd, char *buffer, size_t n)
{
    ssize_t (*f)(int, void *, size_t, size_t, int) = find("__recv_chk");
    return f(fd, buffer, n, n, 0);
}

int try_accept(void)
{
    return serve(by_read);
}
int try_accept4(void)
{
    return serve(by_read);
}
int try_read(void)
{
    return serve(by_read);
}
int try___read_chk(void)
{
    return serve(by_read_chk);
}
int try_recv(void)
{
    return serve(by_recv);
}
int try___recv_chk(void)
{
    return serve(by_recv_chk);
}
int try_recvfrom(void)
{
    return serve(by_recvfrom);
}
int try_recvmsg(void)
{
    return serve(by_recvmsg);
}
