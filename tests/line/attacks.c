// SPDX-License-Identifier: MIT
/* The attack corpora through system() and popen(), guarded and not, inside a
 * throw-away world where every program is a stub.  Guarded, the shell itself is
 * a stub too: if it starts, it is seen.
 *
 *   attacks SHELL STUB PRELOAD FILE...      (as `attacks caller ...`: see call_all)
 */
#include "compile/compile.h"
#include "policy/policy.h"
#include "sandbox.h"

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORD_FD 1000
#define PROGRAM   "ok"

static const char *const templates[] = { "%s",        "ok %s",   "ok '%s'",
                                         "ok \"%s\"", "ok a%sb", "ok 2>&1 %s" };
#define TEMPLATES (sizeof templates / sizeof *templates)

static char **lines;
static size_t count;
static int preload_fd, shell_fd;

/* ---- the lines ---- */

static void add_line(const char *text)
{
    lines = realloc(lines, (count + 1) * sizeof *lines);
    if (!lines || !(lines[count++] = strdup(text))) err(125, "memory");
}

static void add_decoded(const char *text)
{
    char out[4096];
    size_t n = 0;
    for (const char *p = text; *p && n + 1 < sizeof out; p++) {
        unsigned byte;
        if (p[0] == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]) &&
            sscanf(p + 1, "%2x", &byte) == 1 && byte) {
            out[n++] = (char)byte;
            p += 2;
        } else if (p[0] == '\\' && p[1] == 'n') {
            out[n++] = '\n';
            p++;
        } else {
            out[n++] = *p;
        }
    }
    out[n] = '\0';
    if (strcmp(out, text) != 0) add_line(out);
}

static void read_lines(const char *path)
{
    char line[4096];
    FILE *f = fopen(path, "r");
    if (!f) err(125, "%s", path);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (!*line) continue;
        add_line(line);
        add_decoded(line);
    }
    fclose(f);
}

/* ---- inside: the process that calls ---- */

/* Everything that was started since the last look; the first stranger's name. */
static unsigned look(off_t *at, char stranger[256])
{
    static char record[1 << 19];
    unsigned strangers = 0;
    uint32_t head[2];
    while (pread(RECORD_FD, head, sizeof head, *at) == (ssize_t)sizeof head) {
        ssize_t n = pread(RECORD_FD, record, sizeof record - 1, *at + (off_t)sizeof head);
        if (n <= 0 || head[0] < sizeof head) break;
        record[n] = '\0';
        const char *argc = record + strlen(record) + 1;
        const char *name = argc + strlen(argc) + 1;
        const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
        if (strcmp(base, PROGRAM) != 0 && !strangers++) snprintf(stranger, 256, "%s", name);
        *at += head[0];
    }
    return strangers;
}

static void call(const char *how, const char *line)
{
    if (!strcmp(how, "system")) {
        if (system(line) == -1) warn("system");
    } else {
        char text[256];
        FILE *f = popen(line, "r");
        while (f && fgets(text, sizeof text, f)) continue;
        if (f) pclose(f);
    }
}

/* attacks caller HOW: lines from standard input, each with a NUL.  Prints the
 * number of lines and of those that started something else, and the first few. */
static int call_all(const char *how)
{
    char line[8192], stranger[256];
    size_t n = 0, total = 0, injected = 0, shown = 0;
    off_t at = 0;
    for (int c; (c = getchar()) != EOF;) {
        if (n + 1 < sizeof line) line[n++] = (char)c;
        if (c) continue;
        n = 0;
        total++;
        call(how, line);
        if (!look(&at, stranger)) continue;
        injected++;
        if (getenv("GUARDED") && shown++ < 5) printf("# started %s: %s\n", stranger, line);
    }
    usleep(300000); /* what went to the background */
    if (look(&at, stranger)) {
        injected++;
        if (getenv("GUARDED")) printf("# started late: %s\n", stranger);
    }
    printf("%zu %zu %lld\n", total, injected, (long long)at);
    return 0;
}

/* ---- inside: preparing ---- */

static void copy_from(int fd, const char *to)
{
    char buffer[65536];
    ssize_t n;
    off_t at = 0;
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
    if (out < 0) err(125, "%s", to);
    while ((n = pread(fd, buffer, sizeof buffer, at)) > 0) {
        if (write(out, buffer, (size_t)n) != n) err(125, "write %s", to);
        at += n;
    }
    close(out);
}

static void add_stub(const char *path)
{
    if (symlink(SANDBOX_STUB, path) && errno != EEXIST) err(125, "%s", path);
}

/* Every word of the lines is a program. */
static void make_programs(void)
{
    for (size_t i = 0; i < count; i++)
        for (const char *p = lines[i]; *p;) {
            size_t n = 0;
            char path[300];
            while (isalnum((unsigned char)p[n]) || (p[n] && strchr("._-", p[n]))) n++;
            if (n && n < 200 && *p != '.') {
                snprintf(path, sizeof path, "/bin/%.*s", (int)n, p);
                add_stub(path);
                snprintf(path, sizeof path, "/usr/bin/%.*s", (int)n, p);
                add_stub(path);
            }
            p += n ? n : 1;
        }
    unlink("/bin/dash");
    unlink("/bin/sh");
    unlink("/usr/bin/dash");
    unlink("/usr/bin/sh");
    unlink("/bin/" PROGRAM);
    int fd = open(SANDBOX_STUB, O_RDONLY);
    copy_from(fd, "/bin/" PROGRAM);
    close(fd);
    if (symlink("/bin/dash", "/bin/sh")) err(125, "/bin/sh");
}

