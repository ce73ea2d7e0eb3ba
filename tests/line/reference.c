// SPDX-License-Identifier: MIT
#include "reference.h"

#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENV_MAX  64
#define ARGS_MAX 2000

extern char **environ;

/* Of a failed redirection or cd. */
static int failure;

/* ---- environment ---- */

static char *variables[ENV_MAX];

static bool is_valid_name(const char *entry)
{
    size_t n = strspn(entry, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return n > 0 && entry[n] == '=' && !(entry[0] >= '0' && entry[0] <= '9');
}

static void set_entry(const char *entry)
{
    size_t n = strcspn(entry, "=") + 1;
    int i = 0;
    while (variables[i] && strncmp(variables[i], entry, n)) i++;
    variables[i] = strdup(entry);
}

static void set_variable(const char *name, const char *value)
{
    char *entry = NULL;
    if (asprintf(&entry, "%s=%s", name, value) >= 0) set_entry(entry);
}

static const char *get_variable(const char *name)
{
    size_t n = strlen(name);
    for (int i = 0; variables[i]; i++)
        if (!strncmp(variables[i], name, n) && variables[i][n] == '=') return variables[i] + n + 1;
    return NULL;
}

/* ---- cd ---- */

static char directory[8192]; /* PWD, kept as text */

/* PWD/dir with `.` and `..` taken out of the text. */
static void join_logical(const char *dir, char *ret)
{
    char copy[8192], *save = NULL;
    size_t n = 0, least = 1;
    snprintf(copy, sizeof copy, "%s", dir);
    ret[n++] = '/';
    if (dir[0] == '/' && dir[1] == '/' && dir[2] != '/') ret[n++] = '/', least = 2;
    if (dir[0] != '/') {
        n = (size_t)sprintf(ret, "%s", directory);
        if (ret[n - 1] != '/') ret[n++] = '/';
    }
    for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        if (!strcmp(part, ".")) continue;
        if (!strcmp(part, "..")) {
            while (n > least && ret[n - 2] != '/') n--;
            if (n > least) n--;
            continue;
        }
        n += (size_t)sprintf(ret + n, "%s/", part);
    }
    if (n > least) n--;
    ret[n] = 0;
}

static int change_directory(const char *dir)
{
    char next[16384];
    join_logical(dir, next);
    if (chdir(next)) return failure;
    set_variable("OLDPWD", directory);
    set_variable("PWD", next);
    snprintf(directory, sizeof directory, "%s", next);
    return 0;
}

/* ---- the other steps ---- */

/* coreutils' test; the shell's own is what it is compared with. */
static int test_path(char letter, const char *path)
{
    int status;
    pid_t pid = fork();
    if (!pid) {
        execl(SANDBOX_REAL "/test", "test", (char[]){ '-', letter, 0 }, path, NULL);
        _exit(125);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) _exit(125);
    return WEXITSTATUS(status);
}

static int take_step(const struct eg_line_step *step)
{
    switch (step->kind) {
    case EG_STEP_EXPORT: set_entry(step->word.text); return 0;
    case EG_STEP_UMASK: umask((mode_t)strtol(step->word.text, NULL, 8)); return 0;
    case EG_STEP_TEST: return test_path(step->letter, step->word.text);
    default: return change_directory(step->word.text);
    }
}

/* The rule of struct eg_line_step: the status; *ret_go says whether the command runs. */
static int take_steps(const struct eg_line *line, uint32_t from, uint32_t to, bool *ret_go)
{
    int status = 0;
    bool go = true;
    for (uint32_t i = from; i < to; i++) {
        if (go) status = take_step(&line->steps[i]);
        go = !line->steps[i].and_then || status == 0;
    }
    *ret_go = go;
    return status;
}

/* ---- one command, in its own process ---- */

static void put_descriptor(int from, int to)
{
    if (dup2(from, to) < 0) _exit(failure);
}

