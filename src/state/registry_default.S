/* The built-in registry as bytes: registry_default_start up to registry_default_end. Read by registry.c only. */
#include "base/embed.inc"
  embed registry_default, "state/registry_default.json"
  .section .note.GNU-stack,"",%progbits
