// SPDX-License-Identifier: MIT
/* Everything a program needs beside itself to be executed, for who lets a
 * worker's own program start. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/compile.h"
#include "compile/program.h"

static int blame(struct eg_program_needs *needs, const char *path, int error)
{
    needs->concerned = strdup(path);
    return error;
}

static bool is_listed(const struct eg_program_needs *needs, const struct eg_identity *id)
{
    for (size_t i = 0; i < needs->count; i++)
        if (needs->targets[i].id.dev == id->dev && needs->targets[i].id.ino == id->ino) return true;
    return false;
}

static int add_needs(struct eg_program_needs *needs, const struct eg_program_file *file,
                     unsigned depth);

/* List the file at `path`, then what it needs itself.  in_place: the kernel runs it
 * in the place of the script that names it. */
static int add_file(struct eg_program_needs *needs, const char *path, bool in_place, unsigned depth)
{
    struct eg_program_file file = { 0 };
    int r = eg_program_inspect(path, &file);
    if (r < 0) return blame(needs, path, r);
    if (in_place) needs->exe = file.id;
    if (!is_listed(needs, &file.id)) {
        if (needs->count == needs->cap) {
            r = blame(needs, path, -E2BIG);
        } else {
            char *copy = strdup(file.path); /* the list's; its caller frees it */
            if (copy)
                needs->targets[needs->count++] = (struct eg_target){ eg_str(copy), file.id, true };
            /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the list keeps the copy */
            r = copy ? add_needs(needs, &file, depth) : -ENOMEM;
        }
    }
    eg_program_file_done(&file);
    return r;
}

static int add_needs(struct eg_program_needs *needs, const struct eg_program_file *file,
                     unsigned depth)
{
    bool script = file->kind == EG_KIND_SCRIPT;
    if (script && ++depth > EG_SCRIPT_DEPTH) return blame(needs, file->path, -ELOOP);
    if (file->kind == EG_KIND_DYNAMIC) needs->dynamic = true;
    int r = file->interpreter ? add_file(needs, file->interpreter, script, depth) : 0;
    struct eg_env_line line;
    if (r == 0 && eg_program_env_line(file, &line) == 1 && line.path) {
        r = add_file(needs, line.path, false, depth);
        free(line.path);
    }
    return r;
}

int eg_program_find_needs(const struct eg_program_file *file, struct eg_program_needs *needs)
{
    needs->count = 0;
    needs->concerned = NULL;
    needs->dynamic = false;
    needs->exe = file->id;
    int r = add_needs(needs, file, 0);
    if (r == 0) return 0;
    for (size_t i = 0; i < needs->count; i++) free((char *)(uintptr_t)needs->targets[i].path.p);
    needs->count = 0;
    return r;
}

int eg_compile_requirements(const char *path, struct eg_target *ret, size_t cap, char **ret_path)
{
    struct eg_program_needs needs = { .targets = ret, .cap = cap };
    struct eg_program_file file = { 0 };
    int r = eg_program_inspect(path, &file);
    if (r == 0) {
        r = eg_program_find_needs(&file, &needs);
        eg_program_file_done(&file);
    } else {
        needs.concerned = strdup(path);
    }
    *ret_path = needs.concerned;
    return r < 0 ? r : (int)needs.count;
}
