/* What CMS' TAPE DUMP writes: a file is blocks of data and, behind them, one that names it.
 *
 *   02 C M S F   up to 4096 bytes of an F file: its records one behind the other
 *   02 C M S V   the same of a V file: each record behind its length, 16 bits with the high byte first
 *   02 C M S N   82 bytes: the file's status table entry from its write pointer on, with the date of the old format
 *                where that has it, 16 bytes of nothing, and name, type and mode
 *
 * A record may begin in one block and end in another. Where the block that was read last is followed by nothing of the
 * file, it may be padded. VM/370 wrote blocks of 800 bytes, 02 C M S and a blank, or a zero if it was a block of zeros:
 * they are read too. Names are EBCDIC, records are bytes as they are. Blocks are AWSTAPE's (aws.h). */
#pragma once
#include "cms/edf/edf.h"
#include "cms/tape/aws.h"

enum { DUMP_HEADER = 5, DUMP_DATA = 4096, DUMP_NAME = 82 };

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct dump_writer {
    struct aws_writer tape;
    char recfm;
    size_t used;
    uint32_t blocks;
    uint8_t block[DUMP_HEADER + DUMP_DATA];
};

/* Each answers 0 or what the tape's seam said. The records are those of a file of `facts`, all of them, in order. */
void dump_begin(struct dump_writer *writer, char recfm);
int dump_record(struct dump_writer *writer, const uint8_t *data, uint32_t length);
int dump_end(struct dump_writer *writer, const struct edf_file_facts *facts, char letter);

/* ---- reading ----------------------------------------------------------------------------------------------------- */

enum dump_status {
    DUMP_FILE,
    DUMP_RECORD,
    DUMP_MARK,   /* a tape mark, which the reader now stands behind */
    DUMP_END,    /* the end of the tape, or of the file's records */
    DUMP_FORMAT, /* what stands here was not written by TAPE DUMP, or contradicts itself; dump_reader.why tells */
    DUMP_TAPE,   /* it cannot be read; tape.why tells, or the seam knows (NULL) */
};

struct dump_file {
    struct edf_file_facts facts; /* blocks: as the tape says */
    char letter;
    uint64_t start, end; /* where its blocks begin, and behind its name */
};

struct dump_reader {
    struct aws_reader tape;
    const char *why;
    size_t used, length; /* of the block that records are read from */
    uint32_t left;       /* records */
    uint32_t lrecl;
    char recfm;
    uint8_t block[AWS_BLOCK_MAX];
};

/* Passes a file: DUMP_FILE with *file, or DUMP_MARK, DUMP_END, DUMP_FORMAT, DUMP_TAPE. */
enum dump_status dump_next(struct dump_reader *reader, struct dump_file *file);

/* Goes back to the records of a file that dump_next has told; the reader is then to be used for these only, until
 * tape.at is set to file->end. */
void dump_open(struct dump_reader *reader, const struct dump_file *file);
/* The next record, of at most EDF_LRECL_MAX bytes: DUMP_RECORD, or DUMP_END, DUMP_FORMAT, DUMP_TAPE. */
enum dump_status dump_read(struct dump_reader *reader, uint8_t *record, uint32_t *length);
