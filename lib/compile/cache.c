// SPDX-License-Identifier: MIT
/* Compiled policies, kept so that `exec` starts no compiler.
 *
 * What is found in the cache is used only when it is ours, undamaged and made
 * from files that are still as they were, and when the policy's own files may
 * still be written by nobody else.  In every other case the policy is compiled
 * again: the cache can make a start slower, never different.
 *
 * Blobs are named after their ids, and a link named after the policy and the
 * options leads to the latest: the processes of a worker that was started before
 * the policy changed go on reading the blob that they are guarded by. */
#include "compile/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/stat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/sha256.h"
#include "base/sys.h"
#include "compile/cache_prune.h"
#include "policy/source.h"

/* --- The folder --- */

/* 0 when it is a folder that nobody but us can write. */
static int check_folder(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    int r = fstat(fd, &st) < 0 ? -errno : 0;
    close(fd);
    if (r == 0 && (st.st_uid != geteuid() || (st.st_mode & 022))) r = -EPERM;
    return r;
}

/* Make a folder and the one above it; an umask that takes too little or too much
 * away must not decide who may write it. */
static void make_folder(const char *path, mode_t mode)
{
    char above[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof(above)) return;
    memcpy(above, path, n + 1);
    char *slash = strrchr(above, '/');
    if (!slash || slash == above) return;
    *slash = '\0';
    mkdir(above, mode);
    if (mkdir(path, mode) == 0 && chmod(path, mode) < 0) rmdir(path);
}

