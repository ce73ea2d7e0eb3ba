// SPDX-License-Identifier: MIT
/* Purpose: second ways to a file of an upload tree (another name, a descriptor whose
 * path lies elsewhere, an attribute), by raw system calls. */
#include "writes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR, 0644);
    if (fd >= 0 && write(fd, "picture", 7) < 0) perror("write");
    return fd;
}

static int link_held(int fd, const char *path)
{
    char held[64];
    snprintf(held, sizeof held, "/proc/self/fd/%d", fd);
    return (int)syscall(SYS_linkat, AT_FDCWD, held, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

/* Made outside without a name, so that its descriptor's path stays there. */
static void nameless_files(void)
{
    eg_fresh();
    eg_clean(eg_in(eg_uploads, "pic.jpg"));
    int fd = nameless(eg_outside);
    link_held(fd, eg_in(eg_uploads, "pic.jpg"));
    fchmod(fd, 0755);
    close(fd);
    eg_mode_way("nameless_fchmod");
    eg_clean(eg_in(eg_uploads, "pic.jpg"));
    fd = nameless(eg_outside);
    link_held(fd, eg_in(eg_uploads, "pic.jpg"));
    link_held(fd, eg_in(eg_outside, "second.jpg"));
    close(fd);
    chmod(eg_in(eg_outside, "second.jpg"), 0755);
    eg_mode_way("nameless_second_name");
    eg_clean(eg_in(eg_outside, "second.jpg"));
    /* made in the tree: neither way out */
    eg_clean(eg_in(eg_uploads, "pic.jpg"));
    fd = nameless(eg_uploads);
    link_held(fd, eg_in(eg_uploads, "pic.jpg"));
    link_held(fd, eg_in(eg_outside, "second.jpg"));
    fchmod(fd, 0755);
    close(fd);
    chmod(eg_in(eg_outside, "second.jpg"), 0755);
    eg_mode_way("nameless_inside");
    eg_clean(eg_in(eg_outside, "second.jpg"));
}

/* A second name of a file that stays is moved out. */
static void moved_names(void)
{
    eg_fresh();
    link(eg_in(eg_uploads, "pic.jpg"), eg_in(eg_uploads, "two.jpg"));
    rename(eg_in(eg_uploads, "two.jpg"), eg_in(eg_outside, "two.jpg"));
    chmod(eg_in(eg_outside, "two.jpg"), 0755);
    eg_mode_way("second_name_moved_out");
    eg_clean(eg_in(eg_uploads, "two.jpg"));
    eg_clean(eg_in(eg_outside, "two.jpg"));
    mkdir(eg_in(eg_uploads, "d"), 0755);
    link(eg_in(eg_uploads, "pic.jpg"), eg_in(eg_uploads, "d/two.jpg"));
    rename(eg_in(eg_uploads, "d"), eg_in(eg_outside, "d"));
    chmod(eg_in(eg_outside, "d/two.jpg"), 0755);
    eg_mode_way("folder_moved_out");
    eg_clean(eg_in(eg_uploads, "d/two.jpg"));
    eg_clean(eg_in(eg_outside, "d/two.jpg"));
    eg_clean(eg_in(eg_uploads, "d"));
    eg_clean(eg_in(eg_outside, "d"));
    /* opened outside, then brought in */
    eg_clean(eg_in(eg_uploads, "pic.jpg"));
    int fd = open(eg_in(eg_outside, "src.jpg"), O_RDWR);
    rename(eg_in(eg_outside, "src.jpg"), eg_in(eg_uploads, "pic.jpg"));
    fchmod(fd, 0755);
    close(fd);
    eg_mode_way("opened_outside_fchmod");
}

/* An access ACL by a default one: the folder's, not the file's. */
static void default_acl(void)
{
    static const unsigned char acl[] = { 2,   0,   0, 0, 1,   0,   7,   0,   255, 255,
                                         255, 255, 4, 0, 7,   0,   255, 255, 255, 255,
                                         32,  0,   7, 0, 255, 255, 255, 255 };
    eg_fresh();
    eg_clean(eg_in(eg_uploads, "pic.jpg"));
    syscall(SYS_setxattr, eg_uploads, "system.posix_acl_default", acl, sizeof acl, 0);
    syscall(SYS_openat, AT_FDCWD, eg_in(eg_uploads, "pic.jpg"), O_CREAT | O_WRONLY, 0777);
    eg_mode_way("default_acl");
    removexattr(eg_uploads, "system.posix_acl_default");
}

/* Through other names of the same place. */
static void other_paths(void)
{
    char path[4200];
    eg_fresh();
    int folder = open(eg_uploads, O_PATH | O_DIRECTORY);
    snprintf(path, sizeof path, "/proc/self/fd/%d/x.php", folder);
    syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY, 0644);
    eg_name_way("proc_fd_folder", "x.php");
    snprintf(path, sizeof path, "/dev/fd/%d/x.php", folder);
    syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY, 0644);
    eg_name_way("dev_fd_folder", "x.php");
    snprintf(path, sizeof path, "/proc/%d/root%s/x.php", (int)getpid(), eg_uploads);
    syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY, 0644);
    eg_name_way("proc_root", "x.php");
    snprintf(path, sizeof path, "/proc/%d/task/%d/cwd/../%s/x.php", (int)getpid(), (int)getpid(),
             strrchr(eg_uploads, '/') + 1);
    if (chdir(eg_outside)) perror("chdir");
    syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY, 0644);
    eg_name_way("proc_task_cwd", "x.php");
    snprintf(path, sizeof path, "%s//./../%s/.//x.php", eg_uploads, strrchr(eg_uploads, '/') + 1);
    syscall(SYS_openat, folder, path, O_CREAT | O_WRONLY, 0644);
    eg_name_way("dots", "x.php");
    memset(path, 0, sizeof path);
    snprintf(path, sizeof path, "%s/", eg_uploads);
    while (strlen(path) + 2 < 4096 - strlen("x.php")) strcat(path, "./");
    strcat(path, "x.php");
    syscall(SYS_openat, folder, path, O_CREAT | O_WRONLY, 0644);
    eg_name_way("long_path", "x.php");
    symlink(eg_uploads, eg_in(eg_outside, "ln"));
    syscall(SYS_openat, AT_FDCWD, eg_in(eg_outside, "ln/x.php"), O_CREAT | O_WRONLY, 0644);
    eg_name_way("link_to_tree", "x.php");
    unlink(eg_in(eg_outside, "ln"));
    symlink(eg_in(eg_uploads, "x.php"), eg_in(eg_outside, "ln"));
    syscall(SYS_openat, AT_FDCWD, eg_in(eg_outside, "ln"), O_CREAT | O_WRONLY, 0644);
    eg_name_way("link_to_name", "x.php");
    unlink(eg_in(eg_outside, "ln"));
    syscall(SYS_openat, AT_FDCWD, eg_in(eg_uploads, "x.php"), O_CREAT | 3, 0644);
    eg_name_way("access_mode_3", "x.php");
    syscall(SYS_openat, AT_FDCWD, eg_in(eg_uploads, "x.php"), O_CREAT | O_TRUNC | O_DIRECT, 0644);
    eg_name_way("read_truncate", "x.php");
    if (chroot("/proc/self/root") == 0) { /* root may change the root that it has */
        syscall(SYS_openat, AT_FDCWD, eg_in(eg_uploads, "x.php"), O_CREAT | O_WRONLY, 0644);
        eg_name_way("same_root", "x.php");
    }
    close(folder);
}

static void set_ids(void)
{
    static const unsigned char capability[20] = { 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff };
    eg_fresh();
    if (geteuid()) return;
    syscall(SYS_setxattr, eg_in(eg_uploads, "pic.jpg"), "security.capability", capability,
            sizeof capability, 0);
    int hit = getxattr(eg_in(eg_uploads, "pic.jpg"), "security.capability", NULL, 0) > 0;
    printf("file_capability %s\n", hit ? "IN" : "no");
    fflush(stdout);
}

/* The tree goes, and comes again. */
static void tree_again(void)
{
    DIR *all = opendir(eg_uploads);
    for (struct dirent *entry; all && (entry = readdir(all));)
        if (entry->d_name[0] != '.') eg_clean(eg_in(eg_uploads, entry->d_name));
    if (all) closedir(all);
    rmdir(eg_uploads);
    mkdir(eg_uploads, 0755);
    syscall(SYS_openat, AT_FDCWD, eg_in(eg_uploads, "x.php"), O_CREAT | O_WRONLY, 0644);
    eg_name_way("tree_made_again", "x.php");
}

void eg_second_ways(void)
{
    nameless_files();
    moved_names();
    default_acl();
    other_paths();
    set_ids();
    tree_again();
}
