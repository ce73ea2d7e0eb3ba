// SPDX-License-Identifier: MIT
/* Purpose: what the supervisor's clone does until it is the worker.
 *
 * The clone is of one thread among others (write_pool.c), whose locks nobody in it
 * gives back.  So nothing here, and nothing that is called from here, allocates,
 * prints by stdio or takes a lock: tests/tree/symbols.test reads what it calls. */
#include "supervisor/become.h"

#include "base/buf.h"
#include "decide/verdict.h"
#include "resolve/resolve.h"
#include "supervisor/estate.h"
#include "supervisor/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* --- Messages ------------------------------------------------------------------- */

#define MESSAGE_MAX (EG_PATH_MAX + 512)

static void add_error(struct eg_buf *message, int error)
{
#ifdef __GLIBC__
    /* strerror(3) takes a lock, and allocates for an error that it does not know */
    const char *words = strerrordesc_np(error);
    eg_buf_add(message, words ? words : "Unknown error ");
    if (!words) eg_buf_i64(message, error);
#else
    eg_buf_add(message, strerror(error));
#endif
}

/* One write(2): "execguard: " and the parts, and the error unless it is 0. */
static void say_parts(int error, const char *const *parts)
{
    char text[MESSAGE_MAX];
    struct eg_buf message = eg_buf_over(text, sizeof text - 1);
    eg_buf_add(&message, "execguard: ");
    while (*parts) eg_buf_add(&message, *parts++);
    if (error) eg_buf_add(&message, ": ");
    if (error) add_error(&message, error);
    text[message.n++] = '\n';
    ssize_t written = write(STDERR_FILENO, text, message.n);
    (void)written; /* nobody is left to tell */
}
#define say(error, ...) say_parts(error, (const char *const[]){ __VA_ARGS__, NULL })

static _Noreturn void fail(const struct eg_guard_error *error)
{
    static const struct eg_blob any;
    char path[EG_PATH_MAX];
    struct eg_buf name = eg_buf_over(path, sizeof path);
    eg_buf_str(&name, error->path);
    say(error->error, "cannot install the ", eg_layer_name(error->layer), " layer: ", error->what,
        name.n ? ": " : "", eg_buf_cstr(&name));
    if (error->layer == EG_LAYER_SUPERVISOR && error->error == EBUSY)
        say(0, "hint: another seccomp listener guards this process already; "
               "`optional supervisor` in the policy goes on without");
    else if (error->error == EPERM && eg_guard_query(&any))
        say(0, "hint: another policy guards this process already and refuses new filters; "
               "`kernel { allow seccomp-filters }` there lets them in");
    _exit(EG_STATUS_FAILED);
}

/* --- The way ---------------------------------------------------------------------- */

/* sd_listen_fds(3) and sd_watchdog_enabled(3) compare these with getpid(). */
static void rename_pid(char **envp, const char *name, pid_t from, char buffer[32])
{
    size_t n = strlen(name);
    for (; *envp; envp++) {
        if (strncmp(*envp, name, n) != 0 || (*envp)[n] != '=') continue;
        if (strtol(*envp + n + 1, NULL, 10) != from) continue;
        struct eg_buf entry = eg_buf_over(buffer, 32);
        eg_buf_add(&entry, name);
        eg_buf_byte(&entry, '=');
        eg_buf_i64(&entry, getpid());
        *envp = eg_buf_cstr(&entry);
    }
}

/* The child waits until it is settled whether it will be supervised. */
static bool ask_supervisor(int told, int go)
{
    uint64_t value = 1;
    if (write(told, &value, sizeof value) != (ssize_t)sizeof value ||
        read(go, &value, sizeof value) != (ssize_t)sizeof value)
        _exit(EG_STATUS_FAILED);
    return value == 1;
}

static void inherit(int error, const char *what)
{
    if (!error) return;
    say(-error, "the successor cannot have the worker's ", what);
    _exit(EG_STATUS_FAILED);
}

_Noreturn void eg_become_worker(const struct eg_birth *birth)
{
    static char listen_pid[32], watchdog_pid[32];
    const struct eg_run *run = birth->run;
    int told = birth->told;
    rename_pid(run->envp, "LISTEN_PID", birth->named, listen_pid);
    rename_pid(run->envp, "WATCHDOG_PID", birth->named, watchdog_pid);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != birth->supervisor) _exit(EG_STATUS_FAILED);
    if (birth->estate) inherit(eg_estate_put_on(birth->estate), "folder and limits");
    struct eg_guard_error error = { 0 };
    struct eg_guard_plan plan = {
        .blob = run->blob,
        .stage = EG_STAGE_LAUNCH,
        .worker = run->worker,
        .worker_count = run->worker_count,
        .supervised = ask_supervisor(told, birth->go),
        .listener_fd = -1,
    };
    if (eg_guard_install(&plan, &error) < 0) fail(&error);
    /* no trapped call from here on but the exec itself */
    uint64_t value = (uint64_t)plan.listener_fd + 2;
    if (write(told, &value, sizeof value) != (ssize_t)sizeof value) _exit(EG_STATUS_FAILED);
    if (birth->estate) {
        inherit(eg_estate_open_files(birth->estate), "open files");
        eg_estate_set_signals(birth->estate);
    } else {
        if (run->ignores_children) eg_signals_reset(SIGCHLD, true);
        eg_signals_mask(SIG_SETMASK, birth->mask, NULL);
    }
    execve(run->file, run->argv, run->envp);
    int failure = errno;
    say(failure, "cannot execute ", run->file);
    _exit(failure == ENOENT ? 127 : 126);
}
