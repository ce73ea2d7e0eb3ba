// SPDX-License-Identifier: MIT
/* Recognisers of host names, addresses and mail addresses: what a hole may hold
 * is decided on the whole text, in one pass. */
#include "decide/parts.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Dotted quad.  A leading zero is refused: inet_aton(3) would read octal. */
static bool is_ipv4(struct eg_str s)
{
    for (int part = 0; part < 4; part++) {
        size_t n = 0;
        unsigned value = 0;
        while (n < s.n && n < 4 && is_digit(s.p[n]))
            value = value * 10 + (unsigned)(s.p[n++] - '0');
        if (n == 0 || n > 3 || value > 255 || (n > 1 && s.p[0] == '0')) return false;
        s = eg_str_skip(s, n);
        if (part == 3) break;
        if (s.n == 0 || s.p[0] != '.') return false;
        s = eg_str_skip(s, 1);
    }
    return s.n == 0;
}

/* RFC 4291, section 2.2: groups of one to four digits, one "::" at most, the
 * last 32 bits may be a dotted quad.  No zone. */
static bool is_ipv6(struct eg_str s)
{
    unsigned groups = 0;
    bool gap = false;
    if (s.n > 45) return false;
    if (eg_str_starts(s, EG_STR("::"))) {
        gap = true;
        s = eg_str_skip(s, 2);
        if (s.n == 0) return true;
    }
    for (;;) {
        size_t n = 0;
        while (n < s.n && is_hex(s.p[n])) n++;
        if (n < s.n && s.p[n] == '.') {
            if (!is_ipv4(s)) return false;
            groups += 2;
            break;
        }
        if (n == 0 || n > 4) return false;
        groups++;
        s = eg_str_skip(s, n);
        if (s.n == 0) break;
        if (s.p[0] != ':') return false;
        s = eg_str_skip(s, 1);
        if (s.n && s.p[0] == ':') {
            if (gap) return false;
            gap = true;
            s = eg_str_skip(s, 1);
            if (s.n == 0) break;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

bool eg_decide_is_ip(struct eg_str s)
{
    return is_ipv4(s) || is_ipv6(s);
}

/* The resolver reads a name whose last label is a number as an address
 * (2130706433, 0x7f.1): only the dotted quad may be one. */
static bool is_numeric_label(struct eg_str label)
{
    size_t i = 0;
    if (label.n > 2 && label.p[0] == '0' && (label.p[1] == 'x' || label.p[1] == 'X')) {
        for (i = 2; i < label.n && is_hex(label.p[i]); i++)
            ;
        return i == label.n;
    }
    while (i < label.n && is_digit(label.p[i])) i++;
    return i == label.n;
}

/* RFC 1123, section 2.1; one dot may end it. */
static bool is_name(struct eg_str s)
{
    struct eg_str label;
    if (s.n > 1 && s.p[s.n - 1] == '.') s.n--;
    if (s.n == 0 || s.n > 253) return false;
    for (;;) {
        label = (struct eg_str){ s.p, eg_str_find(s, '.') };
        if (label.n == 0 || label.n > 63) return false;
        if (label.p[0] == '-' || label.p[label.n - 1] == '-') return false;
        for (size_t i = 0; i < label.n; i++)
            if (!is_alnum(label.p[i]) && label.p[i] != '-') return false;
        if (label.n == s.n) break;
        s = eg_str_skip(s, label.n + 1);
    }
    return !is_numeric_label(label);
}

bool eg_decide_is_host(struct eg_str s)
{
    return is_name(s) || eg_decide_is_ip(s);
}

/* RFC 5322, section 3.4.1, without quoting and literals: dot-atom @ name.  A
 * first '|' or '/' is refused: mailers of old read a program or a file there. */
bool eg_decide_is_email(struct eg_str s)
{
    /* Without $ and `, which mail programs have expanded (${run{...}}, CVE-2019-10149). */
    static const char specials[] = "!#%&'*+-/=?^_{|}~";
    size_t at = eg_str_rfind(s, '@');
    bool after_dot = true;
    if (s.n > 254 || at == s.n || at == 0 || at > 64) return false;
    if (s.p[0] == '-' || s.p[0] == '|' || s.p[0] == '/') return false;
    for (size_t i = 0; i < at; i++) {
        char c = s.p[i];
        if (c == '.') {
            if (after_dot) return false;
            after_dot = true;
            continue;
        }
        after_dot = false;
        if (is_alnum(c)) continue;
        if (eg_str_find((struct eg_str){ specials, sizeof(specials) - 1 }, c) ==
            sizeof(specials) - 1)
            return false;
    }
    return !after_dot && is_name(eg_str_skip(s, at + 1));
}
