// SPDX-License-Identifier: MIT
/* A policy's statements and the blocks beside exec { }. */
#include "policy/parser.h"

#include "policy/defaults.h"

typedef bool (*eg_statement_parser)(struct eg_parser *p);

static bool add_name(struct eg_parser *p, struct eg_ast_word **names, size_t *count,
                     const struct eg_plain *name)
{
    struct eg_ast_word *grown = eg_arena_grow(p->policy->arena, *names, *count, sizeof(*grown));
    if (!grown) return eg_parser_exhausted(p);
    *names = grown;
    grown[(*count)++] = (struct eg_ast_word){ name->text, name->span };
    return true;
}

/* env_statement = ( 'drop' | 'keep' ) NAME { NAME } */
static bool parse_env_statement(struct eg_parser *p)
{
    struct eg_policy *policy = p->policy;
    const struct eg_word_row *row = eg_parse_word_of(p, EG_PLACE_ENV, "env", "drop or keep");
    if (!row) return false;
    do {
        struct eg_plain name;
        if (!eg_parse_plain(p, row->word, "the name of a variable", &name)) return false;
        bool good = name.text.n > 0 && !name.star_quoted;
        for (size_t i = 0; i < name.text.n; i++) {
            char c = name.text.p[i];
            bool last = i + 1 == name.text.n;
            good &= c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9' && i > 0) || (c == '*' && last);
        }
        if (!good) {
            eg_report(p->diagnostics, VARIABLE_NAME, name.span, eg_quote(name.text).s);
            return false;
        }
        eg_parser_note_name(p, 'v', name.text, name.span);
        struct eg_ast_env *grown =
            eg_arena_grow(policy->arena, policy->env, policy->env_count, sizeof(*grown));
        if (!grown) return eg_parser_exhausted(p);
        policy->env = grown;
        policy->env[policy->env_count++] = (struct eg_ast_env){
            .keep = row->id == EG_WORD_ENV_KEEP,
            .name = { name.text, name.span },
        };
    } while (!eg_parser_at_end_of_statement(p));
    return true;
}

/* kernel_statement = 'allow' WORD { WORD } */
static bool parse_kernel_statement(struct eg_parser *p)
{
    if (!eg_parse_word_of(p, EG_PLACE_KERNEL, "kernel", "allow")) return false;
    do {
        struct eg_plain name;
        if (!eg_parse_plain(p, "allow", "a word of the hardening list", &name)) return false;
        if (!eg_names_hold(eg_kernel_words, eg_kernel_word_count, name.text)) {
            struct eg_hint hint = eg_kernel_hint(name.text);
            eg_report_hint(p->diagnostics, UNKNOWN_WORD, name.span, hint.s, eg_quote(name.text).s);
            return false;
        }
        eg_parser_note_name(p, 'k', name.text, name.span);
        if (!add_name(p, &p->policy->kernel_allows, &p->policy->kernel_allow_count, &name))
            return false;
    } while (!eg_parser_at_end_of_statement(p));
    return true;
}

static struct eg_str without_prefix(struct eg_str name)
{
    static const char prefix[] = "cap_";
    for (size_t i = 0; i < 4; i++) {
        if (i >= name.n) return name;
        char c = name.p[i];
        if (c != prefix[i] && c != prefix[i] - 'a' + 'A') return name;
    }
    return eg_str_skip(name, 4);
}

/* capabilities_statement = 'keep' NAME { NAME } */
static bool parse_capabilities_statement(struct eg_parser *p)
{
    if (!eg_parse_word_of(p, EG_PLACE_CAPABILITIES, "capabilities", "keep")) return false;
    do {
        struct eg_plain name;
        if (!eg_parse_plain(p, "keep", "a capability", &name)) return false;
        if (!eg_names_hold(eg_capability_names, eg_capability_name_count, name.text)) {
            const char *near = eg_suggest(without_prefix(name.text), eg_capability_names,
                                          eg_capability_name_count);
            struct eg_hint hint =
                near ? eg_format_hint("did you mean \"%s\"?", near)
                     : eg_format_hint("names are those of capabilities(7) without CAP_, in lower "
                                      "case, such as net_bind_service");
            eg_report_hint(p->diagnostics, UNKNOWN_WORD, name.span, hint.s, eg_quote(name.text).s);
            return false;
        }
        eg_parser_note_name(p, 'c', name.text, name.span);
        if (!add_name(p, &p->policy->capabilities, &p->policy->capability_count, &name))
            return false;
    } while (!eg_parser_at_end_of_statement(p));
    return true;
}

