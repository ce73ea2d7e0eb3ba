// SPDX-License-Identifier: MIT
/* Threads that serve requests at once, while others fork, vfork, close what is not
 * theirs and read what others read, and signal handlers do the same in between.
 *
 *     requests_stress right SECONDS    each thread's refused line names its client
 *     requests_stress chaos SECONDS    nobody keeps to anything: it must only live
 *     requests_stress cancel           reads stay cancellation points
 *     requests_stress interrupt        and are interrupted as ever
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, FDS = 200 };

static int listener;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t address_size;
static time_t end;
static atomic_ulong served, handled;
static bool chaos; /* descriptors are anybody's */

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    _exit(1);
}

static void listen_here(void)
{
    address_size = sizeof(sa_family_t);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, address_size) || listen(listener, 1000))
        die("listen");
    address_size = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &address_size);
}

static int call_in(void)
{
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0 || connect(client, (struct sockaddr *)&address, address_size)) die("connect");
    return client;
}

static size_t http(char *to, size_t size, const char *client)
{
    return (size_t)snprintf(
        to, size, "GET /page HTTP/1.1\r\nX-Real-IP: %s\r\nConnection: close\r\n\r\n", client);
}

static size_t fastcgi(char *to, size_t size, const char *client)
{
    size_t n = strlen(client);
    memset(to, 0, size);
    memcpy(to, "\1\1\0\1\0\10\0\0\0\1", 10);
    memcpy(to + 16, "\1\4\0\1\0", 5);
    to[21] = (char)(13 + n);
    to[24] = 11;
    to[25] = (char)n;
    memcpy(to + 26, "REMOTE_ADDR", 11);
    memcpy(to + 37, client, n);
    memcpy(to + 37 + n, "\1\4\0\1\0\0\0\0", 8);
    return 45 + n;
}

/* In small pieces, as who shares a machine gets them. */
static void read_all(int fd, const char *wanted, size_t n, unsigned *seed)
{
    char got[512];
    size_t at = 0;
    while (at < n) {
        size_t piece = 1 + (size_t)rand_r(seed) % 16;
        if (piece > n - at) piece = n - at;
        ssize_t r = rand_r(seed) & 1 ? read(fd, got + at, piece) : recv(fd, got + at, piece, 0);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) die("read");
        at += (size_t)r;
    }
    if (memcmp(got, wanted, n) != 0) die("other bytes");
}

/* ---- right ---- */

/* One at a time gets its own connection: the kernel hands them out in order. */
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;

static void *serve(void *number)
{
    unsigned seed = (unsigned)(size_t)number;
    for (unsigned i = 0; time(NULL) < end; i++) {
        char client[32], head[512], line[64];
        snprintf(client, sizeof client, "10.%u.%u.%u", seed & 255, i / 256 & 255, i & 255);
        size_t n = (i & 1 ? http : fastcgi)(head, sizeof head, client);
        pthread_mutex_lock(&door);
        int out = call_in();
        int in;
        do in = accept(listener, NULL, NULL);
        while (in < 0 && errno == EINTR);
        pthread_mutex_unlock(&door);
        if (in < 0 || write(out, head, n) != (ssize_t)n) die("accept");
        unsigned dice = seed + i;
        read_all(in, head, n, &dice);
        if (i % 16 == 0) {
            snprintf(line, sizeof line, "x;%s", client);
            if (system(line) == -1) die("system");
        }
        close(in);
        close(out);
        served++;
    }
    return NULL;
}

