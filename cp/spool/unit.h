/* The spooled devices of a user's machine: reader, printer, punch. What is written to a printer or punch gathers in a
 * file that begins with the first record and ends with CLOSE; the reader reads the files of its queue.
 *
 * They are the user's, logged on or not: what is open at LOGOFF is closed and kept. Nothing waits: BUSY is for a block
 * that is on its way, and spool_news counts when it has come. */
#pragma once
#include "cp/spool/spool.h"
#include "cp/storage/frame.h"

/* Blocks on their way are its frames, at most five a user: of what nobody is promised, nothing that is kept back. */
extern struct frame_account spool_account;

/* As SPOOL and TAG say. */
struct spool_unit {
    char class;            /* of new files; of the reader: the one it reads, * any */
    uint8_t hold, keep;    /* of new files; the reader: a file that was read stays */
    uint8_t cont;          /* CLOSE does not end the file that is open */
    uint8_t copies;
    char to[9];            /* into whose reader new files go; "": they stay with the unit */
    char owner[9];         /* whose those are that stay with the unit; "": the user's */
    char tag[SPOOL_TAG + 1];
    /* of the file that was closed last: how that went, or the ticket that tells */
    enum spool_outcome outcome;
    uint64_t ticket;
    uint16_t spoolid; /* of that file, where it went */
};

struct spool_user { /* who is logged on */
    char id[9];
    struct spool_unit unit[SPOOL_QUEUES];
};
void spool_units_reset(struct spool_user *, const char *id); /* LOGON: as new */
void spool_units_close(struct spool_user *);                 /* LOGOFF; the struct may go */
/* Those of the host (SPOOL_HOST), who is not in the directory. */
extern struct spool_user spool_host;

enum spool_io {
    SPOOL_OK,
    SPOOL_BUSY,    /* again when there is news; what was taken or given by then counts */
    SPOOL_NO_ROOM, /* the spool is full, or the user has their share; the file stays as it was */
    SPOOL_NONE,    /* no such file, or none to be read */
    SPOOL_BROKEN,  /* a block cannot be read or written, or is not what it was */
    SPOOL_LENGTH_BAD, /* no whole record, or no room for the next one */
};

/* ---- printer and punch ------------------------------------------------------------------------------------------- */

enum { SPOOL_AT_ONCE = 256 }; /* records a call takes or gives at most, or short ones would take it too long */

/* Records as in a struct spool_block, whole ones; *bytes are given and on return taken. What the host writes to its
 * reader is as if it had been written to a punch. */
enum spool_io spool_write(struct spool_user *, enum spool_queue, const void *records, unsigned *bytes);

struct spool_close {
    const char *name, *type; /* "": as they are */
    const char *to;          /* "": the unit's */
    int hold;                /* -1: the unit's */
    bool purge;
    uint64_t now;            /* Unix seconds */
};
/* Ends the file of a printer or punch that is open. False: none is, or it is being closed already. */
bool spool_close(struct spool_user *, enum spool_queue, const struct spool_close *);
/* How that goes, until the next file is begun. */
enum spool_outcome spool_closed(const struct spool_user *, enum spool_queue);
bool spool_units_idle(void); /* no block of anybody is under way, and nothing is being closed */

/* ---- reader ------------------------------------------------------------------------------------------------------ */

struct spool_reading {
    unsigned spoolid; /* asked for, 0: the one that is open, or the first that may be read; and which it was */
    unsigned bytes;   /* room, and given: whole records */
    bool end;         /* they were the last */
};
enum spool_io spool_read(const struct spool_user *, struct spool_reading *, void *records);
/* Opens a file for one who only looks, whosever it is and in whatever queue: spool_read() without a spoolid reads it.
 * It is held for nobody: others may read, change and purge it meanwhile, and once it is gone spool_read() says NONE.
 * BUSY: what was read before still comes. */
enum spool_io spool_look(const struct spool_user *, struct spool_file *);
/* The file that is open in the reader, NULL: none is. It goes back to its place. */
struct spool_file *spool_reader_close(const struct spool_user *);
