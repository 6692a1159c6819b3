/* A disk in memory whose requests complete when the test says so, in the order it says. */
#pragma once
#include "cp/device/disk.h"

struct fake_disk {
    struct disk disk;
    uint8_t *medium;
    struct disk_request *first; /* submitted, not yet done */
    unsigned waiting, reads, writes, flushes, segments; /* totals; segments of the latest request */
    bool fail; /* the medium fails */
};

void fake_disk_init(struct fake_disk *, uint64_t sectors, bool read_only);
void fake_disk_free(struct fake_disk *);
void fake_disk_done_first(struct fake_disk *); /* completes the oldest request */
void fake_disk_done_all(struct fake_disk *);   /* and what they make the submitter submit */
