// SPDX-License-Identifier: MIT
/* What the shell itself prints or makes true behind the commands.  Read ahead of
 * parse_end: what is no tail is left where it stands, for the rules to name. */
#include "line/parser.h"

/* Nothing more but `;`, newlines and a comment. */
static bool takes_end(struct eg_parser *parser)
{
    if (eg_parser_peek(parser) == EG_TOKEN_SEMICOLON) eg_parser_take(parser, 1);
    eg_parser_take_newlines(parser);
    return eg_parser_peek(parser) == EG_TOKEN_END;
}

/* `echo VALUE` at the cursor, and nothing behind it; VALUE in double quotes or not.
 * By its bytes: a joined line in the middle of it is refused as before. */
static bool takes_echo(struct eg_parser *parser, const char *value)
{
    struct eg_scan *scan = &parser->scan;
    struct eg_str rest = { scan->p + scan->at, scan->n - scan->at };
    size_t start = scan->at, n = 4;
    if (rest.n < 7 || !eg_bytes_equal(rest.p, "echo", 4)) return false;
    while (n < rest.n && (rest.p[n] == ' ' || rest.p[n] == '\t')) n++;
    bool quoted = n < rest.n && rest.p[n] == '"';
    size_t end = n + 2 + 2 * quoted;
    if (n == 4 || rest.n < end || !eg_bytes_equal(rest.p + n + quoted, value, 2) ||
        (quoted && rest.p[end - 1] != '"'))
        return false;
    scan->at += end;
    /* behind it a `#` would be of the word */
    if (eg_scan_is_delimiter(eg_scan_peek(scan)) && takes_end(parser)) return true;
    scan->at = start;
    return false;
}

bool eg_takes_place(const struct eg_line *line)
{
    for (uint32_t i = 0; i < line->command_count; i++)
        if (line->commands[i].flags & EG_COMMAND_EXEC) return true;
    return false;
}

/* The same of the line: a group has a place of its own. */
static bool ends_in_exec(const struct eg_line *line)
{
    return !line->group && eg_takes_place(line);
}

/* tail : "echo" ("$?" | "$!") [";"] newlines */
bool eg_parse_tail(struct eg_parser *parser)
{
    struct eg_line *line = parser->line;
    if (ends_in_exec(line) || !takes_echo(parser, line->background ? "$!" : "$?")) return false;
    line->tail = line->background ? EG_TAIL_PROCESS : EG_TAIL_STATUS;
    return true;
}

/* truth : "||" newlines ("true" | ":") [";"] newlines; by its bytes */
bool eg_parse_truth(struct eg_parser *parser)
{
    struct eg_scan *scan = &parser->scan;
    size_t start = scan->at;
    eg_parser_take(parser, 2);
    eg_parser_take_newlines(parser);
    struct eg_str rest = { scan->p + scan->at, scan->n - scan->at };
    size_t n = eg_str_starts(rest, EG_STR("true")) ? 4 : eg_str_starts(rest, EG_STR(":"));
    scan->at += n;
    if (n && !ends_in_exec(parser->line) && eg_scan_is_delimiter(eg_scan_peek(scan)) &&
        takes_end(parser)) {
        parser->line->tail = EG_TAIL_TRUE;
        return true;
    }
    scan->at = start;
    return false;
}
