// SPDX-License-Identifier: MIT
/* File name patterns as dash's own matcher reads them (expand.c: pmatch), which
 * is neither fnmatch(3) nor glob(3): `^` negates nothing, a `[` that never
 * closes is itself, bytes are compared, not characters. */
#include "line/line.h"

static bool is_between(int c, char low, char high)
{
    return c >= low && c <= high;
}

static bool is_alpha(int c)
{
    return is_between(c, 'a', 'z') || is_between(c, 'A', 'Z');
}

static bool is_digit(int c)
{
    return is_between(c, '0', '9');
}

/* `p` stands after the `[` of "[:name:]".  Its end, or NULL when it is none. */
static const char *match_class(const char *p, const char *end, int c, bool *found)
{
    static const char names[][10] = { ":alnum:]", ":cntrl:]", ":lower:]", ":space:]",
                                      ":alpha:]", ":digit:]", ":print:]", ":upper:]",
                                      ":blank:]", ":graph:]", ":punct:]", ":xdigit:]" };
    bool member = false;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct eg_str name = eg_str(names[i]);
        if (!eg_str_starts((struct eg_str){ p, (size_t)(end - p) }, name)) continue;
        switch (i) {
        case 0: member = is_alpha(c) || is_digit(c); break;
        case 1: member = c < 0x20 || c == 0x7f; break;
        case 2: member = is_between(c, 'a', 'z'); break;
        case 3: member = c == ' ' || is_between(c, '\t', '\r'); break;
        case 4: member = is_alpha(c); break;
        case 5: member = is_digit(c); break;
        case 6: member = is_between(c, ' ', '~'); break;
        case 7: member = is_between(c, 'A', 'Z'); break;
        case 8: member = c == ' ' || c == '\t'; break;
        case 9: member = is_between(c, '!', '~'); break;
        case 10: member = is_between(c, '!', '~') && !is_alpha(c) && !is_digit(c); break;
        default: member = is_digit(c) || is_between(c, 'a', 'f') || is_between(c, 'A', 'F'); break;
        }
        if (member) *found = true;
        return p + name.n;
    }
    return NULL;
}

/* `p` stands after a `[`.  The end of the set, or NULL when it never closes. */
static const char *match_set(const char *p, const char *end, int chr, bool *ret_matched)
{
    bool invert = p < end && *p == '!';
    bool found = false;
    if (invert) p++;
    do {
        if (p == end) return NULL;
        int c = (unsigned char)*p++;
        if (c == '[') {
            const char *after = match_class(p, end, chr, &found);
            if (after) {
                p = after;
                continue;
            }
        } else if (c == '\\') {
            if (p == end) return NULL;
            c = (unsigned char)*p++;
        }
        if (p < end && *p == '-' && !(p + 1 < end && p[1] == ']')) {
            p++;
            if (p < end && *p == '\\') p++;
            if (p == end) return NULL;
            if (chr >= c && chr <= (unsigned char)*p) found = true;
            p++;
        } else if (chr == c) {
            found = true;
        }
    } while (p == end || *p != ']');
    *ret_matched = found != invert;
    return p + 1;
}

/* One element other than `*` against one byte.  What follows it, or NULL. */
static const char *match_one(const char *p, const char *end, int chr)
{
    int c = (unsigned char)*p++;
    if (c == '?') return p;
    if (c == '[') {
        bool matched;
        const char *after = match_set(p, end, chr, &matched);
        if (after) return matched ? after : NULL;
    } else if (c == '\\' && p < end) {
        c = (unsigned char)*p++;
    }
    return c == chr ? p : NULL;
}

bool eg_line_match(struct eg_str pattern, struct eg_str name)
{
    const char *p = pattern.p, *p_end = pattern.p + pattern.n;
    const char *s = name.p, *s_end = name.p + name.n;
    const char *star = NULL, *retry = NULL; /* after the last `*`; where it ends so far */

    /* Every element but `*` takes exactly one byte, so only the last star ever
     * needs another try. */
    for (;;) {
        if (p < p_end && *p == '*') {
            star = ++p;
            retry = s;
            continue;
        }
        if (s == s_end) break;
        const char *next = p < p_end ? match_one(p, p_end, (unsigned char)*s) : NULL;
        if (next) {
            p = next;
            s++;
        } else if (star) {
            p = star;
            s = ++retry;
        } else {
            return false;
        }
    }
    return p == p_end;
}
