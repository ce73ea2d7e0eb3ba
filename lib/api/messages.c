// SPDX-License-Identifier: MIT
/* Texts for people.  Memory that runs out costs the text, never the result. */
#include "api/handle.h"

#include <stdarg.h>
#include <stdlib.h>

void eg_messages_begin(struct eg_messages *messages)
{
    messages->text = NULL;
    messages->size = 0;
    messages->out = open_memstream(&messages->text, &messages->size);
}

void eg_messages_add(struct eg_messages *messages, const char *format, ...)
{
    va_list args;
    if (!messages->out) return;
    va_start(args, format);
    vfprintf(messages->out, format, args);
    va_end(args);
    putc('\n', messages->out);
}

void eg_messages_end(struct eg_messages *messages, char **ret_messages)
{
    if (messages->out) fclose(messages->out);
    bool wanted = ret_messages && messages->size;
    if (ret_messages) *ret_messages = wanted ? messages->text : NULL;
    if (!wanted) free(messages->text);
}
