// SPDX-License-Identifier: MIT
/* Grants a place without what the guard keeps for itself.
 *
 * Landlock knows no exceptions: a right on a folder holds for all beneath it.
 * So where something beneath must be left out, the folder gets no right and its
 * entries are granted one by one, down to the exception.  The price: in a folder
 * above an exception nothing can be created or removed, only what was there at
 * the start can be changed. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "decide/write.h"
#include "guard/parts.h"

/* Each level holds a descriptor and a stack frame; nothing real is this deep. */
#define DEPTH_MAX 32u

enum relation { APART, ABOVE, KEPT };

/* `kept` against where we are: equal, beneath it, above it, or elsewhere. */
static enum relation compare(struct eg_str here, struct eg_str kept, bool beneath_too)
{
    /* one byte tells most pairs apart, and there are many of them */
    if (kept.n > here.n) return kept.p[here.n] == '/' && eg_str_starts(kept, here) ? ABOVE : APART;
    if (here.n > kept.n && (!beneath_too || here.p[kept.n] != '/')) return APART;
    return eg_str_starts(here, kept) ? KEPT : APART;
}

static bool is_harmless(const struct eg_walk *tree, uint32_t file)
{
    return file < 8 * sizeof(tree->harmless) && (tree->harmless[file / 32] >> (file % 32) & 1);
}

/* Trees that the supervisor alone writes, and the folders through which they
 * could be moved or replaced. */
static enum relation relate_uploads(const struct eg_walk *tree, struct eg_str here,
                                    enum relation worst)
{
    if (eg_decide_upload_of(tree->blob, here) != EG_NONE) return KEPT;
    return eg_decide_upload_is_above(tree->blob, here) ? ABOVE : worst;
}

static enum relation relate(const struct eg_walk *tree, struct eg_str here)
{
    const uint32_t *files = eg_blob_section(tree->blob, EG_SECTION_GUARD_FILES);
    /* Beneath /dev and /sys one comes only by naming it in a write rule, and
     * that is the policy's will; /proc holds /proc/PID/mem and stays shut. */
    enum relation worst = compare(here, EG_STR("/proc"), true);
    enum relation r = compare(here, EG_STR("/sys"), false);
    if (r > worst) worst = r;
    r = compare(here, EG_STR("/dev"), false);
    if (r > worst) worst = r;
    for (uint32_t i = 0; i < eg_blob_count(tree->blob, EG_SECTION_GUARD_FILES); i++) {
        if (worst == KEPT) break;
        if (is_harmless(tree, i)) continue;
        r = compare(here, eg_blob_str(tree->blob, files[i]), true);
        if (r > worst) worst = r;
    }
    return worst == KEPT || !tree->spare_uploads ? worst : relate_uploads(tree, here, worst);
}

size_t eg_walk_enter(struct eg_walk *tree, size_t n, const char *name, size_t length)
{
    if (length >= sizeof(tree->path) - n - 1) return 0;
    tree->path[n] = '/';
    __builtin_memcpy(tree->path + n + 1, name, length);
    tree->path[n + 1 + length] = '\0';
    return n + 1 + length;
}

static int grant_entry(struct eg_walk *tree, int fd, const struct eg_walk_entry *entry,
                       const void *context)
{
    size_t n = *(const size_t *)context;
    size_t inner = eg_walk_enter(tree, n, entry->name, entry->length);
    if (inner == 0) return 0;
    if (relate(tree, (struct eg_str){ tree->path, inner }) == KEPT) {
        tree->path[n] = '\0';
        return 0;
    }
    unsigned char type = entry->type;
    long at = eg_sys(__NR_openat, fd, entry->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int r = 0;
    if (at >= 0) {
        r = eg_walk_grant(tree, (int)at, inner, type);
        eg_sys(__NR_close, at);
    } else if (!eg_ruleset_passes_over(at)) {
        r = eg_guard_fail(tree->ruleset->error, EG_LAYER_DOMAIN, "open", at);
    }
    tree->path[n] = '\0';
    return r;
}

int eg_walk_grant(struct eg_walk *tree, int fd, size_t n, unsigned char type)
{
    bool may_be_folder = type == EG_DT_DIR || type == EG_DT_UNKNOWN;
    switch (relate(tree, (struct eg_str){ tree->path, n })) {
    case KEPT: return 0;
    case ABOVE: return may_be_folder ? eg_walk_each(tree, fd, grant_entry, &n) : 0;
    case APART: break;
    }
    return eg_ruleset_grant(tree->ruleset, fd,
                            may_be_folder ? tree->rights : tree->rights & eg_ruleset_file_rights);
}

/* linux_dirent64 (getdents64(2)) */
struct record {
    uint64_t ino;
    int64_t next;
    uint16_t size;
    unsigned char type;
    char name[];
};

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* Visit what tree->entries holds.  *ret_again is set where another folder was
 * read in between: the descriptor then stands behind the last visited entry. */
static int visit_batch(struct eg_walk *tree, int fd, long bytes, eg_walk_visit visit,
                       const void *context)
{
    uint32_t reads = tree->reads;
    for (long at = 0; at < bytes;) {
        const struct record *record = (const struct record *)(const void *)(tree->entries + at);
        int64_t next = record->next;
        at += record->size;
        if (record->type == EG_DT_LNK || is_dots(record->name)) continue;
        const struct eg_walk_entry entry = { record->name, eg_strnlen(record->name, SIZE_MAX),
                                             record->type };
        int r = visit(tree, fd, &entry, context);
        if (r != 0) return r;
        if (tree->reads == reads) continue;
        long sought = eg_sys(__NR_lseek, fd, next, 0 /* SEEK_SET */);
        if (sought >= 0) return 0;
        return eg_guard_fail(tree->ruleset->error, EG_LAYER_DOMAIN, "reading a folder", sought);
    }
    return 0;
}

int eg_walk_each(struct eg_walk *tree, int fd, eg_walk_visit visit, const void *context)
{
    if (tree->depth >= DEPTH_MAX) return 0;
    long folder = eg_sys(__NR_openat, fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (eg_ruleset_passes_over(folder)) return 0;
    if (folder < 0)
        return eg_guard_fail(tree->ruleset->error, EG_LAYER_DOMAIN, "open of a folder", folder);
    tree->depth++;
    int r = 0;
    while (r == 0) {
        tree->reads++;
        long bytes = eg_sys(__NR_getdents64, folder, tree->entries, sizeof(tree->entries));
        if (bytes <= 0) break; /* what cannot be read is not granted */
        r = visit_batch(tree, (int)folder, bytes, visit, context);
    }
    tree->depth--;
    eg_sys(__NR_close, folder);
    return r;
}
