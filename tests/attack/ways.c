// SPDX-License-Identifier: MIT
/* Ways into a shell.  `ways WAY MARK DIR` tries one way to make a shell run
 * `echo in > MARK`; unguarded each of them succeeds, so that the suite can
 * fail.  DIR is a writable folder for what a way plants.  The exit status says
 * nothing: only the mark counts.  `ways --list` names them all.
 *
 * Built for glibc, for musl and statically; ways that a libc lacks are compiled
 * out and the list shows it.
 */
#include "ways.h"

const char *mark;
const char *folder;
char command[4200];
char perl_code[4300];
char *shell_argv[] = { "sh", "-c", command, NULL };

char *in_folder(const char *name)
{
    static char paths[4][4200];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
}

void copy_file(const char *from, const char *to, mode_t mode)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    struct stat st;
    if (in < 0 || out < 0 || fstat(in, &st) < 0) return;
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = sendfile(out, in, NULL, (size_t)left);
        if (n <= 0) break;
        left -= n;
    }
    fchmod(out, mode);
    close(in);
    close(out);
}

static const struct {
    const char *name;
    void (*run)(void);
} ways[] = {
#define WAY(name) { #name, way_##name },
#include "ways.def"
#undef WAY
};

int main(int argc, char **argv)
{
    size_t count = sizeof ways / sizeof ways[0];
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; i++) puts(ways[i].name);
        return 0;
    }
    if (argc != 4) {
        fprintf(stderr, "usage: ways WAY MARK DIR | ways --list\n");
        return 2;
    }
    mark = argv[2];
    signal(SIGPIPE, SIG_IGN); /* a refused shell reads nothing */
    folder = argv[3];
    snprintf(command, sizeof command, "echo in > %s", mark);
    snprintf(perl_code, sizeof perl_code, "open F,'>','%s';print F 'in'", mark);
    for (size_t i = 0; i < count; i++)
        if (strcmp(ways[i].name, argv[1]) == 0) {
            ways[i].run();
            return 0;
        }
    fprintf(stderr, "ways: no such way: %s\n", argv[1]);
    return 2;
}
