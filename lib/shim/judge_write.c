// SPDX-License-Identifier: MIT
/* From a change of the file tree to a verdict and an event.
 *
 * What lies outside every write tree is the domain's to refuse: it knows inodes,
 * where we know names, and allows the few devices that every worker needs.  So
 * that refusal is only explained here, after the kernel has spoken; where the
 * machine has no Landlock (`optional landlock`) it is made here. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/landlock.h>
#include <linux/stat.h>

#include "base/sys.h"
#include "shim/file.h"

uint32_t eg_file_interest = EG_FILE_UNKNOWN;

/* ---- does the policy care? ---- */

static bool logs_trees(const struct eg_blob *blob)
{
    const struct eg_blob_tree *trees = eg_blob_section(blob, EG_SECTION_WRITE_TREES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_WRITE_TREES); i++)
        if (trees[i].flags & EG_TREE_LOG) return true;
    return false;
}

static bool has_domain(const struct eg_blob *blob)
{
    if (!(blob->optional_layers & 1u << EG_LAYER_DOMAIN)) return true;
    return eg_sys(__NR_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

static bool reads_by_globs(const struct eg_blob *blob)
{
    const struct eg_blob_name *names = eg_blob_section(blob, EG_SECTION_UPLOAD_NAMES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_UPLOAD_NAMES); i++)
        if (names[i].uses & EG_NAME_READ && names[i].glob) return true;
    return false;
}

static uint32_t interest_in(const struct eg_blob *blob)
{
    const struct eg_blob_upload *uploads = eg_blob_section(blob, EG_SECTION_UPLOADS);
    uint32_t count = eg_blob_count(blob, EG_SECTION_UPLOADS);
    bool log_mode = blob->flags & EG_BLOB_LOG_MODE;
    uint32_t reads = 0;
    uint32_t contents = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (uploads[i].flags & EG_UPLOAD_DENY_READ) reads = EG_FILE_READS;
        contents |= uploads[i].contents;
    }
    if (reads && reads_by_globs(blob)) reads |= EG_FILE_GLOBS;
    bool alone = !log_mode && !has_domain(blob);
    bool watched = count || logs_trees(blob);
    bool told = eg_shim.supervised && watched;
    /* observing, the supervisor opens and renames nothing itself, and reads no file */
    bool reads_files = contents && (log_mode || !eg_shim.supervised);
    uint32_t bits = reads | (alone ? EG_FILE_ALONE : 0) | (told ? EG_FILE_TOLD : 0);
    if (alone || reads_files || (!told && (log_mode || watched))) bits |= EG_FILE_BEFORE;
    if (!log_mode && !alone && !told) bits |= EG_FILE_AFTER;
    if (reads_files) bits |= EG_FILE_CLOSE;
    if (contents) bits |= EG_FILE_FRESH;
    return bits;
}

uint32_t eg_file_ask(void)
{
    uint32_t bits = __atomic_load_n(&eg_file_interest, __ATOMIC_RELAXED);
    if (!(bits & EG_FILE_UNKNOWN)) return bits;
    switch (eg_shim_enter()) {
    case EG_PHASE_READY: bits = interest_in(eg_shim.blob); break;
    case EG_PHASE_INERT: bits = 0; break;
    case EG_PHASE_NEW:
    case EG_PHASE_STARTING: return EG_FILE_STOPPED;
    }
    __atomic_store_n(&eg_file_interest, bits, __ATOMIC_RELAXED);
    return bits;
}

static bool in_log_mode(void)
{
    return eg_shim.blob->flags & EG_BLOB_LOG_MODE;
}

/* ---- events ---- */

static enum eg_kind kind_of(enum eg_write_op op, const struct eg_write_decision *decision)
{
    if (decision->name != EG_NONE) return EG_KIND_NAME;
    if (decision->reason == EG_REASON_EXECUTABLE || decision->reason == EG_REASON_SET_ID)
        return EG_KIND_MODE;
    return op == EG_WRITE_MODE ? EG_KIND_MODE : EG_KIND_WRITE;
}

