// SPDX-License-Identifier: MIT
/* execguard-line: runs a command line that needs more than one program in its
 * shell's place: pipelines, `&`, `cd DIR &&`, `( )`, `command -v NAME`, long lists.
 *
 *   execguard-line -d|-a [-f] -- ZERO LINE
 *
 * -d: as dash reads it, -a: as any shell does; -f: patterns stay as they are;
 * ZERO: the shell's $0, for messages.  It does what lib/line/line.h says a shell
 * does with a line that eg_line_parse accepts, and knows nothing else: what is
 * refused there is refused here.  It makes no decision about programs.  Each one
 * is started by execve(2) of libc, where the guard judges it like any other. */
#include "line/line.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_SHELL_ERROR = 2, STATUS_REFUSED = 126, STATUS_MISSING = 127 };

static struct {
    struct eg_str line;
    enum eg_dialect dialect;
    bool literal; /* -f */
    const char *zero;
    char *directory; /* what the shell believes to be in; NULL: unknown */
} run;

extern char **environ;

/* ---- messages, in dash's words ---- */

static void say(const char *before, const char *name, const char *after)
{
    dprintf(STDERR_FILENO, "%s: 1: %s%s: %s\n", run.zero, before, name, after);
}

static _Noreturn void fail(const char *what)
{
    dprintf(STDERR_FILENO, "%s: 1: %s: %s\n", run.zero, what, strerror(errno));
    _exit(STATUS_SHELL_ERROR);
}

static void *reserve(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p) fail("memory");
    return p;
}

/* ---- environment and directory ---- */

