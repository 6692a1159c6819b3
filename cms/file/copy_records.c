/* COPYFILE's records: which of the input, what becomes of their bytes, and the format of the output. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/copyfile.h"

static void translate(const struct copy *c, uint8_t *data, uint32_t length)
{
    for (uint32_t i = 0; c->translates && i < length; i++)
        data[i] = c->table[data[i]];
}

/* The record in the output's format; its length. */
static uint32_t fit(const struct copy *c, uint8_t *data, uint32_t length)
{
    if (c->to_recfm == 'F') {
        if (length < c->to_lrecl)
            memset(data + length, c->fill, c->to_lrecl - length);
        return c->to_lrecl;
    }
    if (c->lrecl && length > c->lrecl)
        length = c->lrecl;
    while (copy_option(c, COPY_TRUNC) && length > 1 && data[length - 1] == c->fill)
        length--;
    if (!length) /* a specification list may leave nothing, but no record is empty */
        data[length++] = c->fill;
    return length;
}

/* The next record of the file that is overlaid goes to c->built; its length, 0 where it has ended. */
static enum edf_status read_overlaid(struct copy *c, uint32_t *length)
{
    enum edf_status status = c->overlaid ? edf_read(c->overlaid, c->built, EDF_LRECL_MAX, length) : EDF_END;
    if (status)
        *length = 0;
    return status == EDF_END ? EDF_OK : status;
}

static enum edf_status put(struct copy *c, uint32_t length)
{
    uint8_t *data = c->built ? c->built : c->record;
    uint32_t built = 0;
    translate(c, c->record, length);
    enum edf_status status = c->built ? read_overlaid(c, &built) : EDF_OK;
    if (status)
        return status;
    if (copy_option(c, COPY_SPECS)) {
        length = cms_copy_specs_apply(&c->specs, c->record, length, data, built, c->fill);
    } else if (c->built) {
        memcpy(data, c->record, length);
        length = length > built ? length : built;
    }
    c->copied++;
    return edf_write(c->writer, data, fit(c, data, length));
}

int cms_copy_overlaid(struct copy *c)
{
    enum edf_status status;
    uint32_t length;
    while (!(status = edf_read(c->overlaid, c->built, EDF_LRECL_MAX, &length))) {
        if (cms_halted())
            return COMMAND_HALTED;
        status = edf_write(c->writer, c->built, length);
        if (status)
            break;
    }
    return status == EDF_END ? 0 : cms_file_failed("CPY", status, c->to_mode, c->to_text);
}

/* Does the record begin with the label of that option? */
static bool has_label(const struct copy *c, enum copy_option row, uint32_t length)
{
    const struct word *label = c->options.value[row];
    return copy_option(c, row) && length >= label->raw_length && !memcmp(c->record, label->raw, label->raw_length);
}

static int no_label(const struct copy *c, enum copy_option row, const char *file)
{
    const struct word *label = c->options.value[row];
    char typed[COPY_LABEL_MOST + 1] = {0};
    memcpy(typed, label->raw, label->raw_length);
    return cms_message("CPY", MESSAGE_LABEL_NOT_FOUND, typed, file);
}

int cms_copy_records(struct copy *c, const struct file_found *found, struct edf_reader *reader)
{
    char text[FILE_ID_MAX];
    uint32_t length;
    bool begun = !copy_option(c, COPY_FRLABEL), ended = !copy_option(c, COPY_TOLABEL);
    cms_file_found_text(found, text);
    if (c->from > 1 && c->from > found->facts.records)
        return cms_message("CPY", MESSAGE_FROM_BEYOND, c->from, text, found->facts.records);
    c->offered += found->facts.records;
    enum edf_status status = edf_seek(reader, c->from);
    for (uint32_t n = 0; !status && n < c->count; n += begun) {
        if (cms_halted())
            return COMMAND_HALTED;
        status = edf_read(reader, c->record, EDF_LRECL_MAX, &length);
        if (status)
            break;
        if (begun && has_label(c, COPY_TOLABEL, length)) {
            ended = true;
            break;
        }
        begun |= has_label(c, COPY_FRLABEL, length);
        if (!begun)
            continue;
        enum edf_status written = put(c, length);
        if (written)
            return cms_file_failed("CPY", written, c->to_mode, c->to_text);
    }
    if (status && status != EDF_END)
        return cms_file_failed("CPY", status, found->mode, text);
    if (!begun)
        return no_label(c, COPY_FRLABEL, text);
    return ended ? 0 : no_label(c, COPY_TOLABEL, text);
}
