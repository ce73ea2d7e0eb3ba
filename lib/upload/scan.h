// SPDX-License-Identifier: MIT
/* `execguard scan`: one pass over trees that are there, judged as uploads. */
#ifndef EG_UPLOAD_SCAN_H
#define EG_UPLOAD_SCAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "blob/blob.h"

/* What is wrong with an entry.  Strings live during the call. */
struct eg_scan_hit {
    const char *path;
    bool name;         /* bears a refused name */
    bool executable;   /* has execute or set-id bits that are refused */
    uint32_t contents; /* kinds found, EG_CONTENT_BIT */
    struct stat st;
    const char *digest; /* SHA-256, hexadecimal; "" where the file was not read */
    const char *taken;  /* its name in the quarantine; "" where it stayed */
    const char *folder; /* the quarantine */
};

/* Counted while the pass runs. */
struct eg_scan_counts {
    _Atomic uint64_t files, folders, bytes, hits, problems;
};

struct eg_scan_options {
    /* Judge by the upload trees of this policy: only what lies in one is judged.
     * NULL: everything, by the three below. */
    const struct eg_blob *blob;
    bool names, executable;
    uint32_t contents;

    bool take;          /* move hits: into the policy's folder for the tree, or */
    const char *folder; /* into this one, when it is not NULL */
    unsigned threads;   /* 0: as many as there are processors, at most 8 */

    /* Called from several threads, one at a time. */
    void (*hit)(void *context, const struct eg_scan_hit *hit);
    /* A file, folder or quarantine that could not be used: the pass goes on. */
    void (*problem)(void *context, const char *path, const char *what, int error);
    /* Now and then, from the calling thread; NULL: not wanted. */
    void (*progress)(void *context, const struct eg_scan_counts *counts);
    void *context;
};

/* Look at every tree (absolute paths of folders or files, links in them
 * followed).  Below them no link is followed, and nothing but regular files and
 * folders is opened.  Files that vanish are no problem.  0, or -errno when the
 * pass could not begin. */
int eg_upload_scan(const struct eg_scan_options *options, char *const *trees, size_t count,
                   struct eg_scan_counts *ret);

/* The folders that the upload trees of a policy lie in, as far as they exist: a
 * malloc'ed array of malloc'ed canonical paths, none inside another.  0 or -errno. */
int eg_upload_trees(const struct eg_blob *blob, char ***ret_trees, size_t *ret_count);
void eg_upload_trees_free(char **trees, size_t count);

#endif
