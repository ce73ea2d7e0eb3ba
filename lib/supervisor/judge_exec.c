// SPDX-License-Identifier: MIT
/* Purpose: the verdict on an exec, before the kernel acts on it. */
#include "line/shell.h"
#include "supervisor/succeed.h"
#include "supervisor/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define INTERPRETERS_MAX 8 /* a script's may be a script (execve(2): five), then ld.so */

struct call {
    int dirfd;
    uint64_t path, argv, envp;
    int flags;
    const char *name;
};

static struct call read_call(const struct seccomp_data *data)
{
    if (data->nr == SYS_execve)
        return (struct call){ AT_FDCWD, data->args[0], data->args[1], data->args[2], 0, "execve" };
    return (struct call){ (int)data->args[0], data->args[1],      data->args[2],
                          data->args[3],      (int)data->args[4], "execveat" };
}

/* For `env` and friends: the inner command, found by the PATH that the new
 * program will have. */
struct search {
    pid_t tid, tgid;
    struct eg_str path;
    char spelled[EG_PATH_MAX], resolved[EG_PATH_MAX];
    struct eg_script_memory script;
    const struct eg_tree *tree;
    const struct eg_target *asked;  /* the program itself, in no wrapper */
    struct eg_identity interpreter; /* of `asked', when it is a script of a build tree */
};

static int find_inner(void *context, struct eg_str name, struct eg_target *ret)
{
    struct search *s = context;
    int error = 0;
    *ret = (struct eg_target){ .path = name };
    if (name.n == 0 || name.n >= EG_PATH_MAX) return 0;
    if (eg_str_find(name, '/') < name.n) {
        memcpy(s->spelled, name.p, name.n);
        s->spelled[name.n] = '\0';
        return eg_remote_resolve(s->tid, s->tgid, AT_FDCWD, s->spelled, 0, s->resolved, ret,
                                 &error);
    }
    for (struct eg_str left = s->path;;) {
        size_t n = eg_str_find(left, ':');
        if (n + 1 + name.n < EG_PATH_MAX) {
            memcpy(s->spelled, left.p, n);
            size_t at = n;
            if (n) s->spelled[at++] = '/';
            memcpy(s->spelled + at, name.p, name.n);
            s->spelled[at + name.n] = '\0';
            int broken = eg_remote_resolve(s->tid, s->tgid, AT_FDCWD, s->spelled, 0, s->resolved,
                                           ret, &error);
            if (broken) return broken;
            if (ret->found && S_ISREG(ret->id.mode) && (ret->id.mode & 0111)) return 0;
        }
        if (n == left.n) break;
        left = eg_str_skip(left, n + 1);
    }
    *ret = (struct eg_target){ .path = name };
    return 0;
}

/* The program that /proc/PID/exe shows after exec of a blob's program. */
static const struct eg_blob_program *running_program(const struct eg_tree *tree, uint32_t program)
{
    const struct eg_blob_program *programs = eg_blob_section(tree->blob, EG_SECTION_PROGRAMS);
    /* the kernel follows at most five #! lines: execve(2) */
    for (int depth = 0; depth < 6 && programs[program].flags & EG_PROGRAM_SCRIPT; depth++) {
        if (programs[program].interpreter == EG_NONE) break;
        program = programs[program].interpreter;
    }
    return &programs[program];
}

/* Of a script of a build tree.  Its first line may be another when the kernel reads it:
 * then another program runs than verify.c waits for. */
static int find_script(void *context, const struct eg_target *target, struct eg_script *ret)
{
    struct search *s = context;
    int error = 0;
    int r = eg_resolve_script(&s->script, target, ret);
    if (r || !ret->count) return r;
    r = eg_remote_resolve(s->tid, s->tgid, AT_FDCWD, ret->words[0], 0, s->script.interpreter,
                          &ret->interpreter, &error);
    if (r || !eg_identity_same_inode(&target->id, &s->asked->id)) return r;
    uint32_t program = eg_tree_program(s->tree, &ret->interpreter.id);
    s->interpreter =
        program == EG_NONE ? ret->interpreter.id : running_program(s->tree, program)->id;
    return 0;
}

