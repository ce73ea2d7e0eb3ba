// SPDX-License-Identifier: MIT
/* The one pass over a file: finds the places where a kind may begin, by pairs of
 * bytes and many at a time, and hands them to the machines (parts.h).
 *
 * A place is only looked at when LOOK bytes behind it are there, or the file
 * ended: so each is looked at once, whole, however the file was cut. */
#include "content/content.h"
#include "base/buf.h"
#include "content/parts.h"

enum { LOOK = 64 }; /* the longest thing that is compared at once */

enum { PHP_MACHINES = 2 * EG_PHP_VERSIONS };

struct state {
    uint32_t mask, hits;
    bool begun;
    unsigned char last; /* that was looked at */
    bool shebang;       /* in a first line that PHP may skip */
    uint8_t carried;
    unsigned char carry[2 * LOOK]; /* bytes that were not looked at */
    struct eg_php php[PHP_MACHINES];
    struct eg_asp_block asp[EG_ASP_READERS];
    struct eg_asp_tag tag;
    struct eg_zip zip[EG_ZIP_READERS];
    struct eg_tar tar;
    struct eg_gzip gzip;
    struct eg_htaccess htaccess;
    struct eg_ini ini;
};
_Static_assert(sizeof(struct state) <= EG_CONTENT_STATE, "the state fits");

static struct state *open_state(struct eg_content_state *state)
{
    return (struct state *)(void *)state;
}

#define C(id, slug, sentence) slug,
static const char *const slugs[] = {
#include "table/contents.def"
};
#undef C
#define C(id, slug, sentence) sentence,
static const char *const sentences[] = {
#include "table/contents.def"
};
#undef C

const char *eg_content_slug(enum eg_content kind)
{
    return kind < EG_CONTENT_COUNT ? slugs[kind] : "unknown";
}

const char *eg_content_sentence(enum eg_content kind)
{
    return kind < EG_CONTENT_COUNT ? sentences[kind] : "unknown";
}

const char *eg_content_names(uint32_t hits, char *ret, size_t size)
{
    struct eg_buf names = eg_buf_over(ret, size);
    for (unsigned kind = 0; kind < EG_CONTENT_COUNT; kind++) {
        if (!(hits & EG_CONTENT_BIT(kind))) continue;
        if (names.n) eg_buf_byte(&names, ' ');
        eg_buf_add(&names, eg_content_slug((enum eg_content)kind));
    }
    return eg_buf_cstr(&names);
}

bool eg_content_find(struct eg_str slug, enum eg_content *ret)
{
    for (unsigned i = 0; i < EG_CONTENT_COUNT; i++) {
        if (!eg_str_equal(slug, eg_str(slugs[i]))) continue;
        *ret = (enum eg_content)i;
        return true;
    }
    return false;
}

static void hit(struct state *s, enum eg_content kind)
{
    s->hits |= EG_CONTENT_BIT(kind) & s->mask;
}

static bool wants(const struct state *s, enum eg_content kind)
{
    return s->mask & ~s->hits & EG_CONTENT_BIT(kind);
}

void eg_content_begin(struct eg_content_state *state, uint32_t mask)
{
    struct state *s = open_state(state);
    *state = (struct eg_content_state){ { 0 } };
    s->mask = mask & EG_CONTENT_ALL;
    s->last = '\n';
    for (unsigned i = 0; i < PHP_MACHINES; i++)
        eg_php_begin(&s->php[i], (enum eg_php_version)(i / 2), i % 2);
}

/* --- Places --- */

/* Sixteen bytes at once; GCC and Clang make of it what the machine has. */
typedef unsigned char block __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

static inline block load(const unsigned char *p)
{
    block b;
    __builtin_memcpy(&b, p, sizeof b);
    return b;
}

/* A pair of bytes that begins something: <? <% <! <s <j <c <NUL, PK, __, au. */
static inline bool is_place(unsigned char a, unsigned char b)
{
    unsigned char lower = b | 0x20;
    return (a == '<' && (b == '?' || b == '%' || b == '!' || b == '\0' || lower == 's' ||
                         lower == 'j' || lower == 'c')) ||
           (a == 'P' && b == 'K') || (a == '_' && b == '_') || (a == 'a' && b == 'u');
}

