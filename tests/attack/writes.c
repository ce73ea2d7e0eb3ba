// SPDX-License-Identifier: MIT
/* Purpose: ways to plant a name, a mode or a file in an upload tree, by raw system
 * calls, so that no shim has a say: linked statically by writes.test.
 *
 *     writes UPLOADS OUTSIDE             each way once: "WAY IN" or "WAY no"
 *     writes UPLOADS OUTSIDE race N      N tries of each race: "WAY HITS"
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

static const char *uploads, *outside;

static char *in(const char *folder, const char *name)
{
    static char paths[16][4096];
    static unsigned next;
    char *path = paths[next++ % 16];
    snprintf(path, 4096, "%s/%s", folder, name);
    return path;
}

static void put(const char *path, const char *text, mode_t mode)
{
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
    if (fd < 0) return;
    if (write((int)fd, text, strlen(text)) < 0) perror("write");
    close((int)fd);
}

static int exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void clean(const char *path)
{
    chmod(path, 0600);
    if (unlink(path)) rmdir(path);
}

/* Did a script's name come to be? */
static void name_way(const char *way, const char *name)
{
    char *path = in(uploads, name);
    printf("%s %s\n", way, exists(path) ? "IN" : "no");
    fflush(stdout);
    clean(path);
}

static void fresh(void)
{
    clean(in(uploads, "pic.jpg"));
    put(in(uploads, "pic.jpg"), "picture", 0644);
    clean(in(outside, "src.jpg"));
    put(in(outside, "src.jpg"), "picture", 0644);
}

static void names(void)
{
    const char *php = "x.php";
    fresh();
    put(in(uploads, php), "x", 0644);
    name_way("openat", php);
#ifdef SYS_open
    syscall(SYS_open, in(uploads, php), O_CREAT | O_WRONLY, 0644);
    name_way("open", php);
    syscall(SYS_creat, in(uploads, php), 0644);
    name_way("creat", php);
    syscall(SYS_mkdir, in(uploads, php), 0755);
    name_way("mkdir", php);
    syscall(SYS_mknod, in(uploads, php), S_IFREG | 0644, 0);
    name_way("mknod", php);
    syscall(SYS_rename, in(uploads, "pic.jpg"), in(uploads, php));
    name_way("rename", php);
    fresh();
    syscall(SYS_link, in(uploads, "pic.jpg"), in(uploads, php));
    name_way("link", php);
    syscall(SYS_symlink, "pic.jpg", in(uploads, php));
    name_way("symlink", php);
#endif
    syscall(SYS_openat, AT_FDCWD, in(uploads, php), O_CREAT | O_RDONLY, 0644);
    name_way("openat_read", php);
    syscall(SYS_mkdirat, AT_FDCWD, in(uploads, php), 0755);
    name_way("mkdirat", php);
    syscall(SYS_mknodat, AT_FDCWD, in(uploads, php), S_IFREG | 0644, 0);
    name_way("mknodat", php);
    fresh();
    syscall(SYS_renameat2, AT_FDCWD, in(uploads, "pic.jpg"), AT_FDCWD, in(uploads, php), 0);
    name_way("renameat2", php);
    fresh();
    syscall(SYS_renameat2, AT_FDCWD, in(outside, "src.jpg"), AT_FDCWD, in(uploads, php), 0);
    name_way("rename_from_outside", php);
    fresh();
    put(in(outside, "x.php"), "x", 0644);
    syscall(SYS_renameat2, AT_FDCWD, in(outside, php), AT_FDCWD, in(uploads, "pic.jpg"), 0);
    rename(in(uploads, "pic.jpg"), in(uploads, php));
    name_way("rename_twice", php);
    put(in(outside, "x.php"), "x", 0644);
    fresh();
    syscall(SYS_linkat, AT_FDCWD, in(uploads, "pic.jpg"), AT_FDCWD, in(uploads, php), 0);
    name_way("linkat", php);
    syscall(SYS_symlinkat, "pic.jpg", AT_FDCWD, in(uploads, php));
    name_way("symlinkat", php);
    int folder = open(uploads, O_RDONLY | O_DIRECTORY);
    syscall(SYS_openat, folder, php, O_CREAT | O_WRONLY, 0644);
    name_way("openat_folder", php);
    if (chdir(uploads)) perror("chdir");
    syscall(SYS_openat, AT_FDCWD, "./x.php", O_CREAT | O_WRONLY, 0644);
    name_way("openat_relative", php);
    char through[4096];
    snprintf(through, sizeof through, "/proc/self/cwd/%s", php);
    syscall(SYS_openat, AT_FDCWD, through, O_CREAT | O_WRONLY, 0644);
    name_way("openat_through_proc", php);
    long nameless = syscall(SYS_openat, AT_FDCWD, uploads, O_TMPFILE | O_WRONLY, 0644);
    snprintf(through, sizeof through, "/proc/self/fd/%ld", nameless);
    syscall(SYS_linkat, AT_FDCWD, through, AT_FDCWD, in(uploads, php), AT_SYMLINK_FOLLOW);
    name_way("tmpfile", php);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", php);
    syscall(SYS_bind, socket(AF_UNIX, SOCK_STREAM, 0), &address, sizeof address);
    name_way("bind", php);
    /* a folder that already holds one */
    mkdir(in(outside, "d"), 0755);
    put(in(outside, "d/x.php"), "x", 0644);
    rename(in(outside, "d"), in(uploads, "d"));
    printf("rename_folder %s\n", exists(in(uploads, "d/x.php")) ? "IN" : "no");
    clean(in(uploads, "d/x.php"));
    clean(in(outside, "d/x.php"));
    clean(in(uploads, "d"));
    clean(in(outside, "d"));
}

