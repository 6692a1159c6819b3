/* Writing a file: records become data blocks, data blocks become a tree, and the commit puts one directory entry in
 * place of another. Until then everything lies in blocks the map calls free, so forgetting it is all an abort does. */
#include "cms/edf/edf_build.h"

static struct edf_writer *writer_of(const struct edf_disk *disk, const uint8_t name[16])
{
    struct edf_writer *w = disk->writers;
    while (w && memcmp(w->entry, name, 16))
        w = w->next;
    return w;
}

static enum edf_status key_of(struct edf_disk *disk, const char *name, const char *type, uint8_t *entry)
{
    if (!edf_name_valid(name) || !edf_name_valid(type))
        return EDF_BAD_NAME;
    if (!disk->writable)
        return EDF_READ_ONLY;
    edf_fst_put_name(entry, name, type);
    return writer_of(disk, entry) ? EDF_BUSY : edf_map_load(disk);
}

/* The place in the directory of a file that may be changed. `key` as key_of() leaves it. */
static enum edf_status find(struct edf_disk *disk, const char *name, const char *type, uint8_t *key, uint32_t *index)
{
    enum edf_status status = key_of(disk, name, type, key);
    if (status)
        return status;
    *index = edf_directory_find(disk, key);
    return *index ? EDF_OK : EDF_NOT_FOUND;
}

static enum edf_status decode(struct edf_disk *disk, uint32_t index, struct fst *fst)
{
    const char *fault = edf_fst_decode(disk, directory_entry(disk, index), fst);
    return fault ? edf_fail(disk, EDF_DAMAGED, fault, 0) : EDF_OK;
}

static enum edf_status start(struct edf_disk *disk, const uint8_t *entry, struct edf_writer **writer)
{
    struct edf_writer *w = edf_memory_get(disk, sizeof *w);
    if (!w)
        return EDF_NO_MEMORY;
    w->disk = disk;
    memcpy(w->entry, entry, FST_SIZE);
    w->own = edf_memory_get(disk, disk->bit_bytes);
    w->data = edf_memory_raw(disk, disk->block_size);
    if (!w->own || !w->data) {
        edf_memory_put(disk, w->own, disk->bit_bytes);
        edf_memory_put(disk, w->data, disk->block_size);
        edf_memory_put(disk, w, sizeof *w);
        return EDF_NO_MEMORY;
    }
    w->next = disk->writers;
    disk->writers = w;
    *writer = w;
    return EDF_OK;
}

enum edf_status edf_create(struct edf_disk *disk, const char *name, const char *type, char mode_number, char recfm,
                           uint32_t lrecl, enum edf_replace replace, struct edf_writer **writer)
{
    uint8_t entry[FST_SIZE] = {0};
    *writer = NULL;
    if ((recfm != 'F' && recfm != 'V') || mode_number < '0' || mode_number > '6')
        return EDF_INVALID;
    if (recfm == 'F' && (lrecl == 0 || lrecl > EDF_LRECL_MAX))
        return EDF_BAD_RECORD;
    enum edf_status status = key_of(disk, name, type, entry);
    if (status)
        return status;
    if (replace == EDF_NEW && edf_directory_find(disk, entry))
        return EDF_EXISTS;
    entry[FST_MODE] = edf_ebcdic_from_ascii('A');
    entry[FST_MODE + 1] = edf_ebcdic_from_ascii((uint8_t)mode_number);
    entry[FST_RECFM] = recfm == 'F' ? FST_RECFM_F : FST_RECFM_V;
    status = start(disk, entry, writer);
    if (status)
        return status;
    (*writer)->fst.recfm = recfm;
    (*writer)->fst.lrecl = recfm == 'F' ? lrecl : 0;
    (*writer)->replace = replace == EDF_REPLACE;
    return EDF_OK;
}

/* ---- append ------------------------------------------------------------------------------------------------------ */

/* Where the records of the last block of a V file end. */
static enum edf_status find_end(struct edf_writer *w, struct tree_entry last, uint32_t before)
{
    uint32_t size = w->disk->block_size, offset = last.displacement, records = last.highest - before;
    if (offset == DISPLACEMENT_SPANNED && records == 0)
        offset = size;
    w->started = records > 0;
    w->displacement = offset;
    for (; offset <= size && records; records--)
        offset = offset + 2 <= size ? offset + 2 + get16(w->data + offset) : size + 1;
    if (offset > size)
        return edf_fail(w->disk, EDF_DAMAGED, "the last block's records do not end in it", last.block);
    w->fill = offset;
    return EDF_OK;
}

