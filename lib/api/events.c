// SPDX-License-Identifier: MIT
/* Reading event lines back. */
#include "api/handle.h"

#include "event/event.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Lines are at most EG_EVENT_MAX bytes; what is longer is no event. */
struct execguard_events {
    int fd;
    bool overlong; /* what is read belongs to such a line */
    size_t have;
    char bytes[2 * EG_EVENT_MAX];
};

struct execguard_event {
    json_t *object;
};

int execguard_events_new(int fd, struct execguard_events **ret)
{
    struct execguard_events *events = malloc(sizeof *events);
    if (!events) return -ENOMEM;
    events->fd = fd;
    events->overlong = false;
    events->have = 0;
    *ret = events;
    return 0;
}

void execguard_events_free(struct execguard_events *events)
{
    free(events);
}

static int parse(const char *line, size_t n, struct execguard_event **ret)
{
    json_error_t error;
    json_t *object = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
    struct execguard_event *event = json_is_object(object) ? malloc(sizeof *event) : NULL;
    if (!event) {
        json_decref(object);
        return -EBADMSG;
    }
    event->object = object;
    *ret = event;
    return 1;
}

/* Take the line of n bytes and its newline from the front. */
static int take_line(struct execguard_events *events, size_t n, struct execguard_event **ret)
{
    int r = events->overlong ? -EBADMSG : parse(events->bytes, n, ret);
    events->overlong = false;
    events->have -= n + 1;
    memmove(events->bytes, events->bytes + n + 1, events->have);
    return r;
}

int execguard_events_next(struct execguard_events *events, struct execguard_event **ret_event)
{
    for (;;) {
        const char *end = memchr(events->bytes, '\n', events->have);
        if (end) return take_line(events, (size_t)(end - events->bytes), ret_event);
        if (events->have == sizeof events->bytes) {
            events->overlong = true;
            events->have = 0;
        }
        ssize_t n =
            read(events->fd, events->bytes + events->have, sizeof events->bytes - events->have);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN ? 0 : -errno;
        if (n == 0) return 0;
        events->have += (size_t)n;
    }
}

void execguard_event_free(struct execguard_event *event)
{
    if (event) json_decref(event->object);
    free(event);
}

/* "request.remote": the field `remote' of the object `request'. */
static const json_t *find(const struct execguard_event *event, const char *field)
{
    const json_t *value = event->object;
    while (value && field) {
        const char *dot = strchr(field, '.');
        char name[64];
        size_t n = dot ? (size_t)(dot - field) : strlen(field);
        if (n >= sizeof name) return NULL;
        memcpy(name, field, n);
        name[n] = '\0';
        value = json_object_get(value, name);
        field = dot ? dot + 1 : NULL;
    }
    return value;
}

const char *execguard_event_text(const struct execguard_event *event, const char *field)
{
    return json_string_value(find(event, field));
}

int execguard_event_number(const struct execguard_event *event, const char *field, int64_t *ret)
{
    const json_t *value = find(event, field);
    if (!json_is_integer(value)) return -ENOENT;
    *ret = json_integer_value(value);
    return 0;
}

const char *execguard_event_element(const struct execguard_event *event, const char *field,
                                    size_t n)
{
    return json_string_value(json_array_get(find(event, field), n));
}
