// SPDX-License-Identifier: MIT
/* Names of the members of ZIP, tar and gzip files, judged as the names of
 * uploads are.  Compressed contents are not opened. */
#include "content/parts.h"
#include "decide/write.h"

/* --- The last component of a name that arrives byte by byte --- */

static bool judge_member(struct eg_member *m)
{
    struct eg_str name = { m->name, m->n };
    bool script = m->n && eg_name_is_served(name);
    m->n = 0;
    m->full = false;
    return script;
}

/* True: the component that this byte ended, or made longer than any name can
 * be, is a script's. */
static bool add_to_member(struct eg_member *m, unsigned char c)
{
    if (c == '/') {
        m->n = 0; /* a folder */
        m->full = false;
        return false;
    }
    if (m->full) return false;
    m->name[m->n++] = (char)c;
    if (m->n < EG_NAME_LIMIT) return false;
    bool script = judge_member(m);
    m->full = true;
    return script;
}

static void begin_member(struct eg_member *m)
{
    m->n = 0;
    m->full = false;
}

/* --- ZIP: APPNOTE.TXT 4.3.7 and 4.3.12 --- */

enum zip_state { ZIP_IDLE, ZIP_HEADER, ZIP_NAME, ZIP_FIELD, ZIP_FIELD_SKIP, ZIP_UNICODE };
enum {
    LOCAL_HEADER = 30,
    LOCAL_NAME_LENGTH = 26,
    CENTRAL_HEADER = 46,
    CENTRAL_NAME_LENGTH = 28,
    FIELD_UNICODE_PATH = 0x7075, /* a name in UTF-8 that stands for the header's */
    FIELD_UNICODE_HEAD = 5,      /* version, CRC */
};

void eg_zip_open(struct eg_zip *zip, bool central)
{
    zip->state = ZIP_HEADER;
    zip->central = central;
    zip->at = 0;
    zip->name_left = zip->extra_left = 0;
    begin_member(&zip->member);
}

static void begin_field(struct eg_zip *zip)
{
    zip->state = zip->extra_left < 4 ? ZIP_IDLE : ZIP_FIELD;
    zip->at = 0;
    zip->field = zip->field_size = 0;
}

static void read_zip_header(struct eg_zip *zip, unsigned char c)
{
    unsigned lengths = zip->central ? CENTRAL_NAME_LENGTH : LOCAL_NAME_LENGTH;
    unsigned size = zip->central ? CENTRAL_HEADER : LOCAL_HEADER;
    unsigned at = zip->at++;
    if (at == lengths || at == lengths + 1) zip->name_left |= (uint32_t)c << 8 * (at - lengths);
    if (at == lengths + 2 || at == lengths + 3)
        zip->extra_left |= (uint32_t)c << 8 * (at - lengths - 2);
    if (zip->at < size) return;
    if (zip->name_left)
        zip->state = ZIP_NAME;
    else
        begin_field(zip);
}

static void read_field_header(struct eg_zip *zip, unsigned char c)
{
    unsigned at = zip->at++;
    if (at < 2)
        zip->field |= (uint16_t)(c << 8 * at);
    else
        zip->field_size |= (uint16_t)(c << 8 * (at - 2));
    if (zip->at < 4) return;
    zip->left = zip->field_size < zip->extra_left ? zip->field_size : zip->extra_left;
    zip->at = 0;
    zip->state = ZIP_FIELD_SKIP;
    if (zip->field == FIELD_UNICODE_PATH) zip->state = ZIP_UNICODE;
    if (!zip->left) begin_field(zip);
}

static bool read_zip(struct eg_zip *zip, unsigned char c)
{
    bool script = false;
    switch ((enum zip_state)zip->state) {
    case ZIP_IDLE: return false;
    case ZIP_HEADER: read_zip_header(zip, c); return false;
    case ZIP_NAME:
        script = add_to_member(&zip->member, c);
        if (--zip->name_left == 0) {
            script |= judge_member(&zip->member);
            begin_field(zip);
        }
        return script;
    case ZIP_FIELD:
        zip->extra_left--;
        read_field_header(zip, c);
        return false;
    case ZIP_FIELD_SKIP: break;
    case ZIP_UNICODE:
        if (zip->at < FIELD_UNICODE_HEAD)
            zip->at++;
        else
            script = add_to_member(&zip->member, c);
        break;
    }
    zip->extra_left--;
    if (--zip->left == 0) {
        script |= judge_member(&zip->member);
        begin_field(zip);
    }
    return script;
}

bool eg_zip_feed(struct eg_zip *zip, const unsigned char *p, size_t n, size_t *ret_read)
{
    bool script = false;
    size_t i = 0;
    for (; i < n && zip->state != ZIP_IDLE && !script; i++) script = read_zip(zip, p[i]);
    *ret_read = i;
    return script;
}

/* --- tar: POSIX.1-1988 ustar, pax, GNU --- */

enum {
    TAR_BLOCK = 512,
    TAR_NAME = 0,
    TAR_NAME_SIZE = 100,
    TAR_SIZE = 124,
    TAR_SIZE_SIZE = 12,
    TAR_CHECKSUM = 148,
    TAR_CHECKSUM_SIZE = 8,
    TAR_TYPE = 156,
    TAR_LONG_MAX = 1 << 20, /* of a long name's data; headers are looked for behind it */
};

static uint64_t octal(const unsigned char *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        if (p[i] >= '0' && p[i] <= '7') value = value << 3 | (uint64_t)(p[i] - '0');
    return value;
}

