#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The holes that CGI programs in Perl have had.  DELIBERATELY VULNERABLE: a test copies it
# beside the application's own programs.
use strict;
use warnings;
use CGI;

my $q    = CGI->new;
my $do   = $q->param('do')   // '';
my $c    = $q->param('c')    // '';
my $path = $q->param('path') // '';
print $q->header('text/plain');
$| = 1;

sub save {
    my ($to, $data) = @_;
    open my $file, '>:raw', $to or return 'not written';
    print $file $data;
    close $file;
    chmod 0755, $to;
    return 'written';
}

my %holes = (
    lookup  => sub { print `getent hosts $c` },
    system  => sub { system $c },
    words   => sub { system split /\|/, $c },
    qx      => sub { print qx{$c} },
    open    => sub { if (open my $pipe, $c) { print <$pipe> } },
    exec    => sub { exec split /\|/, $c },
    syscall => sub {    # execve(2) itself: program, argv, no environment
        my @argv = map { "$_\0" } split /\|/, $c;
        my $argv = pack 'p*', @argv;
        my $none = pack 'J', 0;
        syscall 59, $argv[0], $argv . $none, $none;
    },
    eval    => sub { print eval $c },
    write   => sub { print save($path, $c) },
    store   => sub { local $/; my $file = $q->upload('file'); print save($path, scalar <$file>) },
    require => sub { do $path },
    mail    => sub {    # the sender's address is a visitor's
        open my $pipe, '|-', "/usr/sbin/sendmail -t -i -f $c" or return;
        print $pipe "To: anne\@stack.test\nSubject: a question\n\ntext\n";
        close $pipe;
    },
    # Programs that the policy names, with a visitor's words.
    git => sub { system '/usr/bin/git', "--git-dir=$path", split /\|/, $c },
);
$holes{$do}->() if $holes{$do};
print "\nthe page goes on\n";
