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

enum edf_status open_file_end(struct open_file *f)
{
    struct open_file **link = &files;
    while (*link != f)
        link = &(*link)->next;
    *link = f->next;
    if (f->reader)
        edf_close(f->reader);
    enum edf_status status = f->writer ? edf_commit(f->writer) : EDF_OK;
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
