// SPDX-License-Identifier: MIT
/* Purpose: the verdict on memory that is to become executable.
 *
 * A file can be mapped as data first and made code afterwards.  What belongs to no
 * file is the process's own affair: compilers for PHP, JavaScript and Java do this
 * all the time, and code that a worker brings along in memory is not what a
 * supervisor can stop. */
#include "supervisor/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct mapping {
    unsigned long start, end;
    unsigned major, minor;
    unsigned long inode;
    bool executable;
    char path[EG_PATH_MAX];
};

/* One line of /proc/PID/maps: proc_pid_maps(5). */
static bool parse(const char *line, struct mapping *ret)
{
    char rights[5];
    int at = 0;
    if (sscanf(line, "%lx-%lx %4s %*x %x:%x %lu%n", &ret->start, &ret->end, rights, &ret->major,
               &ret->minor, &ret->inode, &at) != 6)
        return false;
    const char *path = line + at + strspn(line + at, " ");
    size_t n = strcspn(path, "\n");
    if (n >= sizeof ret->path) return false;
    memcpy(ret->path, path, n);
    ret->path[n] = '\0';
    ret->executable = rights[2] == 'x';
    return true;
}

/* Memory without a file, though the kernel keeps it as one: shared memory. */
static bool is_anonymous(const struct mapping *m)
{
    return m->inode == 0 || m->path[0] == '[' || strcmp(m->path, "/dev/zero (deleted)") == 0 ||
           strncmp(m->path, "/SYSV", 5) == 0;
}

static bool may_become_code(const struct eg_tree *tree, pid_t tid, const struct mapping *m)
{
    char name[64 + EG_PATH_MAX];
    struct stat st;
    snprintf(name, sizeof name, "%s", m->path);
    if (tree->foreign_root) snprintf(name, sizeof name, "/proc/%d/root%s", (int)tid, m->path);
    /* by name, since map_files wants a capability; a name that leads elsewhere by
     * now (removed, replaced, a memfd) is none */
    if (stat(name, &st) < 0 || st.st_ino != m->inode || !S_ISREG(st.st_mode))
        return (tree->blob->flags & EG_BLOB_ALLOW_MEMFD_EXEC) != 0;
    return eg_tree_may_map(tree, tid, name, &st, m->path);
}

struct eg_answer eg_tree_judge_protect(struct eg_tree *tree, const struct seccomp_notif *notif)
{
    unsigned long start = notif->data.args[0], end = start + notif->data.args[1];
    char name[64];
    pid_t tid = (pid_t)notif->pid;
    snprintf(name, sizeof name, "/proc/%d/maps", (int)tid);
    FILE *maps = fopen(name, "re");
    struct mapping *m = malloc(sizeof *m);
    char *line = NULL;
    size_t capacity = 0;
    bool allowed = maps && m;
    while (allowed && getline(&line, &capacity, maps) > 0) {
        allowed = parse(line, m);
        if (!allowed || m->start >= end) break;
        if (m->end <= start || m->executable || is_anonymous(m)) continue;
        allowed = may_become_code(tree, tid, m);
    }
    struct eg_answer answer = eg_answer_proceed();
    if (!eg_notify_valid(tree->listener, notif->id))
        answer = eg_answer_error(EACCES);
    else if (!allowed)
        answer = eg_tree_refuse_map(tree, notif, "mprotect", m && maps ? m->path : "?");
    free(line);
    free(m);
    if (maps) fclose(maps);
    return answer;
}
