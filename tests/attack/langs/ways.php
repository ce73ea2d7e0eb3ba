<?php
// SPDX-License-Identifier: MIT
// PHP's own ways to run a command; `ways.php WAY MARK` or `ways.php --list`.
$mark = $argv[2] ?? '';
$line = "echo in > $mark";
$ways = [
    'exec' => fn() => exec($line),
    'shell_exec' => fn() => shell_exec($line),
    'backticks' => fn() => `$line`,
    'passthru' => fn() => passthru($line),
    'system' => fn() => system($line),
    'popen' => function () use ($line) { if ($p = @popen($line, 'r')) pclose($p); },
    'popen_w' => function () use ($line) { if ($p = @popen('sh', 'w')) { fwrite($p, "$line\n"); pclose($p); } },
    'proc_open' => function () use ($line) { if ($p = @proc_open($line, [], $pipes)) proc_close($p); },
    'proc_open_list' => function () use ($line) { if ($p = @proc_open(['/bin/sh', '-c', $line], [], $pipes)) proc_close($p); },
    'mail' => function () use ($line) { @mail('a@example.org', 's', 'b', '', "-oQ/tmp;$line"); shell_exec("$line;:"); },
    'pcntl_exec' => function () use ($line) {
        if (function_exists('pcntl_exec')) { $p = pcntl_fork(); if (!$p) { @pcntl_exec('/bin/sh', ['-c', $line]); exit(1); } pcntl_waitpid($p, $s); }
        else exec($line);
    },
    'putenv_preload' => function () use ($line) { @putenv('LD_PRELOAD=' . getenv('WAY_DIR') . '/evil.so'); @exec('/bin/true'); @mail('a@example.org', 's', 'b'); },
];
if ($argv[1] === '--list') { echo implode("\n", array_keys($ways)), "\n"; exit(0); }
$ways[$argv[1]]();
