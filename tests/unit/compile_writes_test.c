// SPDX-License-Identifier: MIT
/* write and uploads blocks to a blob: canonical patterns, and what is refused or
 * warned of. */
#include "compile_helper.h"

#include "decide/write.h"

static const struct eg_blob_tree *tree_at(const struct compiled *c, uint32_t index)
{
    return (const struct eg_blob_tree *)eg_blob_section(c->blob, EG_SECTION_WRITE_TREES) + index;
}

static const struct eg_blob_upload *upload_at(const struct compiled *c, uint32_t index)
{
    return (const struct eg_blob_upload *)eg_blob_section(c->blob, EG_SECTION_UPLOADS) + index;
}

static void no_write_block_leaves_writes_free(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "exec { }\n");
    assert_compiles(&c);
    assert_true(c.blob->flags & EG_BLOB_WRITE_FREE);
    compiled_done(&c);
    compile_text(&c, "write { }\n");
    assert_compiles(&c);
    assert_false(c.blob->flags & EG_BLOB_WRITE_FREE);
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_WRITE_TREES), 0);
    compiled_done(&c);
}

static void links_before_the_first_glob_are_followed(void **state)
{
    struct compiled c;
    char expected[512];
    (void)state;
    mkdir(in_folder("real"), 0755);
    mkdir(in_folder("real/a*b"), 0755);
    unlink(in_folder("link"));
    unlink(in_folder("star"));
    assert_int_equal(symlink("real", in_folder("link")), 0);
    assert_int_equal(symlink("real/a*b", in_folder("star")), 0);
    compile_text(&c, "write {\n allow %s/link/*/x/** %s/link/new/y %s/star/**\n}\n", folder, folder,
                 folder);
    assert_compiles(&c);
    snprintf(expected, sizeof(expected), "%s/real/*/x/**", folder);
    assert_string_equal(eg_blob_cstr(c.blob, tree_at(&c, 0)->pattern), expected);
    snprintf(expected, sizeof(expected), "%s/real/new/y", folder);
    assert_string_equal(eg_blob_cstr(c.blob, tree_at(&c, 1)->pattern), expected);
    snprintf(expected, sizeof(expected), "%s/real/a\\*b/**", folder);
    assert_string_equal(eg_blob_cstr(c.blob, tree_at(&c, 2)->pattern), expected);
    /* elsewhere tomorrow: compile again */
    assert_null(eg_blob_stale(c.blob));
    mkdir(in_folder("other"), 0755);
    unlink(in_folder("link"));
    assert_int_equal(symlink("other", in_folder("link")), 0);
    assert_non_null(eg_blob_stale(c.blob));
    compiled_done(&c);
}

static void what_is_written_is_not_run(void **state)
{
    struct compiled c;
    (void)state;
    copy_program("/usr/bin/true", "tool");
    compile_text(&c, "exec {\n allow %s/tool\n}\nwrite {\n allow %s/**\n}\n", folder, folder);
    assert_error(&c, "tool\", which may be run");
    compiled_done(&c);
    compile_text(&c, "exec {\n allow %s/tool\n}\nwrite {\n allow /usr/*/**\n}\n", folder);
    assert_error(&c, "which may be run"); /* its loader */
    compiled_done(&c);
    compile_text(&c, "exec {\n allow %s/tool\n}\nwrite {\n build %s/**\n}\n", folder, folder);
    assert_compiles(&c);
    assert_warning(&c, "unsafe: whatever is written");
    assert_int_equal(tree_at(&c, 0)->flags, EG_TREE_ALLOW | EG_TREE_BUILD);
    compiled_done(&c);
    compile_text(&c, "exec {\n allow %s/tool\n}\nwrite {\n allow %s/sub/**\n}\n", folder, folder);
    assert_compiles(&c);
    assert_silent(&c);
    compiled_done(&c);
}