static bool is_valid(const char *entry)
{
    size_t n = strspn(entry, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return n && entry[n] == '=' && !(entry[0] >= '0' && entry[0] <= '9');
}

static void keep_valid_names(void)
{
    char **to = environ;
    if (!environ) return;
    for (char **from = environ; *from; from++)
        if (is_valid(*from)) *to++ = *from;
    *to = NULL;
}

/* PWD is kept when it names the working directory. */
static void find_directory(void)
{
    struct stat here;
    struct stat there;
    const char *pwd = getenv("PWD");
    if (pwd && pwd[0] == '/' && stat(".", &here) == 0 && stat(pwd, &there) == 0 &&
        here.st_dev == there.st_dev && here.st_ino == there.st_ino)
        run.directory = strdup(pwd);
    else
        run.directory = getcwd(NULL, 0);
    if (run.directory) setenv("PWD", run.directory, 1);
}

/* `directory` moved by `to`, without `.` and `..`, as text alone. */
static char *join(const char *directory, const char *to)
{
    char *ret = reserve(strlen(directory) + strlen(to) + 3);
    size_t root = 1;
    size_t n = 0;
    ret[n++] = '/';
    if (to[0] == '/' && to[1] == '/' && to[2] != '/') {
        ret[n++] = '/'; /* POSIX lets two slashes mean something else */
        root = 2;
    }
    const char *parts[] = { to[0] == '/' ? "" : directory, to };
    for (int i = 0; i < 2; i++) {
        for (const char *p = parts[i]; *p;) {
            size_t length = strcspn(p, "/");
            if (length == 2 && !memcmp(p, "..", 2)) {
                while (n > root && ret[n - 1] != '/') n--;
                if (n > root) n--;
            } else if (length && !(length == 1 && *p == '.')) {
                if (n > root) ret[n++] = '/';
                memcpy(ret + n, p, length);
                n += length;
            }
            p += length;
            p += strspn(p, "/");
        }
    }
    ret[n] = '\0';
    return ret;
}

static int change_directory(const char *to)
{
    char *path =
        to[0] == '/' || run.directory ? join(run.directory ? run.directory : "", to) : NULL;
    if (getenv("CDPATH") || chdir(path ? path : to) < 0) {
        dprintf(STDERR_FILENO, "%s: 1: cd: can't cd to %s\n", run.zero, to);
        free(path);
        return run.dialect == EG_DIALECT_DASH ? STATUS_SHELL_ERROR : 1;
    }
    if (!path) path = getcwd(NULL, 0);
    if (run.directory) setenv("OLDPWD", run.directory, 1);
    if (path) setenv("PWD", path, 1);
    free(run.directory);
    run.directory = path;
    return 0;
}

/* ---- what the shell does to itself ---- */

/* `test -LETTER PATH` */
static bool holds(char letter, const char *path)
{
    struct stat st;
    int mode = letter == 'r' ? R_OK : letter == 'w' ? W_OK : X_OK;
    switch (letter) {
    case 'r':
    case 'w':
    case 'x': return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
    case 'h':
    case 'L': return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
    default: break;
    }
    if (stat(path, &st) < 0) return false;
    if (letter == 'd') return S_ISDIR(st.st_mode);
    if (letter == 'f') return S_ISREG(st.st_mode);
    return letter == 'e' || st.st_size > 0;
}

static int take_step(const struct eg_line_step *step)
{
    const char *text = step->word.text;
    switch ((enum eg_step_kind)step->kind) {
    case EG_STEP_CD: return change_directory(text);
    case EG_STEP_EXPORT:
        if (putenv((char *)text) != 0) fail("environment");
        return 0;
    case EG_STEP_UMASK: umask((mode_t)strtoul(text, NULL, 8)); return 0;
    case EG_STEP_TEST: return !holds(step->letter, text);
    }
    return STATUS_SHELL_ERROR;
}

/* Steps [first, end) of the line; `status` is what came before them. */
static int take_steps(const struct eg_line *line, uint32_t first, uint32_t end, int status)
{
    for (uint32_t i = first; i < end; i++)
        if (i == 0 || !line->steps[i - 1].and_then || status == 0)
            status = take_step(&line->steps[i]);
    return status;
}

/* ---- redirections ---- */

static int open_target(const struct eg_redirect *redirect)
{
    static const int flags[] = {
        [EG_REDIRECT_READ] = O_RDONLY,
        [EG_REDIRECT_WRITE] = O_WRONLY | O_CREAT | O_TRUNC,
        [EG_REDIRECT_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
        [EG_REDIRECT_READ_WRITE] = O_RDWR | O_CREAT,
    };
    int fd;
    do fd = open(redirect->target.text, flags[redirect->kind], 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static int redirect_one(const struct eg_redirect *redirect)
{
    if (redirect->kind == EG_REDIRECT_CLOSE) {
        close(redirect->fd);
        return 0;
    }
    if (redirect->kind == EG_REDIRECT_DUPLICATE)
        return redirect->from == redirect->fd ? 0 : dup2(redirect->from, redirect->fd);
    int fd = open_target(redirect);
    if (fd < 0 || fd == redirect->fd) return fd;
    int r = dup2(fd, redirect->fd);
    close(fd);
    return r;
}

static const char *redirect_error(const struct eg_redirect *redirect, int error)
{
    bool nowhere = error == ENOENT || error == ENOTDIR;
    if (nowhere && redirect->kind == EG_REDIRECT_READ) return "No such file";
    return nowhere ? "Directory nonexistent" : strerror(error);
}

/* 0, or the status after a message.  dash writes it to what is standard error
 * by then, and has closed that before it duplicates another onto it. */
static int redirect(const struct eg_redirect *redirects, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct eg_redirect *r = &redirects[i];
        if (redirect_one(r) >= 0) continue;
        const char *text = redirect_error(r, errno);
        char number[] = { (char)('0' + r->from), '\0' };
        if (r->kind != EG_REDIRECT_DUPLICATE)
            say(r->kind == EG_REDIRECT_READ ? "cannot open " : "cannot create ", r->target.text,
                text);
        else if (r->fd != STDERR_FILENO)
            say("", number, text);
        return run.dialect == EG_DIALECT_DASH ? STATUS_SHELL_ERROR : 1;
    }
    return 0;
}

/* ---- words ---- */

struct vector {
    const char **items;
    size_t count;
    size_t capacity;
};

static void append(struct vector *vector, const char *item)
{
    if (vector->count == vector->capacity) {
        vector->capacity = vector->capacity ? 2 * vector->capacity : 64;
        vector->items = realloc(vector->items, vector->capacity * sizeof *vector->items);
        if (!vector->items) fail("memory");
    }
    vector->items[vector->count++] = item;
}

/* The names that a pattern stands for; false when there are none. */
static bool append_matches(struct vector *vector, const struct eg_line_word *word)
{
    size_t size = 2 * (size_t)word->n + 1;
    char *pattern = reserve(size);
    long n = -E2BIG;
    if (eg_line_pattern(run.line, word, pattern, size) < 0) fail("pattern");
    for (uint32_t limit = 4096; n == -E2BIG && limit <= 1u << 22; limit *= 8) {
        size_t bytes = (size_t)limit * 64;
        const char **paths = reserve(limit * sizeof *paths);
        char *text = reserve(bytes);
        n = eg_line_expand(pattern, text, bytes, paths, limit);
        for (long i = 0; i < n; i++) append(vector, paths[i]);
        if (n <= 0) free(text);
        free(paths);
    }
    free(pattern);
    if (n == -E2BIG) {
        errno = E2BIG;
        fail("pattern");
    }
    return n > 0;
}

static struct vector expand(const struct eg_line *line, const struct eg_line_command *command)
{
    struct vector ret = { 0 };
    for (uint32_t i = 0; i < command->word_count; i++) {
        const struct eg_line_word *word = &line->words[command->words + i];
        if (run.literal || !(word->flags & EG_WORD_GLOB) || !append_matches(&ret, word))
            append(&ret, word->text);
    }
    append(&ret, NULL);
    return ret;
}

/* ---- programs ---- */

static const char *search_path(void)
{
    const char *path = getenv("PATH");
    return path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* The next place to look for `name` in `*path`, malloc'ed; NULL: no more. */
static char *next_place(const char **path, const char *name)
{
    if (!*path) return NULL;
    size_t n = strcspn(*path, ":");
    size_t size = strlen(name) + 1;
    char *ret = reserve(n + 1 + size);
    memcpy(ret, *path, n);
    if (n) ret[n++] = '/';
    memcpy(ret + n, name, size);
    *path = (*path)[strcspn(*path, ":")] ? *path + strcspn(*path, ":") + 1 : NULL;
    return ret;
}

static _Noreturn void exec_failed(const char *name, int error, bool prefixed)
{
    bool missing = error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
    if (error == ENOTDIR && run.dialect != EG_DIALECT_DASH) missing = false;
    say(prefixed ? "exec: " : "", name, missing ? "not found" : strerror(error));
    _exit(missing ? STATUS_MISSING : STATUS_REFUSED);
}

static _Noreturn void exec_program(char *const *argv, bool prefixed)
{
    const char *name = argv[0];
    const char *path = search_path();
    int error = ENOENT;
    if (strchr(name, '/')) {
        execve(name, argv, environ);
        exec_failed(name, errno, prefixed);
    }
    /* '%' has a meaning of dash's own there */
    if (strchr(path, '%')) exec_failed(name, EINVAL, prefixed);
    for (char *place; (place = next_place(&path, name));) {
        struct stat st;
        if (stat(place, &st) == 0 && S_ISREG(st.st_mode)) {
            execve(place, argv, environ);
            if (errno != ENOENT && errno != ENOTDIR) error = errno;
        }
        free(place);
    }
    exec_failed(name, error, prefixed);
}

/* `command -v NAME` */
static int look_up(const char *name)
{
    struct eg_str s = eg_str(name);
    const char *path = search_path();
    struct stat st;
    if (eg_line_is_reserved(run.dialect, s) || eg_line_is_builtin(run.dialect, s)) {
        dprintf(STDOUT_FILENO, "%s\n", name);
        return 0;
    }
    if (strchr(name, '/')) {
        bool usable = run.dialect == EG_DIALECT_DASH ||
                      (access(name, X_OK) == 0 && stat(name, &st) == 0 && !S_ISDIR(st.st_mode));
        if (usable && stat(name, &st) == 0) {
            dprintf(STDOUT_FILENO, "%s\n", name);
            return 0;
        }
        path = NULL;
    }
    for (char *place; (place = next_place(&path, name));) {
        bool usable = stat(place, &st) == 0 && S_ISREG(st.st_mode) && access(place, X_OK) == 0;
        if (usable) dprintf(STDOUT_FILENO, "%s\n", place);
        free(place);
        if (usable) return 0;
    }
    return run.dialect == EG_DIALECT_DASH ? STATUS_MISSING : 1;
}

/* Become the command. */
static _Noreturn void become(const struct eg_line *line, const struct eg_line_command *command)
{
    struct vector argv = expand(line, command);
    int status = redirect(&line->redirects[command->redirects], command->redirect_count);
    if (status) _exit(status);
    for (uint32_t i = 0; i < command->assignment_count; i++)
        if (putenv((char *)line->words[command->assignments + i].text) != 0) fail("environment");
    if (command->flags & EG_COMMAND_LOOKUP) _exit(look_up(argv.items[0]));
    if (command->flags & EG_COMMAND_OWN) _exit(own_run(argv.items, run.zero, run.directory));
    exec_program((char *const *)argv.items, command->flags & EG_COMMAND_EXEC);
}

/* ---- processes ---- */

static int wait_status(int status)
{
    if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
    int signal = WTERMSIG(status);
    if (signal != SIGINT && signal != SIGPIPE)
        dprintf(STDERR_FILENO, "%s%s\n", strsignal(signal),
                WCOREDUMP(status) ? " (core dumped)" : "");
    return 128 + signal;
}

/* Wait for `count` children; the status of `last`. */
static int wait_for(pid_t last, uint32_t count)
{
    int ret = 0;
    while (count) {
        int status;
        pid_t pid = wait(&status);
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) break;
        int shown = wait_status(status);
        if (pid == last) ret = shown;
        count--;
    }
    return ret;
}

static pid_t start_child(void)
{
    pid_t pid = fork();
    if (pid < 0) fail("Cannot fork");
    return pid;
}

/* What a background command of a shell without job control finds. */
static void enter_background(bool reads_nothing)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    if (!reads_nothing) return;
    close(STDIN_FILENO);
    if (open("/dev/null", O_RDONLY) > STDIN_FILENO) fail("/dev/null");
}

/* Start `count` commands from `first` on, joined by pipes; returns the last one's process. */
static pid_t start_pipeline(const struct eg_line *line, uint32_t first, uint32_t count,
                            bool background)
{
    int input = -1;
    pid_t pid = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool more = i + 1 < count;
        int ends[2] = { -1, -1 };
        if (more && pipe(ends) < 0) fail("Pipe call failed");
        pid = start_child();
        if (pid == 0) {
            if (background) enter_background(i == 0 && run.dialect == EG_DIALECT_DASH);
            if (more) close(ends[0]);
            if (input > STDIN_FILENO) {
                dup2(input, STDIN_FILENO);
                close(input);
            }
            if (more && ends[1] != STDOUT_FILENO) {
                dup2(ends[1], STDOUT_FILENO);
                close(ends[1]);
            }
            become(line, &line->commands[first + i]);
        }
        if (input >= 0) close(input);
        if (more) close(ends[1]);
        input = ends[0];
    }
    return pid;
}

/* A pipeline, and its status; `last`: nothing comes after it in this process. */
static int run_pipeline(const struct eg_line *line, uint32_t first, uint32_t count, bool last)
{
    if (count > 1) return wait_for(start_pipeline(line, first, count, false), count);
    if (last) become(line, &line->commands[first]);
    pid_t pid = start_child();
    if (pid == 0) become(line, &line->commands[first]);
    return wait_for(pid, 1);
}

/* May a pipeline that is joined so run after this status? */
static bool may_run(uint8_t joint, int status)
{
    if (joint == EG_JOINT_AND) return status == 0;
    return joint != EG_JOINT_OR || status != 0;
}

/* Steps and pipelines from step `first` on, in this process. */
static int run_list(const struct eg_line *line, uint32_t first, int status, bool last)
{
    uint32_t end = line->step_count;
    uint32_t next;
    status = take_steps(line, first, end, status);
    for (uint32_t i = 0; i < line->command_count; i = next) {
        uint8_t joint = line->commands[i].joint;
        if (i == 0 && end && line->steps[end - 1].and_then) joint = EG_JOINT_AND;
        next = i + 1;
        while (next < line->command_count && line->commands[next].joint == EG_JOINT_PIPE) next++;
        if (may_run(joint, status))
            status = run_pipeline(line, i, next - i, last && next == line->command_count);
    }
    return status;
}

/* `( )`, in a process of its own. */
static _Noreturn void become_group(const struct eg_line *line)
{
    int status = redirect(&line->redirects[line->group_redirects], line->group_redirect_count);
    if (status) _exit(status);
    _exit(run_list(line, 0, 0, true));
}

/* `echo NUMBER` of the shell itself: its status. */
static int print_number(long number)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%ld\n", number);
    if (write(STDOUT_FILENO, text, (size_t)n) == n) return 0;
    say("echo: ", "echo", "I/O error");
    return 1;
}

