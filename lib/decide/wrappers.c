// SPDX-License-Identifier: MIT
/* Finds the command inside a wrapper's arguments, by the option grammar of
 * table/wrappers.def.  What that grammar does not say is refused: a wrong guess
 * would judge another command than the one that runs. */
#include "decide/parts.h"

enum flag {
    ASSIGNMENTS = 1u << 0,
    NUMBER = 1u << 1,
    NUMERIC = 1u << 2,
    DEFAULT_ECHO = 1u << 3,
    OPEN_ENDED = 1u << 4,
    REPLACE = 1u << 5,
    LOADER = 1u << 6,
    REFUSED = 1u << 7,
};

struct grammar {
    struct eg_str short_options;
    struct eg_str long_options;
    size_t operands;
    unsigned flags;
};

/* One pass over a wrapper's arguments. */
struct scan {
    const struct eg_exec_request *request;
    struct grammar grammar;
    size_t at;          /* next argument */
    struct eg_str mark; /* REPLACE: what unknown text takes the place of */
    bool has_mark;
    bool path_changed; /* env: the inner command is searched with another PATH */
};

enum arity { UNKNOWN, ALONE, WITH_ARGUMENT, WITH_ATTACHED };

static bool find_grammar(struct eg_str name, struct grammar *ret)
{
#define W(pattern, short_opts, long_opts, count, bits)                                             \
    if (eg_decide_name_fits(EG_STR(pattern), name)) {                                              \
        *ret = (struct grammar){ EG_STR(short_opts), EG_STR(long_opts), count, bits };             \
        return true;                                                                               \
    }
#include "table/wrappers.def"
#undef W
    return false;
}

static enum arity short_arity(const struct grammar *g, char c)
{
    size_t i = eg_str_find(g->short_options, c);
    if (c == ':' || i == g->short_options.n) return UNKNOWN;
    struct eg_str rest = eg_str_skip(g->short_options, i + 1);
    if (eg_str_starts(rest, EG_STR("::"))) return WITH_ATTACHED;
    return rest.n && rest.p[0] == ':' ? WITH_ARGUMENT : ALONE;
}

static enum arity long_arity(const struct grammar *g, struct eg_str name)
{
    struct eg_str left = g->long_options;
    while (left.n) {
        struct eg_str word = { left.p, eg_str_find(left, ' ') };
        struct eg_str bare = { word.p, eg_str_find(word, '=') };
        enum arity arity = bare.n == word.n ? ALONE : WITH_ARGUMENT;
        left = eg_str_skip(left, word.n + 1);
        if (arity == WITH_ARGUMENT && eg_str_ends(bare, EG_STR("["))) {
            arity = WITH_ATTACHED;
            bare.n--;
        }
        if (eg_str_equal(bare, name)) return arity;
    }
    return UNKNOWN;
}

/* An option of env or xargs that changes what the rest means. */
static bool note_option(struct scan *s, struct eg_str option, bool has_value, struct eg_str value)
{
    if (s->grammar.flags & ASSIGNMENTS) {
        if (eg_str_equal(option, EG_STR("i")) || eg_str_equal(option, EG_STR("ignore-environment")))
            s->path_changed = true;
        if ((eg_str_equal(option, EG_STR("u")) || eg_str_equal(option, EG_STR("unset"))) &&
            eg_str_equal(value, EG_STR("PATH")))
            s->path_changed = true;
    }
    if (s->grammar.flags & REPLACE &&
        (eg_str_equal(option, EG_STR("I")) || eg_str_equal(option, EG_STR("i")) ||
         eg_str_equal(option, EG_STR("replace")))) {
        if (!has_value) value = EG_STR("{}");
        /* two different marks: which one counts depends on the implementation;
         * a long one would make the search for it slow */
        if (value.n == 0 || value.n > 64 || (s->has_mark && !eg_str_equal(s->mark, value)))
            return false;
        s->mark = value;
        s->has_mark = true;
    }
    return true;
}

/* The next argument as an option's value. */
static bool take_value(struct scan *s, struct eg_str *ret)
{
    if (s->at >= s->request->argc) return false;
    *ret = eg_argument(s->request, s->at++);
    return true;
}

static bool take_long(struct scan *s, struct eg_str option)
{
    struct eg_str name = { option.p, eg_str_find(option, '=') };
    bool attached = name.n < option.n;
    struct eg_str value = eg_str_skip(option, name.n + 1);
    switch (long_arity(&s->grammar, name)) {
    case UNKNOWN: return false;
    case ALONE:
        if (attached) return false;
        break;
    case WITH_ARGUMENT:
        if (!attached && !take_value(s, &value)) return false;
        attached = true;
        break;
    case WITH_ATTACHED: break;
    }
    return note_option(s, name, attached, value);
}

