// SPDX-License-Identifier: MIT
/* Any bytes as a policy: no crash, errors exactly when refused, spans inside the
 * text, and what is accepted prints, parses and prints to the same text. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "policy_fuzz: %s\n", what);
    abort();
}

static void check_spans(const struct eg_diagnostics *d, struct eg_str text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\n') lines++;
    for (size_t i = 0; i < d->count; i++) {
        struct eg_span span = d->items[i].span;
        require(d->items[i].message != NULL, "a message is there");
        require(span.line <= lines, "a span's line is in the text");
        require(span.line == 0 || (span.column >= 1 && span.column <= text.n + 1),
                "a span's column is in the text");
        require(span.length <= text.n + 1, "a span's length is in the text");
    }
}

static void render(const struct eg_diagnostics *d, const struct eg_policy *policy)
{
    char *rendered = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&rendered, &n);
    require(out != NULL, "memory");
    eg_diagnostics_render(d, policy, out);
    fclose(out);
    for (size_t i = 0; i < n; i++)
        require((unsigned char)rendered[i] >= 0x20 || rendered[i] == '\n',
                "no control character is rendered");
    free(rendered);
}

/* Parse; the canonical text when accepted (to be freed), NULL when refused. */
static char *parse(struct eg_str text, bool must_parse)
{
    struct eg_policy_options options = { 0 };
    struct eg_diagnostics d = { 0 };
    struct eg_policy *policy = NULL;
    int r = eg_policy_parse("fuzz.policy", text, &options, &d, &policy);
    require(r == 0 || r == -EINVAL, "a result is one of two");
    require((r == 0) == (d.errors == 0), "refused exactly when there are errors");
    require(policy != NULL, "the sources are there for rendering");
    check_spans(&d, text);
    render(&d, policy);
    char *printed = r == 0 ? eg_policy_print(policy) : NULL;
    if (must_parse) {
        require(r == 0, "what was printed is accepted");
        require(policy->source_count == 1, "what was printed includes nothing");
    }
    for (size_t i = 0; r == 0 && i < policy->rule_count; i++) {
        char *rule = eg_policy_print_rule(&policy->rules[i]);
        require(rule && strstr(printed, rule), "a rule is printed alone as in the whole");
        free(rule);
        if (i == 20) break;
    }
    eg_policy_free(policy);
    eg_diagnostics_free(&d);
    return printed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *first = parse((struct eg_str){ (const char *)data, size }, false);
    if (!first) return 0;
    char *second = parse(eg_str(first), true);
    require(strcmp(first, second) == 0, "print, parse, print is the identity");
    free(first);
    free(second);
    return 0;
}
