// SPDX-License-Identifier: MIT
/* Loads the seccomp filter that the blob holds for this stage (seccomp(2)). */
#include <linux/errno.h>
#include <linux/filter.h>

#include "guard/parts.h"

static long load(const struct eg_blob *blob, enum eg_section section, unsigned flags)
{
    const struct sock_fprog program = {
        .len = (unsigned short)eg_blob_count(blob, section), /* at most 4096: verified */
        .filter = (struct sock_filter *)(uintptr_t)eg_blob_section(blob, section),
    };
    if (program.len == 0) return -ENODATA;
    /* No TSYNC: the launcher has one thread, and the constructor runs before any
     * library or the program could start one. */
    return eg_sys(__NR_seccomp, EG_SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* WAIT_KILLABLE_RECV (5.19): a notification that the supervisor has taken is
 * interrupted by fatal signals alone, or a storm of them starves every exec. */
static long load_supervised(const struct eg_blob *blob)
{
    unsigned flags = EG_SECCOMP_FLAG_NEW_LISTENER;
    if (eg_guard_filter_flags_known(flags | EG_SECCOMP_FLAG_WAIT_KILLABLE))
        flags |= EG_SECCOMP_FLAG_WAIT_KILLABLE;
    return load(blob, EG_SECTION_FILTER_SUPERVISED, flags);
}

static bool is_optional(const struct eg_blob *blob, enum eg_layer layer)
{
    return blob->optional_layers & (1u << layer);
}

int eg_guard_load_filter(struct eg_guard_plan *plan, struct eg_guard_error *error)
{
    const struct eg_blob *blob = plan->blob;
    plan->listener_fd = -1;
    if (plan->supervised) {
        long fd = load_supervised(blob);
        if (fd >= 0) {
            plan->listener_fd = (int)fd;
            plan->installed |= 1u << EG_LAYER_SUPERVISOR;
            return 0;
        }
        /* In log mode the plain filters refuse, so they are no substitute. */
        if (!is_optional(blob, EG_LAYER_SUPERVISOR) || (blob->flags & EG_BLOB_LOG_MODE))
            return eg_guard_fail(error, EG_LAYER_SUPERVISOR, "seccomp(2) with a listener", fd);
    }
    long r =
        load(blob,
             plan->stage == EG_STAGE_FINAL ? EG_SECTION_FILTER_FINAL : EG_SECTION_FILTER_LAUNCH, 0);
    if (r == -ENODATA)
        return eg_guard_fail(error, EG_LAYER_FILTER, "the compiled policy holds no filter", r);
    return r < 0 ? eg_guard_fail(error, EG_LAYER_FILTER, "seccomp(2)", r) : 0;
}
