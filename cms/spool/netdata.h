/* NETDATA, the form in which SENDFILE puts a file onto cards: records cut into segments of up to 253 bytes, each with
 * its length and what part of its record it is; records of control before and behind say name, type, mode, format
 * and length. z/OS "TSO/E Customization", "Format of transmitted data". Control records are EBCDIC; a file's records
 * are as they are. */
#pragma once
#include "cms/spool/spool.h"

/* ---- onto cards -------------------------------------------------------------------------------------------------- */

struct netdata_out {
    struct spool_sink sink; /* begun by the caller, who ends it */
    size_t used;
    uint8_t card[CARD];
};

/* `ack`: who receives it is asked to acknowledge that. */
int netdata_begin(struct netdata_out *, const struct file_found *, const char *to, bool ack);
int netdata_record(struct netdata_out *, const uint8_t *record, size_t length);
int netdata_end(struct netdata_out *);
struct netdata_in;
/* A whole one instead: that the first file of what was read has been received. */
int netdata_receipt(struct netdata_out *, const struct netdata_in *, const char *to);

/* ---- from cards -------------------------------------------------------------------------------------------------- */

enum { NETDATA_FILES = 8 };

/* What the control records say of a file; what they do not say, or not as CMS could have it, is "" or 0. */
struct netdata_facts {
    char name[9], type[9];
    char number;             /* of the mode */
    char recfm;              /* 'F' or 'V' */
    uint32_t lrecl;          /* 1..EDF_LRECL_MAX if F */
    bool said, mail;         /* there are control records about it; it is a message */
    struct edf_date changed; /* year 0: not said */
    char utility[9];         /* a program of MVS that the records were made by, and that would undo it */
};

struct netdata_in {
    struct spool_source *source;
    const uint8_t *card; /* what is left of it */
    size_t left;
    uint8_t *record; /* EDF_LRECL_MAX bytes */
    size_t length;
    bool control, held; /* held: `record` is read and not yet asked for */
    unsigned at;        /* which file */
    bool over, ended;   /* the file has no more records; the transmission has no more files */
    struct netdata_facts files[NETDATA_FILES];
    bool receipt; /* no file: an acknowledgement of one, which files[0] names */
    char receipt_says[33];
    bool ack;      /* is asked for, with this in it */
    char time[21]; /* when it was sent: "19901121140531" */
    uint8_t ack_id[64];
    size_t ack_id_length;
};

/* Does the first card begin such a file? */
bool netdata_is(const uint8_t *card, size_t length);
/* `card`: the first, read by the caller. Reads up to the first file's first record; ended: there is no file. 0, or the
 * return code of a message. */
int netdata_open(struct netdata_in *, struct spool_source *, const uint8_t *card, size_t length);
/* The next record in record and length; over: there is none. Not to be called then: netdata_next_file() goes on. */
int netdata_next(struct netdata_in *);
/* After `over` and not `ended`. */
int netdata_next_file(struct netdata_in *);
static inline const struct netdata_facts *netdata_facts(const struct netdata_in *in) { return &in->files[in->at]; }
