// SPDX-License-Identifier: MIT
/* Who may own and write a policy, its includes, and the folders on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/policy.h"

#define WORKER  4711u
#define ANOTHER 4712u

static char base[64];   /* below folders that only root can write */
static char shared[64]; /* below a sticky folder that everybody can write */

static char *path_of(const char *folder, const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

static void write_policy(const char *path, const char *text, uid_t owner, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchown(fd, owner, owner), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void make_folder(const char *path, uid_t owner, mode_t mode)
{
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chown(path, owner, owner), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* Load in a child that has become `uid`; what its first message says (empty:
 * accepted). */
static const char *load_as(uid_t uid, const char *path)
{
    static char message[1024];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct eg_policy_options options = { .check_owner = true, .guard_uid = uid };
        struct eg_diagnostics d = { 0 };
        struct eg_policy *policy = NULL;
        if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0) _exit(9);
        int r = eg_policy_load(path, &options, &d, &policy);
        const char *text = r == 0 ? "" : d.count ? d.items[0].message : "no message";
        ssize_t n = write(ends[1], text, strlen(text));
        _exit(n < 0);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], message, sizeof(message) - 1);
    message[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return message;
}

static void assert_refused(const char *message, const char *path, const char *why)
{
    char expected[PATH_MAX + 64];
    snprintf(expected, sizeof(expected), "\"%s\" %s", path, why);
    assert_string_equal(message, expected);
}

static int make_folders(void **state)
{
    (void)state;
    if (geteuid() != 0) return 0;
    umask(022);
    snprintf(base, sizeof(base), "/run/eg-owner.XXXXXX");
    snprintf(shared, sizeof(shared), "/tmp/eg-owner.XXXXXX");
    if (!mkdtemp(base) || !mkdtemp(shared)) return -1;
    return chmod(base, 0755) < 0 || chmod(shared, 0755) < 0;
}

static int remove_folders(void **state)
{
    (void)state;
    char command[256];
    if (geteuid() != 0) return 0;
    snprintf(command, sizeof(command), "rm -rf '%s' '%s'", base, shared);
    return system(command);
}

static void need_root(void)
{
    if (geteuid() != 0) skip();
}

static void roots_own_policy_is_accepted(void **state)
{
    (void)state;
    need_root();
    char *path = path_of(base, "good.policy");
    write_policy(path, "exec { }\n", 0, 0644);
    assert_string_equal(load_as(0, path), "");
    assert_string_equal(load_as(WORKER, path), "");
}

static void a_users_own_policy_is_accepted_for_that_user_only(void **state)
{
    (void)state;
    need_root();
    char *path = path_of(base, "own.policy");
    write_policy(path, "exec { }\n", WORKER, 0644);
    assert_string_equal(load_as(WORKER, path), "");
    assert_refused(load_as(0, path), path, "belongs to user 4711");
    assert_refused(load_as(ANOTHER, path), path, "belongs to user 4711");
}

static void a_policy_that_others_can_write_is_refused(void **state)
{
    (void)state;
    need_root();
    char *path = path_of(base, "writable.policy");
    write_policy(path, "exec { }\n", 0, 0664);
    assert_refused(load_as(0, path), path, "can be written by its group");
    assert_refused(load_as(WORKER, path), path, "can be written by its group");
    write_policy(path, "exec { }\n", 0, 0646);
    assert_refused(load_as(0, path), path, "can be written by everybody");
    assert_refused(load_as(WORKER, path), path, "can be written by everybody");
}

static void a_folder_above_that_others_can_write_is_refused(void **state)
{
    (void)state;
    need_root();
    char *open_folder = path_of(base, "open");
    make_folder(open_folder, 0, 0777);
    make_folder(path_of(base, "open/inner"), 0, 0755);
    char *path = path_of(base, "open/inner/x.policy");
    write_policy(path, "exec { }\n", 0, 0644);
    assert_refused(load_as(0, path), open_folder, "can be written by everybody");
    assert_refused(load_as(WORKER, path), open_folder, "can be written by everybody");
    assert_int_equal(chmod(open_folder, 0775), 0);
    assert_refused(load_as(0, path), open_folder, "can be written by its group");
    assert_int_equal(chmod(open_folder, 0755), 0);
    assert_string_equal(load_as(0, path), "");
}

static void a_folder_of_another_user_is_refused(void **state)
{
    (void)state;
    need_root();
    char *folder = path_of(base, "theirs");
    make_folder(folder, ANOTHER, 0755);
    char *path = path_of(base, "theirs/x.policy");
    write_policy(path, "exec { }\n", 0, 0644);
    assert_refused(load_as(0, path), folder, "belongs to user 4712");
    assert_refused(load_as(WORKER, path), folder, "belongs to user 4712");
    assert_string_equal(load_as(ANOTHER, path), "");
}

static void a_sticky_folder_is_enough_for_a_user_but_not_for_root(void **state)
{
    (void)state;
    need_root();
    char *path = path_of(shared, "x.policy");
    write_policy(path, "exec { }\n", 0, 0644);
    assert_refused(load_as(0, path), "/tmp", "can be written by everybody");
    assert_string_equal(load_as(WORKER, path), "");
    /* What another user made there, that user can change. */
    assert_int_equal(chown(shared, ANOTHER, ANOTHER), 0);
    assert_refused(load_as(WORKER, path), shared, "belongs to user 4712");
    assert_int_equal(chown(shared, 0, 0), 0);
}

static void a_symlink_leads_through_checked_folders(void **state)
{
    (void)state;
    need_root();
    char *unsafe = path_of(base, "unsafe");
    make_folder(unsafe, 0, 0777);
    char *target = path_of(base, "unsafe/x.policy");
    write_policy(target, "exec { }\n", 0, 0644);
    char *link = path_of(base, "link.policy");
    assert_int_equal(symlink(target, link), 0);
    assert_refused(load_as(0, link), unsafe, "can be written by everybody");
    assert_int_equal(chmod(unsafe, 0755), 0);
    assert_string_equal(load_as(0, link), "");
}

static void a_relative_symlink_of_a_folder_is_followed(void **state)
{
    (void)state;
    need_root();
    make_folder(path_of(base, "real"), 0, 0755);
    write_policy(path_of(base, "real/x.policy"), "exec { }\n", 0, 0644);
    assert_int_equal(symlink("real/../real", path_of(base, "alias")), 0);
    assert_string_equal(load_as(0, path_of(base, "alias/./x.policy")), "");
    assert_int_equal(chmod(path_of(base, "real"), 0757), 0);
    assert_refused(load_as(0, path_of(base, "alias/x.policy")), path_of(base, "real"),
                   "can be written by everybody");
}

static void a_symlink_of_another_user_in_a_sticky_folder_is_refused(void **state)
{
    (void)state;
    need_root();
    char *target = path_of(base, "target.policy");
    write_policy(target, "exec { }\n", 0, 0644);
    char link[64];
    snprintf(link, sizeof(link), "/tmp/eg-owner-link.%d", (int)getpid());
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(lchown(link, ANOTHER, ANOTHER), 0);
    const char *message = load_as(WORKER, link);
    unlink(link);
    assert_refused(message, link, "belongs to user 4712");
}

static void symlinks_in_a_circle_end(void **state)
{
    (void)state;
    need_root();
    char *a = path_of(base, "circle-a");
    char *b = path_of(base, "circle-b");
    assert_int_equal(symlink(a, b), 0);
    assert_int_equal(symlink(b, a), 0);
    assert_non_null(strstr(load_as(0, a), "Too many levels of symbolic links"));
}

static void a_file_in_place_of_a_folder_is_an_error(void **state)
{
    (void)state;
    need_root();
    write_policy(path_of(base, "file"), "exec { }\n", 0, 0644);
    assert_non_null(strstr(load_as(0, path_of(base, "file/x.policy")), "Not a directory"));
    assert_non_null(strstr(load_as(0, base), "is not a regular file"));
    assert_non_null(strstr(load_as(0, path_of(base, "none/x")), "No such file or directory"));
}

static void an_unreadable_policy_is_an_error(void **state)
{
    (void)state;
    need_root();
    char *path = path_of(base, "secret.policy");
    write_policy(path, "exec { }\n", 0, 0600);
    assert_non_null(strstr(load_as(WORKER, path), "Permission denied"));
}

static void an_include_is_held_to_the_same_rules(void **state)
{
    (void)state;
    need_root();
    char *part = path_of(base, "part.policy");
    char *path = path_of(base, "whole.policy");
    write_policy(part, "exec { }\n", 0, 0664);
    write_policy(path, "include \"part\"\n", 0, 0644);
    assert_refused(load_as(0, path), part, "can be written by its group");
    assert_int_equal(chmod(part, 0644), 0);
    assert_string_equal(load_as(0, path), "");
}

static void a_relative_path_is_checked_up_to_the_root(void **state)
{
    (void)state;
    need_root();
    char *folder = path_of(base, "cwd");
    make_folder(folder, 0, 0777);
    write_policy(path_of(base, "cwd/x.policy"), "exec { }\n", 0, 0644);
    int here = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(folder), 0);
    assert_refused(load_as(0, "./x.policy"), folder, "can be written by everybody");
    assert_int_equal(chmod(folder, 0755), 0);
    assert_string_equal(load_as(0, "./x.policy"), "");
    assert_string_equal(load_as(0, "../cwd/./x.policy"), "");
    assert_int_equal(fchdir(here), 0);
    close(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_own_policy_is_accepted),
        cmocka_unit_test(a_users_own_policy_is_accepted_for_that_user_only),
        cmocka_unit_test(a_policy_that_others_can_write_is_refused),
        cmocka_unit_test(a_folder_above_that_others_can_write_is_refused),
        cmocka_unit_test(a_folder_of_another_user_is_refused),
        cmocka_unit_test(a_sticky_folder_is_enough_for_a_user_but_not_for_root),
        cmocka_unit_test(a_symlink_leads_through_checked_folders),
        cmocka_unit_test(a_relative_symlink_of_a_folder_is_followed),
        cmocka_unit_test(a_symlink_of_another_user_in_a_sticky_folder_is_refused),
        cmocka_unit_test(symlinks_in_a_circle_end),
        cmocka_unit_test(a_file_in_place_of_a_folder_is_an_error),
        cmocka_unit_test(an_unreadable_policy_is_an_error),
        cmocka_unit_test(an_include_is_held_to_the_same_rules),
        cmocka_unit_test(a_relative_path_is_checked_up_to_the_root),
    };
    return cmocka_run_group_tests_name("policy_owner", tests, make_folders, remove_folders);
}
