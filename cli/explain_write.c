// SPDX-License-Identifier: MIT
/* `execguard explain --write`: what the policy answers to a change of the file
 * tree, from the decision that shim and supervisor ask for. */
#include "assurance.h"
#include "decide/write.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *word;
    enum eg_write_op op;
    mode_t type;       /* of the object, unless --mode says more */
    bool needs_second; /* another name, or a link's text */
    bool follows;      /* the last component's links */
} changes[] = {
    { "open", EG_WRITE_OPEN, S_IFREG, false, true },
    { "create", EG_WRITE_CREATE, S_IFREG | 0666, false, false },
    { "mkdir", EG_WRITE_MKDIR, 0777, false, false },
    { "mknod", EG_WRITE_MKNOD, S_IFREG | 0666, false, false },
    { "rename", EG_WRITE_RENAME, S_IFREG | 0644, true, false },
    { "link", EG_WRITE_LINK, S_IFREG | 0644, true, false },
    { "symlink", EG_WRITE_SYMLINK, 0, true, false },
    { "remove", EG_WRITE_REMOVE, S_IFREG, false, false },
    { "mode", EG_WRITE_MODE, S_IFREG | 0644, false, true },
    { "attribute", EG_WRITE_ATTRIBUTE, S_IFREG, false, true },
    { "read", EG_WRITE_READ, S_IFREG, false, true },
};
#define CHANGES (sizeof changes / sizeof changes[0])

/* The path as the kernel would name it, malloc'ed: its folder without links, as
 * far as it is there.  NULL: no memory. */
static char *canonical(const char *cwd, const char *path, bool follows)
{
    char *whole = NULL;
    char *result = NULL;
    if (asprintf(&whole, "%s%s%s", *path == '/' ? "" : cwd, *path == '/' ? "" : "/", path) < 0)
        return NULL;
    if (follows && (result = realpath(whole, NULL))) {
        free(whole);
        return result;
    }
    /* The deepest folder that is there, and the rest as it was written. */
    for (size_t n = strlen(whole); n > 0 && !result; n--) {
        if (whole[n - 1] != '/') continue;
        whole[n - 1] = '\0';
        char *folder = realpath(n > 1 ? whole : "/", NULL);
        whole[n - 1] = '/';
        if (!folder) continue;
        if (asprintf(&result, "%s/%s", strcmp(folder, "/") ? folder : "", whole + n) < 0)
            result = NULL;
        free(folder);
    }
    if (!result) return whole;
    free(whole);
    return result;
}

static void print_answer(const struct eg_blob *blob, const struct eg_write_request *request,
                         const struct eg_write_decision *d)
{
    bool observed = blob->flags & EG_BLOB_LOG_MODE && d->verdict == EG_VERDICT_DENY;
    struct eg_decision refusal = { .reason = d->reason, .rule = EG_NONE, .program = EG_NONE };
    enum eg_aspect aspect;
    printf("path:    %.*s\n", (int)request->path.n, request->path.p);
    printf("verdict: %s%s\n", eg_verdict_name(d->verdict),
           observed ? " (log mode: it would be done, and an event say so)" : "");
    printf("reason:  %s: %s\n", eg_reason_slug(d->reason), eg_reason_sentence(d->reason));
    if (d->hint.n) printf("hint:    %.*s\n", (int)d->hint.n, d->hint.p);
    if (d->rule_line)
        printf("rule:    %s:%u\n", eg_blob_cstr(blob, d->rule_file), d->rule_line);
    else
        printf("rule:    none\n");
    if (d->verdict != EG_VERDICT_DENY && d->mode != request->mode)
        printf("mode:    %04o in place of %04o\n", d->mode & 07777, request->mode & 07777);
    if (d->verdict != EG_VERDICT_DENY && d->contents)
        printf("content: judged %s\n", request->op == EG_WRITE_READ ? "again while the file is new"
                                                                    : "when the file is finished");
    if (d->verdict == EG_VERDICT_DENY && eg_cli_refusal_aspect(blob, &refusal, &aspect)) {
        struct eg_cli_ground ground;
        eg_cli_survey(blob, &ground);
        printf("layers:\n");
        eg_cli_print_layers(&ground, aspect);
    }
}

static void print_json(const struct eg_blob *blob, const struct eg_write_request *request,
                       const struct eg_write_decision *d)
{
    printf("{\"path\":");
    eg_cli_json_string(stdout, request->path);
    printf(",\"verdict\":\"%s\",\"reason\":\"%s\",\"sentence\":", eg_verdict_name(d->verdict),
           eg_reason_slug(d->reason));
    eg_cli_json_string(stdout, eg_str(eg_reason_sentence(d->reason)));
    if (d->rule_line) {
        printf(",\"file\":");
        eg_cli_json_string(stdout, eg_blob_str(blob, d->rule_file));
        printf(",\"line\":%u", d->rule_line);
    }
    printf(",\"mode\":\"%04o\",\"upload\":%s}\n", d->mode & 07777,
           d->upload == EG_NONE ? "false" : "true");
}

/* A given mode keeps the change's own type, unless it names one. */
static bool read_mode(const char *text, mode_t type, uint32_t *ret)
{
    char *end;
    errno = 0;
    unsigned long mode = strtoul(text, &end, 8);
    if (errno || *end || !*text || mode > (S_IFMT | 07777)) return false;
    *ret = (uint32_t)(mode & S_IFMT ? mode : mode | (type & S_IFMT));
    return true;
}

int eg_cli_explain_write(const struct eg_cli_verb *verb, const struct eg_blob *blob,
                         const struct eg_cli_write_question *q)
{
    size_t i = 0;
    while (i < CHANGES && strcmp(changes[i].word, q->what) != 0) i++;
    if (i == CHANGES)
        return eg_cli_usage(verb,
                            "`%s' is no change: open, create, mkdir, mknod, rename, link, "
                            "symlink, remove, mode, attribute or read",
                            q->what);
    if (q->argc != (changes[i].needs_second ? 2 : 1))
        return eg_cli_usage(verb,
                            changes[i].needs_second
                                ? "%s takes two paths: the old one or the link's text, and "
                                  "the new one"
                                : "%s takes one path",
                            q->what);
    char here[PATH_MAX];
    const char *cwd = q->cwd;
    if (!cwd && !(cwd = realpath(".", here))) cwd = "/";
    uint32_t mode = changes[i].type;
    if (q->mode && !read_mode(q->mode, changes[i].type, &mode))
        return eg_cli_usage(verb, "`%s' is no octal mode", q->mode);
    char *path = canonical(cwd, q->argv[q->argc - 1], changes[i].follows);
    char *other = NULL;
    if (changes[i].needs_second)
        other = changes[i].op == EG_WRITE_SYMLINK ? strdup(q->argv[0])
                                                  : canonical(cwd, q->argv[0], false);
    int status = EG_EXIT_FAILED;
    if (!path || (changes[i].needs_second && !other)) {
        status = eg_cli_error("out of memory");
    } else {
        const struct eg_write_request request = { changes[i].op, eg_str(path), eg_str(other), mode,
                                                  false };
        struct eg_write_decision decision;
        eg_decide_write(blob, &request, &decision);
        if (q->json)
            print_json(blob, &request, &decision);
        else
            print_answer(blob, &request, &decision);
        status = decision.verdict == EG_VERDICT_DENY ? EG_EXIT_REFUSED : EG_EXIT_OK;
    }
    free(path);
    free(other);
    return status;
}
