// SPDX-License-Identifier: MIT
/* Purpose: collect refusals, and write them as JUnit XML. */
#include "supervisor/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct report_case {
    char *test; /* who did it: the test's own word, or the asking command line */
    char *name; /* what was refused */
    char *text; /* the event, readable */
    const char *reason;
    const char *sentence;
    const char *kind;
    uint64_t times;
};

struct eg_report {
    FILE *out;
    char *policy;
    struct report_case *cases;
    size_t count;
    uint64_t refused, left_out;
    time_t start;
    bool failed, finished;
};

int eg_report_new(const char *path, const char *policy, struct eg_report **ret)
{
    struct eg_report *report = calloc(1, sizeof *report);
    if (!report) return -ENOMEM;
    report->start = time(NULL);
    report->policy = strdup(policy);
    report->cases = calloc(EG_REPORT_CASES, sizeof *report->cases);
    report->out = report->policy && report->cases ? fopen(path, "we") : NULL;
    if (!report->out) {
        int error = report->policy && report->cases ? -errno : -ENOMEM;
        eg_report_free(report);
        return error;
    }
    *ret = report;
    return 0;
}

void eg_report_free(struct eg_report *report)
{
    if (!report) return;
    for (size_t i = 0; i < report->count; i++) {
        free(report->cases[i].test);
        free(report->cases[i].name);
        free(report->cases[i].text);
    }
    free(report->cases);
    free(report->policy);
    if (report->out) fclose(report->out);
    free(report);
}

static char *copy(struct eg_str s)
{
    return s.n ? strndup(s.p, s.n) : strdup("");
}

/* The command as it was asked for, or the file that it was about. */
static char *name_of(const struct eg_event *event)
{
    char *text = NULL;
    size_t size = 0;
    if (event->has_line) return copy(event->line);
    if (!event->has_argv || !event->argc)
        return copy(event->path.n ? event->path : event->program.n ? event->program : event->call);
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    fprintf(out, "%.*s", (int)event->program.n, event->program.n ? event->program.p : "");
    for (size_t i = 1; i < event->argc && i < 64; i++) fprintf(out, " %.256s", event->argv[i]);
    return fclose(out) == 0 ? text : NULL;
}

static bool is_same(const struct report_case *a, const struct report_case *b)
{
    return a->reason == b->reason && strcmp(a->name, b->name) == 0 && strcmp(a->test, b->test) == 0;
}

static bool make_case(const struct eg_event *event, struct report_case *ret)
{
    char line[EG_EVENT_MAX];
    size_t n = eg_event_readable(event, line);
    *ret = (struct report_case){
        .test = copy(event->test.n ? event->test : event->command),
        .name = name_of(event),
        .text = strndup(line, n),
        .reason = eg_reason_slug(event->reason),
        .sentence = eg_reason_sentence(event->reason),
        .kind = eg_event_kind_name(event->kind),
        .times = 1,
    };
    return ret->test && ret->name && ret->text;
}

void eg_report_add(struct eg_report *report, const struct eg_event *event)
{
    struct report_case made;
    size_t i = 0;
    if (event->action != EG_ACTION_DENY && event->action != EG_ACTION_WOULD_DENY) return;
    report->refused++;
    bool good = make_case(event, &made);
    while (good && i < report->count && !is_same(&report->cases[i], &made)) i++;
    if (good && i == report->count && i < EG_REPORT_CASES) {
        report->cases[report->count++] = made;
        return;
    }
    if (!good)
        report->failed = true;
    else if (i < report->count)
        report->cases[i].times++;
    else
        report->left_out++;
    free(made.test);
    free(made.name);
    free(made.text);
}

/* XML 1.0 has no place for most control characters, not even escaped. */
static void put(FILE *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '<' || *p == '>' || *p == '&' || *p == '"' || *p >= 0x80)
            fprintf(out, "&#%u;", *p);
        else
            putc(*p >= 0x20 || *p == '\n' || *p == '\t' ? *p : '?', out);
    }
}

/* In an attribute a newline would be read as a blank. */
static void put_attribute(FILE *out, const char *name, const char *text)
{
    fprintf(out, " %s=\"", name);
    put(out, text);
    putc('"', out);
}

static void write_case(const struct eg_report *report, const struct report_case *c)
{
    FILE *out = report->out;
    char kind[64];
    snprintf(kind, sizeof kind, "execguard.%s", c->kind);
    fputs("    <testcase", out);
    put_attribute(out, "classname", *c->test ? c->test : kind);
    put_attribute(out, "name", c->name);
    fputs(">\n      <failure", out);
    put_attribute(out, "type", c->reason);
    put_attribute(out, "message", c->sentence);
    fputs(">", out);
    put(out, c->text);
    if (c->times > 1) fprintf(out, "%llu times\n", (unsigned long long)c->times);
    fputs("</failure>\n    </testcase>\n", out);
}

static void write_problem(FILE *out, const char *message)
{
    fputs("    <testcase classname=\"execguard\" name=\"report\">\n      <error", out);
    put_attribute(out, "message", message);
    fputs("/>\n    </testcase>\n", out);
}

int eg_report_finish(struct eg_report *report, bool complete)
{
    if (!report || report->finished) return 0;
    FILE *out = report->out;
    char started[32];
    struct tm tm;
    bool whole = complete && !report->failed;
    bool passed = whole && !report->count;
    report->finished = true;
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%S", gmtime_r(&report->start, &tm));
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite", out);
    put_attribute(out, "name", "execguard");
    put_attribute(out, "package", report->policy);
    put_attribute(out, "timestamp", started);
    fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%d\" skipped=\"0\" time=\"%lld\">\n",
            report->count + passed + !whole + (report->left_out != 0),
            report->count + (report->left_out != 0), !whole,
            (long long)(time(NULL) - report->start));
    for (size_t i = 0; i < report->count; i++) write_case(report, &report->cases[i]);
    if (report->left_out)
        fprintf(out,
                "    <testcase classname=\"execguard\" name=\"further refusals\">\n"
                "      <failure message=\"%llu more, of other calls\"/>\n    </testcase>\n",
                (unsigned long long)report->left_out);
    if (!complete) write_problem(out, "there was no supervisor: not every refusal was seen");
    if (report->failed) write_problem(out, "memory ran out: some refusals are missing");
    if (passed)
        fputs("    <testcase classname=\"execguard\" name=\"no call was refused\"/>\n", out);
    fputs("  </testsuite>\n</testsuites>\n", out);
    int error = ferror(out) ? -EIO : 0;
    if (fclose(out) != 0 && !error) error = -errno;
    report->out = NULL;
    return error ? error : report->failed ? -ENOMEM : complete ? 0 : -ENODATA;
}
