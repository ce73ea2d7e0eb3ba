// SPDX-License-Identifier: MIT
/* Policies to blobs: programs and what they need, problems, warnings. */
#include "compile_helper.h"

static void a_program_and_its_loader_join_the_exec_set(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "exec {\n allow /usr/bin/id -u\n}\n");
    assert_compiles(&c);
    assert_silent(&c);
    const struct eg_blob_program *id = find_program(c.blob, "/usr/bin/id");
    assert_non_null(id);
    assert_int_equal(id->flags, 0);
    assert_true(in_exec_set(c.blob, "/usr/bin/id"));
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_EXEC_SET), 2);
    const struct eg_blob_program *loader = program_at(c.blob, id->interpreter);
    assert_int_equal(loader->flags, EG_PROGRAM_INTERPRETER);
    assert_int_equal(loader->interpreter, EG_NONE);
    assert_int_equal(c.blob->flags & EG_BLOB_EXEC_NOTHING, 0);
    compiled_done(&c);
}

static void two_spellings_of_one_program_are_one(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "exec {\n allow /usr/bin/id -u\n allow /bin/id -g\n}\n");
    assert_compiles(&c);
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_PROGRAMS), 2); /* and the loader */
    assert_int_equal(rule_at(c.blob, 0)->program, rule_at(c.blob, 1)->program);
    compiled_done(&c);
}

static void one_file_under_two_names_is_in_the_exec_set_once(void **state)
{
    struct compiled c;
    (void)state;
    copy_program("/usr/bin/true", "tool");
    unlink(in_folder("first"));
    unlink(in_folder("second"));
    assert_int_equal(symlink("tool", in_folder("first")), 0);
    assert_int_equal(symlink("tool", in_folder("second")), 0);
    compile_text(&c, "exec {\n allow %s/first\n allow %s/second\n}\n", folder, folder);
    assert_compiles(&c);
    assert_int_not_equal(rule_at(c.blob, 0)->program, rule_at(c.blob, 1)->program);
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_EXEC_SET), 2); /* tool, loader */
    compiled_done(&c);
}

static void no_program_at_all_sets_the_flag(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "exec { }\n");
    assert_compiles(&c);
    assert_true(c.blob->flags & EG_BLOB_EXEC_NOTHING);
    assert_true(c.blob->flags & EG_BLOB_WRITE_FREE);
    compiled_done(&c);
    compile_text(&c, "exec {\n worker reexec\n}\n");
    assert_compiles(&c);
    assert_false(c.blob->flags & EG_BLOB_EXEC_NOTHING);
    compiled_done(&c);
    compile_text(&c, "mode log\nexec { }\n");
    assert_compiles(&c);
    assert_false(c.blob->flags & EG_BLOB_EXEC_NOTHING);
    compiled_done(&c);
    compile_text(&c, "exec {\n deny /usr/bin/id ...\n}\n");
    assert_compiles(&c);
    assert_true(c.blob->flags & EG_BLOB_EXEC_NOTHING);
    compiled_done(&c);
}

static void a_missing_program_is_an_error_unless_it_is_optional(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "exec {\n allow /no/such/thing\n}\n");
    assert_error(&c, "\"/no/such/thing\" does not exist");
    assert_int_equal(c.diagnostics.items[0].span.line, 2);
    assert_int_equal(c.diagnostics.items[0].span.column, 8);
    compiled_done(&c);
    compile_text(&c, "exec {\n allow optional /no/such/thing\n}\n");
    assert_compiles(&c);
    assert_int_equal(program_at(c.blob, 0)->flags, EG_PROGRAM_MISSING);
    assert_int_equal(program_at(c.blob, 0)->id.mode, 0);
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_EXEC_SET), 0);
    assert_null(eg_blob_stale(c.blob));
    compiled_done(&c);
}

static void what_is_no_program_is_refused_with_what_it_is(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "exec {\n allow /usr/bin\n}\n");
    assert_error(&c, "is a folder");
    compiled_done(&c);
    compile_text(&c, "exec {\n allow /dev/null\n}\n");
    assert_error(&c, "is not a regular file");
    compiled_done(&c);
    compile_text(&c, "exec {\n allow /etc/passwd\n}\n");
    assert_error(&c, "nobody may execute");
    compiled_done(&c);
    put_file("cut", "\177ELF\2\1\1", 7, 0755);
    compile_text(&c, "exec {\n allow %s/cut\n}\n", folder);
    assert_error(&c, "malformed");
    compiled_done(&c);
    put_script("lost", "#!/no/interpreter -x\n");
    compile_text(&c, "exec {\n allow %s/lost\n}\n", folder);
    assert_error(&c, "the interpreter \"/no/interpreter\"");
    compiled_done(&c);
}

