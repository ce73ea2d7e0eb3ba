// SPDX-License-Identifier: MIT
/* What the command says: messages, one write each, harmless on a terminal; and
 * whether its output is out. */
#include "cli.h"

#include <stdarg.h>
#include <unistd.h>

static void say(const char *prefix, const char *format, va_list args)
{
    char text[2 * PATH_MAX];
    int head = snprintf(text, sizeof text, "execguard: %s", prefix);
    int n = vsnprintf(text + head, sizeof text - (size_t)head - 1, format, args);
    if (n < 0) return;
    size_t length = (size_t)head + (size_t)n;
    if (length > sizeof text - 2) length = sizeof text - 2;
    /* Names come from command lines that others wrote: no escape sequences. */
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) text[i] = '?';
    text[length++] = '\n';
    ssize_t written = write(STDERR_FILENO, text, length);
    (void)written; /* nobody is left to tell */
}

int eg_cli_error(const char *format, ...)
{
    va_list args;
    eg_cli_hand_over();
    va_start(args, format);
    say("", format, args);
    va_end(args);
    return EG_EXIT_FAILED;
}

int eg_cli_printed(int status)
{
    return fflush(stdout) == 0 ? status : EG_EXIT_FAILED;
}

void eg_cli_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("warning: ", format, args);
    va_end(args);
}

int eg_cli_usage(const struct eg_cli_verb *verb, const char *format, ...)
{
    va_list args;
    char prefix[64];
    eg_cli_hand_over();
    snprintf(prefix, sizeof prefix, "%s: ", verb->name);
    va_start(args, format);
    say(prefix, format, args);
    va_end(args);
    return eg_cli_error("`execguard help %s' says how it is used", verb->name);
}
