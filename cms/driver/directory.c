/* CP's directory by DIAGNOSE. */
#include "cms/kernel/directory.h"

#include "cms/cpu/cpu.h"
#include "cms/driver/cp.h"
#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"
#include "cp/diagnose.h"

static enum cms_directory_status call(struct cpu_diagnose *d)
{
    bool puts = d->rdx == DIAGNOSE_DIRECTORY_PUT;
    if (!cp_offers(DIAGNOSE_ASSIST_DIRECTORY))
        return CMS_DIRECTORY_ABSENT;
    cp_call(d);
    return d->rax == DIAGNOSE_OK           ? CMS_DIRECTORY_OK
           : d->rax == DIAGNOSE_NO_CLASS   ? CMS_DIRECTORY_DENIED
           : d->rax == DIAGNOSE_BAD_LENGTH ? CMS_DIRECTORY_LONG
           : d->rax == DIAGNOSE_NO_DIRECTORY && puts ? CMS_DIRECTORY_CROSSED
                                                     : CMS_DIRECTORY_ABSENT;
}

/* A piece; *size is of the whole, *version of that one. */
static enum cms_directory_status get(void *to, size_t at, size_t room, size_t *got, size_t *size, uint64_t *version)
{
    struct cpu_diagnose d = {.rax = DIAGNOSE_DIRECTORY, .rbx = cms_physical(to), .rsi = at,
                             .rcx = room < DIAGNOSE_DIRECTORY_MAX ? room : DIAGNOSE_DIRECTORY_MAX,
                             .rdx = DIAGNOSE_DIRECTORY_GET};
    enum cms_directory_status status = call(&d);
    *got = status || d.rcx > room ? 0 : d.rcx;
    *size = d.rbx;
    *version = d.rdx;
    return status;
}

/* Anew where it has become another meanwhile. */
enum cms_directory_status cms_directory_get(void **blob, size_t *bytes)
{
    uint8_t first;
    size_t got, size, at;
    uint64_t version, now;
    for (;;) {
        enum cms_directory_status status = get(&first, 0, 1, &got, &size, &version);
        uint8_t *to = status ? NULL : cms_heap_allocate(size);
        if (!to)
            return status ? status : CMS_DIRECTORY_LONG;
        for (at = 0; !status && at < size; at += got)
            if (!(status = get(to + at, at, size - at, &got, bytes, &now)) && (now != version || !got))
                break;
        *blob = to;
        *bytes = size;
        if (!status && at == size)
            return CMS_DIRECTORY_OK;
        cms_heap_free(to);
        if (status)
            return status;
    }
}

enum cms_directory_status cms_directory_put(const void *blob, size_t bytes)
{
    enum cms_directory_status status = CMS_DIRECTORY_OK;
    for (size_t at = 0, count; !status && at < bytes; at += count) {
        count = bytes - at < DIAGNOSE_DIRECTORY_MAX ? bytes - at : DIAGNOSE_DIRECTORY_MAX;
        status = call(&(struct cpu_diagnose){.rax = DIAGNOSE_DIRECTORY, .rbx = cms_physical(blob) + at, .rcx = count,
                                             .rdx = DIAGNOSE_DIRECTORY_PUT, .rsi = at});
    }
    return status;
}
