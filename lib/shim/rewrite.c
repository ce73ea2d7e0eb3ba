// SPDX-License-Identifier: MIT
/* A shell that may not run, but was given a line: the line is read, judged part
 * by part, and the image becomes what runs in the shell's place.
 *
 * One program with its words, redirections and assignments takes the shell's
 * place itself.  Everything else (pipelines, `&`, `cd`, `command -v`; lists of
 * words too long for the image; what posix_spawn cannot do in its child) is the
 * line runner's, an ordinary program, which reads the same line again.
 *
 * Memory: short lines use this frame.  Long ones and patterns of names use a
 * mapping that is gone before the exec, since a vfork child's would stay in its
 * parent. */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/stat.h>

#include "base/sys.h"
#include "shim/file.h"
#include "shim/rewrite.h"

#define SHORT_LINE  1024u
#define SHORT_WORDS 96u
#define SHORT_ARGS  96u

/* The kernel takes no longer argument (MAX_ARG_STRLEN, execve(2)). */
#define LONG_LINE  (128u << 10)
#define LONG_WORDS 8192u
#define LONG_ARGS  16384u
#define LONG_GLOBS (1u << 20)

/* One line being rewritten. */
struct rewrite {
    const char *const *envp;
    const struct eg_exec_request *exec; /* of the shell */
    struct eg_shell shell;
    struct eg_str shell_file; /* base name of what would run */
    struct eg_line line;
    const char **argv; /* of the command last asked for, expanded */
    size_t argc, arg_limit;
    char *globs;
    size_t glob_size, glob_used;
    struct eg_target target; /* what the last command names, */
    int error;               /* or why there is nothing */
    struct eg_child_lookup *finder;
    void *map;
    size_t map_size;
    struct eg_line_word words[SHORT_WORDS];
    const char *args[SHORT_ARGS];
    char text[SHORT_LINE];
    char spelled[EG_PATH_MAX];
    char canonical[EG_PATH_MAX];
};

static struct eg_str view(const struct eg_line_word *word)
{
    return (struct eg_str){ word->text, word->n };
}

/* ---- reading the line ---- */

static bool has_patterns(const struct rewrite *w)
{
    for (uint32_t i = 0; i < w->line.word_count; i++)
        if (w->line.words[i].flags & EG_WORD_GLOB) return true;
    return false;
}

static int read_long(struct rewrite *w)
{
    size_t words = LONG_WORDS * sizeof(struct eg_line_word);
    size_t args = LONG_ARGS * sizeof(char *);
    size_t size = words + args + w->shell.command.n + 1 + LONG_GLOBS;
    long map = eg_sys(__NR_mmap, 0, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map >= -4095 && map <= 0) return -ENOMEM;
    char *at = (char *)map;
    w->map = at;
    w->map_size = size;
    w->argv = (const char **)(at + words);
    w->arg_limit = LONG_ARGS;
    w->globs = at + words + args;
    w->glob_size = LONG_GLOBS;
    struct eg_line_memory memory = { w->globs + LONG_GLOBS, w->shell.command.n + 1,
                                     (struct eg_line_word *)at, LONG_WORDS };
    eg_line_parse(w->shell.command, w->shell.dialect, &memory, &w->line);
    return 0;
}

static int read_line(struct rewrite *w)
{
    struct eg_line_memory memory = { w->text, sizeof(w->text), w->words, SHORT_WORDS };
    w->argv = w->args;
    w->arg_limit = SHORT_ARGS;
    w->glob_size = 0;
    w->map = NULL;
    if (w->shell.command.n >= LONG_LINE) {
        w->line = (struct eg_line){ .construct = EG_CONSTRUCT_TOO_LONG };
        return 0;
    }
    if (w->shell.command.n < SHORT_LINE) {
        eg_line_parse(w->shell.command, w->shell.dialect, &memory, &w->line);
        bool full = w->line.construct == EG_CONSTRUCT_TOO_LONG || w->line.word_count >= SHORT_ARGS;
        if (!full && !has_patterns(w)) return 0;
    }
    return read_long(w);
}

static void forget_memory(struct rewrite *w)
{
    if (w->map) eg_sys(__NR_munmap, w->map, w->map_size);
    w->map = NULL;
}

/* ---- a command of the line as an exec request ---- */

/* A word that is a pattern, as the paths that match it: their number, 0 when
 * nothing does. */
