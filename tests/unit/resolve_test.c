// SPDX-License-Identifier: MIT
/* resolve/: names to files, the PATH search beside the real execvp, and the
 * first line of scripts. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolve/resolve.h"

static char folder[PATH_MAX];

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int setup(void **state)
{
    (void)state;
    char template[] = "/tmp/eg-resolve-XXXXXX";
    if (!mkdtemp(template) || !realpath(template, folder) || chdir(folder)) return -1;
    mkdir("a", 0755);
    mkdir("b", 0755);
    mkdir("b/folder", 0755);
    put("a/plain", "#!/bin/sh\nexit 7\n", 0644);
    put("b/plain", "#!/bin/sh\nexit 8\n", 0755);
    put("a/both", "#!/bin/sh\nexit 7\n", 0755);
    put("b/both", "#!/bin/sh\nexit 8\n", 0755);
    put("a/refused", "#!/bin/sh\nexit 7\n", 0644);
    put("here", "#!/bin/sh\nexit 9\n", 0755);
    if (symlink("a/both", "link") || symlink("loop", "loop")) return -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const names[] = { "a/plain",   "b/plain", "a/both", "b/both",
                                         "a/refused", "here",    "link",   "loop" };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) unlink(names[i]);
    return rmdir("b/folder") || rmdir("a") || rmdir("b") || chdir("/") || rmdir(folder);
}

static struct eg_target resolve(const char *path, int flags, char buf[EG_PATH_MAX], int *ret_error)
{
    struct eg_target target;
    assert_int_equal(eg_resolve_file(AT_FDCWD, path, flags, buf, &target, ret_error), 0);
    return target;
}

static void a_symlink_resolves_to_what_it_names(void **state)
{
    (void)state;
    char buf[EG_PATH_MAX];
    char wanted[PATH_MAX + 16];
    struct stat st;
    struct eg_target target = resolve("link", 0, buf, NULL);
    snprintf(wanted, sizeof(wanted), "%s/a/both", folder);
    assert_true(target.found);
    assert_string_equal(target.path.p, wanted);
    assert_int_equal(target.path.n, strlen(wanted));
    assert_int_equal(stat("a/both", &st), 0);
    assert_int_equal(target.id.ino, st.st_ino);
    assert_int_equal(target.id.size, st.st_size);
    assert_int_equal(target.id.mode, st.st_mode);
    assert_int_equal(target.id.mtime_s, st.st_mtim.tv_sec);
    assert_int_equal(target.id.mtime_ns, st.st_mtim.tv_nsec);
}

static void what_leads_nowhere_is_not_found_and_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int flags, error;
    } rows[] = {
        { "nothing", 0, -ENOENT }, { "here/below", 0, -ENOTDIR },
        { "loop", 0, -ELOOP },     { "link", AT_SYMLINK_NOFOLLOW, -ELOOP },
        { "", 0, -ENOENT },
    };
    char buf[EG_PATH_MAX];
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int error = 0;
        struct eg_target target = resolve(rows[i].path, rows[i].flags, buf, &error);
        assert_false(target.found);
        assert_int_equal(error, rows[i].error);
        assert_int_equal(target.id.mode, 0);
    }
}

static void an_empty_path_is_the_descriptor_itself(void **state)
{
    (void)state;
    char buf[EG_PATH_MAX];
    struct eg_target target;
    int fd = open("a/both", O_RDONLY | O_CLOEXEC);
    assert_int_equal(eg_resolve_file(fd, "", AT_EMPTY_PATH, buf, &target, NULL), 0);
    assert_true(target.found);
    assert_true(eg_str_ends(target.path, EG_STR("/a/both")));
    struct eg_identity id;
    assert_int_equal(eg_resolve_identity(fd, &id), 0);
    assert_true(eg_identity_same_inode(&id, &target.id));
    close(fd);
    int error = 0;
    assert_int_equal(eg_resolve_file(fd, "", AT_EMPTY_PATH, buf, &target, &error), 0);
    assert_false(target.found);
    assert_int_equal(error, -EBADF);
}

static void a_deleted_file_has_no_path_that_exists(void **state)
{
    (void)state;
    char buf[EG_PATH_MAX];
    struct eg_target target;
    put("gone", "x", 0755);
    int fd = open("gone", O_RDONLY | O_CLOEXEC);
    unlink("gone");
    assert_int_equal(eg_resolve_file(fd, "", AT_EMPTY_PATH, buf, &target, NULL), 0);
    assert_true(target.found);
    assert_true(eg_str_ends(target.path, EG_STR(" (deleted)")));
    close(fd);
}

static void without_descriptors_the_identity_is_still_known(void **state)
{
    (void)state;
    char buf[EG_PATH_MAX];
    struct rlimit before;
    struct stat st;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = { 0, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct eg_target target = resolve("link", 0, buf, NULL);
    struct eg_target nothing = resolve("nothing", 0, buf, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(target.found);
    assert_false(nothing.found);
    assert_int_equal(stat("a/both", &st), 0);
    assert_int_equal(target.id.ino, st.st_ino);
    assert_true(eg_str_equal(target.path, EG_STR("link")));
}

/* ---- the search ---- */

