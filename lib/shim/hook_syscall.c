// SPDX-License-Identifier: MIT
/* syscall(2) with the number of a call on files: Perl's syscall(), Python's ctypes
 * and PHP's FFI reach open and rename through it, and so do libraries that are older
 * than the calls they make.  Trampoline.S sends exactly the numbers of the table
 * here; all others go on to libc untouched. */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "base/sys.h"
#include "shim/hooks.h"
#include "shim/file.h"
#include "shim/hand.h"

/* Newer than the headers of supported systems; the same on every architecture. */
#define NR_FCHMODAT2  452
#define NR_SETXATTRAT 463

#if defined(__x86_64__)
#define OLD_CALLS(X)                                                                               \
    X(__NR_open)                                                                                   \
    X(__NR_creat)                                                                                  \
    X(__NR_mkdir)                                                                                  \
    X(__NR_mknod)                                                                                  \
    X(__NR_rename)                                                                                 \
    X(__NR_link)                                                                                   \
    X(__NR_symlink)                                                                                \
    X(__NR_unlink)                                                                                 \
    X(__NR_rmdir)                                                                                  \
    X(__NR_chmod)
#else
#define OLD_CALLS(X)
#endif
#define CALLS(X)                                                                                   \
    OLD_CALLS(X)                                                                                   \
    X(__NR_openat)                                                                                 \
    X(__NR_openat2)                                                                                \
    X(__NR_mkdirat)                                                                                \
    X(__NR_mknodat)                                                                                \
    X(__NR_renameat)                                                                               \
    X(__NR_renameat2)                                                                              \
    X(__NR_linkat)                                                                                 \
    X(__NR_symlinkat)                                                                              \
    X(__NR_unlinkat)                                                                               \
    X(__NR_truncate)                                                                               \
    X(__NR_fchmod)                                                                                 \
    X(__NR_fchmodat)                                                                               \
    X(NR_FCHMODAT2)                                                                                \
    X(__NR_setxattr)                                                                               \
    X(__NR_lsetxattr)                                                                              \
    X(__NR_fsetxattr)                                                                              \
    X(NR_SETXATTRAT)                                                                               \
    X(__NR_bind)                                                                                   \
    X(__NR_close)

/* A bit for each number, for the trampoline. */
#define IN_WORD(nr, word) ((nr) / 64 == (word) ? UINT64_C(1) << (nr) % 64 : 0) |
#define WORD_0(nr)        IN_WORD(nr, 0)
#define WORD_1(nr)        IN_WORD(nr, 1)
#define WORD_2(nr)        IN_WORD(nr, 2)
#define WORD_3(nr)        IN_WORD(nr, 3)
#define WORD_4(nr)        IN_WORD(nr, 4)
#define WORD_5(nr)        IN_WORD(nr, 5)
#define WORD_6(nr)        IN_WORD(nr, 6)
#define WORD_7(nr)        IN_WORD(nr, 7)
const uint64_t eg_file_syscalls[8] = { CALLS(WORD_0) 0, CALLS(WORD_1) 0, CALLS(WORD_2) 0,
                                       CALLS(WORD_3) 0, CALLS(WORD_4) 0, CALLS(WORD_5) 0,
                                       CALLS(WORD_6) 0, CALLS(WORD_7) 0 };

static const char name[] = "syscall";

/* The arguments as the kernel gets them. */
struct call {
    long nr;
    long a[6];
};

static const char *text(long address)
{
    return (const char *)address; // NOLINT(performance-no-int-to-ptr)
}

/* What the call is: one of these, or neither. */
struct meaning {
    bool opens, changes, closes;
    struct eg_opening opening;
    struct eg_change change;
    long *mode; /* where the permissions stand; NULL: nowhere */
};

static void mean_open(struct meaning *ret, int dirfd, long path, long flags, long *mode)
{
    ret->opens = true;
    ret->opening = (struct eg_opening){
        .call = name, .dirfd = dirfd, .path = text(path), .flags = (int)flags
    };
    if (mode) ret->opening.mode = (uint32_t)*mode;
    ret->mode = mode;
}

static struct eg_change *mean_change(struct meaning *ret, enum eg_write_op op, int dirfd, long path)
{
    ret->changes = true;
    ret->change = (struct eg_change){ .call = name, .op = op, .dirfd = dirfd, .path = text(path) };
    return &ret->change;
}

