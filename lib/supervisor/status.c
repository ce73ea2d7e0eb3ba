// SPDX-License-Identifier: MIT
/* Purpose: the file that `execguard status` reads about a supervising process. */
#include "supervisor/status.h"

#include "decide/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct eg_status {
    json_t *root, *trees, *policies;
};

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

struct eg_status *eg_status_begin(const char *kind)
{
    char folder[EG_PATH_MAX];
    if (!eg_status_folder(folder)) return NULL;
    struct eg_status *status = calloc(1, sizeof *status);
    if (!status) return NULL;
    status->trees = json_array();
    status->policies = json_array();
    status->root = json_pack("{s:s, s:i, s:I, s:o, s:o}", "kind", kind, "pid", (int)getpid(),
                             "start", (json_int_t)eg_status_start_time(getpid()), "policies",
                             status->policies, "trees", status->trees);
    if (status->root) return status;
    free(status);
    return NULL;
}

/* The programs that Landlock or the supervisor lets run, as they were compiled:
 * whoever reads compares them with what is there now. */
static json_t *programs_of(const struct eg_blob *blob)
{
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    json_t *list = json_array();
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_PROGRAMS); i++) {
        const struct eg_blob_program *p = &programs[i];
        if (!p->id.mode) continue;
        json_array_append_new(
            list, json_pack("{s:s%, s:I, s:I, s:I, s:I}", "path", eg_blob_cstr(blob, p->path),
                            strlen(eg_blob_cstr(blob, p->path)), "dev", (json_int_t)p->id.dev,
                            "ino", (json_int_t)p->id.ino, "size", (json_int_t)p->id.size, "mtime",
                            (json_int_t)p->id.mtime_s));
    }
    return list;
}

static json_int_t policy_index(struct eg_status *status, const struct eg_blob *blob)
{
    char id[33];
    size_t count = json_array_size(status->policies);
    snprintf(id, sizeof id, "%08x%08x%08x%08x", blob->id[0], blob->id[1], blob->id[2], blob->id[3]);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(status->policies, i);
        if (strcmp(json_string_value(json_object_get(row, "id")), id) == 0) return (json_int_t)i;
    }
    json_t *row =
        json_pack("{s:s, s:s, s:b, s:o}", "name", eg_blob_cstr(blob, blob->name), "id", id, "log",
                  (blob->flags & EG_BLOB_LOG_MODE) != 0, "programs", programs_of(blob));
    return json_array_append_new(status->policies, row) == 0 ? (json_int_t)count : -1;
}

void eg_status_add(struct eg_status *status, const struct eg_tree *tree, uint32_t layers)
{
    if (!status) return;
    json_t *row = json_pack("{s:I, s:i, s:I, s:I, s:I, s:b, s:s%}", "policy",
                            policy_index(status, tree->blob), "worker", (int)tree->worker, "denied",
                            (json_int_t)tree->denied, "raced", (json_int_t)tree->raced, "layers",
                            (json_int_t)layers, "foreign", tree->foreign_root, "container",
                            tree->container.p ? tree->container.p : "", tree->container.n);
    json_array_append_new(status->trees, row);
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
    char *text = json_dumps(status->root, JSON_COMPACT);
    json_decref(status->root);
    free(status);
    if (text && name_file(path) && make_folders(path)) {
        snprintf(fresh, sizeof fresh, "%s.new", path);
        int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        size_t n = strlen(text);
        bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n;
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
