// SPDX-License-Identifier: MIT
/* `execguard compile`: writes what LD_PRELOAD and EXECGUARD_POLICY need. */
#include "cli.h"

#include "compile/cache.h"

#include <stdlib.h>
#include <string.h>

const char eg_verb_compile_help[] =
    "usage: execguard compile -p POLICY (-o FILE | --cache) [--events FILE]\n"
    "\n"
    "Compiles a policy into FILE, for workers that are guarded by\n"
    "LD_PRELOAD=libexecguard-preload.so EXECGUARD_POLICY=FILE.  Compile again after a\n"
    "named program or the C library was replaced (a package upgrade).  With --cache\n"
    "it compiles into the cache, where `exec' and `run' of this user look, so that the\n"
    "next start finds it there.\n"
    "\n"
    "  -p, --policy POLICY  a file (with a slash), or NAME for NAME.policy in\n"
    "                       " EG_SYSCONFDIR "/execguard, then among the installed ones\n"
    "  -o, --output FILE    what to write; keep it root's, out of the worker's reach\n"
    "      --cache          compile into the cache, unless it is there already\n"
    "      --events FILE    append events to FILE as JSON lines instead of where the\n"
    "                       policy's log block says\n"
    "\n"
    "Exit status: 0, or 125 when the policy has errors or FILE cannot be written.\n";

/* As `run' loads it, so that `run' finds it. */
static int fill_cache(const char *policy, const char *events)
{
    struct eg_cached cached;
    int status = eg_cli_load_supervised(policy, events, &cached);
    eg_cached_free(&cached);
    return status;
}

int eg_verb_compile(const struct eg_cli_verb *verb, int argc, char **argv)
{
    const char *policy = NULL;
    const char *output = NULL;
    const char *events = NULL;
    bool cache = false;
    const struct eg_cli_option options[] = {
        { "policy", 'p', NULL, &policy },
        { "output", 'o', NULL, &output },
        { "cache", 0, &cache, NULL },
        { "events", 0, NULL, &events },
        { 0 },
    };
    int status = eg_cli_parse_options(verb, options, argc, argv);
    if (status >= 0) return status;
    if (!policy) return eg_cli_usage(verb, "no policy given (-p POLICY)");
    if (!output && !cache) return eg_cli_usage(verb, "no output file given (-o FILE)");
    if (output && cache) return eg_cli_usage(verb, "-o and --cache are two places: give one");
    if (cache) return fill_cache(policy, events);

    /* The cache is one of the guard's files.  Made now as `run' would make it, so that
     * both compile the same: a worker of `run' may attach its children by our file. */
    int no_cache;
    free(eg_cache_folder(true, &no_cache));

    struct eg_cli_loaded loaded;
    status = eg_cli_load(policy, events, &loaded);
    if (!status) {
        int r = eg_blob_write(loaded.blob, output);
        if (r < 0) status = eg_cli_error("%s: cannot be written: %s", output, strerror(-r));
    }
    eg_cli_unload(&loaded);
    return status;
}
