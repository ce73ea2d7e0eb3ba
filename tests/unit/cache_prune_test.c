// SPDX-License-Identifier: MIT
/* What leaves the cache of compiled policies, and what never does. */
#include "cache_helper.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "compile/cache.h"
#include "compile/cache_prune.h"

/* The policy's blob, compiled when it is not there; its path, to be freed. */
static char *load(bool *ret_hit)
{
    static const struct eg_policy_options unchecked = { 0 };
    struct eg_diagnostics diagnostics = { 0 };
    struct eg_cached c;
    assert_int_equal(eg_cache_load_in(in_folder("cache"), in_folder("web.policy"), &unchecked, NULL,
                                      &diagnostics, &c),
                     0);
    eg_diagnostics_free(&diagnostics);
    if (ret_hit) *ret_hit = !c.policy;
    char *path = strdup(c.path);
    eg_cached_free(&c);
    return path;
}

static void prune(void)
{
    eg_cache_prune(in_folder("cache"));
}

static void make_old(const char *path, int days)
{
    struct timespec times[2] = { { time(NULL) - days * 24 * 60 * 60, 0 } };
    times[1] = times[0];
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static size_t count(void)
{
    size_t n = 0;
    DIR *entries = opendir(in_folder("cache"));
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries));) n += entry->d_name[0] != '.';
    closedir(entries);
    return n;
}

static void what_was_used_within_a_month_stays(void **state)
{
    (void)state;
    char *path = load(NULL);
    make_old(path, 29);
    prune();
    assert_true(exists(path));
    free(path);
}

static void what_was_not_used_for_a_month_goes_with_its_link(void **state)
{
    (void)state;
    char *path = load(NULL);
    assert_int_equal(count(), 2);
    make_old(path, 31);
    prune();
    assert_false(exists(path));
    assert_int_equal(count(), 0);
    free(path);
}

static void compilations_within_the_hour_look_once(void **state)
{
    (void)state;
    char *path = load(NULL);
    make_old(path, 31);
    eg_cache_prune_at_times(in_folder("cache")); /* the lock was made just now */
    assert_true(exists(path));
    make_old(in_folder("cache/.lock"), 1);
    eg_cache_prune_at_times(in_folder("cache"));
    assert_false(exists(path));
    free(path);
}

static void a_start_makes_its_policy_young(void **state)
{
    bool hit;
    (void)state;
    char *path = load(NULL);
    make_old(path, 31);
    free(load(&hit));
    assert_true(hit);
    prune();
    assert_true(exists(path));
    free(path);
}

static void a_superseded_policy_goes_a_day_later(void **state)
{
    (void)state;
    char *before = load(NULL);
    put_policy("-w");
    char *after = load(NULL);
    assert_true(exists(before));
    make_old(before, 2);
    make_old(after, 2);
    prune();
    assert_false(exists(before));
    assert_true(exists(after));
    free(before);
    free(after);
}

/* Compiling prunes: nobody has to ask for it. */
static void a_later_compilation_removes_it(void **state)
{
    (void)state;
    char *before = load(NULL);
    make_old(before, 31);
    make_old(in_folder("cache/.lock"), 1);
    put_policy("-w");
    free(load(NULL));
    assert_false(exists(before));
    free(before);
}

