// SPDX-License-Identifier: MIT
/* Reads the files of supervising processes and /proc, and puts them together. */
#include "guarded.h"

#include "cli.h"
#include "supervisor/status.h"
#include "supervisor/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct process {
    pid_t pid, parent;
    bool filtered; /* seccomp mode 2 */
    bool listed;
};

struct survey {
    struct process *processes; /* by pid */
    size_t count;
    struct eg_guarded_list *list;
    int error;
};

static long field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

/* Up to size - 1 bytes of a file of /proc, ended by NUL; their number. */
static size_t read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got;
    while (fd >= 0 && n + 1 < size && (got = read(fd, text + n, size - 1 - n)) > 0)
        n += (size_t)got;
    if (fd >= 0) close(fd);
    text[n] = '\0';
    return n;
}

static int by_pid(const void *a, const void *b)
{
    const struct process *x = a, *y = b;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int read_processes(struct survey *s)
{
    char text[4096];
    size_t capacity = 0;
    DIR *folder = opendir("/proc");
    if (!folder) return -errno;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || !read_proc(pid, "status", text, sizeof text)) continue;
        if (s->count == capacity) {
            capacity = capacity ? 2 * capacity : 256;
            struct process *more = reallocarray(s->processes, capacity, sizeof *more);
            if (!more) {
                closedir(folder);
                return -ENOMEM;
            }
            s->processes = more;
        }
        s->processes[s->count++] = (struct process){
            .pid = pid,
            .parent = (pid_t)field(text, "\nPPid:"),
            .filtered = field(text, "\nSeccomp:") == 2,
        };
    }
    closedir(folder);
    if (s->count) qsort(s->processes, s->count, sizeof *s->processes, by_pid);
    return 0;
}

static struct process *find_process(const struct survey *s, pid_t pid)
{
    const struct process key = { .pid = pid };
    return s->count ? bsearch(&key, s->processes, s->count, sizeof key, by_pid) : NULL;
}

static bool descends(const struct survey *s, const struct process *process, pid_t from)
{
    /* bounded: the table may be torn, and parents then run in a circle */
    for (int depth = 0; process && depth < 1000; depth++) {
        if (process->pid == from) return true;
        process = find_process(s, process->parent);
    }
    return false;
}

static void add(struct survey *s, struct process *process, struct eg_guarded *guarded)
{
    char path[64], exe[PATH_MAX];
    struct eg_guarded_list *list = s->list;
    struct eg_guarded *more = reallocarray(list->items, list->count + 1, sizeof *more);
    if (!more) {
        s->error = -ENOMEM;
        return;
    }
    list->items = more;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)process->pid);
    ssize_t n = readlink(path, exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = '\0';
    const char *base = strrchr(exe, '/');
    guarded->pid = process->pid;
    snprintf(guarded->program, sizeof guarded->program, "%.60s",
             n <= 0 ? "?"
             : base ? base + 1
                    : exe);
    list->items[list->count++] = *guarded;
    process->listed = true;
}

const char *eg_guarded_action_name(enum eg_guarded_action action)
{
    static const char *const names[] = { "restart", "reload", "compile" };
    return names[action];
}

/* Who must be restarted: the unit of `top', else a container, else that process. */
static void name_it(pid_t top, pid_t worker, const char *container, struct eg_guarded_stale *ret)
{
    if (eg_unit_of(top, ret->name)) {
        ret->kind = "unit";
    } else if (container[0]) {
        ret->kind = "container";
        snprintf(ret->name, sizeof ret->name, "%s", container);
    } else {
        ret->kind = "process";
        snprintf(ret->name, sizeof ret->name, "%d", (int)worker);
    }
}

static void add_stale(struct survey *s, const char *policy, const char *path,
                      const struct eg_guarded_stale *what)
{
    struct eg_guarded_list *list = s->list;
    struct eg_guarded_stale *more = reallocarray(list->stale, list->stale_count + 1, sizeof *more);
    char *copy = strdup(path);
    if (more) list->stale = more;
    if (!more || !copy) {
        free(copy);
        s->error = -ENOMEM;
        return;
    }
    struct eg_guarded_stale *row = &list->stale[list->stale_count++];
    *row = *what;
    row->path = copy;
    snprintf(row->policy, sizeof row->policy, "%s", policy);
}

static const char *string_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* A program that the policy names, seen from a process of the tree. */
static bool is_replaced(const json_t *program, pid_t seen_from)
{
    char path[PATH_MAX + 64];
    struct statx st;
    snprintf(path, sizeof path, "/proc/%d/root%s", (int)seen_from, string_of(program, "path"));
    if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st) < 0) return errno == ENOENT;
    uint64_t dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor;
    return dev != (uint64_t)number_of(program, "dev") ||
           st.stx_ino != (uint64_t)number_of(program, "ino") ||
           st.stx_size != (uint64_t)number_of(program, "size") ||
           st.stx_mtime.tv_sec != number_of(program, "mtime");
}

