// SPDX-License-Identifier: MIT
/* Loads a policy and renders its diagnostics to stdout: what the diagnostic
 * tests compare byte by byte.
 *
 *   render FILE          diagnostics; status 1 when there are errors
 *   render --print FILE  the canonical text instead when there are none
 *   render --owner FILE  with the rules on owners, as the user who runs it
 *   render --search DIR NAME  look NAME up in DIR
 *   render --memory FILE  the same text from memory
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/policy.h"

/* All of a file, or an exit. */
static char *read_all(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    size_t n = 0;
    size_t capacity = 1 << 16;
    char *text = malloc(capacity);
    while (file && text) {
        size_t got = fread(text + n, 1, capacity - n, file);
        n += got;
        if (got == 0) break;
        if (n == capacity) text = realloc(text, capacity *= 2);
    }
    if (!file || !text) exit(2);
    fclose(file);
    *ret_size = n;
    return text;
}

int main(int argc, char **argv)
{
    struct eg_policy_options options = { .guard_uid = geteuid() };
    bool print = false;
    bool memory = false;
    const char *name = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--print") == 0)
            print = true;
        else if (strcmp(argv[i], "--owner") == 0)
            options.check_owner = true;
        else if (strcmp(argv[i], "--memory") == 0)
            memory = true;
        else if (strcmp(argv[i], "--search") == 0 && i + 1 < argc)
            options.search[0] = argv[++i];
        else
            name = argv[i];
    }
    if (!name) {
        fprintf(stderr, "usage: render [--print] [--owner] [--memory] [--search DIR] FILE\n");
        return 2;
    }
    struct eg_diagnostics diagnostics = { 0 };
    struct eg_policy *policy = NULL;
    int r;
    if (memory) {
        size_t size;
        char *text = read_all(name, &size);
        r = eg_policy_parse(name, (struct eg_str){ text, size }, &options, &diagnostics, &policy);
        free(text);
    } else {
        r = eg_policy_load(name, &options, &diagnostics, &policy);
    }
    if (r < 0 && r != -EINVAL) {
        fprintf(stderr, "render: %s\n", strerror(-r));
        return 2;
    }
    if ((r < 0) != (diagnostics.errors > 0)) {
        fprintf(stderr, "render: %d, but %zu errors\n", r, diagnostics.errors);
        return 2;
    }
    eg_diagnostics_render(&diagnostics, policy, stdout);
    if (print && r == 0) {
        char *text = eg_policy_print(policy);
        if (!text) return 2;
        fputs(text, stdout);
        free(text);
    }
    eg_policy_free(policy);
    eg_diagnostics_free(&diagnostics);
    return r < 0 ? 1 : 0;
}
