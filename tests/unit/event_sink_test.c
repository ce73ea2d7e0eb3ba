// SPDX-License-Identifier: MIT
/* Sinks: one whole line each, no waiting, no signals, nowhere it should not go. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "event/event.h"
#include "json_check.h"

static char folder[] = "/tmp/eg-sink.XXXXXX";
static char path[128];

/* A blob of strings and sinks; nothing else of it is looked at. */
static _Alignas(8) struct {
    struct eg_blob head;
    struct eg_blob_sink sinks[2];
    char strings[256];
} policy;

static const struct eg_blob *one_sink(enum eg_sink_kind kind, const char *target)
{
    memset(&policy, 0, sizeof policy);
    policy.head.sections[EG_SECTION_SINKS] =
        (struct eg_blob_range){ (uint32_t)offsetof(__typeof__(policy), sinks), 1 };
    policy.head.sections[EG_SECTION_STRINGS] =
        (struct eg_blob_range){ (uint32_t)offsetof(__typeof__(policy), strings),
                                sizeof policy.strings };
    policy.sinks[0].kind = kind;
    (void)snprintf(policy.strings, sizeof policy.strings, "%s", target);
    return &policy.head;
}

static struct eg_event plain_event(void)
{
    return (
        struct eg_event){ .reason = EG_REASON_NO_RULE, .program = EG_STR("/usr/bin/id"), .pid = 1 };
}

