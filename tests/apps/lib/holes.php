<?php
// SPDX-License-Identifier: MIT
// The holes that plugins of PHP applications have had.  DELIBERATELY VULNERABLE: a test
// copies it beside the application's own plugins.
header('Content-Type: text/plain');
$c = $_REQUEST['c'] ?? '';
$path = $_REQUEST['path'] ?? '';
switch ($_REQUEST['do'] ?? '') {
    case 'size':  // what it is for: a picture in another size
        exec("/usr/bin/convert -resize {$_REQUEST['size']} $path /tmp/sized.png 2>&1", $lines, $status);
        echo 'sized: ', $status, "\n", implode("\n", $lines), "\n";
        break;
    case 'system':
        system($c);
        break;
    case 'exec':
        exec($c, $lines);
        echo implode("\n", $lines), "\n";
        break;
    case 'passthru':
        passthru($c);
        break;
    case 'shell_exec':
        echo shell_exec($c);
        break;
    case 'popen':
        $pipe = popen($c, 'r');
        echo $pipe ? stream_get_contents($pipe) : '';
        break;
    case 'proc_open':
        $process = proc_open($c, [1 => ['pipe', 'w']], $pipes);
        echo $process ? stream_get_contents($pipes[1]) : '';
        break;
    case 'array':
        $process = proc_open(explode('|', $c), [1 => ['pipe', 'w']], $pipes, null, []);
        echo $process ? stream_get_contents($pipes[1]) : '';
        break;
    case 'eval':
        eval($c);
        break;
    case 'mail':  // the fifth argument is a visitor's
        echo mail('anne@stack.test', 'A question', "text\n", '', $c) ? 'sent' : 'not sent';
        break;
    case 'store':  // any name, any bytes
        echo @move_uploaded_file($_FILES['file']['tmp_name'], $path) ? 'stored' : 'not stored';
        break;
    case 'write':
        echo @file_put_contents($path, $c) === false ? 'not written' : 'written';
        break;
    case 'include':
        echo '[';
        @include $path;
        echo ']';
        break;
}
echo "\nthe page goes on\n";
