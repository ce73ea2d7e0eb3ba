// SPDX-License-Identifier: MIT
/* What was allowed to start, by process, until it is seen to have started.
 *
 * An exec is judged on what the caller shows; the kernel reads it again.  The
 * first system call of the new image (verify.c) is therefore compared with what
 * was judged.  Bounded: when full, an old entry makes room, but none that still
 * waits for its image: whoever could push that one out could stop a process
 * between verdict and check, and have its verdict forgotten. */
#ifndef EG_SUPERVISOR_IMAGES_H
#define EG_SUPERVISOR_IMAGES_H

#include "blob/blob.h"
#include "supervisor/digest.h"

#include <sys/types.h>

#define EG_IMAGES_MAX  8192u /* processes remembered */
#define EG_PENDING_MAX 4u    /* execs under way in one process, by several threads */

/* One allowed exec: the program the kernel must be running afterwards (for a
 * script its last interpreter), and digests of argument and environment block. */
struct eg_pending {
    struct eg_identity exe;
    bool is_script;
    bool is_first;  /* a container's entrypoint: exe and is_script are not known before */
    bool is_built;  /* a file of a build tree */
    bool is_worker; /* the worker's own start: nobody else is there to race with it */
    struct eg_identity script;          /* is_script: the file that the interpreter is given */
    size_t argc;                        /* of the call */
    unsigned char argv[EG_DIGEST_SIZE]; /* of argv, without argv[0] when is_script */
    unsigned char tail[EG_DIGEST_SIZE]; /* is_first: of argv without argv[0] */
    unsigned char envp[EG_DIGEST_SIZE];
};

/* A process, not to be confused with the next one of the same number. */
struct eg_process {
    pid_t tgid;
    uint64_t unique; /* inode of its pidfd (kernel 6.9; before, the same for all) */
};

struct eg_image {
    struct eg_process process;
    uint32_t pending_count;
    struct eg_pending pending[EG_PENDING_MAX];
    bool verified;
    struct eg_identity exe; /* verified: the program that runs there */
    unsigned char argv[EG_DIGEST_SIZE],
        envp[EG_DIGEST_SIZE]; /* verified: digests of what it was given */
    struct eg_image *hash_next;
    struct eg_image *older, *newer;
};

struct eg_images;

/* NULL: out of memory. */
struct eg_images *eg_images_new(void);
void eg_images_free(struct eg_images *images);

/* The entry of a process, or NULL.  An entry of the number's earlier owner is
 * forgotten on the way. */
struct eg_image *eg_images_find(struct eg_images *images, const struct eg_process *process);

/* The entry of a process, made when there is none.  NULL: all of them wait for
 * images of living processes; refuse the exec. */
struct eg_image *eg_images_get(struct eg_images *images, const struct eg_process *process);

/* Remember an allowed exec; the oldest of too many is forgotten. */
void eg_image_expect(struct eg_image *image, const struct eg_pending *pending);

/* The process ended. */
void eg_images_forget(struct eg_images *images, pid_t tgid);

#endif
