// SPDX-License-Identifier: MIT
/* What a shell does between reading a line and executing its program.  Runs in
 * vfork children: no memory of its own, little stack. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "base/sys.h"
#include "shim/rewrite.h"

#define STDERR          2
#define STATUS_REDIRECT 2
#define STATUS_REFUSED  126
#define STATUS_MISSING  127

/* ---- messages, in dash's words ---- */

static void say(const struct eg_image *image, const char *before, const char *name,
                const char *after)
{
    char memory[512];
    struct eg_buf b = eg_buf_over(memory, sizeof(memory) - 1);
    eg_buf_add(&b, image->zero);
    eg_buf_add(&b, ": 1: ");
    eg_buf_add(&b, before);
    eg_buf_add(&b, name);
    eg_buf_add(&b, after);
    memory[b.n] = '\n';
    eg_sys(__NR_write, STDERR, memory, b.n + 1);
}

static const char *error_text(int error, bool creates)
{
    switch (error) {
    case -ENOENT:
    case -ENOTDIR: return creates ? "Directory nonexistent" : "No such file";
    case -EACCES: return "Permission denied";
    case -EISDIR: return "Is a directory";
    case -EROFS: return "Read-only file system";
    case -EMFILE: return "Too many open files";
    case -EBADF: return "Bad file descriptor";
    case -ENXIO: return "No such device or address";
    case -ENOEXEC: return "Exec format error";
    case -E2BIG: return "Argument list too long";
    case -ENOMEM: return "Out of memory";
    case -ETXTBSY: return "Text file busy";
    case -EIO: return "I/O error";
    default: return "cannot be done";
    }
}

/* ---- redirections ---- */

int eg_rewrite_flags(unsigned kind)
{
    static const int flags[] = {
        [EG_REDIRECT_READ] = O_RDONLY,
        [EG_REDIRECT_WRITE] = O_WRONLY | O_CREAT | O_TRUNC,
        [EG_REDIRECT_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
        [EG_REDIRECT_READ_WRITE] = O_RDWR | O_CREAT,
    };
    return flags[kind];
}

static long open_target(const struct eg_image_redirect *redirect)
{
    for (;;) {
        long fd = eg_sys(__NR_openat, AT_FDCWD, redirect->path, eg_rewrite_flags(redirect->kind),
                         EG_REDIRECT_MODE);
        if (fd != -EINTR) return fd;
    }
}

/* Put an open descriptor where it belongs. */
static long place(long fd, int to)
{
    if (fd == to) return 0;
    long r = eg_sys(__NR_dup3, fd, to, 0);
    eg_sys(__NR_close, fd);
    return r;
}

static long apply(const struct eg_image_redirect *redirect)
{
    switch ((enum eg_redirect_kind)redirect->kind) {
    case EG_REDIRECT_CLOSE: eg_sys(__NR_close, redirect->fd); return 0;
    case EG_REDIRECT_DUPLICATE:
        if (redirect->from == redirect->fd) return 0;
        return eg_sys(__NR_dup3, redirect->from, redirect->fd, 0);
    case EG_REDIRECT_READ:
    case EG_REDIRECT_WRITE:
    case EG_REDIRECT_APPEND:
    case EG_REDIRECT_READ_WRITE: break;
    }
    long fd = open_target(redirect);
    return fd < 0 ? fd : place(fd, redirect->fd);
}

/* dash writes to what is standard error by then, and has closed that before it
 * duplicates another onto it. */
static void say_redirect(const struct eg_image *image, const struct eg_image_redirect *redirect,
                         int error)
{
    char text[64];
    char number[] = { (char)('0' + redirect->from), '\0' };
    struct eg_buf after = eg_buf_over(text, sizeof(text));
    bool reads = redirect->kind == EG_REDIRECT_READ;
    eg_buf_add(&after, ": ");
    eg_buf_add(&after, error_text(error, !reads && redirect->path));
    if (redirect->path)
        say(image, reads ? "cannot open " : "cannot create ", redirect->path, eg_buf_cstr(&after));
    else if (redirect->fd != STDERR)
        say(image, "", number, eg_buf_cstr(&after));
}

int eg_rewrite_redirect(const struct eg_image *image)
{
    for (uint32_t i = 0; i < image->redirect_count; i++) {
        long r = apply(&image->redirects[i]);
        if (r >= 0) continue;
        say_redirect(image, &image->redirects[i], (int)r);
        return image->dash ? STATUS_REDIRECT : 1;
    }
    return 0;
}

int eg_rewrite_failed(const struct eg_image *image, int error)
{
    bool missing =
        error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -ENAMETOOLONG;
    char text[64];
    struct eg_buf after = eg_buf_over(text, sizeof(text));
    eg_buf_add(&after, ": ");
    eg_buf_add(&after, missing ? "not found" : error_text(error, false));
    say(image, image->exec_prefix ? "exec: " : "", image->argv[0], eg_buf_cstr(&after));
    return missing ? STATUS_MISSING : STATUS_REFUSED;
}

int eg_rewrite_wait_status(bool waits, int status)
{
    int signal = status & 0x7f;
    return waits && signal && signal != 0x7f ? (128 + signal) << 8 : status;
}

/* ---- environment ---- */

static struct eg_str name_of(const char *entry)
{
    struct eg_str s = eg_str(entry);
    return (struct eg_str){ s.p, eg_str_find(s, '=') };
}

static bool is_valid(const char *entry)
{
    struct eg_str name = name_of(entry);
    if (!name.n || entry[name.n] != '=' || (entry[0] >= '0' && entry[0] <= '9')) return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool good =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!good) return false;
    }
    return true;
}

