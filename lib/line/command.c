// SPDX-License-Identifier: MIT
/* Reads one simple command: assignments, words, redirections. */
#include "line/parser.h"

/* Keep a word or an assignment. */
static bool store_word(struct eg_parser *parser, const struct eg_line_word *word)
{
    struct eg_line *line = parser->line;
    if (line->word_count == parser->memory->word_limit)
        return eg_parser_refuse(parser, EG_CONSTRUCT_TOO_LONG, word->offset, word->end);
    parser->memory->words[line->word_count++] = *word;
    return true;
}

static bool is_assignment_to(const struct eg_line_word *word, struct eg_str name)
{
    return word->n > name.n && word->text[name.n] == '=' &&
           eg_bytes_equal(word->text, name.p, name.n);
}

/* Assignments that the shell may refuse, and those that bash reads and dash
 * does not (`a+=b`). */
static bool check_first_word(struct eg_parser *parser, const struct eg_scan_word *first)
{
    static const char bash_protects[][12] = { "UID", "EUID", "PPID", "BASHOPTS", "SHELLOPTS" };
    const struct eg_line_word *word = &first->word;
    bool refused = first->assignment && is_assignment_to(word, EG_STR("OPTIND"));

    if (parser->scan.dialect != EG_DIALECT_DASH) {
        size_t equals = eg_str_find(eg_word_str(word), '=');
        if (!first->assignment && equals > 0 && equals < word->n && word->text[equals - 1] == '+')
            refused = true;
        for (size_t i = 0; i < sizeof bash_protects / sizeof bash_protects[0]; i++)
            if (first->assignment && is_assignment_to(word, eg_str(bash_protects[i])))
                refused = true;
    }
    return !refused || eg_parser_refuse(parser, EG_CONSTRUCT_ASSIGNMENT, word->offset, word->end);
}

static bool refuse_reserved(struct eg_parser *parser, const struct eg_line_word *word)
{
    enum eg_construct construct = EG_CONSTRUCT_RESERVED_WORD;
    if (eg_word_is(word, EG_STR("!"))) construct = EG_CONSTRUCT_NEGATION;
    if (eg_word_is(word, EG_STR("{"))) construct = EG_CONSTRUCT_BRACE_GROUP;
    if (eg_word_is(word, EG_STR("function"))) construct = EG_CONSTRUCT_FUNCTION;
    return eg_parser_refuse(parser, construct, word->offset, word->end);
}

/* Nothing that starts a command stands at the cursor. */
static bool refuse_missing_command(struct eg_parser *parser, enum eg_token token)
{
    if (token == EG_TOKEN_OPEN) return eg_parser_refuse_here(parser, EG_CONSTRUCT_SUBSHELL, 1);
    bool two = token == EG_TOKEN_AND || token == EG_TOKEN_OR || token == EG_TOKEN_DOUBLE_SEMICOLON;
    return eg_parser_refuse_here(parser, EG_CONSTRUCT_SYNTAX, two ? 2 : 1);
}

/* In a command: a word that is an assignment, the name, or an argument. */
static bool parse_command_word(struct eg_parser *parser, struct eg_line_command *command)
{
    struct eg_scan_word word;
    bool first = command->word_count == 0;
    if (!eg_scan_word(&parser->scan, first ? EG_SCAN_FIRST : EG_SCAN_ARGUMENT, &word)) return false;

    if (!eg_check_digits(parser, &word.word)) return false;
    command->end = word.word.end;
    if (!first) {
        command->word_count++;
        return store_word(parser, &word.word);
    }
    if (!check_first_word(parser, &word)) return false;
    if (word.assignment) {
        command->assignment_count++;
        command->words++;
        return store_word(parser, &word.word);
    }
    if (!(word.word.flags & EG_WORD_QUOTED) &&
        eg_line_is_reserved(parser->scan.dialect, eg_word_str(&word.word)))
        return refuse_reserved(parser, &word.word);
    command->word_count++;
    return store_word(parser, &word.word);
}

/* command : { ASSIGNMENT | redirect } WORD { WORD | redirect } */
bool eg_parse_command(struct eg_parser *parser, struct eg_line_command *command)
{
    struct eg_line *line = parser->line;
    enum eg_token token = eg_parser_peek(parser);
    *command = (struct eg_line_command){
        .assignments = line->word_count,
        .words = line->word_count,
        .redirects = line->redirect_count,
        .offset = (uint32_t)parser->scan.at,
        .end = (uint32_t)parser->scan.at,
    };
    if (token != EG_TOKEN_WORD && token != EG_TOKEN_REDIRECT)
        return refuse_missing_command(parser, token);

    for (; token == EG_TOKEN_WORD || token == EG_TOKEN_REDIRECT; token = eg_parser_peek(parser))
        if (!(token == EG_TOKEN_WORD ? parse_command_word(parser, command)
                                     : eg_parse_redirect(parser, command)))
            return false;

    if (token == EG_TOKEN_OPEN) {
        bool function = command->word_count == 1 && !command->assignment_count;
        return eg_parser_refuse_here(parser,
                                     function ? EG_CONSTRUCT_FUNCTION : EG_CONSTRUCT_SUBSHELL, 1);
    }
    if (!command->word_count)
        return eg_parser_refuse(parser, EG_CONSTRUCT_NO_COMMAND, command->offset, command->end);
    return true;
}
