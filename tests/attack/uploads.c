// SPDX-License-Identifier: MIT
/* Ways to plant something in an upload tree: uploads WAY UPLOADS OTHER evil|benign.
 *
 * Each way is of a class: it makes a NAME (x.php; its twin x.txt), sets a MODE (0755;
 * 0644), brings CONTENT (PHP; a text), or READS such content from the tree before
 * anybody has judged it.  Prints what is to be there afterwards: of what was read, a
 * copy outside of the tree.  `uploads --list` names the ways. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum class { NAME, MODE, CONTENT, READS };

static char path[4096];   /* what is to be there */
static char source[4096]; /* a file outside of the tree, of the wanted content and mode */
static char plain[4096];  /* a file in the tree that nobody minds */
static const char *text = "an ordinary text\n";
static mode_t mode = 0644;

static void put(const char *file)
{
    int fd = open(file, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    if (fd >= 0 && write(fd, text, strlen(text)) >= 0) close(fd);
}

/* The kernel's own entry: past every hook, syscall() included. */
static long raw(long nr, long a, long b, long c, long d, long e)
{
    long ret = -1;
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
                     : "memory", "cc");
    ret = x0;
#endif
    return ret;
}
#define P(pointer) ((long)(uintptr_t)(pointer))
#define AT         AT_FDCWD

#define NEW (O_CREAT | O_WRONLY)
struct how {
    uint64_t flags, mode, resolve;
};

static int open_dir(void)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    return open(folder, O_PATH | O_DIRECTORY);
}
static void by_openat(void)
{
    openat(open_dir(), strrchr(path, '/') + 1, NEW, 0644);
}
static void by_tmpfile(void)
{
    char folder[4096], link[64];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    int fd = open(folder, O_TMPFILE | O_WRONLY, 0644);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
        linkat(AT, link, AT, path, AT_SYMLINK_FOLLOW);
}
static void by_dangling_link(void)
{
    symlink(path, source);
    unlink(source);
    symlink(path, source);
    open(source, NEW, 0644);
}
static void by_bind(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
}
static void by_mkstemps(void)
{
    char template[4200];
    snprintf(template, sizeof template, "%s", path);
    char *dot = strrchr(template, '.');
    char suffix[16];
    snprintf(suffix, sizeof suffix, "%s", dot);
    snprintf(dot, 32, "XXXXXX%s", suffix);
    if (mkstemps(template, (int)strlen(suffix)) >= 0) snprintf(path, sizeof path, "%s", template);
}
static void by_openat2(void)
{
    struct how how = { NEW, 0644, 0 };
    /* as its users do where the call is missing */
    if (syscall(437, AT, path, &how, sizeof how) < 0 && errno == ENOSYS) open(path, NEW, 0644);
}
static void by_rename2(void)
{
    if (syscall(SYS_renameat2, AT, source, AT, path, 0) < 0) return;
}
static void by_exchange(void)
{
    char other[4200];
    snprintf(other, sizeof other, "%s.txt", path);
    put(other);
    syscall(SYS_renameat2, AT, source, AT, other, 2);
    snprintf(path, sizeof path, "%s", other);
}
static void by_fopen(void)
{
    FILE *file = fopen(path, "w");
    if (file) fputs(text, file);
    if (file) fclose(file);
}
static void by_freopen(void)
{
    FILE *file = freopen(path, "w", stdin);
    if (file) fputs(text, file);
    if (file) fclose(file);
}
static void by_write(int keep_open)
{
    int fd = open(path, NEW, 0644);
    if (fd >= 0 && write(fd, text, strlen(text)) >= 0 && !keep_open) close(fd);
}
static void by_map(void)
{
    int fd = open(path, O_CREAT | O_RDWR, 0644);
    if (fd < 0 || ftruncate(fd, (off_t)strlen(text)) < 0) return;
    char *p = mmap(NULL, strlen(text), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED) memcpy(p, text, strlen(text));
}
static void by_dup(void)
{
    int fd = open(path, NEW, 0644);
    int again = dup(fd);
    close(fd);
    if (again >= 0 && write(again, text, strlen(text)) >= 0) raw(SYS_close, again, 0, 0, 0, 0);
}
static void by_link_then_write(void)
{
    FILE *file = fopen(source, "w");
    if (file) fclose(file);
    if (link(source, path) < 0) rename(source, path);
    put(source);
}
static void by_folder(void)
{
    char folder[4096], inner[4200], into[4200];
    snprintf(folder, sizeof folder, "%s.d", source);
    mkdir(folder, 0755);
    snprintf(inner, sizeof inner, "%s/%s", folder, strrchr(path, '/') + 1);
    put(inner);
    snprintf(into, sizeof into, "%s", path);
    *strrchr(into, '/') = '\0';
    strcat(into, "/moved");
    rename(folder, into);
    /* the benign twin does as mv(1) does after EXDEV */
    if (mkdir(into, 0755) == 0) {
        snprintf(path, sizeof path, "%s/%s", into, strrchr(inner, '/') + 1);
        put(path);
    } else {
        snprintf(path, sizeof path, "%s/%s", into, strrchr(inner, '/') + 1);
    }
}
static void touch_plain(void)
{
    snprintf(path, sizeof path, "%s", plain);
}
static void by_chmod(void)
{
    touch_plain();
    chmod(path, mode);
}
static void by_fchmod(void)
{
    touch_plain();
    fchmod(open(path, O_RDONLY), mode);
}

