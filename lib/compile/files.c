// SPDX-License-Identifier: MIT
/* Where the guard's own files are, whether they can be trusted, and the environment
 * that makes the loader take the preload object. */
#include "compile/files.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OBJECT_NAME  "libexecguard-preload.so"
#define RUNNER_NAME  "execguard-line"
#define COMMAND_NAME "execguard"
#define WHOLE_NAME   "execguard-full"
#define LIBRARY      "/lib/execguard/"

/* LEFT (n bytes) and RIGHT, as far as they make a path. */
static bool join(char ret[PATH_MAX], const char *left, size_t n, const char *right)
{
    size_t m = strlen(right);
    if (n + m >= PATH_MAX) return false;
    memmove(ret, left, n);
    memcpy(ret + n, right, m + 1);
    return true;
}

/* With the slash; 0: none. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash + 1 - path) : 0;
}

static bool ends(const char *path, size_t n, const char *suffix)
{
    size_t m = strlen(suffix);
    return n >= m && memcmp(path + n - m, suffix, m) == 0;
}

/* Beside this program (a build folder, or the whole command's), below the same
 * prefix, or where it would be installed. */
static bool find_object(const char *self, struct eg_files *ret)
{
    size_t n = folder_length(self);
    if (n && join(ret->object, self, n, OBJECT_NAME) && stat(ret->object, &ret->object_stat) == 0)
        return true;
    if (ends(self, n, "/bin/") && join(ret->object, self, n - 5, LIBRARY OBJECT_NAME) &&
        stat(ret->object, &ret->object_stat) == 0)
        return true;
    if (ends(self, n, "/lib/") && join(ret->object, self, n - 5, LIBRARY OBJECT_NAME) &&
        stat(ret->object, &ret->object_stat) == 0)
        return true;
    static_assert(sizeof EG_PREFIX LIBRARY OBJECT_NAME <= PATH_MAX, "the installed path fits");
    memcpy(ret->object, EG_PREFIX LIBRARY OBJECT_NAME, sizeof EG_PREFIX LIBRARY OBJECT_NAME);
    return stat(ret->object, &ret->object_stat) == 0;
}

/* The front that starts the whole command at `whole`. */
static void find_front(const char *whole, char ret[PATH_MAX])
{
    struct stat st;
    size_t n = folder_length(whole);
    if (ends(whole, n, LIBRARY) &&
        join(ret, whole, n - (sizeof LIBRARY - 1), "/bin/" COMMAND_NAME) && stat(ret, &st) == 0)
        return;
    if (!join(ret, whole, n, COMMAND_NAME)) *ret = '\0';
}

/* The commands that belong to a library: in bin/ of its prefix, or beside it. */
static void find_commands(const char *object, struct eg_files *ret)
{
    struct stat st;
    size_t n = folder_length(object);
    if (!join(ret->whole, object, n, WHOLE_NAME) || stat(ret->whole, &st) != 0) {
        if (!join(ret->command, object, n, COMMAND_NAME)) *ret->command = '\0';
        memcpy(ret->whole, ret->command, sizeof ret->whole);
        return;
    }
    find_front(ret->whole, ret->command);
}

bool eg_files_find(const char *anchor, enum eg_anchor what, struct eg_files *ret)
{
    bool found = find_object(anchor, ret);
    size_t folder = folder_length(ret->object);
    if (!join(ret->runner, ret->object, folder, RUNNER_NAME)) *ret->runner = '\0';
    if (what == EG_ANCHOR_LIBRARY) {
        find_commands(ret->object, ret);
        return found;
    }
    if (!join(ret->command, anchor, strlen(anchor), "")) *ret->command = '\0';
    memcpy(ret->whole, ret->command, sizeof ret->whole);
    if (what == EG_ANCHOR_FRONT) {
        if (!join(ret->whole, ret->object, folder, WHOLE_NAME)) *ret->whole = '\0';
    } else if (strcmp(anchor + folder_length(anchor), WHOLE_NAME) == 0) {
        find_front(anchor, ret->command);
    }
    return found;
}

void eg_files_compile_options(const struct eg_files *files, struct eg_files_options *ret)
{
    size_t n = 0;
    const char *const own[] = { files->command, files->whole, files->object, files->runner };
    ret->options = (struct eg_compile_options){ .guard_files = ret->guard_files };
    for (size_t i = 0; i < 4; i++)
        if (*own[i] && (i == 0 || strcmp(own[i], own[i - 1]) != 0)) ret->guard_files[n++] = own[i];
    ret->guard_files[n] = NULL;
    if (*files->runner) ret->options.line_runner = files->runner;
    if (*files->whole) ret->options.compiler = files->whole;
}

int eg_files_check_own(const char *path, const char **ret_why)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        *ret_why = "it is missing";
        return -errno;
    }
    *ret_why = NULL;
    if (!S_ISREG(st.st_mode))
        *ret_why = "it is no file";
    else if (geteuid() == 0 && st.st_uid != 0)
        *ret_why = "it does not belong to root";
    else if (st.st_mode & S_IWOTH || (st.st_mode & S_IWGRP && st.st_gid != 0))
        *ret_why = "it can be written by others";
    return *ret_why ? -EACCES : 0;
}

static bool is_variable(const char *entry, const char *name)
{
    size_t n = strlen(name);
    return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

/* "LD_PRELOAD=OBJECT[:REST]" into out, REST without OBJECT. */
static char *join_preload(char *out, const char *object, const char *rest)
{
    out = stpcpy(stpcpy(out, "LD_PRELOAD="), object);
    size_t object_length = strlen(object);
    while (*rest) {
        size_t n = strcspn(rest, " :");
        bool ours = n == object_length && memcmp(rest, object, n) == 0;
        if (n && !ours) {
            *out++ = ':';
            memcpy(out, rest, n);
            out += n;
        }
        rest += n;
        rest += strspn(rest, " :");
    }
    *out++ = '\0';
    return out;
}

char **eg_files_environment(char *const *envp, const char *object, const char *policy)
{
    size_t count = 0;
    const char *inherited = "";
    size_t kept = 0;
    for (; envp[count]; count++) {
        if (is_variable(envp[count], "LD_PRELOAD")) inherited = envp[count] + strlen("LD_PRELOAD=");
        kept += strlen(envp[count]) + 1;
    }
    size_t text = kept + sizeof "LD_PRELOAD=" + strlen(object) + 1 + strlen(inherited) +
                  sizeof "EXECGUARD_POLICY=" + strlen(policy);
    char **ret = malloc((count + 3) * sizeof *ret + text);
    if (!ret) return NULL;
    char *preload = (char *)(ret + count + 3);
    char *name = join_preload(preload, object, inherited);
    char *end = stpcpy(stpcpy(name, "EXECGUARD_POLICY="), policy) + 1;

    size_t n = 0;
    ret[n++] = preload;
    ret[n++] = name;
    /* copied, so that all of it lies together: a supervisor reads it at once */
    for (size_t i = 0; i < count; i++)
        if (!is_variable(envp[i], "LD_PRELOAD") && !is_variable(envp[i], "EXECGUARD_POLICY")) {
            ret[n++] = end;
            end = stpcpy(end, envp[i]) + 1;
        }
    ret[n] = NULL;
    return ret;
}