__attribute__((noinline)) void eg_change_report(const char *call,
                                                const struct eg_write_decision *decision,
                                                enum eg_kind kind, struct eg_str path)
{
    struct eg_event event = {
        .action = decision->verdict == EG_VERDICT_DENY
                      ? (in_log_mode() ? EG_ACTION_WOULD_DENY : EG_ACTION_DENY)
                      : EG_ACTION_ALLOW,
        .kind = kind,
        .reason = decision->reason,
        .call = eg_str(call),
        .path = path,
        .hint = decision->hint,
    };
    if (decision->rule_file) {
        event.rule_file = eg_blob_str(eg_shim.blob, decision->rule_file);
        event.rule_line = decision->rule_line;
    }
    eg_shim_emit(&event);
}

/* ---- one judgement ---- */

/* Refused by the domain; it is not asked about modes and attributes. */
static bool is_the_domains(const struct eg_write_decision *decision)
{
    return decision->reason == EG_REASON_NO_WRITE_TREE || decision->reason == EG_REASON_PROTECTED;
}

static bool asks_domain(enum eg_write_op op)
{
    return op != EG_WRITE_MODE && op != EG_WRITE_ATTRIBUTE;
}

/* Is it ours to say something of this decision before the call? */
static bool is_ours(enum eg_write_op op, const struct eg_write_decision *decision)
{
    if (decision->verdict == EG_VERDICT_ALLOW) return false;
    if (decision->verdict == EG_VERDICT_DENY && is_the_domains(decision))
        return asks_domain(op) && ((in_log_mode() && !(eg_file_ask() & EG_FILE_TOLD)) ||
                                   (eg_file_ask() & EG_FILE_ALONE));
    return !eg_shim.supervised; /* the rest is the supervisor's */
}

/* What a refused call fails with.  mv(1) and its like copy after EXDEV: then each
 * file is judged. */
static int error_of(const struct eg_write_decision *decision)
{
    return decision->reason == EG_REASON_CROSSES_TREE ? -EXDEV : -EACCES;
}

/* 0 or -errno, after an event. */
static int conclude(const struct eg_change *change, const struct eg_write_request *request,
                    const struct eg_write_decision *decision)
{
    if (!is_ours(request->op, decision)) return 0;
    eg_change_report(change->call, decision, kind_of(request->op, decision), request->path);
    return decision->verdict == EG_VERDICT_DENY && !in_log_mode() ? error_of(decision) : 0;
}

static int decide(const struct eg_change *change, const struct eg_write_request *request,
                  struct eg_write_decision *ret)
{
    eg_decide_write(eg_shim.blob, request, ret);
    return conclude(change, request, ret);
}

/* Is there a file behind the place that has, or could get, a name? */
static bool is_named(const struct eg_place *place)
{
    return eg_str_starts(place->path, EG_STR("/")) && !(place->mode && place->links == 0);
}

static uint32_t type_of(uint32_t mode)
{
    return mode & S_IFMT;
}

/* ---- contents, before a file gets its name ---- */

static int open_other(const struct eg_change *change)
{
    char link[48];
    struct eg_buf b = eg_buf_over(link, sizeof(link));
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    if (!change->other_descriptor)
        return (int)eg_sys(__NR_openat, change->other_dirfd, change->other,
                           change->other_follow ? flags : flags | O_NOFOLLOW, 0);
    eg_buf_add(&b, "/proc/thread-self/fd/");
    eg_buf_i64(&b, change->other_dirfd);
    return (int)eg_sys(__NR_openat, AT_FDCWD, eg_buf_cstr(&b), flags, 0);
}

