/* The machine's spooled devices as CP keeps them; the driver room provides it by DIAGNOSE (cp/diagnose.h). Records are
 * a 16-bit length and so many bytes, one behind the other; none crosses into another call. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CMS_SPOOL_CALL = 4096, CMS_SPOOL_RECORD = 4000, CMS_SPOOL_LENGTH = 2 };

enum cms_device { CMS_READER, CMS_PRINTER, CMS_PUNCH };

enum cms_spool_status {
    CMS_SPOOL_OK,
    CMS_SPOOL_ABSENT,  /* CP is not there, or has no spool */
    CMS_SPOOL_FULL,
    CMS_SPOOL_NONE,    /* no such file */
    CMS_SPOOL_DAMAGED,
};

/* All of them, whole records of 1 to CMS_SPOOL_CALL bytes together. */
enum cms_spool_status cms_spool_write(enum cms_device, const void *records, size_t bytes);

struct cms_spool_read {
    unsigned spoolid; /* 0: the open one, or the next; and which it was */
    size_t bytes;     /* read into the buffer of CMS_SPOOL_CALL */
    bool end;
};
enum cms_spool_status cms_spool_read(struct cms_spool_read *, void *records);

struct cms_spool_file {
    unsigned spoolid, records;
    uint64_t created; /* Unix seconds, UTC */
    char class;
    enum cms_device device; /* which made it */
    bool hold;
    char origin[9], name[9], type[9];
};
/* The file behind `spoolid` (0: the first) on a device. */
enum cms_spool_status cms_spool_file(enum cms_device, unsigned spoolid, struct cms_spool_file *);
