// SPDX-License-Identifier: MIT
#include "own.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* The escape behind a backslash at `*p`; false for `\c`, which ends all. */
static bool put_escape(FILE *out, const char **p)
{
    static const char letters[] = "\\abefnrtv";
    static const char values[] = "\\\a\b\033\f\n\r\t\v";
    const char *known = **p ? strchr(letters, **p) : NULL;
    unsigned value = 0;
    if (**p == 'c') return false;
    if (known) {
        fputc(values[known - letters], out);
        (*p)++;
    } else if (is_octal(**p)) {
        if (**p == '0') (*p)++; /* \0ooo and \ooo */
        for (int i = 0; i < 3 && is_octal(**p); i++) value = value * 8 + (unsigned)(*(*p)++ - '0');
        fputc((int)(value & 0xff), out);
    } else {
        fputc('\\', out);
    }
    return true;
}

static void echo(FILE *out, const char *const *argv)
{
    bool newline = !argv[1] || strcmp(argv[1], "-n") != 0;
    for (const char *const *word = argv + (newline ? 1 : 2); *word; word++) {
        const char *p = *word;
        while (*p) {
            if (*p != '\\')
                fputc(*p++, out);
            else if (p++, !put_escape(out, &p))
                return;
        }
        if (word[1]) fputc(' ', out);
    }
    if (newline) fputc('\n', out);
}

/* The format once; the argument after the last one that it took. */
static const char *const *print_once(FILE *out, const char *format, const char *const *word)
{
    for (const char *p = format; *p; p++) {
        if (*p == '\\') {
            p++;
            fputc(*p == 'n' ? '\n' : *p == 't' ? '\t' : '\\', out);
        } else if (*p != '%') {
            fputc(*p, out);
        } else if (*++p == '%') {
            fputc('%', out);
        } else if (*word) {
            fputs(*word++, out);
        }
    }
    return word;
}

static void print(FILE *out, const char *const *argv)
{
    const char *const *word = argv + 2;
    const char *const *before;
    do {
        before = word;
        word = print_once(out, argv[1], word);
    } while (word != before && *word);
}

static int signal_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {
        { "ALRM", SIGALRM }, { "CHLD", SIGCHLD }, { "CONT", SIGCONT }, { "HUP", SIGHUP },
        { "INT", SIGINT },   { "KILL", SIGKILL }, { "QUIT", SIGQUIT }, { "STOP", SIGSTOP },
        { "TERM", SIGTERM }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
    };
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (!strcmp(name, signals[i].name)) return signals[i].number;
    return (int)strtol(name, NULL, 10);
}

static int send_signals(const char *const *argv, const char *zero)
{
    int signal = SIGTERM;
    int ret = 0;
    const char *const *word = argv + 1;
    if (!strcmp(word[0], "-s")) {
        signal = signal_number(word[1]);
        word += 2;
    } else if (word[0][0] == '-') {
        signal = signal_number(*word++ + 1);
    }
    for (; *word; word++) {
        if (kill((pid_t)strtol(*word, NULL, 10), signal) == 0) continue;
        dprintf(STDERR_FILENO, "%s: 1: kill: %s\n\n", zero, strerror(errno));
        ret = 1;
    }
    return ret;
}

static bool write_all(const char *bytes, size_t n)
{
    while (n) {
        ssize_t written = write(STDOUT_FILENO, bytes, n);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes += written;
        n -= (size_t)written;
    }
    return true;
}

int own_run(const char *const *argv, const char *zero, const char *directory)
{
    char *bytes = NULL;
    size_t n = 0;
    FILE *out;
    if (!strcmp(argv[0], "kill")) return send_signals(argv, zero);
    out = open_memstream(&bytes, &n);
    if (!out) return 2;
    if (!strcmp(argv[0], "echo"))
        echo(out, argv);
    else if (!strcmp(argv[0], "printf"))
        print(out, argv);
    else
        fprintf(out, "%s\n", directory ? directory : "");
    if (fclose(out) == 0 && write_all(bytes, n)) return 0;
    dprintf(STDERR_FILENO, "%s: 1: %s: %s: I/O error\n", zero, argv[0], argv[0]);
    return 1;
}
