// SPDX-License-Identifier: MIT
/* The verdict on a change of the file tree, in this order: is the place a
 * worker's to write, may this object come to lie there, may it have this name and
 * this mode. */
#include "decide/write.h"
#include "decide/parts.h"

#include <linux/stat.h>

#define EXECUTE_BITS 0111u
#define SET_ID_BITS  06000u

/* What one verdict is made from. */
struct change {
    const struct eg_blob *blob;
    const struct eg_write_request *request;
    const struct eg_blob_upload *upload; /* NULL: in none */
    size_t top;                          /* length of the upload tree's own path */
    struct eg_write_decision *ret;
};

static void deny(struct eg_write_decision *ret, enum eg_reason reason, struct eg_str hint)
{
    ret->verdict = EG_VERDICT_DENY;
    ret->reason = reason;
    ret->hint = hint;
}

/* Refused by a statement of the uploads block (line 0: by all of it). */
static bool refuse(const struct change *c, enum eg_reason reason, uint32_t line, struct eg_str hint)
{
    deny(c->ret, reason, hint);
    c->ret->rule_file = c->upload->file;
    c->ret->rule_line = line ? line : c->upload->line;
    return false;
}

/* ---- the place ---- */

/* Absolute and without `..`, so that its text says where it leads. */
static bool is_plain(struct eg_str path)
{
    if (path.n == 0 || path.p[0] != '/') return false;
    while (path.n) {
        struct eg_str component = { path.p, eg_str_find(path, '/') };
        if (eg_str_equal(component, EG_STR(".."))) return false;
        path = eg_str_skip(path, component.n + 1);
    }
    return true;
}

static bool is_beneath(struct eg_str path, struct eg_str folder)
{
    return eg_str_starts(path, folder) && (path.n == folder.n || path.p[folder.n] == '/');
}

static bool is_device(struct eg_str path)
{
#define F(name)                                                                                    \
    if (eg_str_equal(path, EG_STR("/dev/" name))) return true;
#define T(name)                                                                                    \
    if (is_beneath(path, EG_STR("/dev/" name))) return true;
#include "table/devices.def"
    return false;
}

/* What no policy gives away: design section 4, as guard/walk.c keeps it. */
static bool is_protected(const struct eg_blob *blob, struct eg_str path)
{
    const uint32_t *files = eg_blob_section(blob, EG_SECTION_GUARD_FILES);
    if (is_beneath(path, EG_STR("/proc"))) return true;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_GUARD_FILES); i++)
        if (is_beneath(path, eg_blob_str(blob, files[i]))) return true;
    if (!(blob->flags & EG_BLOB_WRITE_FREE)) return false;
    return is_beneath(path, EG_STR("/sys")) || is_beneath(path, EG_STR("/dev"));
}

static bool judge_place(const struct change *c)
{
    struct eg_str path = c->request->path;
    const struct eg_blob_tree *trees = eg_blob_section(c->blob, EG_SECTION_WRITE_TREES);
    if (is_device(path)) return true;
    if (is_protected(c->blob, path)) {
        deny(c->ret, EG_REASON_PROTECTED, (struct eg_str){ NULL, 0 });
        return false;
    }
    if (c->blob->flags & EG_BLOB_WRITE_FREE) return true;
    uint32_t tree = eg_decide_tree_of(c->blob, path);
    if (tree != EG_NONE) {
        c->ret->tree = tree;
        c->ret->rule_file = trees[tree].file;
        c->ret->rule_line = trees[tree].line;
        return true;
    }
    deny(c->ret, EG_REASON_NO_WRITE_TREE,
         EG_STR("write `allow PATH` into the policy's write block if the worker is to write here"));
    return false;
}

/* ---- the object ---- */

static bool is_regular(uint32_t mode)
{
    return (mode & S_IFMT) == S_IFREG || (mode & S_IFMT) == 0;
}

