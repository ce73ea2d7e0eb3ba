// SPDX-License-Identifier: MIT
/* The write and uploads blocks: patterns made canonical, and what makes a rule
 * useless or unsafe said. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compile/lowering.h"
#include "decide/parts.h"
#include "decide/write.h"
#include "policy/messages.h"

_Static_assert(EG_PATTERN_MAX < EG_GLOB_MAX, "every pattern of a policy can be matched");

/* ---- canonical patterns ---- */

static bool is_glob_char(char c)
{
    return c == '*' || c == '?' || c == '[' || c == '\\';
}

/* Length of what stands before the first component with a glob in it. */
static size_t literal_length(struct eg_str pattern)
{
    size_t n = 0;
    while (n < pattern.n && !is_glob_char(pattern.p[n])) n++;
    if (n == pattern.n) return n;
    while (n > 0 && pattern.p[n] != '/') n--;
    return n;
}

/* The deepest folder of the first n bytes of a path that is there, canonical
 * (malloc'ed); *ret_n: how much of the path it is. */
static char *find_existing(const char *path, size_t n, size_t *ret_n)
{
    char head[PATH_MAX];
    while (n > 0 && n < sizeof(head)) {
        memcpy(head, path, n);
        head[n] = '\0';
        char *canonical = realpath(head, NULL);
        if (canonical) {
            *ret_n = n;
            return canonical;
        }
        while (n > 0 && path[n - 1] != '/') n--;
        if (n > 0) n--;
    }
    *ret_n = 0;
    return strdup("/");
}

/* The pattern as paths are compared with it: the kernel's own name of what its
 * links lead to now.  The blob is stale once they lead elsewhere.  malloc'ed;
 * NULL: no memory, or too long (then reported). */
static char *make_canonical(struct eg_lowering *l, const struct eg_ast_word *pattern)
{
    size_t known = 0;
    char *existing = find_existing(pattern->text.p, literal_length(pattern->text), &known);
    char *text = existing ? malloc(2 * strlen(existing) + pattern->text.n + 2) : NULL;
    size_t n = 0;
    if (!text) {
        l->failure = -ENOMEM;
        free(existing);
        return NULL;
    }
    if (known && !eg_str_equal(eg_str(existing), (struct eg_str){ pattern->text.p, known })) {
        char *spelled = strndup(pattern->text.p, known);
        if (spelled)
            eg_lowering_depend_now(l, spelled);
        else
            l->failure = -ENOMEM;
        free(spelled);
    }
    for (const char *c = existing; *c && strcmp(existing, "/") != 0; c++) {
        if (is_glob_char(*c)) text[n++] = '\\';
        text[n++] = *c;
    }
    memcpy(text + n, pattern->text.p + known, pattern->text.n - known);
    n += pattern->text.n - known;
    if (n == 0) text[n++] = '/';
    text[n] = '\0';
    free(existing);
    if (n <= EG_PATTERN_MAX) return text;
    eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, pattern->span, NULL,
                "the pattern leads to a path that is too long");
    free(text);
    return NULL;
}

/* ---- what is said of write rules ---- */

/* Places where what is written is run, or read as orders, by others. */
static const struct {
    const char *path;
    const char *why;
} dangerous[] = {
#define P(path, why) { path, why },
#include "table/sensitive.def"
};

static const struct eg_blob_tree *tree_at(struct eg_lowering *l, uint32_t index)
{
    return eg_builder_at(&l->b, EG_SECTION_WRITE_TREES, index);
}

static struct eg_str pattern_of(struct eg_lowering *l, uint32_t index)
{
    return eg_str(eg_builder_cstr(&l->b, tree_at(l, index)->pattern));
}

static void warn_dangerous(struct eg_lowering *l, const struct eg_ast_tree *ast,
                           struct eg_str pattern)
{
    for (size_t i = 0; i < sizeof(dangerous) / sizeof(dangerous[0]); i++) {
        if (!eg_decide_tree_holds(pattern, eg_str(dangerous[i].path))) continue;
        eg_diagnose(l->diagnostics, EG_SEVERITY_WARNING, ast->path.span,
                    "name the folders that the worker really writes", "%s holds %s: %s",
                    eg_quote(ast->path.text).s, dangerous[i].path, dangerous[i].why);
        return;
    }
}

/* A path of which a pattern is the text: all that it matches, for comparing
 * patterns with each other. */