/* A header is what bears its own checksum, with or without a magic word. */
static bool is_tar_header(const unsigned char *block)
{
    unsigned digits = 0;
    for (size_t i = 0; i < TAR_CHECKSUM_SIZE; i++) {
        unsigned char c = block[TAR_CHECKSUM + i];
        if (c >= '0' && c <= '7')
            digits++;
        else if (c != ' ' && c != '\0')
            return false;
    }
    if (digits < 3) return false;
    uint64_t wanted = octal(block + TAR_CHECKSUM, TAR_CHECKSUM_SIZE);
    uint64_t sum = 8 * (uint64_t)' ';
    uint64_t signed_sum = sum; /* old Sun tars */
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        if (i >= TAR_CHECKSUM && i < TAR_CHECKSUM + TAR_CHECKSUM_SIZE) continue;
        sum += block[i];
        signed_sum += (uint64_t)(int64_t)(signed char)block[i];
    }
    return wanted == sum || wanted == signed_sum;
}

/* The data of a long name: GNU's L is the name, pax's x and g are lines
 * "LENGTH KEY=VALUE", of which several keys name the member. */
static bool read_long_name(struct eg_tar *tar, const unsigned char *p, size_t n)
{
    bool pax = tar->long_kind != 'L';
    for (size_t i = 0; i < n; i++) {
        if (pax && !tar->in_value) {
            tar->in_value = p[i] == '=';
        } else if (p[i] == '\0' || (pax && p[i] == '\n')) {
            tar->in_value = false;
            if (judge_member(&tar->member)) return true;
        } else if (add_to_member(&tar->member, p[i])) {
            return true;
        }
    }
    return false;
}

static bool read_tar_block(struct eg_tar *tar, const unsigned char *block)
{
    if (tar->long_left) {
        size_t n = tar->long_left < TAR_BLOCK ? (size_t)tar->long_left : TAR_BLOCK;
        tar->long_left -= n;
        if (read_long_name(tar, block, n)) return true;
        return !tar->long_left && judge_member(&tar->member);
    }
    if (!is_tar_header(block)) return false;
    unsigned char type = block[TAR_TYPE];
    begin_member(&tar->member);
    if (type == 'L' || type == 'x' || type == 'g' || type == 'X') {
        bool binary = block[TAR_SIZE] & 0x80; /* GNU: a size past 8 GiB */
        tar->long_kind = type;
        tar->in_value = false;
        tar->long_left = binary ? TAR_LONG_MAX : octal(block + TAR_SIZE, TAR_SIZE_SIZE);
        if (tar->long_left > TAR_LONG_MAX) tar->long_left = TAR_LONG_MAX;
        return false;
    }
    for (size_t i = 0; i < TAR_NAME_SIZE && block[TAR_NAME + i]; i++)
        if (add_to_member(&tar->member, block[TAR_NAME + i])) return true;
    return judge_member(&tar->member);
}

bool eg_tar_feed(struct eg_tar *tar, const unsigned char *p, size_t n)
{
    while (n) {
        if (!tar->n && n >= TAR_BLOCK) {
            if (read_tar_block(tar, p)) return true;
            p += TAR_BLOCK;
            n -= TAR_BLOCK;
            continue;
        }
        size_t take = TAR_BLOCK - tar->n;
        if (take > n) take = n;
        for (size_t i = 0; i < take; i++) tar->block[tar->n + i] = p[i];
        tar->n = (uint16_t)(tar->n + take);
        p += take;
        n -= take;
        if (tar->n < TAR_BLOCK) break;
        tar->n = 0;
        if (read_tar_block(tar, tar->block)) return true;
    }
    return false;
}

/* --- gzip: RFC 1952 --- */

enum gzip_state { GZIP_HEADER, GZIP_EXTRA_LOW, GZIP_EXTRA_HIGH, GZIP_EXTRA, GZIP_NAME, GZIP_DONE };
enum { GZIP_HEADER_SIZE = 10, GZIP_FLAGS = 3, GZIP_FEXTRA = 4, GZIP_FNAME = 8 };

static bool read_gzip(struct eg_gzip *g, unsigned char c)
{
    static const unsigned char magic[] = { 0x1f, 0x8b, 8 };
    bool script = false;
    switch ((enum gzip_state)g->state) {
    case GZIP_HEADER:
        if (g->left < sizeof magic && c != magic[g->left]) {
            g->state = GZIP_DONE;
            return false;
        }
        if (g->left == GZIP_FLAGS) g->flags = c;
        if (++g->left < GZIP_HEADER_SIZE) return false;
        g->state = g->flags & GZIP_FEXTRA  ? GZIP_EXTRA_LOW
                   : g->flags & GZIP_FNAME ? GZIP_NAME
                                           : GZIP_DONE;
        return false;
    case GZIP_EXTRA_LOW:
        g->left = c;
        g->state = GZIP_EXTRA_HIGH;
        return false;
    case GZIP_EXTRA_HIGH: g->left |= (uint16_t)(c << 8); break;
    case GZIP_EXTRA: g->left--; break;
    case GZIP_NAME:
        if (c) return add_to_member(&g->member, c);
        script = judge_member(&g->member);
        g->state = GZIP_DONE;
        return script;
    case GZIP_DONE: return false;
    }
    g->state = g->left ? GZIP_EXTRA : g->flags & GZIP_FNAME ? GZIP_NAME : GZIP_DONE;
    return false;
}

bool eg_gzip_feed(struct eg_gzip *gzip, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n && gzip->state != GZIP_DONE; i++)
        if (read_gzip(gzip, p[i])) return true;
    return false;
}