static int deliver(enum eg_sink_kind kind, const char *target)
{
    struct eg_event e = plain_event();
    const struct eg_blob *blob = one_sink(kind, target);
    return eg_sink_write(blob, policy.sinks, &e);
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/eg-sink.XXXXXX");
    if (!mkdtemp(folder)) return -1;
    (void)snprintf(path, sizeof path, "%s/log", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    char other[140];
    (void)snprintf(other, sizeof other, "%s/other", folder);
    (void)unlink(other);
    return rmdir(folder);
}

static size_t read_file(char *ret, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t n = read(fd, ret, cap);
    close(fd);
    return n < 0 ? 0 : (size_t)n;
}

static void a_file_gets_one_line_an_event(void **state)
{
    (void)state;
    assert_int_equal(deliver(EG_SINK_FILE, path), 0);
    assert_int_equal(deliver(EG_SINK_FILE, path), 0);
    char text[2048];
    size_t n = read_file(text, sizeof text);
    char *newline = memchr(text, '\n', n);
    assert_non_null(newline);
    assert_true(json_check(text, (size_t)(newline - text), NULL, NULL));
    assert_int_equal(2 * (newline + 1 - text), n);
}

static void a_new_file_is_private_to_owner_and_group(void **state)
{
    (void)state;
    mode_t old = umask(0);
    assert_int_equal(deliver(EG_SINK_FILE, path), 0);
    umask(old);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void a_symbolic_link_is_refused(void **state)
{
    (void)state;
    char other[140];
    (void)snprintf(other, sizeof other, "%s/other", folder);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(deliver(EG_SINK_FILE, path), -ELOOP);
    assert_int_equal(access(other, F_OK), -1);
}

static void a_folder_a_device_and_a_missing_folder_are_refused(void **state)
{
    (void)state;
    assert_int_equal(deliver(EG_SINK_FILE, folder), -EISDIR);
    assert_int_equal(deliver(EG_SINK_FILE, "/dev/null"), -EINVAL);
    assert_int_equal(deliver(EG_SINK_FILE, "/nonexistent/log"), -ENOENT);
}

static void a_fifo_without_a_reader_does_not_hang(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(deliver(EG_SINK_FILE, path), -ENXIO);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(deliver(EG_SINK_FILE, path), 0);
    char text[2048];
    assert_true(read(fd, text, sizeof text) > 10);
    close(fd);
}

static volatile sig_atomic_t caught;

static void catch (int number)
{
    caught = number;
}

static sigset_t pending_now(void)
{
    sigset_t set;
    sigpending(&set);
    return set;
}

static void a_closed_pipe_raises_no_signal(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    close(fds[0]);
    caught = 0;
    void (*old)(int) = signal(SIGPIPE, catch);
    assert_int_equal(eg_sink_write_fd(fds[1], "x\n", 2), -EPIPE);
    assert_int_equal(caught, 0);
    /* The test can fail: an ordinary write does raise it. */
    assert_int_equal(write(fds[1], "x", 1), -1);
    assert_int_equal(caught, SIGPIPE);
    signal(SIGPIPE, old);
    close(fds[1]);
}

static void a_signal_that_was_pending_before_stays(void **state)
{
    (void)state;
    sigset_t set;
    sigset_t old;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    close(fds[0]);
    sigprocmask(SIG_BLOCK, &set, &old);
    assert_int_equal(eg_sink_write_fd(fds[1], "x\n", 2), -EPIPE);
    sigset_t after = pending_now();
    assert_false(sigismember(&after, SIGPIPE));
    raise(SIGPIPE);
    assert_int_equal(eg_sink_write_fd(fds[1], "x\n", 2), -EPIPE);
    after = pending_now();
    assert_true(sigismember(&after, SIGPIPE));
    const struct timespec at_once = { 0, 0 };
    assert_int_equal(sigtimedwait(&set, NULL, &at_once), SIGPIPE);
    sigprocmask(SIG_SETMASK, &old, NULL);
    close(fds[1]);
}

static void the_signal_mask_is_as_before(void **state)
{
    (void)state;
    sigset_t before;
    sigset_t after;
    sigprocmask(SIG_SETMASK, NULL, &before);
    assert_int_equal(deliver(EG_SINK_FILE, path), 0);
    sigprocmask(SIG_SETMASK, NULL, &after);
    for (int i = 1; i < NSIG; i++)
        assert_int_equal(sigismember(&before, i), sigismember(&after, i));
}

static void a_file_size_limit_raises_no_signal(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = { 0, 0 };
        signal(SIGXFSZ, SIG_DFL);
        setrlimit(RLIMIT_FSIZE, &none);
        _exit(deliver(EG_SINK_FILE, path) == -EFBIG ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(eg_sink_write_fd(fd, "x\n", 2), -ENOSPC);
    close(fd);
}

static void a_file_that_takes_only_a_part_is_an_error(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit few = { 20, 20 };
        setrlimit(RLIMIT_FSIZE, &few);
        _exit(deliver(EG_SINK_FILE, path) == -ENOSPC ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_full_pipe_does_not_hang(void **state)
{
    (void)state;
    int fds[2];
    char page[4096] = { 0 };
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    while (write(fds[1], page, sizeof page) > 0) {
    }
    assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
    alarm(5);
    assert_int_equal(eg_sink_write_fd(fds[1], "x\n", 2), -EAGAIN);
    alarm(0);
    close(fds[0]);
    close(fds[1]);
}

static void a_full_socket_does_not_hang(void **state)
{
    (void)state;
    int fds[2];
    char page[4096] = { 0 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    while (send(fds[1], page, sizeof page, MSG_DONTWAIT) > 0) {
    }
    alarm(5);
    assert_int_equal(eg_sink_write_fd(fds[1], "x\n", 2), -EAGAIN);
    alarm(0);
    close(fds[0]);
    assert_true(eg_sink_write_fd(fds[1], "x\n", 2) < 0);
    close(fds[1]);
}

static void a_terminal_gets_a_long_line_whole(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) || unlockpt(master)) skip();
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) skip();
    char text[1500];
    memset(text, 't', sizeof text);
    text[sizeof text - 1] = '\n';
    assert_int_equal(eg_sink_write_fd(terminal, text, sizeof text), 0);
    size_t seen = 0;
    while (seen < sizeof text) {
        char piece[2000];
        ssize_t n = read(master, piece, sizeof piece);
        assert_true(n > 0);
        seen += (size_t)n;
    }
    /* The line discipline made "\r\n" of the newline. */
    assert_int_equal(seen, sizeof text + 1);
    close(terminal);
    close(master);
}

static void a_closed_descriptor_is_an_error(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    close(fd);
    assert_int_equal(eg_sink_write_fd(fd, "x\n", 2), -EBADF);
}

static void *write_events(void *unused)
{
    struct eg_event e = plain_event();
    for (int i = 0; i < 200; i++)
        assert_int_equal(eg_sink_write(&policy.head, policy.sinks, &e), 0);
    return unused;
}

static void lines_of_many_writers_stay_whole(void **state)
{
    (void)state;
    one_sink(EG_SINK_FILE, path);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_events, NULL), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    char text[EG_EVENT_MAX + 1];
    int lines = 0;
    while (fgets(text, sizeof text, file)) {
        assert_true(json_check(text, strlen(text), NULL, NULL));
        lines++;
    }
    (void)fclose(file);
    assert_int_equal(lines, 800);
}

static void a_socket_gets_one_datagram_an_event(void **state)
{
    (void)state;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(deliver(EG_SINK_SOCKET, path), 0);
    char text[EG_EVENT_MAX];
    ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);
    assert_true(n > 0 && json_check(text, (size_t)n, NULL, NULL));
    /* Nobody reads: the queue fills up, the sender goes on. */
    int r = 0;
    alarm(5);
    for (int i = 0; i < 5000 && r == 0; i++) r = deliver(EG_SINK_SOCKET, path);
    alarm(0);
    assert_int_equal(r, -EAGAIN);
    close(fd);
    assert_int_equal(deliver(EG_SINK_SOCKET, path), -ECONNREFUSED);
}

static void an_unknown_facility_and_sink_are_errors(void **state)
{
    (void)state;
    assert_int_equal(deliver(EG_SINK_SYSLOG, "nonsense"), -EINVAL);
    assert_int_equal(deliver((enum eg_sink_kind)77, ""), -EINVAL);
}

/* Runs emit with stderr in a pipe; returns what arrived there. */
static size_t emitted(const struct eg_blob *blob, struct eg_rate *rate, int times, char *ret,
                      size_t cap)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    int saved = fcntl(2, F_DUPFD_CLOEXEC, 3);
    dup2(fds[1], 2);
    for (int i = 0; i < times; i++) {
        struct eg_event e = plain_event();
        eg_event_emit(blob, rate, &e);
    }
    dup2(saved, 2);
    close(saved);
    close(fds[1]);
    ssize_t n = read(fds[0], ret, cap - 1);
    close(fds[0]);
    ret[n < 0 ? 0 : n] = '\0';
    return n < 0 ? 0 : (size_t)n;
}

