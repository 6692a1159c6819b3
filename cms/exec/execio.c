/* EXECIO: records between files, devices or CP and the program that asks. */
#include "cms/exec/execio.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/exec/exec.h"
#include "cms/exec/open_file.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "cms/spool/spool.h"
#include "lib/format.h"

enum { CP_RESPONSE = 65536 };

static int file_failed(enum edf_status status, const struct open_file *f)
{
    char text[FILE_ID_MAX];
    cms_file_found_text(&f->found, text);
    return cms_file_failed("EIO", status, f->found.mode, text);
}

/* ---- searching ------------------------------------------------------------------------------------------------- */

static bool holds(const char *record, size_t length, const char *wanted, size_t n)
{
    for (size_t i = 0; i + n <= length; i++)
        if (!memcmp(record + i, wanted, n))
            return true;
    return false;
}

static bool matches(const struct execio *x, const char *record, size_t length)
{
    size_t first = x->zone_first - 1 < length ? x->zone_first - 1 : length;
    size_t last = x->zone_last < length ? x->zone_last : length;
    record += first;
    length = last > first ? last - first : 0;
    bool begins = length >= x->wanted_length && !memcmp(record, x->wanted, x->wanted_length);
    bool within = holds(record, length, x->wanted, x->wanted_length);
    return x->search == EXECIO_FIND ? begins : x->search == EXECIO_LOCATE ? within : !within;
}

/* Records of whatever is read, one after the other: all of them to the program, or the first that matches, behind how
 * many were read here and in the file. */
struct reading {
    struct execio_program *program;
    uint32_t read, number; /* records of this EXECIO; the record's number in its file */
    bool found;
};

static bool take_record(struct reading *r, const char *record, size_t length)
{
    const struct execio *x = r->program->request;
    char numbers[32];
    r->read++;
    if (!x->search)
        return execio_give(r->program, record, length);
    if (!matches(x, record, length))
        return true;
    r->found = true;
    size_t n = format_text(numbers, sizeof numbers, "%u %u", r->read, r->number);
    if (x->side == EXECIO_LIFO)
        return execio_give(r->program, record, length) && execio_give(r->program, numbers, n);
    return execio_give(r->program, numbers, n) && execio_give(r->program, record, length);
}

static bool wants_more(const struct reading *r)
{
    return !r->program->rc && !r->found && r->read != r->program->request->lines;
}

static void reading_ends(struct reading *r, bool at_end)
{
    const struct execio *x = r->program->request;
    if (r->program->rc || r->found)
        return;
    if (at_end && x->lines != EXECIO_EVERY)
        r->program->rc = EXECIO_EOF;
    else if (x->search)
        r->program->rc = at_end ? EXECIO_EOF : EXECIO_NOT_FOUND;
}

/* ---- DISKR ------------------------------------------------------------------------------------------------------- */

/* The file as it is open, or opened now: what another EXECIO wrote to it becomes true first. */
static struct open_file *open_to_read(const struct execio *x, int *rc)
{
    struct file_search search = {.id = x->id};
    struct file_found found;
    struct mode *mode = x->id.letter == '*' ? NULL : cms_mode_find(x->id.letter);
    struct open_file *f = mode ? open_file_find(mode, x->id.name, x->id.type) : NULL;
    enum edf_status status = EDF_OK;

    if (f && f->writer)
        status = open_file_end(f), f = NULL;
    if (!f && !status) {
        *rc = cms_file_mode_check("EIO", &x->id, false);
        if (*rc)
            return NULL;
        if (!cms_file_next(&search, &found)) {
            *rc = EXECIO_NO_FILE;
            return NULL;
        }
        f = open_file_find(found.mode, found.facts.name, found.facts.type);
    }
    if (!f && !status) {
        f = open_file_add(&found);
        status = f ? edf_open(found.mode->disk, found.facts.name, found.facts.type, &f->reader) : EDF_NO_MEMORY;
    }
    if (!status)
        return f;
    *rc = cms_file_failed("EIO", status, f ? f->found.mode : NULL, x->id.name);
    if (f)
        open_file_end(f);
    return NULL;
}

static int read_records(struct open_file *f, struct reading *r)
{
    uint8_t *record = cms_heap_allocate(f->found.facts.lrecl ? f->found.facts.lrecl : 1);
    enum edf_status status = record ? EDF_OK : EDF_NO_MEMORY;
    uint32_t length;
    while (!status && wants_more(r)) {
        if (cms_halted())
            r->program->rc = COMMAND_HALTED;
        else if (!(status = edf_read(f->reader, record, f->found.facts.lrecl, &length))) {
            r->number = f->record++;
            take_record(r, (const char *)record, length);
        }
    }
    cms_heap_free(record);
    if (status && status != EDF_END)
        return file_failed(status, f);
    reading_ends(r, status == EDF_END);
    return r->program->rc;
}

