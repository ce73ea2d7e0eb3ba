// SPDX-License-Identifier: MIT
/* Path name expansion as dash does it (expand.c: expmeta), without recursion:
 * all paths found so far advance together, one pattern component at a time. */
#include "base/sys.h"
#include "line/line.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

/* struct linux_dirent64, getdents64(2) */
struct entry {
    uint64_t ino;
    int64_t off;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* The paths found so far: pointers from the front, text behind one another. */
struct found {
    char *memory;
    size_t size, used;
    const char **paths;
    uint32_t count, limit;
    bool full;
};

/* A pattern's first component that holds a pattern. */
struct component {
    const char *literal_end; /* [pattern, here): plain directories before it */
    const char *end;         /* [literal_end, here): the component */
    const char *rest;        /* after its slash; NULL: it is the last */
};

static void add_byte(struct found *found, char c)
{
    if (found->used < found->size)
        found->memory[found->used++] = c;
    else
        found->full = true;
}

static void add_text(struct found *found, const char *text)
{
    while (*text) add_byte(found, *text++);
}

static void add_unescaped(struct found *found, const char *p, const char *end)
{
    for (; p < end; p++) {
        if (*p == '\\' && p + 1 < end) p++;
        add_byte(found, *p);
    }
}

/* Does the set that starts at `p` (after its `[`) close before a slash? */
static bool set_closes(const char *q)
{
    if (*q == '!') q++;
    for (;;) {
        if (*q == '\\') q++;
        if (*q == '/' || *q == '\0') return false;
        if (*++q == ']') return true;
    }
}

/* False: no component of the pattern is one. */
static bool find_component(const char *pattern, struct component *ret)
{
    bool meta = false;
    const char *p = pattern;
    ret->literal_end = pattern;
    for (size_t skip; *p; p += skip + 1) {
        skip = 0;
        if (*p == '*' || *p == '?') {
            meta = true;
        } else if (*p == '[') {
            if (set_closes(p + 1)) meta = true;
        } else {
            if (*p == '\\' && p[1]) skip = 1;
            if (p[skip] != '/') continue;
            if (meta) {
                ret->end = p;
                ret->rest = p + skip + 1;
                return true;
            }
            ret->literal_end = p + skip + 1;
        }
    }
    ret->end = p;
    ret->rest = NULL;
    return meta;
}

static size_t length_of(const char *s)
{
    return eg_str(s).n;
}

/* Keep directory + name (+ "/") as a path. */
static void add_path(struct found *found, const char *directory, const char *name, bool slash)
{
    if (found->count == found->limit) {
        found->full = true;
        return;
    }
    char *path = found->memory + found->used;
    add_text(found, directory);
    add_text(found, name);
    if (slash) add_byte(found, '/');
    add_byte(found, '\0');
    if (!found->full) found->paths[found->count++] = path;
}

static void match_entries(struct found *found, int fd, const char *directory,
                          const struct component *component)
{
    union {
        struct entry aligned;
        char bytes[2048];
    } buffer;
    const char *p = component->literal_end;
    struct eg_str pattern = { p, (size_t)(component->end - p) };
    if (p < component->end && *p == '\\') p++;
    bool hidden = p < component->end && *p == '.';

    while (!found->full) {
        long n = eg_sys(__NR_getdents64, fd, &buffer, sizeof buffer);
        if (n <= 0) return;
        for (long at = 0; at < n;) {
            const struct entry *entry = (const void *)(buffer.bytes + at);
            at += entry->length;
            if (entry->name[0] == '.' && !hidden) continue;
            if (eg_line_match(pattern, (struct eg_str){ entry->name, length_of(entry->name) }))
                add_path(found, directory, entry->name, component->rest != NULL);
        }
    }
}

/* Read one directory and keep what matches. */
static void expand_directory(struct found *found, const char *prefix, const char *pattern,
                             const struct component *component)
{
    const char *directory = found->memory + found->used;
    add_text(found, prefix);
    add_unescaped(found, pattern, component->literal_end);
    add_byte(found, '\0');
    if (found->full) return;

    long fd = eg_sys(__NR_openat, AT_FDCWD, *directory ? directory : ".",
                     O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0) return;
    match_entries(found, (int)fd, directory, component);
    eg_sys(__NR_close, fd);
}

/* The pattern's plain tail: keep the paths that exist with it. */
static void add_tail(struct found *found, const char *prefix, const char *tail)
{
    uint64_t status[64]; /* struct stat is no larger anywhere */
    char *path = found->memory + found->used;
    add_text(found, prefix);
    add_unescaped(found, tail, tail + length_of(tail));
    add_byte(found, '\0');
    if (found->full) return;
    if (eg_sys(__NR_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW) < 0) return;
    if (found->count == found->limit)
        found->full = true;
    else
        found->paths[found->count++] = path;
}

static bool is_before(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return (unsigned char)*a < (unsigned char)*b;
}

/* Heap sort: no recursion, no worst case. */
static void sift_down(const char **paths, uint32_t root, uint32_t count)
{
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= count) return;
        if (child + 1 < count && is_before(paths[child], paths[child + 1])) child++;
        if (!is_before(paths[root], paths[child])) return;
        const char *swap = paths[root];
        paths[root] = paths[child];
        paths[child] = swap;
        root = child;
    }
}

static void sort_paths(const char **paths, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;) sift_down(paths, i, count);
    for (uint32_t i = count; i-- > 1;) {
        const char *swap = paths[0];
        paths[0] = paths[i];
        paths[i] = swap;
        sift_down(paths, 0, i);
    }
}

long eg_line_expand(const char *pattern, char *memory, size_t size, const char **ret_paths,
                    uint32_t limit)
{
    struct found found = { .memory = memory, .size = size, .paths = ret_paths, .limit = limit };
    struct component component;

    if (!find_component(pattern, &component)) return 0;
    if (!limit) return -E2BIG;
    ret_paths[found.count++] = "";

    for (;;) {
        /* The paths before the component make way for those with it. */
        uint32_t before = found.count;
        bool more = find_component(pattern, &component);
        for (uint32_t i = 0; i < before && !found.full; i++) {
            if (more)
                expand_directory(&found, ret_paths[i], pattern, &component);
            else
                add_tail(&found, ret_paths[i], pattern);
        }
        if (found.full) return -E2BIG;
        found.count -= before;
        for (uint32_t i = 0; i < found.count; i++) ret_paths[i] = ret_paths[before + i];
        if (!found.count) return 0;
        if (!more || !component.rest) break;
        pattern = component.rest;
    }
    sort_paths(ret_paths, found.count);
    return (long)found.count;
}
