// SPDX-License-Identifier: MIT
/* One entry of a tree: described without being opened, opened only when it is a
 * regular file, by the descriptor that was described. */
#include "upload/scan_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"
#include "content/content.h"
#include "decide/write.h"
#include "upload/quarantine.h"

enum {
    HOLE = 8192,             /* a longer hole is read as this many zeros: nothing spans it */
    GROWTH = 64 << 20,       /* how much more than its size is read of a file that grows */
    NOT_PERMISSIONS = 06111, /* execute and set-id bits */
};

struct entry {
    const char *path;
    int fd; /* O_PATH */
    struct stat st;
    uint32_t upload; /* tree of the policy, EG_NONE without a policy */
};

void eg_scan_problem(struct eg_scan_pass *pass, const char *path, const char *what, int error)
{
    pass->counts->problems++;
    pthread_mutex_lock(&pass->report_lock);
    pass->options->problem(pass->options->context, path, what, error);
    pthread_mutex_unlock(&pass->report_lock);
}

static const struct eg_blob_upload *upload_row(const struct eg_blob *blob, uint32_t upload)
{
    const struct eg_blob_upload *rows = eg_blob_section(blob, EG_SECTION_UPLOADS);
    return &rows[upload];
}

/* Other rules say what the worker may write; here only the name counts. */
static bool is_name_refused(const struct eg_scan_options *options, const struct entry *entry)
{
    char link[PATH_MAX];
    ssize_t n = 0;
    if (!options->blob)
        return options->names && eg_name_is_script(eg_str_basename(eg_str(entry->path)));
    if (S_ISLNK(entry->st.st_mode)) n = readlinkat(entry->fd, "", link, sizeof link);
    struct eg_write_request request = { eg_decide_making(entry->st.st_mode),
                                        eg_str(entry->path),
                                        { link, n > 0 ? (size_t)n : 0 },
                                        entry->st.st_mode & ~(mode_t)NOT_PERMISSIONS,
                                        false };
    struct eg_write_decision decision;
    eg_decide_write(options->blob, &request, &decision);
    return decision.verdict == EG_VERDICT_DENY && decision.name != EG_NONE;
}

static bool is_mode_refused(const struct eg_scan_options *options, const struct entry *entry)
{
    bool refuses = options->executable;
    if (options->blob)
        refuses = upload_row(options->blob, entry->upload)->flags & EG_UPLOAD_DENY_EXECUTABLE;
    return refuses && S_ISREG(entry->st.st_mode) && entry->st.st_mode & NOT_PERMISSIONS;
}

static uint32_t wanted_contents(const struct eg_scan_options *options, const struct entry *entry)
{
    if (!options->blob) return options->contents;
    return upload_row(options->blob, entry->upload)->contents;
}

/* Open for reading what fd describes.  Somebody's lease makes the kernel ask
 * him first, for a time that it bounds (/proc/sys/fs/lease-break-time). */
static int open_described(const struct entry *entry)
{
    char link[64];
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
    snprintf(link, sizeof link, "/proc/self/fd/%d", entry->fd);
    int fd = open(link, flags | O_NONBLOCK | O_NOATIME);
    if (fd < 0 && errno == EPERM) fd = open(link, flags | O_NONBLOCK);
    if (fd < 0 && errno == EAGAIN) fd = open(link, flags);
    if (fd < 0) return -errno;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return fd;
}

