// SPDX-License-Identifier: MIT
/* `execguard check`: the policy's mistakes, then what it is worth: each rule by
 * way of attaching, which layers hold it and which attackers they stop. */
#include "assurance.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char eg_verb_check_help[] =
    "usage: execguard check POLICY [--print] [--json]\n"
    "\n"
    "Reads a policy and prints its errors and warnings, then a table: for each rule\n"
    "and each way of attaching, the layers that hold it and the attackers they stop.\n"
    "\n"
    "  POLICY   a file (with a slash), or NAME for NAME.policy in\n"
    "           " EG_SYSCONFDIR "/execguard, then among the installed ones\n"
    "  --print  print the policy in canonical form (includes expanded) instead\n"
    "  --json   print the table as one JSON object\n"
    "\n"
    "Attackers: I puts text into a command line or an argument, S runs code in the\n"
    "worker's language, N runs machine code in the worker.\n"
    "\n"
    "Exit status: 0 the policy is valid (there may be warnings), 125 it has errors.\n";

static const char *const hardening_words[] = {
#define H(id, word, sentence) word,
#define F(id, word, sentence) word,
#include "table/hardening.def"
};
#define HARDENING_COUNT (sizeof hardening_words / sizeof hardening_words[0])

/* Is the word in force, not switched off by `kernel { allow WORD }'? */
static bool refused(const struct eg_policy *policy, const char *word)
{
    for (size_t i = 0; i < policy->kernel_allow_count; i++)
        if (eg_str_equal(policy->kernel_allows[i].text, eg_str(word))) return false;
    return true;
}

/* The table's lines, gathered first: column widths depend on all of them. */
struct line {
    char *place; /* "file:line"; NULL: true of every policy */
    char *text;  /* the rule; repeated on each of its lines */
    const char *wants;
    enum eg_aspect aspect;
};

struct table {
    const struct eg_cli_ground *ground;
    const struct eg_policy *policy;
    struct line *lines;
    size_t count, room;
    char *notes[64];
    size_t note_count;
    bool failed; /* out of memory */
};

static void add_line(struct table *t, const char *place, const char *text, const char *wants,
                     enum eg_aspect aspect)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        struct line *lines = realloc(t->lines, room * sizeof *lines);
        if (!lines) {
            t->failed = true;
            return;
        }
        t->lines = lines;
        t->room = room;
    }
    struct line *line = &t->lines[t->count++];
    *line = (struct line){ .wants = wants ? wants : eg_cli_aspect_wants(aspect), .aspect = aspect };
    if (place) line->place = strdup(place);
    if (text) line->text = strdup(text);
    t->failed |= (place && !line->place) || (text && !line->text);
}

static __attribute__((format(printf, 2, 3))) void note(struct table *t, const char *format, ...)
{
    if (t->note_count == sizeof t->notes / sizeof t->notes[0]) return;
    va_list args;
    va_start(args, format);
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) text = NULL;
    va_end(args);
    /* once, though many rules may name the program */
    for (size_t i = 0; text && i < t->note_count; i++)
        if (strcmp(t->notes[i], text) == 0) {
            free(text);
            text = NULL;
        }
    if (text) t->notes[t->note_count++] = text;
}

static bool any_arguments(const struct eg_ast_rule *rule)
{
    return rule->args.count == 1 && rule->args.args[0].kind == EG_ARG_REST;
}

/* The blob's rule made from this statement; a glob makes several, the first
 * stands for them. */
static const struct eg_blob_rule *
compiled(const struct eg_policy *policy, const struct eg_blob *blob, const struct eg_ast_rule *rule)
{
    const struct eg_blob_rule *rules = eg_blob_section(blob, EG_SECTION_RULES);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_RULES); i++)
        if (rules[i].line == rule->span.line &&
            eg_str_equal(eg_blob_str(blob, rules[i].file), policy->sources[rule->span.source].path))
            return &rules[i];
    return NULL;
}

