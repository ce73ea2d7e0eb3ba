// SPDX-License-Identifier: MIT
/* The verdict on a change of the file tree: may this name be made, this file be
 * opened for writing, this mode be set, this script be read?
 *
 * Pure like the rest of this folder: the caller has resolved the path.  Shim,
 * supervisor, explain, watch and scan ask here and nowhere else. */
#ifndef EG_DECIDE_WRITE_H
#define EG_DECIDE_WRITE_H

#include "decide/decide.h"

/* What is asked.  The comment says what `path`, `other` and `mode` hold. */
enum eg_write_op {
    EG_WRITE_OPEN = 0,  /* an existing file, for writing or to truncate it */
    EG_WRITE_CREATE,    /* open(O_CREAT) of a name that is not there, creat, O_TMPFILE (path: the
                         * folder and an empty last component), bind of a socket, mkstemp;
                         * mode: S_IFMT and the permissions asked for */
    EG_WRITE_MKDIR,     /* mode: the permissions asked for */
    EG_WRITE_MKNOD,     /* mode: S_IFMT and permissions */
    EG_WRITE_RENAME,    /* path: the new name; other: the old one, absolute, its folder canonical;
                         * mode: st_mode of what moves.  The old name is asked about as REMOVE,
                         * RENAME_EXCHANGE both ways round */
    EG_WRITE_LINK,      /* as RENAME; other of a file without a name is what its descriptor shows */
    EG_WRITE_SYMLINK,   /* other: the link's text, not resolved */
    EG_WRITE_REMOVE,    /* unlink, rmdir; the old name of a rename */
    EG_WRITE_MODE,      /* chmod and ACLs; mode: S_IFMT of the file and the permissions asked for */
    EG_WRITE_ATTRIBUTE, /* utimes, chown, setxattr (not of ACLs) */
    EG_WRITE_READ,      /* open for reading of a file that is there (else the true ENOENT: Apache
                         * looks for .htaccess in each folder); path: as resolved, symlinks
                         * followed */
    EG_WRITE_OPS
};

struct eg_write_request {
    enum eg_write_op op;
    /* Absolute; the folder canonical (symlinks resolved, as the kernel names it),
     * the last component as the caller gave it.  For an object that exists and
     * whose last component was followed: wholly canonical. */
    struct eg_str path;
    struct eg_str other;
    uint32_t mode;
    bool shared; /* RENAME: what moves has other names as well, which stay */
};

struct eg_write_decision {
    enum eg_verdict verdict; /* DENY, ALLOW, LOG */
    enum eg_reason reason; /* CROSSES_TREE: answer EXDEV, so that mv(1) copies; otherwise EACCES */
    uint32_t tree;      /* index in WRITE_TREES of the tree that lets it be written, or EG_NONE */
    uint32_t upload;    /* index in UPLOADS of the innermost tree that holds path, or EG_NONE */
    uint32_t name;      /* index in UPLOAD_NAMES of the rule that hit, or EG_NONE */
    uint32_t rule_file; /* string: where the rule that decided stands; 0: none */
    uint32_t rule_line;
    uint32_t mode;      /* CREATE, MKNOD: `mode` without the bits that the tree refuses */
    uint32_t contents;  /* kinds of content (bit 1 << enum eg_content) that a finished file of this
                         * name may not hold (READ: one that changed so lately that it may not
                         * have been judged); 0: nobody needs to read it */
    struct eg_str hint; /* what to write if it is legitimate (static), or empty */
};

/* How an object of this type (S_IFMT of mode) comes to be. */
enum eg_write_op eg_decide_making(uint32_t mode);

/* Judge one change.  Never fails: what cannot be judged is denied. */
void eg_decide_write(const struct eg_blob *blob, const struct eg_write_request *request,
                     struct eg_write_decision *ret);

/* Judge what a finished file of an upload tree holds; hits: bits as in
 * `contents`, found in it. */
void eg_decide_content(const struct eg_blob *blob, uint32_t upload, uint32_t hits,
                       struct eg_write_decision *ret);

/* The first write rule (index in WRITE_TREES) that holds this path, or EG_NONE; where
 * writes are free there is none. */
uint32_t eg_decide_tree_of(const struct eg_blob *blob, struct eg_str path);

/* The innermost upload tree that holds this path, the tree's own top included,
 * or EG_NONE.  A cheap look: no tree, no work. */
uint32_t eg_decide_upload_of(const struct eg_blob *blob, struct eg_str path);

/* Could an upload tree lie beneath this folder, which itself is in none?  Then
 * moving or replacing the folder moves or replaces the tree. */
bool eg_decide_upload_is_above(const struct eg_blob *blob, struct eg_str path);

/* Might a rule be about this last component, so that the path is worth
 * resolving?  For hooks of open for reading: one pass over the name. */
bool eg_decide_reads_matter(const struct eg_blob *blob, struct eg_str name);

/* A cheaper look than that, for trees that refuse `scripts' alone: false, and no
 * rule is about the last component of this path. */
bool eg_decide_path_may_run(const char *path);

/* Is this (base) name one of the built-in set `scripts` (table/scripts.def),
 * after what servers and file systems ignore was taken off: case, trailing dots
 * and spaces, control characters, what follows a NUL, %00 or ';', an extension
 * in the middle (shell.php.jpg)? */
bool eg_name_is_script(struct eg_str name);

/* Would a server run a file of this name, or be steered by it, wherever it lies
 * (an extension that counts in the middle of a name too, .htaccess)?  A part of
 * `scripts`: for members of archives, where .js and settings.xml are at home. */
bool eg_name_is_served(struct eg_str name);

/* The same normalisation against a glob of the policy (`*.svg`). */
bool eg_name_matches(struct eg_str glob, struct eg_str name);

#endif
