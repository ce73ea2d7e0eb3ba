// SPDX-License-Identifier: MIT
/* Any bytes as a message to the agent: no crash, and what is accepted holds a
 * policy's name, a container's id and a descriptor that came along. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "oci_fuzz: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t fds = 0; fds <= 2; fds++) {
        struct eg_oci_state state;
        const char *why = NULL;
        int r = eg_oci_parse((const char *)data, size, fds, &state, &why);
        require(r == 0 || why, "a refusal says why");
        if (r) continue;
        require(state.fd_index < fds, "the listener is one of the descriptors");
        require(state.pid > 0, "the process is one");
        require(eg_oci_name_valid(eg_str(state.policy)), "the policy is a name");
        require(!strchr(state.policy, '/'), "and no path");
        size_t n = strlen(state.id);
        require(n > 0 && n <= EG_OCI_ID_MAX, "the id fits");
        for (size_t i = 0; i < n; i++)
            require(state.id[i] > ' ' && state.id[i] <= '~' && state.id[i] != ':',
                    "the id can be a stored name");
    }
    return 0;
}
