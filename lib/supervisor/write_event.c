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
    struct eg_tree_texts *texts;
    struct eg_event event;
    if (!told->wanted) return;
    told->wanted = false;
    texts = malloc(sizeof *texts);
    if (!texts) {
        if (told->action == EG_ACTION_DENY) tree->denied++;
        return;
    }
    pid_t tid = (pid_t)job->notif.pid;
    pid_t tgid = tid ? eg_remote_tgid(tid) : 0;
    eg_tree_event(tree, tid, tgid > 0 ? tgid : tid, told->kind, told->reason, texts, &event);
    if (job->closed) {
        /* by now it may serve another */
        event.request = (struct eg_event_request){ 0 };
        if (job->closed->request) event.request = *job->closed->request;
    }
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
    eg_tree_report(tree, &event);
    free(texts);
}
