// SPDX-License-Identifier: MIT
/* The content recogniser: every kind in every place, cut in every way, what
 * evades other scanners, and what only looks like code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "content/content.h"

#define PHP      EG_CONTENT_BIT(EG_CONTENT_PHP)
#define ASP      EG_CONTENT_BIT(EG_CONTENT_ASP)
#define ELF      EG_CONTENT_BIT(EG_CONTENT_ELF)
#define SCRIPT   EG_CONTENT_BIT(EG_CONTENT_SCRIPT)
#define HTACCESS EG_CONTENT_BIT(EG_CONTENT_HTACCESS)
#define ARCHIVE  EG_CONTENT_BIT(EG_CONTENT_ARCHIVE)
#define FOREIGN  EG_CONTENT_BIT(EG_CONTENT_FOREIGN)

static uint32_t recognise_in_pieces(const void *bytes, size_t n, size_t piece)
{
    struct eg_content_state state;
    uint32_t hits = 0;
    eg_content_begin(&state, EG_CONTENT_ALL);
    for (size_t at = 0; at < n; at += piece) {
        /* Exactly the bytes, so that a byte read beyond them is seen. */
        size_t size = n - at < piece ? n - at : piece;
        char *copy = malloc(size);
        memcpy(copy, (const char *)bytes + at, size);
        bool more = eg_content_feed(&state, copy, size);
        free(copy);
        if (!more) break;
    }
    eg_content_end(&state, &hits);
    return hits;
}

static uint32_t recognise(const void *bytes, size_t n)
{
    static const size_t pieces[] = { 1, 2, 3, 5, 7, 63, 64, 65, 127, 128, 129, 511, 4096 };
    uint32_t whole = recognise_in_pieces(bytes, n, n ? n : 1);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        uint32_t cut = recognise_in_pieces(bytes, n, pieces[i]);
        if (cut != whole) print_error("cut at %zu: %x, whole: %x\n", pieces[i], cut, whole);
        assert_int_equal(cut, whole);
    }
    return whole;
}

struct sample {
    uint32_t hits;
    const char *text;
    size_t n;
};
#define T(hits, text)                                                                              \
    {                                                                                              \
        hits, text, sizeof(text) - 1                                                               \
    }

static void check_samples(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t hits = recognise(samples[i].text, samples[i].n);
        if (hits != samples[i].hits)
            print_error("`%s': %x, expected %x\n", samples[i].text, hits, samples[i].hits);
        assert_int_equal(hits, samples[i].hits);
    }
}
#define CHECK(samples) check_samples(samples, sizeof(samples) / sizeof(samples)[0])

static void every_tag_of_php_is_found(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        T(PHP, "<?php system($_GET['c']);"),
        T(PHP, "<?PhP\nsystem('id');"),
        T(PHP, "<?=system($_GET[0])?>"),
        T(PHP, "<?=`$_GET[0]`?>"),
        T(PHP, "<?=`id`;"),
        T(PHP, "<? eval($_POST['x']); ?>"),
        T(PHP, "<?eval($_POST[x]);"),
        T(PHP, "<?@eval($_POST[x])?>"),
        T(PHP, "<?include'a.jpg'?>"),
        T(PHP, "<?$a=$_GET[0];$a($_GET[1]);"),
        T(PHP, "<?$x=1;"),
        T(PHP, "<script language=php>system('id');</script>"),
        T(PHP, "<SCRIPT  Language = \"PHP\" >system('id');</script>"),
        T(PHP, "<script x='y' language='php'>"),
        T(PHP, "<\0?\0p\0h\0p\0 \0e\0v\0a\0l\0(\0)\0;\0"),
        T(PHP, "\0<\0?\0p\0h\0p\0 \0e\0v\0a\0l\0"),
        T(PHP | SCRIPT, "#!/usr/bin/x <?\n<?=system('id')?>"),
    };
    CHECK(samples);
}

