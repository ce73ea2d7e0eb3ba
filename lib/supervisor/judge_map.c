// SPDX-License-Identifier: MIT
/* Purpose: the verdict on a file that is to be mapped as code.
 *
 * `ld.so /bin/sh` starts a shell without an exec of it: ld.so maps the program.
 * So programs outside the exec set are refused here, and files from where a
 * worker could have put them; libraries pass, after one look each. */
#include "decide/write.h"
#include "supervisor/tree.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef DF_1_PIE
#define DF_1_PIE 0x08000000
#endif

/* Is this dynamic object a program?  ET_DYN says nothing: libc.so.6 even has an
 * interpreter.  Linkers mark a PIE with DF_1_PIE (binutils 2.26), and only
 * programs have DT_DEBUG. */
static bool dynamic_is_program(int fd, const Elf64_Phdr *segments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (segments[i].p_type != PT_DYNAMIC) continue;
        Elf64_Dyn entries[256];
        size_t want = segments[i].p_filesz < sizeof entries ? segments[i].p_filesz : sizeof entries;
        ssize_t got = pread(fd, entries, want, (off_t)segments[i].p_offset);
        for (size_t k = 0; got > 0 && k < (size_t)got / sizeof entries[0]; k++) {
            if (entries[k].d_tag == DT_FLAGS_1 && entries[k].d_un.d_val & DF_1_PIE) return true;
            if (entries[k].d_tag == DT_DEBUG) return true;
        }
    }
    return false;
}

static bool is_program(int fd)
{
    Elf64_Ehdr header;
    Elf64_Phdr segments[32];
    if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header) return false;
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
    if (header.e_type == ET_EXEC) return true;
    if (header.e_type != ET_DYN || header.e_ident[EI_CLASS] != ELFCLASS64) return false;
    size_t count = header.e_phnum < 32 ? header.e_phnum : 32;
    ssize_t got = pread(fd, segments, count * sizeof segments[0], (off_t)header.e_phoff);
    return got > 0 && dynamic_is_program(fd, segments, (size_t)got / sizeof segments[0]);
}

/* What a `build' tree holds may be run, and so mapped. */
static bool in_write_tree(const struct eg_tree *tree, const char *path)
{
    const struct eg_blob_tree *trees = eg_blob_section(tree->blob, EG_SECTION_WRITE_TREES);
    uint32_t at = eg_decide_tree_of(tree->blob, eg_str(path));
    return at != EG_NONE && !(trees[at].flags & EG_TREE_BUILD);
}

/* Where the policy names no write trees, everything that is the worker's own
 * could be its work.  (In a container it often is the image's.) */
static bool is_own(const struct eg_tree *tree, pid_t tid, const struct stat *st)
{
    pid_t parent;
    uid_t uid;
    if (!(tree->blob->flags & EG_BLOB_WRITE_FREE) || tree->foreign_root || st->st_uid == 0 ||
        st->st_uid == geteuid())
        return false;
    eg_remote_who(tid, &parent, &uid);
    return st->st_uid == uid;
}

/* Could the worker have put it there?  root: where the path begins ("", or another
 * process's root). */
static bool planted(const struct eg_tree *tree, pid_t tid, const char *root, const char *path,
                    const struct stat *st)
{
    if (st->st_mode & S_IWOTH || in_write_tree(tree, path) || is_own(tree, tid, st)) return true;
    char folder[64 + EG_PATH_MAX];
    size_t start = strlen(root);
    snprintf(folder, sizeof folder, "%s%s", root, path);
    for (char *slash; (slash = strrchr(folder + start, '/')) && slash != folder + start;) {
        struct stat above;
        *slash = '\0';
        if (stat(folder, &above) == 0 && above.st_mode & S_IWOTH) return true;
    }
    return false;
}

static bool allowed_program(const struct eg_tree *tree, const struct eg_identity *id)
{
    return eg_identity_same_inode(&tree->worker_exe, id) ||
           eg_identity_same_inode(&tree->worker_program.id, id) ||
           eg_tree_program(tree, id) != EG_NONE;
}

