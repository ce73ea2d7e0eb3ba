// SPDX-License-Identifier: MIT
/* Purpose: look through files before they get their names, and after they were
 * closed. */
#include "supervisor/write_parts.h"

#include "base/sha256.h"
#include "upload/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE (128u << 10)
#define BLOCK 4096u

/* --- Reading ------------------------------------------------------------------ */

int eg_scan_open(int object, struct eg_scan *ret)
{
    struct stat st;
    *ret = (struct eg_scan){ .fd = -1 };
    if (fstat(object, &st) < 0) return -errno;
    if (!S_ISREG(st.st_mode)) return -EINVAL;
    /* openat(2): musl's open() asks for close-on-exec in a second call */
    int fd =
        openat(AT_FDCWD, eg_fd_path(object).text, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return -errno;
    ret->fd = fd;
    ret->size = (uint64_t)st.st_size;
    ret->sparse = st.st_blocks < st.st_size / 512;
    /* EAGAIN: it is open for writing.  Another error: nobody can tell here, on a
     * network's file system for one. */
    ret->frozen = fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
    ret->has_writers = !ret->frozen && errno == EAGAIN;
    ret->unsure = !ret->frozen && !ret->has_writers;
    return 0;
}

/* A hole is as long as somebody says; some of its zeros are as good as all. */
static off_t hole_at(int fd, off_t at)
{
    off_t data = lseek(fd, at, SEEK_DATA);
    struct stat st;
    if (data < 0 && errno == ENXIO && fstat(fd, &st) == 0) data = st.st_size;
    return data > at ? data - at : 0;
}

/* The memory that a file is read into: whole blocks, an even number of them. */
struct piece {
    unsigned char *bytes;
    size_t size;
};

static ssize_t read_piece(int fd, bool sparse, const struct piece *piece, off_t *at)
{
    off_t hole = sparse ? hole_at(fd, *at) : 0;
    if (hole > (off_t)piece->size) {
        /* where the next byte lies in its block stays the same */
        size_t half = piece->size / 2, n = half + (size_t)hole % half;
        memset(piece->bytes, 0, n);
        *at += hole;
        return (ssize_t)n;
    }
    ssize_t n = pread(fd, piece->bytes, piece->size, *at);
    if (n > 0) *at += n;
    return n;
}

static int digest(struct eg_scan *scan, const struct piece *piece)
{
    struct eg_sha256 sha;
    ssize_t n;
    eg_sha256_init(&sha);
    for (off_t at = 0; (n = pread(scan->fd, piece->bytes, piece->size, at)) > 0; at += n)
        eg_sha256_feed(&sha, piece->bytes, (size_t)n);
    eg_sha256_done(&sha, scan->sha256);
    scan->digested = n == 0;
    return n < 0 ? -errno : 0;
}

int eg_scan_read(struct eg_scan *scan, uint32_t kinds, int64_t deadline)
{
    /* most files are small, and a small buffer needs no new pages */
    struct piece piece = { NULL, PIECE };
    if (scan->size < PIECE - 2 * BLOCK)
        piece.size = ((size_t)scan->size / (2 * BLOCK) + 1) * (2 * BLOCK);
    piece.bytes = malloc(piece.size);
    struct eg_content_state *state = malloc(sizeof *state);
    ssize_t n = piece.bytes && state ? 1 : 0;
    int error = n ? 0 : -ENOMEM;
    off_t at = 0;
    if (!error) eg_content_begin(state, kinds);
    while (!error && (n = read_piece(scan->fd, scan->sparse, &piece, &at)) > 0) {
        if (!eg_content_feed(state, piece.bytes, (size_t)n)) break;
        /* who writes could go on for ever; that is judged when it is closed */
        if (scan->has_writers && (uint64_t)at >= scan->size) break;
        if (deadline && eg_writes_now() >= deadline) error = -ETIMEDOUT;
    }
    if (n < 0) error = -errno;
    if (!error) eg_content_end(state, &scan->hits);
    /* its digest only when it is told: half of the work of a harmless file */
    if (!error && scan->hits && scan->size <= EG_DIGEST_MAX) error = digest(scan, &piece);
    free(state);
    free(piece.bytes);
    return error;
}

bool eg_scan_still_frozen(const struct eg_scan *scan)
{
    return fcntl(scan->fd, F_GETLEASE) == F_RDLCK;
}

void eg_scan_close(struct eg_scan *scan)
{
    if (scan->fd >= 0) close(scan->fd);
    scan->fd = -1;
}

/* --- Putting away --------------------------------------------------------------- */

static const char *quarantine_of(const struct eg_job *job, uint32_t upload)
{
    const struct eg_blob *blob = job->writes->tree->blob;
    const struct eg_blob_upload *uploads = eg_blob_section(blob, EG_SECTION_UPLOADS);
    return uploads[upload].quarantine ? eg_blob_cstr(blob, uploads[upload].quarantine) : NULL;
}

/* Move it to the quarantine. False: there is none, or it could not be done. */
static bool quarantine(struct eg_job *job, uint32_t upload, int folder, const char *name,
                       const char *path, const struct eg_scan *scan)
{
    const char *to = quarantine_of(job, upload);
    char kinds[128];
    struct eg_quarantined taken;
    if (!to || folder < 0 || !name[0]) return false;
    int fd = eg_quarantine_open(to);
    if (fd < 0) return false;
    eg_content_names(scan->hits, kinds, sizeof kinds);
    struct eg_quarantine_note note = {
        .path = path,
        .reason = eg_reason_slug(EG_REASON_CONTENT),
        .kinds = kinds,
        .policy = eg_blob_cstr(job->writes->tree->blob, job->writes->tree->blob->name),
    };
    int error = eg_quarantine_take(fd, folder, name, scan->fd, &note, &taken);
    close(fd);
    return error == 0;
}

static void tell_content(struct eg_job *job, const struct eg_write_decision *decision,
                         const struct eg_scan *scan, const char *path)
{
    eg_job_refuse(job, EG_KIND_CONTENT, decision->reason, decision, path);
    job->event.has_content = true;
    job->event.size = scan->size;
    job->event.hits = scan->hits;
    job->event.has_digest = scan->digested;
    memcpy(job->event.sha256, scan->sha256, sizeof job->event.sha256);
}

/* --- Before it gets its name ------------------------------------------------------ */

/* Who may write to it once it has its name?  Watched before it gets it: where that
 * cannot be done it gets none. */
static int watch_writers(struct eg_job *job, const struct eg_place *source,
                         const struct eg_place *target, const struct eg_scan *scan)
{
    bool enters = source->upload != target->upload;
    if (scan->frozen && !enters) return 0;
    int object = fcntl(source->object, F_DUPFD_CLOEXEC, 0);
    if (object < 0) return -errno;
    unsigned flags = job->patient ? EG_WATCH_LONG : EG_WATCH_LINGERS;
    /* the request is the loop's to look for; what is wrong now is told now */
    return eg_watches_add(job->writes->watches, object, (pid_t)job->notif.pid, target->upload,
                          flags, NULL);
}

static enum eg_content_answer judge_named(struct eg_job *job, const struct eg_place *source,
                                          const struct eg_place *target, uint32_t kinds,
                                          bool may_take, struct eg_scan *scan)
{
    struct eg_write_decision decision;
    int error = eg_scan_open(source->object, scan);
    if (!error) error = eg_scan_read(scan, kinds, job->patient ? job->deadline : 0);
    if (!error && !scan->hits) error = watch_writers(job, source, target, scan);
    if (error) {
        eg_job_refuse(job, EG_KIND_CONTENT, EG_REASON_UNREADABLE, NULL, target->path);
        return EG_CONTENT_REFUSED;
    }
    eg_decide_content(job->writes->tree->blob, target->upload, scan->hits, &decision);
    if (decision.verdict != EG_VERDICT_DENY) return EG_CONTENT_FINE;
    tell_content(job, &decision, scan, target->path);
    if (may_take) quarantine(job, target->upload, source->folder, source->name, target->path, scan);
    return EG_CONTENT_REFUSED;
}

enum eg_content_answer eg_job_content(struct eg_job *job, const struct eg_place *source,
                                      const struct eg_place *target,
                                      const struct eg_write_decision *decision, bool may_take,
                                      struct eg_scan *ret_scan)
{
    const struct eg_identity_of *self = &job->writes->self;
    ret_scan->fd = -1;
    if (!S_ISREG(source->st.st_mode)) return EG_CONTENT_FINE;
    if (!job->patient && source->st.st_size > EG_SCAN_INLINE) return EG_CONTENT_LATER;
    /* the caller need not be allowed to read what it moves */
    eg_caller_leave(self, &job->caller);
    enum eg_content_answer result =
        judge_named(job, source, target, decision->contents, may_take, ret_scan);
    if (result == EG_CONTENT_REFUSED) eg_scan_close(ret_scan);
    if (eg_caller_become(self, &job->caller) == 0) return result;
    eg_scan_close(ret_scan);
    eg_job_refuse(job, EG_KIND_WRITE, EG_REASON_IDENTITY, NULL, target->path);
    return EG_CONTENT_REFUSED;
}

/* --- After it was closed ------------------------------------------------------------ */

/* Our own lease would make us wait, somebody else's is not waited for. */
static void empty(int object, const struct eg_scan *scan)
{
    struct eg_fd_path held = eg_fd_path(object);
    if (scan->fd >= 0) fcntl(scan->fd, F_SETLEASE, F_UNLCK);
    int fd = open(held.text, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || ftruncate(fd, 0) < 0) chmod(held.text, 0); /* runs as a program: ETXTBSY */
    if (fd >= 0) close(fd);
}

/* Out of the way: into the quarantine; without one, or when it has other names, it is
 * emptied, and removed. */
static void put_away(struct eg_job *job, uint32_t upload, const char *path,
                     const struct eg_scan *scan)
{
    const struct eg_watch *watch = job->closed;
    char text[EG_PATH_MAX + 256];
    struct stat held, named;
    size_t n = strlen(path);
    if (scan->fd >= 0) eg_quarantine_unlock(scan->fd);
    if (!n) { /* what it is called is not known */
        empty(watch->object, scan);
        return;
    }
    memcpy(text, path, n + 1);
    char *slash = strrchr(text, '/');
    char *name = slash + 1;
    *slash = '\0';
    int folder = open(slash == text ? "/" : text, O_PATH | O_DIRECTORY | O_CLOEXEC);
    /* what has other names is copied there */
    bool alone = fstat(watch->object, &held) == 0 && held.st_nlink == 1;
    if (!quarantine(job, upload, folder, name, path, scan) || !alone) {
        empty(watch->object, scan);
        if (folder >= 0 && fstat(watch->object, &held) == 0 &&
            fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
            held.st_dev == named.st_dev && held.st_ino == named.st_ino)
            unlinkat(folder, name, 0);
    }
    if (folder >= 0) close(folder);
}

/* Want of something, or a lease: not for ever. */
static bool may_pass(const struct eg_watch *watch, int error)
{
    return watch->tries < EG_WATCH_TRIES &&
           (error == -EWOULDBLOCK || error == -EMFILE || error == -ENFILE || error == -ENOMEM ||
            error == -EINTR);
}

/* Who cannot be read is not trusted.  True: not now. */
static bool judge_closed(struct eg_job *job, const char *path, uint32_t upload)
{
    const struct eg_blob *blob = job->writes->tree->blob;
    const struct eg_blob_upload *uploads = eg_blob_section(blob, EG_SECTION_UPLOADS);
    struct eg_write_decision decision;
    struct eg_scan scan;
    int error = eg_scan_open(job->closed->object, &scan);
    job->closed->writers = !error && scan.has_writers;
    job->closed->unsure = !error && scan.unsure;
    /* it lingers: nothing was closed, and nobody holds it */
    if (!error && !job->closed->reads) {
        eg_scan_close(&scan);
        return false;
    }
    if (!error) error = eg_scan_read(&scan, uploads[upload].contents, 0);
    if (error && may_pass(job->closed, error)) {
        eg_scan_close(&scan);
        return true;
    }
    if (error)
        eg_job_refuse(job, EG_KIND_CONTENT, EG_REASON_UNREADABLE, NULL, path);
    else
        eg_decide_content(blob, upload, scan.hits, &decision);
    if (!error && decision.verdict == EG_VERDICT_DENY) tell_content(job, &decision, &scan, path);
    /* no other name comes to be, nor does it leave, while it is put away */
    bool later = job->event.wanted && !eg_job_border_enter(job);
    if (job->event.wanted && !later) {
        put_away(job, upload, path, &scan);
        eg_job_border_leave(job);
    }
    eg_scan_close(&scan);
    return later;
}

enum eg_job_state eg_job_closed(struct eg_job *job)
{
    struct eg_watch *watch = job->closed;
    struct stat st;
    char path[EG_PATH_MAX + 256];
    if (!job->patient && (eg_job_class(job, watch->object) != EG_FS_LOCAL ||
                          fstat(watch->object, &st) < 0 || st.st_size > EG_SCAN_INLINE))
        return EG_JOB_LATER;
    watch->writers = watch->unsure = watch->again = false;
    if (fstat(watch->object, &st) == 0 && st.st_nlink == 0) return EG_JOB_DONE;
    int n = eg_held_path(job->writes, watch->object, path, sizeof path);
    uint32_t upload = watch->upload;
    if (n < 0 && n != -ENAMETOOLONG && watch->tries < EG_WATCH_TRIES) {
        watch->again = true;
        return EG_JOB_DONE;
    }
    /* moved to where no rule is about it?  Too deep for a path, it is where it was. */
    if (n <= 0) path[0] = '\0';
    if (n > 0) upload = eg_decide_upload_of(job->writes->tree->blob, eg_str(path));
    if (upload == EG_NONE) return EG_JOB_DONE;
    watch->again = judge_closed(job, path, upload);
    if (watch->again) job->event.wanted = false;
    return EG_JOB_DONE;
}
