// SPDX-License-Identifier: MIT
/* Purpose: one connection: who is it, what does it say, may it.  Whatever comes
 * of it, each descriptor that came along is kept in a tree or closed; a listener
 * that is closed makes its process's guarded calls fail, so a refused container
 * does not start. */
#include "supervisor/agent_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void end_connection(struct eg_agent *agent, struct eg_connection *connection)
{
    struct eg_connection **link = &agent->connections;
    while (*link != connection) link = &(*link)->next;
    *link = connection->next;
    agent->connection_count--;
    for (size_t i = 0; i < connection->fd_count; i++)
        if (connection->fds[i] >= 0) close(connection->fds[i]);
    if (connection->policy) eg_agent_policy_drop(connection->policy);
    close(connection->source.fd);
    free(connection->text);
    free(connection);
}

void eg_agent_refuse(struct eg_agent *agent, struct eg_connection *connection, const char *why)
{
    const char *id = connection->state.id[0] ? connection->state.id : "?";
    eg_agent_say("refused: %s (peer %d of user %u, container %s)", why, (int)connection->peer,
                 (unsigned)connection->uid, id);
    /* `execguard exec` reads it; a runtime has mostly hung up */
    (void)send(connection->source.fd, why, strlen(why), MSG_NOSIGNAL | MSG_DONTWAIT);
    end_connection(agent, connection);
}

static bool may_connect(const struct eg_agent *agent, uid_t uid)
{
    if (uid == 0 || uid == geteuid()) return true;
    for (size_t i = 0; i < agent->options->uid_count; i++)
        if (agent->options->uids[i] == uid) return true;
    return false;
}

void eg_agent_accept(struct eg_agent *agent)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    int fd = accept4(agent->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    struct eg_connection *connection = calloc(1, sizeof *connection);
    char *text = malloc(EG_OCI_MESSAGE_MAX);
    if (!connection || !text || agent->connection_count == EG_CONNECTIONS_MAX ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        eg_agent_say("refused: too many connections");
        free(connection);
        free(text);
        close(fd);
        return;
    }
    *connection = (struct eg_connection){
        .source = { EG_SOURCE_CONNECTION, fd },
        .uid = peer.uid,
        .peer = peer.pid,
        .deadline = eg_agent_now_ms() + EG_CONNECTION_MS,
        .text = text,
        .next = agent->connections,
    };
    agent->connections = connection;
    agent->connection_count++;
    if (!may_connect(agent, peer.uid))
        eg_agent_refuse(agent, connection, "this user may not connect (--allow-uid)");
    else if (eg_agent_watch(agent, &connection->source) < 0)
        eg_agent_refuse(agent, connection, "out of memory");
}

/* Descriptors beyond EG_OCI_FDS_MAX are a reason to refuse; false then. */
static bool take_fds(struct eg_connection *connection, struct msghdr *message)
{
    bool good = !(message->msg_flags & MSG_CTRUNC);
    for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
            if (connection->fd_count < EG_OCI_FDS_MAX) {
                connection->fds[connection->fd_count++] = fd;
            } else {
                close(fd);
                good = false;
            }
        }
    }
    return good;
}

static bool is_listener(int fd)
{
    uint64_t none = 0;
    return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &none) < 0 && errno == ENOENT;
}

static const char *over_limit(const struct eg_agent *agent, uid_t uid)
{
    if (agent->tree_count >= agent->options->max_listeners)
        return "the agent has as many listeners as it may (--max-listeners)";
    if (uid != 0 && eg_agent_trees_of(agent, uid) >= agent->options->max_per_uid)
        return "this user has as many listeners as one may (--max-per-uid)";
    return NULL;
}