static void add_rule(struct table *t, const struct eg_ast_rule *rule)
{
    const struct eg_policy *policy = t->policy;
    const struct eg_blob *blob = t->ground->blob;
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    const struct eg_blob_rule *made = compiled(policy, blob, rule);
    const struct eg_blob_program *program =
        made && made->program != EG_NONE ? &programs[made->program] : NULL;
    char *text = eg_policy_print_rule(rule);
    char *place = NULL;
    struct eg_str file = policy->sources[rule->span.source].path;
    if (asprintf(&place, "%.*s:%u", (int)file.n, file.p, rule->span.line) < 0) place = NULL;
    if (!text || !place) {
        t->failed = true;
    } else if (rule->verb == EG_VERB_SHELL_FROM) {
        add_line(t, place, text, "a shell from another program", EG_ASPECT_CALLER);
    } else if (rule->verb == EG_VERB_DENY) {
        bool shared = made && eg_cli_in_exec_set(blob, made->program);
        add_line(t, place, text, "to run it all the same",
                 shared ? EG_ASPECT_DENIED : EG_ASPECT_PROGRAM);
    } else {
        add_line(t, place, text, NULL, EG_ASPECT_FILE);
        if (!any_arguments(rule)) add_line(t, place, text, NULL, EG_ASPECT_ARGUMENTS);
        if (rule->from_count || rule->user_count) add_line(t, place, text, NULL, EG_ASPECT_CALLER);
        if (program && program->flags & EG_PROGRAM_MULTICALL)
            add_line(t, place, text, NULL, EG_ASPECT_APPLET);
    }
    if (place && program && rule->verb != EG_VERB_DENY) {
        if (program->flags & EG_PROGRAM_MISSING)
            note(t,
                 "%s is absent on this host; installed later, it is refused until the worker is "
                 "restarted",
                 eg_blob_cstr(blob, program->spelled));
        if (program->flags & EG_PROGRAM_STATIC)
            note(t,
                 "%s: %s is static: the shim does not enter it, so what it starts in turn is held "
                 "by the domain alone (programs, not arguments)",
                 place, eg_blob_cstr(blob, program->path));
    }
    free(text);
    free(place);
}

static char *place_of(const struct eg_policy *policy, struct eg_span span)
{
    struct eg_str file = policy->sources[span.source].path;
    char *place = NULL;
    return asprintf(&place, "%.*s:%u", (int)file.n, file.p, span.line) < 0 ? NULL : place;
}

static void add_uploads(struct table *t, const struct eg_ast_uploads *uploads)
{
    char *place = place_of(t->policy, uploads->span);
    char *text = NULL;
    uint32_t uses = 0;
    for (size_t i = 0; i < uploads->name_count; i++) uses |= uploads->names[i].use;
    if (asprintf(&text, "uploads %.*s%s", (int)uploads->trees[0].text.n, uploads->trees[0].text.p,
                 uploads->tree_count > 1 ? " ..." : "") < 0)
        text = NULL;
    if (!place || !text) {
        t->failed = true;
    } else {
        if (uses & EG_NAME_WRITE) add_line(t, place, text, NULL, EG_ASPECT_NAME);
        if (uploads->contents) add_line(t, place, text, NULL, EG_ASPECT_CONTENT);
        if (uploads->contents) add_line(t, place, text, NULL, EG_ASPECT_FRESH);
        if (uploads->executable_span.line) add_line(t, place, text, NULL, EG_ASPECT_MODE);
        if (uses & EG_NAME_READ) add_line(t, place, text, NULL, EG_ASPECT_READ);
    }
    free(text);
    free(place);
}

static void add_writes(struct table *t)
{
    const struct eg_policy *policy = t->policy;
    if (policy->limit_writes) add_line(t, NULL, NULL, NULL, EG_ASPECT_TREE);
    for (size_t i = 0; i < policy->tree_count; i++)
        if (policy->trees[i].flags & EG_TREE_BUILD)
            note(t, "unsafe: `build %.*s' is written and run", (int)policy->trees[i].path.text.n,
                 policy->trees[i].path.text.p);
    if (policy->upload_count)
        note(t, "code that lies in another writable tree (session files, /tmp) can be included: "
                "`deny read' is about upload trees only");
}

