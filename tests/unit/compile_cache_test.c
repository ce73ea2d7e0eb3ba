// SPDX-License-Identifier: MIT
/* Compiled policies as files: what is trusted, what is stale, what is found. */
#include "cache_helper.h"

#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "compile/cache.h"

static const struct eg_policy_options unchecked = { 0 };

static int load_with(const struct eg_policy_options *options,
                     const struct eg_compile_options *compile, struct eg_cached *ret)
{
    struct eg_diagnostics diagnostics = { 0 };
    int r = eg_cache_load_in(in_folder("cache"), in_folder("web.policy"), options, compile,
                             &diagnostics, ret);
    eg_diagnostics_free(&diagnostics);
    return r;
}

static int load(struct eg_cached *ret)
{
    return load_with(&unchecked, NULL, ret);
}

/* Load once and forget the result: the cache is filled. */
static char *fill(void)
{
    struct eg_cached c;
    assert_int_equal(load(&c), 0);
    assert_non_null(c.policy);
    char *path = strdup(c.path);
    eg_cached_free(&c);
    return path;
}

static void assert_hit(bool expected)
{
    struct eg_cached c;
    assert_int_equal(load(&c), 0);
    assert_int_equal(c.policy == NULL, expected);
    eg_cached_free(&c);
}

static void a_second_load_parses_nothing(void **state)
{
    struct eg_cached a;
    struct eg_cached b;
    (void)state;
    assert_int_equal(load(&a), 0);
    assert_int_equal(load(&b), 0);
    assert_non_null(a.policy);
    assert_null(b.policy);
    assert_string_equal(a.path, b.path);
    assert_memory_equal(a.blob, b.blob, a.blob->size);
    struct stat st;
    assert_int_equal(stat(a.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    eg_cached_free(&a);
    eg_cached_free(&b);
}

static void a_changed_policy_is_compiled_again(void **state)
{
    (void)state;
    free(fill());
    put_policy("-w");
    assert_hit(false);
    assert_hit(true);
}

static void a_worker_from_before_a_change_keeps_its_blob(void **state)
{
    struct eg_cached before;
    struct eg_cached after;
    struct eg_blob *blob = NULL;
    const char *why;
    (void)state;
    assert_int_equal(load(&before), 0);
    put_policy("-w");
    assert_int_equal(load(&after), 0);
    assert_string_not_equal(before.path, after.path);
    assert_int_equal(eg_blob_read(before.path, &blob, &why), 0);
    assert_memory_equal(blob, before.blob, before.blob->size);
    eg_blob_free(blob);
    eg_cached_free(&before);
    eg_cached_free(&after);
}

static void a_link_that_leads_elsewhere_is_not_followed(void **state)
{
    struct eg_cached c;
    char link[256];
    (void)state;
    assert_int_equal(load(&c), 0);
    /* the only link of the folder */
    char command[512];
    snprintf(command, sizeof(command), "find %s -type l", in_folder("cache"));
    FILE *names = popen(command, "r");
    assert_non_null(fgets(link, sizeof(link), names));
    link[strcspn(link, "\n")] = '\0';
    pclose(names);
    /* another policy's blob under this one's name */
    char *good = strdup(c.path);
    const char *wrong = in_folder("cache/00000000000000000000000000000000.blob");
    assert_int_equal(eg_blob_write(c.blob, wrong), 0);
    eg_cached_free(&c);
    static const char *const targets[] = { "00000000000000000000000000000000.blob", "/etc/passwd",
                                           "../web.policy", "." };
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        unlink(link);
        assert_int_equal(symlink(targets[i], link), 0);
        assert_int_equal(load(&c), 0);
        assert_non_null(c.policy);
        assert_string_equal(c.path, good);
        eg_cached_free(&c);
        assert_hit(true);
    }
    free(good);
}

static void a_changed_program_is_compiled_again(void **state)
{
    (void)state;
    free(fill());
    unlink(in_folder("tool"));
    copy_program("/usr/bin/true", "tool");
    assert_hit(false);
    assert_hit(true);
    assert_int_equal(chmod(in_folder("tool"), 0711), 0);
    assert_hit(false);
    if (geteuid() == 0) {
        assert_int_equal(chown(in_folder("tool"), 0, 5), 0);
        assert_hit(false);
    }
    assert_hit(true);
}

static void a_redirected_link_is_compiled_again(void **state)
{
    (void)state;
    assert_int_equal(rename(in_folder("tool"), in_folder("tool-1")), 0);
    copy_program("/usr/bin/false", "tool-2");
    assert_int_equal(symlink("tool-1", in_folder("tool")), 0);
    free(fill());
    unlink(in_folder("tool"));
    assert_int_equal(symlink("tool-2", in_folder("tool")), 0);
    assert_hit(false);
}

static void an_optional_program_that_appears_is_compiled_in(void **state)
{
    char text[256];
    (void)state;
    snprintf(text, sizeof(text), "exec {\n allow optional %s/later\n}\n", folder);
    put_file("web.policy", text, strlen(text), 0644);
    free(fill());
    assert_hit(true);
    copy_program("/usr/bin/true", "later");
    struct eg_cached c;
    assert_int_equal(load(&c), 0);
    assert_non_null(c.policy);
    assert_true(in_exec_set(c.blob, in_folder("later")));
    eg_cached_free(&c);
}

static void a_damaged_file_is_never_used(void **state)
{
    (void)state;
    char *path = fill();
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    for (off_t at = 0; at < st.st_size; at += st.st_size / 37) {
        unsigned char byte;
        int fd = open(path, O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        assert_hit(false); /* and written anew */
        assert_hit(true);
    }
    assert_int_equal(truncate(path, st.st_size / 2), 0);
    assert_hit(false);
    assert_int_equal(truncate(path, 0), 0);
    assert_hit(false);
    assert_hit(true);
    free(path);
}

static void a_file_that_others_could_write_is_never_used(void **state)
{
    (void)state;
    char *path = fill();
    assert_int_equal(chmod(path, 0666), 0);
    assert_hit(false);
    assert_hit(true);
    char *elsewhere = strdup(in_folder("elsewhere"));
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_hit(false);
    assert_hit(true);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 12345, 12345), 0);
        assert_hit(false);
    }
    free(elsewhere);
    free(path);
}