static bool judge_mode(const struct change *c)
{
    uint32_t mode = c->request->mode;
    if (!is_regular(mode)) return true;
    if (mode & SET_ID_BITS)
        return refuse(c, EG_REASON_SET_ID, 0, EG_STR("leave the bits 6000 out of the mode"));
    if (mode & EXECUTE_BITS && c->upload->flags & EG_UPLOAD_DENY_EXECUTABLE)
        return refuse(c, EG_REASON_EXECUTABLE, c->upload->executable_line,
                      EG_STR("leave the bits 0111 out of the mode"));
    return true;
}

/* Bits that a new file does not get are left out and nobody is told: umask(2)
 * does the same, and open(2) with 0777 is common. */
static uint32_t mask_mode(const struct eg_blob_upload *upload, uint32_t mode)
{
    if (!is_regular(mode)) return mode;
    mode &= ~SET_ID_BITS;
    return upload->flags & EG_UPLOAD_DENY_EXECUTABLE ? mode & ~EXECUTE_BITS : mode;
}

static bool judge_type(const struct change *c)
{
    uint32_t type = c->request->mode & S_IFMT;
    if (type == S_IFCHR || type == S_IFBLK)
        return refuse(c, EG_REASON_FILE_TYPE, 0,
                      EG_STR("an upload tree holds files, folders, links, FIFOs and sockets"));
    return true;
}

static size_t depth_of(struct eg_str path)
{
    size_t depth = 0;
    for (size_t i = 0; i < path.n; i++) depth += path.p[i] == '/';
    return depth;
}

/* Was `other` in the same tree (not only of the same rule)? */
static bool comes_from_here(const struct change *c)
{
    const struct eg_write_request *request = c->request;
    size_t top;
    if (!is_plain(request->other)) return false;
    if (eg_decide_upload_find(c->blob, request->other, &top) != c->ret->upload) return false;
    return top == c->top && eg_bytes_equal(request->other.p, request->path.p, top) &&
           request->other.n > top;
}

#define COPY_HINT EG_STR("copy it: what crosses the border is judged file by file")

/* Folders and links; what nobody knows counts as one. */
static bool moves_places(uint32_t mode)
{
    uint32_t type = mode & S_IFMT;
    return type == S_IFDIR || type == S_IFLNK || type == 0;
}

/* A folder brings files that nobody judged.  A link, or a folder with links in
 * it, means another place after the move; one that leads up by `..` leaves the
 * tree only where it comes to lie less deep. */
static bool judge_move(const struct change *c)
{
    const struct eg_write_request *request = c->request;
    bool here = comes_from_here(c);
    if (!moves_places(request->mode)) {
        if (here || !request->shared) return true;
        return refuse(c, EG_REASON_CROSSES_TREE, 0, COPY_HINT);
    }
    /* another tree, of other rules, could lie in it */
    if (eg_decide_upload_is_above(c->blob, request->path) ||
        eg_decide_upload_is_above(c->blob, request->other))
        return refuse(c, EG_REASON_UPLOAD_TREE, 0, (struct eg_str){ NULL, 0 });
    if (here && depth_of(request->path) >= depth_of(request->other)) return true;
    return refuse(c, EG_REASON_CROSSES_TREE, 0, COPY_HINT);
}

/* A second name elsewhere is a way to change the file past this tree's rules; so is
 * the descriptor of a file that was made elsewhere without a name, since it goes on
 * to be shown there. */
static bool judge_hard_link(const struct change *c)
{
    if (comes_from_here(c)) return true;
    return refuse(c, EG_REASON_CROSSES_TREE, 0, COPY_HINT);
}

/* ---- the name ---- */

static bool is_hit(const struct change *c, const struct eg_blob_name *rule, struct eg_str name)
{
    unsigned kinds;
    if (rule->glob) return eg_name_matches(eg_blob_str(c->blob, rule->glob), name);
    if (c->request->op == EG_WRITE_READ) return eg_decide_name_may_run(name);
    kinds = eg_decide_script_kinds(name);
    /* A folder named `modules` runs nothing; one named `x.asp` does, on IIS. */
    if (c->request->op == EG_WRITE_MKDIR || (c->request->mode & S_IFMT) == S_IFDIR)
        kinds &= ~(unsigned)EG_SCRIPT_TOOL;
    return kinds != 0;
}

