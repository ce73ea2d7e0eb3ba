// SPDX-License-Identifier: MIT
#include "generate.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

uint64_t random_next(struct random *random)
{
    /* splitmix64 */
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned random_below(struct random *random, unsigned limit)
{
    return (unsigned)(random_next(random) % limit);
}

struct out {
    struct random *random;
    char *p;
    size_t n;
};

static void add_byte(struct out *out, char c)
{
    if (out->n + 1 < GENERATE_MAX && c) out->p[out->n++] = c;
}

static void add(struct out *out, const char *text)
{
    while (*text) add_byte(out, *text++);
}

static unsigned below(struct out *out, unsigned limit)
{
    return random_below(out->random, limit);
}

static int one_in(struct out *out, unsigned n)
{
    return below(out, n) == 0;
}

#define PICK(out, list) add(out, (list)[below(out, COUNT(list))])

static void add_blank(struct out *out)
{
    static const char *const blanks[] = { " ", " ", " ", " ", "  ", "\t", " \\\n", "\\\n " };
    PICK(out, blanks);
}

static void add_optional_blank(struct out *out)
{
    if (one_in(out, 2)) add_blank(out);
}

/* Bytes that shells use inside themselves, and others rarely tried. */
static char odd_byte(struct out *out)
{
    static const unsigned char odd[] = {
        0x01, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
        0x88, 0x89, 0xff, 0xc3, 0xa9, 0x0b, 0x0c, '\r', 0x1c, 0x1b
    };
    return (char)odd[below(out, sizeof odd)];
}

static void add_single_quoted(struct out *out)
{
    static const char inside[] = "ab .*?[]!-^\\\"$`~#&;|<>(){}=:/\n\t%";
    add_byte(out, '\'');
    for (unsigned i = below(out, 5); i > 0; i--)
        add_byte(out, one_in(out, 6) ? odd_byte(out) : inside[below(out, sizeof inside - 1)]);
    add_byte(out, '\'');
}

static void add_double_quoted(struct out *out)
{
    static const char *const inside[] = { "a",   "b ",   "*",  "?",  "[",  "]",   "!",   "-", "^",
                                          "'",   "\\\\", "\\", "~",  "#",  "&",   ";",   "|", "<",
                                          "\\$", "\\`",  "$",  "$.", "(",  ")",   "{",   "}", "=",
                                          ":",   "/",    "\n", "%",  "\t", "\\a", "\\\n" };
    add_byte(out, '"');
    for (unsigned i = below(out, 5); i > 0; i--) {
        if (one_in(out, 8))
            add_byte(out, odd_byte(out));
        else if (one_in(out, 8))
            add(out, "\\\"");
        else
            PICK(out, inside);
    }
    if (out->n && out->p[out->n - 1] == '\\' && out->p[out->n - 2] != '\\') add_byte(out, 'x');
    add_byte(out, '"');
}

static void add_piece(struct out *out)
{
    static const char *const plain[] = { "a",   "b",   "foo",   "-x", "--opt=v", "0",       "12",
                                         "x/y", ".",   "..",    "/",  "[0]",     "120x90!", "%s",
                                         "a=b", "a:b", "@",     "+",  ",",       "^",       "!",
                                         "{}",  "}",   "{a,b}", "#",  "a#",      "a~",      ":~",
                                         "=~",  "$",   "$.",    "if", "x.c",     "_",       "2" };
    static const char *const patterns[] = { "*",      "?",      "[a-c]", "[!a]", "*.c",
                                            "d/*",    "*/e",    ".*",    "a*",   "[[:digit:]]",
                                            "[]a]",   "[",      "]",     "[a",   "*/",
                                            "/w/*",   "d/[ef]", "??",    "[^a]", "[a\\]",
                                            "[\\!a]", "[a-]",   "[-a]",  "**" };
    static const char *const refused[] = { "$x", "`a`", "$(a)", "${x}", "~", "~a", "(", "$((1))" };

    switch (below(out, 12)) {
    case 0:
    case 1: add_single_quoted(out); break;
    case 2:
    case 3: add_double_quoted(out); break;
    case 4:
        add_byte(out, '\\');
        if (one_in(out, 4))
            add_byte(out, odd_byte(out));
        else
            add_byte(out, " *?[]!-^\\'\"$`~#&;|<>(){}=:/a\n"[below(out, 29)]);
        break;
    case 5: add_byte(out, odd_byte(out)); break;
    case 6: PICK(out, patterns); break;
    case 7:
        if (one_in(out, 6)) {
            PICK(out, refused);
            break;
        }
        /* fall through */
    default: PICK(out, plain); break;
    }
    if (one_in(out, 30)) add(out, "\\\n");
}

static void add_word(struct out *out)
{
    for (unsigned i = 1 + below(out, 3); i > 0; i--) add_piece(out);
}

static void add_redirect(struct out *out)
{
    static const char *const files[] = { "new",   "b.c",       "'q f'",  "\"*\"", "*",
                                         "d/new", "/dev/null", "none/x", "\\n",   "[0]" };
    static const char *const operators[] = { ">", ">>", "<", "<>", ">|" };
    static const char *const duplicates[] = { ">&", "<&" };
    static const char *const targets[] = { "1", "2", "0", "-", "3", "\"1\"", "\\2", "9" };

    if (one_in(out, 2)) {
        if (!one_in(out, 3)) add_byte(out, "0123456789"[below(out, one_in(out, 3) ? 10 : 3)]);
        if (one_in(out, 20)) add(out, "\\\n");
        PICK(out, duplicates);
        if (one_in(out, 4)) add_blank(out);
        PICK(out, targets);
    } else {
        if (one_in(out, 2)) add_byte(out, "0123456789"[below(out, one_in(out, 3) ? 10 : 3)]);
        PICK(out, operators);
        add_optional_blank(out);
        PICK(out, files);
    }
    if (one_in(out, 15)) add(out, "x");
}

static void add_assignment(struct out *out)
{
    static const char *const names[] = { "A",      "B",   "_x9", "LC_ALL", "OPTIND", "IFS",
                                         "LINENO", "PS4", "PWD", "OLDPWD", "TERM" };
    PICK(out, names);
    if (one_in(out, 30)) add_byte(out, "'+[\\"[below(out, 4)]);
    add_byte(out, '=');
    if (!one_in(out, 4)) add_word(out);
}

static void add_name(struct out *out)
{
    static const char *const names[] = { "prog",  "prog",   "ls",       "convert", "/usr/bin/x",
                                         "p-1",   "'prog'", "pr\"og\"", "p\\rog",  "./a.out",
                                         "prog0", "x\\\ny", "git",      "none/x",  "\x81p\x88" };
    static const char *const kept[] = { "echo",
                                        "true",
                                        "false",
                                        "command -v ls",
                                        "if",
                                        "[",
                                        "test",
                                        "command -v none",
                                        "eval",
                                        "!",
                                        "time",
                                        "'echo'",
                                        "printf",
                                        "command -v -- ls",
                                        "pwd",
                                        "kill -9 4190000",
                                        "kill -s TERM 4190001",
                                        "kill 4190002",
                                        "kill -HUP 4190003 4190004",
                                        "printf '%s\\n'",
                                        "printf \"a%s\\t%%%s\\\\\"",
                                        "echo 'a\\tb\\0101\\c'",
                                        "echo -n '\\\\n\\e\\q\\17'" };
    if (one_in(out, 12))
        PICK(out, kept);
    else
        PICK(out, names);
}

static void add_command(struct out *out)
{
    for (unsigned i = one_in(out, 4) ? 1 + below(out, 3) : 0; i > 0; i--) {
        if (one_in(out, 3))
            add_redirect(out);
        else
            add_assignment(out);
        add_blank(out);
    }
    if (one_in(out, 8)) add(out, "exec ");
    add_name(out);
    for (unsigned i = below(out, 6); i > 0; i--) {
        if (one_in(out, 5)) {
            if (!one_in(out, 3)) add_blank(out);
            add_redirect(out);
        } else {
            add_blank(out);
            add_word(out);
        }
    }
}

/* Where a step ends and what waits for it starts. */
static void add_joint(struct out *out)
{
    static const char *const joints[] = { " && ", ";", " ; ", "&&", " &&\n", "\n", ";\n", " || " };
    add(out, joints[below(out, one_in(out, 6) ? COUNT(joints) : 5)]);
}

static void add_cd(struct out *out)
{
    static const char *const folders[] = { "d",    "/w/d", "'d'",  "..",  ".",
                                           "d/..", "none", "/",    "./d", "d//",
                                           "l",    "l/..", "-- d", "''",  "-" };
    add(out, "cd ");
    PICK(out, folders);
    add_joint(out);
}

/* What the shell does to itself, but for `cd`. */
static void add_step(struct out *out)
{
    static const char *const names[] = { "A",  "B",   "_x9",    "LC_ALL", "PATH", "HOME",
                                         "1A", "PWD", "CDPATH", "A+",     "'C'",  "IFS" };
    static const char *const masks[] = { "077", "0", "22", "8", "7777", "00077", "u=r", "'027'" };
    static const char *const tests[] = { "-e", "-f", "-d", "-h", "-r", "-s",  "-w",
                                         "-x", "-L", "-n", "!",  "-G", "'-e'" };
    static const char *const paths[] = { "a", "d", "none", "''", "l", "'x y'", "*", "a.out", "]" };
    int bracket = one_in(out, 2);
    switch (below(out, 3)) {
    case 0:
        add(out, "export ");
        for (unsigned i = 1 + below(out, 2); i > 0; i--) {
            PICK(out, names);
            if (!one_in(out, 12)) add_byte(out, '=');
            if (!one_in(out, 4)) add_word(out);
            if (i > 1) add_blank(out);
        }
        break;
    case 1:
        add(out, "umask ");
        PICK(out, masks);
        break;
    default:
        add(out, bracket ? "[ " : "test ");
        PICK(out, tests);
        add_blank(out);
        PICK(out, paths);
        if (bracket && !one_in(out, 20)) add(out, " ]");
        if (one_in(out, 20)) add_redirect(out);
        break;
    }
    add_joint(out);
}

/* Steps and a pipeline. */
static void add_list(struct out *out)
{
    static const char *const joints[] = { " | ", "|", " |\n", " |\n # c\n" };
    static const char *const lists[] = { "; ",   ";",    "\n", " ;\n", " && ",
                                         "&&\n", " || ", "||", " & " };
    while (one_in(out, 6)) {
        if (one_in(out, 2))
            add_cd(out);
        else
            add_step(out);
    }
    add_command(out);
    while (one_in(out, 6)) {
        if (one_in(out, 2))
            PICK(out, joints);
        else
            PICK(out, lists);
        add_command(out);
    }
}

/* A list in a process of its own. */
static void add_group(struct out *out)
{
    static const char *const opens[] = { "(", "( ", "(\n", "(# c\n", "((" };
    static const char *const closes[] = { ")", " )", "; )", ";)", "\n)", " &)", "))" };
    add(out, opens[below(out, one_in(out, 10) ? COUNT(opens) : 3)]);
    add_list(out);
    add(out, closes[below(out, one_in(out, 10) ? COUNT(closes) : 5)]);
    while (one_in(out, 2)) {
        add_optional_blank(out);
        add_redirect(out);
    }
}

size_t generate_line(struct random *random, char ret[GENERATE_MAX])
{
    struct out out = { random, ret, 0 };
    static const char *const ends[] = { "&",      " &",         ";",
                                        " ; ",    "\n",         " # comment ' \" $(",
                                        " & # c", "\n\n # c\n", "\\",
                                        " #\\\n", "; \n",       "&\n" };
    static const char *const refused[] = { "; ls", " && ls", " || ls", "\nls", " & ls", ")", ";;" };

    if (one_in(&out, 20)) add(&out, one_in(&out, 2) ? "\n" : "# c\n");
    if (one_in(&out, 10)) add_optional_blank(&out);
    if (one_in(&out, 8))
        add_group(&out);
    else
        add_list(&out);
    static const char *const tails[] = { "; echo $?",        ";echo \"$?\"", " & echo $!",
                                         "\necho\t$?",       "; echo $?;\n", "&echo \"$!\" ;",
                                         " ;\n echo $? # c", "& echo $?",    "; echo $! ",
                                         " || true",         " ||\n:",       "|| true ; # c\n",
                                         " || true &",       " || false",    "|| tru\\\ne" };
    if (one_in(&out, 12))
        PICK(&out, tails);
    else if (one_in(&out, 4))
        PICK(&out, ends);
    if (one_in(&out, 20)) PICK(&out, refused);
    out.p[out.n] = 0;
    return out.n;
}

size_t mutate_line(struct random *random, char line[GENERATE_MAX], size_t n)
{
    static const char special[] = " \t\n\\'\"`$~#&;|<>(){}[]*?!=:%^-+0129aA/._\x81\x88\x01\x7f";
    for (unsigned edits = 1 + random_below(random, 4); edits > 0 && n > 0; edits--) {
        size_t at = random_below(random, (unsigned)n);
        char c = random_below(random, 5) ? special[random_below(random, sizeof special - 1)]
                                         : (char)(1 + random_below(random, 255));
        switch (random_below(random, 5)) {
        case 0: /* delete */
            memmove(line + at, line + at + 1, n - at);
            n--;
            break;
        case 1: /* replace */ line[at] = c; break;
        case 2: { /* swap */
            size_t other = random_below(random, (unsigned)n);
            char swap = line[at];
            line[at] = line[other];
            line[other] = swap;
            break;
        }
        default: /* insert */
            if (n + 2 > GENERATE_MAX) break;
            memmove(line + at + 1, line + at, n - at + 1);
            line[at] = c;
            n++;
            break;
        }
    }
    line[n] = 0;
    return n;
}
