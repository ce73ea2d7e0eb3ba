// SPDX-License-Identifier: MIT
/* Purpose: what the shim asks the supervisor, by prctl(EG_PRCTL_CALL). */
#include "guard/call.h"
#include "guard/guard.h"
#include "supervisor/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file belongs to the caller's user: where we may trace that user's processes
 * but not write everybody's files, we open it in that user's name. */
static int open_memory(uint32_t tid)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%u/mem", tid);
    int fd = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 || errno != EACCES || stat(path, &st) < 0) return fd;
    int own = setfsuid(st.st_uid);
    fd = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
    setfsuid((uid_t)own);
    return fd;
}

/* Write into the caller's own memory.  Through a descriptor, which belongs to one
 * address space from its opening on: between a look at the notification and a
 * process_vm_writev(2) the caller could end and its number name somebody else. */
static int write_memory(const struct eg_tree *tree, const struct seccomp_notif *notif,
                        uint64_t address, const char *from, size_t n)
{
    int fd = open_memory(notif->pid);
    if (fd < 0) return -EPERM;
    int r = eg_notify_valid(tree->listener, notif->id) ? 0 : -ESRCH;
    for (size_t done = 0; r == 0 && done < n;) {
        ssize_t put = pwrite(fd, from + done, n - done, (off_t)(address + done));
        if (put > 0)
            done += (size_t)put;
        else if (put == 0 || errno != EINTR)
            r = -EFAULT;
    }
    close(fd);
    return r;
}

struct eg_answer eg_tree_hand_policy(struct eg_tree *tree, const struct seccomp_notif *notif)
{
    static const char name[] = "EXECGUARD_POLICY=";
    char entry[sizeof name - 1 + EG_PATH_MAX];
    memcpy(entry, name, sizeof name - 1);
    int r = eg_remote_path((pid_t)notif->pid, notif->data.args[2], entry + sizeof name - 1);
    if (r) return eg_answer_error(-r);
    if (!eg_tree_started_with(tree, entry)) return eg_answer_error(ENOENT);
    uint32_t size = tree->blob->size;
    if (notif->data.args[4] >= size)
        r = write_memory(tree, notif, notif->data.args[3], (const char *)tree->blob, size);
    return r ? eg_answer_error(-r) : (struct eg_answer){ .value = size };
}

/* Step one is the worker's own first program; who came after it left it, or was
 * started by a worker that no shim could enter: what such a one may start beyond
 * the rules, its own program, every verdict refuses.  Who is not known is told to
 * narrow itself. */
struct eg_answer eg_tree_tell_step(struct eg_tree *tree, const struct seccomp_notif *notif)
{
    struct eg_process process;
    if (eg_remote_process((pid_t)notif->pid, &process)) return eg_answer_error(EPERM);
    const struct eg_image *image = eg_images_find(tree->images, &process);
    bool known = image && image->verified;
    bool first = known && process.tgid == tree->worker &&
                 eg_identity_same_inode(&image->exe, &tree->worker_exe);
    return (struct eg_answer){ .value = known && !first ? EG_STEP_TWO : EG_STEP_ONE };
}
