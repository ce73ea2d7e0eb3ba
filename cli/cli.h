// SPDX-License-Identifier: MIT
/* What the verbs share.  The command is hosted code; only here are messages
 * printed and exit statuses chosen. */
#ifndef EG_CLI_CLI_H
#define EG_CLI_CLI_H

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "compile/files.h"
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

/* What is on its way to stdout is out: `status', or EG_EXIT_FAILED where it cannot be
 * written. */
int eg_cli_printed(int status);

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

/* The same for a verb that takes no other word. */
int eg_cli_parse_options(const struct eg_cli_verb *verb, const struct eg_cli_option *options,
                         int argc, char **argv);

/* The same for a verb that needs a policy and takes no other word: *policy is what the
 * option set, or the word. */
int eg_cli_parse_policy(const struct eg_cli_verb *verb, const struct eg_cli_option *options,
                        const char **policy, int argc, char **argv);

/* The same for a verb whose first other word begins a command, and which needs one
 * and a policy: *policy is what the option set. */
int eg_cli_parse_command(const struct eg_cli_verb *verb, const struct eg_cli_option *options,
                         const char *const *policy, int argc, char ***argv);

/* The command line of a file whose first line is `#!PATH/execguard exec OPTIONS -- PROGRAM'
 * as if it had been typed: PROGRAM gets the file and its arguments, with --wrapper
 * among the options its arguments alone.  Any other command line as it is. */
char **eg_cli_read_first_line(int *argc, char **argv);

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

/* The same for a worker whose supervisor can hand the policy over: no folder to
 * keep it in is needed. */
int eg_cli_load_supervised(const char *name, const char *events, struct eg_cached *ret);

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
    bool loads_shim;        /* its image has a dynamic loader */
    struct eg_identity exe; /* what /proc/PID/exe will show: it, or a script's interpreter */
    char **argv;            /* what to start it with; lives until the exec */
    char **envp;            /* its environment, with the shim in it; one allocation */
};

/* All that can be refused before a layer is installed: whether the policy can be
 * had by this user, the preload object, and the program `name' (argv[0] as a rule),
 * found by PATH with what it needs to start; for a script of `env NAME` it is NAME
 * that is started, with the words of that line.  envp: its environment, without the
 * shim.  0 with *ret filled (free ret->envp), or an exit status after
 * the message was printed: 127 not found, 126 not executable, 125 otherwise. */
int eg_cli_prepare_worker(const struct eg_cached *cached, const char *name, char **argv,
                          char *const *envp, struct eg_cli_worker *ret);

/* Warn on stderr where the shim cannot enter this worker. */
void eg_cli_warn_worker(const struct eg_blob *blob, const struct eg_cli_worker *worker);

/* Warn on stderr of each set-id program of the policy's rules that no_new_privs will
 * leave without its privileges (postdrop, exim): what it is for is lost. */
void eg_cli_warn_helpers(const struct eg_blob *blob);

/* Say which layer could not be installed.  Returns EG_EXIT_FAILED. */
int eg_cli_guard_failed(const struct eg_guard_error *error);

/* Replace this process by the worker.  Returns only on failure: an exit status,
 * message printed. */
int eg_cli_become(const struct eg_cli_worker *worker);

/* --- preload.c --- */

/* The command's files, found beside it (compile/files.h).  False, with errno, when the
 * preload object is not there; the paths are set anyway. */
bool eg_cli_own_files(struct eg_files *ret);

/* A file of the guard's own, named `what` in messages: nobody else may write it,
 * and when root runs the guard, it must be root's.  0, or EG_EXIT_FAILED after
 * the message. */
int eg_cli_check_own(const char *what, const char *path);

/* The preload object's path, checked as eg_cli_check_own does.  0, or
 * EG_EXIT_FAILED after the message. */
int eg_cli_find_preload(char ret[PATH_MAX]);

/* --- renew.c --- */

struct eg_run;
struct eg_renewal;

/* How a run of this policy gets it again as it is now (supervisor/succeed.h), for a
 * process that goes on for long: `policy' and `events' as the options gave them. */
struct eg_cli_renewal {
    const char *policy, *events;
    const struct eg_run *first; /* what all runs have in common */
};
void eg_cli_renewal(struct eg_cli_renewal *context, struct eg_renewal *ret);

/* --- json.c --- */

/* Print s as a JSON string; bytes that are not ASCII text become escapes. */
void eg_cli_json_string(FILE *out, struct eg_str s);

#endif
