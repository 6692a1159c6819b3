/* The check of one file: its entry, its blocks, and for V files every record and every pointer's record number and
 * displacement, worked out anew from the data. */
#include "cms/edf/edf_check_file.h"

struct file {
    struct check *c;
    const char *where;
    uint32_t owner;
    struct fst fst;
    struct tree tree;
    uint64_t data, stored; /* data blocks seen; those of them that are not null */
    /* V: what the records seen so far say */
    uint32_t started, longest;
    uint32_t left;     /* bytes of the current record still to come */
    bool half;         /* only the first byte of its length was in the last block */
    uint8_t half_byte;
    uint32_t highest;  /* of the last data pointer */
    /* V: what pointers above level 1 promise, by level */
    struct {
        bool promised, first;
        uint32_t highest, displacement;
    } above[LEVELS_MAX + 1];
};

static enum edf_status bad(struct file *f, const char *text, uint64_t index)
{
    edf_check_note(f->c, f->where, "%s (data block %llu of the file)", text, (unsigned long long)index + 1);
    return edf_fail(f->c->disk, EDF_DAMAGED, NULL, 0);
}

/* ---- records of a V file ----------------------------------------------------------------------------------------- */

static bool begin_record(struct file *f, uint32_t length)
{
    if (length > f->longest)
        f->longest = length;
    f->left = length;
    return length > 0 && length <= f->fst.lrecl;
}

/* The record that continues from the block before; returns where it ends. */
static uint32_t continue_record(struct file *f, const uint8_t *data, bool *valid)
{
    uint32_t size = f->c->disk->block_size, at = 0;
    if (f->half) {
        *valid = begin_record(f, (uint32_t)f->half_byte << 8 | data[at++]);
        f->half = false;
    }
    uint32_t part = f->left < size - at ? f->left : size - at;
    f->left -= part;
    return at + part;
}

static bool start_records(struct file *f, const uint8_t *data, uint32_t at)
{
    uint32_t size = f->c->disk->block_size;
    while (at < size && f->started < f->fst.records) {
        f->started++;
        if (at + 1 == size) {
            f->half = true;
            f->half_byte = data[at];
            return true;
        }
        if (!begin_record(f, get16(data + at)))
            return false;
        at += 2;
        uint32_t part = f->left < size - at ? f->left : size - at;
        f->left -= part;
        at += part;
    }
    return true;
}

static bool displacement_fits(const struct file *f, uint32_t displacement, uint32_t end)
{
    return displacement == end || (end == f->c->disk->block_size && displacement == DISPLACEMENT_SPANNED);
}

static enum edf_status check_records(struct file *f, struct tree_entry entry, uint64_t index)
{
    struct edf_disk *disk = f->c->disk;
    bool valid = true;
    enum edf_status status = EDF_OK;
    if (entry.block)
        status = edf_block_read(disk, entry.block, f->c->data);
    else
        memset(f->c->data, 0, disk->block_size);
    if (status)
        return status;
    if (f->started == f->fst.records && !f->left && !f->half)
        return bad(f, "it has blocks after its last record", index);
    uint32_t end = continue_record(f, f->c->data, &valid);
    if (!valid || !start_records(f, f->c->data, end))
        return bad(f, "a record's length is 0 or more than the longest", index);
    if (f->tree.levels && !displacement_fits(f, entry.displacement, end))
        return bad(f, "a pointer's displacement is wrong", index);
    if (f->tree.levels && entry.highest != f->started)
        return bad(f, "a pointer's record number is wrong", index);
    return EDF_OK;
}

/* ---- pointers above level 1 -------------------------------------------------------------------------------------- */

static enum edf_status keep_promise(struct file *f, unsigned level, uint64_t index)
{
    if (f->above[level].promised && f->above[level].highest != f->highest)
        return bad(f, "a pointer block's record number is wrong", index);
    f->above[level].promised = false;
    return EDF_OK;
}

static enum edf_status check_pointer_block(struct file *f, struct tree_entry entry, unsigned level, uint64_t index)
{
    enum edf_status status = keep_promise(f, level, index);
    if (level == f->tree.levels)
        return status; /* the top: nothing points to it but the directory entry */
    f->above[level].promised = f->above[level].first = true;
    f->above[level].highest = entry.highest;
    f->above[level].displacement = entry.displacement;
    return status;
}

