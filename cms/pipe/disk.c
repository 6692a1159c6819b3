/* Stages to and from files: <, > and >>. A file being written appears when the whole pipeline has ended well. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/file.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/stages.h"

struct file_state {
    struct file_id id;
    struct file_found found;
    char text[FILE_ID_MAX];
    char recfm; /* as asked for; 0: as the file is, or V */
    uint32_t lrecl;
    struct edf_reader *reader;
    struct edf_writer *writer;
    uint8_t *record;
    bool written;
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

/* ---- < ----------------------------------------------------------------------------------------------------------- */

static int read_prepare(struct stage *stage, struct scan *operands)
{
    struct file_state *f = stage->state;
    int rc = read_fileid(operands, &f->id, '*');
    return rc ? rc : cms_scan_end(operands);
}

static int read_open(struct file_state *f)
{
    struct file_search search = {.id = f->id};
    cms_file_id_text(&f->id, f->text);
    int rc = cms_file_mode_check("PIP", &f->id, false);
    if (rc)
        return rc;
    if (!cms_file_next(&search, &f->found))
        return cms_message("PIP", MESSAGE_PIPE_NO_FILE, f->text);
    cms_file_found_text(&f->found, f->text);
    struct edf_file_facts *facts = &f->found.facts;
    enum edf_status status = edf_open(f->found.mode->disk, facts->name, facts->type, &f->reader);
    f->record = status ? NULL : cms_heap_allocate(facts->lrecl ? facts->lrecl : 1);
    if (!status && !f->record)
        status = EDF_NO_MEMORY;
    return status ? cms_file_failed("PIP", status, f->found.mode, f->text) : 0;
}

static int read_start(struct stage *stage)
{
    struct file_state *f = stage->state;
    uint32_t length;
    enum edf_status status = EDF_OK;
    int rc = read_open(f);
    while (!rc && !(status = edf_read(f->reader, f->record, f->found.facts.lrecl, &length)))
        rc = cms_pipe_put(stage, f->record, length);
    if (!rc && status != EDF_END)
        rc = cms_file_failed("PIP", status, f->found.mode, f->text);
    return rc;
}

static void close_file(struct stage *stage)
{
    struct file_state *f = stage->state;
    if (f->reader)
        edf_close(f->reader);
    edf_abort(f->writer);
    cms_heap_free(f->record);
}

/* Never called: < is always first. */
static int no_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return cms_pipe_put(stage, data, length);
}

const struct stage_kind cms_stage_read = {
    "<", 1, PLACE_FIRST, false, sizeof(struct file_state), read_prepare, read_start, no_record, NULL, close_file};

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
        return cms_message("PIP", MESSAGE_PIPE_LONG, (size_t)f->lrecl);
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
    if (length > (f->recfm == 'F' ? f->lrecl : EDF_LRECL_MAX))
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
    return cms_pipe_put(stage, data, length);
}

static int replace_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return write_record(stage, data, length, false);
}

static int append_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return write_record(stage, data, length, true);
}

static int append_end(struct stage *stage)
{
    struct file_state *f = stage->state;
    if (!f->writer)
        return 0;
    enum edf_status status = edf_commit(f->writer);
    f->writer = NULL;
    return status ? cms_file_failed("PIP", status, f->found.mode, f->text) : 0;
}

/* No record came: the file has none. */
static int replace_end(struct stage *stage)
{
    struct file_state *f = stage->state;
    if (!f->writer) {
        if (!f->found.mode->disk)
            return cms_file_mode_check("PIP", &f->id, true);
        enum edf_status status = open_writer(f, false, FILE_LRECL_DEFAULT);
        if (status)
            return cms_file_failed("PIP", status, f->found.mode, f->text);
    }
    return append_end(stage);
}

const struct stage_kind cms_stage_write = {
    ">", 1, PLACE_LATER, true, sizeof(struct file_state), write_prepare, write_start, replace_record, replace_end,
    close_file};
const struct stage_kind cms_stage_append = {
    ">>", 2, PLACE_LATER, true, sizeof(struct file_state), write_prepare, write_start, append_record, append_end,
    close_file};
