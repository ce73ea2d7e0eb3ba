// SPDX-License-Identifier: MIT
/* Shared by the parts of the preload object.
 *
 * Everything here runs in other people's processes: in threads with small
 * stacks, in signal handlers, in vfork children that share their parent's
 * memory.  Start-up fills `eg_shim` once; afterwards it is only read, but for
 * what is marked atomic.  Functions return -errno; the hooks alone set errno,
 * and only when they fail. */
#ifndef EG_SHIM_SHIM_H
#define EG_SHIM_SHIM_H

#include "event/source.h"
#include "line/line.h"
#include "resolve/resolve.h"

enum eg_phase {
    EG_PHASE_NEW = 0,  /* the constructor has not run */
    EG_PHASE_STARTING, /* it is running: calls of others are refused */
    EG_PHASE_READY,
    EG_PHASE_INERT, /* not attached: every hook passes on */
};

/* Memory that forked children share with their parent, but under a supervisor. */
struct eg_shared {
    struct eg_rate rate;
    uint64_t seq; /* atomic */
};

struct eg_shim {
    uint32_t phase; /* atomic; enum eg_phase */
    const struct eg_blob *blob;
    struct eg_shared *shared; /* NULL: no memory; then no rate limit */
    struct eg_target self;    /* the program of this process */
    bool supervised;          /* by the kernel's word: a supervisor listens */
    bool worker;              /* this process runs the worker's own program (`worker reexec`) */
    /* Private read-only copies, made at start: */
    const char *preload;     /* "LD_PRELOAD=" with our object first */
    const char *object;      /* our own path */
    const char *policy;      /* "EXECGUARD_POLICY=" */
    const char *const *kept; /* dangerous variables we were started with */
    size_t kept_count;
    struct eg_event_request request;
    const struct eg_request_field *fields; /* of that request, for events' `source` */
    size_t field_count;
};
extern struct eg_shim eg_shim;

/* The program's environment; NULL while libc has not set it. */
extern char **environ __attribute__((weak));
#define EG_ENVIRON (&environ ? (const char *const *)environ : NULL)

/* glibc or musl: only the former has this. */
extern const char *gnu_get_libc_version(void) __attribute__((weak));
#define EG_GLIBC (gnu_get_libc_version != NULL)

/* ---- start.c ---- */

/* The phase, after starting now if no constructor has run yet.  Never NEW. */
enum eg_phase eg_shim_enter(void);

/* ---- next.c ---- */

/* The functions that hooks pass on to: found by walking the loaded objects
 * behind ours (dl_iterate_phdr(3)), not by dlsym(3), which programs of glibc
 * before 2.34 need not have. */
enum eg_next {
#define K(function, class, parameters, why) EG_NEXT_##function,
#include "table/hooks.def"
#undef K
    /* no hooks, but used by some */
    EG_NEXT_clock_gettime,
    EG_NEXT_fdopen,
    EG_NEXT_fflush,
    EG_NEXT_fileno,
    EG_NEXT_COUNT
};
typedef void (*eg_function)(void);

/* NULL when no object behind ours has it.  Remembered after the first time; those
 * that are called from anywhere (class `file`) are all found at the start. */
eg_function eg_next_find(enum eg_next which);

/* The same, for hooks where each nanosecond counts. */
extern eg_function eg_next_found[EG_NEXT_COUNT]; /* atomic */
static inline eg_function eg_next(enum eg_next which)
{
    eg_function f = __atomic_load_n(&eg_next_found[which], __ATOMIC_RELAXED);
    return __builtin_expect(f != NULL, 1) ? f : eg_next_find(which);
}

/* What start-up learns in one walk.  own: our path as the loader knows it (may
 * be relative).  interpreter: PT_INTERP of the program, or empty. */
struct eg_objects {
    const char *own;
    const char *interpreter;
};
void eg_next_start(struct eg_objects *ret);

/* syscall(2) of libc for the trampoline, NULL before start. */
extern eg_function eg_next_syscall;

/* ---- judge.c ---- */

/* The call that is judged, for events. */
struct eg_call {
    const char *name;   /* libc's function */
    bool has_line;      /* a shell's command line is given */
    struct eg_str line; /* (kind SHELL) */
    bool quiet;         /* only asked, nothing will run: no event */
    bool spawns;        /* libc does the exec, after file actions that we cannot read */
    bool keeps_shell;   /* libc itself will start the shell: its line is not rewritten */
};