/* The guard's own files, the preload object among them, may lie anywhere that no
 * worker can write: the domain keeps them (compile/, GUARD_FILES). */
static bool is_guard_file(const struct eg_tree *tree, const char *path, const struct stat *st)
{
    const uint32_t *files = eg_blob_section(tree->blob, EG_SECTION_GUARD_FILES);
    if (tree->foreign_root || st->st_mode & (S_IWGRP | S_IWOTH)) return false;
    for (uint32_t i = 0; i < eg_blob_count(tree->blob, EG_SECTION_GUARD_FILES); i++)
        if (strcmp(eg_blob_cstr(tree->blob, files[i]), path) == 0) return true;
    return false;
}

static bool look_at(const struct eg_tree *tree, pid_t tid, const char *open_path,
                    const struct stat *st, const char *path)
{
    char root[64] = "";
    if (tree->foreign_root) snprintf(root, sizeof root, "/proc/%d/root", (int)tid);
    bool nameless = path[0] != '/' || st->st_nlink == 0;
    if (nameless) return (tree->blob->flags & EG_BLOB_ALLOW_MEMFD_EXEC) != 0;
    int fd = openat(AT_FDCWD, open_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return false;
    struct eg_identity id;
    bool allowed = eg_resolve_identity(fd, &id) == 0 && id.ino == st->st_ino;
    if (allowed && is_program(fd))
        allowed = allowed_program(tree, &id);
    else if (allowed)
        allowed = allowed_program(tree, &id) || is_guard_file(tree, path, st) ||
                  !planted(tree, tid, root, path, st);
    close(fd);
    return allowed;
}

static struct eg_answer refuse(struct eg_tree *tree, const struct seccomp_notif *notif,
                               const char *path)
{
    struct eg_event event;
    eg_tree_event(tree, 0, EG_KIND_MAP, EG_REASON_MAPPED_CODE, &event);
    event.call = EG_STR("mmap");
    event.path = eg_str(path);
    eg_tree_report(tree, (pid_t)notif->pid, &event);
    return tree->blob->flags & EG_BLOB_LOG_MODE ? eg_answer_proceed() : eg_answer_error(EACCES);
}

struct eg_answer eg_tree_judge_map(struct eg_tree *tree, const struct seccomp_notif *notif)
{
    char link[64];
    struct stat st;
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)notif->pid, (int)notif->data.args[4]);
    if (stat(link, &st) < 0) {
        /* no such descriptor: the kernel says EBADF by itself */
        return errno == ENOENT ? eg_answer_proceed() : eg_answer_error(EACCES);
    }
    /* devices map memory, not files (/dev/zero) */
    if (!S_ISREG(st.st_mode)) return eg_answer_proceed();
    struct eg_map_verdict *slot = &tree->maps[(st.st_ino ^ st.st_dev) % EG_MAP_SLOTS];
    /* ctime cannot be set back: a changed file is looked at again */
    bool known = slot->ino == st.st_ino && slot->dev == st.st_dev &&
                 slot->ctime_s == st.st_ctim.tv_sec &&
                 slot->ctime_ns == (uint32_t)st.st_ctim.tv_nsec;
    if (known && slot->allowed) return eg_answer_proceed();
    char path[EG_PATH_MAX];
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return eg_answer_error(EACCES);
    path[n] = '\0';
    bool allowed = look_at(tree, (pid_t)notif->pid, link, &st, path);
    if (!eg_notify_valid(tree->listener, notif->id)) return eg_answer_error(EACCES);
    *slot = (struct eg_map_verdict){ .dev = st.st_dev,
                                     .ino = st.st_ino,
                                     .ctime_s = st.st_ctim.tv_sec,
                                     .ctime_ns = (uint32_t)st.st_ctim.tv_nsec,
                                     .allowed = allowed };
    return allowed ? eg_answer_proceed() : refuse(tree, notif, path);
}
