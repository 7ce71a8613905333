/* The program's entry. */
#include <malloc.h>

#include "app/cli.h"

/* Bodies of some 100 KB come and go thousands of times a second: served from the heap they cost nothing, mapped and
 * unmapped each time they cost more than everything else of a request (measured: 54 against 19 us for 65 KB). */
static void keep_heap(void) {
  mallopt(M_MMAP_THRESHOLD, 2 << 20); /* beyond, a rare large body would split the heaps for good */
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 4096); /* more while serving (server.c): what lies in it is cleared, and so is held, for nothing */
}

/* libcurl links GnuTLS for protocols that are never used here, and GnuTLS tests its ciphers and reads the system's
 * security modules as soon as it is loaded: a megabyte and some milliseconds of every start. It asks this first, by
 * its own interface (GNUTLS_SKIP_GLOBAL_INIT in <gnutls/gnutls.h>). */
__attribute__((visibility("default"))) int _gnutls_global_init_skip(void);
int _gnutls_global_init_skip(void) { return 1; }

int main(int argc, char **argv) {
  keep_heap();
  return cli_main(argc, argv);
}