static inline block places(block a, block b)
{
    block lower = b | 0x20;
    block angle = (block)(a == '<') &
                  ((block)(b == '?') | (block)(b == '%') | (block)(b == '!') | (block)(b == 0) |
                   (block)(lower == 's') | (block)(lower == 'j') | (block)(lower == 'c'));
    return angle | ((block)(a == 'P') & (block)(b == 'K')) |
           ((block)(a == '_') & (block)(b == '_')) | ((block)(a == 'a') & (block)(b == 'u'));
}

/* The first place at or after `from` and before n; p[n] can be read. */
static size_t find_place(const unsigned char *p, size_t from, size_t n)
{
    size_t i = from;
    enum { AT_ONCE = 64 };
    while (i + AT_ONCE <= n) {
        block any =
            places(load(p + i), load(p + i + 1)) | places(load(p + i + 16), load(p + i + 17)) |
            places(load(p + i + 32), load(p + i + 33)) | places(load(p + i + 48), load(p + i + 49));
        halves found = (halves)any;
        if (found[0] | found[1]) break;
        i += AT_ONCE;
    }
    while (i < n && !is_place(p[i], p[i + 1])) i++;
    return i;
}

/* Do these n bytes begin with the word, letters in either case? */
static bool begins(const unsigned char *p, size_t n, struct eg_str word)
{
    if (n < word.n) return false;
    for (size_t i = 0; i < word.n; i++)
        if (eg_lower(p[i]) != (unsigned char)word.p[i]) return false;
    return true;
}

/* --- Machines that read on --- */

/* Bytes to be looked at: n, of `there` that can be seen.  A machine that has read
 * from one place on is free for another one behind what it has read: no byte is
 * read twice by one machine. */
struct span {
    const unsigned char *p;
    size_t n, there;
    size_t line_end; /* of a first line that begins with #! */
    size_t php_free[PHP_MACHINES], zip_free[EG_ZIP_READERS], asp_free[EG_ASP_READERS];
};

static void read_php(struct state *s, struct span *span, unsigned i, size_t at)
{
    size_t read;
    if (eg_php_feed(&s->php[i], span->p + at, span->n - at, &read)) hit(s, EG_CONTENT_PHP);
    span->php_free[i] = at + read;
}

static void read_zip(struct state *s, struct span *span, unsigned i, size_t at)
{
    size_t read;
    if (eg_zip_feed(&s->zip[i], span->p + at, span->n - at, &read)) hit(s, EG_CONTENT_ARCHIVE);
    span->zip_free[i] = at + read;
}

static void read_asp(struct state *s, struct span *span, unsigned i, size_t at)
{
    size_t read;
    if (eg_asp_feed_block(&s->asp[i], (enum eg_asp_reader)i, span->p + at, span->n - at, &read))
        hit(s, EG_CONTENT_ASP);
    span->asp_free[i] = at + read;
}

static void read_asp_script(struct state *s, const struct span *span, size_t at)
{
    if (eg_asp_feed_script(&s->tag, span->p + at, span->n - at))
        hit(s, s->tag.php ? EG_CONTENT_PHP : EG_CONTENT_ASP);
}

/* --- What a place is --- */

