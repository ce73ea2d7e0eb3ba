// SPDX-License-Identifier: MIT
/* Verdicts asked for from outside a worker: by `explain' and by programs that link
 * the library.  Words are expanded and programs found here as the shim does it; the
 * answer comes from the same function. */
#ifndef EG_API_JUDGE_H
#define EG_API_JUDGE_H

#include "decide/decide.h"
#include "resolve/resolve.h"

/* PATH, or what execvp(3) takes where there is none. */
struct eg_str eg_api_search_path(void);

/* Finds what a wrapped command (`env', `nice' ...) names by that PATH, and what runs
 * a script.  What it finds lies in `memory' until the next question. */
struct eg_api_search {
    char spelled[EG_PATH_MAX];
    char path[EG_PATH_MAX];
    struct eg_script_memory script;
};
struct eg_lookup eg_api_lookup(struct eg_api_search *memory);

/* A decision about a shell becomes one about its command line, where the policy
 * has lines run without their shell; *ret_line is then the line.  decision->inner
 * stays allocated.  Uses PATH and the working directory of this process. */
void eg_api_judge_line(const struct eg_blob *blob, const struct eg_exec_request *request,
                       struct eg_str *ret_line, struct eg_decision *decision);

#endif
