// SPDX-License-Identifier: MIT
/* Reads one word of a command line and removes its quotes, as dash's
 * readtoken1() does; whatever would be expanded is refused on the spot. */
#include "line/scan.h"

#include <linux/errno.h>

bool eg_scan_refuse(struct eg_scan *scan, enum eg_construct construct, size_t offset, size_t end)
{
    if (!scan->construct) {
        scan->construct = construct;
        scan->offset = offset < scan->n ? offset : scan->n;
        scan->end = end < scan->n ? end : scan->n;
    }
    return false;
}

/* Backslash-newline is removed everywhere but in single quotes and comments,
 * also inside operators (dash: pgetc_eatbnl). */
static size_t skip_joins(const struct eg_scan *scan, size_t at)
{
    while (at + 1 < scan->n && scan->p[at] == '\\' && scan->p[at + 1] == '\n') at += 2;
    return at;
}

static int byte_at(const struct eg_scan *scan, size_t at)
{
    return at < scan->n ? (unsigned char)scan->p[at] : EG_SCAN_END;
}

int eg_scan_peek(struct eg_scan *scan)
{
    scan->at = skip_joins(scan, scan->at);
    return byte_at(scan, scan->at);
}

int eg_scan_peek_second(struct eg_scan *scan)
{
    scan->at = skip_joins(scan, scan->at);
    if (scan->at >= scan->n) return EG_SCAN_END;
    return byte_at(scan, skip_joins(scan, scan->at + 1));
}

void eg_scan_blanks(struct eg_scan *scan)
{
    for (;;) {
        int c = eg_scan_peek(scan);
        if (c == ' ' || c == '\t') {
            scan->at++;
        } else if (c == '#') {
            while (scan->at < scan->n && scan->p[scan->at] != '\n') scan->at++;
        } else {
            return;
        }
    }
}

