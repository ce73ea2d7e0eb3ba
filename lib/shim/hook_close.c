// SPDX-License-Identifier: MIT
/* close(2): the last moment at which what a descriptor wrote can be judged by this
 * process.  PHP's and Perl's streams and Python's files call it.
 *
 * The descriptor is closed in any case (close(2), "Dealing with error returns"). */
#include <linux/errno.h>

#include "shim/hooks.h"
#include "shim/file.h"
#include "shim/hand.h"

typedef int close_function(int fd);

static __attribute__((noinline)) int judge_close(enum eg_next which, const char *name, int fd)
{
    close_function *next = (close_function *)eg_next(which);
    if (!next) return (int)eg_shim_result(-ENOSYS);
    int r = eg_content_closing(name, fd);
    int result = next(fd);
    return r && result == 0 ? (int)eg_shim_result(r) : result;
}

#define CLOSE(function)                                                                            \
    int function(int fd)                                                                           \
    {                                                                                              \
        close_function *next = (close_function *)eg_next(EG_NEXT_##function);                      \
        eg_hand_closing(fd);                                                                       \
        if (__builtin_expect(next && !eg_file_cares(EG_FILE_CLOSE), 1)) return next(fd);           \
        return judge_close(EG_NEXT_##function, #function, fd);                                     \
    }

CLOSE(close)
CLOSE(__close)