static void a_program_that_others_can_write_is_refused(void **state)
{
    struct compiled c;
    (void)state;
    copy_program("/usr/bin/true", "open");
    assert_int_equal(chmod(in_folder("open"), 0757), 0);
    compile_text(&c, "exec {\n allow %s/open\n}\n", folder);
    assert_error(&c, "can be written by everybody");
    compiled_done(&c);
    assert_int_equal(chmod(in_folder("open"), 0755), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    compile_text(&c, "exec {\n allow %s/open\n}\n", folder);
    assert_error(&c, "can be written by everybody");
    compiled_done(&c);
    assert_int_equal(chmod(folder, 0755), 0);
    compile_text(&c, "exec {\n allow %s/open\n}\n", folder);
    assert_compiles(&c);
    compiled_done(&c);
    if (geteuid() == 0) {
        assert_int_equal(chown(in_folder("open"), 12345, 12345), 0);
        compile_text(&c, "exec {\n allow %s/open\n}\n", folder);
        assert_compiles(&c);
        assert_warning(&c, "belongs to user 12345");
        compiled_done(&c);
        assert_int_equal(chmod(in_folder("open"), 0775), 0);
        compile_text(&c, "exec {\n allow %s/open\n}\n", folder);
        assert_error(&c, "can be written by its group");
        compiled_done(&c);
    }
}

static void a_shell_script_brings_its_shell_and_a_warning(void **state)
{
    struct compiled c;
    (void)state;
    put_script("job", "#!/bin/sh\nid\n");
    compile_text(&c, "exec {\n allow %s/job\n}\n", folder);
    assert_compiles(&c);
    assert_warning(&c, "is a shell script");
    assert_true(in_exec_set(c.blob, "/bin/sh"));
    const struct eg_blob_program *job = find_program(c.blob, in_folder("job"));
    assert_int_equal(job->flags, EG_PROGRAM_SCRIPT);
    assert_int_equal(program_at(c.blob, job->interpreter)->flags,
                     EG_PROGRAM_INTERPRETER | EG_PROGRAM_SHELL);
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_EXEC_SET), 3); /* job, sh, loader */
    compiled_done(&c);
}

static void scripts_of_scripts_are_followed_as_deep_as_the_kernel_goes(void **state)
{
    struct compiled c;
    char text[300];
    char name[8] = "s0";
    (void)state;
    put_script("s0", "#!/usr/bin/id\n");
    for (int i = 1; i < 7; i++) {
        snprintf(text, sizeof(text), "#!%s/s%d\n", folder, i - 1);
        name[1] = (char)('0' + i);
        put_script(name, text);
    }
    compile_text(&c, "exec {\n allow %s/s4\n}\n", folder);
    assert_compiles(&c);
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_EXEC_SET), 7); /* s4..s0, id, loader */
    compiled_done(&c);
    compile_text(&c, "exec {\n allow %s/s5\n}\n", folder);
    assert_error(&c, "more of them than the kernel follows");
    compiled_done(&c);
    snprintf(text, sizeof(text), "#!%s/loop\n", folder);
    put_script("loop", text);
    compile_text(&c, "exec {\n allow %s/loop\n}\n", folder);
    assert_error(&c, "more of them than the kernel follows");
    compiled_done(&c);
}

