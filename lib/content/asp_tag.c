// SPDX-License-Identifier: MIT
/* <script> elements that run on the server: language=php (PHP before 7),
 * runat=server. */
#include "content/parts.h"

enum tag_state {
    NO_TAG,
    OPENING, /* the word `script` */
    BLANK,
    ATTRIBUTE, /* its name */
    EQUALS,
    VALUE,
    OTHER_VALUE, /* of an attribute that does not matter */
};

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

void eg_asp_open_script(struct eg_asp_tag *tag)
{
    *tag = (struct eg_asp_tag){ .state = OPENING };
}

static const char opening[] = "<script";
/* attribute, value */
static const char *const wanted[][2] = { { "language", "php" }, { "runat", "server" } };
enum { LANGUAGE, RUNAT, PLACES };

/* at: which row it may be, and how many bytes of it are there: row * 16 + n. */
static bool continue_word(struct eg_asp_tag *tag, unsigned char c, int side)
{
    unsigned row = tag->at / 16u;
    unsigned n = tag->at % 16u;
    if (n == 0 && side == 0)
        for (row = 0; row < PLACES - 1; row++)
            if (wanted[row][0][0] == (char)eg_lower(c)) break;
    if (!wanted[row][side][n] || wanted[row][side][n] != (char)eg_lower(c)) return false;
    tag->at = (uint8_t)(row * 16u + n + 1);
    return true;
}

static bool read_tag(struct eg_asp_tag *tag, unsigned char c)
{
    bool whole;
    /* Another tag is looked at by itself, so that no byte is read for many. */
    if ((c == '>' && tag->state != VALUE) || (c == '<' && tag->state != OPENING)) {
        tag->state = NO_TAG;
        return false;
    }
    switch ((enum tag_state)tag->state) {
    case NO_TAG: break;
    case OPENING:
        if (tag->at == sizeof opening - 1)
            tag->state = is_blank(c) ? BLANK : NO_TAG;
        else if (eg_lower(c) != (unsigned char)opening[tag->at++])
            tag->state = NO_TAG;
        break;
    case BLANK:
        if (is_blank(c) || c == '/') break;
        tag->at = 0;
        tag->state = continue_word(tag, c, 0) ? ATTRIBUTE : OTHER_VALUE;
        break;
    case ATTRIBUTE:
        whole = !wanted[tag->at / 16u][0][tag->at % 16u];
        if (c == '=' && whole) {
            tag->state = VALUE;
            tag->at &= 0xf0u;
        } else if (is_blank(c) && whole) {
            tag->state = EQUALS;
        } else if (!continue_word(tag, c, 0)) {
            tag->state = is_blank(c) ? BLANK : OTHER_VALUE;
        }
        break;
    case EQUALS:
        if (is_blank(c)) break;
        tag->state = c == '=' ? VALUE : OTHER_VALUE;
        tag->at &= 0xf0u;
        break;
    case VALUE:
        whole = !wanted[tag->at / 16u][1][tag->at % 16u];
        if (whole && (c == '"' || c == '\'' || c == '>' || c == '/' || is_blank(c))) {
            tag->state = NO_TAG;
            tag->php = tag->at / 16u == LANGUAGE;
            return true;
        }
        if (tag->at % 16u == 0 && (c == '"' || c == '\'' || is_blank(c))) break;
        if (!continue_word(tag, c, 1)) tag->state = c == '>' ? NO_TAG : OTHER_VALUE;
        break;
    case OTHER_VALUE:
        if (is_blank(c) || c == '"' || c == '\'') tag->state = BLANK;
        break;
    }
    return false;
}

bool eg_asp_feed_script(struct eg_asp_tag *tag, const unsigned char *p, size_t n)
{
    bool found = false;
    for (size_t i = 0; i < n && tag->state != NO_TAG && !found; i++) found = read_tag(tag, p[i]);
    return found;
}
