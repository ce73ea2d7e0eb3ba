// SPDX-License-Identifier: MIT
/* Takes a file out of its tree into a folder where nobody but root reaches it. */
#ifndef EG_UPLOAD_QUARANTINE_H
#define EG_UPLOAD_QUARANTINE_H

#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>

#define EG_QUARANTINE_NAME 128u
/* Anybody makes a sparse file of any size: larger ones are not hashed, and moved
 * only inside one file system. */
#define EG_QUARANTINE_DIGEST_MAX ((int64_t)1 << 30)

struct eg_quarantined {
    char digest[65]; /* SHA-256, hexadecimal; empty for a file over EG_QUARANTINE_DIGEST_MAX */
    char name[EG_QUARANTINE_NAME]; /* in the quarantine folder; NAME.json beside it tells more */
    uint64_t size;
};

/* What is written beside the file.  Strings may be NULL: left out. */
struct eg_quarantine_note {
    const char *path;   /* where it lay */
    const char *reason; /* slug of the reason */
    const char *kinds;  /* kinds of content found, space between */
    const char *policy;
    const char *request; /* the request's URI, client ... as the caller has it */
};

/* Open a quarantine folder, made (0700) if it is not there: a directory, not a
 * link, owned by the caller's effective user and closed to everybody else, below
 * folders that nobody else may write.  A descriptor or -errno: -EPERM where that
 * is not so. */
int eg_quarantine_open(const char *folder);

/* Take chattr(1)'s +i and +a off an open file: who has the capability for them could
 * keep it where it lies. */
void eg_quarantine_unlock(int fd);

/* Take the regular file that `fd` names (opened O_PATH or for reading) and that
 * stands as `name` in the folder `parent` (an open directory).
 *
 * The file's modes go first (owner root where the caller may, mode 0000), so that
 * nobody opens it any more; then it is moved: renamed, or across file systems
 * copied and the name removed.  A file with other names is copied as it is, and loses
 * this name only: the others may be somebody's who planted nothing.  The name is only
 * removed while it is this very inode's.  Where somebody puts another file under
 * the name in between, that file stays.
 *
 * 0 with *ret filled (the file is there, the name gone); or -errno: then the file
 * is still where it was.  -ESTALE: the name is another file's by now; -EINVAL: no
 * regular file; -EFBIG: too large to be copied; -EWOULDBLOCK: somebody's lease keeps
 * it from being copied now. */
int eg_quarantine_take(int quarantine, int parent, const char *name, int fd,
                       const struct eg_quarantine_note *note, struct eg_quarantined *ret);

#endif
