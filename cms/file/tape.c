/* TAPE: files to and from a tape, and the tape to where it is wanted. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/tape_unit.h"
#include "cms/kernel/heap.h"

enum { WTM, NOWTM, TERM, NOPRINT, EOF_OPTION, EOT };
enum { GROUP_MARK = 1, GROUP_LIST, GROUP_END };

static const struct file_option option_table[] = {
    [WTM] = {"WTM", 3, GROUP_MARK, false},         [NOWTM] = {"NOWTM", 5, GROUP_MARK, false},
    [TERM] = {"TERM", 1, GROUP_LIST, false},       [NOPRINT] = {"NOPRINT", 4, GROUP_LIST, false},
    [EOF_OPTION] = {"EOF", 3, GROUP_END, true},    [EOT] = {"EOT", 3, GROUP_END, false},
    {NULL, 0, 0, false},
};
const struct file_option *const cms_file_tape_options = option_table;

struct tape {
    struct tape_unit *unit;
    struct file_options options;
    uint32_t marks;    /* read up to so many */
    struct file_id id; /* of the files meant; patterns match */
    bool lists;
    uint32_t files;
};

/* ---- operands ---------------------------------------------------------------------------------------------------- */

/* Takes TAPn or 18n out of the options, as it is none of the table's; the rest is read by that. */
static int read_options(const struct arguments *a, struct tape *t)
{
    static struct arguments rest; /* half a page: not on the stack */
    const struct word tap1 = {.text = "TAP1", .raw = "TAP1", .raw_length = 4};
    t->unit = cms_tape_unit(&tap1);
    rest = *a;
    rest.option_count = 0;
    for (int i = 0; i < a->option_count; i++) {
        bool value = i && cms_word_is(&a->option[i - 1], option_table[EOF_OPTION].name, 3);
        struct tape_unit *unit = value ? NULL : cms_tape_unit(&a->option[i]);
        if (unit)
            t->unit = unit;
        else
            rest.option[rest.option_count++] = a->option[i];
    }
    int rc = cms_file_options("TPE", &rest, option_table, &t->options);
    const struct word *eof = t->options.value[EOF_OPTION];
    t->marks = file_option(&t->options, EOT) ? UINT32_MAX : 1;
    t->lists = !file_option(&t->options, NOPRINT);
    if (!rc && eof && (!cms_number(eof, &t->marks) || !t->marks))
        rc = cms_message("TPE", MESSAGE_INVALID_RECORD, cms_typed(eof), option_table[EOF_OPTION].name);
    return rc;
}

/* fn ft [fm] behind the function; without them all files are meant. */
static int read_fileid(const struct arguments *a, int most, struct tape *t)
{
    static const struct word all[2] = {{.text = "*"}, {.text = "*"}};
    if (a->count > most + 1)
        return cms_message("TPE", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[most + 1]));
    if (a->count == 1)
        return cms_file_id_read("TPE", all, 2, 'A', false, &t->id);
    return cms_file_id_read("TPE", a->operand + 1, a->count - 1, 'A', false, &t->id);
}

/* ---- DUMP -------------------------------------------------------------------------------------------------------- */

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
    if (!rc && file_option(&t->options, WTM) && aws_write_mark(&out->dump->tape))
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
static int tape_dump(const struct arguments *a, struct tape *t)
{
    struct tape_out out = {0};
    if (a->count < 3)
        return a->count < 2 ? cms_message("TPE", MESSAGE_NO_FILENAME) : cms_message("TPE", MESSAGE_INCOMPLETE_FILEID);
    int rc = read_fileid(a, 3, t);
    if (!rc)
        rc = cms_file_mode_check("TPE", &t->id, false);
    if (rc)
        return rc;
    rc = cms_tape_create(&out, t->unit);
    if (!rc)
        rc = dump_all(t, &out);
    uint64_t at = out.at;
    if (!rc && !file_option(&t->options, WTM) && aws_write_mark(&out.dump->tape))
        rc = cms_tape_out_failed(&out);
    if (!rc)
        rc = cms_tape_commit(&out, at);
    cms_tape_abandon(&out);
    return rc;
}

/* ---- LOAD, SCAN, SKIP -------------------------------------------------------------------------------------------- */

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
    int rc = read_fileid(a, loads ? 3 : 2, t);
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

static int tape_load(const struct arguments *a, struct tape *t)
{
    return read_tape(a, t, "Loading.....", true, false);
}

static int tape_scan(const struct arguments *a, struct tape *t)
{
    return read_tape(a, t, "Scanning.....", false, true);
}

static int tape_skip(const struct arguments *a, struct tape *t)
{
    return read_tape(a, t, "Skipping.....", false, false);
}

/* ---- control functions ------------------------------------------------------------------------------------------- */

