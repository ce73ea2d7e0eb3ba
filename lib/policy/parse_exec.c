// SPDX-License-Identifier: MIT
/* The statements of exec { }. */
#include "policy/parser.h"

#include "policy/print.h"

static bool is_word(const struct eg_parser *p, const char *word)
{
    return p->token.kind == EG_TOKEN_WORD && eg_str_equal(p->token.text, eg_str(word));
}

static bool check_program(struct eg_parser *p, const struct eg_plain *program)
{
    struct eg_str path = program->text;
    struct eg_quoted shown = eg_quote(path);
    if (path.n == 0 || path.p[0] != '/') {
        struct eg_hint hint;
        if (eg_str_find(path, '/') == path.n && path.n > 0 && path.n < 64)
            hint = eg_format_hint("write the path from / on; \"command -v %.*s\" prints it",
                                  (int)path.n, path.p);
        else
            hint = eg_format_hint("write the path from / on, such as /usr/bin/convert");
        eg_report_hint(p->diagnostics, PROGRAM_RELATIVE, program->span, hint.s, shown.s);
        return false;
    }
    if (path.p[path.n - 1] == '/') {
        eg_report(p->diagnostics, PROGRAM_FOLDER, program->span, shown.s);
        return false;
    }
    if (program->star_quoted) {
        eg_report(p->diagnostics, PROGRAM_STAR, program->span, shown.s);
        return false;
    }
    for (size_t i = 0; i + 1 < path.n; i++) {
        if (path.p[i] != '*' || path.p[i + 1] != '*') continue;
        eg_report(p->diagnostics, PROGRAM_DEEP, program->span, shown.s);
        return false;
    }
    return true;
}

/* from = 'from' PROGRAM { PROGRAM } */
static bool parse_from(struct eg_parser *p, struct eg_ast_rule *rule)
{
    struct eg_span from = p->token.span;
    eg_parser_advance(p);
    if (eg_parser_at_end_of_statement(p)) {
        eg_report(p->diagnostics, FROM_MISSING, from);
        return false;
    }
    if (is_word(p, "for")) {
        eg_report(p->diagnostics, FROM_MISSING, from);
        return false;
    }
    while (!eg_parser_at_end_of_statement(p) && !is_word(p, "for")) {
        struct eg_plain program;
        if (!eg_parse_plain(p, "from", "a program", &program)) return false;
        if (!check_program(p, &program)) return false;
        struct eg_ast_word *grown =
            eg_arena_grow(p->policy->arena, rule->from, rule->from_count, sizeof(*grown));
        if (!grown) return eg_parser_exhausted(p);
        rule->from = grown;
        rule->from[rule->from_count++] = (struct eg_ast_word){ program.text, program.span };
    }
    return true;
}

/* for = 'for' USER { USER }: names, or numbers */
static bool parse_for(struct eg_parser *p, struct eg_ast_rule *rule)
{
    struct eg_span start = p->token.span;
    eg_parser_advance(p);
    if (eg_parser_at_end_of_statement(p)) {
        eg_report(p->diagnostics, FOR_MISSING, start);
        return false;
    }
    while (!eg_parser_at_end_of_statement(p)) {
        struct eg_plain user;
        if (!eg_parse_plain(p, "for", "a user", &user)) return false;
        struct eg_ast_word *grown =
            eg_arena_grow(p->policy->arena, rule->users, rule->user_count, sizeof(*grown));
        if (!grown) return eg_parser_exhausted(p);
        rule->users = grown;
        rule->users[rule->user_count++] = (struct eg_ast_word){ user.text, user.span };
    }
    return true;
}

/* Warn when an earlier rule takes exactly the same calls. */
static bool note_rule(struct eg_parser *p, const struct eg_ast_rule *rule)
{
    struct eg_text key = { 0 };
    eg_print_rule_subject(&key, rule);
    if (key.failed) {
        eg_text_done(&key);
        return eg_parser_exhausted(p);
    }
    struct eg_span first;
    int r = eg_seen_add(&p->seen, eg_text_view(&key), rule->span, &first);
    eg_text_done(&key);
    if (r < 0) return eg_parser_exhausted(p);
    if (r > 0) {
        struct eg_hint hint = eg_format_hint("%s names the same calls, and the first rule wins",
                                             eg_parser_place(p, first).s);
        eg_report_hint(p->diagnostics, RULE_REPEATED, rule->span, hint.s);
    }
    return true;
}

static bool add_rule(struct eg_parser *p, struct eg_ast_rule *rule, struct eg_span verb)
{
    struct eg_policy *policy = p->policy;
    rule->span = eg_span_join(verb, p->last);
    if (!eg_parser_at_end_of_statement(p))
        return eg_parser_unexpected(p, "to mean the characters put the word in double quotes");
    if (!note_rule(p, rule)) return false;
    struct eg_ast_rule *grown =
        eg_arena_grow(policy->arena, policy->rules, policy->rule_count, sizeof(*grown));
    if (!grown) return eg_parser_exhausted(p);
    policy->rules = grown;
    policy->rules[policy->rule_count++] = *rule;
    return true;
}

