// SPDX-License-Identifier: MIT
/* Who may own and write a policy (design section 4): the file, every folder
 * above it and every folder that a symlink on the way leads through. */
#ifndef EG_POLICY_OWNER_H
#define EG_POLICY_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

enum eg_owner_fault {
    EG_OWNER_FOREIGN,        /* belongs to a user who is not trusted */
    EG_OWNER_GROUP_WRITABLE, /* its group can write it */
    EG_OWNER_WORLD_WRITABLE, /* everybody can write it */
    EG_OWNER_STICKY          /* a folder such as /tmp, not good enough for root */
};

struct eg_owner_problem {
    enum eg_owner_fault fault;
    uid_t owner;
    char *path; /* of what is at fault; the caller frees it */
};

/* Open a policy file for reading, following `path` component by component with
 * symlinks resolved here (path_resolution(7)), and check every folder passed
 * and the file itself by fstat of what was opened.  Trusted are root and
 * guard_uid; when guard_uid is 0, folders like /tmp (sticky, open(2)'s
 * restricted deletion) are refused as well.
 *
 * The descriptor (close-on-exec), or -errno: -EPERM with *ret_problem filled
 * when the rules refuse it; whatever opening failed with; -ELOOP; -ENOMEM. */
int eg_owner_open(const char *path, uid_t guard_uid, struct eg_owner_problem *ret_problem);

#endif
