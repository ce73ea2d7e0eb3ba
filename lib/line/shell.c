// SPDX-License-Identifier: MIT
/* The option parsers of the shells, as far as it takes to find the line: one
 * for the shells that read single letters (POSIX sh and its kin), one for fish,
 * one for PowerShell. */
#include "line/shell.h"

enum family {
    FAMILY_DASH,
    FAMILY_BASH,
    FAMILY_KSH,
    FAMILY_ZSH,
    FAMILY_LETTERS, /* other shells with -c: csh, yash, rc, ... */
    FAMILY_FISH,
    FAMILY_POWERSHELL,
};

struct reader {
    const char *const *argv;
    size_t argc;
    size_t at; /* next argument */
    enum family family;
    bool want_command, from_stdin, interactive;
    struct eg_shell *shell;
};

static struct eg_str argument(const struct reader *reader, size_t i)
{
    return i < reader->argc ? eg_str(reader->argv[i]) : (struct eg_str){ NULL, 0 };
}

static bool is(struct eg_str s, const char *text)
{
    return eg_str_equal(s, eg_str(text));
}

static bool is_any(struct eg_str s, const char *const *names)
{
    for (; *names; names++)
        if (is(s, *names)) return true;
    return false;
}

static bool contains(struct eg_str s, char c)
{
    return eg_str_find(s, c) != s.n;
}

/* ---- who reads ---- */

static void choose_family(struct reader *reader)
{
    static const char *const dash[] = { "sh", "dash", NULL };
    static const char *const ash[] = { "ash", "static-sh", "busybox", "hush", NULL };
    static const char *const zsh[] = { "zsh", "rzsh", "zsh5", NULL };
    static const char *const powershell[] = { "pwsh", "powershell", "powershell.exe", "pwsh.exe",
                                              NULL };
    struct eg_shell *shell = reader->shell;
    struct eg_str name = shell->name;

    shell->dialect = EG_DIALECT_NONE;
    reader->family = FAMILY_LETTERS;
    if (is_any(name, dash) || eg_str_starts(name, EG_STR("dash-"))) {
        reader->family = FAMILY_DASH;
        shell->dialect = EG_DIALECT_DASH;
    } else if (is_any(name, ash)) {
        reader->family = FAMILY_DASH;
        shell->dialect = EG_DIALECT_ANY;
    } else if (eg_str_starts(name, EG_STR("bash")) || is(name, "rbash")) {
        reader->family = FAMILY_BASH;
        shell->dialect = EG_DIALECT_ANY;
    } else if (is_any(name, zsh) || eg_str_starts(name, EG_STR("zsh-"))) {
        reader->family = FAMILY_ZSH;
        shell->effects |= EG_SHELL_STARTUP; /* /etc/zshenv and ~/.zshenv, always */
    } else if (is(name, "fish")) {
        reader->family = FAMILY_FISH;
        shell->effects |= EG_SHELL_STARTUP;
    } else if (is_any(name, powershell) || eg_str_starts(name, EG_STR("pwsh-"))) {
        reader->family = FAMILY_POWERSHELL;
        shell->effects |= EG_SHELL_STARTUP;
    } else if (contains(name, 'k')) {
        reader->family = FAMILY_KSH;
    }
    if (name.n > 2 && name.p[0] == 'r' && eg_str_ends(name, EG_STR("sh")))
        shell->effects |= EG_SHELL_RESTRICTED;
}

/* Base name of argv[i], which becomes the shell's; a login dash is noted. */
static void take_name(struct reader *reader, size_t i)
{
    struct eg_str name = argument(reader, i);
    if (name.n && name.p[0] == '-') {
        name = eg_str_skip(name, 1);
        reader->shell->effects |= EG_SHELL_LOGIN;
    }
    reader->shell->name = eg_str_basename(name);
    reader->at = i + 1;
}

/* ---- options of one letter, by letter and by `-o` name ---- */

struct option {
    char letter;
    char name[12];
    bool dash, bash; /* which of the two know the letter */
    uint32_t effect;
};