static void add_always(struct table *t)
{
    bool limits = t->ground->blob->flags & EG_BLOB_LIMIT_CAPS;
    static const enum eg_aspect always[] = {
        EG_ASPECT_PROGRAM, EG_ASPECT_SHELL,       EG_ASPECT_LOADER,
        EG_ASPECT_PLANTED, EG_ASPECT_ENVIRONMENT, EG_ASPECT_LIBRARY,
        EG_ASPECT_WRITE,   EG_ASPECT_TRUNCATE,    EG_ASPECT_SCOPE,
    };
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        add_line(t, NULL, NULL, NULL, always[i]);
    add_line(t, NULL, NULL, NULL, EG_ASPECT_KERNEL);
    if (limits) add_line(t, NULL, NULL, NULL, EG_ASPECT_CAPABILITIES);
}

static void note_layers(struct table *t)
{
    const struct eg_cli_ground *g = t->ground;
    uint32_t optional = g->blob->optional_layers;
    if (!g->machine.landlock_abi)
        note(t,
             optional & (1u << EG_LAYER_DOMAIN)
                 ? "this kernel has no Landlock; the policy says `optional landlock', so workers "
                   "start without the domain: N runs any program"
                 : "this kernel has no Landlock: workers will not start here (125) unless the "
                   "policy says `optional landlock'");
    else if (g->machine.landlock_abi < 6)
        note(t,
             "this kernel has Landlock ABI %d: signals and abstract sockets out of the tree need "
             "ABI 6 (6.12)%s",
             g->machine.landlock_abi,
             g->machine.landlock_abi < 3 ? ", refusing truncate(2) needs ABI 3 (6.2)" : "");
    if (!g->machine.filter)
        note(t,
             optional & (1u << EG_LAYER_FILTER)
                 ? "this kernel takes no seccomp filter; the policy says `optional seccomp', so "
                   "the hardening list is not refused"
                 : "this kernel takes no seccomp filter: workers will not start here (125) unless "
                   "the policy says `optional seccomp'");
    if (!g->machine.listener && eg_cli_attach_built(EG_ATTACH_RUN))
        note(t, "this kernel gives no seccomp listener: the supervisor cannot work here");
    for (int layer = EG_LAYER_SHIM; layer < EG_LAYER_COUNT; layer++)
        if (optional & (1u << layer))
            note(t,
                 "the layer `%s' is optional: on a host that lacks it, workers start without, and "
                 "the table loses it",
                 eg_layer_name((enum eg_layer)layer));
}

static void note_limits(struct table *t)
{
    const struct eg_policy *policy = t->policy;
    const struct eg_cli_ground *g = t->ground;
    const struct eg_blob_program *programs = eg_blob_section(g->blob, EG_SECTION_PROGRAMS);
    if (g->blob->flags & EG_BLOB_LOG_MODE)
        note(t, "log mode: nothing is refused; lines with `nobody' are not even observed");
    if (g->shell_may_run != EG_NONE) {
        const char *shell = eg_blob_cstr(g->blob, programs[g->shell_may_run].path);
        if (g->shell_needs_it != EG_NONE)
            note(t,
                 "the domain must let %s run, because %s needs it as its interpreter: S by raw "
                 "system calls and N can start that shell",
                 shell, eg_blob_cstr(g->blob, programs[g->shell_needs_it].path));
        else
            note(t,
                 "the domain must let %s run, because a rule names it: S by raw system calls and "
                 "N can start it as a shell",
                 shell);
    }
    if (g->loader_may_run)
        note(t, "the dynamic loader must be allowed to run: N maps any readable program through it "
                "(`ld.so PROGRAM'); a supervisor refuses that, no layer of preload and exec does");
    if (g->blob->flags & EG_BLOB_WORKER_REEXEC)
        note(t, "`worker reexec': the worker's own program stays in the exec set, with any "
                "arguments for N");
    if (!(g->blob->flags & EG_BLOB_NO_NEW_PRIVS))
        note(t, "`no-new-privs no': set-id programs that the policy allows gain their privilege; "
                "only root can start such a worker, and a set-id program takes no preload object");
    note(t,
         "by preload alone, a program that is started without LD_PRELOAD (env -i, static, set-id) "
         "is not guarded in the first place; `exec' installs its layers before it starts");
    for (size_t i = 0; i < policy->kernel_allow_count; i++)
        note(t, "`kernel { allow %.*s }' takes that word out of the hardening list",
             (int)policy->kernel_allows[i].text.n, policy->kernel_allows[i].text.p);
}

