/* A minidisk in memory, with a heap and a clock for the EDF file system. It can fail at a chosen call, refuse memory at
 * a chosen request, and record every write and flush so that power cuts can be played through. */
#pragma once
#include "cms/edf/edf.h"

struct minidisk_write {
    bool flush; /* then the rest is empty */
    uint64_t sector;
    uint32_t count;
    uint8_t *data;
};

struct minidisk {
    struct edf_device device;
    struct edf_host host;
    uint8_t *bytes;
    size_t size;
    struct edf_date date;

    unsigned calls;        /* of the device, since minidisk_reset */
    unsigned fail_at;      /* this call fails, counted from 1; 0: none */
    bool fail_on;          /* and so do all after it */
    bool fail_late;        /* a failing write has reached the disk all the same */
    unsigned reads, writes, flushes;

    unsigned requests, refuse_at; /* of memory */
    size_t in_use;

    bool recording;
    struct minidisk_write *log;
    unsigned logged;
};

void minidisk_open(struct minidisk *disk, uint64_t sectors);
void minidisk_close(struct minidisk *disk); /* fails the test if memory was not given back */
void minidisk_reset(struct minidisk *disk); /* counters and failures off */
void minidisk_record(struct minidisk *disk, bool on); /* on: begins an empty log */