static const struct option options[] = {
    { 'a', "allexport", true, true, EG_SHELL_ALLEXPORT },
    { 'b', "notify", true, true, 0 },
    { 'e', "errexit", true, true, EG_SHELL_ERREXIT },
    { 'f', "noglob", true, true, EG_SHELL_NOGLOB },
    { 'h', "hashall", false, true, 0 },
    { 'k', "keyword", false, true, EG_SHELL_OTHER },
    { 'm', "monitor", true, true, EG_SHELL_MONITOR },
    { 'n', "noexec", true, true, EG_SHELL_NOEXEC },
    { 'p', "privileged", false, true, EG_SHELL_OTHER },
    { 'r', "restricted", false, true, EG_SHELL_RESTRICTED },
    { 't', "onecmd", false, true, EG_SHELL_OTHER },
    { 'u', "nounset", true, true, EG_SHELL_NOUNSET },
    { 'v', "verbose", true, true, EG_SHELL_VERBOSE },
    { 'x', "xtrace", true, true, EG_SHELL_XTRACE },
    { 'B', "braceexpand", false, true, 0 },
    { 'C', "noclobber", true, true, EG_SHELL_NOCLOBBER },
    { 'E', "", true, true, 0 },
    { 'H', "histexpand", false, true, EG_SHELL_OTHER },
    { 'I', "ignoreeof", true, false, 0 },
    { 'P', "physical", false, true, EG_SHELL_OTHER },
    { 'T', "functrace", false, true, EG_SHELL_OTHER },
    { 'V', "", true, false, 0 },
};

static void set_effect(struct reader *reader, uint32_t effect, bool on)
{
    if (on)
        reader->shell->effects |= effect;
    else
        reader->shell->effects &= ~(effect & ~(uint32_t)EG_SHELL_OTHER); /* shared by many */
}

/* `-o NAME`: an unknown name stops dash and bash, and is another option else. */
static bool read_option_name(struct reader *reader, bool on)
{
    struct eg_str name = argument(reader, reader->at);
    if (!name.p) return false; /* lists the options */
    reader->at++;
    if (is(name, "interactive")) {
        reader->shell->effects |= EG_SHELL_STARTUP;
        return true;
    }
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (!options[i].name[0] || !is(name, options[i].name)) continue;
        set_effect(reader, options[i].effect, on);
        return true;
    }
    reader->shell->effects |= EG_SHELL_OTHER;
    return true;
}

static bool read_letter(struct reader *reader, char letter, bool on)
{
    struct eg_shell *shell = reader->shell;
    bool strict = reader->family == FAMILY_DASH || reader->family == FAMILY_BASH;

    switch (letter) {
    case 'c': /* also `+c`, in dash and bash */ reader->want_command = true; return true;
    case 'o': return read_option_name(reader, on);
    case 's':
        if (on) reader->from_stdin = true;
        return true;
    case 'i':
        reader->interactive = on;
        if (on) shell->effects |= EG_SHELL_STARTUP;
        return true;
    case 'l': shell->effects |= EG_SHELL_LOGIN; return true;
    case 'O':
        if (reader->family != FAMILY_BASH) break;
        shell->effects |= EG_SHELL_OTHER; /* extglob and others change the grammar */
        if (reader->at >= reader->argc) return false;
        reader->at++;
        return true;
    case 'T':
        if (reader->family != FAMILY_KSH) break;
        shell->effects |= EG_SHELL_OTHER;
        reader->at++;
        return true;
    case 'D': shell->effects |= EG_SHELL_NOEXEC; return reader->family != FAMILY_DASH;
    default: break;
    }
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (options[i].letter != letter) continue;
        if (strict && !(reader->family == FAMILY_DASH ? options[i].dash : options[i].bash))
            return false;
        set_effect(reader, options[i].effect, on);
        return true;
    }
    shell->effects |= EG_SHELL_OTHER;
    return !strict;
}

/* bash reads these before any letter, with one dash or two. */
static bool read_bash_long_options(struct reader *reader)
{
    static const char *const harmless[] = { "norc", "noprofile", "noediting", NULL };
    static const char *const nothing[] = { "version",         "help",         "dump-strings",
                                           "dump-po-strings", "pretty-print", NULL };
    static const char *const others[] = {
        "posix", "debug", "debugger", "wordexp", "protected", NULL
    };
    struct eg_shell *shell = reader->shell;

    for (; reader->at < reader->argc; reader->at++) {
        struct eg_str arg = argument(reader, reader->at);
        if (arg.n < 2 || arg.p[0] != '-') return true;
        bool two = arg.p[1] == '-';
        struct eg_str name = eg_str_skip(arg, two ? 2 : 1);
        if (!name.n) return true; /* "--" */
        if (is(name, "rcfile") || is(name, "init-file")) {
            if (++reader->at >= reader->argc) return false;
        } else if (is(name, "login")) {
            shell->effects |= EG_SHELL_LOGIN;
        } else if (is(name, "restricted")) {
            shell->effects |= EG_SHELL_RESTRICTED;
        } else if (is(name, "verbose")) {
            shell->effects |= EG_SHELL_VERBOSE;
        } else if (is_any(name, nothing)) {
            shell->kind = EG_SHELL_NOTHING;
        } else if (is_any(name, others)) {
            shell->effects |= EG_SHELL_OTHER;
        } else if (!is_any(name, harmless)) {
            return !two;
        }
    }
    return true;
}

