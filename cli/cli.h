// SPDX-License-Identifier: MIT
/* What the verbs share.  The command is hosted code; only here are messages
 * printed and exit statuses chosen. */
#ifndef EG_CLI_CLI_H
#define EG_CLI_CLI_H

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "compile/compile.h"
#include "decide/decide.h"
#include "resolve/resolve.h"

/* Exit statuses of the command itself (the worker's own pass through). */
enum eg_cli_status {
    EG_EXIT_OK = 0,
    EG_EXIT_FAILED = 125,    /* execguard failed: usage, policy, a layer */
    EG_EXIT_REFUSED = 126,   /* refused, or not executable */
    EG_EXIT_NOT_FOUND = 127, /* no such program */
};

/* A verb: one row of verbs.def and one file verb_NAME.c. */
struct eg_cli_verb {
    const char *name;
    /* argv[0] is the verb's name.  Returns the exit status. */
    int (*run)(const struct eg_cli_verb *verb, int argc, char **argv);
    const char *summary; /* one line */
    const char *help;    /* usage line, then what it does; ends in a newline */
};

#define V(name, summary)                                                                           \
    int eg_verb_##name(const struct eg_cli_verb *verb, int argc, char **argv);                     \
    extern const char eg_verb_##name##_help[];
#define LATER(name)
#include "verbs.def"
#undef V
#undef LATER

/* The verb called `name`, or NULL when this release has none. */
const struct eg_cli_verb *eg_cli_find_verb(const char *name);

/* Print "execguard: MESSAGE" on stderr with one write; returns EG_EXIT_FAILED.
 * Bytes of foreign texts that are not printable are shown as '?'. */
int eg_cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with "warning: " before the message; returns nothing. */
void eg_cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- whole.c, or front/main.c in the front --- */

/* The front is a second, small program for what happens once a request: `exec'
 * and `run' of a policy that is compiled already.  Everything else, messages
 * included, is the whole command's. */
extern const bool eg_cli_is_front;

/* In the front: replace this process by the whole command, which does it all
 * again from the start.  Returns in the whole command; after eg_cli_commit; and,
 * with the message printed, where the whole command cannot be started. */
void eg_cli_hand_over(void);

/* From here on this process is changed: it has to go on by itself. */
void eg_cli_commit(void);

/* --- options.c --- */

struct eg_cli_option {
    const char *name; /* "policy": --policy X, --policy=X */
    char letter;      /* 'p': -p X, -pX; 0: none */
    bool *flag;       /* set when the option is given; NULL when it takes a value */
    const char **value;
};

enum eg_cli_words {
    EG_WORDS_COMMAND, /* the first word that is no option begins a command */
    EG_WORDS_MIXED,   /* words may stand between options */
};

/* Read options of a verb; --help is understood for each.  A row without a name
 * ends `options`.  `--` ends the options.  Returns -1 with argv's remaining words in
 * (*ret_argv, *ret_argc), NULL-terminated; or an exit status to return at once
 * (help printed, or a mistake reported). */
int eg_cli_parse(const struct eg_cli_verb *verb, const struct eg_cli_option *options,
                 enum eg_cli_words words, int argc, char **argv, int *ret_argc, char ***ret_argv);

