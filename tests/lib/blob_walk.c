// SPDX-License-Identifier: MIT
/* A blob with something in every section, and a reader of everything. */
#include "blob_walk.h"

#include "blob_builder.h"
#include "decide/decide.h"
#include "decide/write.h"

static uint32_t add_word(struct blob_builder *b, const struct eg_blob_piece *pieces, uint32_t count)
{
    struct eg_blob_word word = { 0, count };
    for (uint32_t i = 0; i < count; i++) {
        uint32_t piece = blob_builder_add(b, EG_SECTION_PIECES, &pieces[i]);
        if (i == 0) word.piece = piece;
    }
    return blob_builder_add(b, EG_SECTION_WORDS, &word);
}

/* tool {-f<email>|--size=<int>x<int>px} <file:/srv/...> [...], and a shell for a caller */
static void add_rules(struct blob_builder *b, uint32_t program, uint32_t caller)
{
    uint32_t empty = blob_builder_string(b, "");
    const struct eg_blob_piece mail[] = { { EG_PIECE_LITERAL, blob_builder_string(b, "-f") },
                                          { EG_PIECE_EMAIL, empty } };
    const struct eg_blob_piece size[] = { { EG_PIECE_LITERAL, blob_builder_string(b, "--size=") },
                                          { EG_PIECE_INT, empty },
                                          { EG_PIECE_LITERAL, blob_builder_string(b, "x") },
                                          { EG_PIECE_INT, empty },
                                          { EG_PIECE_LITERAL, blob_builder_string(b, "px") } };
    const struct eg_blob_piece file[] = { { EG_PIECE_FILE, blob_builder_string(b, "/srv/**") } };
    uint32_t words[3];
    words[0] = add_word(b, mail, 2);
    words[1] = add_word(b, size, 5);
    words[2] = add_word(b, file, 1);
    const struct eg_blob_node nodes[] = {
        { EG_NODE_SPLIT, 1, 3 },       { EG_NODE_WORD, words[0], 0 }, { EG_NODE_JUMP, 4, 0 },
        { EG_NODE_WORD, words[1], 0 }, { EG_NODE_WORD, words[2], 0 }, { EG_NODE_SPLIT, 6, 7 },
        { EG_NODE_REST, 0, 0 },        { EG_NODE_END, 0, 0 },
    };
    struct eg_blob_rule rule = { .verb = EG_VERB_LOG, .program = program, .line = 7 };
    rule.file = blob_builder_string(b, "sample.policy");
    rule.node_count = sizeof(nodes) / sizeof(nodes[0]);
    for (uint32_t i = 0; i < rule.node_count; i++) {
        uint32_t node = blob_builder_add(b, EG_SECTION_NODES, &nodes[i]);
        if (i == 0) rule.nodes = node;
    }
    rule.from = blob_builder_add(b, EG_SECTION_FROMS, &caller);
    rule.from_count = 1;
    const uint32_t user = 1000;
    rule.user = blob_builder_add(b, EG_SECTION_USERS, &user);
    rule.user_count = 1;
    blob_builder_add(b, EG_SECTION_RULES, &rule);
    rule.verb = EG_VERB_SHELL_FROM;
    rule.program = EG_NONE;
    rule.nodes = rule.node_count = 0;
    blob_builder_add(b, EG_SECTION_RULES, &rule);
}

struct eg_blob *blob_sample(void)
{
    struct blob_builder b;
    blob_builder_init(&b, EG_BLOB_NO_NEW_PRIVS | EG_BLOB_LIMIT_CAPS | EG_BLOB_SHELL_REWRITE);
    uint32_t loader = blob_builder_allow(&b, "/lib/ld.so.1");
    uint32_t tool = blob_builder_allow(&b, "/usr/bin/tool");
    struct eg_blob_program *programs =
        (struct eg_blob_program *)(void *)b.sections[EG_SECTION_PROGRAMS].bytes;
    programs[tool].interpreter = loader;
    add_rules(&b, tool, tool);
    const struct eg_blob_env env = { blob_builder_string(&b, "FOO_*"), 0 };
    blob_builder_add(&b, EG_SECTION_ENV, &env);
    const struct eg_blob_sink sink = { EG_SINK_FILE, blob_builder_string(&b, "/var/log/x.jsonl") };
    blob_builder_add(&b, EG_SECTION_SINKS, &sink);
    const struct eg_blob_dependency dependency = { .path = blob_builder_string(&b, "/etc/x") };
    blob_builder_add(&b, EG_SECTION_DEPENDENCIES, &dependency);
    blob_builder_guard_file(&b, "/etc/x");
    blob_builder_write_tree(&b, "/srv/*/uploads/**", EG_TREE_ALLOW);
    const struct eg_blob_name name = { .glob = blob_builder_string(&b, "*.svg"),
                                       .uses = EG_NAME_WRITE | EG_NAME_READ,
                                       .file = blob_builder_string(&b, "test.policy"),
                                       .line = 3 };
    const struct eg_blob_upload upload = { .root = blob_builder_string(&b, "/srv/*/uploads"),
                                           .flags = EG_UPLOAD_DENY_READ,
                                           .contents = 1,
                                           .names =
                                               blob_builder_add(&b, EG_SECTION_UPLOAD_NAMES, &name),
                                           .name_count = 1,
                                           .quarantine = blob_builder_string(&b, "/var/q"),
                                           .file = name.file,
                                           .line = 2 };
    blob_builder_add(&b, EG_SECTION_UPLOADS, &upload);
    struct eg_blob *blob = blob_builder_finish(&b);
    blob_builder_done(&b);
    return blob;
}

static uint64_t sum(const void *data, size_t n)
{
    const unsigned char *p = data;
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++) total += p[i];
    return total;
}

