// SPDX-License-Identifier: MIT
/* The Landlock domain: which programs may run, what may be written, and that no
 * signal and no abstract socket reaches out of it. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "guard/parts.h"

#define SCOPES (EG_SCOPE_SIGNAL | EG_SCOPE_ABSTRACT_UNIX_SOCKET)

static bool is_file(int fd, const struct eg_identity *id)
{
    struct statx st;
    if (eg_sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO, &st) < 0) return false;
    return id->mode != 0 && st.stx_ino == id->ino &&
           ((uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor) == id->dev;
}

/* A program that is not the file the policy was compiled for gets no rule: the
 * decision core then says why it does not run. */
static int grant_program(const struct eg_ruleset *ruleset, const char *path,
                         const struct eg_identity *id, uint32_t *replaced)
{
    long fd = eg_sys(__NR_openat, AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int r = 0;
    if (fd >= 0) {
        if (is_file((int)fd, id))
            r = eg_ruleset_grant(ruleset, (int)fd, EG_LANDLOCK_EXECUTE);
        else
            ++*replaced;
        eg_sys(__NR_close, fd);
    } else if (eg_ruleset_passes_over(fd)) {
        ++*replaced;
    } else {
        r = eg_guard_fail(ruleset->error, EG_LAYER_DOMAIN, "open of a program", fd);
    }
    if (r < 0) ruleset->error->path = eg_str(path);
    return r;
}

static int grant_exec_set(const struct eg_ruleset *ruleset, const struct eg_blob *blob,
                          uint32_t *replaced)
{
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    const uint32_t *set = eg_blob_section(blob, EG_SECTION_EXEC_SET);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_EXEC_SET); i++) {
        const struct eg_blob_program *program = &programs[set[i]];
        if (program->flags & EG_PROGRAM_MISSING) continue;
        int r = grant_program(ruleset, eg_blob_cstr(blob, program->path), &program->id, replaced);
        if (r < 0) return r;
    }
    return 0;
}

/* What starts the worker: its program and interpreters.  One that was replaced
 * since the caller looked stays refused, and the exec after us says so. */
static int grant_worker(const struct eg_ruleset *ruleset, const struct eg_guard_plan *plan)
{
    uint32_t changed = 0;
    for (size_t i = 0; i < plan->worker_count; i++) {
        const struct eg_target *target = &plan->worker[i];
        char path[EG_GUARD_PATH_MAX];
        if (!target->found || target->path.n >= sizeof(path)) continue;
        __builtin_memcpy(path, target->path.p, target->path.n);
        path[target->path.n] = '\0';
        int r = grant_program(ruleset, path, &target->id, &changed);
        if (r < 0) {
            ruleset->error->path = target->path;
            return r;
        }
    }
    return 0;
}

/* `worker reexec`: the program of this process, by the kernel's own link. */
static int grant_self(const struct eg_ruleset *ruleset)
{
    long fd = eg_sys(__NR_openat, AT_FDCWD, "/proc/self/exe", O_PATH | O_CLOEXEC);
    if (eg_ruleset_passes_over(fd)) return 0;
    if (fd < 0) return eg_guard_fail(ruleset->error, EG_LAYER_DOMAIN, "open of /proc/self/exe", fd);
    int r = eg_ruleset_grant(ruleset, (int)fd, EG_LANDLOCK_EXECUTE);
    eg_sys(__NR_close, fd);
    return r;
}

bool eg_guard_has_step_two(const struct eg_guard_plan *plan)
{
    if (plan->stage != EG_STAGE_LAUNCH) return false;
    /* who may start itself again is known as the worker by going through step two */
    if (plan->blob->flags & EG_BLOB_WORKER_REEXEC) return true;
    for (size_t i = 0; i < plan->worker_count; i++)
        if (plan->worker[i].found && !eg_guard_covers(plan->blob, &plan->worker[i].id)) return true;
    return false;
}

static int grant_programs(const struct eg_ruleset *ruleset, struct eg_guard_plan *plan)
{
    uint32_t replaced = 0;
    bool again = plan->blob->flags & EG_BLOB_WORKER_REEXEC;
    int r = grant_exec_set(ruleset, plan->blob, &replaced);
    if (r == 0 && (again || plan->stage == EG_STAGE_LAUNCH)) r = grant_worker(ruleset, plan);
    if (r == 0 && again && plan->stage != EG_STAGE_LAUNCH) r = grant_self(ruleset);
    if (r == 0) plan->replaced = replaced;
    return r;
}

/* Step two is about programs alone.  REFER is granted everywhere, since every
 * domain that does not handle it refuses it (landlock(7)); MAKE_CHAR nowhere,
 * which takes the sentinel of eg_guard_is_narrow away.  The scopes of step one
 * hold on: scoping again would shut this worker off from its own siblings. */
static int build_narrow(int abi, struct eg_guard_plan *plan, struct eg_guard_error *error,
                        struct eg_ruleset *ret)
{
    uint64_t rights = EG_LANDLOCK_EXECUTE | EG_LANDLOCK_REFER | EG_LANDLOCK_MAKE_CHAR;
    int r = eg_ruleset_create(abi, rights, 0, error, ret);
    if (r < 0) return r;
    r = eg_ruleset_grant_at(ret, AT_FDCWD, "/", EG_LANDLOCK_REFER);
    if (r == 0) r = grant_programs(ret, plan);
    if (r == 0) r = eg_guard_grant_build_trees(ret, plan->blob);
    return r;
}

static int build_whole(int abi, struct eg_guard_plan *plan, struct eg_guard_error *error,
                       struct eg_ruleset *ret)
{
    int r = eg_ruleset_create(abi, eg_ruleset_all_rights, SCOPES, error, ret);
    if (r < 0) return r;
    r = grant_programs(ret, plan);
    if (r == 0) r = eg_guard_grant_writes(ret, plan);
    return r;
}

int eg_guard_enter_domain(struct eg_guard_plan *plan, struct eg_guard_error *error)
{
    struct eg_ruleset ruleset = { .fd = -1 };
    int abi = eg_guard_landlock_abi();
    if (abi <= 0) return eg_guard_fail(error, EG_LAYER_DOMAIN, "landlock_create_ruleset", abi);
    int r = plan->stage == EG_STAGE_NARROW ? build_narrow(abi, plan, error, &ruleset)
                                           : build_whole(abi, plan, error, &ruleset);
    if (r == 0) {
        long restricted = eg_sys(__NR_landlock_restrict_self, ruleset.fd, 0);
        if (restricted < 0)
            r = eg_guard_fail(error, EG_LAYER_DOMAIN, "landlock_restrict_self", restricted);
    }
    if (ruleset.fd >= 0) eg_sys(__NR_close, ruleset.fd);
    return r;
}
