/* Between the spool's table (table.c) and what keeps it on disk (store.c). */
#pragma once
#include "cp/spool/spool.h"

struct spool_slot {
    struct spool_file file;
    struct spool_journey journey;
    enum { SLOT_FREE, SLOT_OPEN, SLOT_THERE, SLOT_GOING } state; /* GOING: its end is not kept yet */
    uint8_t newest; /* of the two sectors */
    bool dirty;     /* differs from what is kept */
    bool written;   /* in the round at hand, to the older sector, which is the newer one from its end on */
    bool fresh;     /* its data want a flush before the table tells of it */
    bool arrives;   /* `arrived` is due when it is kept */
    bool used;
    uint64_t born;  /* ticket of spool_commit */
};

extern struct spool_slot spool_slots[SPOOL_FILES];
extern uint64_t spool_last_ticket;
extern uint64_t spool_last_id;
extern uint32_t spool_data_blocks;

void spool_table_clear(uint32_t data_blocks);
/* Takes what the two sectors of a slot say; false: neither is good, though there is something, or it contradicts what
 * was taken before. */
bool spool_table_take(unsigned slot, const struct spool_file sectors[2]);
void spool_slot_free(struct spool_slot *); /* and its blocks */

void spool_store_wake(void); /* something is dirty */
