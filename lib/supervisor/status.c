// SPDX-License-Identifier: MIT
/* Purpose: the file that `execguard status` reads about a supervising process. */
#include "supervisor/status.h"

#include "decide/verdict.h"
#include "event/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A growing text. */
struct text {
    FILE *out;
    char *text;
    size_t size;
};

struct eg_status {
    const char *kind;
    struct text policies, trees; /* the items of two lists */
    uint32_t (*ids)[4];          /* of the policies */
    size_t count;
};

/* False: out of memory, earlier or now. */
static bool finish(struct text *text)
{
    bool good = text->out && !ferror(text->out);
    if (text->out && fclose(text->out) != 0) good = false;
    text->out = NULL;
    return good && text->text;
}

static void discard(struct eg_status *status)
{
    finish(&status->policies);
    finish(&status->trees);
    free(status->policies.text);
    free(status->trees.text);
    free(status->ids);
    free(status);
}

const char *eg_status_folder(char buf[EG_PATH_MAX])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (geteuid() == 0) return "/run/execguard/status";
    if (!runtime || runtime[0] != '/') return NULL;
    int n = snprintf(buf, EG_PATH_MAX, "%s/execguard/status", runtime);
    return n > 0 && n < (int)EG_PATH_MAX - 32 ? buf : NULL;
}

uint64_t eg_status_start_time(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (n <= 0) return 0;
    text[n] = '\0';
    /* the name, field 2, may hold anything: count from its closing bracket */
    char *at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

int eg_status_wait(struct eg_status_clock *clock, uint64_t changes)
{
    struct timespec time;
    if (clock->published && clock->told == changes) {
        clock->due = 0;
        return -1;
    }
    clock_gettime(CLOCK_MONOTONIC, &time);
    int64_t now = (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
    if (!clock->due) clock->due = now + 1000;
    if (now < clock->due) return (int)(clock->due - now);
    *clock = (struct eg_status_clock){ .told = changes, .published = true };
    return 0;
}

/* Quoted; false, with nothing written, when it is no UTF-8, which JSON cannot
 * carry. */
static bool put_string(FILE *out, struct eg_str s)
{
    for (size_t i = 0; i < s.n;) {
        struct eg_text_char c = eg_text_next(s, i);
        if (!c.valid) return false;
        i += c.n;
    }
    putc('"', out);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fprintf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    putc('"', out);
    return true;
}

/* The same, with "" for what cannot be written. */
static void put_name(FILE *out, struct eg_str s)
{
    if (!put_string(out, s)) fputs("\"\"", out);
}

struct eg_status *eg_status_begin(const char *kind)
{
    char folder[EG_PATH_MAX];
    if (!eg_status_folder(folder)) return NULL;
    struct eg_status *status = calloc(1, sizeof *status);
    if (!status) return NULL;
    status->kind = kind;
    status->policies.out = open_memstream(&status->policies.text, &status->policies.size);
    status->trees.out = open_memstream(&status->trees.text, &status->trees.size);
    if (status->policies.out && status->trees.out) return status;
    discard(status);
    return NULL;
}

/* The programs that Landlock or the supervisor lets run, as they were compiled:
 * whoever reads compares them with what is there now. */
static void put_programs(FILE *out, const struct eg_blob *blob)
{
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    bool some = false;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_PROGRAMS); i++) {
        const struct eg_blob_program *p = &programs[i];
        if (!p->id.mode) continue;
        fprintf(out,
                "%s{\"dev\":%" PRId64 ",\"ino\":%" PRId64 ",\"size\":%" PRId64 ",\"mtime\":%" PRId64
                ",\"path\":",
                some ? "," : "", (int64_t)p->id.dev, (int64_t)p->id.ino, (int64_t)p->id.size,
                (int64_t)p->id.mtime_s);
        put_name(out, eg_str(eg_blob_cstr(blob, p->path)));
        putc('}', out);
        some = true;
    }
}

/* -1: out of memory. */
static long policy_index(struct eg_status *status, const struct eg_blob *blob)
{
    FILE *out = status->policies.out;
    for (size_t i = 0; i < status->count; i++)
        if (memcmp(status->ids[i], blob->id, sizeof status->ids[i]) == 0) return (long)i;
    uint32_t(*ids)[4] = reallocarray(status->ids, status->count + 1, sizeof *ids);
    if (!ids) return -1;
    status->ids = ids;
    memcpy(ids[status->count], blob->id, sizeof *ids);
    fprintf(out, "%s{\"id\":\"%08x%08x%08x%08x\",\"log\":%s,\"reexec\":%s,\"name\":",
            status->count ? "," : "", blob->id[0], blob->id[1], blob->id[2], blob->id[3],
            blob->flags & EG_BLOB_LOG_MODE ? "true" : "false",
            blob->flags & EG_BLOB_WORKER_REEXEC ? "true" : "false");
    put_name(out, eg_str(eg_blob_cstr(blob, blob->name)));
    fputs(",\"programs\":[", out);
    put_programs(out, blob);
    fputs("]}", out);
    return (long)status->count++;
}

void eg_status_add(struct eg_status *status, const struct eg_tree *tree, uint32_t layers)
{
    if (!status) return;
    FILE *out = status->trees.out;
    if (ftell(out) > 0) putc(',', out);
    fprintf(out,
            "{\"policy\":%ld,\"worker\":%d,\"denied\":%" PRIu64 ",\"raced\":%" PRIu64
            ",\"layers\":%u,\"foreign\":%s,\"container\":",
            policy_index(status, tree->blob), (int)tree->worker, (uint64_t)tree->denied,
            (uint64_t)tree->raced, layers, tree->foreign_root ? "true" : "false");
    put_name(out, tree->container);
    putc('}', out);
}

static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool there = mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
        if (!there) return false;
    }
    return true;
}

static bool name_file(char path[EG_PATH_MAX])
{
    char buf[EG_PATH_MAX];
    const char *folder = eg_status_folder(buf);
    int n = folder ? snprintf(path, EG_PATH_MAX, "%s/%d.json", folder, (int)getpid()) : -1;
    return n > 0 && n < (int)EG_PATH_MAX - 8;
}

void eg_status_end(struct eg_status *status)
{
    char path[EG_PATH_MAX], fresh[EG_PATH_MAX + 8];
    if (!status) return;
    char *text = NULL;
    bool whole = finish(&status->policies) && finish(&status->trees);
    int n = !whole ? -1
                   : asprintf(&text,
                              "{\"kind\":\"%s\",\"pid\":%d,\"start\":%" PRIu64
                              ",\"policies\":[%s],\"trees\":[%s]}",
                              status->kind, (int)getpid(), eg_status_start_time(getpid()),
                              status->policies.text, status->trees.text);
    discard(status);
    if (n < 0) return;
    if (name_file(path) && make_folders(path)) {
        snprintf(fresh, sizeof fresh, "%s.new", path);
        int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        bool good = fd >= 0 && write(fd, text, (size_t)n) == (ssize_t)n;
        if (fd >= 0) close(fd);
        if (!good || rename(fresh, path) < 0) unlink(fresh);
    }
    free(text);
}

void eg_status_remove(void)
{
    char path[EG_PATH_MAX];
    if (name_file(path)) unlink(path);
}
