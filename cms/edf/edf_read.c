/* Reading a file record by record. A reader keeps its own copy of the directory entry; blocks it can reach are not
 * used again while it is open, so it goes on seeing the file it opened. */
#include "cms/edf/edf_internal.h"

enum edf_status edf_open(struct edf_disk *disk, const char *name, const char *type, struct edf_reader **reader)
{
    struct edf_file_facts facts;
    *reader = NULL;
    enum edf_status status = edf_find(disk, name, type, &facts);
    if (status)
        return status;
    if (facts.fault)
        return edf_fail(disk, EDF_DAMAGED, facts.fault, 0);
    struct edf_reader *r = edf_memory_get(disk, sizeof *r);
    if (!r)
        return EDF_NO_MEMORY;
    edf_fst_put_name(r->entry, name, type);
    memcpy(r->entry, directory_entry(disk, edf_directory_find(disk, r->entry)), FST_SIZE);
    edf_fst_decode(disk, r->entry, &r->fst);
    r->disk = disk;
    r->record = 1;
    r->data_index = UINT64_MAX;
    edf_cursor_open(&r->cursor, disk, edf_fst_tree(disk, &r->fst));
    r->data = edf_memory_raw(disk, disk->block_size);
    r->next = disk->readers;
    disk->readers = r;
    if (!r->data) {
        edf_close(r);
        return EDF_NO_MEMORY;
    }
    *reader = r;
    return EDF_OK;
}

void edf_reader_facts(const struct edf_reader *reader, struct edf_file_facts *facts)
{
    edf_fst_facts(reader->disk, reader->entry, facts);
}

static enum edf_status load(struct edf_reader *r, uint64_t index)
{
    struct tree_entry entry;
    if (r->data_index == index)
        return EDF_OK;
    r->data_index = UINT64_MAX;
    enum edf_status status = edf_cursor_find(&r->cursor, index, &entry);
    if (status)
        return status;
    if (entry.block)
        status = edf_block_read(r->disk, entry.block, r->data);
    else
        memset(r->data, 0, r->disk->block_size);
    if (!status)
        r->data_index = index;
    return status;
}

/* The bytes at `position` if they lie in the block that is loaded, as most records do; else NULL. */
static const uint8_t *at_hand(const struct edf_reader *r, uint64_t position, size_t bytes)
{
    uint32_t block_size = r->disk->block_size;
    uint64_t offset = position - r->data_index * block_size;
    return offset < block_size && bytes <= block_size - offset ? r->data + offset : NULL;
}

static enum edf_status copy(struct edf_reader *r, uint64_t position, void *buffer, size_t size)
{
    uint32_t block_size = r->disk->block_size;
    const uint8_t *here = at_hand(r, position, size);
    if (here) {
        memcpy(buffer, here, size);
        return EDF_OK;
    }
    uint8_t *out = buffer;
    while (size) {
        enum edf_status status = load(r, position / block_size);
        if (status)
            return status;
        uint32_t offset = (uint32_t)(position % block_size);
        size_t part = block_size - offset < size ? block_size - offset : size;
        memcpy(out, r->data + offset, part);
        out += part;
        position += part;
        size -= part;
    }
    return EDF_OK;
}

/* The length of the V record at `position`, which is moved past the length. */
static enum edf_status read_length(struct edf_reader *r, uint64_t *position, uint32_t *length)
{
    uint8_t bytes[2];
    const uint8_t *here = at_hand(r, *position, sizeof bytes);
    enum edf_status status = here ? EDF_OK : copy(r, *position, bytes, sizeof bytes);
    if (status)
        return status;
    *length = get16(here ? here : bytes);
    *position += sizeof bytes;
    if (*length == 0 || *length > r->fst.lrecl)
        return edf_fail(r->disk, EDF_DAMAGED, "a record's length is 0 or more than the file's longest", 0);
    return EDF_OK;
}

enum edf_status edf_read(struct edf_reader *r, void *buffer, size_t size, uint32_t *length)
{
    *length = 0;
    if (r->record > r->fst.records)
        return EDF_END;
    uint64_t position = r->position;
    uint32_t full = r->fst.lrecl;
    enum edf_status status = EDF_OK;
    if (r->fst.recfm == 'V')
        status = read_length(r, &position, &full);
    if (!status)
        status = copy(r, position, buffer, full < size ? full : size);
    if (status)
        return status;
    *length = full;
    r->position = position + full;
    r->record++;
    return EDF_OK;
}

enum edf_status edf_read_bytes(struct edf_reader *r, uint64_t offset, void *buffer, size_t bytes)
{
    uint64_t size = (uint64_t)r->fst.records * r->fst.lrecl;
    if (r->fst.recfm != 'F')
        return EDF_INVALID;
    return offset > size || bytes > size - offset ? EDF_BAD_RECORD : copy(r, offset, buffer, bytes);
}

static enum edf_status seek_variable(struct edf_reader *r, uint32_t number)
{
    struct tree_entry entry;
    uint64_t index;
    uint32_t before, length;
    enum edf_status status = edf_cursor_find_record(&r->cursor, number, &index, &entry, &before);
    if (status)
        return status;
    if (entry.displacement > r->disk->block_size)
        return edf_fail(r->disk, EDF_DAMAGED, "a displacement is beyond its block", entry.block);
    uint64_t position = index * r->disk->block_size + entry.displacement;
    uint64_t end = (index + 1) * r->disk->block_size;
    for (uint32_t record = before + 1; !status && record < number; record++) {
        if (position >= end)
            return edf_fail(r->disk, EDF_DAMAGED, "a pointer promises more records than its block has", entry.block);
        status = read_length(r, &position, &length);
        position += length;
    }
    r->position = position;
    return status;
}

enum edf_status edf_seek(struct edf_reader *r, uint32_t number)
{
    enum edf_status status = EDF_OK;
    if (number == 0 || number > r->fst.records + 1)
        return EDF_BAD_RECORD;
    if (r->fst.recfm == 'F')
        r->position = (uint64_t)(number - 1) * r->fst.lrecl;
    else if (number <= r->fst.records)
        status = seek_variable(r, number);
    if (!status)
        r->record = number;
    return status;
}

void edf_close(struct edf_reader *r)
{
    struct edf_disk *disk = r->disk;
    struct edf_reader **link = &disk->readers;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    if (!disk->readers && disk->holding) {
        memset(disk->held, 0, disk->bit_bytes);
        disk->holding = false;
        disk->held_count = 0;
    }
    edf_cursor_close(&r->cursor);
    edf_memory_put(disk, r->data, disk->block_size);
    edf_memory_put(disk, r, sizeof *r);
    edf_disk_drop(disk);
}
