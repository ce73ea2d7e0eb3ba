// SPDX-License-Identifier: MIT
/* A command line's grammar, one function a rule:
 *
 *   line     : newlines { cd (";" | "&&" | NEWLINE) } [ pipeline [";" | "&"] ] newlines [ tail ]
 *   tail     : "echo" ("$?" | "$!") [";"] newlines
 *   pipeline : command { "|" newlines command }
 *   command  : { ASSIGNMENT | redirect } WORD { WORD | redirect }
 *
 * Where dash's grammar allows more, the function that meets it names it. */
#include "line/scan.h"

struct parser {
    struct eg_scan scan;
    const struct eg_line_memory *memory;
    struct eg_line *line;
};

enum token {
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_SEMICOLON,
    TOKEN_DOUBLE_SEMICOLON,
    TOKEN_AMPERSAND,
    TOKEN_AND,
    TOKEN_PIPE,
    TOKEN_OR,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_REDIRECT,
    TOKEN_WORD,
};

/* The token at the cursor, blanks skipped; nothing else is consumed. */
static enum token peek_token(struct parser *parser)
{
    struct eg_scan *scan = &parser->scan;
    eg_scan_blanks(scan);
    int c = eg_scan_peek(scan);
    switch (c) {
    case EG_SCAN_END: return TOKEN_END;
    case '\n': return TOKEN_NEWLINE;
    case ';': return eg_scan_peek_second(scan) == ';' ? TOKEN_DOUBLE_SEMICOLON : TOKEN_SEMICOLON;
    case '&': return eg_scan_peek_second(scan) == '&' ? TOKEN_AND : TOKEN_AMPERSAND;
    case '|': return eg_scan_peek_second(scan) == '|' ? TOKEN_OR : TOKEN_PIPE;
    case '(': return TOKEN_OPEN;
    case ')': return TOKEN_CLOSE;
    case '<':
    case '>': return TOKEN_REDIRECT;
    default: break;
    }
    /* One digit right before the operator is its descriptor; dash reads no
     * longer numbers, bash does. */
    if (c >= '0' && c <= '9') {
        int next = eg_scan_peek_second(scan);
        if (next == '<' || next == '>') return TOKEN_REDIRECT;
    }
    return TOKEN_WORD;
}

static void take(struct parser *parser, int bytes)
{
    while (bytes--) {
        eg_scan_peek(&parser->scan);
        parser->scan.at++;
    }
}

static void take_newlines(struct parser *parser)
{
    while (peek_token(parser) == TOKEN_NEWLINE) take(parser, 1);
}

static bool refuse(struct parser *parser, enum eg_construct construct, size_t offset, size_t end)
{
    return eg_scan_refuse(&parser->scan, construct, offset, end);
}

/* Refuse the operator at the cursor. */
static bool refuse_here(struct parser *parser, enum eg_construct construct, size_t length)
{
    size_t at = parser->scan.at;
    return refuse(parser, construct, at, at + length);
}

/* Columns of table/builtins.def. */
enum { DASH = 1, BASH = 2, TWIN = 4, DASH_WORD = 8, BASH_WORD = 16 };

static bool has_kind(struct eg_str name, unsigned kinds)
{
    static const struct {
        char name[12];
        unsigned kinds;
    } builtins[] = {
#define B(text, which) { text, which },
#include "table/builtins.def"
#undef B
    };
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        if ((builtins[i].kinds & kinds) && eg_str_equal(eg_str(builtins[i].name), name))
            return true;
    return false;
}

bool eg_line_is_builtin(enum eg_dialect dialect, struct eg_str name)
{
    return has_kind(name, dialect == EG_DIALECT_DASH ? DASH : DASH | BASH);
}

bool eg_line_is_reserved(enum eg_dialect dialect, struct eg_str name)
{
    return has_kind(name, dialect == EG_DIALECT_DASH ? DASH_WORD : DASH_WORD | BASH_WORD);
}

static struct eg_str word_str(const struct eg_line_word *word)
{
    return (struct eg_str){ word->text, word->n };
}

