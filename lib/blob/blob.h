// SPDX-License-Identifier: MIT
/* The compiled policy: one position-independent piece of memory.
 *
 * Written once by compile/, verified once by eg_blob_verify, then only read.
 * Every offset counts bytes from the start of the blob; every string lives in
 * the strings section and ends in NUL.  After eg_blob_verify returned 0, each
 * index and offset stored anywhere in the blob is in bounds, each string is
 * terminated and each node chain ends, so readers need no further checks.
 * Native byte order and architecture: a blob belongs to one kind of machine.
 */
#ifndef EG_BLOB_BLOB_H
#define EG_BLOB_BLOB_H

#include "base/str.h"

#define EG_BLOB_MAGIC   "execgrd" /* 8 bytes with its NUL */
#define EG_BLOB_VERSION 4u
#define EG_BLOB_MAX     (64u << 20) /* larger files are refused unread */
#define EG_NONE         UINT32_MAX  /* "no index" in any u32 index field */

enum eg_blob_flag {
    EG_BLOB_LOG_MODE = 1u << 0,      /* mode log: observe, refuse nothing */
    EG_BLOB_NO_NEW_PRIVS = 1u << 1,  /* set no_new_privs (off by `no-new-privs no`) */
    EG_BLOB_WORKER_REEXEC = 1u << 2, /* exec { worker reexec } */
    EG_BLOB_WRITE_FREE = 1u << 3,    /* no write block: all but /proc, /sys, devices, guard files */
    EG_BLOB_LIMIT_CAPS = 1u << 4,    /* a capabilities block: keep only `capabilities` */
    EG_BLOB_EXEC_NOTHING = 1u << 5,  /* the exec set is empty: the filter refuses execve too */
    EG_BLOB_LOG_STDERR = 1u << 6,    /* log { stderr } */
    EG_BLOB_ALLOW_MEMFD_EXEC = 1u << 7, /* kernel { allow memfd-exec } */
    EG_BLOB_SHELL_REWRITE =
        1u << 8,                /* exec { shell rewrite }: simple lines run without the shell */
    EG_BLOB_PIPELINE = 1u << 9, /* exec { pipeline allow } */
    /* enforced, and nobody can change user namespaces (kernel {} allows none of it) */
    EG_BLOB_KEEPS_NAMESPACES = 1u << 10,
    EG_BLOB_REQUEST_OFF = 1u << 11, /* log { request off } */
    EG_BLOB_LIST = 1u << 12,        /* exec { list allow } */
};

/* Layers; bits in `optional_layers`, and what an event's `layer` names. */
enum eg_layer {
    EG_LAYER_NONE = 0,
    EG_LAYER_SHIM,
    EG_LAYER_FILTER,
    EG_LAYER_DOMAIN,
    EG_LAYER_CAPABILITIES,
    EG_LAYER_SUPERVISOR,
    EG_LAYER_COUNT,
    EG_LAYER_WATCH = EG_LAYER_COUNT /* `watch': in events only, nothing is attached */
};

enum eg_section {
    EG_SECTION_STRINGS = 0,   /* char[] */
    EG_SECTION_PROGRAMS,      /* struct eg_blob_program[] */
    EG_SECTION_RULES,         /* struct eg_blob_rule[], in the policy's order */
    EG_SECTION_FROMS,         /* uint32_t[]: program indices, referenced by rules */
    EG_SECTION_NODES,         /* struct eg_blob_node[]: argument automata */
    EG_SECTION_WORDS,         /* struct eg_blob_word[] */
    EG_SECTION_PIECES,        /* struct eg_blob_piece[] */
    EG_SECTION_ENV,           /* struct eg_blob_env[]: the policy's own drop/keep, in order */
    EG_SECTION_EXEC_SET,      /* uint32_t[]: programs (and interpreters) Landlock lets run */
    EG_SECTION_GUARD_FILES,   /* uint32_t[]: strings; canonical paths no worker may write */
    EG_SECTION_SINKS,         /* struct eg_blob_sink[] */
    EG_SECTION_DEPENDENCIES,  /* struct eg_blob_dependency[]: stale when one differs */
    EG_SECTION_WRITE_TREES,   /* struct eg_blob_tree[]: used when WRITE_FREE is not set */
    EG_SECTION_UPLOADS,       /* struct eg_blob_upload[]: only when WRITE_FREE is not set */
    EG_SECTION_UPLOAD_NAMES,  /* struct eg_blob_name[]: referenced by uploads */
    EG_SECTION_USERS,         /* uint32_t[]: user numbers, referenced by rules */
    EG_SECTION_FILTER_LAUNCH, /* struct sock_filter[]: hardening; execve still passes */
    EG_SECTION_FILTER_FINAL,  /* struct sock_filter[]: as above, execve refused if EXEC_NOTHING */
    EG_SECTION_FILTER_SUPERVISED, /* struct sock_filter[]: hardening + notifications */
    EG_SECTION_COUNT
};
/* Sections lie in the blob in this order, so that what the id covers (every
 * section before this one, with its range) does not depend on the filters, which
 * embed the id. */
