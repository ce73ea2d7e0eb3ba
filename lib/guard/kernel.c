// SPDX-License-Identifier: MIT
/* Finds out what this kernel offers, by asking it. */
#include "guard/kernel.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/prctl.h>

#include "guard/parts.h"

#ifdef EG_TEST_BUILD
static uint32_t parse_version(const char *text)
{
    uint32_t part[2] = { 0, 0 };
    for (size_t i = 0; *text && i < 2; text++) {
        if (*text == '.')
            i++;
        else if (*text >= '0' && *text <= '9' && part[i] < 1000)
            part[i] = part[i] * 10 + (uint32_t)(*text - '0');
        else
            break;
    }
    return EG_KERNEL_VERSION(part[0], part[1]);
}

/* The environment as the kernel stored it at exec: needs no help from whoever
 * calls, and works alike in the command and in the shim. */
uint32_t eg_guard_pretended(void)
{
    static const char name[] = "EXECGUARD_PRETEND=";
    char value[16] = { 0 };
    char bytes[1024];
    uint32_t version = UINT32_MAX;
    size_t at = 0; /* in the current entry */
    bool matches = true;
    long fd = eg_sys(__NR_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return version;
    for (long n; (n = eg_sys(__NR_read, fd, bytes, sizeof(bytes))) > 0;) {
        for (long i = 0; i < n; i++) {
            if (bytes[i] == '\0') {
                if (matches && at >= sizeof(name) - 1) version = parse_version(value);
                at = 0;
                matches = true;
                continue;
            }
            if (at < sizeof(name) - 1)
                matches = matches && bytes[i] == name[at];
            else if (matches && at - (sizeof(name) - 1) < sizeof(value) - 1)
                value[at - (sizeof(name) - 1)] = bytes[i];
            at++;
        }
    }
    eg_sys(__NR_close, fd);
    return version;
}
#else
uint32_t eg_guard_pretended(void)
{
    return UINT32_MAX;
}
#endif

/* The last ABI that a kernel of this version has. */
static long abi_of(uint32_t version)
{
    long abi = -ENOSYS;
#define A(number, major, minor)                                                                    \
    if (version >= EG_KERNEL_VERSION(major, minor)) abi = number;
#include "table/landlock.def"
    return abi;
}

int eg_guard_landlock_abi(void)
{
    long abi = eg_sys(__NR_landlock_create_ruleset, NULL, 0, EG_LANDLOCK_VERSION);
    uint32_t pretended = eg_guard_pretended();
    if (abi > 0 && pretended != UINT32_MAX && abi_of(pretended) < abi) abi = abi_of(pretended);
    return abi == 0 ? -EOPNOTSUPP : (int)abi;
}

bool eg_guard_filter_flags_known(unsigned flags)
{
    if ((flags & EG_SECCOMP_FLAG_WAIT_KILLABLE) && eg_guard_pretended() < EG_KERNEL_VERSION(5, 19))
        return false;
    return eg_sys(__NR_seccomp, EG_SECCOMP_SET_MODE_FILTER, flags, NULL) == -EFAULT;
}

static bool action_known(uint32_t action)
{
    return eg_sys(__NR_seccomp, EG_SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* Only a listener can be asked for this flag, so a child gets one. */
static _Noreturn void ask_sync_wake_up(void)
{
    struct sock_filter allow = { 0x06 /* BPF_RET | BPF_K */, 0, 0, EG_SECCOMP_RET_ALLOW };
    const struct sock_fprog program = { 1, &allow };
    long r = -1;
    eg_sys(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long fd =
        eg_sys(__NR_seccomp, EG_SECCOMP_SET_MODE_FILTER, EG_SECCOMP_FLAG_NEW_LISTENER, &program);
    if (fd >= 0)
        r = eg_sys(__NR_ioctl, fd, EG_SECCOMP_NOTIF_SET_FLAGS, EG_SECCOMP_NOTIF_SYNC_WAKE_UP);
    for (;;) eg_sys(__NR_exit_group, r == 0 ? 0 : 1);
}

static bool sync_wake_up_works(void)
{
    const int wait_all = 0x40000000; /* __WALL: the child sends no signal at its end */
    int status = -1;
    if (eg_guard_pretended() < EG_KERNEL_VERSION(6, 6)) return false;
    long pid = eg_sys(__NR_clone, 0, 0, 0, 0, 0);
    if (pid == 0) ask_sync_wake_up();
    if (pid < 0) return false;
    long r = -EINTR;
    while (r == -EINTR) r = eg_sys(__NR_wait4, pid, &status, wait_all, NULL);
    return r == pid && status == 0;
}

void eg_kernel_ask(struct eg_kernel *ret)
{
    uint16_t sizes[3]; /* struct seccomp_notif_sizes */
    int abi = eg_guard_landlock_abi();
    ret->landlock_abi = abi > 0 ? abi : 0;
    ret->seccomp = action_known(EG_SECCOMP_RET_ERRNO);
    ret->listener = ret->seccomp && action_known(EG_SECCOMP_RET_USER_NOTIF) &&
                    eg_sys(__NR_seccomp, EG_SECCOMP_GET_NOTIF_SIZES, 0, sizes) == 0 &&
                    eg_guard_filter_flags_known(EG_SECCOMP_FLAG_NEW_LISTENER);
    ret->wait_killable =
        ret->listener &&
        eg_guard_filter_flags_known(EG_SECCOMP_FLAG_NEW_LISTENER | EG_SECCOMP_FLAG_WAIT_KILLABLE);
    ret->sync_wake_up = ret->listener && sync_wake_up_works();
}
