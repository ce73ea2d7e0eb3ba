// SPDX-License-Identifier: MIT
/* Finds the command line in the arguments of a shell.  Freestanding, pure.
 *
 * Whether argv[0] is a shell at all is decide's question (table/shells.def);
 * this says how the shell that it names would read its arguments: the option
 * parsers of dash 0.5.12, bash 5.2, ksh, zsh, fish, csh and PowerShell. */
#ifndef EG_LINE_SHELL_H
#define EG_LINE_SHELL_H

#include "line/line.h"

enum eg_shell_kind {
    EG_SHELL_UNKNOWN = 0, /* cannot be told: an unknown option, a missing argument */
    EG_SHELL_COMMAND,     /* runs the line `command` */
    EG_SHELL_SCRIPT,      /* runs the file argv[index] */
    EG_SHELL_STDIN,       /* reads commands from standard input (also: after `command`) */
    EG_SHELL_INTERACTIVE, /* reads commands from a terminal: -i without -c */
    EG_SHELL_NOTHING,     /* runs nothing: --version, --help */
};

/* What its options change beside.  A bit that is not in EG_SHELL_HARMLESS may
 * change what a line does, so a line must not be run without the shell then. */
enum eg_shell_effect {
    EG_SHELL_ERREXIT = 1u << 0,     /* -e: matters after a failed `cd DIR ;` only */
    EG_SHELL_NOUNSET = 1u << 1,     /* -u: matters to variables only */
    EG_SHELL_ALLEXPORT = 1u << 2,   /* -a: assignments before a command are exported anyway */
    EG_SHELL_NOGLOB = 1u << 3,      /* -f: patterns stay as they are */
    EG_SHELL_NOCLOBBER = 1u << 4,   /* -C: `>` refuses an existing file */
    EG_SHELL_XTRACE = 1u << 5,      /* -x: prints */
    EG_SHELL_VERBOSE = 1u << 6,     /* -v: prints */
    EG_SHELL_NOEXEC = 1u << 7,      /* -n: runs nothing */
    EG_SHELL_LOGIN = 1u << 8,       /* -l, --login, argv[0] with a dash: reads profiles */
    EG_SHELL_STARTUP = 1u << 9,     /* -i, --rcfile used, zsh, fish: reads start-up files */
    EG_SHELL_RESTRICTED = 1u << 10, /* -r, rbash, rksh: refuses slashes, redirections */
    EG_SHELL_MONITOR = 1u << 11,    /* -m: job control, process groups */
    EG_SHELL_OTHER = 1u << 12,      /* any other */
};
#define EG_SHELL_HARMLESS (EG_SHELL_NOUNSET | EG_SHELL_ALLEXPORT)

struct eg_shell {
    enum eg_shell_kind kind;
    enum eg_dialect dialect; /* by name: sh, dash: DASH; bash, ash, busybox: ANY; else NONE */
    uint32_t effects;        /* enum eg_shell_effect */
    struct eg_str name;      /* base name of the shell, without a login dash; the applet's */
    size_t index;            /* COMMAND, SCRIPT: its argument */
    struct eg_str command;   /* COMMAND: the line; all of argv[index], or what follows
                                `--command=` in it */
    size_t zero;             /* argument that becomes $0, for messages; argc: argv[0] does */
};

/* Read argv[0 .. argc).  busybox and toybox give their first argument the role of
 * argv[0].  argv[0] may be NULL or empty: UNKNOWN.  Returns ret->kind.
 * `-c` in dash and bash is a flag: the line is the first argument after all
 * options (`sh -c -i LINE`); -o and -O take the next argument wherever they stand. */
enum eg_shell_kind eg_line_shell_command(const char *const *argv, size_t argc,
                                         struct eg_shell *ret);

/* May the accepted line run without this shell, with the same effect?  False for
 * options that change it; with NOGLOB the caller must take patterns literally. */
bool eg_line_shell_is_exact(const struct eg_shell *shell, const struct eg_line *line);

#endif
