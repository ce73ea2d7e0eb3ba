// SPDX-License-Identifier: MIT
/* The uwsgi protocol: modifier1, the size of what follows in two bytes, modifier2,
 * then pairs; the body comes after them.  One request a connection. */
#include "web/parts.h"

void eg_web_uwsgi(struct eg_web_head *head, struct eg_web_request *request, struct eg_web_input *in)
{
    while (in->n && head->have < 4) {
        head->header[head->have++] = (unsigned char)*in->p;
        in->p++, in->n--;
        if (head->have < 4) continue;
        head->content = (uint16_t)(head->header[1] | head->header[2] << 8);
    }
    if (head->have < 4) return;
    size_t n = head->content < in->n ? head->content : in->n;
    eg_web_pairs(head, request, true, in, n);
    head->content -= (uint16_t)n;
    if (head->content) return;
    head->over = true;
    eg_web_finish(head);
}
