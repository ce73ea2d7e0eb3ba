<?php
// SPDX-License-Identifier: MIT
// The pages of README in this folder.  DELIBERATELY VULNERABLE.
$do = $_REQUEST['do'] ?? 'page';
if ($do !== 'page') {
    header('Content-Type: text/plain');
}
switch ($do) {
    case 'page':
        echo '<p>Hello ', htmlspecialchars($_GET['name'] ?? 'visitor'), "</p>\n";
        break;
    case 'lookup':
        echo 'answer: ', shell_exec("getent hosts {$_GET['host']} 2>/dev/null");
        break;
    case 'list':
        $process = proc_open(['/usr/bin/getent', 'hosts', $_GET['host']], [1 => ['pipe', 'w']], $pipes);
        echo 'answer: ', stream_get_contents($pipes[1]);
        proc_close($process);
        break;
    case 'form':
        ksort($_POST);
        foreach ($_POST as $name => $value) {
            if ($name !== 'do') {
                echo "$name=$value\n";
            }
        }
        break;
    case 'keep':
        session_id('app' . $_GET['id']);
        session_start();
        $visits = $_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
        if ($visits > 1) {
            session_destroy();
        }
        echo "visits: $visits\n";
        break;
    case 'upload':
        $to = '/srv/www/uploads/' . basename($_FILES['file']['name']);
        echo @move_uploaded_file($_FILES['file']['tmp_name'], $to) ? "stored\n" : "refused\n";
        break;
    case 'mail':
        echo mail($_GET['to'], $_GET['subject'], "by php\n") ? "sent\n" : "not sent\n";
        break;
    case 'pid':
        echo getmypid(), "\n";
        break;
}
