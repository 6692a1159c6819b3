/* AWSTAPE: a magnetic tape in a file, as the P/390 and Hercules have it. Blocks of 1 to 65535 bytes and tape marks,
 * each behind a header of six bytes: its length and that of what stands before it, both 16 bits with the low byte
 * first, and two bytes of flags. A block may stand in several pieces; we write one.
 *
 * In: the file's bytes, by a seam. Out: blocks. What is in the file may be hostile. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AWS_HEADER = 6, AWS_BLOCK_MAX = 65535 };

enum aws_status {
    AWS_BLOCK,
    AWS_MARK,    /* a tape mark */
    AWS_END,     /* the file ends here: the end of the tape */
    AWS_DAMAGED, /* what stands here is no block; aws_reader.why tells */
    AWS_IO,      /* the seam has failed */
};

struct aws_reader {
    void *ctx;
    /* Bytes read from byte `at` of the file on: less than `size` only where it ends; negative: an error. */
    int (*read)(void *ctx, uint64_t at, void *buffer, size_t size);
    uint64_t at;       /* of the next header; set by the caller to go elsewhere */
    uint16_t previous; /* length of what was read last, for who writes behind it; 0: a mark, or nothing */
    const char *why;
};

/* The next block goes to block[0 .. *length), which has room for AWS_BLOCK_MAX. At AWS_BLOCK and AWS_MARK the reader
 * stands behind it, else where it was. */
enum aws_status aws_read(struct aws_reader *reader, uint8_t *block, size_t *length);

struct aws_writer {
    void *ctx;
    int (*write)(void *ctx, const void *data, size_t size); /* 0, or an error that is handed on */
    uint16_t previous;                                      /* as in the reader */
};

/* length: 1 to AWS_BLOCK_MAX. 0, or what the seam said. */
int aws_write(struct aws_writer *writer, const uint8_t *block, size_t length);
int aws_write_mark(struct aws_writer *writer);
