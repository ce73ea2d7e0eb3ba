// SPDX-License-Identifier: MIT
/* A Landlock ruleset under construction: create it, add rules (landlock(7)). */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "guard/parts.h"

#define BIT_FILE(bit)   | UINT64_C(1) << bit
#define BIT_FOLDER(bit) | UINT64_C(1) << bit
#define BIT_DEVICE(bit) | UINT64_C(1) << bit

const uint64_t eg_ruleset_all_rights = 0
#define R(id, bit, abi, kind) BIT_##kind(bit)
#include "table/landlock.def"
    ;

#undef BIT_FOLDER
#define BIT_FOLDER(bit)
#undef BIT_DEVICE
#define BIT_DEVICE(bit)
const uint64_t eg_ruleset_file_rights = 0
#define R(id, bit, abi, kind) BIT_##kind(bit)
#include "table/landlock.def"
    ;

#undef BIT_FILE
#define BIT_FILE(bit)
#undef BIT_DEVICE
#define BIT_DEVICE(bit) | UINT64_C(1) << bit
const uint64_t eg_ruleset_device_rights = 0
#define R(id, bit, abi, kind) BIT_##kind(bit)
#include "table/landlock.def"
    ;

static uint64_t known_rights(int abi)
{
    uint64_t known = 0;
#define R(id, bit, since, kind)                                                                    \
    if (abi >= since) known |= UINT64_C(1) << bit;
#include "table/landlock.def"
    return known;
}

static uint64_t known_scopes(int abi)
{
    uint64_t known = 0;
#define S(id, bit, since)                                                                          \
    if (abi >= since) known |= UINT64_C(1) << bit;
#include "table/landlock.def"
    return known;
}

int eg_ruleset_create(int abi, uint64_t rights, uint64_t scopes, struct eg_guard_error *error,
                      struct eg_ruleset *ret)
{
    const struct eg_landlock_ruleset attributes = {
        .handled_access_fs = rights & known_rights(abi),
        .scoped = scopes & known_scopes(abi),
    };
    long fd = eg_sys(__NR_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
    if (fd < 0) return eg_guard_fail(error, EG_LAYER_DOMAIN, "landlock_create_ruleset", fd);
    *ret = (struct eg_ruleset){ (int)fd, attributes.handled_access_fs, error, NULL, NULL };
    return 0;
}

static long add_rule(const struct eg_ruleset *ruleset, int fd, uint64_t rights)
{
    const struct eg_landlock_beneath rule = { rights & ruleset->handled, fd };
    if (rule.allowed_access == 0) return 0; /* ENOMSG to the kernel */
    return eg_sys(__NR_landlock_add_rule, ruleset->fd, EG_LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

bool eg_ruleset_passes_over(long error)
{
    switch (error) {
    case -ENOENT:
    case -ENOTDIR:
    case -EACCES:
    case -EPERM:
    case -ELOOP:
    case -ENAMETOOLONG:
    case -ENXIO:
    case -ENODEV:
    case -EIO: /* a broken disk or a dead FUSE server somewhere is not ours to report */
    case -ENOTCONN:
    case -ESTALE:
    case -EHOSTDOWN:
    case -EBADFD: return true; /* kernel-internal, a mounted namespace for one */
    default: return false;
    }
}

static int tell(const struct eg_ruleset *ruleset, int fd)
{
    int r = ruleset->visit(ruleset->context, fd);
    return r < 0 ? eg_guard_fail(ruleset->error, EG_LAYER_DOMAIN, "noting a place", r) : 0;
}

int eg_ruleset_grant(const struct eg_ruleset *ruleset, int fd, uint64_t rights)
{
    if (ruleset->visit) return tell(ruleset, fd);
    long r = add_rule(ruleset, fd, rights);
    /* The kernel takes FOLDER rights on folders only; asking it is cheaper than
     * statx(2) for those that are. */
    if (r == -EINVAL && (rights & ~eg_ruleset_file_rights))
        r = add_rule(ruleset, fd, rights & eg_ruleset_file_rights);
    if (r < 0 && !eg_ruleset_passes_over(r))
        return eg_guard_fail(ruleset->error, EG_LAYER_DOMAIN, "landlock_add_rule", r);
    return 0;
}

int eg_ruleset_grant_at(const struct eg_ruleset *ruleset, int dirfd, const char *path,
                        uint64_t rights)
{
    long fd = eg_sys(__NR_openat, dirfd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (eg_ruleset_passes_over(fd)) return 0;
    if (fd < 0) return eg_guard_fail(ruleset->error, EG_LAYER_DOMAIN, "open", fd);
    int r = eg_ruleset_grant(ruleset, (int)fd, rights);
    eg_sys(__NR_close, fd);
    return r;
}
