/* CRC-32 as Ethernet and zlib have it: polynomial 04C11DB7 reflected, all ones before and after. */
#pragma once
#include <stddef.h>
#include <stdint.h>

uint32_t crc32_of(const void *data, size_t bytes);
/* Of what `crc` is of, and these bytes behind it; 0 is of none. */
uint32_t crc32_more(uint32_t crc, const void *data, size_t bytes);