static enum edf_status resume(struct edf_writer *w)
{
    struct edf_disk *disk = w->disk;
    struct tree tree = edf_fst_tree(disk, &w->fst);
    struct tree_entry last, previous = {0};
    enum edf_status status = edf_build_resume(w, &tree, &last);
    if (!status && tree.variable && tree.count > 1) {
        struct cursor cursor;
        edf_cursor_open(&cursor, disk, tree);
        status = edf_cursor_find(&cursor, tree.count - 2, &previous);
        edf_cursor_close(&cursor);
    }
    if (!status && last.block)
        status = edf_block_read(disk, last.block, w->data);
    if (!last.block)
        memset(w->data, 0, disk->block_size);
    if (status)
        return status;
    w->count = tree.count - 1;
    if (last.block)
        w->superseded[w->superseded_count++] = last.block;
    if (last.block || tree.variable)
        w->fst.blocks--;
    if (tree.levels == 0)
        last.highest = w->fst.records;
    if (tree.variable)
        status = last.highest != w->fst.records || previous.highest > last.highest
                     ? edf_fail(disk, EDF_DAMAGED, "the last pointer's record number is wrong", last.block)
                     : find_end(w, last, previous.highest);
    else
        w->fill = (uint32_t)((uint64_t)w->fst.records * w->fst.lrecl - w->count * disk->block_size);
    return status;
}