static struct eg_decision decide(const struct eg_blob *blob, const char *program,
                                 const char *caller, const char *const argv[])
{
    struct eg_exec_request request = { .argv = argv };
    struct eg_decision decision = { 0 };
    const char *paths[] = { program, caller };
    struct eg_target *targets[] = { &request.target, &request.caller };
    char *canonical[2] = { NULL, NULL };
    while (argv[request.argc]) request.argc++;
    for (int i = 0; i < 2; i++) {
        struct statx st;
        if (!paths[i]) continue;
        canonical[i] = realpath(paths[i], NULL);
        assert_int_equal(statx(AT_FDCWD, paths[i], 0, STATX_BASIC_STATS, &st), 0);
        *targets[i] = (struct eg_target){
            eg_str(canonical[i]),
            { (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor, st.stx_ino, st.stx_size,
              st.stx_mtime.tv_sec, st.stx_mtime.tv_nsec, st.stx_mode },
            true,
        };
    }
    eg_decide_exec(blob, &request, &decision);
    free(canonical[0]);
    free(canonical[1]);
    return decision;
}

static void a_script_that_env_starts_runs_its_interpreter_for_this_script_only(void **state)
{
    struct compiled c;
    (void)state;
    const char *script = put_script("report", "#!/usr/bin/env -S perl -T\nprint 1;\n");
    const char *perl = "/usr/bin/perl";
    compile_text(&c, "exec {\n allow %s --month=<int>\n}\n", script);
    assert_compiles(&c);
    assert_true(in_exec_set(c.blob, perl));
    assert_true(in_exec_set(c.blob, "/usr/bin/env"));
    const char *first[] = { "report", "--month=7", NULL };
    assert_int_equal(decide(c.blob, script, "/usr/bin/id", first).verdict, EG_VERDICT_ALLOW);
    const char *second[] = { "perl", "-T", script, "--month=7", NULL };
    assert_int_equal(decide(c.blob, perl, "/usr/bin/env", second).verdict, EG_VERDICT_ALLOW);
    assert_int_equal(decide(c.blob, perl, "/usr/bin/id", second).verdict, EG_VERDICT_DENY);
    const char *other[] = { "perl", "-T", "/tmp/evil", "--month=7", NULL };
    assert_int_equal(decide(c.blob, perl, "/usr/bin/env", other).verdict, EG_VERDICT_DENY);
    const char *code[] = { "perl", "-e", "exec 'sh'", NULL };
    assert_int_equal(decide(c.blob, perl, "/usr/bin/env", code).verdict, EG_VERDICT_DENY);
    const char *env[] = { "env", "perl", "-T", script, "--month=7", NULL };
    assert_int_equal(decide(c.blob, "/usr/bin/env", "/usr/bin/id", env).verdict, EG_VERDICT_DENY);
    compiled_done(&c);
    put_script("lost", "#!/usr/bin/env no-such-interpreter\n");
    compile_text(&c, "exec {\n allow %s/lost\n}\n", folder);
    assert_error(&c, "\"no-such-interpreter\" of");
    compiled_done(&c);
    put_script("odd", "#!/usr/bin/env -iS perl\n");
    compile_text(&c, "exec {\n allow %s/odd\n}\n", folder);
    assert_error(&c, "env options that cannot be followed");
    compiled_done(&c);
}

static void a_star_stands_for_the_programs_that_are_there(void **state)
{
    struct compiled c;
    (void)state;
    assert_int_equal(mkdir(in_folder("tools"), 0755), 0);
    copy_program("/usr/bin/true", "tools/b-tool");
    copy_program("/usr/bin/true", "tools/a-tool");
    put_file("tools/c-notes", "x", 1, 0644);
    put_file("tools/.hidden", "x", 1, 0755);
    assert_int_equal(mkdir(in_folder("tools/d-folder"), 0755), 0);
    compile_text(&c, "exec {\n allow %s/to*ls/* -v\n}\n", folder);
    assert_compiles(&c);
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_RULES), 2);
    assert_string_equal(eg_blob_cstr(c.blob, program_at(c.blob, rule_at(c.blob, 0)->program)->name),
                        "a-tool");
    assert_null(eg_blob_stale(c.blob));
    copy_program("/usr/bin/true", "tools/e-tool");
    assert_string_equal(eg_blob_stale(c.blob), in_folder("tools"));
    compiled_done(&c);
    compile_text(&c, "exec {\n allow %s/tools/*-nothing\n}\n", folder);
    assert_error(&c, "no program fits");
    compiled_done(&c);
}

static void a_shell_for_one_caller_joins_the_exec_set(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "exec {\n shell allow from /usr/bin/make\n}\n");
    assert_compiles(&c);
    assert_int_equal(rule_at(c.blob, 0)->verb, EG_VERB_SHELL_FROM);
    assert_int_equal(rule_at(c.blob, 0)->from_count, 1);
    assert_true(in_exec_set(c.blob, "/bin/sh"));
    assert_false(in_exec_set(c.blob, "/usr/bin/make"));
    const char *line[] = { "sh", "-c", "id; id", NULL };
    assert_int_equal(decide(c.blob, "/bin/sh", "/usr/bin/make", line).verdict, EG_VERDICT_ALLOW);
    assert_int_equal(decide(c.blob, "/bin/sh", "/usr/bin/id", line).verdict, EG_VERDICT_DENY);
    compiled_done(&c);
    compile_text(&c, "exec {\n allow /usr/bin/id from /no/caller\n}\n");
    assert_error(&c, "\"/no/caller\" does not exist");
    compiled_done(&c);
}

