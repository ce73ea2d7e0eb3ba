// SPDX-License-Identifier: MIT
/* Purpose: live on over a restart.
 *
 * systemd keeps two descriptors for each tree under one name, POLICY@CONTAINER@N:
 * the listener, and a memfd with what the next agent must know.  The compiled
 * policy is in there, so that a tree keeps the policy it started with.  While no
 * agent runs, guarded calls wait. */
#include "supervisor/agent_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "upload/service.h"

#define SAVED_MAGIC  "egtree1"
#define LISTEN_FIRST 3 /* sd_listen_fds(3) */

/* In the memfd: this, the blob, the worker's path, its environment. */
struct saved {
    char magic[8];
    uint32_t size; /* of this structure */
    uid_t uid;
    pid_t worker;
    uint32_t started, foreign, layers;
    uint32_t blob_size, path_size, env_size;
    uint64_t denied, raced, seq;
    struct eg_identity program, exe;
    char policy[EG_OCI_NAME_MAX + 1];
    char id[EG_OCI_ID_MAX + 1];
};

static void notify_with(const char *state, const int *fds, size_t count)
{
    int error = eg_service_tell(state, fds, count, 0);
    if (error)
        eg_agent_say("warning: the service manager was not told `%s': %s", state, strerror(-error));
}

void eg_agent_notify(const char *state)
{
    notify_with(state, NULL, 0);
}

static bool put(int fd, const void *bytes, size_t n, off_t *at)
{
    bool good = pwrite(fd, bytes, n, *at) == (ssize_t)n;
    *at += (off_t)n;
    return good;
}

static bool write_saved(const struct eg_agent_tree *t, int fd)
{
    const struct eg_tree *tree = t->tree;
    struct saved saved = {
        .magic = SAVED_MAGIC,
        .size = sizeof saved,
        .uid = t->uid,
        .worker = tree->worker,
        .started = tree->worker_started,
        .foreign = tree->foreign_root,
        .layers = t->layers,
        .blob_size = (uint32_t)t->policy->blob_size,
        .path_size = (uint32_t)tree->worker_program.path.n,
        .env_size = (uint32_t)tree->start_env.size,
        .denied = tree->denied,
        .raced = tree->raced,
        .seq = tree->seq,
        .program = tree->worker_program.id,
        .exe = tree->worker_exe,
    };
    off_t at = 0;
    snprintf(saved.policy, sizeof saved.policy, "%s", t->policy->name);
    snprintf(saved.id, sizeof saved.id, "%s", t->id);
    return put(fd, &saved, sizeof saved, &at) &&
           put(fd, t->policy->blob, t->policy->blob_size, &at) &&
           put(fd, tree->worker_program.path.p, tree->worker_program.path.n, &at) &&
           put(fd, tree->start_env.bytes, tree->start_env.size, &at);
}

void eg_agent_store(struct eg_agent *agent, struct eg_agent_tree *t)
{
    char state[EG_STORED_NAME_MAX + 32];
    if (!getenv("NOTIFY_SOCKET")) return;
    t->saved = memfd_create("execguard-tree", MFD_CLOEXEC);
    if (t->saved < 0 || !write_saved(t, t->saved)) {
        eg_agent_say("warning: %s: cannot be kept over a restart: %s", t->id, strerror(errno));
        return;
    }
    snprintf(t->stored, sizeof t->stored, "%s@%s@%d.%llu", t->policy->name, t->id, (int)getpid(),
             (unsigned long long)agent->serial++);
    snprintf(state, sizeof state, "FDSTORE=1\nFDNAME=%s", t->stored);
    notify_with(state, (const int[]){ t->source.fd, t->saved }, 2);
}

/* The store holds the same memfd: what is written now, the next agent reads. */
void eg_agent_store_start(struct eg_agent_tree *t)
{
    t->saved_start = true;
    if (!write_saved(t, t->saved))
        eg_agent_say("warning: %s: cannot be kept over a restart: %s", t->id, strerror(errno));
}

void eg_agent_unstore(struct eg_agent_tree *t)
{
    char state[EG_STORED_NAME_MAX + 32];
    if (!t->stored[0]) return;
    snprintf(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=%s", t->stored);
    notify_with(state, NULL, 0);
    t->stored[0] = '\0';
}

static bool is_socket(int fd)
{
    int listens = 0;
    socklen_t size = sizeof listens;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

static bool is_listener(int fd)
{
    uint64_t none = 0;
    return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &none) < 0 && errno == ENOENT;
}

/* The whole memfd, malloc'ed; NULL when it is none of ours. */
static char *read_saved(int fd, struct saved *ret)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || pread(fd, ret, sizeof *ret, 0) != (ssize_t)sizeof *ret) return NULL;
    if (memcmp(ret->magic, SAVED_MAGIC, sizeof ret->magic) != 0 || ret->size != sizeof *ret)
        return NULL;
    size_t rest = (size_t)ret->blob_size + ret->path_size + ret->env_size;
    if ((uint64_t)st.st_size < sizeof *ret + rest) return NULL;
    char *bytes = malloc(rest + 1);
    if (!bytes || pread(fd, bytes, rest, sizeof *ret) != (ssize_t)rest) {
        free(bytes);
        return NULL;
    }
    bytes[rest] = '\0';
    ret->policy[sizeof ret->policy - 1] = ret->id[sizeof ret->id - 1] = '\0';
    return bytes;
}

