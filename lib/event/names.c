// SPDX-License-Identifier: MIT
/* Words of an event that are its own; reasons and layers have theirs in
 * decide/. */
#include "event/event.h"

const char *eg_event_action_name(enum eg_action action)
{
    switch (action) {
    case EG_ACTION_DENY: return "deny";
    case EG_ACTION_WOULD_DENY: return "would-deny";
    case EG_ACTION_ALLOW: return "allow";
    case EG_ACTION_REWRITE: return "rewrite";
    }
    return "deny";
}

struct eg_str eg_event_remote_name(enum eg_event_remote from)
{
    switch (from) {
    case EG_REMOTE_PEER: return EG_STR("peer");
    case EG_REMOTE_FORWARDED: return EG_STR("Forwarded");
    case EG_REMOTE_X_FORWARDED_FOR: return EG_STR("X-Forwarded-For");
    case EG_REMOTE_X_REAL_IP: return EG_STR("X-Real-IP");
    case EG_REMOTE_SERVER: return EG_STR("REMOTE_ADDR");
    case EG_REMOTE_NONE:
    case EG_REMOTE_COUNT: break;
    }
    return (struct eg_str){ NULL, 0 };
}

struct eg_str eg_event_hint(const struct eg_event *event)
{
    bool refused = event->action == EG_ACTION_DENY || event->action == EG_ACTION_WOULD_DENY;
    if (event->hint.n) return event->hint;
    if (event->reason == EG_REASON_REPLACED)
        return EG_STR("restart the worker: by `execguard exec' or `run' it then has the new file; "
                      "attached by LD_PRELOAD alone, `execguard compile' the policy again before");
    /* The commands of a line are programs like any other. */
    if (event->kind == EG_KIND_SHELL && refused && event->reason == EG_REASON_NO_RULE)
        return EG_STR("if the line is legitimate, write `allow PROGRAM ARGUMENTS' for the program "
                      "in it into the policy's exec block");
    if (event->kind == EG_KIND_SHELL && refused && event->reason == EG_REASON_ARGUMENTS)
        return EG_STR("if the line is legitimate, write its arguments into a rule for the program: "
                      "as words, or as <host>, <file>, <word> and the like");
    return event->hint;
}

const char *eg_event_kind_name(enum eg_kind kind)
{
    switch (kind) {
    case EG_KIND_EXEC: return "exec";
    case EG_KIND_SHELL: return "shell";
    case EG_KIND_WRITE: return "write";
    case EG_KIND_NAME: return "name";
    case EG_KIND_MODE: return "mode";
    case EG_KIND_CONTENT: return "content";
    case EG_KIND_MAP: return "map";
    case EG_KIND_ENV: return "env";
    case EG_KIND_SYSCALL: return "syscall";
    }
    return "unknown";
}
