// SPDX-License-Identifier: MIT
/* What `report' keeps of event files: groups of like events for people, distinct
 * calls for suggested rules.  Bounded: what is over a limit is counted, not kept. */
#ifndef EG_CLI_SUMMARY_H
#define EG_CLI_SUMMARY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    EG_SUMMARY_LINE_MAX = 1 << 16, /* bytes of a line; an event has 4 KiB at most */
    EG_SUMMARY_GROUPS_MAX = 1 << 12,
    EG_SUMMARY_CALLS_MAX = 1 << 13,
    EG_SUMMARY_BYTES_MAX = 64 << 20, /* of all texts that are kept */
    EG_SUMMARY_TIME_MAX = 40,
};

/* How often and when. */
struct eg_summary_times {
    uint64_t count;
    char first[EG_SUMMARY_TIME_MAX], last[EG_SUMMARY_TIME_MAX];
};

/* Events that differ in nothing that decides. */
struct eg_summary_group {
    struct eg_summary_times times;
    const char *policy, *action, *kind, *reason, *rule;
    const char *what; /* the program, the file's folder or the variable */
    const char *construct;
    const char *sample; /* the first one's line, arguments or path */
    const char *script; /* the first one's request; NULL: none */
    const char *remote;
    bool other_scripts; /* further ones asked for it */
};

/* A refused call; all texts are as the events have them, hostile bytes included. */
struct eg_summary_call {
    struct eg_summary_times times;
    const char *policy;
    const char *program; /* canonical path; of a shell where `line' is set */
    const char *line;    /* NULL: none */
    const char **argv;
    size_t argc;
    const char *script;
    bool whole; /* the event left nothing out */
};

struct eg_summary {
    const char *only_policy; /* NULL: all */
    struct eg_summary_times times;
    uint64_t foreign;        /* lines that are no events */
    uint64_t left_out;       /* events over a limit */
    uint64_t calls_left_out; /* the same of calls */
    struct eg_summary_group groups[EG_SUMMARY_GROUPS_MAX];
    size_t group_count;
    struct eg_summary_call calls[EG_SUMMARY_CALLS_MAX];
    size_t call_count;
    json_t *group_index, *call_index; /* from what makes them one to their number */
    size_t bytes;
};

/* Says so and ends this process with 125. */
_Noreturn void eg_summary_no_memory(void);

struct eg_summary *eg_summary_new(const char *only_policy);
void eg_summary_free(struct eg_summary *summary);
/* All lines of a file.  0 or -errno. */
int eg_summary_read(struct eg_summary *summary, FILE *in);

/* The texts one after the other, each with its length before it, so that none can pass
 * for two.  malloc'ed. */
char *eg_summary_key(const char *const *texts, size_t count, size_t *ret_n);
/* Add to how often and when; `time' may be empty. */
void eg_summary_count(struct eg_summary_times *times, uint64_t count, const char *time);

/* A text of an event where a terminal or a policy will read it: what is not
 * printable ASCII becomes \u{HEX}.  At most `limit' characters are shown. */
void eg_summary_put(FILE *out, const char *text, size_t limit);

void eg_summary_print(struct eg_summary *summary, FILE *out);
/* The rules that would allow what was refused, as a policy's text. */
void eg_summary_print_rules(const struct eg_summary *summary, FILE *out);

#endif
