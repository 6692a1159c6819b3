/* NETDATA, the form in which SENDFILE puts a file onto cards: records cut into segments of up to 253 bytes, each with
 * its length and what part of its record it is; records of control before and behind say name, type, mode, format
 * and length. z/OS "TSO/E Customization", "Format of transmitted data". Control records are EBCDIC; a file's records
 * are as they are. Text units stand in any order; those the book calls always present are there. */
#pragma once
#include "cms/spool/spool.h"

/* ---- onto cards -------------------------------------------------------------------------------------------------- */

struct netdata_out {
    struct spool_sink sink; /* begun by the caller, who ends it */
    size_t used;
    uint8_t card[CARD];
};

int netdata_begin(struct netdata_out *, const struct file_found *, const char *to);
int netdata_record(struct netdata_out *, const uint8_t *record, size_t length);
int netdata_end(struct netdata_out *);

/* ---- from cards -------------------------------------------------------------------------------------------------- */

struct netdata_facts {
    char name[9], type[9];
    char number; /* of the mode; 0: not said */
    char recfm;
    uint32_t lrecl;
};

struct netdata_in {
    struct spool_source *source;
    const uint8_t *card; /* what is left of it */
    size_t left;
    uint8_t *record; /* EDF_LRECL_MAX bytes */
    size_t length;
    bool control, ended;
    struct netdata_facts facts;
};

/* Does the first card begin such a file? */
bool netdata_is(const uint8_t *card, size_t length);
/* `card`: the first, read by the caller. Reads up to the file's first record. 0, or the return code of a message. */
int netdata_open(struct netdata_in *, struct spool_source *, const uint8_t *card, size_t length);
/* The next record in record and length; ended: there is none. */
int netdata_next(struct netdata_in *);
