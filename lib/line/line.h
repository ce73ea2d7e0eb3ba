// SPDX-License-Identifier: MIT
/* Reads a shell command line: simple commands, or what else it holds and where.
 *
 * Freestanding and pure (expand.c alone looks at directories): no allocation,
 * no recursion, no locale, no aliases; time linear in the line.  Any bytes may
 * come in.  The oracle is dash 0.5.12 (tests/line/): what is accepted means to
 * dash exactly what the result says; everything else is refused, by name and
 * offset.  Nothing is ever left to "a real shell".
 *
 * What the shell does, and who does it here:
 *
 *   quotes, backslash, line joining, comments   done here, as dash does
 *   words, assignments, redirections, `&`, `|`  done here, as dash does
 *   `; echo $?`, `& echo $!`, `|| true` at the end   told by `tail`; done by the runner
 *   file name patterns                          told by EG_WORD_GLOB; done by eg_line_expand
 *   variables, substitutions, tilde, IFS        refused: no word ever splits or changes
 *   PATH search, files, steps, environment      the runner's, see "The runner" below
 *
 * The runner, to be exact (dash 0.5.12, `sh -c LINE`, no terminal):
 *  - The shell forks for each command and waits, unless the command has the
 *    `exec` prefix: then the command *is* the process that was started.  So a
 *    signal N that ends the command becomes exit status 128 + N without `exec`.
 *  - Redirections of a command are opened in order, in the child, before the
 *    program is looked for and after expansion: `>` O_WRONLY|O_CREAT|O_TRUNC,
 *    `>>` O_WRONLY|O_CREAT|O_APPEND, `<` O_RDONLY, `<>` O_RDWR|O_CREAT, mode 0666.
 *    When one fails the program does not run: status 2 (pipeline: that part's).
 *    A duplication of a descriptor to itself does nothing, even when it is closed.
 *  - PATH as the assignments of this command leave it; a name with a slash is
 *    not searched.  Not found (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG) is 127,
 *    any other failure 126.  An entry of PATH that holds '%' has a meaning of its
 *    own in dash: refuse it.  ENOEXEC makes dash run the file as a script: refuse.
 *  - Environment: entries without "NAME=" of a valid name are dropped; PWD is
 *    set to the working directory (its old value is kept when it names it); each
 *    successful `cd` sets OLDPWD and PWD, both exported.  Assignments come last.
 *  - Background: status 0 at once; SIGINT and SIGQUIT are ignored in the
 *    command; its standard input (of a pipeline: the first part's) is /dev/null
 *    unless redirected.  `cd A && PROGRAM &` moves only the background process.
 *  - Pipeline: all parts start together; the status is the last part's.
 *  - bash instead (ANY): 1 for a failed redirection or `cd`, 1 for a `command -v`
 *    that finds nothing (0 for one that cannot write), 126 for ENOTDIR; a pipeline in background
 * keeps its standard input; the last command needs no `exec` to be the process itself.
 *  - Error texts go to the shell's standard error as "NAME: 1: ...".
 */
#ifndef EG_LINE_LINE_H
#define EG_LINE_LINE_H

#include "base/str.h"

enum eg_construct {
#define K(id, slug, sentence, hint) EG_CONSTRUCT_##id,
#include "table/constructs.def"
#undef K
    EG_CONSTRUCT_COUNT
};

/* Stable slug; a phrase for people ("a subshell, `( )`"); what to write instead
 * (empty for NONE).  Static text, never NULL. */
const char *eg_construct_slug(enum eg_construct construct);
const char *eg_construct_sentence(enum eg_construct construct);
const char *eg_construct_hint(enum eg_construct construct);

/* Whose reading counts.  DASH: /bin/sh being dash.  ANY: what dash and bash read
 * alike; the rest (patterns, `{`, `$'`, `time`, ...) is refused.  For a shell
 * whose name says bash, or a `sh` that is another shell than dash. */
enum eg_dialect {
    EG_DIALECT_DASH = 0,
    EG_DIALECT_ANY,
    EG_DIALECT_NONE, /* no line of this shell can be read (fish, csh, PowerShell, ...) */
};

enum eg_word_flag {
    EG_WORD_QUOTED = 1u << 0, /* some of it was quoted */
    EG_WORD_GLOB = 1u << 1,   /* holds an unquoted * ? or [: eg_line_expand it; if nothing
                                 matches, `text` is the argument */
};

/* A word with its quotes removed.  text ends in NUL, holds no other NUL, and
 * lies in the caller's text memory; [offset, end) is where it stood in the line. */
struct eg_line_word {
    const char *text;
    uint32_t n;
    uint32_t offset;
    uint32_t end;
    uint32_t flags; /* enum eg_word_flag */
};

