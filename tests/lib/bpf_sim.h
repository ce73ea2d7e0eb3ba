// SPDX-License-Identifier: MIT
/* Runs a seccomp filter over made-up system calls, so that what no test machine
 * can do (another architecture's call) is tested too.  Knows the instructions
 * that the kernel accepts from seccomp (kernel/seccomp.c, seccomp_check_filter). */
#ifndef EG_TESTS_BPF_SIM_H
#define EG_TESTS_BPF_SIM_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* The filter's return value.  Sets *ret_steps (may be NULL) to the number of
 * instructions that ran.  UINT32_MAX when the filter is malformed: a jump or a
 * load out of bounds, an instruction that seccomp does not accept, no return. */
uint32_t bpf_sim_run(const struct sock_filter *filter, size_t count,
                     const struct seccomp_data *data, size_t *ret_steps);

#endif