bool eg_scan_is_delimiter(int c)
{
    switch (c) {
    case EG_SCAN_END:
    case ' ':
    case '\t':
    case '\n':
    case '<':
    case '>':
    case '(':
    case ')':
    case ';':
    case '&':
    case '|': return true;
    default: return false;
    }
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(int c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* State of a word while it is read. */
struct word_state {
    enum eg_scan_role role;
    char *start;       /* of its text */
    size_t from;       /* in the line */
    bool quoted, glob; /* as the flags */
    bool name_only;    /* so far: unquoted bytes of a variable's name */
    bool assignment;   /* an unquoted `=` followed a name */
    bool in_set;       /* after an unquoted `[`, before an unquoted `]` */
    bool set_seen;     /* some `[` was closed */
    bool star_seen;    /* some * or ? */
    bool odd_set;      /* a set that only dash's own source can explain */
    int last;          /* last byte, if it was unquoted; else 0 */
};

static void put(struct eg_scan *scan, int c)
{
    /* The caller's memory is as long as the line, and text never grows; so
     * this cannot be reached (asserted by the fuzzer). */
    if (scan->text < scan->text_end) *scan->text++ = (char)c;
}

/* Inside `[ ]`, dash takes quoted bytes literally in some places and not in
 * others; such patterns are not worth being exact about. */
static void put_quoted(struct eg_scan *scan, struct word_state *word, int c)
{
    if (word->in_set) word->odd_set = true;
    word->name_only = false;
    word->last = 0;
    put(scan, c);
}

static bool refuse_at(struct eg_scan *scan, enum eg_construct construct, size_t length)
{
    return eg_scan_refuse(scan, construct, scan->at, scan->at + length);
}

/* In a locale such as GBK or Shift-JIS, a shell that reads characters may take
 * a byte above 127 and the byte after it as one.  bash marks quoted bytes in its own
 * memory with 1 and 127 (CTLESC and CTLNUL of its shell.h), and loses some. */
static bool check_encoding(struct eg_scan *scan, int c)
{
    if (scan->dialect == EG_DIALECT_DASH) return true;
    if (c == 0x01 || c == 0x7f) return refuse_at(scan, EG_CONSTRUCT_ENCODING, 1);
    if (c < 0x80) return true;
    int next = byte_at(scan, scan->at + 1);
    if (next < 0x40 || next >= 0x7f || is_name_start(next) || next == '@') return true;
    return refuse_at(scan, EG_CONSTRUCT_ENCODING, 2);
}

/* `$` at the cursor: literal when nothing that can be expanded follows it. */
static bool read_dollar(struct eg_scan *scan, struct word_state *word, bool in_double)
{
    size_t dollar = scan->at;
    int c = eg_scan_peek_second(scan);
    size_t next = skip_joins(scan, dollar + 1);

    if (c == '(') {
        bool arithmetic = byte_at(scan, skip_joins(scan, next + 1)) == '(';
        return eg_scan_refuse(
            scan, arithmetic ? EG_CONSTRUCT_ARITHMETIC : EG_CONSTRUCT_COMMAND_SUBSTITUTION, dollar,
            next + 1);
    }
    if (c == '{' || is_name_start(c) || is_digit(c) || c == '!' || c == '#' || c == '$' ||
        c == '*' || c == '?' || c == '@' || c == '-') {
        size_t end = next + 1;
        while (is_name_start(c) && end < scan->n &&
               (is_name_start(scan->p[end]) || is_digit(scan->p[end])))
            end++;
        return eg_scan_refuse(scan, EG_CONSTRUCT_PARAMETER, dollar, end);
    }
    if (scan->dialect != EG_DIALECT_DASH) {
        if (!in_double && (c == '\'' || c == '"'))
            return eg_scan_refuse(scan, EG_CONSTRUCT_ANSI_QUOTE, dollar, next + 1);
        if (c == '[') return eg_scan_refuse(scan, EG_CONSTRUCT_ARITHMETIC, dollar, next + 1);
    }
    if (in_double)
        put_quoted(scan, word, '$');
    else {
        put(scan, '$');
        word->name_only = false;
        word->last = '$';
    }
    scan->at = dollar + 1;
    return true;
}

static bool read_single_quotes(struct eg_scan *scan, struct word_state *word)
{
    size_t open = scan->at++;
    for (;; scan->at++) {
        int c = byte_at(scan, scan->at);
        if (c == EG_SCAN_END)
            return eg_scan_refuse(scan, EG_CONSTRUCT_UNTERMINATED_QUOTE, open, open + 1);
        if (c == '\'') break;
        if (!check_encoding(scan, c)) return false;
        put_quoted(scan, word, c);
    }
    scan->at++;
    return true;
}

static bool read_double_quotes(struct eg_scan *scan, struct word_state *word)
{
    size_t open = scan->at++;
    for (;;) {
        int c = eg_scan_peek(scan);
        switch (c) {
        case EG_SCAN_END:
            return eg_scan_refuse(scan, EG_CONSTRUCT_UNTERMINATED_QUOTE, open, open + 1);
        case '"': scan->at++; return true;
        case '`': return refuse_at(scan, EG_CONSTRUCT_COMMAND_SUBSTITUTION, 1);
        case '$':
            if (!read_dollar(scan, word, true)) return false;
            continue;
        case '\\': {
            /* Only before these five does it quote; a newline was skipped. */
            int next = byte_at(scan, scan->at + 1);
            if (next == '$' || next == '`' || next == '"' || next == '\\') {
                scan->at++;
                c = next;
            }
            break;
        }
        default:
            if (!check_encoding(scan, c)) return false;
            break;
        }
        put_quoted(scan, word, c);
        scan->at++;
    }
}

static bool read_backslash(struct eg_scan *scan, struct word_state *word)
{
    int c = byte_at(scan, scan->at + 1);
    word->quoted = true;
    if (c == EG_SCAN_END) { /* the line's last byte: stands for itself in dash */
        if (scan->dialect != EG_DIALECT_DASH) return refuse_at(scan, EG_CONSTRUCT_SYNTAX, 1);
        put_quoted(scan, word, '\\');
        scan->at++;
        return true;
    }
    scan->at++;
    if (!check_encoding(scan, c)) return false;
    put_quoted(scan, word, c);
    scan->at++;
    return true;
}

/* An ordinary unquoted byte: patterns, tilde, names of variables. */
static bool read_plain(struct eg_scan *scan, struct word_state *word, int c)
{
    bool at_start = scan->text == word->start && !word->quoted;
    bool other_shell = scan->dialect != EG_DIALECT_DASH;

    switch (c) {
    case '`': return refuse_at(scan, EG_CONSTRUCT_COMMAND_SUBSTITUTION, 1);
    case '~':
        if (at_start ||
            ((word->assignment || other_shell) && (word->last == '=' || word->last == ':')))
            return refuse_at(scan, EG_CONSTRUCT_TILDE, 1);
        break;
    case '{':
        if (other_shell && !(at_start && eg_scan_peek_second(scan) == '}'))
            return refuse_at(scan, EG_CONSTRUCT_BRACE_EXPANSION, 1);
        break;
    case '*':
    case '?':
    case '[':
        if (other_shell) return refuse_at(scan, EG_CONSTRUCT_GLOB, 1);
        word->glob = true;
        if (c != '[')
            word->star_seen = true;
        else
            word->in_set = true;
        break;
    case ']':
        if (word->in_set) word->set_seen = true;
        word->in_set = false;
        break;
    case '/':
        if (word->in_set) word->odd_set = true;
        break;
    case '=':
        if (word->role == EG_SCAN_FIRST && word->name_only && !at_start) word->assignment = true;
        break;
    default:
        if (!check_encoding(scan, c)) return false;
        if (word->in_set && c >= 0x80) word->odd_set = true;
        break;
    }
    if (!is_name_start(c) && !(is_digit(c) && !at_start)) word->name_only = false;
    word->last = c;
    put(scan, c);
    scan->at++;
    return true;
}

bool eg_scan_word(struct eg_scan *scan, enum eg_scan_role role, struct eg_scan_word *ret)
{
    struct word_state word = { .role = role, .start = scan->text, .name_only = true };
    eg_scan_peek(scan);
    word.from = scan->at;

    for (;;) {
        int c = eg_scan_peek(scan);
        bool ok;
        if (eg_scan_is_delimiter(c)) break;
        switch (c) {
        case '\'':
            word.quoted = true;
            word.name_only = false;
            ok = read_single_quotes(scan, &word);
            break;
        case '"':
            word.quoted = true;
            word.name_only = false;
            ok = read_double_quotes(scan, &word);
            break;
        case '\\': ok = read_backslash(scan, &word); break;
        case '$': ok = read_dollar(scan, &word, false); break;
        default: ok = read_plain(scan, &word, c); break;
        }
        if (!ok) return false;
    }

    /* Assignments and targets are never patterns. */
    bool pattern = word.glob && !word.assignment && role != EG_SCAN_TARGET;
    if (pattern && (word.odd_set || (word.in_set && (word.star_seen || word.set_seen))))
        return eg_scan_refuse(scan, EG_CONSTRUCT_GLOB, word.from, scan->at);

    ret->word = (struct eg_line_word){
        .text = word.start,
        .n = (uint32_t)(scan->text - word.start),
        .offset = (uint32_t)word.from,
        .end = (uint32_t)scan->at,
        .flags =
            (word.quoted ? (uint32_t)EG_WORD_QUOTED : 0) | (pattern ? (uint32_t)EG_WORD_GLOB : 0),
    };
    ret->assignment = word.assignment;
    put(scan, 0);
    return true;
}

/* ---- the pattern of a word, read again from the line ---- */

static bool is_special_in_pattern(int c)
{
    return c == '*' || c == '?' || c == '[' || c == ']' || c == '\\' || c == '!' || c == '-';
}

long eg_line_pattern(struct eg_str line, const struct eg_line_word *word, char *ret, size_t size)
{
    struct eg_scan scan = { .p = line.p, .n = word->end, .at = word->offset };
    char quote = 0;
    size_t n = 0;

    if (word->end > line.n || word->offset > word->end) return -EINVAL;
    while (scan.at < scan.n) {
        if (quote != '\'') scan.at = skip_joins(&scan, scan.at);
        if (scan.at >= scan.n) break;
        char c = scan.p[scan.at++];
        bool escaped = quote != 0;
        if (c == quote) {
            quote = 0;
            continue;
        }
        if (!quote && (c == '\'' || c == '"')) {
            quote = c;
            continue;
        }
        if (c == '\\' && quote != '\'') {
            int next = byte_at(&scan, scan.at);
            if (!quote && next != EG_SCAN_END) {
                c = scan.p[scan.at++];
            } else if (next == '$' || next == '`' || next == '"' || next == '\\') {
                c = scan.p[scan.at++];
            }
            escaped = true;
        }
        if (escaped && is_special_in_pattern(c)) {
            if (n + 1 >= size) return -ENOSPC;
            ret[n++] = '\\';
        }
        if (n + 1 >= size) return -ENOSPC;
        ret[n++] = c;
    }
    if (n >= size) return -ENOSPC;
    ret[n] = '\0';
    return (long)n;
}
