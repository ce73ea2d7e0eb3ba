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

struct eg_str eg_event_hint(const struct eg_event *event)
{
    if (event->hint.n || event->reason != EG_REASON_REPLACED) return event->hint;
    return EG_STR("restart the worker: by `execguard exec' or `run' it then has the new file; "
                  "attached by LD_PRELOAD alone, `execguard compile' the policy again before");
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