static bool judge_name(const struct change *c, struct eg_str name, enum eg_reason reason)
{
    const struct eg_blob_name *names = eg_blob_section(c->blob, EG_SECTION_UPLOAD_NAMES);
    uint32_t use = c->request->op == EG_WRITE_READ ? EG_NAME_READ : EG_NAME_WRITE;
    for (uint32_t i = 0; name.n && i < c->upload->name_count; i++) {
        uint32_t index = c->upload->names + i;
        if (!(names[index].uses & use) || !is_hit(c, &names[index], name)) continue;
        deny(c->ret, reason,
             use == EG_NAME_READ ? EG_STR("keep scripts outside upload trees")
                                 : EG_STR("store the file under another name; what runs belongs "
                                          "outside upload trees"));
        c->ret->name = index;
        c->ret->rule_file = names[index].file;
        c->ret->rule_line = names[index].line;
        return false;
    }
    return true;
}

/* Take one leading `..` (or `.`) off a link's text; the folder goes up with it. */
static bool climb(struct eg_str *text, struct eg_str *folder)
{
    while (text->n && text->p[0] == '/') *text = eg_str_skip(*text, 1);
    struct eg_str component = { text->p, eg_str_find(*text, '/') };
    if (eg_str_equal(component, EG_STR(".."))) {
        size_t slash = eg_str_rfind(*folder, '/');
        folder->n = slash == folder->n ? 0 : slash;
    } else if (!eg_str_equal(component, EG_STR("."))) {
        return false;
    }
    *text = eg_str_skip(*text, component.n);
    return true;
}

/* Does a link with this text stay in its tree?  A relative one counts from the
 * canonical folder; `..` behind a name could follow another link, so it is
 * taken for leaving. */
static bool stays_inside(const struct change *c)
{
    struct eg_str text = c->request->other;
    struct eg_str path = c->request->path;
    struct eg_str tree = { path.p, c->top };
    if (text.n && text.p[0] == '/') {
        char memory[EG_DECIDE_PATH_MAX];
        struct eg_buf plain = eg_buf_over(memory, sizeof(memory));
        return eg_decide_normalise(text, (struct eg_str){ NULL, 0 }, &plain) &&
               is_beneath(eg_buf_view(&plain), tree) &&
               eg_decide_upload_of(c->blob, eg_buf_view(&plain)) == c->ret->upload;
    }
    struct eg_str folder = { path.p, eg_str_rfind(path, '/') };
    while (text.n && climb(&text, &folder))
        ;
    if (!is_beneath(folder, tree)) return false;
    while (text.n) {
        struct eg_str component = { text.p, eg_str_find(text, '/') };
        if (eg_str_equal(component, EG_STR(".."))) return false;
        text = eg_str_skip(text, component.n + 1);
    }
    return true;
}

static bool judge_symlink(const struct change *c)
{
    struct eg_str text = c->request->other;
    while (text.n > 1 && text.p[text.n - 1] == '/') text.n--;
    if (!stays_inside(c))
        return refuse(c, EG_REASON_LINK_TARGET, 0,
                      EG_STR("a link in an upload tree may lead to what lies in the same tree"));
    return judge_name(c, eg_str_basename(text), EG_REASON_LINK_TARGET);
}

/* ---- in an upload tree ---- */

static bool makes_name(enum eg_write_op op)
{
    switch (op) {
    case EG_WRITE_OPEN: /* more code in a script that lies there */
    case EG_WRITE_CREATE:
    case EG_WRITE_MKDIR:
    case EG_WRITE_MKNOD:
    case EG_WRITE_RENAME:
    case EG_WRITE_LINK:
    case EG_WRITE_SYMLINK: return true;
    case EG_WRITE_REMOVE:
    case EG_WRITE_MODE:
    case EG_WRITE_ATTRIBUTE:
    case EG_WRITE_READ:
    case EG_WRITE_OPS: break;
    }
    return false;
}

