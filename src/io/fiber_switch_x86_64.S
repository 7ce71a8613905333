/* The stack switch for x86-64 (System V): what a C call must preserve and nothing else. Called by fiber.c only.
 *
 *   void fiber_switch(void **save_sp, void *load_sp);
 *
 * Pushes the callee-saved registers and the floating-point control words, stores the stack pointer in *save_sp and
 * continues where load_sp was saved. Both stacks hold the same frame, so one set of unwind rules serves before and
 * after the exchange. The frame's layout is known to fiber_frame_init (fiber_stack.c):
 *   0 mxcsr, 4 x87 control word, 8 r15, 16 r14, 24 r13, 32 r12, 40 rbx, 48 rbp, 56 return address */
#if defined(__x86_64__)
#include <cet.h>

  .text
  .globl fiber_switch
  .hidden fiber_switch
  .type fiber_switch, @function
  .p2align 4
fiber_switch:
  .cfi_startproc
  _CET_ENDBR
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp, 0
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx, 0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r12, 0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r13, 0
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r14, 0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r15, 0
  subq $8, %rsp
  .cfi_adjust_cfa_offset 8
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  .cfi_adjust_cfa_offset -8
  popq %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r15
  popq %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r14
  popq %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r13
  popq %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  popq %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  popq %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbp
  ret
  .cfi_endproc
  .size fiber_switch, . - fiber_switch

/* Where a new fiber begins: main in r12, its argument in r13, rsp 16-byte aligned, rbp 0. Unwinding ends here. */
  .globl fiber_entry
  .hidden fiber_entry
  .type fiber_entry, @function
  .p2align 4
fiber_entry:
  .cfi_startproc
  .cfi_undefined %rip
  movq %r13, %rdi
  call *%r12
  ud2
  .cfi_endproc
  .size fiber_entry, . - fiber_entry
#endif
  .section .note.GNU-stack, "", @progbits
