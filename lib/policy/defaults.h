// SPDX-License-Identifier: MIT
/* What holds where a policy says nothing. */
#ifndef EG_POLICY_DEFAULTS_H
#define EG_POLICY_DEFAULTS_H

#include "policy/words.h"

#define EG_DEFAULT_RATE  20u
#define EG_DEFAULT_BURST 100u
/* `rate N/s` without a burst keeps the default's proportion. */
#define EG_BURST_PER_RATE (EG_DEFAULT_BURST / EG_DEFAULT_RATE)
#define EG_RATE_MAX       1000000u

static inline bool eg_default_shell_rewrite(void)
{
    return eg_word_built(EG_WORD_SHELL_REWRITE);
}

#endif
