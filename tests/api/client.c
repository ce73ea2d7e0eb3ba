// SPDX-License-Identifier: MIT
/* Calls the library as its header says, one use a word; api.test looks at what it
 * prints. */
#include <execguard.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct execguard *guard;
static char *messages;

static void load(const char *policy, const char *events)
{
    const struct execguard_options options = { .size = sizeof options, .events = events };
    int r = execguard_load(policy, events ? &options : NULL, &guard, &messages);
    if (r < 0) {
        printf("load: %s\n%s", strerror(-r), messages ? messages : "(no message)\n");
        exit(1);
    }
    free(messages);
    messages = NULL;
}

static void apply(unsigned flags)
{
    int r = execguard_apply(guard, flags, &messages);
    printf("apply: %d%s%s\n%s", r, r < 0 ? " " : "", r < 0 ? strerror(-r) : "",
           messages ? messages : "");
    free(messages);
    messages = NULL;
}

static void *wait_for_ever(void *nothing)
{
    for (;;) pause();
    return nothing;
}

static void start(const char *program)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl(program, program, "from", "the", "child", (char *)NULL);
        _exit(errno == EACCES ? 13 : 99);
    }
    int status;
    waitpid(pid, &status, 0);
    printf("start: %d\n", WEXITSTATUS(status));
}

static void print(int r, struct execguard_verdict *v)
{
    static const char *const answers[] = { "deny", "allow", "log", "rewrite" };
    if (r < 0) {
        printf("ask: %s\n", strerror(-r));
        return;
    }
    printf("ask: %s %s line=%u program=%s construct=%s offset=%zu\n", answers[v->answer], v->reason,
           v->rule_line, v->program, v->construct, v->offset);
    execguard_verdict_free(v);
}

static void read_events(const char *path)
{
    struct execguard_events *events;
    struct execguard_event *event;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r;
    if (fd < 0 || execguard_events_new(fd, &events) < 0) exit(1);
    while ((r = execguard_events_next(events, &event)) != 0) {
        if (r < 0) {
            printf("event: %s\n", strerror(-r));
            if (r != -EBADMSG) break;
            continue;
        }
        int64_t pid = -1;
        int no_number = execguard_event_number(event, "action", &pid);
        const char *remote = execguard_event_text(event, "request.remote");
        const char *last = execguard_event_element(event, "argv", 1);
        execguard_event_number(event, "pid", &pid);
        printf("event: %s pid=%lld remote=%s argv1=%s beyond=%s number-of-a-text=%d\n",
               execguard_event_text(event, "reason"), (long long)pid, remote ? remote : "-",
               last ? last : "-", execguard_event_element(event, "argv", 9) ? "?" : "-", no_number);
        execguard_event_free(event);
    }
    execguard_events_free(events);
    close(fd);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    struct execguard_verdict *verdict = NULL;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "events") == 0) {
        read_events(argv[2]);
        return 0;
    }
    load(argv[2], argc > 4 ? argv[4] : NULL);
    if (strcmp(what, "apply") == 0) {
        printf("before: %d\n", execguard_is_applied(guard));
        apply(0);
        apply(0);
        printf("after: %d %s %s\n", execguard_is_applied(guard),
               getenv("LD_PRELOAD") ? "preload" : "-", getenv("EXECGUARD_POLICY") ? "policy" : "-");
        start(argv[3]);
    } else if (strcmp(what, "keep") == 0) {
        apply(EXECGUARD_KEEP_ENVIRONMENT);
        printf("after: %s\n", getenv("LD_PRELOAD") ? "preload" : "-");
        start(argv[3]);
    } else if (strcmp(what, "flags") == 0) {
        apply(1U << 30);
    } else if (strcmp(what, "threads") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, wait_for_ever, NULL);
        apply(0);
        start(argv[3]);
    } else if (strcmp(what, "restart") == 0) {
        int r = execguard_restart(guard, argv, &messages);
        printf("restart: %d\n%s", r, messages ? messages : "");
        int status = system(argv[3]);
        printf("system: %d\n", status);
    } else if (strcmp(what, "exec") == 0) {
        const char *const words[] = { argv[3], argc > 4 ? argv[4] : NULL, NULL };
        int r = execguard_ask_exec(guard, words, &verdict);
        print(r, verdict);
    } else if (strcmp(what, "line") == 0) {
        int r = execguard_ask_line(guard, argv[3], &verdict);
        print(r, verdict);
    } else {
        int r = execguard_ask_change(guard, (enum execguard_change)atoi(what), argv[3], &verdict);
        print(r, verdict);
    }
    execguard_free(guard);
    return 0;
}
