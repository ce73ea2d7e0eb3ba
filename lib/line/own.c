// SPDX-License-Identifier: MIT
/* Commands that dash runs itself and that the line runner does in its place: echo with
 * backslashes, printf, pwd, kill.  Only the forms whose meaning is plain. */
#include "line/parser.h"

static bool is_number(struct eg_str s, size_t longest)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0 && s.n <= longest;
}

static bool is_signal(struct eg_str s)
{
    static const char names[][5] = { "ALRM", "CHLD", "CONT", "HUP",  "INT", "KILL",
                                     "QUIT", "STOP", "TERM", "USR1", "USR2" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (eg_str_equal(s, eg_str(names[i]))) return true;
    return is_number(s, 2) && (s.n == 1 || s.p[0] < '6');
}

/* kill [-SIGNAL | -s SIGNAL] PROCESS...; no group, not process 0. */
static bool is_plain_kill(const struct eg_line_word *words, uint32_t count)
{
    uint32_t at = 1;
    if (count > 3 && eg_word_is(&words[1], EG_STR("-s"))) {
        if (is_number(eg_word_str(&words[2]), 2) || !is_signal(eg_word_str(&words[2])))
            return false;
        at = 3;
    } else if (count > 2 && words[1].n && words[1].text[0] == '-') {
        if (!is_signal(eg_str_skip(eg_word_str(&words[1]), 1))) return false;
        at = 2;
    }
    if (at == count) return false;
    for (; at < count; at++)
        if (!is_number(eg_word_str(&words[at]), 9) || words[at].text[0] == '0') return false;
    return true;
}

/* printf FORMAT ARGUMENT...: %s, %%, \n, \t and \\ are all that it may hold. */
static bool is_plain_printf(const struct eg_line_word *words, uint32_t count)
{
    if (count < 2 || !words[1].n || words[1].text[0] == '-') return false;
    for (const char *p = words[1].text; *p; p++) {
        if (*p == '%' && *++p != 's' && *p != '%') return false;
        if (*p == '\\' && *++p != 'n' && *p != 't' && *p != '\\') return false;
    }
    return true;
}

bool eg_own_is_plain(const struct eg_line_word *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (words[i].flags & EG_WORD_GLOB) return false;
    if (eg_word_is(&words[0], EG_STR("echo"))) return true;
    if (eg_word_is(&words[0], EG_STR("kill"))) return is_plain_kill(words, count);
    if (eg_word_is(&words[0], EG_STR("printf"))) return is_plain_printf(words, count);
    return eg_word_is(&words[0], EG_STR("pwd")) && count == 1;
}
