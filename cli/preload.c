// SPDX-License-Identifier: MIT
/* The command's own files.  A preload object that somebody else could replace would
 * run in the worker before the guard does: it is refused. */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool eg_cli_own_files(struct eg_files *ret)
{
    char self[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n < 0 ? 0 : n] = '\0';
    return eg_files_find(self, eg_cli_is_front ? EG_ANCHOR_FRONT : EG_ANCHOR_WHOLE, ret);
}

int eg_cli_check_own(const char *what, const char *path)
{
    const char *why;
    int r = eg_files_check_own(path, &why);
    if (r == 0) return 0;
    if (r != -EACCES) return eg_cli_error("%s %s: %s: %s", what, path, why, strerror(-r));
    return eg_cli_error("%s %s cannot be used: %s", what, path, why);
}

int eg_cli_find_preload(char ret[PATH_MAX])
{
    struct eg_files files;
    eg_cli_own_files(&files);
    memcpy(ret, files.object, sizeof files.object);
    int status = eg_cli_check_own("the preload object", ret);
    if (status) return status;
    /* LD_PRELOAD is split at these (ld.so(8)) and knows no quoting. */
    if (strpbrk(ret, " :"))
        return eg_cli_error("the preload object's path %s holds a space or a colon, which "
                            "LD_PRELOAD cannot carry",
                            ret);
    return 0;
}
