// SPDX-License-Identifier: MIT
/* Purpose: the ioctl(2) calls of a seccomp listener. */
#include "supervisor/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guard/kernel.h"

int eg_notify_receive(int listener, struct seccomp_notif *ret)
{
    /* the kernel refuses (EINVAL) a structure that is not zeroed */
    memset(ret, 0, sizeof *ret);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, ret) < 0) return -errno;
    return 0;
}

int eg_notify_answer(int listener, uint64_t id, struct eg_answer answer)
{
    struct seccomp_notif_resp response = { .id = id };
    if (answer.proceed)
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    else if (answer.error)
        response.error = -answer.error;
    else
        response.val = answer.value;
    /* interruptible where it waits for the listener's lock: an answer that is not
     * sent would leave the caller waiting for ever */
    while (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0)
        if (errno != EINTR) return -errno;
    return 0;
}

int eg_notify_inject(int listener, uint64_t id, int fd, bool cloexec, bool in_turn)
{
    struct seccomp_notif_addfd add = {
        .id = id,
        .flags = in_turn ? 0 : SECCOMP_ADDFD_FLAG_SEND,
        .srcfd = (uint32_t)fd,
        .newfd_flags = cloexec ? O_CLOEXEC : 0,
    };
    int number;
    while ((number = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add)) < 0)
        if (errno != EINTR) return -errno;
    struct eg_answer answer = { .value = number };
    return in_turn ? eg_notify_answer(listener, id, answer) : 0;
}

bool eg_notify_valid(int listener, uint64_t id)
{
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

bool eg_notify_synchronous(int listener)
{
    if (eg_guard_pretended() < EG_KERNEL_VERSION(6, 6)) return false;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == 0;
}
