// SPDX-License-Identifier: MIT
/* Which of a policy's trees hold a path. */
#include "decide/parts.h"
#include "decide/write.h"

static bool is_glob_char(char c)
{
    return c == '*' || c == '?' || c == '[' || c == '\\';
}

static bool has_glob(struct eg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_glob_char(s.p[i])) return true;
    return false;
}

static bool crosses_folders(struct eg_str s)
{
    for (size_t i = 0; i + 1 < s.n; i++)
        if (s.p[i] == '*' && s.p[i + 1] == '*') return true;
    return false;
}

static size_t count_slashes(struct eg_str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.n; i++) count += s.p[i] == '/';
    return count;
}

/* The first `count` components of an absolute path; p NULL when it has fewer. */
static struct eg_str leading(struct eg_str path, size_t count)
{
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '/' && count-- == 0) return (struct eg_str){ path.p, i };
    return count == 0 ? path : (struct eg_str){ NULL, 0 };
}

size_t eg_decide_tree_top(struct eg_str pattern, struct eg_str path)
{
    if (!crosses_folders(pattern)) {
        struct eg_str top = leading(path, count_slashes(pattern));
        return top.p && eg_glob_match(pattern, top) ? top.n : 0;
    }
    for (struct eg_str top = path; top.n; top.n = eg_str_rfind(top, '/')) {
        if (eg_glob_match(pattern, top)) return top.n;
        if (eg_str_rfind(top, '/') == top.n) break;
    }
    return 0;
}

bool eg_decide_tree_holds(struct eg_str pattern, struct eg_str path)
{
    /* `*` ends at a slash: a folder that it finds is not what lies in it. */
    if (has_glob(eg_str_basename(pattern))) return eg_glob_match(pattern, path);
    return eg_decide_tree_top(pattern, path) != 0;
}

uint32_t eg_decide_tree_of(const struct eg_blob *blob, struct eg_str path)
{
    const struct eg_blob_tree *trees = eg_blob_section(blob, EG_SECTION_WRITE_TREES);
    if (blob->flags & EG_BLOB_WRITE_FREE) return EG_NONE;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_WRITE_TREES); i++)
        if (eg_decide_tree_holds(eg_blob_str(blob, trees[i].pattern), path)) return i;
    return EG_NONE;
}

uint32_t eg_decide_upload_find(const struct eg_blob *blob, struct eg_str path, size_t *ret_top)
{
    const struct eg_blob_upload *uploads = eg_blob_section(blob, EG_SECTION_UPLOADS);
    uint32_t found = EG_NONE;
    size_t innermost = 0;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_UPLOADS); i++) {
        size_t top = eg_decide_tree_top(eg_blob_str(blob, uploads[i].root), path);
        if (top <= innermost) continue;
        innermost = top;
        found = i;
    }
    if (ret_top) *ret_top = innermost;
    return found;
}

uint32_t eg_decide_upload_of(const struct eg_blob *blob, struct eg_str path)
{
    return eg_decide_upload_find(blob, path, NULL);
}

/* Could a folder of this pattern's first components be this path, with the
 * pattern's own place beneath it? */
static bool may_lie_beneath(struct eg_str pattern, struct eg_str path)
{
    size_t depth = count_slashes(path);
    size_t at = 0;
    for (size_t slashes = 0; at < pattern.n; at++)
        if (pattern.p[at] == '/' && slashes++ == depth) break;
    struct eg_str head = { pattern.p, at };
    size_t stars = 0;
    while (stars + 1 < pattern.n && !(pattern.p[stars] == '*' && pattern.p[stars + 1] == '*'))
        stars++;
    if (stars + 1 >= pattern.n) return at < pattern.n && eg_glob_match(head, path);
    /* From two stars on the pattern goes to any depth. */
    struct eg_str until = { pattern.p, stars + 2 };
    return (stars >= at && at < pattern.n && eg_glob_match(head, path)) ||
           eg_glob_match(until, path);
}

bool eg_decide_upload_is_above(const struct eg_blob *blob, struct eg_str path)
{
    const struct eg_blob_upload *uploads = eg_blob_section(blob, EG_SECTION_UPLOADS);
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_UPLOADS); i++)
        if (may_lie_beneath(eg_blob_str(blob, uploads[i].root), path)) return true;
    return false;
}