/* All of this runs under some PHP; junk stands where PHP lets it stand. */
static void junk_around_the_code_does_not_hide_it(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        T(PHP, "<?=/*\x00\x01\xff\x89 ?> */system('id')?>"),
        T(PHP, "<?#\x01\x02\xfe\n`id`;"),
        T(PHP, "<?//\xff\xd8\nsystem($x)?>"),
        T(PHP, "<?=1//?>\xff<?=system('id')?>"),
        T(PHP, "<?'\x89PNG\x00 \\' ';system('id');"),
        T(PHP, "<?\"\x89PNG \\\" \";system('id');"),
        T(PHP, "<?=\"{$a[\"system\"](\"id\")}\"?>"),
        T(PHP, "<?=\"${system('id')}\"?>"),
        T(PHP, "<?=<<<X\n\xff\xfe {$a('id')}\nX;"),
        T(PHP, "<?=<<<'X'\n {$ \xff\n X.system('id')?>"),
        T(PHP, "<?\xff\xfe:system('id');"),
        T(PHP, "<?$\xff\xfe='system';$\xff\xfe('id');"),
        T(PHP, "<?=1and system('id')?>"),
        T(PHP, "<?=1..system('id')?>"),
        T(PHP, "<?=.5.system('id')?>"),
        T(PHP, "<?=0x1f|system('id');"),
        T(PHP, "<?=b'x'.system('id')?>"),
        T(PHP, "<?=\\system('id')?>"),
        T(PHP, "<?=(new X)?->y::z(...$a)?>"),
        T(PHP, "<?=[1,2][0]??system('id')?>"),
        T(PHP, "<?=system('id');/* and the rest \xff\x00 of the picture <?"),
        T(PHP, "<?=system('id');__halt_compiler();\x00\x01 <?junk junk"),
        T(PHP, "<?=system('id')?>\xff\xd9 <?junk junk"),
        T(PHP, "<?#[ \xff\n;system('id');"),
        T(PHP, "<?#[A(1)]\nfunction f(?int $x,...$y){} f(1);"),
        T(PHP, "<?\x01\x02system\x03(\x04'id')\x05;"), /* before PHP 8 */
        T(PHP, "<?=system('id')</script>"),            /* before PHP 7 */
        T(PHP, "<?=system('id')%>"),                   /* asp_tags */
        T(PHP, "<?if(1):?>x<?endif?>"),
        T(PHP, "<?=f(...as\\g('id'))?>"),
        T(PHP, "<?1?>\xff<?system('id');"),
        T(PHP, "<?switch($x){case 1:case AB:;default:f();}"),
        T(PHP, "<?class A extends B implements C,D{const int X=1;function&f():?A{}}"),
    };
    CHECK(samples);
}

static void what_no_php_would_run_is_no_hit(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        T(0, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><svg onload=\"f(1)\"/>"),
        T(0, "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0\"?><x/><?xpacket end=\"w\"?>"),
        T(0, "<?xml-stylesheet href=\"a.xsl\" type=\"text/xsl\"?>"),
        T(0, "<?mso-application progid=\"Word.Document\"?>"),
        T(0, "<?dbhtml filename=\"x.html\" ?>"),
        T(0, "<?xml?>"),
        T(0, "List<?> x = f(1);"),
        T(0, "Class<? extends Foo> x = bar(1);"),
        T(0, "<?phpx y"),
        T(0, "a <?= \x91\x02 junk ("),
        T(0, "<?=\"never ends (\x01"),
        T(0, "<?=1+2?>"),
        T(0, "&lt;?php system(1);"),
        T(0, "<script type=\"text/javascript\">php()</script>"),
        T(0, "<script>language=php</script>"),
    };
    CHECK(samples);
}

static void asp_and_jsp_are_found(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        T(ASP, "<%eval request(\"x\")%>"),
        T(ASP, "<%@ Page Language=\"C#\" %>"),
        T(ASP, "<%@page import=\"java.io.*\"%>"),
        T(ASP, "<%= Runtime.getRuntime().exec(request.getParameter(\"c\")) %>"),
        T(ASP, "<%! void f() { g(\"%\"); } %>"),
        T(ASP, "<%/* \x01\x02 */ exec(\"id\") %>"),
        T(ASP, "<% a\\u0028 %>"),
        T(ASP, "<jsp:scriptlet>x</jsp:scriptlet>"),
        T(ASP, "<script language=\"VBScript\" runat=\"server\">x</script>"),
        T(ASP, "<script runat=server>"),
        T(ASP, "<!--#exec cmd=\"id\" -->"),
        T(ASP, "<!-- #include file = \"Web.config\" -->"),
        T(ASP, "<% @ webhandler language=\"C#\" class=\"x\" %>"),
        T(ASP, "<html><CFExecute name=\"cmd.exe\">"),
        T(ASP, "<cfset x = 1>"),
        T(ASP, "<cfscript>"),
        T(ASP, "Allaire Cold Fusion Template\nHeader Size: New Version\xa5\xc3"),
        T(0, "An Allaire Cold Fusion Template\n"),
        T(0, "<cfsettings><cf set x><cite><cf"),
        T(0, "<!-- # include -->"),
        T(0, "100<%200 and (more)"),
        T(0, "<% \x01 call() %>"),
        T(0, "<% no call %>"),
        T(0, "<script src=\"runat.js\"></script><!-- #exec -->"),
    };
    CHECK(samples);
}

