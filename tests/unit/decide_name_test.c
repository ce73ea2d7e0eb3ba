// SPDX-License-Identifier: MIT
/* Names of scripts: every spelling that attackers' lists hold is in the set
 * `scripts`, whatever it is hidden behind, and ordinary uploads are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decide/parts.h"
#include "decide/write.h"

#define BYTES(literal) ((struct eg_str){ (literal), sizeof(literal) - 1 })

/* Two looks at a name, the second as the end of a path: it may find more and must
 * not find less, wherever in memory the path begins. */
static bool may_run(const char *name)
{
    char path[4096 + 16];
    bool runs = eg_decide_name_may_run(eg_str(name));
    for (size_t start = 0; start < 8; start++) {
        snprintf(path + start, sizeof(path) - start, "/srv/a.b/%s", name);
        if (runs && !strchr(name, '/') && !eg_decide_path_may_run(path + start))
            fail_msg("\"%s\" is not looked at", path + start);
    }
    return runs;
}

static void assert_script(struct eg_str name)
{
    if (!eg_name_is_script(name)) fail_msg("\"%.*s\" passes", (int)name.n, name.p);
}

static void assert_ordinary(const char *name)
{
    if (eg_name_is_script(eg_str(name))) fail_msg("\"%s\" is refused", name);
    if (may_run(name)) fail_msg("\"%s\" is not read", name);
}

static size_t refuse_list(const char *file, const char *before)
{
    char path[4096];
    char name[4096];
    char line[2048];
    const char *shared = getenv("EG_SHARED");
    size_t count = 0;
    snprintf(path, sizeof(path), "%s/corpora/%s", shared ? shared : "../shared", file);
    FILE *list = fopen(path, "r");
    if (!list) return 0;
    while (fgets(line, sizeof(line), list)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (!*line) continue;
        snprintf(name, sizeof(name), "%s%s", before, line);
        assert_script(eg_str(name));
        count++;
    }
    fclose(list);
    return count;
}

static void every_name_of_the_lists_is_refused(void **state)
{
    (void)state;
    size_t count = refuse_list("upload-names-crs.txt", "");
    if (!count) skip();
    assert_true(count > 400);
    assert_true(refuse_list("upload-extensions-php.txt", "shell") > 20);
    assert_true(refuse_list("upload-alt-extensions-php.txt", "shell.") > 50);
}

