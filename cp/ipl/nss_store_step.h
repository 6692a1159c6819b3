/* What nss_store.c and nss_read.c share: the system at hand, and the steps in which it is read or written. */
#pragma once
#include "cp/device/disk.h"
#include "cp/ipl/nss.h"

enum {
    NSS_BLOCK_SECTORS = NSS_BLOCK / NSS_SECTOR,
    NSS_BATCH = 32, /* pages of a request */
};
#define NSS_SERIAL_MAX (1ull << 62)

/* A slot of the table as it is on the volume. */
struct nss_slot {
    struct nss_sector sector;
    bool second; /* the newer of its two sectors */
};

extern struct nss_store {
    struct disk *disk;
    void (*lost)(const char *name, const char *why);
    void (*next)(void); /* NULL: at rest */
    bool under_way, reading;
    int status;         /* of the last request */
    uint32_t blocks;    /* of data */
    struct nss *nss;    /* that is read or written */
    uint32_t page;      /* how many of its pages are */
    unsigned in_batch, at; /* pages of the request; of them, how many are dealt with */
    uint64_t address, index_address; /* of the next page to be written, and to be told of in the index */
    int64_t last_page;  /* told of by the blocks of the index that were read */
    unsigned slot, index; /* of the table; block of the index */
} nss_store;

extern struct nss_slot nss_slots[NSS_SYSTEMS];
extern struct nss_index nss_index_block; /* the one at hand */
extern struct disk_segment nss_segment[NSS_BATCH];

/* A step ends with one of these: a request, behind which `next` comes, or `next` without one. */
void nss_store_move(enum disk_op, uint64_t sector, void *data, uint32_t bytes, void (*next)(void));
void nss_store_submit_batch(enum disk_op, void (*next)(void));
void nss_store_then(void (*next)(void));
void nss_store_look_for_more(void);

void nss_store_add_to_batch(void *page);
/* Of block `block` of the system, counted from its first. */
uint64_t nss_store_sector_of(const struct nss *, uint32_t block);

void nss_read_system(void);
void nss_end_reading(const char *why); /* NULL: it can be IPLed */