static bool may_hold_content(const struct eg_write_request *request)
{
    switch (request->op) {
    case EG_WRITE_OPEN: return true;
    case EG_WRITE_CREATE:
    case EG_WRITE_MKNOD:
    case EG_WRITE_RENAME:
    case EG_WRITE_LINK: return is_regular(request->mode);
    default: return false;
    }
}

/* The tree's own top may be made, and removed when it is empty, but nothing that
 * nobody judged is put in its place. */
static bool judge_top(const struct change *c)
{
    switch (c->request->op) {
    case EG_WRITE_RENAME:
    case EG_WRITE_SYMLINK: return refuse(c, EG_REASON_UPLOAD_TREE, 0, (struct eg_str){ NULL, 0 });
    default: return true;
    }
}

static bool judge_upload(const struct change *c)
{
    struct eg_str path = c->request->path;
    if (path.n == c->top) return judge_top(c);
    if (makes_name(c->request->op) && !judge_name(c, eg_str_basename(path), EG_REASON_NAME))
        return false;
    switch (c->request->op) {
    case EG_WRITE_CREATE:
    case EG_WRITE_MKNOD: return judge_type(c);
    case EG_WRITE_RENAME: return judge_type(c) && judge_mode(c) && judge_move(c);
    case EG_WRITE_LINK: return judge_type(c) && judge_mode(c) && judge_hard_link(c);
    case EG_WRITE_SYMLINK: return judge_symlink(c);
    case EG_WRITE_MODE: return judge_mode(c);
    default: return true;
    }
}

/* An upload tree itself, or a folder that one may lie in. */
static bool is_upload_place(const struct change *c, struct eg_str path)
{
    size_t top;
    return eg_decide_upload_is_above(c->blob, path) ||
           (eg_decide_upload_find(c->blob, path, &top) != EG_NONE && top == path.n);
}

/* Does it leave a second name in an upload tree, or could it: a folder holds what
 * nobody looks at? */
static bool leaves_names(const struct change *c)
{
    const struct eg_write_request *request = c->request;
    bool folder = (request->mode & S_IFMT) == S_IFDIR || (request->mode & S_IFMT) == 0;
    if (!(request->op == EG_WRITE_LINK ||
          (request->op == EG_WRITE_RENAME && (request->shared || folder))))
        return false;
    struct eg_str other = request->other;
    size_t top;
    if (other.n == 0) return false;
    if (!is_plain(other)) return true;
    /* of a tree that moves as a whole something else is said */
    return eg_decide_upload_find(c->blob, other, &top) != EG_NONE && top < other.n;
}

/* Outside upload trees: a second name for what lies in one, or an upload tree that
 * goes, or comes, with the folder or link it lies in. */
static bool judge_outside(const struct change *c)
{
    const struct eg_write_request *request = c->request;
    struct eg_str other = request->other;
    if (eg_blob_count(c->blob, EG_SECTION_UPLOADS) == 0) return true;
    if (leaves_names(c)) {
        deny(c->ret, EG_REASON_CROSSES_TREE, COPY_HINT);
        return false;
    }
    if ((request->op == EG_WRITE_SYMLINK && is_upload_place(c, request->path)) ||
        (request->op == EG_WRITE_RENAME && moves_places(request->mode) &&
         (!is_plain(other) || is_upload_place(c, request->path) || is_upload_place(c, other)))) {
        deny(c->ret, EG_REASON_UPLOAD_TREE, (struct eg_str){ NULL, 0 });
        return false;
    }
    return true;
}

/* ---- the whole ---- */

enum eg_write_op eg_decide_making(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return EG_WRITE_CREATE;
    case S_IFDIR: return EG_WRITE_MKDIR;
    case S_IFLNK: return EG_WRITE_SYMLINK;
    default: return EG_WRITE_MKNOD;
    }
}

static bool is_logged(enum eg_write_op op)
{
    return op != EG_WRITE_OPEN && op != EG_WRITE_ATTRIBUTE && op != EG_WRITE_READ;
}