static int disk_read(struct execio_program *p)
{
    const struct execio *x = p->request;
    struct reading r = {.program = p};
    int rc = 0;
    struct open_file *f = open_to_read(x, &rc);
    if (!f)
        return rc;
    if (x->line) {
        enum edf_status status = edf_seek(f->reader, x->line);
        if (status)
            rc = status == EDF_BAD_RECORD ? EXECIO_EOF : file_failed(status, f);
        else
            f->record = x->line;
    }
    if (!rc)
        rc = read_records(f, &r);
    if (x->finis)
        open_file_end(f);
    return rc;
}

/* ---- DISKW ------------------------------------------------------------------------------------------------------- */

static enum edf_status start_writing(const struct execio *x, struct open_file *f, bool exists)
{
    f->recfm = exists ? f->found.facts.recfm : x->recfm ? x->recfm : 'V';
    f->lrecl = exists ? f->found.facts.lrecl : x->lrecl ? x->lrecl : FILE_LRECL_DEFAULT;
    f->record = exists ? f->found.facts.records : 0;
    if (exists && x->line && x->line <= f->record)
        return open_file_rewrite(f, x->line);
    if (exists)
        return edf_append(f->found.mode->disk, x->id.name, x->id.type, &f->writer);
    return edf_create(f->found.mode->disk, x->id.name, x->id.type, f->found.facts.mode_number, f->recfm, f->lrecl,
                      EDF_NEW, &f->writer);
}

static struct open_file *open_to_write(const struct execio *x, int *rc)
{
    struct file_found found = {.mode = cms_mode_find(x->id.letter)};
    if ((*rc = cms_file_mode_check("EIO", &x->id, true)))
        return NULL;
    struct open_file *f = open_file_find(found.mode, x->id.name, x->id.type);
    if (f && f->writer && (!x->line || x->line == f->record + 1))
        return f;
    enum edf_status status = f ? open_file_end(f) : EDF_OK;
    if (status) {
        *rc = cms_file_failed("EIO", status, found.mode, x->id.name);
        return NULL;
    }
    status = edf_find(found.mode->disk, x->id.name, x->id.type, &found.facts);
    bool exists = status == EDF_OK;
    if (status == EDF_NOT_FOUND) {
        status = EDF_OK;
        memcpy(found.facts.name, x->id.name, sizeof x->id.name);
        memcpy(found.facts.type, x->id.type, sizeof x->id.type);
        found.facts.mode_number = x->id.number ? x->id.number : '1';
    }
    if (exists && ((x->recfm && x->recfm != found.facts.recfm) ||
                   (x->lrecl && x->recfm == 'F' && x->lrecl != found.facts.lrecl))) {
        *rc = cms_message("EIO", MESSAGE_CONFLICTING_FORMATS);
        return NULL;
    }
    f = status ? NULL : open_file_add(&found);
    if (!f) {
        *rc = cms_file_failed("EIO", status ? status : EDF_NO_MEMORY, found.mode, x->id.name);
        return NULL;
    }
    if (!(status = start_writing(x, f, exists)))
        return f;
    *rc = file_failed(status, f);
    open_file_end(f);
    return NULL;
}

/* A record as the file takes it: F ones are filled with blanks, or cut; V ones have a byte at least. */
static enum edf_status write_record(struct open_file *f, struct execio_program *p, bool *cut)
{
    char *record = p->record;
    if (f->recfm == 'V') {
        if (!p->length)
            record[p->length++] = ' ';
        enum edf_status status = open_file_replace(f, (uint32_t)p->length);
        return status ? status : edf_write(f->writer, record, (uint32_t)p->length);
    }
    if (p->length < f->lrecl)
        memset(record + p->length, ' ', f->lrecl - p->length);
    *cut |= p->length > f->lrecl;
    enum edf_status status = open_file_replace(f, f->lrecl);
    return status ? status : edf_write(f->writer, record, f->lrecl);
}

static int disk_write(struct execio_program *p)
{
    const struct execio *x = p->request;
    enum edf_status status = EDF_OK;
    bool cut = false;
    int rc = 0;
    struct open_file *f = open_to_write(x, &rc);
    if (!f)
        return rc;
    if (x->line && x->line != f->record + 1)
        rc = cms_message("EIO", MESSAGE_EXECIO_PLIST, "there is no such line, and none before it");
    while (!rc && !status && execio_take(p))
        if (!(status = write_record(f, p, &cut)))
            f->record++;
    if (status)
        rc = file_failed(status, f);
    if (status) { /* what a writer could not take it does not keep either */
        edf_abort(f->writer);
        f->writer = NULL;
    }
    if (x->finis || status) {
        char text[FILE_ID_MAX];
        cms_file_found_text(&f->found, text);
        struct mode *mode = f->found.mode;
        status = open_file_end(f);
        if (status && !rc)
            rc = cms_file_failed("EIO", status, mode, text);
    }
    return rc ? rc : p->rc ? p->rc : cut ? EXECIO_TRUNCATED : 0;
}