static int read_count(const struct arguments *a, uint32_t *count)
{
    *count = 1;
    if (a->count > 2)
        return cms_message("TPE", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[2]));
    if (a->count == 2 && (!cms_number(&a->operand[1], count) || !*count))
        return cms_message("TPE", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[1]));
    return 0;
}

/* Counts blocks and marks, or marks alone, from `at` to `end` or to the count-th; *before: where that begins. */
static int count_to(struct tape_in *in, bool marks, uint64_t end, uint32_t *count, uint64_t *before)
{
    struct aws_reader *tape = &in->dump->tape;
    uint32_t most = *count;
    size_t length;
    for (*count = 0; *count < most && tape->at < end;) {
        uint64_t at = tape->at;
        if (cms_halted())
            return COMMAND_HALTED;
        enum aws_status status = aws_read(tape, in->dump->block, &length);
        if (status == AWS_END)
            return 0;
        if (status == AWS_DAMAGED || status == AWS_IO)
            return cms_tape_failed(in, DUMP_TAPE);
        if (!marks || status == AWS_MARK) {
            ++*count;
            *before = at;
        }
    }
    return 0;
}

static int forward(struct tape_in *in, bool marks, uint32_t count)
{
    uint64_t before;
    uint32_t passed = count;
    int rc = count_to(in, marks, UINT64_MAX, &passed, &before);
    in->unit->at = in->dump->tape.at;
    return rc || passed == count ? rc : cms_tape_failed(in, DUMP_END);
}

/* A tape's blocks can only be counted from its beginning. */
static int backward(struct tape_in *in, bool marks, uint32_t count)
{
    uint64_t end = in->unit->at, before = 0;
    uint32_t all = UINT32_MAX;
    in->dump->tape.at = 0;
    int rc = count_to(in, marks, end, &all, &before);
    if (rc)
        return rc;
    in->unit->at = 0;
    if (count > all)
        return cms_tape_failed(in, DUMP_END);
    in->dump->tape.at = 0;
    all -= count - 1;
    rc = count_to(in, marks, end, &all, &before);
    in->unit->at = before;
    return rc;
}

static int move(const struct arguments *a, struct tape *t, int (*how)(struct tape_in *, bool, uint32_t), bool marks)
{
    struct tape_in in = {0};
    uint32_t count;
    int rc = read_count(a, &count);
    if (rc)
        return rc;
    rc = cms_tape_open(&in, t->unit);
    if (!rc)
        rc = how(&in, marks, count);
    cms_tape_close(&in);
    return rc;
}

static int tape_bsf(const struct arguments *a, struct tape *t) { return move(a, t, backward, true); }
static int tape_bsr(const struct arguments *a, struct tape *t) { return move(a, t, backward, false); }
static int tape_fsf(const struct arguments *a, struct tape *t) { return move(a, t, forward, true); }
static int tape_fsr(const struct arguments *a, struct tape *t) { return move(a, t, forward, false); }

static int tape_rew(const struct arguments *a, struct tape *t)
{
    uint32_t count;
    int rc = read_count(a, &count);
    if (!rc)
        t->unit->at = 0;
    return rc;
}

static int tape_wtm(const struct arguments *a, struct tape *t)
{
    struct tape_out out = {0};
    uint32_t count;
    int rc = read_count(a, &count);
    if (rc)
        return rc;
    rc = cms_tape_create(&out, t->unit);
    for (; !rc && count; count--)
        rc = cms_halted() ? COMMAND_HALTED : aws_write_mark(&out.dump->tape) ? cms_tape_out_failed(&out) : 0;
    if (!rc)
        rc = cms_tape_commit(&out, out.at);
    cms_tape_abandon(&out);
    return rc;
}

static const struct tape_function {
    const char *name;
    int (*run)(const struct arguments *arguments, struct tape *tape);
} functions[] = {
    {"DUMP", tape_dump}, {"LOAD", tape_load}, {"SCAN", tape_scan}, {"SKIP", tape_skip}, {"BSF", tape_bsf},
    {"BSR", tape_bsr},   {"FSF", tape_fsf},   {"FSR", tape_fsr},   {"REW", tape_rew},   {"RUN", tape_rew},
    {"WTM", tape_wtm},
};

const char *cms_file_tape_function(size_t index)
{
    return index < sizeof functions / sizeof *functions ? functions[index].name : NULL;
}

int cms_file_tape(const struct arguments *a)
{
    struct tape t = {0};
    if (!a->count)
        return cms_message("TPE", MESSAGE_NO_OPERANDS);
    for (const struct tape_function *f = functions; f < functions + sizeof functions / sizeof *functions; f++) {
        if (!cms_word_is(&a->operand[0], f->name, strlen(f->name)))
            continue;
        int rc = read_options(a, &t);
        return rc ? rc : f->run(a, &t);
    }
    return cms_message("TPE", MESSAGE_INVALID_PARAMETER, cms_typed(&a->operand[0]));
}