static void a_process_that_has_it_mapped_keeps_it(void **state)
{
    struct stat st;
    (void)state;
    char *path = load(NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    void *memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_true(memory != MAP_FAILED);
    close(fd);
    make_old(path, 400);
    prune();
    assert_true(exists(path));
    munmap(memory, (size_t)st.st_size);
    prune();
    assert_false(exists(path));
    free(path);
}

static void a_process_whose_environment_names_it_keeps_it(void **state)
{
    char variable[PATH_MAX + 32];
    int ends[2];
    (void)state;
    char *path = load(NULL);
    snprintf(variable, sizeof variable, "EXECGUARD_POLICY=%s", path);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char cat[] = "cat", *argv[] = { cat, NULL }, *envp[] = { variable, NULL };
        dup2(ends[0], 0);
        close(ends[1]);
        execve("/bin/cat", argv, envp);
        _exit(1);
    }
    close(ends[0]);
    /* until it runs its own program */
    char link[64], seen[64] = "";
    snprintf(link, sizeof link, "/proc/%d/comm", (int)pid);
    for (int i = 0; i < 500 && strncmp(seen, "cat", 3) != 0; i++) {
        usleep(10000);
        int fd = open(link, O_RDONLY);
        if (fd >= 0 && read(fd, seen, sizeof seen - 1) < 0) seen[0] = '\0';
        if (fd >= 0) close(fd);
    }
    make_old(path, 400);
    prune();
    assert_true(exists(path));
    close(ends[1]);
    waitpid(pid, NULL, 0);
    prune();
    assert_false(exists(path));
    free(path);
}

static void what_a_killed_compilation_left_goes(void **state)
{
    static const char key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    char path[PATH_MAX], other[PATH_MAX], foreign[PATH_MAX];
    (void)state;
    snprintf(path, sizeof path, "%s/cache/%s.123-4f", folder, key);
    snprintf(other, sizeof other, "%s/cache/%.32s.blob.Ab12Cd", folder, key);
    snprintf(foreign, sizeof foreign, "%s/cache/notes.txt", folder);
    assert_int_equal(symlink("nothing", path), 0);
    close(open(other, O_WRONLY | O_CREAT, 0600));
    close(open(foreign, O_WRONLY | O_CREAT, 0600));
    prune();
    assert_true(exists(path) && exists(other));
    make_old(path, 2);
    make_old(other, 2);
    make_old(foreign, 400);
    prune();
    assert_false(exists(path) || exists(other));
    assert_true(exists(foreign));
}

static void who_uses_something_is_not_disturbed(void **state)
{
    (void)state;
    char *path = load(NULL);
    make_old(path, 31);
    int lock = eg_cache_lock(in_folder("cache"), false);
    assert_true(lock >= 0);
    pid_t pid = fork();
    if (pid == 0) {
        prune();
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    assert_true(exists(path));
    close(lock);
    free(path);
}

/* A start and a pruning at once, about a policy that could go: either the start has it
 * and it stays, or the start compiles it again. */
static void a_start_never_loses_its_policy_to_a_pruning(void **state)
{
    int go[2], done[2];
    char byte = 0;
    unsigned hits = 0;
    (void)state;
    assert_int_equal(pipe(go) | pipe(done), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        while (read(go[0], &byte, 1) == 1) {
            prune();
            if (write(done[1], &byte, 1) != 1) break;
        }
        _exit(0);
    }
    for (int i = 0; i < 200; i++) {
        bool hit;
        free(load(NULL));
        char *path = load(NULL);
        make_old(path, 31);
        free(path);
        assert_int_equal(write(go[1], &byte, 1), 1);
        if (i % 3) usleep((unsigned)(i % 50) * 20);
        path = load(&hit);
        assert_int_equal(read(done[0], &byte, 1), 1);
        assert_true(exists(path));
        hits += hit;
        free(path);
    }
    close(go[1]);
    waitpid(pid, NULL, 0);
    assert_true(hits > 0 && hits < 200); /* both happened */
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, prepare, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(what_was_used_within_a_month_stays),
        WITH_FOLDER(what_was_not_used_for_a_month_goes_with_its_link),
        WITH_FOLDER(compilations_within_the_hour_look_once),
        WITH_FOLDER(a_start_makes_its_policy_young),
        WITH_FOLDER(a_superseded_policy_goes_a_day_later),
        WITH_FOLDER(a_later_compilation_removes_it),
        WITH_FOLDER(a_process_that_has_it_mapped_keeps_it),
        WITH_FOLDER(a_process_whose_environment_names_it_keeps_it),
        WITH_FOLDER(what_a_killed_compilation_left_goes),
        WITH_FOLDER(who_uses_something_is_not_disturbed),
        WITH_FOLDER(a_start_never_loses_its_policy_to_a_pruning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
