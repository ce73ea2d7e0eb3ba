// SPDX-License-Identifier: MIT
/* The verdict on a line: first its shape, then each command in it as an exec. */
#include "decide/shell.h"
#include "decide/parts.h"
#include "decide/write.h"

static void deny(struct eg_decision *ret, enum eg_reason reason)
{
    ret->verdict = EG_VERDICT_DENY;
    ret->reason = reason;
}

static void deny_at(struct eg_decision *ret, enum eg_reason reason, struct eg_str construct,
                    size_t offset, struct eg_str hint)
{
    deny(ret, reason);
    ret->construct = construct;
    ret->offset = offset;
    ret->hint = hint;
}

enum eg_dialect eg_decide_shell_dialect(const struct eg_shell *shell,
                                        const struct eg_target *target)
{
    struct eg_str file = eg_str_basename(target->path);
    if (shell->dialect == EG_DIALECT_NONE) return EG_DIALECT_NONE;
    if (eg_str_equal(file, EG_STR("dash"))) return shell->dialect;
    if (eg_str_equal(file, EG_STR("bash")) || eg_str_equal(file, EG_STR("sh")) ||
        eg_str_equal(file, EG_STR("ash")) || eg_decide_name_is_multicall(file))
        return EG_DIALECT_ANY;
    return EG_DIALECT_NONE;
}

const struct eg_blob_program *eg_decide_shell_runner(const struct eg_blob *blob)
{
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    uint32_t count = eg_blob_count(blob, EG_SECTION_PROGRAMS);
    for (uint32_t i = 0; i < count; i++)
        if (programs[i].flags & EG_PROGRAM_RUNNER) return &programs[i];
    return NULL;
}

bool eg_decide_shell_needs_runner(const struct eg_line *line)
{
    return !eg_line_is_simple(line) ||
           (line->commands[0].flags & (EG_COMMAND_LOOKUP | EG_COMMAND_OWN));
}

/* Always harmless to read and to write. */
static bool is_sink(struct eg_str path)
{
    return eg_str_equal(path, EG_STR("/dev/null"));
}

/* As text: the links in it are judged where the file is opened. */
static bool may_open(const struct eg_blob *blob, enum eg_write_op op, struct eg_str path,
                     struct eg_str cwd)
{
    char memory[EG_DECIDE_PATH_MAX];
    struct eg_buf absolute = eg_buf_over(memory, sizeof(memory));
    struct eg_write_request request = { .op = op, .mode = 0666 };
    struct eg_write_decision decision;
    if (!eg_decide_normalise(path, cwd, &absolute)) return false;
    request.path = eg_buf_view(&absolute);
    eg_decide_write(blob, &request, &decision);
    return decision.verdict != EG_VERDICT_DENY;
}

bool eg_decide_redirect(const struct eg_blob *blob, const struct eg_redirect *redirect,
                        struct eg_str cwd)
{
    struct eg_str path = { redirect->target.text, redirect->target.n };
    switch ((enum eg_redirect_kind)redirect->kind) {
    case EG_REDIRECT_DUPLICATE:
    case EG_REDIRECT_CLOSE: return true;
    case EG_REDIRECT_READ:
    case EG_REDIRECT_WRITE:
    case EG_REDIRECT_APPEND:
    case EG_REDIRECT_READ_WRITE: break;
    }
    if (is_sink(path)) return true;
    /* Without a `write` block nobody said which files a line may touch. */
    if (blob->flags & EG_BLOB_WRITE_FREE) return false;
    if (redirect->kind != EG_REDIRECT_READ) return may_open(blob, EG_WRITE_CREATE, path, cwd);
    return eg_blob_count(blob, EG_SECTION_UPLOADS) == 0 || may_open(blob, EG_WRITE_READ, path, cwd);
}

/* The name of what makes the line a list. */
static enum eg_construct list_construct(const struct eg_shell_request *request)
{
    const struct eg_line *line = request->line;
    if (line->list == EG_JOINT_AND) return EG_CONSTRUCT_AND_LIST;
    if (line->list == EG_JOINT_OR) return EG_CONSTRUCT_OR_LIST;
    return request->shell->command.p[line->list_at] == '\n' ? EG_CONSTRUCT_NEWLINE
                                                            : EG_CONSTRUCT_SEQUENCE;
}

/* Where the policy has no `list allow', a list is what is wrong with the line, whatever
 * stands behind it: text that was added to a line begins there. */
static bool judge_list(const struct eg_blob *blob, const struct eg_shell_request *request,
                       struct eg_decision *ret)
{
    if (!request->line->list || blob->flags & EG_BLOB_LIST) return true;
    enum eg_construct construct = list_construct(request);
    deny_at(ret, EG_REASON_SHELL_CONSTRUCT, eg_str(eg_construct_slug(construct)),
            request->line->list_at, eg_str(eg_construct_hint(construct)));
    return false;
}

static bool judge_pipeline(const struct eg_blob *blob, const struct eg_shell_request *request,
                           struct eg_decision *ret)
{
    const struct eg_line *line = request->line;
    uint32_t pipe = eg_line_find_joint(line, EG_JOINT_PIPE);
    if (!pipe || blob->flags & EG_BLOB_PIPELINE) return true;
    deny_at(
        ret, EG_REASON_SHELL_CONSTRUCT, EG_STR("pipeline"), line->commands[pipe].joint_at,
        EG_STR("write `pipeline allow` into the policy's exec block, and a rule for each program"));
    return false;
}

