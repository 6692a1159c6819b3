/* The consistency check of a whole EDF disk. It changes nothing. */
#pragma once
#include "cms/edf/edf.h"

struct edf_check_report {
    uint32_t block_size, blocks, used, files;
    uint32_t faults; /* 0: the disk is clean */
    uint32_t notes;
};

/* One fault, or a note: what some writers leave so, and nobody needs. `where` is "label", "directory", "map" or a
 * file's name and type; `text` says what is found. */
typedef void edf_check_finding(void *ctx, const char *where, const char *text, bool fault);

/* Looks at label, directory, map and every file: that each block is used once and the map says so, that counts, levels,
 * pointers and displacements agree with the records, that names are valid and unique, that dates are dates. Notes are
 * the directory's own block count, and erased files that still have their blocks.
 * EDF_OK: checked, report->faults tells. EDF_NOT_CMS, EDF_IO, EDF_NO_MEMORY: could not be checked.
 * `finding` may be NULL. Needs 8 bytes a block and 4 a file. Time is linear in blocks and n log n in files. */
enum edf_status edf_check(const struct edf_device *device, const struct edf_host *host, edf_check_finding *finding,
                          void *ctx, struct edf_check_report *report);
