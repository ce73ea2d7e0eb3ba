// SPDX-License-Identifier: MIT
/* See json_check.h. */
#include "json_check.h"

#include <stdint.h>
#include <string.h>

enum { DEPTH_MAX = 32, KEYS_MAX = 128 };

struct reader {
    const char *text;
    size_t n;
    size_t at;
    const char *why;
    unsigned depth;
};

static bool read_value(struct reader *r);

static bool wrong(struct reader *r, const char *why)
{
    if (!r->why) r->why = why;
    return false;
}

static int peek(const struct reader *r)
{
    return r->at < r->n ? (unsigned char)r->text[r->at] : -1;
}

static void skip_space(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || peek(r) == '\r') r->at++;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int hex_digit(int c)
{
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool read_hex4(struct reader *r, uint32_t *ret)
{
    *ret = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(peek(r));
        if (digit < 0) return wrong(r, "a \\u escape needs four hexadecimal digits");
        *ret = *ret << 4 | (uint32_t)digit;
        r->at++;
    }
    return true;
}

/* One UTF-8 sequence, by the table of RFC 3629, section 4. */
static bool read_utf8(struct reader *r)
{
    static const struct {
        unsigned char first, last, second_first, second_last;
        unsigned more;
    } rows[] = {
        { 0x20, 0x7f, 0, 0, 0 },       { 0xc2, 0xdf, 0x80, 0xbf, 1 }, { 0xe0, 0xe0, 0xa0, 0xbf, 2 },
        { 0xe1, 0xec, 0x80, 0xbf, 2 }, { 0xed, 0xed, 0x80, 0x9f, 2 }, { 0xee, 0xef, 0x80, 0xbf, 2 },
        { 0xf0, 0xf0, 0x90, 0xbf, 3 }, { 0xf1, 0xf3, 0x80, 0xbf, 3 }, { 0xf4, 0xf4, 0x80, 0x8f, 3 },
    };
    int c = peek(r);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (c < rows[i].first || c > rows[i].last) continue;
        r->at++;
        for (unsigned k = 0; k < rows[i].more; k++) {
            int next = peek(r);
            int first = k ? 0x80 : rows[i].second_first;
            int last = k ? 0xbf : rows[i].second_last;
            if (next < first || next > last) return wrong(r, "invalid UTF-8");
            r->at++;
        }
        return true;
    }
    return wrong(r, "a control character or invalid UTF-8 inside a string");
}

static bool read_escape(struct reader *r)
{
    uint32_t unit;
    r->at++;
    int c = peek(r);
    if (c >= 0 && strchr("\"\\/bfnrt", c) && c != 0) {
        r->at++;
        return true;
    }
    if (c != 'u') return wrong(r, "an unknown escape");
    r->at++;
    if (!read_hex4(r, &unit)) return false;
    if (unit >= 0xdc00 && unit <= 0xdfff) return wrong(r, "a low surrogate alone");
    if (unit < 0xd800 || unit > 0xdbff) return true;
    if (r->n - r->at < 2 || r->text[r->at] != '\\' || r->text[r->at + 1] != 'u')
        return wrong(r, "a high surrogate alone");
    r->at += 2;
    if (!read_hex4(r, &unit)) return false;
    return (unit >= 0xdc00 && unit <= 0xdfff) || wrong(r, "a high surrogate alone");
}

static bool read_string(struct reader *r)
{
    if (peek(r) != '"') return wrong(r, "a string is due");
    r->at++;
    for (;;) {
        int c = peek(r);
        if (c < 0) return wrong(r, "an unterminated string");
        if (c == '"') {
            r->at++;
            return true;
        }
        if (c == '\\' ? !read_escape(r) : !read_utf8(r)) return false;
    }
}

static bool read_digits(struct reader *r)
{
    if (!is_digit(peek(r))) return wrong(r, "a digit is due");
    while (is_digit(peek(r))) r->at++;
    return true;
}

static bool read_number(struct reader *r)
{
    if (peek(r) == '-') r->at++;
    bool zero = peek(r) == '0';
    size_t start = r->at;
    if (!read_digits(r)) return false;
    if (zero && r->at - start > 1) return wrong(r, "a leading zero");
    if (peek(r) == '.') {
        r->at++;
        if (!read_digits(r)) return false;
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        if (peek(r) == '+' || peek(r) == '-') r->at++;
        if (!read_digits(r)) return false;
    }
    return true;
}

static bool read_word(struct reader *r, const char *word)
{
    size_t length = strlen(word);
    if (r->n - r->at < length || memcmp(r->text + r->at, word, length) != 0)
        return wrong(r, "an unknown word");
    r->at += length;
    return true;
}

static bool read_array(struct reader *r)
{
    r->at++;
    skip_space(r);
    if (peek(r) == ']') {
        r->at++;
        return true;
    }
    for (;;) {
        if (!read_value(r)) return false;
        int c = peek(r);
        r->at++;
        if (c == ']') return true;
        if (c != ',') return wrong(r, "',' or ']' is due");
    }
}

