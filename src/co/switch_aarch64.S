/* switch_aarch64.S -- leaving one stack for another, AAPCS64.
 *
 * Only what the procedure call standard makes the callee's to keep is saved: x19 to x30, d8 to
 * d15, and FPCR.  The saved frame is 176 bytes; from the stored stack pointer up:
 *
 *     0 x29,x30   16 x19,x20 ... 80 x27,x28   96 d8,d9 ... 144 d14,d15   160 FPCR, unused
 *
 * Both stacks have this layout at the moment sp changes, so one set of call frame information
 * holds before and after.  FPCR is written only when it differs, because writing it may stall.
 */
        .text

/* void co_switch(void **save_sp, void *sp) */
        .globl  co_switch
        .hidden co_switch
        .type   co_switch, %function
        .p2align 4
co_switch:
        .cfi_startproc
        sub     sp, sp, #176
        .cfi_adjust_cfa_offset 176
        stp     x29, x30, [sp, #0]
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        stp     x19, x20, [sp, #16]
        .cfi_rel_offset x19, 16
        .cfi_rel_offset x20, 24
        stp     x21, x22, [sp, #32]
        .cfi_rel_offset x21, 32
        .cfi_rel_offset x22, 40
        stp     x23, x24, [sp, #48]
        .cfi_rel_offset x23, 48
        .cfi_rel_offset x24, 56
        stp     x25, x26, [sp, #64]
        .cfi_rel_offset x25, 64
        .cfi_rel_offset x26, 72
        stp     x27, x28, [sp, #80]
        .cfi_rel_offset x27, 80
        .cfi_rel_offset x28, 88
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mrs     x9, fpcr
        str     x9, [sp, #160]

        mov     x10, sp
        str     x10, [x0]
        mov     sp, x1

        ldr     x11, [sp, #160]
        cmp     x9, x11
        b.eq    1f
        msr     fpcr, x11
1:
        ldp     d14, d15, [sp, #144]
        ldp     d12, d13, [sp, #128]
        ldp     d10, d11, [sp, #112]
        ldp     d8, d9, [sp, #96]
        ldp     x27, x28, [sp, #80]
        .cfi_restore x27
        .cfi_restore x28
        ldp     x25, x26, [sp, #64]
        .cfi_restore x25
        .cfi_restore x26
        ldp     x23, x24, [sp, #48]
        .cfi_restore x23
        .cfi_restore x24
        ldp     x21, x22, [sp, #32]
        .cfi_restore x21
        .cfi_restore x22
        ldp     x19, x20, [sp, #16]
        .cfi_restore x19
        .cfi_restore x20
        ldp     x29, x30, [sp, #0]
        .cfi_restore x29
        .cfi_restore x30
        add     sp, sp, #176
        .cfi_adjust_cfa_offset -176
        ret
        .cfi_endproc
        .size   co_switch, .-co_switch

/* void *co_frame(void *top, struct co *c): the frame of a coroutine that has not begun.  x29 is
 * zero, which ends chains of frame records; FPCR is the caller's. */
        .globl  co_frame
        .hidden co_frame
        .type   co_frame, %function
        .p2align 4
co_frame:
        .cfi_startproc
        sub     x0, x0, #176
        adrp    x9, co_begin
        add     x9, x9, :lo12:co_begin
        stp     xzr, x9, [x0, #0]
        stp     x1, xzr, [x0, #16]
        stp     xzr, xzr, [x0, #96]
        stp     xzr, xzr, [x0, #112]
        stp     xzr, xzr, [x0, #128]
        stp     xzr, xzr, [x0, #144]
        mrs     x9, fpcr
        str     x9, [x0, #160]
        ret
        .cfi_endproc
        .size   co_frame, .-co_frame

/* Where a new coroutine starts, with c in x19.  The undefined return address ends backtraces. */
        .type   co_begin, %function
        .p2align 4
co_begin:
        .cfi_startproc
        .cfi_undefined x30
        mov     x0, x19
        bl      co_main
        brk     #1
        .cfi_endproc
        .size   co_begin, .-co_begin

        .section .note.GNU-stack, "", %progbits