/* The folder `path` (taken over) if it is fit, else NULL. */
static char *try_folder(char *path, bool create, mode_t mode, int *ret_error)
{
    if (!path) {
        *ret_error = -ENOMEM;
        return NULL;
    }
    *ret_error = check_folder(path);
    if (*ret_error == -ENOENT && create) {
        make_folder(path, mode);
        *ret_error = check_folder(path);
    }
    /* a root-owned place that is there but cannot be written is no place */
    if (*ret_error == 0 && create && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
        *ret_error = -errno;
    if (*ret_error == 0) return path;
    free(path);
    return NULL;
}

__attribute__((format(printf, 1, 2))) static char *format(const char *text, ...)
{
    char *s = NULL;
    va_list arguments;
    va_start(arguments, text);
    if (vasprintf(&s, text, arguments) < 0) s = NULL;
    va_end(arguments);
    return s;
}

char *eg_cache_folder(bool create, int *ret_error)
{
    char *folder = NULL;
    if (geteuid() == 0) {
        /* root's environment is not asked: it may come from a user's request */
        folder = try_folder(strdup("/var/cache/execguard"), create, 0755, ret_error);
        if (!folder) folder = try_folder(strdup("/run/execguard"), create, 0755, ret_error);
        return folder;
    }
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (xdg && xdg[0] == '/')
        folder = try_folder(format("%s/execguard", xdg), create, 0700, ret_error);
    else if (home && home[0] == '/')
        folder = try_folder(format("%s/.cache/execguard", home), create, 0700, ret_error);
    if (!folder)
        folder =
            try_folder(format("/tmp/execguard-%u", (unsigned)geteuid()), create, 0700, ret_error);
    return folder;
}

/* --- The name of a link: all that decides what is compiled --- */

static void feed(struct eg_sha256 *sha, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    uint64_t length = text ? n : UINT64_MAX; /* so that no two lists look alike */
    eg_sha256_feed(sha, &length, sizeof(length));
    eg_sha256_feed(sha, text, n);
}

/* Another build of the program that compiles may do it otherwise. */
static void feed_compiler(struct eg_sha256 *sha, const char *path)
{
    struct statx st;
    if (!path) path = "/proc/self/exe";
    if (eg_sys(__NR_statx, AT_FDCWD, path, 0, STATX_BASIC_STATS, &st) < 0) return;
    const uint64_t self[] = { st.stx_ino, st.stx_size, (uint64_t)st.stx_mtime.tv_sec,
                              st.stx_mtime.tv_nsec };
    eg_sha256_feed(sha, self, sizeof(self));
}

static char *name_link(const char *folder, const char *given, const char *canonical,
                       const struct eg_policy_options *policy_options,
                       const struct eg_compile_options *options)
{
    struct eg_sha256 sha;
    unsigned char digest[32];
    const uint32_t numbers[] = { EG_BLOB_VERSION, geteuid(), getegid(), policy_options->guard_uid,
                                 policy_options->check_owner };
    eg_sha256_init(&sha);
    feed(&sha, EG_VERSION);
    feed(&sha, given);
    feed(&sha, canonical);
    feed(&sha, options->events);
    feed(&sha, options->line_runner);
    feed(&sha, getenv("PATH")); /* where `#!/usr/bin/env NAME` leads */
    eg_sha256_feed(&sha, numbers, sizeof(numbers));
    for (const char *const *f = options->guard_files; f && *f; f++) feed(&sha, *f);
    feed(&sha, NULL);
    for (size_t i = 0; i < 4 && policy_options->search[i]; i++)
        feed(&sha, policy_options->search[i]);
    feed_compiler(&sha, options->compiler);
    eg_sha256_done(&sha, digest);
    char hex[65];
    for (size_t i = 0; i < 64; i++)
        hex[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    hex[64] = '\0';
    return format("%s/%s", folder, hex);
}

/* --- Looking --- */

/* May still nobody else write the policy's files?  (eg_policy_load asks when it
 * reads them; a hit reads none, and the one at `opened` has been asked for.) */
static bool owners_are_fit(const struct eg_blob *blob, const char *opened,
                           const struct eg_policy_options *options)
{
    const struct eg_blob_dependency *d = eg_blob_section(blob, EG_SECTION_DEPENDENCIES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_DEPENDENCIES); i++) {
        if (d[i].kind != EG_DEPENDENCY_POLICY) continue;
        const char *path = eg_blob_cstr(blob, d[i].path);
        if (strcmp(path, opened) == 0) continue;
        struct eg_diagnostics unheard = { 0 };
        int fd = eg_source_open(path, options, &unheard, (struct eg_span){ .source = EG_NONE });
        eg_diagnostics_free(&unheard);
        if (fd < 0) return false;
        close(fd);
    }
    return true;
}

/* Ours, and nobody else's to write. */
static bool is_ours(const char *file)
{
    struct stat st;
    return lstat(file, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
           !(st.st_mode & 022);
}

#define BLOB_NAME_SIZE sizeof("00112233445566778899aabbccddeeff.blob")

static void name_blob(const struct eg_blob *blob, char ret[BLOB_NAME_SIZE])
{
    snprintf(ret, BLOB_NAME_SIZE, "%08x%08x%08x%08x.blob", blob->id[0], blob->id[1], blob->id[2],
             blob->id[3]);
}

/* Does the file hold the policy that it is named after, as things are now? */
static bool is_fresh(const struct eg_blob *blob, const char *name, const char *opened,
                     const struct eg_policy_options *options)
{
    char expected[BLOB_NAME_SIZE];
    name_blob(blob, expected);
    return strcmp(name, expected) == 0 && !eg_blob_stale(blob) &&
           (!options->check_owner || owners_are_fit(blob, opened, options));
}

/* The blob that `link` leads to, and its path; NULL when it cannot be used. */
static struct eg_blob *find_fresh(const char *folder, const char *link, const char *opened,
                                  const struct eg_policy_options *options, char **ret_path)
{
    char name[BLOB_NAME_SIZE];
    ssize_t n = readlink(link, name, sizeof(name));
    if (n != (ssize_t)sizeof(name) - 1) return NULL;
    name[n] = '\0';
    if (strchr(name, '/')) return NULL;
    char *path = format("%s/%s", folder, name);
    struct eg_blob *blob = NULL;
    const char *why;
    if (path && is_ours(path) && eg_blob_read(path, &blob, &why) == 0 &&
        is_fresh(blob, name, opened, options) && eg_cache_use(folder, path)) {
        *ret_path = path;
        return blob;
    }
    eg_blob_free(blob);
    free(path);
    return NULL;
}

/* Write the blob, then turn the link to it. */
static int keep(const struct eg_blob *blob, const char *folder, const char *link, char **ret_path)
{
    char name[BLOB_NAME_SIZE];
    name_blob(blob, name);
    char *path = format("%s/%s", folder, name);
    struct timespec now = { 0 };
    clock_gettime(CLOCK_MONOTONIC, &now); /* two containers may share folder and pid */
    char *temporary = format("%s.%u-%lx", link, (unsigned)getpid(), (unsigned long)now.tv_nsec);
    int lock = eg_cache_lock(folder, false); /* not to be pruned before the link leads to it */
    int r = path && temporary ? eg_blob_write(blob, path) : -ENOMEM;
    if (r == 0 && unlink(temporary) < 0 && errno != ENOENT) r = -errno;
    if (r == 0 && symlink(name, temporary) < 0) r = -errno;
    if (r == 0 && rename(temporary, link) < 0) r = -errno;
    free(temporary);
    if (lock >= 0) close(lock);
    if (r < 0) {
        free(path);
        return r;
    }
    *ret_path = path;
    eg_cache_prune_at_times(folder);
    return 0;
}

/* The policy file that a name stands for, canonical; NULL when it cannot be
 * used, which loading it will explain. */
static char *find_policy(const char *name, const struct eg_policy_options *options)
{
    struct eg_span nowhere = { .source = EG_NONE };
    struct eg_diagnostics unheard = { 0 };
    char *path = NULL;
    int fd = -1;
    if (name[0] && !strchr(name, '/')) {
        fd = eg_source_find(eg_str(name), NULL, options, &unheard, nowhere, &path);
    } else {
        fd = eg_source_open(name, options, &unheard, nowhere);
        if (fd >= 0) path = strdup(name);
    }
    eg_diagnostics_free(&unheard);
    if (fd < 0) return NULL;
    close(fd);
    char *canonical = path ? realpath(path, NULL) : NULL;
    free(path);
    return canonical;
}

/* --- Making --- */

static int make(const char *name, const struct eg_policy_options *policy_options,
                const struct eg_compile_options *options, struct eg_diagnostics *diagnostics,
                struct eg_cached *ret)
{
    ret->what = "reading the policy";
    int r = eg_policy_load(name, policy_options, diagnostics, &ret->policy);
    if (r < 0) return r;
    ret->what = "compiling it";
    return eg_compile(ret->policy, options, diagnostics, &ret->blob);
}

int eg_cache_load_in(const char *folder, const char *name,
                     const struct eg_policy_options *policy_options,
                     const struct eg_compile_options *options, struct eg_diagnostics *diagnostics,
                     struct eg_cached *ret)
{
    static const struct eg_compile_options none = { 0 };
    if (!options) options = &none;
    *ret = (struct eg_cached){ 0 };
    int r = check_folder(folder);
    if (r < 0) {
        ret->what = "the folder for compiled policies";
        return r;
    }
    char *canonical = find_policy(name, policy_options);
    char *link = NULL;
    if (canonical) {
        link = name_link(folder, name, canonical, policy_options, options);
        if (link) ret->blob = find_fresh(folder, link, canonical, policy_options, &ret->path);
        free(canonical);
        if (!link) return -ENOMEM;
    }
    if (!ret->blob) r = make(name, policy_options, options, diagnostics, ret);
    if (!ret->path && r == 0) {
        ret->what = "keeping the compiled policy";
        /* no link: the policy appeared between the two looks */
        r = link ? keep(ret->blob, folder, link, &ret->path) : -EAGAIN;
    }
    free(link);
    if (r < 0) {
        eg_blob_free(ret->blob);
        ret->blob = NULL;
    } else {
        ret->what = NULL;
    }
    return r;
}

/* Nothing can be kept.  No file can have this path: /dev/null is none's folder. */
static int load_fileless(const char *name, const struct eg_policy_options *policy_options,
                         const struct eg_compile_options *options,
                         struct eg_diagnostics *diagnostics, int error, struct eg_cached *ret)
{
    char blob[BLOB_NAME_SIZE];
    int r = make(name, policy_options, options, diagnostics, ret);
    if (r == 0) {
        ret->what = "the folder for compiled policies";
        /* without a supervisor nobody could hand it over */
        if (ret->blob->optional_layers & (1u << EG_LAYER_SUPERVISOR)) r = error;
    }
    if (r == 0) {
        name_blob(ret->blob, blob);
        ret->path = format("/dev/null/%s", blob);
        if (!ret->path) r = -ENOMEM;
    }
    if (r < 0) {
        eg_blob_free(ret->blob);
        ret->blob = NULL;
    }
    return r;
}

int eg_cache_load(const char *name, const struct eg_policy_options *policy_options,
                  const struct eg_compile_options *options, struct eg_diagnostics *diagnostics,
                  struct eg_cached *ret)
{
    int r = 0;
    *ret = (struct eg_cached){ 0 };
    char *folder = eg_cache_folder(true, &r);
    if (!folder) {
        if (options && options->fileless)
            return load_fileless(name, policy_options, options, diagnostics, r, ret);
        ret->what = "the folder for compiled policies";
        return r;
    }
    r = eg_cache_load_in(folder, name, policy_options, options, diagnostics, ret);
    free(folder);
    return r;
}

void eg_cached_free(struct eg_cached *cached)
{
    eg_blob_free(cached->blob);
    free(cached->path);
    eg_policy_free(cached->policy);
    *cached = (struct eg_cached){ 0 };
}