/* An interpreter that this program needs and that is another file by now: the domain
 * knows the old one.  EG_NONE: none.  Whoever has no shim, a static worker, would
 * get the kernel's EACCES without an event. */
static uint32_t find_replaced(const struct eg_tree *tree, uint32_t program)
{
    const struct eg_blob_program *programs = eg_blob_section(tree->blob, EG_SECTION_PROGRAMS);
    struct stat st;
    for (int depth = 0; program != EG_NONE && depth < INTERPRETERS_MAX; depth++) {
        program = programs[program].interpreter;
        if (program == EG_NONE) break;
        const struct eg_identity *id = &programs[program].id;
        if (lstat(eg_blob_cstr(tree->blob, programs[program].path), &st) < 0 ||
            st.st_ino != id->ino || major(st.st_dev) != id->dev >> 32 ||
            minor(st.st_dev) != (id->dev & 0xffffffff))
            return program;
    }
    return EG_NONE;
}

static struct eg_str variable(const struct eg_vector *envp, struct eg_str name)
{
    for (size_t i = 0; i < envp->count; i++) {
        struct eg_str entry = eg_str(envp->items[i]);
        if (entry.n > name.n && entry.p[name.n] == '=' && eg_str_starts(entry, name))
            return eg_str_skip(entry, name.n + 1);
    }
    return (struct eg_str){ NULL, 0 };
}

/* The guard's own variables: the shim puts them into every child as the worker got
 * them, whatever the policy's `drop` says. */
static bool is_ours(const struct eg_tree *tree, const char *entry)
{
    static const char preload[] = "LD_PRELOAD=", policy[] = "EXECGUARD_POLICY=";
    return (strncmp(entry, preload, sizeof preload - 1) == 0 ||
            strncmp(entry, policy, sizeof policy - 1) == 0) &&
           eg_tree_started_with(tree, entry);
}

/* The kernel cannot take one out, so where no shim did, the exec is refused. */
const char *eg_tree_foreign_variable(const struct eg_tree *tree, const struct eg_vector *envp)
{
    for (size_t i = 0; i < envp->count; i++) {
        if (!eg_env_may_matter(tree->blob, envp->items[i])) continue;
        if (is_ours(tree, envp->items[i])) continue;
        enum eg_env_action action = eg_decide_env(tree->blob, eg_str(envp->items[i]));
        if (action == EG_ENV_DROP_ALWAYS) return envp->items[i];
        if (action == EG_ENV_DROP && !eg_tree_started_with(tree, envp->items[i]))
            return envp->items[i];
    }
    return NULL;
}

struct judged {
    const struct seccomp_notif *notif;
    pid_t tid, tgid;
    struct eg_process process;
    const char *spelled;
    struct call call;
    struct eg_target target;
    struct eg_decision decision;
    struct eg_identity interpreter; /* decision.built, and it is a script: what will run */
    const char *variable;
    struct eg_str replaced; /* the interpreter that was */
};

/* What must be seen in the new image.  A script's argv[0] is replaced by its
 * interpreter's line, so only what follows counts (verify.c). */
static struct eg_answer proceed_to(struct eg_tree *tree, const struct judged *j,
                                   const struct eg_identity *exe, bool is_worker)
{
    struct eg_pending pending = { .exe = *exe, .is_worker = is_worker, .script = j->target.id };
    pending.is_script = !eg_identity_same_inode(exe, &j->target.id);
    pending.is_built = j->decision.built;
    pending.argc = tree->argv.count;
    eg_vector_digest(&tree->argv, pending.is_script ? 1 : 0, pending.argv);
    eg_vector_digest(&tree->envp, 0, pending.envp);
    struct eg_image *image = eg_images_get(tree->images, &j->process);
    if (!image) return eg_answer_error(EAGAIN);
    eg_image_expect(image, &pending);
    return eg_answer_proceed();
}