static void judge_read(const struct change *c)
{
    if (!c->upload) return;
    if (is_regular(c->request->mode)) c->ret->contents = c->upload->contents;
    if (c->upload->flags & EG_UPLOAD_DENY_READ)
        judge_name(c, eg_str_basename(c->request->path), EG_REASON_READ_SCRIPT);
}

static void judge_write(const struct change *c)
{
    const struct eg_blob_tree *trees = eg_blob_section(c->blob, EG_SECTION_WRITE_TREES);
    const struct eg_write_request *request = c->request;
    if (!judge_place(c)) return;
    if (!c->upload) {
        if (!judge_outside(c)) return;
    } else {
        if (!judge_upload(c)) return;
        if (request->op == EG_WRITE_CREATE || request->op == EG_WRITE_MKNOD)
            c->ret->mode = mask_mode(c->upload, request->mode);
        if (may_hold_content(request)) c->ret->contents = c->upload->contents;
    }
    if (c->ret->tree != EG_NONE && trees[c->ret->tree].flags & EG_TREE_LOG &&
        is_logged(request->op))
        c->ret->verdict = EG_VERDICT_LOG;
}

static void allow(struct eg_write_decision *ret)
{
    *ret = (struct eg_write_decision){ .verdict = EG_VERDICT_ALLOW,
                                       .reason = EG_REASON_NONE,
                                       .tree = EG_NONE,
                                       .upload = EG_NONE,
                                       .name = EG_NONE };
}

void eg_decide_write(const struct eg_blob *blob, const struct eg_write_request *request,
                     struct eg_write_decision *ret)
{
    const struct eg_blob_upload *uploads = eg_blob_section(blob, EG_SECTION_UPLOADS);
    struct change c = { blob, request, NULL, 0, ret };
    allow(ret);
    ret->mode = request->mode;
    if (request->path.n >= EG_DECIDE_PATH_MAX) {
        deny(ret, EG_REASON_TOO_LONG, (struct eg_str){ NULL, 0 });
        return;
    }
    if (!is_plain(request->path)) {
        deny(ret, EG_REASON_UNREADABLE, (struct eg_str){ NULL, 0 });
        return;
    }
    ret->upload = eg_decide_upload_find(blob, request->path, &c.top);
    if (ret->upload != EG_NONE) c.upload = &uploads[ret->upload];
    if (request->op == EG_WRITE_READ)
        judge_read(&c);
    else
        judge_write(&c);
}

void eg_decide_content(const struct eg_blob *blob, uint32_t upload, uint32_t hits,
                       struct eg_write_decision *ret)
{
    const struct eg_blob_upload *uploads = eg_blob_section(blob, EG_SECTION_UPLOADS);
    allow(ret);
    ret->upload = upload;
    if (upload >= eg_blob_count(blob, EG_SECTION_UPLOADS)) {
        ret->upload = EG_NONE;
        if (hits) deny(ret, EG_REASON_CONTENT, (struct eg_str){ NULL, 0 });
        return;
    }
    ret->contents = uploads[upload].contents;
    if (!(hits & uploads[upload].contents)) return;
    deny(ret, EG_REASON_CONTENT,
         EG_STR("leave the word out of `deny content` if such files are "
                "meant to be uploaded"));
    ret->rule_file = uploads[upload].file;
    ret->rule_line = uploads[upload].content_line;
}

bool eg_decide_reads_matter(const struct eg_blob *blob, struct eg_str name)
{
    const struct eg_blob_name *names = eg_blob_section(blob, EG_SECTION_UPLOAD_NAMES);
    bool scripts = false;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_UPLOAD_NAMES); i++) {
        if (!(names[i].uses & EG_NAME_READ)) continue;
        if (names[i].glob && eg_name_matches(eg_blob_str(blob, names[i].glob), name)) return true;
        if (!names[i].glob) scripts = true;
    }
    return scripts && eg_decide_name_may_run(name);
}
