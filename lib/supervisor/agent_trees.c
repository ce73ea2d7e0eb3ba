// SPDX-License-Identifier: MIT
/* Purpose: the trees that the agent serves, from the listener's arrival until
 * the last process that it traps is gone. */
#include "supervisor/agent_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define SLOW_MS    500 /* one verdict over this is slow */
#define ENDS_MS    30000
#define SLOW_TIMES 3u /* so often, and the tree is given up */

int eg_agent_tree_add(struct eg_agent *agent, int listener, uid_t uid, const char *id,
                      struct eg_shared_policy *policy, struct eg_agent_tree **ret)
{
    struct eg_agent_tree *t = calloc(1, sizeof *t);
    if (!t) return -ENOMEM;
    t->tree = eg_tree_new(policy->blob, listener, NULL);
    if (!t->tree) {
        free(t);
        return -ENOMEM;
    }
    t->source = (struct eg_source){ EG_SOURCE_TREE, listener };
    t->uid = uid;
    t->saved = -1;
    snprintf(t->id, sizeof t->id, "%s", id);
    t->writes = (struct eg_source){ EG_SOURCE_WRITES, eg_writes_fd(t->tree->writes) };
    int error = eg_agent_watch(agent, &t->source);
    if (!error && t->writes.fd >= 0) error = eg_agent_watch(agent, &t->writes);
    if (error) {
        eg_tree_free(t->tree);
        free(t);
        return error;
    }
    t->tree->container = eg_str(t->id);
    /* who installed the filter is not known, so neither is WAIT_KILLABLE_RECV */
    t->tree->synchronous = eg_notify_synchronous(listener);
    t->policy = policy;
    eg_agent_policy_hold(policy);
    t->next = agent->trees;
    if (t->next) t->next->previous = t;
    agent->trees = t;
    agent->tree_count++;
    agent->changes++;
    *ret = t;
    return 0;
}

static void let_go(struct eg_agent *agent, struct eg_agent_tree *t)
{
    eg_tree_free(t->tree);
    eg_agent_policy_drop(t->policy);
    if (t->previous)
        t->previous->next = t->next;
    else
        agent->trees = t->next;
    if (t->next) t->next->previous = t->previous;
    agent->tree_count--;
    agent->changes++;
    free(t);
}

void eg_agent_tree_ended(struct eg_agent *agent, struct eg_agent_tree *t)
{
    if (!t->ends_at) return;
    if (eg_writes_settled(t->tree->writes) || eg_agent_now_ms() > t->ends_at) let_go(agent, t);
}

void eg_agent_tree_end(struct eg_agent *agent, struct eg_agent_tree *t)
{
    if (t->tree->denied || t->tree->raced)
        eg_agent_say("%s: ended; policy %s refused %llu, killed %llu", t->id, t->policy->name,
                     (unsigned long long)t->tree->denied, (unsigned long long)t->tree->raced);
    eg_agent_unstore(t);
    epoll_ctl(agent->epoll, EPOLL_CTL_DEL, t->source.fd, NULL);
    close(t->source.fd);
    t->source.fd = t->tree->listener = -1;
    if (t->saved >= 0) close(t->saved);
    t->saved = -1;
    /* what was closed last, beside what others ask meanwhile */
    t->ends_at = eg_agent_now_ms() + ENDS_MS;
    eg_writes_end(t->tree->writes);
    eg_agent_tree_ended(agent, t);
}

/* Receiving blocks when somebody else who holds the listener took what poll saw,
 * and reading a path can take long on a file system that a user serves.  Either
 * would let one tree starve the others: agent.c's timer ends the wait, and who
 * does it again is given up. */
static bool too_slow(struct eg_agent_tree *t, int64_t start)
{
    if (eg_agent_now_ms() - start < SLOW_MS) return false;
    return ++t->slow >= SLOW_TIMES;
}

void eg_agent_tree_serve(struct eg_agent *agent, struct eg_agent_tree *t)
{
    int64_t start = eg_agent_now_ms();
    uint64_t before = t->tree->denied + t->tree->raced;
    int error = eg_tree_serve(t->tree);
    agent->changes += t->tree->denied + t->tree->raced - before;
    if (t->saved >= 0 && !t->saved_start && t->tree->worker_exe.mode) eg_agent_store_start(t);
    if (too_slow(t, start)) {
        eg_agent_say("%s: its calls keep the agent waiting; its listener is closed, guarded calls "
                     "now fail there",
                     t->id);
        eg_agent_tree_end(agent, t);
    } else if (error && error != -ENOENT) {
        eg_agent_tree_end(agent, t);
    }
}

unsigned eg_agent_trees_of(const struct eg_agent *agent, uid_t uid)
{
    unsigned count = 0;
    for (const struct eg_agent_tree *t = agent->trees; t; t = t->next) count += t->uid == uid;
    return count;
}