/* A shell that arrives here was started where no preload object could run its
 * line in its place. */
static void explain_shell(const struct eg_tree *tree, struct eg_event *event)
{
    struct eg_shell shell;
    if (eg_line_shell_command(event->argv, event->argc, &shell) == EG_SHELL_COMMAND) {
        event->kind = EG_KIND_SHELL;
        event->line = shell.command;
        event->has_line = true;
    }
    if (!(tree->blob->flags & EG_BLOB_SHELL_REWRITE)) return;
    event->hint =
        EG_STR("the preload object, which runs lines without their shell, is not in this caller "
               "(a static program, or an emptied environment): let it start the program itself, "
               "or write `shell allow from PROGRAM'");
}

static void report(struct eg_tree *tree, const struct judged *j, enum eg_action action,
                   enum eg_reason reason)
{
    struct eg_event event;
    eg_tree_event(tree, j->tgid, j->variable ? EG_KIND_ENV : EG_KIND_EXEC, reason, &event);
    if (action != EG_ACTION_DENY) event.action = action;
    if (event.action != EG_ACTION_DENY && eg_tree_was_told(tree, j->tid, j->tgid, false)) return;
    event.call = eg_str(j->call.name);
    event.program = j->target.path;
    event.argv = (const char *const *)tree->argv.items;
    event.argc = tree->argv.count;
    event.has_argv = true;
    event.inner = j->decision.inner;
    event.path = j->replaced;
    if (j->decision.hint.n) event.hint = j->decision.hint;
    if (reason == EG_REASON_SHELL && !j->decision.depth) explain_shell(tree, &event);
    event.test = eg_event_running_test((const char *const *)tree->envp.items);
    if (j->variable) {
        struct eg_str entry = eg_str(j->variable);
        event.variable = (struct eg_str){ entry.p, eg_str_find(entry, '=') };
    }
    if (j->decision.rule != EG_NONE) {
        const struct eg_blob_rule *rules = eg_blob_section(tree->blob, EG_SECTION_RULES);
        event.rule_file = eg_blob_str(tree->blob, rules[j->decision.rule].file);
        event.rule_line = rules[j->decision.rule].line;
    }
    eg_tree_report(tree, j->tid, &event);
}

/* In log mode every denial lets the call go on. */
static struct eg_answer refuse(struct eg_tree *tree, const struct judged *j, enum eg_reason reason)
{
    report(tree, j, EG_ACTION_DENY, reason);
    return tree->blob->flags & EG_BLOB_LOG_MODE ? eg_answer_proceed() : eg_answer_error(EACCES);
}

/* A container's entrypoint.  Before it the process runs its runtime's code, in
 * memory of its own: nothing of the container's could have asked for this, and
 * nothing can change it.  What it is, verify.c learns from the new image. */
static bool is_entrypoint(const struct eg_tree *tree, const struct judged *j)
{
    return tree->worker_any && !tree->worker_started && tree->worker == j->tgid;
}

/* The same call once more: a signal interrupted it before our answer came (Go's
 * runtime sends itself SIGURG, and runtimes before runc 1.2 cannot ask for
 * WAIT_KILLABLE_RECV). */
static bool is_entrypoint_again(const struct eg_tree *tree, const struct judged *j)
{
    unsigned char argv[EG_DIGEST_SIZE], envp[EG_DIGEST_SIZE];
    if (!tree->worker_any || tree->worker != j->tgid || tree->worker_exe.mode) return false;
    const struct eg_image *image = eg_images_find(tree->images, &j->process);
    if (!image || image->pending_count != 1 || !image->pending[0].is_first) return false;
    eg_vector_digest(&tree->argv, 0, argv);
    eg_vector_digest(&tree->envp, 0, envp);
    return eg_identity_same_inode(&image->pending[0].script, &j->target.id) &&
           memcmp(image->pending[0].argv, argv, sizeof argv) == 0 &&
           memcmp(image->pending[0].envp, envp, sizeof envp) == 0;
}

