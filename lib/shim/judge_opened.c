// SPDX-License-Identifier: MIT
/* What was just opened for reading, where it changed so lately that nobody may have
 * judged it: written straight into an upload tree, a file is judged at its last close,
 * by the supervisor a moment later, and could be included by its name meanwhile.
 *
 * The descriptor is asked, not the name, which may lead through links or change.  The
 * file is asked for the time of its last change first: that takes one system call, and
 * most files are old. */
#include <asm/stat.h>
#include <linux/errno.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/time_types.h>

#include "base/sys.h"
#include "content/content.h"
#include "shim/file.h"

/* Seconds.  By then the supervisor has judged what was closed, or has given up and put it
 * away (a minute and a half), and what is open (twenty seconds). */
#define LATELY 180

static int64_t now(void)
{
    typedef int clock_function(int clock, struct __kernel_timespec *ret);
    struct __kernel_timespec time = { 0, 0 };
    /* libc's way, without a system call */
    clock_function *next = (clock_function *)eg_next(EG_NEXT_clock_gettime);
    if (!next || next(CLOCK_REALTIME_COARSE, &time))
        eg_sys(__NR_clock_gettime, CLOCK_REALTIME, &time);
    return time.tv_sec;
}

/* Nobody can set the time of the last change.  One that is still to come says that the
 * clock was set back, and nothing of the file's age. */
static bool is_fresh(int fd)
{
    struct stat st;
    if (eg_sys(__NR_fstat, fd, &st)) return true;
    if ((st.st_mode & S_IFMT) != S_IFREG || st.st_size == 0) return false;
    return (int64_t)st.st_ctime > now() - LATELY;
}

static bool is_proc_missing(void)
{
    struct statx st;
    return eg_sys(__NR_statx, AT_FDCWD, "/proc/self/fd", 0, STATX_TYPE, &st) == -ENOENT;
}

/* What the file may not hold; *ret_upload is the tree that says so.  What has no name that
 * we can see (it is too long, a call failed) may lie in any tree.  The room that a name
 * takes is given back before the file is read: stacks are small. */
static __attribute__((noinline)) uint32_t contents_of(int fd, uint32_t *ret_upload)
{
    struct eg_place place;
    struct eg_write_decision decision;
    if (eg_place_of(fd, &place)) return is_proc_missing() ? 0 : EG_CONTENT_ALL;
    if (!eg_str_starts(place.path, EG_STR("/"))) return 0;
    struct eg_write_request request = { .op = EG_WRITE_READ,
                                        .path = place.path,
                                        .mode = place.mode };
    eg_decide_write(eg_shim.blob, &request, &decision);
    *ret_upload = decision.upload;
    return decision.contents;
}

static __attribute__((noinline)) int refuse(const char *call, int fd,
                                            const struct eg_write_decision *decision)
{
    struct eg_place place;
    if (eg_place_of(fd, &place)) place.path = (struct eg_str){ NULL, 0 };
    eg_change_report(call, decision, EG_KIND_CONTENT, place.path);
    return eg_shim.blob->flags & EG_BLOB_LOG_MODE ? 0 : -EACCES;
}

static __attribute__((noinline)) int judge(const char *call, int fd)
{
    struct eg_write_decision decision;
    uint32_t hits = 0;
    uint32_t upload = EG_NONE;
    uint32_t wanted = contents_of(fd, &upload);
    int r = wanted ? eg_content_read_fresh(fd, wanted, &hits) : 0;
    if (r == 0 && hits == 0) return 0;
    eg_decide_content(eg_shim.blob, upload, r ? wanted : hits, &decision);
    if (r) decision.reason = EG_REASON_UNREADABLE;
    return decision.verdict == EG_VERDICT_DENY ? refuse(call, fd, &decision) : 0;
}

int eg_opened_judge(const char *call, int fd)
{
    if (!(eg_file_ask() & EG_FILE_FRESH) || !is_fresh(fd)) return 0;
    return judge(call, fd);
}