static bool add_sink(struct eg_parser *p, enum eg_sink_kind kind, struct eg_str target,
                     struct eg_span span)
{
    struct eg_policy *policy = p->policy;
    struct eg_ast_sink *grown =
        eg_arena_grow(policy->arena, policy->sinks, policy->sink_count, sizeof(*grown));
    if (!grown) return eg_parser_exhausted(p);
    policy->sinks = grown;
    policy->sinks[policy->sink_count++] =
        (struct eg_ast_sink){ .kind = kind, .target = { target, span } };
    return true;
}

/* A number from 1 to EG_RATE_MAX in front of `suffix`; 0: it is none. */
static uint32_t number_before(struct eg_str text, struct eg_str suffix)
{
    if (text.n <= suffix.n || text.n > 16 || !eg_str_ends(text, suffix)) return 0;
    uint64_t value = 0;
    for (size_t i = 0; i < text.n - suffix.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return 0;
        value = value * 10 + (uint64_t)(text.p[i] - '0');
    }
    return value <= EG_RATE_MAX ? (uint32_t)value : 0;
}

/* rate = 'rate' N '/s' [ 'burst' N ] */
static bool parse_rate(struct eg_parser *p, struct eg_span start)
{
    struct eg_plain plain;
    if (!eg_parse_plain(p, "rate", "a number, such as 20/s", &plain)) return false;
    uint32_t rate = number_before(plain.text, EG_STR("/s"));
    if (!rate) {
        eg_report_hint(p->diagnostics, NUMBER, plain.span,
                       "write events a second, from 1/s to 1000000/s", eg_quote(plain.text).s);
        return false;
    }
    uint64_t burst = (uint64_t)rate * EG_BURST_PER_RATE;
    if (!eg_parser_at_end_of_statement(p)) {
        if (!eg_parse_word_of(p, EG_PLACE_BURST, "rate", "burst")) return false;
        if (!eg_parse_plain(p, "burst", "a number, such as 100", &plain)) return false;
        burst = number_before(plain.text, EG_STR(""));
        if (!burst) {
            eg_report_hint(p->diagnostics, NUMBER, plain.span,
                           "write a number of events, from 1 to 1000000", eg_quote(plain.text).s);
            return false;
        }
    }
    p->policy->rate_per_second = rate;
    p->policy->rate_burst = burst < EG_RATE_MAX ? (uint32_t)burst : EG_RATE_MAX;
    return eg_parser_once(p, EG_STR("rate"), &p->said_rate, start);
}

/* log_statement = 'file' PATH | 'stderr' | 'syslog' [ FACILITY ] | rate
 *               | 'request' ( 'on' | 'off' ) */
static bool parse_log_statement(struct eg_parser *p)
{
    struct eg_span start = p->token.span;
    const struct eg_word_row *row = eg_parse_word_of(p, EG_PLACE_LOG, "log", "a sink");
    if (!row) return false;
    struct eg_plain path;
    const struct eg_word_row *facility;
    const struct eg_word_row *choice;
    switch ((int)row->id) {
    case EG_WORD_LOG_FILE:
        if (!eg_parse_plain(p, "file", "a path", &path)) return false;
        if (path.text.n == 0 || path.text.p[0] != '/') {
            eg_report(p->diagnostics, PATH_RELATIVE, path.span, eg_quote(path.text).s);
            return false;
        }
        eg_parser_note_name(p, 'f', path.text, path.span);
        return add_sink(p, EG_SINK_FILE, path.text, path.span);
    case EG_WORD_LOG_STDERR:
        eg_parser_note_name(p, 's', EG_STR("stderr"), start);
        return add_sink(p, EG_SINK_STDERR, (struct eg_str){ NULL, 0 }, start);
    case EG_WORD_LOG_SYSLOG:
        facility = eg_word_find(EG_PLACE_FACILITY, EG_STR("authpriv"));
        if (!eg_parser_at_end_of_statement(p)) {
            facility = eg_parse_word_of(p, EG_PLACE_FACILITY, "syslog", "a facility");
            if (!facility) return false;
        }
        eg_parser_note_name(p, 's', EG_STR("syslog"), start);
        return add_sink(p, EG_SINK_SYSLOG, eg_str(facility->word), start);
    case EG_WORD_LOG_RATE: return parse_rate(p, start);
    case EG_WORD_LOG_REQUEST:
        choice = eg_parse_word_of(p, EG_PLACE_REQUEST, "request", "on or off");
        if (!choice) return false;
        p->policy->request_off = choice->id == EG_WORD_REQUEST_OFF;
        return eg_parser_once(p, EG_STR("request"), &p->said_request, start);
    default:
        eg_report(p->diagnostics, NOT_BUILT, start, eg_quote(eg_str(row->word)).s);
        return false;
    }
}

