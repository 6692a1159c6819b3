/* TAPE DUMP: files to a tape. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/tape.h"
#include "cms/kernel/heap.h"

static int dump_records(struct tape_out *out, const struct file_found *found, struct edf_reader *reader,
                        uint8_t *record)
{
    char text[FILE_ID_MAX];
    enum edf_status status;
    uint32_t length;
    cms_file_found_text(found, text);
    dump_begin(out->dump, found->facts.recfm);
    while (!(status = edf_read(reader, record, EDF_LRECL_MAX, &length))) {
        if (cms_halted())
            return COMMAND_HALTED;
        if (dump_record(out->dump, record, length))
            return cms_tape_out_failed(out);
    }
    if (status != EDF_END)
        return cms_file_failed("TPE", status, found->mode, text);
    return dump_end(out->dump, &found->facts, found->mode->letter) ? cms_tape_out_failed(out) : 0;
}

static int dump_file(const struct tape *t, struct tape_out *out, const struct file_found *found)
{
    struct edf_reader *reader;
    char text[FILE_ID_MAX];
    cms_file_found_text(found, text);
    uint8_t *record = cms_heap_allocate(EDF_LRECL_MAX);
    enum edf_status status = record ? edf_open(found->mode->disk, found->facts.name, found->facts.type, &reader)
                                    : EDF_NO_MEMORY;
    if (status) {
        cms_heap_free(record);
        return cms_file_failed("TPE", status, found->mode, text);
    }
    if (t->lists)
        cms_text("%s", text);
    int rc = dump_records(out, found, reader, record);
    edf_close(reader);
    cms_heap_free(record);
    if (!rc && t->marks_files && aws_write_mark(&out->dump->tape))
        rc = cms_tape_out_failed(out);
    return rc;
}

/* The tape itself is no file to be dumped on it. */
static bool is_the_tape(const struct tape_out *out, const struct file_found *found)
{
    struct file_id tape;
    cms_tape_unit_file(out->unit, &tape);
    return found->mode == out->mode && !strcmp(found->facts.name, tape.name) && !strcmp(found->facts.type, tape.type);
}

static int dump_all(struct tape *t, struct tape_out *out)
{
    struct file_search search = {.id = t->id};
    struct file_found found;
    char text[FILE_ID_MAX];
    int rc = 0;
    bool one = !cms_file_is_pattern(&t->id);
    if (t->lists)
        cms_text("Dumping.....");
    while (!rc && !(one && t->files) && cms_file_next(&search, &found)) {
        if (is_the_tape(out, &found))
            continue;
        rc = dump_file(t, out, &found);
        t->files++;
    }
    cms_file_id_text(&t->id, text);
    return rc || t->files ? rc : cms_message("TPE", MESSAGE_FILE_NOT_FOUND, text);
}

/* Behind the files there is a mark. With NOWTM the tape then stands before it, so that the next file dumped takes its
 * place. */
int cms_tape_dump(const struct arguments *a, struct tape *t)
{
    struct tape_out out = {0};
    if (a->count < 3)
        return a->count < 2 ? cms_message("TPE", MESSAGE_NO_FILENAME) : cms_message("TPE", MESSAGE_INCOMPLETE_FILEID);
    int rc = cms_tape_fileid(a, 3, t);
    if (!rc)
        rc = cms_file_mode_check("TPE", &t->id, false);
    if (rc)
        return rc;
    rc = cms_tape_create(&out, t->unit);
    if (!rc)
        rc = dump_all(t, &out);
    uint64_t at = out.at;
    if (!rc && !t->marks_files && aws_write_mark(&out.dump->tape))
        rc = cms_tape_out_failed(&out);
    if (!rc)
        rc = cms_tape_commit(&out, at);
    cms_tape_abandon(&out);
    return rc;
}
