// SPDX-License-Identifier: MIT
/* The oracle: each line that lib/line accepts is run by a shell and, by
 * line.h's letter, without one; both must start the same programs with the same
 * arguments, environment, directory, descriptors and signals, give the same
 * status and output, and leave the same files.
 *
 *   oracle [options] < lines         lines end in NUL
 *     --shell PATH       default /bin/dash; another one is read as ANY dialect
 *     --stub PATH        the stub program
 *     --generate N       N made-up lines after those read
 *     --mutate N         N changed lines, from those read and the made-up ones
 *     --seed N           printed, for a second run
 *     --program NAME     attack lines: what is accepted and no pipeline starts NAME alone
 *     --list             print each line's construct and offset, run nothing
 *
 * Prints one summary line; differences to standard error; status 1 on any. */
#include "generate.h"
#include "reference.h"
#include "sandbox.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RECORD_FD   1000
#define RECORDS_MAX 64
#define STRINGS_MAX 4096
#define DIFFERENCES 10 /* shown in full */
#define WORDS_MAX   1024

static struct {
    const char *shell, *stub, *program;
    enum eg_dialect dialect;
    unsigned long generate, mutate;
    uint64_t seed;
    bool list;
    char **lines;
    size_t line_count;
} options = { .shell = "/bin/dash", .stub = "stub" };

static struct {
    unsigned long lines, accepted, ran, different, programs, pipelines;
    unsigned long refused[EG_CONSTRUCT_COUNT];
} totals;

/* ---- what one run did ---- */

struct record {
    uint32_t pid;
    size_t size; /* of text */
    char *text;  /* normalised: arguments first, environment sorted */
};

struct run {
    int status;
    pid_t pid;
    size_t record_count;
    struct record records[RECORDS_MAX];
    char *output; /* of descriptor 1 */
    size_t output_size;
    bool has_error_text; /* in it */
    char *names, *sizes; /* of the files left, when the line writes any */
    size_t names_size, sizes_size;
};

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare_records(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    size_t n = x->size < y->size ? x->size : y->size;
    int order = memcmp(x->text, y->text, n);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* Variables that bash adds by itself, or passes on where dash does not. */
static bool is_bash_variable(const char *entry)
{
    return options.dialect == EG_DIALECT_ANY &&
           (!strncmp(entry, "_=", 2) || !strncmp(entry, "SHLVL=", 6) ||
            !strncmp(entry, "a.b=", 4) || !strcmp(entry, "OLDPWD"));
}

static const char *next_string(const char **p)
{
    const char *s = *p;
    *p += strlen(s) + 1;
    return s;
}

static void read_record(const char *p, struct record *ret)
{
    char *entries[STRINGS_MAX];
    const char *cwd = next_string(&p);
    unsigned long argc = strtoul(next_string(&p), NULL, 10), count, kept = 0;
    FILE *out = open_memstream(&ret->text, &ret->size);

    fprintf(out, "%lu", argc);
    while (argc--) {
        fputc(0, out);
        fputs(next_string(&p), out);
    }
    fprintf(out, "%ccwd %s", 0, cwd);
    count = strtoul(next_string(&p), NULL, 10);
    for (unsigned long i = 0; i < count && i < STRINGS_MAX; i++) {
        entries[kept] = (char *)(uintptr_t)next_string(&p);
        if (!is_bash_variable(entries[kept])) kept++;
    }
    qsort(entries, kept, sizeof entries[0], compare_strings);
    for (unsigned long i = 0; i < kept; i++) fprintf(out, "%cenv %s", 0, entries[i]);
    for (int fd = 0; fd < 10; fd++) {
        const char *target = next_string(&p);
        if (*target) fprintf(out, "%cfd %d %s", 0, fd, target);
    }
    fprintf(out, "%c%s", 0, next_string(&p));
    fputs(next_string(&p), out);
    fprintf(out, "%cumask %s", 0, next_string(&p));
    fclose(out);
}

static void read_records(int fd, struct run *run)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *bytes = malloc((size_t)size + 1);
    if (pread(fd, bytes, (size_t)size, 0) != size) err(125, "records");
    for (off_t at = 0; at + 8 <= size && run->record_count < RECORDS_MAX;) {
        uint32_t header[2];
        memcpy(header, bytes + at, sizeof header);
        struct record *record = &run->records[run->record_count++];
        record->pid = header[1];
        read_record(bytes + at + 8, record);
        at += header[0];
    }
    free(bytes);
    qsort(run->records, run->record_count, sizeof run->records[0], compare_records);
}

