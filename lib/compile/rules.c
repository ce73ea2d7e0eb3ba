// SPDX-License-Identifier: MIT
/* The exec block: each statement to one rule, or to one for each file that a `*`
 * in it stands for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/arguments.h"
#include "compile/expand.h"
#include "compile/lowering.h"
#include "compile/users.h"
#include "policy/messages.h"

#define EXPANSIONS_MAX 1024u /* files that one `*` may stand for */

#define SHELL EG_STR("/bin/sh")

/* One statement being lowered. */
struct statement {
    struct eg_lowering *l;
    const struct eg_ast_rule *ast;
    struct eg_blob_rule rule; /* what all its rules share */
    size_t found;             /* files */
    size_t rules;
    size_t covered;      /* of them, those that can never match */
    uint32_t covered_by; /* line */
};

static bool has_star(struct eg_str path)
{
    return eg_str_find(path, '*') < path.n;
}

/* Indices in a section of the blob that a rule names; none: it asks for none of them. */
struct list {
    enum eg_section section;
    uint32_t first, count;
};

static uint32_t item(struct eg_builder *b, const struct list *list, uint32_t i)
{
    return *(uint32_t *)eg_builder_at(b, list->section, list->first + i);
}

/* Does the earlier rule ask no more than the later one does? */
static bool is_within(struct eg_builder *b, struct list earlier, struct list later)
{
    if (earlier.count == 0) return true;
    if (later.count == 0) return false;
    for (uint32_t i = 0; i < later.count; i++) {
        bool found = false;
        for (uint32_t j = 0; j < earlier.count && !found; j++)
            found = item(b, &earlier, j) == item(b, &later, i);
        if (!found) return false;
    }
    return true;
}

static struct list callers(const struct eg_blob_rule *rule)
{
    return (struct list){ EG_SECTION_FROMS, rule->from, rule->from_count };
}

static struct list users(const struct eg_blob_rule *rule)
{
    return (struct list){ EG_SECTION_USERS, rule->user, rule->user_count };
}

/* Count the rule as covered when an earlier one takes all of its calls. */
static void look_for_cover(struct statement *s, uint32_t program)
{
    struct eg_lowering *l = s->l;
    const uint32_t covers[] = { l->host[program].cover, l->host[program].cover_from };
    for (size_t i = 0; i < 2; i++) {
        if (covers[i] == EG_NONE) continue;
        const struct eg_blob_rule *earlier = eg_builder_at(&l->b, EG_SECTION_RULES, covers[i]);
        if (earlier->line == s->rule.line && earlier->file == s->rule.file) continue;
        if (!is_within(&l->b, callers(earlier), callers(&s->rule))) continue;
        if (!is_within(&l->b, users(earlier), users(&s->rule))) continue;
        s->covered++;
        s->covered_by = earlier->line;
        return;
    }
}

static void emit_rule(struct statement *s, uint32_t program)
{
    struct eg_lowering *l = s->l;
    struct eg_blob_rule rule = s->rule;
    rule.program = program;
    look_for_cover(s, program);
    uint32_t index = eg_builder_add(&l->b, EG_SECTION_RULES, &rule);
    s->rules++;
    if (index == EG_NONE ||
        !eg_arguments_accept_all(eg_builder_at(&l->b, EG_SECTION_NODES, rule.nodes),
                                 rule.node_count))
        return;
    if (rule.from_count || rule.user_count)
        l->host[program].cover_from = index;
    else if (l->host[program].cover == EG_NONE)
        l->host[program].cover = index;
}

/* A script that env starts is executed twice: the kernel runs env, and env runs
 * the interpreter with the script's name in front of the arguments.  That second
 * exec gets a rule of its own, no wider than the script's: from env, this script,
 * the same arguments. */
static void emit_env_rule(struct statement *s, uint32_t script, const struct eg_env_line *line,
                          struct eg_str script_path)
{
    struct eg_lowering *l = s->l;
    int error = 0;
    uint32_t interpreter =
        eg_lowering_enter(l, eg_str(line->path), EG_NAMED_AS_INTERPRETER, &error);
    uint32_t env = eg_lowering_program(l, script)->interpreter;
    if (interpreter == EG_NONE || env == EG_NONE) return; /* reported with the needs */
    struct eg_str prefix[EG_ENV_WORDS_MAX + 1];
    size_t count = 0;
    for (size_t i = 1; i < line->count; i++) prefix[count++] = line->words[i];
    prefix[count++] = script_path;
    struct eg_blob_rule rule = s->rule;
    if (eg_compile_arguments(&l->b, prefix, count, &s->ast->args, &rule.nodes, &rule.node_count) <
        0)
        return eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, s->ast->span, NULL,
                           "the arguments are too many for a script that env starts");
    rule.program = interpreter;
    rule.from = eg_builder_add(&l->b, EG_SECTION_FROMS, &env);
    rule.from_count = 1;
    eg_builder_add(&l->b, EG_SECTION_RULES, &rule);
}

