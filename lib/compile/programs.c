// SPDX-License-Identifier: MIT
/* The table of programs and the exec set: what the rules name, and what that
 * needs to run. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compile/lowering.h"
#include "decide/parts.h"
#include "policy/messages.h"

struct eg_blob_program *eg_lowering_program(struct eg_lowering *l, uint32_t index)
{
    return eg_builder_at(&l->b, EG_SECTION_PROGRAMS, index);
}

/* --- Dependencies --- */

struct path_key {
    struct eg_lowering *l;
    uint32_t path;
};

static bool same_dependency(void *context, uint32_t index)
{
    const struct path_key *key = context;
    const struct eg_blob_dependency *d = eg_builder_at(&key->l->b, EG_SECTION_DEPENDENCIES, index);
    return d->path == key->path;
}

void eg_lowering_depend(struct eg_lowering *l, struct eg_str path, const struct eg_identity *id,
                        uid_t uid, gid_t gid, enum eg_dependency_kind kind)
{
    struct eg_blob_dependency d = {
        .path = eg_builder_string(&l->b, path), .uid = uid, .gid = gid, .kind = kind
    };
    if (id) d.id = *id;
    struct path_key key = { l, d.path };
    uint32_t hash = eg_index_hash(&d.path, sizeof(d.path));
    if (eg_index_find(&l->dependencies, hash, same_dependency, &key) != EG_NONE) return;
    uint32_t index = eg_builder_add(&l->b, EG_SECTION_DEPENDENCIES, &d);
    if (!eg_index_add(&l->dependencies, hash, index)) l->failure = -ENOMEM;
}

void eg_lowering_depend_now(struct eg_lowering *l, const char *path)
{
    struct statx st;
    if (statx(AT_FDCWD, path, AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, &st) < 0) {
        eg_lowering_depend(l, eg_str(path), NULL, 0, 0, EG_DEPENDENCY_FILE);
        return;
    }
    struct eg_identity id = {
        .dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor,
        .ino = st.stx_ino,
        .size = st.stx_size,
        .mtime_s = st.stx_mtime.tv_sec,
        .mtime_ns = st.stx_mtime.tv_nsec,
        .mode = st.stx_mode,
    };
    eg_lowering_depend(l, eg_str(path), &id, st.stx_uid, st.stx_gid, EG_DEPENDENCY_FILE);
}

/* --- The table --- */

static uint32_t name_hash(const struct eg_identity *id, uint32_t name)
{
    const uint64_t key[3] = { id->dev, id->ino, name };
    return eg_index_hash(key, sizeof(key));
}

struct program_key {
    struct eg_lowering *l;
    const struct eg_identity *id;
    uint32_t name;    /* by inode */
    uint32_t spelled; /* by spelling */
};

static bool same_inode(void *context, uint32_t index)
{
    const struct program_key *key = context;
    const struct eg_blob_program *p = eg_lowering_program(key->l, index);
    return p->id.mode && p->id.dev == key->id->dev && p->id.ino == key->id->ino &&
           p->name == key->name;
}

static bool same_spelling(void *context, uint32_t index)
{
    const struct program_key *key = context;
    return eg_lowering_program(key->l, index)->spelled == key->spelled;
}

static uint32_t append(struct eg_lowering *l, const struct eg_blob_program *program,
                       struct eg_program_file *file)
{
    if (l->host_count == l->host_cap) {
        size_t cap = l->host_cap ? l->host_cap * 2 : 16;
        struct eg_host_program *host = reallocarray(l->host, cap, sizeof(*host));
        if (!host) {
            l->failure = -ENOMEM;
            return EG_NONE;
        }
        l->host = host;
        l->host_cap = cap;
    }
    uint32_t index = eg_builder_add(&l->b, EG_SECTION_PROGRAMS, program);
    if (index == EG_NONE) {
        l->failure = -ENOMEM;
        return EG_NONE;
    }
    l->host[l->host_count++] = (struct eg_host_program){ .cover = EG_NONE, .cover_from = EG_NONE };
    if (file) {
        l->host[index].file = *file;
        *file = (struct eg_program_file){ 0 };
    }
    return index;
}

