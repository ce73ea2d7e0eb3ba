// SPDX-License-Identifier: MIT
/* An event's last step: asks the rate limiter, then hands it to each sink of
 * the policy.  An event that no sink took goes to stderr: it must not vanish. */
#include <asm/errno.h>
#include <linux/time.h>
#include <linux/time_types.h>

#include "base/sys.h"
#include "event/sink.h"

int eg_sink_write(const struct eg_blob *blob, const struct eg_blob_sink *sink,
                  const struct eg_event *event)
{
    const char *target = eg_blob_cstr(blob, sink->target);
    switch (sink->kind) {
    case EG_SINK_FILE: return eg_sink_file(target, event);
    case EG_SINK_STDERR: return eg_sink_stderr(event);
    case EG_SINK_SYSLOG: return eg_sink_syslog(target, event);
    case EG_SINK_JOURNAL: return eg_sink_journal(event);
    case EG_SINK_SOCKET: return eg_sink_socket(target, event);
    default: return -EINVAL;
    }
}

static const uint64_t fnv_prime = 0x100000001b3u; /* FNV-1a */

static uint64_t mix(uint64_t hash, struct eg_str s)
{
    for (size_t i = 0; i < s.n; i++) hash = (hash ^ (unsigned char)s.p[i]) * fnv_prime;
    return (hash ^ 0xff) * fnv_prime;
}

/* Events of one rule and program share a bucket; without a program, those
 * about one file or variable. */
static uint64_t rate_key(const struct eg_event *e)
{
    uint64_t hash = 0xcbf29ce484222325u;
    hash = (hash ^ (uint64_t)e->reason) * fnv_prime;
    hash = (hash ^ (uint64_t)e->action) * fnv_prime;
    hash = (hash ^ e->rule_line) * fnv_prime;
    hash = mix(hash, e->rule_file);
    hash = mix(hash, e->program);
    hash = mix(hash, e->path);
    return mix(hash, e->variable);
}

static uint64_t now_ms(void)
{
    struct __kernel_timespec now = { 0, 0 };
    eg_sys(__NR_clock_gettime, CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool eg_event_admit(const struct eg_blob *blob, struct eg_rate *rate, struct eg_event *event)
{
    return !rate || !blob ||
           eg_rate_take(rate, rate_key(event), now_ms(), blob->rate_per_second, blob->rate_burst,
                        &event->repeat);
}

void eg_event_emit(const struct eg_blob *blob, struct eg_rate *rate, struct eg_event *event)
{
    if (eg_event_admit(blob, rate, event)) eg_event_deliver(blob, event);
}

void eg_event_deliver(const struct eg_blob *blob, const struct eg_event *event)
{
    bool taken = false;
    bool wants_stderr = blob && blob->flags & EG_BLOB_LOG_STDERR;
    if (blob) {
        const struct eg_blob_sink *sinks = eg_blob_section(blob, EG_SECTION_SINKS);
        for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_SINKS); i++) {
            if (sinks[i].kind == EG_SINK_STDERR) {
                wants_stderr = true;
                continue;
            }
            if (eg_sink_write(blob, &sinks[i], event) == 0) taken = true;
        }
    }
    if (wants_stderr || !taken) (void)eg_sink_stderr(event);
}
