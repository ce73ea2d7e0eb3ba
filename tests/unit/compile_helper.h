// SPDX-License-Identifier: MIT
/* For the tests of compile/: policy text to blob, files to play with, a look for
 * messages. */
#ifndef EG_TESTS_COMPILE_HELPER_H
#define EG_TESTS_COMPILE_HELPER_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "compile/compile.h"
#include "decide/decide.h"

static char folder[64]; /* of this test program, removed at its end */

static inline int make_folder(void **state)
{
    (void)state;
    /* not /tmp itself: a program whose folder everybody can write is refused */
    strcpy(folder, "/tmp/eg-compile-XXXXXX");
    umask(022);
    return mkdtemp(folder) && chmod(folder, 0755) == 0 ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command) == 0 ? 0 : -1;
}

/* A path in the folder; eight may be in use at a time. */
static inline const char *in_folder(const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static inline const char *put_file(const char *name, const void *data, size_t n, mode_t mode)
{
    const char *path = in_folder(name);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static inline const char *put_script(const char *name, const char *text)
{
    return put_file(name, text, strlen(text), 0755);
}

static inline void copy_program(const char *from, const char *name)
{
    char data[65536];
    int in = open(from, O_RDONLY);
    int out = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0755);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t n; (n = read(in, data, sizeof(data))) > 0;)
        assert_int_equal(write(out, data, (size_t)n), n);
    close(in);
    close(out);
}

/* Is there such a message?  `%s` in `text` stands for the folder. */
static inline bool has_message(const struct eg_diagnostics *d, enum eg_severity severity,
                               const char *part)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].severity == severity && d->items[i].message &&
            strstr(d->items[i].message, part))
            return true;
    return false;
}

struct compiled {
    struct eg_diagnostics diagnostics;
    struct eg_policy *policy;
    struct eg_blob *blob;
    int result;
};

__attribute__((format(printf, 2, 3))) static inline void compile_text(struct compiled *c,
                                                                      const char *format, ...)
{
    static const struct eg_policy_options options = { 0 };
    static const struct eg_compile_options compile = { 0 };
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    assert_true(vasprintf(&text, format, arguments) >= 0);
    va_end(arguments);
    memset(c, 0, sizeof(*c));
    c->result = eg_policy_parse("test.policy", eg_str(text), &options, &c->diagnostics, &c->policy);
    if (c->result == 0) c->result = eg_compile(c->policy, &compile, &c->diagnostics, &c->blob);
    free(text);
}

static inline void compiled_done(struct compiled *c)
{
    eg_blob_free(c->blob);
    eg_policy_free(c->policy);
    eg_diagnostics_free(&c->diagnostics);
}

/* The text compiles, and the blob is sound. */
#define assert_compiles(c)                                                                         \
    do {                                                                                           \
        const struct eg_blob *verified_;                                                           \
        const char *why_ = "";                                                                     \
        if ((c)->result != 0)                                                                      \
            fail_msg("result %d: %s", (c)->result,                                                 \
                     (c)->diagnostics.count ? (c)->diagnostics.items[0].message : "");             \
        if (eg_blob_verify((c)->blob, (c)->blob->size, &verified_, &why_) != 0)                    \
            fail_msg("%s", why_);                                                                  \
        assert_true(eg_blob_id_matches((c)->blob));                                                \
    } while (0)

#define assert_error(c, part)                                                                      \
    do {                                                                                           \
        assert_int_equal((c)->result, -EINVAL);                                                    \
        if (!has_message(&(c)->diagnostics, EG_SEVERITY_ERROR, part))                              \
            fail_msg("no error \"%s\", but: %s", part,                                             \
                     (c)->diagnostics.count ? (c)->diagnostics.items[0].message : "nothing");      \
    } while (0)

#define assert_warning(c, part)                                                                    \
    do {                                                                                           \
        if (!has_message(&(c)->diagnostics, EG_SEVERITY_WARNING, part))                            \
            fail_msg("no warning \"%s\", but: %s", part,                                           \
                     (c)->diagnostics.count ? (c)->diagnostics.items[0].message : "nothing");      \
    } while (0)

#define assert_silent(c) assert_int_equal((c)->diagnostics.count, 0)

static inline const struct eg_blob_program *program_at(const struct eg_blob *blob, uint32_t index)
{
    return (const struct eg_blob_program *)eg_blob_section(blob, EG_SECTION_PROGRAMS) + index;
}

static inline const struct eg_blob_rule *rule_at(const struct eg_blob *blob, uint32_t index)
{
    return (const struct eg_blob_rule *)eg_blob_section(blob, EG_SECTION_RULES) + index;
}

/* The program with this canonical path, or NULL. */
static inline const struct eg_blob_program *find_program(const struct eg_blob *blob,
                                                         const char *path)
{
    char *canonical = realpath(path, NULL);
    const struct eg_blob_program *found = NULL;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_PROGRAMS) && !found; i++)
        if (!strcmp(eg_blob_cstr(blob, program_at(blob, i)->path), canonical ? canonical : path))
            found = program_at(blob, i);
    free(canonical);
    return found;
}

static inline bool in_exec_set(const struct eg_blob *blob, const char *path)
{
    const struct eg_blob_program *p = find_program(blob, path);
    const uint32_t *set = eg_blob_section(blob, EG_SECTION_EXEC_SET);
    for (uint32_t i = 0; p && i < eg_blob_count(blob, EG_SECTION_EXEC_SET); i++)
        if (program_at(blob, set[i]) == p) return true;
    return false;
}

#endif
