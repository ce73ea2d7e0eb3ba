// SPDX-License-Identifier: MIT
/* `execguard explain`: asks the decision core that the shim asks, and says its
 * answer in words. */
#include "assurance.h"

#include "api/judge.h"
#include "compile/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char eg_verb_explain_help[] =
    "usage: execguard explain -p POLICY [--caller PROGRAM] [--cwd DIR] [--user USER] [--json]\n"
    "                         -- COMMAND [ARG...]\n"
    "       execguard explain -p POLICY --write WHAT [--mode MODE] [--cwd DIR] [--json]\n"
    "                         -- [OTHER] PATH\n"
    "\n"
    "Says what the policy answers when a guarded worker runs COMMAND: the verdict, the\n"
    "reason, the rule, and which layer holds a refusal under each way of attaching.\n"
    "Nothing is run.  A command line is asked about as what it is: sh -c 'LINE'.\n"
    "\n"
    "  -p, --policy POLICY   a file (with a slash), or NAME for NAME.policy in\n"
    "                        " EG_SYSCONFDIR "/execguard, then among the installed ones\n"
    "      --caller PROGRAM  who asks (for `from' rules); unknown otherwise\n"
    "      --cwd DIR         the caller's working directory; this one otherwise\n"
    "      --user USER       the caller's user (for rules `for' somebody); unknown otherwise\n"
    "      --write WHAT      ask about a change of a file instead: open, create, mkdir, mknod,\n"
    "                        rename, link, symlink, remove, mode, attribute or read; rename,\n"
    "                        link and symlink take the old name or the link's text first\n"
    "      --mode MODE       the octal mode asked for, or that of what is moved\n"
    "      --json            one JSON object instead of text\n"
    "\n"
    "Exit status: 0 allowed, 126 refused, 127 there is no such command, 125 the policy\n"
    "has errors.\n";

static const struct eg_ast_rule *find_rule(const struct eg_policy *policy,
                                           const struct eg_blob *blob,
                                           const struct eg_blob_rule *rule)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct eg_ast_rule *r = &policy->rules[i];
        if (r->span.line == rule->line &&
            eg_str_equal(policy->sources[r->span.source].path, eg_blob_str(blob, rule->file)))
            return r;
    }
    return NULL;
}

/* The rule's text, malloc'ed; NULL when there is none. */
static char *rule_text(const struct eg_cli_loaded *loaded, uint32_t index)
{
    if (index == EG_NONE) return NULL;
    const struct eg_blob_rule *rules = eg_blob_section(loaded->blob, EG_SECTION_RULES);
    const struct eg_ast_rule *rule = find_rule(loaded->policy, loaded->blob, &rules[index]);
    return rule ? eg_policy_print_rule(rule) : NULL;
}

void eg_cli_print_layers(const struct eg_cli_ground *ground, enum eg_aspect aspect)
{
    bool observes_only = ground->blob->flags & EG_BLOB_LOG_MODE;
    for (int i = 0; i < EG_ATTACH_COUNT; i++) {
        enum eg_attach attach = (enum eg_attach)i;
        char layers[EG_CELL_TEXT];
        char stops[EG_CELL_TEXT];
        if (!eg_cli_attach_built(attach)) continue;
        struct eg_cli_cell cell = eg_cli_assure(ground, aspect, attach);
        eg_cli_layers_text(cell.layers, layers);
        if (observes_only)
            printf("  %-8s logged by %s, not refused\n", eg_cli_attach_name(attach), layers);
        else
            printf("  %-8s held by %s, stops %s\n", eg_cli_attach_name(attach), layers,
                   eg_cli_stops_text(&cell, stops));
    }
}

/* The line with a caret under the byte that decided; bytes that a terminal would
 * obey, or that are wider or narrower than one column, become dots. */
static void print_caret(struct eg_str line, size_t offset)
{
    enum { BEFORE = 60, SHOWN = 76 };
    size_t start = offset > BEFORE ? offset - BEFORE : 0;
    if (offset > line.n) return;
    printf("         ");
    for (size_t i = start; i < line.n && i < start + SHOWN; i++)
        putchar(line.p[i] >= ' ' && line.p[i] <= '~' ? line.p[i] : '.');
    printf("\n         %*s^\n", (int)(offset - start), "");
}

