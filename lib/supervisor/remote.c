// SPDX-License-Identifier: MIT
/* Purpose: read argv, envp and paths out of another process, in few system
 * calls: a worker's exec waits for each of them. */
#include "supervisor/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096u

/* openat(2) throughout: musl's open() asks for close-on-exec in a second call. */

static void free_room(struct eg_vector *v)
{
    free(v->pointers);
    free(v->span);
    v->pointers = NULL;
    v->span = NULL;
    v->pointer_capacity = v->span_capacity = 0;
}

/* What an unusual exec needed is not kept. */
static void trim_room(struct eg_vector *v)
{
    if (v->pointer_capacity * sizeof v->pointers[0] + v->span_capacity > (128u << 10)) free_room(v);
}

void eg_vector_free(struct eg_vector *vector)
{
    free_room(vector);
    free(vector->bytes);
    free(vector->items);
    memset(vector, 0, sizeof *vector);
}

void eg_vector_digest(const struct eg_vector *vector, size_t skip,
                      unsigned char ret[EG_DIGEST_SIZE])
{
    /* they lie one after the other */
    const char *from = skip < vector->count ? vector->items[skip] : vector->bytes + vector->size;
    size_t n = vector->bytes ? (size_t)(vector->bytes + vector->size - from) : 0;
    eg_digest(n ? from : "", n, ret);
}

static int reserve_bytes(struct eg_vector *v, size_t size)
{
    if (size > EG_VECTOR_BYTES_MAX) return -E2BIG;
    if (size <= v->capacity) return 0;
    size_t capacity = v->capacity ? v->capacity : 16384;
    while (capacity < size) capacity *= 2;
    char *bytes = realloc(v->bytes, capacity);
    if (!bytes) return -ENOMEM;
    v->bytes = bytes;
    v->capacity = capacity;
    return 0;
}

static int reserve_items(struct eg_vector *v, size_t count)
{
    if (count > EG_VECTOR_COUNT_MAX) return -E2BIG;
    if (count + 1 <= v->item_capacity) return 0;
    size_t capacity = v->item_capacity ? v->item_capacity : 256;
    while (capacity < count + 1) capacity *= 2;
    const char **items = reallocarray(v->items, capacity, sizeof *items);
    if (!items) return -ENOMEM;
    v->items = items;
    v->item_capacity = capacity;
    return 0;
}

/* Read up to n bytes; a range that ends in unmapped memory gives what lies
 * before.  Bytes read (> 0) or -errno. */
static ssize_t read_memory(pid_t tid, uint64_t address, void *to, size_t n)
{
    struct iovec local = { to, n };
    struct iovec remote[2] = { { (void *)(uintptr_t)address, n }, { NULL, 0 } };
    ssize_t got = process_vm_readv(tid, &local, 1, remote, 1, 0);
    if (got > 0) return got;
    if (got < 0 && errno != EFAULT) return -errno;
    /* process_vm_readv(2): a partial transfer splits at iovec elements, so try
     * what is left of the first page alone */
    size_t first = PAGE - address % PAGE;
    if (first >= n) return -EFAULT;
    remote[0].iov_len = first;
    got = process_vm_readv(tid, &local, 1, remote, 1, 0);
    if (got > 0) return got;
    return got < 0 && errno != EFAULT ? -errno : -EFAULT;
}

int eg_remote_path(pid_t tid, uint64_t address, char ret[EG_PATH_MAX])
{
    size_t have = 0;
    while (have < EG_PATH_MAX) {
        /* to the end of the page: most paths then take one call */
        size_t want = PAGE - (address + have) % PAGE;
        if (want > EG_PATH_MAX - have) want = EG_PATH_MAX - have;
        ssize_t got = read_memory(tid, address + have, ret + have, want);
        if (got < 0) return (int)got;
        if (memchr(ret + have, '\0', (size_t)got)) return 0;
        have += (size_t)got;
    }
    return -ENAMETOOLONG;
}