static void what_servers_ignore_hides_no_script(void **state)
{
    static const struct eg_str names[] = {
        BYTES("shell.php"),
        BYTES("SHELL.PhP"),
        BYTES("shell.php."),
        BYTES("shell.php . . ."),
        BYTES(" shell.php "),
        BYTES("shell.php\n"),
        BYTES("shell.p\x01hp"),
        BYTES("shell.php\0.jpg"),
        BYTES("shell\0.php"),
        BYTES("shell.inc\0.jpg"),
        BYTES("shell.php%00.jpg"),
        BYTES("shell.inc%00.jpg"),
        BYTES("shell.%70hp"),
        BYTES("shell%2ephp"),
        BYTES("shell%252ephp"),
        BYTES("shell%25252525252ephp"),
        BYTES("shell%u002ephp"),
        BYTES("shell.php\\x00.jpg"),
        BYTES("shell.php;.jpg"),
        BYTES("shell.inc;.jpg"),
        BYTES("shell.asp:.jpg"),
        BYTES("shell.php::$DATA"),
        BYTES("shell.inc::$DATA"),
        BYTES("shell.inc?.jpg"),
        BYTES("shell.inc#.jpg"),
        BYTES("shell.php.jpg"),
        BYTES("shell.jpg.php"),
        BYTES("shell.php.png.zip.txt"),
        BYTES("shell.php5.jpg"),
        BYTES("shell.php8"),
        BYTES("shell.pht"),
        BYTES("shell.phtml.gif"),
        BYTES("shell.phar"),
        BYTES("x.%2fshell.inc"),
        BYTES("a%2f.htaccess"),
        BYTES(".htaccess"),
        BYTES(".HTACCESS"),
        BYTES(".htaccess%00.jpg"),
        BYTES(".htaccess."),
        BYTES(".user.ini"),
        BYTES("php.ini"),
        BYTES("Web.Config"),
        BYTES("shell.shtml"),
        BYTES("shell.jsp.png"),
        BYTES("shell.cgi"),
        BYTES("report.pl.pdf"),
        BYTES("v1.5.py.txt"),
        BYTES("shell.asp;.jpg"),
        BYTES("shell.cer"),
        BYTES("..."),
        BYTES("._shell.php"),
        BYTES("._.htaccess"),
        BYTES(".in.shell.php."),
        /* full width; a dot of another script; long s; Kelvin; a ligature */
        BYTES("shell．ｐｈｐ"),
        BYTES("shell。php"),
        BYTES("shell․php"),
        BYTES("web.conﬁg"),
        BYTES("claß"),
        BYTES("shell.jſp"),
        BYTES("shell.ﬆm"),
        /* characters that nobody sees: zero width, direction, soft hyphen, BOM */
        BYTES("shell.p\xe2\x80\x8bhp"),
        BYTES("shell.\xe2\x80\xaephp"),
        BYTES("shell.p\xc2\xadhp"),
        BYTES("\xef\xbb\xbf.htaccess"),
        /* an overlong dot and an accent of its own */
        BYTES("shell\xc0\xaephp"),
        BYTES("shell\xe0\x80\xaephp"),
        BYTES("shell.jsp\xcc\xa3"),
        BYTES("shell.p\xcc\x80hp"),
        BYTES(".execguard-move-x.php"),
        BYTES(".x.php.tmpfsfile"),
        BYTES("..htaccess.tmpfsfile"),
        BYTES("..tmpfsfile.php"),
        BYTES(".tmpfsfile"),
        BYTES("𝓈hell.𝐩𝐡𝐩"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) assert_script(names[i]);
}

static void what_few_servers_run_is_refused(void **state)
{
    static const char *const names[] = {
        "shell.soap",  "shell.rem",    "shell.cshtm",   "shell.vbhtm.jpg", "shell.wss",
        "shell.do",    "shell.action", "shell.actions", "shell.jsa",       "shell.xhtml",
        "shell.faces", "shell.aar",    "shell.bat",     "shell.ps1",       "shell.twig",
        "shell.ftlh",  "shell.vm",     "shell.j2",      "shell.jinja2",    "shell.pug",
        "shell.haml",  "shell.xslt",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) assert_script(eg_str(names[i]));
}

static void ordinary_uploads_are_not_scripts(void **state)
{
    static const char *const names[] = {
        "photo.jpg",
        "IMG_0001.JPEG",
        ".execguard-move-00deadbeef001122",
        ".6b0d2233_astywkqi89bn2prri7ichh8o5_d5vcr62mgdx27s7l9il60lgvb.tmpfsfile",
        "IMG_0001",
        "報告書.pdf",
        "写真 2024年1月.png",
        "株式会社。最終版.pdf",
        "résumé (final).docx",
        "re\xcc\x81sume\xcc\x81.odt",
        "archive.tar.gz",
        "backup.2024-01-01.zip",
        "Screenshot 2024-01-01 12:30:11.png",
        "50%.png",
        "100% cotton.jpg",
        "Q&A.pdf",
        "what?.jpg",
        "C# notes.pdf",
        "a;b.png",
        "Acme.Inc.2023.pdf",
        "moment.js.zip",
        "ASP.NET guide.pdf",
        "php-manual.pdf",
        "phpmanual",
        "py.pdf",
        "xtvo5hs8r2v7",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "config.jpg",
        "configuration guide.txt",
        "version 2.txt",
        "to do.pdf",
        "removal.actions.pdf",
        "table.xls",
        "disk.vmdk",
        "book.xhtml.pdf",
        "data.json",
        "video.ts",
        "page.html",
        "music.mp3",
        "mail.eml",
        "certificate.pem",
        "font.woff2",
        "sheet.xlsx",
        "._photo.jpg",
        ".tmb",
        ".",
        "..",
        "",
        "a",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) assert_ordinary(names[i]);
}

static void a_name_that_no_file_system_takes_is_refused(void **state)
{
    char name[2000];
    (void)state;
    memset(name, 'a', sizeof(name));
    assert_script((struct eg_str){ name, sizeof(name) });
    assert_false(eg_name_is_script((struct eg_str){ name, 255 }));
    memset(name, '.', sizeof(name));
    assert_script((struct eg_str){ name, 255 });
    memcpy(name + 200, "php", 3);
    assert_script((struct eg_str){ name, 255 });
}

/* The cheap look must find whatever the whole judgement finds. */
static void the_cheap_look_misses_nothing(void **state)
{
    static const char *const extensions[] = {
#define E(extension, where, who) extension,
#include "table/scripts.def"
    };
    static const char *const servers[] = {
#define KIND_SERVER(name) name,
#define KIND_TOOL(name)
#define N(name, kind, who) KIND_##kind(name)
#include "table/scripts.def"
    };
    char name[256];
    (void)state;
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        size_t n = strcspn(extensions[i], "*");
        snprintf(name, sizeof(name), "x.%.*s", (int)n, extensions[i]);
        if (!may_run(name)) fail_msg("%s is read", name);
        snprintf(name, sizeof(name), "x. %.*s ", (int)n, extensions[i]);
        if (!may_run(name)) fail_msg("%s is read", name);
    }
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        size_t n = strcspn(servers[i], "*");
        snprintf(name, sizeof(name), "%.*s%s", (int)n, servers[i],
                 strlen(servers[i]) > n ? servers[i] + n + 1 : "");
        if (!may_run(name)) fail_msg("%s is read", name);
    }
}

