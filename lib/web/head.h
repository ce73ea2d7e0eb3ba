// SPDX-License-Identifier: MIT
/* The head of a web request, out of the bytes that a worker reads from a connection:
 * FastCGI, the uwsgi protocol, HTTP/1.
 *
 * Freestanding, pure.  The bytes come in any pieces and may lie about everything;
 * what is not understood is given up, never guessed.  For people who read events:
 * nothing is decided by it. */
#ifndef EG_WEB_HEAD_H
#define EG_WEB_HEAD_H

#include "event/source.h"

#define EG_WEB_FIELDS EG_SOURCE_FIELDS
#define EG_WEB_TEXT   12288u /* bytes kept of a request */
#define EG_WEB_OTHERS 8192u  /* of them for fields that only `source' looks at */
#define EG_WEB_VALUE  3072u  /* bytes kept of one value */
#define EG_WEB_NAME   96u    /* fields with longer names are passed over */
#define EG_WEB_MAX    65536u /* bytes of a head; of a longer one nothing is kept */

enum eg_web_protocol { EG_WEB_UNKNOWN = 0, EG_WEB_FASTCGI, EG_WEB_UWSGI, EG_WEB_HTTP };

/* A part of `text`, so that the whole can be copied and read from outside. */
struct eg_web_span {
    uint16_t at, size;
};

struct eg_web_field {
    struct eg_web_span name, value;
};

/* What is kept of a request.  Of a name that comes twice the last value counts, as
 * it does for the workers. */
struct eg_web_request {
    struct eg_web_span method, uri, script, host, remote;
    uint8_t remote_from; /* enum eg_event_remote */
    bool script_is_file; /* SCRIPT_FILENAME, before SCRIPT_NAME */
    bool host_is_header; /* HTTP_HOST, before SERVER_NAME */
    uint8_t reserved;
    uint16_t used, others; /* bytes of text, and of it those of other fields */
    uint16_t field_count;
    struct eg_web_field fields[EG_WEB_FIELDS];
    char text[EG_WEB_TEXT];
};

/* A reader of one connection; starts zeroed. */
struct eg_web_head {
    uint8_t protocol; /* enum eg_web_protocol */
    uint8_t step;     /* of the protocol's own machine */
    bool complete;    /* a head was read to its end: the request is in hand */
    bool over;        /* no further head comes on this connection: stop feeding */
    bool lost;        /* not understood: nothing of the request counts */
    bool keeps;       /* the connection may stay open after the answer */
    uint32_t heads;   /* completed so far */
    uint32_t fed;     /* `heads' before these bytes */
    uint32_t size;    /* bytes of this head */
    /* FastCGI and uwsgi: the bytes of a header that are there */
    unsigned char header[8];
    uint8_t have, flags, padding;
    uint16_t id, content;
    /* pairs of FastCGI and uwsgi */
    uint8_t pair_step, length_bytes;
    uint32_t length, value_length, left;
    /* HTTP */
    bool chunked, has_length, upgrade, no_keep;
    uint8_t version;
    uint64_t body;
    /* the field that is being read */
    uint8_t field; /* enum eg_web_known */
    bool cut;      /* not all of its value was kept */
    uint16_t name_size;
    uint16_t room; /* bytes of its value that may still be kept */
    struct eg_web_span value;
    char name[EG_WEB_NAME];
};

/* Take the next bytes of the connection.  `heads` counts up with each head that was
 * completed; as soon as bytes of another head come, `complete` is false and the
 * request empty again.  Nothing is taken after `over` or `lost`. */
void eg_web_feed(struct eg_web_head *head, struct eg_web_request *request, const char *bytes,
                 size_t n);

/* The address of the other end, for a request whose head claims none. */
void eg_web_set_peer(struct eg_web_request *request, struct eg_str address);

/* Is a request whole in its memory, whoever wrote it?  Then: */
bool eg_web_check(const struct eg_web_request *request);

/* its fields and its context, pointing into it.  Returns the number of fields. */
size_t eg_web_fields(const struct eg_web_request *request,
                     struct eg_request_field ret[EG_WEB_FIELDS]);
void eg_web_context(const struct eg_web_request *request, struct eg_event_request *ret);

#endif
