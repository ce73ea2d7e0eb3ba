// SPDX-License-Identifier: MIT
/* What the domain refuses, and beside each refusal what must still work. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "blob_builder.h"
#include "guarded_child.h"

#define FREE (EG_BLOB_NO_NEW_PRIVS | EG_BLOB_WRITE_FREE)

static int abi;

static void need_abi(int wanted)
{
    if (abi < wanted) skip();
}

static struct eg_blob *finish(struct blob_builder *b)
{
    struct eg_blob *blob = blob_builder_finish(b);
    blob_builder_done(b);
    return blob;
}

/* true and its loader may run, writes are free. */
static struct eg_blob *free_blob(void)
{
    struct blob_builder b;
    blob_builder_init(&b, FREE);
    blob_builder_allow(&b, blob_builder_loader());
    blob_builder_allow(&b, "/usr/bin/true");
    blob_builder_guard_file(&b, path("kept/guard.policy"));
    return finish(&b);
}

static void check_exec_set(const void *blob)
{
    CHECK(run_program("/usr/bin/true", NULL) == 0);
    CHECK(run_program("/usr/bin/false", NULL) == 1);
    install(blob, EG_STAGE_FINAL);
    CHECK(run_program("/usr/bin/true", NULL) == 0);
    CHECK(run_program("/usr/bin/false", NULL) == -EACCES);
    CHECK(run_program(path("false-link"), NULL) == -EACCES);
    CHECK(run_program(path("false-copy"), NULL) == -EACCES);
    CHECK(run_program(path("false-symlink"), NULL) == -EACCES);
}

static void only_the_exec_set_and_its_loader_run(void **state)
{
    (void)state;
    need_abi(1);
    struct eg_blob *blob = free_blob();
    copy_program("/usr/bin/false", path("false-copy"));
    assert_return_code(symlink("/usr/bin/false", path("false-symlink")), errno);
    assert_return_code(link(path("false-copy"), path("false-link")), errno);
    assert_true(in_both(check_exec_set, blob));
    free(blob);
}

static void check_without_loader(const void *blob)
{
    install(blob, EG_STAGE_FINAL);
    CHECK(run_program("/usr/bin/true", NULL) == -EACCES);
}

static void a_program_without_its_loader_does_not_run(void **state)
{
    (void)state;
    need_abi(1);
    struct blob_builder b;
    blob_builder_init(&b, FREE);
    blob_builder_allow(&b, "/usr/bin/true");
    struct eg_blob *blob = finish(&b);
    assert_true(in_both(check_without_loader, blob));
    free(blob);
}

static void check_replaced(const void *blob)
{
    struct eg_guard_plan plan = { .blob = blob, .stage = EG_STAGE_FINAL };
    struct eg_guard_error error;
    CHECK(eg_guard_install(&plan, &error) == 0);
    CHECK(plan.replaced == 2); /* one replaced, one removed; the missing one is none */
    CHECK(run_program(path("tool"), NULL) == -EACCES);
    CHECK(run_program("/usr/bin/true", NULL) == 0);
}

static void a_replaced_program_is_counted_and_does_not_run(void **state)
{
    (void)state;
    need_abi(1);
    struct blob_builder b;
    copy_program("/usr/bin/true", path("tool"));
    copy_program("/usr/bin/true", path("removed"));
    blob_builder_init(&b, FREE);
    blob_builder_allow(&b, blob_builder_loader());
    blob_builder_allow(&b, "/usr/bin/true");
    blob_builder_allow(&b, path("tool"));
    blob_builder_allow(&b, path("removed"));
    blob_builder_allow(&b, path("never-there"));
    struct eg_blob *blob = finish(&b);
    copy_program("/usr/bin/true", path("tool-new"));
    assert_return_code(rename(path("tool-new"), path("tool")), errno);
    assert_return_code(unlink(path("removed")), errno);
    assert_true(in_both(check_replaced, blob));
    free(blob);
}

