// SPDX-License-Identifier: MIT
/* Requests made of any bytes against a policy whose argument patterns are made
 * of them too.  Besides not crashing: the verdict is the same twice, what no rule
 * names is never allowed, and a shell is never allowed, whatever stands around
 * it.
 *
 * Input: one byte of switches; pieces as pairs (kind, text ended by NUL) up to an
 * empty text; then the arguments, each ended by NUL. */
#include "../lib/decide_blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARGUMENTS_MAX = 64, WRAPPERS = 8, SHELL_INO = 50, TOOL_INO = 51, EVIL_INO = 52 };

static const char *const wrappers[WRAPPERS] = {
    "env", "nice", "timeout", "xargs", "busybox", "flock", "ld-linux-x86-64.so.2", "chrt",
};

static bool looked_up_shell;

static int find(void *context, struct eg_str name, struct eg_target *ret)
{
    struct eg_str base = eg_str_basename(name);
    (void)context;
    *ret = (struct eg_target){ .path = name };
    if (eg_str_equal(base, EG_STR("tool"))) *ret = make_target("/bin/tool", TOOL_INO);
    if (eg_str_equal(base, EG_STR("evil"))) *ret = make_target("/bin/evil", EVIL_INO);
    if (eg_name_is_shell(base)) {
        *ret = make_target("/bin/dash", SHELL_INO);
        looked_up_shell = true;
    }
    for (size_t i = 0; i < WRAPPERS; i++)
        if (eg_str_equal(base, eg_str(wrappers[i]))) *ret = make_target(wrappers[i], 1 + i);
    return 0;
}

/* The next NUL-ended text of the input; the last one may lack its NUL. */
static char *take_text(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size ? memchr(*data, 0, *size) : NULL;
    size_t n = end ? (size_t)(end - *data) : *size;
    char *ret = strndup((const char *)*data, n);
    assert(ret);
    n += end != NULL;
    *data += n;
    *size -= n;
    return ret;
}

static void make_pattern(struct maker *m, const uint8_t **data, size_t *size)
{
    struct eg_blob_word *w = &m->words[m->word_count];
    w->piece = m->piece_count;
    while (*size > 1 && m->piece_count < 32) {
        uint32_t kind = (*data)[0] % (EG_PIECE_ANY + 1);
        ++*data;
        --*size;
        char *text = take_text(data, size);
        size_t n = strlen(text);
        if (n && n < 2000) make_piece(m, kind, text, n);
        free(text);
        if (!n) break;
    }
    w->count = m->piece_count - w->piece;
    m->word_count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct maker *m;
    const struct eg_lookup lookup = { find, NULL, NULL };
    const char *argv[ARGUMENTS_MAX];
    char *texts[ARGUMENTS_MAX];
    struct eg_decision first, second;
    if (size < 2) return 0;
    if (!m) m = make_policy();
    /* start over without clearing all of it */
    m->string_size = 1;
    m->program_count = m->rule_count = m->from_count = m->node_count = 0;
    m->word_count = m->piece_count = m->env_count = 0;
    uint8_t switches = *data++;
    size--;
    make_pattern(m, &data, &size);
    uint32_t tool = make_program(m, "/bin/tool", "/bin/tool", TOOL_INO, 0);
    make_program(m, "/bin/dash", "/bin/sh", SHELL_INO, EG_PROGRAM_SHELL);
    for (size_t i = 0; i < WRAPPERS; i++)
        make_rule(
            m, EG_VERB_ALLOW,
            make_program(m, wrappers[i], wrappers[i], 1 + i, i == 4 ? EG_PROGRAM_MULTICALL : 0),
            "...", NULL);
    make_rule(m, switches & 1 ? EG_VERB_LOG : EG_VERB_ALLOW, tool, "-a [ <int> ]", NULL);
    make_rule(m, EG_VERB_ALLOW, tool, switches & 2 ? "X ..." : "X X", NULL);
    for (uint32_t i = 0; i < m->node_count; i++)
        if (m->nodes[i].op == EG_NODE_WORD && i + 4 > m->node_count) m->nodes[i].a = 0;

    struct eg_exec_request request = { .argv = argv, .lookup = &lookup, .cwd = EG_STR("/srv") };
    while (size && request.argc < ARGUMENTS_MAX) {
        texts[request.argc] = take_text(&data, &size);
        argv[request.argc] = texts[request.argc];
        request.argc++;
    }
    request.open_ended = switches & 4;
    if (request.argc) find(NULL, eg_str(argv[0]), &request.target);
    const struct eg_blob *blob = make_blob(m);
    eg_decide_exec(blob, &request, &first);
    looked_up_shell = false;
    eg_decide_exec(blob, &request, &second);
    if (first.verdict != second.verdict || first.reason != second.reason) abort();
    if ((first.verdict == EG_VERDICT_DENY) == (first.reason == EG_REASON_NONE)) abort();
    if (first.verdict != EG_VERDICT_DENY) {
        if (looked_up_shell || request.target.id.ino == EVIL_INO ||
            request.target.id.ino == SHELL_INO)
            abort();
        if (first.rule >= m->rule_count || first.program >= m->program_count) abort();
        if (request.argc && eg_name_is_shell(eg_str_basename(eg_str(argv[0])))) abort();
    }
    for (size_t i = 0; i < request.argc; i++) eg_decide_env(blob, eg_str(argv[i]));
    for (size_t i = 0; i < request.argc; i++) free(texts[i]);
    return 0;
}
