// SPDX-License-Identifier: MIT
/* Purpose: compiled policies, shared between trees that see the same files.
 *
 * Programs are inodes, so a policy is compiled for the root and the mount
 * namespace of whoever it guards: in a child, which goes there after it has read
 * the text here.  A container's files decide how long that takes and how it
 * ends; neither may stop the agent. */
#include "supervisor/agent_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct view {
    uint64_t namespace, root_dev, root_ino;
};

static int look_at_view(pid_t pid, struct view *ret)
{
    char path[64];
    struct stat ns, root;
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
    if (stat(path, &ns) < 0) return -errno;
    snprintf(path, sizeof path, "/proc/%d/root/.", (int)pid);
    if (stat(path, &root) < 0) return -errno;
    *ret = (struct view){ ns.st_ino, root.st_dev, root.st_ino };
    return 0;
}

int eg_agent_own_view(struct eg_agent *agent)
{
    struct view view = { 0 };
    int error = look_at_view(getpid(), &view);
    if (error) return error;
    agent->own_namespace = view.namespace;
    agent->own_root_dev = view.root_dev;
    agent->own_root_ino = view.root_ino;
    return 0;
}

/* Go where the process is.  Its /proc belongs to another pid namespace, in which
 * we do not exist and cannot ask for the name of a file: lay ours over it, in a
 * copy of its mount namespace that nobody else sees. */
static int enter_view(pid_t pid)
{
    char path[64], root[4096];
    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    ssize_t n = readlink(path, root, sizeof root - 1);
    if (n <= 0) return -1;
    root[n] = '\0';
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
    int ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNS) < 0 || unshare(CLONE_NEWNS) < 0) return -1;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return -1;
    if (chroot(root) < 0 || chdir("/") < 0) return -1;
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static _Noreturn void compile_in_child(const struct eg_agent *agent,
                                       const struct eg_shared_policy *policy, pid_t pid,
                                       pid_t parent)
{
    const struct eg_agent_options *options = agent->options;
    sigset_t none;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent) _exit(125);
    prctl(PR_SET_NAME, "execguard-comp", 0, 0, 0);
    /* a listener must not live longer than the agent because of us */
    int out = policy->out;
    if (out != 3 && dup3(out, 3, O_CLOEXEC) < 0) _exit(125);
    syscall(SYS_close_range, 4, ~0U, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int status = options->prepare(options->context, policy->name, policy->foreign);
    if (!status && policy->foreign && enter_view(pid) < 0) {
        eg_agent_say("policy %s: cannot look at the files of process %d: %s", policy->name,
                     (int)pid, strerror(errno));
        status = 125;
    }
    _exit(status ? status : options->finish(options->context, 3));
}

static bool fits(const struct eg_agent *agent, const struct eg_shared_policy *policy,
                 const char *name, const struct view *view)
{
    return policy->generation == agent->generation && strcmp(policy->name, name) == 0 &&
           policy->namespace == view->namespace && policy->root_dev == view->root_dev &&
           policy->root_ino == view->root_ino;
}

static void unlist(struct eg_agent *agent, struct eg_shared_policy *policy)
{
    struct eg_shared_policy **link = &agent->policies;
    while (*link != policy) link = &(*link)->next;
    *link = policy->next;
    policy->listed = false;
    eg_agent_policy_drop(policy);
}

/* Containers' policies serve only as long as the container lives. */
static void sweep(struct eg_agent *agent)
{
    for (struct eg_shared_policy *p = agent->policies, *next; p; p = next) {
        next = p->next;
        if (p->foreign && p->holders == 1) unlist(agent, p);
    }
}

static struct eg_shared_policy *find(struct eg_agent *agent, const char *name,
                                     const struct view *view)
{
    for (struct eg_shared_policy *p = agent->policies, *next; p; p = next) {
        next = p->next;
        if (!fits(agent, p, name, view)) continue;
        const char *changed = p->blob && !p->foreign ? agent->options->stale(p->blob) : NULL;
        if (!changed) return p;
        eg_agent_say("policy %s: %s changed; compiling it again for new trees", name, changed);
        unlist(agent, p);
    }
    return NULL;
}

static int start_compiling(struct eg_agent *agent, struct eg_shared_policy *policy, pid_t pid)
{
    unsigned slot = 0;
    while (slot < EG_COMPILES_MAX && agent->compiling[slot]) slot++;
    if (slot == EG_COMPILES_MAX) return -EAGAIN;
    policy->out = memfd_create("execguard-policy", MFD_CLOEXEC);
    if (policy->out < 0) return -errno;
    pid_t parent = getpid();
    policy->child = fork();
    if (policy->child == 0) compile_in_child(agent, policy, pid, parent);
    if (policy->child < 0) return -errno;
    policy->source.fd = (int)syscall(SYS_pidfd_open, policy->child, 0);
    policy->deadline = eg_agent_now_ms() + EG_COMPILE_MS;
    int error = policy->source.fd < 0 ? -errno : eg_agent_watch(agent, &policy->source);
    if (error) {
        kill(policy->child, SIGKILL);
        waitpid(policy->child, NULL, 0);
        return error;
    }
    agent->compiling[slot] = policy;
    return 0;
}

