/* SPDX-License-Identifier: MIT
 * Hooks that cannot be C.
 *
 * syscall: any number of arguments of any kind must reach libc as they are, so
 *   only execve, execveat and the calls of hook_syscall.c's table, a bit each, are
 *   taken out: the latter as they stand, for the convention is that of an ordinary
 *   function with seven arguments.  The kernel reads the number as an int
 *   (syscall(2)): so do we, or 1 << 32 | SYS_execve would pass.
 * dlopen, dlmopen: libc looks at its return address to know whose RPATH and
 *   namespace count, so we must jump, not call.
 * eg_child_clone: returns twice, once on another stack. */

#include <asm/unistd.h>

#if defined(__x86_64__)

    .text

    .globl syscall
    .type syscall, @function
syscall:
    endbr64
    cmpl $__NR_execve, %edi
    je 1f
    cmpl $__NR_execveat, %edi
    je 2f
    cmpl $512, %edi
    jae 4f
    movl %edi, %eax
    shrl $6, %eax
    leaq eg_file_syscalls(%rip), %r11
    movq (%r11,%rax,8), %r11
    btq %rdi, %r11
    jc eg_hook_file_syscall
4:  movq eg_next_syscall(%rip), %rax
    testq %rax, %rax
    je 3f
    jmp *%rax
1:  movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    jmp eg_hook_execve
2:  movl %esi, %edi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %rcx
    movl %r9d, %r8d
    jmp eg_hook_execveat
3:  movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %r10
    movq %r9, %r8
    movq 8(%rsp), %r9
    syscall
    movq %rax, %rdi
    jmp eg_hook_result
    .size syscall, . - syscall

    .globl dlopen
    .type dlopen, @function
dlopen:
    endbr64
    pushq %rsi
    pushq %rdi
    subq $8, %rsp
    leaq 8(%rsp), %rdi
    leaq 16(%rsp), %rsi
    call eg_hook_dlopen
    addq $8, %rsp
    popq %rdi
    popq %rsi
    testq %rax, %rax
    je 1f
    jmp *%rax
1:  ret
    .size dlopen, . - dlopen

    .globl dlmopen
    .type dlmopen, @function
dlmopen:
    endbr64
    pushq %rdx
    pushq %rsi
    pushq %rdi
    leaq 8(%rsp), %rdi
    leaq 16(%rsp), %rsi
    call eg_hook_dlmopen
    popq %rdi
    popq %rsi
    popq %rdx
    testq %rax, %rax
    je 1f
    jmp *%rax
1:  ret
    .size dlmopen, . - dlmopen

    /* rdi function, rsi stack top, rdx flags, rcx argument */
    .globl eg_child_clone
    .hidden eg_child_clone
    .type eg_child_clone, @function
eg_child_clone:
    endbr64
    movq %rdi, %r9
    movq %rdx, %rdi
    andq $-16, %rsi
    subq $16, %rsi
    movq %rcx, (%rsi)
    xorl %edx, %edx
    xorl %r10d, %r10d
    xorl %r8d, %r8d
    movl $__NR_clone, %eax
    syscall
    testl %eax, %eax
    jnz 1f
    xorl %ebp, %ebp
    popq %rdi
    addq $8, %rsp
    call *%r9
    movl $__NR_exit_group, %eax
    movl $127, %edi
    syscall
    hlt
1:  ret
    .size eg_child_clone, . - eg_child_clone

#elif defined(__aarch64__)

    .text

    .globl syscall
    .type syscall, %function
syscall:
    hint #34
    cmp w0, #__NR_execve
    b.eq 1f
    mov w9, #__NR_execveat
    cmp w0, w9
    b.eq 2f
    cmp w0, #512
    b.hs 4f
    adrp x9, eg_file_syscalls
    add x9, x9, :lo12:eg_file_syscalls
    lsr w10, w0, #6
    ldr x9, [x9, x10, lsl #3]
    and w10, w0, #63
    lsr x9, x9, x10
    tbz x9, #0, 4f
    b eg_hook_file_syscall
4:  adrp x9, eg_next_syscall
    ldr x9, [x9, :lo12:eg_next_syscall]
    cbz x9, 3f
    mov x16, x9
    br x16
1:  mov x0, x1
    mov x1, x2
    mov x2, x3
    b eg_hook_execve
2:  mov w0, w1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov w4, w5
    b eg_hook_execveat
3:  mov x8, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov x4, x5
    mov x5, x6
    svc #0
    b eg_hook_result
    .size syscall, . - syscall

    .globl dlopen
    .type dlopen, %function
dlopen:
    hint #34
    stp x29, x30, [sp, #-32]!
    mov x29, sp
    stp x0, x1, [sp, #16]
    add x0, sp, #16
    add x1, sp, #24
    bl eg_hook_dlopen
    mov x16, x0
    ldp x0, x1, [sp, #16]
    ldp x29, x30, [sp], #32
    cbz x16, 1f
    br x16
1:  mov x0, #0
    ret
    .size dlopen, . - dlopen

    .globl dlmopen
    .type dlmopen, %function
dlmopen:
    hint #34
    stp x29, x30, [sp, #-48]!
    mov x29, sp
    stp x0, x1, [sp, #16]
    str x2, [sp, #32]
    add x0, sp, #24
    add x1, sp, #32
    bl eg_hook_dlmopen
    mov x16, x0
    ldp x0, x1, [sp, #16]
    ldr x2, [sp, #32]
    ldp x29, x30, [sp], #48
    cbz x16, 1f
    br x16
1:  mov x0, #0
    ret
    .size dlmopen, . - dlmopen

    /* x0 function, x1 stack top, x2 flags, x3 argument */
    .globl eg_child_clone
    .hidden eg_child_clone
    .type eg_child_clone, %function
eg_child_clone:
    hint #34
    and x1, x1, #-16
    stp x0, x3, [x1, #-16]!
    mov x0, x2
    mov x2, #0
    mov x3, #0
    mov x4, #0
    mov x8, #__NR_clone
    svc #0
    cbz x0, 1f
    ret
1:  mov x29, #0
    ldp x1, x0, [sp], #16
    blr x1
    mov x8, #__NR_exit_group
    mov x0, #127
    svc #0
    brk #0
    .size eg_child_clone, . - eg_child_clone

#endif

    .section .note.GNU-stack, "", %progbits
