// SPDX-License-Identifier: MIT
/* What may be written: the statements of write { } and uploads { }. */
#include "policy/parser.h"

#include <string.h>

/* The path without `.` and empty components and without a slash at its end. */
static bool plain_path(struct eg_parser *p, struct eg_str path, struct eg_span span,
                       struct eg_str *ret)
{
    char *out = eg_arena_alloc(p->policy->arena, path.n + 1);
    size_t n = 0;
    if (!out) return eg_parser_exhausted(p);
    while (path.n) {
        struct eg_str component = { path.p, eg_str_find(path, '/') };
        path = eg_str_skip(path, component.n + 1);
        if (component.n == 0 || eg_str_equal(component, EG_STR("."))) continue;
        if (eg_str_equal(component, EG_STR(".."))) {
            eg_report(p->diagnostics, TREE_PARENT, span);
            return false;
        }
        out[n++] = '/';
        memcpy(out + n, component.p, component.n);
        n += component.n;
    }
    if (n == 0) out[n++] = '/';
    *ret = (struct eg_str){ out, n };
    return true;
}

/* PATH: absolute, globs as in <file GLOB> */
static bool parse_path(struct eg_parser *p, const char *after, const char *what,
                       struct eg_ast_word *ret)
{
    struct eg_plain plain;
    if (!eg_parse_plain(p, after, what, &plain)) return false;
    if (plain.text.n == 0 || plain.text.p[0] != '/') {
        eg_report(p->diagnostics, PATH_RELATIVE, plain.span, eg_quote(plain.text).s);
        return false;
    }
    if (plain.text.n > EG_PATTERN_MAX) {
        eg_report(p->diagnostics, TREE_LONG, plain.span);
        return false;
    }
    ret->span = plain.span;
    return plain_path(p, plain.text, plain.span, &ret->text);
}

/* write_statement = ( 'allow' | 'log' | 'build' ) PATH { PATH } */
bool eg_parse_write_statement(struct eg_parser *p)
{
    struct eg_policy *policy = p->policy;
    const struct eg_word_row *row =
        eg_parse_word_of(p, EG_PLACE_WRITE, "write", "allow, log or build");
    if (!row) return false;
    uint32_t flags = row->id == EG_WORD_WRITE_LOG     ? EG_TREE_LOG
                     : row->id == EG_WORD_WRITE_BUILD ? EG_TREE_BUILD
                                                      : EG_TREE_ALLOW;
    do {
        struct eg_ast_tree tree = { .flags = flags };
        if (!parse_path(p, row->word, "a path", &tree.path)) return false;
        eg_parser_note_name(p, 'w', tree.path.text, tree.path.span);
        struct eg_ast_tree *grown =
            eg_arena_grow(policy->arena, policy->trees, policy->tree_count, sizeof(*grown));
        if (!grown) return eg_parser_exhausted(p);
        policy->trees = grown;
        policy->trees[policy->tree_count++] = tree;
    } while (!eg_parser_at_end_of_statement(p));
    return true;
}

static bool crosses_folders(struct eg_str s)
{
    for (size_t i = 0; i + 1 < s.n; i++)
        if (s.p[i] == '*' && s.p[i + 1] == '*') return true;
    return false;
}

