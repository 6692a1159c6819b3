/* Until minidisks are folders: a MODULE's records, copied to a file in storage. */
#include "cms/program/module.h"

#include <errno.h>

#include "cms/kernel/heap.h"
#include "cms/vfs/abi.h"

static int copy(struct edf_reader *reader, struct file *to, uint32_t lrecl)
{
    char *record = cms_heap_allocate(lrecl);
    uint32_t length;
    int64_t done = record ? 0 : -ENOMEM;
    while (done >= 0 && edf_read(reader, record, lrecl, &length) == EDF_OK) {
        struct io_buffer buffer;
        io_buffer_begin(&buffer, record, length);
        done = file_write(to, &buffer.io);
    }
    cms_heap_free(record);
    return done < 0 ? (int)done : 0;
}

int module_copy(const struct mode *mode, const char *name, const struct vfs_from *from, const char *path)
{
    struct edf_reader *reader;
    struct edf_file_facts facts;
    struct file *file;

    if (edf_open(mode->disk, name, "MODULE", &reader) != EDF_OK)
        return -EIO;
    edf_reader_facts(reader, &facts);
    int error = vfs_open(from, path, ABI_O_WRONLY | ABI_O_CREAT | ABI_O_TRUNC, 0777, &file);
    if (!error) {
        error = copy(reader, file, facts.lrecl);
        file_let_go(file);
    }
    edf_close(reader);
    return error;
}
