// SPDX-License-Identifier: MIT
/* Commands before the program that start nothing: `cd`, `export`, `umask`, `test`.
 * Only their plain forms; whatever else they know is refused. */
#include "line/parser.h"

static const struct eg_line_word *words_of(const struct eg_parser *parser,
                                           const struct eg_line_command *command)
{
    return parser->memory->words + command->words;
}

/* What may follow: something that waits for it, or the end. */
static bool may_follow(enum eg_token next)
{
    return next == EG_TOKEN_SEMICOLON || next == EG_TOKEN_AND || next == EG_TOKEN_NEWLINE ||
           next == EG_TOKEN_END || next == EG_TOKEN_CLOSE;
}

static bool is_bare(const struct eg_line_command *command)
{
    return !command->assignment_count && !command->redirect_count;
}

static bool is_test(const struct eg_line_word *first)
{
    return eg_word_is(first, EG_STR("test")) || eg_word_is(first, EG_STR("["));
}

bool eg_step_is_one(const struct eg_parser *parser, const struct eg_line_command *command,
                    enum eg_token next)
{
    const struct eg_line_word *first = words_of(parser, command);
    if (eg_word_is(first, EG_STR("cd"))) return next != EG_TOKEN_PIPE;
    /* bash sets locales and functions by what is exported */
    if (parser->scan.dialect != EG_DIALECT_DASH || !may_follow(next)) return false;
    return eg_word_is(first, EG_STR("export")) || eg_word_is(first, EG_STR("umask")) ||
           is_test(first);
}

static bool add(struct eg_parser *parser, const struct eg_line_command *command,
                struct eg_line_step step)
{
    struct eg_line *line = parser->line;
    if (line->step_count == EG_LINE_STEPS)
        return eg_parser_refuse(parser, EG_CONSTRUCT_TOO_LONG, command->offset, command->end);
    line->steps[line->step_count++] = step;
    return true;
}

/* bash looks the way up before it takes `..` out of it, dash does not. */
static bool goes_up(const struct eg_line_word *dir)
{
    struct eg_str rest = eg_word_str(dir);
    for (;;) {
        size_t slash = eg_str_find(rest, '/');
        if (eg_str_equal((struct eg_str){ rest.p, slash }, EG_STR(".."))) return true;
        if (slash == rest.n) return false;
        rest = eg_str_skip(rest, slash + 1);
    }
}

static bool take_cd(struct eg_parser *parser, const struct eg_line_command *command,
                    enum eg_token next)
{
    const struct eg_line_word *words = words_of(parser, command);
    uint32_t dash_dash = command->word_count > 1 && eg_word_is(&words[1], EG_STR("--"));
    const struct eg_line_word *dir = &words[1 + dash_dash];

    if (command->word_count != 2 + dash_dash || !is_bare(command) || (dir->flags & EG_WORD_GLOB) ||
        !dir->n || eg_word_is(dir, EG_STR("-")) ||
        (parser->scan.dialect != EG_DIALECT_DASH && goes_up(dir)) ||
        (!dash_dash && dir->text[0] == '-') || !may_follow(next))
        return eg_parser_refuse(parser, EG_CONSTRUCT_CD, command->offset, command->end);
    return add(parser, command,
               (struct eg_line_step){ .word = *dir, .and_then = next == EG_TOKEN_AND });
}

/* Those that the shell itself reads, or keeps, are left to it. */
static bool is_kept(struct eg_str name)
{
    static const char kept[][8] = { "CDPATH", "IFS", "LINENO", "OPTIND", "OLDPWD",
                                    "PPID",   "PS1", "PS2",    "PS4",    "PWD" };
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (eg_str_equal(name, eg_str(kept[i]))) return true;
    return false;
}

static bool is_name(struct eg_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(i && c >= '0' && c <= '9')) return false;
    }
    return s.n > 0;
}

/* NAME=value, nothing in it that the shell would expand.  The scanner took it for an
 * argument, so a tilde is looked for in the line itself. */
static bool can_export(const struct eg_parser *parser, const struct eg_line_word *word)
{
    struct eg_str text = eg_word_str(word);
    struct eg_str raw = { parser->scan.p + word->offset, word->end - word->offset };
    struct eg_str name = { text.p, eg_str_find(text, '=') };
    return name.n < text.n && is_name(name) && !is_kept(name) && !(word->flags & EG_WORD_GLOB) &&
           eg_str_find(raw, '~') == raw.n;
}

