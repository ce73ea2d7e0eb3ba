// SPDX-License-Identifier: MIT
/* Checked policy to blob.  Hosted; reads programs, never runs them. */
#ifndef EG_COMPILE_COMPILE_H
#define EG_COMPILE_COMPILE_H

#include "guard/guard.h"
#include "policy/policy.h"

struct eg_compile_options {
    const char *events;             /* --events FILE: replaces the policy's sinks; NULL: none */
    const char *const *guard_files; /* further paths no worker may write; NULL-terminated or NULL */
    const char *line_runner;        /* path of execguard-line, used when it is there; NULL: none */
    const char *compiler; /* the program that compiles, for the cache; NULL: this process's */
    bool fileless; /* a supervisor will hand the policy over (guard/call.h): where no folder can
                      keep it, as in a read-only container, go on without a file */
};

/* Lower a policy.  Program problems (missing, a directory, not executable, an
 * interpreter that is missing, a program the worker could write) become
 * diagnostics at the rule; warnings too (can start a shell, script needs one,
 * static program, multi-call binary, rule that can never match).
 * 0 and *ret_blob (eg_blob_free); -EINVAL with errors; -ENOMEM. */
int eg_compile(const struct eg_policy *policy, const struct eg_compile_options *options,
               struct eg_diagnostics *diagnostics, struct eg_blob **ret_blob);
void eg_blob_free(struct eg_blob *blob);

/* What a program of this base name does besides its work when its arguments ask for it
 * (table/spawners.def), with the options that do, which may be empty; NULL: nothing known.
 * Static text. */
const char *eg_compile_spawner(struct eg_str name, const char **ret_options);

/* Everything a program needs beside itself to be executed: #! interpreters (up
 * to the kernel's depth of 5, with `env NAME` followed when NAME is in PATH) and
 * ELF interpreters.  ret holds up to `cap` targets, paths malloc'ed.  Returns
 * their number or -errno with *ret_path naming the file concerned. */
int eg_compile_requirements(const char *path, struct eg_target *ret, size_t cap, char **ret_path);

/* Write a blob to a file (created 0644 beside it, renamed over).  0 or -errno. */
int eg_blob_write(const struct eg_blob *blob, const char *path);

/* Map a blob from a file: size limit, verify.  0 or -errno with *ret_why. */
int eg_blob_read(const char *path, struct eg_blob **ret_blob, const char **ret_why);

/* Is a dependency of the blob changed?  NULL: fresh; otherwise the path. */
const char *eg_blob_stale(const struct eg_blob *blob);

/* Load a policy by name through the cache: a fresh cached blob is used without
 * parsing; otherwise load, compile and cache.  ret->path (malloc'ed) is the
 * cached file, which the worker's shim will open; one that cannot exist where
 * options->fileless had to be used, which no policy with an optional supervisor
 * allows.  0; -EINVAL with diagnostics (and ret->policy for rendering); -errno. */
struct eg_cached {
    struct eg_blob *blob;
    char *path;
    struct eg_policy *policy; /* only when it had to be parsed */
    const char *what;         /* on -errno other than -EINVAL: the step that failed */
};
int eg_cache_load(const char *name, const struct eg_policy_options *policy_options,
                  const struct eg_compile_options *options, struct eg_diagnostics *diagnostics,
                  struct eg_cached *ret);
void eg_cached_free(struct eg_cached *cached);

#endif