/* `--name` of ksh, zsh and others: a flag, but for the few that take a word. */
static bool read_other_long_option(struct reader *reader, struct eg_str arg)
{
    reader->shell->effects |= EG_SHELL_OTHER;
    if (is(arg, "--version") || is(arg, "--help")) {
        reader->shell->kind = EG_SHELL_NOTHING;
    } else if (is(arg, "--emulate")) {
        reader->at++;
    } else if (is(arg, "--command") || is(arg, "--commands")) {
        reader->want_command = true;
    }
    return true;
}

static enum eg_shell_kind finish(struct reader *reader)
{
    struct eg_shell *shell = reader->shell;
    struct eg_str next = argument(reader, reader->at);

    if (shell->kind == EG_SHELL_NOTHING) return EG_SHELL_NOTHING;
    if (reader->want_command) {
        if (!next.p) return EG_SHELL_UNKNOWN;
        shell->index = reader->at;
        shell->command = next;
        shell->zero = reader->at + 1 < reader->argc ? reader->at + 1 : reader->argc;
        return reader->from_stdin ? EG_SHELL_STDIN : EG_SHELL_COMMAND;
    }
    if (reader->from_stdin || !next.p)
        return reader->interactive ? EG_SHELL_INTERACTIVE : EG_SHELL_STDIN;
    shell->index = reader->at;
    return EG_SHELL_SCRIPT;
}

static enum eg_shell_kind read_letters(struct reader *reader)
{
    if (reader->family == FAMILY_BASH && !read_bash_long_options(reader)) return EG_SHELL_UNKNOWN;

    while (reader->at < reader->argc) {
        struct eg_str arg = argument(reader, reader->at);
        if (!arg.n || (arg.p[0] != '-' && arg.p[0] != '+')) break;
        bool on = arg.p[0] == '-';
        if (on && (arg.n == 1 || is(arg, "--"))) {
            reader->at++;
            break;
        }
        reader->at++;
        if (arg.n > 2 && eg_str_starts(arg, EG_STR("--")) && reader->family != FAMILY_DASH &&
            reader->family != FAMILY_BASH) {
            if (!read_other_long_option(reader, arg)) return EG_SHELL_UNKNOWN;
            continue;
        }
        for (size_t i = 1; i < arg.n; i++)
            if (!read_letter(reader, arg.p[i], on)) return EG_SHELL_UNKNOWN;
    }
    return finish(reader);
}

/* ---- fish: getopt_long(3); -c and -C may stand several times ---- */

static enum eg_shell_kind found_command(struct reader *reader, size_t index, struct eg_str line)
{
    struct eg_shell *shell = reader->shell;
    shell->index = index;
    shell->command = line;
    shell->zero = reader->argc;
    return line.p ? EG_SHELL_COMMAND : EG_SHELL_UNKNOWN;
}

static enum eg_shell_kind read_fish(struct reader *reader)
{
    static const char *const with_command[] = { "--command", "--init-command", NULL };
    static const char *const with_word[] = { "--profile",      "--profile-startup", "--debug",
                                             "--debug-output", "--features",        NULL };
    for (; reader->at < reader->argc; reader->at++) {
        struct eg_str arg = argument(reader, reader->at);
        if (is(arg, "--")) {
            reader->at++;
            break;
        }
        if (arg.n < 2 || arg.p[0] != '-') break;
        if (arg.p[1] == '-') {
            size_t equals = eg_str_find(arg, '=');
            struct eg_str name = { arg.p, equals };
            if (is_any(name, with_command)) {
                if (equals < arg.n)
                    return found_command(reader, reader->at, eg_str_skip(arg, equals + 1));
                return found_command(reader, reader->at + 1, argument(reader, reader->at + 1));
            }
            if (is(arg, "--version") || is(arg, "--help")) return EG_SHELL_NOTHING;
            if (is(arg, "--interactive")) reader->interactive = true;
            if (equals == arg.n && is_any(name, with_word)) reader->at++;
            continue;
        }
        for (size_t i = 1; i < arg.n; i++) {
            char letter = arg.p[i];
            if (letter == 'i') reader->interactive = true;
            if (letter == 'v' || letter == 'h') return EG_SHELL_NOTHING;
            if (!contains(EG_STR("cCpdfDo"), letter)) continue;
            bool command = letter == 'c' || letter == 'C';
            size_t index = i + 1 < arg.n ? reader->at : reader->at + 1;
            struct eg_str value = i + 1 < arg.n ? eg_str_skip(arg, i + 1) : argument(reader, index);
            if (command) return found_command(reader, index, value);
            reader->at = index;
            break;
        }
    }
    return finish(reader);
}

