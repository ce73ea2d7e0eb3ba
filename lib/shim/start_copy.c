// SPDX-License-Identifier: MIT
/* Keeps what the process was started with: in private memory, read-only, since
 * the program may overwrite its own environment block at any time. */
#include <linux/errno.h>
#include <linux/mman.h>

#include "base/sys.h"
#include "shim/shim.h"
#include "shim/start.h"

#define CONTEXT_MAX 1024u

/* A bump allocator over one mapping.  With memory NULL it only counts. */
struct store {
    char *memory;
    size_t used;
};

static void *take(struct store *store, size_t n, size_t align)
{
    store->used = (store->used + align - 1) & ~(align - 1);
    char *at = store->memory ? store->memory + store->used : NULL;
    store->used += n;
    return at;
}

/* The strings a, b, c side by side. */
static const char *join(struct store *store, struct eg_str a, struct eg_str b, struct eg_str c)
{
    size_t n = a.n + b.n + c.n + 1;
    char *at = take(store, n, 1);
    if (!at) return NULL;
    struct eg_buf buf = eg_buf_over(at, n);
    eg_buf_str(&buf, a);
    eg_buf_str(&buf, b);
    eg_buf_str(&buf, c);
    return eg_buf_cstr(&buf);
}

static const char *keep(struct store *store, struct eg_str s)
{
    return join(store, s, EG_STR(""), EG_STR(""));
}

static struct eg_str keep_context(struct store *store, const char *const *envp, struct eg_str name)
{
    struct eg_str value = eg_environment_get(envp, name);
    if (value.n > CONTEXT_MAX) value.n = CONTEXT_MAX;
    if (!value.p) return value;
    return (struct eg_str){ keep(store, value), value.n };
}

/* The fields of a CGI request: what a server sets for each (RFC 3875) says that
 * there is one. */
static void keep_fields(struct store *store, const char *const *envp)
{
    struct eg_request_field fields[EG_SOURCE_FIELDS];
    size_t n = 0;
    if (eg_environment_get(envp, EG_STR("REQUEST_METHOD")).n)
        n = eg_event_fields(envp, fields, EG_SOURCE_FIELDS);
    struct eg_request_field *kept = take(store, n * sizeof(*kept), sizeof(char *));
    for (size_t i = 0; i < n; i++) {
        if (fields[i].value.n > EG_SOURCE_VALUE) fields[i].value.n = EG_SOURCE_VALUE;
        fields[i].name.p = keep(store, fields[i].name);
        fields[i].value.p = keep(store, fields[i].value);
        if (kept) kept[i] = fields[i];
    }
    eg_shim.fields = kept;
    eg_shim.field_count = kept ? n : 0;
}

static bool worth_keeping(const char *text)
{
    if (!eg_env_may_matter(eg_shim.blob, text)) return false;
    struct eg_str entry = eg_str(text);
    if (eg_decide_env(eg_shim.blob, entry) != EG_ENV_PASS) return true;
    /* a loader variable that the policy keeps is still compared by setenv's hook */
    if (!eg_blob_count(eg_shim.blob, EG_SECTION_ENV)) return false;
    return eg_env_is_loader((struct eg_str){ entry.p, eg_str_find(entry, '=') });
}

/* Which variables the first pass, which only counts, found worth it: to look each
 * up is much of what this start costs.  Those behind are looked up again. */
#define REMEMBERED 1024u
struct found {
    uint64_t bits[REMEMBERED / 64];
};

static void count_variables(struct store *store, const char *const *envp, struct found *ret)
{
    size_t count = 0, bytes = 0;
    for (size_t i = 0; envp && envp[i]; i++) {
        if (!worth_keeping(envp[i])) continue;
        if (i < REMEMBERED) ret->bits[i / 64] |= UINT64_C(1) << (i % 64);
        count++;
        bytes += eg_str(envp[i]).n + 1;
    }
    take(store, count * sizeof(char *), sizeof(char *));
    take(store, bytes, 1);
    eg_shim.kept_count = count;
}

static bool was_found(const struct found *found, const char *const *envp, size_t i)
{
    if (i < REMEMBERED) return found->bits[i / 64] >> (i % 64) & 1;
    return worth_keeping(envp[i]);
}

static void keep_variables(struct store *store, const char *const *envp, const struct found *found)
{
    const char **kept = take(store, eg_shim.kept_count * sizeof(char *), sizeof(char *));
    size_t n = 0;
    for (size_t i = 0; envp && envp[i] && n < eg_shim.kept_count; i++)
        if (was_found(found, envp, i)) kept[n++] = keep(store, eg_str(envp[i]));
    eg_shim.kept = kept;
    eg_shim.kept_count = n;
}

