// SPDX-License-Identifier: MIT
/* Finds the functions that hooks pass on to.
 *
 * dlsym(3) would need libdl before glibc 2.34, takes the loader's lock and may
 * allocate; what it does for RTLD_NEXT is short enough to do here, over the
 * objects that dl_iterate_phdr(3) lists behind ours.  Hidden versions
 * (posix_spawn@GLIBC_2.2.5) are skipped: callers of the old and of the new one
 * go on to the default version. */
#include <linux/elf.h>

#include "shim/shim.h"

/* The part of struct dl_phdr_info that both libcs agree on. */
struct loaded {
    uintptr_t base;
    const char *name;
    const Elf64_Phdr *headers;
    uint16_t count;
};
extern int dl_iterate_phdr(int (*callback)(struct loaded *, size_t, void *), void *data)
    __attribute__((weak));

#define DT_GNU_HASH_TAG 0x6ffffef5
#define STT_GNU_IFUNC   10
#define VERSION_HIDDEN  0x8000u

/* One object's dynamic symbol table. */
struct symbols {
    uintptr_t base;
    const Elf64_Sym *table;
    const char *strings;
    const uint16_t *versions;
    const uint32_t *gnu;
    const uint32_t *sysv;
};

/* glibc relocates these pointers in place, musl and the vDSO leave offsets. */
static const void *pointer(uintptr_t base, uint64_t value)
{
    return (const void *)(value < base ? base + value : value); // NOLINT(performance-no-int-to-ptr)
}

static bool symbols_of(const struct loaded *object, struct symbols *ret)
{
    const Elf64_Dyn *dynamic = NULL;
    for (uint16_t i = 0; i < object->count; i++)
        if (object->headers[i].p_type == PT_DYNAMIC)
            dynamic = (const Elf64_Dyn *)(object->base + object->headers[i].p_vaddr);
    *ret = (struct symbols){ .base = object->base };
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        const void *p = pointer(object->base, dynamic->d_un.d_ptr);
        switch (dynamic->d_tag) {
        case DT_SYMTAB: ret->table = p; break;
        case DT_STRTAB: ret->strings = p; break;
        case DT_VERSYM: ret->versions = p; break;
        case DT_GNU_HASH_TAG: ret->gnu = p; break;
        case DT_HASH: ret->sysv = p; break;
        }
    }
    return ret->table && ret->strings && (ret->gnu || ret->sysv);
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

static eg_function function_at(const struct symbols *symbols, uint32_t index, const char *name)
{
    const Elf64_Sym *symbol = &symbols->table[index];
    if (symbol->st_shndx == SHN_UNDEF || (symbol->st_info & 0xf) != STT_FUNC) return NULL;
    if (symbols->versions && (symbols->versions[index] & VERSION_HIDDEN)) return NULL;
    if (!same(symbols->strings + symbol->st_name, name)) return NULL;
    return (eg_function)(symbols->base + symbol->st_value);
}

static uint32_t hash_gnu(const char *name)
{
    uint32_t hash = 5381;
    for (const char *c = name; *c; c++) hash = hash * 33 + (unsigned char)*c;
    return hash;
}

static eg_function find_gnu(const struct symbols *symbols, const char *name, uint32_t hash)
{
    const uint32_t *table = symbols->gnu;
    uint32_t bucket_count = table[0];
    uint32_t first = table[1];
    uint32_t bloom_count = table[2];
    const uint32_t *buckets = table + 4 + (size_t)bloom_count * (sizeof(uint64_t) / 4);
    const uint32_t *chains = buckets + bucket_count;
    if (bloom_count) {
        const uint64_t *bloom = (const uint64_t *)(table + 4);
        uint64_t word = bloom[hash / 64 % bloom_count];
        if (!(word >> hash % 64 & word >> (hash >> table[3]) % 64 & 1)) return NULL;
    }
    uint32_t i = bucket_count ? buckets[hash % bucket_count] : 0;
    if (i < first) return NULL;
    for (;; i++) {
        uint32_t h = chains[i - first];
        if ((h | 1) == (hash | 1)) {
            eg_function f = function_at(symbols, i, name);
            if (f) return f;
        }
        if (h & 1) return NULL;
    }
}

static eg_function find_sysv(const struct symbols *symbols, const char *name)
{
    uint32_t hash = 0;
    for (const char *c = name; *c; c++) {
        hash = (hash << 4) + (unsigned char)*c;
        uint32_t high = hash & 0xf0000000u;
        hash = (hash ^ (high >> 24)) & ~high;
    }
    const uint32_t *table = symbols->sysv;
    uint32_t bucket_count = table[0];
    if (!bucket_count) return NULL;
    const uint32_t *chains = table + 2 + bucket_count;
    for (uint32_t i = table[2 + hash % bucket_count]; i; i = chains[i]) {
        eg_function f = function_at(symbols, i, name);
        if (f) return f;
    }
    return NULL;
}