#define EG_SECTION_FIRST_FILTER EG_SECTION_FILTER_LAUNCH

struct eg_blob_range {
    uint32_t offset; /* bytes from the start of the blob, multiple of 8 */
    uint32_t count;  /* elements */
};

struct eg_blob {
    char magic[8];
    uint32_t version;
    uint32_t size;            /* of the whole blob */
    uint64_t checksum;        /* FNV-1a over 64-bit words, this field zero; see blob.c */
    uint32_t id[4];           /* SHA-256/128 of header fields below and all non-filter sections */
    uint32_t flags;           /* enum eg_blob_flag */
    uint32_t optional_layers; /* bit (1 << enum eg_layer) */
    uint64_t capabilities;    /* kept capabilities, bit by number, when LIMIT_CAPS */
    uint32_t name;            /* string: the policy's name, for events */
    uint32_t arch;            /* AUDIT_ARCH_* of the filters */
    uint32_t rate_per_second; /* event token bucket */
    uint32_t rate_burst;
    uint32_t agent; /* string: the socket that `exec` hands its listener to; 0: none */
    uint32_t reserved;
    struct eg_blob_range sections[EG_SECTION_COUNT];
};

/* What a file is, as statx(2) saw it.  mode 0: the file was not there. */
struct eg_identity {
    uint64_t dev; /* stx_dev_major << 32 | stx_dev_minor */
    uint64_t ino;
    uint64_t size;
    int64_t mtime_s;
    uint32_t mtime_ns;
    uint32_t mode; /* stx_mode */
};

enum eg_program_flag {
    EG_PROGRAM_MISSING = 1u << 0,   /* `optional`, and not there when compiled */
    EG_PROGRAM_SHELL = 1u << 1,     /* a known shell, or a multi-call binary under a shell's name */
    EG_PROGRAM_MULTICALL = 1u << 2, /* busybox, coreutils: argv[0] chooses */
    EG_PROGRAM_SCRIPT = 1u << 3,    /* starts with #! */
    EG_PROGRAM_INTERPRETER = 1u << 4, /* named by no rule, needed by one */
    EG_PROGRAM_STATIC = 1u << 5,      /* ELF without PT_INTERP: the shim never enters it */
    EG_PROGRAM_RUNNER = 1u << 6,      /* execguard-line: runs command lines in a shell's place */
};

struct eg_blob_program {
    struct eg_identity id;
    uint32_t path;        /* string: canonical path */
    uint32_t spelled;     /* string: as the policy wrote it */
    uint32_t name;        /* string: base name of spelled; argv[0]'s base name must equal it */
    uint32_t flags;       /* enum eg_program_flag */
    uint32_t interpreter; /* program index or EG_NONE */
    uint32_t reserved;
};

enum eg_verb { EG_VERB_DENY = 0, EG_VERB_ALLOW, EG_VERB_LOG, EG_VERB_SHELL_FROM };

struct eg_blob_rule {
    uint32_t verb;       /* enum eg_verb; SHELL_FROM: `shell allow from P`: program is EG_NONE */
    uint32_t program;    /* program index */
    uint32_t nodes;      /* first node of the argument automaton */
    uint32_t node_count; /* 0 only with SHELL_FROM */
    uint32_t from;       /* first index into FROMS */
    uint32_t from_count; /* 0: from anywhere */
    uint32_t user;       /* first index into USERS */
    uint32_t user_count; /* 0: for everybody */
    uint32_t file;       /* string: policy file */
    uint32_t line;       /* 1-based */
};

/* The automaton over argv[1..]: a rule's nodes, relative to rule.nodes; the
 * last node is END.  At most EG_NODES_MAX nodes a rule.  Jump targets may point
 * backwards only through REST (which stays in place). */
enum eg_node_op {
    EG_NODE_END = 0, /* accepts when no argument is left */
    EG_NODE_WORD,    /* consumes one argument that word a matches; goes to the next node */
    EG_NODE_SPLIT,   /* goes to a and to b (both relative to rule.nodes, both greater than self) */
    EG_NODE_JUMP,    /* goes to a (greater than self) */
    EG_NODE_REST,    /* accepts any further arguments */
};
#define EG_NODES_MAX 256u

struct eg_blob_node {
    uint32_t op;
    uint32_t a;
    uint32_t b;
};

struct eg_blob_word {
    uint32_t piece; /* first piece */
    uint32_t count; /* 0: the empty argument */
};

/* One argument's pattern: pieces side by side.  Compile guarantees that every
 * hole but the last is followed by a literal whose first byte cannot belong to
 * the hole, so that matching needs no backtracking. */