/* rule = ( 'allow' | 'log' | 'deny' ) [ 'optional' ] PROGRAM sequence [ from ] [ for ] */
static bool parse_rule(struct eg_parser *p, const struct eg_word_row *row, struct eg_span verb)
{
    struct eg_ast_rule rule = { .verb = row->id == EG_WORD_EXEC_ALLOW ? EG_VERB_ALLOW
                                        : row->id == EG_WORD_EXEC_LOG ? EG_VERB_LOG
                                                                      : EG_VERB_DENY };
    if (is_word(p, "optional")) {
        rule.optional = true;
        eg_parser_advance(p);
    }
    if (eg_parser_at_end_of_statement(p) || is_word(p, "from") || is_word(p, "for")) {
        eg_report(p->diagnostics, PROGRAM_MISSING, verb, eg_quote(eg_str(row->word)).s);
        return false;
    }
    struct eg_plain program;
    if (!eg_parse_plain(p, row->word, "a program", &program)) return false;
    if (!check_program(p, &program)) return false;
    rule.program = (struct eg_ast_word){ program.text, program.span };
    if (!eg_parse_arguments(p, &rule.args)) return false;
    if (is_word(p, "from") && !parse_from(p, &rule)) return false;
    if (is_word(p, "for") && !parse_for(p, &rule)) return false;
    return add_rule(p, &rule, verb);
}

/* shell = 'shell' ( 'rewrite' | 'deny' | 'allow' from [ for ] ) */
static bool parse_shell(struct eg_parser *p, struct eg_span verb)
{
    const struct eg_word_row *row =
        eg_parse_word_of(p, EG_PLACE_SHELL, "shell", "rewrite, deny or allow from PROGRAM");
    if (!row) return false;
    if (row->id != EG_WORD_SHELL_ALLOW) {
        p->policy->shell_rewrite = row->id == EG_WORD_SHELL_REWRITE;
        return eg_parser_once(p, EG_STR("shell"), &p->said_shell, verb);
    }
    if (!is_word(p, "from")) {
        struct eg_span span = eg_span_join(verb, p->last);
        eg_report(p->diagnostics, WORD_MISSING, span, "\"shell allow\"", "\"from PROGRAM\"");
        return false;
    }
    struct eg_ast_rule rule = { .verb = EG_VERB_SHELL_FROM };
    if (!parse_from(p, &rule)) return false;
    if (is_word(p, "for") && !parse_for(p, &rule)) return false;
    return add_rule(p, &rule, verb);
}

/* ( 'pipeline' | 'list' ) ( 'allow' | 'deny' ), once */
static bool parse_choice(struct eg_parser *p, const char *name, bool *ret_allow,
                         struct eg_span *said, struct eg_span verb)
{
    const struct eg_word_row *choice =
        eg_parse_word_of(p, EG_PLACE_PIPELINE, name, "allow or deny");
    if (!choice) return false;
    *ret_allow = choice->id == EG_WORD_PIPELINE_ALLOW;
    return eg_parser_once(p, eg_str(name), said, verb);
}

/* exec_statement = rule | shell | ( 'pipeline' | 'list' ) ( 'allow' | 'deny' )
 *                | 'worker' 'reexec' */
bool eg_parse_exec_statement(struct eg_parser *p)
{
    struct eg_span verb = p->token.span;
    p->in_rule = true;
    const struct eg_word_row *row = eg_parse_word_of(p, EG_PLACE_EXEC, "exec", "a statement");
    if (!row) return false;
    const struct eg_word_row *choice;
    bool good = false;
    switch ((int)row->id) {
    case EG_WORD_EXEC_ALLOW:
    case EG_WORD_EXEC_LOG:
    case EG_WORD_EXEC_DENY: good = parse_rule(p, row, verb); break;
    case EG_WORD_EXEC_SHELL: good = parse_shell(p, verb); break;
    case EG_WORD_EXEC_PIPELINE:
        good = parse_choice(p, "pipeline", &p->policy->pipeline_allow, &p->said_pipeline, verb);
        break;
    case EG_WORD_EXEC_LIST:
        good = parse_choice(p, "list", &p->policy->list_allow, &p->said_list, verb);
        break;
    case EG_WORD_EXEC_WORKER:
        choice = eg_parse_word_of(p, EG_PLACE_WORKER, "worker", "reexec");
        if (!choice) break;
        p->policy->worker_reexec = true;
        good = eg_parser_once(p, EG_STR("worker reexec"), &p->said_worker, verb);
        break;
    }
    if (good) p->in_rule = false;
    return good;
}
