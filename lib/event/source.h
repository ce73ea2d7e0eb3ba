// SPDX-License-Identifier: MIT
/* Where a command's text came from: which field of the web request holds it.
 *
 * Freestanding, pure.  For people who read the event: the answer is a guess by
 * comparison, and a request's bytes are the client's.  Nothing is decided by it. */
#ifndef EG_EVENT_SOURCE_H
#define EG_EVENT_SOURCE_H

#include "event/event.h"

#define EG_SOURCE_NAME_MAX 160u
#define EG_SOURCE_FIELDS   64u   /* fields that are looked at */
#define EG_SOURCE_VALUE    8192u /* bytes of a field that are looked at */

/* A field as the server passed it, by its CGI name ("QUERY_STRING"), whoever
 * supplies it: the environment, FastCGI. */
struct eg_request_field {
    struct eg_str name, value;
};

struct eg_event_source {
    char name[EG_SOURCE_NAME_MAX]; /* "QUERY_STRING:host", "HTTP_REFERER", "PATH_INFO" */
    size_t name_size;
    bool in_argument; /* found in argv[argument], not in the line (or path) */
    size_t argument;
    size_t offset, length; /* the text that came from there, in bytes */
};

/* Is this the name of a field that is compared (table/request_fields.def)? */
bool eg_event_is_field(struct eg_str name);

/* The fields of a request among "NAME=value" entries: at most `limit`; returns
 * their number.  They point into the entries. */
size_t eg_event_fields(const char *const *envp, struct eg_request_field *ret, size_t limit);

/* Which field's text reached the event's command line, else its arguments, else its
 * path?  A value counts as it came, percent-decoded, with + as a blank, and
 * decoded twice, blanks at its ends left out; quotes and backslashes on either side
 * are no difference, since quoting functions add them.  What covers the refused
 * construct goes before what stands elsewhere, then the longest, then the first.
 * Also a part of a value (4 bytes and more) when it covers the construct.  Short
 * values must stand alone as a word.  False, and *ret untouched: none.
 *
 * Takes time linear in fields and texts, and bounded by a constant whatever they
 * hold; about 10 KiB of stack. */
bool eg_event_find_source(const struct eg_event *event, const struct eg_request_field *fields,
                          size_t count, struct eg_event_source *ret);

/* The event says so: `source` must stay where it is. */
void eg_event_set_source(struct eg_event *event, const struct eg_event_source *source);

#endif
