/* CRC-32C (Castagnoli), as RFC 3720 appendix B.4 and RFC 9260 appendix A define it: the checksum of records on disk. By
 * the processor's own instruction where it has one, else by a table; both give the same. Pure and thread-safe. */
#ifndef MAESTRO_BASE_CRC32C_H
#define MAESTRO_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc: of what came before, 0 at the beginning. */
uint32_t crc32c(uint32_t crc, const void *data, size_t n);
/* The same by the table alone, for tests of the two against each other. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t n);

#endif
