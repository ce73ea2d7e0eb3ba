// SPDX-License-Identifier: MIT
/* Tells the supervisor of an event, where there is one: it is counted and written
 * outside of the worker then, by who cannot be silenced. */
#include "base/sys.h"
#include "guard/call.h"
#include "guard/guard.h"
#include "shim/shim.h"

static struct eg_call_string text(struct eg_str s)
{
    return (struct eg_call_string){ (uint64_t)(uintptr_t)s.p, s.n };
}

static bool stands_at(const struct eg_event *event, uint32_t file, uint32_t line)
{
    return line == event->rule_line &&
           eg_str_equal(eg_blob_str(eg_shim.blob, file), event->rule_file);
}

/* The event names its rule by file and line, the call by number. */
static uint32_t rule_number(const struct eg_event *event)
{
    const struct eg_blob_rule *rules = eg_blob_section(eg_shim.blob, EG_SECTION_RULES);
    const struct eg_blob_name *names = eg_blob_section(eg_shim.blob, EG_SECTION_UPLOAD_NAMES);
    const struct eg_blob_upload *uploads = eg_blob_section(eg_shim.blob, EG_SECTION_UPLOADS);
    uint32_t rule_count = eg_blob_count(eg_shim.blob, EG_SECTION_RULES);
    uint32_t name_count = eg_blob_count(eg_shim.blob, EG_SECTION_UPLOAD_NAMES);
    if (!event->rule_file.n) return EG_NONE;
    for (uint32_t i = 0; i < rule_count; i++)
        if (stands_at(event, rules[i].file, rules[i].line)) return i;
    for (uint32_t i = 0; i < name_count; i++)
        if (stands_at(event, names[i].file, names[i].line)) return rule_count + i;
    for (uint32_t i = 0; i < eg_blob_count(eg_shim.blob, EG_SECTION_UPLOADS); i++)
        if (stands_at(event, uploads[i].file, uploads[i].content_line))
            return rule_count + name_count + i;
    return EG_NONE;
}

bool eg_shim_tell(const struct eg_event *event)
{
    if (!eg_shim.supervised) return false;
    struct eg_call_event call = {
        .version = EG_CALL_VERSION,
        .action = (uint32_t)event->action,
        .kind = (uint32_t)event->kind,
        .reason = (uint32_t)event->reason,
        .rule = rule_number(event),
        .has_line = event->has_line,
        .has_construct = event->has_construct,
        .source_argument = event->source_in_argument ? (uint32_t)event->source_argument : EG_NONE,
        .remote_from = (uint32_t)event->request.remote_from,
        .offset = event->offset,
        .source_offset = event->source_offset,
        .source_length = event->source_length,
        .argv = event->has_argv ? (uint64_t)(uintptr_t)event->argv : 0,
        .texts = {
            [EG_CALL_NAME] = text(event->call),
            [EG_CALL_PROGRAM] = text(event->program),
            [EG_CALL_LINE] = text(event->line),
            [EG_CALL_CONSTRUCT] = text(event->construct),
            [EG_CALL_PATH] = text(event->path),
            [EG_CALL_VARIABLE] = text(event->variable),
            [EG_CALL_INNER] = text(event->inner),
            [EG_CALL_SOURCE] = text(event->source),
            [EG_CALL_HINT] = text(event->hint),
            [EG_CALL_METHOD] = text(event->request.method),
            [EG_CALL_URI] = text(event->request.uri),
            [EG_CALL_SCRIPT] = text(event->request.script),
            [EG_CALL_HOST] = text(event->request.host),
            [EG_CALL_REMOTE] = text(event->request.remote),
            [EG_CALL_TEST] = text(event->test),
        },
    };
    return eg_sys(__NR_prctl, EG_PRCTL_CALL, EG_CALL_EVENT, &call, 0, 0) == 0;
}

void eg_shim_tell_line(void)
{
    if (eg_shim.supervised) eg_sys(__NR_prctl, EG_PRCTL_CALL, EG_CALL_PLAIN_LINE, 0, 0, 0);
}