static bool word_is(const struct eg_line_word *word, struct eg_str text)
{
    return eg_str_equal(word_str(word), text);
}

/* 12>file, or the 12 of >12>file: bash reads a descriptor, dash a word. */
static bool check_digits(struct parser *parser, const struct eg_line_word *word)
{
    int next = eg_scan_peek(&parser->scan);
    uint32_t digits = 0;
    if (parser->scan.dialect == EG_DIALECT_DASH || (next != '<' && next != '>')) return true;
    while (digits < word->n && word->text[digits] >= '0' && word->text[digits] <= '9') digits++;
    if (word->flags & EG_WORD_QUOTED || digits < word->n) return true;
    return refuse(parser, EG_CONSTRUCT_DESCRIPTOR, word->offset, word->end);
}

/* ---- redirections ---- */

/* The operator at the cursor: kind, descriptor, whether a descriptor follows. */
static bool parse_redirect_operator(struct parser *parser, struct eg_redirect *redirect)
{
    struct eg_scan *scan = &parser->scan;
    int c = eg_scan_peek(scan);
    redirect->offset = (uint32_t)scan->at;
    int fd = -1;
    if (c != '<' && c != '>') {
        fd = c - '0';
        take(parser, 1);
        c = eg_scan_peek(scan);
    }
    bool out = c == '>';
    redirect->fd = (uint8_t)(fd >= 0 ? fd : out);
    take(parser, 1);

    int next = eg_scan_peek(scan);
    size_t from = redirect->offset, end = scan->at + 1;
    switch (next) {
    case '&': redirect->kind = EG_REDIRECT_DUPLICATE; break;
    case '(': return refuse(parser, EG_CONSTRUCT_PROCESS_SUBSTITUTION, from, end);
    case '<':
        if (out) return refuse(parser, EG_CONSTRUCT_SYNTAX, from, end);
        return refuse(parser,
                      eg_scan_peek_second(scan) == '<' ? EG_CONSTRUCT_HERE_STRING
                                                       : EG_CONSTRUCT_HERE_DOCUMENT,
                      from, end);
    case '>': redirect->kind = out ? EG_REDIRECT_APPEND : EG_REDIRECT_READ_WRITE; break;
    case '|':
        if (!out) return refuse(parser, EG_CONSTRUCT_SYNTAX, from, end);
        redirect->kind = EG_REDIRECT_WRITE;
        redirect->clobber = 1;
        break;
    default: redirect->kind = out ? EG_REDIRECT_WRITE : EG_REDIRECT_READ; return true;
    }
    take(parser, 1);
    return true;
}

/* redirect : [DIGIT] operator WORD */
static bool parse_redirect(struct parser *parser, struct eg_line_command *command)
{
    struct eg_line *line = parser->line;
    struct eg_redirect redirect = { 0 };
    struct eg_scan_word target;

    if (!parse_redirect_operator(parser, &redirect)) return false;
    size_t operator_end = parser->scan.at;
    if (peek_token(parser) != TOKEN_WORD)
        return refuse(parser, EG_CONSTRUCT_SYNTAX, redirect.offset, operator_end);
    char *text = parser->scan.text;
    if (!eg_scan_word(&parser->scan, EG_SCAN_TARGET, &target)) return false;
    redirect.target = target.word;

    if (redirect.kind == EG_REDIRECT_DUPLICATE) {
        const struct eg_line_word *word = &target.word;
        /* dash takes the quotes off first; bash looks for the bare `-` */
        if (parser->scan.dialect != EG_DIALECT_DASH && word->end - word->offset != word->n)
            return refuse(parser, EG_CONSTRUCT_DESCRIPTOR, redirect.offset, word->end);
        if (word_is(word, EG_STR("-"))) {
            redirect.kind = EG_REDIRECT_CLOSE;
        } else if (word->n == 1 && word->text[0] >= '0' && word->text[0] <= '9') {
            redirect.from = (uint8_t)(word->text[0] - '0');
        } else {
            return refuse(parser, EG_CONSTRUCT_DESCRIPTOR, redirect.offset, word->end);
        }
        parser->scan.text = text; /* nobody needs it any more */
        redirect.target.text = "";
        redirect.target.n = 0;
    } else if (!check_digits(parser, &target.word)) {
        return false;
    }
    if (line->redirect_count == EG_LINE_REDIRECTS)
        return refuse(parser, EG_CONSTRUCT_TOO_LONG, redirect.offset, target.word.end);
    line->redirects[line->redirect_count++] = redirect;
    command->redirect_count++;
    command->end = target.word.end;
    return true;
}

