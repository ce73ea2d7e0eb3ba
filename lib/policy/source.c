// SPDX-License-Identifier: MIT
/* Reading policy texts. */
#include "policy/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "policy/owner.h"

#define SUFFIX    EG_STR(".policy")
#define NAMES_MAX 256u /* files in a folder that are looked at for a suggestion */

static void report_owner(const struct eg_owner_problem *problem, uid_t guard_uid,
                         struct eg_diagnostics *d, struct eg_span span)
{
    struct eg_quoted path = eg_quote(eg_str(problem->path));
    struct eg_hint hint;
    switch (problem->fault) {
    case EG_OWNER_FOREIGN:
        if (guard_uid == 0)
            hint = eg_format_hint("it must belong to root: chown root %s", problem->path);
        else
            hint = eg_format_hint("it must belong to root or to user %u, whom the guard runs as",
                                  (unsigned)guard_uid);
        eg_report_hint(d, OWNER, span, hint.s, path.s, (unsigned)problem->owner);
        return;
    case EG_OWNER_STICKY: eg_report(d, STICKY, span, path.s); return;
    case EG_OWNER_GROUP_WRITABLE:
    case EG_OWNER_WORLD_WRITABLE:
        hint = eg_format_hint("chmod go-w %s", problem->path);
        eg_report_hint(d, WRITABLE, span, hint.s, path.s,
                       problem->fault == EG_OWNER_GROUP_WRITABLE ? "its group" : "everybody");
        return;
    }
}

int eg_source_open(const char *path, const struct eg_policy_options *options,
                   struct eg_diagnostics *d, struct eg_span span)
{
    if (!options->check_owner) {
        int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0) return fd;
        int failure = errno;
        if (failure != ENOENT)
            eg_report(d, CANNOT_OPEN, span, eg_quote(eg_str(path)).s, strerror(failure));
        return -failure;
    }
    struct eg_owner_problem problem = { 0 };
    int r = eg_owner_open(path, options->guard_uid, &problem);
    if (r >= 0 || r == -ENOENT || r == -ENOMEM) return r;
    if (problem.path)
        report_owner(&problem, options->guard_uid, d, span);
    else if (r == -EISDIR)
        eg_report(d, NOT_A_FILE, span, eg_quote(eg_str(path)).s);
    else
        eg_report(d, CANNOT_OPEN, span, eg_quote(eg_str(path)).s, strerror(-r));
    free(problem.path);
    return r;
}

/* The name of a policy in one of the folders that is most like `name`;
 * malloc'ed, or NULL. */
static char *find_similar(struct eg_str name, const char *const *folders)
{
    const char *names[NAMES_MAX] = { NULL };
    size_t count = 0;
    for (; *folders && count < NAMES_MAX; folders++) {
        DIR *dir = opendir(*folders);
        if (!dir) continue;
        struct dirent *entry;
        while (count < NAMES_MAX && (entry = readdir(dir))) {
            struct eg_str file = eg_str(entry->d_name);
            if (!eg_str_ends(file, SUFFIX)) continue;
            char *copy = strndup(file.p, file.n - SUFFIX.n);
            if (copy) names[count++] = copy;
        }
        closedir(dir);
    }
    const char *near = eg_suggest(name, names, count);
    char *similar = near ? strdup(near) : NULL;
    while (count) free((char *)names[--count]);
    return similar;
}

static void report_not_found(struct eg_str name, const char *const *folders,
                             struct eg_diagnostics *d, struct eg_span span)
{
    struct eg_hint hint;
    char *similar = find_similar(name, folders);
    if (similar) {
        hint = eg_format_hint("did you mean \"%s\"?", similar);
    } else if (!folders[0]) {
        hint = eg_format_hint("a path to a file needs a slash: ./%.*s", (int)name.n, name.p);
    } else {
        struct eg_buf b = eg_buf_over(hint.s, sizeof(hint.s));
        eg_buf_add(&b, "looked for ");
        eg_buf_str(&b, name);
        if (!eg_str_ends(name, SUFFIX)) eg_buf_str(&b, SUFFIX);
        for (size_t i = 0; folders[i]; i++) {
            eg_buf_add(&b, i ? ", " : " in ");
            eg_buf_add(&b, folders[i]);
        }
        eg_buf_add(&b, "; a path to a file needs a slash: ./");
        eg_buf_str(&b, name);
        eg_buf_cstr(&b);
    }
    free(similar);
    eg_report_hint(d, NO_SUCH_POLICY, span, hint.s, eg_quote(name).s);
}

