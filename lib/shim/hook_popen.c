// SPDX-License-Identifier: MIT
/* popen(3) and pclose(3) of our own: libc's would start the shell past every
 * hook.
 *
 * The FILE is the program's libc's, made by its fdopen.  What libc keeps in a
 * list behind a lock is a table of atomics here.  Known difference: fclose of
 * such a stream does not wait for the child. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "base/sys.h"
#include "shim/hooks.h"
#include "shim/rewrite.h"

#define STREAMS 256u

/* One open stream.  file NULL: free; &taken: being changed by one thread. */
struct stream {
    void *file; /* atomic */
    long pid;
    int fd;       /* our end, */
    uint64_t ino; /* and the pipe it was then */
    bool waits;   /* a shell would have waited for the command */
};
static struct stream streams[STREAMS];
static const char taken;
#define TAKEN ((void *)&taken)

static bool claim(struct stream *stream, void *expected)
{
    return __atomic_compare_exchange_n(&stream->file, &expected, TAKEN, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static void publish(struct stream *stream, void *file)
{
    __atomic_store_n(&stream->file, file, __ATOMIC_RELEASE);
}

/* A claimed entry for `file`, or NULL. */
static struct stream *claim_any(void *file)
{
    for (size_t i = 0; i < STREAMS; i++)
        if (__atomic_load_n(&streams[i].file, __ATOMIC_RELAXED) == file && claim(&streams[i], file))
            return &streams[i];
    return NULL;
}

static uint64_t pipe_of(int fd)
{
    struct eg_identity id;
    return eg_resolve_identity(fd, &id) == 0 && (id.mode & S_IFMT) == S_IFIFO ? id.ino : 0;
}

void eg_popen_close_streams(void)
{
    for (size_t i = 0; i < STREAMS; i++) {
        void *file = __atomic_load_n(&streams[i].file, __ATOMIC_ACQUIRE);
        if (!file || file == TAKEN) continue;
        /* The program may have closed it by fclose and reused the number. */
        int fd = streams[i].fd;
        if (streams[i].ino && pipe_of(fd) == streams[i].ino) eg_sys(__NR_close, fd);
    }
}

struct mode {
    bool write;
    bool close_on_exec;
};

/* glibc takes r, w and e in any order and nothing else; musl looks at the first
 * byte and for an e. */
static bool parse_mode(const char *text, struct mode *ret)
{
    bool read = false;
    *ret = (struct mode){ 0 };
    for (size_t i = 0; text[i]; i++) {
        char c = text[i];
        if (c == 'e')
            ret->close_on_exec = true;
        else if (c == 'r' && (EG_GLIBC || i == 0))
            read = true;
        else if (c == 'w' && (EG_GLIBC || i == 0))
            ret->write = true;
        else if (EG_GLIBC)
            return false;
    }
    return read != ret->write;
}

typedef void *fdopen_function(int fd, const char *mode);
typedef int file_function(void *file);

static int close_file(void *file)
{
    file_function *next = (file_function *)eg_next_find(EG_NEXT_fclose);
    return next ? next(file) : -1;
}

/* Start the image with one end of a pipe; the other becomes a FILE. */
static __attribute__((noinline)) int start(const struct eg_call *call, struct eg_image *image,
                                           struct mode mode, struct stream *stream, void **ret_file)
{
    struct eg_environment environment;
    int ends[2];
    fdopen_function *next = (fdopen_function *)eg_next_find(EG_NEXT_fdopen);
    if (!next) return -ENOSYS;
    int r = eg_execute_environment(call, image, EG_ENVIRON, &environment);
    if (r) return r;
    r = (int)eg_sys(__NR_pipe2, ends, O_CLOEXEC);
    if (r < 0) {
        eg_environment_done(&environment);
        return r;
    }
    int ours = ends[mode.write];
    struct eg_child child = { .call = call,
                              .image = image,
                              .envp = environment.envp,
                              .from = ends[!mode.write],
                              .to = mode.write ? 0 : 1,
                              .close_streams = true };
    void *file = next(ours, mode.write ? "w" : "r");
    if (!file) {
        r = -ENOMEM;
        eg_sys(__NR_close, ours);
    } else {
        eg_child_block_signals(0, &child.mask);
        long pid = eg_child_start(&child);
        r = pid < 0 ? (int)pid : child.error;
        if (pid > 0 && child.error) {
            int status = 0;
            eg_child_wait(pid, &status);
        }
        if (r < 0) {
            close_file(file);
        } else {
            if (!mode.close_on_exec) eg_sys(__NR_fcntl, ours, F_SETFD, 0);
            stream->pid = pid;
            stream->fd = ours;
            stream->ino = pipe_of(ours);
            stream->waits = image->line && image->waits;
            *ret_file = file;
        }
    }
    eg_sys(__NR_close, child.from);
    eg_environment_done(&environment);
    return r < 0 ? r : 0;
}

static __attribute__((noinline)) int open_stream(const struct eg_call *call, const char *line,
                                                 struct mode mode, void **ret_file)
{
    struct eg_image image;
    int r = eg_image_shell(&image, call, line, EG_ENVIRON);
    if (r) return r;
    struct stream *stream = claim_any(NULL);
    if (!stream) return -EMFILE;
    void *file = NULL;
    r = start(call, &image, mode, stream, &file);
    if (r == 0) {
        /* The same address twice: the earlier stream was closed by fclose. */
        struct stream *stale = claim_any(file);
        if (stale) publish(stale, NULL);
    }
    publish(stream, file);
    *ret_file = file;
    return r;
}

static void *popen_as(const char *name, const char *line, const char *text)
{
    struct eg_call call = { .name = name, .has_line = true, .line = eg_str(line) };
    struct mode mode;
    void *file = NULL;
    int r = line && text ? 0 : -EINVAL;
    if (r == 0 && !parse_mode(text, &mode)) r = -EINVAL;
    int saved = *__errno_location();
    if (r == 0) r = open_stream(&call, line, mode, &file);
    *__errno_location() = r ? -r : saved;
    return file;
}

void *popen(const char *line, const char *mode)
{
    return popen_as("popen", line, mode);
}

void *_IO_popen(const char *line, const char *mode)
{
    return popen_as("_IO_popen", line, mode);
}

int pclose(void *file)
{
    struct stream *stream = file ? claim_any(file) : NULL;
    if (!stream) {
        file_function *next = (file_function *)eg_next_find(EG_NEXT_pclose);
        return next ? next(file) : (int)eg_shim_result(-EINVAL);
    }
    long pid = stream->pid;
    bool waits = stream->waits;
    publish(stream, NULL);
    close_file(file);
    int status = 0;
    int r = eg_child_wait(pid, &status);
    return r < 0 ? (int)eg_shim_result(r) : eg_rewrite_wait_status(waits, status);
}

/* The inner part of glibc's popen, for FILEs of libio's own making.  Nothing
 * calls it, and its shell would start with an environment that nobody put
 * right: refused while a policy is enforced. */
void *_IO_proc_open(void *file, const char *line, const char *mode)
{
    struct eg_call call = { .name = "_IO_proc_open", .has_line = true, .line = eg_str(line) };
    typedef void *proc_open_function(void *, const char *, const char *);
    int r = eg_shim_enter() == EG_PHASE_STARTING ? -EACCES : 0;
    if (r == 0 && eg_shim_enter() == EG_PHASE_READY)
        r = eg_shim_refuse(&call, EG_KIND_SHELL, EG_REASON_SHELL, EG_STR("/bin/sh"),
                           (struct eg_str){ NULL, 0 }, (struct eg_str){ NULL, 0 });
    proc_open_function *next = (proc_open_function *)eg_next_find(EG_NEXT__IO_proc_open);
    if (r == 0 && next) return next(file, line, mode);
    eg_shim_result(r ? r : -ENOSYS);
    return NULL;
}
