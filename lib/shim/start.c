// SPDX-License-Identifier: MIT
/* Start-up, before main and before other constructors (-z initfirst): map the
 * policy, make sure of it, guard the process.
 *
 * Whoever attached us set EXECGUARD_POLICY.  Without it, three cases:
 *   - LD_PRELOAD names us: someone attached us and the policy got lost on the
 *     way (`env -u`): the process ends with status 125;
 *   - the kernel's filter says that some policy guards us: likewise;
 *   - neither (/etc/ld.so.preload on a host where only some services are
 *     guarded): the object is inert.
 * Nothing is undone on failure: the process ends. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/stat.h>

#include "base/sys.h"
#include "decide/write.h"
#include "guard/call.h"
#include "guard/guard.h"
#include "shim/shim.h"
#include "shim/start.h"

struct eg_shim eg_shim;

/* ---- failing ---- */

static const char *error_text(int error)
{
    switch (-error) {
    case ENOENT: return "no such file";
    case EACCES: return "permission denied";
    case EPERM: return "operation not permitted";
    case ELOOP: return "it is a symbolic link";
    case EMFILE:
    case ENFILE: return "too many open files";
    case ENOMEM: return "out of memory";
    case ENOSYS: return "the kernel does not have it";
    default: return NULL;
    }
}

static __attribute__((noreturn)) void die(const struct eg_trouble *trouble)
{
    char text[1024];
    struct eg_buf b = eg_buf_over(text, sizeof(text) - 1);
    eg_buf_add(&b, "execguard: cannot start: ");
    eg_buf_add(&b, trouble->what);
    if (trouble->path.n) {
        eg_buf_add(&b, " \"");
        for (size_t i = 0; i < trouble->path.n && i < 512; i++) {
            unsigned char c = (unsigned char)trouble->path.p[i];
            eg_buf_byte(&b, c >= 0x20 && c < 0x7f ? (char)c : '?');
        }
        eg_buf_byte(&b, '"');
    }
    if (trouble->error) {
        const char *known = error_text(trouble->error);
        eg_buf_add(&b, ": ");
        eg_buf_add(&b, known ? known : "error ");
        if (!known) eg_buf_i64(&b, -trouble->error);
    }
    if (trouble->hint) {
        eg_buf_add(&b, "; ");
        eg_buf_add(&b, trouble->hint);
    }
    b.cap++;
    eg_buf_byte(&b, '\n');
    eg_sink_write_fd(2, b.p, b.n);
    for (;;) eg_sys(__NR_exit_group, 125);
}

/* ---- the policy ---- */

static bool failed(long r)
{
    return r < 0 && r > -4096;
}

/* Map the file; the descriptor is closed again. */
static int map_policy(const char *path, const void **ret_memory, struct eg_policy_file *ret)
{
    long fd = eg_sys(__NR_openat, AT_FDCWD, path,
                     O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0);
    if (fd < 0) return (int)fd;
    struct statx st;
    long r = eg_sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st);
    if (r == 0 && (st.stx_mode & S_IFMT) != S_IFREG) r = -EINVAL;
    if (r == 0 && (st.stx_size == 0 || st.stx_size > EG_BLOB_MAX)) r = -EFBIG;
    if (r == 0) {
        r = eg_sys(__NR_mmap, 0, st.stx_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (!failed(r)) {
            *ret_memory = (const void *)r; // NOLINT(performance-no-int-to-ptr)
            ret->size = st.stx_size;
            ret->uid = st.stx_uid;
            ret->mode = st.stx_mode;
            r = 0;
        }
    }
    eg_sys(__NR_close, fd);
    return (int)r;
}

/* A file that its readers cannot have changed. */
static bool owned_by(const struct eg_policy_file *file, uint32_t uid)
{
    return file->uid == uid && !(file->mode & (S_IWGRP | S_IWOTH));
}

/* Who vouches for the file?  root by its ownership; the kernel, when its filter
 * carries the id and the contents have that id; or, where nobody guards yet,
 * the worker's own user. */
static const char *distrust(const struct eg_blob *blob, const struct eg_policy_file *file,
                            struct eg_str path, bool guarded)
{
    if (owned_by(file, 0)) return NULL;
    if (guarded)
        return eg_blob_id_matches(blob) ? NULL : "it is not the policy that guards this process";
    if (!owned_by(file, (uint32_t)eg_sys(__NR_geteuid)))
        return "it must be owned by root or by this user, and writable by nobody else";
    if (eg_decide_tree_of(blob, path) != EG_NONE) return "it lies where the worker may write";
    return NULL;
}