/* Is the current token a statement of the policy that cannot be one of this
 * block's?  `log` is both: with a `{` it is the block. */
static const struct eg_word_row *foreign_word(struct eg_parser *p, enum eg_place place)
{
    if (p->token.kind != EG_TOKEN_WORD) return NULL;
    const struct eg_word_row *top = eg_word_find(EG_PLACE_TOP, p->token.text);
    if (!top || !eg_word_find(place, p->token.text)) return top;
    return top->id == EG_WORD_TOP_LOG && eg_parser_brace_follows(p) ? top : NULL;
}

/* A word that starts no statement of this block but one of another place.
 * 0: it is none; 1: reported; 2: reported, and the block is taken as ended. */
enum misplaced { IN_PLACE, MISPLACED, ENDS_BLOCK };
static enum misplaced check_place(struct eg_parser *p, enum eg_place place, struct eg_str block,
                                  struct eg_span opener)
{
    struct eg_span span = p->token.span;
    struct eg_quoted word = eg_quote(p->token.text);
    char name[32] = { 0 };
    for (size_t i = 0; i < block.n && i < sizeof(name) - 1; i++) name[i] = block.p[i];
    const struct eg_word_row *top = foreign_word(p, place);
    if (top) {
        /* No further right than the block's own word: its } was forgotten. */
        if (span.line > opener.line && span.column <= opener.column) {
            struct eg_hint hint = eg_format_hint(
                "\"%s {\" of line %u is not closed: write } before %s", name, opener.line, word.s);
            eg_report_hint(p->diagnostics, INSIDE_BLOCK, span, hint.s, word.s, name);
            return ENDS_BLOCK;
        }
        const char *hint = "write it outside of blocks";
        if (top->id == EG_WORD_TOP_OPTIONAL && place == EG_PLACE_EXEC)
            hint = "it stands behind the verb: allow optional PROGRAM";
        eg_report_hint(p->diagnostics, INSIDE_BLOCK, span, hint, word.s, name);
        return MISPLACED;
    }
    if (p->token.kind != EG_TOKEN_WORD || eg_word_find(place, p->token.text)) return IN_PLACE;
    struct eg_hint blocks = eg_word_blocks(p->token.text);
    if (!blocks.s[0]) return IN_PLACE;
    struct eg_hint hint = eg_format_hint("it belongs into %s", blocks.s);
    eg_report_hint(p->diagnostics, INSIDE_BLOCK, span, hint.s, word.s, name);
    return MISPLACED;
}

/* The `{` of a block, on the word's line or a following one. */
static bool enter_block(struct eg_parser *p, struct eg_str name, struct eg_span opener)
{
    struct eg_lexer ahead = p->lexer;
    struct eg_token token = p->token;
    ahead.quiet = true;
    while (token.kind == EG_TOKEN_NEWLINE) token = eg_lexer_next(&ahead);
    if (token.kind != EG_TOKEN_LBRACE) {
        char word[32] = { 0 };
        for (size_t i = 0; i < name.n && i < sizeof(word) - 1; i++) word[i] = name.p[i];
        eg_report_hint(p->diagnostics, BRACE_MISSING, opener,
                       eg_format_hint(EG_HINT_BRACE_MISSING, word).s, eg_quote(name).s);
        p->stray = true;
        return false;
    }
    while (p->token.kind != EG_TOKEN_LBRACE) eg_parser_advance(p);
    eg_parser_advance(p);
    return true;
}