static void free_run(struct run *run)
{
    for (size_t i = 0; i < run->record_count; i++) free(run->records[i].text);
    free(run->output);
    free(run->names);
    free(run->sizes);
}

/* ---- the world around a run ---- */

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) err(125, "%s", path);
    close(fd);
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char child[8192];
    if (!dir) return;
    while ((entry = readdir(dir))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (unlink(child) && (errno == EISDIR || errno == EPERM)) {
            remove_tree(child);
            rmdir(child);
        }
    }
    closedir(dir);
}

/* Files with names that patterns and quotes meet. */
static void fill_directory(void)
{
    static const char *const files[] = { "a",   "b.c", ".hid", "0", "[0]",  "x y", "*",
                                         "]",   "-",   "\\",   "é", "\x81", "q f", "ab",
                                         "d/e", "d/f", "!",    "^", "d/.h", "A",   "12" };
    remove_tree(SANDBOX_CWD);
    if (mkdir(SANDBOX_CWD "/d", 0755) && errno != EEXIST) err(125, "mkdir");
    if (symlink("/usr/bin", SANDBOX_CWD "/l")) err(125, "symlink");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, SANDBOX_CWD "/%s", files[i]);
        write_file(path, "12345");
    }
    if (symlink(SANDBOX_STUB, SANDBOX_CWD "/a.out")) err(125, "symlink");
}

/* Folders that are always there, beside the working directory. */
static const char *const fixed[] = { "/", "/bin", "/usr", "/usr/bin", "/home" };

/* By what it is: a line may have written it with two slashes. */
static bool is_fixed(const char *path)
{
    struct stat a, b;
    if (stat(path, &a)) return false;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (!stat(fixed[i], &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev) return true;
    return !stat(SANDBOX_CWD, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* The stubs of the lines in hand. */
#define STUBS_MAX 1000
static struct {
    char *paths[STUBS_MAX];
    size_t count;
} stubs;

/* Make the folders above a path; those outside the working directory get the
 * mode, open while a stub is made and shut afterwards. */
static void set_folders(char *path, mode_t mode)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        mkdir(path, 0755);
        if (strncmp(path, SANDBOX_CWD, strlen(SANDBOX_CWD)) != 0) chmod(path, mode);
        *p = '/';
    }
}

/* Make a stub answer to a name, wherever it would be looked for. */
static void make_stub(const char *name, size_t n)
{
    char path[4096];
    if (!n || n > 2000) return;
    if (!memchr(name, '/', n)) {
        if ((n == 1 && name[0] == '.') || (n == 2 && !memcmp(name, "..", 2))) return;
        snprintf(path, sizeof path, "/bin/%.*s", (int)n, name);
    } else {
        snprintf(path, sizeof path, "%.*s", (int)n, name);
        if (path[0] != '/' || strstr(path, "none/")) return;
    }
    set_folders(path, 0755);
    if (stubs.count < STUBS_MAX && !symlink(SANDBOX_STUB, path)) /* or it is there, or cannot be */
        stubs.paths[stubs.count++] = strdup(path);
    set_folders(path, 0555);
}

/* A pattern would else find all that the lines before it made. */
static void remove_stubs(void)
{
    while (stubs.count) {
        char *path = stubs.paths[--stubs.count];
        set_folders(path, 0755);
        unlink(path);
        for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
            *slash = 0;
            if (is_fixed(path) || rmdir(path)) break;
        }
        free(path);
    }
}

/* Only the working directory is put back between the two runs, so nothing else
 * may change in them: `cd .. ; prog * >new` would list the first run's file. */
