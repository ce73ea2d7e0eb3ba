// SPDX-License-Identifier: MIT
/* The OCI runtime's seccomp agent protocol (runtime-spec, config-linux.md,
 * "The Container Process State"): one JSON object a connection, the listener
 * beside it by SCM_RIGHTS.  Reading it, and saying it for `execguard exec`. */
#ifndef EG_SUPERVISOR_OCI_H
#define EG_SUPERVISOR_OCI_H

#include "base/str.h"

#include <sys/types.h>

#define EG_OCI_MESSAGE_MAX (64u << 10) /* bytes of one message */
#define EG_OCI_FDS_MAX     8u          /* descriptors of one message */
#define EG_OCI_NAME_MAX    64u         /* policy name, without NUL */
#define EG_OCI_ID_MAX      128u        /* container id, without NUL */

/* What a message said.  metadata is words `key=value` between blanks or commas:
 * policy=NAME, and from `execguard exec` also attach=exec and id=HEX. */
struct eg_oci_state {
    char policy[EG_OCI_NAME_MAX + 1];
    char id[EG_OCI_ID_MAX + 1];
    pid_t pid;       /* the container's process, in the agent's pid namespace */
    size_t fd_index; /* of "seccompFd" among the descriptors */
    bool attach_exec;
    bool has_blob_id;
    uint32_t blob_id[4];
};

/* Read a complete message that came with fd_count descriptors.  0; -EAGAIN when
 * the text ends too early; -EINVAL, -ENOMEM, and *ret_why (static text). */
int eg_oci_parse(const char *text, size_t n, size_t fd_count, struct eg_oci_state *ret,
                 const char **ret_why);

/* May this be a policy's name: letters, digits, `_`, `-`, `.`; no leading dot? */
bool eg_oci_name_valid(struct eg_str name);

/* For a process that guards itself: connect to the agent before anything is
 * installed, then hand over its listener and wait until the agent has taken it.
 * Neither makes a call that the filter traps.  0 or -errno; hand_over: -EACCES
 * when the agent refused, and its words are in ret_words. */
int eg_oci_connect(const char *path);
int eg_oci_hand_over(int connection, int listener, const char *policy, const uint32_t blob_id[4],
                     char ret_words[256]);

#endif
