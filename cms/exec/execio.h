/* EXECIO as typed, and where its records come from and go to on the program's side. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cms/file/file.h"

enum { EXECIO_RECORD = 65535, EXECIO_NAME = 250, EXECIO_EOF = 2, EXECIO_NOT_FOUND = 3, EXECIO_TRUNCATED = 1,
       EXECIO_PLIST = 24, EXECIO_NO_FILE = 28 };

enum execio_verb { EXECIO_DISKR, EXECIO_DISKW, EXECIO_CP, EXECIO_CARD, EXECIO_PUNCH, EXECIO_PRINT, EXECIO_EMSG };
enum execio_search { EXECIO_ALL, EXECIO_FIND, EXECIO_LOCATE, EXECIO_AVOID };
enum execio_side { EXECIO_FIFO, EXECIO_LIFO, EXECIO_STEM, EXECIO_VAR, EXECIO_STRING, EXECIO_SKIP };

struct execio {
    uint32_t lines; /* EXECIO_EVERY: * */
    enum execio_verb verb;
    struct file_id id;
    uint32_t line; /* where to begin, 0: where the file is */
    char recfm;    /* 0: not said */
    uint32_t lrecl;
    bool finis, strip, quiet;
    char fold; /* 'U', or 0 */
    enum execio_search search;
    const char *wanted;
    size_t wanted_length;
    uint32_t zone_first, zone_last, margin_first, margin_last; /* columns, from 1 */
    enum execio_side side;
    const char *text; /* EXECIO_STRING, and what CP is asked: the rest of the line; NULL: not given */
    char name[EXECIO_NAME + 1]; /* of the variable or stem, which ends with a full stop */
};
enum { EXECIO_EVERY = 0xffffffff };

/* 0, or the return code of the message given. The result points into `line`. */
int execio_parse(const char *line, struct execio *);

/* ---- the program's side ------------------------------------------------------------------------------------------ */

struct execio_program {
    const struct execio *request;
    uint32_t done;  /* records that went over */
    char *record;   /* EXECIO_RECORD + 1 bytes */
    size_t length;  /* of what execio_take brought */
    int rc;         /* of the first thing that went wrong */
};

bool execio_program_begin(struct execio_program *, const struct execio *);
/* A record for the program, cut and folded as the options say. False: *rc says why. */
bool execio_give(struct execio_program *, const char *record, size_t length);
/* The program's next record. False: there is none, or rc says what went wrong. */
bool execio_take(struct execio_program *);
/* The number of records, to a stem that was filled. The return code of it all. */
int execio_program_end(struct execio_program *);
