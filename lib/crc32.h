/* CRC-32 as Ethernet and zlib have it: polynomial 04C11DB7 reflected, all ones before and after. */
#pragma once
#include <stddef.h>
#include <stdint.h>

uint32_t crc32_of(const void *data, size_t bytes);
