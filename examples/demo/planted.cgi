#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# What an attacker who can upload a script would plant: it runs in the worker
# and tries to get a program of its own going.  One line for each way.
use strict;
use warnings;
use POSIX ();

# execve(2) and ptrace(2) by number, past every function of libc.
my ($execve, $ptrace) = -e '/lib64/ld-linux-x86-64.so.2' ? (59, 101) : (221, 117);

# Runs $start in a child and says what came out of it.
sub try_way {
    my ($name, $start) = @_;
    my $child = open my $pipe, '-|';
    return print "$name: cannot fork\n" unless defined $child;
    if ($child == 0) {
        open STDERR, '>', '/dev/null';
        $start->();
        my $error = "$!";
        $| = 1;
        print "refused: $error";
        POSIX::_exit(1);
    }
    my $said = do { local $/; <$pipe> } // '';
    close $pipe;
    $said =~ s/\s+/ /g;
    print "$name: $said\n";
}

sub raw_execve {
    my @words = @_;
    my $argv = pack('p' x @words . 'J', @words, 0);
    my $envp = pack 'J', 0;
    my $path = $words[0];
    syscall $execve, $path, $argv, $envp;
}

print "Content-Type: text/plain\r\n\r\n";
try_way('a shell by exec', sub { no warnings; exec { '/bin/sh' } 'sh', '-c', 'id' });
try_way('a shell by raw system call', sub { raw_execve('/bin/sh', '-c', 'id') });
my $copy = "$ENV{DOCUMENT_ROOT}/../uploads/planted-$$";
if (open(my $in, '<:raw', '/bin/sh') && open(my $out, '>:raw', $copy)) {
    local $/;
    print {$out} <$in>;
    close $out;
    chmod 0755, $copy;
    try_way('a copied shell by raw system call', sub { raw_execve($copy, '-c', 'id') });
    unlink $copy;
}
try_way('ptrace', sub {
    return if syscall($ptrace, 0, 0, 0, 0) != 0;
    $| = 1;
    print 'worked';
    POSIX::_exit(0);
});