static void emit_env_rules(struct statement *s, uint32_t program)
{
    struct eg_lowering *l = s->l;
    struct eg_env_line line;
    if (eg_program_env_line(&l->host[program].file, &line) != 1 || !line.path) return;
    /* The interpreter is called by the name that env was given, whatever file
     * PATH leads to. */
    const struct eg_blob_program p = *eg_lowering_program(l, program);
    char spelled[4096];
    char canonical[4096];
    size_t n = strlen(eg_builder_cstr(&l->b, p.spelled));
    size_t m = strlen(l->host[program].file.path);
    if (n < sizeof(spelled) && m < sizeof(canonical)) {
        memcpy(spelled, eg_builder_cstr(&l->b, p.spelled), n + 1);
        memcpy(canonical, l->host[program].file.path, m + 1);
        emit_env_rule(s, program, &line, eg_str(spelled));
        if (strcmp(spelled, canonical) != 0) emit_env_rule(s, program, &line, eg_str(canonical));
    }
    free(line.path);
}

static void lower_found(struct statement *s, uint32_t program)
{
    struct eg_lowering *l = s->l;
    bool runs = s->ast->verb == EG_VERB_ALLOW || s->ast->verb == EG_VERB_LOG;
    s->found++;
    if (runs) eg_lowering_let_run(l, program, s->ast->program.span);
    emit_rule(s, program);
    if (!runs) return;
    emit_env_rules(s, program);
    eg_warn_rule(l, s->ast, program);
}

/* Where a `*` was: folders and files that nobody can run are not meant. */
static int lower_match(void *context, const char *path, bool folder)
{
    struct statement *s = context;
    int error = 0;
    if (folder) {
        eg_lowering_depend_now(s->l, path);
        return 0;
    }
    if (s->found == EXPANSIONS_MAX) return -E2BIG;
    uint32_t program = eg_lowering_enter(s->l, eg_str(path), EG_NAMED_BY_RULE, &error);
    if (program != EG_NONE) lower_found(s, program);
    return error == -ENOMEM ? error : 0;
}

static void lower_star(struct statement *s)
{
    const struct eg_ast_word *program = &s->ast->program;
    struct eg_diagnostics *d = s->l->diagnostics;
    int r = eg_expand_program(program->text, lower_match, s);
    if (r == -E2BIG)
        eg_diagnose(d, EG_SEVERITY_ERROR, program->span, "name the programs that are needed",
                    "%s stands for more than %u programs", eg_quote(program->text).s,
                    EXPANSIONS_MAX);
    else if (r < 0)
        s->l->failure = r;
    else if (!s->found && !s->ast->optional)
        eg_diagnose(d, EG_SEVERITY_ERROR, program->span,
                    "correct the path, or write \"optional\" before it", "no program fits %s",
                    eg_quote(program->text).s);
}

static void lower_program(struct statement *s)
{
    const struct eg_ast_word *word = &s->ast->program;
    int error = 0;
    if (has_star(word->text)) return lower_star(s);
    uint32_t program = eg_lowering_enter(s->l, word->text, EG_NAMED_BY_RULE, &error);
    if (program != EG_NONE) return lower_found(s, program);
    bool absent = error == -ENOENT || error == -ENOTDIR;
    if (!absent || !s->ast->optional)
        return eg_lowering_report_program(s->l, word->span, word->text, error);
    program = eg_lowering_enter_missing(s->l, word->text);
    if (program != EG_NONE) emit_rule(s, program);
}

static int add_caller(void *context, const char *path, bool folder)
{
    struct statement *s = context;
    int error = 0;
    if (folder) {
        eg_lowering_depend_now(s->l, path);
        return 0;
    }
    uint32_t program = eg_lowering_enter(s->l, eg_str(path), EG_NAMED_AS_CALLER, &error);
    if (program == EG_NONE) return error == -ENOMEM ? error : 0;
    eg_builder_add(&s->l->b, EG_SECTION_FROMS, &program);
    s->rule.from_count++;
    return 0;
}

