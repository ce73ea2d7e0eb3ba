// SPDX-License-Identifier: MIT
/* Strings of PHP: what ends them, and where code is inserted into them. */
#include "content/php.h"

static const uint64_t fnv_offset = 0xcbf29ce484222325u; /* FNV-1a */
static const uint64_t fnv_prime = 0x100000001b3u;
/* --- Strings and heredocs --- */

/* Something is inserted: `{$` or `${` was read. */
static void insert(struct eg_php *php)
{
    enum bracket bracket = IN_HEREDOC;
    if (php->mode == DOUBLE) bracket = IN_DOUBLE;
    if (php->mode == BACKTICK) bracket = IN_BACKTICK;
    php->evidence = true;
    php->mode = CODE;
    php->op_n = 0;
    php->last = OPEN;
    eg_php_push(php, bracket);
}

static void close_string(struct eg_php *php)
{
    php->mode = CODE;
    php->last = STR;
    php->op_n = 0;
}

/* A byte of a string that variables are inserted in; *state is its PLAIN ...
 * state.  False: the byte has to be read again. */
static bool read_inserting(struct eg_php *php, uint8_t *state, unsigned char c)
{
    switch (*state) {
    case ESCAPED: *state = PLAIN; return true;
    case AFTER_DOLLAR:
        *state = PLAIN;
        if (c == '{') {
            insert(php);
            return true;
        }
        if (eg_php_begins_name(php, c)) php->evidence = true;
        return false;
    case AFTER_BRACE:
        *state = PLAIN;
        if (c != '$') return false;
        insert(php);
        if (php->mode == CODE) php->op[php->op_n++] = '$';
        return true;
    default: break;
    }
    if (c == '\\') *state = ESCAPED;
    if (c == '$') *state = AFTER_DOLLAR;
    if (c == '{') *state = AFTER_BRACE;
    return true;
}

void eg_php_read_string(struct eg_php *php, unsigned char c)
{
    unsigned char end = php->mode == DOUBLE ? '"' : '`';
    do {
        if (php->sub == PLAIN && c == end) {
            close_string(php);
            return;
        }
    } while (!read_inserting(php, &php->sub, c));
}

void eg_php_read_single(struct eg_php *php, unsigned char c)
{
    if (php->sub == ESCAPED)
        php->sub = PLAIN;
    else if (c == '\\')
        php->sub = ESCAPED;
    else if (c == '\'')
        close_string(php);
}

static void begin_hash(struct eg_php *php)
{
    php->hash = fnv_offset;
    php->hash_n = 0;
}

static void add_hash(struct eg_php *php, unsigned char c)
{
    php->hash = (php->hash ^ c) * fnv_prime;
    if (php->hash_n < UINT16_MAX) php->hash_n++;
}

static void open_heredoc(struct eg_php *php)
{
    if (php->heredoc_n == EG_PHP_HEREDOCS || php->hash_n == UINT16_MAX) {
        eg_php_find(php);
        return;
    }
    php->heredoc_hash[php->heredoc_n] = php->hash;
    php->heredoc_length[php->heredoc_n++] = php->hash_n;
    php->mode = php->quote == '\'' ? NOWDOC : HEREDOC;
    php->quote = PLAIN;
    php->sub = LINE_INDENT;
    begin_hash(php);
}

/* After `<<<`: blanks, a name that may be quoted, the end of the line. */
void eg_php_read_heredoc_name(struct eg_php *php, unsigned char c)
{
    enum { BLANKS, NAMING, LINE_END };
    bool newline = c == '\n' || c == '\r';
    if (php->sub == BLANKS) {
        if (c == ' ' || c == '\t') return;
        php->sub = NAMING;
        php->quote = c == '"' || c == '\'' ? c : 0;
        begin_hash(php);
        if (php->quote) return;
    }
    if (php->sub == NAMING && (php->hash_n ? eg_php_in_name(php, c) : eg_php_begins_name(php, c)))
        add_hash(php, c);
    else if (php->sub == NAMING && php->hash_n && php->quote && c == php->quote)
        php->sub = LINE_END;
    else if (newline && php->hash_n && (php->sub == LINE_END || !php->quote))
        open_heredoc(php);
    else
        eg_php_die(php);
}

void eg_php_close_heredoc(struct eg_php *php)
{
    php->heredoc_n--;
    close_string(php);
}

/* Follows where in the line the byte stands.  True: the heredoc's name stood
 * there, and the byte (after a `;` that was read already, in old versions) is
 * code again. */
static bool ends_heredoc(struct eg_php *php, unsigned char c)
{
    bool newline = c == '\n' || c == '\r';
    unsigned top = php->heredoc_n - 1u;
    bool named = php->sub == LINE_NAME && php->hash_n == php->heredoc_length[top] &&
                 php->hash == php->heredoc_hash[top];
    if (php->sub == LINE_SEMICOLON && newline) return true;
    if (named && php->version != EG_PHP_OLD && !eg_php_in_name(php, c)) return true;
    if (named && php->version == EG_PHP_OLD && newline) return true;
    if (named && php->version == EG_PHP_OLD && c == ';') {
        php->sub = LINE_SEMICOLON;
        return false;
    }
    if (newline) {
        php->sub = LINE_INDENT;
        begin_hash(php);
    } else if (php->sub == LINE_INDENT && (c == ' ' || c == '\t') && php->version != EG_PHP_OLD) {
        return false;
    } else if ((php->sub == LINE_INDENT || php->sub == LINE_NAME) && eg_php_in_name(php, c)) {
        php->sub = LINE_NAME;
        add_hash(php, c);
    } else {
        php->sub = LINE_REST;
    }
    return false;
}

/* False: the byte has to be read again, as code. */
bool eg_php_read_heredoc(struct eg_php *php, unsigned char c)
{
    bool semicolon = php->sub == LINE_SEMICOLON;
    if (ends_heredoc(php, c)) {
        eg_php_close_heredoc(php);
        if (semicolon) eg_php_take(php, SEMICOLON);
        return false;
    }
    if (php->mode == NOWDOC) return true;
    /* A backslash does not hide the end of its line. */
    if (php->quote == ESCAPED && (c == '\n' || c == '\r')) php->quote = PLAIN;
    while (!read_inserting(php, &php->quote, c)) {
    }
    return true;
}
