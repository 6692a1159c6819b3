/* What a check keeps as it goes: who uses each block, and how much was found wrong. */
#pragma once
#include "cms/edf/edf_check.h"
#include "cms/edf/edf_internal.h"

enum { CHECK_NAME = 24 };
enum { OWNER_NONE, OWNER_RESERVED, OWNER_DIRECTORY, OWNER_MAP, OWNER_FILES }; /* a file: OWNER_FILES + entry index */

struct check {
    struct edf_disk *disk;
    edf_check_finding *finding;
    void *ctx;
    struct edf_check_report *report;
    uint32_t *owners; /* who uses each block */
    uint32_t *order;  /* entries by name */
    uint8_t *map;
    uint32_t map_blocks;
    uint8_t *data;    /* one data block */
};

/* Count one fault, and tell it to who asked for the check. */
void edf_check_note(struct check *check, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a note. */
void edf_check_remark(struct check *check, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Note that `owner` uses a block; EDF_DAMAGED, with no reason, if someone does already. */
enum edf_status edf_check_claim(struct check *check, const char *where, uint32_t block, uint32_t owner);
/* An owner's name as faults have it: a file's name and type, or what else it is. */
void edf_check_owner(const struct check *check, uint32_t owner, char name[CHECK_NAME]);