static uint32_t flags_of(const struct eg_program_file *file, struct eg_str name,
                         enum eg_naming naming)
{
    struct eg_str base = eg_str_basename(eg_str(file->path));
    uint32_t flags = 0;
    bool multicall = eg_decide_name_is_multicall(base);
    if (multicall) flags |= EG_PROGRAM_MULTICALL;
    if (eg_name_is_shell(name) || (!multicall && eg_name_is_shell(base))) flags |= EG_PROGRAM_SHELL;
    if (file->kind == EG_KIND_SCRIPT) flags |= EG_PROGRAM_SCRIPT;
    /* a loader has no loader */
    if (file->kind == EG_KIND_STATIC && naming != EG_NAMED_AS_LOADER) flags |= EG_PROGRAM_STATIC;
    if (naming == EG_NAMED_AS_INTERPRETER || naming == EG_NAMED_AS_LOADER)
        flags |= EG_PROGRAM_INTERPRETER;
    return flags;
}

static void note_naming(struct eg_lowering *l, uint32_t index, enum eg_naming naming)
{
    if (naming == EG_NAMED_BY_RULE)
        eg_lowering_program(l, index)->flags &= ~(uint32_t)EG_PROGRAM_INTERPRETER;
}

static uint32_t enter_file(struct eg_lowering *l, struct eg_str spelled, uint32_t spelled_string,
                           struct eg_program_file *file, enum eg_naming naming)
{
    struct eg_blob_program program = {
        .id = file->id,
        .path = eg_builder_string(&l->b, eg_str(file->path)),
        .spelled = spelled_string,
        .name = eg_builder_string(&l->b, eg_str_basename(spelled)),
        .flags = flags_of(file, eg_str_basename(spelled), naming),
        .interpreter = EG_NONE,
    };
    struct program_key key = { .l = l, .id = &program.id, .name = program.name };
    uint32_t hash = name_hash(&program.id, program.name);
    uint32_t index = eg_index_find(&l->by_inode, hash, same_inode, &key);
    eg_lowering_depend(l, spelled, &file->id, file->uid, file->gid, EG_DEPENDENCY_FILE);
    if (index == EG_NONE) {
        index = append(l, &program, file);
        if (index == EG_NONE) return EG_NONE;
        if (!eg_index_add(&l->by_inode, hash, index) ||
            !eg_index_add(&l->by_spelling, eg_index_hash(&spelled_string, sizeof(spelled_string)),
                          index))
            l->failure = -ENOMEM;
    }
    note_naming(l, index, naming);
    return index;
}

static uint32_t find_spelling(struct eg_lowering *l, uint32_t spelled)
{
    struct program_key key = { .l = l, .spelled = spelled };
    return eg_index_find(&l->by_spelling, eg_index_hash(&spelled, sizeof(spelled)), same_spelling,
                         &key);
}

uint32_t eg_lowering_enter(struct eg_lowering *l, struct eg_str spelled, enum eg_naming naming,
                           int *ret_error)
{
    uint32_t string = eg_builder_string(&l->b, spelled);
    uint32_t index = find_spelling(l, string);
    if (index != EG_NONE && l->host[index].file.path) {
        note_naming(l, index, naming);
        return index;
    }
    char *path = strndup(spelled.p, spelled.n);
    struct eg_program_file file = { 0 };
    int r = path ? eg_program_inspect(path, &file) : -ENOMEM;
    free(path);
    if (r < 0) {
        *ret_error = r;
        return EG_NONE;
    }
    index = enter_file(l, spelled, string, &file, naming);
    eg_program_file_done(&file);
    if (index == EG_NONE) *ret_error = -ENOMEM;
    return index;
}

uint32_t eg_lowering_enter_missing(struct eg_lowering *l, struct eg_str spelled)
{
    uint32_t string = eg_builder_string(&l->b, spelled);
    uint32_t index = find_spelling(l, string);
    if (index != EG_NONE) return index;
    struct eg_blob_program program = {
        .path = string,
        .spelled = string,
        .name = eg_builder_string(&l->b, eg_str_basename(spelled)),
        .flags = EG_PROGRAM_MISSING,
        .interpreter = EG_NONE,
    };
    eg_lowering_depend(l, spelled, NULL, 0, 0, EG_DEPENDENCY_FILE);
    index = append(l, &program, NULL);
    if (index != EG_NONE &&
        !eg_index_add(&l->by_spelling, eg_index_hash(&string, sizeof(string)), index))
        l->failure = -ENOMEM;
    return index;
}

