/* The spool: what is in the readers, punches and printers of users, whether they are logged on or not. Files come from
 * units (unit.h); here they are found, changed, and kept on the spool area of the volume.
 *
 * CP does not wait for the disk: what changes is told to spool_change, and is kept, over any cut of power, when
 * spool_outcome says so. A file is either there as it was, or as it was changed, or, new, not at all. */
#pragma once
#include "cp/device/disk.h"
#include "cp/spool/format.h"

/* How a file came where it is. */
struct spool_journey {
    char from[9]; /* who had it, or made it */
    enum spool_queue queue;
    uint16_t was; /* its spoolid there */
};
typedef void spool_arrival(const struct spool_file *, const struct spool_journey *);

/* Reads the table of the area; `disk` NULL: there is no spool. `news` is called whenever somebody who waits should look
 * again, `arrived` when a new file is kept, or one was transferred and that is kept. */
void spool_start(struct disk *disk, void (*news)(void), spool_arrival *arrived);
/* NULL: it can be used. Else why not. */
const char *spool_obstacle(void);
bool spool_starts(void);       /* not yet, but it is on its way: spool_start() is still to come, or reads */
unsigned spool_damaged(void); /* entries of the table that were dropped as it was read */
bool spool_idle(void);        /* nothing is under way to the disk */
extern uint64_t spool_news;   /* counts the calls of `news` */

/* ---- finding. Pointers hold until the file is gone, so at most to the end of the turn. --------------------------- */

/* The file behind `order` in a queue; INT64_MIN: the first. owner NULL: of everybody, origin NULL: made by anybody.
 * NULL: no more. */
struct spool_file *spool_next(const char *owner, const char *origin, enum spool_queue, int64_t order);
struct spool_file *spool_find(const char *owner, unsigned spoolid); /* in whatever queue */
unsigned spool_count(const char *owner, enum spool_queue);
bool spool_in_use(const struct spool_file *); /* somebody reads it */

/* ---- changing ---------------------------------------------------------------------------------------------------- */

/* What was written to *file shall be kept. Returns a ticket for spool_outcome. */
uint64_t spool_change(struct spool_file *);
uint64_t spool_purge(struct spool_file *);
/* To another queue, at its end, with a number of its new owner's. */
uint64_t spool_transfer(struct spool_file *, const char *owner, enum spool_queue);
int64_t spool_first_order(void); /* before all files there are */

enum spool_outcome { SPOOL_PENDING, SPOOL_DONE, SPOOL_FAILED };
enum spool_outcome spool_outcome(uint64_t ticket); /* 0: of nothing, which is done */

/* ---- for units --------------------------------------------------------------------------------------------------- */

/* A file that is being made: it has a place in the table and a spoolid, and nobody finds it. NULL: `origin` has made
 * too many, or there is no place. */
struct spool_file *spool_create(const char *origin);
/* One more block for it. False: none is free, or `origin` has as many as are left for all others. */
bool spool_extend(struct spool_file *);
void spool_abandon(struct spool_file *); /* it never was; @pre none of its blocks is being written */
/* It is whole, and from now on in a queue. @pre its blocks are written */
uint64_t spool_commit(struct spool_file *, const char *owner, enum spool_queue);
void spool_use(struct spool_file *, bool); /* somebody reads it, or does no more */
void spool_tell(void);                     /* there is news */
struct disk *spool_disk(void);