static void take_message(struct eg_agent *agent, struct eg_connection *connection)
{
    struct eg_oci_state *state = &connection->state;
    const char *why = over_limit(agent, connection->uid);
    /* its own word for it counts only from a runtime, which is not the worker */
    if (state->attach_exec) state->pid = connection->peer;
    if (!why && !is_listener(connection->fds[state->fd_index]))
        why = "the descriptor is no seccomp listener";
    if (!why && state->pid <= 0) why = "its process is in a pid namespace that is not below ours";
    if (!why)
        connection->policy =
            eg_agent_policy_get(agent, state->policy, state->pid, &connection->foreign, &why);
    if (!connection->policy) {
        eg_agent_refuse(agent, connection, why);
        return;
    }
    connection->deadline = 0;
    /* the end of the connection must not wake us while its policy is compiled */
    epoll_ctl(agent->epoll, EPOLL_CTL_DEL, connection->source.fd, NULL);
    if (connection->policy->blob) eg_agent_admit(agent, connection);
}

void eg_agent_receive(struct eg_agent *agent, struct eg_connection *connection)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * EG_OCI_FDS_MAX)];
    } control;
    const char *why = "the message is cut short";
    struct iovec part = { connection->text + connection->size,
                          EG_OCI_MESSAGE_MAX - connection->size };
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    if (connection->policy) return;
    ssize_t n = recvmsg(connection->source.fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0 && !take_fds(connection, &message)) {
        eg_agent_refuse(agent, connection, "too many descriptors came along");
        return;
    }
    int error = -EAGAIN;
    if (n > 0) connection->size += (size_t)n;
    if (connection->size)
        error = eg_oci_parse(connection->text, connection->size, connection->fd_count,
                             &connection->state, &why);
    if (error == -EAGAIN && n > 0 && ++connection->pieces < EG_PIECES_MAX &&
        connection->size < EG_OCI_MESSAGE_MAX)
        return;
    if (error)
        eg_agent_refuse(agent, connection, n <= 0 ? "the message is cut short" : why);
    else
        take_message(agent, connection);
}

/* A runtime installs the filter alone; `execguard exec` all it has. */
static uint32_t layers_of(const struct eg_blob *blob, bool attach_exec)
{
    uint32_t layers = 1u << EG_LAYER_SUPERVISOR;
    if (blob->flags & EG_BLOB_LOG_MODE) return layers;
    layers |= 1u << EG_LAYER_FILTER;
    if (attach_exec) layers |= 1u << EG_LAYER_DOMAIN;
    if (attach_exec && blob->flags & EG_BLOB_LIMIT_CAPS) layers |= 1u << EG_LAYER_CAPABILITIES;
    /* what is optional may be missing; the supervisor is here */
    return (layers & ~blob->optional_layers) | 1u << EG_LAYER_SUPERVISOR;
}

void eg_agent_admit(struct eg_agent *agent, struct eg_connection *connection)
{
    struct eg_oci_state *state = &connection->state;
    const struct eg_blob *blob = connection->policy->blob;
    const char *why = over_limit(agent, connection->uid);
    if (!blob) why = "the policy cannot be had; the agent's log says why";
    if (!why && state->has_blob_id && memcmp(state->blob_id, blob->id, sizeof blob->id) != 0)
        why = "the agent's policy of this name is another one than the worker's; the agent takes "
              "policies from its folders only";
    if (why) {
        eg_agent_refuse(agent, connection, why);
        return;
    }
    struct eg_agent_tree *tree;
    int error = eg_agent_tree_add(agent, connection->fds[state->fd_index], connection->uid,
                                  state->id, connection->policy, &tree);
    if (error) {
        eg_agent_refuse(agent, connection, strerror(-error));
        return;
    }
    connection->fds[state->fd_index] = -1;
    tree->tree->worker = state->pid;
    tree->tree->worker_any = true;
    tree->tree->foreign_root = connection->foreign;
    tree->layers = layers_of(blob, state->attach_exec);
    eg_agent_store(agent, tree);
    if (state->attach_exec) (void)send(connection->source.fd, "\1", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    end_connection(agent, connection);
}

void eg_agent_expire_connections(struct eg_agent *agent, int64_t now)
{
    for (struct eg_connection *c = agent->connections, *next; c; c = next) {
        next = c->next;
        if (c->deadline && now >= c->deadline)
            eg_agent_refuse(agent, c, "the message did not come in time");
    }
}