static bool is_ours(const struct loaded *object)
{
    uintptr_t here = (uintptr_t)&eg_shim;
    for (uint16_t i = 0; i < object->count; i++) {
        const Elf64_Phdr *p = &object->headers[i];
        if (p->p_type == PT_LOAD && here - (object->base + p->p_vaddr) < p->p_memsz) return true;
    }
    return false;
}

/* ---- the functions ---- */

static const char *const names[EG_NEXT_COUNT] = {
#define K(function, class, parameters, why) [EG_NEXT_##function] = #function,
#include "table/hooks.def"
#undef K
    [EG_NEXT_clock_gettime] = "clock_gettime",
    [EG_NEXT_fdopen] = "fdopen",
    [EG_NEXT_fflush] = "fflush",
    [EG_NEXT_fileno] = "fileno",
};

/* Rows of classes `file` and `net`, the trampoline's, and what opening a file asks. */
#define EARLY_file(function) EG_NEXT_##function,
#define EARLY_net(function)  EG_NEXT_##function,
#define EARLY_raw(function)  EG_NEXT_##function,
#define EARLY_exec(function)
#define EARLY_spawn(function)
#define EARLY_shell(function)
#define EARLY_env(function)
#define EARLY_load(function)
#define EARLY_conv(function)
static const uint8_t early[] = {
#define K(function, class, parameters, why) EARLY_##class(function)
#include "table/hooks.def"
#undef K
    EG_NEXT_clock_gettime,
};
#define EARLY_COUNT (sizeof(early) / sizeof(early[0]))
_Static_assert(EG_NEXT_COUNT <= UINT8_MAX, "an index fits into a byte");

static eg_function find(const struct symbols *symbols, const char *name, uint32_t hash)
{
    return symbols->gnu ? find_gnu(symbols, name, hash) : find_sysv(symbols, name);
}

/* Those that may be called in a signal handler or a vfork child, where nobody can
 * look for them; and those that every program calls. */
static int find_all(const struct symbols *symbols, const uint32_t hashes[EARLY_COUNT])
{
    for (size_t i = 0; i < EARLY_COUNT; i++) {
        eg_function *at = &eg_next_found[early[i]];
        if (!*at) *at = find(symbols, names[early[i]], hashes[i]);
    }
    return 0;
}

struct walk {
    const char *wanted;
    bool behind; /* ours has been passed */
    eg_function found;
    struct eg_objects *objects; /* start-up only */
    const uint32_t *hashes;     /* of `early` */
    bool first;
};

static int visit(struct loaded *object, size_t size, void *data)
{
    struct walk *walk = data;
    (void)size;
    if (walk->objects && walk->first) {
        walk->first = false;
        for (uint16_t i = 0; i < object->count; i++)
            if (object->headers[i].p_type == PT_INTERP)
                walk->objects->interpreter =
                    (const char *)(object->base + object->headers[i].p_vaddr);
    }
    if (is_ours(object)) {
        walk->behind = true;
        if (walk->objects) walk->objects->own = object->name;
        return 0;
    }
    struct symbols symbols;
    if (!walk->behind || !symbols_of(object, &symbols)) return 0;
    if (walk->objects) return find_all(&symbols, walk->hashes);
    walk->found = find(&symbols, walk->wanted, hash_gnu(walk->wanted));
    return walk->found != NULL;
}

/* ---- finding them ---- */

eg_function eg_next_syscall;
/* Each is written with the same value by whoever comes first. */
eg_function eg_next_found[EG_NEXT_COUNT];

eg_function eg_next_find(enum eg_next which)
{
    eg_function f = __atomic_load_n(&eg_next_found[which], __ATOMIC_RELAXED);
    if (f || !dl_iterate_phdr) return f;
    struct walk walk = { .wanted = names[which] };
    dl_iterate_phdr(visit, &walk);
    __atomic_store_n(&eg_next_found[which], walk.found, __ATOMIC_RELAXED);
    return walk.found;
}

void eg_next_start(struct eg_objects *ret)
{
    *ret = (struct eg_objects){ 0 };
    uint32_t hashes[EARLY_COUNT];
    for (size_t i = 0; i < EARLY_COUNT; i++) hashes[i] = hash_gnu(names[early[i]]);
    struct walk walk = { .objects = ret, .hashes = hashes, .first = true };
    if (dl_iterate_phdr) dl_iterate_phdr(visit, &walk);
    __atomic_store_n(&eg_next_syscall, eg_next_found[EG_NEXT_syscall], __ATOMIC_RELAXED);
}
