// SPDX-License-Identifier: MIT
/* From a call to a verdict and an event: gathers the request, asks the decision
 * core, reports what was refused. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/time.h>

#include "base/sys.h"
#include "shim/hand.h"
#include "shim/rewrite.h"

int eg_shim_find_inner(void *lookup, struct eg_str name, struct eg_target *ret)
{
    struct eg_child_lookup *finder = lookup;
    int r = eg_resolve_search(finder->search, name, finder->spelled, finder->canonical, ret);
    if (r == -ENOENT || r == -EACCES || r == -ENOTDIR) {
        *ret = (struct eg_target){ .path = name };
        return 0;
    }
    return r;
}

int eg_shim_find_script(void *lookup, const struct eg_target *target, struct eg_script *ret)
{
    struct eg_child_lookup *finder = lookup;
    int r = eg_resolve_script(&finder->script, target, ret);
    if (r || !ret->count) return r;
    return eg_resolve_file(AT_FDCWD, ret->words[0], 0, finder->script.interpreter,
                           &ret->interpreter, NULL);
}

/* What every event of this process says, but who asked for the page. */
static void emit(struct eg_event *event)
{
    struct __kernel_timespec now = { 0 };
    event->test = eg_event_running_test(EG_ENVIRON);
    if (eg_shim_tell(event)) return;
    eg_sys(__NR_clock_gettime, CLOCK_REALTIME, &now);
    event->layer = EG_LAYER_SHIM;
    event->time_s = now.tv_sec;
    event->time_ns = (uint32_t)now.tv_nsec;
    event->policy = eg_blob_str(eg_shim.blob, eg_shim.blob->name);
    event->exe = eg_shim.self.path;
    event->pid = (int32_t)eg_sys(__NR_getpid);
    event->ppid = (int32_t)eg_sys(__NR_getppid);
    event->uid = (uint32_t)eg_sys(__NR_getuid);
    struct eg_rate *rate = NULL;
    if (eg_shim.shared) {
        event->seq = __atomic_add_fetch(&eg_shim.shared->seq, 1, __ATOMIC_RELAXED);
        rate = &eg_shim.shared->rate;
    }
    eg_event_emit(eg_shim.blob, rate, event);
}

void eg_shim_emit(struct eg_event *event)
{
    struct eg_hand_hold hold;
    eg_hand_describe(event, &hold);
    emit(event);
    eg_hand_release(&hold);
}

static enum eg_action refused(void)
{
    return eg_shim.blob->flags & EG_BLOB_LOG_MODE ? EG_ACTION_WOULD_DENY : EG_ACTION_DENY;
}

/* The line of "sh -c LINE", for events. */
static bool shell_line(const struct eg_target *target, const char *const *argv, size_t argc,
                       struct eg_str *ret_line)
{
    if (argc < 3 || !eg_str_equal(eg_str(argv[1]), EG_STR("-c"))) return false;
    if (!eg_name_is_shell(eg_str_basename(eg_str(argv[0]))) &&
        !eg_name_is_shell(eg_str_basename(target->path)))
        return false;
    *ret_line = eg_str(argv[2]);
    return true;
}

__attribute__((noinline)) void eg_shim_report(const struct eg_call *call,
                                              const struct eg_exec_request *request,
                                              const struct eg_decision *decision,
                                              enum eg_action allowed)
{
    struct eg_event event = {
        .action = decision->verdict == EG_VERDICT_DENY ? refused() : allowed,
        .kind = EG_KIND_EXEC,
        .reason = decision->reason,
        .call = eg_str(call->name),
        .program = request->target.path,
        .argv = request->argv,
        .argc = request->argc,
        .has_argv = true,
        .line = call->line,
        .has_line = call->has_line,
        .inner = decision->inner,
        .hint = decision->hint,
        .cwd = request->cwd,
    };
    if (!event.has_line)
        event.has_line = shell_line(&request->target, request->argv, request->argc, &event.line);
    if (event.has_line) event.kind = EG_KIND_SHELL;
    if (decision->construct.n) {
        event.construct = decision->construct;
        event.offset = decision->offset;
        event.has_construct = true;
    }
    if (decision->rule < eg_blob_count(eg_shim.blob, EG_SECTION_RULES)) {
        const struct eg_blob_rule *rules = eg_blob_section(eg_shim.blob, EG_SECTION_RULES);
        event.rule_file = eg_blob_str(eg_shim.blob, rules[decision->rule].file);
        event.rule_line = rules[decision->rule].line;
    }
    eg_shim_emit(&event);
}

