// SPDX-License-Identifier: MIT
/* Refused calls to the rules that would allow them.
 *
 * What was refused holds attacks, so a rule is no broader than what it stands for: an
 * argument is written as it was seen, and a placeholder only where different arguments
 * of one form were, of the narrowest class that holds them.  Each rule is compiled, has
 * to allow all of its calls and to refuse a further argument or another one in the place of
 * any, before it is printed. */
#include "cli.h"

#include "api/judge.h"
#include "compile/compile.h"
#include "decide/parts.h"
#include "line/line.h"
#include "policy/print.h"
#include "summary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 256, CALLS_PER_RULE = 512, LITERALS_MAX = 16, WORDS_MAX = 256 };

enum form { LITERAL, INTEGER, ADDRESS, EMAIL, FILE_IN, FORMS };

struct argument {
    enum form form;
    size_t prefix; /* bytes before the form: of --size=10, -fa@b.example */
};

/* A refused call as words. */
struct command {
    char spelled[EG_PATH_MAX]; /* the program as a rule names it */
    const char **words;
    size_t count;
    const struct eg_summary_call *call;
    char *text;                  /* a line's words lie here */
    struct eg_line_word *parsed; /* and here */
    struct eg_line line;
};

struct rule {
    const char *policy;
    struct eg_summary_times times;
    const char *script;
    size_t calls[CALLS_PER_RULE];
    size_t call_count;
};

/* --- One call --- */

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~') return false;
    return true;
}

static void free_command(struct command *command)
{
    free(command->text);
    free(command->parsed);
    free(command->words);
}

/* Words that stand for file names are no words of a rule. */
static bool read_line_words(const struct eg_summary_call *call, struct command *command)
{
    size_t n = strlen(call->line);
    command->text = malloc(n + 1);
    command->parsed = calloc(WORDS_MAX, sizeof *command->parsed);
    if (!command->text || !command->parsed) return false;
    const struct eg_line_memory memory = { command->text, n + 1, command->parsed, WORDS_MAX };
    if (eg_line_parse(eg_str(call->line), EG_DIALECT_DASH, &memory, &command->line) !=
            EG_CONSTRUCT_NONE ||
        command->line.command_count != 1)
        return false;
    const struct eg_line_command *c = &command->line.commands[0];
    command->count = c->word_count;
    for (uint32_t i = 0; i < c->word_count; i++) {
        const struct eg_line_word *word = &command->line.words[c->words + i];
        if (word->flags & EG_WORD_GLOB) return false;
        command->words[i] = word->text;
    }
    return command->count > 0;
}

/* NULL, or why no rule can be written for it. */
static const char *read_command(const struct eg_summary_call *call, struct command *command)
{
    char path[EG_PATH_MAX];
    struct eg_target target;
    *command =
        (struct command){ .words = calloc(WORDS_MAX + 1, sizeof *command->words), .call = call };
    if (!command->words) eg_summary_no_memory();
    if (!call->whole) return "the events left some of its arguments out";
    if (call->line) {
        if (!read_line_words(call, command))
            return "the line is more than one simple command with fixed words";
    } else {
        if (call->argc > WORDS_MAX) return "it has too many arguments";
        command->count = call->argc;
        memcpy(command->words, call->argv, call->argc * sizeof *command->words);
    }
    for (size_t i = 0; i < command->count; i++)
        if (!is_plain(command->words[i]) || strlen(command->words[i]) > 512)
            return "an argument holds other bytes than printable ASCII, or is too long";
    /* the name that the caller used, where it leads to the program of the event */
    if (eg_resolve_search(eg_api_search_path(), eg_str(command->words[0]), command->spelled, path,
                          &target) < 0 ||
        (!call->line && strcmp(path, call->program) != 0))
        snprintf(command->spelled, sizeof command->spelled, "%s", call->line ? "" : call->program);
    if (command->spelled[0] != '/') return "the program is not found here";
    if (!is_plain(command->spelled)) return "the program's name is not printable ASCII";
    if (eg_name_is_shell(eg_str_basename(eg_str(command->words[0]))) ||
        eg_name_is_shell(eg_str_basename(eg_str(command->spelled))) ||
        eg_name_is_shell(eg_str_basename(eg_str(path))))
        return "a shell: allow the programs that it would start instead";
    return NULL;
}