static struct eg_answer start_entrypoint(struct eg_tree *tree, const struct judged *j)
{
    struct eg_pending pending = { .is_first = true, .script = j->target.id };
    free(tree->worker_path);
    tree->worker_path = strndup(j->target.path.p, j->target.path.n);
    if (!tree->worker_path || eg_vector_copy(&tree->start_env, tree->envp.items))
        return eg_answer_error(ENOMEM);
    tree->worker_program = j->target;
    tree->worker_program.path = eg_str(tree->worker_path);
    pending.argc = tree->argv.count;
    eg_vector_digest(&tree->argv, 0, pending.argv);
    eg_vector_digest(&tree->argv, 1, pending.tail);
    eg_vector_digest(&tree->envp, 0, pending.envp);
    struct eg_image *image = eg_images_get(tree->images, &j->process);
    if (!image) return eg_answer_error(EAGAIN);
    eg_image_expect(image, &pending);
    tree->worker_started = true;
    return eg_answer_proceed();
}

static bool is_worker_start(const struct eg_tree *tree, const struct judged *j)
{
    return !tree->worker_started && (tree->worker == 0 || tree->worker == j->tgid) &&
           eg_identity_same_inode(&tree->worker_program.id, &j->target.id);
}

/* Does the verdict depend on who asks? */
static bool asks_for_caller(const struct eg_blob *blob)
{
    return eg_blob_count(blob, EG_SECTION_FROMS) || blob->flags & EG_BLOB_WORKER_REEXEC;
}

static void decide(struct eg_tree *tree, struct judged *j, char caller_path[EG_PATH_MAX])
{
    char cwd[EG_PATH_MAX];
    struct search search = { .tid = j->tid, .tgid = j->tgid };
    search.path = variable(&tree->envp, EG_STR("PATH"));
    search.tree = tree;
    search.asked = &j->target;
    struct eg_lookup lookup = { find_inner, &search, find_script };
    struct eg_exec_request request = {
        .target = j->target,
        .argv = (const char *const *)tree->argv.items,
        .argc = tree->argv.count,
        .lookup = &lookup,
    };
    /* a caller that cannot be read is none of those that a rule names */
    if (asks_for_caller(tree->blob)) eg_remote_exe(j->tid, caller_path, &request.caller);
    if (eg_blob_count(tree->blob, EG_SECTION_USERS))
        request.user_known = eg_remote_user(j->tid, &request.user);
    if (eg_identity_same_inode(&tree->worker_exe, &request.caller.id))
        request.worker = request.caller;
    if (eg_blob_count(tree->blob, EG_SECTION_PIECES)) request.cwd = eg_remote_cwd(j->tid, cwd);
    eg_decide_exec(tree->blob, &request, &j->decision);
    j->interpreter = search.interpreter;
}