/* --- Problems --- */

void eg_lowering_report_program(struct eg_lowering *l, struct eg_span span, struct eg_str path,
                                int error)
{
    struct eg_diagnostics *d = l->diagnostics;
    struct eg_quoted q = eg_quote(path);
    switch (error) {
    case -ENOENT:
    case -ENOTDIR:
        eg_diagnose(d, EG_SEVERITY_ERROR, span,
                    "install it, correct the path, or write \"optional\" before it",
                    "the program %s does not exist", q.s);
        return;
    case -EISDIR:
        eg_diagnose(d, EG_SEVERITY_ERROR, span, "name a program in it; a * stands for one name",
                    "%s is a folder, not a program", q.s);
        return;
    case -EINVAL:
        eg_diagnose(d, EG_SEVERITY_ERROR, span, NULL, "%s is not a regular file", q.s);
        return;
    case -EPERM:
        eg_diagnose(d, EG_SEVERITY_ERROR, span, "chmod +x, if it is meant to be run",
                    "nobody may execute %s", q.s);
        return;
    case -ENOEXEC:
        eg_diagnose(d, EG_SEVERITY_ERROR, span, NULL, "the header of the program %s is malformed",
                    q.s);
        return;
    default:
        eg_diagnose(d, EG_SEVERITY_ERROR, span, NULL, "the program %s cannot be read: %s", q.s,
                    strerror(-error));
    }
}

static void report_writable(struct eg_lowering *l, struct eg_span span,
                            const struct eg_program_file *file)
{
    char *path = NULL;
    uid_t owner = 0;
    enum eg_writable who = eg_program_writable(file, l->guard_uid, &path, &owner);
    struct eg_quoted program = eg_quote(eg_str(file->path));
    struct eg_quoted at = eg_quote(eg_str(path));
    struct eg_hint hint = eg_format_hint("chmod go-w %s", path ? path : "it");
    switch (who) {
    case EG_WRITABLE_NO: break;
    case EG_WRITABLE_OTHERS:
    case EG_WRITABLE_GROUP:
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, span, hint.s,
                    "the worker could change %s: %s can be written by %s", program.s, at.s,
                    who == EG_WRITABLE_GROUP ? "its group" : "everybody");
        break;
    case EG_WRITABLE_OWNER:
        eg_diagnose(l->diagnostics, EG_SEVERITY_WARNING, span,
                    "a worker that runs as this user could change the program",
                    "%s belongs to user %u", at.s, (unsigned)owner);
        break;
    case EG_WRITABLE_OURSELVES:
        eg_diagnose(l->diagnostics, EG_SEVERITY_WARNING, span,
                    "a worker of the same user could change the program: let root own it",
                    "%s belongs to the user whom the guard runs as", at.s);
        break;
    }
    free(path);
}

/* --- The exec set --- */

static bool same_file(void *context, uint32_t index)
{
    const struct program_key *key = context;
    const struct eg_blob_program *p = eg_lowering_program(key->l, index);
    return p->id.dev == key->id->dev && p->id.ino == key->id->ino;
}

static void join_set(struct eg_lowering *l, uint32_t program)
{
    const struct eg_identity id = eg_lowering_program(l, program)->id;
    struct program_key key = { .l = l, .id = &id };
    uint32_t hash = name_hash(&id, 0);
    l->host[program].in_exec_set = true;
    if (eg_index_find(&l->set_inodes, hash, same_file, &key) != EG_NONE) return;
    eg_builder_add(&l->b, EG_SECTION_EXEC_SET, &program);
    if (!eg_index_add(&l->set_inodes, hash, program)) l->failure = -ENOMEM;
}

static void let_run(struct eg_lowering *l, uint32_t program, struct eg_span span, unsigned depth);

