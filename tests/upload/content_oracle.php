<?php
// SPDX-License-Identifier: MIT
/* Makes PHP that PHP compiles, from real sources: tokens exchanged, removed and
 * inserted, junk in comments, blanks left out, every tag a short one.  What names
 * no variable and calls nothing is not kept: it can do nothing.
 *
 *     php -d short_open_tag=1 content_oracle.php SEED COUNT SOURCES-LIST FOLDER */
mt_srand((int)$argv[1]);
$count = (int)$argv[2];
$sources = file($argv[3], FILE_IGNORE_NEW_LINES);
$folder = $argv[4];
$seen = [];

function junk(): string
{
    $bytes = '';
    for ($i = mt_rand(1, 40); $i > 0; $i--) $bytes .= chr(mt_rand(0, 1) ? mt_rand(128, 255) : mt_rand(0, 31));
    return '/*' . $bytes . '?>' . '*/';
}

function acts(string $code): bool
{
    $left = [T_INLINE_HTML, T_COMMENT, T_DOC_COMMENT, T_CONSTANT_ENCAPSED_STRING,
             T_ENCAPSED_AND_WHITESPACE, T_OPEN_TAG, T_OPEN_TAG_WITH_ECHO];
    try {
        $tokens = token_get_all($code, TOKEN_PARSE);
    } catch (Throwable) {
        return false;
    }
    $text = '';
    foreach ($tokens as $t) if (!is_array($t)) $text .= $t; elseif (!in_array($t[0], $left)) $text .= ' ' . $t[1];
    return strpbrk($text, '(`$') !== false || preg_match('/\b(include|require|echo|print|new|exit|die)/i', $text);
}

for ($made = 0, $tries = 0; $made < $count && $tries < 200 * $count; $tries++) {
    $source = file_get_contents($sources[mt_rand(0, count($sources) - 1)]);
    $source = preg_replace('/<\?php\b/i', '<?', $source);
    if (strlen($source) > 60000 || stripos($source, '<?php') !== false) continue;
    $parts = array_map(fn($t) => is_array($t) ? $t[1] : $t, @token_get_all($source));
    $n = count($parts);
    if ($n < 8) continue;
    foreach (array_slice($parts, 0, 300) as $part) $seen[mt_rand(0, 8000)] = $part;
    for ($changes = mt_rand(0, 3); $changes > 0; $changes--) {
        $at = mt_rand(1, $n - 2);
        $other = $seen[array_rand($seen)];
        switch (mt_rand(0, 4)) {
            case 0: $parts[$at] = ''; break;
            case 1: $parts[$at] .= $other; break;
            case 2: $parts[$at] = $other; break;
            case 3: if (trim($parts[$at]) === '') $parts[$at] = ''; break;
            default: $parts[$at] .= junk();
        }
    }
    if (mt_rand(0, 2) === 0) {
        $some = array_slice($parts, mt_rand(0, $n - 2), mt_rand(3, 60));
        $parts = array_merge(['<?' . ['=', ' ', ''][mt_rand(0, 2)]], $some, [['?>', ';', ';' . junk()][mt_rand(0, 2)]]);
    }
    $code = implode('', $parts);
    if (stripos($code, '<?php') !== false || !@acts($code)) continue;
    file_put_contents("$folder/$made.jpg", $code);
    $made++;
}
echo $made, "\n";