/* A file without a name, made outside: its descriptor goes on to show that place. */
static void by_nameless_chmod(void)
{
    char folder[4096], held[64];
    snprintf(folder, sizeof folder, "%s", source);
    *strrchr(folder, '/') = '\0';
    int fd = open(folder, O_TMPFILE | O_WRONLY, 0644);
    snprintf(held, sizeof held, "/proc/self/fd/%d", fd);
    if (linkat(AT, held, AT, path, AT_SYMLINK_FOLLOW) < 0) {
        put(path);
        fd = open(path, O_RDONLY);
    }
    usleep(300000); /* a watcher has looked */
    fchmod(fd, mode);
}
/* A second name goes out, and the file stays. */
static void by_moved_out_chmod(void)
{
    char second[4200], out[4200];
    snprintf(second, sizeof second, "%s.2.txt", path);
    snprintf(out, sizeof out, "%s.2.txt", source);
    put(path);
    link(path, second);
    rename(second, out);
    usleep(300000); /* a watcher has looked */
    chmod(out, mode);
}
static void by_list(long (*set)(const char *list, size_t size))
{
    unsigned char x = (unsigned char)(mode & 1);
    const unsigned char list[] = { 2,   0,   0, 0, 1,     0,   6 | x, 0,   255, 255,
                                   255, 255, 4, 0, 4 | x, 0,   255,   255, 255, 255,
                                   32,  0,   4, 0, 255,   255, 255,   255 };
    touch_plain();
    set((const char *)list, sizeof list);
}
static long set_list(const char *list, size_t size)
{
    return setxattr(path, "system.posix_acl_access", list, size, 0);
}
static long set_list_raw(const char *list, size_t size)
{
    return raw(SYS_setxattr, P(path), P("system.posix_acl_access"), P(list), (long)size, 0);
}
/* A process that ends otherwise than by exit(3), or writes after who opened it. */
static void by_process(int how)
{
    int fd = open(path, NEW, 0644);
    pid_t child = fork();
    if (child == 0) {
        char *arguments[] = { "/bin/true", NULL };
        if (how == 0) usleep(50000);
        if (write(fd, text, strlen(text)) < 0) perror("write");
        if (how == 1) raise(SIGKILL);
        if (how == 2) execv(arguments[0], arguments);
        _exit(0);
    }
    if (how == 0) close(fd);
    waitpid(child, NULL, 0);
}

/* What a hole in a worker does: it includes by name what it has just written straight
 * into the tree, and what has not been judged since it is held open. */
