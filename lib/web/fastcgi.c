// SPDX-License-Identifier: MIT
/* FastCGI 1.0: records of a header of eight bytes, content, padding.  A request is
 * BEGIN_REQUEST, PARAMS up to an empty one, then what the worker reads of STDIN.
 *
 * One request at a time on a connection: nobody who serves pages does more, and a
 * worker answers the second with FCGI_CANT_MPX_CONN. */
#include "web/parts.h"

enum { BEGIN_REQUEST = 1, ABORT_REQUEST = 2, PARAMS = 4, STDIN = 5, DATA = 8, TYPE_MAX = 11 };
enum { HEADER, CONTENT, PADDING };
#define KEEP_CONN 1u

static uint16_t number(const unsigned char *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint8_t type_of(const struct eg_web_head *head)
{
    return head->header[1];
}

/* Of the request whose params are being read? */
static bool is_mine(const struct eg_web_head *head)
{
    return head->id && number(head->header + 2) == head->id && !head->complete;
}

static void begin_record(struct eg_web_head *head)
{
    uint8_t type = type_of(head);
    head->step = CONTENT;
    head->content = number(head->header + 4);
    head->padding = head->header[6];
    if (head->header[0] != 1 || type == 0 || type > TYPE_MAX) head->lost = true;
    if (type == BEGIN_REQUEST) {
        if (head->content != 8 || !number(head->header + 2)) head->lost = true;
    } else if (is_mine(head)) {
        bool ends = (type == PARAMS && !head->content) || type == STDIN || type == DATA;
        if (ends) eg_web_finish(head);
        if (type == ABORT_REQUEST) head->id = 0;
    }
    if (!head->complete) head->size += 8u + head->content;
    if (!head->complete && head->size > EG_WEB_MAX) head->lost = true;
}

/* A new request, once its record is whole. */
static void begin_request(struct eg_web_head *head, struct eg_web_request *request)
{
    eg_web_start(head, request);
    head->id = number(head->header + 2);
    head->keeps = head->flags & KEEP_CONN;
    head->pair_step = 0;
    head->length_bytes = 0;
}

static void take_content(struct eg_web_head *head, struct eg_web_request *request,
                         struct eg_web_input *in)
{
    size_t n = head->content < in->n ? head->content : in->n;
    if (type_of(head) == PARAMS && is_mine(head)) {
        eg_web_pairs(head, request, false, in, n);
    } else {
        /* of BEGIN_REQUEST's eight bytes the third */
        if (type_of(head) == BEGIN_REQUEST && head->content >= 6 && head->content - n < 6)
            head->flags = (uint8_t)in->p[head->content - 6];
        in->p += n;
        in->n -= n;
    }
    head->content -= (uint16_t)n;
}

void eg_web_fastcgi(struct eg_web_head *head, struct eg_web_request *request,
                    struct eg_web_input *in)
{
    while (!head->lost) {
        if (head->complete && !head->keeps) {
            head->over = true;
            return;
        }
        if (head->step == HEADER) {
            while (in->n && head->have < sizeof(head->header)) {
                head->header[head->have++] = (unsigned char)*in->p;
                in->p++, in->n--;
            }
            if (head->have < sizeof(head->header)) return;
            head->have = 0;
            begin_record(head);
        } else if (head->step == CONTENT) {
            if (head->content && !in->n) return;
            take_content(head, request, in);
            if (head->content) continue;
            if (type_of(head) == BEGIN_REQUEST) begin_request(head, request);
            head->step = PADDING;
        } else {
            size_t n = head->padding < in->n ? head->padding : in->n;
            in->p += n;
            in->n -= n;
            head->padding -= (uint8_t)n;
            if (head->padding) return;
            head->step = HEADER;
        }
    }
}