static void compile_policy(void)
{
    static const char text[] = "exec {\n    allow /bin/" PROGRAM " ...\n}\n"
                               "log { file /w/events; rate 100000/s burst 10000 }\n";
    struct eg_policy_options options = { .search = { NULL } };
    struct eg_diagnostics diagnostics = { 0 };
    struct eg_policy *policy = NULL;
    struct eg_blob *blob = NULL;
    int fd = open("/w/attack.policy", O_WRONLY | O_CREAT, 0644);
    if (fd < 0 || write(fd, text, sizeof text - 1) < 0) err(125, "policy");
    close(fd);
    int r = eg_policy_load("/w/attack.policy", &options, &diagnostics, &policy);
    if (r == 0) r = eg_compile(policy, NULL, &diagnostics, &blob);
    if (r) {
        eg_diagnostics_render(&diagnostics, policy, stdout);
        errx(125, "the policy does not compile: %d", r);
    }
    r = eg_blob_write(blob, "/w/attack.blob");
    if (r) errx(125, "the blob cannot be written: %d", r);
}

/* Run the caller over all lines in all templates; its last line of output. */
static void run_caller(const char *how, bool guarded, size_t ret[3])
{
    int in[2], out[2];
    if (pipe(in) || pipe(out)) err(125, "pipe");
    unlink("/w/record");
    int record = open("/w/record", O_RDWR | O_CREAT | O_APPEND, 0600);
    pid_t pid = fork();
    if (pid == 0) {
        char *argv[] = { (char *)"attacks", (char *)"caller", (char *)how, NULL };
        char *plain[] = { (char *)"PATH=/bin:/usr/bin", NULL };
        char *attached[] = { (char *)"PATH=/bin:/usr/bin", (char *)"GUARDED=1",
                             (char *)"LD_PRELOAD=/w/preload.so",
                             (char *)"EXECGUARD_POLICY=/w/attack.blob", NULL };
        int null = open("/dev/null", O_RDWR);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(null, 2);
        dup2(record, RECORD_FD);
        for (int fd = 3; fd < RECORD_FD; fd++) close(fd);
        execve("/w/attacks", argv, guarded ? attached : plain);
        _exit(125);
    }
    close(in[0]);
    close(out[1]);
    close(record);
    if (fork() == 0) {
        char line[8192];
        close(out[0]);
        for (size_t i = 0; i < count; i++)
            for (size_t t = 0; t < TEMPLATES; t++) {
                int n = snprintf(line, sizeof line, templates[t], lines[i]);
                if (write(in[1], line, (size_t)n + 1) < 0) _exit(1);
            }
        _exit(0);
    }
    close(in[1]);
    FILE *f = fdopen(out[0], "r");
    char text[8192];
    ret[0] = ret[1] = ret[2] = 0;
    while (fgets(text, sizeof text, f)) {
        if (*text == '#')
            fputs(text, stdout);
        else
            sscanf(text, "%zu %zu %zu", &ret[0], &ret[1], &ret[2]);
    }
    fclose(f);
    waitpid(pid, NULL, 0);
}

static int body(void *context)
{
    (void)context;
    static const char *const ways[] = { "system", "popen" };
    int number = 0, failed = 0;
    chmod("/bin", 0755);
    chmod("/usr/bin", 0755);
    chmod("/usr", 0755);
    chmod("/", 0755);
    chmod("/w", 0755);
    make_programs();
    copy_from(preload_fd, "/w/preload.so");
    int self = open(SANDBOX_SHELL, O_RDONLY);
    copy_from(self, "/w/attacks");
    close(self);
    compile_policy();
    for (unsigned i = 0; i < 2; i++) {
        size_t plain[3], guarded[3];
        unlink("/bin/dash");
        copy_from(shell_fd, "/bin/dash");
        run_caller(ways[i], false, plain);
        unlink("/bin/dash");
        int stub = open(SANDBOX_STUB, O_RDONLY);
        copy_from(stub, "/bin/dash");
        close(stub);
        run_caller(ways[i], true, guarded);
        bool whole = guarded[0] == count * TEMPLATES && plain[0] == guarded[0] && plain[1] > 100;
        bool good = whole && guarded[1] == 0 && guarded[2] > 0;
        printf("# %zu lines; %zu start something else when unguarded, %zu when guarded\n",
               guarded[0], plain[1], guarded[1]);
        printf("%s %d - %s: no attack line starts a shell or a program beside the policy's\n",
               good ? "ok" : "not ok", ++number, ways[i]);
        failed += !good;
        fflush(stdout);
    }
    printf("1..%d\n", number);
    return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "caller")) return call_all(argv[2]);
    if (argc < 5) errx(125, "usage: attacks SHELL STUB PRELOAD FILE...");
    shell_fd = open(argv[1], O_RDONLY);
    preload_fd = open(argv[3], O_RDONLY);
    if (shell_fd < 0 || preload_fd < 0) err(125, "%s, %s", argv[1], argv[3]);
    for (int i = 4; i < argc; i++) read_lines(argv[i]);
    char self[4096]; /* ldd(1) must not take /proc/self for its own */
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0) err(125, "/proc/self/exe");
    self[n] = '\0';
    int status = sandbox_run(self, argv[2], body, NULL);
    if (status == 77) puts("1..0 # SKIP namespaces are not allowed here");
    return status == 77 ? 0 : status;
}
