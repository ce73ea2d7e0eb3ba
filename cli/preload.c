// SPDX-License-Identifier: MIT
/* Where the command's own files are, and the environment that makes the loader
 * take the preload object.  An object that somebody else could replace would run in the worker
 * before the guard does: it is refused. */
#include "cli.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
static bool find_object(const char *self, struct eg_cli_files *ret)
{
    size_t n = folder_length(self);
    if (n && join(ret->object, self, n, OBJECT_NAME) && stat(ret->object, &ret->object_stat) == 0)
        return true;
    if (ends(self, n, "/bin/") && join(ret->object, self, n - 5, LIBRARY OBJECT_NAME) &&
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

bool eg_cli_own_files(struct eg_cli_files *ret)
{
    char self[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n < 0 ? 0 : n] = '\0';
    bool found = find_object(self, ret);
    size_t folder = folder_length(ret->object);
    if (!join(ret->runner, ret->object, folder, RUNNER_NAME)) *ret->runner = '\0';
    memcpy(ret->command, self, sizeof self);
    memcpy(ret->whole, self, sizeof self);
    if (eg_cli_is_front) {
        if (!join(ret->whole, ret->object, folder, WHOLE_NAME)) *ret->whole = '\0';
    } else if (strcmp(self + folder_length(self), WHOLE_NAME) == 0) {
        find_front(self, ret->command);
    }
    return found;
}

int eg_cli_check_own(const char *what, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return eg_cli_error("%s is missing: %s: %s", what, path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return eg_cli_error("%s %s is no file", what, path);
    if (geteuid() == 0 && st.st_uid != 0)
        return eg_cli_error("%s %s belongs to user %u, not to root", what, path, st.st_uid);
    if (st.st_mode & S_IWOTH || (st.st_mode & S_IWGRP && st.st_gid != 0))
        return eg_cli_error("%s %s can be written by others", what, path);
    return 0;
}

int eg_cli_find_preload(char ret[PATH_MAX])
{
    struct eg_cli_files files;
    eg_cli_own_files(&files);
    memcpy(ret, files.object, sizeof files.object);
    int status = eg_cli_check_own("the preload object", ret);
    if (status) return status;
    /* LD_PRELOAD is split at these (ld.so(8)) and knows no quoting. */
    if (strpbrk(ret, " :"))
        return eg_cli_error("the preload object's path %s holds a space or a colon, which "
                            "LD_PRELOAD cannot carry",
                            ret);
    return 0;
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

char **eg_cli_worker_environment(char *const *envp, const char *object, const char *policy)
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
