// SPDX-License-Identifier: MIT
/* Command lines of any bytes: the parser keeps within its memory, its answer is
 * consistent, and a line written again from what was understood, with every
 * word in quotes, is understood the same. */
#include "line/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition, const char *what)
{
    if (condition) return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

struct parsed {
    struct eg_line line;
    char *text;
    struct eg_line_word words[WORDS];
};

static void parse(const char *p, size_t n, enum eg_dialect dialect, struct parsed *ret)
{
    /* Exactly the promised memory, so that a byte more is seen. */
    ret->text = malloc(n + 1);
    struct eg_line_memory memory = { ret->text, n + 1, ret->words, WORDS };
    eg_line_parse((struct eg_str){ p, n }, dialect, &memory, &ret->line);
}

static void check_word(const struct parsed *parsed, const struct eg_line_word *word, size_t n)
{
    require(word->offset < word->end && word->end <= n, "a word lies in the line");
    require(word->text >= parsed->text && word->text + word->n <= parsed->text + n,
            "a word's text lies in the memory");
    require(strlen(word->text) == word->n, "a word ends in its only NUL");
    require(word->n <= word->end - word->offset, "a word is no longer than what was written");
}

static void check_pattern(const char *p, size_t n, const struct eg_line_word *word)
{
    char *pattern = malloc(2 * (size_t)word->n + 1);
    long length = eg_line_pattern((struct eg_str){ p, n }, word, pattern, 2 * (size_t)word->n + 1);
    size_t k = 0;
    require(length >= 0, "a pattern fits in twice the word");
    for (long i = 0; i < length; i++, k++) {
        if (pattern[i] == '\\') i++;
        require(k < word->n && pattern[i] == word->text[k], "a pattern is its word, escaped");
    }
    require(k == word->n, "a pattern is all of its word");
    eg_line_match((struct eg_str){ pattern, (size_t)length },
                  (struct eg_str){ word->text, word->n });
    free(pattern);
}

static void check_accepted(const char *p, size_t n, const struct parsed *parsed)
{
    const struct eg_line *line = &parsed->line;
    uint32_t words = 0, redirects = 0;
    for (uint32_t i = 0; i < line->step_count; i++) {
        check_word(parsed, &line->steps[i].word, n);
        require(line->steps[i].word.n > 0 || line->steps[i].kind == EG_STEP_TEST,
                "a step has a word");
    }
    for (uint32_t i = 0; i < line->command_count; i++) {
        const struct eg_line_command *command = &line->commands[i];
        require(command->assignments == words, "assignments come first");
        require(command->words == words + command->assignment_count, "then the words");
        require(command->word_count > 0, "a command has a name");
        require((command->joint == EG_JOINT_NONE) == (i == 0), "a command is joined to the last");
        require(command->redirects == redirects, "redirections in order");
        words = command->words + command->word_count;
        redirects += command->redirect_count;
        for (uint32_t k = command->assignments; k < words; k++) {
            check_word(parsed, &line->words[k], n);
            if (line->words[k].flags & EG_WORD_GLOB) check_pattern(p, n, &line->words[k]);
        }
        require(!(line->words[command->words].flags & EG_WORD_GLOB), "a name is no pattern");
    }
    require(line->group || !line->group_redirect_count, "redirections of a group need one");
    require(!line->group_redirect_count || line->group_redirects == redirects,
            "a group's redirections come last");
    redirects += line->group_redirect_count;
    require(words == line->word_count && redirects == line->redirect_count, "nothing is left over");
    require(!line->background || line->command_count > 0, "something runs in background");
    for (uint32_t i = 0; i < redirects; i++)
        if (line->redirects[i].kind < EG_REDIRECT_DUPLICATE)
            check_word(parsed, &line->redirects[i].target, n);
}

/* ---- writing it again ---- */

static void quote(FILE *out, const char *p)
{
    fputc('\'', out);
    for (; *p; p++) {
        if (*p == '\'')
            fputs("'\\''", out);
        else
            fputc(*p, out);
    }
    fputs("' ", out);
}

static void write_redirects(FILE *out, const struct eg_line *line, uint32_t first, uint32_t count)
{
    static const char *const operators[] = { "<", ">", ">>", "<>", ">&", ">&-" };
    for (uint32_t i = 0; i < count; i++) {
        const struct eg_redirect *redirect = &line->redirects[first + i];
        const char *operator= operators[redirect->kind];
        fprintf(out, "%d%s", redirect->fd, redirect->clobber ? ">|" : operator);
        if (redirect->kind == EG_REDIRECT_DUPLICATE)
            fprintf(out, "%d ", redirect->from);
        else if (redirect->kind == EG_REDIRECT_CLOSE)
            fputc(' ', out);
        else
            quote(out, redirect->target.text);
    }
}

static void write_step(FILE *out, const struct eg_line_step *step)
{
    size_t name = step->kind == EG_STEP_EXPORT ? strcspn(step->word.text, "=") + 1 : 0;
    switch (step->kind) {
    case EG_STEP_EXPORT: fprintf(out, "export %.*s", (int)name, step->word.text); break;
    case EG_STEP_UMASK: fputs("umask ", out); break;
    case EG_STEP_TEST: fprintf(out, "test -%c ", step->letter); break;
    default: fputs("cd -- ", out); break;
    }
    quote(out, step->word.text + name);
}

static void write_command(FILE *out, const struct eg_line *line,
                          const struct eg_line_command *command)
{
    for (uint32_t i = 0; i < command->assignment_count; i++) {
        const char *text = line->words[command->assignments + i].text;
        size_t name = strcspn(text, "=") + 1;
        fprintf(out, "%.*s", (int)name, text);
        quote(out, text + name);
    }
    if (command->flags & EG_COMMAND_EXEC) fputs("exec ", out);
    if (command->flags & EG_COMMAND_LOOKUP) fputs("command -v ", out);
    for (uint32_t i = 0; i < command->word_count; i++)
        quote(out, line->words[command->words + i].text);
    write_redirects(out, line, command->redirects, command->redirect_count);
}

static char *write_again(const struct eg_line *line, size_t *ret_size)
{
    char *text;
    FILE *out = open_memstream(&text, ret_size);
    if (line->group) fputc('(', out);
    for (uint32_t i = 0; i < line->step_count; i++) {
        const struct eg_line_step *step = &line->steps[i];
        bool more = line->command_count || i + 1 < line->step_count;
        write_step(out, step);
        fputs(step->and_then && more ? "&& " : "; ", out);
    }
    for (uint32_t i = 0; i < line->command_count; i++) {
        static const char *const joints[] = { "", "| ", "; ", "&& ", "|| " };
        fputs(joints[line->commands[i].joint], out);
        write_command(out, line, &line->commands[i]);
    }
    if (line->group) fputc(')', out);
    write_redirects(out, line, line->group_redirects, line->group_redirect_count);
    if (line->background) fputc('&', out);
    if (line->tail == EG_TAIL_TRUE) fputs("|| true", out);
    fclose(out);
    return text;
}

static void check_same(const struct eg_line *a, const struct eg_line *b)
{
    require(!b->construct, "what was understood is understood again");
    require(a->step_count == b->step_count && a->command_count == b->command_count &&
                a->group == b->group && a->group_redirect_count == b->group_redirect_count &&
                a->word_count == b->word_count && a->redirect_count == b->redirect_count &&
                a->background == b->background,
            "as many of each");
    for (uint32_t i = 0; i < a->word_count; i++)
        require(!strcmp(a->words[i].text, b->words[i].text), "the same words");
    for (uint32_t i = 0; i < a->step_count; i++)
        require(a->steps[i].kind == b->steps[i].kind && a->steps[i].letter == b->steps[i].letter &&
                    !strcmp(a->steps[i].word.text, b->steps[i].word.text),
                "the same steps");
    for (uint32_t i = 0; i < a->command_count; i++)
        require(a->commands[i].flags == b->commands[i].flags &&
                    a->commands[i].joint == b->commands[i].joint &&
                    a->commands[i].word_count == b->commands[i].word_count,
                "the same commands");
    for (uint32_t i = 0; i < a->redirect_count; i++)
        require(a->redirects[i].kind == b->redirects[i].kind &&
                    a->redirects[i].fd == b->redirects[i].fd &&
                    a->redirects[i].from == b->redirects[i].from &&
                    !strcmp(a->redirects[i].target.text, b->redirects[i].target.text),
                "the same redirections");
}

static void check_line(const char *p, size_t n, enum eg_dialect dialect)
{
    static struct parsed parsed, again;
    parse(p, n, dialect, &parsed);
    const struct eg_line *line = &parsed.line;
    if (line->construct) {
        require(line->construct < EG_CONSTRUCT_COUNT, "a refusal has a name");
        require(line->offset <= line->end && line->end <= n, "a refusal lies in the line");
        require(line->end > line->offset || line->offset == n, "and underlines something");
    } else {
        check_accepted(p, n, &parsed);
        size_t size;
        char *text = write_again(line, &size);
        parse(text, size, dialect, &again);
        /* What depends on the bytes beside a word may be refused in quotes. */
        if (dialect == EG_DIALECT_DASH || again.line.construct != EG_CONSTRUCT_ENCODING)
            check_same(line, &again.line);
        free(text);
        free(again.text);
    }
    free(parsed.text);
}

/* The same bytes as arguments of a shell, split at newlines. */
static void check_arguments(const char *p, size_t n)
{
    char *copy = malloc(n + 1);
    const char *argv[32];
    size_t argc = 0;
    struct eg_shell shell;
    memcpy(copy, p, n);
    copy[n] = 0;
    for (char *q = copy; argc < 31;) {
        argv[argc++] = q;
        q = strchr(q, '\n');
        if (!q) break;
        *q++ = 0;
    }
    eg_line_shell_command(argv, argc, &shell);
    if (shell.kind == EG_SHELL_COMMAND || shell.kind == EG_SHELL_SCRIPT)
        require(shell.index > 0 && shell.index < argc, "the line is an argument");
    require(shell.zero <= argc, "$0 is an argument");
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    check_line(p, size, EG_DIALECT_DASH);
    check_line(p, size, EG_DIALECT_ANY);
    check_arguments(p, size);
    size_t half = size / 2;
    eg_line_match((struct eg_str){ p, half }, (struct eg_str){ p + half, size - half });
    return 0;
}
