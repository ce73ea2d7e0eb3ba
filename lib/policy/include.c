// SPDX-License-Identifier: MIT
/* `include`: another text read in the place of the statement. */
#include "policy/parser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/include.h"
#include "policy/source.h"

static bool same_file(const struct eg_source *a, const struct eg_source *b)
{
    return a->id.mode && a->id.dev == b->id.dev && a->id.ino == b->id.ino;
}

struct eg_source *eg_source_add(struct eg_policy *policy, struct eg_str path)
{
    struct eg_source *grown =
        eg_arena_grow(policy->arena, policy->sources, policy->source_count, sizeof(*grown));
    if (!grown) return NULL;
    policy->sources = grown;
    struct eg_source *source = &grown[policy->source_count];
    *source = (struct eg_source){ .path = eg_arena_copy(policy->arena, path) };
    if (!source->path.p) return NULL;
    policy->source_count++;
    return source;
}

/* Read the text of a new source, unless it was included before: then it has
 * said all it has to say, and *ret_index is EG_NONE. */
static bool read_include(struct eg_parser *p, int fd, const char *path, struct eg_span span,
                         uint32_t *ret_index)
{
    struct eg_policy *policy = p->policy;
    struct eg_source *source = eg_source_add(policy, eg_str(path));
    if (!source) return eg_parser_exhausted(p);
    uint32_t index = (uint32_t)policy->source_count - 1;
    source->included_from = span;
    int r = eg_source_read(fd, EG_SOURCE_MAX - p->bytes_read, policy->arena, source, p->diagnostics,
                           span);
    if (r == -ENOMEM) return eg_parser_exhausted(p);
    if (r < 0) return false;
    p->bytes_read += source->text.n;
    for (unsigned i = 0; i < p->open_source_count; i++) {
        if (!same_file(source, &policy->sources[p->open_sources[i]])) continue;
        struct eg_hint hint =
            i + 1 == p->open_source_count
                ? eg_format_hint("leave the line out")
                : eg_format_hint("%s is being read already, and leads here", path);
        eg_report_hint(p->diagnostics, INCLUDE_LOOP, span, hint.s, eg_quote(eg_str(path)).s);
        return false;
    }
    for (uint32_t i = 0; i < index; i++) {
        if (!same_file(source, &policy->sources[i])) continue;
        *ret_index = EG_NONE;
        return true;
    }
    *ret_index = index;
    return eg_source_check(source, index, p->diagnostics);
}

/* Open what `include` names: a word like -p's is looked for beside the including
 * file first, a relative path starts there. */
static int open_include(struct eg_parser *p, struct eg_str name, struct eg_span span,
                        char **ret_path)
{
    struct eg_str parent = p->policy->sources[span.source].path;
    size_t slash = eg_str_rfind(parent, '/');
    char *folder = p->from_memory      ? NULL
                   : slash == parent.n ? strdup(".")
                   : slash == 0        ? strdup("/")
                                       : strndup(parent.p, slash);
    if (!folder && !p->from_memory) return -ENOMEM;
    int fd;
    bool is_path = eg_str_find(name, '/') != name.n;
    /* "./x" beside "a/b.policy" is a/x in messages, not a/./x. */
    while (is_path && eg_str_starts(name, EG_STR("./"))) name = eg_str_skip(name, 2);
    if (!is_path) {
        fd = eg_source_find(name, folder, p->options, p->diagnostics, span, ret_path);
    } else {
        int n = name.p[0] == '/' ? asprintf(ret_path, "%.*s", (int)name.n, name.p)
                                 : asprintf(ret_path, "%s/%.*s", folder, (int)name.n, name.p);
        fd = n < 0 ? -ENOMEM : eg_source_open(*ret_path, p->options, p->diagnostics, span);
        if (fd == -ENOENT)
            eg_report(p->diagnostics, CANNOT_OPEN, span, eg_quote(eg_str(*ret_path)).s,
                      strerror(ENOENT));
        if (fd < 0 && n >= 0) free(*ret_path);
    }
    free(folder);
    return fd;
}

bool eg_include(struct eg_parser *p, struct eg_str name, struct eg_span span)
{
    bool is_path = eg_str_find(name, '/') != name.n;
    if (p->from_memory && (is_path || !p->options->search[0])) {
        eg_report(p->diagnostics, INCLUDE_REFUSED, span, eg_quote(name).s);
        return false;
    }
    if (p->open_source_count > EG_INCLUDE_DEPTH_MAX) {
        eg_report(p->diagnostics, INCLUDE_DEPTH, span);
        return false;
    }
    if (p->policy->source_count > EG_INCLUDE_COUNT_MAX) {
        eg_report(p->diagnostics, INCLUDE_COUNT, span);
        return false;
    }
    char *path = NULL;
    int fd = open_include(p, name, span, &path);
    if (fd == -ENOMEM) return eg_parser_exhausted(p);
    if (fd < 0) return false;
    uint32_t index = EG_NONE;
    bool good = read_include(p, fd, path, span, &index);
    close(fd);
    free(path);
    if (!good || index == EG_NONE) return good;

    /* The included text is a policy of its own: what is open, forgotten or
     * forgiven in one text says nothing about the other. */
    struct eg_parser outer = *p;
    p->open_sources[p->open_source_count++] = index;
    p->stray = false;
    p->early_closes = 0;
    p->closed_block.n = 0;
    good = eg_parse_text(p, index);
    p->open_source_count = outer.open_source_count;
    p->lexer = outer.lexer;
    p->token = outer.token;
    p->last = outer.last;
    p->stray = outer.stray;
    p->early_closes = outer.early_closes;
    p->closed_block = outer.closed_block;
    p->closed_open = outer.closed_open;
    p->closed_at = outer.closed_at;
    return good;
}