static uint32_t enter_need(struct eg_lowering *l, const char *path, enum eg_naming naming,
                           const char *user, struct eg_span span)
{
    int error = path[0] == '/' ? 0 : -ENOENT;
    uint32_t need = error ? EG_NONE : eg_lowering_enter(l, eg_str(path), naming, &error);
    if (need != EG_NONE) return need;
    struct eg_quoted q = eg_quote(eg_str(path));
    struct eg_quoted u = eg_quote(eg_str(user));
    if (path[0] != '/')
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, span, "write its full path after #!",
                    "the interpreter %s of %s is not a full path", q.s, u.s);
    else if (error == -ENOENT)
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, span, NULL,
                    "the interpreter %s of %s does not exist", q.s, u.s);
    else
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, span, NULL,
                    "the interpreter %s of %s cannot be used: %s", q.s, u.s, strerror(-error));
    return EG_NONE;
}

static void add_env_need(struct eg_lowering *l, uint32_t program, struct eg_span span,
                         unsigned depth)
{
    struct eg_env_line line;
    int r = eg_program_env_line(&l->host[program].file, &line);
    struct eg_quoted user = eg_quote(eg_str(l->host[program].file.path));
    if (r == -ENOMEM) l->failure = r;
    if (r == -EINVAL)
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, span,
                    "name the interpreter's full path after #!",
                    "the first line of %s gives env options that cannot be followed", user.s);
    if (r != 1) return;
    if (!line.path) {
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, span, NULL,
                    "the interpreter %s of %s is not in PATH", eg_quote(line.words[0]).s, user.s);
        return;
    }
    uint32_t need =
        enter_need(l, line.path, EG_NAMED_AS_INTERPRETER, l->host[program].file.path, span);
    free(line.path);
    if (need != EG_NONE) let_run(l, need, span, depth);
}

static void add_needs(struct eg_lowering *l, uint32_t program, struct eg_span span, unsigned depth)
{
    bool script = l->host[program].file.kind == EG_KIND_SCRIPT;
    const char *path = l->host[program].file.path;
    if (l->host[program].needs_started || (script && ++depth > EG_SCRIPT_DEPTH)) {
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, span, NULL,
                    "the interpreters of %s are scripts, more of them than the kernel follows",
                    eg_quote(eg_str(path)).s);
        return;
    }
    l->host[program].needs_started = true;
    if (l->host[program].file.interpreter) {
        uint32_t need =
            enter_need(l, l->host[program].file.interpreter,
                       script ? EG_NAMED_AS_INTERPRETER : EG_NAMED_AS_LOADER, path, span);
        if (need != EG_NONE) {
            let_run(l, need, span, depth);
            /* a chain that goes round was reported and must not reach the blob */
            if (l->host[need].needs_done) eg_lowering_program(l, program)->interpreter = need;
        }
        add_env_need(l, program, span, depth);
    }
    l->host[program].needs_done = true;
}

static void let_run(struct eg_lowering *l, uint32_t program, struct eg_span span, unsigned depth)
{
    if (l->host[program].in_exec_set && l->host[program].needs_done) return;
    if (!l->host[program].in_exec_set) {
        join_set(l, program);
        report_writable(l, span, &l->host[program].file);
    }
    add_needs(l, program, span, depth);
}

void eg_lowering_let_run(struct eg_lowering *l, uint32_t program, struct eg_span span)
{
    let_run(l, program, span, 0);
}

void eg_lowering_let_runner_run(struct eg_lowering *l, const char *path)
{
    static const struct eg_span nowhere = { .source = EG_NONE };
    int error = 0;
    char *writable = NULL;
    uid_t owner = 0;
    eg_lowering_depend_now(l, path);
    uint32_t program = eg_lowering_enter(l, eg_str(path), EG_NAMED_AS_INTERPRETER, &error);
    if (program == EG_NONE) return;
    enum eg_writable who =
        eg_program_writable(&l->host[program].file, l->guard_uid, &writable, &owner);
    free(writable);
    if (who == EG_WRITABLE_OTHERS || who == EG_WRITABLE_GROUP) return;
    join_set(l, program);
    add_needs(l, program, nowhere, 0);
    eg_lowering_program(l, program)->flags |= EG_PROGRAM_RUNNER;
}