static void shut_world(bool shut)
{
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (chmod(fixed[i], shut ? 0555 : 0777)) err(125, "chmod %s", fixed[i]);
}

/* Whatever looks like a program's name gets a stub, so that a line which is
 * split in another way shows. */
static void make_stubs(const char *line, size_t n, const struct eg_line *parsed)
{
    static const char *const kept_out[] = { "none", "test", "echo", "true", "false" };
    for (uint32_t i = 0; i < parsed->command_count; i++) {
        const struct eg_line_word *name = &parsed->words[parsed->commands[i].words];
        if (!(parsed->commands[i].flags & (EG_COMMAND_TWIN | EG_COMMAND_LOOKUP | EG_COMMAND_OWN)))
            make_stub(name->text, name->n);
    }
    for (size_t i = 0; i < n;) {
        size_t start = i;
        while (i < n && (line[i] == '_' || line[i] == '-' || (line[i] >= '0' && line[i] <= '9') ||
                         (line[i] >= 'a' && line[i] <= 'z') || (line[i] >= 'A' && line[i] <= 'Z')))
            i++;
        bool keep_out = i - start < 2;
        for (size_t k = 0; k < sizeof kept_out / sizeof kept_out[0]; k++)
            if (i - start == strlen(kept_out[k]) && !memcmp(kept_out[k], line + start, i - start))
                keep_out = true;
        if (!keep_out) make_stub(line + start, i - start);
        if (i == start) i++;
    }
}

static bool changes_files(const struct eg_line *line)
{
    for (uint32_t i = 0; i < line->redirect_count; i++)
        if (line->redirects[i].kind < EG_REDIRECT_DUPLICATE) return true;
    return false;
}

static void list_directory(const char *path, FILE *names, FILE *sizes)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char child[8192];
        struct stat status;
        snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name);
        fprintf(names, "%s\n", child);
        if (!lstat(child, &status) && S_ISREG(status.st_mode))
            fprintf(sizes, "%s %ld\n", child, (long)status.st_size);
        free(entries[i]);
    }
    if (n >= 0) free(entries);
}

/* "sh: 2: ", also behind what programs wrote without a newline. */
static bool names_shell(const char *line)
{
    for (const char *p = line; (p = strstr(p, "sh: ")); p += 4)
        if (p[4] >= '1' && p[4] <= '9') return true;
    return false;
}

/* Error texts are the shell's own, and may have been sent to descriptor 1. */
static bool is_error_text(const char *line)
{
    return !strncmp(line, "sh: ", 4) || names_shell(line) || !strncmp(line, "echo: ", 6) ||
           strstr(line, ": line ") != NULL;
}

/* Copy a file; was there an error text in it? */
static bool add_file(FILE *out, const char *path)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    bool found = false;
    FILE *in = fopen(path, "r");
    while (in && (n = getline(&line, &room, in)) > 0) {
        found |= is_error_text(line);
        fwrite(line, 1, (size_t)n, out);
    }
    free(line);
    if (in) fclose(in);
    return found;
}

/* ---- the two runs ---- */

static const char *const environment[] = { "PATH=/bin",   "HOME=/home", "PWD=/w",
                                           "a.b=dropped", "Z=1",        NULL };

static void prepare_child(int record_fd)
{
    struct itimerval limit = { .it_value = { .tv_sec = 20 } };
    setitimer(ITIMER_REAL, &limit, NULL);
    if (dup2(record_fd, RECORD_FD) < 0) _exit(125);
    int in = open("/home/in", O_RDONLY);
    int out = open("/home/out", O_WRONLY | O_APPEND);
    int error = open("/home/err", O_WRONLY | O_APPEND);
    if (in < 0 || out < 0 || error < 0) _exit(125);
    in = fcntl(in, F_DUPFD, 100);
    out = fcntl(out, F_DUPFD, 100);
    error = fcntl(error, F_DUPFD, 100);
    dup2(in, 0);
    dup2(out, 1);
    dup2(error, 2);
    for (int fd = 3; fd < 200; fd++) close(fd);
}

