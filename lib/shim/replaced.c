// SPDX-License-Identifier: MIT
/* Why the kernel refused what the rules allow: most often a package upgrade that
 * replaced the program's interpreter, ld.so above all.  Landlock's rule is about
 * the old file, and the new one runs nowhere until the worker is restarted, so an
 * administrator must be told.  Asked only after an EACCES: it costs nothing
 * otherwise. */
#include <linux/fcntl.h>

#include "base/sys.h"
#include "shim/shim.h"

#define DEPTH 8u /* a script's interpreter may be a script (execve(2): five levels), then ld.so */

static const struct eg_blob_program *find(const struct eg_blob *blob, const struct eg_identity *id)
{
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_PROGRAMS); i++)
        if (eg_identity_same_inode(&programs[i].id, id)) return &programs[i];
    return NULL;
}

/* Is the path still the file that the policy was compiled for? */
static bool is_current(const struct eg_blob *blob, const struct eg_blob_program *program)
{
    struct eg_identity now = { 0 };
    long fd = eg_sys(__NR_openat, AT_FDCWD, eg_blob_cstr(blob, program->path),
                     O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0) return false;
    int r = eg_resolve_identity((int)fd, &now);
    eg_sys(__NR_close, fd);
    return r == 0 && eg_identity_same_inode(&now, &program->id);
}

void eg_shim_explain_refusal(const struct eg_call *call, const struct eg_target *target)
{
    const struct eg_blob *blob = eg_shim.blob;
    /* a supervisor looks before the kernel does, and has told */
    if (eg_shim_enter() != EG_PHASE_READY || call->quiet || eg_shim.supervised) return;
    const struct eg_blob_program *programs = eg_blob_section(blob, EG_SECTION_PROGRAMS);
    const struct eg_blob_program *program = find(blob, &target->id);
    for (unsigned depth = 0; program && depth < DEPTH; depth++) {
        if (program->interpreter == EG_NONE) return;
        program = &programs[program->interpreter];
        if (is_current(blob, program)) continue;
        eg_shim_refuse(call, EG_KIND_EXEC, EG_REASON_REPLACED, target->path,
                       eg_blob_str(blob, program->path), (struct eg_str){ NULL, 0 });
        return;
    }
}
