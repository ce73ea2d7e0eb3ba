// SPDX-License-Identifier: MIT
/* `execguard watch`: applies the upload rules of policies to every program. */
#include "cli.h"

#include "upload/watch.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char eg_verb_watch_help[] =
    "usage: execguard watch [-p POLICY]... [OPTION...]\n"
    "\n"
    "Applies the `uploads' blocks of policies to every program of this machine, guarded\n"
    "or not: refused names and contents go to the quarantine (without one they are\n"
    "locked: owned by root, mode 0000), execute bits are taken off, and no program opens\n"
    "a file of an upload tree before it was judged.  Needs root and Linux 5.9.  Stays in\n"
    "the foreground; tells systemd when it is ready.\n"
    "\n"
    "  -p, --policy POLICY   may be given several times; without it, every policy in\n"
    "                        " EG_SYSCONFDIR "/execguard that has an `uploads' block\n"
    "      --events FILE     write events as JSON lines to FILE, not where the policies say\n"
    "      --deadline SEC    what cannot be read within SEC seconds is not opened (10)\n"
    "      --filesystem      judge opens by a mark on the whole file system: folders that\n"
    "                        appear in a tree are never behind, other opens cost more\n"
    "\n"
    "SIGHUP: the policies are loaded anew; the old ones hold until then, and if they\n"
    "have errors.  SIGTERM: end.\n"
    "Exit status: 0 ended by a signal, 125 it could not start.\n";

struct watching {
    const char *events;
    char *const *names; /* NULL-terminated */
};

static bool has_uploads(const struct eg_blob *blob)
{
    return blob && eg_blob_count(blob, EG_SECTION_UPLOADS) > 0;
}

struct blobs {
    struct eg_blob **rows;
    size_t count;
};

static int add_policy(const struct watching *watching, const char *name, bool named,
                      struct blobs *blobs)
{
    struct eg_cli_loaded loaded;
    int status = eg_cli_load(name, watching->events, &loaded);
    if (status) return status;
    if (!has_uploads(loaded.blob)) {
        if (named) eg_cli_warn("policy `%s' has no `uploads' block", name);
        eg_cli_unload(&loaded);
        return 0;
    }
    struct eg_blob **rows = reallocarray(blobs->rows, blobs->count + 1, sizeof(struct eg_blob *));
    if (!rows) return eg_cli_error("%s", strerror(ENOMEM));
    blobs->rows = rows;
    blobs->rows[blobs->count++] = loaded.blob;
    loaded.blob = NULL;
    eg_cli_unload(&loaded);
    return 0;
}

static int add_all(const struct watching *watching, struct blobs *blobs)
{
    static const char folder[] = EG_SYSCONFDIR "/execguard";
    DIR *list = opendir(folder);
    if (!list) return eg_cli_error("%s: %s", folder, strerror(errno));
    int status = 0;
    for (const struct dirent *row; !status && (row = readdir(list));) {
        char path[PATH_MAX];
        size_t n = strlen(row->d_name);
        if (n < 8 || strcmp(row->d_name + n - 7, ".policy") != 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, row->d_name);
        status = add_policy(watching, path, false, blobs);
    }
    closedir(list);
    return status;
}

static int load(void *context, struct eg_blob ***ret_blobs, size_t *ret_count)
{
    const struct watching *watching = context;
    struct blobs blobs = { NULL, 0 };
    int status = 0;
    if (!*watching->names) status = add_all(watching, &blobs);
    for (char *const *name = watching->names; *name && !status; name++)
        status = add_policy(watching, *name, true, &blobs);
    if (!status && !blobs.count)
        status = eg_cli_error("there is nothing to watch: no policy has an `uploads' block");
    if (status) return status;
    *ret_blobs = blobs.rows;
    *ret_count = blobs.count;
    return 0;
}

/* -p may stand several times, which options do not: its values become words. */
static void take_policies(int *argc, char **argv)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        char *word = argv[i];
        bool bare = strcmp(word, "-p") == 0 || strcmp(word, "--policy") == 0;
        if (bare && i + 1 < *argc && argv[i + 1][0]) continue;
        if (!bare && strncmp(word, "-p", 2) == 0) word += 2;
        if (strncmp(word, "--policy=", 9) == 0 && word[9]) word += 9;
        argv[kept++] = word;
    }
    argv[kept] = NULL;
    *argc = kept;
}

static int read_deadline(const struct eg_cli_verb *verb, const char *text, unsigned *ret_ms)
{
    char *end;
    if (!text) return 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || text[0] == '-' || value < 1 || value > 3600)
        return eg_cli_usage(verb, "--deadline takes seconds from 1 to 3600, not `%s'", text);
    *ret_ms = (unsigned)value * 1000;
    return 0;
}

int eg_verb_watch(const struct eg_cli_verb *verb, int argc, char **argv)
{
    struct watching watching = { 0 };
    struct eg_watch_options watch = { .load = load, .context = &watching, .deadline_ms = 10000 };
    const char *deadline = NULL, *policy = NULL;
    const struct eg_cli_option options[] = {
        { "policy", 'p', NULL, &policy },
        { "events", 0, NULL, &watching.events },
        { "deadline", 0, NULL, &deadline },
        { "filesystem", 0, &watch.filesystem, NULL },
        { 0 },
    };
    char events[PATH_MAX];
    take_policies(&argc, argv);
    int status = eg_cli_parse(verb, options, EG_WORDS_MIXED, argc, argv, &argc, &argv);
    if (status >= 0) return status;
    status = read_deadline(verb, deadline, &watch.deadline_ms);
    if (status) return status;
    watching.names = argv;
    if (watching.events) {
        watching.events = eg_cli_absolute(watching.events, events);
        if (!watching.events) return eg_cli_error("the path of --events is too long");
    }
    if (geteuid() != 0) return eg_cli_error("watch needs root: fanotify(7), permission events");
    return eg_watch_run(&watch);
}
