// SPDX-License-Identifier: MIT
/* Private to line/: the cursor over a line and the reading of one word. */
#ifndef EG_LINE_SCAN_H
#define EG_LINE_SCAN_H

#include "line/line.h"

#define EG_SCAN_END (-1)

/* Where a parse stands.  Refusals are sticky: after the first one, `construct`
 * is set and nothing else is looked at. */
struct eg_scan {
    const char *p;
    size_t n;
    size_t at;
    enum eg_dialect dialect;
    char *text; /* next free byte of the caller's text memory */
    char *text_end;
    enum eg_construct construct;
    size_t offset, end;
};

/* What word is being read: patterns and tilde depend on it. */
enum eg_scan_role {
    EG_SCAN_FIRST,    /* may be an assignment or the command's name */
    EG_SCAN_ARGUMENT, /* after the command's name */
    EG_SCAN_TARGET,   /* of a redirection */
};

struct eg_scan_word {
    struct eg_line_word word;
    bool assignment; /* FIRST: "NAME=value" with an unquoted name and `=` */
};

/* Note a refusal of [offset, end) unless one is noted; always false. */
bool eg_scan_refuse(struct eg_scan *scan, enum eg_construct construct, size_t offset, size_t end);

/* The byte at the cursor after any backslash-newlines, as unsigned; or END. */
int eg_scan_peek(struct eg_scan *scan);

/* As peek, of the byte after that one; the cursor stays on the first. */
int eg_scan_peek_second(struct eg_scan *scan);

/* Spaces, tabs, joined lines and a comment; not the newline. */
void eg_scan_blanks(struct eg_scan *scan);

/* Does this byte end an unquoted word?  (Also true of END.) */
bool eg_scan_is_delimiter(int c);

/* Read the word at the cursor (which must stand on one).  False: refused. */
bool eg_scan_word(struct eg_scan *scan, enum eg_scan_role role, struct eg_scan_word *ret);

#endif