enum eg_redirect_kind {
    EG_REDIRECT_READ = 0,   /* N<file */
    EG_REDIRECT_WRITE,      /* N>file, N>|file */
    EG_REDIRECT_APPEND,     /* N>>file */
    EG_REDIRECT_READ_WRITE, /* N<>file */
    EG_REDIRECT_DUPLICATE,  /* N>&M, N<&M: both are dup2(M, N) */
    EG_REDIRECT_CLOSE,      /* N>&-, N<&- */
};

struct eg_redirect {
    uint8_t kind;               /* enum eg_redirect_kind */
    uint8_t fd;                 /* N, 0 to 9 */
    uint8_t from;               /* M, 0 to 9 (DUPLICATE) */
    uint8_t clobber;            /* WRITE spelled `>|`: also under `set -C` */
    uint32_t offset;            /* of the operator, or of its number */
    struct eg_line_word target; /* the file's name; never a pattern */
};

enum eg_command_flag {
    EG_COMMAND_EXEC = 1u << 0,   /* had the prefix `exec` (which is not among the words) */
    EG_COMMAND_LOOKUP = 1u << 1, /* `command -v NAME`: words holds NAME alone.  Print what the
                                    shell prints and a newline (see eg_line_is_builtin);
                                     status 0, 1 when that write fails, 127: nothing */
    EG_COMMAND_TWIN = 1u << 2,   /* echo, true or false: the shell would run its builtin, a
                                    program of that name does the same with these words (but
                                    for the text of a write error) */
    EG_COMMAND_OWN = 1u << 3,    /* echo, kill, printf or pwd: done by the runner itself, as the
                                    shell would; allowed by the rule of the program of that
                                    name.  echo reads backslashes and -n; printf's format holds
                                    no more than %s %% \n \t \\; kill's signal is a number or
                                    a name without SIG, its processes are positive */
};

/* What joins a command to the one before it.  Commands joined by pipes are a
 * pipeline; the others make a list of pipelines, in dash's reading alone, whose rule is
 * that of steps: a pipeline runs after SEQUENCE always, after AND when the status so
 * far is 0, after OR when it is not, and its own is then the status so far. */
enum eg_joint {
    EG_JOINT_NONE = 0, /* the first command of the line */
    EG_JOINT_PIPE,
    EG_JOINT_SEQUENCE, /* `;`, or a newline */
    EG_JOINT_AND,
    EG_JOINT_OR,
};

/* One simple command.  words[assignments .. + assignment_count) are "NAME=value"
 * in the line's order; words[words .. + word_count) are the program's name and
 * its arguments, word_count >= 1; redirects[redirects .. + redirect_count) in
 * order.  Indices into the arrays of struct eg_line. */
struct eg_line_command {
    uint8_t joint;     /* enum eg_joint: what stands before it, */
    uint32_t joint_at; /* and where */
    uint32_t assignments;
    uint32_t assignment_count;
    uint32_t words;
    uint32_t word_count;
    uint32_t redirects;
    uint32_t redirect_count;
    uint32_t flags; /* enum eg_command_flag */
    uint32_t offset;
    uint32_t end;
};

/* What the shell does to itself before the command, each joined to what follows
 * by `;` or `&&`.  Rule: step k runs when it is the first, when the step before it
 * has and_then false, or when the status so far is 0; its own status is then the
 * status so far.  The command itself follows the same rule.  When nothing follows,
 * the status is the last.
 *
 *  CD      DIR is not empty, not `-`, no option and no pattern.  Status 2 and an
 *          error when it fails.  As dash: DIR that starts with `/`, `.` or `..`
 *          components is taken as it is, another one is first looked for in CDPATH
 *          (and printed when found by it): refuse when CDPATH is set.  The new
 *          directory is PWD/DIR with `.` and `..` removed from the text ("logical"),
 *          which differs from chdir(DIR) where a symlink stands before a `..`.
 *  EXPORT  NAME=value goes into the environment of the commands, and PATH is
 *          searched as it then stands; before their own assignments.  Status 0.
 *          `export A=1 B=2` is two steps.
 *  UMASK   the octal number in `word`.  Status 0.
 *  TEST    `test -LETTER PATH` or `[ -LETTER PATH ]`: status 0 or 1, prints nothing;
 *          LETTER is one of EG_STEP_TESTS.  -r -w -x ask for the effective user, -h
 *          and -L do not follow a link, -s is a size above 0. */
enum eg_step_kind {
    EG_STEP_CD = 0,
    EG_STEP_EXPORT,
    EG_STEP_UMASK,
    EG_STEP_TEST,
};
#define EG_STEP_TESTS "defhrswxL"

struct eg_line_step {
    struct eg_line_word word;
    uint8_t kind;  /* enum eg_step_kind */
    char letter;   /* TEST */
    bool and_then; /* followed by `&&`, not by `;` or a newline */
};

/* What the shell itself prints when the commands are done or on their way. */
enum eg_line_tail {
    EG_TAIL_NONE = 0,
    EG_TAIL_STATUS,  /* `; echo $?`: the status of what went before, a `cd` that failed too */
    EG_TAIL_PROCESS, /* `& echo $!`: the process of the (last) command in background */
    EG_TAIL_TRUE,    /* `|| true`, `|| :`: prints nothing, the status is 0 whatever went before */
};

