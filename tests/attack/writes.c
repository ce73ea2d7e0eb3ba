// SPDX-License-Identifier: MIT
/* Purpose: ways to plant a name, a mode or a file in an upload tree, by raw system
 * calls, so that no shim has a say: linked statically by writes.test.
 *
 *     writes UPLOADS OUTSIDE             each way once: "WAY IN" or "WAY no"
 *     writes UPLOADS OUTSIDE race N      N tries of each race: "WAY HITS"
 *     writes UPLOADS OUTSIDE content     files to be judged after their last close: "WAY FILE"
 */
#include "writes.h"

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

const char *eg_uploads, *eg_outside;

char *eg_in(const char *folder, const char *name)
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

void eg_clean(const char *path)
{
    chmod(path, 0600);
    if (unlink(path)) rmdir(path);
}

/* Did a script's name come to be? */
void eg_name_way(const char *way, const char *name)
{
    char *path = eg_in(eg_uploads, name);
    printf("%s %s\n", way, exists(path) ? "IN" : "no");
    fflush(stdout);
    eg_clean(path);
}

void eg_fresh(void)
{
    eg_clean(eg_in(eg_uploads, "pic.jpg"));
    put(eg_in(eg_uploads, "pic.jpg"), "picture", 0644);
    eg_clean(eg_in(eg_outside, "src.jpg"));
    put(eg_in(eg_outside, "src.jpg"), "picture", 0644);
}

static void names(void)
{
    const char *php = "x.php";
    eg_fresh();
    put(eg_in(eg_uploads, php), "x", 0644);
    eg_name_way("openat", php);
#ifdef SYS_open
    syscall(SYS_open, eg_in(eg_uploads, php), O_CREAT | O_WRONLY, 0644);
    eg_name_way("open", php);
    syscall(SYS_creat, eg_in(eg_uploads, php), 0644);
    eg_name_way("creat", php);
    syscall(SYS_mkdir, eg_in(eg_uploads, php), 0755);
    eg_name_way("mkdir", php);
    syscall(SYS_mknod, eg_in(eg_uploads, php), S_IFREG | 0644, 0);
    eg_name_way("mknod", php);
    syscall(SYS_rename, eg_in(eg_uploads, "pic.jpg"), eg_in(eg_uploads, php));
    eg_name_way("rename", php);
    eg_fresh();
    syscall(SYS_link, eg_in(eg_uploads, "pic.jpg"), eg_in(eg_uploads, php));
    eg_name_way("link", php);
    syscall(SYS_symlink, "pic.jpg", eg_in(eg_uploads, php));
    eg_name_way("symlink", php);
#endif
    syscall(SYS_openat, AT_FDCWD, eg_in(eg_uploads, php), O_CREAT | O_RDONLY, 0644);
    eg_name_way("openat_read", php);
    syscall(SYS_mkdirat, AT_FDCWD, eg_in(eg_uploads, php), 0755);
    eg_name_way("mkdirat", php);
    syscall(SYS_mknodat, AT_FDCWD, eg_in(eg_uploads, php), S_IFREG | 0644, 0);
    eg_name_way("mknodat", php);
    eg_fresh();
    syscall(SYS_renameat2, AT_FDCWD, eg_in(eg_uploads, "pic.jpg"), AT_FDCWD, eg_in(eg_uploads, php),
            0);
    eg_name_way("renameat2", php);
    eg_fresh();
    syscall(SYS_renameat2, AT_FDCWD, eg_in(eg_outside, "src.jpg"), AT_FDCWD, eg_in(eg_uploads, php),
            0);
    eg_name_way("rename_from_outside", php);
    eg_fresh();
    put(eg_in(eg_outside, "x.php"), "x", 0644);
    syscall(SYS_renameat2, AT_FDCWD, eg_in(eg_outside, php), AT_FDCWD, eg_in(eg_uploads, "pic.jpg"),
            0);
    rename(eg_in(eg_uploads, "pic.jpg"), eg_in(eg_uploads, php));
    eg_name_way("rename_twice", php);
    put(eg_in(eg_outside, "x.php"), "x", 0644);
    eg_fresh();
    syscall(SYS_linkat, AT_FDCWD, eg_in(eg_uploads, "pic.jpg"), AT_FDCWD, eg_in(eg_uploads, php),
            0);
    eg_name_way("linkat", php);
    syscall(SYS_symlinkat, "pic.jpg", AT_FDCWD, eg_in(eg_uploads, php));
    eg_name_way("symlinkat", php);
    int folder = open(eg_uploads, O_RDONLY | O_DIRECTORY);
    syscall(SYS_openat, folder, php, O_CREAT | O_WRONLY, 0644);
    eg_name_way("openat_folder", php);
    if (chdir(eg_uploads)) perror("chdir");
    syscall(SYS_openat, AT_FDCWD, "./x.php", O_CREAT | O_WRONLY, 0644);
    eg_name_way("openat_relative", php);
    char through[4096];
    snprintf(through, sizeof through, "/proc/self/cwd/%s", php);
    syscall(SYS_openat, AT_FDCWD, through, O_CREAT | O_WRONLY, 0644);
    eg_name_way("openat_through_proc", php);
    long nameless = syscall(SYS_openat, AT_FDCWD, eg_uploads, O_TMPFILE | O_WRONLY, 0644);
    snprintf(through, sizeof through, "/proc/self/fd/%ld", nameless);
    syscall(SYS_linkat, AT_FDCWD, through, AT_FDCWD, eg_in(eg_uploads, php), AT_SYMLINK_FOLLOW);
    eg_name_way("tmpfile", php);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", php);
    syscall(SYS_bind, socket(AF_UNIX, SOCK_STREAM, 0), &address, sizeof address);
    eg_name_way("bind", php);
    /* a folder that already holds one */
    mkdir(eg_in(eg_outside, "d"), 0755);
    put(eg_in(eg_outside, "d/x.php"), "x", 0644);
    rename(eg_in(eg_outside, "d"), eg_in(eg_uploads, "d"));
    printf("rename_folder %s\n", exists(eg_in(eg_uploads, "d/x.php")) ? "IN" : "no");
    eg_clean(eg_in(eg_uploads, "d/x.php"));
    eg_clean(eg_in(eg_outside, "d/x.php"));
    eg_clean(eg_in(eg_uploads, "d"));
    eg_clean(eg_in(eg_outside, "d"));
}