static void mode_way(const char *way)
{
    struct stat st;
    int hit = stat(in(uploads, "pic.jpg"), &st) == 0 && st.st_mode & 06111;
    printf("%s %s\n", way, hit ? "IN" : "no");
    fflush(stdout);
    fresh();
}

static void modes(void)
{
    fresh();
    clean(in(uploads, "pic.jpg"));
    put(in(uploads, "pic.jpg"), "x", 06777);
    mode_way("create_executable");
#ifdef SYS_chmod
    syscall(SYS_chmod, in(uploads, "pic.jpg"), 0755);
    mode_way("chmod");
#endif
    syscall(SYS_fchmodat, AT_FDCWD, in(uploads, "pic.jpg"), 04644);
    mode_way("fchmodat_set_id");
    syscall(452, AT_FDCWD, in(uploads, "pic.jpg"), 0755, 0);
    mode_way("fchmodat2");
    syscall(SYS_fchmod, open(in(uploads, "pic.jpg"), O_RDONLY), 0755);
    mode_way("fchmod");
    clean(in(uploads, "pic.jpg"));
    mknod(in(uploads, "pic.jpg"), S_IFREG | 0777, 0);
    mode_way("mknod_executable");
    chmod(in(outside, "src.jpg"), 0755);
    rename(in(outside, "src.jpg"), in(uploads, "pic.jpg"));
    mode_way("rename_executable");
    static const unsigned char acl[] = { 2,   0,   0, 0, 1,   0,   7,   0,   255, 255,
                                         255, 255, 4, 0, 5,   0,   255, 255, 255, 255,
                                         32,  0,   5, 0, 255, 255, 255, 255 };
    syscall(SYS_setxattr, in(uploads, "pic.jpg"), "system.posix_acl_access", acl, sizeof acl, 0);
    mode_way("acl");
    link(in(uploads, "pic.jpg"), in(outside, "second.jpg"));
    chmod(in(outside, "second.jpg"), 0755);
    mode_way("second_name");
    clean(in(outside, "second.jpg"));
}

/* --- Races ---------------------------------------------------------------------- */

static atomic_bool stop;
static char flipping[4096];
static char good[4096], evil[4096];

static void *flip_memory(void *unused)
{
    (void)unused;
    while (!stop) {
        strcpy(flipping, good);
        strcpy(flipping, evil);
    }
    return NULL;
}

