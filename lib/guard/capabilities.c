// SPDX-License-Identifier: MIT
/* no_new_privs, and dropping every capability that the policy does not keep
 * (capabilities(7)), by raw calls. */
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/prctl.h>

#include "guard/parts.h"

#define CAPABILITY_BIT(n) (UINT64_C(1) << (n))

struct sets {
    uint64_t effective, permitted, inheritable;
};

static long get_sets(struct sets *ret)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    long r = eg_sys(__NR_capget, &header, data);
    if (r < 0) return r;
    ret->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
    ret->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
    ret->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
    return 0;
}

static long set_sets(const struct sets *sets)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    const struct __user_cap_data_struct data[2] = {
        { (uint32_t)sets->effective, (uint32_t)sets->permitted, (uint32_t)sets->inheritable },
        { (uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32),
          (uint32_t)(sets->inheritable >> 32) },
    };
    return eg_sys(__NR_capset, &header, data);
}

int eg_guard_set_no_new_privs(struct eg_guard_error *error)
{
    long r = eg_sys(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return r < 0 ? eg_guard_fail(error, EG_LAYER_NONE, "prctl(PR_SET_NO_NEW_PRIVS)", r) : 0;
}

int eg_guard_check_privilege(struct eg_guard_error *error)
{
    struct sets sets;
    if (eg_sys(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) return 0;
    long r = get_sets(&sets);
    if (r < 0) return eg_guard_fail(error, EG_LAYER_NONE, "capget(2)", r);
    if (sets.effective & CAPABILITY_BIT(CAP_SYS_ADMIN)) return 0;
    return eg_guard_fail(error, EG_LAYER_NONE, "`no-new-privs no` needs CAP_SYS_ADMIN", -EPERM);
}

/* What execve could give back: a set-id program, a file's capabilities, or root's
 * own right to all of them. */
static long limit_bounding_set(uint64_t keep, const struct sets *now)
{
    bool can = now->effective & CAPABILITY_BIT(CAP_SETPCAP);
    for (long n = 0; n < 64; n++) {
        if (keep & CAPABILITY_BIT(n)) continue;
        long has = eg_sys(__NR_prctl, PR_CAPBSET_READ, n, 0, 0, 0);
        if (has == -EINVAL) return 0; /* beyond the last one */
        if (has != 1) continue;
        if (!can) {
            /* Under no_new_privs an exec never adds to the permitted set, so what
             * the bounding set holds is of no use. */
            return eg_sys(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -EPERM;
        }
        long r = eg_sys(__NR_prctl, PR_CAPBSET_DROP, n, 0, 0, 0);
        if (r < 0) return r;
    }
    return 0;
}

int eg_guard_limit_capabilities(const struct eg_blob *blob, struct eg_guard_error *error)
{
    uint64_t keep = blob->capabilities;
    struct sets now;
    long r = get_sets(&now);
    if (r < 0) return eg_guard_fail(error, EG_LAYER_CAPABILITIES, "capget(2)", r);
    /* First what needs CAP_SETPCAP, then the sets, which may drop that too. */
    r = limit_bounding_set(keep, &now);
    if (r < 0)
        return eg_guard_fail(error, EG_LAYER_CAPABILITIES,
                             "prctl(PR_CAPBSET_DROP), which needs CAP_SETPCAP", r);
    const struct sets limited = { now.effective & keep, now.permitted & keep,
                                  now.inheritable & keep };
    if (limited.effective == now.effective && limited.permitted == now.permitted &&
        limited.inheritable == now.inheritable)
        return 0;
    /* The ambient set needs no call: the kernel keeps it within both others. */
    r = set_sets(&limited);
    return r < 0 ? eg_guard_fail(error, EG_LAYER_CAPABILITIES, "capset(2)", r) : 0;
}
