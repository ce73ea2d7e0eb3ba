// SPDX-License-Identifier: MIT
/* Compiled policies by hand, for tests. */
#include "blob_builder.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "guard/guard.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#else
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#endif

static void append(struct blob_builder *b, enum eg_section section, const void *data, size_t n)
{
    char *bytes = realloc(b->sections[section].bytes, b->sections[section].size + n);
    if (!bytes) abort();
    memcpy(bytes + b->sections[section].size, data, n);
    b->sections[section].bytes = bytes;
    b->sections[section].size += n;
}

uint32_t blob_builder_add(struct blob_builder *b, enum eg_section section, const void *element)
{
    uint32_t size = eg_blob_element_size(section);
    append(b, section, element, size);
    return (uint32_t)(b->sections[section].size / size) - 1;
}

uint32_t blob_builder_string(struct blob_builder *b, const char *text)
{
    uint32_t offset = (uint32_t)b->sections[EG_SECTION_STRINGS].size;
    append(b, EG_SECTION_STRINGS, text, strlen(text) + 1);
    return offset;
}

void blob_builder_init(struct blob_builder *b, uint32_t flags)
{
    const struct eg_blob_node any[2] = { { EG_NODE_REST, 0, 0 }, { EG_NODE_END, 0, 0 } };
    memset(b, 0, sizeof(*b));
    memcpy(b->header.magic, EG_BLOB_MAGIC, sizeof(b->header.magic));
    b->header.version = EG_BLOB_VERSION;
    b->header.arch = NATIVE_ARCH;
    b->header.flags = flags;
    b->header.rate_per_second = 20;
    b->header.rate_burst = 100;
    b->header.name = blob_builder_string(b, "test");
    b->any_arguments = blob_builder_add(b, EG_SECTION_NODES, &any[0]);
    blob_builder_add(b, EG_SECTION_NODES, &any[1]);
}

void blob_builder_done(struct blob_builder *b)
{
    for (size_t i = 0; i < EG_SECTION_COUNT; i++) free(b->sections[i].bytes);
    memset(b, 0, sizeof(*b));
}

struct eg_identity blob_builder_identity(const char *path)
{
    struct eg_identity id = { 0 };
    struct statx st;
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) < 0) return id;
    id.dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor;
    id.ino = st.stx_ino;
    id.size = st.stx_size;
    id.mtime_s = st.stx_mtime.tv_sec;
    id.mtime_ns = st.stx_mtime.tv_nsec;
    id.mode = st.stx_mode;
    return id;
}

uint32_t blob_builder_program(struct blob_builder *b, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct eg_blob_program program = { .id = blob_builder_identity(path), .interpreter = EG_NONE };
    program.path = blob_builder_string(b, path);
    program.spelled = program.path;
    program.name = blob_builder_string(b, slash ? slash + 1 : path);
    if (program.id.mode == 0) program.flags = EG_PROGRAM_MISSING;
    return blob_builder_add(b, EG_SECTION_PROGRAMS, &program);
}

uint32_t blob_builder_allow(struct blob_builder *b, const char *path)
{
    uint32_t program = blob_builder_program(b, path);
    const struct eg_blob_rule rule = {
        .verb = EG_VERB_ALLOW,
        .program = program,
        .nodes = b->any_arguments,
        .node_count = 2,
        .file = blob_builder_string(b, "test.policy"),
        .line = 1,
    };
    blob_builder_add(b, EG_SECTION_RULES, &rule);
    blob_builder_add(b, EG_SECTION_EXEC_SET, &program);
    return program;
}

void blob_builder_guard_file(struct blob_builder *b, const char *path)
{
    uint32_t string = blob_builder_string(b, path);
    blob_builder_add(b, EG_SECTION_GUARD_FILES, &string);
}

void blob_builder_write_tree(struct blob_builder *b, const char *pattern, uint32_t flags)
{
    const struct eg_blob_tree tree = { blob_builder_string(b, pattern), flags,
                                       blob_builder_string(b, "test.policy"), 1 };
    blob_builder_add(b, EG_SECTION_WRITE_TREES, &tree);
}

#define LOAD(field)          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ARGUMENT(n)          LOAD(args[n])
#define SAME(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define ANSWER(value)        BPF_STMT(BPF_RET | BPF_K, (value))

/* Every filter has this many instructions, whatever the id. */
#define FILTER_LENGTH 18u

static void make_filter(const struct eg_blob *blob, enum eg_section section,
                        struct sock_filter *ret)
{
    bool supervised = section == EG_SECTION_FILTER_SUPERVISED;
    uint32_t yes = SECCOMP_RET_ERRNO | (supervised ? EG_QUERY_SUPERVISED : EG_QUERY_YES);
    const struct sock_filter filter[FILTER_LENGTH] = {
        LOAD(arch),
        SAME(NATIVE_ARCH, 0, 13),
        LOAD(nr),
        SAME(SYS_prctl, 0, 11),
        ARGUMENT(0),
        SAME(EG_PRCTL_CALL, 10, 0),
        SAME(EG_PRCTL_QUERY, 0, 8),
        ARGUMENT(1),
        SAME(blob->id[0], 0, 6),
        ARGUMENT(2),
        SAME(blob->id[1], 0, 4),
        ARGUMENT(3),
        SAME(blob->id[2], 0, 2),
        ARGUMENT(4),
        SAME(blob->id[3], 2, 0),
        ANSWER(SECCOMP_RET_ALLOW),
        ANSWER(supervised ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW),
        ANSWER(yes),
    };
    memcpy(ret, filter, sizeof(filter));
}

static size_t align(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

struct eg_blob *blob_builder_finish(struct blob_builder *b)
{
    static const struct sock_filter blank[FILTER_LENGTH];
    enum eg_section s;
    for (s = EG_SECTION_FIRST_FILTER; s < EG_SECTION_COUNT && !b->no_filters; s++)
        append(b, s, blank, sizeof(blank));
    size_t size = align(sizeof(struct eg_blob));
    for (s = 0; s < EG_SECTION_COUNT; s++) size += align(b->sections[s].size);
    struct eg_blob *blob = calloc(1, size);
    if (!blob) abort();
    *blob = b->header;
    blob->size = (uint32_t)size;
    size_t at = align(sizeof(*blob));
    for (s = 0; s < EG_SECTION_COUNT; s++) {
        blob->sections[s].offset = (uint32_t)at;
        blob->sections[s].count = (uint32_t)(b->sections[s].size / eg_blob_element_size(s));
        if (b->sections[s].size)
            memcpy((char *)blob + at, b->sections[s].bytes, b->sections[s].size);
        at += align(b->sections[s].size);
    }
    eg_blob_compute_id(blob, blob->id);
    for (s = EG_SECTION_FIRST_FILTER; s < EG_SECTION_COUNT && !b->no_filters; s++)
        make_filter(blob, s, (struct sock_filter *)((char *)blob + blob->sections[s].offset));
    blob->checksum = eg_blob_compute_checksum(blob);
    return blob;
}

const char *blob_builder_loader(void)
{
    static char resolved[PATH_MAX];
#if defined(__x86_64__)
    return realpath("/lib64/ld-linux-x86-64.so.2", resolved);
#else
    return realpath("/lib/ld-linux-aarch64.so.1", resolved);
#endif
}
