/* An ATA disk on a PC's legacy channel, by PIO and interrupt; flushes its cache when told to. */
#pragma once
#include "cp/device/disk.h"

enum { ATA_MAX_MULTIPLE = 128 };

enum ata_phase { ATA_IDLE, ATA_READING, ATA_WRITING, ATA_FLUSHING };

struct ata_disk {
    struct disk disk;                    /* what others use; its owner is this struct */
    uint16_t command_port, control_port; /* 1F0 and 3F6 for the first channel */
    uint8_t irq;                         /* ISA: 14 for the first channel */
    bool slave, lba48, has_flush;
    uint8_t multiple; /* sectors a data block; 1: READ SECTOR(S), else READ MULTIPLE */
    enum ata_phase phase;
    uint32_t command_left;             /* sectors the running command has still to move */
    struct disk_request *first; /* the one running, and those that wait */
    uint64_t now;               /* the turn of the one begun last */
    char model[41];
};

/* Identifies the drive, polling at most about a second; true if there is an ATA (not ATAPI) disk. Leaves interrupts
 * on. */
bool ata_probe(struct ata_disk *, uint16_t command_port, uint16_t control_port, uint8_t irq, bool slave);

/* Call when the channel's IRQ came, or to poll. Runs done() of what has completed and starts what is queued. */
void ata_interrupt(struct ata_disk *);
