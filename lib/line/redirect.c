// SPDX-License-Identifier: MIT
/* Reads one redirection: of a simple command, or of a group. */
#include "line/parser.h"

bool eg_check_digits(struct eg_parser *parser, const struct eg_line_word *word)
{
    int next = eg_scan_peek(&parser->scan);
    uint32_t digits = 0;
    if (parser->scan.dialect == EG_DIALECT_DASH || (next != '<' && next != '>')) return true;
    while (digits < word->n && word->text[digits] >= '0' && word->text[digits] <= '9') digits++;
    if (word->flags & EG_WORD_QUOTED || digits < word->n) return true;
    return eg_parser_refuse(parser, EG_CONSTRUCT_DESCRIPTOR, word->offset, word->end);
}

/* The operator at the cursor: kind, descriptor, whether a descriptor follows. */
static bool parse_redirect_operator(struct eg_parser *parser, struct eg_redirect *redirect)
{
    struct eg_scan *scan = &parser->scan;
    int c = eg_scan_peek(scan);
    redirect->offset = (uint32_t)scan->at;
    int fd = -1;
    if (c != '<' && c != '>') {
        fd = c - '0';
        eg_parser_take(parser, 1);
        c = eg_scan_peek(scan);
    }
    bool out = c == '>';
    redirect->fd = (uint8_t)(fd >= 0 ? fd : out);
    eg_parser_take(parser, 1);

    int next = eg_scan_peek(scan);
    size_t from = redirect->offset, end = scan->at + 1;
    switch (next) {
    case '&': redirect->kind = EG_REDIRECT_DUPLICATE; break;
    case '(': return eg_parser_refuse(parser, EG_CONSTRUCT_PROCESS_SUBSTITUTION, from, end);
    case '<':
        if (out) return eg_parser_refuse(parser, EG_CONSTRUCT_SYNTAX, from, end);
        return eg_parser_refuse(parser,
                                eg_scan_peek_second(scan) == '<' ? EG_CONSTRUCT_HERE_STRING
                                                                 : EG_CONSTRUCT_HERE_DOCUMENT,
                                from, end);
    case '>': redirect->kind = out ? EG_REDIRECT_APPEND : EG_REDIRECT_READ_WRITE; break;
    case '|':
        if (!out) return eg_parser_refuse(parser, EG_CONSTRUCT_SYNTAX, from, end);
        redirect->kind = EG_REDIRECT_WRITE;
        redirect->clobber = 1;
        break;
    default: redirect->kind = out ? EG_REDIRECT_WRITE : EG_REDIRECT_READ; return true;
    }
    eg_parser_take(parser, 1);
    return true;
}

/* redirect : [DIGIT] operator WORD */
bool eg_parse_redirect(struct eg_parser *parser, struct eg_line_command *command)
{
    struct eg_line *line = parser->line;
    struct eg_redirect redirect = { 0 };
    struct eg_scan_word target;

    if (!parse_redirect_operator(parser, &redirect)) return false;
    size_t operator_end = parser->scan.at;
    if (eg_parser_peek(parser) != EG_TOKEN_WORD)
        return eg_parser_refuse(parser, EG_CONSTRUCT_SYNTAX, redirect.offset, operator_end);
    char *text = parser->scan.text;
    if (!eg_scan_word(&parser->scan, EG_SCAN_TARGET, &target)) return false;
    redirect.target = target.word;

    if (redirect.kind == EG_REDIRECT_DUPLICATE) {
        const struct eg_line_word *word = &target.word;
        /* dash takes the quotes off first; bash looks for the bare `-` */
        if (parser->scan.dialect != EG_DIALECT_DASH && word->end - word->offset != word->n)
            return eg_parser_refuse(parser, EG_CONSTRUCT_DESCRIPTOR, redirect.offset, word->end);
        if (eg_word_is(word, EG_STR("-"))) {
            redirect.kind = EG_REDIRECT_CLOSE;
        } else if (word->n == 1 && word->text[0] >= '0' && word->text[0] <= '9') {
            redirect.from = (uint8_t)(word->text[0] - '0');
        } else {
            return eg_parser_refuse(parser, EG_CONSTRUCT_DESCRIPTOR, redirect.offset, word->end);
        }
        parser->scan.text = text; /* nobody needs it any more */
        redirect.target.text = "";
        redirect.target.n = 0;
    } else if (!eg_check_digits(parser, &target.word)) {
        return false;
    }
    if (line->redirect_count == EG_LINE_REDIRECTS)
        return eg_parser_refuse(parser, EG_CONSTRUCT_TOO_LONG, redirect.offset, target.word.end);
    line->redirects[line->redirect_count++] = redirect;
    command->redirect_count++;
    command->end = target.word.end;
    return true;
}
