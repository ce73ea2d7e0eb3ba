// SPDX-License-Identifier: MIT
/* Runs specifications: a policy, requests, and what must come out, in one file.
 *
 *     spec_run FILE.spec...        prints TAP
 *
 * Lines of a specification (blank lines and those that begin with # are skipped):
 *
 *     program NAME             make @/bin/NAME, a small program
 *     copy PATH NAME           make @/bin/NAME, a copy of PATH
 *     link TARGET NAME         make @/bin/NAME, a symbolic link
 *     hardlink NAME NAME2      make @/bin/NAME2, the same file as @/bin/NAME
 *     policy                   a policy follows, its lines marked with |
 *     case SENTENCE            a group of rows; each needs one that is allowed
 *     cwd PATH, caller PATH    for the rows of this case (default: / and nobody)
 *     user NUMBER              the same (default: nobody knows)
 *     replace NAME             another file takes the name, as an upgrade does
 *     remove NAME
 *
 * Rows; WORDS are an argv, split at spaces, "in quotes" where they hold one
 * (\n \t \" \\ and \xHH inside quotes); a first word [PATH] names the file when it
 * is not argv[0]'s; LINE is that of the rule in the policy, none where none is
 * concerned:
 *
 *     allow LINE: WORDS
 *     log LINE: WORDS
 *     deny REASON LINE: WORDS  REASON is a slug of table/reasons.def
 *     pass NAME=VALUE          what happens to a variable of a child's environment
 *     drop NAME=VALUE
 *     drop-always NAME=VALUE
 *
 * @ stands for a folder of its own that is removed at the end; it is made below
 * EG_SPEC_DIR, or the working directory.  Names are searched in @/bin, /usr/bin
 * and /bin. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compile/compile.h"
#include "decide/decide.h"
#include "resolve/resolve.h"

enum { LINE_SIZE = 4096, WORDS_MAX = 64, POLICY_SIZE = 65536 };

struct run {
    const char *file;
    unsigned line;
    char folder[PATH_MAX];
    char search[PATH_MAX + 32];
    char sentence[256];
    unsigned rows, denied, allowed;
    char policy[POLICY_SIZE];
    size_t policy_size;
    struct eg_policy *parsed;
    struct eg_blob *blob;
    char caller[PATH_MAX];
    char user[16];
    char cwd[PATH_MAX];
};

static unsigned tests, failures;
static char made[PATH_MAX]; /* the folder to remove, whatever happens */

static void result(const struct run *r, bool good, const char *row, const char *format, ...)
{
    va_list ap;
    printf("%sok %u - %s:%u: %s: %s\n", good ? "" : "not ", ++tests, r->file, r->line, r->sentence,
           row);
    if (good) return;
    failures++;
    va_start(ap, format);
    printf("# ");
    vprintf(format, ap);
    printf("\n");
    va_end(ap);
}

static void broken(const struct run *r, const char *what, const char *detail)
{
    printf("Bail out! %s:%u: %s: %s\n", r->file, r->line, what, detail);
    exit(1);
}

/* text with @ replaced by the folder; @@ is an @. */
static void expand(const struct run *r, const char *text, char *ret, size_t size)
{
    size_t n = 0;
    for (; *text; text++) {
        bool folder = *text == '@' && (text[1] == '/' || text[1] == '\0');
        size_t add = folder ? strlen(r->folder) : 1;
        if (n + add + 1 > size) broken(r, "line too long", text);
        memcpy(ret + n, folder ? r->folder : text, add);
        n += add;
    }
    ret[n] = '\0';
}

static char unescape(const char **at)
{
    const char *p = *at;
    char hex[3] = { p[1], p[1] ? p[2] : '\0', '\0' };
    *at = p + 1;
    switch (*p) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'x': *at = p + 3; return (char)strtol(hex, NULL, 16);
    default: return *p;
    }
}

