// SPDX-License-Identifier: MIT
/* A whole policy in canonical form: one order, one spelling, defaults left out. */
#include "policy/print.h"

#include <stdarg.h>

#include "policy/defaults.h"
#include "policy/policy.h"
#include "policy/words.h"

static void add(struct eg_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct eg_text *text, const char *format, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (n > 0) eg_text_add(text, (struct eg_str){ line, (size_t)n });
}

static void print_head(struct eg_text *text, const struct eg_policy *policy)
{
    add(text, "mode %s\n", policy->log_mode ? "log" : "enforce");
    if (policy->optional_layers) {
        add(text, "optional");
        for (int layer = 0; layer < EG_LAYER_COUNT; layer++) {
            const char *word = eg_layer_word((enum eg_layer)layer);
            if (word && (policy->optional_layers & (1u << layer))) add(text, " %s", word);
        }
        add(text, "\n");
    }
    if (!policy->no_new_privs) add(text, "no-new-privs no\n");
    if (policy->agent.text.n) {
        add(text, "agent ");
        eg_print_word(text, policy->agent.text);
        add(text, "\n");
    }
}

static void print_exec(struct eg_text *text, const struct eg_policy *policy)
{
    bool rewrite = policy->shell_rewrite == eg_default_shell_rewrite();
    if (rewrite && !policy->pipeline_allow && !policy->list_allow && !policy->worker_reexec &&
        policy->rule_count == 0) {
        add(text, "\nexec { }\n");
        return;
    }
    add(text, "\nexec {\n");
    if (!rewrite) add(text, "    shell %s\n", policy->shell_rewrite ? "rewrite" : "deny");
    if (policy->pipeline_allow) add(text, "    pipeline allow\n");
    if (policy->list_allow) add(text, "    list allow\n");
    if (policy->worker_reexec) add(text, "    worker reexec\n");
    for (size_t i = 0; i < policy->rule_count; i++) {
        add(text, "    ");
        eg_print_rule(text, &policy->rules[i]);
        add(text, "\n");
    }
    add(text, "}\n");
}

static void print_names(struct eg_text *text, const char *verb, const struct eg_ast_word *names,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add(text, "    %s ", verb);
        eg_print_word(text, names[i].text);
        add(text, "\n");
    }
}

static void print_write(struct eg_text *text, const struct eg_policy *policy)
{
    if (!policy->limit_writes) return;
    add(text, policy->tree_count ? "\nwrite {\n" : "\nwrite { }\n");
    for (size_t i = 0; i < policy->tree_count; i++) {
        const struct eg_ast_tree *tree = &policy->trees[i];
        print_names(text,
                    tree->flags & EG_TREE_BUILD ? "build"
                    : tree->flags & EG_TREE_LOG ? "log"
                                                : "allow",
                    &tree->path, 1);
    }
    if (policy->tree_count) add(text, "}\n");
}

static void print_upload_name(struct eg_text *text, const struct eg_ast_name *name)
{
    add(text, "    deny %s ", name->use == EG_NAME_READ ? "read" : "name");
    if (name->scripts) {
        add(text, "scripts");
    } else if (eg_upload_name_is_pattern(name->glob.text)) {
        eg_print_word(text, name->glob.text);
    } else {
        eg_print_quoted(text, name->glob.text);
    }
    add(text, "\n");
}

static void print_uploads(struct eg_text *text, const struct eg_ast_uploads *uploads)
{
    add(text, "\nuploads");
    for (size_t i = 0; i < uploads->tree_count; i++) {
        add(text, " ");
        eg_print_word(text, uploads->trees[i].text);
    }
    add(text, " {\n");
    for (size_t i = 0; i < uploads->name_count; i++) print_upload_name(text, &uploads->names[i]);
    if (uploads->contents) {
        add(text, "    deny content");
#define C(id, slug, sentence)                                                                      \
    if (uploads->contents & 1u << (EG_WORD_CONTENT_##id - EG_WORD_CONTENT_PHP)) add(text, " " slug);
#include "table/contents.def"
#undef C
        add(text, "\n");
    }
    if (uploads->executable_span.line) add(text, "    deny executable\n");
    if (uploads->quarantine.text.n) print_names(text, "quarantine", &uploads->quarantine, 1);
    add(text, "}\n");
}

static void print_env(struct eg_text *text, const struct eg_policy *policy)
{
    if (policy->env_count == 0) return;
    add(text, "\nenv {\n");
    for (size_t i = 0; i < policy->env_count; i++)
        print_names(text, policy->env[i].keep ? "keep" : "drop", &policy->env[i].name, 1);
    add(text, "}\n");
}

static void print_log(struct eg_text *text, const struct eg_policy *policy)
{
    bool rate =
        policy->rate_per_second != EG_DEFAULT_RATE || policy->rate_burst != EG_DEFAULT_BURST;
    if (policy->sink_count == 0 && !rate && !policy->request_off) return;
    add(text, "\nlog {\n");
    for (size_t i = 0; i < policy->sink_count; i++) {
        const struct eg_ast_sink *sink = &policy->sinks[i];
        switch (sink->kind) {
        case EG_SINK_FILE: add(text, "    file "); break;
        case EG_SINK_STDERR: add(text, "    stderr"); break;
        case EG_SINK_SYSLOG: add(text, "    syslog "); break;
        case EG_SINK_JOURNAL: add(text, "    journal"); break;
        case EG_SINK_SOCKET: add(text, "    socket "); break;
        }
        if (sink->target.text.n) eg_print_word(text, sink->target.text);
        add(text, "\n");
    }
    if (rate) add(text, "    rate %u/s burst %u\n", policy->rate_per_second, policy->rate_burst);
    if (policy->request_off) add(text, "    request off\n");
    add(text, "}\n");
}

char *eg_policy_print(const struct eg_policy *policy)
{
    struct eg_text text = { 0 };
    print_head(&text, policy);
    print_exec(&text, policy);
    print_write(&text, policy);
    for (size_t i = 0; i < policy->upload_count; i++) print_uploads(&text, &policy->uploads[i]);
    print_env(&text, policy);
    if (policy->kernel_allow_count) {
        add(&text, "\nkernel {\n");
        print_names(&text, "allow", policy->kernel_allows, policy->kernel_allow_count);
        add(&text, "}\n");
    }
    if (policy->limit_capabilities) {
        add(&text, policy->capability_count ? "\ncapabilities {\n" : "\ncapabilities { }\n");
        print_names(&text, "keep", policy->capabilities, policy->capability_count);
        if (policy->capability_count) add(&text, "}\n");
    }
    print_log(&text, policy);
    eg_text_add(&text, (struct eg_str){ "", 1 });
    if (!text.failed) return text.p;
    eg_text_done(&text);
    return NULL;
}
