// SPDX-License-Identifier: MIT
/* Reaches out of the domain: what only newer Landlock ABIs refuse.
 *
 *     outside signal PID | socket NAME | truncate FILE
 *
 * Ends with 0 where that worked, 1 where it was refused (EPERM, EACCES), 2 for
 * anything else.  By raw system calls: no shim has a say. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static long reach_socket(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t n = strlen(name);
    if (n >= sizeof(address.sun_path)) return -1;
    memcpy(address.sun_path + 1, name, n);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&address,
                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n));
}

int main(int argc, char **argv)
{
    long r = -1;
    errno = EINVAL;
    if (argc == 3 && strcmp(argv[1], "signal") == 0)
        r = syscall(SYS_kill, atoi(argv[2]), SIGTERM);
    else if (argc == 3 && strcmp(argv[1], "socket") == 0)
        r = reach_socket(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "truncate") == 0)
        r = syscall(SYS_truncate, argv[2], 0);
    if (r == 0) return 0;
    int error = errno;
    perror(argc > 1 ? argv[1] : "outside");
    return error == EPERM || error == EACCES ? 1 : 2;
}