static void *flip_links(void *unused)
{
    (void)unused;
    char *to = strdup(in(outside, "flip")), *new = strdup(in(outside, "flip.new"));
    while (!stop) {
        if (symlink(uploads, new) == 0) rename(new, to);
        if (symlink(outside, new) == 0) rename(new, to);
    }
    return NULL;
}

static void *flip_files(void *unused)
{
    (void)unused;
    char *a = strdup(in(outside, "race.jpg")), *b = strdup(in(outside, "race.evil"));
    while (!stop) syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
    return NULL;
}

static pthread_t begin(void *(*run)(void *))
{
    pthread_t thread;
    stop = 0;
    if (pthread_create(&thread, NULL, run, NULL)) exit(1);
    return thread;
}

static void end(pthread_t thread, const char *way, long hits)
{
    stop = 1;
    pthread_join(thread, NULL);
    printf("%s %ld\n", way, hits);
    fflush(stdout);
}

static int took(const char *path)
{
    if (!exists(path)) return 0;
    clean(path);
    return 1;
}

static void races(long tries)
{
    long hits = 0;
    char *target = strdup(in(uploads, "x.php"));
    /* another thread changes the path's memory: a name that is fine, one that is not */
    snprintf(good, sizeof good, "%s/x.txt", uploads);
    snprintf(evil, sizeof evil, "%s/x.php", uploads);
    strcpy(flipping, good);
    pthread_t thread = begin(flip_memory);
    for (long i = 0; i < tries; i++) {
        long fd = syscall(SYS_openat, AT_FDCWD, flipping, O_CREAT | O_WRONLY, 0644);
        if (fd >= 0) close((int)fd);
        hits += took(target);
    }
    end(thread, "race_memory", hits);
    /* a folder outside that becomes a link into the tree: what is continued meets it */
    hits = 0;
    char *through = strdup(in(outside, "flip/x.php"));
    thread = begin(flip_links);
    for (long i = 0; i < tries; i++) {
        long fd = syscall(SYS_openat, AT_FDCWD, through, O_CREAT | O_WRONLY, 0644);
        if (fd >= 0) close((int)fd);
        hits += took(target);
    }
    end(thread, "race_link", hits);
    hits = 0;
    clean(in(outside, "x.php"));
    put(in(uploads, "pic.jpg"), "picture", 0644);
    put(in(outside, "pic.jpg"), "picture", 0644);
    through = strdup(in(outside, "flip/pic.jpg"));
    char *picture = strdup(in(uploads, "pic.jpg"));
    thread = begin(flip_links);
    for (long i = 0; i < tries; i++) {
        struct stat st;
        syscall(SYS_fchmodat, AT_FDCWD, through, 0755);
        if (stat(picture, &st) == 0 && st.st_mode & 0111) {
            hits++;
            chmod(picture, 0644);
        }
    }
    end(thread, "race_mode", hits);
    /* the file that is moved in is exchanged for a worse one */
    hits = 0;
    put(in(outside, "race.jpg"), "picture", 0644);
    put(in(outside, "race.evil"), "GIF89a<?php system($_GET[1]);", 0644);
    char *from = strdup(in(outside, "race.jpg")), *to = strdup(in(uploads, "race.jpg"));
    thread = begin(flip_files);
    for (long i = 0; i < tries; i++) {
        char text[64];
        long r = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
        int fd = r ? -1 : open(to, O_RDONLY);
        if (fd >= 0) {
            ssize_t n = read(fd, text, sizeof text - 1);
            text[n > 0 ? n : 0] = '\0';
            close(fd);
            if (strstr(text, "<?php")) hits++;
            unlink(to);
        }
        if (!exists(from)) put(from, "picture", 0644);
        if (i % 16 == 0) put(in(outside, "race.evil"), "GIF89a<?php system($_GET[1]);", 0644);
    }
    end(thread, "race_file", hits);
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    umask(022);
    uploads = argv[1];
    outside = argv[2];
    if (argc > 4) {
        races(atol(argv[4]));
        return 0;
    }
    names();
    modes();
    return 0;
}
