// SPDX-License-Identifier: MIT
/* Event files to groups and calls.  The files may hold anything: other programs'
 * lines, an attacker's words, halves of lines. */
#include "cli.h"

#include "summary.h"

#include "decide/decide.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void eg_summary_no_memory(void)
{
    exit(eg_cli_error("out of memory"));
}

struct eg_summary *eg_summary_new(const char *only_policy)
{
    struct eg_summary *summary = calloc(1, sizeof *summary);
    if (!summary) eg_summary_no_memory();
    summary->only_policy = only_policy;
    summary->group_index = json_object();
    summary->call_index = json_object();
    if (!summary->group_index || !summary->call_index) eg_summary_no_memory();
    return summary;
}

void eg_summary_free(struct eg_summary *summary)
{
    if (!summary) return;
    for (size_t i = 0; i < summary->group_count; i++) {
        const struct eg_summary_group *g = &summary->groups[i];
        const char *const texts[] = { g->policy, g->action,    g->kind,   g->reason, g->rule,
                                      g->what,   g->construct, g->sample, g->script, g->remote };
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) free((char *)texts[k]);
    }
    for (size_t i = 0; i < summary->call_count; i++) {
        struct eg_summary_call *c = &summary->calls[i];
        for (size_t k = 0; k < c->argc; k++) free((char *)c->argv[k]);
        free(c->argv);
        free((char *)c->policy);
        free((char *)c->program);
        free((char *)c->line);
        free((char *)c->script);
    }
    json_decref(summary->group_index);
    json_decref(summary->call_index);
    free(summary);
}

/* --- Fields --- */

/* "" where there is none: a text of C, so that a NUL ends it. */
static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static bool has_nul(const json_t *value)
{
    return json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value);
}

static const char *keep(struct eg_summary *summary, const char *text)
{
    size_t n = strlen(text) + 1;
    summary->bytes += n;
    char *copy = malloc(n);
    if (!copy) eg_summary_no_memory();
    return memcpy(copy, text, n);
}

char *eg_summary_key(const char *const *texts, size_t count, size_t *ret_n)
{
    char *key = NULL;
    FILE *out = open_memstream(&key, ret_n);
    if (!out) eg_summary_no_memory();
    for (size_t i = 0; i < count; i++) fprintf(out, "%zu:%s", strlen(texts[i]), texts[i]);
    if (fclose(out) != 0) eg_summary_no_memory();
    return key;
}

void eg_summary_count(struct eg_summary_times *times, uint64_t count, const char *time)
{
    times->count += count;
    /* RFC 3339 in UTC: the order of texts is that of times */
    if (!*time) return;
    if (!*times->first || strcmp(time, times->first) < 0)
        snprintf(times->first, sizeof times->first, "%s", time);
    if (strcmp(time, times->last) > 0) snprintf(times->last, sizeof times->last, "%s", time);
}

static char *joined_argv(const json_t *argv)
{
    char *text = NULL;
    size_t n = 0, i = 0;
    json_t *word = NULL;
    FILE *out = open_memstream(&text, &n);
    if (!out) return NULL;
    json_array_foreach(argv, i, word)
    {
        const char *value = json_string_value(word);
        bool plain = value && *value && !strpbrk(value, " \t\n'\"\\");
        fprintf(out, plain ? "%s%s" : "%s'%s'", i ? " " : "", value ? value : "");
    }
    return fclose(out) == 0 ? text : (free(text), NULL);
}

/* --- Groups --- */

