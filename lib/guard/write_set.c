// SPDX-License-Identifier: MIT
/* What a worker may write: everything but the kernel's own file systems, devices
 * and the guard's files, or the trees that the policy names; in both cases a few
 * harmless devices. */
#include <asm/statfs.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>

#include "guard/parts.h"

static bool is_devpts(int fd)
{
    struct statfs fs;
    return eg_sys(__NR_fstatfs, fd, &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC;
}

/* /dev/pts: terminals.  Before a step two also the sentinel, where it is a devpts and
 * nothing else: no operation of that file system needs these two rights. */
static int grant_terminals(const struct eg_ruleset *ruleset, int dev, uint64_t file, bool sentinel)
{
    long pts = eg_sys(__NR_openat, dev, "pts", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (eg_ruleset_passes_over(pts)) return 0;
    if (pts < 0) return eg_guard_fail(ruleset->error, EG_LAYER_DOMAIN, "open of /dev/pts", pts);
    uint64_t asked = EG_LANDLOCK_MAKE_CHAR | EG_LANDLOCK_REMOVE_FILE;
    int r =
        eg_ruleset_grant(ruleset, (int)pts, sentinel && is_devpts((int)pts) ? file | asked : file);
    eg_sys(__NR_close, pts);
    return r;
}

/* A container's terminal is a pty mounted over /dev/console, and programs open it
 * again through /dev/stdout.  The machine's own console stays shut. */
static int grant_console(const struct eg_ruleset *ruleset, int dev, uint64_t file)
{
    long console = eg_sys(__NR_openat, dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (console < 0) return 0;
    int r = is_devpts((int)console) ? eg_ruleset_grant(ruleset, (int)console, file) : 0;
    eg_sys(__NR_close, console);
    return r;
}

/* Granted by the functions above. */
static bool is_special(const char *name)
{
    return eg_str_equal(eg_str(name), EG_STR("pts")) ||
           eg_str_equal(eg_str(name), EG_STR("console"));
}

static int grant_devices(const struct eg_ruleset *ruleset, uint64_t tree, uint64_t file,
                         bool sentinel)
{
    static const char *const devices[] = {
#define F(name) name,
#include "table/devices.def"
    };
    static const char *const folders[] = {
#define T(name) name,
#include "table/devices.def"
    };
    long dev = eg_sys(__NR_openat, AT_FDCWD, "/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (eg_ruleset_passes_over(dev)) return 0;
    if (dev < 0) return eg_guard_fail(ruleset->error, EG_LAYER_DOMAIN, "open of /dev", dev);
    int r = grant_terminals(ruleset, (int)dev, file, sentinel);
    if (r == 0) r = grant_console(ruleset, (int)dev, file);
    for (size_t i = 0; r == 0 && i < sizeof(devices) / sizeof(devices[0]); i++)
        if (!is_special(devices[i])) r = eg_ruleset_grant_at(ruleset, (int)dev, devices[i], file);
    for (size_t i = 0; r == 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
        if (!is_special(folders[i])) r = eg_ruleset_grant_at(ruleset, (int)dev, folders[i], tree);
    eg_sys(__NR_close, dev);
    return r;
}

/* Can this process, and what it starts, never become root or get a capability? */
static bool is_powerless(const struct eg_blob *blob)
{
    uint32_t uid[3] = { 0, 0, 0 };
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
    if (!(blob->flags & EG_BLOB_NO_NEW_PRIVS)) return false;
    if (eg_sys(__NR_getresuid, &uid[0], &uid[1], &uid[2]) < 0) return false;
    if (uid[0] == 0 || uid[1] == 0 || uid[2] == 0) return false;
    if (eg_sys(__NR_capget, &header, data) < 0) return false;
    return data[0].permitted == 0 && data[1].permitted == 0;
}

/* root's, and writable by nobody else?  A symlink is not looked through. */
static bool is_roots_alone(const char *path)
{
    struct statx st;
    long r = eg_sys(__NR_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                    STATX_TYPE | STATX_MODE | STATX_UID, &st);
    /* What is not there cannot be made in a folder that is root's alone. */
    if (r == -ENOENT) return true;
    return r == 0 && st.stx_uid == 0 && !(st.stx_mode & 022) && !S_ISLNK(st.stx_mode);
}

/* Are the first n bytes of path a folder above this file too? */
static bool is_above(struct eg_str file, struct eg_str path, size_t n)
{
    return n < file.n && file.p[n] == '/' && __builtin_memcmp(file.p, path.p, n) == 0;
}

/* Is the file, and each folder above it, protected by its permissions?  Those
 * above `known` are, as was found a moment ago. */
static bool is_out_of_reach(struct eg_walk *tree, struct eg_str path, struct eg_str known)
{
    if (path.n >= sizeof(tree->path)) return false;
    __builtin_memcpy(tree->path, path.p, path.n);
    tree->path[path.n] = '\0';
    for (size_t n = path.n; n > 0; n--) {
        if (n < path.n && path.p[n] != '/') continue;
        if (n < path.n && is_above(known, path, n)) return true;
        tree->path[n] = '\0';
        if (!is_roots_alone(tree->path)) return false;
    }
    return known.n || is_roots_alone("/");
}

/* Guard files that need no exception: for a worker that is powerless, those that
 * only root can write.  It saves reading the folders above them, /etc for one,
 * and keeps those folders whole. */
static void find_harmless(struct eg_walk *tree)
{
    const uint32_t *files = eg_blob_section(tree->blob, EG_SECTION_GUARD_FILES);
    struct eg_str known = { NULL, 0 };
    if (!is_powerless(tree->blob)) return;
    for (uint32_t i = 0; i < eg_blob_count(tree->blob, EG_SECTION_GUARD_FILES); i++) {
        struct eg_str path = eg_blob_str(tree->blob, files[i]);
        if (i >= 8 * sizeof(tree->harmless) || !is_out_of_reach(tree, path, known)) continue;
        tree->harmless[i / 32] |= 1u << (i % 32);
        known = path;
    }
    tree->path[0] = '\0';
}

static int grant_everything(struct eg_walk *tree)
{
    long root = eg_sys(__NR_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return eg_guard_fail(tree->ruleset->error, EG_LAYER_DOMAIN, "open of /", root);
    int r = eg_walk_grant(tree, (int)root, 0, EG_DT_DIR);
    eg_sys(__NR_close, root);
    return r;
}

static int grant_trees(struct eg_walk *tree, uint64_t rights, uint64_t build)
{
    const struct eg_blob_tree *trees = eg_blob_section(tree->blob, EG_SECTION_WRITE_TREES);
    for (uint32_t i = 0; i < eg_blob_count(tree->blob, EG_SECTION_WRITE_TREES); i++) {
        tree->rights = trees[i].flags & EG_TREE_BUILD ? rights | build : rights;
        if (tree->rights == 0) continue;
        int r = eg_walk_expand(tree, eg_blob_str(tree->blob, trees[i].pattern));
        if (r < 0) return r;
    }
    return 0;
}

static void begin(struct eg_walk *ret, const struct eg_ruleset *ruleset, const struct eg_blob *blob)
{
    ret->ruleset = ruleset;
    ret->blob = blob;
    ret->rights = 0;
    ret->spare_uploads = false;
    ret->depth = 0;
    ret->reads = 0;
    for (size_t i = 0; i < sizeof(ret->harmless) / sizeof(ret->harmless[0]); i++)
        ret->harmless[i] = 0;
    ret->path[0] = '\0';
}

int eg_guard_grant_writes(const struct eg_ruleset *ruleset, const struct eg_guard_plan *plan)
{
    const struct eg_blob *blob = plan->blob;
    /* Nobody makes device nodes: one of a disk, made anywhere, is the disk. */
    uint64_t rights =
        eg_ruleset_all_rights & ~eg_ruleset_device_rights & ~(uint64_t)EG_LANDLOCK_EXECUTE;
    struct eg_walk tree;
    int r = grant_devices(ruleset, rights, rights & eg_ruleset_file_rights,
                          eg_guard_has_step_two(plan));
    if (r < 0) return r;
    begin(&tree, ruleset, blob);
    tree.spare_uploads = plan->supervised;
    find_harmless(&tree);
    if (!(blob->flags & EG_BLOB_WRITE_FREE)) return grant_trees(&tree, rights, EG_LANDLOCK_EXECUTE);
    tree.rights = rights;
    return grant_everything(&tree);
}

int eg_guard_each_writable(const struct eg_guard_plan *plan, eg_guard_visit visit, void *context,
                           struct eg_guard_error *ret_error)
{
    const struct eg_ruleset ruleset = { -1, 0, ret_error, visit, context };
    return eg_guard_grant_writes(&ruleset, plan);
}

int eg_guard_grant_build_trees(const struct eg_ruleset *ruleset, const struct eg_blob *blob)
{
    struct eg_walk tree;
    if (blob->flags & EG_BLOB_WRITE_FREE) return 0;
    begin(&tree, ruleset, blob);
    return grant_trees(&tree, 0, EG_LANDLOCK_EXECUTE);
}
