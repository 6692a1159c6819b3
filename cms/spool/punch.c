/* PUNCH PRINT SENDFILE: a file to a punch, a printer, another user. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/heap.h"
#include "cms/spool/names.h"
#include "cms/spool/netdata.h"
#include "cms/spool/spool.h"
#include "lib/format.h"

enum { HEADER, NOHEADER };

static const struct file_option punch_options[] = {
    [HEADER] = {"HEADER", 1, 1, false}, [NOHEADER] = {"NOHEADER", 3, 1, false}, {NULL, 0, 0, false}};
static const struct file_option no_options[] = {{NULL, 0, 0, false}};
const struct file_option *const cms_spool_punch_options = punch_options;

struct sent {
    struct file_found found;
    struct edf_reader *reader;
    uint8_t *record;
    char text[FILE_ID_MAX];
};

static int open(struct sent *f, const char *module, const struct file_id *id)
{
    int rc = cms_file_find(module, id, &f->found);
    if (rc)
        return rc;
    cms_file_found_text(&f->found, f->text);
    enum edf_status status = edf_open(f->found.mode->disk, f->found.facts.name, f->found.facts.type, &f->reader);
    f->record = status ? NULL : cms_heap_allocate(f->found.facts.lrecl ? f->found.facts.lrecl : 1);
    if (!status && !f->record)
        status = EDF_NO_MEMORY;
    return status ? cms_file_failed(module, status, f->found.mode, f->text) : 0;
}

/* The first words are a fileid, of 3 at most. */
static int read_id(const char *module, const struct arguments *a, int words, struct file_id *id)
{
    return words > 3 ? cms_message(module, MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]))
                     : cms_file_id_read(module, a->operand, words, 'A', false, id);
}

static void close(struct sent *f)
{
    if (f->reader)
        edf_close(f->reader);
    cms_heap_free(f->record);
}

/* Every record to put(). */
static int send_records(struct sent *f, const char *module, int (*put)(void *, const uint8_t *, size_t), void *context)
{
    uint32_t length;
    enum edf_status status = EDF_OK;
    int rc = 0;
    while (!rc && !(status = edf_read(f->reader, f->record, f->found.facts.lrecl, &length)))
        rc = cms_halted() ? COMMAND_HALTED : put(context, f->record, length);
    return rc || status == EDF_END ? rc : cms_file_failed(module, status, f->found.mode, f->text);
}

static void close_name(char text[40], const struct sent *f)
{
    format_text(text, 40, "NAME %s %s", f->found.facts.name, f->found.facts.type);
}

/* ---- PUNCH and PRINT --------------------------------------------------------------------------------------------- */

static int put_card(void *context, const uint8_t *record, size_t length)
{
    return length > CARD ? cms_message("PUN", MESSAGE_RECORD_LONG) : cms_spool_put(context, record, length, CARD);
}

static int put_line(void *context, const uint8_t *record, size_t length)
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
    struct sent f = {0};
    struct spool_sink sink;
    struct file_id id;
    char name[40];
    bool punch = device == CMS_PUNCH;
    int rc = cms_file_options(module, a, punch ? punch_options : no_options, &options);
    if (!rc)
        rc = read_id(module, a, a->count, &id);
    if (!rc)
        rc = open(&f, module, &id);
    if (!rc)
        rc = cms_spool_begin(&sink, module, device);
    if (!rc) {
        if (punch && !file_option(&options, NOHEADER))
            rc = put_header(&sink, &f);
        if (!rc)
            rc = send_records(&f, module, punch ? put_card : put_line, &sink);
        close_name(name, &f);
        rc = cms_spool_end(&sink, rc, name);
    }
    close(&f);
    return rc;
}

int cms_spool_punch(const struct arguments *a) { return to_device(a, "PUN", CMS_PUNCH); }
int cms_spool_print(const struct arguments *a) { return to_device(a, "PRT", CMS_PRINTER); }

/* ---- SENDFILE ---------------------------------------------------------------------------------------------------- */

static int put_data(void *context, const uint8_t *record, size_t length)
{
    return netdata_record(context, record, length);
}

static void tell_sent(const struct sent *f, const char *to)
{
    struct clock_date now = cms_clock_split(cms_clock_now().unix_seconds);
    cms_text("File %s sent to %s on %02u/%02u/%02u %02u:%02u:%02u", f->text, to, (unsigned)now.month,
             (unsigned)now.day, (unsigned)now.year % 100, (unsigned)now.hour, (unsigned)now.minute,
             (unsigned)now.second);
}

/* fn ft [fm] [TO] userid: how many words the fileid has; 0: there is no user. */
static int find_user(const struct arguments *a, const struct word **user)
{
    int last = a->count - 1, words = last;
    if (last < 2)
        return 0;
    *user = &a->operand[last];
    if (words > 2 && cms_word_is(&a->operand[words - 1], "TO", 2))
        words--;
    return words;
}

int cms_spool_send(const char *module, const struct file_id *id, const char *userid)
{
    struct sent f = {0};
    struct netdata_out out;
    char operands[60], name[40];
    int rc = open(&f, module, id);
    if (!rc)
        rc = cms_spool_begin(&out.sink, module, CMS_PUNCH);
    if (!rc) {
        rc = netdata_begin(&out, &f.found, userid);
        if (!rc)
            rc = send_records(&f, module, put_data, &out);
        if (!rc)
            rc = netdata_end(&out);
        close_name(name, &f);
        format_text(operands, sizeof operands, "TO %s %s", userid, name);
        rc = cms_spool_end(&out.sink, rc, operands);
    }
    if (!rc)
        tell_sent(&f, userid);
    close(&f);
    return rc;
}

int cms_spool_sendfile(const struct arguments *a)
{
    struct file_options options;
    struct file_id id;
    char userid[9];
    const struct word *user = NULL;
    int words = find_user(a, &user), rc = cms_file_options("SFL", a, no_options, &options);
    if (!rc && !words)
        rc = cms_message("SFL", MESSAGE_INCOMPLETE_FILEID);
    if (!rc)
        rc = names_resolve("SFL", user, userid);
    if (!rc)
        rc = read_id("SFL", a, words, &id);
    return rc ? rc : cms_spool_send("SFL", &id, userid);
}
