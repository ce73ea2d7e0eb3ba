// SPDX-License-Identifier: MIT
/* Reads a command line: groups, steps, lists of pipelines and what ends them.  The
 * grammar: parser.h. */
#include "line/parser.h"

/* bash sets up a command in background in ways of its own (signals after `exec`
 * and `cd &&`, standard input after some redirections): only the plain case. */
static bool check_background(struct eg_parser *parser)
{
    const struct eg_line *line = parser->line;
    if (parser->scan.dialect == EG_DIALECT_DASH) return true;
    for (uint32_t i = 0; i < line->command_count; i++)
        if (line->commands[i].flags & EG_COMMAND_EXEC)
            return eg_parser_refuse(parser, EG_CONSTRUCT_EXEC, line->commands[i].offset,
                                    line->commands[i].end);
    if (line->step_count && line->steps[line->step_count - 1].and_then)
        return eg_parser_refuse(parser, EG_CONSTRUCT_CD,
                                line->steps[line->step_count - 1].word.offset,
                                line->steps[line->step_count - 1].word.end);
    for (uint32_t i = 0; i < line->redirect_count; i++) {
        const struct eg_redirect *redirect = &line->redirects[i];
        bool odd = false;
        if (redirect->kind == EG_REDIRECT_READ || redirect->kind == EG_REDIRECT_READ_WRITE)
            odd = redirect->fd != 0;
        if (redirect->kind == EG_REDIRECT_DUPLICATE) odd = !redirect->fd || !redirect->from;
        if (odd)
            return eg_parser_refuse(parser, EG_CONSTRUCT_BACKGROUND, redirect->offset,
                                    redirect->target.end);
    }
    return true;
}

/* After list or group: nothing but an end or a tail, or the name of what follows. */
static bool parse_end(struct eg_parser *parser)
{
    enum eg_token token = eg_parser_peek(parser);
    size_t at = parser->scan.at;
    enum eg_construct what = EG_CONSTRUCT_NEWLINE;

    switch (token) {
    case EG_TOKEN_AND: return eg_parser_refuse_here(parser, EG_CONSTRUCT_AND_LIST, 2);
    case EG_TOKEN_OR:
        return eg_parse_truth(parser) || eg_parser_refuse_here(parser, EG_CONSTRUCT_OR_LIST, 2);
    case EG_TOKEN_PIPE: return eg_parser_refuse_here(parser, EG_CONSTRUCT_SUBSHELL, 1);
    case EG_TOKEN_OPEN:
    case EG_TOKEN_WORD: return eg_parser_refuse_here(parser, EG_CONSTRUCT_SYNTAX, 1);
    case EG_TOKEN_CLOSE: return eg_parser_refuse_here(parser, EG_CONSTRUCT_SYNTAX, 1);
    case EG_TOKEN_DOUBLE_SEMICOLON: return eg_parser_refuse_here(parser, EG_CONSTRUCT_SYNTAX, 2);
    case EG_TOKEN_SEMICOLON:
        what = EG_CONSTRUCT_SEQUENCE;
        eg_parser_take(parser, 1);
        break;
    case EG_TOKEN_AMPERSAND:
        what = EG_CONSTRUCT_BACKGROUND;
        /* only what is joined by && or || goes there together */
        for (uint32_t i = 0; !parser->line->group && i < parser->line->command_count; i++)
            if (parser->line->commands[i].joint == EG_JOINT_SEQUENCE)
                return eg_parser_refuse_here(parser, EG_CONSTRUCT_BACKGROUND, 1);
        parser->line->background = true;
        eg_parser_take(parser, 1);
        if (!check_background(parser)) return false;
        break;
    default: break;
    }
    eg_parser_take_newlines(parser);
    if (eg_parser_peek(parser) == EG_TOKEN_END || eg_parse_tail(parser)) return true;
    return eg_parser_refuse(parser, what, at, at + 1);
}

