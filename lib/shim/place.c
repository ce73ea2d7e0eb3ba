// SPDX-License-Identifier: MIT
/* What a name stands for, for a change of the file tree: the folder as the kernel
 * names it, and the last component as the caller spelled it.
 *
 * A folder without a slash before it needs no descriptor; another one is opened
 * O_PATH, which asks for no permission that the call itself would not need. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "base/sys.h"
#include "shim/file.h"

#define LINKS_MAX 40u /* as the kernel (path_resolution(7)) */

/* What a step comes to, beside 0 and -errno. */
enum { FOLLOWED = 1, UNNAMED = 2 };

/* Where the walk stands: `path`, relative to dirfd. */
struct walk {
    int dirfd;
    int opened; /* dirfd, where it is ours to close; -1: it is the caller's */
    char path[EG_PATH_MAX];
};

static void move_to(struct walk *walk, int fd)
{
    if (walk->opened >= 0) eg_sys(__NR_close, walk->opened);
    walk->opened = fd;
    walk->dirfd = fd;
}

static int mode_at(int dirfd, const char *path, int flags, struct eg_place *ret)
{
    struct statx st;
    long r = eg_sys(__NR_statx, dirfd, path, flags | AT_STATX_DONT_SYNC,
                    STATX_TYPE | STATX_MODE | STATX_NLINK, &st);
    if (r < 0) return (int)r;
    ret->mode = st.stx_mode;
    ret->links = st.stx_nlink;
    return 0;
}

/* The kernel's name of a descriptor into place->memory.  False: there is no /proc,
 * or it is too long. */
static bool name_descriptor(int fd, struct eg_place *place)
{
    char link[48];
    struct eg_buf b = eg_buf_over(link, sizeof(link));
    eg_buf_add(&b, "/proc/thread-self/fd/");
    eg_buf_i64(&b, fd);
    long n =
        eg_sys(__NR_readlinkat, AT_FDCWD, eg_buf_cstr(&b), place->memory, sizeof(place->memory));
    if (n <= 0 || n >= (long)sizeof(place->memory)) return false;
    place->memory[n] = '\0';
    place->path = (struct eg_str){ place->memory, (size_t)n };
    return true;
}

/* Without /proc: the spelling, made absolute; `.` and `..` stay, and no glob of a
 * policy matches them. */
static int name_by_spelling(int dirfd, struct eg_str spelled, struct eg_place *place)
{
    struct eg_str cwd = { place->memory, 0 };
    if (spelled.p[0] != '/') {
        if (dirfd != AT_FDCWD) return -EACCES;
        cwd = eg_resolve_cwd(place->memory);
        if (!cwd.n) return -ENOENT;
    }
    struct eg_buf b = eg_buf_over(place->memory, sizeof(place->memory) - 1);
    b.n = cwd.n;
    if (cwd.n > 1) eg_buf_byte(&b, '/');
    eg_buf_str(&b, spelled);
    if (b.truncated) return -ENAMETOOLONG;
    place->memory[b.n] = '\0';
    place->path = (struct eg_str){ place->memory, b.n };
    return 0;
}

/* All of the path names one existing object. */
static int take_whole(const struct walk *walk, const char *path, struct eg_place *place)
{
    long fd = eg_sys(__NR_openat, walk->dirfd, path, O_PATH | O_CLOEXEC, 0);
    if (fd < 0) return (int)fd;
    int r = mode_at((int)fd, "", AT_EMPTY_PATH, place);
    if (r == 0 && !name_descriptor((int)fd, place)) r = UNNAMED;
    eg_sys(__NR_close, fd);
    return r;
}

/* The name of the folder that walk->dirfd is, and what it lacks of `last`. */
static int take_folder(const struct walk *walk, struct eg_str last, struct eg_place *place)
{
    bool named = false;
    if (walk->dirfd == AT_FDCWD) {
        place->path = eg_resolve_cwd(place->memory);
        named = place->path.n && place->path.p[0] == '/';
        if (!named) return -ENOENT;
    } else {
        named = name_descriptor(walk->dirfd, place);
    }
    if (!named) return UNNAMED;
    struct eg_buf b = eg_buf_over(place->memory, sizeof(place->memory) - 1);
    b.n = place->path.n;
    if (b.n && b.p[b.n - 1] != '/') eg_buf_byte(&b, '/');
    eg_buf_str(&b, last);
    if (b.truncated) return -ENAMETOOLONG;
    place->memory[b.n] = '\0';
    place->path.n = b.n;
    return 0;
}

