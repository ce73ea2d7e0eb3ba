// SPDX-License-Identifier: MIT
/* The verdict on one exec: who the program is, what it is called, who asks, with
 * which arguments; then the same for the command inside a wrapper, level by
 * level.
 *
 * When no rule matches, the reason is that of the rule that came nearest, in
 * the order in which a rule is tried: the program itself (replaced), argv[0],
 * the caller, the user, the arguments.  The furthest wins, and among equals the first
 * rule.  A shell that nothing allows is always reported as a shell. */
#include "decide/parts.h"
#include "decide/write.h"

#define DEPTH_MAX 8u

/* inode(7); the kernel's header hides them where libc's are in sight. */
#define TYPE_MASK    0170000u
#define TYPE_REGULAR 0100000u

enum match {
    MISS = 0,
    MISS_SHELL_FROM, /* a shell, allowed to another caller */
    MISS_REPLACED,
    MISS_ARGV0,
    MISS_CALLER,
    MISS_USER,
    MISS_ARGUMENTS,
    MATCH,
};

enum relation { UNRELATED, REPLACED, SAME };

/* What is known of a target before any rule is tried. */
struct nature {
    struct eg_str called; /* base name of argv[0] */
    struct eg_str plain;  /* the same without a login shell's dash */
    bool multicall;       /* `called` chooses what runs */
    bool shell;
    uint32_t shell_program; /* the policy's shell that it is, for SHELL_FROM; or EG_NONE */
    bool replaced_shell;    /* such a shell's path, another file */
};

static const struct eg_blob_program *program_at(const struct eg_blob *blob, uint32_t index)
{
    return (const struct eg_blob_program *)eg_blob_section(blob, EG_SECTION_PROGRAMS) + index;
}

/* Is the target the program?  By path and inode; by inode alone (a hard link, a
 * view from another root) when size and time agree as well, since inode numbers
 * are used again. */
static enum relation relate(const struct eg_blob *blob, const struct eg_blob_program *program,
                            const struct eg_target *target)
{
    const struct eg_identity *a = &program->id;
    const struct eg_identity *b = &target->id;
    bool same_path = eg_str_equal(eg_blob_str(blob, program->path), target->path);
    if (a->mode && b->mode && a->dev == b->dev && a->ino == b->ino &&
        (same_path ||
         (a->size == b->size && a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns)))
        return SAME;
    return same_path ? REPLACED : UNRELATED;
}

/* `called` is the base name of argv[0], or of the applet that stands for it. */
static struct nature examine(const struct eg_blob *blob, const struct eg_target *target,
                             struct eg_str called)
{
    struct nature n = { .called = called, .shell_program = EG_NONE };
    struct eg_str base = eg_str_basename(target->path);
    uint32_t count = eg_blob_count(blob, EG_SECTION_PROGRAMS);
    bool shell_file = false;
    n.plain = called.n && called.p[0] == '-' ? eg_str_skip(called, 1) : called;
    n.multicall = eg_decide_name_is_multicall(base);
    for (uint32_t i = 0; i < count; i++) {
        const struct eg_blob_program *program = program_at(blob, i);
        bool multicall = program->flags & EG_PROGRAM_MULTICALL;
        enum relation relation = relate(blob, program, target);
        if (relation == UNRELATED) continue;
        if (relation == SAME && multicall) n.multicall = true;
        if (!(program->flags & EG_PROGRAM_SHELL)) continue;
        if (relation == REPLACED) {
            n.replaced_shell = true;
            continue;
        }
        if (!multicall) shell_file = true;
        if (!multicall || eg_str_equal(eg_blob_str(blob, program->name), n.plain))
            n.shell_program = i;
    }
    n.shell = shell_file || eg_name_is_shell(called) || eg_name_is_shell(base);
    return n;
}

