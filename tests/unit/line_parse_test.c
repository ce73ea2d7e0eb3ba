// SPDX-License-Identifier: MIT
/* Command lines and what lib/line makes of them, written down by hand; that
 * dash agrees is tests/line/oracle.test's matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line/line.h"

static char text[1 << 16];
static struct eg_line_word words[256];

static enum eg_construct parse_as(const char *p, size_t n, enum eg_dialect dialect,
                                  struct eg_line *ret)
{
    struct eg_line_memory memory = { text, sizeof text, words, 256 };
    return eg_line_parse((struct eg_str){ p, n }, dialect, &memory, ret);
}

static struct eg_line parse(const char *line)
{
    struct eg_line ret;
    parse_as(line, strlen(line), EG_DIALECT_DASH, &ret);
    return ret;
}

static size_t show_redirects(const struct eg_line *line, uint32_t first, uint32_t count, char *out)
{
    static const char *const operators[] = { "<", ">", ">>", "<>", ">&", ">&-" };
    size_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct eg_redirect *redirect = &line->redirects[first + i];
        n += (size_t)sprintf(out + n, "%d%s", redirect->fd, operators[redirect->kind]);
        if (redirect->kind == EG_REDIRECT_DUPLICATE)
            n += (size_t)sprintf(out + n, "%d", redirect->from);
        n += (size_t)sprintf(out + n, "%s ", redirect->target.text);
    }
    return n;
}

/* All that was understood, in one string: "cd [d] && A=1 [prog] [x]* 2>file 1>&2 | ... &". */
static const char *show(const struct eg_line *line)
{
    static char out[4096];
    size_t n = 0;
    out[0] = 0;
#define ADD(...) n += (size_t)snprintf(out + n, sizeof out - n, __VA_ARGS__)
    if (line->group) ADD("( ");
    for (uint32_t i = 0; i < line->step_count; i++) {
        const struct eg_line_step *step = &line->steps[i];
        static const char *const names[] = { "cd", "export", "umask", "test" };
        ADD("%s ", names[step->kind]);
        if (step->letter) ADD("-%c ", step->letter);
        ADD("[%s] %s ", step->word.text, step->and_then ? "&&" : ";");
    }
    for (uint32_t c = 0; c < line->command_count; c++) {
        const struct eg_line_command *command = &line->commands[c];
        static const char *const joints[] = { "", "| ", "; ", "&& ", "|| " };
        ADD("%s", joints[command->joint]);
        if (command->flags & EG_COMMAND_EXEC) ADD("exec ");
        if (command->flags & EG_COMMAND_LOOKUP) ADD("lookup ");
        if (command->flags & EG_COMMAND_TWIN) ADD("twin ");
        if (command->flags & EG_COMMAND_OWN) ADD("own ");
        for (uint32_t i = 0; i < command->assignment_count; i++)
            ADD("%s ", line->words[command->assignments + i].text);
        for (uint32_t i = 0; i < command->word_count; i++) {
            const struct eg_line_word *word = &line->words[command->words + i];
            ADD("[%s]%s ", word->text, word->flags & EG_WORD_GLOB ? "*" : "");
        }
        n += show_redirects(line, command->redirects, command->redirect_count, out + n);
    }
    if (line->group) ADD(") ");
    n += show_redirects(line, line->group_redirects, line->group_redirect_count, out + n);
    if (line->background) ADD("& ");
    static const char *const tails[] = { "", "tells status", "tells process", "or true" };
    ADD("%s", tails[line->tail]);
#undef ADD
    while (n && out[n - 1] == ' ') out[--n] = 0;
    return out;
}

static void expect(const char *line, const char *understood)
{
    struct eg_line parsed = parse(line);
    if (parsed.construct) fail_msg("%s: refused: %s", line, eg_construct_slug(parsed.construct));
    assert_string_equal(show(&parsed), understood);
}

