// SPDX-License-Identifier: MIT
/* Purpose: serve one tree's listener: which notification goes to which judge. */
#include "supervisor/tree.h"

#include "guard/guard.h"
#include "supervisor/numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Which of the table's rows this machine has. */
#define NR_ANY_ARCH(call) SYS_##call
#ifdef __x86_64__
#define NR_X86_64(call)  SYS_##call
#define NR_AARCH64(call) (-1)
#else
#define NR_X86_64(call)  (-1)
#define NR_AARCH64(call) SYS_##call
#endif

static const struct {
    int nr;
    struct eg_answer (*judge)(struct eg_tree *, const struct seccomp_notif *);
} judges[] = {
#define Q(group, arch, mode, call, judge, first, second) { NR_##arch(call), judge },
#include "table/notified.def"
};

struct eg_tree *eg_tree_new(const struct eg_blob *blob, int listener, struct eg_vector *start_env)
{
    struct eg_tree *tree = calloc(1, sizeof *tree);
    if (!tree) return NULL;
    tree->blob = blob;
    tree->listener = listener;
    tree->images = eg_images_new();
    tree->rate =
        mmap(NULL, sizeof *tree->rate, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!tree->images || tree->rate == MAP_FAILED) {
        if (tree->rate == MAP_FAILED) tree->rate = NULL;
        eg_tree_free(tree);
        return NULL;
    }
    if (eg_writes_wanted(tree) && !(tree->writes = eg_writes_new(tree))) {
        eg_tree_free(tree);
        return NULL;
    }
    if (start_env) {
        tree->start_env = *start_env;
        memset(start_env, 0, sizeof *start_env);
    }
    return tree;
}

void eg_tree_free(struct eg_tree *tree)
{
    if (!tree) return;
    eg_writes_free(tree->writes);
    eg_images_free(tree->images);
    if (tree->rate) munmap(tree->rate, sizeof *tree->rate);
    eg_vector_free(&tree->start_env);
    eg_vector_free(&tree->argv);
    eg_vector_free(&tree->envp);
    free(tree->worker_path);
    free(tree);
}

int eg_tree_serve(struct eg_tree *tree)
{
    struct seccomp_notif notif;
    int error = eg_notify_receive(tree->listener, &notif);
    if (error == -EINTR) return 0;
    if (error) return error;
    /* a call that no judge takes would mean that filter and supervisor differ */
    struct eg_answer answer = eg_answer_error(EPERM);
    for (size_t i = 0; i < sizeof judges / sizeof judges[0]; i++)
        if (judges[i].nr == notif.data.nr) {
            answer = judges[i].judge(tree, &notif);
            break;
        }
    if (answer.sent) return 0;
    error = eg_notify_answer(tree->listener, notif.id, answer);
    return error == -ENOENT || error == -EINPROGRESS ? 0 : error;
}

uint32_t eg_tree_program(const struct eg_tree *tree, const struct eg_identity *id)
{
    const struct eg_blob_program *programs = eg_blob_section(tree->blob, EG_SECTION_PROGRAMS);
    uint32_t count = eg_blob_count(tree->blob, EG_SECTION_PROGRAMS);
    for (uint32_t i = 0; i < count; i++)
        if (eg_identity_same_inode(&programs[i].id, id)) return i;
    return EG_NONE;
}

bool eg_tree_started_with(const struct eg_tree *tree, const char *entry)
{
    for (size_t i = 0; i < tree->start_env.count; i++)
        if (strcmp(tree->start_env.items[i], entry) == 0) return true;
    return false;
}

/* The asking process's command line, as ps(1) shows it. */
static struct eg_str command_of(pid_t tid, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)tid);
    int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return (struct eg_str){ NULL, 0 };
    ssize_t n = read(fd, text, size);
    close(fd);
    while (n > 0 && text[n - 1] == '\0') n--;
    for (ssize_t i = 0; i < n; i++)
        if (text[i] == '\0') text[i] = ' ';
    return (struct eg_str){ text, n > 0 ? (size_t)n : 0 };
}

void eg_tree_event(const struct eg_tree *tree, pid_t tgid, enum eg_kind kind, enum eg_reason reason,
                   struct eg_event *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret = (struct eg_event){
        .action = tree->blob->flags & EG_BLOB_LOG_MODE ? EG_ACTION_WOULD_DENY : EG_ACTION_DENY,
        .kind = kind,
        .layer = EG_LAYER_SUPERVISOR,
        .reason = reason,
        .time_s = now.tv_sec,
        .time_ns = (uint32_t)now.tv_nsec,
        .policy = eg_blob_str(tree->blob, tree->blob->name),
        .container = tree->container,
        .pid = tgid,
    };
}

unsigned eg_tree_count(struct eg_tree *tree, struct eg_event *event)
{
    switch (event->action) {
    case EG_ACTION_DENY:
    case EG_ACTION_WOULD_DENY: tree->denied++; break;
    case EG_ACTION_ALLOW:
    case EG_ACTION_REWRITE: tree->allowed++; break;
    }
    if (event->reason == EG_REASON_REPLACED && !event->hint.n && tree->restart_hint[0])
        event->hint = eg_str(tree->restart_hint);
    event->seq = tree->seq++;
    return (eg_event_admit(tree->blob, tree->rate, event) ? EG_TELL_SINKS : 0u) |
           (tree->report ? EG_TELL_REPORT : 0u);
}

void eg_tree_tell(struct eg_tree *tree, pid_t tid, struct eg_event *event, unsigned whom)
{
    struct texts {
        char exe[EG_PATH_MAX], cwd[EG_PATH_MAX], command[512];
        struct eg_web_request request;
    };
    bool asks = !(whom & EG_TELL_REQUEST_KNOWN) && !eg_event_has_request(event);
    struct texts *texts = malloc(sizeof *texts);
    struct eg_target exe;
    pid_t ppid;
    uid_t uid;
    if (!event->pid) {
        pid_t tgid = tid ? eg_remote_tgid(tid) : 0;
        event->pid = tgid > 0 ? tgid : tid;
    }
    eg_remote_who(tid, &ppid, &uid);
    event->ppid = ppid;
    event->uid = uid;
    /* without memory the rest is told all the same */
    if (texts) {
        event->cwd = eg_remote_cwd(tid, texts->cwd);
        event->command = command_of(tid, texts->command, sizeof texts->command);
        if (eg_remote_exe(tid, texts->exe, &exe) == 0 && exe.found) event->exe = exe.path;
        if (asks) eg_hands_request(&tree->hands, tid, event->pid, &texts->request, &event->request);
    }
    if (whom & EG_TELL_REPORT) eg_report_add(tree->report, event);
    if (whom & EG_TELL_SINKS) eg_event_deliver(tree->blob, event);
    event->cwd = event->command = event->exe = (struct eg_str){ NULL, 0 };
    if (asks) event->request = (struct eg_event_request){ 0 };
    free(texts);
}

void eg_tree_report(struct eg_tree *tree, pid_t tid, struct eg_event *event)
{
    unsigned whom = eg_tree_count(tree, event);
    if (whom) eg_tree_tell(tree, tid, event, whom);
}