/* The pointers of a NULL-terminated array, as a growing local copy. */
static int read_pointers(pid_t tid, uint64_t address, struct eg_vector *v, size_t *ret_count)
{
    size_t count = 0;
    for (;;) {
        size_t room = (PAGE - (address + 8 * count) % PAGE) / 8;
        if (room == 0) room = 1; /* a pointer that crosses a page */
        if (count + room > v->pointer_capacity) {
            size_t capacity = 2 * v->pointer_capacity + 512 + room;
            uint64_t *more = reallocarray(v->pointers, capacity, sizeof *more);
            if (!more) return -ENOMEM;
            v->pointers = more;
            v->pointer_capacity = capacity;
        }
        ssize_t got = read_memory(tid, address + 8 * count, v->pointers + count, 8 * room);
        if (got < 8) return got < 0 ? (int)got : -EFAULT;
        for (size_t end = count + (size_t)got / 8; count < end; count++)
            if (v->pointers[count] == 0) {
                *ret_count = count;
                return 0;
            }
        if (count > EG_VECTOR_COUNT_MAX) return -E2BIG;
    }
}

/* Strings mostly lie side by side (on the stack, in one heap page): one read of
 * the span that holds them all serves nearly every exec. */
#define SPAN_MAX (256u << 10)

static int append_string(struct eg_vector *v, pid_t tid, uint64_t address)
{
    for (size_t start = v->size;;) {
        size_t have = v->size - start;
        size_t want = PAGE - (address + have) % PAGE;
        int error = reserve_bytes(v, v->size + want);
        if (error) return error;
        ssize_t got = read_memory(tid, address + have, v->bytes + v->size, want);
        if (got < 0) return (int)got;
        char *end = memchr(v->bytes + v->size, '\0', (size_t)got);
        if (end) {
            v->size = (size_t)(end - v->bytes) + 1;
            return 0;
        }
        v->size += (size_t)got;
    }
}

static char *span_of(struct eg_vector *v, size_t size)
{
    if (size <= v->span_capacity) return v->span;
    char *span = realloc(v->span, size);
    if (!span) return NULL;
    v->span = span;
    v->span_capacity = size;
    return span;
}

static int copy_strings(struct eg_vector *v, pid_t tid, size_t count)
{
    const uint64_t *pointers = v->pointers;
    uint64_t low = UINT64_MAX, high = 0;
    for (size_t i = 0; i < count; i++) {
        if (pointers[i] < low) low = pointers[i];
        if (pointers[i] > high) high = pointers[i];
    }
    char *span = NULL;
    size_t span_size = 0;
    if (count > 1 && high - low < SPAN_MAX) {
        /* a little further, for the last string */
        size_t want = (size_t)(high - low) + 256;
        span = span_of(v, want);
        if (!span) return -ENOMEM;
        ssize_t got = read_memory(tid, low, span, want);
        span_size = got > 0 ? (size_t)got : 0;
    }
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        size_t offset = span ? (size_t)(pointers[i] - low) : span_size;
        char *end = offset < span_size ? memchr(span + offset, '\0', span_size - offset) : NULL;
        if (end) {
            size_t n = (size_t)(end - (span + offset)) + 1;
            error = reserve_bytes(v, v->size + n);
            if (!error) memcpy(v->bytes + v->size, span + offset, n);
            if (!error) v->size += n;
        } else {
            error = append_string(v, tid, pointers[i]);
        }
    }
    return error;
}

static int index_strings(struct eg_vector *v, size_t count)
{
    int error = reserve_items(v, count);
    if (error) return error;
    v->count = 0;
    for (size_t at = 0; at < v->size && v->count < count;) {
        v->items[v->count++] = v->bytes + at;
        at += strlen(v->bytes + at) + 1;
    }
    v->items[v->count] = NULL;
    return v->count == count ? 0 : -EFAULT;
}