int eg_source_find(struct eg_str name, const char *folder, const struct eg_policy_options *options,
                   struct eg_diagnostics *d, struct eg_span span, char **ret_path)
{
    const char *folders[1 + sizeof(options->search) / sizeof(options->search[0]) + 1] = { 0 };
    size_t count = 0;
    if (folder) folders[count++] = folder;
    for (size_t i = 0; i < sizeof(options->search) / sizeof(options->search[0]); i++) {
        if (!options->search[i]) break;
        folders[count++] = options->search[i];
    }
    for (size_t i = 0; i < count; i++) {
        char *path;
        if (asprintf(&path, "%s/%.*s%s", folders[i], (int)name.n, name.p,
                     eg_str_ends(name, SUFFIX) ? "" : SUFFIX.p) < 0)
            return -ENOMEM;
        int fd = eg_source_open(path, options, d, span);
        if (fd >= 0) {
            *ret_path = path;
            return fd;
        }
        free(path);
        if (fd != -ENOENT) return fd;
    }
    report_not_found(name, folders, d, span);
    return -ENOENT;
}

static struct eg_identity identity_of(const struct stat *st)
{
    return (struct eg_identity){
        .dev = (uint64_t)major(st->st_dev) << 32 | minor(st->st_dev),
        .ino = st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime_s = st->st_mtim.tv_sec,
        .mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
        .mode = st->st_mode,
    };
}

int eg_source_read(int fd, size_t limit, struct eg_arena *arena, struct eg_source *source,
                   struct eg_diagnostics *d, struct eg_span span)
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        int failure = errno;
        eg_report(d, CANNOT_READ, span, eg_quote(source->path).s, strerror(failure));
        return -failure;
    }
    if (!S_ISREG(st.st_mode)) {
        eg_report(d, NOT_A_FILE, span, eg_quote(source->path).s);
        return -EINVAL;
    }
    source->id = identity_of(&st);
    if (st.st_size > 0 && (uint64_t)st.st_size > limit) {
        eg_report(d, TOO_LARGE, span);
        return -EFBIG;
    }
    /* One byte more than the size tells a file that grew meanwhile, and files
     * such as those of /proc, which say 0. */
    size_t cap = st.st_size > 0 ? (size_t)st.st_size + 1 : 4096;
    char *text = NULL;
    size_t n = 0;
    for (;;) {
        if (!text || n == cap) {
            if (text) cap *= 2;
            char *larger = eg_arena_alloc(arena, cap);
            if (!larger) return -ENOMEM;
            if (n) memcpy(larger, text, n);
            text = larger;
        }
        ssize_t got = read(fd, text + n, cap - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            int failure = errno;
            eg_report(d, CANNOT_READ, span, eg_quote(source->path).s, strerror(failure));
            return -failure;
        }
        if (got == 0) break;
        n += (size_t)got;
        if (n > limit) {
            eg_report(d, TOO_LARGE, span);
            return -EFBIG;
        }
    }
    source->text = (struct eg_str){ text, n };
    return 0;
}

bool eg_source_check(struct eg_source *source, uint32_t index, struct eg_diagnostics *d)
{
    if (eg_str_starts(source->text, EG_STR("\xef\xbb\xbf")))
        source->text = eg_str_skip(source->text, 3);
    struct eg_str text = source->text;
    struct eg_span span = { .source = index, .line = 1, .column = 1, .length = 1 };
    const char *nul = text.n ? memchr(text.p, '\0', text.n) : NULL;
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n;
        if (nul && nul < text.p + n) {
            span.column = (uint32_t)(nul - text.p) + 1;
            eg_report(d, NUL_BYTE, span);
            return false;
        }
        if (n > EG_SOURCE_LINE_MAX) {
            eg_report(d, LINE_TOO_LONG, span);
            return false;
        }
        text = eg_str_skip(text, n + 1);
        span.line++;
    }
    return true;
}