/* ---- a simple command ---- */

static struct eg_line_word *words_of(struct parser *parser)
{
    return parser->memory->words;
}

/* Keep a word or an assignment. */
static bool store_word(struct parser *parser, const struct eg_line_word *word)
{
    struct eg_line *line = parser->line;
    if (line->word_count == parser->memory->word_limit)
        return refuse(parser, EG_CONSTRUCT_TOO_LONG, word->offset, word->end);
    words_of(parser)[line->word_count++] = *word;
    return true;
}

/* Forget the first word of the command. */
static void drop_first_word(struct parser *parser, struct eg_line_command *command)
{
    struct eg_line_word *words = words_of(parser);
    struct eg_line *line = parser->line;
    for (uint32_t i = command->words; i + 1 < line->word_count; i++) words[i] = words[i + 1];
    line->word_count--;
    command->word_count--;
}

static bool is_assignment_to(const struct eg_line_word *word, struct eg_str name)
{
    return word->n > name.n && word->text[name.n] == '=' &&
           eg_bytes_equal(word->text, name.p, name.n);
}

/* Assignments that the shell may refuse, and those that bash reads and dash
 * does not (`a+=b`). */
static bool check_first_word(struct parser *parser, const struct eg_scan_word *first)
{
    static const char bash_protects[][12] = { "UID", "EUID", "PPID", "BASHOPTS", "SHELLOPTS" };
    const struct eg_line_word *word = &first->word;
    bool refused = first->assignment && is_assignment_to(word, EG_STR("OPTIND"));

    if (parser->scan.dialect != EG_DIALECT_DASH) {
        size_t equals = eg_str_find(word_str(word), '=');
        if (!first->assignment && equals > 0 && equals < word->n && word->text[equals - 1] == '+')
            refused = true;
        for (size_t i = 0; i < sizeof bash_protects / sizeof bash_protects[0]; i++)
            if (first->assignment && is_assignment_to(word, eg_str(bash_protects[i])))
                refused = true;
    }
    return !refused || refuse(parser, EG_CONSTRUCT_ASSIGNMENT, word->offset, word->end);
}

static bool refuse_reserved(struct parser *parser, const struct eg_line_word *word)
{
    enum eg_construct construct = EG_CONSTRUCT_RESERVED_WORD;
    if (word_is(word, EG_STR("!"))) construct = EG_CONSTRUCT_NEGATION;
    if (word_is(word, EG_STR("{"))) construct = EG_CONSTRUCT_BRACE_GROUP;
    if (word_is(word, EG_STR("function"))) construct = EG_CONSTRUCT_FUNCTION;
    return refuse(parser, construct, word->offset, word->end);
}

/* echo, true and false do the same as programs, for plain words: dash's echo
 * reads backslashes and no option but -n, others read -e, -E, --help. */
static bool twin_is_exact(struct parser *parser, const struct eg_line_command *command)
{
    const struct eg_line_word *words = words_of(parser) + command->words;
    bool echo = word_is(&words[0], EG_STR("echo"));
    for (uint32_t i = 1; i < command->word_count; i++) {
        struct eg_str word = word_str(&words[i]);
        if (words[i].flags & EG_WORD_GLOB) return false;
        if (!echo) {
            if (word.n && word.p[0] == '-') return false;
            continue;
        }
        if (eg_str_find(word, '\\') != word.n) return false;
        if (word.n && word.p[0] == '-') {
            if (i == 1 && eg_str_equal(word, EG_STR("-n"))) continue;
            if (i == 1) return false;
            if (i == 2 && word_is(&words[1], EG_STR("-n"))) return false;
        }
    }
    return true;
}