static bool take_cluster(struct scan *s, struct eg_str letters)
{
    while (letters.n) {
        struct eg_str option = { letters.p, 1 };
        struct eg_str rest = eg_str_skip(letters, 1);
        enum arity arity = short_arity(&s->grammar, option.p[0]);
        if (arity == UNKNOWN) return false;
        if (arity == ALONE) {
            if (!note_option(s, option, false, (struct eg_str){ NULL, 0 })) return false;
            letters = rest;
            continue;
        }
        bool has_value = rest.n != 0;
        if (arity == WITH_ARGUMENT && !has_value) {
            if (!take_value(s, &rest)) return false;
            has_value = true;
        }
        return note_option(s, option, has_value, rest);
    }
    return true;
}

static bool is_decimal(struct eg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n != 0;
}

/* nice -5, nice --5, nice -+5 */
static bool is_number_option(struct eg_str s)
{
    s = eg_str_skip(s, 1);
    if (s.n && (s.p[0] == '-' || s.p[0] == '+')) s = eg_str_skip(s, 1);
    return is_decimal(s);
}

static bool take_options(struct scan *s)
{
    while (s->at < s->request->argc) {
        struct eg_str arg = eg_argument(s->request, s->at);
        if (arg.n < 2 || arg.p[0] != '-') return true;
        s->at++;
        /* only some loaders know "--" */
        if (arg.n == 2 && arg.p[1] == '-') return !(s->grammar.flags & LOADER);
        if (s->grammar.flags & NUMBER && is_number_option(arg)) continue;
        if (arg.p[1] == '-' ? !take_long(s, eg_str_skip(arg, 2))
                            : !take_cluster(s, eg_str_skip(arg, 1)))
            return false;
    }
    return true;
}

/* env's NAME=value words; a lone "-" in front of them is its -i. */
static bool take_assignments(const struct eg_blob *blob, struct scan *s)
{
    if (eg_str_equal(eg_argument(s->request, s->at), EG_STR("-"))) {
        s->path_changed = true;
        s->at++;
    }
    for (; s->at < s->request->argc; s->at++) {
        struct eg_str entry = eg_argument(s->request, s->at);
        if (eg_str_find(entry, '=') == entry.n) break;
        if (eg_decide_env(blob, entry) != EG_ENV_PASS) return false;
        if (eg_str_starts(entry, EG_STR("PATH="))) s->path_changed = true;
    }
    return true;
}

static bool contains(struct eg_str s, struct eg_str part)
{
    while (s.n >= part.n) {
        if (eg_str_starts(s, part)) return true;
        s = eg_str_skip(s, 1);
    }
    return false;
}

static enum eg_unwrap refuse(struct eg_inner *ret, enum eg_reason why)
{
    ret->why = why;
    return EG_UNWRAP_REFUSED;
}

enum eg_unwrap eg_decide_unwrap(const struct eg_blob *blob, struct eg_str name,
                                const struct eg_exec_request *request, struct eg_inner *ret)
{
    static const char *const echo[] = { "echo" };
    struct scan s = { .request = request, .at = 1 };
    *ret = (struct eg_inner){ .why = EG_REASON_WRAPPER_OPTION };
    if (name.n && name.p[0] == '-') name = eg_str_skip(name, 1);
    if (!find_grammar(name, &s.grammar) || s.grammar.flags & REFUSED)
        return refuse(ret, EG_REASON_WRAPPER_OPTION);
    if (!take_options(&s)) return refuse(ret, EG_REASON_WRAPPER_OPTION);
    if (s.grammar.flags & ASSIGNMENTS && !take_assignments(blob, &s))
        return refuse(ret, EG_REASON_LOADER_VARIABLE);
    if (s.grammar.operands > request->argc || s.at >= request->argc - s.grammar.operands) {
        /* the command would come from what nobody can know */
        if (request->open_ended) return refuse(ret, EG_REASON_INNER);
        if (!(s.grammar.flags & DEFAULT_ECHO)) return EG_UNWRAP_NONE;
        *ret = (struct eg_inner){ .argv = echo, .argc = 1, .open_ended = true };
        return EG_UNWRAP_COMMAND;
    }
    s.at += s.grammar.operands;
    if (s.grammar.flags & NUMERIC && !is_decimal(eg_argument(request, s.at - 1)))
        return refuse(ret, EG_REASON_WRAPPER_OPTION);
    ret->argv = request->argv + s.at;
    ret->argc = request->argc - s.at;
    ret->open_ended = request->open_ended || s.grammar.flags & OPEN_ENDED;
    ret->same_process = s.grammar.flags & LOADER;
    ret->exact_name = s.path_changed || s.grammar.flags & LOADER;
    /* from the first word that holds the mark on, nothing is known */
    for (size_t i = 0; s.has_mark && i < ret->argc; i++)
        if (contains(eg_str(ret->argv[i]), s.mark)) ret->argc = i;
    if (ret->argc == 0) return refuse(ret, EG_REASON_INNER);
    return EG_UNWRAP_COMMAND;
}