static char *what_of(const json_t *event)
{
    const char *path = text_of(event, "path");
    if (*path && strcmp(text_of(event, "kind"), "exec") != 0) {
        const char *slash = strrchr(path, '/');
        return slash && slash > path ? strndup(path, (size_t)(slash - path + 1)) : strdup(path);
    }
    const char *const names[] = { "inner", "variable", "program", "path", "call" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (*text_of(event, names[i])) return strdup(text_of(event, names[i]));
    return strdup("");
}

static char *sample_of(const json_t *event)
{
    const char *line = text_of(event, "line");
    if (*line) return strdup(line);
    const json_t *argv = json_object_get(event, "argv");
    return json_array_size(argv) ? joined_argv(argv) : strdup(text_of(event, "path"));
}

static void add_group(struct eg_summary *summary, const json_t *event, uint64_t count)
{
    const char *names[] = { "policy", "action", "kind", "reason", "rule", "construct" };
    enum { NAMES = sizeof names / sizeof names[0] };
    const char *texts[NAMES + 1];
    char *what = what_of(event), *sample = sample_of(event);
    const json_t *request = json_object_get(event, "request");
    const char *script = text_of(request, "script");
    size_t n = 0;
    if (!what || !sample) eg_summary_no_memory();
    for (size_t i = 0; i < NAMES; i++) texts[i] = text_of(event, names[i]);
    texts[NAMES] = what;
    char *key = eg_summary_key(texts, NAMES + 1, &n);
    const json_t *known = json_object_getn(summary->group_index, key, n);
    struct eg_summary_group *group = NULL;
    if (known) {
        group = &summary->groups[json_integer_value(known)];
        if (*script && (!group->script || strcmp(script, group->script) != 0))
            group->other_scripts = true;
    } else if (summary->group_count < EG_SUMMARY_GROUPS_MAX &&
               summary->bytes < EG_SUMMARY_BYTES_MAX) {
        json_object_setn_new(summary->group_index, key, n,
                             json_integer((json_int_t)summary->group_count));
        group = &summary->groups[summary->group_count++];
        *group = (struct eg_summary_group){
            .policy = keep(summary, texts[0]),
            .action = keep(summary, texts[1]),
            .kind = keep(summary, texts[2]),
            .reason = keep(summary, texts[3]),
            .rule = keep(summary, texts[4]),
            .construct = keep(summary, texts[5]),
            .what = keep(summary, what),
            .sample = keep(summary, sample),
            .script = *script ? keep(summary, script) : NULL,
            .remote = *script ? keep(summary, text_of(request, "remote")) : NULL,
        };
    }
    if (group)
        eg_summary_count(&group->times, count, text_of(event, "time"));
    else
        summary->left_out += count;
    free(key);
    free(what);
    free(sample);
}

/* --- Calls --- */

static bool is_whole(const json_t *event, const json_t *argv)
{
    size_t i = 0;
    json_t *word = NULL;
    bool whole =
        !json_object_get(event, "argv_left_out") && !has_nul(json_object_get(event, "line"));
    json_array_foreach(argv, i, word) whole = whole && json_is_string(word) && !has_nul(word);
    json_array_foreach(json_object_get(event, "truncated"), i, word)
    {
        const char *name = json_string_value(word);
        whole = whole && name && strcmp(name, "argv") != 0 && strcmp(name, "line") != 0 &&
                strcmp(name, "program") != 0;
    }
    return whole;
}

/* In log mode a shell runs that enforcing would not start: what it starts is answered
 * for by the event of its line. */
static bool is_of_a_line(const json_t *event)
{
    const char *exe = text_of(event, "exe"), *command = text_of(event, "command");
    const char *space = strchr(command, ' ');
    return eg_name_is_shell(eg_str_basename(eg_str(exe))) && space &&
           strncmp(space, " -c ", 4) == 0 && strcmp(text_of(event, "action"), "would-deny") == 0;
}

/* Refused starts of programs. */
static void add_call(struct eg_summary *summary, const json_t *event, uint64_t count)
{
    const char *kind = text_of(event, "kind"), *action = text_of(event, "action");
    const json_t *argv = json_object_get(event, "argv");
    size_t argc = json_array_size(argv), n = 0;
    bool shell = strcmp(kind, "shell") == 0;
    if ((strcmp(kind, "exec") != 0 && !shell) || !argc || argc > 256) return;
    if (strcmp(action, "deny") != 0 && strcmp(action, "would-deny") != 0) return;
    if (is_of_a_line(event)) return;

    const char **texts = calloc(argc + 3, sizeof *texts);
    if (!texts) eg_summary_no_memory();
    texts[0] = text_of(event, "policy");
    texts[1] = text_of(event, "program");
    texts[2] = shell ? text_of(event, "line") : "";
    for (size_t i = 0; i < argc; i++) {
        const char *word = json_string_value(json_array_get(argv, i));
        texts[3 + i] = word ? word : "";
    }
    char *key = eg_summary_key(texts, argc + 3, &n);
    const json_t *known = json_object_getn(summary->call_index, key, n);
    if (known) {
        struct eg_summary_call *call = &summary->calls[json_integer_value(known)];
        eg_summary_count(&call->times, count, text_of(event, "time"));
        call->whole = call->whole && is_whole(event, argv);
    } else if (summary->call_count < EG_SUMMARY_CALLS_MAX &&
               summary->bytes < EG_SUMMARY_BYTES_MAX) {
        const char *script = text_of(json_object_get(event, "request"), "script");
        json_object_setn_new(summary->call_index, key, n,
                             json_integer((json_int_t)summary->call_count));
        struct eg_summary_call *call = &summary->calls[summary->call_count++];
        *call = (struct eg_summary_call){
            .policy = keep(summary, texts[0]),
            .program = keep(summary, texts[1]),
            .line = *texts[2] ? keep(summary, texts[2]) : NULL,
            .argv = calloc(argc, sizeof *call->argv),
            .argc = argc,
            .script = *script ? keep(summary, script) : NULL,
            .whole = is_whole(event, argv),
        };
        if (!call->argv) eg_summary_no_memory();
        for (size_t i = 0; i < argc; i++) call->argv[i] = keep(summary, texts[3 + i]);
        eg_summary_count(&call->times, count, text_of(event, "time"));
    } else {
        summary->calls_left_out += count;
    }
    free(key);
    free(texts);
}

/* --- Lines --- */

static void add_event(struct eg_summary *summary, const json_t *event)
{
    const char *policy = text_of(event, "policy");
    if (!*text_of(event, "action") || !*text_of(event, "kind") || !*policy) {
        summary->foreign++;
        return;
    }
    if (summary->only_policy && strcmp(policy, summary->only_policy) != 0) return;
    json_int_t repeat = json_integer_value(json_object_get(event, "repeat"));
    uint64_t count = 1 + (repeat > 0 ? (uint64_t)repeat : 0);
    eg_summary_count(&summary->times, count, text_of(event, "time"));
    add_group(summary, event, count);
    add_call(summary, event, count);
}

/* A line without its newline: its length, or -1 at the end.  *ret_long: it did not fit. */
static long read_line(FILE *in, char *line, bool *ret_long)
{
    size_t n = 0;
    int c = 0;
    *ret_long = false;
    while ((c = getc_unlocked(in)) != EOF && c != '\n') {
        if (n < EG_SUMMARY_LINE_MAX)
            line[n++] = (char)c;
        else
            *ret_long = true;
    }
    return c == EOF && n == 0 ? -1 : (long)n;
}

int eg_summary_read(struct eg_summary *summary, FILE *in)
{
    char *line = malloc(EG_SUMMARY_LINE_MAX);
    bool too_long = false;
    long n = 0;
    if (!line) eg_summary_no_memory();
    while ((n = read_line(in, line, &too_long)) >= 0) {
        json_error_t error;
        if (n == 0) continue;
        json_t *event = too_long ? NULL : json_loadb(line, (size_t)n, JSON_ALLOW_NUL, &error);
        if (json_is_object(event))
            add_event(summary, event);
        else
            summary->foreign++;
        json_decref(event);
    }
    free(line);
    return ferror(in) ? -EIO : 0;
}
