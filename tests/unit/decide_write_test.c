// SPDX-License-Identifier: MIT
/* Verdicts on changes of the file tree. */
#include "compile_helper.h"

#include "decide/write.h"

#define REG S_IFREG
#define DIR S_IFDIR
#define LNK S_IFLNK

static struct compiled policy;

static int compile_it(void **state)
{
    (void)state;
    compile_text(&policy, "write {\n"
                          "    allow /tmp-x/** /srv-x/www/*/uploads/** /srv-x/up\n"
                          "    log /srv-x/watched/**\n"
                          "    allow /srv-x/wide/**\n"
                          "}\n"
                          "uploads /srv-x/www/*/uploads {\n"
                          "    deny name scripts *.svg\n"
                          "    deny content php elf\n"
                          "    deny executable\n"
                          "    deny read scripts\n"
                          "}\n"
                          "uploads /srv-x/up { deny name *.exe }\n"
                          "uploads /srv-x/wide/*/in { deny name scripts }\n"
                          "uploads /srv-x/up/deep/loose { deny name *.exe }\n");
    return policy.result;
}

static int free_it(void **state)
{
    (void)state;
    compiled_done(&policy);
    return 0;
}

static struct eg_write_decision ask(enum eg_write_op op, const char *path, const char *other,
                                    uint32_t mode)
{
    struct eg_write_decision decision;
    const struct eg_write_request request = { op, eg_str(path), eg_str(other), mode, false };
    eg_decide_write(policy.blob, &request, &decision);
    return decision;
}

static void check(enum eg_write_op op, const char *path, const char *other, uint32_t mode,
                  enum eg_verdict verdict, enum eg_reason reason)
{
    struct eg_write_decision d = ask(op, path, other, mode);
    if (d.verdict != verdict || d.reason != reason)
        fail_msg("%s (%s, %o): %s %s, expected %s %s", path, other, mode,
                 eg_verdict_name(d.verdict), eg_reason_slug(d.reason), eg_verdict_name(verdict),
                 eg_reason_slug(reason));
}