static bool end_statement(struct eg_parser *p)
{
    if (eg_parser_at_end_of_statement(p)) return true;
    return eg_parser_unexpected(p, "a statement ends with its line or with ;");
}

/* block = NAME '{' { [ statement ] ( ';' | NEWLINE ) } [ statement ] '}' */
static bool parse_block(struct eg_parser *p, const struct eg_word_row *row, struct eg_span opener,
                        enum eg_place place, eg_statement_parser parse_statement)
{
    struct eg_str name = eg_str(row->word);
    if (!enter_block(p, name, opener)) return false;
    while (p->token.kind != EG_TOKEN_RBRACE) {
        if (p->out_of_memory) return false;
        if (p->token.kind == EG_TOKEN_END) {
            if (!p->lexer.swallowed) eg_report(p->diagnostics, UNCLOSED_BLOCK, opener, row->word);
            p->resumed = true;
            return true;
        }
        if (p->token.kind == EG_TOKEN_NEWLINE || p->token.kind == EG_TOKEN_SEMICOLON) {
            eg_parser_advance(p);
            continue;
        }
        switch (check_place(p, place, name, opener)) {
        case IN_PLACE:
            if (!parse_statement(p) || !end_statement(p)) eg_parser_skip_statement(p);
            break;
        case MISPLACED:
            eg_parser_advance(p);
            eg_parser_skip_statement(p);
            break;
        case ENDS_BLOCK:
            p->early_closes++;
            p->resumed = true;
            return true;
        }
    }
    p->closed_block = name;
    p->closed_open = opener;
    p->closed_at = p->token.span;
    eg_parser_advance(p);
    return true;
}

/* optional = 'optional' LAYER { LAYER } */
static bool parse_optional(struct eg_parser *p)
{
    do {
        struct eg_span span = p->token.span;
        if (p->token.kind == EG_TOKEN_WORD && eg_str_equal(p->token.text, EG_STR("shim"))) {
            eg_report(p->diagnostics, LAYER_NEEDED, span, eg_quote(p->token.text).s);
            return false;
        }
        const struct eg_word_row *row =
            eg_parse_word_of(p, EG_PLACE_LAYER, "optional", "the name of a layer");
        if (!row) return false;
        enum eg_layer layer = eg_layer_of(row->id);
        eg_parser_note_name(p, 'l', eg_str(row->word), span);
        p->policy->optional_layers |= 1u << layer;
        p->policy->optional_spans[layer] = span;
    } while (!eg_parser_at_end_of_statement(p));
    return true;
}

/* include = 'include' NAME */
static bool parse_include(struct eg_parser *p)
{
    struct eg_plain name;
    if (!eg_parse_plain(p, "include", "the name of a policy", &name)) return false;
    if (!end_statement(p)) return false;
    return eg_include(p, name.text, name.span);
}

/* agent = 'agent' PATH */
static bool parse_agent(struct eg_parser *p, struct eg_span start)
{
    struct eg_plain path;
    if (!eg_parse_plain(p, "agent", "the path of its socket", &path)) return false;
    if (path.text.n == 0 || path.text.p[0] != '/') {
        eg_report(p->diagnostics, PATH_RELATIVE, path.span, eg_quote(path.text).s);
        return false;
    }
    p->policy->agent = (struct eg_ast_word){ path.text, path.span };
    return eg_parser_once(p, EG_STR("agent"), &p->said_agent, start);
}

/* statement = 'mode' ( 'enforce' | 'log' ) | optional | 'no-new-privs' ( 'yes' | 'no' )
 *           | agent | include | block */