static void expect_refused(const char *line, enum eg_construct construct, uint32_t offset,
                           uint32_t end)
{
    struct eg_line parsed = parse(line);
    if (parsed.construct != construct)
        fail_msg("%s: %s instead of %s", line, eg_construct_slug(parsed.construct),
                 eg_construct_slug(construct));
    if (parsed.offset != offset || parsed.end != end)
        fail_msg("%s: at %u to %u instead of %u to %u", line, parsed.offset, parsed.end, offset,
                 end);
}

static void quotes_are_removed_as_a_shell_does(void **state)
{
    (void)state;
    expect("/usr/sbin/sendmail -oi -f'bob@example.org' -t",
           "[/usr/sbin/sendmail] [-oi] [-fbob@example.org] [-t]");
    expect("prog 'o'\\''hara' \"a'b\" a\\ b", "[prog] [o'hara] [a'b] [a b]");
    expect("prog \"\\a\\$\\\\\\\"\\`\" 'x\\'", "[prog] [\\a$\\\"`] [x\\]");
    expect("prog '' \"\" ''\"\"", "[prog] [] [] []");
    expect("pr\\\nog a\\\nb", "[prog] [ab]");
    expect("prog 'a\\\nb'", "[prog] [a\\\nb]");
    expect("prog a\\", "[prog] [a\\]");
    expect("prog $ a$ $. \"$\" '$x' \\$x", "[prog] [$] [a$] [$.] [$] [$x] [$x]");
    expect("prog 120x90! a~b =~ {a,b} ^ %s", "[prog] [120x90!] [a~b] [=~] [{a,b}] [^] [%s]");
}

static void redirections_are_understood(void **state)
{
    (void)state;
    expect("prog 2>&1 >/dev/null", "[prog] 2>&1 1>/dev/null");
    expect("prog>a<b>>c<>d>|e", "[prog] 1>a 0<b 1>>c 0<>d 1>e");
    expect("prog 2> f 0<&3 4>&- <&-", "[prog] 2>f 0>&3 4>&- 0>&-");
    expect("prog 12>x a2>y", "[prog] [12] [a2] 1>x 1>y");
    expect("prog '2'>x \\2>y", "[prog] [2] [2] 1>x 1>y");
    expect(">x prog", "[prog] 1>x");
    expect("prog >'a b*' >*", "[prog] 1>a b* 1>*");
    expect_refused("prog >&x", EG_CONSTRUCT_DESCRIPTOR, 5, 8);
    expect_refused("prog >&10", EG_CONSTRUCT_DESCRIPTOR, 5, 9);
    expect_refused("prog 2>&1file", EG_CONSTRUCT_DESCRIPTOR, 5, 13);
    expect_refused("prog >", EG_CONSTRUCT_SYNTAX, 5, 6);
    expect_refused("prog > | x", EG_CONSTRUCT_SYNTAX, 5, 6);
    expect_refused("prog <<x", EG_CONSTRUCT_HERE_DOCUMENT, 5, 7);
    expect_refused("prog <<<x", EG_CONSTRUCT_HERE_STRING, 5, 7);
    expect_refused("prog <(ls)", EG_CONSTRUCT_PROCESS_SUBSTITUTION, 5, 7);
    expect_refused("prog &>x", EG_CONSTRUCT_BACKGROUND, 5, 6);
}

static void prefixes_are_understood(void **state)
{
    (void)state;
    expect("LC_ALL='' LANG=\"\" uptime", "LC_ALL= LANG= [uptime]");
    expect("A=1 B=2 prog C=3", "A=1 B=2 [prog] [C=3]");
    expect("exec '/usr/bin/dot' -T", "exec [/usr/bin/dot] [-T]");
    expect("A=1 exec prog", "exec A=1 [prog]");
    expect("cd '/var/www' ; convert a b 2>&1", "cd [/var/www] ; [convert] [a] [b] 2>&1");
    expect("cd a && cd b && prog &", "cd [a] && cd [b] && [prog] &");
    expect("cd -- d\nprog", "cd [d] ; [prog]");
    expect("command -v exiftool 2>/dev/null", "lookup [exiftool] 2>/dev/null");
    expect("command -v -- 'php8.2'", "lookup [php8.2]");
    expect_refused("command -v -- -x", EG_CONSTRUCT_COMMAND, 0, 7);
    expect_refused("command -- ls", EG_CONSTRUCT_COMMAND, 0, 7);
    expect("\"A\"=1 x", "[A=1] [x]");
    expect("A\\=1 x", "[A=1] [x]");
    expect("1A=1 x", "[1A=1] [x]");
    expect("=1 x", "[=1] [x]");
}