static void open_options_of_known_spawners_are_warned_about(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "exec {\n allow /usr/bin/find ...\n}\n");
    assert_compiles(&c);
    assert_warning(&c, "-exec");
    compiled_done(&c);
    compile_text(&c, "exec {\n allow /usr/bin/find <any>\n}\n");
    assert_warning(&c, "-exec");
    compiled_done(&c);
    compile_text(&c, "exec {\n allow /usr/bin/find [-L|-<word>]\n}\n");
    compiled_done(&c);
    compile_text(&c, "exec {\n allow /usr/bin/find -<word>\n}\n");
    assert_warning(&c, "-exec");
    compiled_done(&c);
    compile_text(&c,
                 "exec {\n allow /usr/bin/find <file /srv/**> -name <word> -maxdepth <int>\n}\n");
    assert_compiles(&c);
    assert_silent(&c);
    compiled_done(&c);
    /* versions fit, other names do not */
    compile_text(&c, "exec {\n allow /usr/bin/perl ...\n allow /usr/bin/perlbug ...\n}\n");
    assert_warning(&c, "\"perl\" runs code");
    assert_false(has_message(&c.diagnostics, EG_SEVERITY_WARNING, "\"perlbug\" runs code"));
    compiled_done(&c);
}

static void other_properties_are_warned_about_once(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "exec {\n allow /bin/busybox date\n allow /bin/busybox id\n}\n");
    assert_compiles(&c);
    assert_warning(&c, "is many programs in one");
    assert_warning(&c, "is static");
    assert_int_equal(c.diagnostics.count, 2);
    compiled_done(&c);
    compile_text(&c, "exec {\n allow /bin/bash <file /srv/*>\n}\n");
    assert_warning(&c, "is a shell");
    compiled_done(&c);
    compile_text(&c, "exec {\n allow /usr/bin/passwd\n}\n");
    assert_warning(&c, "is set-id");
    compiled_done(&c);
    put_file("text", "echo hello\n", 11, 0755);
    compile_text(&c, "exec {\n allow %s/text\n}\n", folder);
    assert_warning(&c, "is neither an ELF program nor a script");
    compiled_done(&c);
}

static void a_rule_behind_one_that_takes_everything_can_never_match(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(&c, "exec {\n allow /usr/bin/id ...\n allow /bin/id -u\n}\n");
    assert_compiles(&c);
    assert_warning(&c, "this rule can never match");
    assert_int_equal(c.diagnostics.count, 1);
    assert_int_equal(c.diagnostics.items[0].span.line, 3);
    compiled_done(&c);
    compile_text(&c, "exec {\n allow /usr/bin/id ... from /usr/bin/make\n allow /usr/bin/id -u\n"
                     " allow /usr/bin/id -g from /usr/bin/make\n}\n");
    assert_int_equal(c.diagnostics.count, 1);
    assert_int_equal(c.diagnostics.items[0].span.line, 4);
    compiled_done(&c);
    compile_text(&c, "exec {\n allow /usr/bin/id -u\n allow /usr/bin/id ...\n}\n");
    assert_silent(&c);
    compiled_done(&c);
    /* what the parser said already is not said twice */
    compile_text(&c, "exec {\n allow /usr/bin/id ...\n allow /usr/bin/id ...\n}\n");
    assert_int_equal(c.diagnostics.count, 1);
    compiled_done(&c);
}

static void the_header_says_what_the_policy_says(void **state)
{
    struct compiled c;
    (void)state;
    compile_text(
        &c, "no-new-privs no\noptional landlock\nexec {\n pipeline allow; list allow\n}\n"
            "kernel { allow memfd-exec }\ncapabilities { keep net_bind_service }\n"
            "env { drop FOO_*; keep PERL5LIB }\nlog { file /var/log/x.jsonl; rate 7/s burst 9 }\n");
    assert_compiles(&c);
    assert_int_equal(c.blob->flags, EG_BLOB_WRITE_FREE | EG_BLOB_LIMIT_CAPS |
                                        EG_BLOB_ALLOW_MEMFD_EXEC | EG_BLOB_PIPELINE | EG_BLOB_LIST |
                                        EG_BLOB_EXEC_NOTHING | EG_BLOB_KEEPS_NAMESPACES |
                                        (c.policy->shell_rewrite ? EG_BLOB_SHELL_REWRITE : 0));
    assert_int_equal(c.blob->capabilities, UINT64_C(1) << 10);
    assert_int_equal(c.blob->optional_layers, 1u << EG_LAYER_DOMAIN);
    assert_int_equal(c.blob->rate_per_second, 7);
    assert_int_equal(c.blob->rate_burst, 9);
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_ENV), 2);
    assert_string_equal(eg_blob_cstr(c.blob, c.blob->name), "test");
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_SINKS), 1);
    compiled_done(&c);
    compile_text(&c, "exec { }\n");
    assert_true(c.blob->flags & EG_BLOB_LOG_STDERR);
    compiled_done(&c);
}

