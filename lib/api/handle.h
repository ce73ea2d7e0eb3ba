// SPDX-License-Identifier: MIT
/* What the files of the library share. */
#ifndef EG_API_HANDLE_H
#define EG_API_HANDLE_H

#include "compile/files.h"
#include <execguard.h>

#include <stdio.h>

struct execguard {
    struct eg_cached cached;
    struct eg_files files;
};

/* Text for *ret_messages, printed to like a file. */
struct eg_messages {
    FILE *out;
    char *text;
    size_t size;
};
void eg_messages_begin(struct eg_messages *messages);
void eg_messages_add(struct eg_messages *messages, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Hand the text over (NULL when it is empty), or free it where nobody wants it. */
void eg_messages_end(struct eg_messages *messages, char **ret_messages);

#endif
