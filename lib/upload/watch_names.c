// SPDX-License-Identifier: MIT
/* Purpose: what was done to names: created, moved here, written and closed,
 * attributes changed.  The event names the folder by a file handle, which stays
 * true when the folder is renamed. */
#include "upload/watch_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "upload/watch_opener.h"

struct change {
    uint64_t mask;
    pid_t pid;
    const struct file_handle *folder;
    const char *name;
    uint64_t fsid, dev; /* one of them; the other is 0 */
};

/* The folder's descriptor, with its path; or -errno. */
static int open_folder(struct eg_watch *watch, const struct change *change, char path[PATH_MAX])
{
    struct eg_watch_mount mount;
    if (!eg_watch_find_mount(watch, change->fsid, change->dev, path, &mount)) return -ENODEV;
    int at = eg_watch_open_mount(&mount, path);
    if (at < 0) return at;
    int fd = open_by_handle_at(at, (struct file_handle *)(uintptr_t)change->folder,
                               O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 ? -errno : eg_watch_path_of(fd, path);
    close(at);
    if (!error) return fd;
    if (fd >= 0) close(fd);
    return error;
}

static const char *call_of(uint64_t mask)
{
    if (mask & FAN_MOVED_TO) return "rename";
    if (mask & FAN_CREATE) return "create";
    if (mask & FAN_CLOSE_WRITE) return "close";
    return "attributes";
}

static bool join(char path[PATH_MAX], const char *name)
{
    size_t n = strcmp(path, "/") == 0 ? 0 : strlen(path);
    size_t m = strlen(name);
    if (n + 1 + m + 1 > PATH_MAX) return false;
    path[n] = '/';
    memcpy(path + n + 1, name, m + 1);
    return true;
}

static void judge_change(struct eg_watch *watch, const struct change *change,
                         enum eg_watch_read contents, const char *call)
{
    char path[PATH_MAX];
    struct eg_watch_entry entry;
    int folder = open_folder(watch, change, path);
    if (folder < 0) return; /* removed meanwhile */
    if (join(path, change->name)) {
        bool is_folder = change->mask & FAN_ONDIR;
        bool stays = true;
        if (eg_watch_is_inside(watch, eg_str(path)) &&
            eg_watch_entry_open(folder, change->name, path, &entry) == 0) {
            entry.call = call;
            entry.pid = change->pid;
            stays = eg_watch_judge_entry(watch, &entry, contents);
            close(entry.fd);
        }
        if (is_folder && stays && change->mask & (FAN_CREATE | FAN_MOVED_TO))
            eg_watch_arrive(watch, path, call, change->pid);
    }
    close(folder);
}

void eg_watch_judge_file(struct eg_watch *watch, const struct eg_watch_job *job)
{
    struct change change = {
        FAN_CLOSE_WRITE, job->pid, &job->folder.handle, job->text, 0, job->dev
    };
    judge_change(watch, &change, EG_WATCH_READ_NOW, job->call);
}

/* The record that names folder and entry; false: there is none. */
static bool find_record(const char *at, const char *end, struct change *ret)
{
    while (at + sizeof(struct fanotify_event_info_fid) <= end) {
        const struct fanotify_event_info_fid *info = (const void *)at;
        if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME) {
            memcpy(&ret->fsid, &info->fsid, sizeof ret->fsid);
            ret->folder = (const void *)info->handle;
            ret->name = (const char *)ret->folder->f_handle + ret->folder->handle_bytes;
            return strcmp(ret->name, ".") != 0;
        }
        if (!info->hdr.len) break;
        at += info->hdr.len;
    }
    return false;
}

static void take_event(struct eg_watch *watch, const struct fanotify_event_metadata *event,
                       const char *bytes)
{
    struct change change = { .mask = event->mask, .pid = event->pid };
    if (event->mask & FAN_Q_OVERFLOW) {
        atomic_fetch_add(&watch->shared->overflows, 1);
        eg_watch_want_walk(watch, "the kernel's queue of events overflowed");
        return;
    }
    if (event->pid == watch->self ||
        !find_record(bytes + event->metadata_len, bytes + event->event_len, &change))
        return;
    /* a file that is created has its end when it is closed; one that is linked is
     * finished already, and nobody tells which it was */
    bool reads = event->mask & (FAN_CREATE | FAN_MOVED_TO | FAN_CLOSE_WRITE);
    judge_change(watch, &change, reads ? EG_WATCH_READ_LATER : EG_WATCH_READ_NOT,
                 call_of(event->mask));
}

void *eg_watch_names(void *context)
{
    struct eg_watch *watch = context;
    static _Alignas(struct fanotify_event_metadata) char events[64 * 1024];
    eg_watch_enlist(watch, "watch-names");
    for (;;) {
        struct pollfd ready = { watch->names, POLLIN, 0 };
        if (poll(&ready, 1, -1) < 0) continue;
        ssize_t n = read(watch->names, events, sizeof events);
        /* events with records are aligned to 4 bytes only */
        for (const char *at = events; n >= (ssize_t)sizeof(struct fanotify_event_metadata);) {
            struct fanotify_event_metadata event;
            memcpy(&event, at, sizeof event);
            if (event.event_len < sizeof event || event.event_len > n) break;
            take_event(watch, &event, at);
            at += event.event_len;
            n -= event.event_len;
        }
    }
}
