/* The program's entry. */
#include <malloc.h>

#include "app/cli.h"

/* Bodies of some 100 KB come and go thousands of times a second: served from the heap they cost nothing, mapped and
 * unmapped each time they cost more than everything else of a request (measured: 54 against 19 us for 65 KB). */
static void keep_heap(void) {
  mallopt(M_MMAP_THRESHOLD, 2 << 20); /* beyond, a rare large body would split the heaps for good */
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 256 << 10);
}

int main(int argc, char **argv) {
  keep_heap();
  return cli_main(argc, argv);
}