static void by_reading(int (*read_open)(void))
{
    char bytes[256];
    int held = open(path, NEW, 0644);
    if (held < 0 || write(held, text, strlen(text)) < 0) return;
    int fd = read_open();
    /* from the start: nobody has read from it */
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    snprintf(path, sizeof path, "%s.read", source);
    int copy = n < 0 ? -1 : open(path, NEW, 0644);
    if (copy >= 0 && write(copy, bytes, (size_t)n) >= 0) close(copy);
}
static int descriptor_of(FILE *file)
{
    return file ? fileno(file) : -1;
}
static int read_open(void)
{
    return open(path, O_RDONLY);
}
static int read_for_both(void)
{
    return open(path, O_RDWR);
}
static int read_openat(void)
{
    return openat(open_dir(), strrchr(path, '/') + 1, O_RDONLY);
}
static int read_syscall(void)
{
    return (int)syscall(SYS_openat, AT, path, O_RDONLY, 0);
}
static int read_raw(void)
{
    return (int)raw(SYS_openat, AT, P(path), O_RDONLY, 0, 0);
}
static int read_fopen(void)
{
    return descriptor_of(fopen(path, "r"));
}
static int read_freopen(void)
{
    return descriptor_of(freopen(path, "r", stdin));
}
/* A name outside of the tree, as installations have them. */
static int read_link(void)
{
    char link[4200];
    snprintf(link, sizeof link, "%s.link", source);
    unlink(link); /* the twin's */
    return symlink(path, link) < 0 ? -1 : open(link, O_RDONLY);
}
static int read_held(void)
{
    char held[64];
    snprintf(held, sizeof held, "/proc/self/fd/%d", open(path, O_PATH));
    return open(held, O_RDONLY);
}
static int read_mapped(void)
{
    int fd = open(path, O_RDONLY);
    char *p = fd < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
    return p == MAP_FAILED || *p != *text ? -1 : fd;
}