static bool take_export(struct eg_parser *parser, const struct eg_line_command *command,
                        enum eg_token next)
{
    const struct eg_line_word *words = words_of(parser, command);
    if (command->word_count < 2 || !is_bare(command))
        return eg_parser_refuse(parser, EG_CONSTRUCT_BUILTIN, words[0].offset, words[0].end);
    for (uint32_t i = 1; i < command->word_count; i++) {
        bool last = i + 1 == command->word_count;
        if (!can_export(parser, &words[i]))
            return eg_parser_refuse(parser, EG_CONSTRUCT_ASSIGNMENT, words[i].offset, words[i].end);
        if (!add(parser, command,
                 (struct eg_line_step){ .word = words[i],
                                        .kind = EG_STEP_EXPORT,
                                        .and_then = !last || next == EG_TOKEN_AND }))
            return false;
    }
    return true;
}

static bool take_umask(struct eg_parser *parser, const struct eg_line_command *command,
                       enum eg_token next)
{
    const struct eg_line_word *words = words_of(parser, command);
    bool octal = command->word_count == 2 && is_bare(command) && words[1].n && words[1].n <= 4;
    for (uint32_t i = 0; octal && i < words[1].n; i++)
        octal = words[1].text[i] >= '0' && words[1].text[i] <= '7';
    if (!octal)
        return eg_parser_refuse(parser, EG_CONSTRUCT_BUILTIN, words[0].offset, words[0].end);
    return add(parser, command,
               (struct eg_line_step){
                   .word = words[1], .kind = EG_STEP_UMASK, .and_then = next == EG_TOKEN_AND });
}

static bool take_test(struct eg_parser *parser, const struct eg_line_command *command,
                      enum eg_token next)
{
    const struct eg_line_word *words = words_of(parser, command);
    uint32_t count = command->word_count;
    bool plain = is_bare(command);
    if (eg_word_is(&words[0], EG_STR("[")))
        plain = plain && eg_word_is(&words[--count], EG_STR("]"));
    plain = plain && count == 3 && words[1].n == 2 && words[1].text[0] == '-' &&
            eg_str_find(EG_STR(EG_STEP_TESTS), words[1].text[1]) < sizeof EG_STEP_TESTS - 1 &&
            !((words[1].flags | words[2].flags) & EG_WORD_GLOB);
    if (!plain)
        return eg_parser_refuse(parser, EG_CONSTRUCT_BUILTIN, words[0].offset, words[0].end);
    return add(parser, command,
               (struct eg_line_step){ .word = words[2],
                                      .kind = EG_STEP_TEST,
                                      .letter = words[1].text[1],
                                      .and_then = next == EG_TOKEN_AND });
}

bool eg_step_take(struct eg_parser *parser, const struct eg_line_command *command,
                  enum eg_token next)
{
    const struct eg_line_word *first = words_of(parser, command);
    bool taken;
    if (eg_word_is(first, EG_STR("cd")))
        taken = take_cd(parser, command, next);
    else if (eg_word_is(first, EG_STR("export")))
        taken = take_export(parser, command, next);
    else if (eg_word_is(first, EG_STR("umask")))
        taken = take_umask(parser, command, next);
    else
        taken = take_test(parser, command, next);
    if (taken) parser->line->word_count = command->assignments;
    return taken;
}

bool eg_line_moves(const struct eg_line *line)
{
    for (uint32_t i = 0; i < line->step_count; i++)
        if (line->steps[i].kind == EG_STEP_CD) return true;
    return false;
}

struct eg_str eg_line_exported(const struct eg_line *line, struct eg_str name)
{
    for (uint32_t i = line->step_count; i > 0; i--) {
        const struct eg_line_step *step = &line->steps[i - 1];
        struct eg_str entry = eg_word_str(&step->word);
        if (step->kind == EG_STEP_EXPORT && eg_str_starts(entry, name) && entry.n > name.n &&
            entry.p[name.n] == '=')
            return eg_str_skip(entry, name.n + 1);
    }
    return (struct eg_str){ NULL, 0 };
}