static int judge_contents(const struct eg_change *change, int fd, struct eg_str path,
                          const struct eg_write_decision *named)
{
    struct eg_write_decision decision;
    uint32_t hits = named->contents;
    int r = fd < 0 ? fd : eg_content_read(fd, named->contents, &hits);
    if (fd >= 0) eg_sys(__NR_close, fd);
    if (r == 0 && hits == 0) return 0;
    eg_decide_content(eg_shim.blob, named->upload, hits, &decision);
    if (r) decision.reason = EG_REASON_UNREADABLE;
    if (decision.verdict == EG_VERDICT_ALLOW) return 0;
    eg_change_report(change->call, &decision, EG_KIND_CONTENT, path);
    return decision.verdict == EG_VERDICT_DENY && !in_log_mode() ? -EACCES : 0;
}

/* ---- the changes, by what they are judged on ---- */

static int find(const struct eg_change *change, struct eg_place *ret)
{
    if (change->descriptor) return eg_place_of(change->dirfd, ret);
    return eg_place_find(change->dirfd, change->path, change->follow, ret);
}

static int find_other(const struct eg_change *change, struct eg_place *ret)
{
    if (change->other_descriptor) return eg_place_of(change->other_dirfd, ret);
    return eg_place_find(change->other_dirfd, change->other, change->other_follow, ret);
}

/* O_TMPFILE: a file without a name in the folder that path names. */
static bool is_nameless(const struct eg_change *change)
{
    return change->op == EG_WRITE_CREATE && type_of(change->mode) == 0;
}

/* What the change is once it is known what is there. */
static bool make_request(const struct eg_change *change, struct eg_place *place,
                         struct eg_write_request *ret)
{
    *ret = (struct eg_write_request){
        .op = change->op, .path = place->path, .other = { NULL, 0 }, .mode = change->mode
    };
    switch (change->op) {
    case EG_WRITE_CREATE:
        if (is_nameless(change)) {
            size_t n = place->path.n;
            if (n + 2 > sizeof(place->memory)) return false;
            if (place->memory[n - 1] != '/') place->memory[n++] = '/';
            place->memory[n] = '\0';
            ret->path.n = n;
            ret->mode |= S_IFREG;
        } else if (place->mode && type_of(change->mode) == S_IFREG) {
            if (!change->truncates) return false;
            ret->op = EG_WRITE_OPEN;
            ret->mode = place->mode;
        }
        return true;
    case EG_WRITE_OPEN:
        /* what is not there cannot be opened; folders cannot be written */
        ret->mode = place->mode;
        return place->mode && type_of(place->mode) != S_IFDIR;
    case EG_WRITE_MODE:
        ret->mode = type_of(place->mode) | (change->mode & EG_MODE_BITS);
        return place->mode;
    case EG_WRITE_SYMLINK: ret->other = eg_str(change->other); return true;
    case EG_WRITE_REMOVE:
    case EG_WRITE_ATTRIBUTE: ret->mode = place->mode; return place->mode;
    case EG_WRITE_MKDIR: ret->mode |= S_IFDIR; return true;
    case EG_WRITE_MKNOD:
    case EG_WRITE_RENAME:
    case EG_WRITE_LINK:
    case EG_WRITE_READ:
    case EG_WRITE_OPS: break;
    }
    return true;
}

static __attribute__((noinline)) int judge_one(struct eg_change *change)
{
    struct eg_place place;
    struct eg_write_request request;
    struct eg_write_decision decision;
    int r = find(change, &place);
    if (r) return in_log_mode() ? 0 : r;
    if (!is_named(&place) || !make_request(change, &place, &request)) return 0;
    r = decide(change, &request, &decision);
    if (r || in_log_mode() || decision.upload == EG_NONE) return r;
    /* It may be gone by the time it is opened, and be created after all. */
    if (request.op == EG_WRITE_OPEN && change->op == EG_WRITE_CREATE) {
        request.op = EG_WRITE_CREATE;
        request.mode = change->mode;
        eg_decide_write(eg_shim.blob, &request, &decision);
    }
    if (request.op == EG_WRITE_CREATE || request.op == EG_WRITE_MKNOD)
        change->mode &= decision.mode | ~EG_MODE_BITS;
    return 0;
}