/* uploads = 'uploads' PATH { PATH } block */
bool eg_parse_uploads_head(struct eg_parser *p, struct eg_span opener)
{
    struct eg_policy *policy = p->policy;
    struct eg_ast_uploads uploads = { .span = opener };
    if (p->token.kind != EG_TOKEN_WORD && p->token.kind != EG_TOKEN_STRING) {
        eg_report(p->diagnostics, WORD_MISSING, opener, "\"uploads\"", "the path of a tree");
        return false;
    }
    do {
        struct eg_ast_word tree;
        if (!parse_path(p, "uploads", "the path of a tree", &tree)) return false;
        /* The tree is all that lies beneath: with or without the stars. */
        if (tree.text.n > 3 && eg_str_ends(tree.text, EG_STR("/**"))) tree.text.n -= 3;
        if (crosses_folders(tree.text) || tree.text.n == 1) {
            eg_report(p->diagnostics, UPLOADS_DEEP, tree.span, eg_quote(tree.text).s);
            return false;
        }
        eg_parser_note_name(p, 'u', tree.text, tree.span);
        struct eg_ast_word *grown =
            eg_arena_grow(policy->arena, uploads.trees, uploads.tree_count, sizeof(*grown));
        if (!grown) return eg_parser_exhausted(p);
        uploads.trees = grown;
        uploads.trees[uploads.tree_count++] = tree;
    } while (p->token.kind == EG_TOKEN_WORD || p->token.kind == EG_TOKEN_STRING);
    struct eg_ast_uploads *grown =
        eg_arena_grow(policy->arena, policy->uploads, policy->upload_count, sizeof(*grown));
    if (!grown) return eg_parser_exhausted(p);
    policy->uploads = grown;
    policy->uploads[policy->upload_count++] = uploads;
    return true;
}

static struct eg_ast_uploads *current(struct eg_parser *p)
{
    return &p->policy->uploads[p->policy->upload_count - 1];
}

/* Warn when something was named before in this block. */
static void note_in_block(struct eg_parser *p, char kind, struct eg_str name, struct eg_span span)
{
    struct eg_str key = { NULL, 0 };
    size_t capacity = 0;
    char number = (char)kind;
    char block[sizeof(size_t)];
    memcpy(block, &p->policy->upload_count, sizeof(block));
    if (!eg_arena_append(p->policy->arena, &key, &capacity, (struct eg_str){ &number, 1 }) ||
        !eg_arena_append(p->policy->arena, &key, &capacity,
                         (struct eg_str){ block, sizeof(block) }) ||
        !eg_arena_append(p->policy->arena, &key, &capacity, name)) {
        eg_parser_exhausted(p);
        return;
    }
    struct eg_span first;
    int r = eg_seen_add(&p->seen, key, span, &first);
    if (r < 0) p->out_of_memory = true;
    if (r <= 0) return;
    struct eg_hint hint = eg_format_hint("the first is at %s", eg_parser_place(p, first).s);
    eg_report_hint(p->diagnostics, NAMED_TWICE, span, hint.s, eg_quote(name).s);
}

/* Without any of these a word would stand for one whole name only, and is more
 * likely a set's name that was mistyped. */
bool eg_upload_name_is_pattern(struct eg_str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (strchr("*?[.\\", word.p[i])) return true;
    return false;
}

static bool check_name(struct eg_parser *p, const struct eg_plain *name, bool set)
{
    if (set) return true;
    if (name->text.n == 0 || eg_str_find(name->text, '/') != name->text.n) {
        eg_report(p->diagnostics, UPLOAD_NAME, name->span, eg_quote(name->text).s);
        return false;
    }
    if (name->text.n > EG_PATTERN_MAX) {
        eg_report(p->diagnostics, TREE_LONG, name->span);
        return false;
    }
    if (!name->quoted && !eg_upload_name_is_pattern(name->text)) {
        eg_report(p->diagnostics, UPLOAD_SET, name->span, eg_quote(name->text).s);
        return false;
    }
    return true;
}

/* deny_name = 'name' ( 'scripts' | GLOB ) { 'scripts' | GLOB }
 * deny_read = 'read' ( 'scripts' | GLOB ) { 'scripts' | GLOB } */
