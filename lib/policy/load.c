// SPDX-License-Identifier: MIT
/* The ways in: a policy from a file, a policy from memory. */
#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/defaults.h"
#include "policy/include.h"
#include "policy/parser.h"
#include "policy/source.h"

static struct eg_policy *new_policy(const char *name)
{
    struct eg_policy *policy = calloc(1, sizeof(*policy));
    if (!policy) return NULL;
    policy->arena = eg_arena_new();
    if (!policy->arena) {
        free(policy);
        return NULL;
    }
    struct eg_str base = eg_str_basename(eg_str(name));
    if (eg_str_ends(base, EG_STR(".policy"))) base.n -= sizeof(".policy") - 1;
    policy->name = eg_arena_copy(policy->arena, base);
    policy->no_new_privs = true;
    policy->shell_rewrite = eg_default_shell_rewrite();
    policy->rate_per_second = EG_DEFAULT_RATE;
    policy->rate_burst = EG_DEFAULT_BURST;
    if (policy->name.p) return policy;
    eg_policy_free(policy);
    return NULL;
}

void eg_policy_free(struct eg_policy *policy)
{
    if (!policy) return;
    eg_arena_free(policy->arena);
    free(policy);
}

/* Parse source 0, whose text is there. */
static int parse(struct eg_parser *p)
{
    struct eg_source *source = &p->policy->sources[0];
    p->bytes_read = source->text.n;
    p->open_sources[p->open_source_count++] = 0;
    if (eg_source_check(source, 0, p->diagnostics)) {
        eg_parse_text(p, 0);
        if (!p->out_of_memory) eg_check_uploads(p);
        if (!p->statement_seen && !p->out_of_memory)
            eg_report(p->diagnostics, EMPTY, (struct eg_span){ .source = 0 });
    }
    eg_seen_done(&p->seen);
    return p->out_of_memory ? -ENOMEM : 0;
}

/* Open what -p named.  A descriptor and *ret_path, or -errno. */
static int open_policy(const char *name, const struct eg_policy_options *options,
                       struct eg_diagnostics *d, char **ret_path)
{
    struct eg_span nowhere = { .source = EG_NONE };
    if (name[0] && !strchr(name, '/'))
        return eg_source_find(eg_str(name), NULL, options, d, nowhere, ret_path);
    int fd = eg_source_open(name, options, d, nowhere);
    if (fd == -ENOENT)
        eg_report(d, CANNOT_OPEN, nowhere, eg_quote(eg_str(name)).s, strerror(ENOENT));
    if (fd < 0) return fd;
    *ret_path = strdup(name);
    if (*ret_path) return fd;
    close(fd);
    return -ENOMEM;
}

static int load(struct eg_parser *p, const char *name)
{
    struct eg_diagnostics *d = p->diagnostics;
    char *path = NULL;
    int fd = open_policy(name, p->options, d, &path);
    if (fd < 0) return fd == -ENOMEM ? fd : 0;
    struct eg_source *source = eg_source_add(p->policy, eg_str(path));
    free(path);
    int r = source ? eg_source_read(fd, EG_SOURCE_MAX, p->policy->arena, source, d,
                                    (struct eg_span){ .source = 0 })
                   : -ENOMEM;
    close(fd);
    if (r < 0) return r == -ENOMEM ? r : 0;
    return parse(p);
}

/* Hand the policy out, or free it: one place for both ways in. */
static int finish(struct eg_policy *policy, int r, size_t errors, struct eg_policy **ret_policy)
{
    if (r < 0) {
        eg_policy_free(policy);
        return r;
    }
    *ret_policy = policy;
    return errors ? -EINVAL : 0;
}

int eg_policy_load(const char *name, const struct eg_policy_options *options,
                   struct eg_diagnostics *diagnostics, struct eg_policy **ret_policy)
{
    struct eg_policy *policy = new_policy(name);
    if (!policy) return -ENOMEM;
    size_t before = diagnostics->errors;
    struct eg_parser p = { .policy = policy, .options = options, .diagnostics = diagnostics };
    int r = load(&p, name);
    return finish(policy, r, diagnostics->errors - before, ret_policy);
}

int eg_policy_parse(const char *name, struct eg_str text, const struct eg_policy_options *options,
                    struct eg_diagnostics *diagnostics, struct eg_policy **ret_policy)
{
    struct eg_policy *policy = new_policy(name);
    if (!policy) return -ENOMEM;
    size_t before = diagnostics->errors;
    struct eg_parser p = {
        .policy = policy,
        .options = options,
        .diagnostics = diagnostics,
        .from_memory = true,
    };
    int r = 0;
    struct eg_source *source = eg_source_add(policy, eg_str(name));
    if (!source) {
        r = -ENOMEM;
    } else if (text.n > EG_SOURCE_MAX) {
        eg_report(diagnostics, TOO_LARGE, (struct eg_span){ .source = 0 });
    } else {
        source->text = eg_arena_copy(policy->arena, text);
        r = source->text.p ? parse(&p) : -ENOMEM;
    }
    return finish(policy, r, diagnostics->errors - before, ret_policy);
}
