/* switch_x86_64.S -- leaving one stack for another, System V ABI.
 *
 * Only what the ABI makes the callee's to keep is saved: rbx, rbp, r12 to r15, the control bits
 * of MXCSR and the x87 control word.  The saved frame, from the stored stack pointer up:
 *
 *     0 MXCSR   4 x87 CW   8 r15   16 r14   24 r13   32 r12   40 rbx   48 rbp   56 return
 *
 * The control words are loaded only when they differ, which they practically never do: loading
 * costs more than all the rest.  MXCSR's low six bits are sticky flags and nobody's to keep.
 *
 * Both stacks have this layout at the moment rsp changes, so one set of call frame information
 * holds before and after.
 */
        .text

/* void co_switch(void **save_sp, void *sp) */
        .globl  co_switch
        .hidden co_switch
        .type   co_switch, @function
        .p2align 4
co_switch:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movl    (%rsp), %eax
        movzwl  4(%rsp), %ecx

        movq    %rsp, (%rdi)
        movq    %rsi, %rsp

        xorl    (%rsp), %eax
        testl   $0xffc0, %eax
        jne     2f
1:      cmpw    4(%rsp), %cx
        jne     3f
4:      addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        ret
        .cfi_def_cfa_offset 64
        .cfi_rel_offset r15, 8
        .cfi_rel_offset r14, 16
        .cfi_rel_offset r13, 24
        .cfi_rel_offset r12, 32
        .cfi_rel_offset rbx, 40
        .cfi_rel_offset rbp, 48
2:      ldmxcsr (%rsp)
        jmp     1b
3:      fldcw   4(%rsp)
        jmp     4b
        .cfi_endproc
        .size   co_switch, .-co_switch

/* void *co_frame(void *top, struct co *c): the frame of a coroutine that has not begun.  rbp is
 * zero, which ends chains of frame pointers; the control words are the caller's. */
        .globl  co_frame
        .hidden co_frame
        .type   co_frame, @function
        .p2align 4
co_frame:
        .cfi_startproc
        leaq    -64(%rdi), %rax
        stmxcsr (%rax)
        fnstcw  4(%rax)
        movq    %rsi, 40(%rax)
        movq    $0, 48(%rax)
        leaq    co_begin(%rip), %rcx
        movq    %rcx, 56(%rax)
        ret
        .cfi_endproc
        .size   co_frame, .-co_frame

/* Where a new coroutine starts, with c in rbx and rsp 16-byte aligned.  The undefined return
 * address ends backtraces. */
        .type   co_begin, @function
        .p2align 4
co_begin:
        .cfi_startproc
        .cfi_undefined rip
        movq    %rbx, %rdi
        call    co_main
        ud2
        .cfi_endproc
        .size   co_begin, .-co_begin

        .section .note.GNU-stack, "", @progbits
