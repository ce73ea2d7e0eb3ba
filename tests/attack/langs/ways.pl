#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Perl's own ways to run a command: `ways.pl WAY MARK`, `ways.pl --list`, and
# `ways.pl --allowed PROGRAM`, which runs an allowed program in each way.
use strict;
use warnings;
no warnings 'exec';
use IPC::Open3;
use POSIX ();

my ($way, $mark) = @ARGV;
my $line = "echo in > " . ($mark // '');
my %ways = (
    system_line  => sub { system("$line; true") },
    system_list  => sub { system('/bin/sh', '-c', $line) },
    system_other => sub { system { '/bin/sh' } 'true', '-c', $line },
    backticks    => sub { my $x = `$line;:` },
    exec_line    => sub { exec("$line; :") },
    exec_list    => sub { exec('sh', '-c', $line) },
    pipe_open    => sub { open(my $f, "$line; : |"); my @x = <$f> if $f },
    pipe_list    => sub { open(my $f, '-|', 'sh', '-c', $line); my @x = <$f> if $f },
    pipe_write   => sub { if (open(my $f, '|-', 'sh')) { print $f "$line\n"; close $f } },
    open3        => sub { my $pid = eval { open3(my $i, my $o, undef, 'sh', '-c', $line) }; waitpid($pid, 0) if $pid },
    glob_csh     => sub { my @x = glob("\$($line)"); system("$line;") },
    fork_exec    => sub { my $p = fork; if (!$p) { exec('/bin/sh', '-c', $line); exit 1 } waitpid($p, 0) },
    env_perl5opt => sub { $ENV{PERL5OPT} = '-Mevil'; $ENV{PERL5LIB} = $ENV{WAY_DIR}; system('/usr/bin/perl', '-e', '1') },
    env_preload  => sub { local $ENV{LD_PRELOAD} = "$ENV{WAY_DIR}/evil.so"; system('/usr/bin/perl', '-e', '1') },
    open_dup     => sub { open(my $f, '|-', "$line; cat"); close $f if $f },
    raw_syscall  => sub {
        my $nr = (POSIX::uname())[4] eq 'x86_64' ? 59 : 221;
        my ($file, @argv) = ("/bin/sh\0", "sh\0", "-c\0", "$line\0");
        my $argv = pack('P P P Q', @argv, 0);
        my $envp = pack('Q', 0);
        my $p = fork;
        if (!$p) { syscall($nr, $file, $argv, $envp); exit 1 }
        waitpid($p, 0);
    },
);
if ($way eq '--allowed') {
    my @program = ($mark, '3', 'a b;c', '$x');
    my %allowed = (
        system_list => sub { system(@program); '' },
        system_other => sub { system { $mark } @program; '' },
        pipe_list => sub { open(my $f, '-|', @program) or return "$!"; my @x = <$f>; close $f; "@x" },
        pipe_write => sub { open(my $f, '|-', @program) or return "$!"; print $f "input"; close $f; '' },
        open3 => sub { my $pid = open3(my $i, my $o, undef, @program); close $i; my @x = <$o>; waitpid($pid, 0); "@x" },
        exec_list => sub { my $p = fork; if (!$p) { exec(@program); exit 1 } waitpid($p, 0); '' },
        not_there => sub { my $r = system('/nonexistent/program', 'x'); "$r $!" },
    );
    $| = 1;
    for my $name (sort keys %allowed) { my $text = $allowed{$name}->(); print "$name: $? $text\n" }
    exit 0;
}
if ($way eq '--list') { print "$_\n" for sort keys %ways; exit 0 }
die "no such way: $way\n" unless $ways{$way};
$ways{$way}->();
exit 0;
