// SPDX-License-Identifier: MIT
/* JSON strings for the command's own output (events have their renderer). */
#include "cli.h"

void eg_cli_json_string(FILE *out, struct eg_str s)
{
    putc('"', out);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c > 0x7e)
            fprintf(out, "\\u%04x", c);
        else
            putc(c, out);
    }
    putc('"', out);
}