static const char *cell_text(const struct table *t, enum eg_aspect aspect, enum eg_attach attach,
                             char buf[2 * EG_CELL_TEXT])
{
    char layers[EG_CELL_TEXT];
    char stops[EG_CELL_TEXT];
    struct eg_cli_cell cell = eg_cli_assure(t->ground, aspect, attach);
    eg_cli_layers_text(cell.layers, layers);
    if (t->ground->blob->flags & EG_BLOB_LOG_MODE)
        snprintf(buf, 2 * EG_CELL_TEXT, "%s", cell.layers ? layers : "nobody");
    else
        snprintf(buf, 2 * EG_CELL_TEXT, "%s  %s", eg_cli_stops_text(&cell, stops), layers);
    return buf;
}

static void print_row(const struct table *t, const struct line *line, const int widths[],
                      int wants_width)
{
    char cell[2 * EG_CELL_TEXT];
    printf("  %-*s", wants_width, line->wants);
    for (int i = 0; i < EG_ATTACH_COUNT; i++)
        if (widths[i])
            printf("  %-*s", widths[i], cell_text(t, line->aspect, (enum eg_attach)i, cell));
    putchar('\n');
}

static void print_words(const struct table *t)
{
    int column = printf("  hardening list:");
    for (size_t i = 0; i < HARDENING_COUNT; i++) {
        if (!refused(t->policy, hardening_words[i])) continue;
        if (column + (int)strlen(hardening_words[i]) > 98)
            column = printf("\n                 ") - 1;
        column += printf(" %s", hardening_words[i]);
    }
    putchar('\n');
}

static void print_text(const struct table *t)
{
    int widths[EG_ATTACH_COUNT] = { 0 };
    int wants_width = 0;
    char cell[2 * EG_CELL_TEXT];
    for (size_t n = 0; n < t->count; n++) {
        int width = (int)strlen(t->lines[n].wants);
        if (width > wants_width) wants_width = width;
        for (int i = 0; i < EG_ATTACH_COUNT; i++) {
            if (!eg_cli_attach_built((enum eg_attach)i)) continue;
            width = (int)strlen(cell_text(t, t->lines[n].aspect, (enum eg_attach)i, cell));
            if (width > widths[i]) widths[i] = width;
        }
    }
    printf("policy %s, mode %s\n\n  %-*s", eg_blob_cstr(t->ground->blob, t->ground->blob->name),
           t->ground->blob->flags & EG_BLOB_LOG_MODE ? "log" : "enforce", wants_width,
           "what an attacker wants");
    for (int i = 0; i < EG_ATTACH_COUNT; i++)
        if (widths[i]) printf("  %-*s", widths[i], eg_cli_attach_name((enum eg_attach)i));
    putchar('\n');
    const char *last = "";
    bool always = false;
    for (size_t n = 0; n < t->count; n++) {
        const struct line *line = &t->lines[n];
        if (line->place && strcmp(last, line->place) != 0)
            printf("\n%s: %s\n", line->place, line->text);
        if (line->place) last = line->place;
        if (!line->place && !always) puts("\nevery policy:");
        always |= !line->place;
        print_row(t, line, widths, wants_width);
    }
    print_words(t);
    puts("\nI injector, S script, N native code: stopped; s: stopped while it calls through libc.");
    for (size_t n = 0; n < t->note_count; n++) printf("note: %s\n", t->notes[n]);
}

static void print_json_cell(const struct table *t, enum eg_aspect aspect, enum eg_attach attach)
{
    static const char *const holds[] = { "no", "partly", "yes" };
    struct eg_cli_cell cell = eg_cli_assure(t->ground, aspect, attach);
    const char *separator = "";
    printf("\"%s\":{\"layers\":[", eg_cli_attach_name(attach));
    for (int layer = EG_LAYER_SHIM; layer < EG_LAYER_COUNT; layer++) {
        if (!(cell.layers & (1u << layer))) continue;
        printf("%s\"%s\"", separator, eg_layer_name((enum eg_layer)layer));
        separator = ",";
    }
    printf("],\"I\":\"%s\",\"S\":\"%s\",\"N\":\"%s\"}", holds[cell.injector], holds[cell.script],
           holds[cell.native]);
}