static bool parse_statement(struct eg_parser *p)
{
    struct eg_policy *policy = p->policy;
    struct eg_span span = p->token.span;
    p->statement_seen = true;
    if (p->token.kind == EG_TOKEN_WORD && !eg_word_find(EG_PLACE_TOP, p->token.text)) {
        struct eg_hint blocks = eg_word_blocks(p->token.text);
        if (blocks.s[0]) {
            /* The lines after an early } would all say the same. */
            if (!p->stray)
                eg_report_hint(p->diagnostics, OUTSIDE_BLOCK, span,
                               eg_format_hint("it belongs into %s", blocks.s).s,
                               eg_quote(p->token.text).s);
            p->stray = true;
            return false;
        }
    }
    const struct eg_word_row *row = eg_parse_word_of(p, EG_PLACE_TOP, "a policy", "a statement");
    if (!row) return false;
    p->stray = false;
    const struct eg_word_row *choice;
    switch ((int)row->id) {
    case EG_WORD_TOP_MODE:
        choice = eg_parse_word_of(p, EG_PLACE_MODE, "mode", "enforce or log");
        if (!choice) return false;
        policy->log_mode = choice->id == EG_WORD_MODE_LOG;
        return eg_parser_once(p, EG_STR("mode"), &p->said_mode, span);
    case EG_WORD_TOP_NO_NEW_PRIVS:
        choice = eg_parse_word_of(p, EG_PLACE_SWITCH, "no-new-privs", "yes or no");
        if (!choice) return false;
        policy->no_new_privs = choice->id == EG_WORD_SWITCH_YES;
        return eg_parser_once(p, EG_STR("no-new-privs"), &p->said_no_new_privs, span);
    case EG_WORD_TOP_AGENT: return parse_agent(p, span);
    case EG_WORD_TOP_OPTIONAL: return parse_optional(p);
    case EG_WORD_TOP_INCLUDE: return parse_include(p);
    case EG_WORD_TOP_EXEC: return parse_block(p, row, span, EG_PLACE_EXEC, eg_parse_exec_statement);
    case EG_WORD_TOP_ENV: return parse_block(p, row, span, EG_PLACE_ENV, parse_env_statement);
    case EG_WORD_TOP_KERNEL:
        return parse_block(p, row, span, EG_PLACE_KERNEL, parse_kernel_statement);
    case EG_WORD_TOP_CAPABILITIES:
        policy->limit_capabilities = true;
        return parse_block(p, row, span, EG_PLACE_CAPABILITIES, parse_capabilities_statement);
    case EG_WORD_TOP_LOG: return parse_block(p, row, span, EG_PLACE_LOG, parse_log_statement);
    case EG_WORD_TOP_WRITE:
        policy->limit_writes = true;
        return parse_block(p, row, span, EG_PLACE_WRITE, eg_parse_write_statement);
    case EG_WORD_TOP_UPLOADS:
        return eg_parse_uploads_head(p, span) &&
               parse_block(p, row, span, EG_PLACE_UPLOADS, eg_parse_uploads_statement);
    default:
        eg_report(p->diagnostics, NOT_BUILT, span, eg_quote(eg_str(row->word)).s);
        return false;
    }
}

/* A } outside of blocks: said, unless it belongs to a mistake said before. */
static void pass_stray_brace(struct eg_parser *p)
{
    if (p->early_closes) {
        p->early_closes--;
    } else if (p->stray) {
        p->stray = false;
    } else if (!p->lexer.swallowed) {
        struct eg_hint hint = eg_format_hint("no block is open here");
        if (p->closed_block.n)
            hint = eg_format_hint("the last block, \"%.*s {\" of line %u, was closed at line %u",
                                  (int)p->closed_block.n, p->closed_block.p, p->closed_open.line,
                                  p->closed_at.line);
        eg_report_hint(p->diagnostics, UNMATCHED_BRACE, p->token.span, hint.s);
    }
    p->statement_seen = true;
    eg_parser_advance(p);
}

/* policy = { [ statement ] ( ';' | NEWLINE ) } [ statement ] */
bool eg_parse_text(struct eg_parser *p, uint32_t source)
{
    p->lexer = (struct eg_lexer){
        .text = p->policy->sources[source].text,
        .line = 1,
        .source = source,
        .arena = p->policy->arena,
        .diagnostics = p->diagnostics,
    };
    eg_parser_advance(p);
    while (p->token.kind != EG_TOKEN_END && !p->out_of_memory) {
        if (p->token.kind == EG_TOKEN_NEWLINE || p->token.kind == EG_TOKEN_SEMICOLON) {
            eg_parser_advance(p);
        } else if (p->token.kind == EG_TOKEN_RBRACE) {
            pass_stray_brace(p);
        } else {
            bool good = parse_statement(p);
            if (p->resumed)
                p->resumed = false;
            else if (!good || !end_statement(p))
                eg_parser_skip_statement(p);
        }
    }
    return !p->out_of_memory;
}
