/* COPYFILE: files to files, with their format changed on the way if the options say so. Each output file is one commit,
 * so an old one stands until its replacement is complete; several inputs may go into one output. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/file.h"
#include "cms/kernel/heap.h"

enum { NEWFILE, REPLACE, APPEND, OLDDATE, NEWDATE, TYPE, NOTYPE, RECFM, LRECL, FROM, FRLABEL, FOR, TOLABEL, TRUNC,
       NOTRUNC, UPCASE, LOWCASE, FILL };
enum { LABEL_MOST = 8 };
enum { GROUP_OUTPUT = 1, GROUP_DATE, GROUP_TYPE, GROUP_TRUNC, GROUP_CASE, GROUP_FROM, GROUP_FOR };

static const struct file_option option_table[] = {
    [NEWFILE] = {"NEWFILE", 4, GROUP_OUTPUT, false}, [REPLACE] = {"REPLACE", 3, GROUP_OUTPUT, false},
    [APPEND] = {"APPEND", 2, GROUP_OUTPUT, false},   [OLDDATE] = {"OLDDATE", 4, GROUP_DATE, false},
    [NEWDATE] = {"NEWDATE", 4, GROUP_DATE, false},   [TYPE] = {"TYPE", 2, GROUP_TYPE, false},
    [NOTYPE] = {"NOTYPE", 4, GROUP_TYPE, false},     [RECFM] = {"RECFM", 3, 0, true},
    [LRECL] = {"LRECL", 2, 0, true},                 [FROM] = {"FROM", 2, GROUP_FROM, true},
    [FRLABEL] = {"FRLABEL", 3, GROUP_FROM, true},    [FOR] = {"FOR", 3, GROUP_FOR, true},
    [TOLABEL] = {"TOLABEL", 3, GROUP_FOR, true},     [TRUNC] = {"TRUNC", 3, GROUP_TRUNC, false},
    [NOTRUNC] = {"NOTRUNC", 5, GROUP_TRUNC, false},  [UPCASE] = {"UPCASE", 2, GROUP_CASE, false},
    [LOWCASE] = {"LOWCASE", 2, GROUP_CASE, false},   [FILL] = {"FILL", 3, 0, true},
    {NULL, 0, 0, false},
};
/* What is appended takes the format of what is there, and a file that grew is of now. */
static const uint8_t not_appended[] = {RECFM, LRECL, OLDDATE, NEWDATE};
const struct file_option *const cms_file_copyfile_options = option_table;

struct copy {
    struct file_options options;
    struct file_id inputs[COMMAND_WORDS_MAX / 3], output;
    int input_count;
    char recfm;          /* 0: as the input */
    uint32_t lrecl;      /* 0: as the input */
    uint32_t from, count;
    uint8_t fill;
    /* the output being written */
    struct edf_writer *writer;
    struct file_id to;
    struct mode *to_mode;
    char to_text[FILE_ID_MAX];
    bool to_exists;      /* there was one before */
    char to_recfm;
    uint32_t to_lrecl;
    uint8_t *record;     /* EDF_LRECL_MAX bytes */
};

/* ---- operands and options ---------------------------------------------------------------------------------------- */

static int read_operands(const struct arguments *a, struct copy *c)
{
    if (a->count < 3 || a->count % 3)
        return a->count ? cms_message("CPY", MESSAGE_INCOMPLETE_FILEID) : cms_message("CPY", MESSAGE_NO_FILENAME);
    bool alone = a->count == 3; /* one fileid: the file replaces itself */
    c->input_count = alone ? 1 : a->count / 3 - 1;
    for (int i = 0; i < c->input_count; i++) {
        int rc = cms_file_id_read("CPY", a->operand + 3 * i, 3, 0, false, &c->inputs[i]);
        if (rc)
            return rc;
    }
    if (!alone)
        return cms_file_id_read("CPY", a->operand + a->count - 3, 3, 0, true, &c->output);
    c->output = (struct file_id){"=", "=", '=', 0};
    return 0;
}

/* A file that is to take its own place need not be told to replace itself. */
static void imply_replace(struct copy *c)
{
    const uint32_t said = 1u << NEWFILE | 1u << APPEND | 1u << REPLACE;
    const struct file_id *to = &c->output;
    if (!(c->options.given & said) && !strcmp(to->name, "=") && !strcmp(to->type, "=") && to->letter == '=')
        c->options.given |= 1u << REPLACE;
}

static int read_number(const struct copy *c, unsigned row, uint32_t most, uint32_t *value)
{
    if (!file_option(&c->options, row))
        return 0;
    if (cms_number(c->options.value[row], value) && *value && *value <= most)
        return 0;
    return cms_message("CPY", MESSAGE_INVALID_RECORD, cms_typed(c->options.value[row]), option_table[row].name);
}

