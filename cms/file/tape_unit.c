/* Tape drives whose tapes are CMS files. */
#include "cms/file/tape_unit.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

enum { FIRST_ADDRESS = 0x180, GATHERED = 32768 };
static const char FILE_TYPE[] = "AWSTAPE";

static struct tape_unit units[TAPE_UNITS];

struct tape_unit *cms_tape_unit_at(int index)
{
    return index < TAPE_UNITS ? &units[index] : NULL;
}

struct tape_unit *cms_tape_unit(const struct word *word)
{
    uint32_t address;
    bool named = word->raw_length == 4 && !memcmp(word->text, "TAP", 3);
    if (named)
        address = FIRST_ADDRESS + (uint32_t)(word->text[3] - '0');
    else if (!cms_hex(word, &address))
        return NULL;
    return address - FIRST_ADDRESS < TAPE_UNITS ? &units[address - FIRST_ADDRESS] : NULL;
}

void cms_tape_unit_name(const struct tape_unit *unit, char name[TAPE_UNIT_NAME_MAX])
{
    int n = (int)(unit - units);
    format_text(name, TAPE_UNIT_NAME_MAX, "TAP%d(%03X)", n, (unsigned)(FIRST_ADDRESS + n));
}

void cms_tape_unit_file(const struct tape_unit *unit, struct file_id *id)
{
    *id = (struct file_id){.letter = 'A'};
    if (unit->defined) {
        *id = unit->id;
        return;
    }
    format_text(id->name, sizeof id->name, "TAP%d", (int)(unit - units));
    memcpy(id->type, FILE_TYPE, sizeof FILE_TYPE);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* The record that byte `at` is in becomes the one read last; false at the end, or where it fails. */
static bool go_to(struct tape_in *in, uint64_t at)
{
    if (at < in->start) {
        in->status = edf_seek(in->reader, 1);
        in->start = in->length = 0;
    }
    while (!in->status && at >= in->start + in->length) {
        in->start += in->length;
        in->length = 0;
        in->status = edf_read(in->reader, in->record, EDF_LRECL_MAX, &in->length);
    }
    if (in->status != EDF_END)
        return !in->status;
    in->status = EDF_OK;
    in->length = 0;
    return false;
}

static int read_at(void *ctx, uint64_t at, void *buffer, size_t size)
{
    struct tape_in *in = ctx;
    size_t done = 0;
    while (done < size && go_to(in, at + done)) {
        size_t from = (size_t)(at + done - in->start), there = in->length - from;
        size_t n = size - done < there ? size - done : there;
        memcpy((uint8_t *)buffer + done, in->record + from, n);
        done += n;
    }
    return in->status ? -1 : (int)done;
}

int cms_tape_open(struct tape_in *in, struct tape_unit *unit)
{
    struct file_search search = {0};
    char name[TAPE_UNIT_NAME_MAX];
    *in = (struct tape_in){.unit = unit};
    cms_tape_unit_file(unit, &search.id);
    int rc = cms_file_mode_check("TPE", &search.id, false);
    if (rc)
        return rc;
    cms_tape_unit_name(unit, name);
    if (!cms_file_next(&search, &in->file))
        return cms_message("TPE", MESSAGE_NOT_ATTACHED, name);
    cms_file_found_text(&in->file, in->text);
    in->record = cms_heap_allocate(EDF_LRECL_MAX);
    in->dump = cms_heap_allocate(sizeof *in->dump);
    if (!in->record || !in->dump)
        return cms_message("TPE", MESSAGE_VIRTUAL_STORAGE);
    memset(in->dump, 0, sizeof *in->dump);
    in->dump->tape = (struct aws_reader){.ctx = in, .read = read_at, .at = unit->at};
    enum edf_status status = edf_open(in->file.mode->disk, in->file.facts.name, in->file.facts.type, &in->reader);
    return status ? cms_file_failed("TPE", status, in->file.mode, in->text) : 0;
}

void cms_tape_close(struct tape_in *in)
{
    if (in->reader)
        edf_close(in->reader);
    cms_heap_free(in->dump);
    cms_heap_free(in->record);
}

int cms_tape_failed(struct tape_in *in, enum dump_status status)
{
    char name[TAPE_UNIT_NAME_MAX];
    cms_tape_unit_name(in->unit, name);
    if (in->status)
        return cms_file_failed("TPE", in->status, in->file.mode, in->text);
    if (status == DUMP_FORMAT)
        return cms_message("TPE", MESSAGE_TAPE_FORMAT, name, in->dump->why);
    if (status == DUMP_TAPE)
        return cms_message("TPE", MESSAGE_TAPE_READ, name, in->dump->tape.why);
    return cms_message("TPE", MESSAGE_TAPE_END, name);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void flush(struct tape_out *out)
{
    if (!out->status && out->used)
        out->status = edf_write(out->writer, out->record, out->used);
    out->used = 0;
}

static int append(void *ctx, const void *data, size_t size)
{
    struct tape_out *out = ctx;
    for (const uint8_t *from = data; size && !out->status;) {
        size_t room = GATHERED - out->used, n = size < room ? size : room;
        memcpy(out->record + out->used, from, n);
        out->used += (uint32_t)n;
        out->at += n;
        from += n;
        size -= n;
        if (out->used == GATHERED)
            flush(out);
    }
    return out->status ? -1 : 0;
}

/* What stands before the unit's place, which ends a block. */
static int keep(struct tape_out *out, struct tape_in *in)
{
    uint64_t at = out->unit->at;
    while (out->at < at) {
        size_t n = at - out->at < AWS_BLOCK_MAX ? (size_t)(at - out->at) : AWS_BLOCK_MAX;
        if (cms_halted())
            return COMMAND_HALTED;
        if (read_at(in, out->at, in->dump->block, n) != (int)n) {
            in->dump->tape.why = "it has become shorter";
            return cms_tape_failed(in, DUMP_TAPE);
        }
        if (append(out, in->dump->block, n))
            return cms_tape_out_failed(out);
    }
    return 0;
}

/* The length of the block before the unit's place, which the next one tells; the unit stands at a block. */
static int find_previous(struct tape_out *out, struct tape_in *in)
{
    size_t length;
    struct aws_reader *tape = &in->dump->tape;
    for (tape->at = 0; tape->at < out->unit->at;) {
        if (cms_halted())
            return COMMAND_HALTED;
        enum aws_status status = aws_read(tape, in->dump->block, &length);
        if (status != AWS_BLOCK && status != AWS_MARK)
            return cms_tape_failed(in, status == AWS_END ? DUMP_END : DUMP_TAPE);
    }
    if (tape->at != out->unit->at) {
        tape->why = "no block begins where it stands";
        return cms_tape_failed(in, DUMP_TAPE);
    }
    out->dump->tape.previous = tape->previous;
    return 0;
}

static int keep_what_stands(struct tape_out *out)
{
    struct tape_in in;
    if (!out->unit->at)
        return 0;
    int rc = cms_tape_open(&in, out->unit);
    if (!rc)
        rc = find_previous(out, &in);
    if (!rc)
        rc = keep(out, &in);
    cms_tape_close(&in);
    return rc;
}

int cms_tape_create(struct tape_out *out, struct tape_unit *unit)
{
    struct file_id id;
    char name[TAPE_UNIT_NAME_MAX];
    *out = (struct tape_out){.unit = unit};
    cms_tape_unit_file(unit, &id);
    int rc = cms_file_mode_check("TPE", &id, false);
    if (rc)
        return rc;
    out->mode = cms_mode_find(id.letter);
    cms_tape_unit_name(unit, name);
    if (out->mode->read_only)
        return cms_message("TPE", MESSAGE_TAPE_PROTECTED, name);
    id.number = id.number ? id.number : '1';
    cms_file_id_text(&id, out->text);
    out->record = cms_heap_allocate(GATHERED);
    out->dump = cms_heap_allocate(sizeof *out->dump);
    if (!out->record || !out->dump)
        return cms_message("TPE", MESSAGE_VIRTUAL_STORAGE);
    memset(out->dump, 0, sizeof *out->dump);
    out->dump->tape = (struct aws_writer){.ctx = out, .write = append};
    out->status = edf_create(out->mode->disk, id.name, id.type, id.number, 'V', 0, EDF_REPLACE, &out->writer);
    return out->status ? cms_tape_out_failed(out) : keep_what_stands(out);
}

int cms_tape_commit(struct tape_out *out, uint64_t at)
{
    flush(out);
    if (out->status)
        return cms_tape_out_failed(out);
    out->status = edf_commit(out->writer);
    out->writer = NULL;
    if (out->status)
        return cms_tape_out_failed(out);
    out->unit->at = at;
    return 0;
}

void cms_tape_abandon(struct tape_out *out)
{
    edf_abort(out->writer);
    cms_heap_free(out->dump);
    cms_heap_free(out->record);
}

int cms_tape_out_failed(struct tape_out *out)
{
    return cms_file_failed("TPE", out->status, out->mode, out->text);
}