static bool read_object(struct reader *r)
{
    struct {
        size_t at, n;
    } keys[KEYS_MAX];
    size_t count = 0;
    r->at++;
    skip_space(r);
    if (peek(r) == '}') {
        r->at++;
        return true;
    }
    for (;;) {
        skip_space(r);
        size_t start = r->at;
        if (!read_string(r)) return false;
        size_t n = r->at - start;
        for (size_t i = 0; i < count; i++)
            if (keys[i].n == n && memcmp(r->text + keys[i].at, r->text + start, n) == 0)
                return wrong(r, "a duplicate key");
        if (count == KEYS_MAX) return wrong(r, "too many keys");
        keys[count].at = start;
        keys[count++].n = n;
        skip_space(r);
        if (peek(r) != ':') return wrong(r, "':' is due");
        r->at++;
        if (!read_value(r)) return false;
        int c = peek(r);
        r->at++;
        if (c == '}') return true;
        if (c != ',') return wrong(r, "',' or '}' is due");
    }
}

static bool read_nested(struct reader *r, bool (*read)(struct reader *))
{
    if (r->depth == DEPTH_MAX) return wrong(r, "too deep");
    r->depth++;
    bool good = read(r);
    r->depth--;
    return good;
}

/* A value with the space around it. */
static bool read_value(struct reader *r)
{
    bool good;
    skip_space(r);
    switch (peek(r)) {
    case '{': good = read_nested(r, read_object); break;
    case '[': good = read_nested(r, read_array); break;
    case '"': good = read_string(r); break;
    case 't': good = read_word(r, "true"); break;
    case 'f': good = read_word(r, "false"); break;
    case 'n': good = read_word(r, "null"); break;
    default: good = read_number(r); break;
    }
    skip_space(r);
    return good;
}

bool json_check(const char *text, size_t n, const char **ret_why, size_t *ret_at)
{
    struct reader r = { .text = text, .n = n };
    bool good = read_value(&r);
    if (good && r.at != n) good = wrong(&r, "something follows the value");
    if (!good && ret_why) *ret_why = r.why;
    if (!good && ret_at) *ret_at = r.at;
    return good;
}

static bool put_code(char *ret, size_t cap, size_t *length, uint32_t code)
{
    char bytes[4];
    size_t n = 0;
    if (!code) code = 0xfffd;
    if (code < 0x80) {
        bytes[n++] = (char)code;
    } else if (code < 0x800) {
        bytes[n++] = (char)(0xc0 | code >> 6);
        bytes[n++] = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        bytes[n++] = (char)(0xe0 | code >> 12);
        bytes[n++] = (char)(0x80 | (code >> 6 & 63));
        bytes[n++] = (char)(0x80 | (code & 63));
    } else {
        bytes[n++] = (char)(0xf0 | code >> 18);
        bytes[n++] = (char)(0x80 | (code >> 12 & 63));
        bytes[n++] = (char)(0x80 | (code >> 6 & 63));
        bytes[n++] = (char)(0x80 | (code & 63));
    }
    if (*length + n >= cap) return false;
    memcpy(ret + *length, bytes, n);
    *length += n;
    return true;
}

/* text: a string that read_string accepts, with its quotes. */
static bool decode(const char *text, size_t n, char *ret, size_t cap)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    size_t length = 0;
    struct reader r = { .text = text, .n = n, .at = 1 };
    while (r.at < n - 1) {
        if (text[r.at] != '\\') {
            if (length + 1 >= cap) return false;
            ret[length++] = text[r.at++];
            continue;
        }
        r.at++;
        char c = text[r.at++];
        if (c != 'u') {
            if (length + 1 >= cap) return false;
            ret[length++] = to[strchr(from, c) - from];
            continue;
        }
        uint32_t code;
        uint32_t low;
        if (!read_hex4(&r, &code)) return false;
        if (code >= 0xd800 && code <= 0xdbff) {
            r.at += 2;
            if (!read_hex4(&r, &low)) return false;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        if (!put_code(ret, cap, &length, code)) return false;
    }
    ret[length] = '\0';
    return true;
}

bool json_get(const char *text, size_t n, const char *path, char *ret, size_t cap)
{
    struct reader r = { .text = text, .n = n };
    skip_space(&r);
    if (peek(&r) != '{') return false;
    size_t want = strcspn(path, ".");
    r.at++;
    for (;;) {
        skip_space(&r);
        size_t key = r.at;
        if (peek(&r) != '"' || !read_string(&r)) return false;
        size_t key_length = r.at - key - 2;
        skip_space(&r);
        r.at++; /* : */
        skip_space(&r);
        size_t start = r.at;
        if (!read_value(&r)) return false;
        size_t end = r.at;
        while (end > start && strchr(" \t\r\n", text[end - 1])) end--;
        if (key_length == want && memcmp(text + key + 1, path, want) == 0) {
            if (path[want] == '.')
                return json_get(text + start, end - start, path + want + 1, ret, cap);
            if (text[start] == '"') return decode(text + start, end - start, ret, cap);
            if (end - start >= cap) return false;
            memcpy(ret, text + start, end - start);
            ret[end - start] = '\0';
            return true;
        }
        if (peek(&r) != ',') return false;
        r.at++;
    }
}