static long expand_word(struct rewrite *w, const struct eg_line_word *word)
{
    char *at = w->globs + w->glob_used;
    size_t left = w->glob_size - w->glob_used;
    long n = eg_line_pattern(w->shell.command, word, at, left);
    if (n < 0) return n;
    /* the names go behind the pattern */
    char *names = at + n + 1;
    const char **paths = w->argv + w->argc;
    long found = eg_line_expand(at, names, left - (size_t)n - 1, paths,
                                (uint32_t)(w->arg_limit - w->argc - 1));
    if (found <= 0) return found;
    const char *last = names;
    for (long i = 0; i < found; i++)
        if (paths[i] > last) last = paths[i];
    w->glob_used = (size_t)(last + eg_str(last).n + 1 - w->globs);
    return found;
}

static int expand(struct rewrite *w, const struct eg_line_command *command)
{
    /* Patterns behind a `cd` belong to another directory: the runner's part. */
    bool literal = (w->shell.effects & EG_SHELL_NOGLOB) || eg_line_moves(&w->line);
    w->argc = 0;
    w->glob_used = 0;
    for (uint32_t i = 0; i < command->word_count; i++) {
        const struct eg_line_word *word = &w->line.words[command->words + i];
        long found = 0;
        if (w->argc + 1 >= w->arg_limit) return -E2BIG;
        if (word->flags & EG_WORD_GLOB && !literal) found = expand_word(w, word);
        if (found < 0) return (int)found;
        if (found == 0) {
            w->argv[w->argc] = word->text;
            found = 1;
        }
        w->argc += (size_t)found;
    }
    w->argv[w->argc] = NULL;
    return 0;
}

