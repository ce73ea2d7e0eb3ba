// SPDX-License-Identifier: MIT
/* The first line of a script, split as the kernel does it (fs/binfmt_script.c):
 * 256 bytes are looked at, blanks are spaces and tabs, everything after the
 * interpreter is one argument. */
#include "resolve/resolve.h"

#include <linux/errno.h>

#include "base/sys.h"

#define SHEBANG_MAX 256u

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

int eg_resolve_shebang(int fd, char buf[256], struct eg_str *ret_interpreter,
                       struct eg_str *ret_argument)
{
    long n = eg_sys(__NR_pread64, fd, buf, SHEBANG_MAX, 0);
    if (n < 0) return (int)n;
    if (n < 2 || buf[0] != '#' || buf[1] != '!') return 0;
    size_t size = (size_t)n;
    size_t end = 2;
    while (end < size && buf[end] != '\n' && buf[end] != '\0') end++;
    size_t at = 2;
    while (at < end && blank(buf[at])) at++;
    size_t stop = at;
    while (stop < end && !blank(buf[stop])) stop++;
    /* A name that runs to the edge of a full buffer was cut; the kernel
     * answers ENOEXEC. */
    if (stop == SHEBANG_MAX) return -ENOEXEC;
    if (stop == at) return -ENOEXEC;
    *ret_interpreter = (struct eg_str){ buf + at, stop - at };
    while (stop < end && blank(buf[stop])) stop++;
    while (end > stop && blank(buf[end - 1])) end--;
    *ret_argument = (struct eg_str){ buf + stop, end - stop };
    return 1;
}