static void a_folder_that_is_not_ours_is_refused(void **state)
{
    struct eg_cached c;
    (void)state;
    assert_int_equal(chmod(in_folder("cache"), 0777), 0);
    assert_int_equal(load(&c), -EPERM);
    assert_non_null(c.what);
    assert_null(c.blob);
    eg_cached_free(&c);
    assert_int_equal(chmod(in_folder("cache"), 0755), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(in_folder("cache"), 12345, 12345), 0);
        assert_int_equal(load(&c), -EPERM);
        assert_int_equal(chown(in_folder("cache"), 0, 0), 0);
    }
    assert_int_equal(rename(in_folder("cache"), in_folder("real")), 0);
    assert_int_equal(symlink("real", in_folder("cache")), 0);
    assert_true(load(&c) < 0);
}

static void a_policy_that_others_can_write_by_now_is_refused_on_a_hit(void **state)
{
    /* the folder lies under /tmp, which root trusts for nothing */
    struct eg_policy_options checked = { .check_owner = true, .guard_uid = 1 };
    struct eg_cached c;
    (void)state;
    if (geteuid() != 0) skip();
    assert_int_equal(load_with(&checked, NULL, &c), 0);
    eg_cached_free(&c);
    assert_int_equal(load_with(&checked, NULL, &c), 0);
    assert_null(c.policy);
    eg_cached_free(&c);
    assert_int_equal(chmod(in_folder("web.policy"), 0646), 0);
    assert_int_equal(load_with(&checked, NULL, &c), -EINVAL);
    eg_cached_free(&c);
    assert_int_equal(chmod(in_folder("web.policy"), 0644), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(load_with(&checked, NULL, &c), -EINVAL);
    eg_cached_free(&c);
}

static void other_options_are_other_files(void **state)
{
    const char *files[] = { "/etc/hostname", NULL };
    struct eg_compile_options events = { .events = "/var/log/x" };
    struct eg_compile_options guarded = { .guard_files = files };
    struct eg_cached a;
    struct eg_cached b;
    struct eg_cached c;
    (void)state;
    assert_int_equal(load(&a), 0);
    assert_int_equal(load_with(&unchecked, &events, &b), 0);
    assert_int_equal(load_with(&unchecked, &guarded, &c), 0);
    assert_string_not_equal(a.path, b.path);
    assert_string_not_equal(a.path, c.path);
    assert_string_not_equal(b.path, c.path);
    const struct eg_blob_sink *sink = eg_blob_section(b.blob, EG_SECTION_SINKS);
    assert_int_equal(eg_blob_count(b.blob, EG_SECTION_SINKS), 1);
    assert_int_equal(sink->kind, EG_SINK_FILE);
    assert_string_equal(eg_blob_cstr(b.blob, sink->target), "/var/log/x");
    eg_cached_free(&a);
    eg_cached_free(&b);
    eg_cached_free(&c);
}

static void a_bad_policy_is_not_kept(void **state)
{
    struct eg_cached c;
    (void)state;
    put_file("web.policy", "exec {\n allow /no/such\n}\n", 25, 0644);
    assert_int_equal(load(&c), -EINVAL);
    assert_non_null(c.policy);
    assert_null(c.blob);
    assert_null(c.path);
    eg_cached_free(&c);
    char command[128];
    snprintf(command, sizeof(command), "test -z \"$(ls %s)\"", in_folder("cache"));
    assert_int_equal(system(command), 0);
}

static void a_policy_is_found_by_its_name(void **state)
{
    struct eg_policy_options options = { .search = { "/no/such/folder", folder, NULL } };
    struct eg_diagnostics diagnostics = { 0 };
    struct eg_cached c;
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            eg_cache_load_in(in_folder("cache"), "web", &options, NULL, &diagnostics, &c), 0);
        assert_int_equal(c.policy == NULL, i == 1);
        assert_string_equal(eg_blob_cstr(c.blob, c.blob->name), "web");
        eg_cached_free(&c);
    }
    assert_int_equal(
        eg_cache_load_in(in_folder("cache"), "other", &options, NULL, &diagnostics, &c), -EINVAL);
    eg_cached_free(&c);
    eg_diagnostics_free(&diagnostics);
}

