// SPDX-License-Identifier: MIT
/* Attempts that show what the kernel lets this user do. */
#include "probe.h"
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* An errno that getppid(2) never gives by itself. */
#define FILTER_ANSWER 133
#define NOBODY        65534

int eg_cli_probe(int (*attempt)(void *context), void *context)
{
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) {
        alarm(5);
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null >= 0) dup2(null, STDERR_FILENO);
        _exit(attempt(context));
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return errno;
    if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGALRM ? ETIME : EINTR;
    return WEXITSTATUS(status);
}

int eg_probe_no_new_privs(void *context)
{
    (void)context;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return errno;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : ENOTSUP;
}

static int load_filter(uint32_t action, int *ret_listener)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter) return ENOMEM;
    int r = seccomp_rule_add(filter, action, SCMP_SYS(getppid), 0);
    if (r == 0) r = seccomp_load(filter);
    if (r == 0 && ret_listener) *ret_listener = seccomp_notify_fd(filter);
    seccomp_release(filter);
    return -r;
}

int eg_probe_filter(void *context)
{
    (void)context;
    int r = load_filter(SCMP_ACT_ERRNO(FILTER_ANSWER), NULL);
    if (r) return r;
    if (syscall(SYS_getppid) >= 0) return ENOTSUP;
    return errno == FILTER_ANSWER ? 0 : errno;
}

/* A child asks, this process answers by the listener. */
int eg_probe_listener(void *context)
{
    (void)context;
    int listener = -1;
    int r = load_filter(SCMP_ACT_NOTIFY, &listener);
    if (r) return r;
    if (listener < 0) return ENOTSUP;
    pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) _exit(syscall(SYS_getppid) < 0 && errno == FILTER_ANSWER ? 0 : ENOTSUP);

    struct seccomp_notif *request = NULL;
    struct seccomp_notif_resp *response = NULL;
    if (seccomp_notify_alloc(&request, &response) < 0) return ENOMEM;
    struct pollfd ready = { .fd = listener, .events = POLLIN };
    if (poll(&ready, 1, 2000) != 1) return ETIME;
    r = seccomp_notify_receive(listener, request);
    if (r < 0) return -r;
    response->id = request->id;
    response->error = -FILTER_ANSWER;
    r = seccomp_notify_respond(listener, response);
    if (r < 0) return -r;
    int status;
    if (waitpid(child, &status, 0) < 0) return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

int eg_probe_capabilities(void *context)
{
    (void)context;
    cap_t none = cap_init();
    if (!none) return ENOMEM;
    int r = cap_set_proc(none) < 0 ? errno : 0;
    cap_free(none);
    if (r) return r;
    /* Changing the root folder needs a capability that is gone now. */
    if (chroot("/") == 0) return ENOTSUP;
    return errno == EPERM ? 0 : errno;
}

static volatile long landmark = 0x6578656367756172;

/* fork, let the child change its user if asked, then look at it as a supervisor
 * must: its memory by process_vm_readv(2), a descriptor by pidfd_getfd(2). */
static int peek_at_child(uid_t user)
{
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0) return errno;
    pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) {
        if (user && setresuid(user, user, user) < 0) _exit(1);
        /* Changing the user cleared this, as it does in a worker until its next exec;
         * set again, what is tried is CAP_SYS_PTRACE alone. */
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
        ssize_t written = write(ready[1], "x", 1);
        (void)written;
        pause();
        _exit(0);
    }
    char byte;
    int r = read(ready[0], &byte, 1) == 1 ? 0 : EIO;
    long copy = 0;
    struct iovec to = { &copy, sizeof copy };
    struct iovec from = { (void *)&landmark, sizeof landmark };
    if (!r && process_vm_readv(child, &to, 1, &from, 1, 0) != sizeof copy) r = errno;
    if (!r && copy != landmark) r = ENOTSUP;
    int pidfd = r ? -1 : (int)syscall(SYS_pidfd_open, child, 0);
    if (!r && pidfd < 0) r = errno;
    if (!r && syscall(SYS_pidfd_getfd, pidfd, ready[0], 0) < 0) r = errno;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return r;
}

int eg_probe_peek(void *context)
{
    (void)context;
    return peek_at_child(0);
}

/* A root master's workers run as another user: root needs CAP_SYS_PTRACE for
 * them, and who is not root has none. */
int eg_probe_peek_other(void *context)
{
    (void)context;
    return geteuid() == 0 ? peek_at_child(NOBODY) : EPERM;
}

static int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

void eg_cli_probe_machine(struct eg_cli_machine *ret)
{
    struct eg_kernel asked;
    eg_kernel_ask(&asked);
    ret->landlock_abi = landlock_abi();
    /* A test build's EXECGUARD_PRETEND lowers what is asked, not what is tried. */
    if (asked.landlock_abi < ret->landlock_abi) ret->landlock_abi = asked.landlock_abi;
    if (ret->landlock_abi && eg_cli_probe(eg_probe_landlock_execute, NULL) != 0)
        ret->landlock_abi = 0;
    ret->filter = asked.seccomp && eg_cli_probe(eg_probe_filter, NULL) == 0;
    ret->listener = asked.listener && eg_cli_probe(eg_probe_listener, NULL) == 0;
}