/* False when a caller could not be named: the rule would hold for everybody. */
static bool lower_callers(struct statement *s)
{
    struct eg_lowering *l = s->l;
    s->rule.from = eg_builder_count(&l->b, EG_SECTION_FROMS);
    for (size_t i = 0; i < s->ast->from_count; i++) {
        const struct eg_ast_word *word = &s->ast->from[i];
        uint32_t before = s->rule.from_count;
        int error = -ENOENT;
        if (has_star(word->text)) {
            int r = eg_expand_program(word->text, add_caller, s);
            if (r < 0) l->failure = r;
        } else {
            uint32_t program = eg_lowering_enter(l, word->text, EG_NAMED_AS_CALLER, &error);
            if (program == EG_NONE && error == -ENOENT && s->ast->optional)
                program = eg_lowering_enter_missing(l, word->text);
            if (program != EG_NONE) {
                eg_builder_add(&l->b, EG_SECTION_FROMS, &program);
                s->rule.from_count++;
            }
        }
        if (s->rule.from_count > before) continue;
        if (has_star(word->text) && s->ast->optional) continue;
        eg_lowering_report_program(l, word->span, word->text, error);
        return false;
    }
    return s->ast->from_count == 0 || s->rule.from_count > 0;
}

/* Names are looked up now: a static program cannot ask the name services, so users
 * that only those know are written as numbers.  False: one is unknown, and the rule
 * would hold for nobody or for everybody. */
static bool lower_users(struct statement *s)
{
    struct eg_lowering *l = s->l;
    s->rule.user = eg_builder_count(&l->b, EG_SECTION_USERS);
    for (size_t i = 0; i < s->ast->user_count; i++) {
        const struct eg_ast_word *word = &s->ast->users[i];
        uint32_t user;
        bool looked_up;
        if (!eg_user_number(word->text, &user, &looked_up)) {
            eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, word->span,
                        "write a name of /etc/passwd, or the number of a user known elsewhere",
                        "there is no user %s", eg_quote(word->text).s);
            return false;
        }
        eg_builder_add(&l->b, EG_SECTION_USERS, &user);
        s->rule.user_count++;
        if (looked_up) eg_lowering_depend_now(l, EG_USERS_FILE);
    }
    return true;
}

static void lower_shell_from(struct statement *s)
{
    struct eg_lowering *l = s->l;
    int error = 0;
    uint32_t shell = eg_lowering_enter(l, SHELL, EG_NAMED_AS_INTERPRETER, &error);
    if (shell == EG_NONE) return eg_lowering_report_program(l, s->ast->span, SHELL, error);
    eg_lowering_let_run(l, shell, s->ast->span);
    s->rule.program = EG_NONE;
    eg_builder_add(&l->b, EG_SECTION_RULES, &s->rule);
}

static bool reported_already(const struct eg_diagnostics *d, const struct eg_span *span)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].span.source == span->source && d->items[i].span.line == span->line &&
            d->items[i].message && !strcmp(d->items[i].message, EG_MESSAGE_RULE_REPEATED))
            return true;
    return false;
}

static void warn_if_covered(const struct statement *s)
{
    if (!s->rules || s->covered < s->rules) return;
    if (reported_already(s->l->diagnostics, &s->ast->span)) return;
    struct eg_hint hint = eg_format_hint(
        "line %u takes every call of this program, and the first rule wins", s->covered_by);
    eg_report_hint(s->l->diagnostics, RULE_REPEATED, s->ast->span, hint.s);
}

static void lower_rule(struct eg_lowering *l, const struct eg_ast_rule *ast)
{
    const struct eg_source *source = &l->policy->sources[ast->span.source];
    struct statement s = {
        .l = l,
        .ast = ast,
        .rule = { .verb = ast->verb,
                  .file = eg_builder_string(&l->b, source->path),
                  .line = ast->span.line },
    };
    if (!lower_callers(&s) || !lower_users(&s)) return;
    if (ast->verb == EG_VERB_SHELL_FROM) return lower_shell_from(&s);
    if (eg_compile_arguments(&l->b, NULL, 0, &ast->args, &s.rule.nodes, &s.rule.node_count) < 0)
        return eg_diagnose(l->diagnostics, EG_SEVERITY_ERROR, ast->span,
                           "write several rules, or holes in place of alternatives",
                           "the argument pattern is too large: it takes more than %u steps",
                           EG_NODES_MAX);
    lower_program(&s);
    warn_if_covered(&s);
}

void eg_lower_rules(struct eg_lowering *l)
{
    for (size_t i = 0; i < l->policy->rule_count && !l->failure; i++)
        lower_rule(l, &l->policy->rules[i]);
}