static bool parse_names(struct eg_parser *p, const struct eg_word_row *row, uint32_t use)
{
    do {
        struct eg_plain name;
        if (!eg_parse_plain(p, row->word, "scripts, or a pattern such as *.svg", &name))
            return false;
        bool set = !name.quoted && eg_word_find(EG_PLACE_NAMES, name.text);
        if (!check_name(p, &name, set)) return false;
        note_in_block(p, use == EG_NAME_READ ? 'r' : 'n', name.text, name.span);
        struct eg_ast_uploads *uploads = current(p);
        struct eg_ast_name *grown =
            eg_arena_grow(p->policy->arena, uploads->names, uploads->name_count, sizeof(*grown));
        if (!grown) return eg_parser_exhausted(p);
        uploads->names = grown;
        uploads->names[uploads->name_count++] = (struct eg_ast_name){
            .use = use,
            .scripts = set,
            .glob = { name.text, name.span },
        };
    } while (!eg_parser_at_end_of_statement(p));
    return true;
}

/* deny_content = 'content' KIND { KIND } */
static bool parse_contents(struct eg_parser *p, struct eg_span start)
{
    do {
        struct eg_span span = p->token.span;
        const struct eg_word_row *row =
            eg_parse_word_of(p, EG_PLACE_CONTENT, "content", "a kind of content");
        if (!row) return false;
        note_in_block(p, 'c', eg_str(row->word), span);
        /* The words are table/contents.def's, in its order. */
        current(p)->contents |= 1u << ((unsigned)row->id - (unsigned)EG_WORD_CONTENT_PHP);
        if (!current(p)->content_span.line) current(p)->content_span = start;
    } while (!eg_parser_at_end_of_statement(p));
    return true;
}

static bool parse_quarantine(struct eg_parser *p, struct eg_span start)
{
    struct eg_ast_word folder;
    if (!parse_path(p, "quarantine", "the path of a folder", &folder)) return false;
    current(p)->quarantine = folder;
    return eg_parser_once(p, EG_STR("quarantine"), &current(p)->quarantine_span, start);
}

/* uploads_statement = 'deny' ( deny_name | deny_read | deny_content | 'executable' )
 *                   | 'quarantine' PATH */
bool eg_parse_uploads_statement(struct eg_parser *p)
{
    struct eg_span start = p->token.span;
    const struct eg_word_row *row =
        eg_parse_word_of(p, EG_PLACE_UPLOADS, "uploads", "deny or quarantine");
    if (!row) return false;
    if (row->id == EG_WORD_UPLOADS_QUARANTINE) return parse_quarantine(p, start);
    row = eg_parse_word_of(p, EG_PLACE_DENY, "deny", "name, content, executable or read");
    if (!row) return false;
    switch ((int)row->id) {
    case EG_WORD_DENY_NAME: return parse_names(p, row, EG_NAME_WRITE);
    case EG_WORD_DENY_READ: return parse_names(p, row, EG_NAME_READ);
    case EG_WORD_DENY_CONTENT: return parse_contents(p, start);
    case EG_WORD_DENY_EXECUTABLE:
        return eg_parser_once(p, EG_STR("deny executable"), &current(p)->executable_span, start);
    }
    return false;
}

/* What can be said only when everything was read. */
void eg_check_uploads(struct eg_parser *p)
{
    const struct eg_policy *policy = p->policy;
    for (size_t i = 0; i < policy->upload_count; i++) {
        const struct eg_ast_uploads *uploads = &policy->uploads[i];
        if (!policy->limit_writes) {
            struct eg_quoted tree = eg_quote(uploads->trees[0].text);
            struct eg_hint hint =
                eg_format_hint("say what may be written: write { allow /tmp/** %.*s/** }",
                               (int)(strlen(tree.s) - 2), tree.s + 1);
            eg_report_hint(p->diagnostics, UPLOADS_FREE, uploads->span, hint.s);
            continue;
        }
        if (p->diagnostics->errors) continue; /* what is missing may be among them */
        if (uploads->name_count == 0 && !uploads->contents && !uploads->executable_span.line)
            eg_report(p->diagnostics, UPLOADS_EMPTY, uploads->span);
        if (uploads->quarantine.text.n && !uploads->contents)
            eg_report(p->diagnostics, QUARANTINE_IDLE, uploads->quarantine_span);
    }
}
