// SPDX-License-Identifier: MIT
/* `execguard scan`: what lies in upload trees already, judged as new files are. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "content/content.h"
#include "upload/scan.h"

const char eg_verb_scan_help[] =
    "usage: execguard scan -p POLICY [OPTION...]\n"
    "       execguard scan [--deny LIST] [OPTION...] TREE...\n"
    "\n"
    "Reads every file of the policy's upload trees (or of the given trees) once and\n"
    "names those that the upload rules refuse: by name, execute bits or content.\n"
    "Links are not followed; FIFOs, sockets and devices are not opened.\n"
    "\n"
    "  -p, --policy POLICY  a file (with a slash), or NAME for NAME.policy in\n"
    "                       " EG_SYSCONFDIR "/execguard, then among the installed ones;\n"
    "                       with TREEs: only what of it lies in them\n"
    "      --deny LIST      what to look for, commas between: scripts (names),\n"
    "                       executable, php, asp, elf, script, htaccess, archive,\n"
    "                       foreign; all of them otherwise\n"
    "      --quarantine     move hits into the quarantine that the policy names\n"
    "      --into FOLDER    with --quarantine: move them there\n"
    "      --json           results as JSON, one object a line\n"
    "  -j, --jobs N         threads; as many as there are processors otherwise\n"
    "\n"
    "Results go to stdout, problems and (on a terminal) progress to stderr.\n"
    "\n"
    "Exit status: 0 nothing found, 1 hits (in quarantine or not), 125 something could\n"
    "not be read and nothing was found, or the scan could not begin.\n";

struct printer {
    bool json;
    bool progress; /* a line of it stands on the terminal */
};

static void clear_progress(struct printer *p)
{
    if (p->progress) fputs("\r\033[K", stderr);
    p->progress = false;
}

/* The words of a hit: `name`, `executable`, kinds of content. */
static void each_word(const struct eg_scan_hit *hit, const char *before, const char *between,
                      const char *after)
{
    const char *words[EG_CONTENT_COUNT + 2];
    size_t count = 0;
    if (hit->name) words[count++] = "name";
    if (hit->executable) words[count++] = "executable";
    for (unsigned kind = 0; kind < EG_CONTENT_COUNT; kind++)
        if (hit->contents & EG_CONTENT_BIT(kind))
            words[count++] = eg_content_slug((enum eg_content)kind);
    for (size_t i = 0; i < count; i++)
        printf("%s%s%s%s", i ? between : "", before, words[i], after);
}

static void print_json(const struct eg_scan_hit *hit)
{
    char modified[32] = "";
    struct tm tm;
    if (gmtime_r(&hit->st.st_mtim.tv_sec, &tm))
        strftime(modified, sizeof modified, "%Y-%m-%dT%H:%M:%SZ", &tm);
    fputs("{\"path\":", stdout);
    eg_cli_json_string(stdout, eg_str(hit->path));
    fputs(",\"hits\":[", stdout);
    each_word(hit, "\"", ",", "\"");
    printf("],\"size\":%lld,\"uid\":%u,\"mode\":\"%04o\",\"modified\":\"%s\"",
           (long long)hit->st.st_size, (unsigned)hit->st.st_uid,
           (unsigned)(hit->st.st_mode & 07777), modified);
    if (*hit->digest) printf(",\"sha256\":\"%s\"", hit->digest);
    if (*hit->taken) {
        fputs(",\"quarantine\":", stdout);
        eg_cli_json_string(stdout, eg_str(hit->folder));
        printf(",\"kept_as\":\"%s\"", hit->taken);
    }
    puts("}");
}

/* Names were chosen by whoever wrote them: no escape sequences. */
static void print_harmless(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f || *p == '\\')
            printf("\\x%02x", *p);
        else
            putchar(*p);
}

static void print_hit(void *context, const struct eg_scan_hit *hit)
{
    struct printer *p = context;
    clear_progress(p);
    if (p->json) {
        print_json(hit);
        return;
    }
    print_harmless(hit->path);
    fputs(": ", stdout);
    each_word(hit, "", " ", "");
    if (*hit->taken) {
        fputs(", moved to ", stdout);
        print_harmless(hit->folder);
        printf("/%s", hit->taken);
    }
    putchar('\n');
}

static void print_problem(void *context, const char *path, const char *what, int error)
{
    clear_progress(context);
    eg_cli_warn("%s: %s: %s", path, what, strerror(error));
}

static void print_counts(const struct eg_scan_counts *counts, const char *end)
{
    fprintf(stderr,
            "%" PRIu64 " files in %" PRIu64 " folders, %" PRIu64 " MiB read, %" PRIu64
            " hits, %" PRIu64 " problems%s",
            counts->files, counts->folders, counts->bytes >> 20, counts->hits, counts->problems,
            end);
}

static void print_progress(void *context, const struct eg_scan_counts *counts)
{
    struct printer *p = context;
    clear_progress(p);
    print_counts(counts, "");
    (void)fflush(stderr);
    p->progress = true;
}

