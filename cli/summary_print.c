// SPDX-License-Identifier: MIT
/* Groups of events for people. */
#include "summary.h"

#include "decide/verdict.h"
#include "event/event.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The next character of a text that jansson let in: valid UTF-8. */
static uint32_t next_character(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    uint32_t c = *p++;
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    if (more) c &= 0x3fU >> more;
    for (; more && (*p & 0xc0) == 0x80; more--) c = c << 6 | (*p++ & 0x3f);
    *text = (const char *)p;
    return c;
}

void eg_summary_put(FILE *out, const char *text, size_t limit)
{
    for (size_t i = 0; *text; i++) {
        if (i == limit) {
            fputs("[...]", out);
            return;
        }
        uint32_t c = next_character(&text);
        if (c >= ' ' && c <= '~')
            putc((int)c, out);
        else
            fprintf(out, "\\u{%" PRIx32 "}", c);
    }
}

static int by_count(const void *a, const void *b)
{
    const struct eg_summary_group *x = a, *y = b;
    if (x->times.count != y->times.count) return x->times.count < y->times.count ? 1 : -1;
    return strcmp(x->times.first, y->times.first);
}

static const char *sentence_of(const char *slug)
{
    for (int i = 0; i < EG_REASON_COUNT; i++)
        if (strcmp(eg_reason_slug((enum eg_reason)i), slug) == 0)
            return eg_reason_sentence((enum eg_reason)i);
    return "a reason that this release does not know";
}

static const char *remedy_of(const char *slug)
{
    static const struct {
        const char *slug, *text;
    } remedies[] = {
#define M(reason, seen, remedy) { reason, remedy },
#include "table/remedies.def"
#undef M
    };
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (strcmp(remedies[i].slug, slug) == 0) return remedies[i].text;
    return NULL;
}

static void put_times(FILE *out, const struct eg_summary_times *times)
{
    eg_summary_put(out, times->first, EG_SUMMARY_TIME_MAX);
    if (strcmp(times->first, times->last) == 0) return;
    fputs(" to ", out);
    eg_summary_put(out, times->last, EG_SUMMARY_TIME_MAX);
}

static void put_field(FILE *out, const char *label, const char *text)
{
    if (!text || !*text) return;
    fprintf(out, "          %-8s ", label);
    eg_summary_put(out, text, 200);
    putc('\n', out);
}

static void put_group(FILE *out, const struct eg_summary_group *group)
{
    fprintf(out, "\n%8" PRIu64 "  ", group->times.count);
    const char *const head[] = { group->action, group->kind, group->reason, group->what };
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) {
        if (i) putc(' ', out);
        eg_summary_put(out, head[i], 120);
    }
    if (*group->construct) {
        fputs(" (", out);
        eg_summary_put(out, group->construct, 40);
        putc(')', out);
    }
    fprintf(out, "\n          %s\n", sentence_of(group->reason));
    put_field(out, "for", group->sample);
    if (group->script) {
        fputs("          by       ", out);
        eg_summary_put(out, group->script, 200);
        if (group->remote && *group->remote) {
            fputs(", client ", out);
            eg_summary_put(out, group->remote, 60);
        }
        fputs(group->other_scripts ? ", and others\n" : "\n", out);
    }
    put_field(out, "rule", group->rule);
    if (strcmp(group->action, "deny") == 0 || strcmp(group->action, "would-deny") == 0)
        put_field(out, "if meant", remedy_of(group->reason));
    fputs("          when     ", out);
    put_times(out, &group->times);
    putc('\n', out);
}

/* Each policy once, in the order of their groups. */
static void put_policies(struct eg_summary *summary, FILE *out)
{
    bool *done = calloc(summary->group_count, sizeof *done);
    if (!done) eg_summary_no_memory();
    for (size_t i = 0; i < summary->group_count; i++) {
        if (done[i]) continue;
        fputs("\npolicy ", out);
        eg_summary_put(out, summary->groups[i].policy, 80);
        putc('\n', out);
        for (size_t k = i; k < summary->group_count; k++) {
            if (done[k] || strcmp(summary->groups[k].policy, summary->groups[i].policy) != 0)
                continue;
            put_group(out, &summary->groups[k]);
            done[k] = true;
        }
    }
    free(done);
}

void eg_summary_print(struct eg_summary *summary, FILE *out)
{
    /* the index is not needed any more */
    qsort(summary->groups, summary->group_count, sizeof summary->groups[0], by_count);
    fprintf(out, "%" PRIu64 " events", summary->times.count);
    if (*summary->times.first) {
        fputs(", ", out);
        put_times(out, &summary->times);
    }
    putc('\n', out);
    put_policies(summary, out);
    if (summary->foreign) fprintf(out, "\n%" PRIu64 " lines are no events\n", summary->foreign);
    if (summary->left_out)
        fprintf(out, "\n%" PRIu64 " events are of kinds too many to keep apart\n",
                summary->left_out);
}