/* One name of a rename or link. */
static int judge_moved(const struct eg_change *change, enum eg_write_op op,
                       const struct eg_place *to, const struct eg_place *from, int content_fd)
{
    struct eg_write_request request = { .op = op, .path = to->path, .mode = from->mode };
    struct eg_write_decision decision;
    /* without a name (O_TMPFILE): where it was made */
    if (eg_str_starts(from->path, EG_STR("/"))) request.other = from->path;
    request.shared = type_of(from->mode) == S_IFREG && from->links > 1;
    int r = decide(change, &request, &decision);
    if (r == 0 && decision.contents && type_of(from->mode) == S_IFREG &&
        (in_log_mode() || !eg_shim.supervised))
        return judge_contents(change, content_fd == -EBADF ? open_other(change) : content_fd,
                              to->path, &decision);
    if (content_fd >= 0) eg_sys(__NR_close, content_fd);
    return r;
}

static int judge_removed(const struct eg_change *change, const struct eg_place *place)
{
    struct eg_write_request request = { .op = EG_WRITE_REMOVE,
                                        .path = place->path,
                                        .mode = place->mode };
    struct eg_write_decision decision;
    return decide(change, &request, &decision);
}

static __attribute__((noinline)) int judge_two(struct eg_change *change)
{
    struct eg_place to;
    struct eg_place from;
    int r = find_other(change, &from);
    if (r == 0) r = find(change, &to);
    if (r == 0 && from.mode == 0) r = -ENOENT;
    if (r) return in_log_mode() ? 0 : r;
    r = judge_moved(change, change->op, &to, &from, -EBADF);
    if (r == 0 && change->op == EG_WRITE_RENAME) r = judge_removed(change, &from);
    if (r || !change->exchange || to.mode == 0) return r;
    int fd = type_of(to.mode) == S_IFREG
                 ? (int)eg_sys(__NR_openat, change->dirfd, change->path,
                               O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW, 0)
                 : -EACCES;
    r = judge_moved(change, EG_WRITE_RENAME, &from, &to, fd);
    return r ? r : judge_removed(change, &to);
}

static bool has_two(const struct eg_change *change)
{
    return change->op == EG_WRITE_RENAME || change->op == EG_WRITE_LINK;
}

/* libc and the kernel know what to say to these. */
static bool is_nowhere(const char *path)
{
    return (uintptr_t)path < 4096;
}

static bool is_probe(const struct eg_change *change)
{
    if (is_nowhere(change->path) && !change->descriptor) return true;
    return (has_two(change) || change->op == EG_WRITE_SYMLINK) && is_nowhere(change->other);
}

int eg_change_judge(struct eg_change *change)
{
    if (!eg_file_cares(EG_FILE_BEFORE)) return 0;
    uint32_t bits = eg_file_ask();
    if (bits & EG_FILE_STOPPED) return -EACCES;
    if (!(bits & EG_FILE_BEFORE) || is_probe(change)) return 0;
    return has_two(change) ? judge_two(change) : judge_one(change);
}

/* ---- after the kernel refused ---- */

static __attribute__((noinline)) void explain(const struct eg_change *change, bool old_name)
{
    struct eg_place place;
    struct eg_write_decision decision;
    struct eg_write_request request;
    struct eg_change told = *change;
    if (old_name) {
        told.op = EG_WRITE_REMOVE;
        told.dirfd = change->other_dirfd;
        told.path = change->other;
        told.descriptor = false;
    }
    if (find(&told, &place) || !is_named(&place)) return;
    if (has_two(&told))
        request = (struct eg_write_request){ .op = told.op, .path = place.path };
    else if (!make_request(&told, &place, &request))
        return;
    eg_decide_write(eg_shim.blob, &request, &decision);
    if (decision.verdict == EG_VERDICT_DENY && is_the_domains(&decision))
        eg_change_report(change->call, &decision, kind_of(request.op, &decision), place.path);
    else if (told.op == EG_WRITE_RENAME)
        explain(change, true);
}