static void print_text(const struct eg_cli_loaded *loaded, struct eg_str line,
                       const struct eg_decision *decision)
{
    const struct eg_blob_rule *rules = eg_blob_section(loaded->blob, EG_SECTION_RULES);
    bool log_mode = loaded->blob->flags & EG_BLOB_LOG_MODE;
    printf("verdict: %s%s\n", eg_verdict_name(decision->verdict),
           log_mode && decision->verdict == EG_VERDICT_DENY
               ? " (log mode: it would run, and an event say so)"
               : "");
    printf("reason:  %s: %s\n", eg_reason_slug(decision->reason),
           eg_reason_sentence(decision->reason));
    if (decision->construct.n) {
        printf("         %.*s at byte %zu of the line\n", (int)decision->construct.n,
               decision->construct.p, decision->offset);
        print_caret(line, decision->offset);
    }
    if (decision->hint.n) printf("hint:    %.*s\n", (int)decision->hint.n, decision->hint.p);
    if (decision->verdict != EG_VERDICT_DENY && line.n)
        printf("         the line runs without its shell\n");
    if (decision->depth)
        printf("         about the wrapped command `%.*s'\n", (int)decision->inner.n,
               decision->inner.p);
    if (decision->rule == EG_NONE) {
        printf("rule:    none\n");
    } else {
        char *text = rule_text(loaded, decision->rule);
        printf("rule:    %s:%u: %s%s\n", eg_blob_cstr(loaded->blob, rules[decision->rule].file),
               rules[decision->rule].line, text ? text : "",
               decision->verdict == EG_VERDICT_DENY && rules[decision->rule].verb != EG_VERB_DENY
                   ? "  (the nearest one; it does not match)"
                   : "");
        free(text);
    }
    enum eg_aspect aspect;
    if (decision->verdict == EG_VERDICT_DENY &&
        eg_cli_refusal_aspect(loaded->blob, decision, &aspect)) {
        struct eg_cli_ground ground;
        eg_cli_survey(loaded->blob, &ground);
        printf("layers:\n");
        eg_cli_print_layers(&ground, aspect);
    }
}

static void print_json(const struct eg_cli_loaded *loaded, const struct eg_decision *decision)
{
    const struct eg_blob_rule *rules = eg_blob_section(loaded->blob, EG_SECTION_RULES);
    printf("{\"verdict\":\"%s\",\"reason\":\"%s\",\"sentence\":",
           eg_verdict_name(decision->verdict), eg_reason_slug(decision->reason));
    eg_cli_json_string(stdout, eg_str(eg_reason_sentence(decision->reason)));
    if (decision->rule != EG_NONE) {
        char place[PATH_MAX + 16];
        snprintf(place, sizeof place, "%s:%u",
                 eg_blob_cstr(loaded->blob, rules[decision->rule].file),
                 rules[decision->rule].line);
        char *text = rule_text(loaded, decision->rule);
        printf(",\"rule\":");
        eg_cli_json_string(stdout, eg_str(place));
        printf(",\"text\":");
        eg_cli_json_string(stdout, eg_str(text));
        free(text);
    }
    if (decision->depth) {
        printf(",\"inner\":");
        eg_cli_json_string(stdout, decision->inner);
    }
    if (decision->construct.n) {
        printf(",\"construct\":");
        eg_cli_json_string(stdout, decision->construct);
        printf(",\"offset\":%zu", decision->offset);
    }
    enum eg_aspect aspect;
    if (decision->verdict == EG_VERDICT_DENY &&
        eg_cli_refusal_aspect(loaded->blob, decision, &aspect)) {
        struct eg_cli_ground ground;
        const char *separator = "";
        eg_cli_survey(loaded->blob, &ground);
        printf(",\"layers\":{");
        for (int i = 0; i < EG_ATTACH_COUNT; i++) {
            enum eg_attach attach = (enum eg_attach)i;
            char layers[EG_CELL_TEXT];
            if (!eg_cli_attach_built(attach)) continue;
            struct eg_cli_cell cell = eg_cli_assure(&ground, aspect, attach);
            printf("%s\"%s\":\"%s\"", separator, eg_cli_attach_name(attach),
                   eg_cli_layers_text(cell.layers, layers));
            separator = ",";
        }
        printf("}");
    }
    printf("}\n");
}

