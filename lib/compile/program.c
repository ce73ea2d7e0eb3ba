// SPDX-License-Identifier: MIT
/* Program files: ELF headers, #! lines, owners. */
#include "compile/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolve/resolve.h"

#if defined(__x86_64__)
#define NATIVE_MACHINE EM_X86_64
#else
#define NATIVE_MACHINE EM_AARCH64
#endif

/* The kernel takes at most 64 KiB of program headers (fs/binfmt_elf.c). */
#define PROGRAM_HEADERS_MAX 65536u

/* 0, or -errno: -ENOEXEC where the file ends before. */
static int read_at(int fd, void *buffer, size_t n, uint64_t offset)
{
    for (size_t have = 0; have < n;) {
        ssize_t r = pread(fd, (char *)buffer + have, n - have, (off_t)(offset + have));
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) return r < 0 ? -errno : -ENOEXEC;
        have += (size_t)r;
    }
    return 0;
}

/* PT_INTERP's place in a table of program headers of either class. */
static bool find_interp(const unsigned char *table, size_t count, bool wide, uint64_t *ret_offset,
                        uint64_t *ret_size)
{
    for (size_t i = 0; i < count; i++) {
        if (wide) {
            Elf64_Phdr header;
            memcpy(&header, table + i * sizeof(header), sizeof(header));
            *ret_offset = header.p_offset;
            *ret_size = header.p_filesz;
            if (header.p_type == PT_INTERP) return true;
        } else {
            Elf32_Phdr header;
            memcpy(&header, table + i * sizeof(header), sizeof(header));
            *ret_offset = header.p_offset;
            *ret_size = header.p_filesz;
            if (header.p_type == PT_INTERP) return true;
        }
    }
    return false;
}

static int read_interp(int fd, uint64_t offset, uint64_t size, struct eg_program_file *ret)
{
    if (size < 2 || size > PATH_MAX || offset > INT64_MAX - size) return -ENOEXEC;
    char *text = malloc(size);
    if (!text) return -ENOMEM;
    int r = read_at(fd, text, size, offset);
    if (r == 0 && text[size - 1] != '\0') r = -ENOEXEC;
    if (r < 0) {
        free(text);
        return r;
    }
    ret->interpreter = text;
    ret->kind = EG_KIND_DYNAMIC;
    return 0;
}

static int inspect_elf(int fd, struct eg_program_file *ret)
{
    union {
        unsigned char ident[EI_NIDENT];
        Elf64_Ehdr wide;
        Elf32_Ehdr narrow;
    } header = { { 0 } };
    ret->kind = EG_KIND_STATIC;
    int r = read_at(fd, &header, sizeof(header.narrow), 0);
    bool wide = header.ident[EI_CLASS] == ELFCLASS64;
    if (r == 0 && wide) r = read_at(fd, &header, sizeof(header.wide), 0);
    if (r < 0) return r;
    ret->foreign = !wide || header.wide.e_machine != NATIVE_MACHINE;
    size_t entry = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    size_t count = wide ? header.wide.e_phnum : header.narrow.e_phnum;
    size_t stated = wide ? header.wide.e_phentsize : header.narrow.e_phentsize;
    uint64_t table_at = wide ? header.wide.e_phoff : header.narrow.e_phoff;
    if (stated != entry || count == 0 || count * entry > PROGRAM_HEADERS_MAX ||
        table_at > INT64_MAX - PROGRAM_HEADERS_MAX)
        return -ENOEXEC;
    unsigned char *table = malloc(count * entry);
    if (!table) return -ENOMEM;
    uint64_t offset = 0;
    uint64_t size = 0;
    r = read_at(fd, table, count * entry, table_at);
    if (r == 0 && find_interp(table, count, wide, &offset, &size))
        r = read_interp(fd, offset, size, ret);
    free(table);
    return r;
}

static int inspect_contents(int fd, struct eg_program_file *ret)
{
    char magic[SELFMAG] = { 0 };
    ret->kind = EG_KIND_OTHER;
    int r = read_at(fd, magic, sizeof(magic), 0);
    if (r < 0 && r != -ENOEXEC) return r;
    if (r == 0 && memcmp(magic, ELFMAG, SELFMAG) == 0) return inspect_elf(fd, ret);
    char line[256];
    struct eg_str interpreter;
    struct eg_str argument;
    r = eg_resolve_shebang(fd, line, &interpreter, &argument);
    if (r <= 0) return r;
    ret->kind = EG_KIND_SCRIPT;
    ret->interpreter = strndup(interpreter.p, interpreter.n);
    ret->argument = argument.n ? strndup(argument.p, argument.n) : NULL;
    return ret->interpreter && (ret->argument || !argument.n) ? 0 : -ENOMEM;
}

/* The canonical path is opened without following links, and what was opened is
 * what the identity is of. */