/* PATH as this command's assignments leave it. */
static struct eg_str search_path(const struct rewrite *w, const struct eg_line_command *command)
{
    for (uint32_t i = command->assignment_count; i > 0; i--) {
        struct eg_str entry = view(&w->line.words[command->assignments + i - 1]);
        if (eg_str_starts(entry, EG_STR("PATH="))) return eg_str_skip(entry, 5);
    }
    struct eg_str path = eg_line_exported(&w->line, EG_STR("PATH"));
    if (!path.p) path = eg_environment_get(w->envp, EG_STR("PATH"));
    /* dash's own, and that of Debian's bash */
    if (!path.p) return EG_STR("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    return path;
}

/* The directory where the line's `cd`s lead, or AT_FDCWD; a failed one leads
 * nowhere, like one in a shell. */
static int enter_directory(const struct eg_line *line)
{
    int at = AT_FDCWD;
    for (uint32_t i = 0; i < line->step_count; i++) {
        if (line->steps[i].kind != EG_STEP_CD) continue;
        const char *dir = line->steps[i].word.text;
        long fd = eg_sys(__NR_openat, at, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) continue;
        if (at != AT_FDCWD) eg_sys(__NR_close, at);
        at = (int)fd;
    }
    return at;
}

/* Where the only `cd` leads, when its text alone says so. */
static struct eg_str known_directory(const struct eg_line *line)
{
    struct eg_str ret = { NULL, 0 };
    uint32_t cds = 0;
    for (uint32_t i = 0; i < line->step_count; i++) {
        const struct eg_line_word *dir = &line->steps[i].word;
        if (line->steps[i].kind != EG_STEP_CD) continue;
        if (cds++ || dir->text[0] != '/') return (struct eg_str){ NULL, 0 };
        ret = view(dir);
    }
    return ret;
}

static int find_program(struct rewrite *w, struct eg_str search, const char *name)
{
    struct eg_str plain = eg_str(name);
    bool slash = eg_str_find(plain, '/') < plain.n;
    if (!eg_line_moves(&w->line) || !slash || name[0] == '/')
        return eg_resolve_search(search, plain, w->spelled, w->canonical, &w->target);
    int error = 0;
    int at = enter_directory(&w->line);
    int r = eg_resolve_file(at, name, 0, w->canonical, &w->target, &error);
    if (at != AT_FDCWD) eg_sys(__NR_close, at);
    return r ? r : w->target.found ? 0 : error;
}

static int request_command(void *context, uint32_t index, struct eg_exec_request *ret)
{
    struct rewrite *w = context;
    const struct eg_line_command *command = &w->line.commands[index];
    struct eg_str search = search_path(w, command);
    int r = expand(w, command);
    if (r) return r;
    /* '%' in PATH is dash's own invention; CDPATH moves a `cd`. */
    if (eg_str_find(search, '%') < search.n) return -EINVAL;
    bool moves = eg_line_moves(&w->line);
    if (moves && eg_environment_get(w->envp, EG_STR("CDPATH")).n) return -EINVAL;
    w->finder->search = search;
    r = find_program(w, search, w->argv[0]);
    w->error = r;
    if (r) w->target.found = false;
    *ret = *w->exec;
    ret->target = w->target;
    ret->argv = w->argv;
    ret->argc = w->argc;
    ret->open_ended = false;
    if (moves) ret->cwd = known_directory(&w->line);
    if (eg_decide_shell_needs_runner(&w->line)) {
        const struct eg_blob_program *runner = eg_decide_shell_runner(eg_shim.blob);
        if (runner)
            ret->caller =
                (struct eg_target){ eg_blob_str(eg_shim.blob, runner->path), runner->id, true };
    }
    return 0;
}

/* ---- the image of what runs instead ---- */

/* Append a string that fits. */
static const char *keep(struct eg_buf *b, struct eg_str s)
{
    const char *ret = b->p + b->n;
    eg_buf_str(b, s);
    eg_buf_byte(b, '\0');
    return ret;
}

static void keep_zero(struct eg_image *image, const struct rewrite *w)
{
    size_t zero = w->shell.zero < w->exec->argc ? w->shell.zero : 0;
    struct eg_buf b = eg_buf_over(image->zero, sizeof(image->zero));
    eg_buf_add(&b, w->exec->argv[zero]);
    eg_buf_cstr(&b);
}

/* The arguments of the shell lie where those of the command will: first see
 * whether they fit. */
static bool fits(const struct rewrite *w)
{
    const struct eg_line_command *command = &w->line.commands[0];
    size_t bytes = 0;
    for (size_t i = 0; i < w->argc; i++) bytes += eg_str(w->argv[i]).n + 1;
    for (uint32_t i = 0; i < command->assignment_count; i++)
        bytes += w->line.words[command->assignments + i].n + 1;
    for (uint32_t i = 0; i < command->redirect_count; i++)
        bytes += w->line.redirects[command->redirects + i].target.n + 1;
    return bytes <= EG_FROZEN_BYTES && w->argc + 1 + command->assignment_count <= EG_FROZEN_ARGS;
}

/* The image of the one command. */
static void take_place(struct eg_image *image, const struct rewrite *w)
{
    const struct eg_line_command *command = &w->line.commands[0];
    struct eg_buf b = eg_buf_over(image->bytes, sizeof(image->bytes));
    uint32_t n = 0;
    for (size_t i = 0; i < w->argc; i++) image->arguments[n++] = keep(&b, eg_str(w->argv[i]));
    image->arguments[n++] = NULL;
    image->assignments = image->arguments + n;
    image->assignment_count = command->assignment_count;
    for (uint32_t i = 0; i < command->assignment_count; i++)
        image->arguments[n++] = keep(&b, view(&w->line.words[command->assignments + i]));
    for (uint32_t i = 0; i < command->redirect_count; i++) {
        const struct eg_redirect *from = &w->line.redirects[command->redirects + i];
        image->redirects[i] = (struct eg_image_redirect){
            .kind = from->kind,
            .fd = from->fd,
            .from = from->from,
            .path = from->kind < EG_REDIRECT_DUPLICATE ? keep(&b, view(&from->target)) : NULL
        };
    }
    image->redirect_count = command->redirect_count;
    image->bytes_used = b.n;
    image->argv = image->arguments;
    image->line = true;
    image->dash = eg_str_equal(w->shell_file, EG_STR("dash"));
    image->exec_prefix = command->flags & EG_COMMAND_EXEC;
    image->waits = image->dash && !image->exec_prefix;
    image->missing = w->error;
    if (!w->error) {
        struct eg_buf spelled = eg_buf_over(image->spelled, EG_PATH_MAX);
        struct eg_buf canonical = eg_buf_over(image->canonical, EG_PATH_MAX);
        eg_buf_add(&spelled, w->spelled);
        eg_buf_cstr(&spelled);
        eg_buf_str(&canonical, w->target.path);
        eg_buf_cstr(&canonical);
        image->target = w->target;
        image->target.path = (struct eg_str){ image->canonical, canonical.n };
    }
    image->path = image->spelled;
}

/* The image of the line runner with this line. */
static int take_runner(struct eg_image *image, const struct rewrite *w)
{
    const struct eg_blob_program *runner = eg_decide_shell_runner(eg_shim.blob);
    uint32_t n = 0;
    if (!runner) return -EACCES;
    const char *zero = w->exec->argv[w->shell.zero < w->exec->argc ? w->shell.zero : 0];
    const char *line = w->shell.command.p;
    image->arguments[n++] = "execguard-line";
    image->arguments[n++] = w->shell.dialect == EG_DIALECT_DASH ? "-d" : "-a";
    if (w->shell.effects & EG_SHELL_NOGLOB) image->arguments[n++] = "-f";
    image->arguments[n++] = "--";
    image->arguments[n++] = zero;
    image->arguments[n++] = line;
    image->arguments[n] = NULL;
    image->argv = image->arguments;
    image->path = eg_blob_cstr(eg_shim.blob, runner->path);
    image->target = (struct eg_target){ eg_str(image->path), runner->id, true };
    image->line = false;
    return 0;
}

/* Where file actions run first, what a relative name means is not known here. */
static bool needs_runner(const struct rewrite *w, const struct eg_call *call)
{
    if (eg_decide_shell_needs_runner(&w->line)) return true;
    if (!call->spawns) return false;
    const struct eg_line_command *command = &w->line.commands[0];
    return command->redirect_count || command->assignment_count || w->error || has_patterns(w) ||
           w->spelled[0] != '/';
}

/* What the child will open past every hook; the mode is rewrite_run.c's. */
static int judge_redirects(const struct eg_image *image, const struct eg_call *call)
{
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < image->redirect_count; i++) {
        const struct eg_image_redirect *redirect = &image->redirects[i];
        if (!redirect->path) continue;
        struct eg_opening opening = { .call = call->name,
                                      .dirfd = AT_FDCWD,
                                      .path = redirect->path,
                                      .flags = eg_rewrite_flags(redirect->kind),
                                      .mode = EG_REDIRECT_MODE };
        r = eg_open_judge(&opening);
        /* the kernel's own answers are the child's to tell */
        if (r != -EACCES) r = 0;
    }
    return r;
}

