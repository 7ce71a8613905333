/* The packed vocabularies as bytes, empty where the build could not have them (scripts/tokenizer_data). Read by
 * tokenizer_load.c only. */
#include "base/embed.inc"
  embed tokenizer_classes, "tokenizer/classes.z"
  embed tokenizer_o200k, "tokenizer/o200k_base.z"
  embed tokenizer_cl100k, "tokenizer/cl100k_base.z"
  .section .note.GNU-stack,"",%progbits
