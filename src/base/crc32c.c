/* CRC-32C: see crc32c.h. The table of the reflected polynomial is made on first use; the processor is asked once. */
#include "base/crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { POLYNOMIAL = (int)0x82f63b78u };

static uint32_t table[256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void make_table(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ (uint32_t)POLYNOMIAL : c >> 1;
    table[i] = c;
  }
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t n) {
  const unsigned char *p = data;
  pthread_once(&table_once, make_table);
  crc = ~crc;
  for (size_t i = 0; i < n; i++) crc = table[(crc ^ p[i]) & 0xff] ^ crc >> 8;
  return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const unsigned char *p, size_t n) {
  uint64_t c = ~crc & 0xffffffffu, word;
  for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
    memcpy(&word, p, sizeof word);
    c = __builtin_ia32_crc32di(c, word);
  }
  for (; n; n--) c = __builtin_ia32_crc32qi((uint32_t)c, *p++);
  return ~(uint32_t)c;
}

static bool has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }
#else
static uint32_t by_instruction(uint32_t crc, const unsigned char *p, size_t n) { return crc32c_portable(crc, p, n); }
static bool has_instruction(void) { return false; }
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t n) {
  return has_instruction() ? by_instruction(crc, data, n) : crc32c_portable(crc, data, n);
}
