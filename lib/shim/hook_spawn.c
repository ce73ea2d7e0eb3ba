// SPDX-License-Identifier: MIT
/* posix_spawn and its relatives: judged here, done by libc, which alone can
 * read the file actions. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "base/sys.h"
#include "shim/hooks.h"

typedef int spawn_function(int *pid, const char *path, const void *actions, const void *attributes,
                           char *const argv[], char *const envp[]);

struct spawn {
    struct eg_call call;
    enum eg_next next;
    bool search;
    int *pid; /* or pidfd */
    const char *file;
    const void *actions;
    const void *attributes;
    char *const *argv;
    char *const *envp;
};

/* File actions may change the child's directory and descriptors before its
 * exec, so what a path means there cannot be known from here: only an absolute
 * one will do, and instead of its symlinks (one may lead through /proc/self/fd)
 * the canonical name.  A script keeps its spelling: it reads $0. */
static int pin(struct eg_image *image, const struct eg_call *call)
{
    struct eg_str spelled = eg_str(image->path);
    bool moves = !eg_str_starts(spelled, EG_STR("/")) || eg_str_starts(spelled, EG_STR("/proc/")) ||
                 eg_str_starts(spelled, EG_STR("/dev/"));
    if (moves)
        return eg_shim_refuse(call, EG_KIND_EXEC, EG_REASON_RELATIVE_SPAWN, image->target.path,
                              (struct eg_str){ NULL, 0 }, (struct eg_str){ NULL, 0 });
    if (image->target.path.p == image->canonical && image->canonical[0] == '/' &&
        !eg_str_equal(image->target.path, spelled) && !eg_image_is_script(image))
        image->path = image->canonical;
    return 0;
}

static __attribute__((noinline)) int call_next(const struct spawn *spawn, struct eg_image *image)
{
    spawn_function *next = (spawn_function *)eg_next_find(spawn->next);
    struct eg_environment environment;
    if (!next) return -ENOSYS;
    int r =
        eg_execute_environment(&spawn->call, image, (const char *const *)spawn->envp, &environment);
    if (r) return r;
    r = -next(spawn->pid, image->path, spawn->actions, spawn->attributes,
              (char *const *)image->argv, (char *const *)environment.envp);
    eg_environment_done(&environment);
    if (r == -EACCES) eg_shim_explain_refusal(&spawn->call, &image->target);
    return r;
}

static __attribute__((noinline)) int run(const struct spawn *spawn)
{
    struct eg_image image;
    const char *const *argv = (const char *const *)spawn->argv;
    const char *const *envp = (const char *const *)spawn->envp;
    struct eg_str file = eg_str(spawn->file);
    int r;
    if (spawn->search && eg_str_find(file, '/') == file.n)
        r = eg_image_search(&image, &spawn->call, eg_environment_path(EG_ENVIRON), spawn->file,
                            argv, envp);
    else
        r = eg_image_prepare(&image, &spawn->call, AT_FDCWD, spawn->file, argv, envp, 0);
    if (r == 0 && spawn->actions && eg_shim_enter() == EG_PHASE_READY)
        r = pin(&image, &spawn->call);
    return r ? r : call_next(spawn, &image);
}

/* These functions return the error number and leave errno alone. */
#define SPAWN(function, next_function, searches)                                                   \
    int function(int *pid, const char *file, const void *actions, const void *attributes,          \
                 char *const argv[], char *const envp[])                                           \
    {                                                                                              \
        struct spawn spawn = { { .name = #function, .spawns = true },                              \
                               EG_NEXT_##next_function,                                            \
                               searches,                                                           \
                               pid,                                                                \
                               file,                                                               \
                               actions,                                                            \
                               attributes,                                                         \
                               argv,                                                               \
                               envp };                                                             \
        int saved = *__errno_location();                                                           \
        int r = run(&spawn);                                                                       \
        *__errno_location() = saved;                                                               \
        return -r;                                                                                 \
    }

SPAWN(posix_spawn, posix_spawn, false)
/* The search is done here, so its result goes to the function without one. */
SPAWN(posix_spawnp, posix_spawn, true)
SPAWN(pidfd_spawn, pidfd_spawn, false)
SPAWN(pidfd_spawnp, pidfd_spawn, true)