static void mean_node(struct meaning *ret, int dirfd, long path, long *mode)
{
    struct eg_change *change = mean_change(ret, EG_WRITE_MKNOD, dirfd, path);
    change->mode = (uint32_t)*mode & S_IFMT ? (uint32_t)*mode : (uint32_t)*mode | S_IFREG;
    ret->mode = mode;
}

static struct eg_change *mean_two(struct meaning *ret, enum eg_write_op op, const long from[2],
                                  const long to[2])
{
    struct eg_change *change = mean_change(ret, op, (int)to[0], to[1]);
    change->other_dirfd = (int)from[0];
    change->other = text(from[1]);
    return change;
}

static void mean_mode(struct meaning *ret, int dirfd, long path, long mode, bool follow)
{
    struct eg_change *change = mean_change(ret, EG_WRITE_MODE, dirfd, path);
    change->mode = (uint32_t)mode;
    change->follow = follow;
}

static void mean_descriptor_mode(struct meaning *ret, int fd, long mode)
{
    mean_mode(ret, fd, 0, mode, false);
    ret->change.descriptor = true;
}

static bool is_access_list(long attribute)
{
    return attribute && eg_str_equal(eg_str(text(attribute)), EG_STR("system.posix_acl_access"));
}

#if defined(__x86_64__)
static void read_old_call(struct call *c, struct meaning *ret)
{
    const long from[2] = { AT_FDCWD, c->a[0] };
    const long to[2] = { AT_FDCWD, c->a[1] };
    switch (c->nr) {
    case __NR_open: mean_open(ret, AT_FDCWD, c->a[0], c->a[1], &c->a[2]); break;
    case __NR_creat:
        mean_open(ret, AT_FDCWD, c->a[0], O_CREAT | O_WRONLY | O_TRUNC, &c->a[1]);
        break;
    case __NR_mkdir:
        mean_change(ret, EG_WRITE_MKDIR, AT_FDCWD, c->a[0])->mode = (uint32_t)c->a[1];
        break;
    case __NR_mknod: mean_node(ret, AT_FDCWD, c->a[0], &c->a[1]); break;
    case __NR_rename: mean_two(ret, EG_WRITE_RENAME, from, to); break;
    case __NR_link: mean_two(ret, EG_WRITE_LINK, from, to); break;
    case __NR_symlink:
        mean_change(ret, EG_WRITE_SYMLINK, AT_FDCWD, c->a[1])->other = text(c->a[0]);
        break;
    case __NR_unlink:
    case __NR_rmdir: mean_change(ret, EG_WRITE_REMOVE, AT_FDCWD, c->a[0]); break;
    case __NR_chmod: mean_mode(ret, AT_FDCWD, c->a[0], c->a[1], true); break;
    }
}
#else
static void read_old_call(struct call *c, struct meaning *ret)
{
    (void)c;
    (void)ret;
}
#endif

static void read_openat2(struct call *c, struct meaning *ret)
{
    const struct open_how *how = (const struct open_how *)text(c->a[2]);
    if ((unsigned long)c->a[2] < 4096 || (size_t)c->a[3] < sizeof(*how)) return;
    /* The kernel reads the mode where it stands: nothing is masked there. */
    mean_open(ret, (int)c->a[0], c->a[1], (long)how->flags, NULL);
    ret->opening.mode = (uint32_t)how->mode;
}

static void read_list(struct call *c, struct meaning *ret)
{
    struct xattr_value {
        uint64_t value;
        uint32_t size, flags;
    };
    bool at = c->nr == NR_SETXATTRAT;
    if (!is_access_list(c->a[at ? 3 : 1])) return;
    const void *value = text(c->a[2]);
    size_t size = (size_t)c->a[3];
    if (at) {
        const struct xattr_value *arguments = (const struct xattr_value *)text(c->a[4]);
        if ((unsigned long)c->a[4] < 4096) return;
        value = text((long)arguments->value);
        size = arguments->size;
    }
    long mode = eg_mode_of_list(value, size);
    if (c->nr == __NR_fsetxattr || (at && c->a[2] & AT_EMPTY_PATH))
        mean_descriptor_mode(ret, (int)c->a[0], mode);
    else if (at)
        mean_mode(ret, (int)c->a[0], c->a[1], mode, !(c->a[2] & AT_SYMLINK_NOFOLLOW));
    else
        mean_mode(ret, AT_FDCWD, c->a[0], mode, c->nr == __NR_setxattr);
}

