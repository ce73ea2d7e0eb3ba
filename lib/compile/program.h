// SPDX-License-Identifier: MIT
/* What a program file is and which other files it needs to run.  Reads files,
 * runs nothing. */
#ifndef EG_COMPILE_PROGRAM_H
#define EG_COMPILE_PROGRAM_H

#include <sys/types.h>

#include "decide/request.h"

/* execve(2) follows scripts to this depth. */
#define EG_SCRIPT_DEPTH 5u

enum eg_program_kind {
    EG_KIND_DYNAMIC, /* ELF with PT_INTERP */
    EG_KIND_STATIC,  /* ELF without */
    EG_KIND_SCRIPT,  /* #! */
    EG_KIND_OTHER,   /* the kernel would need binfmt_misc for it */
};

struct eg_program_file {
    char *path; /* canonical, as realpath(3) has it */
    struct eg_identity id;
    uid_t uid;
    gid_t gid;
    enum eg_program_kind kind;
    bool foreign;      /* ELF of another machine */
    char *interpreter; /* PT_INTERP or what follows #!; NULL: none */
    char *argument;    /* the rest of the #! line; NULL: none */
};

/* Look at the program at `path` (absolute).  0; -EISDIR, -EINVAL (another thing
 * that is not a regular file), -EPERM (nobody may execute it), -ENOEXEC (a
 * malformed ELF or #! line), or what opening and reading failed with (-ENOENT,
 * -EACCES, ...).  On success free it with eg_program_file_done. */
int eg_program_inspect(const char *path, struct eg_program_file *ret);
void eg_program_file_done(struct eg_program_file *file);

/* The command line that `#!/usr/bin/env ARGUMENT` stands for: NAME, or with -S
 * the words behind it (quoting and variables are refused). */
#define EG_ENV_WORDS_MAX 16u
struct eg_env_line {
    char *path; /* as env finds words[0] in PATH; NULL when it does not */
    struct eg_str words[EG_ENV_WORDS_MAX]; /* point into the argument */
    size_t count;
};
/* 1 when the file is a script that env starts and ret is filled (free ret->path),
 * 0 when it is not, -EINVAL when the line cannot be followed, -ENOMEM. */
int eg_program_env_line(const struct eg_program_file *file, struct eg_env_line *ret);

/* What an inspected program needs beside itself to be executed, as
 * eg_compile_requirements lists it.  targets and cap are the caller's; the rest is
 * filled in. */
struct eg_program_needs {
    struct eg_target *targets; /* paths malloc'ed */
    size_t cap, count;
    char *concerned;        /* on failure: the file at fault, malloc'ed */
    bool dynamic;           /* the program, or one in the list, has a dynamic loader */
    struct eg_identity exe; /* what /proc/PID/exe will show: the program, or the interpreter
                               at the end of its #! lines */
};
/* 0 or -errno. */
int eg_program_find_needs(const struct eg_program_file *file, struct eg_program_needs *needs);

/* Who besides root could change the file by writing it or replacing it in one
 * of its folders. */
enum eg_writable {
    EG_WRITABLE_NO = 0,
    EG_WRITABLE_OWNER,     /* a user who is neither root nor the guard */
    EG_WRITABLE_OURSELVES, /* the guard's own, unprivileged user */
    EG_WRITABLE_GROUP,
    EG_WRITABLE_OTHERS,
};
/* *ret_path (malloc'ed) names the file or folder at fault. */
enum eg_writable eg_program_writable(const struct eg_program_file *file, uid_t guard_uid,
                                     char **ret_path, uid_t *ret_owner);

#endif
