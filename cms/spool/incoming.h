/* A file of the reader as it comes: cards, behind a :READ card or not, or NETDATA; and what file it is to be. One spool
 * file may hold several. */
#pragma once
#include "cms/spool/netdata.h"

struct incoming {
    struct spool_source source;
    struct netdata_in netdata;
    bool is_netdata, ebcdic, decks; /* ebcdic: records are made ASCII; decks: a :READ card begins another file */
    const uint8_t *record;          /* the next of this file; NULL: there is none */
    size_t length;
    bool more; /* with record NULL: another file follows */
    struct file_id id, next; /* as the file says; name or type "": it does not; mode 0: the same */
    char recfm;
    uint32_t lrecl;
};

/* How to read: `decode`: NETDATA is not read as cards. */
struct incoming_how {
    bool decode, decks, ebcdic;
};

/* To the first record. 0, or the return code of a message. What it holds goes by incoming_forget(), also then. */
int incoming_open(struct incoming *, const char *module, unsigned spoolid, struct incoming_how);
int incoming_go_on(struct incoming *);
/* After `more`: to the first record of the next file. */
int incoming_next_file(struct incoming *);
/* A NETDATA file that says only that another arrived. */
static inline bool incoming_is_receipt(const struct incoming *in) { return in->is_netdata && in->netdata.receipt; }
void incoming_forget(struct incoming *);