static int apply(struct eg_image *image, const struct eg_call *call, const struct rewrite *w)
{
    image->dirfd = AT_FDCWD;
    image->flags = 0;
    if (needs_runner(w, call) || !fits(w)) return take_runner(image, w);
    keep_zero(image, w);
    take_place(image, w);
    return judge_redirects(image, call);
}

/* ---- all of it ---- */

static __attribute__((noinline)) void decide(struct rewrite *w, struct eg_exec_request *exec,
                                             struct eg_decision *ret)
{
    struct eg_child_lookup finder;
    struct eg_lookup lookup = { eg_shim_find_inner, &finder, eg_shim_find_script };
    bool readable = w->shell.kind == EG_SHELL_COMMAND && w->shell.dialect != EG_DIALECT_NONE;
    struct eg_shell_request request = { .exec = exec,
                                        .shell = &w->shell,
                                        .line = readable ? &w->line : NULL,
                                        .command = request_command,
                                        .context = w };
    w->finder = &finder;
    exec->lookup = &lookup;
    eg_decide_shell(eg_shim.blob, &request, ret);
    exec->lookup = NULL;
    w->finder = NULL;
}

static __attribute__((noinline)) int rewrite(struct eg_image *image, const struct eg_call *call,
                                             struct eg_exec_request *exec, const char *const *envp)
{
    struct rewrite w;
    struct eg_decision decision = { .reason = EG_REASON_SHELL, .rule = EG_NONE };
    struct eg_call said = *call;
    w.envp = envp;
    w.exec = exec;
    w.error = 0;
    w.map = NULL;
    w.shell_file = eg_str_basename(exec->target.path);
    eg_line_shell_command(exec->argv, exec->argc, &w.shell);
    w.shell.dialect = eg_decide_shell_dialect(&w.shell, &exec->target);
    if (w.shell.kind == EG_SHELL_COMMAND) {
        said.line = w.shell.command;
        said.has_line = true;
        if (w.shell.dialect != EG_DIALECT_NONE) {
            int r = read_line(&w);
            if (r) return r;
        }
    }
    decide(&w, exec, &decision);
    bool allowed = decision.verdict != EG_VERDICT_DENY;
    if (decision.verdict != EG_VERDICT_REWRITE && !call->quiet)
        eg_shim_report(&said, exec, &decision, EG_ACTION_REWRITE);
    int r = 0;
    if (!(eg_shim.blob->flags & EG_BLOB_LOG_MODE))
        r = allowed ? apply(image, call, &w) : -EACCES;
    else if (allowed && !call->quiet)
        eg_shim_tell_line();
    forget_memory(&w);
    return r;
}

int eg_rewrite(struct eg_image *image, const struct eg_call *call, struct eg_exec_request *exec,
               const char *const *envp)
{
    return rewrite(image, call, exec, envp);
}