/* In background: the steps that are joined to the command by && go with it.  Returns
 * the process that `$!` names. */
static pid_t run_background(const struct eg_line *line)
{
    uint32_t joined = line->group ? 0 : line->step_count;
    while (joined > 0 && line->steps[joined - 1].and_then) joined--;
    int status = line->group ? 0 : take_steps(line, 0, joined, 0);
    bool plain = !eg_line_find_joint(line, EG_JOINT_SEQUENCE) && joined == line->step_count;
    if (line->command_count > 1 && plain && !line->group)
        return start_pipeline(line, 0, line->command_count, true);
    pid_t pid = start_child();
    if (pid == 0) {
        enter_background(true);
        if (line->group) become_group(line);
        _exit(run_list(line, joined, status, true));
    }
    return pid;
}

static int run_foreground(const struct eg_line *line)
{
    if (line->group) {
        pid_t pid = start_child();
        if (pid == 0) become_group(line);
        return wait_for(pid, 1);
    }
    /* the last command of bash is the process itself */
    const struct eg_line_command *first = &line->commands[0];
    bool itself = first->flags & (EG_COMMAND_EXEC | EG_COMMAND_LOOKUP | EG_COMMAND_OWN) ||
                  run.dialect != EG_DIALECT_DASH;
    return run_list(line, 0, 0, itself && !line->tail);
}

