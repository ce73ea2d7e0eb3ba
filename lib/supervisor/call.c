// SPDX-License-Identifier: MIT
/* Purpose: what the shim tells the supervisor, by prctl(EG_PRCTL_CALL).  What it
 * asks is answered in ask.c.
 *
 * A worker can say anything here, so it decides nothing: a told event is counted
 * and written with who, when and where as the kernel knows them, and marked as
 * claimed. */
#include "guard/call.h"
#include "supervisor/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#define TOLD_TEXT_MAX 2048u
#define TOLD_ARGC_MAX 256u

struct told {
    struct eg_call_event call;
    char fields[EG_CALL_TEXTS][TOLD_TEXT_MAX];
};

static bool read_exactly(pid_t tid, uint64_t address, void *to, size_t n)
{
    struct iovec local = { to, n }, remote = { (void *)(uintptr_t)address, n };
    return process_vm_readv(tid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

static struct eg_str told_text(pid_t tid, struct told *told, enum eg_call_text which)
{
    struct eg_call_string at = told->call.texts[which];
    size_t n = at.size < TOLD_TEXT_MAX ? at.size : TOLD_TEXT_MAX;
    if (!n || !read_exactly(tid, at.address, told->fields[which], n))
        return (struct eg_str){ NULL, 0 };
    return (struct eg_str){ told->fields[which], n };
}

static int64_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

/* What the shim lets go on arrives as an exec in a moment. */
static void expect_exec(struct eg_tree *tree, pid_t tgid, bool line)
{
    tree->told[tree->told_next++ % EG_TOLD_SLOTS] = (struct eg_told){ tgid, line, now() + 2 };
}

bool eg_tree_was_told(struct eg_tree *tree, pid_t tid, pid_t tgid, bool line)
{
    pid_t parent;
    uid_t uid;
    eg_remote_who(tid, &parent, &uid);
    for (size_t i = 0; i < EG_TOLD_SLOTS; i++) {
        struct eg_told *told = &tree->told[i];
        if (told->line != line || !told->tgid || (told->tgid != tgid && told->tgid != parent))
            continue;
        bool fresh = told->until >= now();
        told->tgid = 0;
        if (fresh) return true;
    }
    return false;
}

static void name_rule(const struct eg_blob *blob, uint32_t number, struct eg_event *ret)
{
    const struct eg_blob_rule *rules = eg_blob_section(blob, EG_SECTION_RULES);
    const struct eg_blob_name *names = eg_blob_section(blob, EG_SECTION_UPLOAD_NAMES);
    const struct eg_blob_upload *uploads = eg_blob_section(blob, EG_SECTION_UPLOADS);
    uint32_t rule_count = eg_blob_count(blob, EG_SECTION_RULES);
    uint32_t name_count = eg_blob_count(blob, EG_SECTION_UPLOAD_NAMES);
    if (number < rule_count) {
        ret->rule_file = eg_blob_str(blob, rules[number].file);
        ret->rule_line = rules[number].line;
    } else if ((number -= rule_count) < name_count) {
        ret->rule_file = eg_blob_str(blob, names[number].file);
        ret->rule_line = names[number].line;
    } else if ((number -= name_count) < eg_blob_count(blob, EG_SECTION_UPLOADS)) {
        ret->rule_file = eg_blob_str(blob, uploads[number].file);
        ret->rule_line = uploads[number].content_line;
    }
}

/* All that is told of it. */
static void tell(struct eg_tree *tree, pid_t tid, struct told *told, struct eg_event *event,
                 unsigned whom)
{
    const struct eg_call_event *call = &told->call;
    event->call = told_text(tid, told, EG_CALL_NAME);
    event->line = told_text(tid, told, EG_CALL_LINE);
    event->has_line = call->has_line;
    event->construct = told_text(tid, told, EG_CALL_CONSTRUCT);
    event->has_construct = call->has_construct;
    event->offset = call->offset;
    event->inner = told_text(tid, told, EG_CALL_INNER);
    event->source = told_text(tid, told, EG_CALL_SOURCE);
    event->source_in_argument = call->source_argument != EG_NONE;
    event->source_argument = call->source_argument;
    event->source_offset = call->source_offset;
    event->source_length = call->source_length;
    event->hint = told_text(tid, told, EG_CALL_HINT);
    event->request = (struct eg_event_request){
        .method = told_text(tid, told, EG_CALL_METHOD),
        .uri = told_text(tid, told, EG_CALL_URI),
        .script = told_text(tid, told, EG_CALL_SCRIPT),
        .host = told_text(tid, told, EG_CALL_HOST),
        .remote = told_text(tid, told, EG_CALL_REMOTE),
        .remote_from = call->remote_from < EG_REMOTE_COUNT ? (enum eg_event_remote)call->remote_from
                                                           : EG_REMOTE_NONE,
        .claimed = true,
    };
    event->test = told_text(tid, told, EG_CALL_TEST);
    if (call->argv && eg_remote_vector(tid, call->argv, &tree->argv) == 0) {
        event->argv = (const char *const *)tree->argv.items;
        event->argc = tree->argv.count;
        event->has_argv = true;
    }
    eg_tree_tell(tree, tid, event, whom);
}

static int take_event(struct eg_tree *tree, pid_t tid, uint64_t address)
{
    struct told *told = malloc(sizeof *told);
    if (!told) return ENOMEM;
    struct eg_call_event *call = &told->call;
    if (!read_exactly(tid, address, call, sizeof *call)) {
        free(told);
        return EFAULT;
    }
    if (call->version != EG_CALL_VERSION || call->reason >= EG_REASON_COUNT ||
        call->action > EG_ACTION_REWRITE || call->kind > EG_KIND_SYSCALL) {
        free(told);
        return EINVAL;
    }
    struct eg_event event;
    eg_tree_event(tree, 0, (enum eg_kind)call->kind, (enum eg_reason)call->reason, &event);
    event.action = (enum eg_action)call->action;
    event.layer = EG_LAYER_SHIM;
    event.program = told_text(tid, told, EG_CALL_PROGRAM);
    event.path = told_text(tid, told, EG_CALL_PATH);
    event.variable = told_text(tid, told, EG_CALL_VARIABLE);
    name_rule(tree->blob, call->rule, &event);
    bool exec = event.kind == EG_KIND_EXEC || event.kind == EG_KIND_SHELL;
    if (exec && event.action != EG_ACTION_DENY) {
        pid_t tgid = eg_remote_tgid(tid);
        event.pid = tgid > 0 ? tgid : tid;
        expect_exec(tree, event.pid, false);
    }
    /* a worker can refuse to itself as often as it likes: most of it is only counted */
    unsigned whom = eg_tree_count(tree, &event);
    if (whom) tell(tree, tid, told, &event, whom);
    free(told);
    return 0;
}

static struct eg_answer take_line(struct eg_tree *tree, pid_t tid)
{
    pid_t tgid = eg_remote_tgid(tid);
    if (tgid > 0 && tree->blob->flags & EG_BLOB_LOG_MODE) expect_exec(tree, tgid, true);
    return eg_answer_error(0);
}

/* Counts for events only, so that whoever lies harms nobody but the reader. */
static struct eg_answer take_requests(struct eg_tree *tree, const struct seccomp_notif *notif)
{
    struct eg_process process;
    if (eg_remote_process((pid_t)notif->pid, &process)) return eg_answer_error(ESRCH);
    eg_hands_take(&tree->hands, &process, notif->data.args[2], notif->data.args[3]);
    return eg_answer_error(0);
}

struct eg_answer eg_tree_take_call(struct eg_tree *tree, const struct seccomp_notif *notif)
{
    switch ((uint32_t)notif->data.args[1]) {
    case EG_CALL_EVENT:
        return eg_answer_error(take_event(tree, (pid_t)notif->pid, notif->data.args[2]));
    case EG_CALL_PLAIN_LINE: return take_line(tree, (pid_t)notif->pid);
    case EG_CALL_POLICY: return eg_tree_hand_policy(tree, notif);
    case EG_CALL_REQUESTS: return take_requests(tree, notif);
    case EG_CALL_STEP: return eg_tree_tell_step(tree, notif);
    default: return eg_answer_error(EINVAL);
    }
}