/* Cut walk->path into folder and last component.  False: there is no last
 * component (`/`, `.`, `..`), the whole names a folder. */
static bool split(char *path, size_t *ret_folder, struct eg_str *ret_last)
{
    size_t n = eg_strnlen(path, EG_PATH_MAX);
    while (n > 1 && path[n - 1] == '/') n--;
    path[n] = '\0';
    size_t start = n;
    while (start > 0 && path[start - 1] != '/') start--;
    *ret_folder = start;
    *ret_last = (struct eg_str){ path + start, n - start };
    return ret_last->n && !eg_str_equal(*ret_last, EG_STR(".")) &&
           !eg_str_equal(*ret_last, EG_STR(".."));
}

/* Step into the folder: walk->path[0..n) */
static int enter(struct walk *walk, size_t n)
{
    if (n == 0) return 0;
    /* the last component's first byte makes room for the end of the folder's name */
    char kept = walk->path[n];
    walk->path[n] = '\0';
    long fd = eg_sys(__NR_openat, walk->dirfd, walk->path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    walk->path[n] = kept;
    if (fd < 0) return (int)fd;
    move_to(walk, (int)fd);
    return 0;
}

static bool is_link(uint32_t mode)
{
    return (mode & S_IFMT) == S_IFLNK;
}

/* One round: FOLLOWED when walk->path became what a symbolic link points to. */
static int step(struct walk *walk, bool follow, struct eg_place *place)
{
    size_t folder = 0;
    struct eg_str last;
    if (!split(walk->path, &folder, &last)) return take_whole(walk, walk->path, place);
    int r = enter(walk, folder);
    if (r) return r;
    r = mode_at(walk->dirfd, last.p, AT_SYMLINK_NOFOLLOW, place);
    if (r && r != -ENOENT) return r;
    if (r == 0 && follow && is_link(place->mode)) {
        /* Links of /proc lead where their text does not. */
        r = take_whole(walk, last.p, place);
        if (r != -ENOENT) return r;
        char *name = place->memory;
        long n = eg_sys(__NR_readlinkat, walk->dirfd, last.p, name, sizeof(place->memory));
        if (n <= 0) return n ? (int)n : -ENOENT;
        if (n >= (long)sizeof(place->memory)) return -ENAMETOOLONG;
        __builtin_memcpy(walk->path, name, (size_t)n);
        walk->path[n] = '\0';
        return FOLLOWED;
    }
    if (r) place->mode = 0;
    return take_folder(walk, last, place);
}

static __attribute__((noinline)) int find(struct walk *walk, bool follow, struct eg_place *ret)
{
    int r = FOLLOWED;
    ret->mode = 0;
    ret->links = 0;
    for (unsigned i = 0; r == FOLLOWED; i++) r = i < LINKS_MAX ? step(walk, follow, ret) : -ELOOP;
    if (walk->opened >= 0) eg_sys(__NR_close, walk->opened);
    return r;
}

int eg_place_find(int dirfd, const char *path, bool follow, struct eg_place *ret)
{
    struct walk walk;
    walk.dirfd = dirfd;
    walk.opened = -1;
    size_t n = eg_strnlen(path, EG_PATH_MAX);
    if (n == 0) return -ENOENT;
    if (n >= EG_PATH_MAX) return -ENAMETOOLONG;
    __builtin_memcpy(walk.path, path, n + 1);
    int r = find(&walk, follow, ret);
    return r == UNNAMED ? name_by_spelling(dirfd, (struct eg_str){ path, n }, ret) : r;
}

static bool is_pipe(uint32_t mode)
{
    return (mode & S_IFMT) == S_IFSOCK || (mode & S_IFMT) == S_IFIFO;
}

int eg_place_of(int fd, struct eg_place *ret)
{
    ret->path = (struct eg_str){ NULL, 0 };
    int r = mode_at(fd, "", AT_EMPTY_PATH, ret);
    /* pipes and sockets have no name that matters */
    if (r == 0 && is_pipe(ret->mode)) return 0;
    if (r == 0 && !name_descriptor(fd, ret)) r = -EACCES;
    return r;
}
