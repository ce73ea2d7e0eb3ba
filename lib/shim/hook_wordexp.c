// SPDX-License-Identifier: MIT
/* wordexp(3).
 *
 * glibc expands by itself and starts a shell for command substitution only, so
 * the words are first expanded with WRDE_NOCMD; where that meets a
 * substitution, the shell is judged, and the real call follows only with an
 * environment in which nothing would have to be put right (libc gives the
 * shell the program's own).
 *
 * musl starts /bin/sh for all words, with or without WRDE_NOCMD: each call is
 * judged as that shell.  Refused, it returns WRDE_CMDSUB where the words hold
 * a substitution and WRDE_NOSPACE ("could not be run") where they do not. */
#include <linux/errno.h>

#include "shim/hooks.h"

/* wordexp.h; the same values in both libcs. */
#define WRDE_NOCMD   4
#define WRDE_NOSPACE 1
#define WRDE_CMDSUB  4

typedef int wordexp_function(const char *words, void *result, int flags);

static bool has_substitution(const char *words)
{
    for (const char *c = words; *c; c++)
        if (*c == '`' || (c[0] == '$' && c[1] == '(')) return true;
    return false;
}

static __attribute__((noinline)) int judge_shell(const struct eg_call *call, const char *words)
{
    struct eg_image image;
    return eg_image_shell(&image, call, words, EG_ENVIRON);
}

/* libc's shell will get the environment as it is: is it right? */
static __attribute__((noinline)) int judge_environment(const struct eg_call *call)
{
    static const struct eg_target nobody;
    struct eg_environment environment;
    int r = eg_environment_make(EG_ENVIRON, &nobody, &environment);
    if (r == 0 && environment.dropped) {
        struct eg_str entry = eg_str(environment.dropped);
        entry.n = eg_str_find(entry, '=');
        r = eg_shim_refuse(call, EG_KIND_ENV, EG_REASON_LOADER_VARIABLE, EG_STR("/bin/sh"),
                           (struct eg_str){ NULL, 0 }, entry);
    } else if (r == 0 && environment.envp != EG_ENVIRON &&
               !(eg_shim.blob->flags & EG_BLOB_LOG_MODE)) {
        r = eg_shim_refuse(call, EG_KIND_ENV, EG_REASON_LOADER_VARIABLE, EG_STR("/bin/sh"),
                           (struct eg_str){ NULL, 0 }, EG_STR("LD_PRELOAD"));
    }
    eg_environment_done(&environment);
    return r;
}

int wordexp(const char *words, void *result, int flags)
{
    struct eg_call call = {
        .name = "wordexp", .has_line = true, .line = eg_str(words), .keeps_shell = true
    };
    wordexp_function *next = (wordexp_function *)eg_next_find(EG_NEXT_wordexp);
    enum eg_phase phase = eg_shim_enter();
    if (!next || phase == EG_PHASE_STARTING) return WRDE_NOSPACE;
    if (phase == EG_PHASE_INERT || !words) return next(words, result, flags);
    if (EG_GLIBC) {
        int r = next(words, result, flags | WRDE_NOCMD);
        if (r != WRDE_CMDSUB || (flags & WRDE_NOCMD)) return r;
    }
    int saved = *__errno_location();
    int r = judge_shell(&call, words);
    if (r == 0) r = judge_environment(&call);
    *__errno_location() = saved;
    if (r == 0) return next(words, result, flags);
    return has_substitution(words) ? WRDE_CMDSUB : WRDE_NOSPACE;
}
