// SPDX-License-Identifier: MIT
/* What a policy really promises: aspect by aspect and way of attaching by way
 * of attaching, which layers hold and whom they stop. */
#ifndef EG_CLI_ASSURANCE_H
#define EG_CLI_ASSURANCE_H

#include "cli.h"
#include "probe.h"

enum eg_attach { EG_ATTACH_PRELOAD = 0, EG_ATTACH_EXEC, EG_ATTACH_RUN, EG_ATTACH_OCI };
#define EG_ATTACH_COUNT 4

enum eg_aspect {
#define A(id, wants) EG_ASPECT_##id,
#include "table/assurance.def"
    EG_ASPECT_COUNT
};

/* The policy and the machine that it is looked at on. */
struct eg_cli_ground {
    const struct eg_blob *blob;
    struct eg_cli_machine machine;
    bool loader_may_run;     /* the exec set holds an ELF interpreter */
    uint32_t shell_may_run;  /* program in the exec set that is a shell or holds one; EG_NONE */
    uint32_t shell_needs_it; /* program whose interpreter that shell is; EG_NONE: a rule names it */
};

enum eg_hold {
    EG_HOLD_NO = 0,
    EG_HOLD_PARTLY, /* while the attacker calls through libc */
    EG_HOLD_YES,
};

/* One cell of the table.  In log mode layers are those that observe, and
 * nobody is stopped. */
struct eg_cli_cell {
    uint32_t layers; /* bits 1 << enum eg_layer */
    enum eg_hold injector, script, native;
};

void eg_cli_survey(const struct eg_blob *blob, struct eg_cli_ground *ret);
struct eg_cli_cell eg_cli_assure(const struct eg_cli_ground *ground, enum eg_aspect aspect,
                                 enum eg_attach attach);

const char *eg_cli_aspect_wants(enum eg_aspect aspect);
/* "preload", "exec", "run", "oci" */
const char *eg_cli_attach_name(enum eg_attach attach);
/* Can this release attach that way? */
bool eg_cli_attach_built(enum eg_attach attach);

/* The aspect that a refusal belongs to; false when no layer is concerned. */
bool eg_cli_refusal_aspect(const struct eg_blob *blob, const struct eg_decision *decision,
                           enum eg_aspect *ret);

/* For each way of attaching, what holds a refusal of this aspect (stdout). */
void eg_cli_print_layers(const struct eg_cli_ground *ground, enum eg_aspect aspect);

/* explain_write.c: say what the policy answers to a change of the file tree
 * (stdout); the exit status. */
struct eg_cli_write_question {
    const char *what;
    const char *cwd;  /* NULL: this one */
    const char *mode; /* octal; NULL: what is usual */
    bool json;
    int argc;
    char **argv; /* the path; of rename, link and symlink the old one or the text before it */
};
int eg_cli_explain_write(const struct eg_cli_verb *verb, const struct eg_blob *blob,
                         const struct eg_cli_write_question *q);

/* Is this program in the set that the domain lets run? */
bool eg_cli_in_exec_set(const struct eg_blob *blob, uint32_t program);

/* "shim+domain" or "-", NUL-terminated into buf; returns buf. */
#define EG_CELL_TEXT 64
const char *eg_cli_layers_text(uint32_t layers, char buf[EG_CELL_TEXT]);
/* "I s -" */
const char *eg_cli_stops_text(const struct eg_cli_cell *cell, char buf[EG_CELL_TEXT]);

#endif
