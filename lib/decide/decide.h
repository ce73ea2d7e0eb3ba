// SPDX-License-Identifier: MIT
/* The one maker of verdicts: pure, reentrant, no allocation, linear time. */
#ifndef EG_DECIDE_DECIDE_H
#define EG_DECIDE_DECIDE_H

#include "decide/request.h"
#include "decide/verdict.h"

struct eg_decision {
    enum eg_verdict verdict;
    enum eg_reason reason;
    uint32_t
        rule; /* index of the rule that decided, or the nearest one that did not match; EG_NONE */
    uint32_t program;        /* blob program of the target, or EG_NONE */
    uint32_t depth;          /* 0: the command itself; n: the n-th wrapped command decided */
    struct eg_str inner;     /* depth > 0: what the wrapped command was called; points into argv */
    struct eg_str construct; /* SHELL_CONSTRUCT: its name (static) */
    size_t offset;           /* SHELL_CONSTRUCT: byte offset in the line */
    struct eg_str hint;      /* what to write if it is legitimate (static), or empty */
    bool built;              /* allowed by no rule, but as a file of a `build' tree */
};

/* Judge one exec.  Never fails: what cannot be judged is denied. */
void eg_decide_exec(const struct eg_blob *blob, const struct eg_exec_request *request,
                    struct eg_decision *ret);

/* Glob of the policy language against a path: `*` and `?` do not match '/',
 * `**` does (and as a whole component may be absent: a slash, two stars, a slash
 * match one slash), `[...]` is a set that never holds '/', backslash quotes.
 * Bytes, not characters.  O(pattern * text), no recursion; patterns over
 * EG_GLOB_MAX bytes never match (compile refuses them). */
#define EG_GLOB_MAX 1024u
bool eg_glob_match(struct eg_str pattern, struct eg_str text);

/* One argument against one word pattern; cwd as in struct eg_exec_request. */
bool eg_match_word(const struct eg_blob *blob, uint32_t word, struct eg_str argument,
                   struct eg_str cwd);

/* argv[1..] against a rule's automaton. */
bool eg_match_arguments(const struct eg_blob *blob, const struct eg_blob_rule *rule,
                        const struct eg_exec_request *request);

/* Is `name` (a base name; one leading dash of a login shell is skipped) that of
 * a known shell / wrapper?  From table/shells.def and table/wrappers.def. */
bool eg_name_is_shell(struct eg_str name);
bool eg_name_is_wrapper(struct eg_str name);

/* Must this variable of a child's environment be dropped?  `entry` is
 * "NAME=value".  The policy's own drop and keep win over the built-in table
 * (table/env.def), first match first.  The caller compares with what the
 * worker was started with. */
enum eg_env_action { EG_ENV_PASS = 0, EG_ENV_DROP, EG_ENV_DROP_ALWAYS };
enum eg_env_action eg_decide_env(const struct eg_blob *blob, struct eg_str entry);

/* A cheap look at the beginning of "NAME=value": false, and it is passed. */
bool eg_env_may_matter(const struct eg_blob *blob, const char *entry);

/* Would this variable make the calling process itself load code (GCONV_PATH,
 * LD_*)?  For setenv and putenv. */
bool eg_env_is_loader(struct eg_str name);

#endif