static void do_run(const char *line, const struct reference *reference, bool by_shell,
                   struct run *run)
{
    static int record_fd = -1;
    int status;
    memset(run, 0, sizeof *run);
    if (record_fd < 0) record_fd = memfd_create("records", 0);
    if (record_fd >= 0 && fcntl(record_fd, F_SETFL, O_APPEND)) err(125, "memfd");
    if (ftruncate(record_fd, 0) || truncate("/home/out", 0) || truncate("/home/err", 0))
        err(125, "truncate");
    if (changes_files(reference->line)) fill_directory();

    fflush(NULL);
    run->pid = by_shell ? vfork() : fork();
    if (!run->pid) {
        prepare_child(record_fd);
        if (!by_shell) reference_run(reference);
        /* With "--": a line that starts with - or + would be an option. */
        char *argv[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                         (char *)(uintptr_t) "--", (char *)(uintptr_t)line, NULL };
        execve(SANDBOX_SHELL, argv, (char **)(uintptr_t)environment);
        _exit(125);
    }
    if (waitpid(run->pid, &status, 0) < 0) err(125, "waitpid");
    run->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    while (wait(NULL) > 0 || errno == EINTR) { /* what ran in background: we are pid 1 */
    }
    read_records(record_fd, run);
    FILE *out = open_memstream(&run->output, &run->output_size);
    FILE *names = open_memstream(&run->names, &run->names_size);
    FILE *sizes = open_memstream(&run->sizes, &run->sizes_size);
    run->has_error_text = add_file(out, "/home/out");
    if (changes_files(reference->line)) {
        list_directory(SANDBOX_CWD, names, sizes);
        list_directory(SANDBOX_CWD "/d", names, sizes);
    }
    fclose(out);
    fclose(names);
    fclose(sizes);
}

/* ---- comparing ---- */

static void print_bytes(const char *p, size_t n)
{
    for (; n > 0; p++, n--) {
        unsigned char c = (unsigned char)*p;
        if (c == 0)
            fputs("\n      ", stderr);
        else if (c < 0x20 || c >= 0x7f || c == '\\')
            fprintf(stderr, "\\x%02x", c);
        else
            fputc(c, stderr);
    }
    fputc('\n', stderr);
}

static void print_run(const char *who, const struct run *run)
{
    fprintf(stderr, "  %s: status %d, %zu programs\n", who, run->status, run->record_count);
    for (size_t i = 0; i < run->record_count; i++) {
        fprintf(stderr, "    ");
        print_bytes(run->records[i].text, run->records[i].size);
    }
    fprintf(stderr, "    output: ");
    print_bytes(run->output, run->output_size);
    fprintf(stderr, "    files: ");
    print_bytes(run->sizes, run->sizes_size);
}

static bool is_same(const char *a, size_t a_size, const char *b, size_t b_size)
{
    return a_size == b_size && !memcmp(a, b, a_size);
}

/* Are the files' sizes the same in every run?  Not where an error text went to
 * one, or where two programs write to it at once. */
static bool has_certain_sizes(const struct eg_line *line, const struct run *run)
{
    bool by_itself =
        line->command_count == 1 &&
        line->commands[0].flags & (EG_COMMAND_TWIN | EG_COMMAND_LOOKUP | EG_COMMAND_OWN);
    if (line->command_count != 1 || line->step_count) return false;
    if (by_itself && line->background) return false; /* its status is not seen */
    return by_itself ? run->status == 0 : run->record_count == 1;
}

/* `$!` is another number in each run: does it name the program that was started? */
static bool tells_process(const struct eg_line *line, const struct run *run)
{
    char number[16];
    if (line->command_count > 1 || run->record_count != 1) return true;
    int n = snprintf(number, sizeof number, "%u\n", run->records[0].pid);
    return memmem(run->output, run->output_size, number, (size_t)n) != NULL;
}