/* ---- CP and the spooled devices -------------------------------------------------------------------------------- */

/* Lines of CP's answer to the command, which STRING or the program's next line is. */
static int ask_cp(struct execio_program *p)
{
    struct execio_program asked = *p;
    struct execio one = *p->request;
    struct cms_cp_answer answer;
    struct reading r = {.program = p};
    one.lines = 1;
    one.margin_first = 1, one.margin_last = EXECIO_EVERY;
    one.side = one.text ? EXECIO_STRING : EXECIO_FIFO;
    asked.request = &one;
    if (!execio_take(&asked))
        return asked.rc;
    char *response = cms_heap_allocate(CP_RESPONSE);
    if (!response)
        return cms_message("EIO", MESSAGE_VIRTUAL_STORAGE);
    if (!asked.length || asked.length > CMS_CP_COMMAND_MAX ||
        !cms_cp_command(p->record, asked.length, response, CP_RESPONSE, &answer)) {
        cms_heap_free(response);
        return cms_message("EIO", MESSAGE_NO_CP);
    }
    size_t end = answer.length < CP_RESPONSE ? answer.length : CP_RESPONSE, at = 0;
    while (at < end && wants_more(&r)) {
        const char *line = response + at, *stop = memchr(line, '\n', end - at);
        size_t n = stop ? (size_t)(stop - line) : end - at;
        r.number = r.read + 1;
        take_record(&r, line, n);
        at += n + 1;
    }
    cms_heap_free(response);
    return p->rc ? p->rc : answer.return_code;
}

static int read_cards(struct execio_program *p)
{
    struct spool_source source;
    struct reading r = {.program = p};
    const uint8_t *record = NULL;
    size_t length;
    int rc = cms_spool_open(&source, "EIO", 0);
    while (!rc && wants_more(&r)) {
        rc = cms_spool_next(&source, &record, &length);
        if (rc || !record)
            break;
        r.number = r.read + 1;
        take_record(&r, (const char *)record, length);
    }
    if (!rc)
        reading_ends(&r, r.read != p->request->lines && !record);
    return rc ? rc : p->rc;
}

/* The device stays open, as it does for any program: CLOSE ends the file. */
static int write_spool(struct execio_program *p, enum cms_device device, size_t most, size_t least)
{
    uint8_t record[CMS_SPOOL_LENGTH + CMS_SPOOL_RECORD];
    bool cut = false;
    int rc = 0;
    while (!rc && execio_take(p)) {
        size_t n = p->length < most ? p->length : most;
        cut |= n < p->length;
        memset(record + CMS_SPOOL_LENGTH, ' ', least);
        memcpy(record + CMS_SPOOL_LENGTH, p->record, n);
        n = n < least ? least : n;
        record[0] = (uint8_t)n, record[1] = (uint8_t)(n >> 8);
        enum cms_spool_status status = cms_spool_write(device, record, CMS_SPOOL_LENGTH + n);
        rc = status ? cms_spool_failed("EIO", status) : 0;
    }
    return rc ? rc : p->rc ? p->rc : cut ? EXECIO_TRUNCATED : 0;
}

static int punch(struct execio_program *p) { return write_spool(p, CMS_PUNCH, CARD, CARD); }
static int print(struct execio_program *p) { return write_spool(p, CMS_PRINTER, CMS_SPOOL_RECORD, 0); }

static int show(struct execio_program *p)
{
    while (execio_take(p))
        cms_line(p->record, p->length);
    return p->rc;
}

int cms_execio(const struct arguments *a)
{
    static int (*const verbs[])(struct execio_program *) = {
        [EXECIO_DISKR] = disk_read, [EXECIO_DISKW] = disk_write, [EXECIO_CP] = ask_cp, [EXECIO_CARD] = read_cards,
        [EXECIO_PUNCH] = punch, [EXECIO_PRINT] = print, [EXECIO_EMSG] = show,
    };
    struct execio_program program;
    struct execio x;
    int rc = execio_parse(a->rest, &x);
    if (rc || !execio_program_begin(&program, &x))
        return rc ? rc : program.rc;
    rc = verbs[x.verb](&program);
    if (!program.rc)
        program.rc = rc;
    int end = execio_program_end(&program);
    if (end == EXECIO_NO_FILE && x.verb == EXECIO_DISKR && !x.quiet) {
        char text[FILE_ID_MAX];
        cms_file_id_text(&x.id, text);
        return cms_message("EIO", MESSAGE_FILE_NOT_FOUND, text);
    }
    return end;
}