static void a_wider_policy_has_another_id(void **state)
{
    struct compiled a;
    struct compiled b;
    (void)state;
    compile_text(&a, "exec {\n allow /usr/bin/id -u\n}\n");
    compile_text(&b, "exec {\n allow /usr/bin/id -g\n}\n");
    assert_compiles(&a);
    assert_compiles(&b);
    assert_memory_not_equal(a.blob->id, b.blob->id, sizeof(a.blob->id));
    compiled_done(&b);
    compile_text(&b, "exec {\n allow /usr/bin/id -u\n}\n");
    assert_memory_equal(a.blob, b.blob, a.blob->size);
    compiled_done(&a);
    compiled_done(&b);
}

static void a_large_policy_compiles_in_linear_time(void **state)
{
    struct compiled c;
    size_t n = 50000;
    char *text = malloc(n * 40 + 64);
    char *at = text + sprintf(text, "exec {\n");
    (void)state;
    for (size_t i = 0; i < n; i++) at += sprintf(at, " allow /usr/bin/id word%zu <int>\n", i);
    strcpy(at, "}\n");
    alarm(30);
    compile_text(&c, "%s", text);
    alarm(0);
    assert_compiles(&c);
    assert_int_equal(eg_blob_count(c.blob, EG_SECTION_RULES), n);
    compiled_done(&c);
    free(text);
}

static void the_needs_of_a_worker_are_listed(void **state)
{
    struct eg_target targets[8];
    char *path = NULL;
    (void)state;
    const char *script = put_script("worker", "#!/usr/bin/env perl\n");
    int n = eg_compile_requirements(script, targets, 8, &path);
    assert_int_equal(n, 3); /* env, its loader, perl; the loader is the same */
    char *expected[] = { realpath("/usr/bin/env", NULL), NULL, realpath("/usr/bin/perl", NULL) };
    assert_string_equal(targets[0].path.p, expected[0]);
    assert_string_equal(targets[2].path.p, expected[2]);
    free(expected[0]);
    free(expected[2]);
    for (int i = 0; i < n; i++) free((char *)(uintptr_t)targets[i].path.p);
    assert_int_equal(eg_compile_requirements("/bin/busybox", targets, 8, &path), 0);
    assert_int_equal(eg_compile_requirements(script, targets, 1, &path), -E2BIG);
    free(path);
    assert_int_equal(eg_compile_requirements(in_folder("nothing"), targets, 8, &path), -ENOENT);
    assert_string_equal(path, in_folder("nothing"));
    free(path);
    script = put_script("broken", "#!/no/such/shell\n");
    assert_int_equal(eg_compile_requirements(script, targets, 8, &path), -ENOENT);
    assert_string_equal(path, "/no/such/shell");
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_and_its_loader_join_the_exec_set),
        cmocka_unit_test(two_spellings_of_one_program_are_one),
        cmocka_unit_test(one_file_under_two_names_is_in_the_exec_set_once),
        cmocka_unit_test(no_program_at_all_sets_the_flag),
        cmocka_unit_test(a_missing_program_is_an_error_unless_it_is_optional),
        cmocka_unit_test(what_is_no_program_is_refused_with_what_it_is),
        cmocka_unit_test(a_program_that_others_can_write_is_refused),
        cmocka_unit_test(a_shell_script_brings_its_shell_and_a_warning),
        cmocka_unit_test(scripts_of_scripts_are_followed_as_deep_as_the_kernel_goes),
        cmocka_unit_test(a_script_that_env_starts_runs_its_interpreter_for_this_script_only),
        cmocka_unit_test(a_star_stands_for_the_programs_that_are_there),
        cmocka_unit_test(a_shell_for_one_caller_joins_the_exec_set),
        cmocka_unit_test(open_options_of_known_spawners_are_warned_about),
        cmocka_unit_test(other_properties_are_warned_about_once),
        cmocka_unit_test(a_rule_behind_one_that_takes_everything_can_never_match),
        cmocka_unit_test(the_header_says_what_the_policy_says),
        cmocka_unit_test(a_wider_policy_has_another_id),
        cmocka_unit_test(a_large_policy_compiles_in_linear_time),
        cmocka_unit_test(the_needs_of_a_worker_are_listed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