enum edf_status edf_append(struct edf_disk *disk, const char *name, const char *type, struct edf_writer **writer)
{
    uint8_t key[FST_SIZE];
    uint32_t index;
    struct fst fst;
    *writer = NULL;
    enum edf_status status = find(disk, name, type, key, &index);
    if (!status)
        status = decode(disk, index, &fst);
    if (status)
        return status;
    if (fst.recfm == 'F' && fst.lrecl > EDF_LRECL_MAX) /* decode looks at it only where there are records */
        return edf_fail(disk, EDF_DAMAGED, "its record length is out of range", 0);
    status = start(disk, directory_entry(disk, index), writer);
    if (status)
        return status;
    (*writer)->fst = fst;
    (*writer)->append = true;
    if (fst.records)
        status = resume(*writer);
    if (status) {
        edf_abort(*writer);
        *writer = NULL;
    }
    return status;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* Write the block being filled and begin another. The file's only block is never left out, even if it is zeros. */
static enum edf_status pass_on(struct edf_writer *w, bool last)
{
    struct tree_entry entry = {.highest = w->fst.records};
    if (w->started)
        entry.displacement = w->displacement;
    else
        entry.displacement = w->fill == w->disk->block_size ? DISPLACEMENT_SPANNED : w->fill;
    memset(w->data + w->fill, 0, w->disk->block_size - w->fill);
    enum edf_status status = edf_build_store(w, w->data, !last || w->count, &entry.block);
    if (!status)
        status = edf_build_add(w, entry);
    w->fill = 0;
    w->started = false;
    return status;
}

/* For one more byte. */
static enum edf_status make_room(struct edf_writer *w)
{
    return w->fill == w->disk->block_size ? pass_on(w, false) : EDF_OK;
}

static enum edf_status put(struct edf_writer *w, const uint8_t *data, uint32_t length)
{
    while (length) {
        enum edf_status status = make_room(w);
        if (status)
            return status;
        uint32_t room = w->disk->block_size - w->fill;
        uint32_t part = length < room ? length : room;
        memcpy(w->data + w->fill, data, part);
        data += part;
        w->fill += part;
        length -= part;
    }
    return EDF_OK;
}

/* What stands before a V record's bytes: its length, in the block whose pointer tells where the first record starts. */
static enum edf_status put_length(struct edf_writer *w, uint32_t length)
{
    uint8_t header[2];
    enum edf_status status = make_room(w);
    if (status)
        return status;
    if (!w->started) {
        w->started = true;
        w->displacement = w->fill;
    }
    w->fst.records++; /* from here on the block's pointer counts it */
    if (w->disk->block_size - w->fill < sizeof header) {
        put16(header, length);
        return put(w, header, sizeof header);
    }
    put16(w->data + w->fill, length); /* at once: of a file of short lines it is a part that counts */
    w->fill += sizeof header;
    return EDF_OK;
}

enum edf_status edf_write(struct edf_writer *w, const void *data, uint32_t length)
{
    if (w->failed)
        return w->failed;
    bool first = w->fst.records == 0 && w->fst.lrecl == 0; /* of a file that others wrote without records or a length */
    if (length == 0 || length > EDF_LRECL_MAX || (w->fst.recfm == 'F' && length != w->fst.lrecl && !first) ||
        w->fst.records == RECORDS_MAX)
        return EDF_BAD_RECORD;
    if (length > w->fst.lrecl)
        w->fst.lrecl = length;
    enum edf_status status = EDF_OK;
    if (w->fst.recfm == 'V')
        status = put_length(w, length);
    else
        w->fst.records++;
    if (!status)
        status = put(w, data, length);
    if (status)
        w->failed = status;
    return w->failed;
}

enum edf_status edf_write_bytes(struct edf_writer *w, const void *data, uint32_t bytes)
{
    if (w->failed)
        return w->failed;
    if (w->fst.recfm != 'F' || !w->fst.lrecl)
        return EDF_INVALID;
    uint32_t records = bytes / w->fst.lrecl;
    if (!bytes || bytes % w->fst.lrecl || records > RECORDS_MAX - w->fst.records)
        return EDF_BAD_RECORD;
    w->fst.records += records;
    return w->failed = put(w, data, bytes);
}

void edf_writer_date(struct edf_writer *w, const struct edf_date *date)
{
    edf_fst_put_date(w->entry, date);
    w->dated = true;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void put_entry(struct edf_writer *w)
{
    if (!w->dated)
        edf_fst_stamp(w->disk, w->entry);
    put32(w->entry + FST_LRECL, w->fst.lrecl);
    put32(w->entry + FST_ORIGIN, w->fst.origin);
    put32(w->entry + FST_BLOCKS, w->fst.blocks);
    put32(w->entry + FST_RECORDS, w->fst.records);
    w->entry[FST_LEVELS] = w->fst.levels;
    w->entry[FST_POINTER_SIZE] = w->fst.recfm == 'V' ? POINTER_SIZE_V : POINTER_SIZE_F;
}

static enum edf_status commit(struct edf_writer *w)
{
    struct edf_disk *disk = w->disk;
    struct tree old;
    struct fst fst;
    struct change change = {
        .entry = w->entry,
        .taken = w->own,
        .taken_count = w->own_count,
        .freed = w->superseded,
        .freed_count = w->superseded_count,
    };
    change.index = edf_directory_find(disk, w->entry);
    if (change.index && !w->replace && !w->append)
        return EDF_EXISTS;
    if (change.index && w->replace) {
        enum edf_status status = decode(disk, change.index, &fst);
        if (status)
            return status;
        old = edf_fst_tree(disk, &fst);
        change.tree = &old;
    }
    if (!change.index)
        change.index = disk->count;
    put_entry(w);
    return edf_commit_change(disk, &change);
}

enum edf_status edf_commit(struct edf_writer *w)
{
    enum edf_status status = EDF_OK;
    if (w->failed)
        status = w->failed;
    else if (!w->disk->writable)
        status = w->disk->released ? EDF_IO : EDF_READ_ONLY;
    if (!status && w->fill)
        status = pass_on(w, true);
    if (!status)
        status = edf_build_finish(w);
    if (!status)
        status = commit(w);
    edf_abort(w);
    return status;
}

void edf_abort(struct edf_writer *w)
{
    if (!w)
        return;
    struct edf_disk *disk = w->disk;
    struct edf_writer **link = &disk->writers;
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    disk->in_flight -= w->own_count;
    edf_build_free(w);
    edf_memory_put(disk, w->own, disk->bit_bytes);
    edf_memory_put(disk, w->data, disk->block_size);
    edf_memory_put(disk, w, sizeof *w);
    edf_disk_drop(disk);
}

/* ---- changes of the directory alone ------------------------------------------------------------------------------ */

enum edf_status edf_erase(struct edf_disk *disk, const char *name, const char *type)
{
    uint8_t key[FST_SIZE];
    uint32_t index;
    struct fst fst;
    enum edf_status status = find(disk, name, type, key, &index);
    if (!status)
        status = decode(disk, index, &fst);
    if (status)
        return status;
    struct tree tree = edf_fst_tree(disk, &fst);
    status = edf_commit_change(disk, &(struct change){.index = index, .tree = &tree});
    return status == EDF_FULL && !disk->readers ? edf_erase_in_place(disk, index) : status;
}

enum edf_status edf_rename(struct edf_disk *disk, const char *name, const char *type, const char *new_name,
                           const char *new_type)
{
    uint8_t key[FST_SIZE], entry[FST_SIZE];
    uint32_t index;
    enum edf_status status = find(disk, name, type, key, &index);
    if (!status)
        status = key_of(disk, new_name, new_type, key);
    if (status)
        return status;
    uint32_t taken = edf_directory_find(disk, key);
    if (taken && taken != index)
        return EDF_EXISTS;
    memcpy(entry, directory_entry(disk, index), sizeof entry);
    memcpy(entry, key, 2 * EDF_NAME_MAX);
    return edf_commit_change(disk, &(struct change){.index = index, .entry = entry});
}

enum edf_status edf_set_mode_number(struct edf_disk *disk, const char *name, const char *type, char mode_number)
{
    uint8_t key[FST_SIZE], entry[FST_SIZE];
    uint32_t index;
    if (mode_number < '0' || mode_number > '6')
        return EDF_INVALID;
    enum edf_status status = find(disk, name, type, key, &index);
    if (status)
        return status;
    memcpy(entry, directory_entry(disk, index), sizeof entry);
    entry[FST_MODE + 1] = edf_ebcdic_from_ascii((uint8_t)mode_number);
    return edf_commit_change(disk, &(struct change){.index = index, .entry = entry});
}

enum edf_status edf_set_date(struct edf_disk *disk, const char *name, const char *type, const struct edf_date *date)
{
    uint8_t key[FST_SIZE], entry[FST_SIZE];
    uint32_t index;
    enum edf_status status = find(disk, name, type, key, &index);
    if (status)
        return status;
    memcpy(entry, directory_entry(disk, index), sizeof entry);
    edf_fst_put_date(entry, date);
    return edf_commit_change(disk, &(struct change){.index = index, .entry = entry});
}
