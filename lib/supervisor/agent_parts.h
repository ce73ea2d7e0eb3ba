// SPDX-License-Identifier: MIT
/* What the agent's files share.  Everything that waits is a source in one epoll
 * instance; nothing but epoll_wait(2) blocks. */
#ifndef EG_SUPERVISOR_AGENT_PARTS_H
#define EG_SUPERVISOR_AGENT_PARTS_H

#include "supervisor/agent.h"
#include "supervisor/oci.h"
#include "supervisor/status.h"
#include "supervisor/tree.h"

#define EG_CONNECTIONS_MAX 256u
#define EG_CONNECTION_MS   5000  /* to send a whole message */
#define EG_COMPILE_MS      20000 /* to compile a policy */
#define EG_COMPILES_MAX    8u    /* children at a time */
#define EG_PIECES_MAX      256u  /* reads of one message */
#define EG_STORED_NAME_MAX 255u  /* sd_pid_notify_with_fds(3), FDNAME */

enum eg_source_kind {
    EG_SOURCE_SOCKET,
    EG_SOURCE_SIGNALS,
    EG_SOURCE_CONNECTION,
    EG_SOURCE_COMPILE,
    EG_SOURCE_TREE,
    EG_SOURCE_WRITES,
};

/* First member of what epoll's data points to. */
struct eg_source {
    enum eg_source_kind kind;
    int fd;
};

/* A compiled policy; trees share it.  Freed when nobody holds it. */
struct eg_shared_policy {
    struct eg_source source; /* COMPILE: a pidfd while the child runs; else fd -1 */
    char name[EG_OCI_NAME_MAX + 1];
    unsigned holders;    /* trees, waiting connections, the list itself */
    unsigned generation; /* of SIGHUP */
    bool foreign;
    uint64_t namespace, root_dev, root_ino; /* whose view it was compiled in */
    struct eg_blob *blob;                   /* NULL: not yet, or it failed */
    size_t blob_size;
    pid_t child;
    int out; /* memfd that the child writes */
    int64_t deadline;
    struct eg_shared_policy *next; /* listed: new trees may take it */
    bool listed;
};

struct eg_connection {
    struct eg_source source;
    uid_t uid;
    pid_t peer;
    int64_t deadline; /* 0: none, it waits for its policy */
    size_t size, pieces;
    char *text; /* EG_OCI_MESSAGE_MAX */
    int fds[EG_OCI_FDS_MAX];
    size_t fd_count;
    struct eg_oci_state state; /* once it is whole */
    bool foreign;
    struct eg_shared_policy *policy; /* waited for */
    struct eg_connection *next;
};

struct eg_agent_tree {
    struct eg_source source; /* the listener */
    struct eg_source writes; /* what helpers finished (write.h); descriptor -1: none */
    struct eg_tree *tree;
    struct eg_shared_policy *policy;
    uid_t uid;
    char id[EG_OCI_ID_MAX + 1];
    char stored[EG_STORED_NAME_MAX + 1]; /* name in systemd's store; empty: not there */
    int saved;                           /* memfd in the store, -1: none */
    bool saved_start;                    /* it knows how the worker started */
    uint32_t layers;                     /* that its processes have, for `status` */
    unsigned slow;                       /* times that serving took too long */
    int64_t ends_at;                     /* it has ended; what it wrote is judged until then */
    struct eg_agent_tree *next, *previous;
};

struct eg_agent {
    const struct eg_agent_options *options;
    int epoll;
    struct eg_source socket, signals;
    bool own_socket; /* made here, not by systemd */
    bool stop;
    unsigned generation;
    unsigned connection_count, tree_count, compile_count;
    uint64_t serial;
    uint64_t changes; /* what `status` would show */
    struct eg_status_clock status;
    struct eg_connection *connections;
    struct eg_agent_tree *trees;
    struct eg_shared_policy *policies; /* listed ones */
    struct eg_shared_policy *compiling[EG_COMPILES_MAX];
    uint64_t own_namespace, own_root_dev, own_root_ino;
};

/* agent.c */
int64_t eg_agent_now_ms(void); /* CLOCK_MONOTONIC */
int eg_agent_watch(struct eg_agent *agent, struct eg_source *source);
/* A line for the administrator on stderr. */
void eg_agent_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* agent_socket.c: bind the socket, or take systemd's.  0 or an exit status. */
int eg_agent_listen(struct eg_agent *agent);
void eg_agent_unlisten(struct eg_agent *agent);

/* agent_connection.c */
void eg_agent_accept(struct eg_agent *agent);
void eg_agent_receive(struct eg_agent *agent, struct eg_connection *connection);
/* The policy that it waited for is there (or failed). */
void eg_agent_admit(struct eg_agent *agent, struct eg_connection *connection);
/* Answer "no" with a reason and close everything. */
void eg_agent_refuse(struct eg_agent *agent, struct eg_connection *connection, const char *why);
void eg_agent_expire_connections(struct eg_agent *agent, int64_t now);

/* agent_policy.c.  get: a shared policy, its blob NULL while it is compiled; the
 * caller holds it.  NULL: refused, *ret_why is said.  Connections that wait are
 * admitted when the child ends. */
struct eg_shared_policy *eg_agent_policy_get(struct eg_agent *agent, const char *name, pid_t pid,
                                             bool *ret_foreign, const char **ret_why);
void eg_agent_policy_compiled(struct eg_agent *agent, struct eg_shared_policy *policy);
void eg_agent_policy_hold(struct eg_shared_policy *policy);
void eg_agent_policy_drop(struct eg_shared_policy *policy);
void eg_agent_policies_forget(struct eg_agent *agent); /* SIGHUP, and at the end */
void eg_agent_expire_compiles(struct eg_agent *agent, int64_t now);
int eg_agent_own_view(struct eg_agent *agent);
/* One that was compiled before a restart; takes bytes (malloc'ed) when it is sound. */
struct eg_shared_policy *eg_agent_policy_adopt(const char *name, void *bytes, size_t size);

/* agent_trees.c */
int eg_agent_tree_add(struct eg_agent *agent, int listener, uid_t uid, const char *id,
                      struct eg_shared_policy *policy, struct eg_agent_tree **ret);
void eg_agent_tree_serve(struct eg_agent *agent, struct eg_agent_tree *tree);
void eg_agent_tree_end(struct eg_agent *agent, struct eg_agent_tree *tree);
/* Forget it when all that it wrote is judged. */
void eg_agent_tree_ended(struct eg_agent *agent, struct eg_agent_tree *tree);
unsigned eg_agent_trees_of(const struct eg_agent *agent, uid_t uid);

/* agent_store.c: systemd, without its library: sd_notify(3), and the file
 * descriptor store (sd_pid_notify_with_fds(3)). */
void eg_agent_notify(const char *state);
void eg_agent_store(struct eg_agent *agent, struct eg_agent_tree *tree);
void eg_agent_store_start(struct eg_agent_tree *tree);
void eg_agent_unstore(struct eg_agent_tree *tree);
/* Take back what systemd kept; the listening socket goes to agent->socket. */
int eg_agent_restore(struct eg_agent *agent);

#endif
