// SPDX-License-Identifier: MIT
/* Between the protocols' machines; nobody else includes this. */
#ifndef EG_WEB_PARTS_H
#define EG_WEB_PARTS_H

#include "web/head.h"

/* Fields by their names, and what becomes of them.  Those before OTHER are in an
 * event's `request', or say how an HTTP connection goes on: they may fill the text to
 * its end, however many others came before. */
enum eg_web_known {
    EG_WEB_IGNORED = 0,
    EG_WEB_METHOD,
    EG_WEB_URI,
    EG_WEB_SCRIPT_FILE,
    EG_WEB_SCRIPT_NAME,
    EG_WEB_HOST,
    EG_WEB_SERVER_NAME,
    EG_WEB_REMOTE,
    EG_WEB_CONTENT_LENGTH, /* HTTP_ before its name: this one and the next are headers */
    EG_WEB_TRANSFER_ENCODING,
    EG_WEB_CONNECTION,
    EG_WEB_REAL_IP,
    EG_WEB_FORWARDED_FOR,
    EG_WEB_FORWARDED,
    EG_WEB_OTHER
};

/* Bytes still to be read. */
struct eg_web_input {
    const char *p;
    size_t n;
};

/* Each goes on until the input is empty, the connection is over, or lost. */
void eg_web_fastcgi(struct eg_web_head *head, struct eg_web_request *request,
                    struct eg_web_input *in);
void eg_web_uwsgi(struct eg_web_head *head, struct eg_web_request *request,
                  struct eg_web_input *in);
void eg_web_http(struct eg_web_head *head, struct eg_web_request *request, struct eg_web_input *in);

/* Pairs of name and value, lengths first, in at most `n` bytes of the input; `uwsgi`:
 * two bytes each, before each string.  Stops at the end of either; the pair that is
 * open goes on with the next call. */
void eg_web_pairs(struct eg_web_head *head, struct eg_web_request *request, bool uwsgi,
                  struct eg_web_input *in, size_t n);

/* One field, piece by piece. */
void eg_web_begin_name(struct eg_web_head *head);
void eg_web_add_name(struct eg_web_head *head, const char *p, size_t n);
void eg_web_begin_value(struct eg_web_head *head, struct eg_web_request *request);
void eg_web_add_value(struct eg_web_head *head, struct eg_web_request *request, const char *p,
                      size_t n);
void eg_web_end_value(struct eg_web_head *head, struct eg_web_request *request);

/* A field whose text is there already. */
void eg_web_put_field(struct eg_web_request *request, struct eg_str name, struct eg_web_span value);

/* Another head begins; this one is at its end. */
void eg_web_start(struct eg_web_head *head, struct eg_web_request *request);
void eg_web_finish(struct eg_web_head *head);

static inline struct eg_str eg_web_text(const struct eg_web_request *request,
                                        struct eg_web_span span)
{
    return (struct eg_str){ request->text + span.at, span.size };
}

#endif
