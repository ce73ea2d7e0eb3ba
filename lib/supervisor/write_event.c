// SPDX-License-Identifier: MIT
/* Purpose: tell of a change to the file tree that was refused, or is to be told. */
#include "supervisor/write_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *call_name(const struct eg_job *job)
{
    return job->closed ? "close" : eg_write_call_name(job->args.call);
}

static void add_content(const struct eg_write_event *told, char *kinds, size_t kinds_size,
                        char *digest, struct eg_event *event)
{
    eg_content_names(told->hits, kinds, kinds_size);
    for (size_t i = 0; i < sizeof told->sha256; i++)
        snprintf(digest + 2 * i, 3, "%02x", told->sha256[i]);
    event->content = eg_str(kinds);
    if (told->has_digest) event->sha256 = eg_str(digest);
    event->size = told->size;
}

void eg_job_report(struct eg_job *job)
{
    struct eg_write_event *told = &job->event;
    struct eg_tree *tree = job->writes->tree;
    struct eg_event event;
    if (!told->wanted) return;
    told->wanted = false;
    eg_tree_event(tree, 0, told->kind, told->reason, &event);
    /* by now who wrote it may serve another request */
    if (job->closed && job->closed->request) event.request = *job->closed->request;
    if (told->action != EG_ACTION_DENY) event.action = told->action;
    event.call = eg_str(call_name(job));
    event.path = eg_str(told->path);
    if (told->decision.rule_file) {
        event.rule_file = eg_blob_str(tree->blob, told->decision.rule_file);
        event.rule_line = told->decision.rule_line;
    }
    event.hint = told->decision.hint;
    char kinds[128], digest[2 * sizeof told->sha256 + 1];
    if (told->has_content) add_content(told, kinds, sizeof kinds, digest, &event);
    unsigned whom = eg_tree_count(tree, &event);
    if (whom && job->closed) whom |= EG_TELL_REQUEST_KNOWN;
    if (whom) eg_tree_tell(tree, (pid_t)job->notif.pid, &event, whom);
}
