// SPDX-License-Identifier: MIT
/* `execguard status`: who is guarded now, by what, and what is out of date.
 *
 * Supervising processes tell about their trees (supervisor/status.h).  Who has
 * no supervisor is found by what the kernel shows: a filter, the preload object
 * among the mappings, EXECGUARD_POLICY in the environment. */
#include "cli.h"

#include "guarded.h"

#include <string.h>

const char eg_verb_status_help[] =
    "usage: execguard status [--json | --outdated]\n"
    "\n"
    "Lists the guarded processes that live: policy, way of attaching, layers, what was\n"
    "refused so far in their tree (by a supervisor; others do not count), and what is\n"
    "out of date: programs that were replaced since the policy was compiled, so that\n"
    "they no longer run until the worker is restarted.\n"
    "\n"
    "  --json      the same for programs\n"
    "  --outdated  only who is out of date, a line each, words separated by tabs:\n"
    "              what to do (reload, restart, compile), what it is (unit, container,\n"
    "              process), its name, the policy, the first file that was replaced.\n"
    "              reload: the worker may start itself again (`worker reexec'), and\n"
    "              its supervisor then starts it anew.  compile: attached by LD_PRELOAD\n"
    "              alone; its compiled policy first, then restart it\n"
    "\n"
    "A worker's own supervisor is seen a second after its start.  Processes of other\n"
    "users are seen by root only.\n"
    "\n"
    "Exit status: 0 nothing is out of date, 1 something is, 125 it could not look.\n";

static void print_layers(FILE *out, uint32_t layers)
{
    const char *separator = "";
    for (int layer = EG_LAYER_SHIM; layer < EG_LAYER_COUNT; layer++) {
        if (!(layers & (1u << layer))) continue;
        fprintf(out, "%s%s", separator, eg_layer_name((enum eg_layer)layer));
        separator = "+";
    }
    if (!*separator) fputc('-', out);
}

/* Names come from processes: nothing of them may reach the terminal as it is. */
static void harmless(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~') *text = '?';
}

static void print_stale(const struct eg_guarded_stale *stale)
{
    bool compile = stale->action == EG_GUARDED_COMPILE;
    printf("out of date: %s: %s was replaced; %s%s %s %s\n", stale->policy, stale->path,
           compile ? "compile the policy again and " : "",
           compile ? "restart" : eg_guarded_action_name(stale->action), stale->kind, stale->name);
}

static bool is_same(const struct eg_guarded_stale *a, const struct eg_guarded_stale *b)
{
    return a->action == b->action && strcmp(a->kind, b->kind) == 0 && strcmp(a->name, b->name) == 0;
}

static void print_outdated(const struct eg_guarded_list *list)
{
    for (size_t i = 0; i < list->stale_count; i++) {
        struct eg_guarded_stale *stale = &list->stale[i];
        size_t first = 0;
        while (!is_same(&list->stale[first], stale)) first++;
        if (first < i) continue;
        harmless(stale->path);
        printf("%s\t%s\t%s\t%s\t%s\n", eg_guarded_action_name(stale->action), stale->kind,
               stale->name, stale->policy, stale->path);
    }
}

static void print_text(struct eg_guarded_list *list)
{
    if (!list->count) puts("no guarded process");
    if (list->count)
        printf("%7s  %-24s %-16s %-7s %7s  %s\n", "PID", "PROGRAM", "POLICY", "ATTACH", "REFUSED",
               "LAYERS");
    for (size_t i = 0; i < list->count; i++) {
        struct eg_guarded *g = &list->items[i];
        char refused[24] = "-";
        if (g->counts) snprintf(refused, sizeof refused, "%llu", (unsigned long long)g->refused);
        harmless(g->program);
        printf("%7d  %-24s %-16s %-7s %7s  ", (int)g->pid, g->program, g->policy, g->attach,
               refused);
        print_layers(stdout, g->layers);
        if (g->container[0]) printf("  container %s", g->container);
        putchar('\n');
    }
    for (size_t i = 0; i < list->stale_count; i++) print_stale(&list->stale[i]);
    if (list->unreadable)
        printf("%zu filtered processes of other users could not be looked at\n", list->unreadable);
}

static void print_string(const char *name, const char *text)
{
    printf(",\"%s\":", name);
    eg_cli_json_string(stdout, eg_str(text));
}

static void print_json(const struct eg_guarded_list *list)
{
    printf("{\"processes\":[");
    for (size_t i = 0; i < list->count; i++) {
        const struct eg_guarded *g = &list->items[i];
        printf("%s{\"pid\":%d", i ? "," : "", (int)g->pid);
        print_string("program", g->program);
        print_string("policy", g->policy);
        print_string("attach", g->attach);
        if (g->container[0]) print_string("container", g->container);
        printf(",\"layers\":[");
        const char *separator = "";
        for (int layer = EG_LAYER_SHIM; layer < EG_LAYER_COUNT; layer++) {
            if (!(g->layers & (1u << layer))) continue;
            printf("%s\"%s\"", separator, eg_layer_name((enum eg_layer)layer));
            separator = ",";
        }
        printf("],\"refused\":");
        if (g->counts)
            printf("%llu}", (unsigned long long)g->refused);
        else
            printf("null}");
    }
    printf("],\"out_of_date\":[");
    for (size_t i = 0; i < list->stale_count; i++) {
        printf("%s{\"pid\":%d", i ? "," : "", (int)list->stale[i].pid);
        print_string("policy", list->stale[i].policy);
        print_string("path", list->stale[i].path);
        print_string("action", eg_guarded_action_name(list->stale[i].action));
        print_string(list->stale[i].kind, list->stale[i].name);
        putchar('}');
    }
    printf("],\"unreadable\":%zu}\n", list->unreadable);
}

int eg_verb_status(const struct eg_cli_verb *verb, int argc, char **argv)
{
    bool json = false, outdated = false;
    const struct eg_cli_option options[] = {
        { "json", 0, &json, NULL },
        { "outdated", 0, &outdated, NULL },
        { 0 },
    };
    int status = eg_cli_parse_options(verb, options, argc, argv);
    if (status >= 0) return status;
    if (json && outdated) return eg_cli_usage(verb, "--json or --outdated, not both");
    struct eg_guarded_list list = { 0 };
    int r = eg_guarded_find(&list);
    if (r < 0) {
        eg_guarded_free(&list);
        return eg_cli_error("processes cannot be listed: %s", strerror(-r));
    }
    if (json)
        print_json(&list);
    else if (outdated)
        print_outdated(&list);
    else
        print_text(&list);
    status = list.stale_count ? 1 : EG_EXIT_OK;
    eg_guarded_free(&list);
    return eg_cli_printed(status);
}