static void many_starts_at_once_all_succeed(void **state)
{
    pid_t children[8];
    (void)state;
    for (int i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i] != 0) continue;
        int failures = 0;
        for (int n = 0; n < 20; n++) {
            struct eg_cached c;
            if (i % 2) unlink(in_folder("cache/none"));
            failures += load(&c) != 0 || !eg_blob_id_matches(c.blob);
            if (i == 0 && c.path) unlink(c.path);
            eg_cached_free(&c);
        }
        _exit(failures ? 1 : 0);
    }
    for (int i = 0; i < 8; i++) {
        int status;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
}

static void a_blob_file_says_what_is_wrong_with_it(void **state)
{
    struct eg_blob *blob = NULL;
    const char *why = "";
    (void)state;
    assert_int_equal(eg_blob_read(in_folder("nothing"), &blob, &why), -ENOENT);
    assert_int_equal(eg_blob_read(folder, &blob, &why), -EINVAL);
    assert_string_equal(why, "it is not a regular file");
    assert_int_equal(eg_blob_read(in_folder("web.policy"), &blob, &why), -EINVAL);
    assert_string_equal(why, "it is not a compiled policy");
    put_file("huge", "", 0, 0644);
    assert_int_equal(truncate(in_folder("huge"), (off_t)EG_BLOB_MAX + 1), 0);
    assert_int_equal(eg_blob_read(in_folder("huge"), &blob, &why), -EFBIG);
    assert_null(blob);
    struct compiled c;
    compile_text(&c, "exec { }\n");
    assert_int_equal(eg_blob_write(c.blob, in_folder("no/folder")), -ENOENT);
    assert_int_equal(eg_blob_write(c.blob, in_folder("blob")), 0);
    assert_int_equal(eg_blob_read(in_folder("blob"), &blob, &why), 0);
    assert_memory_equal(blob, c.blob, c.blob->size);
    eg_blob_free(blob);
    compiled_done(&c);
}