static void check_kernel_files(const void *blob)
{
    bool root = geteuid() == 0;
    CHECK(open_for_writing("/proc/self/mem") == 0);
    CHECK(open_for_writing("/proc/self/comm") == 0);
    if (root)
        CHECK(open_for_writing("/sys/kernel/profiling") == 0 ||
              open_for_writing("/sys/kernel/mm/ksm/run") == 0 ||
              open_for_writing("/sys/kernel/rcu_expedited") == 0);
    CHECK(open_for_writing("/dev/random") == 0);
    install(blob, EG_STAGE_FINAL);
    CHECK(open_for_writing("/proc/self/mem") == -EACCES);
    CHECK(open_for_writing("/proc/self/comm") == -EACCES);
    CHECK(open_for_writing("/proc/thread-self/mem") == -EACCES);
    if (root) CHECK(open_for_writing("/sys/kernel/rcu_expedited") == -EACCES);
    CHECK(open_for_writing("/dev/random") == -EACCES);
    if (root) CHECK(open_for_writing("/dev/kmsg") == -EACCES);
    CHECK(open_for_writing("/dev/null") == 0);
    CHECK(open_for_writing("/dev/zero") == 0);
    CHECK(open_for_writing("/dev/full") == -ENOSPC || open_for_writing("/dev/full") == 0);
    CHECK(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0666) >= 0);
    int shm = open("/dev/shm/eg-unit", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(shm >= 0 && ftruncate(shm, 4096) == 0 && unlink("/dev/shm/eg-unit") == 0);
    int pty = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    CHECK(pty >= 0);
}

static void proc_sys_and_devices_are_not_written(void **state)
{
    (void)state;
    need_abi(1);
    struct eg_blob *blob = free_blob();
    assert_true(in_both(check_kernel_files, blob));
    free(blob);
}

static void check_free_writes(const void *blob)
{
    install(blob, EG_STAGE_FINAL);
    /* the test's own folder lies above a guard file: nothing new can be made in it */
    CHECK(open(path("new"), O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    CHECK(open_for_writing(path("beside")) == 0);
    CHECK(mkdir(path("open/dir"), 0700) == 0 && rmdir(path("open/dir")) == 0);
    int fd = open(path("open/file"), O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0);
    CHECK(truncate(path("open/file"), 10) == 0);
    CHECK(mkdir(path("open/sub"), 0700) == 0);
    if (abi >= 2) CHECK(rename(path("open/file"), path("open/sub/file")) == 0);
    if (abi >= 2) CHECK(link(path("open/sub/file"), path("open/hard")) == 0);
    if (abi >= 2) CHECK(unlink(path("open/hard")) == 0 && unlink(path("open/sub/file")) == 0);
    if (abi < 2) CHECK(unlink(path("open/file")) == 0);
    CHECK(rmdir(path("open/sub")) == 0);
    CHECK(symlink("x", path("open/sym")) == 0 && unlink(path("open/sym")) == 0);
    CHECK(mkfifo(path("open/fifo"), 0600) == 0 && unlink(path("open/fifo")) == 0);
}

static void all_else_is_written_freely(void **state)
{
    (void)state;
    need_abi(1);
    struct eg_blob *blob = free_blob();
    assert_true(in_both(check_free_writes, blob));
    free(blob);
}

static void check_guard_file(const void *blob)
{
    CHECK(open_for_writing(path("kept/guard.policy")) == 0);
    install(blob, EG_STAGE_FINAL);
    CHECK(open_for_writing(path("kept/guard.policy")) == -EACCES);
    CHECK(open_for_writing(path("kept/beside")) == 0);
    CHECK(open_for_writing(path("link-to-kept/guard.policy")) == -EACCES);
    CHECK(truncate(path("kept/guard.policy"), 0) < 0 && errno == EACCES);
    CHECK(unlink(path("kept/guard.policy")) < 0 && errno == EACCES);
    CHECK(rename(path("kept/guard.policy"), path("open/g")) < 0);
    CHECK(rename(path("kept"), path("open/kept")) < 0);
    CHECK(rename(path("open"), path("kept")) < 0);
    CHECK(link(path("kept/guard.policy"), path("open/g")) < 0);
    CHECK(rename(path("kept/beside"), path("kept/guard.policy")) < 0);
}

static void the_guard_file_is_not_written_even_by_root(void **state)
{
    (void)state;
    need_abi(3);
    struct eg_blob *blob = free_blob();
    assert_true(in_both(check_guard_file, blob));
    free(blob);
}

#define MANY   300
#define GUARDS 5

static void check_many(const void *blob)
{
    char name[64];
    install(blob, EG_STAGE_FINAL);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "many/a-rather-long-name-%d", i);
        CHECK(open_for_writing(path(name)) == 0);
    }
    for (int i = 0; i < GUARDS; i++) {
        snprintf(name, sizeof(name), "many/%d/guard", i);
        CHECK(open_for_writing(path(name)) == -EACCES);
        snprintf(name, sizeof(name), "many/%d/beside", i);
        CHECK(open_for_writing(path(name)) == 0);
    }
}

