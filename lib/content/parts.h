// SPDX-License-Identifier: MIT
/* The recogniser's machines.  Private to content/.
 *
 * content.c finds places where something may begin, and tells the machines:
 * each then reads every byte from there on, by itself, whatever the others
 * found.  A machine's feed returns true when it has found its kind. */
#ifndef EG_CONTENT_PARTS_H
#define EG_CONTENT_PARTS_H

#include "base/str.h"

/* --- php.c: would some PHP compile this file, and could the code act? --- */

enum eg_php_version {
    EG_PHP_OLD, /* 5.x to 7.2 */
    EG_PHP_MID, /* 7.3, 7.4: a heredoc's end may be indented */
    EG_PHP_NEW, /* 8: a control character is an error, #[ begins an attribute */
    EG_PHP_VERSIONS
};

#define EG_PHP_DEPTH    64u /* brackets inside each other */
#define EG_PHP_HEREDOCS 4u

/* One reader of the whole file, for one version and one setting of
 * short_open_tag. */
struct eg_php {
    uint8_t version;
    bool short_tags;
    uint8_t mode;
    uint8_t sub;   /* state inside the mode */
    uint8_t quote; /* of the heredoc that opens */
    uint8_t last;  /* last token */
    uint8_t skip;  /* bytes of the tag that are still to come */
    uint8_t op_n;
    char op[4];    /* an operator that may become longer */
    bool evidence; /* the code so far could act: it names a variable, or calls */
    bool calls;    /* it holds a parenthesis, a keyword or a shell command */
    bool in_const; /* after `const`, before `=`: two names may stand side by side */
    bool found;
    uint8_t word_n; /* of word; stays at the limit when the word is longer */
    char word[16];  /* lower case */
    uint64_t hash;  /* of the heredoc's name that is being read */
    uint16_t hash_n;
    uint8_t depth;
    uint8_t heredoc_n;
    uint16_t heredoc_length[EG_PHP_HEREDOCS];
    uint64_t heredoc_hash[EG_PHP_HEREDOCS];
    uint8_t stack[EG_PHP_DEPTH];
};

void eg_php_begin(struct eg_php *php, enum eg_php_version version, bool short_tags);
/* Does it look for opening tags now? */
bool eg_php_wants_tag(const struct eg_php *php);
/* Is it inside code, so that it has to read on? */
bool eg_php_reads(const struct eg_php *php);
/* An opening tag of `tag` bytes: the next eg_php_feed starts at its first byte. */
void eg_php_open(struct eg_php *php, uint8_t tag, bool echo);
/* Reads until the code ends (*ret_read bytes) or the bytes do. */
bool eg_php_feed(struct eg_php *php, const unsigned char *p, size_t n, size_t *ret_read);
/* The file ended. */
bool eg_php_end(struct eg_php *php);

/* --- asp.c --- */

/* Who reads what stands between <% and %>: each in its own way, for which language
 * it is cannot be known, and what is a text to one is code to another. */
enum eg_asp_reader {
    EG_ASP_C,     /* Java, C#, JScript */
    EG_ASP_BASIC, /* VBScript, Visual Basic */
    EG_ASP_WIDE,  /* any, in UTF-16 */
    EG_ASP_READERS
};

#define EG_ASP_DEPTH 32u /* brackets inside each other */

enum { EG_ASP_IDLE = 0 };
struct eg_asp_block {
    uint8_t state;      /* EG_ASP_IDLE outside */
    uint8_t skip;       /* bytes of the tag that are still to come */
    bool percent;       /* the byte before was % */
    bool call;          /* seen */
    uint8_t letters;    /* read in a row; then whether a parenthesis calls */
    uint8_t quotes;     /* read in a row */
    unsigned char last; /* byte of code that is no blank, or the line's end */
    uint8_t word_n;
    char word[14]; /* its beginning, lower case */
    uint8_t depth;
    uint64_t stack;       /* of open brackets, two bits each */
    bool odd;             /* WIDE: the next byte is a character's other half */
    bool control;         /* WIDE: the character before may be a control character */
    unsigned char before; /* WIDE: the last other half */
};

/* <script ...> */
struct eg_asp_tag {
    uint8_t state;
    uint8_t at; /* in the word that is compared */
    bool php;   /* found: language=php */
};

/* `<%` begins at the next fed byte.  The feed reads until the block ends
 * (*ret_read bytes) or the bytes do. */
void eg_asp_open_block(struct eg_asp_block *block, enum eg_asp_reader reader);
bool eg_asp_feed_block(struct eg_asp_block *block, enum eg_asp_reader reader,
                       const unsigned char *p, size_t n, size_t *ret_read);
/* `<script` begins at the next fed byte. */
void eg_asp_open_script(struct eg_asp_tag *tag);
bool eg_asp_feed_script(struct eg_asp_tag *tag, const unsigned char *p, size_t n);

/* --- archive.c --- */

#define EG_NAME_LIMIT 256u

/* The last component of a member's name, as it is read. */
struct eg_member {
    uint16_t n;
    bool full; /* longer than any file system takes */
    char name[EG_NAME_LIMIT];
};

#define EG_ZIP_READERS 4u
struct eg_zip {
    uint8_t state;
    bool central;
    uint16_t at; /* in the fixed header, or in an extra field's */
    uint32_t left;
    uint32_t name_left, extra_left;
    uint16_t field, field_size;
    struct eg_member member;
};

struct eg_tar {
    uint16_t n; /* bytes of an unfinished block */
    uint8_t long_kind;
    bool in_value;      /* of a pax record */
    uint64_t long_left; /* bytes of a long name's data */
    struct eg_member member;
    unsigned char block[512];
};

struct eg_gzip {
    uint8_t state;
    uint8_t flags;
    uint16_t left;
    struct eg_member member;
};

/* A local (or central) header begins at the next fed byte. */
void eg_zip_open(struct eg_zip *zip, bool central);
/* Reads until the header's names end (*ret_read bytes) or the bytes do. */
bool eg_zip_feed(struct eg_zip *zip, const unsigned char *p, size_t n, size_t *ret_read);
bool eg_tar_feed(struct eg_tar *tar, const unsigned char *p, size_t n);
bool eg_gzip_feed(struct eg_gzip *gzip, const unsigned char *p, size_t n);

/* --- lines.c: .htaccess and .user.ini --- */

struct eg_htaccess {
    bool dead; /* a server that read this would have stopped before */
    uint8_t state;
    bool escaped; /* a backslash that may join two lines */
    bool full;    /* the value did not fit */
    uint8_t word_n, value_n;
    char word[32];   /* lower case */
    char value[255]; /* lower case */
};

bool eg_htaccess_feed(struct eg_htaccess *h, const unsigned char *p, size_t n);
bool eg_htaccess_end(struct eg_htaccess *h);

/* The value of auto_prepend_file or auto_append_file in a .user.ini. */
struct eg_ini {
    uint8_t state;
    uint8_t skip;
};

/* Does p begin with one of the two? */
bool eg_ini_names(const unsigned char *p, size_t n, size_t *ret_length);
/* The name of this length begins at the next fed byte. */
void eg_ini_open(struct eg_ini *ini, size_t length);
bool eg_ini_feed(struct eg_ini *ini, const unsigned char *p, size_t n);

/* --- shared --- */

static inline unsigned char eg_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

static inline bool eg_is_letter(unsigned char c)
{
    return eg_lower(c) >= 'a' && eg_lower(c) <= 'z';
}

static inline bool eg_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

#endif