void eg_mode_way(const char *way)
{
    struct stat st;
    int hit = stat(eg_in(eg_uploads, "pic.jpg"), &st) == 0 && st.st_mode & 06111;
    printf("%s %s\n", way, hit ? "IN" : "no");
    fflush(stdout);
    eg_fresh();
}

static void modes(void)
{
    eg_fresh();
    eg_clean(eg_in(eg_uploads, "pic.jpg"));
    put(eg_in(eg_uploads, "pic.jpg"), "x", 06777);
    eg_mode_way("create_executable");
#ifdef SYS_chmod
    syscall(SYS_chmod, eg_in(eg_uploads, "pic.jpg"), 0755);
    eg_mode_way("chmod");
#endif
    syscall(SYS_fchmodat, AT_FDCWD, eg_in(eg_uploads, "pic.jpg"), 04644);
    eg_mode_way("fchmodat_set_id");
    syscall(452, AT_FDCWD, eg_in(eg_uploads, "pic.jpg"), 0755, 0);
    eg_mode_way("fchmodat2");
    syscall(SYS_fchmod, open(eg_in(eg_uploads, "pic.jpg"), O_RDONLY), 0755);
    eg_mode_way("fchmod");
    eg_clean(eg_in(eg_uploads, "pic.jpg"));
    mknod(eg_in(eg_uploads, "pic.jpg"), S_IFREG | 0777, 0);
    eg_mode_way("mknod_executable");
    chmod(eg_in(eg_outside, "src.jpg"), 0755);
    rename(eg_in(eg_outside, "src.jpg"), eg_in(eg_uploads, "pic.jpg"));
    eg_mode_way("rename_executable");
    static const unsigned char acl[] = { 2,   0,   0, 0, 1,   0,   7,   0,   255, 255,
                                         255, 255, 4, 0, 5,   0,   255, 255, 255, 255,
                                         32,  0,   5, 0, 255, 255, 255, 255 };
    syscall(SYS_setxattr, eg_in(eg_uploads, "pic.jpg"), "system.posix_acl_access", acl, sizeof acl,
            0);
    eg_mode_way("acl");
    link(eg_in(eg_uploads, "pic.jpg"), eg_in(eg_outside, "second.jpg"));
    chmod(eg_in(eg_outside, "second.jpg"), 0755);
    eg_mode_way("second_name");
    eg_clean(eg_in(eg_outside, "second.jpg"));
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
    char *to = strdup(eg_in(eg_outside, "flip")), *new = strdup(eg_in(eg_outside, "flip.new"));
    while (!stop) {
        if (symlink(eg_uploads, new) == 0) rename(new, to);
        if (symlink(eg_outside, new) == 0) rename(new, to);
    }
    return NULL;
}

