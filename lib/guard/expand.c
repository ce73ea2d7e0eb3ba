// SPDX-License-Identifier: MIT
/* Finds the places that a write rule's pattern names at this moment: Landlock
 * knows inodes, not globs.
 *
 * What stands before the first glob character was written by whoever wrote the
 * policy, and symlinks in it are followed.  What a glob finds may belong to an
 * attacker: from there on no symlink is. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "base/buf.h"
#include "decide/decide.h"
#include "guard/parts.h"

static bool is_glob(struct eg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '*' || s.p[i] == '?' || s.p[i] == '[' || s.p[i] == '\\') return true;
    return false;
}

static bool crosses_folders(struct eg_str component)
{
    for (size_t i = 0; i + 1 < component.n; i++)
        if (component.p[i] == '*' && component.p[i + 1] == '*') return true;
    return false;
}

static bool is_folder(int fd)
{
    long folder = eg_sys(__NR_openat, fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) eg_sys(__NR_close, folder);
    /* A folder that cannot be entered is one all the same. */
    return folder != -ENOTDIR;
}

static int expand(struct eg_walk *tree, int fd, size_t n, struct eg_str rest);

struct step {
    size_t n;                /* of tree->path: the folder */
    struct eg_str component; /* what its entries must match; empty: any folder */
    struct eg_str rest;      /* how it goes on in what matched */
};

static int enter(struct eg_walk *tree, int fd, const char *name, size_t length,
                 const struct step *step)
{
    size_t inner = eg_walk_enter(tree, step->n, name, length);
    if (inner == 0) return 0;
    long at = eg_sys(__NR_openat, fd, tree->path + step->n + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int r = 0;
    if (at >= 0) {
        bool is_last = step->component.n && step->rest.n == 0;
        /* `*` ends at a slash: a folder that it finds is not what lies in it. */
        if (!is_last || !is_glob(step->component) || crosses_folders(step->component) ||
            !is_folder((int)at))
            r = expand(tree, (int)at, inner, step->rest);
        eg_sys(__NR_close, at);
    } else if (!eg_ruleset_passes_over(at)) {
        r = eg_guard_fail(tree->ruleset->error, EG_LAYER_DOMAIN, "open", at);
    }
    tree->path[step->n] = '\0';
    return r;
}

static int enter_matching(struct eg_walk *tree, int fd, const struct eg_walk_entry *entry,
                          const void *context)
{
    const struct step *step = context;
    if (step->component.n == 0) {
        if (entry->type != EG_DT_DIR && entry->type != EG_DT_UNKNOWN) return 0;
    } else if (!eg_glob_match(step->component, (struct eg_str){ entry->name, entry->length })) {
        return 0;
    }
    return enter(tree, fd, entry->name, entry->length, step);
}

/* The pattern's remaining components in the place that fd names. */
static int expand(struct eg_walk *tree, int fd, size_t n, struct eg_str rest)
{
    while (rest.n && rest.p[0] == '/') rest = eg_str_skip(rest, 1);
    if (rest.n == 0) return eg_walk_grant(tree, fd, n, EG_DT_UNKNOWN);
    struct eg_str component = { rest.p, eg_str_find(rest, '/') };
    struct eg_str behind = eg_str_skip(rest, component.n);
    while (behind.n && behind.p[0] == '/') behind = eg_str_skip(behind, 1);
    struct step step = { n, component, behind };

    if (eg_str_equal(component, EG_STR("**"))) {
        int r = expand(tree, fd, n, behind);
        if (r != 0 || behind.n == 0) return r;
        step = (struct step){ n, { NULL, 0 }, rest };
        return eg_walk_each(tree, fd, enter_matching, &step);
    }
    if (!is_glob(component)) return enter(tree, fd, component.p, component.n, &step);
    return eg_walk_each(tree, fd, enter_matching, &step);
}

/* The kernel's own name of what fd names, into tree->path; its length, or 0 for
 * the root and SIZE_MAX when there is none (no /proc). */
static size_t name_place(struct eg_walk *tree, int fd)
{
    char memory[32];
    struct eg_buf link = eg_buf_over(memory, sizeof(memory));
    eg_buf_add(&link, "/proc/self/fd/");
    eg_buf_u64(&link, (uint64_t)fd);
    long n =
        eg_sys(__NR_readlinkat, AT_FDCWD, eg_buf_cstr(&link), tree->path, sizeof(tree->path) - 1);
    if (n <= 0 || tree->path[0] != '/') return SIZE_MAX;
    if (n == 1) n = 0;
    tree->path[n] = '\0';
    return (size_t)n;
}

int eg_walk_expand(struct eg_walk *tree, struct eg_str pattern)
{
    if (pattern.n == 0 || pattern.n >= sizeof(tree->path) || pattern.p[0] != '/') return 0;
    size_t n = 0;
    while (n < pattern.n && !is_glob((struct eg_str){ pattern.p + n, 1 })) n++;
    if (n < pattern.n)
        while (pattern.p[n] != '/') n--;
    __builtin_memcpy(tree->path, pattern.p, n);
    tree->path[n] = '\0';
    long fd = eg_sys(__NR_openat, AT_FDCWD, n ? tree->path : "/", O_PATH | O_CLOEXEC);
    if (eg_ruleset_passes_over(fd)) return 0;
    if (fd < 0) return eg_guard_fail(tree->ruleset->error, EG_LAYER_DOMAIN, "open", fd);
    size_t named = name_place(tree, (int)fd);
    /* Without a name nobody can tell whether the guard's own files lie in it. */
    int r = named == SIZE_MAX ? 0 : expand(tree, (int)fd, named, eg_str_skip(pattern, n));
    eg_sys(__NR_close, fd);
    return r;
}
