/* Stages to and from files: <, >, >>, GETFILES, STATE. A file being written appears when all pipelines of the command
 * have ended well. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/file.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/stages.h"
#include "lib/format.h"

struct file_state {
    struct file_id id;
    struct file_found found;
    char text[FILE_ID_MAX];
    char recfm; /* as asked for; 0: as the file is, or V */
    uint32_t lrecl;
    struct edf_reader *reader;
    struct edf_writer *writer;
    uint8_t *record;
};

static int read_fileid(struct scan *operands, struct file_id *id, char default_letter)
{
    struct word words[3];
    int count = 0;
    while (count < 3 && cms_scan_word(operands, &words[count]))
        count++;
    if (count < 2)
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    return cms_file_id_read("PIP", words, count, default_letter, false, id);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int read_prepare(struct stage *stage, struct scan *operands)
{
    struct file_state *f = stage->state;
    int rc = read_fileid(operands, &f->id, '*');
    return rc ? rc : cms_scan_end(operands);
}

/* 0 and *exists false: there is none. */
static int find_file(struct file_state *f, bool *exists)
{
    struct file_search search = {.id = f->id};
    cms_file_id_text(&f->id, f->text);
    int rc = cms_file_mode_check("PIP", &f->id, false);
    *exists = !rc && cms_file_next(&search, &f->found);
    if (*exists)
        cms_file_found_text(&f->found, f->text);
    return rc;
}

static int read_open(struct file_state *f)
{
    bool exists;
    int rc = find_file(f, &exists);
    if (rc)
        return rc;
    if (!exists)
        return cms_message("PIP", MESSAGE_PIPE_NO_FILE, f->text);
    struct edf_file_facts *facts = &f->found.facts;
    enum edf_status status = edf_open(f->found.mode->disk, facts->name, facts->type, &f->reader);
    f->record = status ? NULL : cms_heap_allocate(facts->lrecl ? facts->lrecl : 1);
    if (!status && !f->record)
        status = EDF_NO_MEMORY;
    return status ? cms_file_failed("PIP", status, f->found.mode, f->text) : 0;
}

static void close_reader(struct file_state *f)
{
    if (f->reader)
        edf_close(f->reader);
    cms_heap_free(f->record);
    f->reader = NULL;
    f->record = NULL;
}

static int put_next(struct stage *stage)
{
    struct file_state *f = stage->state;
    uint32_t length;
    enum edf_status status = edf_read(f->reader, f->record, f->found.facts.lrecl, &length);
    if (status)
        return status == EDF_END ? 0 : cms_file_failed("PIP", status, f->found.mode, f->text);
    int rc = cms_pipe_put(stage, 0, f->record, length);
    return rc ? rc : PIPE_AGAIN;
}

static int read_start(struct stage *stage)
{
    return read_open(stage->state);
}

static void close_file(struct stage *stage)
{
    struct file_state *f = stage->state;
    close_reader(f);
    edf_abort(f->writer);
}

const struct stage_kind cms_stage_read = {
    .name = "<", .abbreviation = 1, .place = PLACE_FIRST, .size = sizeof(struct file_state),
    .format = "< fn ft [fm]",
    .help = HELP_TEXT("The records of a file, of the first accessed disk that has it.\n"),
    .prepare = read_prepare, .start = read_start, .begin = put_next, .close = close_file};

/* ---- GETFILES, STATE --------------------------------------------------------------------------------------------- */

static int read_named(struct stage *stage, const uint8_t *data, size_t length)
{
    struct file_state *f = stage->state;
    char shown[80]; /* what is not in a name is shown by a message */
    cms_scan_shown(data, length, shown, sizeof shown);
    struct scan operands = {shown, shown + strlen(shown)};
    int rc = read_fileid(&operands, &f->id, '*');
    return rc ? rc : cms_scan_end(&operands);
}

static int getfiles_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct file_state *f = stage->state;
    int rc = 0;
    if (!f->reader) {
        rc = read_named(stage, data, length);
        if (!rc)
            rc = read_open(f);
    }
    if (!rc)
        rc = put_next(stage);
    if (!rc)
        close_reader(f);
    return rc;
}

