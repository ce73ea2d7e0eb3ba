// SPDX-License-Identifier: MIT
/* Where the preload object is, and the environment that makes the loader take
 * it.  An object that somebody else could replace would run in the worker
 * before the guard does: it is refused. */
#include "cli.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OBJECT_NAME "libexecguard-preload.so"
#define RUNNER_NAME "execguard-line"
#ifndef EG_PRELOAD_PATH
#define EG_PRELOAD_PATH EG_PREFIX "/lib/execguard/" OBJECT_NAME
#endif

bool eg_cli_own_files(struct eg_cli_files *ret)
{
    static_assert(sizeof EG_PRELOAD_PATH <= PATH_MAX, "the installed path fits");
    ssize_t n = readlink("/proc/self/exe", ret->command, PATH_MAX - 1);
    if (n < 0) n = 0;
    ret->command[n] = '\0';
    while (n > 0 && ret->command[n - 1] != '/') n--;
    if (n > 0 && (size_t)n + sizeof OBJECT_NAME <= PATH_MAX) {
        /* Started from a build folder. */
        memcpy(ret->object, ret->command, (size_t)n);
        memcpy(ret->object + n, OBJECT_NAME, sizeof OBJECT_NAME);
        if (stat(ret->object, &ret->object_stat) == 0) return true;
    }
    memcpy(ret->object, EG_PRELOAD_PATH, sizeof EG_PRELOAD_PATH);
    return stat(ret->object, &ret->object_stat) == 0;
}

const char *eg_cli_line_runner(struct eg_cli_files *files)
{
    const char *slash = strrchr(files->object, '/');
    size_t n = slash ? (size_t)(slash + 1 - files->object) : 0;
    if (n + sizeof RUNNER_NAME > sizeof files->runner) return NULL;
    memcpy(files->runner, files->object, n);
    memcpy(files->runner + n, RUNNER_NAME, sizeof RUNNER_NAME);
    return files->runner;
}

int eg_cli_find_preload(char ret[PATH_MAX])
{
    struct eg_cli_files files;
    if (!eg_cli_own_files(&files))
        return eg_cli_error("the preload object is missing: %s: %s", files.object, strerror(errno));
    struct stat st = files.object_stat;
    memcpy(ret, files.object, strlen(files.object) + 1);
    if (!S_ISREG(st.st_mode)) return eg_cli_error("the preload object %s is no file", ret);
    if (geteuid() == 0 && st.st_uid != 0)
        return eg_cli_error("the preload object %s belongs to user %u, not to root", ret,
                            st.st_uid);
    if (st.st_mode & S_IWOTH || (st.st_mode & S_IWGRP && st.st_gid != 0))
        return eg_cli_error("the preload object %s can be written by others", ret);
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
    for (; envp[count]; count++)
        if (is_variable(envp[count], "LD_PRELOAD")) inherited = envp[count] + strlen("LD_PRELOAD=");
    size_t text = sizeof "LD_PRELOAD=" + strlen(object) + 1 + strlen(inherited) +
                  sizeof "EXECGUARD_POLICY=" + strlen(policy);
    char **ret = malloc((count + 3) * sizeof *ret + text);
    if (!ret) return NULL;
    char *preload = (char *)(ret + count + 3);
    char *name = join_preload(preload, object, inherited);
    stpcpy(stpcpy(name, "EXECGUARD_POLICY="), policy);

    size_t n = 0;
    ret[n++] = preload;
    ret[n++] = name;
    for (size_t i = 0; i < count; i++)
        if (!is_variable(envp[i], "LD_PRELOAD") && !is_variable(envp[i], "EXECGUARD_POLICY"))
            ret[n++] = envp[i];
    ret[n] = NULL;
    return ret;
}
