/* The stack switch for aarch64 (AAPCS64): what a C call must preserve and nothing else. Called by fiber.c only.
 *
 *   void fiber_switch(void **save_sp, void *load_sp);
 *
 * Stores x19-x30, d8-d15 and fpcr in one frame, the stack pointer in *save_sp, and continues where load_sp was saved.
 * Both stacks hold the same frame, so one set of unwind rules serves before and after the exchange. The frame's layout
 * is known to fiber_frame_init (fiber_stack.c):
 *   0 x29, 8 x30, 16 x19 … 88 x28, 96 d8 … 152 d15, 160 fpcr, 168 unused */
#if defined(__aarch64__)
  .text
  .globl fiber_switch
  .hidden fiber_switch
  .type fiber_switch, %function
  .p2align 4
fiber_switch:
  .cfi_startproc
  hint #34 /* bti c */
  stp x29, x30, [sp, #-176]!
  .cfi_def_cfa_offset 176
  .cfi_rel_offset x29, 0
  .cfi_rel_offset x30, 8
  stp x19, x20, [sp, #16]
  .cfi_rel_offset x19, 16
  .cfi_rel_offset x20, 24
  stp x21, x22, [sp, #32]
  .cfi_rel_offset x21, 32
  .cfi_rel_offset x22, 40
  stp x23, x24, [sp, #48]
  .cfi_rel_offset x23, 48
  .cfi_rel_offset x24, 56
  stp x25, x26, [sp, #64]
  .cfi_rel_offset x25, 64
  .cfi_rel_offset x26, 72
  stp x27, x28, [sp, #80]
  .cfi_rel_offset x27, 80
  .cfi_rel_offset x28, 88
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  .cfi_rel_offset d8, 96
  .cfi_rel_offset d9, 104
  .cfi_rel_offset d10, 112
  .cfi_rel_offset d11, 120
  .cfi_rel_offset d12, 128
  .cfi_rel_offset d13, 136
  .cfi_rel_offset d14, 144
  .cfi_rel_offset d15, 152
  mrs x9, fpcr
  str x9, [sp, #160]
  mov x10, sp
  str x10, [x0]
  mov sp, x1
  ldr x11, [sp, #160]
  /* Writing fpcr is slow on some cores, and it hardly ever differs. */
  cmp x9, x11
  b.eq 1f
  msr fpcr, x11
1:
  ldp x19, x20, [sp, #16]
  ldp x21, x22, [sp, #32]
  ldp x23, x24, [sp, #48]
  ldp x25, x26, [sp, #64]
  ldp x27, x28, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  ldp x29, x30, [sp], #176
  .cfi_def_cfa_offset 0
  .cfi_restore x29
  .cfi_restore x30
  .cfi_restore x19
  .cfi_restore x20
  .cfi_restore x21
  .cfi_restore x22
  .cfi_restore x23
  .cfi_restore x24
  .cfi_restore x25
  .cfi_restore x26
  .cfi_restore x27
  .cfi_restore x28
  .cfi_restore d8
  .cfi_restore d9
  .cfi_restore d10
  .cfi_restore d11
  .cfi_restore d12
  .cfi_restore d13
  .cfi_restore d14
  .cfi_restore d15
  ret
  .cfi_endproc
  .size fiber_switch, . - fiber_switch

/* Where a new fiber begins: main in x19, its argument in x20, sp 16-byte aligned, x29 0. Unwinding ends here. */
  .globl fiber_entry
  .hidden fiber_entry
  .type fiber_entry, %function
  .p2align 4
fiber_entry:
  .cfi_startproc
  .cfi_undefined x30
  mov x0, x20
  blr x19
  brk #1
  .cfi_endproc
  .size fiber_entry, . - fiber_entry
#endif
  .section .note.GNU-stack, "", %progbits
