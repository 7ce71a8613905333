/* The packed vocabularies as bytes, empty where the build could not have them (scripts/tokenizer_data). Read by
 * tokenizer_load.c only. */
  .macro embed name, file
  .balign 8
  .globl \name\()_start
  .hidden \name\()_start
  .type \name\()_start, %object
\name\()_start:
  .incbin "\file"
  .globl \name\()_end
  .hidden \name\()_end
  .type \name\()_end, %object
\name\()_end:
  .byte 0
  .endm
  .section .rodata
  embed tokenizer_classes, "tokenizer/classes.z"
  embed tokenizer_o200k, "tokenizer/o200k_base.z"
  embed tokenizer_cl100k, "tokenizer/cl100k_base.z"
  .section .note.GNU-stack,"",%progbits