/* The policy from its file; NULL with *trouble saying why not. */
static const struct eg_blob *load_file(struct eg_str path, int *ret_guarded,
                                       struct eg_trouble *trouble)
{
    const void *memory = NULL;
    struct eg_policy_file file = { 0 };
    *trouble = (struct eg_trouble){ .what = "the policy", .path = path };
    trouble->error = map_policy(path.p, &memory, &file);
    if (trouble->error) return NULL;
    const struct eg_blob *blob = NULL;
    trouble->what = "not a compiled policy:";
    if (eg_blob_verify(memory, file.size, &blob, &trouble->hint)) return NULL;
    *ret_guarded = eg_guard_query(blob);
    trouble->what = "the policy cannot be trusted:";
    trouble->hint = distrust(blob, &file, path, *ret_guarded);
    return trouble->hint ? NULL : blob;
}

static long call_supervisor(enum eg_call_op op, const char *path, long memory, size_t size)
{
    return eg_sys(__NR_prctl, EG_PRCTL_CALL, op, path, memory, size);
}

/* The policy from the supervisor's hand, where its file cannot be had: after
 * chroot(2), without a free descriptor.  No descriptor is needed for it, so a full
 * table changes nothing.  Whoever may have answered, the kernel vouches for what
 * came: its filter knows the id, and the contents have it. */
