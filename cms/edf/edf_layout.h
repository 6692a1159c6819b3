/* Where everything lies on an EDF disk: offsets and values of the label, the file status table (FST) entries and the
 * pointer blocks. Numbers on the disk are big-endian, text is EBCDIC, dates are packed decimal. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cms/edf/edf.h"

enum {
    BLOCK_FIRST_DIRECTORY = 4, /* the directory's first block is 4 or 5, alternately */
    BLOCK_SECOND_DIRECTORY = 5,
    BLOCK_FIRST_DATA = 6,
    BLOCKS_MIN = 8, /* reserved ones, the map and two more: one to hold data, one for the map's next version */
    BLOCKS_MAX = 0x7fffffff,
    RECORDS_MAX = 0x7fffffff,
    LEVELS_MAX = 6, /* reaches every block count above at every block size */
};

enum label_field {
    LABEL_ID = 0x00, /* CMS1 */
    LABEL_VOLID = 0x04,
    LABEL_VERSION = 0x0a,
    LABEL_BLOCK_SIZE = 0x0c,
    LABEL_ORIGIN = 0x10,
    LABEL_CYLINDERS = 0x14,
    LABEL_CYLINDERS_MAX = 0x18,
    LABEL_BLOCKS = 0x1c,
    LABEL_USED = 0x20,
    LABEL_FST_SIZE = 0x24,
    LABEL_FST_PER_BLOCK = 0x28,
    LABEL_CREATED = 0x2c,
    LABEL_FLAGS = 0x32, /* 01: created in 20xx */
    LABEL_LENGTH = 0x50,
    LABEL_FBA_SECTOR = 1, /* byte 512; on CKD it is block 3 */
    LABEL_FLAG_20XX = 0x01,
    LABEL_VERSION_EDF = 2,
};

enum fst_field {
    FST_NAME = 0x00,
    FST_TYPE = 0x08,
    FST_MODE = 0x18, /* letter and number */
    FST_RECFM = 0x1e,
    FST_FLAGS = 0x1f,
    FST_LRECL = 0x20,
    FST_ORIGIN = 0x28, /* the data block when FST_LEVELS is 0, else the top pointer block */
    FST_BLOCKS = 0x2c,
    FST_RECORDS = 0x30,
    FST_LEVELS = 0x34,
    FST_POINTER_SIZE = 0x35,
    FST_DATE = 0x36,
    FST_SIZE = 64,
    FST_RECFM_F = 0xc6,
    FST_RECFM_V = 0xe5,
    FST_FLAG_20XX = 0x08,
};

enum pointer_field {
    POINTER_SIZE_F = 4,
    POINTER_SIZE_V = 12,
    POINTER_HIGHEST = 4,
    POINTER_DISPLACEMENT = 8,
};

#define DISPLACEMENT_SPANNED 0xffffffffu /* the record continuing from before fills the whole block */

static inline uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Eight bytes at once, in the machine's own order. A plain memcpy would be a call in a freestanding build. */
static inline uint64_t load64(const uint8_t *p)
{
    uint64_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
}

static inline void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value);
}

/* ---- dates and names --------------------------------------------------------------------------------------------- */
bool edf_date_put(uint8_t *packed, const struct edf_date *date); /* returns whether the year is 20xx */
bool edf_date_get(const uint8_t *packed, bool is_20xx, struct edf_date *date); /* false, and zeros: no date */
void edf_name_put(uint8_t *out, size_t size, const char *text); /* EBCDIC, padded with blanks */
void edf_name_get(char *out, const uint8_t *in, size_t size);   /* ASCII, trailing blanks off, unprintables as '?' */