static enum form form_of(const char *text)
{
    struct eg_str s = eg_str(text);
    size_t digits = strspn(text, "0123456789");
    if (digits && digits == s.n && s.n < 16) return INTEGER;
    if (eg_decide_is_email(s)) return EMAIL;
    if (eg_decide_is_ip(s) || (eg_decide_is_host(s) && strchr(text, '.'))) return ADDRESS;
    if (text[0] == '/' && text[1] && !strstr(text, "/../") && !strstr(text, "/./") &&
        !strpbrk(text, "*?[]{}<>\\\""))
        return FILE_IN;
    return LITERAL;
}

static struct argument classify(const char *word)
{
    size_t prefix = 0;
    if (word[0] == '-') {
        const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
        prefix = equals ? (size_t)(equals - word) + 1 : word[1] && word[1] != '-' ? 2 : 0;
        if (!prefix) return (struct argument){ LITERAL, 0 };
    }
    enum form form = form_of(word + prefix);
    return (struct argument){ form, form == LITERAL ? 0 : prefix };
}

/* What makes calls one rule: the program and, of each argument, all but what a
 * placeholder may stand for. */
static char *shape_of(const char *policy, const struct command *command, size_t *ret_n)
{
    char *parts[2 * WORDS_MAX + 2];
    const char *const forms[FORMS] = { "=", "int", "address", "email", "file" };
    size_t n = 0;
    parts[n++] = strdup(policy);
    parts[n++] = strdup(command->spelled);
    for (size_t i = 1; i < command->count; i++) {
        const char *word = command->words[i];
        struct argument a = classify(word);
        parts[n++] = strdup(forms[a.form]);
        size_t fixed = a.form == LITERAL ? strlen(word) : a.prefix;
        if (a.form == FILE_IN) fixed = (size_t)(strrchr(word, '/') - word) + 1;
        parts[n++] = strndup(word, fixed);
    }
    char *key = eg_summary_key((const char *const *)parts, n, ret_n);
    for (size_t i = 0; i < n; i++) free(parts[i]);
    return key;
}

/* --- One rule --- */

struct list {
    struct command *commands;
    size_t count;
};

static void put_str(struct eg_text *out, const char *text)
{
    eg_text_add(out, eg_str(text));
}

/* In quotes where the language could take it for a word of its own. */
static void put_word(struct eg_text *out, struct eg_str word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.,:=@%+-";
    bool own = !word.n || eg_str_equal(word, eg_str("from")) || eg_str_equal(word, eg_str("for")) ||
               eg_str_equal(word, eg_str("..."));
    for (size_t i = 0; i < word.n && !own; i++) own = !strchr(plain, word.p[i]);
    if (own)
        eg_print_quoted(out, word);
    else
        eg_text_add(out, word);
}

/* The i-th argument of all these calls. */
static void put_argument(struct eg_text *out, const struct list *list, size_t i)
{
    const char *first = list->commands[0].words[i];
    struct argument a = classify(first);
    bool same = true, all_ip = true;
    for (size_t k = 0; k < list->count; k++) {
        const char *word = list->commands[k].words[i];
        same = same && strcmp(word, first) == 0;
        all_ip = all_ip && eg_decide_is_ip(eg_str(word + a.prefix));
    }
    put_str(out, " ");
    if (same || a.form == LITERAL) {
        put_word(out, eg_str(first));
        return;
    }
    if (a.prefix) put_word(out, (struct eg_str){ first, a.prefix });
    switch (a.form) {
    case INTEGER: put_str(out, "<int>"); break;
    case ADDRESS: put_str(out, all_ip ? "<ip>" : "<host>"); break;
    case EMAIL: put_str(out, "<email>"); break;
    default:
        put_str(out, "<file ");
        eg_text_add(out, (struct eg_str){ first + a.prefix,
                                          (size_t)(strrchr(first, '/') - first) + 1 - a.prefix });
        put_str(out, "*>");
    }
}

static void put_rule(struct eg_text *out, const struct list *list)
{
    put_str(out, "allow ");
    eg_print_program(out, eg_str(list->commands[0].spelled));
    for (size_t i = 1; i < list->commands[0].count; i++) put_argument(out, list, i);
}

