// SPDX-License-Identifier: MIT
/* What the kernel says about the guard of this very process.  Nothing that a
 * worker can set, neither environment nor files, is asked. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "guard/parts.h"

int eg_guard_query(const struct eg_blob *blob)
{
    long r = eg_sys(__NR_prctl, EG_PRCTL_QUERY, blob->id[0], blob->id[1], blob->id[2], blob->id[3]);
    return r == -EG_QUERY_YES || r == -EG_QUERY_SUPERVISED ? (int)-r : 0;
}

/* rename(2) of a file to itself ends with success before the kernel looks at any
 * permission, but after it has asked Landlock (fs/namei.c: do_renameat2,
 * vfs_rename).  So EACCES is Landlock's alone, for every user. */
enum eg_step eg_guard_ask_step(void)
{
    static const char sentinel[] = EG_STEP_SENTINEL;
    long r = eg_sys(__NR_renameat2, AT_FDCWD, sentinel, AT_FDCWD, sentinel, 0);
    return r == -EACCES ? EG_STEP_TWO : r == 0 ? EG_STEP_ONE : EG_STEP_UNKNOWN;
}

bool eg_guard_covers(const struct eg_blob *blob, const struct eg_identity *program)
{
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    const uint32_t *set = eg_blob_section(blob, EG_SECTION_EXEC_SET);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_EXEC_SET); i++) {
        const struct eg_identity *id = &programs[set[i]].id;
        if (id->mode && program->mode && id->dev == program->dev && id->ino == program->ino)
            return true;
    }
    return false;
}