/* A usage mistake: message, and where to find help.  Returns EG_EXIT_FAILED. */
int eg_cli_usage(const struct eg_cli_verb *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- load.c --- */

/* Where -p NAME looks and who must own what it finds. */
void eg_cli_policy_options(struct eg_policy_options *ret);

/* How policies are compiled without --events: the agent must do as `exec' does,
 * or their compiled forms differ.  Static memory. */
const struct eg_compile_options *eg_cli_compile_options(void);

/* A policy read and compiled in memory.  Diagnostics are kept for the caller. */
struct eg_cli_loaded {
    struct eg_policy *policy;
    struct eg_blob *blob; /* NULL when there were errors */
    struct eg_diagnostics diagnostics;
};

/* Load and compile `name`, print what there is to say on stderr.  `events` is
 * --events, made absolute, or NULL.  0, or EG_EXIT_FAILED.  Always end with
 * eg_cli_unload. */
int eg_cli_load(const char *name, const char *events, struct eg_cli_loaded *ret);
/* The same, without the warnings of a policy that has no errors. */
int eg_cli_load_quietly(const char *name, struct eg_cli_loaded *ret);
void eg_cli_unload(struct eg_cli_loaded *loaded);

/* Load through the cache of compiled policies; messages on stderr.  0, or
 * EG_EXIT_FAILED.  End with eg_cached_free. */
int eg_cli_load_cached(const char *name, const char *events, struct eg_cached *ret);

/* `path` made absolute against the working directory into buf; NULL when it is
 * too long.  An absolute path is returned as it is. */
const char *eg_cli_absolute(const char *path, char buf[PATH_MAX]);

/* --- worker.c --- */

#define EG_WORKER_TARGETS_MAX 32u

/* The command that exec and run start, and what its start needs. */
struct eg_cli_worker {
    char spelled[PATH_MAX];                          /* what is given to execve(2) */
    char path[PATH_MAX];                             /* canonical */
    struct eg_target targets[EG_WORKER_TARGETS_MAX]; /* [0]: the program */
    size_t count;
    bool loads_shim; /* its image has a dynamic loader */
    char **argv;     /* what to start it with; lives until the exec */
};

/* Find argv[0] by PATH and what it needs to start; for a script of `env NAME` it
 * is NAME that is started, with the words of that line.  0, or an exit status after
 * the message was printed: 127 not found, 126 not executable, 125 otherwise. */
int eg_cli_find_worker(char **argv, struct eg_cli_worker *ret);

/* Warn on stderr where the shim cannot enter this worker. */
void eg_cli_warn_worker(const struct eg_blob *blob, const struct eg_cli_worker *worker);

/* May the blob's capabilities, no_new_privs and two-step narrowing be had
 * together here?  0, or EG_EXIT_FAILED after the message. */
int eg_cli_check_privileges(const struct eg_blob *blob);

/* Say which layer could not be installed.  Returns EG_EXIT_FAILED. */
int eg_cli_guard_failed(const struct eg_guard_error *error);

/* Replace this process by the worker.  Returns only on failure: an exit status,
 * message printed. */
int eg_cli_become(const struct eg_cli_worker *worker, char **envp);

/* --- preload.c --- */

/* The command's files: beside it (a build folder), in lib/execguard of the same
 * prefix, else where they were to be installed.  Front and whole command name
 * the same files, or policies that one compiled would be stale for the other. */
struct eg_cli_files {
    char command[PATH_MAX]; /* what users start; empty without /proc */
    char whole[PATH_MAX];   /* the whole command; the same where there is no front */
    char object[PATH_MAX];  /* the preload object */
    char runner[PATH_MAX];  /* execguard-line beside it */
    struct stat object_stat;
};
/* False, with errno, when the object is not there; the paths are set anyway,
 * empty where they do not fit. */
bool eg_cli_own_files(struct eg_cli_files *ret);

/* A file of the guard's own, named `what` in messages: nobody else may write it,
 * and when root runs the guard, it must be root's.  0, or EG_EXIT_FAILED after
 * the message. */
int eg_cli_check_own(const char *what, const char *path);

/* The preload object's path, checked as eg_cli_check_own does.  0, or
 * EG_EXIT_FAILED after the message. */
int eg_cli_find_preload(char ret[PATH_MAX]);

/* A copy of envp with LD_PRELOAD beginning with `object` (what else was in it
 * follows) and EXECGUARD_POLICY naming `policy`.  One allocation, the caller
 * frees.  NULL: out of memory. */
char **eg_cli_worker_environment(char *const *envp, const char *object, const char *policy);

/* --- explain_line.c --- */

/* A decision about a shell becomes one about its command line, where the policy
 * has lines run without their shell; *ret_line is then the line.  decision->inner
 * stays allocated. */
void eg_cli_explain_line(const struct eg_blob *blob, const struct eg_exec_request *request,
                         struct eg_str *ret_line, struct eg_decision *decision);

/* --- json.c --- */

/* Print s as a JSON string; bytes that are not ASCII text become escapes. */
void eg_cli_json_string(FILE *out, struct eg_str s);

#endif
