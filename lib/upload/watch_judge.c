// SPDX-License-Identifier: MIT
/* Purpose: put the decision core's questions for every policy that is watched;
 * the first refusal that is enforced stands, else the first that is logged. */
#include "upload/watch_parts.h"

static const struct eg_blob_upload *upload_row(const struct eg_blob *blob, uint32_t index)
{
    const struct eg_blob_upload *rows = eg_blob_section(blob, EG_SECTION_UPLOADS);
    return &rows[index];
}

bool eg_watch_enforces(const struct eg_watch_refusal *refusal)
{
    return refusal->blob && !(refusal->blob->flags & EG_BLOB_LOG_MODE) &&
           refusal->decision.verdict == EG_VERDICT_DENY;
}

/* Keep `found` if nothing stronger is held.  True: no need to ask further. */
static bool keep(struct eg_watch_refusal *held, const struct eg_watch_refusal *found)
{
    if (!held->blob || (!eg_watch_enforces(held) && eg_watch_enforces(found))) *held = *found;
    return eg_watch_enforces(held);
}

bool eg_watch_is_inside(const struct eg_watch *watch, struct eg_str path)
{
    for (size_t i = 0; i < watch->blob_count; i++)
        if (eg_decide_upload_of(watch->blobs[i], path) != EG_NONE) return true;
    return false;
}

/* What other rules say of the path (may it be written at all?) is about the
 * guarded worker; an FTP daemon's right to write is its own business. */
static bool is_about_upload(const struct eg_write_decision *decision)
{
    if (decision->verdict != EG_VERDICT_DENY || decision->upload == EG_NONE) return false;
    switch (decision->reason) {
    case EG_REASON_NAME:
    case EG_REASON_READ_SCRIPT:
    case EG_REASON_LINK_TARGET:
    case EG_REASON_FILE_TYPE: return true;
    default: return false;
    }
}

bool eg_watch_judge_name(const struct eg_watch *watch, struct eg_str path, uint32_t mode,
                         struct eg_str link, struct eg_watch_refusal *ret)
{
    struct eg_write_request request = { eg_decide_making(mode), path, link, mode & ~(uint32_t)06111,
                                        false };
    ret->blob = NULL;
    for (size_t i = 0; i < watch->blob_count; i++) {
        struct eg_watch_refusal found = { watch->blobs[i], EG_KIND_NAME, { 0 }, 0 };
        eg_decide_write(watch->blobs[i], &request, &found.decision);
        if (is_about_upload(&found.decision) && keep(ret, &found)) break;
    }
    return ret->blob == NULL;
}

bool eg_watch_judge_open(const struct eg_watch *watch, struct eg_str path, uint32_t mode, bool exec,
                         struct eg_watch_refusal *ret)
{
    struct eg_write_request request = { EG_WRITE_READ, path, { NULL, 0 }, mode, false };
    if (!eg_watch_judge_name(watch, path, mode, request.other, ret) && eg_watch_enforces(ret))
        return false;
    for (size_t i = 0; i < watch->blob_count; i++) {
        const struct eg_blob *blob = watch->blobs[i];
        struct eg_watch_refusal found = { blob, EG_KIND_NAME, { 0 }, 0 };
        eg_decide_write(blob, &request, &found.decision);
        bool refused = is_about_upload(&found.decision);
        uint32_t upload = exec && !refused ? eg_decide_upload_of(blob, path) : EG_NONE;
        if (upload != EG_NONE && upload_row(blob, upload)->flags & EG_UPLOAD_DENY_EXECUTABLE) {
            const struct eg_write_request executable = {
                EG_WRITE_MODE, path, { NULL, 0 }, S_IFREG | 0755, false
            };
            found.kind = EG_KIND_MODE;
            eg_decide_write(blob, &executable, &found.decision);
            refused = found.decision.verdict == EG_VERDICT_DENY;
        }
        if (refused && keep(ret, &found)) break;
    }
    return ret->blob == NULL;
}