static void every_entry_beside_guard_files_is_granted(void **state)
{
    (void)state;
    need_abi(1);
    struct blob_builder b;
    char name[64];
    blob_builder_init(&b, FREE);
    assert_return_code(mkdir(path("many"), 0777), errno);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "many/a-rather-long-name-%d", i);
        write_file(path(name), "x");
        if (i % (MANY / GUARDS) != 0) continue;
        int n = i / (MANY / GUARDS);
        snprintf(name, sizeof(name), "many/%d", n);
        assert_return_code(mkdir(path(name), 0777), errno);
        snprintf(name, sizeof(name), "many/%d/guard", n);
        write_file(path(name), "x");
        blob_builder_guard_file(&b, path(name));
        snprintf(name, sizeof(name), "many/%d/beside", n);
        write_file(path(name), "x");
        for (int k = 0; k < MANY / 2; k++) { /* more than one read of the folder gives */
            snprintf(name, sizeof(name), "many/%d/another-rather-long-name-%d", n, k);
            write_file(path(name), "x");
        }
    }
    struct eg_blob *blob = finish(&b);
    assert_true(in_both(check_many, blob));
    free(blob);
}

static void check_device_nodes(const void *blob)
{
    if (geteuid() == 0) {
        CHECK(mknod(path("open/node"), S_IFCHR | 0600, 0x103) == 0);
        CHECK(unlink(path("open/node")) == 0);
    }
    install(blob, EG_STAGE_FINAL);
    CHECK(mknod(path("open/node"), S_IFCHR | 0600, 0x103) < 0 && errno == EACCES);
    CHECK(mknod(path("open/node"), S_IFBLK | 0600, 0x800) < 0 && errno == EACCES);
}

static void nobody_makes_device_nodes(void **state)
{
    (void)state;
    need_abi(1);
    struct eg_blob *blob = free_blob();
    assert_true(in_both(check_device_nodes, blob));
    free(blob);
}

static struct sockaddr_un abstract_address(socklen_t *ret_size)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int n =
        snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "eg-unit-%d", (int)getppid());
    *ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    return address;
}

static void check_scopes(const void *blob)
{
    socklen_t size;
    struct sockaddr_un address = abstract_address(&size);
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    pid_t outside = getppid();
    CHECK(connect(s, (struct sockaddr *)&address, size) == 0);
    close(s);
    s = socket(AF_UNIX, SOCK_DGRAM, 0);
    install(blob, EG_STAGE_FINAL);
    CHECK(connect(s, (struct sockaddr *)&address, size) < 0 && errno == EPERM);
    CHECK(kill(outside, 0) < 0 && errno == EPERM);
    pid_t inside = fork();
    if (inside == 0) {
        pause();
        _exit(0);
    }
    CHECK(kill(inside, SIGKILL) == 0);
}

static void signals_and_abstract_sockets_stay_inside(void **state)
{
    (void)state;
    need_abi(6);
    struct eg_blob *blob = free_blob();
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int n =
        snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "eg-unit-%d", (int)getpid());
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_return_code(bind(s, (struct sockaddr *)&address,
                            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)),
                       errno);
    assert_true(in_child(CHILD_SAME, check_scopes, blob));
    close(s);
    free(blob);
}

static int create(const char *file)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    close(fd);
    unlink(file);
    return 0;
}