static bool caller_matches(const struct eg_blob *blob, const struct eg_blob_rule *rule,
                           const struct eg_target *caller)
{
    const uint32_t *from = (const uint32_t *)eg_blob_section(blob, EG_SECTION_FROMS) + rule->from;
    if (rule->from_count == 0) return true;
    /* a refusal holds also for a caller that nobody could name */
    if (!caller->found) return rule->verb == EG_VERB_DENY;
    for (uint32_t i = 0; i < rule->from_count; i++)
        if (relate(blob, program_at(blob, from[i]), caller) == SAME) return true;
    return false;
}

/* As with callers: a refusal holds also for a user that nobody could tell. */
static bool user_matches(const struct eg_blob *blob, const struct eg_blob_rule *rule,
                         const struct eg_exec_request *request)
{
    const uint32_t *users = (const uint32_t *)eg_blob_section(blob, EG_SECTION_USERS) + rule->user;
    if (rule->user_count == 0) return true;
    if (!request->user_known) return rule->verb == EG_VERB_DENY;
    for (uint32_t i = 0; i < rule->user_count; i++)
        if (users[i] == request->user) return true;
    return false;
}

static enum match try_shell_from(const struct eg_blob *blob, const struct eg_blob_rule *rule,
                                 const struct eg_exec_request *request, const struct nature *n)
{
    if (!n->shell) return MISS;
    if (n->shell_program == EG_NONE) return n->replaced_shell ? MISS_REPLACED : MISS;
    return caller_matches(blob, rule, &request->caller) && user_matches(blob, rule, request)
               ? MATCH
               : MISS_SHELL_FROM;
}

/* A refusal is not dodged by another argv[0], nor by replacing the file. */
static enum match try_deny(const struct eg_blob *blob, const struct eg_blob_rule *rule,
                           const struct eg_exec_request *request, const struct nature *n)
{
    const struct eg_blob_program *program = program_at(blob, rule->program);
    if (relate(blob, program, &request->target) == UNRELATED) return MISS;
    if (n->multicall && !eg_str_equal(eg_blob_str(blob, program->name), n->plain)) return MISS;
    if (!caller_matches(blob, rule, &request->caller)) return MISS;
    if (!user_matches(blob, rule, request)) return MISS;
    return eg_match_arguments(blob, rule, request) ? MATCH : MISS;
}

static enum match try_allow(const struct eg_blob *blob, const struct eg_blob_rule *rule,
                            const struct eg_exec_request *request, const struct nature *n)
{
    const struct eg_blob_program *program = program_at(blob, rule->program);
    switch (relate(blob, program, &request->target)) {
    case UNRELATED: return MISS;
    case REPLACED: return MISS_REPLACED;
    case SAME: break;
    }
    if (!eg_str_equal(eg_blob_str(blob, program->name), n->called)) return MISS_ARGV0;
    if (!caller_matches(blob, rule, &request->caller)) return MISS_CALLER;
    if (!user_matches(blob, rule, request)) return MISS_USER;
    return eg_match_arguments(blob, rule, request) ? MATCH : MISS_ARGUMENTS;
}

static enum match try_rule(const struct eg_blob *blob, const struct eg_blob_rule *rule,
                           const struct eg_exec_request *request, const struct nature *n)
{
    switch ((enum eg_verb)rule->verb) {
    case EG_VERB_SHELL_FROM: return try_shell_from(blob, rule, request, n);
    case EG_VERB_DENY: return rule->program == EG_NONE ? MISS : try_deny(blob, rule, request, n);
    case EG_VERB_ALLOW:
    case EG_VERB_LOG: return rule->program == EG_NONE ? MISS : try_allow(blob, rule, request, n);
    }
    return MISS;
}

static enum eg_reason miss_reason(enum match nearest, bool shell)
{
    if (nearest == MISS_REPLACED) return EG_REASON_REPLACED;
    if (shell) return EG_REASON_SHELL;
    switch (nearest) {
    case MISS_ARGUMENTS: return EG_REASON_ARGUMENTS;
    case MISS_USER: return EG_REASON_USER;
    case MISS_CALLER: return EG_REASON_CALLER;
    case MISS_ARGV0: return EG_REASON_ARGV0;
    case MISS:
    case MISS_SHELL_FROM:
    case MISS_REPLACED:
    case MATCH: break;
    }
    return EG_REASON_NO_RULE;
}