/* With another word in the place of one (0: none). */
static bool allows(const struct eg_blob *blob, const struct command *command, size_t changed,
                   bool one_more)
{
    static char spelled[EG_PATH_MAX], path[EG_PATH_MAX];
    static struct eg_api_search inner;
    const char *argv[WORDS_MAX + 2];
    const struct eg_lookup lookup = eg_api_lookup(&inner);
    struct eg_decision decision;
    struct eg_exec_request request = { .argv = argv, .argc = command->count, .lookup = &lookup };
    memcpy(argv, command->words, command->count * sizeof *argv);
    if (changed) argv[changed] = "~";
    if (one_more) argv[request.argc++] = "further";
    argv[request.argc] = NULL;
    if (eg_resolve_search(eg_api_search_path(), eg_str(command->spelled), spelled, path,
                          &request.target) < 0)
        return false;
    eg_decide_exec(blob, &request, &decision);
    return decision.verdict != EG_VERDICT_DENY;
}

/* The line as it was asked for, shell and all. */
static bool allows_line(const struct eg_blob *blob, const struct eg_summary_call *call)
{
    static char spelled[EG_PATH_MAX], path[EG_PATH_MAX];
    static struct eg_api_search inner;
    const struct eg_lookup lookup = eg_api_lookup(&inner);
    const char *argv[] = { "sh", "-c", call->line, NULL };
    struct eg_str line;
    struct eg_decision decision;
    struct eg_exec_request request = { .argv = argv, .argc = 3, .lookup = &lookup };
    if (eg_resolve_search(eg_api_search_path(), eg_str("/bin/sh"), spelled, path, &request.target) <
        0)
        return false;
    eg_decide_exec(blob, &request, &decision);
    eg_api_judge_line(blob, &request, &line, &decision);
    return decision.verdict != EG_VERDICT_DENY;
}

/* Does the rule say what it is to say? */
static bool holds(const struct eg_text *rule, const struct list *list)
{
    static struct eg_diagnostics diagnostics;
    struct eg_policy_options options;
    struct eg_policy *policy = NULL;
    struct eg_blob *blob = NULL;
    char *text = NULL;
    bool good = false;
    if (rule->failed || asprintf(&text, "exec {\n%.*s\n}\n", (int)rule->n, rule->p) < 0)
        eg_summary_no_memory();
    eg_cli_policy_options(&options);
    diagnostics = (struct eg_diagnostics){ 0 };
    if (eg_policy_parse("suggested", eg_str(text), &options, &diagnostics, &policy) == 0 &&
        eg_compile(policy, eg_cli_compile_options(), &diagnostics, &blob) == 0) {
        const struct command *first = &list->commands[0];
        good = !allows(blob, first, 0, true);
        /* no placeholder that is written here holds such a word */
        for (size_t i = 1; good && i < first->count; i++)
            good = strcmp(first->words[i], "~") == 0 || !allows(blob, first, i, false);
        for (size_t i = 0; good && i < list->count; i++)
            good = allows(blob, &list->commands[i], 0, false) &&
                   (!list->commands[i].call->line || allows_line(blob, list->commands[i].call));
    }
    eg_blob_free(blob);
    eg_policy_free(policy);
    eg_diagnostics_free(&diagnostics);
    free(text);
    return good;
}

static void put_warning(const struct command *command, FILE *out)
{
    const char *options = "";
    const char *reason = eg_compile_spawner(eg_str_basename(eg_str(command->words[0])), &options);
    if (!reason) reason = eg_compile_spawner(eg_str_basename(eg_str(command->spelled)), &options);
    if (!reason) return;
    fprintf(out, "    # WARNING: by its arguments this program %s%s%s\n", reason,
            *options ? ": " : "", options);
}

static void put_refused(const struct command *command, const char *why, FILE *out)
{
    fputs("    # no rule for `", out);
    for (size_t i = 0; i < command->count && i < 16; i++) {
        if (i) putc(' ', out);
        eg_summary_put(out, command->words[i], 80);
    }
    fprintf(out, "': %s\n", why);
}

static void suggest(const struct list *list, FILE *out)
{
    struct eg_text rule = { 0 };
    put_rule(&rule, list);
    if (holds(&rule, list)) {
        fprintf(out, "    %.*s\n", (int)rule.n, rule.p);
    } else if (list->count == 1) {
        put_refused(&list->commands[0], "none was found that allows it and nothing more", out);
    } else {
        /* not by a placeholder, then one by one */
        for (size_t i = 0; i < list->count && i < LITERALS_MAX; i++)
            suggest(&(struct list){ &list->commands[i], 1 }, out);
        if (list->count > LITERALS_MAX)
            fprintf(out, "    # and %zu more like these\n", list->count - LITERALS_MAX);
    }
    eg_text_done(&rule);
}

