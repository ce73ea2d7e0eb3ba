// SPDX-License-Identifier: MIT
/* Reads the assurance table against one policy and one machine.  Takes rows
 * away where the policy or the kernel does; never adds one. */
#include "assurance.h"

#include "base/buf.h"

#include <string.h>

#define PRELOAD (1u << EG_ATTACH_PRELOAD)
#define EXEC    (1u << EG_ATTACH_EXEC)
#define RUN     (1u << EG_ATTACH_RUN)
#define OCI     (1u << EG_ATTACH_OCI)

static const struct row {
    enum eg_aspect aspect;
    unsigned modes;
    enum eg_layer layer;
    const char *stops;
    int abi;
} rows[] = {
#define R(id, modes, layer, stops, abi) { EG_ASPECT_##id, modes, EG_LAYER_##layer, stops, abi },
#include "table/assurance.def"
};

static const char *const wants[EG_ASPECT_COUNT] = {
#define A(id, text) [EG_ASPECT_##id] = text,
#include "table/assurance.def"
};

static const struct {
    enum eg_reason reason;
    enum eg_aspect aspect;
} refusals[] = {
#define Q(reason, id) { EG_REASON_##reason, EG_ASPECT_##id },
#include "table/assurance.def"
};

const char *eg_cli_aspect_wants(enum eg_aspect aspect)
{
    return wants[aspect];
}

const char *eg_cli_attach_name(enum eg_attach attach)
{
    static const char *const names[EG_ATTACH_COUNT] = { "preload", "exec", "run", "oci" };
    return names[attach];
}

bool eg_cli_attach_built(enum eg_attach attach)
{
    switch (attach) {
    case EG_ATTACH_RUN: return eg_cli_find_verb("run") != NULL;
    case EG_ATTACH_OCI: return eg_cli_find_verb("agent") != NULL;
    default: return true;
    }
}

bool eg_cli_in_exec_set(const struct eg_blob *blob, uint32_t program)
{
    const uint32_t *set = eg_blob_section(blob, EG_SECTION_EXEC_SET);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_EXEC_SET); i++)
        if (set[i] == program) return true;
    return false;
}

void eg_cli_survey(const struct eg_blob *blob, struct eg_cli_ground *ret)
{
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    *ret =
        (struct eg_cli_ground){ .blob = blob, .shell_may_run = EG_NONE, .shell_needs_it = EG_NONE };
    eg_cli_probe_machine(&ret->machine);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_PROGRAMS); i++) {
        const struct eg_blob_program *p = &programs[i];
        if (!eg_cli_in_exec_set(blob, i)) continue;
        if (!(p->flags & EG_PROGRAM_SCRIPT) && p->interpreter != EG_NONE)
            ret->loader_may_run = true;
        /* busybox under any name holds a shell under another. */
        bool shell =
            p->flags & EG_PROGRAM_SHELL || (p->flags & EG_PROGRAM_MULTICALL &&
                                            strstr(eg_blob_cstr(blob, p->path), "busybox") != NULL);
        if (shell && ret->shell_may_run == EG_NONE) ret->shell_may_run = i;
    }
    if (ret->shell_may_run == EG_NONE) return;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_PROGRAMS); i++)
        if (programs[i].interpreter == ret->shell_may_run) ret->shell_needs_it = i;
}

static bool in_uploads(enum eg_aspect aspect)
{
    return aspect == EG_ASPECT_NAME || aspect == EG_ASPECT_MODE || aspect == EG_ASPECT_CONTENT;
}

static bool row_holds(const struct eg_cli_ground *ground, const struct row *row)
{
    switch (row->layer) {
    case EG_LAYER_DOMAIN:
        if (ground->machine.landlock_abi < row->abi) return false;
        if (row->aspect == EG_ASPECT_SHELL) return ground->shell_may_run == EG_NONE;
        if (row->aspect == EG_ASPECT_LOADER) return !ground->loader_may_run;
        return true;
    case EG_LAYER_FILTER: return ground->machine.filter;
    case EG_LAYER_CAPABILITIES: return ground->blob->flags & EG_BLOB_LIMIT_CAPS;
    case EG_LAYER_SUPERVISOR:
        /* Without a domain, a call about another path goes on in the kernel, and
         * may find the upload tree there. */
        if (in_uploads(row->aspect) && ground->machine.landlock_abi < 1) return false;
        return ground->machine.listener;
    default: return true;
    }
}

static void add_stops(struct eg_cli_cell *cell, const char *stops)
{
    for (; *stops; stops++) {
        if (*stops == 'I') cell->injector = EG_HOLD_YES;
        if (*stops == 'S') cell->script = EG_HOLD_YES;
        if (*stops == 's' && cell->script == EG_HOLD_NO) cell->script = EG_HOLD_PARTLY;
        if (*stops == 'N') cell->native = EG_HOLD_YES;
    }
}

struct eg_cli_cell eg_cli_assure(const struct eg_cli_ground *ground, enum eg_aspect aspect,
                                 enum eg_attach attach)
{
    struct eg_cli_cell cell = { 0 };
    bool observes_only = ground->blob->flags & EG_BLOB_LOG_MODE;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        if (row->aspect != aspect || !(row->modes & (1u << attach))) continue;
        if (!row_holds(ground, row)) continue;
        if (!observes_only) {
            cell.layers |= 1u << row->layer;
            add_stops(&cell, row->stops);
        } else if (row->layer == EG_LAYER_SHIM || row->layer == EG_LAYER_SUPERVISOR) {
            /* The other layers cannot log without refusing. */
            cell.layers |= 1u << row->layer;
        }
    }
    return cell;
}

bool eg_cli_refusal_aspect(const struct eg_blob *blob, const struct eg_decision *decision,
                           enum eg_aspect *ret)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].reason != decision->reason) continue;
        *ret = refusals[i].aspect;
        /* The domain knows files only: it cannot refuse one that it must let run
         * for another rule. */
        bool by_file = *ret == EG_ASPECT_PROGRAM || *ret == EG_ASPECT_SHELL;
        if (by_file && decision->program != EG_NONE && eg_cli_in_exec_set(blob, decision->program))
            *ret = EG_ASPECT_ARGUMENTS;
        return true;
    }
    return false;
}

const char *eg_cli_layers_text(uint32_t layers, char buf[EG_CELL_TEXT])
{
    struct eg_buf text = eg_buf_over(buf, EG_CELL_TEXT);
    for (int layer = EG_LAYER_SHIM; layer < EG_LAYER_COUNT; layer++) {
        if (!(layers & (1u << layer))) continue;
        if (text.n) eg_buf_byte(&text, '+');
        eg_buf_add(&text, eg_layer_name((enum eg_layer)layer));
    }
    if (!text.n) eg_buf_byte(&text, '-');
    return eg_buf_cstr(&text);
}

const char *eg_cli_stops_text(const struct eg_cli_cell *cell, char buf[EG_CELL_TEXT])
{
    buf[0] = cell->injector ? 'I' : '-';
    buf[2] = "-sS"[cell->script];
    buf[4] = cell->native ? 'N' : '-';
    buf[1] = buf[3] = ' ';
    buf[5] = '\0';
    return buf;
}
