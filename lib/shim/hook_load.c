// SPDX-License-Identifier: MIT
/* dlopen and dlmopen of a file that somebody could have put there.
 *
 * A name with a slash is refused when the file or a folder that leads to it,
 * by its spelling or by its real path, is writable by everybody, when it has no
 * name (memfd, deleted), comes from /proc, or lies in a tree that the worker
 * may write.  A name without a slash is searched for in places that the
 * environment's start and the system chose: it passes. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "base/sys.h"
#include "decide/write.h"
#include "shim/hooks.h"

/* Never a file, and glibc refuses mode 0 besides; dlerror(3) quotes it. */
static const char refused_name[] = "/dev/null/refused by execguard";

static bool anyone_may_write(const struct eg_identity *id)
{
    return (id->mode & S_IFMT) != S_IFLNK && (id->mode & S_IWOTH);
}

static bool writable(const char *path)
{
    struct eg_identity id;
    int error = 0;
    struct eg_target target;
    char canonical[EG_PATH_MAX];
    if (eg_resolve_file(AT_FDCWD, path, 0, canonical, &target, &error)) return true;
    id = target.id;
    /* Nothing there: another thread could put it there if it may write above,
     * which the walk over the folders finds out. */
    return target.found && anyone_may_write(&id);
}

/* The path itself and each folder that it names. */
static __attribute__((noinline)) bool chain_writable(struct eg_str path)
{
    char prefix[EG_PATH_MAX];
    if (path.n >= EG_PATH_MAX) return true;
    for (size_t i = 0; i <= path.n; i++) {
        if (i < path.n && path.p[i] != '/') {
            prefix[i] = path.p[i];
            continue;
        }
        prefix[i] = '\0';
        if (writable(i ? prefix : "/")) return true;
        if (i < path.n) prefix[i] = '/';
    }
    return false;
}

/* What a `build' tree holds may be run, and so loaded. */
static bool in_write_tree(struct eg_str path)
{
    const struct eg_blob_tree *trees = eg_blob_section(eg_shim.blob, EG_SECTION_WRITE_TREES);
    uint32_t tree = eg_decide_tree_of(eg_shim.blob, path);
    return tree != EG_NONE && !(trees[tree].flags & EG_TREE_BUILD);
}

/* The spelling, made absolute. */
static bool make_absolute(const char *file, char buf[EG_PATH_MAX], struct eg_str *ret)
{
    struct eg_str cwd = { buf, 0 };
    if (file[0] != '/') {
        cwd = eg_resolve_cwd(buf);
        if (!cwd.n) return false;
    }
    struct eg_buf b = eg_buf_over(buf, EG_PATH_MAX);
    b.n = cwd.n;
    if (cwd.n > 1) eg_buf_byte(&b, '/');
    eg_buf_add(&b, file);
    *ret = eg_buf_view(&b);
    return !b.truncated;
}

static __attribute__((noinline)) bool suspicious(const char *file, char canonical[EG_PATH_MAX],
                                                 struct eg_str *ret_path)
{
    char buf[EG_PATH_MAX];
    struct eg_str spelled = eg_str(file);
    struct eg_target target;
    int error = 0;
    *ret_path = spelled;
    /* $ORIGIN and its like mean the caller's own folder, which glibc alone
     * knows; the rest of the name could lead anywhere from there. */
    if (EG_GLIBC && eg_str_find(spelled, '$') < spelled.n) return true;
    if (!make_absolute(file, buf, &spelled)) return true;
    if (eg_str_starts(spelled, EG_STR("/proc/"))) return true;
    if (chain_writable(spelled) || in_write_tree(spelled)) return true;
    if (eg_resolve_file(AT_FDCWD, file, 0, canonical, &target, &error)) return true;
    if (!target.found) return false;
    *ret_path = target.path;
    if (!eg_str_starts(target.path, EG_STR("/"))) return true;
    if (eg_str_starts(target.path, EG_STR("/proc/"))) return true;
    if (eg_str_equal(target.path, spelled)) return false;
    struct eg_target again;
    int r = eg_resolve_file(AT_FDCWD, target.path.p, 0, buf, &again, &error);
    if (r || !again.found || !eg_identity_same_inode(&target.id, &again.id)) return true;
    return chain_writable(target.path) || in_write_tree(target.path);
}

static __attribute__((noinline)) bool allowed(const char *function, const char *file)
{
    char canonical[EG_PATH_MAX];
    struct eg_str path;
    struct eg_str name = eg_str(file);
    if (!file || eg_str_find(name, '/') == name.n) return true;
    enum eg_phase phase = eg_shim_enter();
    if (phase != EG_PHASE_READY) return phase == EG_PHASE_INERT;
    if (!suspicious(file, canonical, &path)) return true;
    const struct eg_call call = { .name = function };
    return eg_shim_refuse(&call, EG_KIND_MAP, EG_REASON_WRITABLE_LIBRARY,
                          (struct eg_str){ NULL, 0 }, path, (struct eg_str){ NULL, 0 }) == 0;
}

static eg_function hook(enum eg_next which, const char *name, const char **file, long *mode)
{
    eg_function next = eg_next_find(which);
    int saved = *__errno_location();
    if (next && !allowed(name, *file)) {
        *file = refused_name;
        *mode = 0;
    }
    *__errno_location() = saved;
    return next;
}

eg_function eg_hook_dlopen(const char **file, long *mode)
{
    return hook(EG_NEXT_dlopen, "dlopen", file, mode);
}

eg_function eg_hook_dlmopen(const char **file, long *mode)
{
    return hook(EG_NEXT_dlmopen, "dlmopen", file, mode);
}