static void open_redirects(const struct reference *reference, uint32_t first, uint32_t count)
{
    static const int flags[] = { [EG_REDIRECT_READ] = O_RDONLY,
                                 [EG_REDIRECT_WRITE] = O_WRONLY | O_CREAT | O_TRUNC,
                                 [EG_REDIRECT_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
                                 [EG_REDIRECT_READ_WRITE] = O_RDWR | O_CREAT };
    for (uint32_t i = 0; i < count; i++) {
        const struct eg_redirect *redirect = &reference->line->redirects[first + i];
        int fd = redirect->fd, opened;
        switch (redirect->kind) {
        case EG_REDIRECT_DUPLICATE:
            if (redirect->from != fd) put_descriptor(redirect->from, fd);
            break;
        case EG_REDIRECT_CLOSE: close(fd); break;
        default:
            opened = open(redirect->target.text, flags[redirect->kind], 0666);
            if (opened < 0) _exit(failure);
            if (opened != fd) {
                put_descriptor(opened, fd);
                close(opened);
            }
            break;
        }
    }
}

static int status_of(const struct reference *reference, int error)
{
    if (error == ENOTDIR) return reference->dialect == EG_DIALECT_DASH ? 127 : 126;
    return error == ENOENT || error == ELOOP || error == ENAMETOOLONG ? 127 : 126;
}

static bool is_regular(const char *path)
{
    struct stat status;
    return !stat(path, &status) && S_ISREG(status.st_mode);
}

/* Each file of that name in PATH; the first one that is regular. */
static bool search(const char *name, char *ret, size_t size)
{
    const char *path = get_variable("PATH");
    if (strchr(name, '/')) {
        snprintf(ret, size, "%s", name);
        return true;
    }
    for (const char *p = path ? path : ""; p; p = *p ? p + 1 : NULL) {
        size_t n = strcspn(p, ":");
        snprintf(ret, size, "%.*s%s%s", (int)n, p, n ? "/" : "", name);
        if (is_regular(ret)) return true;
        p += n;
        if (!*p) break;
    }
    return false;
}

static void look_up(const struct reference *reference, const char *name)
{
    char found[8192];
    if (eg_line_is_builtin(reference->dialect, eg_str(name)) ||
        eg_line_is_reserved(reference->dialect, eg_str(name))) {
        _exit(dprintf(1, "%s\n", name) < 0 && reference->dialect == EG_DIALECT_DASH);
    }
    if (!search(name, found, sizeof found) || access(found, X_OK))
        _exit(reference->dialect == EG_DIALECT_DASH ? 127 : 1);
    _exit(dprintf(1, "%s\n", found) < 0 && reference->dialect == EG_DIALECT_DASH);
}

/* As the shell does it, with these very words. */
static void run_own(char *const *argv)
{
    const char *words[ARGS_MAX + 5] = { "sh", "-c", "\"$@\"", "sh" };
    for (int i = 0; argv[i]; i++) words[4 + i] = argv[i];
    execve(SANDBOX_SHELL, (char *const *)(uintptr_t)words, variables);
    _exit(125);
}

static char **expand_words(const struct reference *reference, const struct eg_line_command *command)
{
    static char *argv[ARGS_MAX + 1];
    static char memory[1 << 18];
    const struct eg_line *line = reference->line;
    uint32_t n = 0;

    for (uint32_t i = 0; i < command->word_count; i++) {
        const struct eg_line_word *word = &line->words[command->words + i];
        const char *paths[ARGS_MAX];
        char pattern[8192];
        long count = 0;
        if (word->flags & EG_WORD_GLOB) {
            if (eg_line_pattern(reference->text, word, pattern, sizeof pattern) < 0) _exit(124);
            count = eg_line_expand(pattern, memory, sizeof memory, paths, ARGS_MAX);
            if (count < 0) _exit(124);
        }
        for (long k = 0; k < count; k++) argv[n++] = strdup(paths[k]);
        if (!count) argv[n++] = (char *)(uintptr_t)word->text;
    }
    argv[n] = NULL;
    return argv;
}

static void run_command(const struct reference *reference, const struct eg_line_command *command)
    __attribute__((noreturn));
static void run_command(const struct reference *reference, const struct eg_line_command *command)
{
    const struct eg_line *line = reference->line;
    char **argv = expand_words(reference, command), path[8192];

    open_redirects(reference, command->redirects, command->redirect_count);
    for (uint32_t i = 0; i < command->assignment_count; i++)
        set_entry(line->words[command->assignments + i].text);
    if (command->flags & EG_COMMAND_LOOKUP) look_up(reference, argv[0]);
    if (command->flags & EG_COMMAND_OWN) run_own(argv);
    if (command->flags & EG_COMMAND_TWIN) {
        snprintf(path, sizeof path, SANDBOX_REAL "/%s", argv[0]);
    } else if (!search(argv[0], path, sizeof path)) {
        _exit(127);
    }
    execve(path, argv, variables);
    _exit(status_of(reference, errno));
}

/* ---- the line ---- */

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return 2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void enter_background(bool first)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    if (!first) return;
    close(0);
    if (open("/dev/null", O_RDONLY)) _exit(2);
}

