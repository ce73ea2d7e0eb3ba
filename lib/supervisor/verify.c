// SPDX-License-Identifier: MIT
/* Purpose: the second verdict on an exec, in the new image.
 *
 * Between the first verdict and the kernel's own reading of path, argv and envp
 * another thread, or a process that shares the memory, can change them.  The
 * start-up of every libc sets the thread pointer before main
 * (arch_prctl(ARCH_SET_FS); set_tid_address elsewhere): by then the kernel has
 * copied everything into an address space that nobody else shares.  What is
 * there must be what was allowed; otherwise the new process is killed. */
#include "supervisor/estate.h"
#include "supervisor/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A script runs as INTERPRETER [ARGUMENT] SCRIPT argv[1]...: its tail must be
 * the judged one and the word before it must name the judged script. */
static bool script_matches(pid_t tid, pid_t tgid, const struct eg_pending *pending,
                           const struct eg_vector *argv)
{
    char resolved[EG_PATH_MAX];
    struct eg_target script;
    int error;
    unsigned char digest[EG_DIGEST_SIZE];
    size_t tail = pending->argc ? pending->argc - 1 : 0;
    if (argv->count < tail + 2) return false;
    size_t at = argv->count - tail - 1;
    /* at most five nested #! lines with an argument each */
    if (at > 10) return false;
    eg_vector_digest(argv, at + 1, digest);
    const unsigned char *want = pending->is_first ? pending->tail : pending->argv;
    if (memcmp(digest, want, sizeof digest) != 0) return false;
    const char *path = argv->items[at];
    if (eg_remote_resolve(tid, tgid, AT_FDCWD, path, 0, resolved, &script, &error) != 0 ||
        !script.found || !eg_identity_same_inode(&script.id, &pending->script))
        return false;
    /* the interpreter will open it once more */
    return pending->is_worker || pending->is_first || pending->is_built ||
           eg_str_equal(script.path, eg_str(path)) || eg_remote_is_fixed(tid, tgid, AT_FDCWD, path);
}

static bool matches(pid_t tid, pid_t tgid, const struct eg_pending *pending,
                    const struct eg_identity *exe, const struct eg_vector *argv,
                    const struct eg_vector *envp)
{
    unsigned char digest[EG_DIGEST_SIZE];
    if (!pending->is_first && !eg_identity_same_inode(&pending->exe, exe)) return false;
    eg_vector_digest(envp, 0, digest);
    if (memcmp(digest, pending->envp, sizeof digest) != 0) return false;
    bool program = pending->is_first && eg_identity_same_inode(&pending->script, exe);
    if (pending->is_script || (pending->is_first && !program))
        return script_matches(tid, tgid, pending, argv);
    eg_vector_digest(argv, 0, digest);
    return memcmp(digest, pending->argv, sizeof digest) == 0;
}

static struct eg_answer kill_raced(struct eg_tree *tree, const struct seccomp_notif *notif,
                                   pid_t tgid, const struct eg_target *exe)
{
    struct eg_event event;
    eg_tree_event(tree, tgid, EG_KIND_EXEC, EG_REASON_RACED, &event);
    event.call = EG_STR("exec");
    event.program = exe->path;
    event.argv = (const char *const *)tree->argv.items;
    event.argc = tree->argv.count;
    event.has_argv = true;
    eg_tree_report(tree, (pid_t)notif->pid, &event);
    tree->raced++;
    if (tree->blob->flags & EG_BLOB_LOG_MODE) return eg_answer_proceed();
    /* the caller still waits in this call, so its id names nobody else */
    if (eg_notify_valid(tree->listener, notif->id)) kill(tgid, SIGKILL);
    return eg_answer_error(EPERM);
}

/* Nothing is known of this process (its entry made room for others, or it never
 * called exec): what runs there must be allowed as it stands. */
