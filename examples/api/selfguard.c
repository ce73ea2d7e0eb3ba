// SPDX-License-Identifier: MIT
/* A program that guards itself, asks what its policy says, and reads what was
 * refused.
 *
 *     cc selfguard.c $(pkg-config --cflags --libs execguard) -o selfguard
 *     ./selfguard POLICY EVENTS LINE
 *
 * applies POLICY with its events appended to the file EVENTS, gives LINE to
 * system(3) and prints the events that came of it.  Exit status: 0 LINE's command
 * ran well, 1 it did not, 125 the guard could not be had. */
#include <execguard.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int fail(const char *what, int error, char *messages)
{
    fprintf(stderr, "%s: error %d\n%s", what, -error, messages ? messages : "");
    free(messages);
    return 125;
}

/* What the policy says of the line, before anything is run. */
static void ask(const struct execguard *guard, const char *line)
{
    static const char *const answers[] = { "deny", "allow", "log", "rewrite" };
    struct execguard_verdict *verdict;
    if (execguard_ask_line(guard, line, &verdict) < 0) return;
    printf("verdict: %s (%s)\n", answers[verdict->answer], verdict->reason);
    if (*verdict->construct)
        printf("because of: %s at byte %zu\n", verdict->construct, verdict->offset);
    if (*verdict->rule_file) printf("rule: %s:%u\n", verdict->rule_file, verdict->rule_line);
    execguard_verdict_free(verdict);
}

static void print_events(const char *path)
{
    struct execguard_events *events;
    struct execguard_event *event;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || execguard_events_new(fd, &events) < 0) return;
    while (execguard_events_next(events, &event) > 0) {
        const char *program = execguard_event_text(event, "program");
        printf("event: %s %s: %s\n", execguard_event_text(event, "action"), program ? program : "-",
               execguard_event_text(event, "reason"));
        execguard_event_free(event);
    }
    execguard_events_free(events);
    close(fd);
}

int main(int argc, char **argv)
{
    struct execguard *guard;
    char *messages;
    if (argc != 4) {
        fprintf(stderr, "usage: selfguard POLICY EVENTS LINE\n");
        return 125;
    }
    const struct execguard_options options = { .size = sizeof options, .events = argv[2] };
    int r = execguard_load(argv[1], &options, &guard, &messages);
    if (r < 0) return fail(argv[1], r, messages);
    free(messages);
    r = execguard_restart(guard, argv, &messages);
    if (r < 0) return fail("cannot guard this process", r, messages);
    free(messages);
    printf("execguard %s, policy %s, applied: %d\n", execguard_version(), execguard_name(guard),
           execguard_is_applied(guard));
    ask(guard, argv[3]);
    fflush(stdout);
    int status = system(argv[3]);
    printf("status: %d\n", status);
    print_events(argv[2]);
    execguard_free(guard);
    return status ? 1 : 0;
}
