/* The built-in registry as bytes: registry_default_start up to registry_default_end. Read by registry.c only. */
  .section .rodata
  .balign 8
  .globl registry_default_start
  .hidden registry_default_start
  .type registry_default_start, %object
registry_default_start:
  .incbin "state/registry_default.json"
  .globl registry_default_end
  .hidden registry_default_end
  .type registry_default_end, %object
registry_default_end:
  .byte 0
  .section .note.GNU-stack,"",%progbits
