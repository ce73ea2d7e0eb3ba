#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Starts the script that Apache's Action names.  suexec wants the user to own this
# file and its folder, so nothing here protects anything: the rules of the user do.
# The two variables bring the preload object back that suexec took: with it, simple
# command lines run without a shell, and events name script and client.
use strict;
use warnings;

# Only as the handler of an Action, never by its own address.
my $script = $ENV{PATH_TRANSLATED} // '';
if (!defined $ENV{REDIRECT_STATUS} || ($ENV{REDIRECT_HANDLER} // '') ne 'guarded-perl') {
    print "Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nForbidden\n";
    exit;
}
$ENV{SCRIPT_FILENAME} = $script;
$ENV{LD_PRELOAD} = '/usr/local/lib/execguard/libexecguard-preload.so';
$ENV{EXECGUARD_POLICY} = '/etc/execguard/hosting.blob';
exec '/usr/bin/perl', $script or die "$script: $!\n";