/* What the real execvp does: the stub's exit status, or -errno. */
static int really(const char *path, const char *name)
{
    pid_t pid = fork();
    if (pid == 0) {
        setenv("PATH", path, 1);
        execlp(name, name, (char *)NULL);
        _exit(100 + errno);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    status = WEXITSTATUS(status);
    return status < 100 ? status : 100 - status;
}

/* What ours finds: the number in the stub, or -errno. */
static int ours(const char *path, const char *name)
{
    char spelled[EG_PATH_MAX];
    char canonical[EG_PATH_MAX];
    char text[64] = { 0 };
    struct eg_target target;
    int r = eg_resolve_search(eg_str(path), eg_str(name), spelled, canonical, &target);
    assert_int_equal(target.found, r == 0);
    if (r) return r;
    int fd = open(spelled, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    return atoi(strstr(text, "exit ") + 5);
}

static void the_search_finds_what_execvp_runs(void **state)
{
    (void)state;
    char longer[NAME_MAX + 2];
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    const char *const paths[] = {
        "a",   "b",    "a:b",      "b:a",  "",           ":a",        "a:",     "a::b",
        "/no", "a/no", "/no:a:/x", "here", "here:b",     "loop:b",    "loop",   ":",
        ".",   "./a",  "../nope",  "b:b",  "b/folder:b", "/etc:a:b:", "link:b",
    };
    const char *const names[] = {
        "plain",  "both",      "refused", "here", "nothing", "folder",   "a/both",
        "./here", "a/refused", "",        longer, "link",    "b/folder", "no/such",
    };
    for (size_t p = 0; p < sizeof(paths) / sizeof(*paths); p++)
        for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
            int wanted = really(paths[p], names[n]);
            int got = ours(paths[p], names[n]);
            if (wanted != got)
                fail_msg("PATH=%.40s %.40s: execvp %d, search %d", paths[p], names[n], wanted, got);
        }
}

/* glibc takes what follows an over-long element for an empty one; musl and we
 * skip it. */
static void an_element_that_is_too_long_is_skipped(void **state)
{
    (void)state;
    char deep[EG_PATH_MAX + 64];
    memset(deep, 'y', sizeof(deep));
    strcpy(deep + EG_PATH_MAX, ":a");
    assert_int_equal(ours(deep, "both"), 7);
    assert_int_equal(ours(deep, "here"), -ENOENT);
}

static void the_spelling_is_what_execve_would_be_given(void **state)
{
    (void)state;
    static const struct {
        const char *path, *name, *spelled;
    } rows[] = {
        { "a:b", "plain", "b/plain" },
        { "", "here", "here" },
        { "./a", "both", "./a/both" },
        { "b", "a/both", "a/both" },
    };
    char spelled[EG_PATH_MAX];
    char canonical[EG_PATH_MAX];
    struct eg_target target;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(eg_resolve_search(eg_str(rows[i].path), eg_str(rows[i].name), spelled,
                                           canonical, &target),
                         0);
        assert_string_equal(spelled, rows[i].spelled);
        assert_int_equal(target.path.p[0], '/');
    }
}

/* ---- scripts ---- */

static void a_first_line_is_split_as_the_kernel_does(void **state)
{
    (void)state;
    char full[300];
    memset(full, 'z', sizeof(full));
    memcpy(full, "#!/", 3);
    full[sizeof(full) - 1] = '\0';
    static const struct {
        const char *text;
        int result;
        const char *interpreter, *argument;
    } rows[] = {
        { "#!/bin/sh\n", 1, "/bin/sh", "" },
        { "#!/bin/sh", 1, "/bin/sh", "" },
        { "#! \t/bin/sh  \n", 1, "/bin/sh", "" },
        { "#!/usr/bin/env -S a b \t\nrest", 1, "/usr/bin/env", "-S a b" },
        { "#!\n", -ENOEXEC, NULL, NULL },
        { "#!   \n", -ENOEXEC, NULL, NULL },
        { "#", 0, NULL, NULL },
        { "", 0, NULL, NULL },
        { "\177ELF", 0, NULL, NULL },
        { " #!/bin/sh\n", 0, NULL, NULL },
    };
    char buf[256];
    struct eg_str interpreter;
    struct eg_str argument;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        put("script", rows[i].text, 0755);
        int fd = open("script", O_RDONLY | O_CLOEXEC);
        assert_int_equal(eg_resolve_shebang(fd, buf, &interpreter, &argument), rows[i].result);
        close(fd);
        if (rows[i].result != 1) continue;
        assert_true(eg_str_equal(interpreter, eg_str(rows[i].interpreter)));
        assert_true(eg_str_equal(argument, eg_str(rows[i].argument)));
    }
    put("script", full, 0755);
    int fd = open("script", O_RDONLY | O_CLOEXEC);
    assert_int_equal(eg_resolve_shebang(fd, buf, &interpreter, &argument), -ENOEXEC);
    close(fd);
    assert_int_equal(eg_resolve_shebang(fd, buf, &interpreter, &argument), -EBADF);
    unlink("script");
}

static void this_program_and_this_folder_are_known(void **state)
{
    (void)state;
    char buf[EG_PATH_MAX];
    char exe[PATH_MAX] = { 0 };
    struct eg_target self;
    assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
    assert_int_equal(eg_resolve_self(buf, &self), 0);
    assert_true(self.found);
    assert_string_equal(self.path.p, exe);
    struct eg_str cwd = eg_resolve_cwd(buf);
    assert_true(eg_str_equal(cwd, eg_str(folder)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_symlink_resolves_to_what_it_names),
        cmocka_unit_test(what_leads_nowhere_is_not_found_and_says_why),
        cmocka_unit_test(an_empty_path_is_the_descriptor_itself),
        cmocka_unit_test(a_deleted_file_has_no_path_that_exists),
        cmocka_unit_test(without_descriptors_the_identity_is_still_known),
        cmocka_unit_test(the_search_finds_what_execvp_runs),
        cmocka_unit_test(an_element_that_is_too_long_is_skipped),
        cmocka_unit_test(the_spelling_is_what_execve_would_be_given),
        cmocka_unit_test(a_first_line_is_split_as_the_kernel_does),
        cmocka_unit_test(this_program_and_this_folder_are_known),
    };
    return cmocka_run_group_tests_name("resolve", tests, setup, teardown);
}
