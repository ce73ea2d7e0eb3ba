// SPDX-License-Identifier: MIT
/* Component by component.  Not glob(3): there `?` and `[` have a meaning too, and
 * the folders that were looked through are not told. */
#include "compile/expand.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct expansion {
    eg_expand_found found;
    void *context;
    char path[PATH_MAX]; /* what was chosen so far, without a slash at its end */
};

/* `*` against one name: greedy with one point to go back to, so linear in
 * pattern times name. */
static bool name_fits(struct eg_str pattern, const char *name)
{
    size_t p = 0;
    size_t star = SIZE_MAX;
    const char *resume = name;
    if (name[0] == '.' && pattern.n && pattern.p[0] == '*') return false;
    while (*name) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            resume = name;
        } else if (p < pattern.n && pattern.p[p] == *name) {
            p++;
            name++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            name = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') p++;
    return p == pattern.n;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
}

/* The names of a folder that fit, sorted. */
static int list_names(const char *folder, struct eg_str pattern, char ***ret_names,
                      size_t *ret_count)
{
    char **names = NULL;
    size_t count = 0;
    int r = 0;
    DIR *dir = opendir(*folder ? folder : "/");
    for (struct dirent *entry; dir && r == 0 && (entry = readdir(dir));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (!name_fits(pattern, entry->d_name)) continue;
        char **more = reallocarray(names, count + 1, sizeof(*names));
        if (more) names = more;
        if (!more || !(names[count] = strdup(entry->d_name)))
            r = -ENOMEM;
        else
            count++;
    }
    if (dir) closedir(dir);
    if (r < 0) {
        free_names(names, count);
        return r;
    }
    if (count) qsort(names, count, sizeof(*names), by_name);
    *ret_names = names;
    *ret_count = count;
    return 0;
}

static int step(struct expansion *e, size_t length, struct eg_str rest);

/* Choose `name` for the next component. */
static int descend(struct expansion *e, size_t length, struct eg_str name, struct eg_str rest)
{
    if (length + 1 + name.n >= sizeof(e->path)) return 0;
    e->path[length] = '/';
    memcpy(e->path + length + 1, name.p, name.n);
    length += 1 + name.n;
    e->path[length] = '\0';
    if (rest.n) return step(e, length, rest);
    struct stat st;
    return lstat(e->path, &st) == 0 ? e->found(e->context, e->path, false) : 0;
}

static int step(struct expansion *e, size_t length, struct eg_str rest)
{
    while (rest.n && rest.p[0] == '/') rest = eg_str_skip(rest, 1);
    struct eg_str component = { rest.p, eg_str_find(rest, '/') };
    rest = eg_str_skip(rest, component.n);
    if (eg_str_find(component, '*') == component.n) return descend(e, length, component, rest);
    e->path[length] = '\0';
    struct stat st;
    const char *folder = length ? e->path : "/";
    if (stat(folder, &st) < 0 || !S_ISDIR(st.st_mode)) return 0;
    int r = e->found(e->context, folder, true);
    char **names = NULL;
    size_t count = 0;
    if (r == 0) r = list_names(folder, component, &names, &count);
    for (size_t i = 0; i < count && r == 0; i++) r = descend(e, length, eg_str(names[i]), rest);
    free_names(names, count);
    return r;
}

int eg_expand_program(struct eg_str pattern, eg_expand_found found, void *context)
{
    struct expansion *e = calloc(1, sizeof(*e));
    if (!e) return -ENOMEM;
    e->found = found;
    e->context = context;
    int r = step(e, 0, pattern);
    free(e);
    return r;
}
