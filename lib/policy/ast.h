// SPDX-License-Identifier: MIT
/* The checked form of a policy text: what the parser makes, the printer prints
 * and compile/ lowers.  Everything lives in the policy's arena and dies with
 * eg_policy_free. */
#ifndef EG_POLICY_AST_H
#define EG_POLICY_AST_H

#include "base/str.h"
#include "blob/blob.h"

/* Where something stands: source index, 1-based line and column (bytes; a tab
 * is one), byte length.  Every node has one. */
struct eg_span {
    uint32_t source;
    uint32_t line;
    uint32_t column;
    uint32_t length;
};

/* One piece of an argument.  LITERAL: text is the unquoted text.  FILE and DIR:
 * text is the glob or empty.  Other holes: text is empty. */
struct eg_ast_piece {
    enum eg_piece_kind kind;
    struct eg_str text;
    struct eg_span span;
};

enum eg_ast_arg_kind {
    EG_ARG_WORD,         /* pieces: one argument */
    EG_ARG_OPTIONAL,     /* branches[0]: all of it or nothing */
    EG_ARG_ALTERNATIVES, /* branches: one of them; two or more */
    EG_ARG_REST,         /* `...`; only as the last argument of a rule */
};

struct eg_ast_arg;
struct eg_ast_sequence {
    struct eg_ast_arg *args;
    size_t count;
};

struct eg_ast_arg {
    enum eg_ast_arg_kind kind;
    struct eg_ast_piece *pieces;
    size_t piece_count;
    struct eg_ast_sequence *branches;
    size_t branch_count;
    struct eg_span span;
};

struct eg_ast_word {
    struct eg_str text;
    struct eg_span span;
};

/* One statement of the exec block.  verb SHELL_FROM has no program. */
struct eg_ast_rule {
    enum eg_verb verb;
    bool optional;
    struct eg_ast_word program; /* absolute path; `*` in it is expanded by compile */
    struct eg_ast_sequence args;
    struct eg_ast_word *from;
    size_t from_count;
    struct eg_ast_word *users; /* `for`: names or numbers */
    size_t user_count;
    struct eg_span span; /* of the whole statement */
};

struct eg_ast_env {
    bool keep;
    struct eg_ast_word name; /* may end in '*' */
};

/* Longest glob of write { } and uploads { }, in bytes. */
#define EG_PATTERN_MAX 1016u

/* A path of the write block. */
struct eg_ast_tree {
    uint32_t flags;          /* one of enum eg_tree_flag */
    struct eg_ast_word path; /* absolute, without `.`, `..` and empty components; may be a glob */
};

/* A word behind `deny name` or `deny read` of an uploads block. */
struct eg_ast_name {
    uint32_t use; /* one of enum eg_name_use */
    bool scripts; /* the built-in set; otherwise glob */
    struct eg_ast_word glob;
};

struct eg_ast_uploads {
    struct eg_ast_word *trees; /* at least one; as eg_ast_tree's path, without `**` */
    size_t tree_count;
    struct eg_ast_name *names;
    size_t name_count;
    uint32_t contents;              /* refused kinds, bit by row of table/contents.def */
    struct eg_span content_span;    /* of the first such statement; line 0: there is none */
    struct eg_span executable_span; /* of `deny executable`; line 0: it is not said */
    struct eg_ast_word quarantine;  /* folder; empty: none */
    struct eg_span quarantine_span;
    struct eg_span span; /* of the word `uploads` */
};

struct eg_ast_sink {
    enum eg_sink_kind kind;
    struct eg_ast_word target;
};

/* A text that was read: the policy file or an include. */
struct eg_source {
    struct eg_str path; /* as opened */
    struct eg_str text;
    struct eg_span included_from; /* line 0: the main file */
    struct eg_identity id;        /* when read */
};

struct eg_policy {
    struct eg_source *sources;
    size_t source_count;
    struct eg_str name; /* base name without .policy */
    bool log_mode;
    bool no_new_privs; /* default true */
    uint32_t optional_layers;
    struct eg_span optional_spans[EG_LAYER_COUNT];
    struct eg_ast_word agent; /* its socket; empty: none */
    bool shell_rewrite;       /* default true once rewriting is built */
    bool pipeline_allow;
    bool list_allow;
    bool worker_reexec;
    bool request_off; /* events name no web request */
    struct eg_ast_rule *rules;
    size_t rule_count;
    bool limit_writes; /* there is a write block */
    struct eg_ast_tree *trees;
    size_t tree_count;
    struct eg_ast_uploads *uploads;
    size_t upload_count;
    struct eg_ast_env *env;
    size_t env_count;
    struct eg_ast_word *kernel_allows; /* names of table/hardening.def */
    size_t kernel_allow_count;
    bool limit_capabilities;
    struct eg_ast_word *capabilities; /* kept; names without cap_ */
    size_t capability_count;
    struct eg_ast_sink *sinks;
    size_t sink_count;
    uint32_t rate_per_second; /* default 20 */
    uint32_t rate_burst;      /* default 100 */
    struct eg_arena *arena;
};

#endif
