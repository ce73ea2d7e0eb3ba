// SPDX-License-Identifier: MIT
/* Everything a program needs beside itself to be executed, for who lets a
 * worker's own program start. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/compile.h"
#include "compile/program.h"

struct list {
    struct eg_target *targets;
    size_t cap;
    size_t count;
    char **ret_path;
};

static int blame(struct list *list, const char *path, int error)
{
    *list->ret_path = strdup(path);
    return error;
}

static bool is_listed(const struct list *list, const struct eg_identity *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->targets[i].id.dev == id->dev && list->targets[i].id.ino == id->ino) return true;
    return false;
}

static int add_needs(struct list *list, const struct eg_program_file *file, unsigned depth);

/* List the file at `path`, then what it needs itself. */
static int add_file(struct list *list, const char *path, unsigned depth)
{
    struct eg_program_file file = { 0 };
    int r = eg_program_inspect(path, &file);
    if (r < 0) return blame(list, path, r);
    if (!is_listed(list, &file.id)) {
        if (list->count == list->cap) {
            r = blame(list, path, -E2BIG);
        } else {
            char *copy = strdup(file.path); /* the list's; its caller frees it */
            if (copy)
                list->targets[list->count++] = (struct eg_target){ eg_str(copy), file.id, true };
            /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the list keeps the copy */
            r = copy ? add_needs(list, &file, depth) : -ENOMEM;
        }
    }
    eg_program_file_done(&file);
    return r;
}

static int add_needs(struct list *list, const struct eg_program_file *file, unsigned depth)
{
    if (file->kind == EG_KIND_SCRIPT && ++depth > EG_SCRIPT_DEPTH)
        return blame(list, file->path, -ELOOP);
    int r = file->interpreter ? add_file(list, file->interpreter, depth) : 0;
    struct eg_env_line line;
    if (r == 0 && eg_program_env_line(file, &line) == 1 && line.path) {
        r = add_file(list, line.path, depth);
        free(line.path);
    }
    return r;
}

int eg_compile_requirements(const char *path, struct eg_target *ret, size_t cap, char **ret_path)
{
    struct list list = { ret, cap, 0, ret_path };
    struct eg_program_file file = { 0 };
    *ret_path = NULL;
    int r = eg_program_inspect(path, &file);
    if (r < 0) return blame(&list, path, r);
    r = add_needs(&list, &file, 0);
    eg_program_file_done(&file);
    if (r == 0) return (int)list.count;
    for (size_t i = 0; i < list.count; i++) free((char *)(uintptr_t)list.targets[i].path.p);
    return r;
}