static void no_language_hides_what_another_would_run(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        /* The first %> ends a block, whatever stands open before it. */
        T(ASP, "<%execute(request(\"c\"))'\"%>"),
        T(ASP, "<%exec(c);//\"%>"),
        T(ASP, "<%exec(c);/*%>"),
        /* A text or a comment of one language is code of another. */
        T(ASP, "<%'/*\nexecute(request(\"c\"))%>"),
        T(ASP, "<%char c='\"';exec(p(\"c\"));%>"),
        T(ASP, "<%x=/\"/;exec(1)%>"),
        T(ASP, "<%// it's \"\nexec(1)%>"),
        T(ASP, "<%'\x01\nx=\"\\\":exec(\"\x01\")%>"),
        T(ASP, "<%Rem \x01\nexec(1)%>"),
        T(ASP, "<%char c='\x01'; exec(c)%>"),
        T(ASP, "<%\n#region \x01\nexec(c);%>"),
        /* Calls without a name and a parenthesis side by side. */
        T(ASP, "<%eval\"\"&(\"id\")%>"),
        T(ASP, "<%ExecuteGlobal request.form%>"),
        T(ASP, "<%Execute%>"),
        T(ASP, "<%this[\"ev\"+\"al\"](\"id\")%>"),
        T(ASP, "<%exec/*\x01*/\n(c)%>"),
        T(0, "<%executes evaluations of it%>"),
        T(0, "<%Rem \x01\n\x01 exec(1)%>"),
        T(0, "<%x = \"\x01\ny\x02\" exec(1)%>"),
    };
    CHECK(samples);
}

static void asp_and_jsp_are_found_in_utf_16(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        T(ASP, "\xff\xfe"
               "<\000%\000g\000o\000(\0001\000)\000%\000>\000"),
        T(ASP, "\xfe\xff"
               "\000<\000%\000g\000o\000(\0001\000)\000%\000>"),
        T(ASP, "<\000%\000@\000 \000P\000a\000g\000e\000 \000x\000%\000>\000"),
        T(ASP, "\000<\000j\000s\000p\000:\000s\000c\000r\000i\000p\000t\000l\000e\000t\000>"),
        T(ASP, "<\000c\000f\000s\000e\000t\000 \000x\000"),
        T(ASP,
          "<\000%\000/\000*\000\x01\x4e*\000/\000g\000o\000(\0001\000)\000%\000>\000"), /* half of a
                                                                                           letter is
                                                                                           no
                                                                                           control
                                                                                           character
                                                                                         */
        T(0, "<\000%\000g\000o\000(\0001\000)\000\x25\x4e\x3e\x4e"), /* nor the block's end */
        T(0, "<\000%\000\x01\000g\000o\000(\0001\000)\000%\000>\000"),
        T(0, "<\000%\000n\000o\000 \000c\000a\000l\000l\000%\000>\000"),
    };
    CHECK(samples);
}

static void programs_and_scripts_begin_a_file(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        T(ELF, "\x7f"
               "ELF\x02\x01\x01"),
        T(0, "x\x7f"
             "ELF\x02\x01\x01"),
        T(SCRIPT, "#!/bin/sh\nid\n"),
        T(0, "\n#!/bin/sh\n"),
        T(FOREIGN, "\xca\xfe\xba\xbe\x00\x00\x00\x34 class"),
        T(FOREIGN, "\x00"
                   "asm\x01\x00\x00\x00"),
        T(0, "#"),
        T(0, ""),
    };
    CHECK(samples);
}

static void directives_are_found_where_a_server_would_take_them(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        T(HTACCESS, "AddHandler application/x-httpd-php .jpg\n"),
        T(HTACCESS, "AddType application/x-httpd-php .jpg"),
        T(HTACCESS, "  sethandler   \"application/x-httpd-php\"\r\n"),
        T(HTACCESS, "<Files \"x.jpg\">\nSetHandler php\n</Files>\n"),
        T(HTACCESS, "Options +ExecCGI"),
        T(HTACCESS, "php_value auto_prepend_file x.jpg"),
        T(HTACCESS, "#define x_width 1\n#\x01\xff\nAddHandler cgi-script .x\n"), /* XBM */
        T(HTACCESS, "\x00\x00\x8a\x39\nAddHandler php .x\n"),                    /* WBMP */
        T(HTACCESS, "SetHan\\\ndler php\n"),
        T(HTACCESS, "RewriteRule x - [H=application/x-httpd-php]\n"),
        T(HTACCESS, "GIF89a\nauto_prepend_file=x.gif\n"),
        T(HTACCESS, ";\x00\x01\xff\n auto_append_file = \"x\"\n"),
        T(0, "SetHandler none\n"),
        T(0, "php_flag engine off\n"),
        T(0, "Options -Indexes\nAddType image/webp .webp\n"),
        T(0, "the AddHandler directive\n"),
        T(0, "auto_prepend_file =\n"),
        T(0, "no_auto_prepend_file=x"),
        T(0, "\x89PNG\r\nAddHandler php .x\n"),
        T(0, "python is a language\nperl too\n"),
    };
    CHECK(samples);
}

