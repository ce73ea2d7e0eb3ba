// SPDX-License-Identifier: MIT
/* .htaccess and .user.ini by what they say, whatever they are called.
 *
 * Apache refuses a whole .htaccess for one line that it does not understand, so
 * lines that cannot be one end the search: a picture is out after some bytes.
 * Comments may hold anything, and what follows a NUL in a line is not seen; both
 * have been used to make a picture that is a .htaccess (XBM, WBMP).
 *
 * PHP takes each entry of a .user.ini as it comes, before it meets a mistake, so
 * there the two entries count at the start of any line. */
#include "content/parts.h"

enum state { LINE_START, WORD, SECTION, GAP, VALUE, REST };

enum rule { WHEN, UNLESS, PREFIX, IS_SECTION };
static const struct directive {
    const char *word;
    const char *values; /* separated by | */
    enum rule rule;
} directives[] = {
#define D(word, values) { word, values, WHEN },
#define N(word, values) { word, values, UNLESS },
#define P(word)         { word, "", PREFIX },
#define S(word)         { word, "", IS_SECTION },
#include "table/directives.def"
#undef D
#undef N
#undef P
#undef S
};

static bool contains(struct eg_str text, struct eg_str part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (eg_bytes_equal(text.p + i, part.p, part.n)) return true;
    return false;
}

/* One of the values is in the text (whole: is its beginning, as whole words). */
static bool any_value(const char *values, struct eg_str text, bool whole)
{
    struct eg_str left = eg_str(values);
    while (left.n) {
        struct eg_str value = { left.p, eg_str_find(left, '|') };
        left = eg_str_skip(left, value.n + 1);
        if (!whole && contains(text, value)) return true;
        if (whole && eg_str_starts(text, value) &&
            (text.n == value.n || text.p[value.n] == ' ' || text.p[value.n] == '\t'))
            return true;
    }
    return false;
}

static bool judge_line(const struct eg_htaccess *h)
{
    struct eg_str word = { h->word, h->word_n };
    struct eg_str value = { h->value, h->value_n };
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
        const struct directive *d = &directives[i];
        if (d->rule == PREFIX && eg_str_starts(word, eg_str(d->word)) && value.n &&
            word.n > eg_str(d->word).n)
            return true;
        if (d->rule == PREFIX || d->rule == IS_SECTION || !eg_str_equal(word, eg_str(d->word)))
            continue;
        if (!value.n) return false;
        if (d->rule == UNLESS) return !any_value(d->values, value, true);
        return h->full || !*d->values || any_value(d->values, value, false);
    }
    return false;
}

static bool is_section(struct eg_str word)
{
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
        if (directives[i].rule == IS_SECTION && eg_str_equal(word, eg_str(directives[i].word)))
            return true;
    return false;
}

static void begin_line(struct eg_htaccess *h)
{
    h->state = LINE_START;
    h->word_n = h->value_n = 0;
    h->full = false;
}

static bool in_word(unsigned char c)
{
    return eg_is_letter(c) || eg_is_digit(c) || c == '_' || c == '-' || c == '.';
}

static void add_to_word(struct eg_htaccess *h, unsigned char c)
{
    if (h->word_n == sizeof h->word)
        h->dead = true; /* no directive is as long */
    else
        h->word[h->word_n++] = (char)eg_lower(c);
}

/* Runs of blanks are one space, quotes are left out. */
static void add_to_value(struct eg_htaccess *h, unsigned char c)
{
    if (c == '"' || c == '\'') return;
    if (c == '\t') c = ' ';
    if (c == ' ' && (!h->value_n || h->value[h->value_n - 1] == ' ')) return;
    if (h->value_n == sizeof h->value)
        h->full = true;
    else
        h->value[h->value_n++] = (char)eg_lower(c);
}

/* A byte of a line, not its end. */
static void read_line(struct eg_htaccess *h, unsigned char c)
{
    bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
    switch ((enum state)h->state) {
    case LINE_START:
        if (blank) break;
        if (c == '#') {
            h->state = REST;
        } else if (c == '<') {
            h->state = SECTION;
        } else if (eg_is_letter(c)) {
            h->state = WORD;
            add_to_word(h, c);
        } else {
            h->dead = true;
        }
        break;
    case WORD:
        if (blank)
            h->state = GAP;
        else if (in_word(c))
            add_to_word(h, c);
        else
            h->dead = true;
        break;
    case SECTION:
        if (c == '/' && !h->word_n) break;
        if (in_word(c)) {
            add_to_word(h, c);
        } else {
            h->dead = !is_section((struct eg_str){ h->word, h->word_n });
            h->state = REST;
        }
        break;
    case GAP:
        if (blank) break;
        h->state = VALUE;
        add_to_value(h, c);
        break;
    case VALUE: add_to_value(h, c); break;
    case REST: break;
    }
}

static bool end_line(struct eg_htaccess *h)
{
    bool found = h->state == VALUE && judge_line(h);
    begin_line(h);
    return found;
}

bool eg_htaccess_feed(struct eg_htaccess *h, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n && !h->dead; i++) {
        unsigned char c = p[i];
        if (h->escaped) {
            if (c == '\r') continue;
            h->escaped = false;
            /* A server of any kind may see the second line by itself. */
            if (c == '\n' && h->state != REST) continue;
            if (c != '\n') read_line(h, '\\');
        }
        if (c == '\n') {
            if (end_line(h)) return true;
        } else if (c == '\\') {
            h->escaped = true;
        } else if (c == '\0') {
            /* The value, if any, ends here, and so does the word. */
            if (end_line(h)) return true;
            h->state = REST;
        } else {
            read_line(h, c);
        }
    }
    return false;
}

bool eg_htaccess_end(struct eg_htaccess *h)
{
    return !h->dead && end_line(h);
}

/* --- .user.ini --- */

enum { INI_IDLE, INI_EQUALS, INI_VALUE };

bool eg_ini_names(const unsigned char *p, size_t n, size_t *ret_length)
{
    static const struct eg_str names[] = { { "auto_prepend_file", 17 },
                                           { "auto_append_file", 16 } };
    for (size_t i = 0; i < 2; i++) {
        if (n < names[i].n || !eg_bytes_equal(p, names[i].p, names[i].n)) continue;
        *ret_length = names[i].n;
        return true;
    }
    return false;
}

void eg_ini_open(struct eg_ini *ini, size_t length)
{
    ini->state = INI_EQUALS;
    ini->skip = (uint8_t)length;
}

bool eg_ini_feed(struct eg_ini *ini, const unsigned char *p, size_t n)
{
    size_t i = ini->skip < n ? ini->skip : n;
    ini->skip = (uint8_t)(ini->skip - i);
    for (; i < n && ini->state != INI_IDLE; i++) {
        if (p[i] == ' ' || p[i] == '\t') continue;
        if (ini->state == INI_VALUE) {
            ini->state = INI_IDLE;
            return p[i] != '\n' && p[i] != '\r' && p[i] != ';';
        }
        ini->state = p[i] == '=' ? INI_VALUE : INI_IDLE;
    }
    return false;
}
