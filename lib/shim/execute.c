// SPDX-License-Identifier: MIT
/* Replaces this process by a judged image. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "base/sys.h"
#include "shim/rewrite.h"

static long raw_exec(const struct eg_image *image, const char *const *envp)
{
    if (image->dirfd == AT_FDCWD && image->flags == 0)
        return eg_sys(__NR_execve, image->path, image->argv, envp);
    return eg_sys(__NR_execveat, image->dirfd, image->path, image->argv, envp, image->flags);
}

int eg_execute_environment(const struct eg_call *call, struct eg_image *image,
                           const char *const *envp, struct eg_environment *ret)
{
    if (eg_shim_enter() != EG_PHASE_READY) {
        ret->envp = envp;
        ret->map = NULL;
        return 0;
    }
    int r = eg_environment_make(envp, &image->target, ret);
    if (r == 0 && ret->dropped) {
        struct eg_str entry = eg_str(ret->dropped);
        entry.n = eg_str_find(entry, '=');
        eg_shim_refuse(call, EG_KIND_ENV, EG_REASON_LOADER_VARIABLE, image->target.path,
                       (struct eg_str){ NULL, 0 }, entry);
    }
    if (r == 0) r = eg_rewrite_environment(call, image, ret);
    return r;
}

/* A line's program takes the place that its shell was to have here: from the
 * first redirection on there is no way back to the caller. */
static void exec_line(const struct eg_call *call, const struct eg_image *image,
                      const char *const *envp)
{
    int status = eg_rewrite_redirect(image);
    int error = image->missing;
    if (!status && !error) error = (int)raw_exec(image, envp);
    if (!status && error == -EACCES) eg_shim_explain_refusal(call, &image->target);
    if (!status) status = eg_rewrite_failed(image, error);
    for (;;) eg_sys(__NR_exit_group, status);
}

__attribute__((noinline)) int eg_execute(const struct eg_call *call, struct eg_image *image,
                                         const char *const *envp)
{
    struct eg_environment environment;
    int r = eg_execute_environment(call, image, envp, &environment);
    if (r == 0) {
        if (image->line) exec_line(call, image, environment.envp);
        r = (int)raw_exec(image, environment.envp);
        if (r == -EACCES) eg_shim_explain_refusal(call, &image->target);
        eg_environment_done(&environment);
    }
    return r;
}

__attribute__((noinline)) int eg_execute_path(const struct eg_call *call, int dirfd,
                                              const char *path, const char *const *argv,
                                              const char *const *envp, int flags)
{
    struct eg_image image;
    int r = eg_image_prepare(&image, call, dirfd, path, argv, envp, flags);
    return r ? r : eg_execute(call, &image, envp);
}

/* One element of the search; ret_script is set when the kernel said ENOEXEC. */
static __attribute__((noinline)) int try_element(const struct eg_call *call, struct eg_str element,
                                                 const char *file, const char *const *argv,
                                                 const char *const *envp, bool *ret_judged,
                                                 char ret_script[EG_PATH_MAX])
{
    struct eg_image image;
    *ret_judged = false;
    image.target.found = false;
    int r = eg_image_search(&image, call, element, file, argv, envp);
    if (r == -EACCES && image.target.found) *ret_judged = true;
    if (r == 0) r = eg_execute(call, &image, envp);
    if (r == -ENOEXEC) {
        struct eg_buf b = eg_buf_over(ret_script, EG_PATH_MAX);
        eg_buf_add(&b, image.spelled);
        eg_buf_cstr(&b);
    }
    return r;
}

#define SCRIPT_ARGS 128u

/* glibc runs what the kernel calls no executable as a script of /bin/sh. */
static __attribute__((noinline)) int run_script(const struct eg_call *call, const char *script,
                                                const char *const *argv, const char *const *envp)
{
    const char *small[SCRIPT_ARGS];
    const char **vector = small;
    size_t argc = eg_shim_count(argv);
    size_t size = (argc + 3) * sizeof(char *);
    bool mapped = argc + 3 > SCRIPT_ARGS;
    if (mapped) {
        long map =
            eg_sys(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map >= -4095 && map <= 0) return -ENOMEM;
        vector = (const char **)map;
    }
    size_t n = 0;
    vector[n++] = "/bin/sh";
    vector[n++] = script;
    for (size_t i = 1; i < argc; i++) vector[n++] = argv[i];
    vector[n] = NULL;
    int r = eg_execute_path(call, AT_FDCWD, "/bin/sh", vector, envp, 0);
    if (mapped) eg_sys(__NR_munmap, vector, size);
    return r;
}

/* Errors after which execvp(3) of both libcs looks at the next element. */
static bool goes_on(int error)
{
    switch (error) {
    case -ENOENT:
    case -ENOTDIR:
    case -EACCES: return true;
    case -ESTALE:
    case -ENODEV:
    case -ETIMEDOUT: return EG_GLIBC;
    default: return false;
    }
}

int eg_execute_search(const struct eg_call *call, const char *file, const char *const *argv,
                      const char *const *envp)
{
    char script[EG_PATH_MAX];
    if (!file) return -EFAULT;
    if (file[0] == '\0') return -ENOENT;
    enum eg_phase phase = eg_shim_enter();
    if (phase == EG_PHASE_STARTING) return -EACCES;
    struct eg_str name = eg_str(file);
    if (eg_str_find(name, '/') < name.n) {
        int r = eg_execute_path(call, AT_FDCWD, file, argv, envp, 0);
        return r == -ENOEXEC && EG_GLIBC ? run_script(call, file, argv, envp) : r;
    }
    struct eg_str search = eg_environment_path(EG_ENVIRON);
    bool refused = false;
    int r = -ENOENT;
    for (bool last = false; !last;) {
        size_t colon = eg_str_find(search, ':');
        struct eg_str element = { search.p, colon };
        bool judged = false;
        last = colon == search.n;
        search = eg_str_skip(search, colon + 1);
        r = try_element(call, element, file, argv, envp, &judged, script);
        if (judged) return r;
        if (r == -ENOEXEC && EG_GLIBC) return run_script(call, script, argv, envp);
        if (!goes_on(r)) return r;
        refused = refused || r == -EACCES;
    }
    return refused ? -EACCES : r;
}
