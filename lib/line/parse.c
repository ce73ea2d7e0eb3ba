// SPDX-License-Identifier: MIT
/* A command line's grammar, one function a rule:
 *
 *   line     : newlines [ (list | group) [";" | "&" | truth] ] newlines [ tail ]
 *   group    : "(" newlines list [";"] newlines ")" { redirect }
 *   list     : { step (";" | "&&" | NEWLINE) } [ pipeline { joint newlines pipeline } ]
 *   joint    : ";" | NEWLINE | "&&" | "||"
 *   truth    : "||" newlines ("true" | ":")
 *   tail     : "echo" ("$?" | "$!") [";"] newlines
 *   pipeline : command { "|" newlines command }
 *   command  : { ASSIGNMENT | redirect } WORD { WORD | redirect }
 *
 * A step is a command by which the shell changes itself (step.c).  Where dash's grammar
 * allows more, the function that meets it names it. */
#include "line/parser.h"

/* The token at the cursor, blanks skipped; nothing else is consumed. */
static enum eg_token peek_token(struct eg_parser *parser)
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

static void take(struct eg_parser *parser, int bytes)
{
    while (bytes--) {
        eg_scan_peek(&parser->scan);
        parser->scan.at++;
    }
}

static void take_newlines(struct eg_parser *parser)
{
    while (peek_token(parser) == EG_TOKEN_NEWLINE) take(parser, 1);
}

static bool refuse(struct eg_parser *parser, enum eg_construct construct, size_t offset, size_t end)
{
    return eg_scan_refuse(&parser->scan, construct, offset, end);
}

/* Refuse the operator at the cursor. */
static bool refuse_here(struct eg_parser *parser, enum eg_construct construct, size_t length)
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