static enum edf_status check_first_displacement(struct file *f, struct tree_entry entry, uint64_t index)
{
    for (unsigned level = 1; level < f->tree.levels; level++) {
        if (f->above[level].first && f->above[level].displacement != entry.displacement)
            return bad(f, "a pointer block's displacement is wrong", index);
        f->above[level].first = false;
    }
    f->highest = entry.highest;
    return EDF_OK;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static enum edf_status visit(void *ctx, struct tree_entry entry, unsigned level, uint64_t index)
{
    struct file *f = ctx;
    enum edf_status status = EDF_OK;
    if (entry.block)
        status = edf_check_claim(f->c, f->where, entry.block, f->owner);
    if (status)
        return status;
    if (level)
        return f->tree.variable ? check_pointer_block(f, entry, level, index) : EDF_OK;
    f->data++;
    f->stored += entry.block != 0;
    if (!f->tree.variable)
        return EDF_OK;
    status = check_records(f, entry, index);
    return status ? status : check_first_displacement(f, entry, index);
}

static void check_totals(struct file *f)
{
    for (unsigned level = 1; level < f->tree.levels; level++)
        if (keep_promise(f, level, f->tree.count))
            return;
    if (f->tree.variable && (f->started != f->fst.records || f->left || f->half))
        edf_check_note(f->c, f->where, "it ends within or before its last record");
    else if (f->tree.variable && f->longest != f->fst.lrecl)
        edf_check_note(f->c, f->where, "its longest record is %u, not %u", f->longest, f->fst.lrecl);
    uint64_t blocks = f->tree.variable ? f->data : f->stored;
    if (blocks != f->fst.blocks)
        edf_check_note(f->c, f->where, "it has %llu data blocks, not %u", (unsigned long long)blocks, f->fst.blocks);
}

static void check_entry(struct check *c, const char *where, const uint8_t *entry)
{
    struct edf_file_facts facts;
    struct edf_date date;
    edf_fst_facts(c->disk, entry, &facts);
    if (!edf_name_valid(facts.name) || !edf_name_valid(facts.type))
        edf_check_note(c, where, "its name or type is not a valid one");
    char letter = (char)edf_ascii_from_ebcdic(entry[FST_MODE]);
    char number = (char)edf_ascii_from_ebcdic(entry[FST_MODE + 1]);
    if (letter < 'A' || letter > 'Z' || number < '0' || number > '6')
        edf_check_note(c, where, "its file mode is not a letter and 0 to 6");
    if (!edf_date_get(entry + FST_DATE, entry[FST_FLAGS] & FST_FLAG_20XX, &date))
        edf_check_note(c, where, "its date is not a date");
}

static enum edf_status claim_only(void *ctx, struct tree_entry entry, unsigned level, uint64_t index)
{
    struct file *f = ctx;
    (void)level;
    (void)index;
    return entry.block ? edf_check_claim(f->c, f->where, entry.block, f->owner) : EDF_OK;
}

enum edf_status edf_check_file(struct check *c, const char *where, const uint8_t *entry, uint32_t owner)
{
    struct file f = {.c = c, .where = where, .owner = owner};
    bool erased = edf_fst_is_own(entry, OWN_ERASED); /* what its data blocks hold does not matter */
    if (erased)
        edf_check_remark(c, "directory", "an erased file still has its blocks; the next change gives them back");
    else
        check_entry(c, where, entry);
    const char *fault = edf_fst_decode(c->disk, entry, &f.fst);
    if (fault) {
        edf_check_note(c, where, "%s", fault);
        return EDF_OK;
    }
    f.tree = edf_fst_tree(c->disk, &f.fst);
    enum edf_status status = edf_tree_visit(c->disk, f.tree, erased ? claim_only : visit, &f);
    if (status == EDF_DAMAGED && c->disk->reason.text)
        edf_check_note(c, where, "%s (block %u)", c->disk->reason.text, c->disk->reason.block);
    else if (!status && f.tree.count && !erased)
        check_totals(&f);
    return status;
}
