// SPDX-License-Identifier: MIT
/* The compiler's way in, as the front has it: a policy that is not in the cache,
 * or is not as it was, is the whole command's business. */
#include "../cli.h"

#include <errno.h>

int eg_policy_load(const char *name, const struct eg_policy_options *options,
                   struct eg_diagnostics *diagnostics, struct eg_policy **ret_policy)
{
    (void)options, (void)diagnostics, (void)ret_policy;
    eg_cli_hand_over();
    eg_cli_error("policy `%s' is not in the cache as it is now, and cannot be compiled from here: "
                 "`execguard compile --cache -p %s', by the same user with the same PATH and "
                 "outside of any guard, brings it there",
                 name, name);
    return -ENOEXEC;
}

int eg_compile(const struct eg_policy *policy, const struct eg_compile_options *options,
               struct eg_diagnostics *diagnostics, struct eg_blob **ret_blob)
{
    (void)policy, (void)options, (void)diagnostics, (void)ret_blob;
    return -ENOEXEC;
}

/* None was ever loaded. */
void eg_policy_free(struct eg_policy *policy)
{
    (void)policy;
}