const struct stage_kind cms_stage_getfiles = {
    .name = "GETFILES", .abbreviation = 7, .place = PLACE_LATER, .size = sizeof(struct file_state),
    .format = "GETFILES",
    .help = HELP_TEXT("The records of the files that the input names, one a record.\n"),
    .record = getfiles_record, .close = close_file};

static int put_state(struct stage *stage, const struct file_state *f)
{
    const struct edf_file_facts *facts = &f->found.facts;
    char line[120];
    size_t n = format_text(line, sizeof line, "%-8s %-8s %c%c %c %10u %10u", facts->name, facts->type,
                           f->found.mode->letter, facts->mode_number, facts->recfm, (unsigned)facts->lrecl,
                           (unsigned)facts->records);
    return cms_pipe_put(stage, 0, line, n);
}

static int state_of(struct stage *stage, const uint8_t *data, size_t length)
{
    struct file_state *f = stage->state;
    bool exists;
    int rc = find_file(f, &exists);
    if (rc)
        return rc;
    return exists ? put_state(stage, f) : cms_pipe_put(stage, 1, data, length);
}

static int state_prepare(struct stage *stage, struct scan *operands)
{
    return cms_scan_more(operands) ? read_prepare(stage, operands) : 0;
}

static int state_begin(struct stage *stage)
{
    struct file_state *f = stage->state;
    struct scan text = stage->text;
    char name[8];
    if (!*f->id.name)
        return 0;
    cms_scan_upper(&text, name, sizeof name);
    cms_scan_more(&text);
    return state_of(stage, (const uint8_t *)text.at, (size_t)(text.end - text.at));
}

static int state_record(struct stage *stage, const uint8_t *data, size_t length)
{
    int rc = read_named(stage, data, length);
    return rc ? rc : state_of(stage, data, length);
}

const struct stage_kind cms_stage_state = {
    .name = "STATE", .abbreviation = 5, .streams = 2, .size = sizeof(struct file_state),
    .format = "STATE [fn ft [fm]]",
    .help = HELP_TEXT("Of the file, and of those that the input names, one a record: its name, format,\n"
                      "record length and number of records.  Names of files that do not exist go to\n"
                      "stream 1.\n"),
    .prepare = state_prepare, .begin = state_begin, .record = state_record, .close = close_file};

/* ---- > and >> ---------------------------------------------------------------------------------------------------- */

static int write_prepare(struct stage *stage, struct scan *operands)
{
    struct file_state *f = stage->state;
    int rc = read_fileid(operands, &f->id, 'A');
    if (rc)
        return rc;
    if (cms_scan_keyword(operands, "FIXED", 1)) {
        f->recfm = 'F';
        if (cms_scan_more(operands) && (rc = cms_scan_number(operands, &f->lrecl)))
            return rc;
    } else if (cms_scan_keyword(operands, "VARIABLE", 1)) {
        f->recfm = 'V';
    }
    if (f->lrecl > EDF_LRECL_MAX)
        return cms_message("PIP", MESSAGE_PIPE_LRECL, f->lrecl);
    return cms_scan_end(operands);
}

/* The file's disk must take it before any record is read. */
static int write_start(struct stage *stage)
{
    struct file_state *f = stage->state;
    cms_file_id_text(&f->id, f->text);
    if (f->id.letter == '*' || cms_file_is_pattern(&f->id))
        return cms_message("PIP", MESSAGE_INVALID_CHARACTER, f->text);
    int rc = cms_file_mode_check("PIP", &f->id, true);
    f->found.mode = rc ? NULL : cms_mode_find(f->id.letter);
    return rc;
}