/* What the shell would do with the finished command: itself, or a program? */
static bool classify_command(struct parser *parser, struct eg_line_command *command)
{
    const struct eg_line_word *first = words_of(parser) + command->words;
    enum eg_dialect dialect = parser->scan.dialect;

    if (word_is(first, EG_STR("exec"))) {
        const struct eg_line_word *next = first + 1;
        if (command->word_count < 2 || (next->n && next->text[0] == '-'))
            return refuse(parser, EG_CONSTRUCT_EXEC, first->offset, first->end);
        drop_first_word(parser, command);
        command->flags |= EG_COMMAND_EXEC;
    } else if (word_is(first, EG_STR("command"))) {
        const struct eg_line_word *name = first + 2;
        if (command->word_count != 3 || !word_is(first + 1, EG_STR("-v")) ||
            (name->flags & EG_WORD_GLOB) || !name->n || name->text[0] == '-' ||
            /* of a path dash says that it is there, bash that it can be run */
            (dialect != EG_DIALECT_DASH && eg_str_find(word_str(name), '/') < name->n))
            return refuse(parser, EG_CONSTRUCT_COMMAND, first->offset, first->end);
        drop_first_word(parser, command);
        drop_first_word(parser, command);
        command->flags |= EG_COMMAND_LOOKUP;
        return true;
    } else if (eg_line_is_builtin(dialect, word_str(first))) {
        if (!has_kind(word_str(first), TWIN) || !twin_is_exact(parser, command))
            return refuse(parser, EG_CONSTRUCT_BUILTIN, first->offset, first->end);
        command->flags |= EG_COMMAND_TWIN;
        return true;
    } else if (dialect != EG_DIALECT_DASH && first->n && first->text[0] == '%') {
        /* bash: `%1` is `fg %1` */
        return refuse(parser, EG_CONSTRUCT_BUILTIN, first->offset, first->end);
    }
    /* A pattern could match a file with a builtin's name. */
    if (first->flags & EG_WORD_GLOB)
        return refuse(parser, EG_CONSTRUCT_GLOB_COMMAND, first->offset, first->end);
    if (!first->n) return refuse(parser, EG_CONSTRUCT_EMPTY_COMMAND, first->offset, first->end);
    return true;
}

/* Nothing that starts a command stands at the cursor. */
static bool refuse_missing_command(struct parser *parser, enum token token)
{
    if (token == TOKEN_OPEN) return refuse_here(parser, EG_CONSTRUCT_SUBSHELL, 1);
    bool two = token == TOKEN_AND || token == TOKEN_OR || token == TOKEN_DOUBLE_SEMICOLON;
    return refuse_here(parser, EG_CONSTRUCT_SYNTAX, two ? 2 : 1);
}

/* In a command: a word that is an assignment, the name, or an argument. */
static bool parse_command_word(struct parser *parser, struct eg_line_command *command)
{
    struct eg_scan_word word;
    bool first = command->word_count == 0;
    if (!eg_scan_word(&parser->scan, first ? EG_SCAN_FIRST : EG_SCAN_ARGUMENT, &word)) return false;

    if (!check_digits(parser, &word.word)) return false;
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
        eg_line_is_reserved(parser->scan.dialect, word_str(&word.word)))
        return refuse_reserved(parser, &word.word);
    command->word_count++;
    return store_word(parser, &word.word);
}

/* command : { ASSIGNMENT | redirect } WORD { WORD | redirect } */
static bool parse_command(struct parser *parser, struct eg_line_command *command)
{
    struct eg_line *line = parser->line;
    enum token token = peek_token(parser);
    *command = (struct eg_line_command){
        .assignments = line->word_count,
        .words = line->word_count,
        .redirects = line->redirect_count,
        .offset = (uint32_t)parser->scan.at,
        .end = (uint32_t)parser->scan.at,
    };
    if (token != TOKEN_WORD && token != TOKEN_REDIRECT)
        return refuse_missing_command(parser, token);

    for (; token == TOKEN_WORD || token == TOKEN_REDIRECT; token = peek_token(parser))
        if (!(token == TOKEN_WORD ? parse_command_word(parser, command)
                                  : parse_redirect(parser, command)))
            return false;

    if (token == TOKEN_OPEN) {
        bool function = command->word_count == 1 && !command->assignment_count;
        return refuse_here(parser, function ? EG_CONSTRUCT_FUNCTION : EG_CONSTRUCT_SUBSHELL, 1);
    }
    if (!command->word_count)
        return refuse(parser, EG_CONSTRUCT_NO_COMMAND, command->offset, command->end);
    return true;
}