static void the_shell_may_prepare_itself(void **state)
{
    (void)state;
    expect("export HOME=/tmp && soffice a", "export [HOME=/tmp] && [soffice] [a]");
    expect("export A=1 B='x y'; prog", "export [A=1] && export [B=x y] ; [prog]");
    expect("cd d && export LC_ALL=C\nprog", "cd [d] && export [LC_ALL=C] ; [prog]");
    expect("umask 077 && wg genkey | tee k", "umask [077] && [wg] [genkey] | [tee] [k]");
    expect("[ -f 'a b' ] && prog", "test -f [a b] && [prog]");
    expect("test -r /x", "test -r [/x] ;");
    expect_refused("export A; prog", EG_CONSTRUCT_ASSIGNMENT, 7, 8);
    expect_refused("export A=*; prog", EG_CONSTRUCT_ASSIGNMENT, 7, 10);
    expect_refused("export A=~/b; prog", EG_CONSTRUCT_ASSIGNMENT, 7, 12);
    expect_refused("export A=$B; prog", EG_CONSTRUCT_PARAMETER, 9, 11);
    expect_refused("export CDPATH=/; prog", EG_CONSTRUCT_ASSIGNMENT, 7, 15);
    expect_refused("export -p; prog", EG_CONSTRUCT_ASSIGNMENT, 7, 9);
    expect_refused("export A=1 | prog", EG_CONSTRUCT_BUILTIN, 0, 6);
    expect_refused("export A=1 || prog", EG_CONSTRUCT_BUILTIN, 0, 6);
    expect_refused("export A=1 > f; prog", EG_CONSTRUCT_BUILTIN, 0, 6);
    expect_refused("prog; export A=1", EG_CONSTRUCT_BUILTIN, 6, 12);
    expect_refused("umask u=rwx; prog", EG_CONSTRUCT_BUILTIN, 0, 5);
    expect_refused("umask 088; prog", EG_CONSTRUCT_BUILTIN, 0, 5);
    expect_refused("test a = b && prog", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("[ -f a && prog", EG_CONSTRUCT_BUILTIN, 0, 1);
    expect_refused("[ -f * ] && prog", EG_CONSTRUCT_BUILTIN, 0, 1);
    expect_refused("test -f a || prog", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("prog && test -f a", EG_CONSTRUCT_BUILTIN, 8, 12);
}

static void one_group_is_understood(void **state)
{
    (void)state;
    expect("(php -l a.php) 2>&1", "( [php] [-l] [a.php] ) 2>&1");
    expect("( a | b; ) </dev/null >x 2>&1 &", "( [a] | [b] ) 0</dev/null 1>x 2>&1 &");
    expect("(cd / ; make >a) >/dev/null 2>&1", "( cd [/] ; [make] 1>a ) 1>/dev/null 2>&1");
    expect("(a); echo $?", "( [a] ) tells status");
    expect("(exec a) || true", "( exec [a] ) or true");
    expect("\n(\na\n)\n", "( [a] )");
    expect("(a; b)", "( [a] ; [b] )");
    expect("(a && b | c\n) >x", "( [a] && [b] | [c] ) 1>x");
    expect_refused("(exec a; b)", EG_CONSTRUCT_SUBSHELL, 7, 8);
    expect_refused("(a &)", EG_CONSTRUCT_SUBSHELL, 0, 1);
    expect_refused("((a))", EG_CONSTRUCT_SUBSHELL, 1, 2);
    expect_refused("(a) | b", EG_CONSTRUCT_SUBSHELL, 4, 5);
    expect_refused("(a) && b", EG_CONSTRUCT_AND_LIST, 4, 6);
    expect_refused("(a); b", EG_CONSTRUCT_SEQUENCE, 3, 4);
    expect_refused("(a) & b", EG_CONSTRUCT_BACKGROUND, 4, 5);
    expect_refused("(a) b", EG_CONSTRUCT_SYNTAX, 4, 5);
    expect_refused("cd / && (a)", EG_CONSTRUCT_SUBSHELL, 8, 9);
    expect_refused("()", EG_CONSTRUCT_SUBSHELL, 0, 1);
    expect_refused("(a", EG_CONSTRUCT_SUBSHELL, 0, 1);
    expect_refused("(a))", EG_CONSTRUCT_SYNTAX, 3, 4);
    /* what an injected text makes of `(ping -c 1 HOST) 2>&1' */
    expect_refused("(ping -c 1 a); (id) 2>&1", EG_CONSTRUCT_SEQUENCE, 13, 14);
    expect("(ping -c 1 a; id) 2>&1", "( [ping] [-c] [1] [a] ; [id] ) 2>&1");
    expect_refused("(ping -c 1 a) | (id) 2>&1", EG_CONSTRUCT_SUBSHELL, 14, 15);
}

static void a_failure_may_be_forgotten_at_the_end(void **state)
{
    (void)state;
    expect("a 2>/dev/null || true", "[a] 2>/dev/null or true");
    expect("cd d && a | b || :", "cd [d] && [a] | [b] or true");
    expect("a ||\ntrue ; # c", "[a] or true");
    /* anything else is a list, which a policy allows or not */
    expect("a || true x", "[a] || twin [true] [x]");
    expect("a || true; b", "[a] || twin [true] ; [b]");
    expect("a || true && b", "[a] || twin [true] && [b]");
    expect("a || true &", "[a] || twin [true] &");
    expect("a || true > f", "[a] || twin [true] 1>f");
    expect("a || truer", "[a] || [truer]");
    expect("a || 'true'", "[a] || twin [true]");
    expect_refused("exec a || true", EG_CONSTRUCT_OR_LIST, 7, 9);
    expect("a && true", "[a] && twin [true]");
}

static void lists_are_marked_by_what_joins_them(void **state)
{
    (void)state;
    expect("a && b || c; d\ne", "[a] && [b] || [c] ; [d] ; [e]");
    expect("cd / ; a | b && c", "cd [/] ; [a] | [b] && [c]");
    expect("a && b &", "[a] && [b] &");
    expect("a ; b ; echo $?", "[a] ; [b] tells status");
    expect("a ; exec b", "[a] ; exec [b]");
    expect("[ -e x ] && echo 1 || echo 0", "test -e [x] && twin [echo] [1] || twin [echo] [0]");
    struct eg_line line = parse("ping 8.8.8.8;id");
    assert_int_equal(eg_line_find_joint(&line, EG_JOINT_SEQUENCE), 1);
    assert_int_equal(eg_line_find_joint(&line, EG_JOINT_PIPE), 0);
    assert_int_equal(line.commands[1].joint_at, 12);
    line = parse("a | b && c");
    assert_int_equal(eg_line_find_joint(&line, EG_JOINT_PIPE), 1);
    assert_int_equal(eg_line_find_joint(&line, EG_JOINT_SEQUENCE), 2);
    assert_int_equal(line.commands[2].joint_at, 6);
    expect_refused("a ; b &", EG_CONSTRUCT_BACKGROUND, 6, 7);
    expect_refused("a ; cd x", EG_CONSTRUCT_CD, 4, 8);
    expect_refused("exec a ; b", EG_CONSTRUCT_SEQUENCE, 7, 8);
    expect_refused("exec a && b", EG_CONSTRUCT_AND_LIST, 7, 9);
    expect_refused("exec a || b", EG_CONSTRUCT_OR_LIST, 7, 9);
    expect_refused("a &&", EG_CONSTRUCT_SYNTAX, 4, 4);
    expect_refused("a && | b", EG_CONSTRUCT_SYNTAX, 5, 6);
    expect_refused("a ; if b", EG_CONSTRUCT_RESERVED_WORD, 4, 6);
    expect_refused("a ; (b)", EG_CONSTRUCT_SUBSHELL, 4, 5);
    expect_refused("a ; b $?", EG_CONSTRUCT_PARAMETER, 6, 8);
}

static void a_status_or_process_may_be_told_at_the_end(void **state)
{
    (void)state;
    expect("ps x > /dev/null 2>&1; echo $?", "[ps] [x] 1>/dev/null 2>&1 tells status");
    expect("a;echo\t\"$?\";", "[a] tells status");
    expect("a\necho $? # c", "[a] tells status");
    expect("cd d && a | b ; echo $?\n", "cd [d] && [a] | [b] tells status");
    expect("nohup a > /dev/null 2>&1 & echo $!", "[nohup] [a] 1>/dev/null 2>&1 & tells process");
    expect("a & echo \"$!\" ;", "[a] & tells process");
    expect_refused("a; echo $?x", EG_CONSTRUCT_PARAMETER, 8, 10);
    expect_refused("a; echo $?#", EG_CONSTRUCT_PARAMETER, 8, 10);
    expect_refused("a; echo $?; b", EG_CONSTRUCT_PARAMETER, 8, 10);
    expect_refused("a; echo $? > f", EG_CONSTRUCT_PARAMETER, 8, 10);
    expect_refused("a; echo $? | b", EG_CONSTRUCT_PARAMETER, 8, 10);
    expect("a; echo '$?'", "[a] ; twin [echo] [$?]");
    expect_refused("a; echo \"$?", EG_CONSTRUCT_PARAMETER, 9, 11);
    expect_refused("a; echo$?", EG_CONSTRUCT_PARAMETER, 7, 9);
    expect_refused("a; echo $!", EG_CONSTRUCT_PARAMETER, 8, 10);
    expect_refused("a & echo $?", EG_CONSTRUCT_BACKGROUND, 2, 3);
    expect_refused("exec a; echo $?", EG_CONSTRUCT_SEQUENCE, 6, 7);
    expect_refused("a | exec b; echo $?", EG_CONSTRUCT_SEQUENCE, 10, 11);
    expect_refused("a || echo $?", EG_CONSTRUCT_PARAMETER, 10, 12);
    expect_refused("echo $?", EG_CONSTRUCT_PARAMETER, 5, 7);
}

static void ends_and_comments_are_understood(void **state)
{
    (void)state;
    expect("prog &", "[prog] &");
    expect("prog ; # c", "[prog]");
    expect("prog a#b # c ' \" $(", "[prog] [a#b]");
    expect("\n # c\nprog\n\n", "[prog]");
    expect("", "");
    expect(" \t# c", "");
    expect("cd d", "cd [d] ;");
    expect("git archive HEAD | gzip -9 >x", "[git] [archive] [HEAD] | [gzip] [-9] 1>x");
    expect("a |\n # c\n b", "[a] | [b]");
}

static void patterns_are_marked(void **state)
{
    (void)state;
    const char *line = "prog a.pdf[0] '*' \"x y\"*\\?";
    char pattern[64];
    expect(line, "[prog] [a.pdf[0]]* [*] [x y*?]*");
    struct eg_line parsed = parse(line);
    assert_int_equal(eg_line_pattern(eg_str(line), &parsed.words[3], pattern, sizeof pattern), 6);
    assert_string_equal(pattern, "x y*\\?");
    assert_int_equal(eg_line_pattern(eg_str(line), &parsed.words[3], pattern, 6), -28);
    expect_refused("prog [a'-'z]", EG_CONSTRUCT_GLOB, 5, 12);
    expect_refused("prog *[a", EG_CONSTRUCT_GLOB, 5, 8);
    expect_refused("l? x", EG_CONSTRUCT_GLOB_COMMAND, 0, 2);
    expect("A=* prog", "A=* [prog]");
}

static void constructs_are_named_with_their_place(void **state)
{
    (void)state;
    expect_refused("ping a & id", EG_CONSTRUCT_BACKGROUND, 7, 8);
    expect_refused("ping $(id)", EG_CONSTRUCT_COMMAND_SUBSTITUTION, 5, 7);
    expect_refused("ping \"`id`\"", EG_CONSTRUCT_COMMAND_SUBSTITUTION, 6, 7);
    expect_refused("ping $\\\n(id)", EG_CONSTRUCT_COMMAND_SUBSTITUTION, 5, 9);
    expect_refused("ping $((1))", EG_CONSTRUCT_ARITHMETIC, 5, 7);
    expect_refused("ping $HOST x", EG_CONSTRUCT_PARAMETER, 5, 10);
    expect_refused("ping ${x}", EG_CONSTRUCT_PARAMETER, 5, 7);
    expect_refused("ping $?", EG_CONSTRUCT_PARAMETER, 5, 7);
    expect_refused("ping ~/x", EG_CONSTRUCT_TILDE, 5, 6);
    expect_refused("A=x:~ ping", EG_CONSTRUCT_TILDE, 4, 5);
    expect_refused("ping (id)", EG_CONSTRUCT_FUNCTION, 5, 6);
    expect_refused("{ id; }", EG_CONSTRUCT_BRACE_GROUP, 0, 1);
    expect_refused("f() { id; }", EG_CONSTRUCT_FUNCTION, 1, 2);
    expect_refused("a b(", EG_CONSTRUCT_SUBSHELL, 3, 4);
    expect_refused("! id", EG_CONSTRUCT_NEGATION, 0, 1);
    expect_refused("if true; then id; fi", EG_CONSTRUCT_RESERVED_WORD, 0, 2);
    expect_refused("eval id", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("'eval' id", EG_CONSTRUCT_BUILTIN, 0, 6);
    expect_refused("printf %d", EG_CONSTRUCT_BUILTIN, 0, 6);
    expect_refused("cd - ; id", EG_CONSTRUCT_CD, 0, 4);
    expect_refused("cd", EG_CONSTRUCT_CD, 0, 2);
    expect_refused("cd a b; id", EG_CONSTRUCT_CD, 0, 6);
    expect_refused("cd a | id", EG_CONSTRUCT_CD, 0, 4);
    expect_refused("cd a &", EG_CONSTRUCT_CD, 0, 4);
    expect_refused("cd a &&", EG_CONSTRUCT_SYNTAX, 7, 7);
    expect_refused("exec", EG_CONSTRUCT_EXEC, 0, 4);
    expect_refused("exec -a x y", EG_CONSTRUCT_EXEC, 0, 4);
    expect_refused("command ls", EG_CONSTRUCT_COMMAND, 0, 7);
    expect_refused("OPTIND=1 id", EG_CONSTRUCT_ASSIGNMENT, 0, 8);
    expect_refused("A=1", EG_CONSTRUCT_NO_COMMAND, 0, 3);
    expect_refused("> x", EG_CONSTRUCT_NO_COMMAND, 0, 3);
    expect_refused("'' x", EG_CONSTRUCT_EMPTY_COMMAND, 0, 2);
    expect_refused("ping 'a", EG_CONSTRUCT_UNTERMINATED_QUOTE, 5, 6);
    expect_refused("ping \"a", EG_CONSTRUCT_UNTERMINATED_QUOTE, 5, 6);
    expect_refused("ping )", EG_CONSTRUCT_SYNTAX, 5, 6);
    expect_refused(";id", EG_CONSTRUCT_SYNTAX, 0, 1);
    expect_refused("ping;;", EG_CONSTRUCT_SYNTAX, 4, 6);
    expect_refused("ping |", EG_CONSTRUCT_SYNTAX, 6, 6);
}

static void builtins_with_a_twin_pass_only_when_it_does_the_same(void **state)
{
    (void)state;
    expect("echo '{\"a\":1}' > /tmp/x", "twin [echo] [{\"a\":1}] 1>/tmp/x");
    expect("echo -n a", "twin [echo] [-n] [a]");
    expect("true", "twin [true]");
    expect("exec echo -e 'a\\n'", "exec [echo] [-e] [a\\n]");
    expect("/bin/echo -e 'a\\n'", "[/bin/echo] [-e] [a\\n]");
    expect("echo 'a\\n' | cat", "own [echo] [a\\n] | [cat]");
    expect("echo -e a", "own [echo] [-e] [a]");
    expect("echo -n -n", "own [echo] [-n] [-n]");
    expect("kill -9 123 2>/dev/null", "own [kill] [-9] [123] 2>/dev/null");
    expect("kill -s TERM 12 13", "own [kill] [-s] [TERM] [12] [13]");
    expect("printf '%s\\n' a", "own [printf] [%s\\n] [a]");
    expect("pwd", "own [pwd]");
    expect("exec kill -9 0", "exec [kill] [-9] [0]");
    expect_refused("kill 0", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("kill -9 -1", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("kill -9 0", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("kill -l", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("kill -99 12", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("kill -9", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("kill %1", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("printf '\\101'", EG_CONSTRUCT_BUILTIN, 0, 6);
    expect_refused("printf -- a", EG_CONSTRUCT_BUILTIN, 0, 6);
    expect_refused("printf", EG_CONSTRUCT_BUILTIN, 0, 6);
    expect_refused("pwd -P", EG_CONSTRUCT_BUILTIN, 0, 3);
    expect_refused("echo *", EG_CONSTRUCT_BUILTIN, 0, 4);
    expect_refused("true --help", EG_CONSTRUCT_BUILTIN, 0, 4);
}

static void what_bash_reads_otherwise_is_refused_for_it(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum eg_construct construct;
    } rows[] = {
        { "prog {a,b}", EG_CONSTRUCT_BRACE_EXPANSION },
        { "prog {}", EG_CONSTRUCT_NONE },
        { "prog $'a'", EG_CONSTRUCT_ANSI_QUOTE },
        { "prog $[1]", EG_CONSTRUCT_ARITHMETIC },
        { "prog a*", EG_CONSTRUCT_GLOB },
        { "prog '*'", EG_CONSTRUCT_NONE },
        { "prog >*", EG_CONSTRUCT_GLOB },
        { "prog x=~", EG_CONSTRUCT_TILDE },
        { "prog 12>x", EG_CONSTRUCT_DESCRIPTOR },
        { "prog >131<x", EG_CONSTRUCT_DESCRIPTOR },
        { "prog >'131'<x", EG_CONSTRUCT_NONE },
        { "prog >131 <x", EG_CONSTRUCT_NONE },
        { "prog; echo $?", EG_CONSTRUCT_NONE },
        { "prog || true", EG_CONSTRUCT_NONE },
        { "ping 8.8.8.8;id", EG_CONSTRUCT_SEQUENCE },
        { "ping 8.8.8.8 && id", EG_CONSTRUCT_AND_LIST },
        { "ping a || id", EG_CONSTRUCT_OR_LIST },
        { "ping a\nid", EG_CONSTRUCT_NEWLINE },
        { "kill -9 12", EG_CONSTRUCT_BUILTIN },
        { "echo 'a\\n'", EG_CONSTRUCT_BUILTIN },
        { "export A=b; prog", EG_CONSTRUCT_BUILTIN },
        { "(prog) 2>&1", EG_CONSTRUCT_SUBSHELL },
        { "a+=b prog", EG_CONSTRUCT_ASSIGNMENT },
        { "UID=0 prog", EG_CONSTRUCT_ASSIGNMENT },
        { "time prog", EG_CONSTRUCT_RESERVED_WORD },
        { "function f { id; }", EG_CONSTRUCT_FUNCTION },
        { "source x", EG_CONSTRUCT_BUILTIN },
        { "%1", EG_CONSTRUCT_BUILTIN },
        { "prog \xbf\\", EG_CONSTRUCT_ENCODING },
        { "prog '\xc3\xa9'", EG_CONSTRUCT_NONE },
        { "cd a/.. && prog", EG_CONSTRUCT_CD },
    };
    struct eg_line line;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum eg_construct seen =
            parse_as(rows[i].line, strlen(rows[i].line), EG_DIALECT_ANY, &line);
        if (seen != rows[i].construct)
            fail_msg("%s: %s instead of %s", rows[i].line, eg_construct_slug(seen),
                     eg_construct_slug(rows[i].construct));
    }
    assert_int_not_equal(parse_as("ls", 2, EG_DIALECT_NONE, &line), EG_CONSTRUCT_NONE);
}

static void limits_refuse_instead_of_cutting(void **state)
{
    (void)state;
    struct eg_line line;
    struct eg_line_memory memory = { text, 4, words, 2 };
    assert_int_equal(eg_line_parse(EG_STR("abcd"), EG_DIALECT_DASH, &memory, &line),
                     EG_CONSTRUCT_TOO_LONG);
    assert_int_equal(eg_line_parse(EG_STR("a b"), EG_DIALECT_DASH, &memory, &line), 0);
    memory.text_size = 64;
    assert_int_equal(eg_line_parse(EG_STR("a b c"), EG_DIALECT_DASH, &memory, &line),
                     EG_CONSTRUCT_TOO_LONG);
    assert_int_equal(line.offset, 4);
    expect_refused("a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q", EG_CONSTRUCT_TOO_LONG, 32, 33);
    expect_refused("cd a;cd a;cd a;cd a;cd a;cd a;cd a;export A=1 B=2;x", EG_CONSTRUCT_TOO_LONG, 35,
                   49);
    assert_int_equal(parse_as("a\0b", 3, EG_DIALECT_DASH, &line), EG_CONSTRUCT_NUL);
    assert_int_equal(line.offset, 1);
}

static void time_is_linear_in_the_line(void **state)
{
    (void)state;
    /* Shapes that would take quadratic time if anything looked back or ahead:
     * 4 MiB each must pass at once. */
    static const char *const shapes[] = {
        "\\\n", "'a'", "\"$\"", "a ", "$.", "[", "\xc3\xa9", "#"
    };
    size_t n = 4u << 20;
    char *line = malloc(n), *memory_text = malloc(n + 1);
    struct eg_line parsed;
    struct eg_line_memory memory = { memory_text, n + 1, words, 256 };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        size_t length = strlen(shapes[i]);
        for (size_t k = 0; k + length <= n; k += length) memcpy(line + k, shapes[i], length);
        eg_line_parse((struct eg_str){ line, n - n % length }, EG_DIALECT_DASH, &memory, &parsed);
    }
    free(line);
    free(memory_text);
}

static void every_construct_has_its_texts(void **state)
{
    (void)state;
    for (int i = 0; i < EG_CONSTRUCT_COUNT; i++) {
        assert_true(eg_construct_slug(i)[0]);
        assert_true(eg_construct_sentence(i)[0]);
        if (i) assert_true(eg_construct_hint(i)[0]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(eg_construct_slug(i), eg_construct_slug(k));
    }
    assert_string_equal(eg_construct_slug((enum eg_construct)999), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_are_removed_as_a_shell_does),
        cmocka_unit_test(redirections_are_understood),
        cmocka_unit_test(prefixes_are_understood),
        cmocka_unit_test(ends_and_comments_are_understood),
        cmocka_unit_test(the_shell_may_prepare_itself),
        cmocka_unit_test(one_group_is_understood),
        cmocka_unit_test(lists_are_marked_by_what_joins_them),
        cmocka_unit_test(a_failure_may_be_forgotten_at_the_end),
        cmocka_unit_test(a_status_or_process_may_be_told_at_the_end),
        cmocka_unit_test(patterns_are_marked),
        cmocka_unit_test(constructs_are_named_with_their_place),
        cmocka_unit_test(builtins_with_a_twin_pass_only_when_it_does_the_same),
        cmocka_unit_test(what_bash_reads_otherwise_is_refused_for_it),
        cmocka_unit_test(limits_refuse_instead_of_cutting),
        cmocka_unit_test(time_is_linear_in_the_line),
        cmocka_unit_test(every_construct_has_its_texts),
    };
    return cmocka_run_group_tests_name("line_parse", tests, NULL, NULL);
}
