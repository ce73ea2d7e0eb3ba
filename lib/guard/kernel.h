// SPDX-License-Identifier: MIT
/* The kernel's side of Landlock and seccomp(2), as far as the guard uses it: the
 * distribution's headers may be older than the kernel they run on. */
#ifndef EG_GUARD_KERNEL_H
#define EG_GUARD_KERNEL_H

#include <linux/filter.h>

#include "base/str.h"
#include "base/sys.h"

enum eg_landlock_right {
#define R(id, bit, abi, kind) EG_LANDLOCK_##id = 1 << bit,
#include "table/landlock.def"
};

enum eg_landlock_scope {
#define S(id, bit, abi) EG_SCOPE_##id = 1 << bit,
#include "table/landlock.def"
};

/* landlock_ruleset_attr as of ABI 6.  An older kernel takes the longer structure
 * as long as what it does not know is zero. */
struct eg_landlock_ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

/* landlock_path_beneath_attr */
struct eg_landlock_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

#define EG_LANDLOCK_VERSION           1 /* LANDLOCK_CREATE_RULESET_VERSION */
#define EG_LANDLOCK_RULE_PATH_BENEATH 1

/* linux/seccomp.h */
#define EG_SECCOMP_SET_MODE_FILTER    1
#define EG_SECCOMP_GET_ACTION_AVAIL   2
#define EG_SECCOMP_GET_NOTIF_SIZES    3
#define EG_SECCOMP_FLAG_NEW_LISTENER  (1u << 3)
#define EG_SECCOMP_FLAG_WAIT_KILLABLE (1u << 5)
#define EG_SECCOMP_RET_ERRNO          0x00050000u
#define EG_SECCOMP_RET_USER_NOTIF     0x7fc00000u
#define EG_SECCOMP_RET_ALLOW          0x7fff0000u
#define EG_SECCOMP_NOTIF_SET_FLAGS    0x40082104u /* _IOW('!', 4, __u64) */
#define EG_SECCOMP_NOTIF_SYNC_WAKE_UP 1u

/* Landlock's ABI, or -errno where there is none; what a test build pretends
 * counts. */
int eg_guard_landlock_abi(void);

/* The kernel a test build shall pretend to be (EXECGUARD_PRETEND=6.1 in the
 * environment this process was started with): major << 16 | minor, or UINT32_MAX
 * for the real one.  Always the real one in what is installed. */
uint32_t eg_guard_pretended(void);
#define EG_KERNEL_VERSION(major, minor) ((uint32_t)(major) << 16 | (minor))

/* Does seccomp(2) know these filter flags?  Asked with no filter, nothing is
 * installed. */
bool eg_guard_filter_flags_known(unsigned flags);

#endif