static void open_php(struct state *s, struct span *span, size_t at, size_t look)
{
    bool echo = look > 2 && span->p[at + 2] == '=';
    for (unsigned i = 0; i < PHP_MACHINES; i++) {
        struct eg_php *php = &s->php[i];
        if (!eg_php_wants_tag(php) || at < span->php_free[i] || !(echo || php->short_tags))
            continue;
        eg_php_open(php, echo ? 3 : 2, echo);
        read_php(s, span, i, at);
    }
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void look_at_question(struct state *s, struct span *span, size_t at, size_t look)
{
    const unsigned char *q = span->p + at;
    if (begins(q, look, EG_STR("<?php")) && look > 5 && is_blank(q[5]))
        hit(s, EG_CONTENT_PHP);
    else if (at < span->line_end)
        hit(s, EG_CONTENT_PHP); /* some PHP skips this line, some does not */
    else
        open_php(s, span, at, look);
}

static void look_at_jsp(struct state *s, const unsigned char *q, size_t n)
{
    static const struct eg_str tags[] = {
        { "<jsp:declaration", 16 }, { "<jsp:directive.", 15 },  { "<jsp:expression", 15 },
        { "<jsp:forward", 12 },     { "<jsp:include", 12 },     { "<jsp:invoke", 11 },
        { "<jsp:plugin", 11 },      { "<jsp:root", 9 },         { "<jsp:scriptlet", 14 },
        { "<jsp:usebean", 12 },     { "<jsp:setproperty", 16 },
    };
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        if (begins(q, n, tags[i])) hit(s, EG_CONTENT_ASP);
}

/* <cfset ...>: the tags of CFML that compute, start programs or touch files. */
static void look_at_cfml(struct state *s, const unsigned char *q, size_t n)
{
    static const char *const tags[] = {
        "abort",    "argument", "component", "directory", "dump",     "execute", "file",
        "function", "http",     "if",        "include",   "invoke",   "loop",    "module",
        "object",   "output",   "param",     "query",     "registry", "script",  "set",
    };
    if (!begins(q, n, EG_STR("<cf"))) return;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        struct eg_str tag = eg_str(tags[i]);
        if (begins(q + 3, n - 3, tag) && n > 3 + tag.n &&
            (is_blank(q[3 + tag.n]) || q[3 + tag.n] == '>'))
            hit(s, EG_CONTENT_ASP);
    }
}

static size_t skip_blanks(const unsigned char *q, size_t n, size_t from)
{
    while (from < n && is_blank(q[from])) from++;
    return from;
}

/* Apache wants `#' at once; ASP takes blanks before its only element. */
static void look_at_ssi(struct state *s, const unsigned char *q, size_t n)
{
    static const struct eg_str exec = { "#exec", 5 }, include = { "#include", 8 };
    if (!begins(q, n, EG_STR("<!--"))) return;
    size_t at = skip_blanks(q, n, 4);
    struct eg_str element = at == 4 && begins(q + at, n - at, exec) ? exec : include;
    if (!begins(q + at, n - at, element)) return;
    at += element.n;
    if (at < n && is_blank(q[at])) hit(s, EG_CONTENT_ASP);
}

/* <%@ page ...: a word of at least four letters; blanks on either side of the @. */
static bool is_directive(const unsigned char *q, size_t n)
{
    size_t i = skip_blanks(q, n, 2);
    if (i == n) return n == LOOK; /* nothing but blanks as far as one looks */
    if (q[i] != '@') return false;
    i = skip_blanks(q, n, i + 1);
    if (i == n) return true;
    size_t letters = i;
    while (i < n && eg_is_letter(q[i])) i++;
    return i - letters >= 4;
}

/* A local or a central header. */
static void look_at_zip(struct state *s, struct span *span, size_t at, size_t look)
{
    const unsigned char *q = span->p + at;
    bool local = look > 3 && q[2] == 3 && q[3] == 4;
    bool central = look > 3 && q[2] == 1 && q[3] == 2;
    if (!local && !central) return;
    for (unsigned i = 0; i < EG_ZIP_READERS; i++) {
        if (at < span->zip_free[i]) continue;
        eg_zip_open(&s->zip[i], central);
        read_zip(s, span, i, at);
        return;
    }
    hit(s, EG_CONTENT_ARCHIVE); /* no archive has as many inside each other's names */
}

static void look_at_ini(struct state *s, const struct span *span, size_t at, size_t look)
{
    unsigned char before = at ? span->p[at - 1] : s->last;
    size_t length;
    if ((!is_blank(before) && before != 0xbf) || !eg_ini_names(span->p + at, look, &length)) return;
    eg_ini_open(&s->ini, length);
    if (eg_ini_feed(&s->ini, span->p + at, span->n - at)) hit(s, EG_CONTENT_HTACCESS);
}

static void open_asp(struct state *s, struct span *span, unsigned i, size_t at)
{
    if (at < span->asp_free[i]) return;
    eg_asp_open_block(&s->asp[i], (enum eg_asp_reader)i);
    read_asp(s, span, i, at);
}

