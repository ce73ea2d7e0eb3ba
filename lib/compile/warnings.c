// SPDX-License-Identifier: MIT
/* What an admin should know about a program that a rule allows, though nothing
 * is wrong with the rule. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compile/arguments.h"
#include "compile/lowering.h"
#include "policy/messages.h"

struct spawner {
    const char *name;
    const char *options;
    const char *reason;
};

static const struct spawner spawners[] = {
#define S(name, options, reason) { name, options, reason },
#include "table/spawners.def"
};

/* A trailing '*' in the table stands for a version. */
static bool name_fits(const char *pattern, struct eg_str name)
{
    size_t n = strlen(pattern);
    if (pattern[n - 1] != '*') return eg_str_equal(eg_str(pattern), name);
    if (!eg_str_starts(name, (struct eg_str){ pattern, n - 1 })) return false;
    for (size_t i = n - 1; i < name.n; i++)
        if (!strchr("0123456789.-", name.p[i])) return false;
    return true;
}

static const struct spawner *find_spawner(struct eg_str name)
{
    for (size_t i = 0; i < sizeof(spawners) / sizeof(spawners[0]); i++)
        if (name_fits(spawners[i].name, name)) return &spawners[i];
    return NULL;
}

const char *eg_compile_spawner(struct eg_str name, const char **ret_options)
{
    const struct spawner *s = find_spawner(name);
    if (s) *ret_options = s->options;
    return s ? s->reason : NULL;
}

/* Options of a well-known program that make it do more than its name says. */
static void warn_spawner(struct eg_lowering *l, const struct eg_ast_rule *rule, struct eg_str name,
                         struct eg_str canonical)
{
    if (!eg_arguments_are_open(&rule->args)) return;
    const struct spawner *s = find_spawner(name);
    if (!s) s = find_spawner(canonical);
    if (!s) return;
    struct eg_quoted q = eg_quote(name);
    if (*s->options)
        eg_diagnose(l->diagnostics, EG_SEVERITY_WARNING, rule->program.span,
                    "write the options that are needed instead of `...` or <any>", "%s %s: %s", q.s,
                    s->reason, s->options);
    else
        eg_diagnose(l->diagnostics, EG_SEVERITY_WARNING, rule->program.span,
                    "write the arguments that are needed instead of `...` or <any>", "%s %s", q.s,
                    s->reason);
}

/* Does it need a shell, itself or through its interpreters? */
static bool shell_interprets(struct eg_lowering *l, uint32_t program)
{
    if (l->host[program].file.kind != EG_KIND_SCRIPT) return false;
    uint32_t next = eg_lowering_program(l, program)->interpreter;
    for (unsigned depth = 0; next != EG_NONE && depth <= EG_SCRIPT_DEPTH; depth++) {
        const struct eg_blob_program *p = eg_lowering_program(l, next);
        if (p->flags & EG_PROGRAM_SHELL) return true;
        next = p->interpreter;
    }
    struct eg_env_line line;
    if (eg_program_env_line(&l->host[program].file, &line) != 1) return false;
    free(line.path);
    struct eg_str name = eg_str_basename(line.words[0]);
    uint32_t count = eg_builder_count(&l->b, EG_SECTION_PROGRAMS);
    for (uint32_t i = 0; i < count; i++) {
        const struct eg_blob_program *p = eg_lowering_program(l, i);
        if ((p->flags & EG_PROGRAM_SHELL) &&
            eg_str_equal(name, eg_str(eg_builder_cstr(&l->b, p->name))))
            return true;
    }
    return false;
}

static void warn_file(struct eg_lowering *l, struct eg_span span, uint32_t program)
{
    struct eg_diagnostics *d = l->diagnostics;
    const struct eg_program_file *file = &l->host[program].file;
    uint32_t flags = eg_lowering_program(l, program)->flags;
    struct eg_quoted q = eg_quote(eg_str(file->path));
    if (shell_interprets(l, program))
        eg_diagnose(d, EG_SEVERITY_WARNING, span,
                    "a program in another language would let the shell stay shut",
                    "%s is a shell script: the shell joins what may run, so only shim and "
                    "supervisor keep a worker from it",
                    q.s);
    if (flags & EG_PROGRAM_MULTICALL)
        eg_diagnose(d, EG_SEVERITY_WARNING, span,
                    "install the program itself, or run under a supervisor",
                    "%s is many programs in one, chosen by argv[0]: without a supervisor native "
                    "code can run each of them",
                    q.s);
    else if (flags & EG_PROGRAM_SHELL)
        eg_diagnose(d, EG_SEVERITY_WARNING, span, "allow the programs that it would start instead",
                    "%s is a shell", q.s);
    if (flags & EG_PROGRAM_STATIC)
        eg_diagnose(d, EG_SEVERITY_WARNING, span, NULL,
                    "%s is static, the shim never enters it: what it starts is judged by a "
                    "supervisor, otherwise only by the list of programs",
                    q.s);
    if (file->foreign)
        eg_diagnose(d, EG_SEVERITY_WARNING, span, NULL,
                    "%s is made for another architecture, whose system calls are refused", q.s);
    if (file->kind == EG_KIND_OTHER)
        eg_diagnose(d, EG_SEVERITY_WARNING, span, NULL,
                    "%s is neither an ELF program nor a script with #!: the kernel will not run it",
                    q.s);
    if ((file->id.mode & (S_ISUID | S_ISGID)) && l->policy->no_new_privs)
        eg_diagnose(d, EG_SEVERITY_WARNING, span,
                    "\"no-new-privs no\" lets set-id programs work, for a guard that root starts",
                    "%s is set-id and will run without its privileges", q.s);
}

void eg_warn_rule(struct eg_lowering *l, const struct eg_ast_rule *rule, uint32_t program)
{
    struct eg_str path = eg_str(l->host[program].file.path);
    struct eg_str name = eg_str(eg_builder_cstr(&l->b, eg_lowering_program(l, program)->name));
    warn_spawner(l, rule, name, eg_str_basename(path));
    if (l->host[program].warned) return;
    l->host[program].warned = true;
    warn_file(l, rule->program.span, program);
}
