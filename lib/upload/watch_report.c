// SPDX-License-Identifier: MIT
/* Purpose: events of the watcher.  Whoever refuses gathers what is known of the
 * process while it still waits; the pool delivers, since a sink may be a file
 * that is watched. */
#include "upload/watch_parts.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "content/content.h"

void eg_watch_say(const char *format, ...)
{
    char text[PATH_MAX + 256] = "execguard: watch: ";
    size_t head = strlen(text);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text + head, sizeof text - head - 1, format, args);
    va_end(args);
    if (n < 0) return;
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) text[i] = '?';
    text[length++] = '\n';
    if (write(STDERR_FILENO, text, length) < 0) return;
}

static void add(char **at, struct eg_str *ret, const char *text)
{
    size_t n = strlen(text);
    memcpy(*at, text, n + 1);
    *ret = (struct eg_str){ *at, n };
    *at += n + 1;
}

/* proc_pid_status(5).  Gone already: nobody's. */
static void look_at_process(struct eg_event *event, char exe[PATH_MAX])
{
    char path[64], status[2048];
    event->uid = UINT32_MAX;
    *exe = '\0';
    snprintf(path, sizeof path, "/proc/%d/exe", (int)event->pid);
    ssize_t n = event->pid ? readlink(path, exe, PATH_MAX - 1) : -1;
    if (n > 0) exe[n] = '\0';
    snprintf(path, sizeof path, "/proc/%d/status", (int)event->pid);
    FILE *file = event->pid ? fopen(path, "re") : NULL;
    if (!file) return;
    size_t size = fread(status, 1, sizeof status - 1, file);
    fclose(file);
    status[size] = '\0';
    const char *tgid = strstr(status, "\nTgid:");
    const char *ppid = strstr(status, "\nPPid:");
    const char *uid = strstr(status, "\nUid:");
    if (tgid) event->pid = (int32_t)strtol(tgid + 6, NULL, 10);
    if (ppid) event->ppid = (int32_t)strtol(ppid + 6, NULL, 10);
    if (uid) event->uid = (uint32_t)strtoul(uid + 5, NULL, 10);
}

static void stamp(struct eg_event *event)
{
    static _Atomic uint64_t seq;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    event->time_s = now.tv_sec;
    event->time_ns = (uint32_t)now.tv_nsec;
    event->seq = atomic_fetch_add(&seq, 1) + 1;
}

static void give(struct eg_watch *watch, const struct eg_blob *blob, struct eg_event *event,
                 const char *path, const char *hint)
{
    char exe[PATH_MAX];
    look_at_process(event, exe);
    stamp(event);
    size_t strings = strlen(path) + strlen(exe) + strlen(hint) + event->content.n + 4;
    struct eg_watch_job *job = eg_watch_new_job(EG_WATCH_JOB_REPORT, strings);
    if (job) job->event = malloc(sizeof *event);
    if (job && job->event) {
        char *at = job->text;
        add(&at, &event->path, path);
        add(&at, &event->exe, exe);
        add(&at, &event->hint, hint);
        add(&at, &event->content, event->content.n ? event->content.p : "");
        *job->event = *event;
        job->blob = blob;
        if (eg_watch_give(watch, job)) return;
        free(job->event);
    }
    free(job);
    atomic_fetch_add(&watch->lost_reports, 1);
}

void eg_watch_report(struct eg_watch *watch, const struct eg_watch_refusal *refusal,
                     enum eg_action action, const char *call, const char *path, pid_t pid,
                     const char *hint)
{
    const struct eg_blob *blob = refusal->blob;
    const struct eg_write_decision *decision = &refusal->decision;
    struct eg_event event = {
        .action = action,
        .kind = refusal->kind,
        .layer = EG_LAYER_WATCH,
        .reason = decision->reason,
        .policy = eg_blob_str(blob, blob->name),
        .rule_file = eg_blob_str(blob, decision->rule_file),
        .rule_line = decision->rule_line,
        .call = eg_str(call),
        .pid = pid,
    };
    char kinds[256], text[2048];
    eg_content_names(refusal->hits, kinds, sizeof kinds);
    snprintf(text, sizeof text, "%s", hint ? hint : "");
    event.content = eg_str(kinds);
    if (action == EG_ACTION_DENY) atomic_fetch_add(&watch->shared->refused, 1);
    give(watch, blob, &event, path, text);
}

void eg_watch_report_self(struct eg_watch *watch, enum eg_reason reason, const char *hint)
{
    for (size_t i = 0; i < watch->blob_count; i++) {
        const struct eg_blob *blob = watch->blobs[i];
        struct eg_event event = {
            .action = EG_ACTION_ALLOW,
            .kind = EG_KIND_WRITE,
            .layer = EG_LAYER_WATCH,
            .reason = reason,
            .policy = eg_blob_str(blob, blob->name),
            .call = EG_STR("watch"),
        };
        give(watch, blob, &event, "", hint);
    }
}

void eg_watch_deliver(struct eg_watch *watch, struct eg_watch_job *job)
{
    size_t i = 0;
    while (watch->blobs[i] != job->blob) i++;
    job->event->repeat = atomic_exchange(&watch->lost_reports, 0);
    eg_event_emit(job->blob, &watch->rates[i], job->event);
    free(job->event);
}
