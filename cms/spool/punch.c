/* PUNCH PRINT: a file to a punch, a printer. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/spool/sent.h"
#include "cms/spool/spool.h"
#include "lib/format.h"

enum { HEADER, NOHEADER };

static const struct file_option punch_options[] = {
    [HEADER] = {"HEADER", 1, 1, false}, [NOHEADER] = {"NOHEADER", 3, 1, false}, {NULL, 0, 0, false}};
static const struct file_option no_options[] = {{NULL, 0, 0, false}};
const struct file_option *const cms_spool_punch_options = punch_options;

/* The operands are a fileid, and it is one file's. */
static int find(const char *module, const struct arguments *a, struct file_found *found)
{
    struct file_id id;
    char text[FILE_ID_MAX];
    if (a->count > 3)
        return cms_message(module, MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]));
    int rc = cms_file_id_read(module, a->operand, a->count, 'A', false, &id);
    if (rc || !cms_file_is_pattern(&id))
        return rc ? rc : cms_file_find(module, &id, found);
    cms_file_id_text(&id, text);
    return cms_message(module, MESSAGE_INVALID_CHARACTER, text);
}

static int put_card(void *context, uint8_t *record, size_t length)
{
    return length > CARD ? cms_message("PUN", MESSAGE_RECORD_LONG) : cms_spool_put(context, record, length, CARD);
}

static int put_line(void *context, uint8_t *record, size_t length)
{
    return length > CMS_SPOOL_RECORD ? cms_message("PRT", MESSAGE_RECORD_LONG)
                                     : cms_spool_put(context, record, length, 0);
}

/* :READ  FN       FT       FM LABEL  mm/dd/yy hh:mm:ss */
static int put_header(struct spool_sink *sink, const struct sent *f)
{
    const struct edf_date *d = &f->found.facts.date;
    struct edf_disk_facts disk;
    char card[CARD + 1];
    edf_disk_query(f->found.mode->disk, &disk);
    size_t length = format_text(card, sizeof card, ":READ  %-8s %-8s %c%c %-6s %02u/%02u/%02u %02u:%02u:%02u",
                                f->found.facts.name, f->found.facts.type, f->found.mode->letter,
                                f->found.facts.mode_number, disk.volid, d->month, d->day, d->year % 100, d->hour,
                                d->minute, d->second);
    return cms_spool_put(sink, card, length, CARD);
}

static int to_device(const struct arguments *a, const char *module, enum cms_device device)
{
    struct file_options options;
    struct file_found found;
    struct sent f = {.module = module};
    struct spool_sink sink;
    char name[40];
    bool punch = device == CMS_PUNCH;
    int rc = cms_file_options(module, a, punch ? punch_options : no_options, &options);
    if (!rc)
        rc = find(module, a, &found);
    if (!rc && !punch)
        rc = cms_file_refuse_packed(module, &found);
    if (!rc)
        rc = sent_open(&f, module, &found);
    if (!rc && !found.facts.records)
        rc = cms_message(module, MESSAGE_NO_RECORDS, f.text);
    if (!rc)
        rc = cms_spool_begin(&sink, module, device);
    if (!rc) {
        if (punch && !file_option(&options, NOHEADER))
            rc = put_header(&sink, &f);
        if (!rc)
            rc = sent_each(&f, punch ? put_card : put_line, &sink);
        format_text(name, sizeof name, "NAME %s %s", found.facts.name, found.facts.type);
        rc = cms_spool_end(&sink, rc, name);
    }
    sent_close(&f);
    return rc;
}

int cms_spool_punch(const struct arguments *a) { return to_device(a, "PUN", CMS_PUNCH); }
int cms_spool_print(const struct arguments *a) { return to_device(a, "PRT", CMS_PRINTER); }
