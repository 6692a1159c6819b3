/* Packed files: what COPYFILE's option PACK makes and UNPACK takes back, byte for byte. Pure.
 *
 * Owns the format, which is VM/N's own (that of z/VM is not published). A packed file is of format F 1024. Its bytes,
 * one record behind the other, numbers little endian:
 *
 *   head   0  8  00 "VMNPACK"
 *          8  1  1, the format's version
 *          9  1  record format, 'F' or 'V'
 *         10  1  the principal character: the one whose runs are shortest
 *         11  1  0
 *         12  4  record length: of every record, of V the longest there may be
 *   then for each record 01, of V its length in two bytes, and pieces until it is whole:
 *          00-7F  1 to 128 bytes as they are, which follow
 *          80-BE  1 to 63 times the principal character
 *          BF     as often as two bytes say
 *          C0-FE  1 to 63 times the byte that follows
 *          FF     as often as two bytes say the byte behind them
 *   end    00, the number of records in four bytes, and CRC-32 in four, of each record's length in two bytes and its
 *          bytes; zeros up to the end of the last block.
 *
 * A packed file that is handed in may be hostile: it is a reason, and nothing worse. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cms/edf/edf.h"

enum { PACK_LRECL = 1024, PACK_MAGIC = 8 };

/* What was packed. */
struct pack_form {
    char recfm;
    uint8_t principal;
    uint32_t lrecl; /* at most EDF_LRECL_MAX; 0: there are no records */
};

/* Is a file that begins so packed? PACK_MAGIC bytes tell. */
bool pack_begins(const void *bytes, size_t size);

struct packer {
    enum edf_status (*put)(void *context, const uint8_t block[PACK_LRECL]);
    void *context;
    struct pack_form form;
    enum edf_status status; /* the first that put() answered other than EDF_OK */
    uint32_t records, crc, used;
    uint8_t block[PACK_LRECL];
};

/* @pre put and context are set */
void pack_begin(struct packer *, const struct pack_form *);
/* @pre 1 to form.lrecl bytes, exactly that of F */
enum edf_status pack_record(struct packer *, const uint8_t *record, uint32_t length);
enum edf_status pack_end(struct packer *);

enum unpack_result { UNPACK_OK, UNPACK_END, UNPACK_WRONG, UNPACK_READ };

struct unpacker {
    enum edf_status (*get)(void *context, uint8_t block[PACK_LRECL]); /* EDF_END behind the last */
    void *context;
    struct pack_form form;
    enum edf_status status; /* UNPACK_READ: what get() answered */
    const char *reason;     /* UNPACK_WRONG: a phrase */
    uint32_t records, crc, at, there;
    uint8_t block[PACK_LRECL];
};

/* Reads the head into `form`. @pre get and context are set */
enum unpack_result unpack_begin(struct unpacker *);
/* The next record, of 1 to form.lrecl bytes; `record` has room for EDF_LRECL_MAX. UNPACK_END: all of it was right. */
enum unpack_result unpack_record(struct unpacker *, uint8_t *record, uint32_t *length);
