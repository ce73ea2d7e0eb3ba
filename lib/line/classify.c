// SPDX-License-Identifier: MIT
/* What the shell would do with a simple command: builtins that can be told, those that
 * cannot be, and programs. */
#include "line/parser.h"

/* Forget the first word of the command. */
static void drop_first_word(struct eg_parser *parser, struct eg_line_command *command)
{
    struct eg_line_word *words = parser->memory->words;
    struct eg_line *line = parser->line;
    for (uint32_t i = command->words; i + 1 < line->word_count; i++) words[i] = words[i + 1];
    line->word_count--;
    command->word_count--;
}

/* echo, true and false do the same as programs, for plain words: dash's echo
 * reads backslashes and no option but -n, others read -e, -E, --help. */
static bool twin_is_exact(struct eg_parser *parser, const struct eg_line_command *command)
{
    const struct eg_line_word *words = parser->memory->words + command->words;
    bool echo = eg_word_is(&words[0], EG_STR("echo"));
    for (uint32_t i = 1; i < command->word_count; i++) {
        struct eg_str word = eg_word_str(&words[i]);
        if (words[i].flags & EG_WORD_GLOB) return false;
        if (!echo) {
            if (word.n && word.p[0] == '-') return false;
            continue;
        }
        if (eg_str_find(word, '\\') != word.n) return false;
        if (word.n && word.p[0] == '-') {
            if (i == 1 && eg_str_equal(word, EG_STR("-n"))) continue;
            if (i == 1) return false;
            if (i == 2 && eg_word_is(&words[1], EG_STR("-n"))) return false;
        }
    }
    return true;
}

bool eg_classify_command(struct eg_parser *parser, struct eg_line_command *command)
{
    const struct eg_line_word *first = parser->memory->words + command->words;
    enum eg_dialect dialect = parser->scan.dialect;

    if (eg_word_is(first, EG_STR("exec"))) {
        const struct eg_line_word *next = first + 1;
        if (command->word_count < 2 || (next->n && next->text[0] == '-'))
            return eg_parser_refuse(parser, EG_CONSTRUCT_EXEC, first->offset, first->end);
        drop_first_word(parser, command);
        command->flags |= EG_COMMAND_EXEC;
    } else if (eg_word_is(first, EG_STR("command"))) {
        /* Symfony writes `command -v -- NAME` */
        uint32_t dash_dash = command->word_count > 2 && eg_word_is(first + 2, EG_STR("--"));
        const struct eg_line_word *name = first + 2 + dash_dash;
        if (command->word_count != 3 + dash_dash || !eg_word_is(first + 1, EG_STR("-v")) ||
            (name->flags & EG_WORD_GLOB) || !name->n || name->text[0] == '-' ||
            /* of a path dash says that it is there, bash that it can be run */
            (dialect != EG_DIALECT_DASH && eg_str_find(eg_word_str(name), '/') < name->n))
            return eg_parser_refuse(parser, EG_CONSTRUCT_COMMAND, first->offset, first->end);
        for (uint32_t i = 0; i < 2 + dash_dash; i++) drop_first_word(parser, command);
        command->flags |= EG_COMMAND_LOOKUP;
        return true;
    } else if (eg_line_is_builtin(dialect, eg_word_str(first))) {
        if (eg_line_has_twin(eg_word_str(first)) && twin_is_exact(parser, command))
            command->flags |= EG_COMMAND_TWIN;
        else if (dialect == EG_DIALECT_DASH && eg_own_is_plain(first, command->word_count))
            command->flags |= EG_COMMAND_OWN;
        else
            return eg_parser_refuse(parser, EG_CONSTRUCT_BUILTIN, first->offset, first->end);
        return true;
    } else if (dialect != EG_DIALECT_DASH && first->n && first->text[0] == '%') {
        /* bash: `%1` is `fg %1` */
        return eg_parser_refuse(parser, EG_CONSTRUCT_BUILTIN, first->offset, first->end);
    }
    /* A pattern could match a file with a builtin's name. */
    if (first->flags & EG_WORD_GLOB)
        return eg_parser_refuse(parser, EG_CONSTRUCT_GLOB_COMMAND, first->offset, first->end);
    if (!first->n)
        return eg_parser_refuse(parser, EG_CONSTRUCT_EMPTY_COMMAND, first->offset, first->end);
    return true;
}
