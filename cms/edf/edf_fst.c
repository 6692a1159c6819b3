/* One entry of the file status table: 64 bytes that say everything about a file but its contents. Judges it before
 * anyone uses a field, and writes new ones. */
#include "cms/edf/edf_internal.h"

/* ---- dates ------------------------------------------------------------------------------------------------------- */

static uint8_t packed(unsigned value)
{
    return (uint8_t)(value / 10 % 10 << 4 | value % 10);
}

static bool unpacked(uint8_t byte, unsigned least, unsigned most, uint8_t *value)
{
    *value = (uint8_t)((byte >> 4) * 10 + (byte & 15));
    return byte >> 4 <= 9 && (byte & 15) <= 9 && *value >= least && *value <= most;
}

bool edf_date_put(uint8_t *out, const struct edf_date *date)
{
    const unsigned part[6] = {date->year % 100u, date->month, date->day, date->hour, date->minute, date->second};
    for (int i = 0; i < 6; i++)
        out[i] = packed(part[i]);
    return date->year >= 2000;
}

bool edf_date_get(const uint8_t *in, bool is_20xx, struct edf_date *date)
{
    uint8_t year;
    struct edf_date d = {0};
    bool valid = unpacked(in[0], 0, 99, &year) && unpacked(in[1], 1, 12, &d.month) && unpacked(in[2], 1, 31, &d.day) &&
                 unpacked(in[3], 0, 23, &d.hour) && unpacked(in[4], 0, 59, &d.minute) &&
                 unpacked(in[5], 0, 59, &d.second);
    d.year = (uint16_t)((is_20xx ? 2000 : 1900) + year);
    *date = valid ? d : (struct edf_date){0};
    return valid;
}

void edf_fst_put_date(uint8_t *entry, const struct edf_date *date)
{
    if (edf_date_put(entry + FST_DATE, date))
        entry[FST_FLAGS] |= FST_FLAG_20XX;
    else
        entry[FST_FLAGS] &= (uint8_t)~FST_FLAG_20XX;
}

void edf_fst_stamp(const struct edf_disk *disk, uint8_t *entry)
{
    struct edf_date now;
    disk->host->now(disk->host->ctx, &now);
    edf_fst_put_date(entry, &now);
}

/* ---- the entry --------------------------------------------------------------------------------------------------- */

static uint64_t data_blocks(const struct edf_disk *disk, const struct fst *fst)
{
    if (fst->recfm == 'V')
        return fst->blocks;
    return ((uint64_t)fst->records * fst->lrecl + disk->block_size - 1) / disk->block_size;
}

static const char *judge_size(const struct edf_disk *disk, const struct fst *fst)
{
    uint64_t count = data_blocks(disk, fst);
    if (fst->recfm == 'F' && fst->blocks > count)
        return "its block count is more than its records need";
    if (fst->recfm == 'V' && (uint64_t)fst->records * 3 > (uint64_t)fst->blocks * disk->block_size)
        return "its block count is less than its records need";
    unsigned least = edf_tree_levels(disk->block_size, fst->recfm == 'V', count);
    /* Other systems add a level one block early. */
    if (fst->levels != least && fst->levels != least + 1)
        return "its pointer levels do not fit its size";
    return NULL;
}

const char *edf_fst_decode(const struct edf_disk *disk, const uint8_t *entry, struct fst *fst)
{
    *fst = (struct fst){
        .recfm = entry[FST_RECFM] == FST_RECFM_V ? 'V' : 'F',
        .levels = entry[FST_LEVELS],
        .lrecl = get32(entry + FST_LRECL),
        .origin = get32(entry + FST_ORIGIN),
        .blocks = get32(entry + FST_BLOCKS),
        .records = get32(entry + FST_RECORDS),
    };
    uint8_t pointer_size = fst->recfm == 'V' ? POINTER_SIZE_V : POINTER_SIZE_F;
    if (entry[FST_RECFM] != FST_RECFM_F && entry[FST_RECFM] != FST_RECFM_V)
        return "its record format is neither F nor V";
    if (fst->records > RECORDS_MAX || fst->blocks > BLOCKS_MAX)
        return "its record or block count is out of range";
    if (fst->levels > LEVELS_MAX)
        return "it has too many pointer levels";
    if (fst->levels && entry[FST_POINTER_SIZE] != pointer_size)
        return "its pointer size does not fit its record format";
    if (fst->records == 0)
        return fst->blocks || fst->origin || fst->levels ? "it has blocks but no records" : NULL;
    if (fst->lrecl == 0 || fst->lrecl > EDF_LRECL_MAX)
        return "its record length is out of range";
    if (!block_is_data(disk, fst->origin) && (fst->origin || fst->recfm == 'V'))
        return "its first block is beyond the disk";
    return judge_size(disk, fst);
}

struct tree edf_fst_tree(const struct edf_disk *disk, const struct fst *fst)
{
    return (struct tree){
        .top = fst->origin,
        .levels = fst->levels,
        .variable = fst->recfm == 'V',
        .count = data_blocks(disk, fst),
    };
}

void edf_fst_facts(const struct edf_disk *disk, const uint8_t *entry, struct edf_file_facts *facts)
{
    struct fst fst;
    memset(facts, 0, sizeof *facts);
    facts->fault = edf_fst_decode(disk, entry, &fst);
    edf_name_get(facts->name, entry + FST_NAME, EDF_NAME_MAX);
    edf_name_get(facts->type, entry + FST_TYPE, EDF_NAME_MAX);
    char number = (char)edf_ascii_from_ebcdic(entry[FST_MODE + 1]);
    facts->mode_number = number >= '0' && number <= '6' ? number : '1';
    facts->recfm = fst.recfm;
    facts->lrecl = fst.lrecl;
    facts->records = fst.records;
    facts->blocks = fst.blocks;
    edf_date_get(entry + FST_DATE, entry[FST_FLAGS] & FST_FLAG_20XX, &facts->date);
}

void edf_fst_put_name(uint8_t *entry, const char *name, const char *type)
{
    edf_name_put(entry + FST_NAME, EDF_NAME_MAX, name);
    edf_name_put(entry + FST_TYPE, EDF_NAME_MAX, type);
}

/* ---- entries that are no files ----------------------------------------------------------------------------------- */

static void own_name(uint8_t out[16], unsigned number)
{
    static const char *const type[] = {
        [OWN_DIRECTORY] = "DIRECTOR", [OWN_MAP] = "ALLOCMAP", [OWN_ERASED] = "ERASED"};
    put32(out, number);
    put32(out + 4, 0);
    edf_name_put(out + FST_TYPE, EDF_NAME_MAX, type[number]);
}

void edf_fst_put_own(uint8_t *entry, unsigned number)
{
    memset(entry, 0, FST_SIZE);
    own_name(entry, number);
    entry[FST_RECFM] = FST_RECFM_F;
    entry[FST_POINTER_SIZE] = POINTER_SIZE_F;
}

void edf_fst_put_erased(uint8_t *entry)
{
    own_name(entry + FST_NAME, OWN_ERASED);
}

bool edf_fst_is_own(const uint8_t *entry, unsigned number)
{
    uint8_t name[16];
    own_name(name, number);
    return !memcmp(entry, name, sizeof name);
}