static struct eg_shared_policy *new_policy(const char *name)
{
    struct eg_shared_policy *policy = calloc(1, sizeof *policy);
    if (!policy) return NULL;
    policy->source = (struct eg_source){ EG_SOURCE_COMPILE, -1 };
    policy->out = -1;
    policy->holders = 1;
    snprintf(policy->name, sizeof policy->name, "%s", name);
    return policy;
}

struct eg_shared_policy *eg_agent_policy_get(struct eg_agent *agent, const char *name, pid_t pid,
                                             bool *ret_foreign, const char **ret_why)
{
    struct view view = { 0 };
    if (look_at_view(pid, &view) < 0) {
        *ret_why = "its process is not there, or cannot be looked at";
        return NULL;
    }
    *ret_foreign = view.namespace != agent->own_namespace || view.root_dev != agent->own_root_dev ||
                   view.root_ino != agent->own_root_ino;
    sweep(agent);
    struct eg_shared_policy *policy = find(agent, name, &view);
    if (policy) {
        eg_agent_policy_hold(policy);
        return policy;
    }
    policy = new_policy(name);
    if (!policy) {
        *ret_why = "out of memory";
        return NULL;
    }
    policy->generation = agent->generation;
    policy->foreign = *ret_foreign;
    policy->namespace = view.namespace;
    policy->root_dev = view.root_dev;
    policy->root_ino = view.root_ino;
    if (start_compiling(agent, policy, pid) < 0) {
        eg_agent_policy_drop(policy);
        *ret_why = "too many policies are being compiled";
        return NULL;
    }
    policy->listed = true;
    policy->holders++;
    policy->next = agent->policies;
    agent->policies = policy;
    return policy;
}

static void take_blob(struct eg_shared_policy *policy, void *bytes, size_t size)
{
    const struct eg_blob *blob;
    const char *why = "";
    if (eg_blob_verify(bytes, size, &blob, &why) == 0) {
        policy->blob = bytes;
        policy->blob_size = size;
    } else {
        eg_agent_say("policy %s: the compiled form is broken: %s", policy->name, why);
        free(bytes);
    }
}

static void read_blob(struct eg_shared_policy *policy)
{
    struct stat st;
    if (fstat(policy->out, &st) < 0 || st.st_size <= 0 || st.st_size > EG_BLOB_MAX) return;
    size_t size = (size_t)st.st_size;
    void *bytes = malloc(size);
    if (!bytes) return;
    if (pread(policy->out, bytes, size, 0) == (ssize_t)size)
        take_blob(policy, bytes, size);
    else
        free(bytes);
}

static void stop_watching(struct eg_agent *agent, struct eg_shared_policy *policy)
{
    for (unsigned i = 0; i < EG_COMPILES_MAX; i++)
        if (agent->compiling[i] == policy) agent->compiling[i] = NULL;
    close(policy->source.fd);
    close(policy->out);
    policy->source.fd = policy->out = -1;
    policy->child = 0;
}

void eg_agent_policy_compiled(struct eg_agent *agent, struct eg_shared_policy *policy)
{
    int status = 0;
    if (waitpid(policy->child, &status, 0) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        read_blob(policy);
    stop_watching(agent, policy);
    eg_agent_policy_hold(policy);
    if (!policy->blob && policy->listed) unlist(agent, policy);
    for (struct eg_connection *c = agent->connections, *next; c; c = next) {
        next = c->next;
        if (c->policy == policy) eg_agent_admit(agent, c);
    }
    /* held above, so it lived until here */
    eg_agent_policy_drop(policy); // NOLINT(clang-analyzer-unix.Malloc)
}

void eg_agent_expire_compiles(struct eg_agent *agent, int64_t now)
{
    for (unsigned i = 0; i < EG_COMPILES_MAX; i++) {
        struct eg_shared_policy *policy = agent->compiling[i];
        if (!policy || now < policy->deadline) continue;
        eg_agent_say("policy %s: compiling it took longer than %d s", policy->name,
                     EG_COMPILE_MS / 1000);
        kill(policy->child, SIGKILL); /* its end is then seen as any other */
        policy->deadline = INT64_MAX;
    }
}

void eg_agent_policy_hold(struct eg_shared_policy *policy)
{
    policy->holders++;
}

void eg_agent_policy_drop(struct eg_shared_policy *policy)
{
    if (--policy->holders) return;
    free(policy->blob);
    if (policy->out >= 0) close(policy->out);
    free(policy);
}

void eg_agent_policies_forget(struct eg_agent *agent)
{
    while (agent->policies) unlist(agent, agent->policies);
}

struct eg_shared_policy *eg_agent_policy_adopt(const char *name, void *bytes, size_t size)
{
    struct eg_shared_policy *policy = new_policy(name);
    if (!policy) {
        free(bytes);
        return NULL;
    }
    take_blob(policy, bytes, size);
    if (policy->blob) return policy;
    eg_agent_policy_drop(policy);
    return NULL;
}