static uint64_t sum_string(const struct eg_blob *blob, uint32_t string)
{
    struct eg_str s = eg_blob_str(blob, string);
    return sum(s.p, s.n);
}

static uint64_t walk_word(const struct eg_blob *blob, uint32_t word)
{
    const struct eg_blob_word *w =
        (const struct eg_blob_word *)eg_blob_section(blob, EG_SECTION_WORDS) + word;
    const struct eg_blob_piece *p =
        (const struct eg_blob_piece *)eg_blob_section(blob, EG_SECTION_PIECES) + w->piece;
    uint64_t total = eg_match_word(blob, word, EG_STR("--size=10x20px"), EG_STR("/srv"));
    for (uint32_t i = 0; i < w->count; i++) total += p[i].kind + sum_string(blob, p[i].text);
    return total;
}

static uint64_t walk_rule(const struct eg_blob *blob, const struct eg_blob_rule *rule)
{
    static const char *const argv[] = { "tool", "-fa@b.example", "/srv/x", "more", NULL };
    const struct eg_exec_request request = { .argv = argv, .argc = 4, .cwd = EG_STR("/srv") };
    const uint32_t *froms = (const uint32_t *)eg_blob_section(blob, EG_SECTION_FROMS) + rule->from;
    const struct eg_blob_node *nodes =
        (const struct eg_blob_node *)eg_blob_section(blob, EG_SECTION_NODES) + rule->nodes;
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    uint64_t total = sum_string(blob, rule->file) + eg_match_arguments(blob, rule, &request);
    const uint32_t *users = (const uint32_t *)eg_blob_section(blob, EG_SECTION_USERS) + rule->user;
    for (uint32_t i = 0; i < rule->from_count; i++) total += programs[froms[i]].flags;
    for (uint32_t i = 0; i < rule->user_count; i++) total += users[i];
    for (uint32_t i = 0; i < rule->node_count; i++) {
        if (nodes[i].op == EG_NODE_WORD) total += walk_word(blob, nodes[i].a);
        if (nodes[i].op == EG_NODE_SPLIT) total += nodes[nodes[i].a].op + nodes[nodes[i].b].op;
        if (nodes[i].op == EG_NODE_JUMP) total += nodes[nodes[i].a].op;
    }
    if (rule->program != EG_NONE) total += programs[rule->program].flags;
    return total;
}

static uint64_t walk_programs(const struct eg_blob *blob)
{
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    const uint32_t *set = eg_blob_section(blob, EG_SECTION_EXEC_SET);
    uint64_t total = 0;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_PROGRAMS); i++) {
        total += sum_string(blob, programs[i].path) + sum_string(blob, programs[i].spelled) +
                 sum_string(blob, programs[i].name);
        for (uint32_t p = i; p != EG_NONE; p = programs[p].interpreter) total += programs[p].id.ino;
    }
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_EXEC_SET); i++)
        total += programs[set[i]].id.ino;
    return total;
}

static uint64_t walk_tables(const struct eg_blob *blob)
{
    const struct eg_blob_env *env = eg_blob_section(blob, EG_SECTION_ENV);
    const struct eg_blob_sink *sinks = eg_blob_section(blob, EG_SECTION_SINKS);
    const struct eg_blob_dependency *dependencies = eg_blob_section(blob, EG_SECTION_DEPENDENCIES);
    const struct eg_blob_tree *trees = eg_blob_section(blob, EG_SECTION_WRITE_TREES);
    const uint32_t *files = eg_blob_section(blob, EG_SECTION_GUARD_FILES);
    uint64_t total = eg_decide_env(blob, EG_STR("FOO_BAR=1"));
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_ENV); i++)
        total += sum_string(blob, env[i].pattern);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_SINKS); i++)
        total += sum_string(blob, sinks[i].target);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_DEPENDENCIES); i++)
        total += sum_string(blob, dependencies[i].path);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_WRITE_TREES); i++)
        total += sum_string(blob, trees[i].pattern);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_GUARD_FILES); i++)
        total += sum_string(blob, files[i]);
    return total;
}

static uint64_t walk_writes(const struct eg_blob *blob)
{
    const struct eg_blob_upload *uploads = eg_blob_section(blob, EG_SECTION_UPLOADS);
    uint64_t total = eg_decide_reads_matter(blob, EG_STR("a.php"));
    for (int op = 0; op < EG_WRITE_OPS; op++) {
        const struct eg_write_request request = { (enum eg_write_op)op,
                                                  EG_STR("/srv/a/uploads/b/c.svg.jpg"),
                                                  EG_STR("/srv/a/uploads/d"), 0100755, false };
        struct eg_write_decision decision;
        eg_decide_write(blob, &request, &decision);
        total += decision.reason + sum_string(blob, decision.rule_file);
        eg_decide_content(blob, decision.upload, 1, &decision);
        total += sum_string(blob, decision.rule_file);
    }
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_UPLOADS); i++)
        total += sum_string(blob, uploads[i].quarantine);
    return total;
}

uint64_t blob_walk(const struct eg_blob *blob)
{
    const struct eg_blob_rule *rules = eg_blob_section(blob, EG_SECTION_RULES);
    uint64_t total =
        sum_string(blob, blob->name) + walk_programs(blob) + walk_tables(blob) + walk_writes(blob);
    for (enum eg_section s = 0; s < EG_SECTION_COUNT; s++)
        total +=
            sum(eg_blob_section(blob, s), (size_t)eg_blob_count(blob, s) * eg_blob_element_size(s));
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_WORDS); i++)
        total += walk_word(blob, i);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_RULES); i++)
        total += walk_rule(blob, &rules[i]);
    return total + eg_blob_id_matches(blob);
}