/* Try the rules in order; the verdict, reason, rule and program of one level. */
static void try_rules(const struct eg_blob *blob, const struct eg_exec_request *request,
                      const struct nature *n, struct eg_decision *ret)
{
    const struct eg_blob_rule *rules = eg_blob_section(blob, EG_SECTION_RULES);
    uint32_t count = eg_blob_count(blob, EG_SECTION_RULES);
    enum match nearest = MISS;
    for (uint32_t i = 0; i < count; i++) {
        enum match match = try_rule(blob, &rules[i], request, n);
        if (match <= nearest) continue;
        nearest = match;
        ret->rule = i;
        ret->program = rules[i].verb == EG_VERB_SHELL_FROM ? n->shell_program : rules[i].program;
        if (match != MATCH) continue;
        if (rules[i].verb == EG_VERB_DENY) {
            ret->reason = EG_REASON_DENY_RULE;
        } else {
            ret->reason = EG_REASON_NONE;
            ret->verdict = rules[i].verb == EG_VERB_LOG ? EG_VERDICT_LOG : EG_VERDICT_ALLOW;
        }
        return;
    }
    ret->reason = miss_reason(nearest, n->shell);
}

/* worker reexec: the worker, and only it, may start its own program again. */
static bool is_reexec(const struct eg_blob *blob, const struct eg_exec_request *request)
{
    const struct eg_target *worker = &request->worker;
    const struct eg_target *both[] = { &request->caller, &request->target };
    if (!(blob->flags & EG_BLOB_WORKER_REEXEC) || !worker->found) return false;
    for (size_t i = 0; i < 2; i++)
        if (!both[i]->found || both[i]->id.dev != worker->id.dev ||
            both[i]->id.ino != worker->id.ino || !eg_str_equal(both[i]->path, worker->path))
            return false;
    return true;
}

/* The line runner decides nothing: each command that it starts is judged again,
 * so anybody may call it, with any words. */
static bool is_runner(const struct eg_blob *blob, const struct eg_target *target)
{
    uint32_t count = eg_blob_count(blob, EG_SECTION_PROGRAMS);
    for (uint32_t i = 0; i < count; i++)
        if (program_at(blob, i)->flags & EG_PROGRAM_RUNNER &&
            relate(blob, program_at(blob, i), target) == SAME)
            return true;
    return false;
}

/* What a `build' tree holds may be run, by any name and with any words; but a shell is
 * one wherever it lies.  As for writes, the first tree that holds the path counts. */
static bool is_built(const struct eg_blob *blob, const struct eg_target *target)
{
    const struct eg_blob_tree *trees = eg_blob_section(blob, EG_SECTION_WRITE_TREES);
    uint32_t tree = eg_decide_tree_of(blob, target->path);
    return tree != EG_NONE && trees[tree].flags & EG_TREE_BUILD;
}

static void judge(const struct eg_blob *blob, const struct eg_exec_request *request,
                  const struct nature *n, struct eg_decision *ret)
{
    const struct eg_identity *id = &request->target.id;
    ret->built = false;
    if (!request->target.found) {
        ret->reason = EG_REASON_NOT_FOUND;
        return;
    }
    if ((id->mode & TYPE_MASK) != TYPE_REGULAR || !(id->mode & 0111)) {
        ret->reason = EG_REASON_NOT_EXECUTABLE;
        return;
    }
    if (is_runner(blob, &request->target)) {
        ret->verdict = EG_VERDICT_ALLOW;
        ret->reason = EG_REASON_NONE;
        ret->rule = ret->program = EG_NONE;
        return;
    }
    try_rules(blob, request, n, ret);
    if (ret->verdict != EG_VERDICT_DENY || ret->reason == EG_REASON_DENY_RULE || n->shell) return;
    ret->built = is_built(blob, &request->target);
    if (ret->built || is_reexec(blob, request)) {
        ret->verdict = EG_VERDICT_ALLOW;
        ret->reason = EG_REASON_NONE;
        ret->rule = ret->program = EG_NONE;
    }
}

