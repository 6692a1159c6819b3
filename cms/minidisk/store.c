/* To the disk: as lines or as bytes, in one commit. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/minidisk/file.h"

enum { SPARE = 6 }; /* blocks that a commit needs of the directory and the map, at least */

bool mini_has_room(struct mini_file *m, uint64_t size)
{
    struct edf_disk *disk = mini_disk(m);
    struct edf_disk_facts facts;
    if (!disk)
        return true; /* which is told otherwise */
    edf_disk_query(disk, &facts);
    uint64_t blocks = (size + facts.block_size - 1) / facts.block_size;
    return blocks + blocks / (facts.block_size / 12) + SPARE <= facts.blocks - facts.used;
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

/* 0: V; else the record length of an F file. */
static int choose_format(struct mini_file *m, uint32_t *lrecl)
{
    bool lines;
    const struct edf_file_facts *f = &m->facts;
    bool was_fixed = !m->fresh && !m->emptied && f->recfm == 'F' && f->lrecl;
    *lrecl = f->lrecl;
    if (was_fixed && m->pages.size && m->pages.size % f->lrecl == 0)
        return 0;
    int status = are_lines(m, &lines);
    *lrecl = lines ? 0 : m->pages.size <= EDF_LRECL_MAX ? (uint32_t)m->pages.size : 1;
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

static int store(struct mini_file *m, struct edf_disk *disk, const struct cms_name *name)
{
    uint32_t lrecl;
    struct edf_writer *w;
    int status = choose_format(m, &lrecl);
    if (status)
        return status;
    status = mini_errno(
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

int mini_store(struct mini_file *m, const struct cms_name *name)
{
    struct edf_disk *disk = mini_disk(m);
    int status = disk ? mini_load(m) : -EIO;
    if (!status)
        status = store(m, disk, name);
    if (status)
        return status;
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
