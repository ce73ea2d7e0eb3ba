// SPDX-License-Identifier: MIT
/* The environment of a child, put right in a copy.
 *
 * Our object stays first in LD_PRELOAD, the policy stays named, and variables
 * that make a program run code go, unless this process was started with them.
 * The caller's own environment is never touched, and where nothing differs the
 * caller's array is passed on: memory mapped in a vfork child would stay in
 * the parent. */
#include <linux/errno.h>
#include <linux/mman.h>

#include "base/sys.h"
#include "shim/shim.h"

enum fate { FATE_KEEP, FATE_DROP, FATE_PRELOAD, FATE_POLICY, FATE_WORKER };

static struct eg_str name_of(struct eg_str entry)
{
    return (struct eg_str){ entry.p, eg_str_find(entry, '=') };
}

static struct eg_str value_of(struct eg_str entry)
{
    return eg_str_skip(entry, eg_str_find(entry, '=') + 1);
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

bool eg_environment_started_with(struct eg_str name, struct eg_str value)
{
    for (size_t i = 0; i < eg_shim.kept_count; i++) {
        struct eg_str kept = eg_str(eg_shim.kept[i]);
        if (eg_str_equal(name_of(kept), name) && eg_str_equal(value_of(kept), value)) return true;
    }
    return false;
}

struct eg_str eg_environment_get(const char *const *envp, struct eg_str name)
{
    for (; envp && *envp; envp++) {
        const char *entry = *envp;
        size_t n = 0;
        if (entry[0] != name.p[0]) continue;
        while (n < name.n && entry[n] == name.p[n]) n++;
        if (n == name.n && entry[n] == '=') return eg_str(entry + n + 1);
    }
    return (struct eg_str){ NULL, 0 };
}

struct eg_str eg_environment_path(const char *const *envp)
{
    struct eg_str path = eg_environment_get(envp, EG_STR("PATH"));
    if (path.p) return path;
    return EG_GLIBC ? EG_STR("/bin:/usr/bin") : EG_STR("/usr/local/bin:/bin:/usr/bin");
}

static enum fate judge(struct eg_str entry)
{
    struct eg_str name = name_of(entry);
    if (eg_str_equal(name, EG_STR("LD_PRELOAD"))) return FATE_PRELOAD;
    if (eg_str_equal(name, EG_STR("EXECGUARD_POLICY"))) return FATE_POLICY;
    if (eg_str_equal(name, EG_STR("EXECGUARD_WORKER"))) return FATE_WORKER;
    switch (eg_decide_env(eg_shim.blob, entry)) {
    case EG_ENV_PASS: return FATE_KEEP;
    case EG_ENV_DROP:
        return eg_environment_started_with(name, value_of(entry)) ? FATE_KEEP : FATE_DROP;
    default: return FATE_DROP;
    }
}

/* Did this process make the variable?  What the policy takes from the
 * environment that the worker was started with (`drop`) is no attempt. */
static bool is_new(struct eg_str entry)
{
    return !eg_environment_started_with(name_of(entry), value_of(entry));
}

/* A list of objects that is neither ours nor what this process was started with:
 * whoever wrote it wanted something loaded, and does not get it. */
static bool preloads_other(const char *entry)
{
    struct eg_str list = value_of(eg_str(entry));
    return list.n && !same(entry, eg_shim.preload) && is_new(eg_str(entry)) &&
           !eg_str_equal(list, eg_str(eg_shim.object));
}

/* Log mode: what the caller wants to preload is kept, behind ours. */
static const char *preload_for(const char *entry, char buffer[EG_PRELOAD_STACK])
{
    if (!(eg_shim.blob->flags & EG_BLOB_LOG_MODE)) return eg_shim.preload;
    struct eg_str list = value_of(eg_str(entry));
    struct eg_str own = eg_str(eg_shim.object);
    for (struct eg_str rest = list; rest.n;) {
        size_t end = 0;
        while (end < rest.n && rest.p[end] != ':' && rest.p[end] != ' ') end++;
        if (eg_str_equal((struct eg_str){ rest.p, end }, own)) return entry;
        rest = eg_str_skip(rest, end + 1);
    }
    struct eg_buf b = eg_buf_over(buffer, EG_PRELOAD_STACK);
    eg_buf_add(&b, "LD_PRELOAD=");
    eg_buf_str(&b, own);
    if (list.n) eg_buf_byte(&b, ':');
    eg_buf_str(&b, list);
    eg_buf_cstr(&b);
    return b.truncated ? eg_shim.preload : buffer;
}

static int reserve(struct eg_environment *ret, size_t entries, const char ***ret_array)
{
    if (entries <= EG_ENVIRONMENT_STACK) {
        *ret_array = ret->array;
        return 0;
    }
    size_t size = entries * sizeof(char *);
    long map =
        eg_sys(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map >= -4095 && map <= 0) return -ENOMEM;
    ret->map = (void *)map;
    ret->map_size = size;
    *ret_array = ret->map;
    return 0;
}

/* Our own variables in one environment: seen yet? */
struct seen {
    bool preload;
    bool policy;
    bool worker;
};

/* Is the child the worker's own program, started again by itself? */
static bool worker_again(const struct eg_target *target)
{
    return (eg_shim.blob->flags & EG_BLOB_WORKER_REEXEC) && eg_shim.worker &&
           eg_identity_same_inode(&target->id, &eg_shim.self.id);
}

/* How many entries there are and whether any differs. */
static bool must_change(const char *const *envp, bool worker, size_t *ret_count)
{
    struct seen seen = { 0 };
    bool change = false;
    size_t n = 0;
    for (; envp && envp[n]; n++) {
        if (change) continue;
        switch (judge(eg_str(envp[n]))) {
        case FATE_KEEP: break;
        case FATE_DROP: change = true; break;
        case FATE_PRELOAD:
            change = seen.preload || !same(envp[n], eg_shim.preload);
            seen.preload = true;
            break;
        case FATE_POLICY:
            change = seen.policy || !same(envp[n], eg_shim.policy);
            seen.policy = true;
            break;
        case FATE_WORKER:
            change = seen.worker || !worker || !same(envp[n], EG_WORKER_ENTRY);
            seen.worker = true;
            break;
        }
    }
    *ret_count = n;
    return change || !seen.preload || !seen.policy || seen.worker != worker;
}

int eg_environment_make(const char *const *envp, const struct eg_target *target,
                        struct eg_environment *ret)
{
    size_t count = 0;
    bool worker = worker_again(target);
    ret->envp = envp;
    ret->dropped = NULL;
    ret->map = NULL;
    ret->map_size = 0;
    if (!must_change(envp, worker, &count)) return 0;

