/* From the disk: V files as a whole, F files page by page. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/minidisk/file.h"

int mini_errno(enum edf_status status)
{
    static const int8_t number[] = {
        [EDF_NOT_FOUND] = ENOENT, [EDF_EXISTS] = EEXIST,     [EDF_FULL] = ENOSPC, [EDF_READ_ONLY] = EROFS,
        [EDF_IO] = EIO,           [EDF_NO_MEMORY] = ENOMEM,  [EDF_NOT_CMS] = EIO, [EDF_DAMAGED] = EIO,
        [EDF_BAD_NAME] = EINVAL,  [EDF_BAD_RECORD] = EINVAL, [EDF_BUSY] = EBUSY,  [EDF_INVALID] = EINVAL,
    };
    return -number[status];
}

struct edf_disk *mini_disk(const struct mini_file *m)
{
    struct mode *mode = cms_mode_find(m->letter->letter);
    return mode && mode->generation == m->generation && cms_mode_is_there(mode) ? mode->disk : NULL;
}

/* ---- F --------------------------------------------------------------------------------------------------------- */

static uint64_t fixed_size(const struct edf_file_facts *f) { return (uint64_t)f->records * f->lrecl; }

static int fetch(struct pages *p, uint64_t index, void **frame)
{
    struct mini_file *m = (struct mini_file *)((char *)p - offsetof(struct mini_file, pages));
    uint64_t offset = index * FRAME_SIZE, size = fixed_size(&m->facts);
    size_t bytes = offset >= size ? 0 : size - offset < FRAME_SIZE ? (size_t)(size - offset) : FRAME_SIZE;
    *frame = cms_frame_take();
    if (!*frame)
        return -ENOMEM;
    memset((char *)*frame + bytes, 0, FRAME_SIZE - bytes);
    enum edf_status status = bytes ? edf_read_bytes(m->reader, offset, *frame, bytes) : EDF_OK;
    if (status)
        cms_frame_give(*frame);
    return status ? -EIO : 0;
}

/* ---- V --------------------------------------------------------------------------------------------------------- */

/* Every record of a V file: what it holds, and how long it is as a line. */
static int each_record(struct mini_file *m, struct edf_reader *reader,
                       int (*take)(struct mini_file *, uint8_t *line, uint32_t length, void *context), void *context)
{
    uint32_t length;
    enum edf_status status;
    int error = 0;
    uint8_t *record = cms_heap_allocate_system((size_t)m->facts.lrecl + 1);
    if (!record)
        return -ENOMEM;
    while (!error && (status = edf_read(reader, record, m->facts.lrecl, &length)) != EDF_END)
        error = status ? -EIO : cms_work() ? -EINTR : take(m, record, line_of_record(record, length), context);
    cms_heap_free(record);
    return error;
}

static int take_line(struct mini_file *m, uint8_t *line, uint32_t length, void *context)
{
    struct io_buffer io;
    (void)context;
    line[length] = '\n'; /* there is room for one more */
    io_buffer_begin(&io, line, (size_t)length + 1);
    int64_t n = pages_write(&m->pages, &io.io, m->pages.size);
    return n < 0 ? (int)n : io.io.left ? -ENOMEM : 0;
}

static int count_line(struct mini_file *m, uint8_t *line, uint32_t length, void *context)
{
    (void)m, (void)line;
    *(uint64_t *)context += (uint64_t)length + 1;
    return 0;
}

/* ---- both ------------------------------------------------------------------------------------------------------ */

static int open_reader(struct mini_file *m, struct edf_reader **reader)
{
    struct edf_disk *disk = mini_disk(m);
    if (!disk)
        return -EIO;
    int status = mini_errno(edf_open(disk, m->name.name, m->name.type, reader));
    if (!status)
        edf_reader_facts(*reader, &m->facts);
    return status;
}

int mini_load(struct mini_file *m)
{
    struct edf_reader *reader;
    if (m->loaded)
        return 0;
    int status = m->fresh ? 0 : open_reader(m, &reader);
    if (!status && !m->fresh && m->facts.recfm == 'F') {
        m->reader = reader;
        m->pages.fetch = fetch;
        m->pages.size = fixed_size(&m->facts);
    } else if (!status && !m->fresh) {
        status = each_record(m, reader, take_line, NULL);
        edf_close(reader);
    }
    m->loaded = !status;
    m->lines = !status && !m->fresh && m->facts.recfm == 'V' ? m->facts.records : 0;
    if (status)
        pages_free(&m->pages);
    return status;
}

void mini_unload(struct mini_file *m)
{
    if (m->reader)
        edf_close(m->reader);
    m->reader = NULL;
    pages_free(&m->pages);
    m->pages.fetch = NULL;
    m->loaded = false;
}

/* Sizes of V files that were once read. A file that was changed has another date, count or place. */
enum { SIZES = 128 };
static struct {
    uint64_t key, size;
} sizes[SIZES];

void mini_sizes_reset(void) { memset(sizes, 0, sizeof sizes); }

static uint64_t key_of(const struct mini_file *m)
{
    struct {
        struct edf_file_facts facts;
        uint32_t generation;
        char letter;
    } all;
    uint64_t hash = 0xcbf29ce484222325;
    memset(&all, 0, sizeof all);
    memcpy(all.facts.name, m->name.name, strlen(m->name.name));
    memcpy(all.facts.type, m->name.type, strlen(m->name.type));
    all.facts.date = m->facts.date;
    all.facts.lrecl = m->facts.lrecl;
    all.facts.records = m->facts.records;
    all.facts.blocks = m->facts.blocks;
    all.generation = m->generation;
    all.letter = m->letter->letter;
    for (size_t i = 0; i < sizeof all; i++)
        hash = (hash ^ ((const uint8_t *)&all)[i]) * 0x100000001b3;
    return hash | 1;
}

int mini_size(struct mini_file *m, uint64_t *size)
{
    struct edf_reader *reader;
    *size = m->loaded ? m->pages.size : fixed_size(&m->facts);
    if (m->loaded || m->fresh || m->facts.recfm == 'F')
        return 0;
    uint64_t key = key_of(m);
    *size = sizes[key % SIZES].size;
    if (sizes[key % SIZES].key == key)
        return 0;
    *size = 0;
    int status = open_reader(m, &reader);
    if (status)
        return status;
    status = each_record(m, reader, count_line, size);
    edf_close(reader);
    if (!status) {
        key = key_of(m);
        sizes[key % SIZES].key = key;
        sizes[key % SIZES].size = *size;
    }
    return status;
}