/* Read it whole; a hole as some zeros. */
static int read_content(struct eg_scan_pass *pass, char *piece, int fd, const struct entry *entry,
                        uint32_t wanted, uint32_t *ret_hits)
{
    static const char zeros[HOLE];
    struct eg_content_state state;
    off_t at = 0, limit = entry->st.st_size + GROWTH;
    eg_content_begin(&state, wanted);
    while (at < limit) {
        ssize_t n = pread(fd, piece, EG_SCAN_PIECE, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        pass->counts->bytes += (uint64_t)n;
        if (n == 0 || !eg_content_feed(&state, piece, (size_t)n)) break;
        at += n;
        if (n < (ssize_t)EG_SCAN_PIECE || piece[n - 1]) continue;
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;
        if (data < at + HOLE) continue;
        if (!eg_content_feed(&state, zeros, sizeof zeros)) break;
        at = data;
    }
    eg_content_end(&state, ret_hits);
    return 0;
}

static void digest_file(int fd, char *piece, char ret[65])
{
    unsigned char digest[32];
    struct eg_sha256 sha;
    ssize_t n = 0;
    eg_sha256_init(&sha);
    for (off_t at = 0; (n = pread(fd, piece, EG_SCAN_PIECE, at)) > 0; at += n)
        eg_sha256_feed(&sha, piece, (size_t)n);
    if (n < 0) return;
    eg_sha256_done(&sha, digest);
    for (size_t i = 0; i < 32; i++) snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static enum eg_reason reason_of(const struct eg_scan_hit *hit)
{
    if (hit->contents) return EG_REASON_CONTENT;
    return hit->name ? EG_REASON_NAME : EG_REASON_EXECUTABLE;
}

/* Move it to the quarantine. */
static void take(struct eg_scan_pass *pass, const struct eg_scan_folder *folder, const char *name,
                 const struct entry *entry, struct eg_scan_hit *hit, struct eg_quarantined *taken)
{
    const struct eg_scan_options *options = pass->options;
    char kinds[128];
    const char *to = options->folder;
    if (!to && options->blob && upload_row(options->blob, entry->upload)->quarantine)
        to = eg_blob_cstr(options->blob, upload_row(options->blob, entry->upload)->quarantine);
    if (!to) return;
    eg_content_names(hit->contents, kinds, sizeof kinds);
    struct eg_quarantine_note note = {
        .path = entry->path,
        .reason = eg_reason_slug(reason_of(hit)),
        .kinds = kinds,
        .policy = options->blob ? eg_blob_cstr(options->blob, options->blob->name) : NULL,
    };
    int quarantine = eg_quarantine_open(to);
    if (quarantine < 0) {
        eg_scan_problem(pass, to, "cannot be the quarantine (it has to be root's, mode 0700)",
                        -quarantine);
        return;
    }
    int r = eg_quarantine_take(quarantine, folder->fd, name, entry->fd, &note, taken);
    close(quarantine);
    if (r) {
        eg_scan_problem(pass, entry->path, "cannot be moved to the quarantine", -r);
        return;
    }
    hit->taken = taken->name;
    hit->digest = taken->digest;
    hit->folder = to;
}

static void judge_opened(struct eg_scan_pass *pass, const struct eg_scan_desk *desk,
                         const struct eg_scan_folder *folder, const char *name,
                         const struct entry *entry)
{
    const struct eg_scan_options *options = pass->options;
    struct eg_quarantined taken = { .digest = "" };
    char digest[65] = "";
    struct eg_scan_hit hit = {
        .path = entry->path, .st = entry->st, .digest = digest, .taken = "", .folder = ""
    };
    uint32_t wanted = wanted_contents(options, entry);
    bool regular = S_ISREG(entry->st.st_mode);
    hit.name = is_name_refused(options, entry);
    hit.executable = is_mode_refused(options, entry);
    int fd = -EINVAL;
    if (regular && (wanted || hit.name || hit.executable)) {
        fd = open_described(entry);
        int r = fd < 0 ? fd : 0;
        if (!r && wanted) r = read_content(pass, desk->piece, fd, entry, wanted, &hit.contents);
        if (r) eg_scan_problem(pass, entry->path, "cannot be read", -r);
    }
    if (hit.name || hit.executable || hit.contents) {
        pass->counts->hits++;
        if (regular && options->take) take(pass, folder, name, entry, &hit, &taken);
        if (fd >= 0 && !*hit.taken && entry->st.st_size <= EG_QUARANTINE_DIGEST_MAX)
            digest_file(fd, desk->piece, digest);
        pthread_mutex_lock(&pass->report_lock);
        options->hit(options->context, &hit);
        pthread_mutex_unlock(&pass->report_lock);
    }
    if (fd >= 0) close(fd);
}

void eg_scan_judge(struct eg_scan_pass *pass, const struct eg_scan_desk *desk,
                   const struct eg_scan_folder *folder, const char *name, const char *path)
{
    struct entry entry = { .path = path, .upload = EG_NONE };
    if (pass->options->blob) {
        entry.upload = eg_decide_upload_of(pass->options->blob, eg_str(path));
        if (entry.upload == EG_NONE) return;
    }
    entry.fd = openat(folder->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (entry.fd < 0 || fstat(entry.fd, &entry.st) < 0) {
        if (errno != ENOENT) eg_scan_problem(pass, path, "cannot be opened", errno);
        if (entry.fd >= 0) close(entry.fd);
        return;
    }
    if (!S_ISDIR(entry.st.st_mode)) pass->counts->files++;
    judge_opened(pass, desk, folder, name, &entry);
    close(entry.fd);
}
