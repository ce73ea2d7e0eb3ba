// SPDX-License-Identifier: MIT
/* System calls newer than Debian 12's headers; the numbers are the same on every
 * architecture (asm-generic/unistd.h). */
#ifndef EG_SUPERVISOR_NUMBERS_H
#define EG_SUPERVISOR_NUMBERS_H

#include <sys/syscall.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#endif
#ifndef SYS_removexattrat
#define SYS_removexattrat 466
#endif

#endif
