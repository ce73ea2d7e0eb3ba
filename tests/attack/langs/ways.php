<?php
// SPDX-License-Identifier: MIT
// PHP's own ways to run a command: `ways.php WAY MARK`, `ways.php --list`, and
// `ways.php --allowed PROGRAM`, which runs an allowed program in each way.
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
    // mail() quotes its parameters, sendmail_path is a command line
    'mail' => fn() => @mail('a@example.org', 's', 'b'),
    'pcntl_exec' => function () use ($line) {
        if (function_exists('pcntl_exec')) { $p = pcntl_fork(); if (!$p) { @pcntl_exec('/bin/sh', ['-c', $line]); exit(1); } pcntl_waitpid($p, $s); }
        else exec($line);
    },
    'env_preload' => function () {
        $p = @proc_open(['/usr/bin/perl', '-e', '1'], [], $pipes, null,
            ['LD_PRELOAD' => getenv('WAY_DIR') . '/evil.so', 'WAY_MARK' => getenv('WAY_MARK')]);
        if ($p) proc_close($p);
    },
    'env_perl5opt' => function () {
        $p = @proc_open(['/usr/bin/perl', '-e', '1'], [], $pipes, null,
            ['PERL5OPT' => '-Mevil', 'PERL5LIB' => getenv('WAY_DIR'), 'WAY_MARK' => getenv('WAY_MARK')]);
        if ($p) proc_close($p);
    },
    'putenv_preload' => function () { @putenv('LD_PRELOAD=' . getenv('WAY_DIR') . '/evil.so'); $p = @proc_open(['/usr/bin/perl', '-e', '1'], [], $pipes); if ($p) proc_close($p); },
];
if ($argv[1] === '--allowed') {
    $program = [$mark, '3', 'a b;c', '$x'];
    $runs = [
        'proc_open' => function () use ($program) {
            $p = proc_open($program, [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
            fwrite($pipes[0], 'input');
            fclose($pipes[0]);
            return stream_get_contents($pipes[1]) . stream_get_contents($pipes[2]) . proc_close($p);
        },
        'proc_open_cwd' => function () use ($program) {
            $p = proc_open($program, [['file', '/dev/null', 'r'], ['pipe', 'w']], $pipes, '/', ['A' => 'b']);
            return stream_get_contents($pipes[1]) . proc_close($p);
        },
        'proc_open_missing' => function () {
            $p = @proc_open(['/nonexistent/program'], [], $pipes);
            return $p ? proc_close($p) : 'false';
        },
        'pcntl_exec' => function () use ($program) {
            if (!function_exists('pcntl_exec')) return 'absent';
            $p = pcntl_fork();
            if (!$p) { pcntl_exec($program[0], array_slice($program, 1)); exit(1); }
            pcntl_waitpid($p, $s);
            return $s;
        },
    ];
    foreach ($runs as $name => $run) echo "$name: ", $run(), "\n";
    exit(0);
}
if ($argv[1] === '--list') { echo implode("\n", array_keys($ways)), "\n"; exit(0); }
$ways[$argv[1]]();
