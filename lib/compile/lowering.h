// SPDX-License-Identifier: MIT
/* What the steps of one compilation share: the builder, and what is known of
 * each program beyond what the blob holds. */
#ifndef EG_COMPILE_LOWERING_H
#define EG_COMPILE_LOWERING_H

#include "compile/builder.h"
#include "compile/compile.h"
#include "compile/program.h"

/* One for each element of EG_SECTION_PROGRAMS. */
struct eg_host_program {
    struct eg_program_file file; /* path NULL: missing */
    bool in_exec_set;
    bool needs_done;     /* its interpreters are there */
    bool needs_started;  /* to find loops */
    bool warned;         /* about the file itself */
    uint32_t cover;      /* rule that takes every call of it from everywhere, or EG_NONE */
    uint32_t cover_from; /* the latest that takes every call from some callers, or EG_NONE */
};

struct eg_lowering {
    const struct eg_policy *policy;
    const struct eg_compile_options *options;
    struct eg_diagnostics *diagnostics;
    struct eg_builder b;
    struct eg_host_program *host;
    size_t host_count;
    size_t host_cap;
    struct eg_index by_spelling; /* host programs by what the policy wrote */
    struct eg_index by_inode;    /* host programs by inode and name */
    struct eg_index set_inodes;  /* members of the exec set by inode */
    struct eg_index dependencies;
    uid_t guard_uid;
    int failure; /* -ENOMEM and the like */
};

struct eg_blob_program *eg_lowering_program(struct eg_lowering *l, uint32_t index);

/* How a program comes to be named. */
enum eg_naming {
    EG_NAMED_BY_RULE,
    EG_NAMED_AS_CALLER,
    EG_NAMED_AS_INTERPRETER, /* by #!, env or a shell statement */
    EG_NAMED_AS_LOADER,      /* by PT_INTERP */
};

/* The program at a path, entered into the table when it is new.  Its index, or
 * EG_NONE with *ret_error from eg_program_inspect and nothing reported. */
uint32_t eg_lowering_enter(struct eg_lowering *l, struct eg_str spelled, enum eg_naming naming,
                           int *ret_error);

/* The same for a program that an `optional` rule names and that is not there. */
uint32_t eg_lowering_enter_missing(struct eg_lowering *l, struct eg_str spelled);

/* Let a program run: into the exec set with all that it needs.  Problems are
 * reported at `span`. */
void eg_lowering_let_run(struct eg_lowering *l, uint32_t program, struct eg_span span);

/* Let the line runner at `path` run, where it is there and nobody else could
 * have written it; without it, lines that need it are refused. */
void eg_lowering_let_runner_run(struct eg_lowering *l, const char *path);

/* Report why a program cannot be named, at `span`. */
void eg_lowering_report_program(struct eg_lowering *l, struct eg_span span, struct eg_str path,
                                int error);

/* A file whose change makes the blob stale.  id NULL: it must stay missing. */
void eg_lowering_depend(struct eg_lowering *l, struct eg_str path, const struct eg_identity *id,
                        uid_t uid, gid_t gid, enum eg_dependency_kind kind);
/* The same, looked up now. */
void eg_lowering_depend_now(struct eg_lowering *l, const char *path);

/* Lower all statements of the exec block. */
void eg_lower_rules(struct eg_lowering *l);

/* Lower the write and uploads blocks; after eg_lower_rules, whose programs they
 * must not hold. */
void eg_lower_writes(struct eg_lowering *l);

/* Are there trees whose changes a supervisor judges or reports? */
bool eg_lowering_watches_writes(struct eg_lowering *l);

/* Warn about what a rule allows; `program` is one that it names, and was found. */
void eg_warn_rule(struct eg_lowering *l, const struct eg_ast_rule *rule, uint32_t program);

#endif