static void print_json(const struct table *t)
{
    printf("{\"policy\":");
    eg_cli_json_string(stdout, eg_blob_str(t->ground->blob, t->ground->blob->name));
    printf(",\"mode\":\"%s\",\"lines\":[",
           t->ground->blob->flags & EG_BLOB_LOG_MODE ? "log" : "enforce");
    for (size_t n = 0; n < t->count; n++) {
        const struct line *line = &t->lines[n];
        const char *separator = "";
        printf("%s{", n ? "," : "");
        if (line->place) {
            printf("\"rule\":");
            eg_cli_json_string(stdout, eg_str(line->place));
            printf(",\"text\":");
            eg_cli_json_string(stdout, eg_str(line->text));
            putchar(',');
        }
        printf("\"wants\":");
        eg_cli_json_string(stdout, eg_str(line->wants));
        printf(",\"attach\":{");
        for (int i = 0; i < EG_ATTACH_COUNT; i++) {
            if (!eg_cli_attach_built((enum eg_attach)i)) continue;
            printf("%s", separator);
            print_json_cell(t, line->aspect, (enum eg_attach)i);
            separator = ",";
        }
        printf("}}");
    }
    printf("],\"hardening\":[");
    const char *comma = "";
    for (size_t i = 0; i < HARDENING_COUNT; i++) {
        if (!refused(t->policy, hardening_words[i])) continue;
        printf("%s\"%s\"", comma, hardening_words[i]);
        comma = ",";
    }
    printf("],\"notes\":[");
    for (size_t n = 0; n < t->note_count; n++) {
        printf("%s", n ? "," : "");
        eg_cli_json_string(stdout, eg_str(t->notes[n]));
    }
    puts("]}");
}

static int print_table(const struct eg_cli_loaded *loaded, bool json)
{
    struct eg_cli_ground ground;
    struct table table = { .ground = &ground, .policy = loaded->policy };
    eg_cli_survey(loaded->blob, &ground);
    for (size_t i = 0; i < loaded->policy->rule_count; i++)
        add_rule(&table, &loaded->policy->rules[i]);
    for (size_t i = 0; i < loaded->policy->upload_count; i++)
        add_uploads(&table, &loaded->policy->uploads[i]);
    add_writes(&table);
    add_always(&table);
    note_layers(&table);
    note_limits(&table);
    if (!table.failed && json)
        print_json(&table);
    else if (!table.failed)
        print_text(&table);
    for (size_t i = 0; i < table.count; i++) {
        free(table.lines[i].place);
        free(table.lines[i].text);
    }
    free(table.lines);
    for (size_t i = 0; i < table.note_count; i++) free(table.notes[i]);
    return table.failed ? eg_cli_error("out of memory") : EG_EXIT_OK;
}

static int print_policy(const struct eg_cli_loaded *loaded)
{
    char *text = eg_policy_print(loaded->policy);
    if (!text) return eg_cli_error("out of memory");
    fputs(text, stdout);
    free(text);
    return EG_EXIT_OK;
}

int eg_verb_check(const struct eg_cli_verb *verb, int argc, char **argv)
{
    bool print = false;
    bool json = false;
    const char *policy = NULL;
    const struct eg_cli_option options[] = {
        { "policy", 'p', NULL, &policy },
        { "print", 0, &print, NULL },
        { "json", 0, &json, NULL },
        { 0 },
    };
    int status = eg_cli_parse_policy(verb, options, &policy, argc, argv);
    if (status >= 0) return status;
    if (print && json) return eg_cli_usage(verb, "--print and --json exclude each other");

    struct eg_cli_loaded loaded;
    status = eg_cli_load(policy, NULL, &loaded);
    if (!status) status = print ? print_policy(&loaded) : print_table(&loaded, json);
    eg_cli_unload(&loaded);
    return eg_cli_printed(status);
}
