/* The tape drives TAP0 to TAP7 (180 to 187): each has a tape, which is a CMS file of AWSTAPE blocks, and a place on it
 * where it stands. The file is NAME AWSTAPE A, or what FILEDEF says. It is of variable format; its records, one behind
 * the other, are the tape, however they are cut. What is written stands wholly or not at all, as any file. */
#pragma once
#include <stdbool.h>

#include "cms/file/file.h"
#include "cms/tape/dump.h"

enum { TAPE_UNITS = 8, TAPE_UNIT_NAME_MAX = 10 }; /* "TAP1(181)" and its NUL */

struct tape_unit {
    bool defined;      /* by FILEDEF */
    struct file_id id; /* if it is */
    uint64_t at;       /* bytes from the load point; what is read or written next */
};

/* The drive of a word: TAPn, or 18n; NULL: none. */
struct tape_unit *cms_tape_unit(const struct word *word);
struct tape_unit *cms_tape_unit_at(int index);
void cms_tape_unit_name(const struct tape_unit *unit, char name[TAPE_UNIT_NAME_MAX]);
/* Its tape's fileid, whether or not there is such a file. */
void cms_tape_unit_file(const struct tape_unit *unit, struct file_id *id);

/* A tape being read. */
struct tape_in {
    struct tape_unit *unit;
    struct file_found file;
    char text[FILE_ID_MAX];
    struct edf_reader *reader;
    uint8_t *record; /* the one last read, of `length` bytes, which is at `start` of the tape */
    uint64_t start;
    uint32_t length;
    enum edf_status status; /* what a read has failed with */
    struct dump_reader *dump;
};

/* Where the unit stands. 0, or the return code of the message given; cms_tape_close in any case. */
int cms_tape_open(struct tape_in *in, struct tape_unit *unit);
void cms_tape_close(struct tape_in *in);
/* The message for DUMP_FORMAT, DUMP_TAPE, or DUMP_END, and its return code. */
int cms_tape_failed(struct tape_in *in, enum dump_status status);

/* A tape being written: what stood from the unit's place on will be gone. */
struct tape_out {
    struct tape_unit *unit;
    struct mode *mode;
    char text[FILE_ID_MAX];
    struct edf_writer *writer;
    uint8_t *record; /* gathers */
    uint32_t used;
    uint64_t at;
    enum edf_status status;
    struct dump_writer *dump;
};

/* Copies what stands before the unit's place. As cms_tape_open; the tape is made where there is none. */
int cms_tape_create(struct tape_out *out, struct tape_unit *unit);
/* Makes it so; the unit then stands at byte `at`. cms_tape_abandon in any case. */
int cms_tape_commit(struct tape_out *out, uint64_t at);
void cms_tape_abandon(struct tape_out *out);
/* The message for what the tape would not take, and its return code. */
int cms_tape_out_failed(struct tape_out *out);