static void put_calls(const struct eg_summary *summary, const struct rule *rule, FILE *out)
{
    struct list list = { calloc(rule->call_count, sizeof *list.commands), 0 };
    if (!list.commands) eg_summary_no_memory();
    for (size_t i = 0; i < rule->call_count; i++)
        (void)read_command(&summary->calls[rule->calls[i]], &list.commands[list.count++]);
    fprintf(out, "    # %" PRIu64 " time%s, last ", rule->times.count,
            rule->times.count == 1 ? "" : "s");
    eg_summary_put(out, rule->times.last, EG_SUMMARY_TIME_MAX);
    if (rule->script) {
        fputs(", by ", out);
        eg_summary_put(out, rule->script, 120);
    }
    putc('\n', out);
    put_warning(&list.commands[0], out);
    suggest(&list, out);
    for (size_t i = 0; i < list.count; i++) free_command(&list.commands[i]);
    free(list.commands);
}

/* --- All of them --- */

struct gathered {
    struct rule *rules;
    size_t count;
    json_t *index;
    uint64_t left_out;
};

static void gather(const struct eg_summary *summary, struct gathered *ret)
{
    for (size_t i = 0; i < summary->call_count; i++) {
        const struct eg_summary_call *call = &summary->calls[i];
        struct command command;
        size_t n = 0;
        if (!read_command(call, &command)) {
            char *key = shape_of(call->policy, &command, &n);
            const json_t *known = json_object_getn(ret->index, key, n);
            struct rule *rule = known ? &ret->rules[json_integer_value(known)] : NULL;
            if (!rule && ret->count < RULES_MAX) {
                json_object_setn_new(ret->index, key, n, json_integer((json_int_t)ret->count));
                rule = &ret->rules[ret->count++];
                rule->policy = call->policy;
                rule->script = call->script;
            }
            if (rule && rule->call_count < CALLS_PER_RULE) {
                rule->calls[rule->call_count++] = i;
                eg_summary_count(&rule->times, call->times.count, call->times.first);
                eg_summary_count(&rule->times, 0, call->times.last);
            } else {
                ret->left_out++;
            }
            free(key);
        }
        free_command(&command);
    }
}

static void put_policy(const struct eg_summary *summary, const struct gathered *all,
                       const char *policy, FILE *out)
{
    fputs("\n# policy ", out);
    eg_summary_put(out, policy, 80);
    fputs("\nexec {\n", out);
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->rules[i].policy, policy) == 0) put_calls(summary, &all->rules[i], out);
    for (size_t i = 0; i < summary->call_count; i++) {
        const struct eg_summary_call *call = &summary->calls[i];
        struct command command;
        if (strcmp(call->policy, policy) != 0) continue;
        const char *why = read_command(call, &command);
        if (why && call->line) {
            fputs("    # no rule for the line `", out);
            eg_summary_put(out, call->line, 160);
            fprintf(out, "': %s\n", why);
        } else if (why) {
            put_refused(&command, why, out);
        }
        free_command(&command);
    }
    fputs("}\n", out);
}

void eg_summary_print_rules(const struct eg_summary *summary, FILE *out)
{
    struct gathered all = { calloc(RULES_MAX, sizeof *all.rules), 0, json_object(), 0 };
    if (!all.rules || !all.index) eg_summary_no_memory();
    gather(summary, &all);
    fputs(
        "# Suggested by `execguard report --rules' from what was refused.  ATTACKS ARE AMONG IT:\n"
        "# keep the lines for what the application is meant to run, and no others.\n",
        out);
    for (size_t i = 0; i < summary->call_count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(summary->calls[k].policy, summary->calls[i].policy) == 0;
        if (!seen) put_policy(summary, &all, summary->calls[i].policy, out);
    }
    if (!summary->call_count) fputs("# No program was refused.\n", out);
    if (all.left_out || summary->calls_left_out)
        fprintf(out, "# %" PRIu64 " calls are not in this: over a limit\n",
                all.left_out + summary->calls_left_out);
    free(all.rules);
    json_decref(all.index);
}