static int inspect(struct eg_program_file *ret)
{
    struct stat st;
    if (lstat(ret->path, &st) < 0) return -errno;
    if (S_ISDIR(st.st_mode)) return -EISDIR;
    /* before opening: opening a device may do something */
    if (!S_ISREG(st.st_mode)) return -EINVAL;
    if (!(st.st_mode & 0111)) return -EPERM;
    int fd = open(ret->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && !S_ISREG(st.st_mode)) r = -EINVAL;
    if (r == 0) r = eg_resolve_identity(fd, &ret->id);
    if (r == 0) {
        ret->uid = st.st_uid;
        ret->gid = st.st_gid;
        r = inspect_contents(fd, ret);
    }
    close(fd);
    return r;
}

int eg_program_inspect(const char *path, struct eg_program_file *ret)
{
    struct eg_program_file file = { .path = realpath(path, NULL) };
    if (!file.path) return -errno;
    int r = inspect(&file);
    if (r < 0)
        eg_program_file_done(&file);
    else
        *ret = file;
    return r;
}

void eg_program_file_done(struct eg_program_file *file)
{
    free(file->path);
    free(file->interpreter);
    free(file->argument);
    *file = (struct eg_program_file){ 0 };
}

/* Split at blanks; false when there are too many words or one needs env's own
 * quoting rules. */
static bool split_words(struct eg_str text, struct eg_env_line *ret)
{
    for (size_t i = 0; i < text.n; i++)
        if (strchr("\\\"'$#", text.p[i])) return false;
    for (size_t at = 0; at < text.n;) {
        size_t end = at;
        while (end < text.n && text.p[end] != ' ' && text.p[end] != '\t') end++;
        if (end > at) {
            if (ret->count == EG_ENV_WORDS_MAX) return false;
            ret->words[ret->count++] = (struct eg_str){ text.p + at, end - at };
        }
        at = end + 1;
    }
    return true;
}

static int find_command(struct eg_str name, char **ret_path)
{
    char spelled[EG_PATH_MAX];
    char memory[EG_PATH_MAX];
    struct eg_target target;
    const char *search = getenv("PATH");
    if (!search) search = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    if (eg_resolve_search(eg_str(search), name, spelled, memory, &target) < 0 || !target.found)
        return 0;
    if (spelled[0] != '/') return 0; /* depends on the worker's folder */
    *ret_path = strdup(spelled);
    return *ret_path ? 0 : -ENOMEM;
}

int eg_program_env_line(const struct eg_program_file *file, struct eg_env_line *ret)
{
    if (file->kind != EG_KIND_SCRIPT || !file->interpreter || !file->argument) return 0;
    if (!eg_str_equal(eg_str_basename(eg_str(file->interpreter)), EG_STR("env"))) return 0;
    struct eg_str argument = eg_str(file->argument);
    struct eg_env_line line = { 0 };
    bool split = true;
    if (eg_str_starts(argument, EG_STR("-S")))
        split = split_words(eg_str_skip(argument, 2), &line);
    else if (eg_str_starts(argument, EG_STR("--split-string=")))
        split = split_words(eg_str_skip(argument, sizeof("--split-string=") - 1), &line);
    else
        line.words[line.count++] = argument;
    /* options of env itself, and variables for the interpreter */
    if (!split || line.count == 0 || line.words[0].p[0] == '-' ||
        eg_str_find(line.words[0], '=') < line.words[0].n)
        return -EINVAL;
    int r = find_command(line.words[0], &line.path);
    if (r < 0) return r;
    *ret = line;
    return 1;
}

/* Is the group one that holds nobody but root and, unprivileged, ourselves? */
static bool harmless_group(const struct stat *st, uid_t guard_uid)
{
    return st->st_gid == 0 ||
           (guard_uid != 0 && st->st_uid == guard_uid && st->st_gid == getegid());
}

static enum eg_writable judge(const struct stat *st, uid_t guard_uid, bool nearest)
{
    /* A sticky folder far above: nobody but owners moves what lies in it. */
    bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) && !nearest;
    if ((st->st_mode & S_IWOTH) && !sticky) return EG_WRITABLE_OTHERS;
    if ((st->st_mode & S_IWGRP) && !sticky && !harmless_group(st, guard_uid))
        return EG_WRITABLE_GROUP;
    if (st->st_uid == 0) return EG_WRITABLE_NO;
    return st->st_uid == guard_uid ? EG_WRITABLE_OURSELVES : EG_WRITABLE_OWNER;
}

enum eg_writable eg_program_writable(const struct eg_program_file *file, uid_t guard_uid,
                                     char **ret_path, uid_t *ret_owner)
{
    enum eg_writable worst = EG_WRITABLE_NO;
    char *path = strdup(file->path);
    for (unsigned above = 0; path; above++) {
        struct stat st;
        enum eg_writable now = EG_WRITABLE_NO;
        if (lstat(path, &st) == 0) now = judge(&st, guard_uid, above <= 1);
        if (now > worst) {
            worst = now;
            free(*ret_path);
            *ret_path = strdup(path);
            *ret_owner = st.st_uid;
        }
        char *slash = strrchr(path, '/');
        if (!slash || path[1] == '\0') break;
        slash[slash == path ? 1 : 0] = '\0';
    }
    free(path);
    return worst;
}
