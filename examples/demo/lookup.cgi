#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A page that looks up a host's address.  DELIBERATELY VULNERABLE: it puts what
# the visitor typed into a command line.  ?way=list is the same without a shell.
use strict;
use warnings;

my %field = (host => 'localhost', way => 'shell');
for (split /[&;]/, $ENV{QUERY_STRING} // '') {
    my ($name, $value) = split /=/, $_, 2;
    $value = '' unless defined $value;
    tr/+/ / for $name, $value;
    s/%([0-9a-fA-F]{2})/chr hex $1/ge for $name, $value;
    $field{$name} = $value;
}

my $answer;
if ($field{way} eq 'list') {
    if (open my $pipe, '-|', '/usr/bin/getent', 'hosts', $field{host}) {
        local $/;
        $answer = <$pipe>;
        close $pipe;
    }
} else {
    $answer = `getent hosts $field{host} 2>/dev/null`;
}
my $error = "$!";

print "Content-Type: text/plain\r\n\r\n";
print "Address lookup\n";
if (defined $answer && length $answer) {
    print "answer: $_\n" for split /\n/, $answer;
} else {
    print "no answer", ($? == -1 ? " ($error)" : ''), "\n";
}
