// SPDX-License-Identifier: MIT
/* Purpose: one entry of a watched folder: judged by name, mode and content, and
 * taken out of use when it is refused.
 *
 * With a quarantine, it is moved there.  Without one, a file or folder is locked
 * where it is: owned by root, mode 0000, so that nothing is lost and its owner
 * cannot open it up again.  What has other names besides (a hard link) loses
 * only this one: to lock the file would lock it outside the tree, too.  What
 * holds no data (a link, a socket, a FIFO, a device) loses its name. */
#include "upload/watch_parts.h"

#include "content/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "upload/quarantine.h"

int eg_watch_entry_open(int folder, const char *name, const char *path, struct eg_watch_entry *ret)
{
    int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct eg_watch_entry entry = { .folder = folder, .name = name, .fd = fd, .path = path };
    if (fstat(fd, &entry.st) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    *ret = entry;
    return 0;
}

static void magic_link(int fd, char ret[64])
{
    snprintf(ret, 64, "/proc/self/fd/%d", fd);
}

static int lock(const struct eg_watch_entry *entry)
{
    char path[64];
    magic_link(entry->fd, path);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0) {
        eg_quarantine_unlock(fd);
        close(fd);
    }
    /* the owner first: the former one could set the mode again */
    if (fchownat(entry->fd, "", 0, 0, AT_EMPTY_PATH) < 0 || chmod(path, 0) < 0) return -errno;
    return 0;
}