static struct eg_answer judge(struct eg_tree *tree, struct judged *j)
{
    char caller_path[EG_PATH_MAX];
    if (is_entrypoint(tree, j)) return start_entrypoint(tree, j);
    if (is_entrypoint_again(tree, j)) return eg_answer_proceed();
    if (is_worker_start(tree, j)) {
        tree->worker_started = true;
        return proceed_to(tree, j, &tree->worker_exe, true);
    }
    if (tree->succession &&
        eg_succession_begin(tree->succession, tree, j->notif, j->tgid, &j->target))
        return (struct eg_answer){ .sent = true };
    decide(tree, j, caller_path);
    if (j->decision.verdict == EG_VERDICT_DENY) {
        /* in log mode the shell runs although its line would run without it */
        bool line = j->decision.reason == EG_REASON_SHELL && tree->blob->flags & EG_BLOB_LOG_MODE &&
                    eg_tree_was_told(tree, j->tid, j->tgid, true);
        return line ? eg_answer_proceed() : refuse(tree, j, j->decision.reason);
    }
    if (j->decision.verdict == EG_VERDICT_REWRITE) return refuse(tree, j, EG_REASON_SHELL);
    j->variable = eg_tree_foreign_variable(tree, &tree->envp);
    if (j->variable) return refuse(tree, j, EG_REASON_LOADER_VARIABLE);
    /* not by the decision: of a wrapper it may name the inner program, of the line
     * runner and the worker none */
    uint32_t program = eg_tree_program(tree, &j->target.id);
    struct eg_identity exe = j->target.id;
    if (program != EG_NONE)
        exe = running_program(tree, program)->id;
    else if (eg_identity_same_inode(&tree->worker_program.id, &j->target.id))
        exe = tree->worker_exe;
    if (j->decision.built && j->interpreter.mode) exe = j->interpreter;
    bool script = !eg_identity_same_inode(&exe, &j->target.id);
    /* whoever could exchange the links of a build tree could as well write its files */
    if (script && !j->decision.built && !eg_str_equal(j->target.path, eg_str(j->spelled)) &&
        !eg_remote_is_fixed(j->tid, j->tgid, j->call.dirfd, j->spelled))
        return refuse(tree, j, EG_REASON_SCRIPT_PATH);
    uint32_t replaced = tree->foreign_root || tree->blob->flags & EG_BLOB_LOG_MODE
                            ? EG_NONE
                            : find_replaced(tree, program);
    if (replaced != EG_NONE) {
        const struct eg_blob_program *programs = eg_blob_section(tree->blob, EG_SECTION_PROGRAMS);
        j->replaced = eg_blob_str(tree->blob, programs[replaced].path);
        return refuse(tree, j, EG_REASON_REPLACED);
    }
    if (j->decision.verdict == EG_VERDICT_LOG) report(tree, j, EG_ACTION_ALLOW, EG_REASON_NONE);
    return proceed_to(tree, j, &exe, false);
}

struct eg_answer eg_tree_judge_exec(struct eg_tree *tree, const struct seccomp_notif *notif)
{
    static char path[EG_PATH_MAX], resolved[EG_PATH_MAX];
    struct judged j = { .notif = notif, .tid = (pid_t)notif->pid, .call = read_call(&notif->data) };
    j.decision.rule = j.decision.program = EG_NONE;
    if (eg_remote_process(j.tid, &j.process)) return eg_answer_error(EACCES);
    j.tgid = j.process.tgid;
    j.spelled = path;
    tree->argv.count = tree->envp.count = 0;
    int error = eg_remote_path(j.tid, j.call.path, path);
    if (error == -EFAULT || error == -ENAMETOOLONG) return eg_answer_error(-error);
    if (error) return refuse(tree, &j, EG_REASON_UNREADABLE);
    int not_found = 0;
    error = eg_remote_resolve(j.tid, j.tgid, j.call.dirfd, path, j.call.flags, resolved, &j.target,
                              &not_found);
    if (error) return refuse(tree, &j, EG_REASON_UNREADABLE);
    /* a PATH search tries many names: the true answer, and no event */
    if (!j.target.found) return eg_answer_error(not_found ? -not_found : ENOENT);
    if (!S_ISREG(j.target.id.mode)) return eg_answer_error(EACCES);
    error = eg_remote_vector(j.tid, j.call.argv, &tree->argv);
    if (!error) error = eg_remote_vector(j.tid, j.call.envp, &tree->envp);
    if (error == -EFAULT || error == -E2BIG) return eg_answer_error(-error);
    if (error) return refuse(tree, &j, EG_REASON_UNREADABLE);
    if (!eg_notify_valid(tree->listener, notif->id)) return eg_answer_error(EACCES);
    return judge(tree, &j);
}