#define WAYS(W)                                                                                    \
    W(open, NAME, open(path, NEW, 0644))                                                           \
    W(openat, NAME, by_openat())                                                                   \
    W(creat, NAME, creat(path, 0644))                                                              \
    W(fopen, NAME, by_fopen())                                                                     \
    W(freopen, NAME, by_freopen())                                                                 \
    W(mkstemps, NAME, by_mkstemps())                                                               \
    W(mknod, NAME, mknod(path, S_IFREG | 0644, 0))                                                 \
    W(mkfifo, NAME, mkfifo(path, 0644))                                                            \
    W(mkdir, NAME, mkdir(path, 0755))                                                              \
    W(rename, NAME, rename(source, path))                                                          \
    W(renameat2, NAME, by_rename2())                                                               \
    W(link, NAME, link(plain, path))                                                               \
    W(symlink, NAME, symlink("plain.txt", path))                                                   \
    W(tmpfile_link, NAME, by_tmpfile())                                                            \
    W(dangling_link, NAME, by_dangling_link())                                                     \
    W(bind, NAME, by_bind())                                                                       \
    W(moved_folder, NAME, by_folder())                                                             \
    W(syscall_open, NAME, syscall(SYS_openat, AT, path, NEW, 0644))                                \
    W(syscall_openat2, NAME, by_openat2())                                                         \
    W(syscall_rename, NAME, syscall(SYS_renameat, AT, source, AT, path))                           \
    W(raw_open, NAME, raw(SYS_openat, AT, P(path), NEW, 0644, 0))                                  \
    W(raw_mknod, NAME, raw(SYS_mknodat, AT, P(path), S_IFREG | 0644, 0, 0))                        \
    W(raw_mkdir, NAME, raw(SYS_mkdirat, AT, P(path), 0755, 0, 0))                                  \
    W(raw_rename, NAME, raw(SYS_renameat2, AT, P(source), AT, P(path), 0))                         \
    W(raw_link, NAME, raw(SYS_linkat, AT, P(plain), AT, P(path), 0))                               \
    W(raw_symlink, NAME, raw(SYS_symlinkat, P("plain.txt"), AT, P(path), 0, 0))                    \
    W(open_mode, MODE, open(path, NEW, mode))                                                      \
    W(creat_mode, MODE, creat(path, mode))                                                         \
    W(mknod_mode, MODE, mknod(path, S_IFREG | mode, 0))                                            \
    W(chmod, MODE, by_chmod())                                                                     \
    W(fchmod, MODE, by_fchmod())                                                                   \
    W(rename_mode, MODE, rename(source, path))                                                     \
    W(syscall_chmod, MODE, (touch_plain(), syscall(SYS_fchmodat, AT, path, mode)))                 \
    W(raw_chmod, MODE, (touch_plain(), raw(SYS_fchmodat, AT, P(path), mode, 0, 0)))                \
    W(raw_open_mode, MODE, raw(SYS_openat, AT, P(path), NEW, mode, 0))                             \
    W(write_close, CONTENT, by_write(0))                                                           \
    W(write_exit, CONTENT, by_write(1))                                                            \
    W(fopen_content, CONTENT, by_fopen())                                                          \
    W(rename_content, CONTENT, rename(source, path))                                               \
    W(exchange_content, CONTENT, by_exchange())                                                    \
    W(tmpfile_content, CONTENT, by_tmpfile())                                                      \
    W(link_then_write, CONTENT, by_link_then_write())                                              \
    W(dup_content, CONTENT, by_dup())                                                              \
    W(map_content, CONTENT, by_map())                                                              \
    W(child_content, CONTENT, by_process(0))                                                       \
    W(kill_content, CONTENT, by_process(1))                                                        \
    W(exec_content, CONTENT, by_process(2))                                                        \
    W(nameless_chmod, MODE, by_nameless_chmod())                                                   \
    W(moved_out_chmod, MODE, by_moved_out_chmod())                                                 \
    W(setfacl, MODE, by_list(set_list))                                                            \
    W(raw_setfacl, MODE, by_list(set_list_raw))                                                    \
    W(read_open, READS, by_reading(read_open))                                                     \
    W(read_for_both, READS, by_reading(read_for_both))                                             \
    W(read_openat, READS, by_reading(read_openat))                                                 \
    W(read_syscall, READS, by_reading(read_syscall))                                               \
    W(read_fopen, READS, by_reading(read_fopen))                                                   \
    W(read_freopen, READS, by_reading(read_freopen))                                               \
    W(read_link, READS, by_reading(read_link))                                                     \
    W(read_held, READS, by_reading(read_held))                                                     \
    W(read_mapped, READS, by_reading(read_mapped))                                                 \
    W(read_raw, READS, by_reading(read_raw))                                                       \
    W(raw_rename_content, CONTENT, raw(SYS_renameat2, AT, P(source), AT, P(path), 0))

#define W(name, class, call)                                                                       \
    static void way_##name(void)                                                                   \
    {                                                                                              \
        (void)(call);                                                                              \
    }
WAYS(W)
#undef W

static const struct {
    const char *name;
    enum class class;
    void (*go)(void);
} ways[] = {
#define W(name, class, call) { #name, class, way_##name },
    WAYS(W)
#undef W
};

static void aim(enum class class, char **argv)
{
    int evil = !strcmp(argv[4], "evil");
    snprintf(path, sizeof path, "%s/x.%s", argv[2], class == NAME && evil ? "php" : "txt");
    snprintf(source, sizeof source, "%s/source", argv[3]);
    snprintf(plain, sizeof plain, "%s/plain.txt", argv[2]);
    if (class == MODE && evil) mode = 0755;
    put(plain);
    if ((class == CONTENT || class == READS) && evil) text = "GIF89a <?php system($_GET[1]); ?>\n";
    put(source);
    chmod(source, mode);
}

int main(int argc, char **argv)
{
    umask(022);
    if (argc == 2 && !strcmp(argv[1], "--list")) {
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) puts(ways[i].name);
        return 0;
    }
    if (argc != 5) return 2;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(ways[i].name, argv[1])) continue;
        aim(ways[i].class, argv);
        ways[i].go();
        /* what is there when the process is gone, the test looks itself */
        printf("%s %s\n", path,
               ways[i].class == NAME   ? "name"
               : ways[i].class == MODE ? "mode"
                                       : "content");
        return 0;
    }
    return 2;
}
