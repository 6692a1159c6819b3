/* Records to a device and from the reader. In: records one at a time. Out: calls of CP, as full as they can be. */
#include "cms/spool/spool.h"

#include <stdarg.h>
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

/* CP had nothing to read: why. */
static int nothing_to_read(const char *module)
{
    struct cms_spool_file file;
    if (!cms_spool_file(CMS_READER, 0, &file))
        return cms_message(module, MESSAGE_READER_FILES_HELD);
    return cms_message(module, MESSAGE_NO_READER_FILES);
}

int cms_spool_failed(const char *module, enum cms_spool_status status)
{
    switch (status) {
    case CMS_SPOOL_FULL: return cms_message(module, MESSAGE_SPOOL_FULL);
    case CMS_SPOOL_NONE: return nothing_to_read(module);
    case CMS_SPOOL_DAMAGED: return cms_message(module, MESSAGE_SPOOL_DAMAGED);
    default: return cms_message(module, MESSAGE_NO_SPOOL);
    }
}

int cms_spool_command(const char *format, ...)
{
    char command[CMS_CP_COMMAND_MAX + 1], response[512];
    struct cms_cp_answer answer;
    va_list args;
    va_start(args, format);
    size_t length = format_text_v(command, sizeof command, format, args);
    va_end(args);
    if (!cms_cp_command(command, length, response, sizeof response, &answer))
        return cms_message("CPF", MESSAGE_CP_REFUSED);
    if (answer.return_code && answer.length)
        cms_line(response, answer.length - (response[answer.length - 1] == '\n'));
    return answer.return_code;
}

/* ---- to a device ------------------------------------------------------------------------------------------------- */

int cms_spool_begin(struct spool_sink *s, const char *module, enum cms_device device)
{
    *s = (struct spool_sink){.module = module, .device = device, .records = cms_heap_allocate(CMS_SPOOL_CALL)};
    return s->records ? 0 : cms_message(module, MESSAGE_VIRTUAL_STORAGE);
}

static int send(struct spool_sink *s)
{
    enum cms_spool_status status = s->used ? cms_spool_write(s->device, s->records, s->used) : CMS_SPOOL_OK;
    s->used = 0;
    return status ? cms_spool_failed(s->module, status) : 0;
}

int cms_spool_put(struct spool_sink *s, const void *record, size_t length, size_t least)
{
    size_t size = length < least ? least : length;
    uint16_t head = (uint16_t)size;
    int rc = s->used + CMS_SPOOL_LENGTH + size > CMS_SPOOL_CALL ? send(s) : 0;
    if (rc)
        return rc;
    memcpy(s->records + s->used, &head, CMS_SPOOL_LENGTH);
    memcpy(s->records + s->used + CMS_SPOOL_LENGTH, record, length);
    memset(s->records + s->used + CMS_SPOOL_LENGTH + length, ' ', size - length);
    s->used += CMS_SPOOL_LENGTH + size;
    return 0;
}

/* What was refused may not stay: it would be the beginning of what the next user is sent. */
static void purge(const char *device)
{
    char command[20], response[80];
    struct cms_cp_answer answer;
    size_t length = format_text(command, sizeof command, "CLOSE %s PURGE", device);
    cms_cp_command(command, length, response, sizeof response, &answer);
}

int cms_spool_end(struct spool_sink *s, int rc, const char *operands)
{
    const char *device = s->device == CMS_PUNCH ? "PUN" : "PRT";
    if (!rc)
        rc = send(s);
    cms_heap_free(s->records);
    if (!rc)
        rc = cms_spool_command("CLOSE %s %s", device, operands);
    if (rc)
        purge(device);
    return rc;
}

/* ---- from the reader --------------------------------------------------------------------------------------------- */

int cms_spool_open(struct spool_source *s, const char *module, unsigned spoolid)
{
    *s = (struct spool_source){.module = module, .read = {.spoolid = spoolid},
                               .records = cms_heap_allocate(CMS_SPOOL_CALL)};
    return s->records ? 0 : cms_message(module, MESSAGE_VIRTUAL_STORAGE);
}

int cms_spool_next(struct spool_source *s, const uint8_t **record, size_t *length)
{
    uint16_t head;
    *record = NULL;
    while (s->at == s->read.bytes) {
        if (s->read.end)
            return 0;
        enum cms_spool_status status = cms_spool_read(&s->read, s->records);
        if (status)
            return cms_spool_failed(s->module, status);
        s->at = 0;
    }
    memcpy(&head, s->records + s->at, CMS_SPOOL_LENGTH);
    *record = s->records + s->at + CMS_SPOOL_LENGTH;
    *length = head;
    s->at += CMS_SPOOL_LENGTH + head;
    return 0;
}

bool cms_spool_find(unsigned spoolid, struct cms_spool_file *file)
{
    unsigned at = 0;
    while (!cms_spool_file(CMS_READER, at, file)) {
        if (file->spoolid == spoolid)
            return true;
        at = file->spoolid;
    }
    return false;
}

/* ---- into a file ------------------------------------------------------------------------------------------------- */

int cms_spool_target(struct spool_target *t)
{
    struct edf_file_facts facts;
    cms_file_id_text(&t->id, t->text);
    if (t->id.letter == '*' || cms_file_is_pattern(&t->id))
        return cms_message(t->module, MESSAGE_INVALID_CHARACTER, t->text);
    int rc = cms_file_mode_check(t->module, &t->id, true);
    if (rc)
        return rc;
    t->mode = cms_mode_find(t->id.letter);
    if (t->replace == EDF_NEW && edf_find(t->mode->disk, t->id.name, t->id.type, &facts) == EDF_OK)
        return cms_message(t->module, MESSAGE_FILE_EXISTS_REPLACE, t->text);
    return 0;
}

static enum edf_status begin(struct spool_target *t)
{
    return edf_create(t->mode->disk, t->id.name, t->id.type, t->id.number ? t->id.number : '1', t->recfm, t->lrecl,
                      t->replace, &t->writer);
}

/* CMS has no empty records: one becomes a blank. */
int cms_spool_store(struct spool_target *t, const uint8_t *record, size_t length)
{
    enum edf_status status = t->writer ? EDF_OK : begin(t);
    bool pad = t->recfm == 'F' && length < t->lrecl;
    if (t->recfm == 'F' && length > t->lrecl)
        return cms_message(t->module, MESSAGE_RECORD_LONG);
    if (!status && pad && !t->record && !(t->record = cms_heap_allocate(t->lrecl)))
        status = EDF_NO_MEMORY;
    if (!status && pad) {
        memcpy(t->record, record, length);
        memset(t->record + length, ' ', t->lrecl - length);
        record = t->record;
        length = t->lrecl;
    }
    if (!status)
        status = length ? edf_write(t->writer, record, (uint32_t)length) : edf_write(t->writer, " ", 1);
    return status ? cms_file_failed(t->module, status, t->mode, t->text) : 0;
}

int cms_spool_stored(struct spool_target *t, int rc)
{
    enum edf_status status = !rc && !t->writer ? begin(t) : EDF_OK;
    if (rc)
        edf_abort(t->writer);
    else if (!status && t->date.year)
        edf_writer_date(t->writer, &t->date);
    if (!rc && !status)
        status = edf_commit(t->writer);
    t->writer = NULL;
    cms_heap_free(t->record);
    t->record = NULL;
    return status ? cms_file_failed(t->module, status, t->mode, t->text) : rc;
}
