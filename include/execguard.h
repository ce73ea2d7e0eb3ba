/* SPDX-License-Identifier: MIT */
/* execguard: a program that guards itself.
 *
 *     struct execguard *guard;
 *     char *messages;
 *     if (execguard_load("cgi", NULL, &guard, &messages) < 0 ||
 *         execguard_restart(guard, argv, &messages) < 0) {
 *         fprintf(stderr, "%s", messages);
 *         return 125;
 *     }
 *
 * Link with -lexecguard (pkg-config execguard).  The library never prints, never
 * exits and changes nothing in the process but what execguard_apply says.
 *
 * Functions return 0 or more on success and a negative errno(3) value on failure;
 * what they return through ret_ arguments is untouched on failure, but for
 * messages.  A `ret_messages' argument may be NULL; otherwise *ret_messages is
 * set to a malloc(3)ed text of whole lines for people, or to NULL when there is
 * nothing to say; the caller frees it.  Different handles may be used by different
 * threads at once, one handle by one thread at a time.
 *
 * Symbols are versioned (EXECGUARD_0).  Structures that the caller makes begin
 * with their size, so that later releases can add fields. */
#ifndef EXECGUARD_H
#define EXECGUARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EXECGUARD_API_VERSION 0

/* The release of the library in use, "0.1.0".  Static. */
const char *execguard_version(void);

/* --- A policy --- */

struct execguard;

struct execguard_options {
    size_t size; /* sizeof(struct execguard_options) */
    /* Append events to this file as JSON lines, instead of where the policy's log
     * block says.  NULL: as the policy says. */
    const char *events;
};

/* Read, check and compile a policy; a compiled form that is still fresh comes from
 * the cache (execguard(1)).  `policy' is what `execguard exec -p' takes: NAME for
 * NAME.policy among the installed ones, or a path with a slash.  The rules on who
 * may own and write a policy are those of the command.  options may be NULL.
 *
 * -EINVAL: the policy is wrong or cannot be read; *ret_messages says where and why,
 * with the source line and a caret.  Other errors: the cache of compiled policies
 * cannot be used.  End with execguard_free. */
int execguard_load(const char *policy, const struct execguard_options *options,
                   struct execguard **ret, char **ret_messages);

/* The policy's name, for messages.  Lives as long as the handle. */
const char *execguard_name(const struct execguard *guard);

/* Free the handle.  What was applied stays applied.  NULL is allowed. */
void execguard_free(struct execguard *guard);

/* --- Guarding this process --- */

enum execguard_apply_flag {
    /* Leave environ alone: children are then guarded by the kernel's layers, but
     * nobody rewrites their command lines or says why a program was refused. */
    EXECGUARD_KEEP_ENVIRONMENT = 1,
};

/* Install every layer of the policy in this process: no_new_privs, capabilities,
 * Landlock domain, filter (`execguard check' prints who is stopped by which), and,
 * unless told otherwise, set LD_PRELOAD and EXECGUARD_POLICY in environ, so that
 * children load the shim.  It cannot be undone, and children inherit it.  There is
 * no supervisor: a policy that names an agent is refused with -ENOTSUP, unless it
 * says `optional supervisor'; such programs are started by `execguard exec'.
 *
 * Only the calling thread is restricted by the kernel, so a process with more than
 * one is refused with -EBUSY: apply before threads are started.  In log mode
 * nothing is installed; environ is set.  Returns 1 when this very policy guarded
 * the process already (nothing is done then), 0 when it does now.
 *
 * On failure a part of the layers may be in force: end the process. */
int execguard_apply(struct execguard *guard, unsigned flags, char **ret_messages);

/* The same, and all of the shim's work in this very program too (its own system(3)
 * lines run without a shell, its own refusals are explained): start the program once
 * more under the guard, with these arguments and environ.  Call it first in main:
 *
 *     if (execguard_restart(guard, argv, &messages) < 0) ...
 *
 * Returns only 1, when this very policy guards the process already (the second
 * time), or on failure.  A static program is not entered by the shim, which would start
 * it for ever: it is refused with -ENOEXEC; use execguard_apply. */
