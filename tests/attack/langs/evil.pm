# SPDX-License-Identifier: MIT
# Planted module: PERL5OPT=-Mevil makes perl run it.
package evil;
if (open(my $f, '>', $ENV{WAY_MARK})) { print $f "in\n" }
1;
