// SPDX-License-Identifier: MIT
/* The first line of a script, split as the kernel does it (fs/binfmt_script.c):
 * 256 bytes are looked at, blanks are spaces and tabs, everything after the
 * interpreter is one argument. */
#include "resolve/resolve.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

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

static int read_words(int fd, struct eg_script_memory *memory, struct eg_script *ret)
{
    struct eg_str interpreter, argument;
    char *line = memory->line;
    int r = eg_resolve_shebang(fd, line, &interpreter, &argument);
    if (r != 1) return r;
    /* what follows a word is a blank, a line's end or the end of what was read */
    size_t end = (size_t)(interpreter.p - line) + interpreter.n;
    size_t last = argument.n ? (size_t)(argument.p - line) + argument.n : end;
    if (end >= SHEBANG_MAX || last >= SHEBANG_MAX) return -ENOEXEC;
    line[end] = line[last] = '\0';
    ret->words[ret->count++] = interpreter.p;
    if (argument.n) ret->words[ret->count++] = argument.p;
    ret->words[ret->count++] = memory->script;
    return 0;
}

int eg_resolve_script(struct eg_script_memory *memory, const struct eg_target *target,
                      struct eg_script *ret)
{
    struct eg_identity id;
    ret->count = 0;
    if (target->path.n >= sizeof memory->script) return -ENAMETOOLONG;
    __builtin_memcpy(memory->script, target->path.p, target->path.n);
    memory->script[target->path.n] = '\0';
    long fd = eg_sys(__NR_openat, AT_FDCWD, memory->script,
                     O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0);
    if (fd < 0) return (int)fd;
    int r = eg_resolve_identity((int)fd, &id);
    if (r == 0 && !eg_identity_same_inode(&id, &target->id)) r = -ENOENT;
    if (r == 0) r = read_words((int)fd, memory, ret);
    eg_sys(__NR_close, fd);
    return r;
}