static const struct eg_blob *load_from_supervisor(struct eg_str path, int *ret_guarded)
{
    const struct eg_blob *blob = NULL;
    const char *why;
    long size = call_supervisor(EG_CALL_POLICY, path.p, 0, 0);
    if (size <= 0 || size > (long)EG_BLOB_MAX) return NULL;
    long memory =
        eg_sys(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (failed(memory)) return NULL;
    if (call_supervisor(EG_CALL_POLICY, path.p, memory, (size_t)size) == size &&
        eg_sys(__NR_mprotect, memory, size, PROT_READ) == 0 &&
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        eg_blob_verify((const void *)memory, (size_t)size, &blob, &why) == 0 &&
        (*ret_guarded = eg_guard_query(blob)) && eg_blob_id_matches(blob))
        return blob;
    eg_sys(__NR_munmap, memory, size);
    return NULL;
}

static const struct eg_blob *load_policy(struct eg_str path, int *ret_guarded)
{
    struct eg_trouble trouble;
    const struct eg_blob *blob = load_file(path, ret_guarded, &trouble);
    /* a file that is not the policy that guards this process may stand in the other
     * root of a chroot, where anybody could have laid it */
    const struct eg_blob *given =
        blob && *ret_guarded ? NULL : load_from_supervisor(path, ret_guarded);
    if (given) return given;
    if (!blob) die(&trouble);
    return blob;
}

/* ---- the guard ---- */

static const char *layer_text(enum eg_layer layer)
{
    return layer == EG_LAYER_NONE ? "the guard" : eg_layer_name(layer);
}

/* Is step two done here?  Without devpts the kernel cannot be asked, and a domain
 * made in a chroot would name the programs of another root: there the supervisor
 * remembers whether it started this process in step one. */
static bool is_narrow(const struct eg_blob *blob)
{
    enum eg_step step = eg_guard_ask_step();
    if (step == EG_STEP_UNKNOWN && eg_shim.supervised)
        return call_supervisor(EG_CALL_STEP, NULL, 0, 0) == EG_STEP_TWO;
    return step == EG_STEP_TWO && (eg_shim.worker || eg_guard_covers(blob, &eg_shim.self.id));
}

/* Whoever installs or narrows the guard is the worker. */
static void guard(const struct eg_blob *blob, int guarded, const struct eg_objects *objects)
{
    struct eg_guard_plan plan = { .blob = blob, .listener_fd = -1 };
    struct eg_guard_error error = { 0 };
    struct eg_target worker[2] = { eg_shim.self };
    char interpreter[EG_PATH_MAX];
    if (guarded && is_narrow(blob)) return;
    eg_shim.worker = true;
    plan.stage = guarded ? EG_STAGE_NARROW : EG_STAGE_FINAL;
    if (blob->flags & EG_BLOB_WORKER_REEXEC) {
        plan.worker = worker;
        plan.worker_count = worker[0].found;
        if (objects->interpreter &&
            eg_resolve_file(AT_FDCWD, objects->interpreter, 0, interpreter,
                            &worker[plan.worker_count], NULL) == 0 &&
            worker[plan.worker_count].found)
            plan.worker_count++;
    }
    int r = eg_guard_install(&plan, &error);
    if (r == 0) return;
    struct eg_buf what = { 0 };
    char text[128];
    what = eg_buf_over(text, sizeof(text));
    eg_buf_add(&what, layer_text(error.layer));
    eg_buf_add(&what, " (");
    eg_buf_add(&what, error.what ? error.what : "unknown step");
    eg_buf_add(&what, ")");
    struct eg_trouble trouble = { .what = eg_buf_cstr(&what), .path = error.path, .error = r };
    if (!guarded && error.layer == EG_LAYER_FILTER && (r == -EPERM || r == -EACCES))
        trouble.hint = "another policy guards this process already";
    die(&trouble);
}

/* ---- starting ---- */

static void become(enum eg_phase phase)
{
    __atomic_store_n(&eg_shim.phase, (uint32_t)phase, __ATOMIC_RELEASE);
}

static bool names_us(struct eg_str list, struct eg_str own)
{
    while (list.n) {
        size_t end = 0;
        while (end < list.n && list.p[end] != ':' && list.p[end] != ' ') end++;
        struct eg_str item = { list.p, end };
        if (eg_str_equal(item, own) ||
            eg_str_equal(eg_str_basename(item), EG_STR("libexecguard-preload.so")))
            return true;
        list = eg_str_skip(list, end + 1);
    }
    return false;
}

/* An id of zero asks for any guard's filter. */
static bool somebody_guards(void)
{
    static const struct eg_blob any;
    return eg_guard_query(&any) != 0;
}

static void start_with(const char *const *envp)
{
    struct eg_objects objects;
    int guarded = 0;
    eg_next_start(&objects);
    struct eg_str path = eg_environment_get(envp, EG_STR("EXECGUARD_POLICY"));
    if (!path.n) {
        struct eg_trouble trouble = { .what = "EXECGUARD_POLICY is not set",
                                      .hint = "it must name a compiled policy" };
        struct eg_str preload = eg_environment_get(envp, EG_STR("LD_PRELOAD"));
        if (names_us(preload, eg_str(objects.own)) || somebody_guards()) die(&trouble);
        become(EG_PHASE_INERT);
        return;
    }
    eg_shim.blob = load_policy(path, &guarded);
    eg_shim.supervised = guarded == EG_QUERY_SUPERVISED;
    int r = eg_start_copy(envp, eg_str(objects.own), path);
    if (r) {
        struct eg_trouble trouble = { .what = "private memory", .error = r };
        die(&trouble);
    }
    /* Said by the worker that started itself again (environment.c). */
    eg_shim.worker = (eg_shim.blob->flags & EG_BLOB_WORKER_REEXEC) &&
                     eg_environment_get(envp, EG_STR("EXECGUARD_WORKER")).n;
    guard(eg_shim.blob, guarded, &objects);
    become(EG_PHASE_READY);
}

static bool enter(void)
{
    uint32_t expected = EG_PHASE_NEW;
    return __atomic_compare_exchange_n(&eg_shim.phase, &expected, EG_PHASE_STARTING, false,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* glibc passes main's arguments to constructors, musl passes nothing but has
 * set environ by then. */
__attribute__((constructor)) static void construct(int argc, char **argv, char **envp)
{
    (void)argc;
    (void)argv;
    if (!enter()) return;
    start_with(EG_GLIBC ? (const char *const *)envp : EG_ENVIRON);
}

enum eg_phase eg_shim_enter(void)
{
    uint32_t phase = __atomic_load_n(&eg_shim.phase, __ATOMIC_ACQUIRE);
    if (phase != EG_PHASE_NEW) return (enum eg_phase)phase;
    /* Another object's constructor came first.  Before libc has set environ
     * nothing can be decided: this one call is refused. */
    if (!EG_ENVIRON || !enter()) return EG_PHASE_STARTING;
    start_with(EG_ENVIRON);
    return (enum eg_phase)__atomic_load_n(&eg_shim.phase, __ATOMIC_ACQUIRE);
}