static void read_call(struct call *c, struct meaning *ret)
{
    int dirfd = (int)c->a[0];
    const long from[2] = { c->a[0], c->a[1] };
    const long to[2] = { c->a[2], c->a[3] };
    switch (c->nr) {
    case __NR_openat: mean_open(ret, dirfd, c->a[1], c->a[2], &c->a[3]); break;
    case __NR_openat2: read_openat2(c, ret); break;
    case __NR_mkdirat:
        mean_change(ret, EG_WRITE_MKDIR, dirfd, c->a[1])->mode = (uint32_t)c->a[2];
        break;
    case __NR_mknodat: mean_node(ret, dirfd, c->a[1], &c->a[2]); break;
    case __NR_renameat: mean_two(ret, EG_WRITE_RENAME, from, to); break;
    case __NR_renameat2:
        mean_two(ret, EG_WRITE_RENAME, from, to)->exchange = c->a[4] & RENAME_EXCHANGE;
        break;
    case __NR_linkat:
        mean_two(ret, EG_WRITE_LINK, from, to)->other_follow = c->a[4] & AT_SYMLINK_FOLLOW;
        ret->change.other_descriptor = c->a[4] & AT_EMPTY_PATH && c->a[1] && !text(c->a[1])[0];
        break;
    case __NR_symlinkat:
        mean_change(ret, EG_WRITE_SYMLINK, (int)c->a[1], c->a[2])->other = text(c->a[0]);
        break;
    case __NR_unlinkat: mean_change(ret, EG_WRITE_REMOVE, dirfd, c->a[1]); break;
    case __NR_truncate: mean_change(ret, EG_WRITE_OPEN, AT_FDCWD, c->a[0])->follow = true; break;
    case __NR_fchmod: mean_descriptor_mode(ret, dirfd, c->a[1]); break;
    case __NR_fchmodat: mean_mode(ret, dirfd, c->a[1], c->a[2], true); break;
    case NR_FCHMODAT2:
        mean_mode(ret, dirfd, c->a[1], c->a[2], !(c->a[3] & AT_SYMLINK_NOFOLLOW));
        ret->change.descriptor = c->a[3] & AT_EMPTY_PATH && c->a[1] && !text(c->a[1])[0];
        break;
    case __NR_setxattr:
    case __NR_lsetxattr:
    case __NR_fsetxattr:
    case NR_SETXATTRAT: read_list(c, ret); break;
    case __NR_close: ret->closes = true; break;
    default: read_old_call(c, ret); break;
    }
}

/* libc's function, or the kernel while that is not known. */
static long pass_on(const struct call *c)
{
    typedef long syscall_function(long, ...);
    syscall_function *next =
        (syscall_function *)__atomic_load_n(&eg_next_syscall, __ATOMIC_RELAXED);
    const long *a = c->a;
    if (next) return next(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    return eg_hook_result(eg_sys6(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]));
}

static __attribute__((noinline)) long judge(struct call *c)
{
    struct meaning meaning = { 0 };
    int r = 0;
    read_call(c, &meaning);
    if (meaning.opens) {
        uint32_t asked = meaning.opening.mode;
        r = eg_open_judge(&meaning.opening);
        /* openat2: a mode that would be masked is refused */
        if (r == 0 && !meaning.mode && meaning.opening.mode != asked) r = -EACCES;
        if (meaning.mode) *meaning.mode = (long)meaning.opening.mode;
    } else if (meaning.changes) {
        r = eg_change_judge(&meaning.change);
        if (meaning.mode) *meaning.mode = (long)meaning.change.mode;
    } else if (meaning.closes) {
        r = eg_content_closing(name, (int)c->a[0]);
        long closed = pass_on(c);
        return r && closed == 0 ? eg_shim_result(r) : closed;
    }
    if (r) return eg_shim_result(r);
    long result = pass_on(c);
    if (result == -1 && meaning.opens)
        eg_open_explain(&meaning.opening, *__errno_location());
    else if (meaning.opens)
        return eg_opened(name, meaning.opening.flags, (int)result);
    else if (meaning.changes)
        eg_change_result(&meaning.change, result);
    return result;
}

long eg_hook_file_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
    struct call call = { (int)nr, { a, b, c, d, e, f } };
    bool cares = eg_file_cares(EG_FILE_ANY);
    if (call.nr == __NR_close) eg_hand_closing((int)a);
    if (call.nr == __NR_bind && cares) return bind((int)a, text(b), (uint32_t)c);
    return cares ? judge(&call) : pass_on(&call);
}