void eg_change_explain(const struct eg_change *change, int error)
{
    /* EXDEV: what Landlock answers to a name that moves between folders */
    if (error != EACCES && error != EXDEV) return;
    if (is_probe(change) || !(eg_file_ask() & EG_FILE_AFTER)) return;
    explain(change, false);
    *__errno_location() = error;
}

/* ---- reading ---- */

static bool is_want(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

int eg_read_judge(const char *call, int dirfd, const char *path)
{
    struct eg_place place;
    struct eg_write_decision decision;
    if (!(eg_file_ask() & EG_FILE_READS)) return 0;
    int r = eg_place_find(dirfd, path, true, &place);
    if (r) return is_want(r) && !in_log_mode() ? r : 0;
    if (!is_named(&place) || type_of(place.mode) != S_IFREG) return 0;
    struct eg_write_request request = { .op = EG_WRITE_READ,
                                        .path = place.path,
                                        .mode = place.mode };
    eg_decide_write(eg_shim.blob, &request, &decision);
    if (decision.verdict == EG_VERDICT_ALLOW) return 0;
    eg_change_report(call, &decision, kind_of(request.op, &decision), place.path);
    return decision.verdict == EG_VERDICT_DENY && !in_log_mode() ? -EACCES : 0;
}

/* ---- opening ---- */

static bool changes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) ||
           (flags & O_TMPFILE) == O_TMPFILE;
}

static void describe(const struct eg_opening *opening, struct eg_change *ret)
{
    bool nameless = (opening->flags & O_TMPFILE) == O_TMPFILE;
    bool creates = nameless || (opening->flags & O_CREAT);
    *ret = (struct eg_change){
        .call = opening->call,
        .op = creates ? EG_WRITE_CREATE : EG_WRITE_OPEN,
        .follow = !(opening->flags & O_NOFOLLOW) &&
                  (opening->flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL),
        .descriptor = opening->descriptor,
        .truncates = (opening->flags & O_ACCMODE) != O_RDONLY || (opening->flags & O_TRUNC),
        .dirfd = opening->dirfd,
        .path = opening->path,
        .mode = nameless ? opening->mode & EG_MODE_BITS : S_IFREG | (opening->mode & EG_MODE_BITS),
    };
}

__attribute__((noinline)) int eg_open_judge(struct eg_opening *opening)
{
    struct eg_change change;
    int r = 0;
    if (opening->flags & O_PATH) return 0;
    if (changes(opening->flags)) {
        describe(opening, &change);
        r = eg_change_judge(&change);
        opening->mode &= change.mode | ~EG_MODE_BITS;
    }
    if (r || opening->descriptor || (opening->flags & O_ACCMODE) == O_WRONLY) return r;
    if (!eg_open_reads_script(opening->path)) return 0;
    return eg_read_judge(opening->call, opening->dirfd, opening->path);
}

void eg_open_explain(const struct eg_opening *opening, int error)
{
    struct eg_change change;
    if (!changes(opening->flags) || (opening->flags & O_PATH)) return;
    describe(opening, &change);
    eg_change_explain(&change, error);
}

bool eg_open_reads_script(const char *path)
{
    if (is_nowhere(path)) return false;
    uint32_t interest = eg_file_ask();
    if (!(interest & EG_FILE_READS)) return false;
    if (!(interest & EG_FILE_GLOBS) && !eg_decide_path_may_run(path)) return false;
    const char *last = path;
    const char *end = path;
    for (; *end; end++)
        if (*end == '/') last = end + 1;
    return eg_decide_reads_matter(eg_shim.blob, (struct eg_str){ last, (size_t)(end - last) });
}
