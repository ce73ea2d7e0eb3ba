// SPDX-License-Identifier: MIT
/* The exec family. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <stdarg.h>

#include "base/sys.h"
#include "shim/hooks.h"

#define CALL(function) (&(const struct eg_call){ .name = #function })

static const char *const *vector(char *const *v)
{
    return (const char *const *)v;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    return (int)eg_shim_result(
        eg_execute_path(CALL(execve), AT_FDCWD, path, vector(argv), vector(envp), 0));
}

int execv(const char *path, char *const argv[])
{
    return (int)eg_shim_result(
        eg_execute_path(CALL(execv), AT_FDCWD, path, vector(argv), EG_ENVIRON, 0));
}

int execvp(const char *file, char *const argv[])
{
    return (int)eg_shim_result(eg_execute_search(CALL(execvp), file, vector(argv), EG_ENVIRON));
}

int execvpe(const char *file, char *const argv[], char *const envp[])
{
    return (int)eg_shim_result(eg_execute_search(CALL(execvpe), file, vector(argv), vector(envp)));
}

int __execvpe(const char *file, char *const argv[], char *const envp[])
{
    return (int)eg_shim_result(
        eg_execute_search(CALL(__execvpe), file, vector(argv), vector(envp)));
}

int execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
    return (int)eg_shim_result(
        eg_execute_path(CALL(execveat), dirfd, path, vector(argv), vector(envp), flags));
}

int fexecve(int fd, char *const argv[], char *const envp[])
{
    /* As glibc; musl leaves it to the kernel, which takes NULL vectors. */
    if (fd < 0 || (EG_GLIBC && (!argv || !envp))) return (int)eg_shim_result(-EINVAL);
    return (int)eg_shim_result(
        eg_execute_path(CALL(fexecve), fd, "", vector(argv), vector(envp), AT_EMPTY_PATH));
}

/* ---- execl, execlp, execle: count the arguments, then build argv ---- */

#define LIST_STACK 128u

struct list {
    const char *small[LIST_STACK];
    const char **argv;
    size_t size; /* of the mapping; 0: small */
};

static size_t list_count(const char *first, va_list *arguments)
{
    size_t n = 0;
    for (const char *a = first; a; a = va_arg(*arguments, const char *)) n++;
    return n;
}

static int list_reserve(struct list *list, size_t count)
{
    list->argv = list->small;
    list->size = 0;
    if (count < LIST_STACK) return 0;
    size_t size = (count + 1) * sizeof(char *);
    long map =
        eg_sys(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map >= -4095 && map <= 0) return -E2BIG;
    list->argv = (const char **)map;
    list->size = size;
    return 0;
}

static void list_free(struct list *list)
{
    if (list->size) eg_sys(__NR_munmap, list->argv, list->size);
}

/* Take the words up to the NULL; what follows it is left to the caller.  -errno, or 0: end
 * with list_free. */
static int list_take(struct list *list, const char *first, va_list *arguments)
{
    va_list words;
    size_t n = 0;
    va_copy(words, *arguments);
    int r = list_reserve(list, list_count(first, arguments));
    if (r == 0) {
        for (const char *a = first; a; a = va_arg(words, const char *)) list->argv[n++] = a;
        list->argv[n] = NULL;
    }
    va_end(words);
    return r;
}

int execl(const char *path, const char *arg, ...)
{
    struct list list;
    va_list arguments;
    va_start(arguments, arg);
    int r = list_take(&list, arg, &arguments);
    va_end(arguments);
    if (r) return (int)eg_shim_result(r);
    r = eg_execute_path(CALL(execl), AT_FDCWD, path, list.argv, EG_ENVIRON, 0);
    list_free(&list);
    return (int)eg_shim_result(r);
}

int execlp(const char *file, const char *arg, ...)
{
    struct list list;
    va_list arguments;
    va_start(arguments, arg);
    int r = list_take(&list, arg, &arguments);
    va_end(arguments);
    if (r) return (int)eg_shim_result(r);
    r = eg_execute_search(CALL(execlp), file, list.argv, EG_ENVIRON);
    list_free(&list);
    return (int)eg_shim_result(r);
}

int execle(const char *path, const char *arg, ...)
{
    struct list list;
    va_list arguments;
    va_start(arguments, arg);
    int r = list_take(&list, arg, &arguments);
    const char *const *envp = r ? NULL : va_arg(arguments, const char *const *);
    va_end(arguments);
    if (r) return (int)eg_shim_result(r);
    r = eg_execute_path(CALL(execle), AT_FDCWD, path, list.argv, envp, 0);
    list_free(&list);
    return (int)eg_shim_result(r);
}

/* ---- from syscall(2)'s trampoline ---- */

long eg_hook_execve(const char *path, char *const argv[], char *const envp[])
{
    static const struct eg_call call = { .name = "syscall" };
    return eg_shim_result(eg_execute_path(&call, AT_FDCWD, path, vector(argv), vector(envp), 0));
}

long eg_hook_execveat(int dirfd, const char *path, char *const argv[], char *const envp[],
                      int flags)
{
    static const struct eg_call call = { .name = "syscall" };
    return eg_shim_result(eg_execute_path(&call, dirfd, path, vector(argv), vector(envp), flags));
}

long eg_hook_result(long r)
{
    return r < 0 && r > -4096 ? eg_shim_result(r) : r;
}