/* ---- PowerShell: names in any case, shortened, after -, -- or / ---- */

static bool is_prefix_ignoring_case(struct eg_str s, const char *text, size_t least)
{
    if (s.n < least) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (!text[i] || c != text[i]) return false;
    }
    return true;
}

static enum eg_shell_kind read_powershell(struct reader *reader)
{
    static const char *const flags[] = { "noexit",      "nologo", "noprofile", "noninteractive",
                                         "interactive", "login",  "mta",       "sta",
                                         NULL };
    for (; reader->at < reader->argc; reader->at++) {
        struct eg_str arg = argument(reader, reader->at);
        if (!arg.n || (arg.p[0] != '-' && arg.p[0] != '/')) break;
        struct eg_str name = eg_str_skip(arg, eg_str_starts(arg, EG_STR("--")) ? 2 : 1);
        if (!name.n) return EG_SHELL_STDIN; /* `-`, `-Command -` */
        struct eg_str value = argument(reader, reader->at + 1);
        if (is_prefix_ignoring_case(name, "command", 1) ||
            is_prefix_ignoring_case(name, "commandwithargs", 8) ||
            is_prefix_ignoring_case(name, "encodedcommand", 1)) {
            if (is(value, "-")) return EG_SHELL_STDIN;
            return found_command(reader, reader->at + 1, value);
        }
        if (is_prefix_ignoring_case(name, "file", 1)) {
            reader->at++;
            break;
        }
        if (is_prefix_ignoring_case(name, "version", 1) || is(name, "?") ||
            is_prefix_ignoring_case(name, "help", 1))
            return EG_SHELL_NOTHING;
        bool flag = false;
        for (const char *const *f = flags; *f; f++)
            if (is_prefix_ignoring_case(name, *f, 3)) flag = true;
        if (!flag) reader->at++; /* takes a value */
    }
    return finish(reader);
}

enum eg_shell_kind eg_line_shell_command(const char *const *argv, size_t argc, struct eg_shell *ret)
{
    struct reader reader = { .argv = argv, .argc = argc, .shell = ret };

    *ret = (struct eg_shell){ .kind = EG_SHELL_UNKNOWN, .dialect = EG_DIALECT_NONE, .zero = argc };
    for (size_t i = 0; i < argc; i++)
        if (!argv[i]) reader.argc = argc = i;
    ret->zero = argc;
    take_name(&reader, 0);
    if (is(ret->name, "busybox") || is(ret->name, "toybox")) {
        bool login = ret->effects & EG_SHELL_LOGIN;
        take_name(&reader, 1);
        if (login) ret->effects |= EG_SHELL_LOGIN;
        if (!ret->name.n) return ret->kind;
        choose_family(&reader);
        if (ret->dialect == EG_DIALECT_DASH) ret->dialect = EG_DIALECT_ANY;
    } else {
        if (!ret->name.n) return ret->kind;
        choose_family(&reader);
    }

    switch (reader.family) {
    case FAMILY_FISH: ret->kind = read_fish(&reader); break;
    case FAMILY_POWERSHELL: ret->kind = read_powershell(&reader); break;
    default: ret->kind = read_letters(&reader); break;
    }
    return ret->kind;
}

bool eg_line_shell_is_exact(const struct eg_shell *shell, const struct eg_line *line)
{
    uint32_t accepted = EG_SHELL_HARMLESS | EG_SHELL_NOGLOB;
    if (shell->kind != EG_SHELL_COMMAND || shell->dialect == EG_DIALECT_NONE || line->construct)
        return false;
    if (!line->step_count && !line->tail && !eg_line_find_joint(line, EG_JOINT_SEQUENCE))
        accepted |= EG_SHELL_ERREXIT;
    bool writes = false;
    for (uint32_t i = 0; i < line->redirect_count; i++)
        if (line->redirects[i].kind == EG_REDIRECT_WRITE && !line->redirects[i].clobber)
            writes = true;
    if (!writes) accepted |= EG_SHELL_NOCLOBBER;
    return !(shell->effects & ~accepted);
}