static int read_label(const struct copy *c, unsigned row)
{
    const struct word *w = c->options.value[row];
    if (!file_option(&c->options, row) || w->raw_length <= LABEL_MOST)
        return 0;
    return cms_message("CPY", MESSAGE_INVALID_RECORD, cms_typed(w), option_table[row].name);
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A character, or two hexadecimal digits. */
static int read_fill(struct copy *c)
{
    const struct word *w = c->options.value[FILL];
    if (!file_option(&c->options, FILL))
        return 0;
    int high = digit(w->text[0]), low = digit(w->text[1]);
    bool hexadecimal = w->raw_length == 2 && high >= 0 && low >= 0;
    c->fill = hexadecimal ? (uint8_t)(high << 4 | low) : (uint8_t)w->raw[0];
    return hexadecimal || w->raw_length == 1 ? 0 : cms_message("CPY", MESSAGE_INVALID_RECORD, cms_typed(w), "FILL");
}

static int check_append(const struct copy *c)
{
    for (unsigned i = 0; file_option(&c->options, APPEND) && i < sizeof not_appended; i++)
        if (file_option(&c->options, not_appended[i]))
            return cms_message("CPY", MESSAGE_CONFLICTING_OPTIONS, option_table[APPEND].name,
                               option_table[not_appended[i]].name);
    return 0;
}

static int read_options(const struct arguments *a, struct copy *c)
{
    c->from = 1;
    c->count = UINT32_MAX;
    c->fill = ' ';
    int rc = cms_file_options("CPY", a, option_table, &c->options);
    if (!rc)
        rc = check_append(c);
    if (!rc)
        rc = read_number(c, LRECL, EDF_LRECL_MAX, &c->lrecl);
    if (!rc)
        rc = read_number(c, FROM, INT32_MAX, &c->from);
    if (!rc)
        rc = read_number(c, FOR, INT32_MAX, &c->count);
    if (!rc && file_option(&c->options, RECFM)) {
        const struct word *w = c->options.value[RECFM];
        c->recfm = w->text[0];
        if (w->raw_length != 1 || (c->recfm != 'F' && c->recfm != 'V'))
            rc = cms_message("CPY", MESSAGE_INVALID_RECORD, cms_typed(w), "RECFM");
    }
    if (!rc)
        rc = read_label(c, FRLABEL);
    if (!rc)
        rc = read_label(c, TOLABEL);
    return rc ? rc : read_fill(c);
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static void change_case(const struct copy *c, uint8_t *data, uint32_t length)
{
    char first = file_option(&c->options, UPCASE) ? 'a' : file_option(&c->options, LOWCASE) ? 'A' : 0;
    for (uint32_t i = 0; first && i < length; i++)
        if (data[i] >= first && data[i] < first + 26)
            data[i] ^= 0x20;
}

/* The record in the output's format; returns its length. */
static uint32_t fit(const struct copy *c, uint32_t length)
{
    change_case(c, c->record, length);
    if (c->to_recfm == 'F') {
        if (length < c->to_lrecl)
            memset(c->record + length, c->fill, c->to_lrecl - length);
        return c->to_lrecl;
    }
    if (c->lrecl && length > c->lrecl)
        length = c->lrecl;
    while (file_option(&c->options, TRUNC) && length > 1 && c->record[length - 1] == c->fill)
        length--;
    return length;
}

/* Does the record begin with the label of that option? */
static bool has_label(const struct copy *c, unsigned row, uint32_t length)
{
    const struct word *label = c->options.value[row];
    return file_option(&c->options, row) && length >= label->raw_length &&
           !memcmp(c->record, label->raw, label->raw_length);
}

static int copy_records(struct copy *c, const struct file_found *found, struct edf_reader *reader)
{
    char text[FILE_ID_MAX];
    uint32_t length;
    bool begun = !file_option(&c->options, FRLABEL), ended = !file_option(&c->options, TOLABEL);
    cms_file_found_text(found, text);
    if (c->from > 1 && c->from > found->facts.records)
        return cms_message("CPY", MESSAGE_FROM_BEYOND, c->from, text, found->facts.records);
    enum edf_status status = edf_seek(reader, c->from);
    for (uint32_t n = 0; !status && n < c->count; n += begun) {
        if (cms_halted())
            return COMMAND_HALTED;
        status = edf_read(reader, c->record, EDF_LRECL_MAX, &length);
        if (status)
            break;
        if (begun && has_label(c, TOLABEL, length)) {
            ended = true;
            break;
        }
        begun |= has_label(c, FRLABEL, length);
        if (!begun)
            continue;
        enum edf_status written = edf_write(c->writer, c->record, fit(c, length));
        if (written)
            return cms_file_failed("CPY", written, c->to_mode, c->to_text);
    }
    if (status && status != EDF_END)
        return cms_file_failed("CPY", status, found->mode, text);
    if (begun && ended)
        return 0;
    const struct word *label = c->options.value[begun ? TOLABEL : FRLABEL];
    char typed[LABEL_MOST + 1] = {0};
    memcpy(typed, label->raw, label->raw_length);
    return cms_message("CPY", MESSAGE_LABEL_NOT_FOUND, typed, text);
}

/* ---- the output file --------------------------------------------------------------------------------------------- */

static int end_output(struct copy *c)
{
    if (!c->writer)
        return 0;
    enum edf_status status = edf_commit(c->writer);
    c->writer = NULL;
    return status ? cms_file_failed("CPY", status, c->to_mode, c->to_text) : 0;
}

static enum edf_status open_output(struct copy *c, const struct file_found *found)
{
    struct edf_disk *disk = c->to_mode->disk;
    struct edf_file_facts facts;
    c->to_exists = edf_find(disk, c->to.name, c->to.type, &facts) == EDF_OK;
    if (c->to_exists && file_option(&c->options, APPEND)) {
        c->to_recfm = facts.recfm;
        c->to_lrecl = facts.lrecl ? facts.lrecl : found->facts.lrecl; /* 0 if it has no records */
        return edf_append(disk, c->to.name, c->to.type, &c->writer);
    }
    c->to_recfm = c->recfm ? c->recfm : found->facts.recfm;
    c->to_lrecl = c->lrecl ? c->lrecl : found->facts.lrecl ? found->facts.lrecl : FILE_LRECL_DEFAULT;
    enum edf_replace replace = file_option(&c->options, REPLACE) ? EDF_REPLACE : EDF_NEW;
    return edf_create(disk, c->to.name, c->to.type, c->to.number, c->to_recfm, c->to_lrecl, replace, &c->writer);
}

static bool same_output(const struct copy *c, const struct file_id *to)
{
    return c->writer && !strcmp(c->to.name, to->name) && !strcmp(c->to.type, to->type) && c->to.letter == to->letter;
}

static int start_output(struct copy *c, const struct file_found *found)
{
    struct file_id to;
    int rc = cms_file_output("CPY", &c->output, found, &to);
    if (rc || same_output(c, &to))
        return rc;
    rc = end_output(c);
    if (!rc)
        rc = cms_file_mode_check("CPY", &to, true);
    if (rc)
        return rc;
    c->to = to;
    c->to_mode = cms_mode_find(to.letter);
    cms_file_id_text(&to, c->to_text);
    enum edf_status status = open_output(c, found);
    if (status == EDF_EXISTS)
        return cms_message("CPY", MESSAGE_FILE_EXISTS_REPLACE, c->to_text);
    if (status)
        return cms_file_failed("CPY", status, c->to_mode, c->to_text);
    if (file_option(&c->options, OLDDATE))
        edf_writer_date(c->writer, &found->facts.date);
    return 0;
}

static void tell(const struct copy *c, const struct file_found *found)
{
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    if (file_option(&c->options, TYPE))
        cms_message("CPY", MESSAGE_COPIED, text, file_option(&c->options, APPEND) ? "append" : "to", c->to_text,
                    c->to_exists ? "old file" : "new file");
}

static int copy_one(struct copy *c, const struct file_found *found)
{
    struct edf_reader *reader;
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    enum edf_status status = edf_open(found->mode->disk, found->facts.name, found->facts.type, &reader);
    if (status)
        return cms_file_failed("CPY", status, found->mode, text);
    int rc = start_output(c, found);
    if (!rc)
        tell(c, found);
    if (!rc)
        rc = copy_records(c, found, reader);
    edf_close(reader);
    return rc;
}

static int copy_all(struct copy *c)
{
    struct file_found found;
    char text[FILE_ID_MAX];
    int rc = 0;
    for (int i = 0; !rc && i < c->input_count; i++) {
        struct file_search search = {.id = c->inputs[i]};
        uint32_t count = 0;
        rc = cms_file_mode_check("CPY", &search.id, false);
        bool one = !cms_file_is_pattern(&search.id); /* the first in search order then */
        for (; !rc && !(one && count) && cms_file_next(&search, &found); count++)
            rc = copy_one(c, &found);
        cms_file_id_text(&search.id, text);
        if (!rc && !count)
            rc = cms_message("CPY", MESSAGE_FILE_NOT_FOUND, text);
    }
    return rc ? rc : end_output(c);
}

int cms_file_copyfile(const struct arguments *a)
{
    struct copy *c = cms_heap_allocate(sizeof *c);
    if (!c)
        return cms_message("CPY", MESSAGE_VIRTUAL_STORAGE);
    memset(c, 0, sizeof *c);
    int rc = read_options(a, c);
    if (!rc)
        rc = read_operands(a, c);
    imply_replace(c);
    if (!rc && !(c->record = cms_heap_allocate(EDF_LRECL_MAX)))
        rc = cms_message("CPY", MESSAGE_VIRTUAL_STORAGE);
    if (!rc)
        rc = copy_all(c);
    edf_abort(c->writer);
    cms_heap_free(c->record);
    cms_heap_free(c);
    return rc;
}