static void an_event_without_a_sink_goes_to_stderr(void **state)
{
    (void)state;
    char text[4096];
    one_sink(EG_SINK_FILE, path);
    policy.head.sections[EG_SECTION_SINKS].count = 0;
    assert_true(emitted(&policy.head, NULL, 1, text, sizeof text) > 0);
    assert_non_null(strstr(text, "execguard: denied exec /usr/bin/id"));
    assert_true(emitted(NULL, NULL, 1, text, sizeof text) > 0);
}

static void an_event_that_no_sink_took_goes_to_stderr(void **state)
{
    (void)state;
    char text[4096];
    assert_true(emitted(one_sink(EG_SINK_FILE, "/nonexistent/log"), NULL, 1, text, sizeof text) >
                0);
}

static void an_event_that_a_sink_took_goes_nowhere_else(void **state)
{
    (void)state;
    char text[4096];
    assert_int_equal(emitted(one_sink(EG_SINK_FILE, path), NULL, 1, text, sizeof text), 0);
    one_sink(EG_SINK_FILE, path);
    policy.head.flags = EG_BLOB_LOG_STDERR;
    assert_true(emitted(&policy.head, NULL, 1, text, sizeof text) > 0);
    assert_true(read_file(text, sizeof text) > 0);
}

static void stderr_named_twice_is_written_once(void **state)
{
    (void)state;
    char text[4096];
    one_sink(EG_SINK_STDERR, "");
    policy.head.flags = EG_BLOB_LOG_STDERR;
    assert_true(emitted(&policy.head, NULL, 1, text, sizeof text) > 0);
    char *first = strchr(text, '\n');
    assert_non_null(first);
    assert_string_equal(first, "\n");
}

static void emit_asks_the_rate_limiter(void **state)
{
    (void)state;
    static struct eg_rate rate;
    char text[8192];
    one_sink(EG_SINK_STDERR, "");
    policy.head.rate_per_second = 1;
    policy.head.rate_burst = 2;
    assert_true(emitted(&policy.head, &rate, 10, text, sizeof text) > 0);
    int lines = 0;
    for (char *p = text; (p = strchr(p, '\n')); p++) lines++;
    assert_in_range(lines, 2, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_file_gets_one_line_an_event),
        TEST(a_new_file_is_private_to_owner_and_group),
        TEST(a_symbolic_link_is_refused),
        TEST(a_folder_a_device_and_a_missing_folder_are_refused),
        TEST(a_fifo_without_a_reader_does_not_hang),
        TEST(a_closed_pipe_raises_no_signal),
        TEST(a_signal_that_was_pending_before_stays),
        TEST(the_signal_mask_is_as_before),
        TEST(a_file_size_limit_raises_no_signal),
        TEST(a_full_disk_is_an_error),
        TEST(a_file_that_takes_only_a_part_is_an_error),
        TEST(a_full_pipe_does_not_hang),
        TEST(a_full_socket_does_not_hang),
        TEST(a_terminal_gets_a_long_line_whole),
        TEST(a_closed_descriptor_is_an_error),
        TEST(lines_of_many_writers_stay_whole),
        TEST(a_socket_gets_one_datagram_an_event),
        TEST(an_unknown_facility_and_sink_are_errors),
        TEST(an_event_without_a_sink_goes_to_stderr),
        TEST(an_event_that_no_sink_took_goes_to_stderr),
        TEST(an_event_that_a_sink_took_goes_nowhere_else),
        TEST(stderr_named_twice_is_written_once),
        TEST(emit_asks_the_rate_limiter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