/* Split in place into NUL-ended words. */
static size_t split(const struct run *r, char *text, const char **ret_words)
{
    size_t count = 0;
    const char *from = text;
    char *to = text;
    while (*from) {
        while (*from == ' ' || *from == '\t') from++;
        if (!*from) break;
        if (count == WORDS_MAX) broken(r, "too many words", text);
        ret_words[count++] = to;
        bool quoted = false;
        for (; *from && (quoted || (*from != ' ' && *from != '\t'));) {
            if (*from == '"') {
                quoted = !quoted;
                from++;
            } else if (quoted && *from == '\\') {
                from++;
                *to++ = unescape(&from);
            } else {
                *to++ = *from++;
            }
        }
        if (*from) from++;
        *to++ = '\0';
    }
    return count;
}

static void copy_file(const struct run *r, const char *from, const char *to)
{
    char buf[65536];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    size_t n;
    if (!in || !out) broken(r, "cannot copy", from);
    while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
        if (fwrite(buf, 1, n, out) != n) broken(r, "cannot write", to);
    fclose(in);
    if (fclose(out) || chmod(to, 0755)) broken(r, "cannot write", to);
}

static void place(const struct run *r, const char *name, char ret[PATH_MAX])
{
    if ((size_t)snprintf(ret, PATH_MAX, "%s/bin/%s", r->folder, name) >= PATH_MAX)
        broken(r, "name too long", name);
}

static void forget_policy(struct run *r)
{
    eg_blob_free(r->blob);
    eg_policy_free(r->parsed);
    r->blob = NULL;
    r->parsed = NULL;
}

static void compile(struct run *r)
{
    struct eg_policy_options options = { .check_owner = false, .guard_uid = geteuid() };
    struct eg_compile_options compile_options = { 0 };
    struct eg_diagnostics diagnostics = { 0 };
    if (r->blob) return;
    int error = eg_policy_parse("spec.policy", (struct eg_str){ r->policy, r->policy_size },
                                &options, &diagnostics, &r->parsed);
    if (!error) error = eg_compile(r->parsed, &compile_options, &diagnostics, &r->blob);
    if (error) {
        eg_diagnostics_render(&diagnostics, r->parsed, stderr);
        broken(r, "the policy is refused", strerror(-error));
    }
    eg_diagnostics_free(&diagnostics);
}

struct search {
    const struct run *run;
    char spelled[EG_PATH_MAX], path[EG_PATH_MAX];
};

static int find(void *context, struct eg_str name, struct eg_target *ret)
{
    struct search *s = context;
    int error = eg_resolve_search(eg_str(s->run->search), name, s->spelled, s->path, ret);
    if (error == -ENOENT || error == -EACCES || error == -ENOTDIR)
        *ret = (struct eg_target){ .path = name };
    else if (error)
        return error;
    return 0;
}

/* As execve(2) takes it, whatever it is; a name without a slash is searched. */
static int find_target(struct search *s, struct eg_str name, struct eg_target *ret)
{
    int error;
    if (eg_str_find(name, '/') == name.n || name.n >= sizeof(s->spelled)) return find(s, name, ret);
    memcpy(s->spelled, name.p, name.n);
    s->spelled[name.n] = '\0';
    return eg_resolve_file(AT_FDCWD, s->spelled, 0, s->path, ret, &error);
}

static unsigned rule_line(const struct run *r, uint32_t rule)
{
    const struct eg_blob_rule *rules = eg_blob_section(r->blob, EG_SECTION_RULES);
    return rule == EG_NONE ? 0 : rules[rule].line;
}

static void judge(struct run *r, char *words, struct eg_decision *ret)
{
    static struct search target, caller, inner;
    const char *argv[WORDS_MAX];
    const struct eg_lookup lookup = { find, &inner, NULL };
    struct eg_exec_request request = { .argv = argv, .lookup = &lookup, .cwd = eg_str(r->cwd) };
    target.run = caller.run = inner.run = r;
    request.argc = split(r, words, argv);
    if (!request.argc) broken(r, "a row without words", words);
    struct eg_str file = eg_str(argv[0]);
    if (file.n > 1 && file.p[0] == '[' && file.p[file.n - 1] == ']') {
        file = (struct eg_str){ file.p + 1, file.n - 2 };
        request.argv++;
        request.argc--;
    }
    if (chdir(r->cwd)) broken(r, "no such folder", r->cwd);
    if (find_target(&target, file, &request.target)) broken(r, "cannot look up", argv[0]);
    if (*r->caller && (find(&caller, eg_str(r->caller), &request.caller) || !request.caller.found))
        broken(r, "no such caller", r->caller);
    request.user_known = *r->user;
    request.user = (uint32_t)strtoul(r->user, NULL, 10);
    eg_decide_exec(r->blob, &request, ret);
}

