// SPDX-License-Identifier: MIT
/* stdio: opening, and closing where something was written.  libc opens and closes
 * past the PLT here. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "base/sys.h"
#include "shim/hooks.h"
#include "shim/file.h"
#include "shim/hand.h"

#define CREATED 0666u
#define END     (-1)

typedef void *fopen_function(const char *path, const char *mode);
typedef void *freopen_function(const char *path, const char *mode, void *file);
typedef int file_function(void *file);

/* fopen(3)'s mode as flags of open(2); libc refuses the modes that it does not know. */
static int flags_of(const char *mode)
{
    int flags = O_RDONLY;
    if (mode[0] == 'w') flags = O_WRONLY | O_CREAT | O_TRUNC;
    if (mode[0] == 'a') flags = O_WRONLY | O_CREAT | O_APPEND;
    for (const char *c = mode; *c && *c != ','; c++) {
        if (*c == '+') flags = (flags & ~O_ACCMODE) | O_RDWR;
        if (*c == 'x' && (flags & O_CREAT)) flags |= O_EXCL;
    }
    return flags;
}

static bool matters(const char *path, int flags)
{
    if (flags != O_RDONLY) return eg_file_cares(EG_FILE_CHANGES | EG_FILE_READS);
    return eg_file_cares(EG_FILE_READS) && eg_open_reads_script(path);
}

static void *failed(int r)
{
    eg_shim_result(r);
    return NULL;
}

/* The descriptor behind a stream, or -1; leaves errno alone. */
static int descriptor_of(void *file)
{
    file_function *next = (file_function *)eg_next(EG_NEXT_fileno);
    int saved = *__errno_location();
    int fd = next && file ? next(file) : -1;
    *__errno_location() = saved;
    return fd;
}

static void *give_up(void *file, int r)
{
    file_function *next = (file_function *)eg_next(EG_NEXT_fclose);
    if (next) next(file);
    return failed(r);
}

/* A stream that libc has just opened, or NULL when its file is not to be read. */
static void *opened(const struct eg_opening *opening, void *file)
{
    if (!file || !eg_file_cares(EG_FILE_FRESH)) return file;
    int fd = descriptor_of(file);
    int r = eg_opened_matters(opening->flags, fd) ? eg_opened_judge(opening->call, fd) : 0;
    return r ? give_up(file, r) : file;
}

static void *fopen_as(enum eg_next which, const char *name, const char *path, const char *mode)
{
    fopen_function *next = (fopen_function *)eg_next(which);
    if (!next) return failed(-ENOSYS);
    struct eg_opening opening = { .call = name, .dirfd = AT_FDCWD, .path = path, .mode = CREATED };
    if (mode) opening.flags = flags_of(mode);
    if (!mode || !path) return next(path, mode);
    bool judged = matters(path, opening.flags);
    int r = judged ? eg_open_judge(&opening) : 0;
    if (r) return failed(r);
    void *file = next(path, mode);
    if (!file && judged) eg_open_explain(&opening, *__errno_location());
    return opened(&opening, file);
}

void *fopen(const char *path, const char *mode)
{
    return fopen_as(EG_NEXT_fopen, "fopen", path, mode);
}

void *fopen64(const char *path, const char *mode)
{
    return fopen_as(EG_NEXT_fopen64, "fopen64", path, mode);
}

void *_IO_fopen(const char *path, const char *mode)
{
    return fopen_as(EG_NEXT__IO_fopen, "_IO_fopen", path, mode);
}

/* ---- closing ---- */

/* What the stream holds back must be in the file before that is judged. */
static int judge_closing(const char *call, void *file)
{
    if (!eg_file_cares(EG_FILE_CLOSE)) return 0;
    int fd = descriptor_of(file);
    if (fd < 0 || !eg_content_concerns(fd)) return 0;
    file_function *flush = (file_function *)eg_next(EG_NEXT_fflush);
    int saved = *__errno_location();
    if (flush) flush(file);
    *__errno_location() = saved;
    return eg_content_closing(call, fd);
}

static int fclose_as(enum eg_next which, const char *name, void *file)
{
    file_function *next = (file_function *)eg_next(which);
    if (!next) return (int)eg_shim_result(-ENOSYS);
    int r = judge_closing(name, file);
    if (eg_hand_some()) eg_hand_closing(descriptor_of(file));
    int result = next(file);
    if (r == 0) return result;
    eg_shim_result(r);
    return END;
}

int fclose(void *file)
{
    return fclose_as(EG_NEXT_fclose, "fclose", file);
}

int _IO_fclose(void *file)
{
    return fclose_as(EG_NEXT__IO_fclose, "_IO_fclose", file);
}

/* ---- opening again ---- */

static void *freopen_as(enum eg_next which, const char *name, const char *path, const char *mode,
                        void *file)
{
    freopen_function *next = (freopen_function *)eg_next(which);
    if (!next) return failed(-ENOSYS);
    if (!mode || !file || !eg_file_cares(EG_FILE_ANY)) return next(path, mode, file);
    /* Without a path the stream's own file is opened once more. */
    struct eg_opening opening = { .call = name,
                                  .descriptor = !path,
                                  .dirfd = path ? AT_FDCWD : descriptor_of(file),
                                  .path = path,
                                  .flags = flags_of(mode),
                                  .mode = CREATED };
    int r = judge_closing(name, file);
    if (r == 0) r = eg_open_judge(&opening);
    if (r) return give_up(file, r); /* a failed freopen(3) has closed the stream */
    void *again = next(path, mode, file);
    if (!again) eg_open_explain(&opening, *__errno_location());
    return opened(&opening, again);
}

void *freopen(const char *path, const char *mode, void *file)
{
    return freopen_as(EG_NEXT_freopen, "freopen", path, mode, file);
}

void *freopen64(const char *path, const char *mode, void *file)
{
    return freopen_as(EG_NEXT_freopen64, "freopen64", path, mode, file);
}