/* ---- the whole line ---- */

/* bash looks the way up before it takes `..` out of it, dash does not. */
static bool goes_up(const struct eg_line_word *dir)
{
    struct eg_str rest = word_str(dir);
    for (;;) {
        size_t slash = eg_str_find(rest, '/');
        if (eg_str_equal((struct eg_str){ rest.p, slash }, EG_STR(".."))) return true;
        if (slash == rest.n) return false;
        rest = eg_str_skip(rest, slash + 1);
    }
}

/* A finished command that is a `cd`: keep its directory instead. */
static bool convert_cd(struct parser *parser, struct eg_line_command *command, enum token next)
{
    struct eg_line *line = parser->line;
    const struct eg_line_word *words = words_of(parser) + command->words;
    uint32_t dash_dash = command->word_count > 1 && word_is(&words[1], EG_STR("--"));
    const struct eg_line_word *dir = &words[1 + dash_dash];

    if (command->word_count != 2 + dash_dash || command->assignment_count ||
        command->redirect_count || (dir->flags & EG_WORD_GLOB) || !dir->n ||
        word_is(dir, EG_STR("-")) || (parser->scan.dialect != EG_DIALECT_DASH && goes_up(dir)) ||
        (!dash_dash && dir->text[0] == '-') ||
        !(next == TOKEN_SEMICOLON || next == TOKEN_AND || next == TOKEN_NEWLINE ||
          next == TOKEN_END))
        return refuse(parser, EG_CONSTRUCT_CD, command->offset, command->end);
    if (line->cd_count == EG_LINE_CDS)
        return refuse(parser, EG_CONSTRUCT_TOO_LONG, command->offset, command->end);
    line->cds[line->cd_count++] = (struct eg_line_cd){ *dir, next == TOKEN_AND };
    line->word_count = command->assignments;
    return true;
}

/* bash sets up a command in background in ways of its own (signals after `exec`
 * and `cd &&`, standard input after some redirections): only the plain case. */
static bool check_background(struct parser *parser)
{
    const struct eg_line *line = parser->line;
    if (parser->scan.dialect == EG_DIALECT_DASH) return true;
    for (uint32_t i = 0; i < line->command_count; i++)
        if (line->commands[i].flags & EG_COMMAND_EXEC)
            return refuse(parser, EG_CONSTRUCT_EXEC, line->commands[i].offset,
                          line->commands[i].end);
    if (line->cd_count && line->cds[line->cd_count - 1].and_then)
        return refuse(parser, EG_CONSTRUCT_CD, line->cds[line->cd_count - 1].dir.offset,
                      line->cds[line->cd_count - 1].dir.end);
    for (uint32_t i = 0; i < line->redirect_count; i++) {
        const struct eg_redirect *redirect = &line->redirects[i];
        bool odd = false;
        if (redirect->kind == EG_REDIRECT_READ || redirect->kind == EG_REDIRECT_READ_WRITE)
            odd = redirect->fd != 0;
        if (redirect->kind == EG_REDIRECT_DUPLICATE) odd = !redirect->fd || !redirect->from;
        if (odd)
            return refuse(parser, EG_CONSTRUCT_BACKGROUND, redirect->offset, redirect->target.end);
    }
    return true;
}

/* `echo VALUE` at the cursor, and nothing behind it; VALUE in double quotes or not.
 * By its bytes: a joined line in the middle of it is refused as before. */