static void names_in_archives_are_judged(void **state)
{
    (void)state;
#define LOCAL(length) "PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" length "\0\0\0"
    static const struct sample samples[] = {
        T(ARCHIVE, "GIF89a..." LOCAL("\x09") "a/x.php.b and what follows"),
        T(ARCHIVE, LOCAL("\x05") "x.pHp"),
        T(ARCHIVE, LOCAL("\x09") ".htaccess"),
        T(ARCHIVE, LOCAL("\xff") LOCAL("\x05") "x.php"), /* one header hides in another's name */
        T(0, LOCAL("\x05") "x.txt"),
        T(0, LOCAL("\x07") "x.php/y"),
        T(0, LOCAL("\x04") "x.js"),
        T(0, LOCAL("\x0c") "settings.xml"),
        T(ARCHIVE, "PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                   "\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                   "x.php"),
        T(ARCHIVE, "PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\x0e\0"
                   "x.txtup\x0a\0\x01....x.php"),
        T(ARCHIVE, "\x1f\x8b\x08\x08....\0\x03x.php\0..."),
        T(0, "\x1f\x8b\x08\x08....\0\x03x.txt\0..."),
        T(0, "\x1f\x8b\x08\0....\0\x03x.php\0..."),
        T(ARCHIVE, "GIF89a__HALT_COMPILER(); ?>"),
    };
    CHECK(samples);
}

static void put_tar(char block[512], const char *name, char type, unsigned size)
{
    unsigned sum = 0;
    memset(block, 0, 512);
    snprintf(block, 100, "%s", name);
    snprintf(block + 124, 12, "%011o", size);
    block[156] = type;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++) sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
}

static void names_in_tar_files_are_judged(void **state)
{
    (void)state;
    char tar[2048];
    memset(tar, 0, sizeof tar);
    put_tar(tar, "dir/ok.txt", '0', 10);
    assert_int_equal(recognise(tar, sizeof tar), 0);
    put_tar(tar + 1024, "dir/x.phtml", '0', 0);
    assert_int_equal(recognise(tar, sizeof tar), ARCHIVE);
    put_tar(tar, "././@LongLink", 'L', 6);
    memset(tar + 512, 0, 1536);
    memcpy(tar + 512, "x.php", 6);
    assert_int_equal(recognise(tar, sizeof tar), ARCHIVE);
    put_tar(tar, "PaxHeader", 'x', 14);
    memcpy(tar + 512, "14 path=x.php\n", 14);
    assert_int_equal(recognise(tar, sizeof tar), ARCHIVE);
    tar[512 + 8] = 'y';
    tar[512 + 9] = '_';
    assert_int_equal(recognise(tar, sizeof tar), 0);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545f4914f6cdd1dU;
}

/* In the first, a middle and the last block of random bytes without tags. */
static void a_plant_is_found_wherever_it_lies(void **state)
{
    (void)state;
    static const struct sample plants[] = {
        T(PHP, "<?=system($_GET[0])?>"),     T(PHP, "<?php system(1);?>"),
        T(ASP, "<%eval request(\"x\")%>"),   T(ARCHIVE, LOCAL("\x05") "x.php"),
        T(PHP, "<script language=\"php\">"),
    };
    enum { SIZE = 300000 };
    uint64_t seed = 0x1234567;
    char *file = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        file[i] = (char)next_random(&seed);
        if (file[i] == '<' || file[i] == 'P') file[i] = 'x';
    }
    assert_int_equal(recognise_in_pieces(file, SIZE, 65536), 0);
    for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++)
        for (unsigned k = 0; k < 400; k++) {
            size_t n = plants[i].n;
            size_t at = next_random(&seed) % (SIZE - n + 1);
            char kept[128];
            if (k == 0) at = 0;
            if (k == 1) at = SIZE - n;
            if (k > 300) at = 65536 - 200 + k % 300; /* across a border */
            memcpy(kept, file + at, n);
            memcpy(file + at, plants[i].text, n);
            assert_int_equal(recognise_in_pieces(file, SIZE, 65536), plants[i].hits);
            memcpy(file + at, kept, n);
        }
    free(file);
}