    const char **array = NULL;
    int r = reserve(ret, count + 4, &array);
    if (r) return r;
    bool keep_all = eg_shim.blob->flags & EG_BLOB_LOG_MODE;
    struct seen seen = { 0 };
    size_t n = 0;
    /* Another thread may lengthen the array meanwhile: count bounds both. */
    for (size_t i = 0; i < count && envp[i]; i++) {
        switch (judge(eg_str(envp[i]))) {
        case FATE_KEEP: array[n++] = envp[i]; break;
        case FATE_DROP:
            if (!ret->dropped && is_new(eg_str(envp[i]))) ret->dropped = envp[i];
            if (keep_all) array[n++] = envp[i];
            break;
        case FATE_PRELOAD:
            if (!ret->dropped && preloads_other(envp[i])) ret->dropped = envp[i];
            if (!seen.preload) array[n++] = preload_for(envp[i], ret->preload);
            seen.preload = true;
            break;
        case FATE_POLICY:
            if (!seen.policy) array[n++] = eg_shim.policy;
            seen.policy = true;
            break;
        case FATE_WORKER: break;
        }
    }
    if (!seen.preload) array[n++] = eg_shim.preload;
    if (!seen.policy) array[n++] = eg_shim.policy;
    if (worker) array[n++] = EG_WORKER_ENTRY;
    array[n] = NULL;
    ret->envp = array;
    return 0;
}

void eg_environment_done(struct eg_environment *environment)
{
    if (environment->map) eg_sys(__NR_munmap, environment->map, environment->map_size);
    environment->map = NULL;
}