/* "LD_PRELOAD=" with us first and the others behind, in their order. */
static const char *keep_preload(struct store *store, struct eg_str list, struct eg_str own)
{
    static const char name[] = "LD_PRELOAD=";
    size_t size = sizeof(name) + own.n + list.n + 2;
    char *at = take(store, size, 1);
    if (!at) return NULL;
    struct eg_buf b = eg_buf_over(at, size);
    eg_buf_add(&b, name);
    eg_buf_str(&b, own);
    while (list.n) {
        size_t end = 0;
        while (end < list.n && list.p[end] != ':' && list.p[end] != ' ') end++;
        struct eg_str item = { list.p, end };
        list = eg_str_skip(list, end + 1);
        if (!item.n || eg_str_equal(eg_str_basename(item), eg_str_basename(own))) continue;
        eg_buf_byte(&b, ':');
        eg_buf_str(&b, item);
    }
    return eg_buf_cstr(&b);
}

/* A path that stays right after chdir. */
static const char *keep_path(struct store *store, struct eg_str prefix, struct eg_str path,
                             struct eg_str cwd)
{
    if (path.n && path.p[0] == '/') return join(store, prefix, path, EG_STR(""));
    char joined[EG_PATH_MAX];
    struct eg_buf b = eg_buf_over(joined, sizeof(joined));
    eg_buf_str(&b, cwd);
    eg_buf_byte(&b, '/');
    eg_buf_str(&b, path);
    return join(store, prefix, eg_buf_view(&b), EG_STR(""));
}

struct sources {
    const char *const *envp;
    struct eg_str own;
    struct eg_str policy;
    struct eg_str cwd;
    struct eg_target self;
};

/* The request that a CGI program was started for. */
static void keep_request(struct store *store, const char *const *envp)
{
    struct eg_event_request *r = &eg_shim.request;
    r->method = keep_context(store, envp, EG_STR("REQUEST_METHOD"));
    r->uri = keep_context(store, envp, EG_STR("REQUEST_URI"));
    r->script = keep_context(store, envp, EG_STR("SCRIPT_FILENAME"));
    if (!eg_environment_get(envp, EG_STR("SCRIPT_FILENAME")).p)
        r->script = keep_context(store, envp, EG_STR("SCRIPT_NAME"));
    r->host = keep_context(store, envp, EG_STR("HTTP_HOST"));
    r->remote = keep_context(store, envp, EG_STR("REMOTE_ADDR"));
    r->remote_from = EG_REMOTE_SERVER;
    /* Told by the environment, which the program that started us chose. */
    r->claimed = false;
    keep_fields(store, envp);
}

/* Everything that is kept, in one order: once to count, once to copy. */
static void copy_all(struct store *store, const struct sources *from, struct found *found)
{
    static const struct eg_str policy_name = { "EXECGUARD_POLICY=", 17 };
    eg_shim.object = keep_path(store, EG_STR(""), from->own, from->cwd);
    struct eg_str own = eg_shim.object ? eg_str(eg_shim.object) : from->own;
    if (!eg_shim.object) own.n += from->cwd.n + 1; /* as long as it can become */
    struct eg_str list = eg_environment_get(from->envp, EG_STR("LD_PRELOAD"));
    eg_shim.preload = keep_preload(store, list, own);
    eg_shim.policy = keep_path(store, policy_name, from->policy, from->cwd);
    eg_shim.self = from->self;
    const char *self = keep(store, from->self.path);
    eg_shim.self.path.p = self;
    if (!self) eg_shim.self.path.n = 0;
    if (!(eg_shim.blob->flags & EG_BLOB_REQUEST_OFF)) keep_request(store, from->envp);
    if (store->memory)
        keep_variables(store, from->envp, found);
    else
        count_variables(store, from->envp, found);
}

static void *map(size_t size, int flags)
{
    long r = eg_sys(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    return r < 0 && r > -4096 ? NULL : (void *)r; // NOLINT(performance-no-int-to-ptr)
}

int eg_start_copy(const char *const *envp, struct eg_str own, struct eg_str policy)
{
    char cwd[EG_PATH_MAX];
    char self[EG_PATH_MAX];
    struct sources from = { .envp = envp, .own = own, .policy = policy };
    bool relative = !eg_str_starts(own, EG_STR("/")) || !eg_str_starts(policy, EG_STR("/"));
    if (relative) from.cwd = eg_resolve_cwd(cwd);
    if (relative && !from.cwd.n) return -ENOENT;
    /* Without /proc nobody can say: `from` rules then never match. */
    if (eg_resolve_self(self, &from.self)) from.self = (struct eg_target){ 0 };

    struct store store = { 0 };
    struct found found = { { 0 } };
    copy_all(&store, &from, &found);
    size_t size = store.used;
    store = (struct store){ .memory = map(size, MAP_PRIVATE) };
    if (!store.memory) return -ENOMEM;
    copy_all(&store, &from, &found);
    /* A supervisor takes the events; should it die, each process limits its own. */
    eg_shim.shared = map(sizeof(*eg_shim.shared), eg_shim.supervised ? MAP_PRIVATE : MAP_SHARED);
    return (int)eg_sys(__NR_mprotect, store.memory, size, PROT_READ);
}
