/* The style and script of the API's pages as bytes: docs_style_start up to docs_style_end, docs_script_start up to
 * docs_script_end. Read by openapi_page.c only. */
  .section .rodata
  .macro asset name, path
  .globl \name\()_start
  .hidden \name\()_start
  .type \name\()_start, %object
\name\()_start:
  .incbin "\path"
  .globl \name\()_end
  .hidden \name\()_end
  .type \name\()_end, %object
\name\()_end:
  .byte 0
  .endm
  asset docs_style, "admin/docs/docs.css"
  asset docs_script, "admin/docs/docs.js"
  .section .note.GNU-stack,"",%progbits