struct eg_image;

/* Judge and report.  0: run the image, which may now be another than the caller
 * asked for (rewrite.h); -EACCES.  In log mode always 0. */
int eg_shim_judge(const struct eg_call *call, struct eg_image *image, const char *const *envp);

/* Report a decision; `allowed` is the action to name when it is no refusal. */
void eg_shim_report(const struct eg_call *call, const struct eg_exec_request *request,
                    const struct eg_decision *decision, enum eg_action allowed);

/* Fill in what every event of this process says, and hand it to the supervisor or
 * write it. */
void eg_shim_emit(struct eg_event *event);

/* An eg_lookup for the inner programs of wrappers, which searches `search`. */
struct eg_child_lookup {
    struct eg_str search;
    char spelled[EG_PATH_MAX];
    char canonical[EG_PATH_MAX];
    struct eg_script_memory script;
};
int eg_shim_find_inner(void *lookup, struct eg_str name, struct eg_target *ret);
int eg_shim_find_script(void *lookup, const struct eg_target *target, struct eg_script *ret);

/* A refusal that the decision core is not asked about.  Fills in what every
 * event has and emits.  Returns 0 in log mode, otherwise -EACCES. */
int eg_shim_refuse(const struct eg_call *call, enum eg_kind kind, enum eg_reason reason,
                   struct eg_str program, struct eg_str path, struct eg_str variable);

/* ---- replaced.c ---- */

/* After the kernel answered EACCES to an exec that the rules allow: when the
 * program's interpreter was replaced since the policy was compiled, says so in an
 * event. */
void eg_shim_explain_refusal(const struct eg_call *call, const struct eg_target *target);

/* ---- tell.c ---- */

/* Hand an event to the supervisor, who fills in who, when and where.  False: there
 * is none, or it is gone; write it here. */
bool eg_shim_tell(const struct eg_event *event);

/* In log mode: the shell that this process or its next child starts would not, since
 * the rules allow its line. */
void eg_shim_tell_line(void);

/* ---- environment.c ---- */

/* Marks the worker's own program started again by itself, since it is then
 * guarded already and cannot be told from any other child.  Put into and taken
 * out of each child's environment; only `worker reexec` asks for it. */
#define EG_WORKER_ENTRY "EXECGUARD_WORKER=1"

#define EG_ENVIRONMENT_STACK 1024u
#define EG_PRELOAD_STACK     1024u

/* A child's environment: the caller's array where nothing must be changed, a
 * copy of it otherwise.  The strings are never copied. */
struct eg_environment {
    const char *const *envp;
    const char *dropped; /* first entry that was left out (log mode: would be) and that this
                            process was not started with, or NULL */
    void *map;           /* the copy, where it did not fit into `array` */
    size_t map_size;
    const char *array[EG_ENVIRONMENT_STACK];
    char preload[EG_PRELOAD_STACK];
};

/* The environment of a child that will run `target`.  0 or -ENOMEM.  *ret needs
 * eg_environment_done when the exec failed. */
int eg_environment_make(const char *const *envp, const struct eg_target *target,
                        struct eg_environment *ret);
void eg_environment_done(struct eg_environment *environment);

/* Value of a variable in an environment (may be NULL); p is NULL when unset. */
struct eg_str eg_environment_get(const char *const *envp, struct eg_str name);

/* PATH of an environment, or the default of this libc's execvp. */
struct eg_str eg_environment_path(const char *const *envp);

/* Was this process started with exactly this dangerous variable?
 * `value` is compared with the start value of `name`. */
bool eg_environment_started_with(struct eg_str name, struct eg_str value);

/* ---- image.c ---- */

#define EG_FROZEN_ARGS  64u
#define EG_FROZEN_BYTES 3072u

/* A redirection to make in the child.  kind: enum eg_redirect_kind. */
struct eg_image_redirect {
    uint8_t kind, fd, from;
    const char *path;
};

/* What execve(2) will get, frozen before it is judged: path, argv and, where
 * they are short, the argument strings.  (Longer ones stay the caller's; only
 * native code could change them between verdict and exec.) */
