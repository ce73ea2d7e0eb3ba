// SPDX-License-Identifier: MIT
/* Where a policy's upload trees lie.  Only the folders that are there count: each
 * glob is looked up as far as the first `**`, and what lies in a tree is then
 * asked of the decision core, entry by entry. */
#include "upload/scan.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

static void cut_at_two_stars(char *pattern)
{
    char *stars = strstr(pattern, "**");
    if (!stars) return;
    while (stars > pattern && *stars != '/') stars--;
    stars[stars == pattern] = '\0';
}

static bool is_inside(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    if (n && folder[n - 1] == '/') n--;
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* Takes the path.  What lies in another tree is walked with it. */
static int add(char ***trees, size_t *count, char *path)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (is_inside(path, (*trees)[i])) {
            free(path);
            return 0;
        }
    for (size_t i = 0; i < *count; i++) {
        if (is_inside((*trees)[i], path))
            free((*trees)[i]);
        else
            (*trees)[kept++] = (*trees)[i];
    }
    char **more = realloc(*trees, (kept + 1) * sizeof **trees);
    *count = kept;
    if (!more) {
        free(path);
        return -ENOMEM;
    }
    *trees = more;
    more[(*count)++] = path;
    return 0;
}

static int add_pattern(char ***trees, size_t *count, const char *root)
{
    glob_t found;
    char *pattern = strdup(root);
    if (!pattern) return -ENOMEM;
    cut_at_two_stars(pattern);
    int r = glob(pattern, GLOB_PERIOD | GLOB_NOSORT, NULL, &found);
    free(pattern);
    if (r == GLOB_NOMATCH) return 0;
    if (r) return r == GLOB_NOSPACE ? -ENOMEM : -EIO;
    for (size_t i = 0; i < found.gl_pathc && !r; i++) {
        char *path = realpath(found.gl_pathv[i], NULL);
        if (path) r = add(trees, count, path);
    }
    globfree(&found);
    return r;
}

int eg_upload_trees(const struct eg_blob *blob, char ***ret_trees, size_t *ret_count)
{
    const struct eg_blob_upload *rows = eg_blob_section(blob, EG_SECTION_UPLOADS);
    char **trees = NULL;
    size_t count = 0;
    int r = 0;
    for (uint32_t i = 0; i < eg_blob_count(blob, EG_SECTION_UPLOADS) && !r; i++)
        r = add_pattern(&trees, &count, eg_blob_cstr(blob, rows[i].root));
    if (r) {
        eg_upload_trees_free(trees, count);
        return r;
    }
    *ret_trees = trees;
    *ret_count = count;
    return 0;
}

void eg_upload_trees_free(char **trees, size_t count)
{
    for (size_t i = 0; i < count; i++) free(trees[i]);
    free(trees);
}