/* What a user other than root gets, in the child of a root that tests. */
static char *folder_of_user(uid_t uid, const char *xdg, int *ret_error)
{
    assert_int_equal(setgid(uid), 0);
    assert_int_equal(setuid(uid), 0);
    unsetenv("HOME");
    if (xdg)
        setenv("XDG_CACHE_HOME", xdg, 1);
    else
        unsetenv("XDG_CACHE_HOME");
    return eg_cache_folder(true, ret_error);
}

static void an_unprivileged_user_gets_a_folder_of_its_own(void **state)
{
    const uid_t uid = 54321;
    char tmp[64];
    (void)state;
    if (geteuid() != 0) skip();
    snprintf(tmp, sizeof(tmp), "/tmp/execguard-%u", uid);
    rmdir(tmp);
    assert_int_equal(mkdir(in_folder("xdg"), 0700), 0);
    assert_int_equal(chown(in_folder("xdg"), uid, uid), 0);
    assert_int_equal(mkdir(tmp, 0700), 0); /* planted by another user: root */
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int error = 0;
        struct stat st;
        char *path = folder_of_user(uid, in_folder("xdg"), &error);
        if (!path || strcmp(path, in_folder("xdg/execguard")) != 0) _exit(1);
        if (stat(path, &st) < 0 || (st.st_mode & 07777) != 0700 || st.st_uid != uid) _exit(2);
        if (chmod(path, 0722) < 0 || eg_cache_folder(true, &error) || error >= 0) _exit(3);
        unsetenv("XDG_CACHE_HOME");
        if (eg_cache_folder(true, &error) || error != -EACCES) _exit(4);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    rmdir(tmp);
    assert_int_equal(status, 0);
}

static void a_hit_costs_well_below_100_microseconds(void **state)
{
    struct timespec before;
    struct timespec after;
    char text[2048];
    size_t n = 0;
    static const char *const names[] = { "id",   "date", "sort", "wc",  "cut",
                                         "head", "tail", "uniq", "env", "nice" };
    double best = 1e9;
    (void)state;
    n += (size_t)sprintf(text, "exec {\n");
    for (int i = 0; i < 10; i++)
        n += (size_t)sprintf(text + n, " allow /usr/bin/%s -a <int> {b|c} [-d <word>]\n", names[i]);
    strcpy(text + n, "}\n");
    put_file("web.policy", text, strlen(text), 0644);
    free(fill());
    for (int i = 0; i < 200; i++) {
        struct eg_cached c;
        clock_gettime(CLOCK_MONOTONIC, &before);
        assert_int_equal(load(&c), 0);
        clock_gettime(CLOCK_MONOTONIC, &after);
        assert_null(c.policy);
        eg_cached_free(&c);
        double us = (double)(after.tv_sec - before.tv_sec) * 1e6 +
                    (double)(after.tv_nsec - before.tv_nsec) / 1e3;
        if (us < best) best = us;
    }
    print_message("# a hit took %.0f us\n", best);
    assert_true(best < 100);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, prepare, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_second_load_parses_nothing),
        WITH_FOLDER(a_changed_policy_is_compiled_again),
        WITH_FOLDER(a_worker_from_before_a_change_keeps_its_blob),
        WITH_FOLDER(a_link_that_leads_elsewhere_is_not_followed),
        WITH_FOLDER(a_changed_program_is_compiled_again),
        WITH_FOLDER(a_redirected_link_is_compiled_again),
        WITH_FOLDER(an_optional_program_that_appears_is_compiled_in),
        WITH_FOLDER(a_damaged_file_is_never_used),
        WITH_FOLDER(a_file_that_others_could_write_is_never_used),
        WITH_FOLDER(a_folder_that_is_not_ours_is_refused),
        WITH_FOLDER(a_policy_that_others_can_write_by_now_is_refused_on_a_hit),
        WITH_FOLDER(other_options_are_other_files),
        WITH_FOLDER(a_bad_policy_is_not_kept),
        WITH_FOLDER(a_policy_is_found_by_its_name),
        WITH_FOLDER(many_starts_at_once_all_succeed),
        WITH_FOLDER(a_blob_file_says_what_is_wrong_with_it),
        WITH_FOLDER(an_unprivileged_user_gets_a_folder_of_its_own),
        WITH_FOLDER(a_hit_costs_well_below_100_microseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