/* execve(2) would fail with this before anybody is asked. */
static int refuse_file(const char *name, int error, bool json)
{
    enum eg_reason reason =
        error == -ENOENT || error == -ENOTDIR ? EG_REASON_NOT_FOUND : EG_REASON_NOT_EXECUTABLE;
    if (json)
        printf("{\"verdict\":\"deny\",\"reason\":\"%s\"}\n", eg_reason_slug(reason));
    else
        printf("verdict: none, the kernel refuses it first\nreason:  %s: %s (%s)\n",
               eg_reason_slug(reason), eg_reason_sentence(reason), name);
    return reason == EG_REASON_NOT_FOUND ? EG_EXIT_NOT_FOUND : EG_EXIT_REFUSED;
}

struct question {
    const char *caller;
    const char *cwd;
    const char *user;
    bool json;
    int argc;
    char **argv;
};

static int answer(const struct eg_cli_loaded *loaded, const struct question *q)
{
    static char spelled[EG_PATH_MAX], path[EG_PATH_MAX], caller_path[EG_PATH_MAX];
    static char cwd[EG_PATH_MAX];
    static struct eg_api_search inner;
    const struct eg_lookup lookup = eg_api_lookup(&inner);
    struct eg_exec_request request = {
        .argv = (const char *const *)q->argv,
        .argc = (size_t)q->argc,
        .lookup = &lookup,
    };
    if (q->cwd && chdir(q->cwd) < 0) return eg_cli_error("--cwd %s: %s", q->cwd, strerror(errno));
    request.cwd = eg_resolve_cwd(cwd);
    if (q->caller) {
        int error = 0;
        int r = eg_resolve_file(AT_FDCWD, q->caller, 0, caller_path, &request.caller, &error);
        if (r < 0 || !request.caller.found)
            return eg_cli_error("--caller %s: %s", q->caller, strerror(r < 0 ? -r : -error));
    }
    if (q->user) {
        bool looked_up;
        request.user_known = eg_user_number(eg_str(q->user), &request.user, &looked_up);
        if (!request.user_known) return eg_cli_error("--user %s: there is no such user", q->user);
    }
    int r =
        eg_resolve_search(eg_api_search_path(), eg_str(q->argv[0]), spelled, path, &request.target);
    if (r < 0) return refuse_file(q->argv[0], r, q->json);

    struct eg_decision decision;
    struct eg_str line = { NULL, 0 };
    eg_decide_exec(loaded->blob, &request, &decision);
    eg_api_judge_line(loaded->blob, &request, &line, &decision);
    if (q->json)
        print_json(loaded, &decision);
    else
        print_text(loaded, line, &decision);
    return decision.verdict == EG_VERDICT_DENY ? EG_EXIT_REFUSED : EG_EXIT_OK;
}

int eg_verb_explain(const struct eg_cli_verb *verb, int argc, char **argv)
{
    const char *policy = NULL;
    struct question q = { 0 };
    struct eg_cli_write_question change = { 0 };
    const struct eg_cli_option options[] = {
        { "policy", 'p', NULL, &policy },   { "caller", 0, NULL, &q.caller },
        { "cwd", 0, NULL, &q.cwd },         { "user", 0, NULL, &q.user },
        { "write", 0, NULL, &change.what }, { "mode", 0, NULL, &change.mode },
        { "json", 0, &q.json, NULL },       { 0 },
    };
    int status = eg_cli_parse(verb, options, EG_WORDS_COMMAND, argc, argv, &q.argc, &q.argv);
    if (status >= 0) return status;
    if (!policy) return eg_cli_usage(verb, "no policy given (-p POLICY)");
    if (q.argc == 0) return eg_cli_usage(verb, change.what ? "no path given" : "no command given");
    if (change.mode && !change.what) return eg_cli_usage(verb, "--mode needs --write");

    struct eg_cli_loaded loaded;
    status = eg_cli_load_quietly(policy, &loaded);
    if (!status && change.what) {
        change.cwd = q.cwd;
        change.json = q.json;
        change.argc = q.argc;
        change.argv = q.argv;
        status = eg_cli_explain_write(verb, loaded.blob, &change);
    } else if (!status) {
        status = answer(&loaded, &q);
    }
    eg_cli_unload(&loaded);
    return status == EG_EXIT_OK ? eg_cli_printed(status) : status;
}