static void *flip_files(void *unused)
{
    (void)unused;
    char *a = strdup(eg_in(eg_outside, "race.jpg")), *b = strdup(eg_in(eg_outside, "race.evil"));
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
    eg_clean(path);
    return 1;
}

static void races(long tries)
{
    long hits = 0;
    char *target = strdup(eg_in(eg_uploads, "x.php"));
    /* another thread changes the path's memory: a name that is fine, one that is not */
    snprintf(good, sizeof good, "%s/x.txt", eg_uploads);
    snprintf(evil, sizeof evil, "%s/x.php", eg_uploads);
    strcpy(flipping, good);
    pthread_t thread = begin(flip_memory);
    for (long i = 0; i < tries; i++) {
        long fd = syscall(SYS_openat, AT_FDCWD, flipping, O_CREAT | O_WRONLY, 0644);
        if (fd >= 0) close((int)fd);
        hits += took(target);
    }
    end(thread, "race_memory", hits);
    /* a folder eg_outside that becomes a link into the tree: what is continued meets it */
    hits = 0;
    char *through = strdup(eg_in(eg_outside, "flip/x.php"));
    thread = begin(flip_links);
    for (long i = 0; i < tries; i++) {
        long fd = syscall(SYS_openat, AT_FDCWD, through, O_CREAT | O_WRONLY, 0644);
        if (fd >= 0) close((int)fd);
        hits += took(target);
    }
    end(thread, "race_link", hits);
    hits = 0;
    eg_clean(eg_in(eg_outside, "x.php"));
    put(eg_in(eg_uploads, "pic.jpg"), "picture", 0644);
    put(eg_in(eg_outside, "pic.jpg"), "picture", 0644);
    through = strdup(eg_in(eg_outside, "flip/pic.jpg"));
    char *picture = strdup(eg_in(eg_uploads, "pic.jpg"));
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
    put(eg_in(eg_outside, "race.jpg"), "picture", 0644);
    put(eg_in(eg_outside, "race.evil"), "GIF89a<?php system($_GET[1]);", 0644);
    char *from = strdup(eg_in(eg_outside, "race.jpg")), *to = strdup(eg_in(eg_uploads, "race.jpg"));
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
        if (i % 16 == 0) put(eg_in(eg_outside, "race.evil"), "GIF89a<?php system($_GET[1]);", 0644);
    }
    end(thread, "race_file", hits);
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    umask(022);
    eg_uploads = argv[1];
    eg_outside = argv[2];
    if (argc > 3 && strcmp(argv[3], "content") == 0) {
        eg_content_ways();
        return 0;
    }
    if (argc > 4) {
        races(atol(argv[4]));
        eg_cross_races(atol(argv[4]) / 10);
        return 0;
    }
    names();
    modes();
    eg_second_ways();
    return 0;
}
