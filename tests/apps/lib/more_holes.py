# SPDX-License-Identifier: MIT
"""More of what attackers do with holes.php: disguised scripts in upload trees, archives,
links, and machine code (PHP's FFI, which a pool must have switched on).

    ATTACKS = holes.php(URL, TREE, CODE) + more_holes.php(URL, TREE) + more_holes.native(URL, TREE)
"""
import base64
import io
import os
import zipfile

import holes
import picture
from app import post, steps


BASE64 = base64.b64encode(holes.CODE).decode()


def archive(*names):
    """A zip of scripts."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name in names:
            file.writestr(name, holes.CODE)
    return data.getvalue()


def calls(url):
    """Two functions that ask holes.php: a hole with fields, an upload."""
    def hole(do, **fields):
        return post(url, fields=dict(fields, do=do))

    def store(path, data):
        return post(url, fields={"do": "store", "path": path}, files={"file": ("file", data, "image/png")})
    return hole, store


def there(path):
    """Was it made?  It is removed, so that the next run begins without it."""
    def seen(_):
        made = os.path.lexists(path)
        if made:
            os.unlink(path)
        return made
    return seen


def php(url, tree):
    hole, store = calls(url)

    def evaluate(code):
        return hole("eval", c=code)

    def disguised(name, data=holes.CODE):
        return (f"upload of {name}", store(f"{tree}/{name}", data), there(f"{tree}/{name}"),
                r'"kind":"name".*' + name.replace(".", r"\."))

    included = hole("include", path=tree + "/made.php")
    return (
        disguised("shell.phtml"),
        disguised("shell.php.jpg"),
        disguised("shell.phar"),
        disguised("shell.php7"),
        disguised(".user.ini", b"auto_prepend_file = code.png\n"),
        ("upload of a picture that is a script, GIF first", steps(
            store(tree + "/banner.gif", b"GIF89a" + holes.CODE), holes.judged(tree + "/banner.gif"),
            hole("include", path=tree + "/banner.gif")), holes.RAN,
         r'"kind":"content".*banner\.gif'),
        ("a picture gets a script's name", steps(
            store(tree + "/made.txt", b"no code"), evaluate(f"rename('{tree}/made.txt', '{tree}/made.php');"), included),
         r"\[no code", r'"kind":"name".*made\.php'),
        ("code added to a picture that was harmless", steps(
            store(tree + "/later.png", picture.png()),
            evaluate(f"file_put_contents('{tree}/later.png', base64_decode('{BASE64}'), FILE_APPEND);"),
            holes.judged(tree + "/later.png"), hole("include", path=tree + "/later.png")), holes.RAN,
         r'"kind":"content".*later\.png'),
        ("a link to a script elsewhere", steps(
            hole("write", path="/tmp/far.txt", c=holes.CODE.decode()),
            evaluate(f"symlink('/tmp/far.txt', '{tree}/near.txt');"), hole("include", path=tree + "/near.txt")), holes.RAN,
         r'"path":"[^"]*near\.txt"'),
        ("an archive with scripts in it", store(tree + "/theme.zip", archive("theme/index.php", "theme/style.css")),
         there(tree + "/theme.zip"), r'"kind":"content".*theme\.zip'),
        ("an archive unpacked in the tree", steps(
            store("/tmp/made.zip", archive("made.php")),
            evaluate(f"$z = new ZipArchive; $z->open('/tmp/made.zip'); $z->extractTo('{tree}');"), included), holes.RAN,
         r'"kind":"name".*made\.php'),
        ("Imagick writes a script", evaluate(
            f"$i = new Imagick(); $i->newImage(1, 1, 'red'); $i->writeImage('png:{tree}/imagick.php');"),
         there(tree + "/imagick.php"), r'"kind":"name".*imagick\.php'),
        ("convert writes a script, by words that a rule allows", steps(
            store("/tmp/square.png", picture.png(20, 20)),
            evaluate(f"exec('/usr/bin/convert -resize 10x10 /tmp/square.png {tree}/convert.php.png 2>&1');")),
         there(tree + "/convert.php.png"), r'"kind":"name".*convert\.php\.png'),
        ("mail() where the visitor's home has a configuration", steps(
            hole("write", path="/tmp/.msmtprc", c=holes.MSMTP),
            evaluate("chmod('/tmp/.msmtprc', 0600); putenv('HOME=/tmp'); mail('anne@stack.test', 'x', 'x');"
                     "unlink('/tmp/.msmtprc');")), holes.got_in, r'"exe":"/usr/bin/msmtp"'),
        ("a convert whose settings name a command", steps(
            evaluate("mkdir('/tmp/magick');"),
            hole("write", path="/tmp/magick/delegates.xml", c="<delegatemap><delegate decode=\"boat\" command=\"id >/tmp/got-in; "
                 "cp rose.png '%o'\"/></delegatemap>"),
            hole("write", path="/tmp/x.boat", c="boat"),
            evaluate("putenv('MAGICK_CONFIGURE_PATH=/tmp/magick'); exec('/usr/bin/convert -resize 10x10 /tmp/x.boat /tmp/y.png');")),
         holes.got_in, r'"variable":"MAGICK_CONFIGURE_PATH"'),
    )


# execve and openat, by their numbers.
NUMBERS = {"x86_64": (59, 257), "aarch64": (221, 56)}[os.uname().machine]
DECLARED = "int fork(void); int waitpid(int, int *, int); void _exit(int); long syscall(long, "


def native(url, tree):
    """Machine code: system calls past every hook of libc."""
    hole, _ = calls(url)

    def run(path, *words):
        """In a child."""
        listed = ", ".join(f"'{word}'" for word in words)
        return hole("eval", c=f"""
$f = FFI::cdef('{DECLARED}const char *, char **, char **);', 'libc.so.6');
$v = FFI::new('char *[{len(words) + 1}]');
$e = FFI::new('char *[1]');
foreach ([{listed}] as $i => $w) {{
    $k[$i] = FFI::new('char[' . (strlen($w) + 1) . ']');
    FFI::memcpy($k[$i], $w, strlen($w));
    $v[$i] = FFI::addr($k[$i][0]);
}}
$p = $f->fork();
if ($p === 0) {{
    try {{
        $f->syscall({NUMBERS[0]}, '{path}', $v, $e);
    }} finally {{
        $f->_exit(1);
    }}
}}
$f->waitpid($p, null, 0);
""")

    script = tree + "/native.php"
    make = hole("eval", c=f"FFI::cdef('{DECLARED}long, const char *, long, long);', 'libc.so.6')"
                f"->syscall({NUMBERS[1]}, -100, '{script}', {os.O_CREAT | os.O_WRONLY}, 0644);")
    return (
        ("machine code starts a shell", run("/bin/sh", "sh", "-c", "id >/tmp/got-in"), holes.got_in, r'"program":"/usr/bin/dash"'),
        ("machine code starts a program with words that no rule allows", run(
            "/usr/bin/convert", "convert", "rose:", "-write", "png:/tmp/native.png", "null:"), there("/tmp/native.png"),
         r'"program":"/usr/bin/convert[^"]*"'),
        ("machine code makes a script in the upload tree", make, there(script), r'"kind":"name".*native\.php'),
    )