static void look_at_percent(struct state *s, struct span *span, size_t at, size_t look)
{
    if (is_directive(span->p + at, look)) hit(s, EG_CONTENT_ASP);
    for (unsigned i = 0; i < EG_ASP_READERS; i++)
        if (i != EG_ASP_WIDE) open_asp(s, span, i, at);
}

/* `<` in UTF-16, of either order. */
static void look_at_wide(struct state *s, struct span *span, size_t at, size_t look)
{
    const unsigned char *q = span->p + at;
    unsigned char narrow[LOOK / 2];
    size_t n = 0;
    do narrow[n] = q[2 * n];
    while (++n < sizeof narrow && 2 * n < look && q[2 * n - 1] == 0);
    if (n >= 5 && begins(narrow, n, EG_STR("<?php"))) hit(s, EG_CONTENT_PHP);
    if (!wants(s, EG_CONTENT_ASP)) return;
    look_at_jsp(s, narrow, n);
    look_at_cfml(s, narrow, n);
    if (n < 2 || narrow[1] != '%') return;
    if (is_directive(narrow, n)) hit(s, EG_CONTENT_ASP);
    open_asp(s, span, EG_ASP_WIDE, at);
}

/* A place at `at`, of which `look` bytes can be seen. */
static void look_at(struct state *s, struct span *span, size_t at, size_t look)
{
    /* Spelled as PHP looks for it; a stub needs no tag before it. */
    static const struct eg_str halt = { "__HALT_COMPILER();", 18 };
    const unsigned char *q = span->p + at;
    switch (q[0]) {
    case 'P':
        if (wants(s, EG_CONTENT_ARCHIVE)) look_at_zip(s, span, at, look);
        return;
    case '_':
        if (look >= halt.n && eg_bytes_equal(q, halt.p, halt.n)) hit(s, EG_CONTENT_ARCHIVE);
        return;
    case 'a':
        if (wants(s, EG_CONTENT_HTACCESS)) look_at_ini(s, span, at, look);
        return;
    default: break;
    }
    switch (eg_lower(q[1])) {
    case '?':
        if (wants(s, EG_CONTENT_PHP)) look_at_question(s, span, at, look);
        return;
    case '\0': look_at_wide(s, span, at, look); return;
    case '%':
        if (wants(s, EG_CONTENT_ASP)) look_at_percent(s, span, at, look);
        return;
    case '!': look_at_ssi(s, q, look); return;
    case 'j': look_at_jsp(s, q, look); return;
    case 'c': look_at_cfml(s, q, look); return;
    default: break;
    }
    if (!begins(q, look, EG_STR("<script"))) return;
    eg_asp_open_script(&s->tag);
    read_asp_script(s, span, at);
}