static bool covers(struct eg_str pattern, struct eg_str other)
{
    char memory[EG_PATTERN_MAX + 8];
    struct eg_buf path = eg_buf_over(memory, sizeof(memory));
    if (eg_str_equal(pattern, other)) return true;
    if (eg_str_ends(other, EG_STR("/**"))) other.n -= 3;
    eg_buf_str(&path, other);
    if (!eg_decide_tree_holds(pattern, eg_buf_view(&path)) &&
        !(eg_str_ends(pattern, EG_STR("/**")) && pattern.n == other.n + 3 &&
          eg_str_starts(pattern, other)))
        return false;
    eg_buf_add(&path, "/x/y");
    return !path.truncated && eg_decide_tree_holds(pattern, eg_buf_view(&path));
}

static void warn_covered(struct eg_lowering *l, const struct eg_ast_tree *ast, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (!covers(pattern_of(l, i), pattern_of(l, index))) continue;
        /* What may be run in it is said by this rule all the same. */
        if (ast->flags & EG_TREE_BUILD) continue;
        struct eg_hint hint =
            eg_format_hint("line %u takes all of its paths, and the first rule wins: write the "
                           "narrower one first",
                           tree_at(l, i)->line);
        eg_diagnose(l->diagnostics, EG_SEVERITY_WARNING, ast->path.span, hint.s,
                    "this rule can never match");
        return;
    }
}

/* Writable and executable never overlap. */
static void check_programs(struct eg_lowering *l, const struct eg_ast_tree *ast,
                           struct eg_str pattern)
{
    for (uint32_t i = 0; i < l->host_count; i++) {
        if (!l->host[i].in_exec_set || !l->host[i].file.path) continue;
        if (!eg_decide_tree_holds(pattern, eg_str(l->host[i].file.path))) continue;
        struct eg_quoted tree = eg_quote(ast->path.text);
        struct eg_quoted program = eg_quote(eg_str(l->host[i].file.path));
        if (ast->flags & EG_TREE_BUILD) continue;
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, ast->path.span,
                    "what a worker may write it must not run: write a narrower path, or install "
                    "the program elsewhere",
                    "%s holds %s, which may be run", tree.s, program.s);
        return;
    }
}

static void lower_tree(struct eg_lowering *l, const struct eg_ast_tree *ast)
{
    char *pattern = make_canonical(l, &ast->path);
    if (!pattern) return;
    const struct eg_source *source = &l->policy->sources[ast->path.span.source];
    struct eg_blob_tree tree = {
        .pattern = eg_builder_string(&l->b, eg_str(pattern)),
        .flags = ast->flags | EG_TREE_ALLOW,
        .file = eg_builder_string(&l->b, source->path),
        .line = ast->path.span.line,
    };
    uint32_t index = eg_builder_add(&l->b, EG_SECTION_WRITE_TREES, &tree);
    if (index != EG_NONE) {
        if (ast->flags & EG_TREE_BUILD)
            eg_diagnose(l->diagnostics, EG_SEVERITY_WARNING, ast->path.span,
                        "for tests and builds only: native code brings what it likes",
                        "unsafe: whatever is written into %s may be run",
                        eg_quote(ast->path.text).s);
        warn_dangerous(l, ast, eg_str(pattern));
        warn_covered(l, ast, index);
        check_programs(l, ast, eg_str(pattern));
    }
    free(pattern);
}

/* ---- uploads ---- */

/* Must lie in a tree that is written, and in none that is run. */
static void check_upload(struct eg_lowering *l, const struct eg_ast_word *tree,
                         struct eg_str pattern)
{
    struct eg_quoted shown = eg_quote(tree->text);
    bool inside = false;
    for (uint32_t i = 0; i < eg_builder_count(&l->b, EG_SECTION_WRITE_TREES); i++) {
        char memory[EG_PATTERN_MAX + 8];
        struct eg_buf path = eg_buf_over(memory, sizeof(memory));
        eg_buf_str(&path, pattern);
        eg_buf_add(&path, "/x/y");
        struct eg_str writable = pattern_of(l, i);
        bool same = eg_str_ends(writable, EG_STR("/**")) && writable.n == pattern.n + 3 &&
                    eg_str_starts(writable, pattern);
        if (!same && !eg_str_equal(writable, pattern) &&
            !eg_decide_tree_holds(writable, eg_buf_view(&path)))
            continue;
        inside = true;
        if (!(tree_at(l, i)->flags & EG_TREE_BUILD)) continue;
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, tree->span,
                    "what visitors upload must not lie where programs may be run",
                    "the upload tree %s lies in the build tree of line %u", shown.s,
                    tree_at(l, i)->line);
        return;
    }
    if (inside) return;
    struct eg_hint hint = eg_format_hint("write into the write block: allow %.*s/**",
                                         (int)tree->text.n, tree->text.p);
    eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, tree->span, hint.s,
                "no write rule names the upload tree %s", shown.s);
}

