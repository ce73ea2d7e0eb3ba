// SPDX-License-Identifier: MIT
/* Sources of a policy. */
#ifndef EG_POLICY_INCLUDE_H
#define EG_POLICY_INCLUDE_H

#include "policy/ast.h"

/* A new source with a copied path and no text yet.  NULL: out of memory. */
struct eg_source *eg_source_add(struct eg_policy *policy, struct eg_str path);

#endif
