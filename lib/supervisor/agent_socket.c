// SPDX-License-Identifier: MIT
/* Purpose: the socket that runtimes connect to.  Who may connect is settled by
 * its mode first, and by SO_PEERCRED again. */
#include "supervisor/agent_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *path, const char *what)
{
    eg_agent_say("%s: %s: %s", path, what, strerror(errno));
    return 125;
}

/* A socket that nobody listens to was left by an agent that was killed.  Only a
 * socket is ever removed, and only one of ours. */
static int remove_stale(const struct sockaddr_un *address)
{
    struct stat st;
    const char *path = address->sun_path;
    if (lstat(path, &st) < 0) return errno == ENOENT ? 0 : fail(path, "cannot be looked at");
    if (!S_ISSOCK(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0)) {
        eg_agent_say("%s: is there already and is no socket of this user; choose another path",
                     path);
        return 125;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail(path, "cannot be tried");
    int result = connect(fd, (const struct sockaddr *)address, sizeof *address);
    int error = errno;
    close(fd);
    if (result == 0 || error == EAGAIN) {
        eg_agent_say("%s: another agent listens there", path);
        return 125;
    }
    if (error != ECONNREFUSED) {
        errno = error;
        return fail(path, "cannot be tried");
    }
    return unlink(path) < 0 && errno != ENOENT ? fail(path, "cannot be removed") : 0;
}

/* Two agents that start at once must not unlink each other's socket. */
static int lock_path(const char *path)
{
    char lock[sizeof((struct sockaddr_un *)0)->sun_path + 8];
    snprintf(lock, sizeof lock, "%s.lock", path);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return fail(lock, "cannot be opened");
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0; /* kept open to the end */
    eg_agent_say("%s: another agent listens there", path);
    close(fd);
    return 125;
}

int eg_agent_listen(struct eg_agent *agent)
{
    const struct eg_agent_options *options = agent->options;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = options->socket;
    if (agent->socket.fd >= 0) return 0; /* systemd's */
    if (strlen(path) >= sizeof address.sun_path) {
        eg_agent_say("%s: the path is too long for a socket", path);
        return 125;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int status = lock_path(path);
    if (!status) status = remove_stale(&address);
    if (status) return status;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail(path, "no socket");
    mode_t mask = umask(0177);
    int bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (bound < 0) return fail(path, "cannot be bound");
    if (options->has_group && (chown(path, (uid_t)-1, options->group) < 0 || chmod(path, 0660) < 0))
        return fail(path, "cannot be given to the group");
    if (listen(fd, SOMAXCONN) < 0) return fail(path, "cannot be listened to");
    agent->socket.fd = fd;
    agent->own_socket = true;
    return 0;
}

void eg_agent_unlisten(struct eg_agent *agent)
{
    if (agent->socket.fd < 0) return;
    if (agent->own_socket) unlink(agent->options->socket);
    close(agent->socket.fd);
    agent->socket.fd = -1;
}
