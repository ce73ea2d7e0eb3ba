// SPDX-License-Identifier: MIT
/* Names of any bytes.  Besides not crashing: what is appended after a NUL, or
 * before as an ordinary stem, takes no script's extension out of the set; the
 * cheap look agrees with the whole judgement; a glob of stars matches all. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decide/parts.h"
#include "decide/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The look at a whole path passes nothing that the look at its last component
 * does not, wherever in memory the path begins. */
static void check_path(struct eg_str name)
{
    char path[8 + 6 + 512];
    if (name.n > 500 || memchr(name.p, '/', name.n) || memchr(name.p, '\0', name.n)) return;
    size_t start = name.n % 8;
    memcpy(path + start, "/a.b/", 5);
    if (name.n) memcpy(path + start + 5, name.p, name.n);
    path[start + 5 + name.n] = '\0';
    for (size_t skip = 0; skip <= 5; skip += 5)
        if (eg_decide_name_may_run(name) && !eg_decide_path_may_run(path + start + skip)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct eg_str name = { (const char *)data, size };
    char larger[512];
    unsigned kinds = eg_decide_script_kinds(name);
    if ((kinds != 0) != eg_name_is_script(name)) abort();
    if (size >= 2 &&
        eg_decide_name_may_run(name) != ((kinds & (EG_SCRIPT_RUNS | EG_SCRIPT_STEERS)) != 0))
        abort();
    if (!eg_name_matches(EG_STR("**"), name)) abort();
    check_path(name);
    if (size + 8 > sizeof(larger)) return 0;
    if (size) memcpy(larger, data, size);
    memcpy(larger + size, "\0.jpg", 5);
    if (kinds & EG_SCRIPT_RUNS && !eg_name_is_script((struct eg_str){ larger, size + 5 })) abort();
    memcpy(larger, "x.php.", 6);
    if (size) memcpy(larger + 6, data, size);
    if (!eg_name_is_script((struct eg_str){ larger, size + 6 })) abort();
    return 0;
}
