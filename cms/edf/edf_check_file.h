/* What the two halves of the check share. */
#pragma once
#include "cms/edf/edf_check.h"
#include "cms/edf/edf_internal.h"

enum { CHECK_NAME = 24 };

struct check {
    struct edf_disk *disk;
    edf_check_fault *fault;
    void *ctx;
    struct edf_check_report *report;
    uint32_t *owners; /* who uses each block */
    uint32_t *order;  /* entries by name */
    uint8_t *map;
    uint32_t map_blocks;
    uint8_t *data;    /* one data block */
};

void edf_check_note(struct check *check, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Note that `owner` uses a block; EDF_DAMAGED, with no reason, if someone does already. */
enum edf_status edf_check_claim(struct check *check, const char *where, uint32_t block, uint32_t owner);
/* Check one file; EDF_IO and EDF_NO_MEMORY say that the check cannot go on. */
enum edf_status edf_check_file(struct check *check, const char *where, const uint8_t *entry, uint32_t owner);