static bool has_same_output(const struct eg_line *line, const struct run *a, const struct run *b)
{
    if (line->tail == EG_TAIL_PROCESS) return tells_process(line, a) == tells_process(line, b);
    /* a group's `2>&1` lets all parts of a pipeline write to one file, in any order */
    if (eg_line_find_joint(line, EG_JOINT_PIPE) && line->group_redirect_count)
        return a->output_size == b->output_size;
    return is_same(a->output, a->output_size, b->output, b->output_size);
}

static const char *find_difference(const struct eg_line *line, const struct run *a,
                                   const struct run *b)
{
    if (a->status != b->status) return "status";
    if (a->record_count != b->record_count) return "number of programs";
    for (size_t i = 0; i < a->record_count; i++)
        if (compare_records(&a->records[i], &b->records[i])) return "how a program was started";
    /* An error text has other words, and as many lines as the name in it. */
    if (!a->has_error_text && !b->has_error_text && !has_same_output(line, a, b)) return "output";
    if (!is_same(a->names, a->names_size, b->names, b->names_size)) return "names of files";
    if (has_certain_sizes(line, a) && !is_same(a->sizes, a->sizes_size, b->sizes, b->sizes_size))
        return "sizes of files";
    if (options.dialect == EG_DIALECT_DASH && a->record_count == 1 && line->command_count == 1 &&
        (a->records[0].pid == (uint32_t)a->pid) != (b->records[0].pid == (uint32_t)b->pid))
        return "which process the program is";
    return NULL;
}

static const char *check_attack(const struct eg_line *line, const struct run *shell)
{
    /* Pipelines and lists are the policy's to refuse, each of their parts the rules'. */
    if (line->command_count > 1) {
        totals.pipelines++;
        return NULL;
    }
    if (eg_line_moves(line)) return "a cd accepted";
    if (strcmp(line->words[line->commands[0].words].text, options.program))
        return "another program than the template's";
    if (shell->record_count > 1) return "the shell started more than one program";
    return NULL;
}

/* Parts of a pipeline run at once: where one makes files and another looks for
 * them, no two runs need be the same, under the shell neither. */
static bool is_race(const struct eg_line *line)
{
    bool makes = false, looks = false;
    for (uint32_t i = 0; i < line->redirect_count; i++) {
        unsigned kind = line->redirects[i].kind;
        makes |= kind == EG_REDIRECT_WRITE || kind == EG_REDIRECT_APPEND ||
                 kind == EG_REDIRECT_READ_WRITE;
        looks |= kind == EG_REDIRECT_READ;
    }
    for (uint32_t i = 0; i < line->word_count; i++)
        looks |= (line->words[i].flags & EG_WORD_GLOB) != 0;
    return eg_line_find_joint(line, EG_JOINT_PIPE) && makes && looks;
}

static void check_line(const char *text, size_t n)
{
    static char buffer[1 << 18];
    static struct eg_line_word words[WORDS_MAX];
    struct eg_line_memory memory = { buffer, sizeof buffer, words, WORDS_MAX };
    struct eg_line line;
    struct run shell, direct;

    totals.lines++;
    eg_line_parse((struct eg_str){ text, n }, options.dialect, &memory, &line);
    totals.refused[line.construct]++;
    if (line.construct) return;
    totals.accepted++;
    if (is_race(&line)) return;
    shut_world(false);
    if (stubs.count > STUBS_MAX / 2) remove_stubs();
    make_stubs(text, n, &line);
    shut_world(true);

    struct reference reference = { { text, n }, &line, options.dialect, environment };
    do_run(text, &reference, true, &shell);
    do_run(text, &reference, false, &direct);
    totals.ran++;
    totals.programs += shell.record_count;
    const char *what = find_difference(&line, &shell, &direct);
    if (!what && options.program) what = check_attack(&line, &shell);
    if (what && totals.different++ < DIFFERENCES) {
        fprintf(stderr, "difference in %s:\n  line: ", what);
        print_bytes(text, n);
        print_run("shell", &shell);
        print_run("without", &direct);
        fprintf(stderr, "    shell's errors: ");
        fflush(stderr);
        do_run(text, &reference, true, &(struct run){ 0 });
        add_file(stderr, "/home/err");
    }
    free_run(&shell);
    free_run(&direct);
}

