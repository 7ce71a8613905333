/* The style and script of the API's pages as bytes. Read by openapi_page.c only. */
#include "base/embed.inc"
  embed docs_style, "admin/docs/docs.css"
  embed docs_script, "admin/docs/docs.js"
  .section .note.GNU-stack,"",%progbits