static int read_list(const struct eg_cli_verb *verb, const char *list, struct eg_scan_options *ret)
{
    for (struct eg_str left = eg_str(list); left.p;) {
        size_t n = eg_str_find(left, ',');
        struct eg_str word = { left.p, n };
        enum eg_content kind;
        if (eg_str_equal(word, EG_STR("scripts")))
            ret->names = true;
        else if (eg_str_equal(word, EG_STR("executable")))
            ret->executable = true;
        else if (eg_content_find(word, &kind))
            ret->contents |= EG_CONTENT_BIT(kind);
        else
            return eg_cli_usage(verb, "--deny: unknown word `%.*s'", (int)word.n, word.p);
        if (n == left.n) break;
        left = eg_str_skip(left, n + 1);
    }
    return -1;
}

/* -1, or an exit status. */
static int read_jobs(const struct eg_cli_verb *verb, const char *jobs, unsigned *ret)
{
    char *end;
    if (!jobs) return -1;
    unsigned long n = strtoul(jobs, &end, 10);
    if (*end || jobs[0] == '-' || n < 1 || n > 64)
        return eg_cli_usage(verb, "--jobs takes a number from 1 to 64, not `%s'", jobs);
    *ret = (unsigned)n;
    return -1;
}

static int scan(const struct eg_scan_options *options, struct printer *printer, char *const *trees,
                size_t count)
{
    struct eg_scan_counts counts = { 0 };
    int r = eg_upload_scan(options, trees, count, &counts);
    clear_progress(printer);
    if (fflush(stdout) != 0) return eg_cli_error("the results could not be written");
    if (r) return eg_cli_error("the scan could not begin: %s", strerror(-r));
    if (isatty(STDERR_FILENO)) print_counts(&counts, "\n");
    if (counts.hits) return 1;
    return counts.problems ? EG_EXIT_FAILED : EG_EXIT_OK;
}

static int scan_policy(const char *policy, struct eg_scan_options *options, struct printer *printer,
                       char *const *words, size_t word_count)
{
    struct eg_cli_loaded loaded;
    char **trees = NULL;
    size_t count = 0;
    int status = eg_cli_load_quietly(policy, &loaded);
    if (!status && !eg_blob_count(loaded.blob, EG_SECTION_UPLOADS))
        status = eg_cli_error("policy `%s' has no `uploads' block", policy);
    if (!status && word_count) {
        options->blob = loaded.blob;
        status = scan(options, printer, words, word_count);
    } else if (!status) {
        options->blob = loaded.blob;
        int r = eg_upload_trees(loaded.blob, &trees, &count);
        if (r)
            status = eg_cli_error("policy `%s': its upload trees: %s", policy, strerror(-r));
        else
            status = scan(options, printer, trees, count);
        if (!r) eg_upload_trees_free(trees, count);
    }
    eg_cli_unload(&loaded);
    return status;
}

int eg_verb_scan(const struct eg_cli_verb *verb, int argc, char **argv)
{
    const char *policy = NULL, *deny = NULL, *into = NULL, *jobs = NULL;
    struct printer printer = { 0 };
    struct eg_scan_options scan_options = { .hit = print_hit,
                                            .problem = print_problem,
                                            .context = &printer };
    char absolute[PATH_MAX];
    const struct eg_cli_option options[] = {
        { "policy", 'p', NULL, &policy },
        { "deny", 0, NULL, &deny },
        { "quarantine", 0, &scan_options.take, NULL },
        { "into", 0, NULL, &into },
        { "json", 0, &printer.json, NULL },
        { "jobs", 'j', NULL, &jobs },
        { 0 },
    };
    int count;
    char **words;
    int status = eg_cli_parse(verb, options, EG_WORDS_MIXED, argc, argv, &count, &words);
    if (status >= 0) return status;
    if (policy && deny) return eg_cli_usage(verb, "--deny is for scans without a policy");
    if (!policy && count == 0)
        return eg_cli_usage(verb, "neither a policy (-p POLICY) nor a tree is given");
    if (into && !scan_options.take) return eg_cli_usage(verb, "--into needs --quarantine");
    if (scan_options.take && !into && !policy)
        return eg_cli_usage(verb, "--quarantine without a policy needs --into FOLDER");
    if (into && !(scan_options.folder = eg_cli_absolute(into, absolute)))
        return eg_cli_error("the path of --into is too long: `%.64s...'", into);
    status = read_jobs(verb, jobs, &scan_options.threads);
    if (status >= 0) return status;
    if (isatty(STDERR_FILENO)) scan_options.progress = print_progress;
    if (policy) return scan_policy(policy, &scan_options, &printer, words, (size_t)count);
    status = deny ? read_list(verb, deny, &scan_options) : -1;
    if (status >= 0) return status;
    if (!deny) {
        scan_options.names = scan_options.executable = true;
        scan_options.contents = EG_CONTENT_ALL;
    }
    return scan(&scan_options, &printer, words, (size_t)count);
}
