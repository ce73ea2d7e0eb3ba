// SPDX-License-Identifier: MIT
/* Purpose: act on files as another task would.
 *
 * The kernel asks a task's file system user, group, supplementary groups and
 * capabilities (credentials(7)), and its umask.  All but the umask belong to a
 * thread; raw system calls change this one alone, where libc's wrappers would
 * change every thread of the process. */
#include "supervisor/write_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(capability) (UINT64_C(1) << (capability))

/* What it takes to come back. */
#define RETURN_CAPABILITIES (BIT(CAP_SETUID) | BIT(CAP_SETGID))

int eg_proc_open(pid_t tid, struct eg_proc *ret)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", (int)tid);
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return errno == ENOENT ? -ESRCH : -errno;
    int status = openat(folder, "status", O_RDONLY | O_CLOEXEC);
    if (status < 0) {
        int error = -errno;
        close(folder);
        return error;
    }
    *ret = (struct eg_proc){ tid, folder, status, 0 };
    return 0;
}

static ino_t users_of(const struct eg_proc *proc)
{
    struct stat st;
    return fstatat(proc->folder, "ns/user", &st, 0) == 0 ? st.st_ino : 0;
}

void eg_proc_keep_users(struct eg_proc *proc)
{
    proc->users = users_of(proc);
}

void eg_proc_close(struct eg_proc *proc)
{
    if (!proc->tid) return;
    close(proc->folder);
    close(proc->status);
    proc->tid = 0;
}

/* A number at *at, which moves behind it and the blanks after it.  False: none. */
static bool number(const char **at, uint32_t *ret)
{
    const char *p = *at;
    uint32_t value = 0;
    if (*p < '0' || *p > '9') return false;
    while (*p >= '0' && *p <= '9') value = value * 10 + (uint32_t)(*p++ - '0');
    while (*p == ' ' || *p == '\t') p++;
    *at = p;
    *ret = value;
    return true;
}

/* Real, effective, saved, file system: the fourth number. */
static bool fourth(const char *at, uint32_t *ret)
{
    for (int i = 0; i < 4; i++)
        if (!number(&at, ret)) return false;
    return true;
}

static int parse_groups(const char *at, struct eg_identity_of *ret)
{
    uint32_t group;
    ret->group_count = 0;
    while (number(&at, &group)) {
        if (ret->group_count == EG_GROUPS_MAX) return -E2BIG;
        ret->groups[ret->group_count++] = group;
    }
    return 0;
}

/* The lines of /proc/PID/status that say who a task is, in the order in which they
 * stand there.  A program's name comes first, its line ends escaped. */
static const char *const lines[] = { "Umask:\t", "Uid:\t", "Gid:\t", "Groups:\t", "CapEff:\t" };
enum { LINE_UMASK, LINE_USER, LINE_GROUP, LINE_GROUPS, LINE_EFFECTIVE, LINE_COUNT };

/* The next line that starts so, behind its start; NULL: none. */
static const char *find_line(const char *at, const char *start)
{
    size_t n = strlen(start);
    while ((at = strchr(at, '\n'))) {
        at++;
        if (strncmp(at, start, n) == 0) return at + n;
    }
    return NULL;
}

int eg_caller_read(const struct eg_proc *proc, struct eg_identity_of *ret)
{
    const char *values[LINE_COUNT];
    char text[16384];
    ssize_t n = pread(proc->status, text, sizeof text - 1, 0);
    if (n <= 0) return n < 0 ? -errno : -ESRCH;
    text[n] = '\0';
    const char *at = text;
    for (int i = 0; i < LINE_COUNT; i++) {
        at = find_line(at, lines[i]);
        if (!at) return -E2BIG; /* of groups that did not fit */
        values[i] = at;
    }
    if (!fourth(values[LINE_USER], &ret->user) || !fourth(values[LINE_GROUP], &ret->group))
        return -EINVAL;
    ret->effective = strtoull(values[LINE_EFFECTIVE], NULL, 16);
    ret->umask = (mode_t)strtoul(values[LINE_UMASK], NULL, 8);
    /* capabilities count in their own user namespace only: user_namespaces(7) */
    ret->users = proc->users;
    if (ret->effective && !ret->users) ret->users = users_of(proc);
    return parse_groups(values[LINE_GROUPS], ret);
}