struct eg_image {
    const char *path; /* spelling for execve(2), relative to dirfd */
    int dirfd;
    int flags; /* of execveat(2) */
    const char *const *argv;
    struct eg_target target;
    char spelled[EG_PATH_MAX];
    char canonical[EG_PATH_MAX];
    const char *arguments[EG_FROZEN_ARGS];
    char bytes[EG_FROZEN_BYTES];
    /* Set: the program stands in a line and runs in its shell's place (rewrite.h). */
    bool line;
    bool dash;        /* the shell is dash */
    bool exec_prefix; /* the line says `exec` */
    bool waits;       /* the shell would have waited for it */
    int missing;      /* -errno: there is no such program, the shell would say so */
    uint32_t redirect_count;
    uint32_t assignment_count;
    const char *const *assignments;
    size_t bytes_used;
    struct eg_image_redirect redirects[EG_LINE_REDIRECTS];
    char zero[32]; /* the shell's $0, for messages */
};

/* Copy, freeze, resolve, decide.  flags as execveat(2).  0: may run; -errno is
 * what the kernel would have said, or -EACCES after an event. */
int eg_image_prepare(struct eg_image *image, const struct eg_call *call, int dirfd,
                     const char *path, const char *const *argv, const char *const *envp, int flags);

/* The same for a name that PATH is searched for; `search` is one or more
 * elements. */
int eg_image_search(struct eg_image *image, const struct eg_call *call, struct eg_str search,
                    const char *file, const char *const *argv, const char *const *envp);

/* A shell request (system, popen): yields what to execute in its place.  The
 * arguments live in the image. */
int eg_image_shell(struct eg_image *image, const struct eg_call *call, const char *line,
                   const char *const *envp);

/* Is the program that the image names a script?  Opens it. */
bool eg_image_is_script(const struct eg_image *image);

/* ---- execute.c ---- */

/* Put the environment right, report what was dropped, and replace this
 * process.  Returns only on failure, -errno. */
int eg_execute(const struct eg_call *call, struct eg_image *image, const char *const *envp);

/* execve(2)/execveat(2)/fexecve(3) as a hook does them: prepare and execute. */
int eg_execute_path(const struct eg_call *call, int dirfd, const char *path,
                    const char *const *argv, const char *const *envp, int flags);

/* execvp(3): the search, and /bin/sh for what the kernel cannot run (glibc). */
int eg_execute_search(const struct eg_call *call, const char *file, const char *const *argv,
                      const char *const *envp);

/* Environment for an image, with the event about what was left out. */
int eg_execute_environment(const struct eg_call *call, struct eg_image *image,
                           const char *const *envp, struct eg_environment *ret);

/* ---- child.c ---- */

/* A child that starts an image, as vfork and exec: the caller sleeps until the
 * exec is done. */
struct eg_child {
    const struct eg_call *call;
    const struct eg_image *image;
    const char *const *envp;
    uint64_t mask;      /* signal mask of the new program */
    uint64_t defaults;  /* bit (1 << (signal - 1)): ignored here, default there */
    int from, to;       /* becomes dup2(from, to); from -1: nothing */
    bool close_streams; /* close the streams of earlier popen calls */
    int error;          /* out: -errno of a failed exec */
    bool refused;       /* out: it was the kernel's EACCES, also where `error` is not told */
};

/* Process id, or -errno when there is no child.  A child whose exec failed has
 * exited with 127 and must be waited for; child->error says why. */
long eg_child_start(struct eg_child *child);

/* waitpid(pid) through interruptions.  0 or -errno. */
int eg_child_wait(long pid, int *ret_status);

/* Block all signals of this thread; *ret_old is the mask before. */
void eg_child_block_signals(uint64_t set, uint64_t *ret_old);
void eg_child_set_signals(uint64_t mask);

/* Trampoline.S: run function(argument) in a vfork-like child on its own stack. */
long eg_child_clone(void (*function)(void *), void *stack, unsigned long flags, void *argument);

/* hook_popen.c: close the parent's ends of all streams, in the child. */
void eg_popen_close_streams(void);

/* ---- errno at the edge ---- */

extern int *__errno_location(void);

/* A result of ours as libc gives it: -1 and errno, or the value. */
static inline long eg_shim_result(long r)
{
    if (r >= 0) return r;
    *__errno_location() = (int)-r;
    return -1;
}

/* Number of entries before the NULL of a vector; a NULL vector has none. */
static inline size_t eg_shim_count(const char *const *vector)
{
    size_t n = 0;
    while (vector && vector[n]) n++;
    return n;
}

#endif