/* "VERDICT [REASON] LINE: WORDS" with the verdict cut off. */
static void exec_row(struct run *r, enum eg_verdict verdict, char *rest, const char *row)
{
    struct eg_decision d;
    char *colon = strstr(rest, ": ");
    const char *head[WORDS_MAX];
    if (!colon) broken(r, "a row needs `: '", row);
    *colon = '\0';
    size_t n = split(r, rest, head);
    bool denied = verdict == EG_VERDICT_DENY;
    if (n != (denied ? 2u : 1u)) broken(r, "a row begins with verdict, reason and line", row);
    const char *reason = denied ? head[0] : eg_reason_slug(EG_REASON_NONE);
    unsigned line = (unsigned)strtoul(head[n - 1], NULL, 10); /* none: 0 */
    compile(r);
    judge(r, colon + 2, &d);
    bool good = d.verdict == verdict && rule_line(r, d.rule) == line &&
                strcmp(eg_reason_slug(d.reason), reason) == 0;
    result(r, good, row, "expected %s %s %u, got %s %s %u (depth %u)", eg_verdict_name(verdict),
           reason, line, eg_verdict_name(d.verdict), eg_reason_slug(d.reason), rule_line(r, d.rule),
           d.depth);
    r->rows++;
    *(denied ? &r->denied : &r->allowed) += 1;
}

static void env_row(struct run *r, enum eg_env_action action, char *rest, const char *row)
{
    static const char *const names[] = { "pass", "drop", "drop-always" };
    compile(r);
    enum eg_env_action got = eg_decide_env(r->blob, eg_str(rest));
    result(r, got == action, row, "expected %s, got %s", names[action], names[got]);
    r->rows++;
    *(action == EG_ENV_PASS ? &r->allowed : &r->denied) += 1;
}

/* A test that refuses everything proves nothing. */
static void end_case(struct run *r)
{
    if (r->denied && !r->allowed) result(r, false, "has a benign twin", "every row is refused");
    r->rows = r->denied = r->allowed = 0;
    r->caller[0] = '\0';
    r->user[0] = '\0';
    strcpy(r->cwd, "/");
}

static void make_file(struct run *r, const char *verb, char *rest)
{
    const char *words[WORDS_MAX];
    char from[PATH_MAX], to[PATH_MAX], other[PATH_MAX + 8];
    size_t n = split(r, rest, words);
    bool two = !strcmp(verb, "copy") || !strcmp(verb, "link") || !strcmp(verb, "hardlink");
    if (n != (two ? 2u : 1u)) broken(r, "wrong number of words after", verb);
    place(r, words[n - 1], to);
    if (!strcmp(verb, "program")) {
        copy_file(r, "/bin/true", to);
    } else if (!strcmp(verb, "copy")) {
        copy_file(r, words[0], to);
    } else if (!strcmp(verb, "link")) {
        if (symlink(words[0], to)) broken(r, "cannot link", to);
    } else if (!strcmp(verb, "hardlink")) {
        place(r, words[0], from);
        if (link(from, to)) broken(r, "cannot link", to);
    } else if (!strcmp(verb, "replace")) {
        snprintf(other, sizeof(other), "%s.new", to);
        copy_file(r, "/bin/true", other);
        if (rename(other, to)) broken(r, "cannot replace", to);
    } else if (unlink(to)) {
        broken(r, "cannot remove", to);
    }
}

static bool take(char *line, const char *word, char **ret_rest)
{
    size_t n = strlen(word);
    if (strncmp(line, word, n) != 0 || (line[n] != ' ' && line[n] != '\0')) return false;
    *ret_rest = line + n + (line[n] != '\0');
    return true;
}

