/* To the disk: as lines or as bytes, in one commit. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/minidisk/file.h"

enum { MORE_LEVELS = 3, DIRECTORY = 2 }; /* blocks: of a file, and of one entry more */

/* What becomes lines needs a byte more for each, and one that is empty two. */
static uint32_t blocks_for(const struct mini_file *m, uint32_t block_size, uint64_t size, int64_t lines)
{
    bool stays_fixed = !m->fresh && !m->emptied && m->facts.recfm == 'F';
    uint64_t bytes = size + (stays_fixed || lines < 0 ? 0 : 2 * (uint64_t)lines);
    uint64_t data = (bytes + block_size - 1) / block_size;
    return (uint32_t)(data + data / ((block_size - 4) / 12) + (data > 1 ? MORE_LEVELS : 0) + DIRECTORY);
}

int mini_promise(struct mini_file *m, uint64_t size, int64_t lines)
{
    struct edf_disk *disk = mini_disk(m);
    struct edf_disk_facts facts;
    if (m->removed)
        return 0;
    if (!disk)
        return -EIO;
    edf_disk_query(disk, &facts);
    return mini_errno(edf_promise(disk, &m->promised, blocks_for(m, facts.block_size, size, lines)));
}

void mini_promise_nothing(struct mini_file *m)
{
    struct edf_disk *disk = mini_disk(m);
    if (disk)
        edf_promise(disk, &m->promised, 0);
    m->promised = 0;
}

/* The bytes of the file from `offset` to the end of their page. */
static int piece_at(struct mini_file *m, uint64_t offset, const char **at, size_t *bytes)
{
    void *frame;
    int status = pages_frame(&m->pages, offset / FRAME_SIZE, &frame);
    uint64_t left = m->pages.size - offset;
    size_t room = FRAME_SIZE - offset % FRAME_SIZE;
    *at = status ? NULL : (const char *)frame + offset % FRAME_SIZE;
    *bytes = left < room ? (size_t)left : room;
    return status;
}

static int are_lines(struct mini_file *m, bool *lines)
{
    struct line_judge judge;
    const char *at;
    size_t bytes;
    int status = 0;
    line_judge_begin(&judge);
    for (uint64_t offset = 0; offset < m->pages.size && !judge.bad; offset += bytes) {
        status = piece_at(m, offset, &at, &bytes);
        if (status)
            return status;
        line_judge_bytes(&judge, at, bytes);
    }
    *lines = line_judge_end(&judge);
    return 0;
}

static uint32_t fixed_length(const struct mini_file *m)
{
    return m->pages.size <= EDF_LRECL_MAX ? (uint32_t)m->pages.size : 1;
}

/* 0: V; else the record length of an F file. */
static int choose_format(struct mini_file *m, uint32_t *lrecl)
{
    bool lines = false;
    const struct edf_file_facts *f = &m->facts;
    bool was_fixed = !m->fresh && !m->emptied && f->recfm == 'F' && f->lrecl;
    *lrecl = f->lrecl;
    if (was_fixed && m->pages.size && m->pages.size % f->lrecl == 0)
        return 0;
    int status = are_lines(m, &lines);
    *lrecl = lines ? 0 : fixed_length(m);
    return status;
}

static int write_bytes(struct mini_file *m, struct edf_writer *w, uint32_t lrecl)
{
    const char *at;
    size_t bytes, held = 0;
    int status = 0;
    /* whole records, whatever the pages' borders */
    uint8_t *record = lrecl > 1 ? cms_heap_allocate_system(lrecl) : NULL;
    if (lrecl > 1 && !record)
        return -ENOMEM;
    for (uint64_t offset = 0; !status && offset < m->pages.size; offset += bytes) {
        status = piece_at(m, offset, &at, &bytes);
        if (status)
            break;
        if (!record) {
            status = mini_errno(edf_write_bytes(w, at, (uint32_t)bytes));
            continue;
        }
        if (bytes > lrecl - held)
            bytes = lrecl - held;
        memcpy(record + held, at, bytes);
        held += bytes;
        if (held == lrecl) {
            status = mini_errno(edf_write(w, record, lrecl));
            held = 0;
        }
    }
    cms_heap_free(record);
    return status;
}

static int write_line(struct edf_writer *w, uint8_t *line, uint32_t length)
{
    bool blank = true;
    for (uint32_t i = 0; i < length && blank; i++)
        blank = line[i] == ' ';
    if (blank)
        line[length++] = ' ';
    return mini_errno(edf_write(w, line, length));
}

/* @pre they are lines */
static int write_lines(struct mini_file *m, struct edf_writer *w)
{
    const char *at;
    size_t bytes;
    uint32_t held = 0;
    int status = 0;
    uint8_t *line = cms_heap_allocate_system(EDF_LRECL_MAX + 1);
    if (!line)
        return -ENOMEM;
    for (uint64_t offset = 0; !status && offset < m->pages.size; offset += bytes) {
        status = piece_at(m, offset, &at, &bytes);
        const char *end = status ? NULL : memchr(at, '\n', bytes);
        if (status)
            break;
        size_t part = end ? (size_t)(end - at) : bytes;
        memcpy(line + held, at, part);
        held += (uint32_t)part;
        bytes = part + (end != NULL);
        if (end) {
            status = write_line(w, line, held);
            held = 0;
        }
    }
    cms_heap_free(line);
    return status;
}

static int store_as(struct mini_file *m, struct edf_disk *disk, const struct cms_name *name, uint32_t lrecl)
{
    struct edf_writer *w;
    int status = mini_errno(
        edf_create(disk, name->name, name->type, m->facts.mode_number, lrecl ? 'F' : 'V', lrecl, EDF_REPLACE, &w));
    if (status)
        return status;
    status = lrecl ? write_bytes(m, w, lrecl) : write_lines(m, w);
    if (status) {
        edf_abort(w);
        return status;
    }
    if (m->dated) {
        struct edf_date date = mini_date_of_ns(m->changed);
        edf_writer_date(w, &date);
    }
    return mini_errno(edf_commit(w));
}

/* Lines that were never counted (of an F file) may be too many: as bytes it fits what was promised. */
static int store(struct mini_file *m, struct edf_disk *disk, const struct cms_name *name)
{
    uint32_t lrecl;
    int status = choose_format(m, &lrecl);
    if (!status)
        status = store_as(m, disk, name, lrecl);
    return status == -ENOSPC && !lrecl && m->pages.size ? store_as(m, disk, name, fixed_length(m)) : status;
}

int mini_store(struct mini_file *m, const struct cms_name *name)
{
    struct edf_disk *disk = mini_disk(m);
    int status = disk ? mini_load(m) : -EIO;
    uint32_t promised = m->promised;
    mini_promise_nothing(m); /* to this one writer */
    if (!status)
        status = store(m, disk, name);
    if (status) {
        if (disk)
            edf_promise(disk, &m->promised, promised);
        return status;
    }
    struct edf_file_facts facts;
    if (!edf_find(disk, name->name, name->type, &facts))
        m->facts = facts;
    if (m->reader) /* all of it is in storage now */
        edf_close(m->reader);
    m->reader = NULL;
    m->pages.fetch = NULL;
    m->fresh = m->dirty = m->emptied = m->dated = false;
    m->changed = 0;
    return 0;
}