/* The name under which an allowed program is a wrapper; empty when it is none.
 * What the file really is counts before what it is called. */
static struct eg_str wrapper_name(const struct eg_blob *blob, uint32_t program,
                                  const struct eg_exec_request *request, const struct nature *n)
{
    struct eg_str names[3] = { { NULL, 0 }, eg_str_basename(request->target.path), n->called };
    if (n->multicall) return eg_name_is_wrapper(n->called) ? n->called : names[0];
    if (program != EG_NONE)
        names[0] = eg_str_basename(eg_blob_str(blob, program_at(blob, program)->path));
    for (size_t i = 0; i < 3; i++)
        if (eg_name_is_wrapper(names[i])) return names[i];
    return (struct eg_str){ NULL, 0 };
}

/* Is this a multi-call binary called by its own name, so that argv[1] chooses? */
static bool takes_applet(const struct nature *n)
{
    return n->multicall && eg_decide_name_is_multicall(n->called);
}

/* `busybox sh`, `coreutils --coreutils-prog=env`. */
static struct eg_str applet_name(const struct eg_exec_request *request)
{
    struct eg_str first = eg_argument(request, 1);
    struct eg_str option = EG_STR("--coreutils-prog=");
    return eg_str_basename(eg_str_starts(first, option) ? eg_str_skip(first, option.n) : first);
}

static void deny(struct eg_decision *ret, enum eg_reason reason)
{
    ret->verdict = EG_VERDICT_DENY;
    ret->reason = reason;
}

/* Step from a wrapper that is allowed to the command inside it, which is denied
 * until it is judged.  False when there is nothing more to judge, because the
 * wrapper runs nothing or because it is refused. */
static bool enter(const struct eg_blob *blob, struct eg_str wrapper, uint32_t program,
                  struct eg_exec_request *request, struct eg_decision *ret)
{
    struct eg_inner inner;
    struct eg_target found = { .found = false };
    switch (eg_decide_unwrap(blob, wrapper, request, &inner)) {
    case EG_UNWRAP_NONE: return false;
    case EG_UNWRAP_REFUSED: deny(ret, inner.why); return false;
    case EG_UNWRAP_COMMAND: break;
    }
    struct eg_str name = eg_str(inner.argv[0]);
    ret->inner = name;
    ret->rule = ret->program = EG_NONE;
    if (ret->depth++ == DEPTH_MAX) {
        deny(ret, EG_REASON_TOO_LONG);
        return false;
    }
    if (inner.exact_name && eg_str_find(name, '/') == name.n) {
        deny(ret, EG_REASON_WRAPPER_OPTION);
        return false;
    }
    deny(ret, EG_REASON_INNER);
    if (!request->lookup || request->lookup->find(request->lookup->context, name, &found) != 0)
        return false;
    /* The wrapper asks next, unless no exec follows.  Its path is taken from the
     * policy: the target's may lie in memory that the lookup used again. */
    if (!inner.same_process && program != EG_NONE) {
        const struct eg_blob_program *p = program_at(blob, program);
        request->caller = (struct eg_target){ eg_blob_str(blob, p->path), p->id, true };
    } else if (!inner.same_process) {
        request->caller = (struct eg_target){ .found = false };
    }
    request->target = found;
    request->argv = inner.argv;
    request->argc = inner.argc;
    request->open_ended = inner.open_ended;
    return true;
}

/* The applets that a multi-call binary, called by its own name, is told to be.
 * True when the last one is allowed, as far as it is one. */
