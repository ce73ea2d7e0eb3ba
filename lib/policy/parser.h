// SPDX-License-Identifier: MIT
/* What the files of the parser share.  One parse function a grammar rule; the
 * rule is its comment.  A parse function returns false when a mistake was
 * reported (or memory ran out); the statement is then skipped, so that one
 * mistake gives one message and the next statement is read with fresh eyes. */
#ifndef EG_POLICY_PARSER_H
#define EG_POLICY_PARSER_H

#include "policy/lexer.h"
#include "policy/seen.h"
#include "policy/words.h"

#define EG_NESTING_MAX       16u /* of [ ] and { } in one rule */
#define EG_INCLUDE_DEPTH_MAX 16u
#define EG_INCLUDE_COUNT_MAX 256u
#define EG_VARIANTS_MAX      64u /* words that alternatives inside a word may make */

struct eg_parser {
    struct eg_policy *policy;
    const struct eg_policy_options *options;
    struct eg_diagnostics *diagnostics;
    struct eg_lexer lexer;
    struct eg_token token; /* the one to be judged next */
    struct eg_span last;   /* of the token before it */
    bool out_of_memory;
    bool from_memory;    /* eg_policy_parse: includes by search only */
    bool statement_seen; /* the policy is not empty */

    /* Where what may be said once was said; line 0: nowhere. */
    struct eg_span said_mode, said_no_new_privs, said_agent, said_shell, said_pipeline, said_list,
        said_worker, said_rate, said_request;

    /* For recovery. */
    unsigned open_braces;       /* { of alternatives that the mistake left open */
    bool in_rule;               /* a rule's braces never reach over the line */
    bool stray;                 /* statements of a block stand outside: said once */
    bool resumed;               /* a block ended at the start of the next statement */
    unsigned early_closes;      /* blocks closed for the writer, whose } may still come */
    struct eg_str closed_block; /* the last block that was closed, and where */
    struct eg_span closed_open, closed_at;

    /* Texts that are open now, by source index, the innermost last. */
    uint32_t open_sources[EG_INCLUDE_DEPTH_MAX + 1];
    unsigned open_source_count;
    size_t bytes_read; /* of all texts */

    struct eg_seen seen;
};

/* parser.c: tokens */
void eg_parser_advance(struct eg_parser *p);
bool eg_parser_at_end_of_statement(const struct eg_parser *p);
/* Pass what is left of a statement after a mistake. */
void eg_parser_skip_statement(struct eg_parser *p);
/* The next token after the current one is a `{`? */
bool eg_parser_brace_follows(struct eg_parser *p);
struct eg_span eg_span_join(struct eg_span first, struct eg_span last);
/* "file:line" of a span, for hints. */
struct eg_hint eg_parser_place(const struct eg_parser *p, struct eg_span span);
/* Out of memory: note it and return false. */
bool eg_parser_exhausted(struct eg_parser *p);
/* Report the current token as unexpected; false. */
bool eg_parser_unexpected(struct eg_parser *p, const char *hint);

/* One plain word (no holes, no braces): words and strings that touch each other.
 * `after` and `what` are for the message when there is none. */
struct eg_plain {
    struct eg_str text;
    struct eg_span span;
    bool quoted;      /* any part of it */
    bool star_quoted; /* a quoted part holds a * */
};
bool eg_parse_plain(struct eg_parser *p, const char *after, const char *what, struct eg_plain *ret);
/* One word of the language at a place; unknown, quoted and later words are
 * reported.  NULL: reported. */
const struct eg_word_row *eg_parse_word_of(struct eg_parser *p, enum eg_place place,
                                           const char *after, const char *what);
/* Report a second time of what may be said once; `first` is its span (line 0:
 * not said yet, then noted). */
bool eg_parser_once(struct eg_parser *p, struct eg_str what, struct eg_span *first,
                    struct eg_span span);
/* Warn when a name of a kind was named before. */
void eg_parser_note_name(struct eg_parser *p, char kind, struct eg_str name, struct eg_span span);

/* parse_policy.c: everything outside exec { } */
bool eg_parse_text(struct eg_parser *p, uint32_t source);

/* parse_exec.c: one statement of exec { } */
bool eg_parse_exec_statement(struct eg_parser *p);

/* parse_write.c: one statement of write { } and of uploads { }, what stands
 * before the latter's {, and the checks when all was read */
bool eg_parse_write_statement(struct eg_parser *p);
bool eg_parse_uploads_head(struct eg_parser *p, struct eg_span opener);
bool eg_parse_uploads_statement(struct eg_parser *p);
void eg_check_uploads(struct eg_parser *p);

/* parse_arguments.c: the arguments of a rule, up to `from` or its end */
bool eg_parse_arguments(struct eg_parser *p, struct eg_ast_sequence *ret);

/* include.c: read another text in place; `span` is the word that names it */
bool eg_include(struct eg_parser *p, struct eg_str name, struct eg_span span);

/* check_word.c: can this word pattern be matched without guessing? */
bool eg_check_word(struct eg_parser *p, const struct eg_ast_piece *pieces, size_t count);

#endif
