// SPDX-License-Identifier: MIT
/* Reads a verb's options.  Tables instead of getopt(3): one spelling of each
 * mistake, long names without abbreviations, and no argument ever reordered
 * behind a `--`. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

struct cursor {
    const struct eg_cli_verb *verb;
    const struct eg_cli_option *options;
    int argc;
    char **argv;
    int at;
};

static int take_value(struct cursor *c, const struct eg_cli_option *option, const char *shown,
                      const char *value)
{
    if (!value) {
        if (c->at + 1 >= c->argc) return eg_cli_usage(c->verb, "%s needs a value", shown);
        value = c->argv[++c->at];
    }
    if (*value == '\0') return eg_cli_usage(c->verb, "%s has an empty value", shown);
    if (*option->value) return eg_cli_usage(c->verb, "%s is given twice", shown);
    *option->value = value;
    return -1;
}

static int unknown_option(struct cursor *c, const char *word)
{
    const char *names[16];
    size_t count = 0;
    const char *bare = word + strspn(word, "-");
    for (const struct eg_cli_option *o = c->options; o->name && count < 16; o++)
        names[count++] = o->name;
    const char *near = eg_suggest((struct eg_str){ bare, strcspn(bare, "=") }, names, count);
    if (near) return eg_cli_usage(c->verb, "unknown option `%s'; did you mean `--%s'?", word, near);
    return eg_cli_usage(c->verb, "unknown option `%s'", word);
}

static int long_option(struct cursor *c, const char *word)
{
    size_t n = strcspn(word + 2, "=");
    const char *value = word[2 + n] == '=' ? word + 3 + n : NULL;
    for (const struct eg_cli_option *o = c->options; o->name; o++) {
        if (strlen(o->name) != n || strncmp(o->name, word + 2, n) != 0) continue;
        if (!o->flag) {
            char shown[64];
            snprintf(shown, sizeof shown, "--%s", o->name);
            return take_value(c, o, shown, value);
        }
        if (value) return eg_cli_usage(c->verb, "--%s takes no value", o->name);
        *o->flag = true;
        return -1;
    }
    return unknown_option(c, word);
}

static int short_option(struct cursor *c, const char *word)
{
    for (const struct eg_cli_option *o = c->options; o->name; o++) {
        if (!o->letter || o->letter != word[1]) continue;
        if (!o->flag) {
            char shown[3] = { '-', o->letter, '\0' };
            return take_value(c, o, shown, word[2] ? word + 2 : NULL);
        }
        if (word[2]) return eg_cli_usage(c->verb, "-%c takes no value", o->letter);
        *o->flag = true;
        return -1;
    }
    return unknown_option(c, word);
}

int eg_cli_parse(const struct eg_cli_verb *verb, const struct eg_cli_option *options,
                 enum eg_cli_words words, int argc, char **argv, int *ret_argc, char ***ret_argv)
{
    struct cursor c = { verb, options, argc, argv, 1 };
    int kept = 0; /* words are gathered at the front of argv */
    for (; c.at < argc; c.at++) {
        const char *word = argv[c.at];
        if (strcmp(word, "--") == 0) {
            c.at++;
            break;
        }
        if (word[0] != '-' || word[1] == '\0') {
            if (words == EG_WORDS_COMMAND) break;
            argv[kept++] = argv[c.at];
            continue;
        }
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            fputs(verb->help, stdout);
            return eg_cli_printed(EG_EXIT_OK);
        }
        int status = word[1] == '-' ? long_option(&c, word) : short_option(&c, word);
        if (status >= 0) return status;
    }
    if (words == EG_WORDS_COMMAND) {
        *ret_argv = argv + c.at;
        *ret_argc = argc - c.at;
        return -1;
    }
    while (c.at < argc) argv[kept++] = argv[c.at++];
    argv[kept] = NULL;
    *ret_argv = argv;
    *ret_argc = kept;
    return -1;
}

static int refuse_word(const struct eg_cli_verb *verb, const char *word)
{
    return eg_cli_usage(verb, "`%s' is one word too many", word);
}

int eg_cli_parse_options(const struct eg_cli_verb *verb, const struct eg_cli_option *options,
                         int argc, char **argv)
{
    int status = eg_cli_parse(verb, options, EG_WORDS_MIXED, argc, argv, &argc, &argv);
    if (status >= 0) return status;
    return argc ? refuse_word(verb, argv[0]) : -1;
}

int eg_cli_parse_policy(const struct eg_cli_verb *verb, const struct eg_cli_option *options,
                        const char **policy, int argc, char **argv)
{
    int status = eg_cli_parse(verb, options, EG_WORDS_MIXED, argc, argv, &argc, &argv);
    if (status >= 0) return status;
    if (!*policy && argc) {
        *policy = *argv++;
        argc--;
    }
    if (!*policy) return eg_cli_usage(verb, "no policy given");
    return argc ? refuse_word(verb, argv[0]) : -1;
}

int eg_cli_parse_command(const struct eg_cli_verb *verb, const struct eg_cli_option *options,
                         const char *const *policy, int argc, char ***argv)
{
    int status = eg_cli_parse(verb, options, EG_WORDS_COMMAND, argc, *argv, &argc, argv);
    if (status >= 0) return status;
    if (!*policy) return eg_cli_usage(verb, "no policy given (-p POLICY)");
    if (argc == 0) return eg_cli_usage(verb, "no command given");
    return -1;
}

/* The kernel hands what stands behind the interpreter over as one word, then the
 * file's name, then the file's arguments. */
char **eg_cli_read_first_line(int *argc, char **argv)
{
    static const char blanks[] = " \t";
    bool is_line =
        *argc >= 3 && (strncmp(argv[1], "exec ", 5) == 0 || strncmp(argv[1], "run ", 4) == 0);
    if (!is_line) return argv;
    char *line = strdup(argv[1]);
    char **words = calloc(strlen(argv[1]) + (size_t)*argc + 1, sizeof *words);
    if (!line || !words) exit(eg_cli_error("out of memory"));

    bool wrapper = false, options = true;
    char *rest = NULL;
    int count = 0;
    words[count++] = argv[0];
    for (char *word = strtok_r(line, blanks, &rest); word; word = strtok_r(NULL, blanks, &rest)) {
        if (strcmp(word, "--") == 0) options = false;
        if (options && strcmp(word, "--wrapper") == 0)
            wrapper = true;
        else
            words[count++] = word;
    }
    for (int i = wrapper ? 3 : 2; i < *argc; i++) words[count++] = argv[i];
    words[count] = NULL;
    *argc = count;
    return words;
}