static void take_tree(struct survey *s, const json_t *file, const json_t *tree)
{
    const json_t *policy =
        json_array_get(json_object_get(file, "policies"), (size_t)number_of(tree, "policy"));
    bool run = strcmp(string_of(file, "kind"), "run") == 0;
    pid_t worker = (pid_t)number_of(tree, "worker");
    /* orphans of `run` become its supervisor's children */
    pid_t top = run ? (pid_t)number_of(file, "pid") : worker;
    struct eg_guarded guarded = {
        .attach = run ? "run" : "agent",
        .layers = (uint32_t)number_of(tree, "layers"),
        .counts = true,
        .refused = (uint64_t)(number_of(tree, "denied") + number_of(tree, "raced")),
    };
    snprintf(guarded.policy, sizeof guarded.policy, "%s", string_of(policy, "name"));
    snprintf(guarded.container, sizeof guarded.container, "%s", string_of(tree, "container"));
    pid_t seen_from = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct process *p = &s->processes[i];
        if (p->listed || !p->filtered || !descends(s, p, top)) continue;
        if (!seen_from) seen_from = p->pid;
        add(s, p, &guarded);
    }
    size_t i;
    const json_t *program;
    bool again = json_is_true(json_object_get(policy, "reexec"));
    struct eg_guarded_stale what = {
        .pid = seen_from,
        .action = run && again ? EG_GUARDED_RELOAD : EG_GUARDED_RESTART,
    };
    name_it(top, worker, guarded.container, &what);
    json_array_foreach(json_object_get(policy, "programs"), i,
                       program) if (seen_from && is_replaced(program, seen_from))
        add_stale(s, guarded.policy, string_of(program, "path"), &what);
}

static void take_file(struct survey *s, const char *path)
{
    json_error_t error;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!file) return;
    pid_t pid = (pid_t)number_of(file, "pid");
    const json_t *trees = json_object_get(file, "trees");
    if (pid > 0 && eg_status_start_time(pid) == (uint64_t)number_of(file, "start"))
        for (size_t i = 0; i < json_array_size(trees); i++)
            take_tree(s, file, json_array_get(trees, i));
    json_decref(file);
}

/* Only what root or this user wrote: a file is no proof, but a lie should not be
 * everybody's. */
static void take_files(struct survey *s, const char *name)
{
    char path[PATH_MAX + 300];
    DIR *folder = opendir(name);
    struct stat st;
    if (!folder) return;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        size_t n = strlen(entry->d_name);
        if (n < 5 || strcmp(entry->d_name + n - 5, ".json") != 0) continue;
        snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
        if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
            (st.st_uid == 0 || st.st_uid == geteuid()))
            take_file(s, path);
    }
    closedir(folder);
}

/* The value of EXECGUARD_POLICY as the process was started with, or NULL. */
static const char *policy_variable(pid_t pid, char *text, size_t size)
{
    static const char name[] = "EXECGUARD_POLICY=";
    size_t n = read_proc(pid, "environ", text, size);
    for (size_t at = 0; at < n; at += strlen(text + at) + 1)
        if (strncmp(text + at, name, sizeof name - 1) == 0) return text + at + sizeof name - 1;
    return NULL;
}

/* Does `exec' or `run' compile this file again by itself? */
static bool is_cached(const char *path)
{
    const char *base = strrchr(path, '/');
    return base && strspn(base + 1, "0123456789abcdef") == 32 && strcmp(base + 33, ".blob") == 0;
}

static void take_unsupervised(struct survey *s, struct process *process)
{
    static char text[1u << 20];
    char path[PATH_MAX + 64], link[64];
    struct eg_guarded guarded = { .attach = "preload" };
    snprintf(link, sizeof link, "/proc/%d/exe", (int)process->pid);
    if (readlink(link, path, sizeof path) < 0) {
        s->list->unreadable++;
        return;
    }
    const char *name = policy_variable(process->pid, text, sizeof text);
    if (!name || strlen(name) >= PATH_MAX) return;
    bool cached = is_cached(name);
    snprintf(path, sizeof path, "/proc/%d/root%s", (int)process->pid, name);
    struct eg_blob *blob;
    const char *why;
    if (eg_blob_read(path, &blob, &why) < 0) return;
    snprintf(guarded.policy, sizeof guarded.policy, "%s", eg_blob_cstr(blob, blob->name));
    guarded.layers = 1u << EG_LAYER_FILTER | 1u << EG_LAYER_DOMAIN;
    if (blob->flags & EG_BLOB_LIMIT_CAPS) guarded.layers |= 1u << EG_LAYER_CAPABILITIES;
    guarded.layers &= ~blob->optional_layers;
    read_proc(process->pid, "maps", text, sizeof text);
    if (strstr(text, "libexecguard-preload.so")) guarded.layers |= 1u << EG_LAYER_SHIM;
    add(s, process, &guarded);
    const char *changed = eg_blob_stale(blob);
    if (changed) {
        struct eg_guarded_stale what = {
            .pid = process->pid,
            .action = cached ? EG_GUARDED_RESTART : EG_GUARDED_COMPILE,
        };
        name_it(process->pid, process->pid, "", &what);
        add_stale(s, guarded.policy, changed, &what);
    }
    eg_blob_free(blob);
}

static int rows_by_pid(const void *a, const void *b)
{
    const struct eg_guarded *x = a, *y = b;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int eg_guarded_find(struct eg_guarded_list *ret)
{
    char buf[PATH_MAX];
    struct survey s = { .list = ret };
    int error = read_processes(&s);
    if (error) {
        free(s.processes);
        return error;
    }
    const char *own = eg_status_folder(buf);
    take_files(&s, "/run/execguard/status");
    if (own && geteuid() != 0) take_files(&s, own);
    for (size_t i = 0; i < s.count; i++)
        if (s.processes[i].filtered && !s.processes[i].listed)
            take_unsupervised(&s, &s.processes[i]);
    free(s.processes);
    if (ret->count) qsort(ret->items, ret->count, sizeof *ret->items, rows_by_pid);
    return s.error;
}

void eg_guarded_free(struct eg_guarded_list *list)
{
    for (size_t i = 0; i < list->stale_count; i++) free(list->stale[i].path);
    free(list->stale);
    free(list->items);
    *list = (struct eg_guarded_list){ 0 };
}
