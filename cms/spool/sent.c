/* In: a file that was found. Out: its records. */
#include "cms/spool/sent.h"

#include "cms/kernel/heap.h"

int sent_open(struct sent *f, const char *module, const struct file_found *found)
{
    const struct edf_file_facts *facts = &found->facts;
    *f = (struct sent){.module = module, .found = *found};
    cms_file_found_text(found, f->text);
    enum edf_status status = edf_open(found->mode->disk, facts->name, facts->type, &f->reader);
    f->record = status ? NULL : cms_heap_allocate(facts->lrecl + 1);
    if (!status && !f->record)
        status = EDF_NO_MEMORY;
    return status ? cms_file_failed(module, status, found->mode, f->text) : 0;
}

int sent_each(struct sent *f, int (*put)(void *, uint8_t *, size_t), void *context)
{
    uint32_t length;
    enum edf_status status = EDF_OK;
    int rc = 0;
    while (!rc && !(status = edf_read(f->reader, f->record, f->found.facts.lrecl, &length))) {
        f->record[length] = 0;
        rc = cms_halted() ? COMMAND_HALTED : put(context, f->record, length);
    }
    return rc || status == EDF_END ? rc : cms_file_failed(f->module, status, f->found.mode, f->text);
}

void sent_close(struct sent *f)
{
    if (f->reader)
        edf_close(f->reader);
    cms_heap_free(f->record);
}