static int read_sets(struct eg_identity_of *ret)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    ret->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
    ret->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
    return 0;
}

int eg_caller_self(struct eg_identity_of *ret)
{
    struct eg_proc proc = { 0 };
    struct stat st;
    int error = eg_proc_open(getpid(), &proc);
    if (error) return error;
    error = eg_caller_read(&proc, ret);
    if (!error) error = read_sets(ret);
    if (!error && stat("/proc/self/ns/user", &st) == 0) ret->users = st.st_ino;
    eg_proc_close(&proc);
    return error;
}

/* What the caller may, as far as it can be lent: a capability of another user
 * namespace is none for the files of ours. */
static uint64_t lendable(const struct eg_identity_of *self, const struct eg_identity_of *caller)
{
    if (caller->users != self->users) return 0;
    return caller->effective & self->effective;
}

bool eg_caller_has(const struct eg_identity_of *self, const struct eg_identity_of *caller,
                   unsigned capability)
{
    return lendable(self, caller) & BIT(capability);
}

static bool same_groups(const struct eg_identity_of *a, const struct eg_identity_of *b)
{
    return a->group_count == b->group_count &&
           memcmp(a->groups, b->groups, a->group_count * sizeof a->groups[0]) == 0;
}

static bool same_ids(const struct eg_identity_of *a, const struct eg_identity_of *b)
{
    return a->user == b->user && a->group == b->group && same_groups(a, b);
}

bool eg_caller_is(const struct eg_identity_of *a, const struct eg_identity_of *b)
{
    return same_ids(a, b) && lendable(a, b) == a->effective;
}

/* The other two sets stay what they were at the start: setfsuid(2) leaves them. */
static int set_effective(const struct eg_identity_of *self, uint64_t effective)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++)
        data[i] = (struct __user_cap_data_struct){
            .effective = (uint32_t)(effective >> 32 * i),
            .permitted = (uint32_t)(self->permitted >> 32 * i),
            .inheritable = (uint32_t)(self->inheritable >> 32 * i),
        };
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* setfsuid(2) and setfsgid(2) say nothing of failure: asked once more, with an id
 * that nobody has, they tell the one that is set. */
static int set_ids(const struct eg_identity_of *from, const struct eg_identity_of *to)
{
    if (!same_groups(from, to) && syscall(SYS_setgroups, to->group_count, to->groups) < 0)
        return -errno;
    if (from->group != to->group) {
        syscall(SYS_setfsgid, to->group);
        if ((gid_t)syscall(SYS_setfsgid, (gid_t)-1) != to->group) return -EPERM;
    }
    if (from->user != to->user) {
        syscall(SYS_setfsuid, to->user);
        if ((uid_t)syscall(SYS_setfsuid, (uid_t)-1) != to->user) return -EPERM;
    }
    return 0;
}

int eg_caller_become(const struct eg_identity_of *self, const struct eg_identity_of *caller)
{
    uint64_t wanted = lendable(self, caller);
    if (!same_ids(self, caller)) {
        if ((self->effective & RETURN_CAPABILITIES) != RETURN_CAPABILITIES) return -EPERM;
        int error = set_ids(self, caller);
        if (error) {
            eg_caller_leave(self, caller);
            return -EPERM;
        }
        wanted |= RETURN_CAPABILITIES;
    }
    if (wanted != self->effective || self->user != caller->user) {
        int error = set_effective(self, wanted);
        if (error) {
            eg_caller_leave(self, caller);
            return -EPERM;
        }
    }
    if (caller->umask != self->umask) umask(caller->umask);
    return 0;
}

void eg_caller_leave(const struct eg_identity_of *self, const struct eg_identity_of *caller)
{
    if (caller->umask != self->umask) umask(self->umask);
    bool wrong = !same_ids(self, caller) && set_ids(caller, self);
    /* last: setfsuid(2) gives and takes the file system's capabilities itself */
    if (wrong || (!eg_caller_is(self, caller) && set_effective(self, self->effective))) abort();
}