/* Commands [first, end): the status, or in background the last process.  In background
 * each part takes the steps from `step` on for itself. */
static int run_pipeline(const struct reference *reference, uint32_t first, uint32_t end,
                        bool background, uint32_t step)
{
    const struct eg_line *line = reference->line;
    int from = -1, ends[2];
    pid_t last = -1;

    for (uint32_t i = first; i < end; i++) {
        bool more = i + 1 < end;
        if (more && pipe(ends)) _exit(2);
        last = fork();
        if (!last) {
            bool go = true;
            if (more) close(ends[0]);
            if (background)
                enter_background(i == 0 && (!more || reference->dialect == EG_DIALECT_DASH));
            if (from >= 0) {
                put_descriptor(from, 0);
                if (from) close(from);
            }
            if (more && ends[1] != 1) {
                put_descriptor(ends[1], 1);
                close(ends[1]);
            }
            if (background) {
                int status = take_steps(line, step, line->step_count, &go);
                if (!go) _exit(status);
            }
            run_command(reference, &line->commands[i]);
        }
        if (from >= 0) close(from);
        if (more) {
            close(ends[1]);
            from = ends[0];
        }
    }
    return background ? last : wait_for(last);
}

static _Noreturn void finish(const struct eg_line *line, int number)
{
    if (line->tail == EG_TAIL_TRUE) _exit(0);
    if (!line->tail) _exit(line->background ? 0 : number);
    _exit(dprintf(1, "%d\n", number) < 0);
}

/* All of a list from step `step` on, in this process. */
static int run_list(const struct reference *reference, uint32_t step, bool may_become)
{
    const struct eg_line *line = reference->line;
    bool go;
    int status = take_steps(line, step, line->step_count, &go);
    for (uint32_t i = 0, end; i < line->command_count; i = end) {
        for (end = i + 1; end < line->command_count; end++)
            if (line->commands[end].joint != EG_JOINT_PIPE) break;
        switch (line->commands[i].joint) {
        case EG_JOINT_SEQUENCE: go = true; break;
        case EG_JOINT_AND: go = status == 0; break;
        case EG_JOINT_OR: go = status != 0; break;
        default: break;
        }
        if (!go) continue;
        if (may_become && end == line->command_count && end == i + 1)
            run_command(reference, &line->commands[i]);
        status = run_pipeline(reference, i, end, false, 0);
    }
    return status;
}

static int run_group(const struct reference *reference)
{
    const struct eg_line *line = reference->line;
    pid_t pid = fork();
    if (!pid) {
        if (line->background) enter_background(true);
        open_redirects(reference, line->group_redirects, line->group_redirect_count);
        _exit(run_list(reference, 0, true));
    }
    return line->background ? pid : wait_for(pid);
}

void reference_run(const struct reference *reference)
{
    const struct eg_line *line = reference->line;
    bool go = true;
    failure = reference->dialect == EG_DIALECT_DASH ? 2 : 1;
    for (const char *const *entry = reference->environment; *entry; entry++)
        if (is_valid_name(*entry)) set_entry(*entry);
    if (!getcwd(directory, sizeof directory)) _exit(2);
    set_variable("PWD", directory);

    if (line->group) finish(line, run_group(reference));
    if (!line->background)
        finish(line, run_list(reference, 0,
                              line->command_count &&
                                  line->commands[line->command_count - 1].flags & EG_COMMAND_EXEC));
    /* In background, the `STEP &&` right before the command belong to it. */
    uint32_t here = line->step_count;
    while (here > 0 && line->steps[here - 1].and_then) here--;
    int status = take_steps(line, 0, here, &go);
    if (!go) finish(line, status);
    if (!eg_line_find_joint(line, EG_JOINT_SEQUENCE))
        finish(line, run_pipeline(reference, 0, line->command_count, true, here));
    pid_t pid = fork();
    if (pid) finish(line, pid);
    enter_background(true);
    _exit(run_list(reference, here, true));
}