static bool allowed_as_it_stands(const struct eg_tree *tree, const struct eg_process *process,
                                 pid_t tid, const struct eg_target *exe)
{
    char cwd[EG_PATH_MAX];
    bool anew = tree->blob->flags & EG_BLOB_WORKER_REEXEC || process->tgid == tree->worker;
    if (eg_tree_foreign_variable(tree, &tree->envp)) return false;
    if (anew && eg_identity_same_inode(&tree->worker_exe, &exe->id)) return true;
    struct eg_exec_request request = {
        .target = *exe,
        .argv = (const char *const *)tree->argv.items,
        .argc = tree->argv.count,
        .cwd = eg_remote_cwd(tid, cwd),
    };
    request.user_known = eg_remote_user(tid, &request.user);
    struct eg_decision decision;
    eg_decide_exec(tree->blob, &request, &decision);
    return decision.verdict == EG_VERDICT_ALLOW || decision.verdict == EG_VERDICT_LOG;
}

/* One of the execs that were judged? */
static bool was_judged(struct eg_tree *tree, const struct eg_process *process, pid_t tid,
                       struct eg_image *image, const struct eg_target *exe)
{
    for (uint32_t i = 0; i < image->pending_count; i++) {
        if (!matches(tid, process->tgid, &image->pending[i], &exe->id, &tree->argv, &tree->envp))
            continue;
        if (image->pending[i].is_first) tree->worker_exe = exe->id;
        image->pending_count = 0;
        image->verified = true;
        image->exe = exe->id;
        eg_vector_digest(&tree->argv, 0, image->argv);
        eg_vector_digest(&tree->envp, 0, image->envp);
        return true;
    }
    return false;
}

/* The very image that was verified before?  (musl with much thread-local memory
 * sets the pointer twice.)  In full: a raced exec of the same program with other
 * arguments would otherwise pass behind a first check that its own process asked
 * for while the exec was under way. */
static bool was_verified(const struct eg_tree *tree, const struct eg_image *image,
                         const struct eg_target *exe)
{
    unsigned char argv[EG_DIGEST_SIZE], envp[EG_DIGEST_SIZE];
    if (!image->verified || !eg_identity_same_inode(&image->exe, &exe->id)) return false;
    eg_vector_digest(&tree->argv, 0, argv);
    eg_vector_digest(&tree->envp, 0, envp);
    return memcmp(argv, image->argv, sizeof argv) == 0 &&
           memcmp(envp, image->envp, sizeof envp) == 0;
}

/* The worker's own program runs. */
static void see_worker(struct eg_tree *tree)
{
    tree->worker_seen = true;
    if (tree->blob->flags & EG_BLOB_WORKER_REEXEC)
        tree->worker_known = eg_estate_identity(tree->worker, tree->worker_identity);
}

static bool is_worker_new(const struct eg_tree *tree, pid_t tid)
{
    return tree->worker_started && !tree->worker_seen && tid == tree->worker;
}

struct eg_answer eg_tree_verify_image(struct eg_tree *tree, const struct seccomp_notif *notif)
{
    char exe_path[EG_PATH_MAX];
    struct eg_target exe;
    struct eg_process process = { 0 };
    pid_t tid = (pid_t)notif->pid;
    /* who refuses nothing need not make sure that a verdict was kept to */
    bool observes = tree->blob->flags & EG_BLOB_LOG_MODE && !tree->worker_any;
    if (observes) {
        if (is_worker_new(tree, tid)) see_worker(tree);
        return eg_answer_proceed();
    }
    if (eg_remote_process(tid, &process)) return eg_answer_error(EPERM);
    /* an exec leaves one thread, the leader: another is no new image */
    if (tid != process.tgid) return eg_answer_proceed();
    if (eg_remote_exe(tid, exe_path, &exe) || !exe.found)
        exe = (struct eg_target){ .path = EG_STR("?") };
    eg_hands_forget(&tree->hands, process.tgid);
    struct eg_image *image = eg_images_find(tree->images, &process);
    bool readable = exe.found && eg_remote_proc_vector(tid, "cmdline", &tree->argv) == 0 &&
                    eg_remote_proc_vector(tid, "environ", &tree->envp) == 0;
    bool right = readable && (!image ? allowed_as_it_stands(tree, &process, tid, &exe)
                              : image->pending_count ? was_judged(tree, &process, tid, image, &exe)
                                                     : was_verified(tree, image, &exe));
    if (right && is_worker_new(tree, tid)) see_worker(tree);
    return right ? eg_answer_proceed() : kill_raced(tree, notif, process.tgid, &exe);
}