/* A child that shares our memory closes everything that it finds. */
static void *start(void *unused)
{
    static const struct timespec pause = { .tv_nsec = 2000000 };
    while (time(NULL) < end) {
        pid_t pid = vfork();
        if (pid == 0) {
            for (int fd = 3; fd < FDS; fd++) close(fd);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
        pid = fork();
        if (pid == 0) {
            for (int fd = 3; fd < FDS; fd++) close(fd);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
        nanosleep(&pause, NULL);
    }
    return unused;
}

/* ---- in between ---- */

static void handle(int number)
{
    char bytes[64];
    int saved = errno;
    int pair[2];
    (void)number;
    handled++;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) {
        if (write(pair[1], "GET / HTTP/1.1\r\n\r\n", 18) == 18 && read(pair[0], bytes, 64) != 18 &&
            !chaos)
            die("read in a handler");
        close(pair[0]);
        close(pair[1]);
    }
    errno = saved;
}

static void ring(int flags)
{
    struct sigaction action = { .sa_handler = handle, .sa_flags = flags };
    struct itimerval every = { { 0, 700 }, { 0, 700 } };
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

/* ---- chaos ---- */

static void *disturb(void *number)
{
    unsigned seed = (unsigned)(size_t)number;
    while (time(NULL) < end) {
        char head[512], bytes[64];
        int fd = 10 + rand_r(&seed) % 40;
        switch (rand_r(&seed) % 8) {
        case 0:
        case 1: {
            int out = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
            if (out < 0) break;
            if (connect(out, (struct sockaddr *)&address, address_size) == 0) {
                size_t n = (fd & 1 ? http : fastcgi)(head, sizeof head, "192.0.2.1");
                if (write(out, head, n) < 0) close(fd);
            }
            break;
        }
        case 2: accept4(listener, NULL, NULL, SOCK_NONBLOCK); break;
        case 3: close(fd); break;
        case 4: dup2(10 + rand_r(&seed) % 40, fd); break;
        case 5:
            if (seed % 64 == 0 && system("x;chaos") == -1) usleep(10);
            break;
        default: {
            int flags = fcntl(fd, F_GETFL);
            if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
                read(fd, bytes, 1 + (size_t)rand_r(&seed) % 64) >= 0)
                served++;
        }
        }
    }
    return NULL;
}

static int race(void *(*role)(void *), bool starts)
{
    pthread_t threads[THREADS + 1];
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, role, (void *)(i + 1))) die("thread");
    if (starts && pthread_create(&threads[THREADS], NULL, start, NULL)) die("thread");
    for (size_t i = 0; i < (size_t)(THREADS + starts); i++) pthread_join(threads[i], NULL);
    printf("served %lu, %lu signals\n", served, handled);
    return served < 100;
}

/* ---- cancellation and signals ---- */

static atomic_int cleaned;

static void clean(void *unused)
{
    (void)unused;
    cleaned++;
}
static void leave(int *unused)
{
    (void)unused;
    cleaned++;
}

static void *wait_for_head(void *fd)
{
    char bytes[64];
    __attribute__((cleanup(leave))) int guard = 0;
    pthread_cleanup_push(clean, NULL);
    (void)guard;
    if (read((int)(size_t)fd, bytes, sizeof bytes) != 5) return NULL;
    (void)read((int)(size_t)fd, bytes, sizeof bytes);
    pthread_cleanup_pop(0);
    return NULL;
}

static int cancel(void)
{
    pthread_t thread;
    void *result = NULL;
    int out = call_in();
    int in = accept(listener, NULL, NULL);
    if (write(out, "GET /", 5) != 5) die("write");
    if (pthread_create(&thread, NULL, wait_for_head, (void *)(size_t)in)) die("thread");
    usleep(200000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("%s, %d cleaned\n", result == PTHREAD_CANCELED ? "cancelled" : "returned", cleaned);
    return 0;
}

static int interrupt(void)
{
    char bytes[64];
    int out = call_in();
    int in = accept(listener, NULL, NULL);
    struct sigaction action = { .sa_handler = handle };
    sigaction(SIGALRM, &action, NULL);
    if (write(out, "GET /", 5) != 5) die("write");
    if (read(in, bytes, sizeof bytes) != 5) die("read");
    struct itimerval once = { { 0, 0 }, { 0, 100000 } };
    setitimer(ITIMER_REAL, &once, NULL);
    ssize_t r = read(in, bytes, sizeof bytes);
    printf("%zd %s\n", r, r < 0 ? strerror(errno) : "");
    fcntl(in, F_SETFL, O_NONBLOCK);
    r = read(in, bytes, sizeof bytes);
    printf("%zd %s\n", r, r < 0 ? strerror(errno) : "");
    r = read(in, NULL, 0);
    printf("%zd\n", r);
    if (write(out, "ab", 2) != 2) die("write");
    r = read(in, (char *)8, 2);
    printf("%zd %s\n", r, r < 0 ? strerror(errno) : "");
    close(out);
    r = read(in, bytes, sizeof bytes);
    r = read(in, bytes, sizeof bytes);
    printf("%zd\n", r);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 1);
    signal(SIGPIPE, SIG_IGN);
    listen_here();
    if (strcmp(what, "cancel") == 0) return cancel();
    if (strcmp(what, "interrupt") == 0) return interrupt();
    chaos = strcmp(what, "right") != 0;
    ring(SA_RESTART);
    if (!chaos) return race(serve, true);
    /* descriptors 10 to 49 are */
    dup2(listener, 200);
    listener = 200;
    fcntl(listener, F_SETFL, O_NONBLOCK);
    if (strcmp(what, "chaos") == 0) return race(disturb, false);
    return 2;
}
