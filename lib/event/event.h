// SPDX-License-Identifier: MIT
/* One event: what was asked, what was answered, why, and who asked.
 *
 * Freestanding.  An event is built on the stack of whoever judged, rendered
 * into a caller's buffer and handed to sinks.  Field names in JSON are those of
 * table/event_fields.def; they are stable. */
#ifndef EG_EVENT_EVENT_H
#define EG_EVENT_EVENT_H

#include "base/buf.h"
#include "decide/decide.h"

#define EG_EVENT_MAX 4096u /* bytes of one JSON line, with its newline */

enum eg_action { EG_ACTION_DENY = 0, EG_ACTION_WOULD_DENY, EG_ACTION_ALLOW, EG_ACTION_REWRITE };
enum eg_kind {
    EG_KIND_EXEC = 0,
    EG_KIND_SHELL,
    EG_KIND_WRITE,
    EG_KIND_NAME,
    EG_KIND_MODE,
    EG_KIND_CONTENT,
    EG_KIND_MAP,
    EG_KIND_ENV,
    EG_KIND_SYSCALL
};

/* Where `remote` comes from.  Later ones go before earlier ones, where a head has
 * several. */
enum eg_event_remote {
    EG_REMOTE_NONE = 0,
    EG_REMOTE_PEER,            /* the other end of the worker's own connection */
    EG_REMOTE_FORWARDED,       /* headers, which a client can send as well */
    EG_REMOTE_X_FORWARDED_FOR, /* its last address */
    EG_REMOTE_X_REAL_IP,
    EG_REMOTE_SERVER, /* REMOTE_ADDR, as the web server passed it */
    EG_REMOTE_COUNT
};

/* Who asked for the page: from the CGI environment (RFC 3875), or from the head of
 * the request that the worker read.  Attacker's words: never used to decide. */
struct eg_event_request {
    struct eg_str method, uri, script, host, remote;
    enum eg_event_remote remote_from;
    bool claimed; /* told by the worker itself, not seen by the reporter */
};

struct eg_event {
    enum eg_action action;
    enum eg_kind kind;
    enum eg_layer layer;
    enum eg_reason reason;
    int64_t time_s; /* CLOCK_REALTIME */
    uint32_t time_ns;
    uint64_t seq;            /* counts events of one reporter */
    struct eg_str policy;    /* policy name */
    struct eg_str container; /* id of the container, from its runtime */
    struct eg_str rule_file; /* rule "file:line"; empty file: no rule */
    uint32_t rule_line;
    struct eg_str call;    /* "execve", "system", ... */
    struct eg_str program; /* what would have run: canonical path, or the spelling */
    const char *const *argv;
    size_t argc;
    bool has_argv;
    struct eg_str line; /* shell command line, kind SHELL */
    bool has_line;
    struct eg_str construct;
    size_t offset;
    bool has_construct;
    struct eg_str content;  /* kind CONTENT: slugs of the kinds found, blanks between */
    struct eg_str sha256;   /* of the whole file, hexadecimal */
    uint64_t size;          /* of the file, in bytes; with sha256 */
    struct eg_str path;     /* file concerned: library, name, ... */
    struct eg_str variable; /* kind ENV: the variable's name */
    struct eg_str inner;    /* refused command inside a wrapper */
    struct eg_str cwd;
    struct eg_str exe;     /* program that asked */
    struct eg_str command; /* its command line, arguments apart by blanks */
    struct eg_str test;    /* the test that it ran, by its own word */
    int32_t pid, ppid;
    uint32_t uid;
    struct eg_event_request request;
    struct eg_str source;    /* request field whose text reached the command (source.h), */
    bool source_in_argument; /* and where: in argv[source_argument], or in the line or path */
    size_t source_argument, source_offset, source_length;
    struct eg_str hint; /* what the admin could write, if legitimate */
    uint64_t repeat;    /* suppressed events like this one before it */
};