#define yes(op, path, other, mode)                                                                 \
    check(EG_WRITE_##op, path, other, mode, EG_VERDICT_ALLOW, EG_REASON_NONE)
#define no(reason, op, path, other, mode)                                                          \
    check(EG_WRITE_##op, path, other, mode, EG_VERDICT_DENY, EG_REASON_##reason)

#define UP "/srv-x/www/a/uploads"

static void only_write_trees_are_written(void **state)
{
    (void)state;
    yes(OPEN, "/tmp-x/a", "", 0);
    yes(CREATE, "/tmp-x/a/b.php", "", REG | 0755);
    yes(CREATE, "/tmp-x/", "", REG | 0600); /* O_TMPFILE */
    yes(OPEN, "/dev/null", "", 0);
    yes(CREATE, "/dev/shm/x", "", REG | 0600);
    no(NO_WRITE_TREE, OPEN, "/etc/passwd", "", 0);
    no(NO_WRITE_TREE, CREATE, "/tmp-xy/a", "", REG);
    no(NO_WRITE_TREE, CREATE, "/srv-x/www/a/index.jpg", "", REG);
    no(NO_WRITE_TREE, REMOVE, "/srv-x/www/a/uploads", "", DIR);
    no(NO_WRITE_TREE, OPEN, "/dev/sda", "", 0);
    no(PROTECTED, OPEN, "/proc/self/mem", "", 0);
    no(UNREADABLE, OPEN, "/tmp-x/../etc/passwd", "", 0);
    no(UNREADABLE, OPEN, "tmp-x/a", "", 0);
    no(UNREADABLE, OPEN, "", "", 0);
    assert_int_equal(ask(EG_WRITE_OPEN, "/tmp-x/a", "", 0).rule_line, 2);
    assert_int_equal(ask(EG_WRITE_OPEN, "/srv-x/wide/a", "", 0).rule_line, 4);
}

static void a_name_is_judged_at_every_way_to_make_one(void **state)
{
    (void)state;
    yes(CREATE, UP "/a.jpg", "", REG | 0644);
    no(NAME, CREATE, UP "/a.php", "", REG | 0644);
    no(NAME, CREATE, UP "/deep/er/a.php.jpg", "", REG | 0644);
    no(NAME, OPEN, UP "/a.php", "", REG | 0644);
    no(NAME, MKNOD, UP "/a.php", "", REG | 0644);
    no(NAME, MKDIR, UP "/a.asp", "", 0755);
    yes(MKDIR, UP "/modules", "", 0755);
    no(NAME, CREATE, UP "/modules", "", REG | 0644);
    no(NAME, RENAME, UP "/a.php", "/tmp-x/phpAbC", REG | 0600);
    no(NAME, LINK, UP "/a.php", UP "/a.jpg", REG | 0600);
    no(NAME, LINK, UP "/a.php", "", REG | 0600);
    no(NAME, SYMLINK, UP "/a.php", "a.jpg", 0);
    no(NAME, CREATE, UP "/a.svg", "", REG | 0644);
    no(NAME, CREATE, UP "/.htaccess", "", REG | 0644);
    yes(REMOVE, UP "/a.php", "", REG | 0644);
    yes(ATTRIBUTE, UP "/a.php", "", REG | 0644);
    yes(MODE, UP "/a.php", "", REG | 0600);
    yes(CREATE, UP "/", "", REG | 0600);
    yes(CREATE, "/srv-x/up/a.php", "", REG | 0644);
    no(NAME, CREATE, "/srv-x/up/a.exe", "", REG | 0644);
    assert_int_equal(ask(EG_WRITE_CREATE, UP "/a.php", "", REG).rule_line, 7);
    assert_int_not_equal(ask(EG_WRITE_CREATE, UP "/a.php", "", REG).name, EG_NONE);
}

static void modes_are_masked_when_made_and_refused_afterwards(void **state)
{
    (void)state;
    assert_int_equal(ask(EG_WRITE_CREATE, UP "/a", "", REG | 06777).mode, REG | 0666);
    assert_int_equal(ask(EG_WRITE_MKNOD, UP "/a", "", REG | 0755).mode, REG | 0644);
    assert_int_equal(ask(EG_WRITE_MKDIR, UP "/a", "", 02775).mode, 02775);
    assert_int_equal(ask(EG_WRITE_CREATE, "/srv-x/up/a", "", REG | 04755).mode, REG | 0755);
    assert_int_equal(ask(EG_WRITE_CREATE, "/tmp-x/a", "", REG | 0755).mode, REG | 0755);
    yes(MODE, UP "/a", "", REG | 0666);
    yes(MODE, UP "/a", "", DIR | 02775);
    no(EXECUTABLE, MODE, UP "/a", "", REG | 0744);
    no(SET_ID, MODE, UP "/a", "", REG | 04644);
    no(SET_ID, MODE, "/srv-x/up/a", "", REG | 02644);
    yes(MODE, "/srv-x/up/a", "", REG | 0755);
    no(EXECUTABLE, RENAME, UP "/a", "/tmp-x/a", REG | 0755);
    no(EXECUTABLE, LINK, UP "/a", "", REG | 0700);
    assert_int_equal(ask(EG_WRITE_MODE, UP "/a", "", REG | 0755).rule_line, 9);
}

static void devices_are_never_made(void **state)
{
    (void)state;
    no(FILE_TYPE, MKNOD, UP "/a", "", S_IFCHR | 0666);
    no(FILE_TYPE, MKNOD, UP "/a", "", S_IFBLK | 0666);
    no(FILE_TYPE, RENAME, UP "/a", "/tmp-x/a", S_IFCHR | 0666);
    yes(MKNOD, UP "/a", "", S_IFIFO | 0777);
    yes(CREATE, UP "/a", "", S_IFSOCK | 0777);
    no(NAME, CREATE, UP "/a.php", "", S_IFSOCK | 0777);
}

static void folders_and_links_do_not_come_in_unjudged(void **state)
{
    (void)state;
    no(CROSSES_TREE, RENAME, UP "/new", "/tmp-x/new", DIR | 0755);
    no(CROSSES_TREE, RENAME, UP "/new", "/srv-x/www/b/uploads/new", DIR | 0755);
    no(CROSSES_TREE, RENAME, UP "/new", "/tmp-x/new", LNK | 0777);
    no(CROSSES_TREE, RENAME, UP "/new", "/tmp-x/new", 0);
    yes(RENAME, UP "/new", "/tmp-x/new", REG | 0644);
    yes(RENAME, UP "/new", UP "/old", DIR | 0755);
    yes(RENAME, UP "/a/b/new", UP "/a/old", DIR | 0755);
    /* a link `../../x` in it would lead out */
    no(CROSSES_TREE, RENAME, UP "/new", UP "/a/old", DIR | 0755);
    no(CROSSES_TREE, RENAME, UP "/new", UP "/a/old", LNK | 0777);
    yes(RENAME, UP "/new", UP "/a/old", REG | 0644);
    no(NAME, RENAME, UP "/x.php", UP "/old", DIR | 0755);
    no(CROSSES_TREE, LINK, UP "/a.jpg", "/tmp-x/a.jpg", REG | 0644);
    no(CROSSES_TREE, LINK, "/tmp-x/a.jpg", UP "/a.jpg", REG | 0644);
    yes(LINK, UP "/b.jpg", UP "/a.jpg", REG | 0644);
    /* made without a name: its descriptor shows where */
    yes(LINK, UP "/b.jpg", UP "/#12 (deleted)", REG | 0644);
    no(CROSSES_TREE, LINK, UP "/b.jpg", "/tmp-x/#12 (deleted)", REG | 0644);
    no(CROSSES_TREE, LINK, UP "/b.jpg", "", REG | 0644);
    yes(LINK, "/tmp-x/b", "/tmp-x/a", REG | 0755);
    /* a folder that goes could hold a second name of a file that stays */
    no(CROSSES_TREE, RENAME, "/tmp-x/new", UP "/new", DIR | 0755);
    yes(RENAME, "/tmp-x/new", UP "/new", REG | 0644);
    yes(RENAME, "/tmp-x/new", UP "/new", LNK | 0777);
    /* a tree with other rules lies in it */
    no(UPLOAD_TREE, RENAME, "/srv-x/up/shallow", "/srv-x/up/deep", DIR | 0755);
    no(UPLOAD_TREE, RENAME, "/srv-x/up/deep", "/srv-x/up/shallow", DIR | 0755);
    no(CROSSES_TREE, RENAME, "/srv-x/up/other", "/srv-x/up/deep/loose", DIR | 0755);
    yes(RENAME, "/srv-x/up/shallow", "/srv-x/up/other", DIR | 0755);
}

static void a_file_with_other_names_stays_on_its_side(void **state)
{
    static const char *const pairs[][2] = { { "/tmp-x/a", UP "/a" },
                                            { UP "/a", "/tmp-x/a" },
                                            { UP "/a", "/srv-x/www/b/uploads/a" },
                                            { UP "/a", UP "/b" },
                                            { "/tmp-x/a", "/tmp-x/b" } };
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        const struct eg_write_request request = { EG_WRITE_RENAME, eg_str(pairs[i][0]),
                                                  eg_str(pairs[i][1]), REG | 0644, true };
        struct eg_write_decision decision;
        eg_decide_write(policy.blob, &request, &decision);
        assert_int_equal(decision.reason, i < 3 ? EG_REASON_CROSSES_TREE : EG_REASON_NONE);
    }
}

static void the_tree_itself_stays_where_it_is(void **state)
{
    (void)state;
    yes(MKDIR, "/srv-x/wide/a/in", "", 0755);
    yes(MKDIR, "/srv-x/wide/a", "", 0755);
    no(UPLOAD_TREE, RENAME, "/srv-x/wide/a/in", "/tmp-x/full", DIR | 0755);
    no(UPLOAD_TREE, RENAME, "/tmp-x/gone", "/srv-x/wide/a/in", DIR | 0755);
    no(UPLOAD_TREE, RENAME, "/srv-x/wide/b", "/srv-x/wide/a", DIR | 0755);
    no(UPLOAD_TREE, RENAME, "/srv-x/wide/b", "/tmp-x/full", DIR | 0755);
    no(UPLOAD_TREE, SYMLINK, "/srv-x/wide/a/in", "/tmp-x", 0);
    no(UPLOAD_TREE, SYMLINK, "/srv-x/wide/a", "/tmp-x", 0);
    yes(SYMLINK, "/srv-x/wide/a/other", "/tmp-x", 0);
    yes(RENAME, "/srv-x/wide/a/b", "/srv-x/wide/a/c", DIR | 0755);
    yes(RENAME, "/srv-x/wide/file", "/tmp-x/file", REG | 0755);
}

static void symlinks_stay_inside_and_name_no_script(void **state)
{
    (void)state;
    yes(SYMLINK, UP "/l", "a.jpg", 0);
    yes(SYMLINK, UP "/l", "./deep/er/a.jpg", 0);
    yes(SYMLINK, UP "/deep/l", "../a.jpg", 0);
    yes(SYMLINK, UP "/deep/l", "..", 0);
    yes(SYMLINK, UP "/l", UP "/a.jpg", 0);
    no(LINK_TARGET, SYMLINK, UP "/l", "/etc/passwd", 0);
    no(LINK_TARGET, SYMLINK, UP "/l", "../index.jpg", 0);
    no(LINK_TARGET, SYMLINK, UP "/deep/l", "../../x", 0);
    no(LINK_TARGET, SYMLINK, UP "/deep/l", "a/../x", 0);
    no(LINK_TARGET, SYMLINK, UP "/l", UP "/../x", 0);
    no(LINK_TARGET, SYMLINK, UP "/l", "/srv-x/www/b/uploads/a.jpg", 0);
    no(LINK_TARGET, SYMLINK, UP "/l", "a.php", 0);
    no(LINK_TARGET, SYMLINK, UP "/l", "deep/a.php/", 0);
    no(LINK_TARGET, SYMLINK, UP "/l", UP "x/a.jpg", 0);
}

static void planted_scripts_are_not_read(void **state)
{
    (void)state;
    no(READ_SCRIPT, READ, UP "/a.php", "", 0);
    no(READ_SCRIPT, READ, UP "/deep/a.php.jpg", "", 0);
    no(READ_SCRIPT, READ, UP "/.htaccess", "", 0);
    no(READ_SCRIPT, READ, UP "/x.py", "", 0);
    yes(READ, UP "/a.jpg", "", 0);
    yes(READ, UP "/a.svg", "", 0);
    yes(READ, UP "/package.json", "", 0);
    yes(READ, "/srv-x/www/a/index.php", "", 0);
    yes(READ, "/srv-x/up/a.php", "", 0);
    yes(READ, "/etc/passwd", "", 0);
    assert_true(eg_decide_reads_matter(policy.blob, EG_STR("a.php")));
    assert_true(eg_decide_reads_matter(policy.blob, EG_STR("a.php%00.jpg")));
    assert_false(eg_decide_reads_matter(policy.blob, EG_STR("a.jpg")));
    assert_false(eg_decide_reads_matter(policy.blob, EG_STR("libc.so.6")));
}

static void content_is_asked_for_where_a_file_may_hold_it(void **state)
{
    struct eg_write_decision d;
    (void)state;
    uint32_t kinds = ask(EG_WRITE_CREATE, UP "/a.jpg", "", REG).contents;
    assert_int_not_equal(kinds, 0);
    assert_int_equal(ask(EG_WRITE_RENAME, UP "/a.jpg", "/tmp-x/a", REG).contents, kinds);
    assert_int_equal(ask(EG_WRITE_OPEN, UP "/a.jpg", "", REG).contents, kinds);
    assert_int_equal(ask(EG_WRITE_MKDIR, UP "/a", "", 0755).contents, 0);
    assert_int_equal(ask(EG_WRITE_CREATE, "/tmp-x/a", "", REG).contents, 0);
    uint32_t upload = eg_decide_upload_of(policy.blob, EG_STR(UP "/a"));
    eg_decide_content(policy.blob, upload, kinds & -kinds, &d);
    assert_int_equal(d.verdict, EG_VERDICT_DENY);
    assert_int_equal(d.reason, EG_REASON_CONTENT);
    assert_int_equal(d.rule_line, 8);
    eg_decide_content(policy.blob, upload, ~kinds, &d);
    assert_int_equal(d.verdict, EG_VERDICT_ALLOW);
}

static void log_trees_log_what_changes_names(void **state)
{
    (void)state;
    assert_int_equal(ask(EG_WRITE_CREATE, "/srv-x/watched/a", "", REG).verdict, EG_VERDICT_LOG);
    assert_int_equal(ask(EG_WRITE_REMOVE, "/srv-x/watched/a", "", REG).verdict, EG_VERDICT_LOG);
    assert_int_equal(ask(EG_WRITE_RENAME, "/srv-x/watched/a", "/tmp-x/a", REG).verdict,
                     EG_VERDICT_LOG);
    assert_int_equal(ask(EG_WRITE_OPEN, "/srv-x/watched/a", "", REG).verdict, EG_VERDICT_ALLOW);
}

static void a_write_rule_holds_what_lies_beneath_it(void **state)
{
    (void)state;
    assert_int_equal(eg_decide_tree_of(policy.blob, EG_STR("/tmp-x/a/b")), 0);
    assert_int_equal(eg_decide_tree_of(policy.blob, EG_STR("/srv-x/up")), 2);
    assert_int_equal(eg_decide_tree_of(policy.blob, EG_STR("/srv-x/up/deep/a.so")), 2);
    assert_int_equal(eg_decide_tree_of(policy.blob, EG_STR("/srv-x/upper")), EG_NONE);
    assert_int_equal(eg_decide_tree_of(policy.blob, EG_STR("/etc/passwd")), EG_NONE);
}

static void the_innermost_tree_counts(void **state)
{
    (void)state;
    assert_int_equal(eg_decide_upload_of(policy.blob, EG_STR("/srv-x/www/uploads")), EG_NONE);
    assert_int_equal(eg_decide_upload_of(policy.blob, EG_STR("/srv-x/www/a/uploadsx/b")), EG_NONE);
    assert_int_equal(eg_decide_upload_of(policy.blob, EG_STR(UP)), 0);
    assert_int_equal(eg_decide_upload_of(policy.blob, EG_STR("/srv-x/up/b")), 1);
    assert_true(eg_decide_upload_is_above(policy.blob, EG_STR("/srv-x")));
    assert_true(eg_decide_upload_is_above(policy.blob, EG_STR("")));
    assert_true(eg_decide_upload_is_above(policy.blob, EG_STR("/srv-x/www/any")));
    assert_false(eg_decide_upload_is_above(policy.blob, EG_STR("/srv-x/www/any/other")));
    assert_false(eg_decide_upload_is_above(policy.blob, EG_STR("/tmp-x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_write_trees_are_written),
        cmocka_unit_test(a_name_is_judged_at_every_way_to_make_one),
        cmocka_unit_test(modes_are_masked_when_made_and_refused_afterwards),
        cmocka_unit_test(devices_are_never_made),
        cmocka_unit_test(folders_and_links_do_not_come_in_unjudged),
        cmocka_unit_test(a_file_with_other_names_stays_on_its_side),
        cmocka_unit_test(the_tree_itself_stays_where_it_is),
        cmocka_unit_test(symlinks_stay_inside_and_name_no_script),
        cmocka_unit_test(planted_scripts_are_not_read),
        cmocka_unit_test(content_is_asked_for_where_a_file_may_hold_it),
        cmocka_unit_test(log_trees_log_what_changes_names),
        cmocka_unit_test(a_write_rule_holds_what_lies_beneath_it),
        cmocka_unit_test(the_innermost_tree_counts),
    };
    return cmocka_run_group_tests_name("writes", tests, compile_it, free_it);
}