/* pipeline : command { "|" newlines command }; the first one is read already */
static bool parse_pipeline(struct eg_parser *parser, struct eg_line_command command,
                           enum eg_joint joint, size_t joint_at)
{
    struct eg_line *line = parser->line;
    for (;;) {
        command.joint = (uint8_t)joint;
        command.joint_at = (uint32_t)joint_at;
        if (line->command_count == EG_LINE_COMMANDS)
            return eg_parser_refuse(parser, EG_CONSTRUCT_TOO_LONG, command.offset, command.end);
        if (eg_word_is(parser->memory->words + command.words, EG_STR("cd")))
            return eg_parser_refuse(parser, EG_CONSTRUCT_CD, command.offset, command.end);
        if (!eg_classify_command(parser, &command)) return false;
        line->commands[line->command_count++] = command;
        if (eg_parser_peek(parser) != EG_TOKEN_PIPE) return true;
        joint = EG_JOINT_PIPE;
        joint_at = parser->scan.at;
        eg_parser_take(parser, 1);
        eg_parser_take_newlines(parser);
        if (!eg_parse_command(parser, &command)) return false;
    }
}

/* Nothing is left of the list: the line's end, or the group's. */
static bool is_list_end(const struct eg_parser *parser, enum eg_token token)
{
    return token == EG_TOKEN_END || (token == EG_TOKEN_CLOSE && parser->line->group);
}

static enum eg_joint joint_of(enum eg_token token)
{
    switch (token) {
    case EG_TOKEN_SEMICOLON:
    case EG_TOKEN_NEWLINE: return EG_JOINT_SEQUENCE;
    case EG_TOKEN_AND: return EG_JOINT_AND;
    case EG_TOKEN_OR: return EG_JOINT_OR;
    default: return EG_JOINT_NONE;
    }
}

/* The pipelines after the first: { joint newlines pipeline }.  What ends the line and is
 * no pipeline is left to parse_end. */
static bool parse_rest(struct eg_parser *parser)
{
    struct eg_line *line = parser->line;
    struct eg_scan *scan = &parser->scan;
    struct eg_line_command command;

    if (scan->dialect != EG_DIALECT_DASH) return true;
    for (;;) {
        enum eg_token token = eg_parser_peek(parser);
        enum eg_joint joint = joint_of(token);
        size_t at = scan->at;
        if (joint == EG_JOINT_NONE || (token == EG_TOKEN_OR && eg_parse_truth(parser))) return true;
        eg_parser_take(parser, joint == EG_JOINT_SEQUENCE ? 1 : 2);
        eg_parser_take_newlines(parser);
        if (joint == EG_JOINT_SEQUENCE) {
            bool ends = is_list_end(parser, eg_parser_peek(parser));
            if (ends) scan->at = at;
            if (ends || (!line->group && eg_parse_tail(parser))) return true;
        }
        /* nothing comes after a program that took the shell's place */
        if (eg_takes_place(line)) {
            scan->at = at;
            return line->group ? eg_parser_refuse(parser, EG_CONSTRUCT_SUBSHELL, at, at + 1) : true;
        }
        if (!line->list) {
            line->list = joint;
            line->list_at = (uint32_t)at;
        }
        if (!eg_parse_command(parser, &command) || !parse_pipeline(parser, command, joint, at))
            return false;
    }
}

/* list : { step (";" | "&&" | NEWLINE) newlines }
 *        [ step | pipeline { joint newlines pipeline } ] */
static bool parse_list(struct eg_parser *parser)
{
    struct eg_line_command command;
    bool required = false; /* something must follow: after `&&` */

    for (;;) {
        eg_parser_take_newlines(parser);
        enum eg_token token = eg_parser_peek(parser);
        if (is_list_end(parser, token) && !required) return true;
        if (!eg_parse_command(parser, &command)) return false;
        token = eg_parser_peek(parser);
        if (!eg_step_is_one(parser, &command, token))
            return parse_pipeline(parser, command, EG_JOINT_NONE, 0) && parse_rest(parser);
        if (!eg_step_take(parser, &command, token)) return false;
        required = token == EG_TOKEN_AND;
        if (token == EG_TOKEN_AND)
            eg_parser_take(parser, 2);
        else if (token == EG_TOKEN_SEMICOLON)
            eg_parser_take(parser, 1);
    }
}