/* What the quarantine holds is evidence, and must not be within a worker's reach. */
static void check_quarantine(struct eg_lowering *l, const struct eg_ast_word *folder,
                             const char *canonical)
{
    struct eg_quoted shown = eg_quote(folder->text);
    struct stat st;
    for (uint32_t i = 0; i < eg_builder_count(&l->b, EG_SECTION_WRITE_TREES); i++) {
        if (!eg_decide_tree_holds(pattern_of(l, i), eg_str(canonical))) continue;
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, folder->span,
                    "choose a folder that no worker may write, such as "
                    "/var/lib/execguard/quarantine",
                    "the quarantine %s lies in the write tree of line %u", shown.s,
                    tree_at(l, i)->line);
        return;
    }
    if (stat(canonical, &st) < 0) return;
    if (!S_ISDIR(st.st_mode))
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, folder->span, NULL,
                    "the quarantine %s is not a folder", shown.s);
    else if (st.st_mode & 022)
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, folder->span,
                    "chmod 0700, and let root own it", "the quarantine %s can be written by others",
                    shown.s);
    else if (st.st_uid != 0 && st.st_uid != l->guard_uid)
        eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, folder->span, "let root own it",
                    "the quarantine %s belongs to user %u", shown.s, (unsigned)st.st_uid);
}

static uint32_t lower_quarantine(struct eg_lowering *l, const struct eg_ast_word *folder)
{
    size_t known = 0;
    if (folder->text.n == 0) return 0;
    char *existing = find_existing(folder->text.p, folder->text.n, &known);
    char *path = existing ? malloc(strlen(existing) + folder->text.n + 1) : NULL;
    uint32_t string = 0;
    if (!path) {
        l->failure = -ENOMEM;
    } else {
        size_t n = strcmp(existing, "/") == 0 ? 0 : strlen(existing);
        memcpy(path, existing, n);
        memcpy(path + n, folder->text.p + known, folder->text.n - known);
        path[n + folder->text.n - known] = '\0';
        check_quarantine(l, folder, path);
        string = eg_builder_string(&l->b, eg_str(path));
        eg_builder_add(&l->b, EG_SECTION_GUARD_FILES, &string);
    }
    free(path);
    free(existing);
    return string;
}

static void lower_names(struct eg_lowering *l, const struct eg_ast_uploads *ast,
                        struct eg_blob_upload *ret)
{
    ret->names = eg_builder_count(&l->b, EG_SECTION_UPLOAD_NAMES);
    for (size_t i = 0; i < ast->name_count; i++) {
        const struct eg_ast_name *name = &ast->names[i];
        const struct eg_source *source = &l->policy->sources[name->glob.span.source];
        struct eg_blob_name row = {
            .glob = name->scripts ? 0 : eg_builder_string(&l->b, name->glob.text),
            .uses = name->use,
            .file = eg_builder_string(&l->b, source->path),
            .line = name->glob.span.line,
        };
        eg_builder_add(&l->b, EG_SECTION_UPLOAD_NAMES, &row);
        ret->name_count++;
        if (name->use & EG_NAME_READ) ret->flags |= EG_UPLOAD_DENY_READ;
    }
}

static void lower_uploads(struct eg_lowering *l, const struct eg_ast_uploads *ast)
{
    const struct eg_source *source = &l->policy->sources[ast->span.source];
    struct eg_blob_upload upload = {
        .contents = ast->contents,
        .file = eg_builder_string(&l->b, source->path),
        .line = ast->span.line,
        .content_line = ast->content_span.line,
        .executable_line = ast->executable_span.line,
    };
    if (ast->executable_span.line) upload.flags |= EG_UPLOAD_DENY_EXECUTABLE;
    lower_names(l, ast, &upload);
    upload.quarantine = lower_quarantine(l, &ast->quarantine);
    for (size_t i = 0; i < ast->tree_count; i++) {
        char *root = make_canonical(l, &ast->trees[i]);
        if (!root) continue;
        check_upload(l, &ast->trees[i], eg_str(root));
        upload.root = eg_builder_string(&l->b, eg_str(root));
        eg_builder_add(&l->b, EG_SECTION_UPLOADS, &upload);
        free(root);
    }
}

void eg_lower_writes(struct eg_lowering *l)
{
    const struct eg_policy *policy = l->policy;
    for (size_t i = 0; i < policy->tree_count; i++) lower_tree(l, &policy->trees[i]);
    for (size_t i = 0; i < policy->upload_count; i++) lower_uploads(l, &policy->uploads[i]);
}

bool eg_lowering_watches_writes(struct eg_lowering *l)
{
    for (uint32_t i = 0; i < eg_builder_count(&l->b, EG_SECTION_WRITE_TREES); i++)
        if (tree_at(l, i)->flags & EG_TREE_LOG) return true;
    return eg_builder_count(&l->b, EG_SECTION_UPLOADS) != 0;
}