/* At the first record, which tells the length of an F file that was not given one, or at the end if there is none. */
static enum edf_status open_writer(struct file_state *f, bool append, size_t length)
{
    struct edf_disk *disk = f->found.mode->disk;
    char number = f->id.number ? f->id.number : '1';
    if (append && edf_find(disk, f->id.name, f->id.type, &f->found.facts) == EDF_OK) {
        f->recfm = f->found.facts.recfm;
        f->lrecl = f->found.facts.lrecl ? f->found.facts.lrecl : (uint32_t)length; /* it may have no records */
        return edf_append(disk, f->id.name, f->id.type, &f->writer);
    }
    if (!f->recfm)
        f->recfm = 'V';
    if (!f->lrecl)
        f->lrecl = length < EDF_LRECL_MAX ? (uint32_t)length : EDF_LRECL_MAX;
    return edf_create(disk, f->id.name, f->id.type, number, f->recfm, f->lrecl, EDF_REPLACE, &f->writer);
}

/* F records are padded with blanks; longer ones are an error, nothing is ever cut off silently. */
static int put_record(struct file_state *f, const uint8_t *data, size_t length)
{
    if (f->recfm == 'F' && length > f->lrecl)
        return cms_message("PIP", MESSAGE_PIPE_WIDE, length, f->lrecl);
    if (length > EDF_LRECL_MAX)
        return cms_message("PIP", MESSAGE_PIPE_LONG, length);
    if (f->recfm == 'F' && length < f->lrecl) {
        if (!f->record && !(f->record = cms_heap_allocate(f->lrecl)))
            return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
        memcpy(f->record, data, length);
        memset(f->record + length, ' ', f->lrecl - length);
        data = f->record;
        length = f->lrecl;
    }
    enum edf_status status = edf_write(f->writer, data, (uint32_t)length);
    return status ? cms_file_failed("PIP", status, f->found.mode, f->text) : 0;
}

static int write_record(struct stage *stage, const uint8_t *data, size_t length, bool append)
{
    struct file_state *f = stage->state;
    if (length || f->recfm == 'F') { /* CMS has no empty records: they pass on, but not into a V file */
        if (!f->writer && !f->found.mode->disk) /* a stage before this one has released it */
            return cms_file_mode_check("PIP", &f->id, true);
        enum edf_status status = f->writer ? EDF_OK : open_writer(f, append, length);
        if (status)
            return cms_file_failed("PIP", status, f->found.mode, f->text);
        int rc = put_record(f, data, length);
        if (rc)
            return rc;
    }
    return cms_pipe_put(stage, 0, data, length);
}

static int replace_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return write_record(stage, data, length, false);
}

static int append_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return write_record(stage, data, length, true);
}

static int append_finish(struct stage *stage)
{
    struct file_state *f = stage->state;
    if (!f->writer)
        return 0;
    enum edf_status status = edf_commit(f->writer);
    f->writer = NULL;
    return status ? cms_file_failed("PIP", status, f->found.mode, f->text) : 0;
}

/* If no record came, the file has none. */
static int replace_finish(struct stage *stage)
{
    struct file_state *f = stage->state;
    if (!f->writer) {
        if (!f->found.mode->disk)
            return cms_file_mode_check("PIP", &f->id, true);
        enum edf_status status = open_writer(f, false, FILE_LRECL_DEFAULT);
        if (status)
            return cms_file_failed("PIP", status, f->found.mode, f->text);
    }
    return append_finish(stage);
}

const struct stage_kind cms_stage_write = {
    .name = ">", .abbreviation = 1, .place = PLACE_LATER, .keeps_on = true, .size = sizeof(struct file_state),
    .format = "> fn ft fm [FIXED [n]|VARIABLE]",
    .help = HELP_TEXT("Writes a file, which replaces the one of that name when all pipelines of the\n"
                      "command have ended well.  The records pass on.\n"),
    .prepare = write_prepare, .start = write_start, .record = replace_record, .finish = replace_finish,
    .close = close_file};
const struct stage_kind cms_stage_add = {
    .name = ">>", .abbreviation = 2, .place = PLACE_LATER, .keeps_on = true, .size = sizeof(struct file_state),
    .format = ">> fn ft fm [FIXED [n]|VARIABLE]",
    .help = HELP_TEXT("Adds to a file, or makes it.  The records pass on.\n"),
    .prepare = write_prepare, .start = write_start, .record = append_record, .finish = append_finish,
    .close = close_file};