/* Settings and logs may be read: they run nothing. */
static void what_is_only_settings_may_be_read(void **state)
{
    (void)state;
    assert_true(eg_name_is_script(EG_STR("package.json")));
    assert_false(eg_decide_name_may_run(EG_STR("package.json")));
    assert_true(eg_name_is_script(EG_STR("error.log")));
    assert_false(eg_decide_name_may_run(EG_STR("error.log")));
    assert_false(eg_decide_path_may_run("/srv/x.php/data.txt"));
    assert_false(eg_decide_path_may_run("/srv/x.php/"));
    assert_false(eg_decide_path_may_run(""));
    assert_true(eg_decide_path_may_run("x.php"));
    assert_true(eg_decide_path_may_run("/.htaccess"));
    assert_true(eg_decide_path_may_run("a.jpg%00"));
}

static bool matches(const char *glob, const char *name)
{
    return eg_name_matches(eg_str(glob), eg_str(name));
}

static void a_policys_globs_see_through_the_same_tricks(void **state)
{
    (void)state;
    assert_true(matches("*.svg", "a.svg"));
    assert_true(matches("*.SVG", "a.svg"));
    assert_true(matches("*.svg", "A.SvG. . "));
    assert_true(matches("*.svg", "a.svg.jpg"));
    assert_true(matches("*.svg", "a.svg%00.jpg"));
    assert_true(matches("*.svg", "a%2esvg"));
    assert_true(matches("*.svg", "a.svg;.jpg"));
    assert_true(matches("*.svg", "a．ｓｖｇ"));
    assert_true(matches("a?b", "a?b"));
    assert_true(matches("thumbs", "Thumbs"));
    assert_false(matches("*.svg", "a.jpg"));
    assert_false(matches("*.svg", "svg"));
    assert_false(matches("*.svg", "a.svgz"));
    assert_false(matches("thumbs", "thumbs2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_of_the_lists_is_refused),
        cmocka_unit_test(what_servers_ignore_hides_no_script),
        cmocka_unit_test(what_few_servers_run_is_refused),
        cmocka_unit_test(ordinary_uploads_are_not_scripts),
        cmocka_unit_test(a_name_that_no_file_system_takes_is_refused),
        cmocka_unit_test(the_cheap_look_misses_nothing),
        cmocka_unit_test(what_is_only_settings_may_be_read),
        cmocka_unit_test(a_policys_globs_see_through_the_same_tricks),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