enum eg_piece_kind {
    EG_PIECE_LITERAL = 0,
    EG_PIECE_INT,   /* -?[0-9]{1,20} */
    EG_PIECE_WORD,  /* non-empty, no leading dash, no control characters */
    EG_PIECE_HOST,  /* DNS name, RFC 1123, or an IP address; never a leading dash.  A name that
                     * resolvers read as a number (127.1, 0x7f000001) is none. */
    EG_PIECE_IP,    /* IPv4 dotted quad or IPv6 (RFC 4291), no zone */
    EG_PIECE_EMAIL, /* addr-spec, RFC 5322 dot-atom @ DNS name; no leading dash, '|' or '/', no
                     * quoting, '$' or '`' */
    EG_PIECE_FILE,  /* a path, no leading dash, no control characters, no `..`; a relative one has
                     * no leading '@' or '|' and no ':' in its first component (msl:x); glob in
                     * text if any, matched on the absolute path without empty and `.` parts */
    EG_PIECE_DIR,   /* as FILE */
    EG_PIECE_VALUE, /* letters, digits, bytes above ASCII, blanks and `_.+-#`; no leading dash or
                     * dot: one value of an argument that holds several (a=1,b=2) */
    EG_PIECE_ANY,   /* any bytes */
};

struct eg_blob_piece {
    uint32_t kind;
    uint32_t text; /* string: the literal, or the glob of FILE and DIR (empty: none) */
};

struct eg_blob_env {
    uint32_t pattern; /* string: variable name, may end in '*' */
    uint32_t keep;    /* 1 keep, 0 drop */
};

enum eg_sink_kind {
    EG_SINK_FILE = 0,
    EG_SINK_STDERR,
    EG_SINK_SYSLOG,
    EG_SINK_JOURNAL,
    EG_SINK_SOCKET
};

struct eg_blob_sink {
    uint32_t kind;
    uint32_t target; /* string: path, facility, ... */
};

enum eg_dependency_kind {
    EG_DEPENDENCY_FILE = 0, /* a program, an interpreter, a folder that a `*` was looked up in */
    EG_DEPENDENCY_POLICY,   /* a policy text: who may write it is judged on every cache hit */
};
struct eg_blob_dependency {
    struct eg_identity id; /* mode 0: must still be missing */
    uint32_t path;
    uint32_t uid;  /* stx_uid */
    uint32_t gid;  /* stx_gid */
    uint32_t kind; /* enum eg_dependency_kind */
};

enum eg_tree_flag { EG_TREE_ALLOW = 1, EG_TREE_BUILD = 2, EG_TREE_LOG = 4 };
struct eg_blob_tree {
    uint32_t pattern; /* string */
    uint32_t flags;
    uint32_t file; /* string: policy file */
    uint32_t line; /* 1-based */
};

enum eg_upload_flag {
    EG_UPLOAD_DENY_EXECUTABLE = 1u << 0, /* deny executable */
    EG_UPLOAD_DENY_READ = 1u << 1,       /* some of its names have EG_NAME_READ */
};

/* An `uploads` block, one row for each tree it names. */
struct eg_blob_upload {
    uint32_t root;     /* string: glob of the tree's top, without a slash at its end */
    uint32_t flags;    /* enum eg_upload_flag */
    uint32_t contents; /* refused kinds, bit (1 << enum eg_content of content/content.h) */
    uint32_t names;    /* first index into UPLOAD_NAMES */
    uint32_t name_count;
    uint32_t quarantine;                    /* string: folder for what was refused, 0: none */
    uint32_t file;                          /* string: policy file */
    uint32_t line;                          /* 1-based, of the block */
    uint32_t content_line, executable_line; /* of these statements; 0: not there */
};

enum eg_name_use { EG_NAME_WRITE = 1u << 0, EG_NAME_READ = 1u << 1 };

/* A refused name of an upload tree. */
struct eg_blob_name {
    uint32_t glob; /* string; 0: the built-in set `scripts` */
    uint32_t uses; /* enum eg_name_use */
    uint32_t file; /* string: policy file */
    uint32_t line; /* 1-based */
};

/* Verify size bytes at memory (8-byte aligned).  0, or -EINVAL with *ret_why
 * (static text) set: magic, version, size, checksum, a bound, a string, a node. */
int eg_blob_verify(const void *memory, size_t size, const struct eg_blob **ret_blob,
                   const char **ret_why);

/* Does `id` name these contents?  Recomputes SHA-256; for blobs from places
 * that somebody else could write, vouched for by the kernel's filter. */
bool eg_blob_id_matches(const struct eg_blob *blob);

/* Compute the id / the checksum of a finished blob (compile/ stores them). */
void eg_blob_compute_id(const struct eg_blob *blob, uint32_t ret_id[4]);
uint64_t eg_blob_compute_checksum(const struct eg_blob *blob);

/* Element size of a section, in bytes. */
uint32_t eg_blob_element_size(enum eg_section section);

/* Start of a section; use the typed macro below. */
static inline const void *eg_blob_section(const struct eg_blob *blob, enum eg_section section)
{
    return (const char *)blob + blob->sections[section].offset;
}

static inline uint32_t eg_blob_count(const struct eg_blob *blob, enum eg_section section)
{
    return blob->sections[section].count;
}

/* NUL-terminated string at offset (relative to the strings section). */
static inline const char *eg_blob_cstr(const struct eg_blob *blob, uint32_t string)
{
    return (const char *)eg_blob_section(blob, EG_SECTION_STRINGS) + string;
}

static inline struct eg_str eg_blob_str(const struct eg_blob *blob, uint32_t string)
{
    return eg_str(eg_blob_cstr(blob, string));
}

#endif
