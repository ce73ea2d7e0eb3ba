// SPDX-License-Identifier: MIT
/* What race.c tries to start as the policy does not allow: with another argument,
 * under the other of its two names, or with a variable that must not be there.
 * Status 77: it ran as it should not have. */
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 2 || strcmp(argv[1], WANTED) != 0 || getenv("BASH_ENV")) return 77;
    return 0;
}
