/* SPDX-License-Identifier: ISC */
/* CRC-32C (Castagnoli), as in RFC 3720 appendix B.4. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 at the start) over `n` bytes. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