#define EG_LINE_COMMANDS  16u /* in the whole line */
#define EG_LINE_REDIRECTS 32u /* in the whole line */
#define EG_LINE_STEPS     8u

/* A line as it was understood.  About 2.1 KiB. */
struct eg_line {
    /* Accepted: NONE, and the rest is valid.  Refused: what was found, and
     * [offset, end) of the line to underline (end > offset but at the line's
     * end); what was read before it stays below, for reports only. */
    enum eg_construct construct;
    uint32_t offset;
    uint32_t end;

    struct eg_line_step steps[EG_LINE_STEPS];
    uint32_t step_count;
    struct eg_line_command commands[EG_LINE_COMMANDS];
    uint32_t command_count; /* 0: nothing runs, status 0 (empty, comment) or the steps';
                               more than 1: as their joints say */
    enum eg_joint list;     /* the first joint that makes it a list, also of a line that was
                               refused behind it; NONE: no list */
    uint32_t list_at;
    bool background; /* ends in `&` (command_count > 0): all of the line but what stands
                        before the last step that is not joined by && */
    bool group;      /* steps and commands stand in `( )`: a process of its own, which opens
                        the group's redirections before it takes the first step */
    uint32_t group_redirects;
    uint32_t group_redirect_count; /* the last ones of the line */
    enum eg_line_tail tail; /* PROCESS only in background, the others only otherwise; outside a
                               group no command has the `exec` prefix.  Where it prints, the
                               shell's status is that of the write: 0, or 1 after a message */
    struct eg_redirect redirects[EG_LINE_REDIRECTS];
    uint32_t redirect_count;
    const struct eg_line_word *words; /* the caller's array */
    uint32_t word_count;
};

/* Memory that a parse writes to; the caller's, kept as long as the result.
 * text_size must be at least the line's length + 1 (never more is used). */
struct eg_line_memory {
    char *text;
    size_t text_size;
    struct eg_line_word *words;
    uint32_t word_limit; /* words and assignments together; 256 serves nearly all */
};

/* Parse a line as `sh -c -- LINE` would get it.  (Where a libc's system() or
 * popen() leaves the `--` out, a line that starts with `-` or `+` is an option to
 * the shell; eg_line_shell_command says so.)  A shell would stop at a NUL, so a
 * line with one inside its n bytes is refused.  Returns ret->construct. */
enum eg_construct eg_line_parse(struct eg_str line, enum eg_dialect dialect,
                                const struct eg_line_memory *memory, struct eg_line *ret);

/* May the line run without the shell it was given to, as far as the line alone
 * can tell?  Only patterns of names depend on more; a shorthand for the common
 * question "is it one plain command": one command, no step, no group, not in background. */
bool eg_line_is_simple(const struct eg_line *line);

/* Index of the first command that is joined in this way, or in one of the ways of a list
 * (EG_JOINT_SEQUENCE asks for all three); 0: none. */
uint32_t eg_line_find_joint(const struct eg_line *line, enum eg_joint joint);

/* Does a step change the directory before the commands run? */
bool eg_line_moves(const struct eg_line *line);

/* What the last step that exports NAME makes of it; p is NULL when none does. */
struct eg_str eg_line_exported(const struct eg_line *line, struct eg_str name);

/* What a shell keeps for itself under this name: a builtin, or a reserved word.
 * `command -v NAME` prints NAME for both, and else the path found. */
bool eg_line_is_builtin(enum eg_dialect dialect, struct eg_str name);
bool eg_line_is_reserved(enum eg_dialect dialect, struct eg_str name);

/* The pattern of an EG_WORD_GLOB word, from the line it stood in: as `text`, with
 * a backslash before quoted bytes that would be special.  Ends in NUL; needs at
 * most 2 * word->n + 1 bytes.  Its length, or -ENOSPC. */
long eg_line_pattern(struct eg_str line, const struct eg_line_word *word, char *ret, size_t size);

/* Does one component of a path match, as dash's own matcher has it: * ? [ab]
 * [!a-z] [[:alpha:]], backslash quotes, bytes not characters?  O(p * n).  A dot
 * at the start is not special here. */
bool eg_line_match(struct eg_str pattern, struct eg_str name);

/* Expand a pattern as dash does: path names that match, sorted by bytes; hidden
 * names only where the pattern writes the dot.  Reads directories (openat,
 * getdents64 on `.` and below), follows nothing else.  The names are written
 * one after the other to memory, NUL-terminated, and ret_paths points at them.
 * Returns their number; 0: leave the word as it is; -E2BIG: more than limit, or
 * size bytes do not do (both also hold what matched on the way).  A directory that cannot be read
 * matches nothing. */
long eg_line_expand(const char *pattern, char *memory, size_t size, const char **ret_paths,
                    uint32_t limit);

#endif