uint32_t eg_watch_judge_mode(const struct eg_watch *watch, struct eg_str path, uint32_t mode,
                             struct eg_watch_refusal *ret)
{
    enum { SET_ID = 06000, EXECUTE = 0111 };
    uint32_t left = mode;
    ret->blob = NULL;
    if (!S_ISREG(mode) || !(mode & (SET_ID | EXECUTE))) return mode;
    for (size_t i = 0; i < watch->blob_count; i++) {
        const struct eg_blob *blob = watch->blobs[i];
        struct eg_watch_refusal found = { blob, EG_KIND_MODE, { 0 }, 0 };
        uint32_t upload = eg_decide_upload_of(blob, path);
        if (upload == EG_NONE) continue;
        uint32_t refused = SET_ID;
        if (upload_row(blob, upload)->flags & EG_UPLOAD_DENY_EXECUTABLE) refused |= EXECUTE;
        if (!(mode & refused)) continue;
        struct eg_write_request request = { EG_WRITE_MODE, path, { NULL, 0 }, mode, false };
        eg_decide_write(blob, &request, &found.decision);
        if (found.decision.verdict != EG_VERDICT_DENY) continue;
        if (eg_watch_enforces(&found)) left &= ~refused;
        keep(ret, &found);
    }
    return left;
}

/* The row of the tree that holds `path`; of the empty path, every row in turn.
 * NULL after the last. */
static const struct eg_blob_upload *next_row(const struct eg_blob *blob, struct eg_str path,
                                             uint32_t *at)
{
    uint32_t index = path.n ? eg_decide_upload_of(blob, path) : *at;
    if (path.n && *at) return NULL;
    ++*at;
    return index < eg_blob_count(blob, EG_SECTION_UPLOADS) ? upload_row(blob, index) : NULL;
}

uint32_t eg_watch_contents(const struct eg_watch *watch, struct eg_str path)
{
    uint32_t contents = 0;
    for (size_t i = 0; i < watch->blob_count; i++) {
        uint32_t at = 0;
        for (const struct eg_blob_upload *row; (row = next_row(watch->blobs[i], path, &at));)
            contents |= row->contents;
    }
    return contents;
}

bool eg_watch_judge_content(const struct eg_watch *watch, struct eg_str path, uint32_t hits,
                            struct eg_watch_refusal *ret)
{
    ret->blob = NULL;
    for (size_t i = 0; hits && i < watch->blob_count; i++) {
        const struct eg_blob *blob = watch->blobs[i];
        const struct eg_blob_upload *first = eg_blob_section(blob, EG_SECTION_UPLOADS);
        struct eg_watch_refusal found = { blob, EG_KIND_CONTENT, { 0 }, hits };
        uint32_t at = 0;
        for (const struct eg_blob_upload *row; (row = next_row(blob, path, &at));) {
            eg_decide_content(blob, (uint32_t)(row - first), hits, &found.decision);
            if (found.decision.verdict == EG_VERDICT_DENY && keep(ret, &found)) return false;
        }
    }
    return ret->blob == NULL;
}

struct eg_watch_refusal eg_watch_refuse_tree(const struct eg_watch *watch, struct eg_str path,
                                             enum eg_reason reason)
{
    struct eg_watch_refusal refusal = { .kind = EG_KIND_CONTENT };
    for (size_t i = 0; i < watch->blob_count; i++) {
        const struct eg_blob *blob = watch->blobs[i];
        const struct eg_blob_upload *first = eg_blob_section(blob, EG_SECTION_UPLOADS);
        uint32_t at = 0;
        for (const struct eg_blob_upload *row; (row = next_row(blob, path, &at));) {
            struct eg_watch_refusal found = { blob, EG_KIND_CONTENT, { 0 }, 0 };
            found.decision = (struct eg_write_decision){
                .verdict = EG_VERDICT_DENY,
                .reason = reason,
                .upload = (uint32_t)(row - first),
                .rule_file = row->file,
                .rule_line = row->content_line,
            };
            if (keep(&refusal, &found)) return refusal;
        }
    }
    return refusal;
}
