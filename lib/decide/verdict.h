// SPDX-License-Identifier: MIT
/* What a decision says.  Shared by everyone who judges or reports. */
#ifndef EG_DECIDE_VERDICT_H
#define EG_DECIDE_VERDICT_H

#include "blob/blob.h"

enum eg_verdict {
    EG_VERDICT_DENY = 0,
    EG_VERDICT_ALLOW,
    EG_VERDICT_LOG,     /* allowed, always an event */
    EG_VERDICT_REWRITE, /* a shell's simple command: run the command, not the shell */
};

enum eg_reason {
#define R(id, slug, sentence) EG_REASON_##id,
#include "table/reasons.def"
#undef R
    EG_REASON_COUNT
};

/* Stable slug / sentence of a reason; never NULL. */
const char *eg_reason_slug(enum eg_reason reason);
const char *eg_reason_sentence(enum eg_reason reason);

/* "deny", "allow", ...; "none", "shim", "filter", ... */
const char *eg_verdict_name(enum eg_verdict verdict);
const char *eg_layer_name(enum eg_layer layer);

#endif
