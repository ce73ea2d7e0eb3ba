// SPDX-License-Identifier: MIT
/* Which token of a command line comes next. */
#include "line/parser.h"

enum eg_token eg_parser_peek(struct eg_parser *parser)
{
    struct eg_scan *scan = &parser->scan;
    eg_scan_blanks(scan);
    int c = eg_scan_peek(scan);
    switch (c) {
    case EG_SCAN_END: return EG_TOKEN_END;
    case '\n': return EG_TOKEN_NEWLINE;
    case ';':
        return eg_scan_peek_second(scan) == ';' ? EG_TOKEN_DOUBLE_SEMICOLON : EG_TOKEN_SEMICOLON;
    case '&': return eg_scan_peek_second(scan) == '&' ? EG_TOKEN_AND : EG_TOKEN_AMPERSAND;
    case '|': return eg_scan_peek_second(scan) == '|' ? EG_TOKEN_OR : EG_TOKEN_PIPE;
    case '(': return EG_TOKEN_OPEN;
    case ')': return EG_TOKEN_CLOSE;
    case '<':
    case '>': return EG_TOKEN_REDIRECT;
    default: break;
    }
    /* One digit right before the operator is its descriptor; dash reads no
     * longer numbers, bash does. */
    if (c >= '0' && c <= '9') {
        int next = eg_scan_peek_second(scan);
        if (next == '<' || next == '>') return EG_TOKEN_REDIRECT;
    }
    return EG_TOKEN_WORD;
}

void eg_parser_take(struct eg_parser *parser, int bytes)
{
    while (bytes--) {
        eg_scan_peek(&parser->scan);
        parser->scan.at++;
    }
}

void eg_parser_take_newlines(struct eg_parser *parser)
{
    while (eg_parser_peek(parser) == EG_TOKEN_NEWLINE) eg_parser_take(parser, 1);
}

bool eg_parser_refuse(struct eg_parser *parser, enum eg_construct construct, size_t offset,
                      size_t end)
{
    return eg_scan_refuse(&parser->scan, construct, offset, end);
}

bool eg_parser_refuse_here(struct eg_parser *parser, enum eg_construct construct, size_t length)
{
    size_t at = parser->scan.at;
    return eg_parser_refuse(parser, construct, at, at + length);
}