static bool is_named_still(const struct eg_watch_entry *entry)
{
    struct stat st;
    return fstatat(entry->folder, entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_dev == entry->st.st_dev && st.st_ino == entry->st.st_ino;
}

static int take_name(const struct eg_watch_entry *entry)
{
    if (!is_named_still(entry)) return -ENOENT;
    int flags = S_ISDIR(entry->st.st_mode) ? AT_REMOVEDIR : 0;
    return unlinkat(entry->folder, entry->name, flags) < 0 ? -errno : 0;
}

static const char *quarantine_of(const struct eg_watch_refusal *refusal)
{
    const struct eg_blob_upload *rows = eg_blob_section(refusal->blob, EG_SECTION_UPLOADS);
    uint32_t upload = refusal->decision.upload;
    if (upload == EG_NONE || !rows[upload].quarantine) return "";
    return eg_blob_cstr(refusal->blob, rows[upload].quarantine);
}

static int quarantine_entry(const struct eg_watch_entry *entry, const char *folder,
                            const struct eg_watch_refusal *refusal, struct eg_quarantined *ret)
{
    char kinds[256];
    const struct eg_quarantine_note note = {
        .path = entry->path,
        .reason = eg_reason_slug(refusal->decision.reason),
        .kinds = eg_content_names(refusal->hits, kinds, sizeof kinds),
        .policy = eg_blob_cstr(refusal->blob, refusal->blob->name),
    };
    int fd = eg_quarantine_open(folder);
    if (fd < 0) return fd;
    int r = eg_quarantine_take(fd, entry->folder, entry->name, entry->fd, &note, ret);
    close(fd);
    return r;
}

/* What was done is said to whoever reads the event. */
static void dispose(const struct eg_watch_entry *entry, const struct eg_watch_refusal *refusal,
                    char ret_said[1024])
{
    const char *quarantine = quarantine_of(refusal);
    struct eg_quarantined kept;
    bool has_data = S_ISREG(entry->st.st_mode) || S_ISDIR(entry->st.st_mode);
    int r = -EINVAL;
    *ret_said = '\0';
    if (S_ISREG(entry->st.st_mode) && *quarantine) {
        r = quarantine_entry(entry, quarantine, refusal, &kept);
        if (r == 0)
            snprintf(ret_said, 1024, "moved to %.512s/%s; sha256 %s, %llu bytes, uid %u",
                     quarantine, kept.name, kept.digest, (unsigned long long)kept.size,
                     (unsigned)entry->st.st_uid);
        else if (r != -ESTALE)
            eg_watch_say("%s: the quarantine %s does not take it: %s", entry->path, quarantine,
                         strerror(-r));
    }
    if (r == 0 || r == -ESTALE) return;
    if (!has_data || (S_ISREG(entry->st.st_mode) && entry->st.st_nlink > 1) ||
        (S_ISDIR(entry->st.st_mode) && take_name(entry) == 0)) {
        r = S_ISDIR(entry->st.st_mode) ? 0 : take_name(entry);
        snprintf(ret_said, 1024, "the name was removed");
    } else {
        r = lock(entry);
        snprintf(ret_said, 1024, "locked: owned by root, mode 0000; was uid %u gid %u mode %04o",
                 (unsigned)entry->st.st_uid, (unsigned)entry->st.st_gid,
                 (unsigned)(entry->st.st_mode & 07777));
    }
    if (r == -ENOENT)
        snprintf(ret_said, 1024, "it is gone already");
    else if (r)
        snprintf(ret_said, 1024, "it could not be locked: %s", strerror(-r));
}

static bool is_locked(const struct stat *st)
{
    return st->st_uid == 0 && (st->st_mode & 07777) == 0;
}

void eg_watch_refuse(struct eg_watch *watch, const struct eg_watch_entry *entry,
                     const struct eg_watch_refusal *refusal)
{
    char said[1024] = "";
    bool enforces = eg_watch_enforces(refusal);
    if (enforces && is_locked(&entry->st) && !*quarantine_of(refusal)) return;
    if (enforces) dispose(entry, refusal, said);
    eg_watch_report(watch, refusal, enforces ? EG_ACTION_DENY : EG_ACTION_WOULD_DENY, entry->call,
                    entry->path, entry->pid, *said ? said : NULL);
}

static void take_modes_off(struct eg_watch *watch, struct eg_watch_entry *entry)
{
    struct eg_watch_refusal refusal;
    char path[64], said[128];
    uint32_t before = entry->st.st_mode;
    uint32_t mode = eg_watch_judge_mode(watch, eg_str(entry->path), before, &refusal);
    if (!refusal.blob) return;
    int r = 0;
    magic_link(entry->fd, path);
    if (mode != before && chmod(path, mode & 07777) < 0) r = -errno;
    if (mode == before)
        *said = '\0';
    else if (r == 0)
        snprintf(said, sizeof said, "mode %04o became %04o", before & 07777, mode & 07777);
    else
        snprintf(said, sizeof said, "mode %04o stays: %s", before & 07777, strerror(-r));
    eg_watch_report(watch, &refusal, mode == before ? EG_ACTION_WOULD_DENY : EG_ACTION_DENY,
                    entry->call, entry->path, entry->pid, *said ? said : NULL);
}

/* False: it was refused. */
static bool read_now(struct eg_watch *watch, const struct eg_watch_entry *entry)
{
    struct eg_watch_refusal refusal;
    struct stat before;
    char path[64];
    uint32_t contents = eg_watch_contents(watch, eg_str(entry->path));
    uint32_t hits = 0;
    if (!contents || entry->st.st_size == 0) return true;
    magic_link(entry->fd, path);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
    if (fd < 0) return true; /* removed, or not readable: opens of it are judged */
    bool settled = eg_watch_look(watch, fd, &before);
    int r = eg_watch_is_known(watch, fd, &before, contents)
                ? 0
                : eg_watch_read(fd, contents, NULL, &hits);
    if (r == 0 && !hits && settled) eg_watch_remember(watch, fd, &before, contents);
    close(fd);
    atomic_fetch_add(&watch->shared->judged, 1);
    if (r || eg_watch_judge_content(watch, eg_str(entry->path), hits, &refusal)) return true;
    eg_watch_refuse(watch, entry, &refusal);
    return !eg_watch_enforces(&refusal);
}

static void read_later(struct eg_watch *watch, const struct eg_watch_entry *entry)
{
    size_t n = strlen(entry->name) + 1;
    int id;
    if (!eg_watch_contents(watch, eg_str(entry->path)) || entry->st.st_size == 0) return;
    struct eg_watch_job *job = eg_watch_new_job(EG_WATCH_JOB_FILE, n);
    if (job) {
        memcpy(job->text, entry->name, n);
        job->folder.handle.handle_bytes = EG_WATCH_HANDLE_MAX;
        job->dev = entry->st.st_dev;
        job->pid = entry->pid;
        job->call = entry->call;
        if (name_to_handle_at(entry->folder, "", &job->folder.handle, &id, AT_EMPTY_PATH) == 0 &&
            eg_watch_give(watch, job))
            return;
        free(job);
    }
    eg_watch_want_walk(watch, "too many finished files wait to be read");
}

static bool judge_name(struct eg_watch *watch, struct eg_watch_entry *entry)
{
    struct eg_watch_refusal refusal;
    char text[PATH_MAX];
    struct eg_str link = { NULL, 0 };
    if (S_ISLNK(entry->st.st_mode)) {
        ssize_t n = readlinkat(entry->fd, "", text, sizeof text);
        link = (struct eg_str){ text, n > 0 ? (size_t)n : 0 };
    }
    if (eg_watch_judge_name(watch, eg_str(entry->path), entry->st.st_mode, link, &refusal))
        return true;
    eg_watch_refuse(watch, entry, &refusal);
    return !eg_watch_enforces(&refusal);
}

bool eg_watch_judge_entry(struct eg_watch *watch, struct eg_watch_entry *entry,
                          enum eg_watch_read contents)
{
    if (!judge_name(watch, entry)) return false;
    if (!S_ISREG(entry->st.st_mode)) return true;
    take_modes_off(watch, entry);
    if (contents == EG_WATCH_READ_NOW) return read_now(watch, entry);
    if (contents == EG_WATCH_READ_LATER) read_later(watch, entry);
    return true;
}
