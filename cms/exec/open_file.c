#include "cms/exec/open_file.h"

#include <string.h>

#include "cms/kernel/heap.h"

static struct open_file *files;

struct open_file *open_file_find(const struct mode *mode, const char *name, const char *type)
{
    struct open_file *f = files;
    while (f && (f->found.mode != mode || strcmp(f->found.facts.name, name) || strcmp(f->found.facts.type, type)))
        f = f->next;
    return f;
}

struct open_file *open_file_add(const struct file_found *found)
{
    struct open_file *f = cms_heap_allocate_system(sizeof *f);
    if (f) {
        *f = (struct open_file){.next = files, .found = *found, .record = 1};
        files = f;
    }
    return f;
}

/* Copies records of the old file: `count`, or all that are left. */
static enum edf_status copy(struct open_file *f, uint32_t count)
{
    uint32_t room = f->found.facts.lrecl ? f->found.facts.lrecl : 1, length;
    void *record = count ? cms_heap_allocate(room) : NULL;
    enum edf_status status = record || !count ? EDF_OK : EDF_NO_MEMORY;
    for (; !status && count; count--)
        if (!(status = edf_read(f->rest, record, room, &length)))
            status = edf_write(f->writer, record, length);
    cms_heap_free(record);
    return status == EDF_END ? EDF_OK : status;
}

static void forget_rest(struct open_file *f)
{
    if (f->rest)
        edf_close(f->rest);
    f->rest = NULL;
}

enum edf_status open_file_rewrite(struct open_file *f, uint32_t line)
{
    const struct edf_file_facts *facts = &f->found.facts;
    struct edf_disk *disk = f->found.mode->disk;
    enum edf_status status = edf_open(disk, facts->name, facts->type, &f->rest);
    f->recfm = facts->recfm, f->lrecl = facts->lrecl, f->record = line - 1;
    if (!status)
        status = edf_create(disk, facts->name, facts->type, facts->mode_number, f->recfm, f->lrecl, EDF_REPLACE,
                            &f->writer);
    if (!status)
        status = copy(f, line - 1);
    if (status && f->writer) {
        edf_abort(f->writer);
        f->writer = NULL;
    }
    return status;
}

enum edf_status open_file_replace(struct open_file *f, uint32_t length)
{
    uint8_t old;
    uint32_t before = 0;
    enum edf_status status = f->rest ? edf_read(f->rest, &old, sizeof old, &before) : EDF_OK;
    if (status == EDF_END || (!status && f->recfm == 'V' && before != length))
        forget_rest(f);
    return status == EDF_END ? EDF_OK : status;
}

enum edf_status open_file_end(struct open_file *f)
{
    struct open_file **link = &files;
    while (*link != f)
        link = &(*link)->next;
    *link = f->next;
    if (f->reader)
        edf_close(f->reader);
    enum edf_status status = f->writer && f->rest ? copy(f, UINT32_MAX) : EDF_OK;
    forget_rest(f);
    if (status)
        edf_abort(f->writer);
    else if (f->writer)
        status = edf_commit(f->writer);
    cms_heap_free(f);
    return status;
}

enum edf_status open_file_end_all(void)
{
    enum edf_status first = EDF_OK;
    while (files) {
        enum edf_status status = open_file_end(files);
        if (!first)
            first = status;
    }
    return first;
}