/* --- The start of the file --- */

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t little_endian(const unsigned char *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* A DOS header that says where the PE header is; that may lie behind what can be
 * seen here. */
static bool is_pe(const unsigned char *p, size_t n)
{
    if (n < LOOK || p[0] != 'M' || p[1] != 'Z') return false;
    uint32_t at = little_endian(p + 60);
    return at >= 4 && at < 1u << 24;
}

static bool is_other_program(const unsigned char *p, size_t n)
{
    if (n < 8) return false;
    switch (big_endian(p)) {
    case 0xcafebabe: /* a Java class, or Mach-O for several processors */
    case 0xcafebabf:
    case 0xfeedface: /* Mach-O, by word size and byte order */
    case 0xfeedfacf:
    case 0xcefaedfe:
    case 0xcffaedfe: return true;
    case 0x0061736d: return little_endian(p + 4) == 1; /* WebAssembly */
    default: return false;
    }
}

static void look_at_start(struct state *s, const unsigned char *p, size_t n)
{
    if (n >= 4 && big_endian(p) == 0x7f454c46) hit(s, EG_CONTENT_ELF);
    if (n >= 2 && p[0] == '#' && p[1] == '!') {
        hit(s, EG_CONTENT_SCRIPT);
        s->shebang = true;
    }
    /* Encrypted by ColdFusion's cfencode, and run as it is. */
    if (begins(p, n, EG_STR("allaire cold fusion template\n"))) hit(s, EG_CONTENT_ASP);
    if (is_pe(p, n) || is_other_program(p, n)) hit(s, EG_CONTENT_FOREIGN);
}

/* --- The pass --- */

static void read_on(struct state *s, struct span *span)
{
    const unsigned char *p = span->p;
    size_t n = span->n;
    if (wants(s, EG_CONTENT_PHP))
        for (unsigned i = 0; i < PHP_MACHINES; i++)
            if (eg_php_reads(&s->php[i])) read_php(s, span, i, 0);
    if (wants(s, EG_CONTENT_ARCHIVE)) {
        for (unsigned i = 0; i < EG_ZIP_READERS; i++) read_zip(s, span, i, 0);
        if (eg_tar_feed(&s->tar, p, n)) hit(s, EG_CONTENT_ARCHIVE);
        if (eg_gzip_feed(&s->gzip, p, n)) hit(s, EG_CONTENT_ARCHIVE);
    }
    if (wants(s, EG_CONTENT_ASP))
        for (unsigned i = 0; i < EG_ASP_READERS; i++) read_asp(s, span, i, 0);
    if (wants(s, EG_CONTENT_ASP) || wants(s, EG_CONTENT_PHP)) read_asp_script(s, span, 0);
    if (wants(s, EG_CONTENT_HTACCESS)) {
        if (eg_htaccess_feed(&s->htaccess, p, n)) hit(s, EG_CONTENT_HTACCESS);
        if (eg_ini_feed(&s->ini, p, n)) hit(s, EG_CONTENT_HTACCESS);
    }
}

static void look_through(struct state *s, const unsigned char *p, size_t n, size_t there)
{
    struct span span = { .p = p, .n = n, .there = there };
    if (!n) return;
    if (!s->begun) look_at_start(s, p, there < LOOK ? there : LOOK);
    s->begun = true;
    while (s->shebang && span.line_end < n) s->shebang = p[span.line_end++] != '\n';
    read_on(s, &span);
    /* The last byte of a file begins nothing; before that, p[i + 1] is there. */
    size_t end = n < there ? n : there - 1;
    for (size_t i = find_place(p, 0, end); i < end; i = find_place(p, i + 1, end))
        look_at(s, &span, i, there - i < LOOK ? there - i : LOOK);
    s->last = p[n - 1];
}

bool eg_content_feed(struct eg_content_state *state, const void *bytes, size_t n)
{
    struct state *s = open_state(state);
    const unsigned char *p = bytes;
    if (s->hits == s->mask) return false;
    /* What was carried over, with as much of the new as it needs to see. */
    while (n && s->carried) {
        size_t room = sizeof s->carry - s->carried;
        size_t take = n < room ? n : room;
        __builtin_memcpy(s->carry + s->carried, p, take);
        size_t there = s->carried + take;
        size_t ready = there > LOOK ? there - LOOK : 0;
        if (ready > s->carried) ready = s->carried;
        look_through(s, s->carry, ready, there);
        if (ready == s->carried) {
            s->carried = 0; /* the new bytes follow, in place */
            break;
        }
        __builtin_memmove(s->carry, s->carry + ready, there - ready);
        s->carried = (uint8_t)(there - ready);
        p += take;
        n -= take;
    }
    if (n > LOOK) {
        look_through(s, p, n - LOOK, n);
        p += n - LOOK;
        n = LOOK;
    }
    if (n) {
        __builtin_memcpy(s->carry + s->carried, p, n);
        s->carried = (uint8_t)(s->carried + n);
    }
    return s->hits != s->mask;
}

void eg_content_end(struct eg_content_state *state, uint32_t *ret_hits)
{
    struct state *s = open_state(state);
    look_through(s, s->carry, s->carried, s->carried);
    if (wants(s, EG_CONTENT_PHP))
        for (unsigned i = 0; i < PHP_MACHINES; i++)
            if (eg_php_end(&s->php[i])) hit(s, EG_CONTENT_PHP);
    if (wants(s, EG_CONTENT_HTACCESS) && eg_htaccess_end(&s->htaccess)) hit(s, EG_CONTENT_HTACCESS);
    *ret_hits = s->hits;
}
