// SPDX-License-Identifier: MIT
/* The one order in which the layers are installed. */
#include "guard/parts.h"

/* A layer that could not be installed is an error, unless the policy says that
 * it may be missing: then its bit stays out of plan->installed. */
static int settle(struct eg_guard_plan *plan, enum eg_layer layer, int result)
{
    if (result == 0) {
        plan->installed |= 1u << layer;
        return 0;
    }
    return plan->blob->optional_layers & (1u << layer) ? 0 : result;
}

static int limit_capabilities(struct eg_guard_plan *plan, struct eg_guard_error *error)
{
    if (!(plan->blob->flags & EG_BLOB_LIMIT_CAPS)) return 0;
    return settle(plan, EG_LAYER_CAPABILITIES, eg_guard_limit_capabilities(plan->blob, error));
}

static int enter_domain(struct eg_guard_plan *plan, struct eg_guard_error *error)
{
    return settle(plan, EG_LAYER_DOMAIN, eg_guard_enter_domain(plan, error));
}

static int load_filter(struct eg_guard_plan *plan, struct eg_guard_error *error)
{
    return settle(plan, EG_LAYER_FILTER, eg_guard_load_filter(plan, error));
}

/* Why this order.  no_new_privs first: without it, or CAP_SYS_ADMIN, the kernel
 * takes neither a domain nor a filter.  Capabilities before both, so that no more
 * privilege than the worker's own opens what the domain names; but last where the
 * policy switches no_new_privs off, since dropping CAP_SYS_ADMIN first would make
 * the rest impossible.  The filter after the domain: it refuses new filters, and
 * under a supervisor nothing may come between its installation and the hand-over
 * of the listener that the filter itself could stop. */
static int install_layers(struct eg_guard_plan *plan, struct eg_guard_error *error)
{
    bool no_new_privs = plan->blob->flags & EG_BLOB_NO_NEW_PRIVS;
    bool observes = plan->blob->flags & EG_BLOB_LOG_MODE;
    int r = no_new_privs ? eg_guard_set_no_new_privs(error) : eg_guard_check_privilege(error);
    if (r < 0) return r;
    if (observes) return load_filter(plan, error);
    if (plan->stage == EG_STAGE_NARROW) return enter_domain(plan, error);
    if (no_new_privs) r = limit_capabilities(plan, error);
    if (r == 0) r = enter_domain(plan, error);
    if (r == 0) r = load_filter(plan, error);
    if (r == 0 && !no_new_privs) r = limit_capabilities(plan, error);
    return r;
}

int eg_guard_install(struct eg_guard_plan *plan, struct eg_guard_error *ret_error)
{
    struct eg_guard_error error = { EG_LAYER_NONE, "", { NULL, 0 }, 0 };
    bool observes = plan->blob->flags & EG_BLOB_LOG_MODE;
    plan->installed = 0;
    plan->replaced = 0;
    plan->listener_fd = -1;
    if (observes && !plan->supervised) return 0;
    int r = install_layers(plan, &error);
    if (r < 0) *ret_error = error;
    return r;
}
