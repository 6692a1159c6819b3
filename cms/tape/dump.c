/* TAPE DUMP's blocks, from and to records. */
#include "cms/tape/dump.h"

#include <string.h>

#include "cms/edf/edf_layout.h"

/* Within the data of a name block: the entry's fields from its write pointer on, with the old date between two. */
enum name_field {
    NAME_WRITE_POINTER = 0,
    NAME_READ_POINTER = 2,
    NAME_MODE = 4,
    NAME_OLD_RECORDS = 6,
    NAME_RECFM = 10,
    NAME_FLAGS = 11,
    NAME_LRECL = 12,
    NAME_OLD_BLOCKS = 16,
    NAME_YEAR = 18,     /* EBCDIC, two digits */
    NAME_OLD_DATE = 20, /* MMDDHHMM packed */
    NAME_BLOCKS = 28,
    NAME_RECORDS = 32,
    NAME_POINTER_SIZE = 37,
    NAME_DATE = 38, /* YYMMDDHHMMSS packed */
    NAME_FN = 64,
    NAME_FT = 72,
    NAME_FM = 80,
};
enum { NAME_DIGITS = 0xf0 };

static const uint8_t mark[4] = {0x02, 0xc3, 0xd4, 0xe2}; /* 02 CMS */

static uint8_t letter_code(char c)
{
    return edf_ebcdic_from_ascii((uint8_t)c);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int send(struct dump_writer *w, char kind, size_t length)
{
    memcpy(w->block, mark, sizeof mark);
    w->block[sizeof mark] = letter_code(kind);
    return aws_write(&w->tape, w->block, DUMP_HEADER + length);
}

void dump_begin(struct dump_writer *w, char recfm)
{
    w->recfm = recfm;
    w->used = 0;
    w->blocks = 0;
}

static int add(struct dump_writer *w, const uint8_t *data, size_t length)
{
    while (length) {
        size_t room = DUMP_DATA - w->used, n = length < room ? length : room;
        memcpy(w->block + DUMP_HEADER + w->used, data, n);
        w->used += n;
        data += n;
        length -= n;
        if (w->used < DUMP_DATA)
            break;
        int rc = send(w, w->recfm, w->used);
        if (rc)
            return rc;
        w->used = 0;
        w->blocks++;
    }
    return 0;
}

int dump_record(struct dump_writer *w, const uint8_t *data, uint32_t length)
{
    uint8_t prefix[2];
    put16(prefix, length);
    int rc = w->recfm == 'V' ? add(w, prefix, sizeof prefix) : 0;
    return rc ? rc : add(w, data, length);
}

static void put_dates(uint8_t *p, const struct edf_date *d)
{
    p[NAME_FLAGS] = edf_date_put(p + NAME_DATE, d) ? FST_FLAG_20XX : 0;
    memcpy(p + NAME_OLD_DATE, p + NAME_DATE + 1, 4);
    p[NAME_YEAR] = NAME_DIGITS | p[NAME_DATE] >> 4;
    p[NAME_YEAR + 1] = NAME_DIGITS | (p[NAME_DATE] & 15);
}

static void put_mode(uint8_t *p, char letter, char number)
{
    p[0] = letter_code(letter);
    p[1] = letter_code(number);
}

int dump_end(struct dump_writer *w, const struct edf_file_facts *f, char letter)
{
    uint8_t *p = w->block + DUMP_HEADER;
    int rc = w->used ? send(w, w->recfm, w->used) : 0;
    if (rc)
        return rc;
    w->blocks += w->used != 0;
    memset(p, 0, DUMP_NAME);
    put16(p + NAME_WRITE_POINTER, f->records + 1);
    put16(p + NAME_READ_POINTER, 1);
    put_mode(p + NAME_MODE, letter, f->mode_number);
    put16(p + NAME_OLD_RECORDS, f->records);
    p[NAME_RECFM] = f->recfm == 'F' ? FST_RECFM_F : FST_RECFM_V;
    put32(p + NAME_LRECL, f->lrecl);
    put16(p + NAME_OLD_BLOCKS, w->blocks);
    put_dates(p, &f->date);
    put32(p + NAME_BLOCKS, w->blocks);
    put32(p + NAME_RECORDS, f->records);
    p[NAME_POINTER_SIZE] = f->recfm == 'F' ? POINTER_SIZE_F : POINTER_SIZE_V;
    edf_name_put(p + NAME_FN, EDF_NAME_MAX, f->name);
    edf_name_put(p + NAME_FT, EDF_NAME_MAX, f->type);
    put_mode(p + NAME_FM, letter, f->mode_number);
    w->used = 0;
    return send(w, 'N', DUMP_NAME);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static enum dump_status wrong(struct dump_reader *r, const char *why)
{
    r->why = why;
    return DUMP_FORMAT;
}

/* A block, and what kind it is: D is data. */
static enum dump_status read_block(struct dump_reader *r, char *kind)
{
    switch (aws_read(&r->tape, r->block, &r->length)) {
    case AWS_BLOCK: break;
    case AWS_MARK: return DUMP_MARK;
    case AWS_END: return DUMP_END;
    case AWS_IO: r->tape.why = NULL; return DUMP_TAPE;
    default: return DUMP_TAPE;
    }
    r->used = DUMP_HEADER;
    if (r->length < DUMP_HEADER || memcmp(r->block, mark, sizeof mark))
        return wrong(r, "a block is not one of TAPE DUMP");
    *kind = (char)edf_ascii_from_ebcdic(r->block[sizeof mark]);
    if (*kind != 'N' && !memchr("FV 0", *kind, 4))
        return wrong(r, "a block is of a kind of TAPE DUMP that is not known here");
    if (*kind == 'N' && r->length < DUMP_HEADER + DUMP_NAME)
        return wrong(r, "the block that names a file is too short");
    return DUMP_FILE;
}

/* What the name block says. */
static enum dump_status get_facts(struct dump_reader *r, struct dump_file *file)
{
    const uint8_t *p = r->block + DUMP_HEADER;
    struct edf_file_facts *f = &file->facts;
    edf_name_get(f->name, p + NAME_FN, EDF_NAME_MAX);
    edf_name_get(f->type, p + NAME_FT, EDF_NAME_MAX);
    if (!edf_date_get(p + NAME_DATE, p[NAME_FLAGS] & FST_FLAG_20XX, &f->date))
        f->date = (struct edf_date){1900, 1, 1, 0, 0, 0}; /* the old format has no such date */
    f->recfm = p[NAME_RECFM] == FST_RECFM_F ? 'F' : 'V';
    f->lrecl = get32(p + NAME_LRECL);
    f->records = get32(p + NAME_RECORDS) ? get32(p + NAME_RECORDS) : get16(p + NAME_OLD_RECORDS);
    f->blocks = get32(p + NAME_BLOCKS) ? get32(p + NAME_BLOCKS) : get16(p + NAME_OLD_BLOCKS);
    file->letter = (char)edf_ascii_from_ebcdic(p[NAME_FM]);
    f->mode_number = (char)edf_ascii_from_ebcdic(p[NAME_FM + 1]);
    if (!edf_name_valid(f->name) || !edf_name_valid(f->type) || file->letter < 'A' || file->letter > 'Z' ||
        f->mode_number < '0' || f->mode_number > '6')
        return wrong(r, "a file's name is not one of CMS");
    if (p[NAME_RECFM] != FST_RECFM_F && p[NAME_RECFM] != FST_RECFM_V)
        return wrong(r, "a file's record format is neither F nor V");
    if (f->records > RECORDS_MAX || f->lrecl > EDF_LRECL_MAX || (f->records && !f->lrecl))
        return wrong(r, "a file's record count or length is out of range");
    return DUMP_FILE;
}

enum dump_status dump_next(struct dump_reader *r, struct dump_file *file)
{
    char kind = 0;
    *file = (struct dump_file){.start = r->tape.at};
    do {
        enum dump_status status = read_block(r, &kind);
        if (file->end && (status == DUMP_MARK || status == DUMP_END))
            return wrong(r, "a file ends without its name");
        if (status != DUMP_FILE)
            return status;
        file->end = r->tape.at;
    } while (kind != 'N');
    return get_facts(r, file);
}

void dump_open(struct dump_reader *r, const struct dump_file *file)
{
    r->tape.at = file->start;
    r->used = r->length = 0;
    r->left = file->facts.records;
    r->lrecl = file->facts.lrecl;
    r->recfm = file->facts.recfm;
}

/* The next `length` bytes of the file's data. */
static enum dump_status take(struct dump_reader *r, uint8_t *to, size_t length)
{
    while (length) {
        char kind = 0;
        enum dump_status status = r->used < r->length ? DUMP_FILE : read_block(r, &kind);
        if (status == DUMP_TAPE || status == DUMP_FORMAT)
            return status;
        if (status != DUMP_FILE || kind == 'N')
            return wrong(r, "a file has less data than its records need");
        size_t there = r->length - r->used, n = length < there ? length : there;
        memcpy(to, r->block + r->used, n);
        r->used += n;
        to += n;
        length -= n;
    }
    return DUMP_RECORD;
}

enum dump_status dump_read(struct dump_reader *r, uint8_t *record, uint32_t *length)
{
    uint8_t prefix[2];
    if (!r->left)
        return DUMP_END;
    r->left--;
    *length = r->lrecl;
    if (r->recfm == 'V') {
        enum dump_status status = take(r, prefix, sizeof prefix);
        if (status != DUMP_RECORD)
            return status;
        *length = get16(prefix);
    }
    if (!*length || *length > r->lrecl)
        return wrong(r, "a record is empty, or longer than the file's longest");
    return take(r, record, *length);
}