static int run_line(const struct eg_line *line)
{
    long number = line->background ? run_background(line) : run_foreground(line);
    if (line->tail == EG_TAIL_TRUE) return 0;
    if (line->tail) return print_number(number);
    return line->background ? 0 : (int)number;
}

static int usage(void)
{
    dprintf(STDERR_FILENO, "usage: execguard-line -d|-a [-f] -- ZERO LINE\n"
                           "Runs a command line for the guard, in a shell's place; see "
                           "execguard(1).\n");
    return STATUS_SHELL_ERROR;
}

int main(int argc, char **argv)
{
    static struct eg_line line;
    run.dialect = EG_DIALECT_NONE;
    int at = 1;
    for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
        if (!strcmp(argv[at], "-d"))
            run.dialect = EG_DIALECT_DASH;
        else if (!strcmp(argv[at], "-a"))
            run.dialect = EG_DIALECT_ANY;
        else if (!strcmp(argv[at], "-f"))
            run.literal = true;
        else
            return usage();
    }
    if (argc != at + 3 || run.dialect == EG_DIALECT_NONE) return usage();
    run.zero = argv[at + 1];
    run.line = eg_str(argv[at + 2]);

    uint32_t words = (uint32_t)(run.line.n / 2 + 2);
    struct eg_line_memory memory = { reserve(run.line.n + 1), run.line.n + 1,
                                     reserve(words * sizeof(struct eg_line_word)), words };
    if (eg_line_parse(run.line, run.dialect, &memory, &line) != EG_CONSTRUCT_NONE) {
        dprintf(STDERR_FILENO, "%s: 1: the line holds %s at byte %u\n", run.zero,
                eg_construct_sentence(line.construct), line.offset);
        return STATUS_SHELL_ERROR;
    }
    keep_valid_names();
    find_directory();
    return run_line(&line);
}
