// SPDX-License-Identifier: MIT
/* Copy, freeze, resolve, decide: everything that precedes an exec.
 *
 * The result is what execve(2) will get; nobody looks at the caller's path
 * again.  A name that leads nowhere fails as it would without us and is no
 * event: nothing could have run. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "base/sys.h"
#include "shim/shim.h"

#define AT_EXECVE_CHECK_FLAG 0x10000

/* Copy a path; -ENAMETOOLONG as the kernel. */
static int freeze_path(char ret[EG_PATH_MAX], const char *path)
{
    struct eg_str s = { path, eg_strnlen(path, EG_PATH_MAX) };
    if (s.n >= EG_PATH_MAX) return -ENAMETOOLONG;
    struct eg_buf b = eg_buf_over(ret, EG_PATH_MAX);
    eg_buf_str(&b, s);
    eg_buf_cstr(&b);
    return 0;
}

/* Copy the arguments when they are few and short, else keep the caller's. */
static void freeze_arguments(struct eg_image *image, const char *const *argv)
{
    struct eg_buf b = eg_buf_over(image->bytes, sizeof(image->bytes));
    size_t n = 0;
    image->argv = argv;
    image->line = false;
    if (!argv) return;
    for (; argv[n]; n++) {
        if (n + 1 >= EG_FROZEN_ARGS) return;
        image->arguments[n] = image->bytes + b.n;
        eg_buf_add(&b, argv[n]);
        eg_buf_byte(&b, '\0');
        if (b.truncated) return;
    }
    image->arguments[n] = NULL;
    image->argv = image->arguments;
}

/* A descriptor is executed through its name in /proc: the guard's filter
 * answers ENOSYS to an execveat(2) without a path, since no layer could see
 * which file it means. */
static void name_descriptor(struct eg_image *image)
{
    struct eg_buf b = eg_buf_over(image->spelled, EG_PATH_MAX);
    eg_buf_add(&b, "/proc/self/fd/");
    eg_buf_u64(&b, (uint64_t)(uint32_t)image->dirfd);
    eg_buf_cstr(&b);
    image->dirfd = AT_FDCWD;
}

static bool closes_on_exec(int fd)
{
    return eg_sys(__NR_fcntl, fd, F_GETFD, 0) == FD_CLOEXEC;
}

bool eg_image_is_script(const struct eg_image *image)
{
    char line[256];
    struct eg_str interpreter;
    struct eg_str argument;
    long fd = eg_sys(__NR_openat, image->dirfd, image->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0) return false;
    int r = eg_resolve_shebang((int)fd, line, &interpreter, &argument);
    eg_sys(__NR_close, fd);
    return r == 1;
}

/* What the kernel would say before it looks at rules. */
static int runnable(const struct eg_target *target, int error)
{
    if (!target->found) return error ? error : -ENOENT;
    if ((target->id.mode & S_IFMT) != S_IFREG) return -EACCES;
    if (!(target->id.mode & 0111)) return -EACCES;
    return 0;
}

int eg_image_prepare(struct eg_image *image, const struct eg_call *call, int dirfd,
                     const char *path, const char *const *argv, const char *const *envp, int flags)
{
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_EXECVE_CHECK_FLAG)) return -EINVAL;
    if (!path) return -EFAULT;
    int r = freeze_path(image->spelled, path);
    if (r) return r;
    freeze_arguments(image, argv);
    bool itself = image->spelled[0] == '\0' && (flags & AT_EMPTY_PATH);
    if (image->spelled[0] == '\0' && !itself) return -ENOENT;
    image->path = image->spelled;
    image->dirfd = dirfd;
    image->flags = flags & ~AT_EMPTY_PATH;

    enum eg_phase phase = eg_shim_enter();
    if (phase == EG_PHASE_STARTING) return -EACCES;
    if (phase == EG_PHASE_INERT) {
        image->flags = flags;
        return 0;
    }
    int error = 0;
    r = eg_resolve_file(dirfd, image->spelled, flags, image->canonical, &image->target, &error);
    if (r) return r;
    r = runnable(&image->target, error);
    if (r) return r;
    if (itself) {
        name_descriptor(image);
        /* The interpreter would find the descriptor closed: execveat(2), BUGS. */
        if (closes_on_exec(dirfd) && eg_image_is_script(image)) return -ENOENT;
    }
    return eg_shim_judge(call, image, envp);
}

int eg_image_search(struct eg_image *image, const struct eg_call *call, struct eg_str search,
                    const char *file, const char *const *argv, const char *const *envp)
{
    if (!file) return -EFAULT;
    enum eg_phase phase = eg_shim_enter();
    if (phase == EG_PHASE_STARTING) return -EACCES;
    freeze_arguments(image, argv);
    image->path = image->spelled;
    image->dirfd = AT_FDCWD;
    image->flags = 0;
    int r =
        eg_resolve_search(search, eg_str(file), image->spelled, image->canonical, &image->target);
    if (r || phase == EG_PHASE_INERT) return r;
    return eg_shim_judge(call, image, envp);
}

int eg_image_shell(struct eg_image *image, const struct eg_call *call, const char *line,
                   const char *const *envp)
{
    const char *const argv[] = { "sh", "-c", line, NULL };
    int r = eg_image_prepare(image, call, AT_FDCWD, "/bin/sh", argv, envp, 0);
    bool rewritten = r == 0 && (image->line || image->path != image->spelled);
    if (r || rewritten) return r;
    /* A line too long to be frozen stays the caller's, but the vector must
     * outlive this function. */
    image->arguments[0] = "sh";
    image->arguments[1] = "-c";
    if (image->argv != image->arguments) image->arguments[2] = line;
    image->arguments[3] = NULL;
    image->argv = image->arguments;
    return r;
}