static bool restore_env(struct eg_tree *tree, const char *bytes, size_t size)
{
    size_t count = 0, n = 0;
    for (size_t i = 0; i < size; i++) count += bytes[i] == '\0';
    const char **items = calloc(count + 1, sizeof *items);
    if (!items) return false;
    for (size_t at = 0; n < count; at += strlen(bytes + at) + 1) items[n++] = bytes + at;
    bool good = eg_vector_copy(&tree->start_env, items) == 0;
    free(items);
    return good;
}

static bool restore_tree(struct eg_agent *agent, const char *name, int listener, int memfd)
{
    struct saved saved;
    struct eg_agent_tree *t;
    char *bytes = read_saved(memfd, &saved);
    char *blob = bytes ? malloc(saved.blob_size ? saved.blob_size : 1) : NULL;
    if (!blob) {
        free(bytes);
        return false;
    }
    memcpy(blob, bytes, saved.blob_size);
    struct eg_shared_policy *policy = eg_agent_policy_adopt(saved.policy, blob, saved.blob_size);
    int error =
        !policy ? -EINVAL : eg_agent_tree_add(agent, listener, saved.uid, saved.id, policy, &t);
    if (policy) eg_agent_policy_drop(policy); /* the tree holds it now */
    if (error) {
        free(bytes);
        return false;
    }
    struct eg_tree *tree = t->tree;
    tree->worker = saved.worker;
    tree->worker_any = true;
    tree->worker_started = saved.started;
    tree->foreign_root = saved.foreign;
    tree->worker_program = (struct eg_target){ .id = saved.program, .found = saved.program.mode };
    tree->worker_exe = saved.exe;
    tree->denied = saved.denied;
    tree->raced = saved.raced;
    tree->seq = saved.seq;
    tree->worker_path = strndup(bytes + saved.blob_size, saved.path_size);
    tree->worker_program.path = eg_str(tree->worker_path);
    t->layers = saved.layers;
    t->saved = memfd;
    t->saved_start = saved.exe.mode != 0;
    snprintf(t->stored, sizeof t->stored, "%s", name);
    bool good = tree->worker_path &&
                restore_env(tree, bytes + saved.blob_size + saved.path_size, saved.env_size);
    free(bytes);
    if (!good) eg_agent_tree_end(agent, t);
    return true;
}

struct kept {
    int fd;
    const char *name;
};

static void restore_kept(struct eg_agent *agent, struct kept *kept, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (kept[i].fd < 0 || !is_listener(kept[i].fd)) continue;
        for (size_t k = 0; k < count; k++) {
            if (k == i || kept[k].fd < 0 || strcmp(kept[k].name, kept[i].name) != 0) continue;
            if (restore_tree(agent, kept[i].name, kept[i].fd, kept[k].fd))
                kept[i].fd = kept[k].fd = -1;
            break;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (kept[i].fd < 0) continue;
        eg_agent_say("what was kept as `%s' is of no use and closed; guarded calls fail there",
                     kept[i].name);
        close(kept[i].fd);
    }
}

int eg_agent_restore(struct eg_agent *agent)
{
    const char *pid = getenv("LISTEN_PID");
    const char *number = getenv("LISTEN_FDS");
    const char *given = getenv("LISTEN_FDNAMES");
    if (!pid || !number || strtol(pid, NULL, 10) != getpid()) return 0;
    size_t count = strtoul(number, NULL, 10);
    if (count > 2 * (size_t)agent->options->max_listeners + 16) return -E2BIG;
    struct kept *kept = calloc(count + 1, sizeof *kept);
    char *names = strdup(given ? given : "");
    if (!kept || !names) {
        free(kept);
        free(names);
        return -ENOMEM;
    }
    char *at = names;
    for (size_t i = 0; i < count; i++) {
        char *name = strsep(&at, ":");
        int fd = LISTEN_FIRST + (int)i;
        kept[i] = (struct kept){ fd, name ? name : "" };
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (agent->socket.fd >= 0 || !is_socket(fd)) continue;
        fcntl(fd, F_SETFL, O_NONBLOCK);
        agent->socket.fd = fd;
        kept[i].fd = -1;
    }
    restore_kept(agent, kept, count);
    if (agent->tree_count) eg_agent_say("%u listeners taken back", agent->tree_count);
    free(kept);
    free(names);
    /* our children have nothing to take */
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return 0;
}