static __attribute__((noinline)) void decide(struct eg_exec_request *request,
                                             const char *const *envp, struct eg_decision *ret)
{
    struct eg_child_lookup finder;
    finder.search = eg_environment_path(envp);
    struct eg_lookup lookup = { eg_shim_find_inner, &finder, eg_shim_find_script };
    request->lookup = &lookup;
    eg_decide_exec(eg_shim.blob, request, ret);
    /* The inner name points into argv, not into the finder. */
    request->lookup = NULL;
}

/* A shell that only its line could let run. */
static bool is_rewritten(const struct eg_call *call, const struct eg_decision *decision)
{
    return decision->verdict == EG_VERDICT_DENY && decision->reason == EG_REASON_SHELL &&
           decision->depth == 0 && (eg_shim.blob->flags & EG_BLOB_SHELL_REWRITE) &&
           !call->keeps_shell;
}

/* The worker starts its own program again and it, or what it needs, was replaced:
 * the supervisor may start a successor outside of this domain (supervisor/succeed.h),
 * and refuses it otherwise. */
static bool is_supervisors(const struct eg_exec_request *request, const struct eg_decision *ret)
{
    return eg_shim.supervised && eg_shim.worker && ret->reason != EG_REASON_DENY_RULE &&
           eg_shim.blob->flags & EG_BLOB_WORKER_REEXEC && request->target.found &&
           eg_str_equal(request->target.path, eg_shim.self.path);
}

int eg_shim_judge(const struct eg_call *call, struct eg_image *image, const char *const *envp)
{
    char cwd[EG_PATH_MAX];
    static const char *const none[] = { NULL };
    struct eg_decision decision = { 0 };
    struct eg_exec_request request = {
        .target = image->target,
        .argv = image->argv ? image->argv : none,
        .argc = eg_shim_count(image->argv),
        .caller = eg_shim.self,
        .user_known = true,
        .user = (uint32_t)eg_sys(__NR_getuid),
        .cwd = eg_resolve_cwd(cwd),
    };
    if (eg_shim.worker) request.worker = eg_shim.self;
    decide(&request, envp, &decision);
    if (decision.verdict == EG_VERDICT_DENY && is_supervisors(&request, &decision)) return 0;
    if (is_rewritten(call, &decision)) return eg_rewrite(image, call, &request, envp);
    bool allowed = decision.verdict == EG_VERDICT_ALLOW || decision.verdict == EG_VERDICT_LOG;
    if (decision.verdict != EG_VERDICT_ALLOW && !call->quiet)
        eg_shim_report(call, &request, &decision, EG_ACTION_ALLOW);
    return allowed || refused() == EG_ACTION_WOULD_DENY ? 0 : -EACCES;
}

int eg_shim_refuse(const struct eg_call *call, enum eg_kind kind, enum eg_reason reason,
                   struct eg_str program, struct eg_str path, struct eg_str variable)
{
    struct eg_event event = {
        .action = refused(),
        .kind = kind,
        .reason = reason,
        .call = eg_str(call->name),
        .program = program,
        .path = path,
        .variable = variable,
        .line = call->line,
        .has_line = call->has_line,
    };
    eg_shim_emit(&event);
    return event.action == EG_ACTION_WOULD_DENY ? 0 : -EACCES;
}