int execguard_restart(struct execguard *guard, char *const argv[], char **ret_messages);

/* Does this policy guard the process?  Asked of the kernel, not of a variable.
 * 0: no, 1: yes, 2: yes, and a supervisor is listening. */
int execguard_is_applied(const struct execguard *guard);

/* --- Asking for a verdict --- */

enum execguard_answer {
    EXECGUARD_DENY = 0,
    EXECGUARD_ALLOW = 1,
    EXECGUARD_LOG = 2,     /* allowed, and each use is an event */
    EXECGUARD_REWRITE = 3, /* a command line: its commands run, its shell does not */
};

/* What the policy answers.  Strings live until execguard_verdict_free. */
struct execguard_verdict {
    enum execguard_answer answer;
    const char *reason;    /* stable word, as in events: "no-rule" */
    const char *sentence;  /* the same for people */
    const char *rule_file; /* the rule that decided; "": none did */
    unsigned rule_line;
    const char *program;   /* the file that would run, as the kernel names it; may be "" */
    const char *construct; /* command lines: what the shell would have been needed for; or "" */
    size_t offset;         /* of the construct, in bytes of the line */
    const char *hint;      /* what to write into the policy if this is legitimate; or "" */
};
void execguard_verdict_free(struct execguard_verdict *verdict);

/* May argv[0], found by PATH, run with these arguments?  argv ends with NULL.
 * Nothing is run, nothing installed, no event written.  -ENOENT: there is no such
 * program; -EACCES: it is not executable. */
int execguard_ask_exec(const struct execguard *guard, const char *const argv[],
                       struct execguard_verdict **ret);

/* May system(3) be given this line? */
int execguard_ask_line(const struct execguard *guard, const char *line,
                       struct execguard_verdict **ret);

enum execguard_change {
    EXECGUARD_OPEN_FOR_WRITING = 0, /* an existing file */
    EXECGUARD_CREATE = 1,           /* a regular file of this name */
    EXECGUARD_MAKE_FOLDER = 2,
    EXECGUARD_REMOVE = 3,
    EXECGUARD_READ = 4, /* `deny read' of an upload tree */
};

/* May this name be made, opened or removed?  A relative path starts at the working
 * directory; symbolic links in the folders above it are followed. */
int execguard_ask_change(const struct execguard *guard, enum execguard_change change,
                         const char *path, struct execguard_verdict **ret);

/* --- Reading events --- */

struct execguard_events;
struct execguard_event;

/* Read events from an open descriptor (a file, a pipe, a socket), which stays the
 * caller's and is only read. */
int execguard_events_new(int fd, struct execguard_events **ret);
void execguard_events_free(struct execguard_events *events);

/* The next whole line.  1 and *ret_event (execguard_event_free); 0 when there is no
 * whole line yet: at the end of a file that may still grow, or -EAGAIN of a
 * non-blocking descriptor; -EBADMSG for a line that is no event (it is passed over:
 * call again); another -errno from read(2). */
int execguard_events_next(struct execguard_events *events, struct execguard_event **ret_event);
void execguard_event_free(struct execguard_event *event);

/* A field by its name in docs/events.md; "request.remote" for one inside another.
 * Text of a string field, or NULL when it has none; lives as long as the event. */
const char *execguard_event_text(const struct execguard_event *event, const char *field);

/* A number field.  0, or -ENOENT. */
int execguard_event_number(const struct execguard_event *event, const char *field, int64_t *ret);

/* The n-th element of an array of strings ("argv"), or NULL past its end. */
const char *execguard_event_element(const struct execguard_event *event, const char *field,
                                    size_t n);

#ifdef __cplusplus
}
#endif

#endif
