/* Spooled devices by DIAGNOSE. */
#include "cms/kernel/spool.h"

#include "cms/cpu/cpu.h"
#include "cms/driver/cp.h"
#include "cms/kernel/frame.h"
#include "cp/diagnose.h"

_Static_assert((int)CMS_SPOOL_CALL == (int)DIAGNOSE_SPOOL_MAX && (int)CMS_SPOOL_RECORD == (int)DIAGNOSE_RECORD_MAX &&
                   (int)CMS_READER == (int)DIAGNOSE_READER && (int)CMS_PRINTER == (int)DIAGNOSE_PRINTER &&
                   (int)CMS_PUNCH == (int)DIAGNOSE_PUNCH,
               "the contract's");

static enum cms_spool_status call(struct cpu_diagnose *d)
{
    if (!cp_offers(DIAGNOSE_ASSIST_SPOOL))
        return CMS_SPOOL_ABSENT;
    cp_call(d);
    return d->rax == DIAGNOSE_OK           ? CMS_SPOOL_OK
           : d->rax == DIAGNOSE_SPOOL_FULL ? CMS_SPOOL_FULL
           : d->rax == DIAGNOSE_NO_FILE    ? CMS_SPOOL_NONE
           : d->rax == DIAGNOSE_NO_SPOOL   ? CMS_SPOOL_ABSENT
                                           : CMS_SPOOL_DAMAGED;
}

enum cms_spool_status cms_spool_write(enum cms_device device, const void *records, size_t bytes)
{
    enum cms_spool_status status = CMS_SPOOL_OK;
    for (size_t at = 0; !status && at < bytes;) {
        struct cpu_diagnose d = {.rax = DIAGNOSE_SPOOL_WRITE, .rbx = cms_physical(records) + at, .rcx = bytes - at,
                                 .rdx = device};
        status = call(&d);
        if (!status)
            at += d.rcx;
    }
    return status;
}

enum cms_spool_status cms_spool_read(struct cms_spool_read *read, void *records)
{
    struct cpu_diagnose d = {.rax = DIAGNOSE_SPOOL_READ, .rbx = cms_physical(records), .rcx = CMS_SPOOL_CALL,
                             .rdx = read->spoolid};
    enum cms_spool_status status = call(&d);
    if (status)
        return status;
    *read = (struct cms_spool_read){(unsigned)d.rbx, d.rcx <= CMS_SPOOL_CALL ? d.rcx : CMS_SPOOL_CALL, d.rdx & 1};
    return CMS_SPOOL_OK;
}

enum cms_spool_status cms_spool_file(enum cms_device device, unsigned spoolid, struct cms_spool_file *file)
{
    struct diagnose_spool_file f;
    struct cpu_diagnose d = {.rax = DIAGNOSE_SPOOL_FILE, .rbx = cms_physical(&f), .rcx = sizeof f, .rdx = device,
                             .rsi = spoolid};
    enum cms_spool_status status = call(&d);
    if (status)
        return status;
    *file = (struct cms_spool_file){.spoolid = f.spoolid, .records = f.records, .created = f.created,
                                    .class = f.class, .device = (enum cms_device)f.device, .hold = f.hold};
    cp_name(file->origin, f.origin);
    cp_name(file->name, f.name);
    cp_name(file->type, f.type);
    return CMS_SPOOL_OK;
}