static void wide_and_useless_rules_are_warned_of(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "write {\n allow /etc/**\n}\n");
    assert_compiles(&c);
    assert_warning(&c, "holds /etc/passwd");
    compiled_done(&c);
    compile_text(&c, "write {\n allow /srv-x/**\n log /srv-x/up/**\n}\n");
    assert_compiles(&c);
    assert_warning(&c, "this rule can never match");
    compiled_done(&c);
    compile_text(&c, "write {\n log /srv-x/up/**\n allow /srv-x/** /srv-x2/*/a /srv-x2/b/**\n}\n");
    assert_compiles(&c);
    assert_silent(&c);
    compiled_done(&c);
}

static void an_upload_tree_lies_in_a_write_tree(void **state)
{
    static const char *const good[] = { "/srv-x/*/up/**", "/srv-x/**", "/srv-x/*/up", "/srv-x" };
    struct compiled c;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        compile_text(&c, "write {\n allow %s\n}\nuploads /srv-x/*/up { deny executable }\n",
                     good[i]);
        assert_compiles(&c);
        assert_silent(&c);
        assert_string_equal(eg_blob_cstr(c.blob, upload_at(&c, 0)->root), "/srv-x/*/up");
        compiled_done(&c);
    }
    compile_text(&c, "write {\n allow /srv-x/*/other/**\n}\n"
                     "uploads /srv-x/*/up { deny executable }\n");
    assert_error(&c, "no write rule names the upload tree");
    compiled_done(&c);
    compile_text(&c, "write {\n build /srv-x/**\n}\nuploads /srv-x/*/up { deny executable }\n");
    assert_error(&c, "lies in the build tree");
    compiled_done(&c);
}

static void the_quarantine_is_out_of_reach(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "write {\n allow /srv-x/**\n}\nuploads /srv-x/up {\n deny content php\n"
                     " quarantine /srv-x/up/q\n}\n");
    assert_error(&c, "lies in the write tree");
    compiled_done(&c);
    mkdir(in_folder("open"), 0700);
    assert_int_equal(chmod(in_folder("open"), 0777), 0);
    compile_text(&c,
                 "write {\n allow /srv-x/**\n}\nuploads /srv-x/up {\n deny content php\n"
                 " quarantine %s/open\n}\n",
                 folder);
    assert_error(&c, "can be written by others");
    compiled_done(&c);
    compile_text(&c,
                 "write {\n allow /srv-x/**\n}\nuploads /srv-x/up {\n deny content php\n"
                 " quarantine %s/new/q\n}\n",
                 folder);
    assert_compiles(&c);
    assert_silent(&c);
    const char *quarantine = eg_blob_cstr(c.blob, upload_at(&c, 0)->quarantine);
    const struct eg_write_request request = { EG_WRITE_OPEN, eg_str(quarantine), { 0 }, 0, false };
    struct eg_write_decision decision;
    eg_decide_write(c.blob, &request, &decision);
    assert_int_equal(decision.reason, EG_REASON_PROTECTED);
    compiled_done(&c);
}

/* A set is the string at offset 0, which must be no policy's own text. */
static void a_pattern_that_is_named_like_the_policy_is_no_set(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "write {\n allow /srv-x/**\n}\nuploads /srv-x/up {\n deny name \"test\"\n}\n");
    assert_compiles(&c);
    const struct eg_blob_name *name = eg_blob_section(c.blob, EG_SECTION_UPLOAD_NAMES);
    assert_string_equal(eg_blob_cstr(c.blob, name->glob), "test");
    assert_int_not_equal(name->glob, 0);
    compiled_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_write_block_leaves_writes_free),
        cmocka_unit_test(links_before_the_first_glob_are_followed),
        cmocka_unit_test(what_is_written_is_not_run),
        cmocka_unit_test(wide_and_useless_rules_are_warned_of),
        cmocka_unit_test(an_upload_tree_lies_in_a_write_tree),
        cmocka_unit_test(the_quarantine_is_out_of_reach),
        cmocka_unit_test(a_pattern_that_is_named_like_the_policy_is_no_set),
    };
    return cmocka_run_group_tests_name("compile writes", tests, make_folder, remove_folder);
}