/* group : "(" newlines list [";"] newlines ")" { redirect } */
static bool parse_group(struct eg_parser *parser)
{
    struct eg_line *line = parser->line;
    size_t open = parser->scan.at;
    struct eg_line_command rest = { 0 };

    line->group = true;
    eg_parser_take(parser, 1);
    if (!parse_list(parser)) return false;
    if (eg_parser_peek(parser) == EG_TOKEN_SEMICOLON) eg_parser_take(parser, 1);
    eg_parser_take_newlines(parser);
    if (eg_parser_peek(parser) != EG_TOKEN_CLOSE || (!line->command_count && !line->step_count))
        return eg_parser_refuse(parser, EG_CONSTRUCT_SUBSHELL, open, open + 1);
    eg_parser_take(parser, 1);
    line->group_redirects = line->redirect_count;
    while (eg_parser_peek(parser) == EG_TOKEN_REDIRECT)
        if (!eg_parse_redirect(parser, &rest)) return false;
    line->group_redirect_count = rest.redirect_count;
    return true;
}

/* line : newlines [ (list | group) [ truth | [";" | "&"] newlines [ tail ] ] ] newlines */
static bool parse_line(struct eg_parser *parser)
{
    eg_parser_take_newlines(parser);
    /* bash has ways of its own to start what stands in a subshell */
    bool group = parser->scan.dialect == EG_DIALECT_DASH && eg_parser_peek(parser) == EG_TOKEN_OPEN;
    if (!(group ? parse_group(parser) : parse_list(parser))) return false;
    return parse_end(parser);
}

enum eg_construct eg_line_parse(struct eg_str line, enum eg_dialect dialect,
                                const struct eg_line_memory *memory, struct eg_line *ret)
{
    struct eg_parser parser = {
        .scan = { .p = line.p,
                  .n = line.n,
                  .dialect = dialect,
                  .text = memory->text,
                  .text_end = memory->text + memory->text_size },
        .memory = memory,
        .line = ret,
    };
    ret->construct = EG_CONSTRUCT_NONE;
    ret->offset = ret->end = 0;
    ret->step_count = ret->command_count = ret->redirect_count = ret->word_count = 0;
    ret->group_redirects = ret->group_redirect_count = 0;
    ret->list = EG_JOINT_NONE;
    ret->background = ret->group = false;
    ret->tail = EG_TAIL_NONE;
    ret->words = memory->words;

    if (dialect == EG_DIALECT_NONE)
        eg_scan_refuse(&parser.scan, EG_CONSTRUCT_SYNTAX, 0, line.n);
    else if (line.n >= UINT32_MAX || memory->text_size < line.n + 1)
        eg_scan_refuse(&parser.scan, EG_CONSTRUCT_TOO_LONG, 0, line.n);
    else if (eg_str_find(line, '\0') != line.n)
        eg_scan_refuse(&parser.scan, EG_CONSTRUCT_NUL, eg_str_find(line, '\0'),
                       eg_str_find(line, '\0') + 1);
    else
        parse_line(&parser);

    ret->construct = parser.scan.construct;
    ret->offset = (uint32_t)parser.scan.offset;
    ret->end = (uint32_t)parser.scan.end;
    return ret->construct;
}

uint32_t eg_line_find_joint(const struct eg_line *line, enum eg_joint joint)
{
    for (uint32_t i = 1; i < line->command_count; i++)
        if (line->commands[i].joint == joint ||
            (joint == EG_JOINT_SEQUENCE && line->commands[i].joint > EG_JOINT_SEQUENCE))
            return i;
    return 0;
}

bool eg_line_is_simple(const struct eg_line *line)
{
    return !line->construct && line->command_count == 1 && !line->step_count && !line->group &&
           !line->background && !line->tail;
}