static bool takes_echo(struct parser *parser, const char *value)
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
    if (eg_scan_is_delimiter(eg_scan_peek(scan))) {
        if (peek_token(parser) == TOKEN_SEMICOLON) take(parser, 1);
        take_newlines(parser);
        if (peek_token(parser) == TOKEN_END) return true;
    }
    scan->at = start;
    return false;
}

/* tail : "echo" ("$?" | "$!") [";"] newlines */
static bool parse_tail(struct parser *parser)
{
    struct eg_line *line = parser->line;
    for (uint32_t i = 0; i < line->command_count; i++)
        if (line->commands[i].flags & EG_COMMAND_EXEC) return false;
    if (!takes_echo(parser, line->background ? "$!" : "$?")) return false;
    line->tail = line->background ? EG_TAIL_PROCESS : EG_TAIL_STATUS;
    return true;
}

/* After the command: nothing but an end or a tail, or the name of what follows. */
static bool parse_end(struct parser *parser)
{
    enum token token = peek_token(parser);
    size_t at = parser->scan.at;
    enum eg_construct what = EG_CONSTRUCT_NEWLINE;

    switch (token) {
    case TOKEN_AND: return refuse_here(parser, EG_CONSTRUCT_AND_LIST, 2);
    case TOKEN_OR: return refuse_here(parser, EG_CONSTRUCT_OR_LIST, 2);
    case TOKEN_CLOSE: return refuse_here(parser, EG_CONSTRUCT_SYNTAX, 1);
    case TOKEN_DOUBLE_SEMICOLON: return refuse_here(parser, EG_CONSTRUCT_SYNTAX, 2);
    case TOKEN_SEMICOLON:
        what = EG_CONSTRUCT_SEQUENCE;
        take(parser, 1);
        break;
    case TOKEN_AMPERSAND:
        what = EG_CONSTRUCT_BACKGROUND;
        parser->line->background = true;
        take(parser, 1);
        if (!check_background(parser)) return false;
        break;
    default: break;
    }
    take_newlines(parser);
    if (peek_token(parser) == TOKEN_END || parse_tail(parser)) return true;
    return refuse(parser, what, at, at + 1);
}

/* pipeline : command { "|" newlines command }; the first one is read already */
static bool parse_pipeline(struct parser *parser, struct eg_line_command command)
{
    struct eg_line *line = parser->line;
    for (;;) {
        if (line->command_count == EG_LINE_COMMANDS)
            return refuse(parser, EG_CONSTRUCT_TOO_LONG, command.offset, command.end);
        if (word_is(words_of(parser) + command.words, EG_STR("cd")))
            return refuse(parser, EG_CONSTRUCT_CD, command.offset, command.end);
        if (!classify_command(parser, &command)) return false;
        line->commands[line->command_count++] = command;
        if (peek_token(parser) != TOKEN_PIPE) return parse_end(parser);
        take(parser, 1);
        take_newlines(parser);
        if (!parse_command(parser, &command)) return false;
    }
}

static bool parse_line(struct parser *parser)
{
    struct eg_line_command command;
    bool required = false; /* something must follow: after `&&` */

    for (;;) {
        take_newlines(parser);
        enum token token = peek_token(parser);
        if (token == TOKEN_END && !required) return true;
        if (!parse_command(parser, &command)) return false;
        token = peek_token(parser);
        if (!word_is(words_of(parser) + command.words, EG_STR("cd")) || token == TOKEN_PIPE)
            return parse_pipeline(parser, command);
        if (!convert_cd(parser, &command, token)) return false;
        required = token == TOKEN_AND;
        if (token == TOKEN_AND)
            take(parser, 2);
        else if (token == TOKEN_SEMICOLON)
            take(parser, 1);
    }
}

enum eg_construct eg_line_parse(struct eg_str line, enum eg_dialect dialect,
                                const struct eg_line_memory *memory, struct eg_line *ret)
{
    struct parser parser = {
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
    ret->cd_count = ret->command_count = ret->redirect_count = ret->word_count = 0;
    ret->background = false;
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

bool eg_line_is_simple(const struct eg_line *line)
{
    return !line->construct && line->command_count == 1 && !line->cd_count && !line->background &&
           !line->tail;
}