static int check_all(void *context)
{
    struct random random = { options.seed };
    char line[GENERATE_MAX];
    struct timespec start, end;
    (void)context;

    clock_gettime(CLOCK_MONOTONIC, &start);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    write_file("/home/in", "input");
    write_file("/home/out", "");
    write_file("/home/err", "");
    fill_directory();
    for (size_t i = 0; i < options.line_count; i++)
        check_line(options.lines[i], strlen(options.lines[i]));
    for (unsigned long i = 0; i < options.generate; i++)
        check_line(line, generate_line(&random, line));
    for (unsigned long i = 0; i < options.mutate; i++) {
        size_t n;
        if (options.line_count && random_below(&random, 2)) {
            const char *from = options.lines[random_below(&random, (unsigned)options.line_count)];
            n = strnlen(from, GENERATE_MAX - 1);
            memcpy(line, from, n);
            line[n] = 0;
        } else {
            n = generate_line(&random, line);
        }
        check_line(line, mutate_line(&random, line, n));
    }
    clock_gettime(CLOCK_MONOTONIC, &end);

    if (options.program)
        printf("%lu of the accepted are pipelines or lists, which a policy refuses by default\n",
               totals.pipelines);
    printf("%lu lines, %lu accepted, %lu run, %lu programs started, %lu different, seed %lu, "
           "%.1f s; refused:",
           totals.lines, totals.accepted, totals.ran, totals.programs, totals.different,
           (unsigned long)options.seed,
           (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    for (int i = 1; i < EG_CONSTRUCT_COUNT; i++)
        if (totals.refused[i])
            printf(" %s %lu", eg_construct_slug((enum eg_construct)i), totals.refused[i]);
    printf("\n");
    return totals.different != 0;
}

static void list_all(void)
{
    for (size_t i = 0; i < options.line_count; i++) {
        size_t n = strlen(options.lines[i]);
        char *buffer = malloc(n + 1);
        static struct eg_line_word words[WORDS_MAX];
        struct eg_line_memory memory = { buffer, n + 1, words, WORDS_MAX };
        struct eg_line line;
        eg_line_parse((struct eg_str){ options.lines[i], n }, options.dialect, &memory, &line);
        printf("%s %u %u %u\n", eg_construct_slug(line.construct), line.offset, line.end,
               line.command_count);
        free(buffer);
    }
}

static void read_lines(void)
{
    size_t size = 0, room;
    char *line;
    for (;;) {
        line = NULL;
        room = 0;
        ssize_t n = getdelim(&line, &room, 0, stdin);
        if (n < 0) break;
        if (options.line_count == size) {
            size = size ? 2 * size : 256;
            options.lines = realloc(options.lines, size * sizeof *options.lines);
            if (!options.lines) err(125, "lines");
        }
        options.lines[options.line_count++] = line;
    }
    free(line);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        { "shell", required_argument, NULL, 's' },    { "stub", required_argument, NULL, 't' },
        { "generate", required_argument, NULL, 'g' }, { "mutate", required_argument, NULL, 'm' },
        { "seed", required_argument, NULL, 'r' },     { "program", required_argument, NULL, 'p' },
        { "list", no_argument, NULL, 'l' },           { 0 },
    };
    options.seed = (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (c) {
        case 's': options.shell = optarg; break;
        case 't': options.stub = optarg; break;
        case 'g': options.generate = strtoul(optarg, NULL, 10); break;
        case 'm': options.mutate = strtoul(optarg, NULL, 10); break;
        case 'r': options.seed = strtoull(optarg, NULL, 10); break;
        case 'p': options.program = optarg; break;
        case 'l': options.list = true; break;
        default: return 125;
        }
    }
    if (!strstr(options.shell, "dash")) options.dialect = EG_DIALECT_ANY;
    read_lines();
    if (options.list) {
        list_all();
        return 0;
    }
    return sandbox_run(options.shell, options.stub, check_all, NULL);
}
