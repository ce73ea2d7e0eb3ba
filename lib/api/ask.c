// SPDX-License-Identifier: MIT
/* Verdicts for programs that ask: requests gathered here, answered by the core that
 * the shim asks. */
#include "api/handle.h"
#include "api/judge.h"
#include "decide/write.h"
#include "resolve/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The strings lie behind the structure: one allocation. */
static int answer(const struct execguard_verdict *verdict, const struct eg_str *program,
                  const struct eg_str *construct, const struct eg_str *hint,
                  struct execguard_verdict **ret)
{
    struct execguard_verdict *made = malloc(sizeof *made + program->n + construct->n + hint->n + 3);
    if (!made) return -ENOMEM;
    char *p = (char *)(made + 1);
    const struct eg_str *const texts[] = { program, construct, hint };
    *made = *verdict;
    const char **const places[] = { &made->program, &made->construct, &made->hint };
    for (int i = 0; i < 3; i++) {
        if (texts[i]->n) memcpy(p, texts[i]->p, texts[i]->n);
        p[texts[i]->n] = '\0';
        *places[i] = p;
        p += texts[i]->n + 1;
    }
    *ret = made;
    return 0;
}

static enum execguard_answer answer_of(enum eg_verdict verdict)
{
    switch (verdict) {
    case EG_VERDICT_ALLOW: return EXECGUARD_ALLOW;
    case EG_VERDICT_LOG: return EXECGUARD_LOG;
    case EG_VERDICT_REWRITE: return EXECGUARD_REWRITE;
    case EG_VERDICT_DENY: break;
    }
    return EXECGUARD_DENY;
}

int execguard_ask_exec(const struct execguard *guard, const char *const argv[],
                       struct execguard_verdict **ret)
{
    const struct eg_blob *blob = guard->cached.blob;
    char spelled[EG_PATH_MAX], path[EG_PATH_MAX], cwd[EG_PATH_MAX], self[EG_PATH_MAX];
    struct eg_api_search inner;
    const struct eg_lookup lookup = eg_api_lookup(&inner);
    struct eg_exec_request request = { .argv = argv, .lookup = &lookup };
    request.user_known = true;
    request.user = (uint32_t)getuid();
    struct eg_decision decision;
    struct eg_str line = { NULL, 0 };
    if (!argv || !argv[0]) return -EINVAL;
    while (argv[request.argc]) request.argc++;
    request.cwd = eg_resolve_cwd(cwd);
    int r = eg_resolve_self(self, &request.caller);
    if (r == 0)
        r = eg_resolve_search(eg_api_search_path(), eg_str(argv[0]), spelled, path,
                              &request.target);
    if (r < 0) return r;
    eg_decide_exec(blob, &request, &decision);
    eg_api_judge_line(blob, &request, &line, &decision);

    struct execguard_verdict verdict = { .answer = answer_of(decision.verdict),
                                         .reason = eg_reason_slug(decision.reason),
                                         .sentence = eg_reason_sentence(decision.reason),
                                         .rule_file = "",
                                         .offset = decision.offset };
    if (decision.rule != EG_NONE) {
        const struct eg_blob_rule *rules = eg_blob_section(blob, EG_SECTION_RULES);
        verdict.rule_file = eg_blob_cstr(blob, rules[decision.rule].file);
        verdict.rule_line = rules[decision.rule].line;
    }
    r = answer(&verdict, &request.target.path, &decision.construct, &decision.hint, ret);
    /* allocated where the decision is about a command of a line */
    if (line.n && decision.inner.n) free((char *)(uintptr_t)decision.inner.p);
    return r;
}

int execguard_ask_line(const struct execguard *guard, const char *line,
                       struct execguard_verdict **ret)
{
    const char *const argv[] = { "/bin/sh", "-c", line, NULL };
    return line ? execguard_ask_exec(guard, argv, ret) : -EINVAL;
}

/* The folder canonical, the last component as it is spelled. */
static int resolve_change(const char *path, bool follow, char ret[PATH_MAX], uint32_t *ret_mode)
{
    struct stat st;
    char folder[PATH_MAX];
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    if (n == 0 || n >= sizeof folder) return n ? -ENAMETOOLONG : -ENOENT;
    memcpy(folder, path, n);
    folder[n] = '\0';
    *ret_mode = lstat(folder, &st) == 0 ? st.st_mode : 0;
    if (*ret_mode && follow) {
        if (!realpath(folder, ret)) return -errno;
        *ret_mode = stat(ret, &st) == 0 ? st.st_mode : 0;
        return 0;
    }
    char *slash = strrchr(folder, '/');
    const char *name = slash ? path + (slash + 1 - folder) : path;
    size_t name_length = n - (size_t)(name - path);
    if (slash) slash[slash == folder] = '\0';
    if (!realpath(slash ? folder : ".", ret)) return -errno;
    size_t m = strcmp(ret, "/") == 0 ? 0 : strlen(ret);
    if (m + 1 + name_length >= PATH_MAX) return -ENAMETOOLONG;
    ret[m] = '/';
    memcpy(ret + m + 1, name, name_length);
    ret[m + 1 + name_length] = '\0';
    return 0;
}

int execguard_ask_change(const struct execguard *guard, enum execguard_change change,
                         const char *path, struct execguard_verdict **ret)
{
    static const enum eg_write_op ops[] = {
        [EXECGUARD_OPEN_FOR_WRITING] = EG_WRITE_OPEN,
        [EXECGUARD_CREATE] = EG_WRITE_CREATE,
        [EXECGUARD_MAKE_FOLDER] = EG_WRITE_MKDIR,
        [EXECGUARD_REMOVE] = EG_WRITE_REMOVE,
        [EXECGUARD_READ] = EG_WRITE_READ,
    };
    const struct eg_blob *blob = guard->cached.blob;
    char resolved[PATH_MAX];
    uint32_t mode;
    if ((unsigned)change >= sizeof ops / sizeof ops[0] || !path) return -EINVAL;
    bool follow = change == EXECGUARD_OPEN_FOR_WRITING || change == EXECGUARD_READ;
    int r = resolve_change(path, follow, resolved, &mode);
    if (r < 0) return r;
    struct eg_write_request request = { .op = ops[change], .path = eg_str(resolved), .mode = mode };
    if (change == EXECGUARD_CREATE) request.mode = S_IFREG | 0666;
    if (change == EXECGUARD_MAKE_FOLDER) request.mode = S_IFDIR | 0777;
    struct eg_write_decision decision;
    eg_decide_write(blob, &request, &decision);
    const struct execguard_verdict verdict = {
        .answer = answer_of(decision.verdict),
        .reason = eg_reason_slug(decision.reason),
        .sentence = eg_reason_sentence(decision.reason),
        .rule_file = decision.rule_file ? eg_blob_cstr(blob, decision.rule_file) : "",
        .rule_line = decision.rule_line,
    };
    const struct eg_str nothing = { NULL, 0 };
    return answer(&verdict, &request.path, &nothing, &decision.hint, ret);
}

void execguard_verdict_free(struct execguard_verdict *verdict)
{
    free(verdict);
}
