// SPDX-License-Identifier: MIT
/* An allowed program: prints its arguments and what its standard input holds, and
 * ends with the status that its first argument names. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int c;
    for (int i = 1; i < argc; i++) printf("[%s]", argv[i]);
    printf("<");
    while ((c = getchar()) != EOF) putchar(c);
    puts(">");
    return argc > 1 ? atoi(argv[1]) : 0;
}