static void check_trees(const void *blob)
{
    install(blob, EG_STAGE_FINAL);
    CHECK(open_for_writing("/dev/null") == 0);
    CHECK(create(path("new")) == -EACCES);
    CHECK(create("/tmp/eg-unit-new") == -EACCES);
    CHECK(create(path("open/new")) == 0);            /* path/ ** */
    CHECK(create(path("sites/a/uploads/new")) == 0); /* a glob in the middle */
    CHECK(create(path("sites/a/uploads/x/new")) == 0);
    CHECK(create(path("sites/b/uploads/new")) == 0);
    CHECK(create(path("sites/a/private/new")) == -EACCES);
    CHECK(create(path("sites/evil/uploads/new")) == -EACCES); /* a symlink found by a glob */
    CHECK(open_for_writing(path("outside/file")) == -EACCES);
    CHECK(open_for_writing(path("single")) == 0); /* a plain file */
    CHECK(open_for_writing(path("beside")) == -EACCES);
    CHECK(open_for_writing(path("logs/a.log")) == 0); /* a glob at the end */
    CHECK(open_for_writing(path("logs/a.txt")) == -EACCES);
    CHECK(create(path("logs/dir.log/new")) == -EACCES); /* `*` does not cross folders */
    CHECK(create(path("deep/1/2/cache/new")) == 0);     /* ** in the middle */
    CHECK(create(path("deep/cache/new")) == 0);
    CHECK(create(path("deep/1/2/new")) == -EACCES);
    CHECK(create(path("alias-target/new")) == 0); /* the policy's own symlink */
    CHECK(open_for_writing(path("kept/guard.policy")) == -EACCES);
    CHECK(open_for_writing(path("kept/beside")) == 0);
    CHECK(run_program(path("build/tool"), NULL) == 0); /* a build tree is executed too */
    CHECK(create(path("build/new")) == 0);
    CHECK(open_for_writing("/proc/self/mem") == -EACCES);
    CHECK(run_program(path("open/tool"), NULL) == -EACCES);
}

static void only_the_trees_of_a_write_block_are_written(void **state)
{
    static const char *const folders[] = {
        "sites",   "sites/a",      "sites/a/uploads", "sites/a/uploads/x", "sites/a/private",
        "sites/b", "logs",         "sites/b/uploads", "sites/evil",        "outside",
        "deep",    "deep/1",       "deep/1/2",        "deep/1/2/cache",    "deep/cache",
        "build",   "logs/dir.log", "alias-target",
    };
    static const char *const files[] = { "single", "logs/a.log", "logs/a.txt", "outside/file" };
    (void)state;
    need_abi(1);
    struct blob_builder b;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        assert_return_code(mkdir(path(folders[i]), 0777), errno);
        assert_return_code(chmod(path(folders[i]), 0777), errno);
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) write_file(path(files[i]), "x");
    copy_program("/usr/bin/true", path("build/tool"));
    copy_program("/usr/bin/true", path("open/tool"));
    assert_return_code(symlink("../../outside", path("sites/evil/uploads")), errno);
    assert_return_code(symlink("alias-target", path("alias")), errno);
    blob_builder_init(&b, EG_BLOB_NO_NEW_PRIVS);
    blob_builder_allow(&b, blob_builder_loader());
    blob_builder_guard_file(&b, path("kept/guard.policy"));
    blob_builder_write_tree(&b, path("open/**"), EG_TREE_ALLOW);
    blob_builder_write_tree(&b, path("sites/*/uploads/**"), EG_TREE_ALLOW);
    blob_builder_write_tree(&b, path("single"), EG_TREE_LOG);
    blob_builder_write_tree(&b, path("logs/*.log"), EG_TREE_ALLOW);
    blob_builder_write_tree(&b, path("deep/**/cache/**"), EG_TREE_ALLOW);
    blob_builder_write_tree(&b, path("alias/**"), EG_TREE_ALLOW);
    blob_builder_write_tree(&b, path("kept/**"), EG_TREE_ALLOW);
    blob_builder_write_tree(&b, path("not-there/**"), EG_TREE_ALLOW);
    blob_builder_write_tree(&b, "/proc/self/mem", EG_TREE_ALLOW);
    blob_builder_write_tree(&b, path("build"), EG_TREE_BUILD);
    struct eg_blob *blob = finish(&b);
    assert_true(in_both(check_trees, blob));
    free(blob);
}

static void install_supervised(const void *blob)
{
    struct eg_guard_plan plan = { .blob = blob, .stage = EG_STAGE_LAUNCH, .supervised = true };
    struct eg_guard_error error = { 0 };
    int r = eg_guard_install(&plan, &error);
    if (r < 0) dprintf(2, "%s: %d\n", error.what, r);
    CHECK(r == 0);
}

/* Supervised: the upload tree is the supervisor's alone, and no folder above it
 * can be moved or replaced. */