/* What the line asks of the shell itself. */
static bool judge_shape(const struct eg_blob *blob, const struct eg_shell_request *request,
                        struct eg_decision *ret)
{
    const struct eg_line *line = request->line;
    if (!judge_list(blob, request, ret)) return false;
    if (line->construct) {
        deny_at(ret, EG_REASON_SHELL_CONSTRUCT, eg_str(eg_construct_slug(line->construct)),
                line->offset, eg_str(eg_construct_hint(line->construct)));
        return false;
    }
    if (!eg_line_shell_is_exact(request->shell, line)) {
        deny(ret, EG_REASON_SHELL);
        ret->hint = EG_STR("leave the shell's options out: `sh -c LINE` is understood");
        return false;
    }
    if (!judge_pipeline(blob, request, ret)) return false;
    if (eg_decide_shell_needs_runner(line) && !eg_decide_shell_runner(blob)) {
        deny_at(ret, EG_REASON_SHELL_CONSTRUCT, EG_STR("no-line-runner"), 0,
                EG_STR("execguard-line must be installed beside the preload object when the policy "
                       "is compiled"));
        return false;
    }
    return true;
}

/* Redirections [first, first + count) of the line, opened from `cwd`. */
static bool judge_redirects(const struct eg_blob *blob, const struct eg_line *line, uint32_t first,
                            uint32_t count, struct eg_str cwd, struct eg_decision *ret)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct eg_redirect *redirect = &line->redirects[first + i];
        if (eg_decide_redirect(blob, redirect, cwd)) continue;
        deny_at(ret, EG_REASON_REDIRECTION, EG_STR("redirection"), redirect->offset,
                EG_STR("only /dev/null can be redirected to or from"));
        return false;
    }
    return true;
}

/* NAME=value for the environment of what the line starts. */
static bool judge_assignment(const struct eg_blob *blob, const struct eg_line_word *word,
                             struct eg_decision *ret)
{
    if (eg_decide_env(blob, (struct eg_str){ word->text, word->n }) == EG_ENV_PASS) return true;
    deny_at(ret, EG_REASON_LOADER_VARIABLE, EG_STR("assignment"), word->offset,
            EG_STR("write `keep NAME` into the policy's env block if this variable is safe"));
    return false;
}

/* What the shell would do before the commands. */
static bool judge_frame(const struct eg_blob *blob, const struct eg_shell_request *request,
                        struct eg_decision *ret)
{
    const struct eg_line *line = request->line;
    for (uint32_t i = 0; i < line->step_count; i++)
        if (line->steps[i].kind == EG_STEP_EXPORT &&
            !judge_assignment(blob, &line->steps[i].word, ret))
            return false;
    return judge_redirects(blob, line, line->group_redirects, line->group_redirect_count,
                           request->exec->cwd, ret);
}

static bool judge_command(const struct eg_blob *blob, const struct eg_shell_request *request,
                          uint32_t index, struct eg_decision *ret)
{
    const struct eg_line_command *command = &request->line->commands[index];
    struct eg_exec_request exec = *request->exec;
    struct eg_decision inner;
    struct eg_str cwd = request->exec->cwd;
    for (uint32_t i = 0; i < command->assignment_count; i++)
        if (!judge_assignment(blob, &request->line->words[command->assignments + i], ret))
            return false;
    if (eg_line_moves(request->line)) cwd = (struct eg_str){ NULL, 0 };
    if (!judge_redirects(blob, request->line, command->redirects, command->redirect_count, cwd,
                         ret))
        return false;
    if (command->flags & EG_COMMAND_LOOKUP) return true;
    if (request->command(request->context, index, &exec) != 0) {
        deny(ret, EG_REASON_UNREADABLE);
        return false;
    }
    if (!exec.target.found) {
        /* what the shell does itself needs a rule, which is a program's */
        if (!(command->flags & EG_COMMAND_OWN)) return true;
        deny_at(ret, EG_REASON_SHELL_CONSTRUCT, eg_str(eg_construct_slug(EG_CONSTRUCT_BUILTIN)),
                command->offset, eg_str(eg_construct_hint(EG_CONSTRUCT_BUILTIN)));
        return false;
    }
    eg_decide_exec(blob, &exec, &inner);
    if (inner.verdict == EG_VERDICT_DENY) {
        *ret = inner;
        if (!ret->depth) ret->inner = eg_argument(&exec, 0);
        ret->depth++;
        return false;
    }
    if (ret->rule == EG_NONE ||
        (inner.verdict == EG_VERDICT_LOG && ret->verdict != EG_VERDICT_LOG)) {
        ret->rule = inner.rule;
        ret->program = inner.program;
    }
    if (inner.verdict == EG_VERDICT_LOG) ret->verdict = EG_VERDICT_LOG;
    return true;
}

void eg_decide_shell(const struct eg_blob *blob, const struct eg_shell_request *request,
                     struct eg_decision *ret)
{
    *ret = (struct eg_decision){ .reason = EG_REASON_SHELL, .rule = EG_NONE, .program = EG_NONE };
    switch (request->shell->kind) {
    case EG_SHELL_COMMAND: break;
    case EG_SHELL_STDIN:
    case EG_SHELL_INTERACTIVE:
    case EG_SHELL_SCRIPT: deny(ret, EG_REASON_SHELL_STDIN); return;
    case EG_SHELL_UNKNOWN:
    case EG_SHELL_NOTHING: return;
    }
    if (!request->line || !judge_shape(blob, request, ret) || !judge_frame(blob, request, ret))
        return;
    ret->verdict = EG_VERDICT_REWRITE;
    ret->reason = EG_REASON_NONE;
    for (uint32_t i = 0; i < request->line->command_count; i++)
        if (!judge_command(blob, request, i, ret)) return;
}
