// SPDX-License-Identifier: MIT
/* Policy text to checked tree.  Hosted; prints nothing, exits never. */
#ifndef EG_POLICY_POLICY_H
#define EG_POLICY_POLICY_H

#include <stdio.h>
#include <sys/types.h>

#include "policy/ast.h"

enum eg_severity { EG_SEVERITY_ERROR, EG_SEVERITY_WARNING };

/* One message about a place in a policy.  Texts live in the collector. */
struct eg_diagnostic {
    enum eg_severity severity;
    struct eg_span span; /* line 0: about the file as a whole */
    char *message;       /* lower case, no full stop, offending text quoted */
    char *hint;          /* what to write instead; NULL: none */
};

/* Collects diagnostics; at most EG_DIAGNOSTICS_MAX are kept, the rest counted. */
#define EG_DIAGNOSTICS_MAX 20u
struct eg_diagnostics {
    struct eg_diagnostic items[EG_DIAGNOSTICS_MAX];
    size_t count;
    size_t suppressed;
    size_t errors;
};

/* Append a message (printf format).  Allocation failure still counts the error. */
void eg_diagnose(struct eg_diagnostics *d, enum eg_severity severity, struct eg_span span,
                 const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));
void eg_diagnostics_free(struct eg_diagnostics *d);

struct eg_policy_options {
    const char *search[4]; /* folders for -p NAME and include "NAME"; NULL ends */
    bool check_owner;      /* refuse policies that others can write (section 4) */
    uid_t guard_uid;       /* who the guard runs as */
};

/* Read, parse and check a policy.  `name` is what -p took: a word without a
 * slash is looked up as NAME.policy in `search`, anything else is a path.
 * 0 and *ret_policy (free it); or -EINVAL when diagnostics hold errors (the
 * policy is still returned for its sources, so that they can be rendered);
 * -ENOMEM.  Pure but for reading the files. */
int eg_policy_load(const char *name, const struct eg_policy_options *options,
                   struct eg_diagnostics *diagnostics, struct eg_policy **ret_policy);

/* The same over text in memory (tests, fuzzers); includes are refused unless
 * options->search names folders. */
int eg_policy_parse(const char *name, struct eg_str text, const struct eg_policy_options *options,
                    struct eg_diagnostics *diagnostics, struct eg_policy **ret_policy);
void eg_policy_free(struct eg_policy *policy);

/* Print the policy in canonical form (includes expanded): print, parse, print
 * is the identity.  Caller frees.  NULL: out of memory. */
char *eg_policy_print(const struct eg_policy *policy);

/* Print one rule's statement in canonical form (for tables and events). */
char *eg_policy_print_rule(const struct eg_ast_rule *rule);

/* Render all diagnostics to `out` as
 *   FILE:LINE:COLUMN: error: MESSAGE
 *       SOURCE LINE (tabs as one space, control and non-UTF-8 bytes as '?')
 *       ^~~~
 *   hint: HINT
 * followed, for an included file, by "included from FILE:LINE". */
void eg_diagnostics_render(const struct eg_diagnostics *d, const struct eg_policy *policy,
                           FILE *out);

/* The nearest of `count` words by edit distance, or NULL when none is near. */
const char *eg_suggest(struct eg_str wrong, const char *const *words, size_t count);

#endif
