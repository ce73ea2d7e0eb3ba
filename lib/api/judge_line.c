// SPDX-License-Identifier: MIT
/* What the policy says of a shell's command line: the words expanded and the
 * programs found as the shim does it, the answer by the same function. */
#include "api/judge.h"

#include "decide/shell.h"
#include "resolve/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 8192u
#define GLOB_SIZE (1u << 20)

struct explained {
    const struct eg_exec_request *exec;
    struct eg_str search;
    struct eg_shell shell;
    struct eg_line line;
    const char **argv;
    char *globs;
    char spelled[EG_PATH_MAX];
    char path[EG_PATH_MAX];
};

static struct eg_str search_path(const struct explained *e, const struct eg_line_command *command)
{
    for (uint32_t i = command->assignment_count; i > 0; i--) {
        const struct eg_line_word *word = &e->line.words[command->assignments + i - 1];
        if (strncmp(word->text, "PATH=", 5) == 0) return eg_str(word->text + 5);
    }
    struct eg_str exported = eg_line_exported(&e->line, EG_STR("PATH"));
    return exported.p ? exported : e->search;
}

static size_t expand_word(const struct explained *e, const struct eg_line_word *word, size_t argc,
                          size_t *used)
{
    char *pattern = e->globs + *used;
    long n = -1;
    bool literal = e->shell.effects & EG_SHELL_NOGLOB || eg_line_moves(&e->line);
    if (word->flags & EG_WORD_GLOB && !literal)
        n = eg_line_pattern(e->shell.command, word, pattern, GLOB_SIZE - *used);
    long found = 0;
    if (n >= 0) {
        size_t start = *used + (size_t)n + 1;
        found = eg_line_expand(pattern, e->globs + start, GLOB_SIZE - start, e->argv + argc,
                               (uint32_t)(WORDS_MAX - argc - 1));
        for (long i = 0; i < found; i++) {
            const char *path = e->argv[argc + (size_t)i];
            size_t end = (size_t)(path - e->globs) + strlen(path) + 1;
            if (end > *used) *used = end;
        }
    }
    if (found > 0) return (size_t)found;
    e->argv[argc] = word->text;
    return 1;
}

static int request_command(void *context, uint32_t index, struct eg_exec_request *ret)
{
    struct explained *e = context;
    const struct eg_line_command *command = &e->line.commands[index];
    size_t argc = 0;
    size_t used = 0;
    for (uint32_t i = 0; i < command->word_count; i++) {
        if (argc + 1 >= WORDS_MAX) return -E2BIG;
        argc += expand_word(e, &e->line.words[command->words + i], argc, &used);
    }
    e->argv[argc] = NULL;
    *ret = *e->exec;
    ret->argv = e->argv;
    ret->argc = argc;
    if (eg_resolve_search(search_path(e, command), eg_str(e->argv[0]), e->spelled, e->path,
                          &ret->target) < 0)
        ret->target = (struct eg_target){ .path = eg_str(e->argv[0]) };
    return 0;
}

void eg_api_judge_line(const struct eg_blob *blob, const struct eg_exec_request *request,
                       struct eg_str *ret_line, struct eg_decision *decision)
{
    bool asks = decision->verdict == EG_VERDICT_DENY && decision->reason == EG_REASON_SHELL &&
                decision->depth == 0 && blob->flags & EG_BLOB_SHELL_REWRITE;
    struct explained *e = asks ? calloc(1, sizeof *e) : NULL;
    if (!e) return;
    const char *path = getenv("PATH");
    e->exec = request;
    e->search =
        eg_str(path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    eg_line_shell_command(request->argv, request->argc, &e->shell);
    e->shell.dialect = eg_decide_shell_dialect(&e->shell, &request->target);
    bool readable = e->shell.kind == EG_SHELL_COMMAND && e->shell.dialect != EG_DIALECT_NONE;
    struct eg_shell_request asked = { .exec = request,
                                      .shell = &e->shell,
                                      .line = readable ? &e->line : NULL,
                                      .command = request_command,
                                      .context = e };
    struct eg_line_memory memory = { malloc(e->shell.command.n + 1), e->shell.command.n + 1,
                                     calloc(WORDS_MAX, sizeof(struct eg_line_word)), WORDS_MAX };
    e->argv = calloc(WORDS_MAX, sizeof *e->argv);
    e->globs = malloc(GLOB_SIZE);
    if (memory.text && memory.words && e->argv && e->globs) {
        if (readable) eg_line_parse(e->shell.command, e->shell.dialect, &memory, &e->line);
        eg_decide_shell(blob, &asked, decision);
        *ret_line = e->shell.command;
        /* the name lies in memory that ends here */
        if (decision->inner.n) decision->inner.p = strndup(decision->inner.p, decision->inner.n);
        if (!decision->inner.p) decision->inner.n = 0;
    }
    free(memory.text);
    free(memory.words);
    free(e->argv);
    free(e->globs);
    free(e);
}
