// SPDX-License-Identifier: MIT
/* Several threads walk the trees.  Entries wait in one stack, the last one first,
 * so that few folders are open at a time; each is opened relative to its folder's
 * descriptor, and no link is followed: what is moved about meanwhile leads nobody
 * out of the tree. */
#include "upload/scan_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 64, FILES_MAX = 4096 /* that wait; further ones are judged at once */ };

enum kind { ONE_FILE, FOLDER, TOP /* whose own name is nobody's upload */ };

struct task {
    struct task *next;
    struct eg_scan_folder *folder;
    enum kind kind;
    char name[];
};

struct crew {
    struct eg_scan_pass pass;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct task *tasks;
    unsigned files; /* among the tasks */
    unsigned busy;
    unsigned threads;
};

static void release(struct eg_scan_folder *folder)
{
    if (atomic_fetch_sub(&folder->users, 1) != 1) return;
    close(folder->fd);
    free(folder);
}

static char *join(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* Put an entry on the stack.  False: the caller has to do it itself. */
static bool give(struct crew *crew, struct eg_scan_folder *folder, const char *name, enum kind kind)
{
    size_t n = strlen(name);
    struct task *task = malloc(sizeof *task + n + 1);
    if (!task) return false;
    memcpy(task->name, name, n + 1);
    task->folder = folder;
    task->kind = kind;
    pthread_mutex_lock(&crew->lock);
    bool taken = kind != ONE_FILE || crew->files < FILES_MAX;
    if (taken) {
        atomic_fetch_add(&folder->users, 1);
        task->next = crew->tasks;
        crew->tasks = task;
        crew->files += kind == ONE_FILE;
        pthread_cond_signal(&crew->change);
    }
    pthread_mutex_unlock(&crew->lock);
    if (!taken) free(task);
    return taken;
}

static bool is_folder(const struct eg_scan_folder *in, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR;
    return fstatat(in->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void do_file(struct crew *crew, const struct eg_scan_desk *desk,
                    const struct eg_scan_folder *folder, const char *name)
{
    char *path = join(folder->path, name);
    if (path)
        eg_scan_judge(&crew->pass, desk, folder, name, path);
    else
        eg_scan_problem(&crew->pass, folder->path, "cannot be walked", ENOMEM);
    free(path);
}

/* Everything in a folder.  Takes the path. */
static void do_entries(struct crew *crew, const struct eg_scan_desk *desk, int fd, char *path)
{
    struct eg_scan_folder *folder = malloc(sizeof *folder + strlen(path) + 1);
    int again = folder ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    if (!dir) {
        eg_scan_problem(&crew->pass, path, "cannot be walked", folder ? errno : ENOMEM);
        if (again >= 0) close(again);
        close(fd);
        free(folder);
        return;
    }
    atomic_init(&folder->users, 1);
    folder->fd = fd;
    memcpy(folder->path, path, strlen(path) + 1);
    crew->pass.counts->folders++;
    struct dirent *entry;
    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        bool inner = is_folder(folder, entry);
        if (give(crew, folder, name, inner ? FOLDER : ONE_FILE)) continue;
        if (inner)
            eg_scan_problem(&crew->pass, folder->path, "cannot be walked", ENOMEM);
        else
            do_file(crew, desk, folder, name);
    }
    if (errno) eg_scan_problem(&crew->pass, path, "cannot be read", errno);
    closedir(dir);
    release(folder);
}

static void do_folder(struct crew *crew, const struct eg_scan_desk *desk, const struct task *task)
{
    const struct eg_scan_folder *in = task->folder;
    const char *name = task->name;
    char *path = join(in->path, name);
    if (!path) {
        eg_scan_problem(&crew->pass, in->path, "cannot be walked", ENOMEM);
        return;
    }
    if (task->kind == FOLDER) eg_scan_judge(&crew->pass, desk, in, name, path);
    int fd = openat(in->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        do_entries(crew, desk, fd, path);
    else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        eg_scan_problem(&crew->pass, path, "cannot be opened", errno);
    free(path);
}

static void *work(void *arg)
{
    struct crew *crew = arg;
    struct eg_scan_desk desk = { malloc(EG_SCAN_PIECE) };
    if (!desk.piece) eg_scan_problem(&crew->pass, "", "no memory for a thread", ENOMEM);
    pthread_mutex_lock(&crew->lock);
    while (desk.piece) {
        while (!crew->tasks && crew->busy) pthread_cond_wait(&crew->change, &crew->lock);
        struct task *task = crew->tasks;
        if (!task) break; /* and nobody is busy who could find more */
        crew->tasks = task->next;
        crew->files -= task->kind == ONE_FILE;
        crew->busy++;
        pthread_mutex_unlock(&crew->lock);
        if (task->kind == ONE_FILE)
            do_file(crew, &desk, task->folder, task->name);
        else
            do_folder(crew, &desk, task);
        release(task->folder);
        free(task);
        pthread_mutex_lock(&crew->lock);
        if (--crew->busy == 0) pthread_cond_broadcast(&crew->change);
    }
    crew->threads--;
    pthread_cond_broadcast(&crew->change);
    pthread_mutex_unlock(&crew->lock);
    free(desk.piece);
    return NULL;
}

/* A tree's top, by its canonical path: an entry of the folder above it. */
static int begin_tree(struct crew *crew, const char *tree)
{
    char real[PATH_MAX];
    struct stat st;
    if (!realpath(tree, real) || lstat(real, &st) < 0) return -errno;
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) return -EINVAL;
    char *slash = strrchr(real, '/');
    char name[NAME_MAX + 1];
    bool root = !slash[1];
    snprintf(name, sizeof name, "%s", root ? "." : slash + 1);
    *slash = '\0';
    struct eg_scan_folder *above = malloc(sizeof *above + strlen(real) + 1);
    if (!above) return -ENOMEM;
    memcpy(above->path, real, strlen(real) + 1);
    atomic_init(&above->users, 1);
    above->fd = open(*real ? real : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (above->fd < 0) {
        int error = -errno;
        free(above);
        return error;
    }
    bool given = give(crew, above, name, S_ISDIR(st.st_mode) ? TOP : ONE_FILE);
    release(above);
    return given ? 0 : -ENOMEM;
}

static void wait_for_crew(struct crew *crew)
{
    const struct eg_scan_options *options = crew->pass.options;
    pthread_mutex_lock(&crew->lock);
    while (crew->threads) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        if (!options->progress)
            pthread_cond_wait(&crew->change, &crew->lock);
        else if (pthread_cond_timedwait(&crew->change, &crew->lock, &until) == ETIMEDOUT)
            options->progress(options->context, crew->pass.counts);
    }
    pthread_mutex_unlock(&crew->lock);
}

static unsigned count_threads(const struct eg_scan_options *options)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = options->threads;
    if (!n) n = online < 1 ? 1 : online > 8 ? 8 : (unsigned)online;
    return n > THREADS_MAX ? THREADS_MAX : n;
}

int eg_upload_scan(const struct eg_scan_options *options, char *const *trees, size_t count,
                   struct eg_scan_counts *ret)
{
    struct crew crew = { .pass = { options, ret, PTHREAD_MUTEX_INITIALIZER },
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .change = PTHREAD_COND_INITIALIZER };
    pthread_t threads[THREADS_MAX];
    struct rlimit files;
    unsigned started = 0;
    int error = 0;
    /* One descriptor for each folder above what is looked at, on both sides. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    for (size_t i = 0; i < count; i++) {
        int r = begin_tree(&crew, trees[i]);
        if (r) eg_scan_problem(&crew.pass, trees[i], "cannot be scanned", -r);
    }
    unsigned wanted = count_threads(options);
    crew.threads = wanted;
    while (started < wanted && !error) {
        error = pthread_create(&threads[started], NULL, work, &crew);
        started += !error;
    }
    pthread_mutex_lock(&crew.lock);
    crew.threads -= wanted - started;
    pthread_mutex_unlock(&crew.lock);
    wait_for_crew(&crew);
    for (unsigned i = 0; i < started; i++) pthread_join(threads[i], NULL);
    while (crew.tasks) { /* no thread could be had */
        struct task *task = crew.tasks;
        crew.tasks = task->next;
        release(task->folder);
        free(task);
    }
    return started ? 0 : -error;
}