static void check_supervised_uploads(const void *blob)
{
    install_supervised(blob);
    CHECK(create(path("www/a/uploads/new")) == -EACCES);
    CHECK(create(path("www/a/uploads/sub/new")) == -EACCES);
    CHECK(open_for_writing(path("www/a/uploads/old")) == -EACCES);
    CHECK(unlink(path("www/a/uploads/old")) < 0 && errno == EACCES);
    CHECK(rename(path("www/a/uploads/old"), path("www/a/cache/x")) < 0);
    CHECK(rename(path("www/a/uploads"), path("www/a/cache/x")) < 0);
    CHECK(rename(path("www/a"), path("www/b")) < 0 && errno == EACCES);
    CHECK(rename(path("www"), path("www2")) < 0);
    CHECK(symlink("/tmp", path("www/new")) < 0 && errno == EACCES);
    CHECK(mkdir(path("www/new"), 0755) < 0 && errno == EACCES);
    CHECK(create(path("www/a/cache/new")) == 0);
    CHECK(open_for_writing(path("www/a/index")) == 0);
    CHECK(create(path("open/new")) == 0);
    CHECK(open_for_writing("/dev/null") == 0);
}

static void check_unsupervised_uploads(const void *blob)
{
    install(blob, EG_STAGE_FINAL);
    CHECK(create(path("www/a/uploads/new")) == 0);
    CHECK(create(path("www/a/cache/new")) == 0);
    CHECK(create(path("beside-new")) == -EACCES);
}

static void upload_trees_belong_to_the_supervisor(void **state)
{
    static const char *const folders[] = { "www", "www/a", "www/a/uploads", "www/a/uploads/sub",
                                           "www/a/cache" };
    (void)state;
    need_abi(1);
    struct blob_builder b;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        assert_return_code(mkdir(path(folders[i]), 0777), errno);
        assert_return_code(chmod(path(folders[i]), 0777), errno);
    }
    write_file(path("www/a/uploads/old"), "x");
    write_file(path("www/a/index"), "x");
    blob_builder_init(&b, EG_BLOB_NO_NEW_PRIVS);
    blob_builder_allow(&b, blob_builder_loader());
    blob_builder_write_tree(&b, path("www/**"), EG_TREE_ALLOW);
    blob_builder_write_tree(&b, path("www/*/uploads/**"), EG_TREE_ALLOW);
    blob_builder_write_tree(&b, path("www/a/uploads/sub/**"), EG_TREE_ALLOW);
    blob_builder_write_tree(&b, path("open/**"), EG_TREE_ALLOW);
    const struct eg_blob_upload upload = { .root = blob_builder_string(&b, path("www/*/uploads")) };
    blob_builder_add(&b, EG_SECTION_UPLOADS, &upload);
    struct eg_blob *blob = finish(&b);
    assert_true(in_both(check_supervised_uploads, blob));
    assert_true(in_both(check_unsupervised_uploads, blob));
    free(blob);
}

static int set_up(void **state)
{
    struct eg_kernel kernel;
    (void)state;
    umask(0);
    eg_kernel_ask(&kernel);
    abi = kernel.landlock_abi;
    make_folder();
    if (mkdir(path("kept"), 0777) < 0 || mkdir(path("open"), 0777) < 0) return -1;
    write_file(path("kept/guard.policy"), "mode enforce\n");
    write_file(path("kept/beside"), "x");
    write_file(path("beside"), "x");
    return symlink("kept", path("link-to-kept"));
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_exec_set_and_its_loader_run),
        cmocka_unit_test(a_program_without_its_loader_does_not_run),
        cmocka_unit_test(a_replaced_program_is_counted_and_does_not_run),
        cmocka_unit_test(proc_sys_and_devices_are_not_written),
        cmocka_unit_test(all_else_is_written_freely),
        cmocka_unit_test(the_guard_file_is_not_written_even_by_root),
        cmocka_unit_test(every_entry_beside_guard_files_is_granted),
        cmocka_unit_test(nobody_makes_device_nodes),
        cmocka_unit_test(signals_and_abstract_sockets_stay_inside),
        cmocka_unit_test(only_the_trees_of_a_write_block_are_written),
        cmocka_unit_test(upload_trees_belong_to_the_supervisor),
    };
    return cmocka_run_group_tests_name("the domain", tests, set_up, tear_down);
}
