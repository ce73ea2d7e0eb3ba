#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The pages of README in this folder, as a CGI program.  DELIBERATELY VULNERABLE.
use strict;
use warnings;
use CGI;

my $cgi = CGI->new;
my $do = $cgi->url_param('do') // $cgi->param('do') // 'page';
my $type = 'text/plain';
my $body = '';

if ($do eq 'page') {
    $type = 'text/html';
    $body = '<p>Hello ' . $cgi->escapeHTML(scalar($cgi->param('name')) // 'visitor') . "</p>\n";
} elsif ($do eq 'lookup') {
    my $host = $cgi->param('host') // '';
    $body = 'answer: ' . `getent hosts $host 2>/dev/null`;
} elsif ($do eq 'list') {
    open my $pipe, '-|', '/usr/bin/getent', 'hosts', scalar $cgi->param('host') or die;
    $body = join '', 'answer: ', <$pipe>;
    close $pipe;
} elsif ($do eq 'form') {
    $body = join '', map { "$_=" . scalar($cgi->param($_)) . "\n" } sort grep { $_ ne 'do' } $cgi->param;
} elsif ($do eq 'keep') {
    my $file = '/tmp/app-' . ($cgi->param('id') =~ /^(\w+)$/)[0];
    open my $out, '>>', $file or die "$file: $!";
    print $out "seen\n";
    close $out;
    open my $in, '<', $file or die;
    my @lines = <$in>;
    close $in;
    unlink $file if @lines > 1;
    $body = 'visits: ' . @lines . "\n";
} elsif ($do eq 'upload') {
    my $name = $cgi->param('file') . '';
    my $from = $cgi->upload('file');
    if (open my $out, '>', "/srv/www/uploads/$name") {
        print $out $_ while <$from>;
        $body = (close $out) ? "stored\n" : "refused\n";
    } else {
        $body = "refused\n";
    }
} elsif ($do eq 'mail') {
    my $sent = 0;
    if (open my $mail, '|-', '/usr/sbin/sendmail -t -i') {
        local $SIG{PIPE} = 'IGNORE';
        print $mail 'To: ', scalar $cgi->param('to'), "\nSubject: ", scalar $cgi->param('subject'), "\n\nby perl\n";
        $sent = close $mail;
    }
    $body = $sent ? "sent\n" : "not sent\n";
}

print "Content-Type: $type\r\n\r\n", $body;
