// SPDX-License-Identifier: MIT
/* Names of verdicts, reasons and layers, as events and people read them. */
#include "decide/verdict.h"

const char *eg_reason_slug(enum eg_reason reason)
{
    switch (reason) {
#define R(id, slug, sentence)                                                                      \
    case EG_REASON_##id:                                                                           \
        return slug;
#include "table/reasons.def"
#undef R
    case EG_REASON_COUNT: break;
    }
    return "unknown";
}

const char *eg_reason_sentence(enum eg_reason reason)
{
    switch (reason) {
#define R(id, slug, sentence)                                                                      \
    case EG_REASON_##id:                                                                           \
        return sentence;
#include "table/reasons.def"
#undef R
    case EG_REASON_COUNT: break;
    }
    return "the reason is not known";
}

const char *eg_verdict_name(enum eg_verdict verdict)
{
    switch (verdict) {
    case EG_VERDICT_DENY: return "deny";
    case EG_VERDICT_ALLOW: return "allow";
    case EG_VERDICT_LOG: return "log";
    case EG_VERDICT_REWRITE: return "rewrite";
    }
    return "deny";
}

const char *eg_layer_name(enum eg_layer layer)
{
    switch (layer) {
    case EG_LAYER_NONE: return "none";
    case EG_LAYER_SHIM: return "shim";
    case EG_LAYER_FILTER: return "filter";
    case EG_LAYER_DOMAIN: return "domain";
    case EG_LAYER_CAPABILITIES: return "capabilities";
    case EG_LAYER_SUPERVISOR: return "supervisor";
    case EG_LAYER_WATCH: return "watch";
    }
    return "none";
}