/* Stable words of an action and a kind, as in events; never NULL. */
const char *eg_event_action_name(enum eg_action action);
const char *eg_event_kind_name(enum eg_kind kind);

/* The field or header that an address came from; empty: NONE. */
struct eg_str eg_event_remote_name(enum eg_event_remote from);

/* The event's hint; where it has none, what the administrator must do about the
 * reason, if that is no matter of the policy. */
struct eg_str eg_event_hint(const struct eg_event *event);

/* The test that a process with this environment runs (table/tests.def), or empty. */
struct eg_str eg_event_running_test(const char *const *envp);

/* Is anything known about a web request? */
static inline bool eg_event_has_request(const struct eg_event *event)
{
    const struct eg_event_request *r = &event->request;
    return r->method.n || r->uri.n || r->script.n || r->host.n || r->remote.n;
}

/* Render as one JSON line of at most EG_EVENT_MAX bytes with its newline.
 * Always valid JSON and valid UTF-8 whatever bytes the fields hold: control
 * characters and invalid bytes become \u00XX escapes (bytes read as Latin-1).
 * What does not fit is cut at the long fields (argv, line, env, uri ...) and
 * the field "truncated" names what was cut.  Returns the length. */
size_t eg_event_json(const struct eg_event *event, char ret[EG_EVENT_MAX]);

/* Render as one readable line (with newline) for a terminal or an error log;
 * foreign bytes are made harmless. */
size_t eg_event_readable(const struct eg_event *event, char ret[EG_EVENT_MAX]);

/* The same, and where an event has a place in a command line a second line that
 * points at it: `^' under the construct, `~' under what came from the request.
 * Both lines together are at most EG_EVENT_MAX bytes, for one write. */
size_t eg_event_explained(const struct eg_event *event, char ret[EG_EVENT_MAX]);

/* Token buckets, one per rule and program, in memory shared by forked
 * children.  The table is zeroed memory of the caller's (mmap). */
#define EG_RATE_SLOTS 64u
struct eg_rate_slot {
    uint64_t key;   /* 0: free */
    uint64_t state; /* milli-tokens << 40 | milliseconds, updated by compare-and-swap */
    uint64_t suppressed;
};
struct eg_rate {
    struct eg_rate_slot slots[EG_RATE_SLOTS];
};
/* May an event with this key go out now (monotonic milliseconds)?  When yes,
 * *ret_repeat takes the number suppressed since the last one.  Lock-free.
 * per_second 0: no limit.  A burst is at least 1 and at most 16000. */
bool eg_rate_take(struct eg_rate *rate, uint64_t key, uint64_t now_ms, uint32_t per_second,
                  uint32_t burst, uint64_t *ret_repeat);

/* Deliver to one sink of the blob; opens, writes once, closes.  Blocks nowhere,
 * raises no signal (SIGPIPE, SIGXFSZ), keeps errno untouched (it has none).
 * 0 or -errno. */
int eg_sink_write(const struct eg_blob *blob, const struct eg_blob_sink *sink,
                  const struct eg_event *event);

/* One write of n bytes to an open descriptor, under the same promises.  0, or
 * -errno: -EAGAIN when it would have waited, -ENOSPC when only a part was taken. */
int eg_sink_write_fd(int fd, const char *bytes, size_t n);

/* Deliver to every sink of the blob after asking the rate limiter (rate may be
 * NULL: no limit); when no sink is configured, or none took it, stderr. */
void eg_event_emit(const struct eg_blob *blob, struct eg_rate *rate, struct eg_event *event);

/* Its two halves.  May this event go out?  Looks at action, reason, rule, program,
 * path and variable alone, and sets repeat: what else an event tells need not be
 * found out about those that do not go out. */
bool eg_event_admit(const struct eg_blob *blob, struct eg_rate *rate, struct eg_event *event);
void eg_event_deliver(const struct eg_blob *blob, const struct eg_event *event);

#endif
