// SPDX-License-Identifier: MIT
/* A checked policy to a blob: tables first, then the id over them, then the
 * filters, which carry the id. */
#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compile/cache.h"
#include "compile/filter.h"
#include "compile/lowering.h"
#include "policy/messages.h"
#include "table/calls.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#else
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#endif

/* realpath(3), whose failure must not cost a file its protection.  Only what is
 * not there, or out of this user's reach, needs none. */
static char *find_guard_file(struct eg_lowering *l, const char *path)
{
    char *canonical = realpath(path, NULL);
    if (!canonical && errno != ENOENT && errno != ENOTDIR && errno != EACCES) l->failure = -errno;
    return canonical;
}

static void lower_sources(struct eg_lowering *l)
{
    for (size_t i = 0; i < l->policy->source_count; i++) {
        const struct eg_source *source = &l->policy->sources[i];
        if (source->id.mode == 0) continue; /* from memory */
        char *path = strndup(source->path.p, source->path.n);
        char *canonical = path ? find_guard_file(l, path) : NULL;
        struct stat st;
        if (!path) l->failure = -ENOMEM;
        if (canonical && stat(canonical, &st) == 0) {
            eg_lowering_depend(l, eg_str(canonical), &source->id, st.st_uid, st.st_gid,
                               EG_DEPENDENCY_POLICY);
            if (st.st_uid == 0) {
                uint32_t string = eg_builder_string(&l->b, eg_str(canonical));
                eg_builder_add(&l->b, EG_SECTION_GUARD_FILES, &string);
            }
        } else {
            /* gone since it was read: stale from the start */
            eg_lowering_depend(l, source->path, &source->id, 0, 0, EG_DEPENDENCY_POLICY);
        }
        free(canonical);
        free(path);
    }
}

static void add_guard_file(struct eg_lowering *l, const char *path)
{
    char *canonical = find_guard_file(l, path);
    if (!canonical) return;
    uint32_t string = eg_builder_string(&l->b, eg_str(canonical));
    eg_builder_add(&l->b, EG_SECTION_GUARD_FILES, &string);
    free(canonical);
}

static void lower_guard_files(struct eg_lowering *l)
{
    int error = 0;
    char *cache = eg_cache_folder(false, &error);
    add_guard_file(l, EG_SYSCONFDIR "/execguard");
    add_guard_file(l, EG_PREFIX "/share/execguard/policies");
    if (cache) add_guard_file(l, cache);
    free(cache);
    for (const char *const *f = l->options->guard_files; f && *f; f++) add_guard_file(l, *f);
}

static void lower_env(struct eg_lowering *l)
{
    for (size_t i = 0; i < l->policy->env_count; i++) {
        const struct eg_ast_env *env = &l->policy->env[i];
        struct eg_blob_env row = { eg_builder_string(&l->b, env->name.text), env->keep };
        eg_builder_add(&l->b, EG_SECTION_ENV, &row);
    }
}

static void add_sink(struct eg_lowering *l, enum eg_sink_kind kind, struct eg_str target,
                     struct eg_blob *header)
{
    struct eg_blob_sink sink = { kind, eg_builder_string(&l->b, target) };
    eg_builder_add(&l->b, EG_SECTION_SINKS, &sink);
    if (kind == EG_SINK_STDERR) header->flags |= EG_BLOB_LOG_STDERR;
}

static void lower_sinks(struct eg_lowering *l, struct eg_blob *header)
{
    const struct eg_policy *policy = l->policy;
    if (l->options->events) return add_sink(l, EG_SINK_FILE, eg_str(l->options->events), header);
    for (size_t i = 0; i < policy->sink_count; i++)
        add_sink(l, policy->sinks[i].kind, policy->sinks[i].target.text, header);
    /* A refusal that nobody is told of is not understood. */
    if (!policy->sink_count) add_sink(l, EG_SINK_STDERR, EG_STR(""), header);
}

static void lower_kernel(struct eg_lowering *l, struct eg_filter_request *request,
                         struct eg_blob *header)
{
    for (size_t i = 0; i < l->policy->kernel_allow_count; i++) {
        const struct eg_ast_word *word = &l->policy->kernel_allows[i];
        int id = eg_hardening_find(word->text);
        if (id < 0) {
            eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, word->span, NULL,
                        "unknown hardening word %s", eg_quote(word->text).s);
            continue;
        }
        request->allowed[id] = true;
        if (id == EG_HARDENING_MEMFD_EXEC) header->flags |= EG_BLOB_ALLOW_MEMFD_EXEC;
    }
    /* every way into another user namespace: supervisor/write_caller.c relies on it */
    if (!l->policy->log_mode && !request->allowed[EG_HARDENING_USER_NAMESPACES] &&
        !request->allowed[EG_HARDENING_SETNS] && !request->allowed[EG_HARDENING_FOREIGN_ARCH])
        header->flags |= EG_BLOB_KEEPS_NAMESPACES;
}

static void lower_capabilities(struct eg_lowering *l, struct eg_blob *header)
{
    if (!l->policy->limit_capabilities) return;
    header->flags |= EG_BLOB_LIMIT_CAPS;
    for (size_t i = 0; i < l->policy->capability_count; i++) {
        const struct eg_ast_word *word = &l->policy->capabilities[i];
        char name[64] = "cap_";
        cap_value_t value;
        if (word->text.n < sizeof(name) - 4) memcpy(name + 4, word->text.p, word->text.n);
        if (word->text.n >= sizeof(name) - 4 || cap_from_name(name, &value) < 0 || value >= 64)
            eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, word->span,
                        "see capabilities(7); without the leading CAP_", "unknown capability %s",
                        eg_quote(word->text).s);
        else
            header->capabilities |= UINT64_C(1) << value;
    }
}