static void policy_line(struct run *r, const char *text)
{
    size_t n = strlen(text);
    if (r->policy_size + n + 1 > sizeof(r->policy)) broken(r, "policy too long", text);
    memcpy(r->policy + r->policy_size, text, n);
    r->policy_size += n;
    r->policy[r->policy_size++] = '\n';
}

static void run_line(struct run *r, char *line, const char *row)
{
    static const char *const makers[] = {
        "program", "copy", "link", "hardlink", "replace", "remove"
    };
    char *rest;
    if (line[0] == '|') {
        policy_line(r, line + (line[1] == ' ' ? 2 : 1));
    } else if (take(line, "policy", &rest)) {
        end_case(r);
        forget_policy(r);
        r->policy_size = 0;
    } else if (take(line, "case", &rest)) {
        end_case(r);
        snprintf(r->sentence, sizeof(r->sentence), "%s", rest);
    } else if (take(line, "cwd", &rest)) {
        snprintf(r->cwd, sizeof(r->cwd), "%s", rest);
    } else if (take(line, "caller", &rest)) {
        snprintf(r->caller, sizeof(r->caller), "%s", rest);
    } else if (take(line, "user", &rest)) {
        snprintf(r->user, sizeof(r->user), "%s", rest);
    } else if (take(line, "allow", &rest)) {
        exec_row(r, EG_VERDICT_ALLOW, rest, row);
    } else if (take(line, "log", &rest)) {
        exec_row(r, EG_VERDICT_LOG, rest, row);
    } else if (take(line, "deny", &rest)) {
        exec_row(r, EG_VERDICT_DENY, rest, row);
    } else if (take(line, "pass", &rest)) {
        env_row(r, EG_ENV_PASS, rest, row);
    } else if (take(line, "drop", &rest)) {
        env_row(r, EG_ENV_DROP, rest, row);
    } else if (take(line, "drop-always", &rest)) {
        env_row(r, EG_ENV_DROP_ALWAYS, rest, row);
    } else {
        for (size_t i = 0; i < sizeof(makers) / sizeof(*makers); i++)
            if (take(line, makers[i], &rest)) {
                make_file(r, makers[i], rest);
                return;
            }
        broken(r, "unknown line", line);
    }
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void clean_up(void)
{
    if (!*made || chdir("/")) return;
    nftw(made, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    made[0] = '\0';
}

static void run_file(const char *path, const char *base)
{
    static struct run r;
    char text[LINE_SIZE], line[LINE_SIZE * 2], bin[PATH_MAX];
    FILE *f = fopen(path, "r");
    r = (struct run){ .file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path };
    if (!f) broken(&r, "cannot open", path);
    int n = snprintf(r.folder, sizeof(r.folder), "%s/execguard-spec-XXXXXX", base);
    if (n < 0 || (size_t)n >= sizeof(r.folder) || !mkdtemp(r.folder))
        broken(&r, "cannot make a folder below", base);
    memcpy(made, r.folder, sizeof(made));
    place(&r, "", bin);
    if (chmod(r.folder, 0755) || mkdir(bin, 0755)) broken(&r, "cannot make", bin);
    snprintf(r.search, sizeof(r.search), "%s/bin:/usr/bin:/bin", r.folder);
    end_case(&r);
    while (fgets(text, sizeof(text), f)) {
        size_t length = strlen(text);
        char *start = text + strspn(text, " \t");
        r.line++;
        if (length && text[length - 1] != '\n' && !feof(f)) broken(&r, "line too long", text);
        text[strcspn(text, "\n")] = '\0';
        if (!*start || *start == '#') continue;
        expand(&r, start, line, sizeof(line));
        run_line(&r, line, start);
    }
    end_case(&r);
    forget_policy(&r);
    fclose(f);
    clean_up();
}

int main(int argc, char **argv)
{
    char here[PATH_MAX], base[PATH_MAX];
    const char *below = getenv("EG_SPEC_DIR");
    atexit(clean_up);
    if (!getcwd(here, sizeof(here)) || !realpath(below ? below : here, base)) return 1;
    for (int i = 1; i < argc; i++) {
        if (chdir(here)) return 1;
        run_file(argv[i], base);
    }
    printf("1..%u\n", tests);
    return failures != 0;
}
