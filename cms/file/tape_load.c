/* TAPE LOAD, SCAN and SKIP: what is on a tape, and its files to a disk. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/tape.h"
#include "cms/kernel/heap.h"

static bool is_meant(const struct tape *t, const struct dump_file *file)
{
    return edf_name_matches(t->id.name, file->facts.name) && edf_name_matches(t->id.type, file->facts.type);
}

static int load_records(struct tape_in *in, struct edf_writer *writer, uint8_t *record, struct mode *mode,
                        const char *text)
{
    enum dump_status status;
    uint32_t length;
    while ((status = dump_read(in->dump, record, &length)) == DUMP_RECORD) {
        if (cms_halted())
            return COMMAND_HALTED;
        enum edf_status written = edf_write(writer, record, length);
        if (written)
            return cms_file_failed("TPE", written, mode, text);
    }
    return status == DUMP_END ? 0 : cms_tape_failed(in, status);
}

/* What is there under that name is replaced when all of the file is there. */
static int load_file(const struct tape *t, struct tape_in *in, const struct dump_file *file)
{
    const struct edf_file_facts *f = &file->facts;
    struct file_id id = {.letter = t->id.letter, .number = t->id.number ? t->id.number : f->mode_number};
    struct mode *mode = cms_mode_find(id.letter);
    struct edf_writer *writer = NULL;
    char text[FILE_ID_MAX];
    memcpy(id.name, f->name, sizeof id.name);
    memcpy(id.type, f->type, sizeof id.type);
    cms_file_id_text(&id, text);
    uint8_t *record = cms_heap_allocate(EDF_LRECL_MAX);
    enum edf_status status =
        record ? edf_create(mode->disk, f->name, f->type, id.number, f->recfm,
                            f->lrecl ? f->lrecl : FILE_LRECL_DEFAULT, EDF_REPLACE, &writer)
               : EDF_NO_MEMORY;
    int rc = status ? cms_file_failed("TPE", status, mode, text) : 0;
    dump_open(in->dump, file);
    if (!rc)
        rc = load_records(in, writer, record, mode, text);
    if (!rc) {
        edf_writer_date(writer, &f->date);
        status = edf_commit(writer);
        writer = NULL;
        rc = status ? cms_file_failed("TPE", status, mode, text) : 0;
    }
    edf_abort(writer);
    cms_heap_free(record);
    in->dump->tape.at = file->end;
    if (!rc && t->lists)
        cms_text("%s", text);
    return rc;
}

/* On the way to one file all that are passed are told. */
static int pass_file(struct tape *t, struct tape_in *in, const struct dump_file *file, bool loads)
{
    bool meant = is_meant(t, file);
    t->files += meant;
    if (loads)
        return meant ? load_file(t, in, file) : 0;
    if (t->lists && (meant || !cms_file_is_pattern(&t->id)))
        cms_text("%s %s %c%c", file->facts.name, file->facts.type, file->letter, file->facts.mode_number);
    return 0;
}

/* Up to `marks` tape marks, or behind the one file that is meant; `stops`: before it. */
static int pass(struct tape *t, struct tape_in *in, bool loads, bool stops)
{
    bool one = !cms_file_is_pattern(&t->id);
    struct dump_file file;
    for (uint32_t marks = 0; marks < t->marks;) {
        if (cms_halted())
            return COMMAND_HALTED;
        enum dump_status status = dump_next(in->dump, &file);
        if (status == DUMP_FORMAT || status == DUMP_TAPE)
            return cms_tape_failed(in, status);
        marks += status == DUMP_MARK;
        if (status != DUMP_FILE && t->lists && (status == DUMP_END || marks == t->marks))
            cms_text("End-of-file or end-of-tape");
        if (status == DUMP_END)
            return 0;
        int rc = status == DUMP_FILE ? pass_file(t, in, &file, loads) : 0;
        if (rc)
            return rc;
        if (one && t->files) {
            in->dump->tape.at = stops ? file.start : file.end;
            return 0;
        }
    }
    return 0;
}

static int read_tape(const struct arguments *a, struct tape *t, const char *heading, bool loads, bool stops)
{
    struct tape_in in = {0};
    char text[FILE_ID_MAX];
    if (a->count == 2)
        return cms_message("TPE", MESSAGE_INCOMPLETE_FILEID);
    int rc = cms_tape_fileid(a, loads ? 3 : 2, t);
    if (!rc && loads && t->id.letter == '*')
        rc = cms_message("TPE", MESSAGE_INVALID_MODE, "*");
    if (!rc && loads)
        rc = cms_file_mode_check("TPE", &t->id, true);
    if (rc)
        return rc;
    rc = cms_tape_open(&in, t->unit);
    if (!rc) {
        if (t->lists)
            cms_text("%s", heading);
        rc = pass(t, &in, loads, stops);
        t->unit->at = in.dump->tape.at;
    }
    cms_tape_close(&in);
    cms_file_id_text(&t->id, text);
    return !rc && !t->files && a->count > 1 ? cms_message("TPE", MESSAGE_FILE_NOT_FOUND, text) : rc;
}

int cms_tape_load(const struct arguments *a, struct tape *t)
{
    return read_tape(a, t, "Loading.....", true, false);
}

int cms_tape_scan(const struct arguments *a, struct tape *t)
{
    return read_tape(a, t, "Scanning.....", false, true);
}

int cms_tape_skip(const struct arguments *a, struct tape *t)
{
    return read_tape(a, t, "Skipping.....", false, false);
}
