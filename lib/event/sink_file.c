// SPDX-License-Identifier: MIT
/* Events as lines of JSON at the end of a file.
 *
 * O_APPEND and a single write keep lines of many processes whole.  The file is
 * opened for each event: a descriptor kept open could be closed or taken over
 * by the worker, and log rotation would go unnoticed. */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "base/sys.h"
#include "event/sink.h"

/* O_NONBLOCK: a FIFO that nobody reads fails with ENXIO instead of waiting.
 * O_NOFOLLOW: whoever can write the folder cannot send root's lines elsewhere. */
enum {
    OPEN_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
    OPEN_MODE = 0640
};

int eg_sink_file(const char *path, const struct eg_event *event)
{
    char line[EG_EVENT_MAX];
    size_t n = eg_event_json(event, line);
    int fd = (int)eg_sys(__NR_openat, AT_FDCWD, path, OPEN_FLAGS, OPEN_MODE);
    if (fd < 0) return fd;
    struct statx st;
    int r = (int)eg_sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);
    if (r == 0) {
        unsigned type = st.stx_mode & S_IFMT;
        r = type == S_IFREG || type == S_IFIFO ? eg_sink_write_fd(fd, line, n) : -EINVAL;
    }
    eg_sys(__NR_close, fd);
    return r;
}