/* A tag that chance brought: 40,000 of them, and nothing that PHP would run. */
static void random_bytes_behind_a_tag_are_no_hit(void **state)
{
    (void)state;
    uint64_t seed = 0x9e3779b97f4a7c15U, bytes[256];
    for (unsigned i = 0; i < 40000; i++) {
        for (size_t k = 0; k < 256; k++) bytes[k] = next_random(&seed);
        memcpy(bytes, i % 2 ? "<?=" : "<?", i % 2 ? 3 : 2);
        assert_int_equal(recognise_in_pieces(bytes, sizeof bytes, sizeof bytes), 0);
    }
}

/* PostScript and PDF hold pictures in ASCII85: no control characters, and `<%` and
 * `%>` in every few kilobytes of it. */
static void ascii85_is_no_hit(void **state)
{
    (void)state;
    enum { SIZE = 1 << 16, LINE = 73 };
    uint64_t seed = 0x9e3779b97f4a7c15U;
    char *text = malloc(SIZE);
    for (unsigned i = 0; i < 64; i++) {
        for (size_t k = 0; k < SIZE; k++)
            text[k] = k % LINE == 0 ? '\n' : (char)('!' + (next_random(&seed) >> 32) % 85);
        assert_int_equal(recognise_in_pieces(text, SIZE, SIZE), 0);
    }
    free(text);
}

/* Work is linear: a file made of nothing but beginnings takes no longer than its
 * bytes allow (the limit of the suite would be passed otherwise). */
static void a_file_of_beginnings_is_read_once(void **state)
{
    (void)state;
    static const char *const beginnings[] = {
        "<%", "<?", "PK\x01\x02", "PK\x03\x04\xff\xff", "<script ", "auto_prepend_file ", "<?=\"{$a"
    };
    enum { SIZE = 2 << 20 };
    char *file = malloc(SIZE);
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        size_t n = strlen(beginnings[i]);
        for (size_t at = 0; at < SIZE; at++) file[at] = beginnings[i][at % n];
        recognise_in_pieces(file, SIZE, SIZE);
    }
    free(file);
}

static void only_what_is_asked_for_is_looked_for(void **state)
{
    (void)state;
    struct eg_content_state content;
    uint32_t hits;
    eg_content_begin(&content, ELF | ASP);
    assert_true(eg_content_feed(&content, "<?php system(1);", 16));
    eg_content_end(&content, &hits);
    assert_int_equal(hits, 0);
    eg_content_begin(&content, SCRIPT);
    eg_content_feed(&content, "#!/bin/sh", 9);
    eg_content_end(&content, &hits);
    assert_int_equal(hits, SCRIPT);
}

static void each_kind_has_its_slug(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EG_CONTENT_COUNT; i++) {
        enum eg_content kind = EG_CONTENT_COUNT;
        assert_true(eg_content_find(eg_str(eg_content_slug((enum eg_content)i)), &kind));
        assert_int_equal(kind, i);
        assert_non_null(eg_content_sentence((enum eg_content)i));
    }
    enum eg_content kind;
    assert_false(eg_content_find(EG_STR("ph"), &kind));
}

int main(void)
{
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tag_of_php_is_found),
        cmocka_unit_test(junk_around_the_code_does_not_hide_it),
        cmocka_unit_test(what_no_php_would_run_is_no_hit),
        cmocka_unit_test(asp_and_jsp_are_found),
        cmocka_unit_test(no_language_hides_what_another_would_run),
        cmocka_unit_test(asp_and_jsp_are_found_in_utf_16),
        cmocka_unit_test(programs_and_scripts_begin_a_file),
        cmocka_unit_test(directives_are_found_where_a_server_would_take_them),
        cmocka_unit_test(names_in_archives_are_judged),
        cmocka_unit_test(names_in_tar_files_are_judged),
        cmocka_unit_test(a_plant_is_found_wherever_it_lies),
        cmocka_unit_test(random_bytes_behind_a_tag_are_no_hit),
        cmocka_unit_test(ascii85_is_no_hit),
        cmocka_unit_test(a_file_of_beginnings_is_read_once),
        cmocka_unit_test(only_what_is_asked_for_is_looked_for),
        cmocka_unit_test(each_kind_has_its_slug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