static void lower_header(struct eg_lowering *l, struct eg_blob *header)
{
    const struct eg_policy *policy = l->policy;
    eg_builder_string(&l->b, EG_STR("")); /* offset 0: "none" in many fields */
    header->name = eg_builder_string(&l->b, policy->name);
    header->arch = NATIVE_ARCH;
    header->optional_layers = policy->optional_layers;
    if (policy->agent.text.n) header->agent = eg_builder_string(&l->b, policy->agent.text);
    header->rate_per_second = policy->rate_per_second;
    header->rate_burst = policy->rate_burst;
    if (!policy->limit_writes) header->flags |= EG_BLOB_WRITE_FREE;
    if (policy->log_mode) header->flags |= EG_BLOB_LOG_MODE;
    if (policy->no_new_privs) header->flags |= EG_BLOB_NO_NEW_PRIVS;
    if (policy->request_off) header->flags |= EG_BLOB_REQUEST_OFF;
    if (policy->worker_reexec) header->flags |= EG_BLOB_WORKER_REEXEC;
    if (policy->shell_rewrite) header->flags |= EG_BLOB_SHELL_REWRITE;
    if (policy->pipeline_allow) header->flags |= EG_BLOB_PIPELINE;
    if (policy->list_allow) header->flags |= EG_BLOB_LIST;
}

/* Where nothing may run, there is nothing to run lines of. */
static void lower_runner(struct eg_lowering *l, const struct eg_blob *header)
{
    const char *path = l->options->line_runner;
    if (path && (header->flags & EG_BLOB_SHELL_REWRITE) &&
        eg_builder_count(&l->b, EG_SECTION_EXEC_SET))
        eg_lowering_let_runner_run(l, path);
}

/* A worker that may start itself again needs execve; log mode refuses nothing. */
static bool runs_nothing(struct eg_lowering *l)
{
    return eg_builder_count(&l->b, EG_SECTION_EXEC_SET) == 0 && !l->policy->worker_reexec &&
           !l->policy->log_mode;
}

static int add_filter(struct eg_lowering *l, struct eg_filter_request *request,
                      enum eg_filter_variant variant)
{
    struct sock_filter *code = NULL;
    size_t count = 0;
    request->variant = variant;
    int r = eg_filter_compile(request, &code, &count);
    for (size_t i = 0; r == 0 && i < count; i++)
        eg_builder_add(&l->b, (enum eg_section)(EG_SECTION_FIRST_FILTER + variant), &code[i]);
    free(code);
    return r;
}

/* Lay out once without filters for the id, once with them. */
static int finish(struct eg_lowering *l, struct eg_blob *header, struct eg_filter_request *request,
                  struct eg_blob **ret_blob)
{
    struct eg_blob *draft = NULL;
    struct eg_blob *blob = NULL;
    int r = eg_builder_finish(&l->b, header, &draft);
    if (r < 0) return r;
    eg_blob_compute_id(draft, request->id);
    free(draft);
    request->arch = NATIVE_ARCH;
    request->log_mode = l->policy->log_mode;
    request->exec_nothing = header->flags & EG_BLOB_EXEC_NOTHING;
    for (int v = EG_FILTER_LAUNCH; v <= EG_FILTER_SUPERVISED && r == 0; v++)
        r = add_filter(l, request, (enum eg_filter_variant)v);
    if (r == 0) r = eg_builder_finish(&l->b, header, &blob);
    if (r < 0 || !blob) return r < 0 ? r : -ENOMEM;
    memcpy(blob->id, request->id, sizeof(blob->id));
    blob->checksum = eg_blob_compute_checksum(blob);
    *ret_blob = blob;
    return 0;
}

static void lowering_done(struct eg_lowering *l)
{
    for (size_t i = 0; i < l->host_count; i++) eg_program_file_done(&l->host[i].file);
    free(l->host);
    eg_index_done(&l->by_spelling);
    eg_index_done(&l->by_inode);
    eg_index_done(&l->set_inodes);
    eg_index_done(&l->dependencies);
    eg_builder_done(&l->b);
}

int eg_compile(const struct eg_policy *policy, const struct eg_compile_options *options,
               struct eg_diagnostics *diagnostics, struct eg_blob **ret_blob)
{
    static const struct eg_compile_options none = { 0 };
    struct eg_lowering l = {
        .policy = policy,
        .options = options ? options : &none,
        .diagnostics = diagnostics,
        .guard_uid = geteuid(),
    };
    struct eg_blob header = { 0 };
    struct eg_filter_request request = { 0 };
    size_t errors = diagnostics->errors;
    lower_header(&l, &header);
    lower_sources(&l);
    eg_lower_rules(&l);
    lower_runner(&l, &header);
    eg_lower_writes(&l);
    if (eg_lowering_watches_writes(&l)) request.notified |= EG_NOTIFY_WRITES | EG_NOTIFY_UPLOADS;
    /* what a write rule names later is no part of the domain: the supervisor's */
    if (!policy->log_mode && eg_builder_count(&l.b, EG_SECTION_WRITE_TREES))
        request.notified |= EG_NOTIFY_WRITES;
    lower_env(&l);
    lower_kernel(&l, &request, &header);
    lower_capabilities(&l, &header);
    lower_sinks(&l, &header);
    lower_guard_files(&l);
    if (runs_nothing(&l)) header.flags |= EG_BLOB_EXEC_NOTHING;
    int r = l.failure;
    if (r == 0 && diagnostics->errors > errors) r = -EINVAL;
    if (r == 0) r = finish(&l, &header, &request, ret_blob);
    lowering_done(&l);
    return r;
}