int eg_vector_copy(struct eg_vector *ret, const char *const *strings)
{
    size_t count = 0;
    ret->size = ret->count = 0;
    for (; strings[count]; count++) {
        size_t n = strlen(strings[count]) + 1;
        int error = reserve_bytes(ret, ret->size + n);
        if (error) return error;
        memcpy(ret->bytes + ret->size, strings[count], n);
        ret->size += n;
    }
    return index_strings(ret, count);
}

int eg_remote_vector(pid_t tid, uint64_t address, struct eg_vector *ret)
{
    size_t count = 0;
    ret->size = ret->count = 0;
    int error = address ? read_pointers(tid, address, ret, &count) : 0;
    if (!error) error = copy_strings(ret, tid, count);
    trim_room(ret);
    return error ? error : index_strings(ret, count);
}

int eg_remote_proc_vector(pid_t tid, const char *file, struct eg_vector *ret)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)tid, file);
    int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ret->size = ret->count = 0;
    int error = 0;
    for (;;) {
        error = reserve_bytes(ret, ret->size + PAGE);
        if (error) break;
        ssize_t got = read(fd, ret->bytes + ret->size, ret->capacity - ret->size);
        if (got < 0) error = -errno;
        if (got <= 0) break;
        ret->size += (size_t)got;
    }
    close(fd);
    if (error) return error;
    size_t count = 0;
    for (size_t i = 0; i < ret->size; i++) count += ret->bytes[i] == '\0';
    /* the kernel always ends the block with NUL; anything else is not what it kept */
    if (ret->size && ret->bytes[ret->size - 1]) return -EFAULT;
    return index_strings(ret, count);
}

static void read_status(pid_t tid, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
    int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0) close(fd);
}

static long status_number(const char *text, const char *field)
{
    const char *at = strstr(text, field);
    return at ? strtol(at + strlen(field), NULL, 10) : -1;
}

static int open_leader(pid_t pid, struct eg_process *ret)
{
    struct stat st;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) return -errno;
    *ret = (struct eg_process){ .tgid = pid };
    if (fstat(fd, &st) == 0) ret->unique = st.st_ino;
    close(fd);
    return 0;
}

int eg_remote_process(pid_t tid, struct eg_process *ret)
{
    /* pidfd_open(2) takes only a thread group's leader: cheaper than reading
     * /proc for what is nearly always so */
    if (open_leader(tid, ret) == 0) return 0;
    char text[1024];
    read_status(tid, text, sizeof text);
    long tgid = status_number(text, "\nTgid:");
    return tgid > 0 ? open_leader((pid_t)tgid, ret) : -ESRCH;
}

pid_t eg_remote_tgid(pid_t tid)
{
    struct eg_process process = { 0 };
    int error = eg_remote_process(tid, &process);
    return error ? error : process.tgid;
}

void eg_remote_who(pid_t tid, pid_t *ret_ppid, uid_t *ret_uid)
{
    char text[1024];
    read_status(tid, text, sizeof text);
    long ppid = status_number(text, "\nPPid:");
    long uid = status_number(text, "\nUid:");
    *ret_ppid = ppid > 0 ? (pid_t)ppid : 0;
    *ret_uid = uid > 0 ? (uid_t)uid : 0;
}

bool eg_remote_user(pid_t tid, uint32_t *ret_uid)
{
    char text[1024];
    read_status(tid, text, sizeof text);
    long uid = status_number(text, "\nUid:");
    if (uid < 0) return false;
    *ret_uid = (uint32_t)uid;
    return true;
}

struct eg_str eg_remote_cwd(pid_t tid, char buf[EG_PATH_MAX])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)tid);
    ssize_t n = readlink(path, buf, EG_PATH_MAX);
    if (n <= 0 || n >= (ssize_t)EG_PATH_MAX || buf[0] != '/') return (struct eg_str){ NULL, 0 };
    return (struct eg_str){ buf, (size_t)n };
}

int eg_remote_exe(pid_t tid, char pathbuf[EG_PATH_MAX], struct eg_target *ret)
{
    char path[64];
    int error;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)tid);
    return eg_resolve_file(AT_FDCWD, path, 0, pathbuf, ret, &error);
}