static size_t find(const char *const *array, size_t n, struct eg_str name)
{
    for (size_t i = 0; i < n; i++)
        if (eg_str_equal(name_of(array[i]), name)) return i;
    return n;
}

/* Does PWD name the working directory?  The shell keeps it then, symbolic links
 * and all. */
static bool names_directory(struct eg_str pwd)
{
    struct eg_target here;
    struct eg_target there;
    char path[EG_PATH_MAX];
    if (!pwd.n || pwd.p[0] != '/') return false;
    return eg_resolve_file(AT_FDCWD, pwd.p, 0, path, &there, NULL) == 0 && there.found &&
           eg_resolve_file(AT_FDCWD, ".", 0, path, &here, NULL) == 0 && here.found &&
           eg_identity_same_inode(&here.id, &there.id);
}

/* "PWD=" and the directory's name in the image's own memory, where there is
 * room; a deeper directory goes without. */
static const char *new_pwd(struct eg_image *image)
{
    char path[EG_PATH_MAX];
    struct eg_str cwd = eg_resolve_cwd(path);
    struct eg_buf b = eg_buf_over(image->bytes, sizeof(image->bytes));
    const char *ret = image->bytes + image->bytes_used;
    b.n = image->bytes_used;
    if (!cwd.n) return NULL;
    eg_buf_add(&b, "PWD=");
    eg_buf_str(&b, cwd);
    eg_buf_byte(&b, '\0');
    if (b.truncated) return NULL;
    image->bytes_used = b.n;
    return ret;
}

static int reserve(struct eg_environment *ret, size_t entries, const char ***ret_array)
{
    *ret_array = ret->map ? ret->map : ret->array;
    if (entries * sizeof(char *) <= (ret->map ? ret->map_size : sizeof(ret->array))) return 0;
    size_t size = entries * sizeof(char *);
    long map =
        eg_sys(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map >= -4095 && map <= 0) return -ENOMEM;
    *ret_array = (const char **)map;
    return 0;
}

int eg_rewrite_environment(const struct eg_call *call, struct eg_image *image,
                           struct eg_environment *ret)
{
    const char **array;
    size_t count = eg_shim_count(ret->envp);
    size_t n = 0;
    const char *pwd = NULL;
    if (!image->line) return 0;
    /* Where file actions run, the child's directory is not known here. */
    if (!call->spawns && !names_directory(eg_environment_get(ret->envp, EG_STR("PWD"))))
        pwd = new_pwd(image);
    int r = reserve(ret, count + image->assignment_count + 2, &array);
    if (r) return r;
    for (size_t i = 0; i < count && ret->envp[i]; i++)
        if (is_valid(ret->envp[i])) array[n++] = ret->envp[i];
    for (uint32_t i = 0; i < image->assignment_count + 1; i++) {
        const char *entry = i ? image->assignments[i - 1] : pwd;
        if (!entry) continue;
        size_t at = find(array, n, name_of(entry));
        array[at] = entry;
        if (at == n) n++;
    }
    array[n] = NULL;
    if (array != ret->array && array != ret->map) {
        void *old = ret->map;
        if (old) eg_sys(__NR_munmap, old, ret->map_size);
        ret->map = array;
        ret->map_size = (count + image->assignment_count + 2) * sizeof(char *);
    }
    ret->envp = array;
    return 0;
}