static bool judge_applets(const struct eg_blob *blob, struct eg_exec_request *request,
                          struct nature *n, struct eg_decision *ret)
{
    while (takes_applet(n)) {
        struct eg_str applet = applet_name(request);
        if (request->argc < 2) {
            if (request->open_ended) deny(ret, EG_REASON_INNER);
            break;
        }
        ret->inner = applet;
        if (ret->depth++ == DEPTH_MAX) {
            deny(ret, EG_REASON_TOO_LONG);
            break;
        }
        request->argv++;
        request->argc--;
        *n = examine(blob, &request->target, applet);
        if (!n->shell) continue;
        /* a shell needs a rule of its own, which no `busybox ...` is */
        deny(ret, EG_REASON_SHELL);
        ret->rule = EG_NONE;
        try_rules(blob, request, n, ret);
        break;
    }
    return ret->verdict != EG_VERDICT_DENY;
}

/* An allowance is reported with the rule of the command itself, or with the first
 * that logs. */
static void note_allowance(const struct eg_decision *now, bool first, struct eg_decision *ret)
{
    if (first || (now->verdict == EG_VERDICT_LOG && ret->verdict != EG_VERDICT_LOG)) *ret = *now;
}

/* A file of a build tree.  If it is a script, the kernel starts its interpreter, so that
 * is what must be allowed, with the script's name; one that is of a build tree itself is
 * not, since it could be a script once more.  True when nothing is left to judge. */
static bool judge_script(const struct eg_blob *blob, const struct eg_exec_request *request,
                         struct eg_decision *ret)
{
    struct eg_exec_request started = *request;
    struct eg_script script = { .count = 0 };
    struct eg_lookup flat;
    struct eg_decision now;
    if (!request->lookup || !request->lookup->script) return false;
    flat = *request->lookup;
    flat.script = NULL;
    if (request->lookup->script(flat.context, &request->target, &script) != 0) {
        deny(ret, EG_REASON_UNREADABLE);
        return true;
    }
    if (script.count == 0) return false;
    started.lookup = &flat;
    started.target = script.interpreter;
    started.argv = script.words;
    started.argc = script.count;
    started.open_ended = request->open_ended || request->argc > 1;
    eg_decide_exec(blob, &started, &now);
    if (now.verdict != EG_VERDICT_DENY && !now.built) return true;
    deny(ret, now.built ? EG_REASON_NO_RULE : now.reason);
    ret->rule = now.rule;
    if (!ret->inner.n) ret->inner = eg_argument(request, 0);
    ret->depth++; /* not the command itself: a line of it is not run without its shell */
    ret->hint = EG_STR("a script of a build tree: its interpreter, too, needs a rule");
    return true;
}

void eg_decide_exec(const struct eg_blob *blob, const struct eg_exec_request *request,
                    struct eg_decision *ret)
{
    struct eg_exec_request level = *request;
    struct eg_decision now = { .reason = EG_REASON_NO_RULE, .rule = EG_NONE, .program = EG_NONE };
    uint32_t program = EG_NONE; /* of the command itself, whichever level decides */
    bool more = true;
    bool built = false; /* the same */
    for (bool first = true; more; first = false) {
        struct eg_str called = eg_str_basename(eg_argument(&level, 0));
        struct nature n = examine(blob, &level.target, called);
        uint32_t here;
        struct eg_str wrapper;
        judge(blob, &level, &n, &now);
        here = now.program;
        if (first) {
            program = here;
            built = now.built;
        }
        if (now.verdict == EG_VERDICT_DENY) break;
        note_allowance(&now, first, ret);
        if (!judge_applets(blob, &level, &n, &now)) break;
        note_allowance(&now, false, ret);
        wrapper = wrapper_name(blob, here, &level, &n);
        if (now.built && judge_script(blob, &level, &now)) break;
        more = wrapper.n && enter(blob, wrapper, here, &level, &now);
    }
    if (now.verdict == EG_VERDICT_DENY) *ret = now;
    ret->program = program;
    ret->built = built;
}