/* 12>file, or the 12 of >12>file: bash reads a descriptor, dash a word. */
static bool check_digits(struct eg_parser *parser, const struct eg_line_word *word)
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
static bool parse_redirect_operator(struct eg_parser *parser, struct eg_redirect *redirect)
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
static bool parse_redirect(struct eg_parser *parser, struct eg_line_command *command)
{
    struct eg_line *line = parser->line;
    struct eg_redirect redirect = { 0 };
    struct eg_scan_word target;

    if (!parse_redirect_operator(parser, &redirect)) return false;
    size_t operator_end = parser->scan.at;
    if (peek_token(parser) != EG_TOKEN_WORD)
        return refuse(parser, EG_CONSTRUCT_SYNTAX, redirect.offset, operator_end);
    char *text = parser->scan.text;
    if (!eg_scan_word(&parser->scan, EG_SCAN_TARGET, &target)) return false;
    redirect.target = target.word;

    if (redirect.kind == EG_REDIRECT_DUPLICATE) {
        const struct eg_line_word *word = &target.word;
        /* dash takes the quotes off first; bash looks for the bare `-` */
        if (parser->scan.dialect != EG_DIALECT_DASH && word->end - word->offset != word->n)
            return refuse(parser, EG_CONSTRUCT_DESCRIPTOR, redirect.offset, word->end);
        if (eg_word_is(word, EG_STR("-"))) {
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

static struct eg_line_word *words_of(struct eg_parser *parser)
{
    return parser->memory->words;
}

/* Keep a word or an assignment. */
static bool store_word(struct eg_parser *parser, const struct eg_line_word *word)
{
    struct eg_line *line = parser->line;
    if (line->word_count == parser->memory->word_limit)
        return refuse(parser, EG_CONSTRUCT_TOO_LONG, word->offset, word->end);
    words_of(parser)[line->word_count++] = *word;
    return true;
}

/* Forget the first word of the command. */
static void drop_first_word(struct eg_parser *parser, struct eg_line_command *command)
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
    return !refused || refuse(parser, EG_CONSTRUCT_ASSIGNMENT, word->offset, word->end);
}

static bool refuse_reserved(struct eg_parser *parser, const struct eg_line_word *word)
{
    enum eg_construct construct = EG_CONSTRUCT_RESERVED_WORD;
    if (eg_word_is(word, EG_STR("!"))) construct = EG_CONSTRUCT_NEGATION;
    if (eg_word_is(word, EG_STR("{"))) construct = EG_CONSTRUCT_BRACE_GROUP;
    if (eg_word_is(word, EG_STR("function"))) construct = EG_CONSTRUCT_FUNCTION;
    return refuse(parser, construct, word->offset, word->end);
}

/* echo, true and false do the same as programs, for plain words: dash's echo
 * reads backslashes and no option but -n, others read -e, -E, --help. */
static bool twin_is_exact(struct eg_parser *parser, const struct eg_line_command *command)
{
    const struct eg_line_word *words = words_of(parser) + command->words;
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

/* What the shell would do with the finished command: itself, or a program? */
static bool classify_command(struct eg_parser *parser, struct eg_line_command *command)
{
    const struct eg_line_word *first = words_of(parser) + command->words;
    enum eg_dialect dialect = parser->scan.dialect;

    if (eg_word_is(first, EG_STR("exec"))) {
        const struct eg_line_word *next = first + 1;
        if (command->word_count < 2 || (next->n && next->text[0] == '-'))
            return refuse(parser, EG_CONSTRUCT_EXEC, first->offset, first->end);
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
            return refuse(parser, EG_CONSTRUCT_COMMAND, first->offset, first->end);
        for (uint32_t i = 0; i < 2 + dash_dash; i++) drop_first_word(parser, command);
        command->flags |= EG_COMMAND_LOOKUP;
        return true;
    } else if (eg_line_is_builtin(dialect, eg_word_str(first))) {
        if (has_kind(eg_word_str(first), TWIN) && twin_is_exact(parser, command))
            command->flags |= EG_COMMAND_TWIN;
        else if (dialect == EG_DIALECT_DASH && eg_own_is_plain(first, command->word_count))
            command->flags |= EG_COMMAND_OWN;
        else
            return refuse(parser, EG_CONSTRUCT_BUILTIN, first->offset, first->end);
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
static bool refuse_missing_command(struct eg_parser *parser, enum eg_token token)
{
    if (token == EG_TOKEN_OPEN) return refuse_here(parser, EG_CONSTRUCT_SUBSHELL, 1);
    bool two = token == EG_TOKEN_AND || token == EG_TOKEN_OR || token == EG_TOKEN_DOUBLE_SEMICOLON;
    return refuse_here(parser, EG_CONSTRUCT_SYNTAX, two ? 2 : 1);
}

/* In a command: a word that is an assignment, the name, or an argument. */
static bool parse_command_word(struct eg_parser *parser, struct eg_line_command *command)
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
        eg_line_is_reserved(parser->scan.dialect, eg_word_str(&word.word)))
        return refuse_reserved(parser, &word.word);
    command->word_count++;
    return store_word(parser, &word.word);
}

/* command : { ASSIGNMENT | redirect } WORD { WORD | redirect } */
static bool parse_command(struct eg_parser *parser, struct eg_line_command *command)
{
    struct eg_line *line = parser->line;
    enum eg_token token = peek_token(parser);
    *command = (struct eg_line_command){
        .assignments = line->word_count,
        .words = line->word_count,
        .redirects = line->redirect_count,
        .offset = (uint32_t)parser->scan.at,
        .end = (uint32_t)parser->scan.at,
    };
    if (token != EG_TOKEN_WORD && token != EG_TOKEN_REDIRECT)
        return refuse_missing_command(parser, token);

    for (; token == EG_TOKEN_WORD || token == EG_TOKEN_REDIRECT; token = peek_token(parser))
        if (!(token == EG_TOKEN_WORD ? parse_command_word(parser, command)
                                     : parse_redirect(parser, command)))
            return false;

    if (token == EG_TOKEN_OPEN) {
        bool function = command->word_count == 1 && !command->assignment_count;
        return refuse_here(parser, function ? EG_CONSTRUCT_FUNCTION : EG_CONSTRUCT_SUBSHELL, 1);
    }
    if (!command->word_count)
        return refuse(parser, EG_CONSTRUCT_NO_COMMAND, command->offset, command->end);
    return true;
}

/* ---- the whole line ---- */

/* bash sets up a command in background in ways of its own (signals after `exec`
 * and `cd &&`, standard input after some redirections): only the plain case. */
static bool check_background(struct eg_parser *parser)
{
    const struct eg_line *line = parser->line;
    if (parser->scan.dialect == EG_DIALECT_DASH) return true;
    for (uint32_t i = 0; i < line->command_count; i++)
        if (line->commands[i].flags & EG_COMMAND_EXEC)
            return refuse(parser, EG_CONSTRUCT_EXEC, line->commands[i].offset,
                          line->commands[i].end);
    if (line->step_count && line->steps[line->step_count - 1].and_then)
        return refuse(parser, EG_CONSTRUCT_CD, line->steps[line->step_count - 1].word.offset,
                      line->steps[line->step_count - 1].word.end);
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

/* Nothing more but `;`, newlines and a comment. */
static bool takes_end(struct eg_parser *parser)
{
    if (peek_token(parser) == EG_TOKEN_SEMICOLON) take(parser, 1);
    take_newlines(parser);
    return peek_token(parser) == EG_TOKEN_END;
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

/* Does a command take the shell's place, so that nothing comes after it? */
static bool takes_place(const struct eg_line *line)
{
    for (uint32_t i = 0; i < line->command_count; i++)
        if (line->commands[i].flags & EG_COMMAND_EXEC) return true;
    return false;
}

/* The same of the line: a group has a place of its own. */
static bool ends_in_exec(const struct eg_line *line)
{
    return !line->group && takes_place(line);
}

/* tail : "echo" ("$?" | "$!") [";"] newlines */
static bool parse_tail(struct eg_parser *parser)
{
    struct eg_line *line = parser->line;
    if (ends_in_exec(line) || !takes_echo(parser, line->background ? "$!" : "$?")) return false;
    line->tail = line->background ? EG_TAIL_PROCESS : EG_TAIL_STATUS;
    return true;
}

/* truth : "||" newlines ("true" | ":"), and nothing behind it; by its bytes */
static bool parse_truth(struct eg_parser *parser)
{
    struct eg_scan *scan = &parser->scan;
    size_t start = scan->at;
    take(parser, 2);
    take_newlines(parser);
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

/* After list or group: nothing but an end or a tail, or the name of what follows. */
static bool parse_end(struct eg_parser *parser)
{
    enum eg_token token = peek_token(parser);
    size_t at = parser->scan.at;
    enum eg_construct what = EG_CONSTRUCT_NEWLINE;

    switch (token) {
    case EG_TOKEN_AND: return refuse_here(parser, EG_CONSTRUCT_AND_LIST, 2);
    case EG_TOKEN_OR: return parse_truth(parser) || refuse_here(parser, EG_CONSTRUCT_OR_LIST, 2);
    case EG_TOKEN_PIPE: return refuse_here(parser, EG_CONSTRUCT_SUBSHELL, 1);
    case EG_TOKEN_OPEN:
    case EG_TOKEN_WORD: return refuse_here(parser, EG_CONSTRUCT_SYNTAX, 1);
    case EG_TOKEN_CLOSE: return refuse_here(parser, EG_CONSTRUCT_SYNTAX, 1);
    case EG_TOKEN_DOUBLE_SEMICOLON: return refuse_here(parser, EG_CONSTRUCT_SYNTAX, 2);
    case EG_TOKEN_SEMICOLON:
        what = EG_CONSTRUCT_SEQUENCE;
        take(parser, 1);
        break;
    case EG_TOKEN_AMPERSAND:
        what = EG_CONSTRUCT_BACKGROUND;
        /* only what is joined by && or || goes there together */
        for (uint32_t i = 0; !parser->line->group && i < parser->line->command_count; i++)
            if (parser->line->commands[i].joint == EG_JOINT_SEQUENCE)
                return refuse_here(parser, EG_CONSTRUCT_BACKGROUND, 1);
        parser->line->background = true;
        take(parser, 1);
        if (!check_background(parser)) return false;
        break;
    default: break;
    }
    take_newlines(parser);
    if (peek_token(parser) == EG_TOKEN_END || parse_tail(parser)) return true;
    return refuse(parser, what, at, at + 1);
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
            return refuse(parser, EG_CONSTRUCT_TOO_LONG, command.offset, command.end);
        if (eg_word_is(words_of(parser) + command.words, EG_STR("cd")))
            return refuse(parser, EG_CONSTRUCT_CD, command.offset, command.end);
        if (!classify_command(parser, &command)) return false;
        line->commands[line->command_count++] = command;
        if (peek_token(parser) != EG_TOKEN_PIPE) return true;
        joint = EG_JOINT_PIPE;
        joint_at = parser->scan.at;
        take(parser, 1);
        take_newlines(parser);
        if (!parse_command(parser, &command)) return false;
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
        enum eg_token token = peek_token(parser);
        enum eg_joint joint = joint_of(token);
        size_t at = scan->at;
        if (joint == EG_JOINT_NONE || (token == EG_TOKEN_OR && parse_truth(parser))) return true;
        take(parser, joint == EG_JOINT_SEQUENCE ? 1 : 2);
        take_newlines(parser);
        if (joint == EG_JOINT_SEQUENCE) {
            bool ends = is_list_end(parser, peek_token(parser));
            if (ends) scan->at = at;
            if (ends || (!line->group && parse_tail(parser))) return true;
        }
        /* nothing comes after a program that took the shell's place */
        if (takes_place(line)) {
            scan->at = at;
            return line->group ? refuse(parser, EG_CONSTRUCT_SUBSHELL, at, at + 1) : true;
        }
        if (!parse_command(parser, &command) || !parse_pipeline(parser, command, joint, at))
            return false;
    }
}

/* list : { step (";" | "&&" | NEWLINE) } [ pipeline { joint newlines pipeline } ] */
static bool parse_list(struct eg_parser *parser)
{
    struct eg_line_command command;
    bool required = false; /* something must follow: after `&&` */

    for (;;) {
        take_newlines(parser);
        enum eg_token token = peek_token(parser);
        if (is_list_end(parser, token) && !required) return true;
        if (!parse_command(parser, &command)) return false;
        token = peek_token(parser);
        if (!eg_step_is_one(parser, &command, token))
            return parse_pipeline(parser, command, EG_JOINT_NONE, 0) && parse_rest(parser);
        if (!eg_step_take(parser, &command, token)) return false;
        required = token == EG_TOKEN_AND;
        if (token == EG_TOKEN_AND)
            take(parser, 2);
        else if (token == EG_TOKEN_SEMICOLON)
            take(parser, 1);
    }
}

/* group : "(" newlines list [";"] newlines ")" { redirect } */
static bool parse_group(struct eg_parser *parser)
{
    struct eg_line *line = parser->line;
    size_t open = parser->scan.at;
    struct eg_line_command rest = { 0 };

    line->group = true;
    take(parser, 1);
    if (!parse_list(parser)) return false;
    if (peek_token(parser) == EG_TOKEN_SEMICOLON) take(parser, 1);
    take_newlines(parser);
    if (peek_token(parser) != EG_TOKEN_CLOSE || (!line->command_count && !line->step_count))
        return refuse(parser, EG_CONSTRUCT_SUBSHELL, open, open + 1);
    take(parser, 1);
    line->group_redirects = line->redirect_count;
    while (peek_token(parser) == EG_TOKEN_REDIRECT)
        if (!parse_redirect(parser, &rest)) return false;
    line->group_redirect_count = rest.redirect_count;
    return true;
}

static bool parse_line(struct eg_parser *parser)
{
    take_newlines(parser);
    /* bash has ways of its own to start what stands in a subshell */
    bool group = parser->scan.dialect == EG_DIALECT_DASH && peek_token(parser) == EG_TOKEN_OPEN;
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
